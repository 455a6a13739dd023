//! Reads one record as a row of the feed, or gives the reason why it cannot be read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::columns::{Flag, Layout};
use super::dates::{self, Edge, Note, ReadDate};
use super::names::{self, NO_ID, is_among};
use super::record::{Record, Value};
use super::statuses::employment;
use super::values::{plain, quoted_date, quoted_name, shortened};
use super::{DateOrder, DateRules, Words, place_key, zones};
use crate::model::{
    EmailAddress, Employment, HrDate, HrRow, Meaning, RejectedRow, StatusWord, UnreadCell,
    is_blank_word, is_zero_width, quoted, read_addresses, trim,
};

/// The result of reading a record.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one call; a box for each row would cost more"
)]
pub(super) enum ReadRow {
    Row(HrRow),
    Rejected(RejectedRow),
    Blank,
}

/// The most status words that are counted.
const MAX_STATUS_WORDS: usize = 100;

/// Reads the records of one layout.
pub(super) struct RowReader {
    layout: Layout,
    order: Option<DateOrder>,
    zone: TimeZone,
    /// Zones by work place.
    by_place: BTreeMap<String, TimeZone>,
    /// The zones of rows, so that each is looked up once.
    zones: HashMap<String, Option<TimeZone>>,
    texts: Texts,
    words: Words,
    /// The words of status columns, with their meanings and numbers of rows.
    statuses: HashMap<(Option<Flag>, String), StatusWord>,
    /// The number of dates with the time 00:00.
    whole_days: u64,
}

impl RowReader {
    /// # Errors
    /// If a zone is unknown.
    pub(super) fn new(layout: Layout, dates: &DateRules, words: &Words) -> Result<Self, String> {
        let zone = |name: &str, variable: &str| {
            TimeZone::get(name).map_err(|_| {
                format!("{variable} contains `{name}`, which is not a known time zone")
            })
        };
        let mut by_place = BTreeMap::new();
        for (place, name) in &dates.location_zones {
            by_place.insert(place.clone(), zone(name, "HR_LOCATION_ZONES")?);
        }
        let no_address = |word: &String| match EmailAddress::parse(word) {
            Some(address) => address.key().to_owned(),
            None => plain(word),
        };
        let statuses = words.statuses.iter();
        let statuses = statuses.map(|(word, means)| (plain(word), means.clone()));
        Ok(Self {
            zone: zone(&dates.time_zone, "HR_TIME_ZONE")?,
            by_place,
            layout,
            order: dates.order,
            zones: HashMap::new(),
            texts: Texts::default(),
            words: Words {
                statuses: statuses.collect(),
                no_address: words.no_address.iter().map(no_address).collect(),
            },
            statuses: HashMap::new(),
            whole_days: 0,
        })
    }

    /// Notes for people about the rows.
    pub(super) fn notes(&self) -> Vec<String> {
        match self.whole_days {
            0 => Vec::new(),
            1 => vec!["1 date with the time 00:00 was read as a whole day".to_owned()],
            days => vec![format!(
                "{days} dates with the time 00:00 were read as whole days"
            )],
        }
    }

    /// The words of the status columns, most frequent first.
    pub(super) fn status_words(&self) -> Vec<StatusWord> {
        let mut words: Vec<StatusWord> = self.statuses.values().cloned().collect();
        words.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.word.cmp(&b.word)));
        words
    }

    pub(super) fn is_read(&self, column: usize) -> bool {
        self.layout.is_field(column)
    }

    /// Whether a cell contains an address in a column with another meaning.
    pub(super) fn is_misplaced(&self, column: usize, text: &str) -> bool {
        let is_address = matches!(
            self.layout.meaning(column),
            Meaning::Email | Meaning::OtherEmail
        );
        self.is_read(column) && !is_address && text.contains('@')
    }

    pub(super) fn read(&mut self, record: &Record<'_>) -> ReadRow {
        let is_blank = |value: &Value<'_>| trim(&value.text).is_empty();
        let fault = record.fault.clone();
        if fault.is_none() && record.values.iter().all(is_blank) {
            return ReadRow::Blank;
        }
        let mut reading = Reading {
            record,
            layout: &self.layout,
            words: &self.words,
            faults: Vec::new(),
            names_setting: false,
            notes: Vec::new(),
        };
        let is_read = |value: &Value<'_>| self.layout.is_field(value.column) && !is_blank(value);
        if !record.values.iter().any(is_read) {
            let reason = "every column that is read is blank";
            reading.faults.push(reason.to_owned());
        }
        let person_id = reading.person_id();
        let mut addresses = reading.addresses();
        // Many companies use the address as the person id.
        let id = person_id.as_deref().and_then(EmailAddress::parse);
        let is_new = |id: &EmailAddress| !addresses.all.contains(id);
        addresses.all.extend(id.filter(is_new));
        let name = reading.name();
        let location = reading.single(Meaning::Location);
        let status = reading.status(&mut self.statuses);
        let named = reading.single(Meaning::Zone);
        let named = named.and_then(|name| reading.zone_named(name, &mut self.zones));
        let zone = named.unwrap_or_else(|| reading.zone_of(location, &self.zone, &self.by_place));
        let mut date = |field, edge| {
            let (date, is_whole_day) =
                reading.date(field, edge, self.order, &zone, &mut self.texts)?;
            self.whole_days += u64::from(is_whole_day);
            Some(date)
        };
        let start = date(Meaning::Start, Edge::Opens);
        let end = date(Meaning::End, Edge::Closes);
        let last_day = date(Meaning::LastDay, Edge::Closes);
        if status != Employment::Ended && end.is_none() && last_day.is_none() {
            reading.ensure_no_word_of_leaving();
        }
        let unread = reading.unread(&addresses.all, &zone);
        let [department, title] = [Meaning::Department, Meaning::Title].map(|of| {
            let texts = reading.texts(of);
            let mut texts = texts.iter().map(|value| trim(&value.text));
            texts.find(|text| !is_blank_word(text) && is_intact(text))
        });
        if fault.is_some() || !reading.faults.is_empty() {
            let emails = reading.texts(Meaning::Email);
            let email = emails.first().map(|value| &*value.text);
            let reason = fault.unwrap_or_else(|| reading.faults.join("; "));
            let names_setting = reading.names_setting;
            let row = rejected(record.line, reason, person_id.as_deref(), email);
            addresses.all.retain(|of| {
                let text = of.as_written();
                is_intact(text) && row.email.as_deref() != Some(text)
            });
            return ReadRow::Rejected(RejectedRow {
                names_setting,
                name: name.filter(|name| is_intact(name)).map(String::into),
                other_emails: addresses.all,
                ..row
            });
        }
        let notes = reading.notes;
        let mut other_emails = addresses.all;
        let email = addresses.has_work.then(|| other_emails.remove(0));
        // Most are empty now.
        other_emails.shrink_to_fit();
        ReadRow::Row(HrRow {
            line: record.line,
            person_id,
            name,
            email,
            other_emails,
            status,
            start,
            end,
            last_day,
            location: location.map(|place| self.texts.shared(place)),
            department: department.map(|text| self.texts.shared(text)),
            title: title.map(|text| self.texts.shared(text)),
            unreadable_address: addresses.has_unreadable,
            unread,
            notes,
        })
    }

    /// Rejects a row whose cells may be in the wrong columns. It keeps an id in the first column and a single address, so
    /// that people can find the row.
    pub(super) fn reject<'c>(
        &self,
        line: u64,
        reason: String,
        cells: impl Iterator<Item = &'c str> + Clone,
    ) -> ReadRow {
        let is_address = |text: &&str| EmailAddress::parse(text).is_some();
        let mut addresses = cells.clone().map(trim).filter(is_address);
        let email = match (addresses.next(), addresses.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let person_id = match self.layout.cells(Meaning::PersonId) {
            [0] => cells.clone().next().map(trim),
            _ => None,
        };
        ReadRow::Rejected(rejected(line, reason, person_id, email))
    }
}

/// A rejected row, with its id and address if they are intact.
pub(super) fn rejected(
    line: u64,
    reason: String,
    person_id: Option<&str>,
    email: Option<&str>,
) -> RejectedRow {
    let kept = |text: &str| {
        let text = trim(text);
        (!is_blank_word(text) && is_intact(text)).then(|| text.to_owned())
    };
    RejectedRow {
        line,
        reason,
        person_id: person_id.and_then(kept),
        email: email.and_then(kept).map(Into::into),
        ..RejectedRow::default()
    }
}

/// The addresses of a row, each once.
#[derive(Default)]
struct RowAddresses {
    all: Vec<EmailAddress>,
    /// Whether the first one is the work address.
    has_work: bool,
    /// Whether a cell has text that is not an address.
    has_unreadable: bool,
}

/// A record being read, with everything wrong found so far.
struct Reading<'r, 't> {
    record: &'r Record<'t>,
    layout: &'r Layout,
    words: &'r Words,
    faults: Vec<String>,
    /// Whether a fault names a setting with which the row can be read.
    names_setting: bool,
    notes: Vec<String>,
}

impl<'r, 't> Reading<'r, 't> {
    /// The values of a field. Those of a name are in the order of its columns.
    fn texts(&self, field: Meaning) -> Vec<&'r Value<'t>> {
        let is_of_field = |value: &&'r Value<'t>| self.layout.meaning(value.column) == field;
        let mut texts: Vec<_> = self.record.values.iter().filter(is_of_field).collect();
        if field == Meaning::Name && texts.len() > 1 {
            let order = self.layout.cells(field);
            texts.sort_by_key(|value| order.iter().position(|column| *column == value.column));
        }
        texts
    }

    fn fault(&mut self, field: Meaning, reason: &str) {
        let column = self.layout.shown(field);
        self.faults.push(format!("column {column}: {reason}"));
    }

    fn note(&mut self, field: Meaning, note: &str) {
        let column = self.layout.shown(field);
        self.notes.push(format!("column {column}: {note}"));
    }

    fn ensure_intact(&mut self, field: Meaning, text: &str) {
        if !is_intact(text) {
            self.fault(
                field,
                "a letter was lost to a wrong encoding before this run read the file",
            );
        }
    }

    /// The trimmed text of a field, or `None` if it is blank or a word for blank.
    fn single(&mut self, field: Meaning) -> Option<&'r str> {
        let texts = self.texts(field);
        let texts = texts.iter().map(|value| trim(&value.text));
        let mut texts = texts.filter(|text| !is_blank_word(text));
        let first = texts.next()?;
        if texts.any(|text| text != first) {
            self.fault(field, "it has several values; only one is expected");
        }
        self.ensure_intact(field, first);
        Some(first)
    }

    /// The id. It is text: `00123` is not `123`, and `1E5` is not a number. `+` joins the parts of a composite id.
    fn person_id(&mut self) -> Option<String> {
        const PERSON_ID: Meaning = Meaning::PersonId;
        let is_joined = self.layout.cells(PERSON_ID).len() > 1;
        let mut parts = Vec::new();
        for column in self.layout.cells(PERSON_ID) {
            let values = self.record.values.iter();
            let mut values = values.filter(|value| value.column == *column);
            let value = values.next();
            let written = value.map_or("", |value| &value.text);
            if values.any(|other| other.text != written) {
                self.fault(PERSON_ID, "it has several values; only one is expected");
            }
            if value.is_some_and(|value| value.lost_digits) {
                self.fault(
                    PERSON_ID,
                    "an id written as a number with a fraction, an exponent or too many digits loses digits: write it as text",
                );
            }
            self.ensure_intact(PERSON_ID, written);
            let mut part = trim(written).to_owned();
            part.retain(|c| !is_zero_width(c));
            let is_zero = !part.is_empty() && part.bytes().all(|byte| byte == b'0');
            if is_no_id(&part) && !(is_joined && is_zero) {
                if is_joined {
                    self.note(
                        PERSON_ID,
                        "a part of the id is missing, so the row has no id",
                    );
                } else if !part.is_empty() && !is_blank_word(&part) {
                    self.note(PERSON_ID, "it has a placeholder instead of an id");
                }
                return None;
            }
            if part != written {
                let note = "blanks or invisible characters were removed from the id";
                self.notes.push(note.to_owned());
            }
            parts.push(part);
        }
        (!parts.is_empty()).then(|| parts.join("+"))
    }

    /// The name. It is free text: no word counts as blank (some people are called Null), and only the white space around
    /// the name is removed.
    fn name(&mut self) -> Option<String> {
        let parts = self.texts(Meaning::Name);
        let parts = parts.iter().map(|value| trim(&value.text));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let name = parts.join(" ");
        self.ensure_intact(Meaning::Name, &name);
        (!name.is_empty()).then_some(name)
    }

    fn addresses(&mut self) -> RowAddresses {
        let mut addresses = RowAddresses::default();
        for field in [Meaning::Email, Meaning::OtherEmail] {
            let (mut placeholder, mut unreadable) = (false, false);
            for value in self.texts(field) {
                let text = trim(&value.text);
                if text.is_empty() || (!text.contains('@') && self.is_no_address(&plain(text))) {
                    continue;
                }
                self.ensure_intact(field, text);
                let read = read_addresses(text);
                unreadable |= read.has_unreadable;
                for address in read.found {
                    if self.is_placeholder(&address) {
                        placeholder = true;
                    } else if !addresses.all.contains(&address) {
                        addresses.all.push(address);
                    }
                }
            }
            if field == Meaning::Email {
                addresses.has_work = !addresses.all.is_empty();
            }
            addresses.has_unreadable |= unreadable;
            if placeholder {
                self.note(field, "it has a placeholder instead of an address");
            }
            if unreadable {
                self.note(field, "part of the text is not an e-mail address");
            }
        }
        addresses
    }

    fn is_no_address(&self, word: &str) -> bool {
        names::is_no_address(word) || self.words.no_address.iter().any(|none| none == word)
    }

    /// Whether an address is like `noemail@corp.example` or `no-reply2@…`, or is in `HR_FEED_NO_ADDRESS`.
    fn is_placeholder(&self, address: &EmailAddress) -> bool {
        let local = plain(address.local());
        let word = local.trim_end_matches(|c: char| c.is_ascii_digit());
        if is_blank_word(address.local()) && !address.local().chars().all(char::is_alphanumeric) {
            return true;
        }
        let is_added = |none: &String| none == address.key();
        // Two letters may be initials.
        (local.chars().count() > 2 && names::is_no_address(&local))
            || (word.len() > 5 && names::is_no_address(word))
            || self.words.no_address.iter().any(is_added)
    }

    /// The combined status of all status columns. Blank ones are ignored, and the others must agree.
    fn status(&mut self, known: &mut HashMap<(Option<Flag>, String), StatusWord>) -> Employment {
        let mut read: Vec<(&str, Employment)> = Vec::new();
        for value in self.texts(Meaning::Status) {
            let text = trim(&value.text);
            self.ensure_intact(Meaning::Status, text);
            if is_blank_word(text) || read.iter().any(|(other, _)| *other == text) {
                continue;
            }
            let flag = self.layout.flag(value.column);
            let means = || employment(text, flag, &self.words.statuses);
            let key = (flag, text.to_owned());
            let means = if known.len() < MAX_STATUS_WORDS || known.contains_key(&key) {
                let word = known.entry(key).or_insert_with(|| StatusWord {
                    word: text.to_owned(),
                    meaning: means(),
                    rows: 0,
                });
                word.rows += 1;
                word.meaning.clone()
            } else {
                means()
            };
            read.push((text, means));
        }
        let is_employed = |of: &Employment| matches!(of, Employment::Active | Employment::OnLeave);
        match &read[..] {
            [] => Employment::Blank,
            [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => {
                first.clone()
            }
            // A person on leave is employed.
            all if all.iter().all(|(_, of)| is_employed(of)) => Employment::OnLeave,
            several => {
                let words: Vec<&str> = several.iter().map(|(word, _)| *word).collect();
                employment(&words.join(" / "), None, &self.words.statuses)
            }
        }
    }

    /// A column like `State` is unread, because it may be a place. The word `Terminated` in it is not a place and must
    /// not be lost. Words of `HR_FEED_STATUSES`, such as `true`, may mean anything in other columns.
    fn ensure_no_word_of_leaving(&mut self) {
        for value in &self.record.values {
            let meaning = self.layout.meaning(value.column);
            let is_unread = meaning == Meaning::Unread || meaning.is_displayed();
            if is_unread && employment(&value.text, None, &BTreeMap::new()) == Employment::Ended {
                let column = shortened(&self.layout.columns[value.column].name);
                self.faults.push(format!(
                    "column {} is unread but contains {}: set HR_FEED_COLUMNS to {} if the column shows who left, \
                     otherwise to {}",
                    quoted(&column),
                    quoted_name(trim(&value.text)),
                    quoted(&format!("status={column}")),
                    quoted(&format!("ignore={column}")),
                ));
            }
        }
    }

    /// The zone of a work place, if zones are set by place.
    fn zone_of(
        &mut self,
        place: Option<&str>,
        default: &TimeZone,
        by_place: &BTreeMap<String, TimeZone>,
    ) -> TimeZone {
        if by_place.is_empty() {
            return default.clone();
        }
        let found = place.and_then(|place| by_place.get(&place_key(place)));
        if found.is_none() {
            let note = match place {
                Some(_) => "HR_LOCATION_ZONES lacks the work place: HR_TIME_ZONE was used",
                None => "the row has no work place: HR_TIME_ZONE was used",
            };
            self.notes.push(note.to_owned());
        }
        found.unwrap_or(default).clone()
    }

    fn zone_named(
        &mut self,
        name: &str,
        known: &mut HashMap<String, Option<TimeZone>>,
    ) -> Option<TimeZone> {
        let zone = known.entry(name.to_owned());
        let zone = zone.or_insert_with(|| zones::zone(name)).clone();
        if zone.is_none() {
            self.note(
                Meaning::Zone,
                "it does not contain a time zone such as `Europe/Paris` and was ignored",
            );
        }
        zone
    }

    /// A date, and whether it had the time 00:00.
    fn date(
        &mut self,
        field: Meaning,
        edge: Edge,
        order: Option<DateOrder>,
        zone: &TimeZone,
        texts: &mut Texts,
    ) -> Option<(HrDate, bool)> {
        let text = self.single(field)?;
        match dates::read(text, edge, order, zone) {
            Ok(ReadDate::Nothing) => None,
            Ok(ReadDate::Never) => {
                let text = quoted_date(text);
                let far = format!("{text} is so far in the future that it counts as blank");
                self.note(field, &far);
                None
            }
            Ok(ReadDate::At { at, zone, note }) => {
                if note == Some(Note::DayNumber) {
                    self.note(field, "the day number of a spreadsheet was read as a date");
                }
                let date = HrDate {
                    written: texts.shared(text),
                    at,
                    zone: texts.shared(&zone),
                };
                Some((date, note == Some(Note::WholeDay)))
            }
            Err(reason) => {
                // The reason names HR_FEED_DATE_ORDER if an order makes the date readable.
                let mut orders = [DateOrder::DayFirst, DateOrder::MonthFirst].into_iter();
                let reads = |order| dates::read(text, edge, Some(order), zone).is_ok();
                self.names_setting |= order.is_none() && orders.any(reads);
                self.fault(field, &reason);
                None
            }
        }
    }

    /// Dates and addresses in unread columns: for each column the earliest date, and every address that the row has
    /// nowhere else.
    fn unread(&self, known: &[EmailAddress], zone: &TimeZone) -> Vec<UnreadCell> {
        let mut cells: BTreeMap<usize, UnreadCell> = BTreeMap::new();
        for value in &self.record.values {
            let text = trim(&value.text);
            let (dates, addresses) = self.layout.may_matter(value.column);
            if !(dates || addresses) || text.is_empty() {
                continue;
            }
            let mut emails = Vec::new();
            if addresses && text.contains('@') {
                emails = read_addresses(text).found;
                emails.retain(|address| !known.contains(address) && !self.is_placeholder(address));
            }
            let is_dated = self.layout.is_dated(value.column);
            let date = dates::of_unread(text, is_dated, zone).filter(|_| dates);
            if emails.is_empty() && date.is_none() {
                continue;
            }
            let cell = cells.entry(value.column).or_default();
            cell.column = value.column;
            cell.date = [cell.date, date].into_iter().flatten().min();
            emails.retain(|address| !cell.emails.contains(address));
            cell.emails.extend(emails);
        }
        cells.into_values().collect()
    }
}

/// Texts that many rows share, each once in memory.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// Whether no letter of a text was lost to a wrong encoding.
fn is_intact(text: &str) -> bool {
    !text.contains(char::REPLACEMENT_CHARACTER)
}

/// Whether a text is a placeholder for a missing id: `0`, `TBD`, or `2.00E+11`, which spreadsheets make of different
/// ids.
fn is_no_id(text: &str) -> bool {
    let is_scientific = || {
        let (number, exponent) = text.split_once(['E', 'e'])?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_number = number.split(['.', ',']).all(digits);
        Some(is_number && digits(exponent.strip_prefix('+')?))
    };
    is_blank_word(text)
        || text.bytes().all(|byte| byte == b'0')
        || is_scientific().unwrap_or_default()
        || (!text.contains(char::is_numeric) && is_among(&plain(text), NO_ID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_scientific_numbers_are_not_ids() {
        for text in [
            "", "0", "000", "TBD", "n/a", "Unknown", "2.00E+11", "2,00E+11", "1e+5",
        ] {
            assert!(is_no_id(text), "{text}");
        }
        for text in ["00123", "1E5", "E10", "10", "E+5", "1.2E+x", "NA-1"] {
            assert!(!is_no_id(text), "{text}");
        }
    }
}
