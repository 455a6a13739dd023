//! From the texts of one row to what HR says of one person, or to the reason it cannot be read.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;

use super::dates::{self, Edge, Told};
use super::headers::Layout;
use super::values::{listed, quoted};
use super::{Column, DateOrder, DateRules, place_key};
use crate::people::{
    EmailAddress, Employment, HrDate, HrRow, RejectedRow, is_blank_word, is_zero_width, trim,
};

/// What became of a row that is not blank.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one call; a box for each row would cost more"
)]
pub(super) enum Entry {
    Row(HrRow),
    Rejected(RejectedRow),
}

/// Words for employment, as letters and digits in lower case, with what they mean.
///
/// Only words that leave no doubt are here. Leave, garden leave, suspension, notice or an accepted
/// offer are neither: whether such a person may have access is for HR to say, so they stay
/// unclassified, in sight. A hire has begun; who is only `accepted` or `pending` has not.
const WORDS: &[(&str, Employment)] = &[
    ("active", Employment::Active),
    ("activeemployee", Employment::Active),
    ("employed", Employment::Active),
    ("hired", Employment::Active),
    ("current", Employment::Active),
    ("currentemployee", Employment::Active),
    ("working", Employment::Active),
    ("terminated", Employment::Ended),
    ("termination", Employment::Ended),
    ("voluntarilyterminated", Employment::Ended),
    ("involuntarilyterminated", Employment::Ended),
    ("voluntarytermination", Employment::Ended),
    ("involuntarytermination", Employment::Ended),
    ("terminatedvoluntary", Employment::Ended),
    ("terminatedinvoluntary", Employment::Ended),
    ("inactive", Employment::Ended),
    ("left", Employment::Ended),
    ("leaver", Employment::Ended),
    ("resigned", Employment::Ended),
    ("dismissed", Employment::Ended),
    ("fired", Employment::Ended),
    ("laidoff", Employment::Ended),
    ("redundant", Employment::Ended),
    ("retired", Employment::Ended),
    ("deceased", Employment::Ended),
    ("separated", Employment::Ended),
    ("former", Employment::Ended),
    ("formeremployee", Employment::Ended),
    ("exemployee", Employment::Ended),
    ("offboarded", Employment::Ended),
    ("departed", Employment::Ended),
    ("exited", Employment::Ended),
    ("ended", Employment::Ended),
    ("contractended", Employment::Ended),
    ("discharged", Employment::Ended),
    ("quit", Employment::Ended),
];

/// Answers of a column like `isActive`. In any other column yes and no say nothing: `Status: yes`
/// may as well mean "has left".
const FLAGS: &[(&str, Employment)] = &[
    ("true", Employment::Active),
    ("yes", Employment::Active),
    ("y", Employment::Active),
    ("1", Employment::Active),
    ("false", Employment::Ended),
    ("no", Employment::Ended),
    ("n", Employment::Ended),
    ("0", Employment::Ended),
];

/// Reads rows by one layout.
pub(super) struct RowReader {
    layout: Layout,
    order: Option<DateOrder>,
    zone: TimeZone,
    /// Zones by work place.
    by_place: BTreeMap<String, TimeZone>,
    /// Zones that rows named, so that each is looked up once.
    zones: HashMap<String, Option<TimeZone>>,
}

/// A row being read, with everything wrong found so far.
struct Reading<F> {
    cell: F,
    faults: Vec<String>,
    notes: Vec<String>,
}

impl RowReader {
    /// # Errors
    /// If a zone is unknown.
    pub(super) fn new(layout: Layout, dates: &DateRules) -> Result<Self, String> {
        let time_zone = dates.time_zone.as_str();
        let zone = TimeZone::get(time_zone).map_err(|_| {
            format!(
                "HR_TIME_ZONE names {}, which is no time zone known here",
                listed([time_zone], 1)
            )
        })?;
        let by_place = dates.location_zones.iter().map(|(place, name)| {
            let zone = TimeZone::get(name).map_err(|_| {
                let name = listed([name.as_str()], 1);
                format!("HR_LOCATION_ZONES names {name}, which is no time zone known here")
            })?;
            Ok((place.clone(), zone))
        });
        Ok(Self {
            by_place: by_place.collect::<Result<_, String>>()?,
            layout,
            order: dates.order,
            zone,
            zones: HashMap::new(),
        })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the row that begins in `line`; `cell` gives the text at a place of the layout.
    pub(super) fn read<'c>(&mut self, line: u64, cell: impl Fn(usize) -> &'c str) -> Entry {
        let mut reading = Reading {
            cell,
            faults: Vec::new(),
            notes: Vec::new(),
        };
        let layout = &self.layout;
        if layout
            .wanted()
            .all(|at| trim((reading.cell)(at)).is_empty())
        {
            reading
                .faults
                .push("none of the columns that are read has a value".to_owned());
        }
        let person_id = reading.person_id(layout);
        let (email, other_emails) = reading.addresses(layout);
        let name = reading.name(layout);
        let location = reading.text(layout, Column::Location);
        let status = match reading.text(layout, Column::Status) {
            Some(text) => employment(text, layout.status_is_flag),
            None => Employment::Blank,
        };
        let zone = match reading.text(layout, Column::Zone) {
            Some(name) => reading.zone(layout, name, &self.zone, &mut self.zones),
            None => reading.zone_of(location, &self.zone, &self.by_place),
        };
        let mut date = |column, edge| reading.date(layout, column, edge, self.order, &zone);
        let start = date(Column::Start, Edge::Opens);
        let end = date(Column::End, Edge::Closes);
        let last_day = date(Column::LastDay, Edge::Closes);
        if !reading.faults.is_empty() {
            let email = layout.cells(Column::Email).first();
            return self.reject_named(
                line,
                reading.faults.join("; "),
                person_id.as_deref(),
                email.map(|at| (reading.cell)(*at)),
            );
        }
        Entry::Row(HrRow {
            line,
            person_id,
            name,
            email,
            other_emails,
            status,
            start,
            end,
            last_day,
            location: location.map(str::to_owned),
            unreadable_address: false,
            unread: Vec::new(),
            notes: reading.notes,
        })
    }

    /// A row whose cells cannot be trusted to stand where they should. What still names a person
    /// is kept so that the row can be found: an id in front of any shift, an address if there is
    /// only one.
    pub(super) fn reject<'c>(
        &self,
        line: u64,
        reason: String,
        cells: impl Iterator<Item = &'c str> + Clone,
    ) -> Entry {
        let mut addresses = cells
            .clone()
            .map(trim)
            .filter(|text| EmailAddress::parse(text).is_some());
        let email = match (addresses.next(), addresses.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let person_id = match self.layout.cells(Column::PersonId) {
            [0] => cells.clone().next().map(trim),
            _ => None,
        };
        self.reject_named(line, reason, person_id, email)
    }

    /// A row that cannot be read, with the id and the address it has all the same.
    pub(super) fn reject_named(
        &self,
        line: u64,
        reason: String,
        person_id: Option<&str>,
        email: Option<&str>,
    ) -> Entry {
        Entry::Rejected(rejected(line, reason, person_id, email))
    }
}

/// A row that cannot be read, with what names a person and is fit to be kept.
pub(super) fn rejected(
    line: u64,
    reason: String,
    person_id: Option<&str>,
    email: Option<&str>,
) -> RejectedRow {
    let kept = |text: Option<&str>| {
        text.map(trim)
            .filter(|text| !is_blank_word(text) && is_undamaged(text))
            .map(str::to_owned)
    };
    RejectedRow {
        line,
        reason,
        person_id: kept(person_id),
        email: kept(email),
    }
}

impl<'c, F: Fn(usize) -> &'c str> Reading<F> {
    fn fault(&mut self, layout: &Layout, column: Column, reason: &str) {
        self.faults
            .push(format!("column `{}`: {reason}", layout.shown(column)));
    }

    /// The text of a column, trimmed; none where it is blank or says so.
    fn text(&mut self, layout: &Layout, column: Column) -> Option<&'c str> {
        let at = *layout.cells(column).first()?;
        let text = trim((self.cell)(at));
        self.ensure_undamaged(layout, column, text);
        (!is_blank_word(text)).then_some(text)
    }

    fn ensure_undamaged(&mut self, layout: &Layout, column: Column, text: &str) {
        if text.contains(char::REPLACEMENT_CHARACTER) {
            self.fault(
                layout,
                column,
                "a letter was lost to a wrong encoding before the file came here",
            );
        }
    }

    /// An id is a text: `00123` is not `123`, `1E5` is no number.
    fn person_id(&mut self, layout: &Layout) -> Option<String> {
        let text = self.text(layout, Column::PersonId)?;
        let mut id = text.to_owned();
        id.retain(|c| !is_zero_width(c));
        let at = *layout.cells(Column::PersonId).first()?;
        if id != (self.cell)(at) {
            self.notes
                .push("blanks or invisible characters were removed from the id".to_owned());
        }
        Some(id)
    }

    /// A name is free text: no word is taken for a blank (people are called Null), nothing is
    /// changed but the white space around it.
    fn name(&mut self, layout: &Layout) -> Option<String> {
        let mut name = String::new();
        for at in layout.cells(Column::Name) {
            let part = trim((self.cell)(*at));
            if !name.is_empty() && !part.is_empty() {
                name.push(' ');
            }
            name.push_str(part);
        }
        self.ensure_undamaged(layout, Column::Name, &name);
        (!name.is_empty()).then_some(name)
    }

    fn addresses(&mut self, layout: &Layout) -> (Option<EmailAddress>, Vec<EmailAddress>) {
        let mut found: Vec<EmailAddress> = Vec::new();
        let mut has_work_address = false;
        if let Some(text) = self.text(layout, Column::Email) {
            match addresses(text) {
                Some(addresses) => {
                    has_work_address = true;
                    found = addresses;
                }
                None => self.fault(layout, Column::Email, "the text is not an e-mail address"),
            }
        }
        // Nobody's account bears a text that is no address, so no match is lost without it.
        let mut is_any_unreadable = false;
        for at in layout.cells(Column::OtherEmail) {
            for part in parts((self.cell)(*at)).filter(|part| !is_blank_word(part)) {
                match EmailAddress::parse(part) {
                    Some(address) => found.push(address),
                    None => is_any_unreadable = true,
                }
            }
        }
        if is_any_unreadable {
            self.notes.push(format!(
                "a text in `{}` is not an e-mail address and was left out",
                layout.shown(Column::OtherEmail)
            ));
        }
        let mut distinct: Vec<EmailAddress> = Vec::with_capacity(found.len());
        for address in found {
            if !distinct.contains(&address) {
                distinct.push(address);
            }
        }
        let email = has_work_address.then(|| distinct.remove(0));
        (email, distinct)
    }

    /// The zone of a work place, where zones are told by place.
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
            self.notes.push(match place {
                Some(_) => {
                    "HR_LOCATION_ZONES lacks the work place: HR_TIME_ZONE was used".to_owned()
                }
                None => "the row names no work place: HR_TIME_ZONE was used".to_owned(),
            });
        }
        found.unwrap_or(default).clone()
    }

    fn zone(
        &mut self,
        layout: &Layout,
        name: &str,
        default: &TimeZone,
        known: &mut HashMap<String, Option<TimeZone>>,
    ) -> TimeZone {
        let zone = match known.get(name) {
            Some(zone) => zone.clone(),
            None => {
                let zone = TimeZone::get(name)
                    .ok()
                    .filter(|zone| zone.iana_name().is_some());
                known.insert(name.to_owned(), zone.clone());
                zone
            }
        };
        zone.unwrap_or_else(|| {
            self.fault(
                layout,
                Column::Zone,
                "the text is no time zone by its IANA name, as `Europe/Paris`",
            );
            default.clone()
        })
    }

    fn date(
        &mut self,
        layout: &Layout,
        column: Column,
        edge: Edge,
        order: Option<DateOrder>,
        zone: &TimeZone,
    ) -> Option<HrDate> {
        let text = self.text(layout, column)?;
        match dates::read(text, edge, order, zone) {
            Ok(Told::Nothing) => None,
            Ok(Told::Never) => {
                self.notes.push(format!(
                    "column `{}`: {} is so far away that it was read as no date",
                    layout.shown(column),
                    quoted(text)
                ));
                None
            }
            Ok(Told::At { at, zone, note }) => {
                if let Some(note) = note {
                    self.notes
                        .push(format!("column `{}`: {note}", layout.shown(column)));
                }
                Some(HrDate {
                    written: text.to_owned(),
                    at,
                    zone,
                })
            }
            Err(reason) => {
                self.fault(layout, column, &reason);
                None
            }
        }
    }
}

/// Never the mark of a lost letter in evidence.
fn is_undamaged(text: &str) -> bool {
    !text.contains(char::REPLACEMENT_CHARACTER)
}

/// All addresses of a cell, or none if one of them is no address.
fn addresses(text: &str) -> Option<Vec<EmailAddress>> {
    let found = parts(text).map(EmailAddress::parse);
    let found: Vec<EmailAddress> = found.collect::<Option<_>>()?;
    (!found.is_empty()).then_some(found)
}

/// What a cell that may hold several addresses is made of.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| matches!(c, ';' | ',' | '|') || c.is_whitespace())
        .map(trim)
        .filter(|part| !part.is_empty())
}

/// What a status means, if it leaves no doubt.
fn employment(text: &str, is_flag: bool) -> Employment {
    let word: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let find = |words: &[(&str, Employment)]| {
        words
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, meaning)| meaning.clone())
    };
    find(WORDS)
        .or_else(|| is_flag.then(|| find(FLAGS)).flatten())
        .unwrap_or_else(|| Employment::Unclassified(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_without_doubt_are_active_or_ended() {
        for text in ["Active", " ACTIVE", "Employed", "Hired", "current employee"] {
            assert_eq!(employment(text, false), Employment::Active, "{text}");
        }
        for text in [
            "Terminated",
            "Inactive",
            "Laid-off",
            "Terminated (Voluntary)",
            "Involuntary Termination",
            "Former Employee",
            "deceased",
        ] {
            assert_eq!(employment(text, false), Employment::Ended, "{text}");
        }
    }

    #[test]
    fn the_page_for_who_makes_the_export_has_every_word() {
        let page = include_str!("../../docs/hr-feed.md");
        let row = |title: &str, words: &[(&str, Employment)], meaning: Employment| {
            let of_it = words.iter().filter(|(_, means)| *means == meaning);
            let shown: Vec<String> = of_it.map(|(word, _)| format!("`{word}`")).collect();
            format!("| {title} | {} |\n", shown.join(", "))
        };
        for row in [
            row("works here", WORDS, Employment::Active),
            row("has left", WORDS, Employment::Ended),
            row(
                "in a column that asks: works here",
                FLAGS,
                Employment::Active,
            ),
            row("in a column that asks: has left", FLAGS, Employment::Ended),
        ] {
            assert!(page.contains(&row), "not in docs/hr-feed.md: {row}");
        }
    }

    #[test]
    fn statuses_that_leave_doubt_are_kept_as_written() {
        for text in [
            "Leave",
            "Garden Leave",
            "Suspended",
            "Accepted",
            "on_leave",
            "pending",
            "T",
            "yes",
            "true",
        ] {
            assert_eq!(
                employment(text, false),
                Employment::Unclassified(text.to_owned())
            );
        }
    }

    #[test]
    fn yes_and_no_speak_only_in_a_column_that_asks_for_them() {
        assert_eq!(employment("TRUE", true), Employment::Active);
        assert_eq!(employment("No", true), Employment::Ended);
        assert_eq!(employment("0", true), Employment::Ended);
        assert_eq!(
            employment("0", false),
            Employment::Unclassified("0".to_owned())
        );
        assert_eq!(
            employment("maybe", true),
            Employment::Unclassified("maybe".to_owned())
        );
    }

    #[test]
    fn a_cell_may_hold_several_addresses_and_nothing_else() {
        let keys = |text: &str| {
            addresses(text).map(|all| all.iter().map(|a| a.key().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(keys("\u{a0}Ana@X.COM"), Some(vec!["ana@x.com".to_owned()]));
        assert_eq!(
            keys("a@x.com; b@x.com,c@x.com"),
            Some(vec![
                "a@x.com".to_owned(),
                "b@x.com".to_owned(),
                "c@x.com".to_owned()
            ])
        );
        for text in [
            "bob@",
            "Ana <ana@x.com>",
            "mailto:ana@x.com",
            "a@x.com; see file",
            ";",
        ] {
            assert_eq!(keys(text), None, "{text}");
        }
    }
}
