//! The meaning of each column of a table, or of each key of an object.

use std::collections::BTreeMap;

use super::names::{
    ABOUT_OTHERS, DATED, DISPLAYED, ENDING, FAMILY_NAMES, FLAGS, GIVEN_NAMES, HARMLESS,
    HARMLESS_UNLESS_ENDING, LEAVING, LEFT_FLAGS, TIMESTAMPS, field_of, has_part, has_word,
    is_among,
};
use super::values::{listed, plain, quoted_name, shortened};
use crate::model::{FeedColumn, Meaning, quoted, trim};

/// A person has a few hundred fields at most. More columns mean that ids or dates are used as names.
const MAX_COLUMNS: usize = 1000;

/// The columns in `HR_FEED_COLUMNS`. `+` joins several columns of one meaning.
pub(super) type ColumnSetting = BTreeMap<Meaning, String>;

/// The name of a column as written, and the forms by which it is recognised.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// The name as written, or the dotted path of a nested key.
    pub(super) shown: String,
    /// The complete name first, then the name without keys that only wrap a person.
    forms: [String; 2],
    /// The words of the name, in plain form.
    words: Vec<String>,
}

impl Header {
    /// The header cell of a table.
    pub(super) fn cell(text: &str) -> Self {
        Self {
            shown: trim(text).to_owned(),
            forms: [plain(text), String::new()],
            words: words(text),
        }
    }

    /// A nested key such as `work.email` or `attributes.last_name.value`, from its outermost to its innermost name.
    pub(super) fn path(segments: &[Segment<'_>]) -> Self {
        let without = |drop: fn(&Segment<'_>) -> bool| {
            let kept = segments.iter().filter(|segment| !drop(segment));
            kept.map(|segment| segment.plain).collect::<String>()
        };
        // Some systems write `{"label": "Last name", "value": "Díaz"}` instead of the value.
        let is_value = |segment: &Segment<'_>| segment.name == "value";
        let names: Vec<&str> = segments.iter().map(|segment| segment.name).collect();
        Self {
            shown: names.join("."),
            words: words(&names.join(".")),
            forms: [
                without(is_value),
                without(|segment| segment.name == "value" || is_wrapper(segment)),
            ],
        }
    }

    fn is_among(&self, names: &str) -> bool {
        self.forms.iter().any(|form| is_among(form, names))
    }

    /// The field of the name, and the group of names that contains it. The complete name takes precedence.
    fn field(&self) -> Option<(Meaning, usize)> {
        self.forms.iter().find_map(|form| field_of(form))
    }

    fn group_of(&self, field: Meaning) -> Option<usize> {
        self.field()
            .filter(|(of, _)| *of == field)
            .map(|(_, group)| group)
    }

    fn is_named(&self, name: &str) -> bool {
        self.shown == trim(name) || self.forms[0] == plain(name)
    }

    /// Whether the column is about another person, by its name.
    fn is_about_others(&self) -> bool {
        self.has_word(ABOUT_OTHERS) && !has_part(&self.forms[0], LEAVING)
    }

    /// Whether the dates of the column are not the end of work, by its name.
    fn has_harmless_dates(&self) -> bool {
        let name = &self.forms[0];
        !has_part(name, LEAVING)
            && (self.has_word(HARMLESS)
                || (self.has_word(HARMLESS_UNLESS_ENDING) && !has_part(name, ENDING)))
    }

    fn has_word(&self, parts: &str) -> bool {
        has_word(&self.forms[0], &self.words, parts)
    }

    /// Whether the name is typical of a person: an address, a person id, or a date or status of leaving. A bare `id`
    /// or `status` may belong to any object.
    pub(super) fn names_person(&self, configured: &ColumnSetting) -> bool {
        let in_first = |field, groups| self.group_of(field).is_some_and(|group| group < groups);
        self.is_address()
            || in_first(Meaning::PersonId, 3)
            || (in_first(Meaning::End, 3) && !self.is_among("end left"))
            || in_first(Meaning::LastDay, 2)
            || (in_first(Meaning::Status, 1) && !self.is_among("status"))
            || self.is_configured(configured)
    }

    /// Whether the column contains addresses of a person.
    pub(super) fn is_address(&self) -> bool {
        [Meaning::Email, Meaning::OtherEmail]
            .into_iter()
            .any(|field| self.group_of(field).is_some())
    }

    fn is_configured(&self, configured: &ColumnSetting) -> bool {
        let fields = configured.iter().filter(|(of, _)| **of != Meaning::Ignored);
        fields
            .flat_map(|(_, names)| std::iter::once(names.as_str()).chain(names.split('+')))
            .any(|name| self.is_named(name))
    }
}

/// A key in the path of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'n> {
    pub(super) name: &'n str,
    /// The name in plain form.
    pub(super) plain: &'n str,
    /// Whether its value is a list.
    pub(super) is_list: bool,
}

/// Whether a key only wraps the person's own fields. Keys inside `manager` or `department` are about another person or
/// thing.
fn is_wrapper(segment: &Segment<'_>) -> bool {
    const WRAPPERS: &str = "attributes data details employee employment fields internal node person profile properties \
         termination offboarding work worker";
    // SCIM puts employeeNumber under the name of its enterprise schema.
    !segment.is_list && (segment.name.starts_with("urn:") || is_among(segment.plain, WRAPPERS))
}

/// The number of headers with a known meaning.
pub(super) fn count_known(headers: &[Header], configured: &ColumnSetting) -> usize {
    let is_known = |header: &&Header| {
        header.field().is_some()
            || header.is_among(GIVEN_NAMES)
            || header.is_among(FAMILY_NAMES)
            || header.is_configured(configured)
    };
    headers.iter().filter(is_known).count()
}

/// The question that a yes-or-no column answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flag {
    WorksHere,
    HasLeft,
}

/// The words of a name. A word ends at a character that is neither letter nor digit, and before a capital after a
/// small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (was_small && c.is_uppercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("there is one").push(c);
        }
        was_small = c.is_lowercase();
    }
    words
        .iter()
        .map(|word| plain(word))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The columns of a feed and the fields that they fill.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Every column, in the order of the file.
    pub(super) columns: Vec<FeedColumn>,
    /// The columns of each field. Names, ids, other addresses and statuses may have several.
    fields: BTreeMap<Meaning, Vec<usize>>,
    /// Further hints from the name of each column.
    hints: Vec<Hints>,
    /// Notes for people about the columns.
    pub(super) notes: Vec<String>,
}

/// Further hints from the name of a column.
#[derive(Clone, Copy, Debug, Default)]
struct Hints {
    /// The question that a yes-or-no status column answers.
    flag: Option<Flag>,
    /// Whether addresses in a harmless column may be the person's.
    has_own_addresses: bool,
    /// Whether a number of five digits may be the day number of a spreadsheet.
    is_dated: bool,
}

impl Layout {
    /// The layout of records with fixed columns.
    pub(super) fn fixed(columns: &[(Meaning, &str)]) -> Self {
        let column = |(meaning, name): &(Meaning, &str)| FeedColumn {
            name: (*name).to_owned(),
            meaning: *meaning,
        };
        Self {
            columns: columns.iter().map(column).collect(),
            fields: (0..)
                .zip(columns)
                .map(|(at, (field, _))| (*field, vec![at]))
                .collect(),
            ..Self::default()
        }
    }

    pub(super) fn cells(&self, field: Meaning) -> &[usize] {
        self.fields.get(&field).map_or(&[], Vec::as_slice)
    }

    pub(super) fn meaning(&self, column: usize) -> Meaning {
        self.columns
            .get(column)
            .map_or(Meaning::Unread, |of| of.meaning)
    }

    /// Whether a column is read.
    pub(super) fn is_field(&self, column: usize) -> bool {
        self.meaning(column).decides()
    }

    fn hints(&self, column: usize) -> Hints {
        self.hints.get(column).copied().unwrap_or_default()
    }

    pub(super) fn flag(&self, column: usize) -> Option<Flag> {
        self.hints(column).flag
    }

    /// Whether dates in this column may matter, and whether addresses may.
    pub(super) fn may_matter(&self, column: usize) -> (bool, bool) {
        match self.meaning(column) {
            Meaning::Unread | Meaning::Department | Meaning::Title => (true, true),
            Meaning::Harmless => (false, self.hints(column).has_own_addresses),
            _ => (false, false),
        }
    }

    pub(super) fn is_dated(&self, column: usize) -> bool {
        self.hints(column).is_dated
    }

    /// The columns of a field, for a message.
    pub(super) fn shown(&self, field: Meaning) -> String {
        let cells = self.cells(field).iter();
        let names: Vec<String> = cells.map(|at| shortened(&self.columns[*at].name)).collect();
        match names[..] {
            [] => format!("`{field}`"),
            _ => quoted(&names.join(" + ")),
        }
    }
}

/// Determines the meaning of each column.
///
/// # Errors
/// The reason why the file cannot be used with these columns, and the remedy.
pub(super) fn recognise(headers: &[Header], configured: &ColumnSetting) -> Result<Layout, String> {
    if headers.len() > MAX_COLUMNS {
        return Err(format!(
            "the feed has more than {MAX_COLUMNS} different columns or keys, so its rows are not of one kind"
        ));
    }
    let mut notes = Vec::new();
    let mut fields: BTreeMap<Meaning, Vec<usize>> = BTreeMap::new();
    let mut ignored = Vec::new();
    for (field, names) in configured {
        if *field == Meaning::Ignored {
            ignored = ignored_columns(headers, names, &mut notes);
        } else {
            fields.insert(*field, configured_columns(headers, *field, names)?);
        }
    }
    let respondent = respondent(headers, &fields);
    let mut taken: Vec<usize> = fields.values().flatten().copied().collect();
    taken.extend(ignored.iter().chain(&respondent));
    let is_free = |at: &usize| !taken.contains(at);
    let mut harmless = respondent.to_vec();
    for field in Meaning::ALL {
        if configured.contains_key(field) {
            continue;
        }
        let group = |at: &usize| headers[*at].group_of(*field);
        let is_known = |at: &usize| is_free(at) && group(at).is_some();
        let known: Vec<usize> = (0..headers.len()).filter(is_known).collect();
        let Some(best) = known.iter().filter_map(group).min() else {
            continue;
        };
        // Every status column is read, so that a contradiction between them is found.
        let is_taken = |at: &usize| *field == Meaning::Status || group(at) == Some(best);
        let (first, rest): (Vec<usize>, Vec<usize>) = known.into_iter().partition(is_taken);
        let takes_all = matches!(field, Meaning::OtherEmail | Meaning::Status);
        if first.len() > 1 && !takes_all {
            return Err(tie(*field, &first, headers));
        }
        fields.insert(*field, first);
        if *field == Meaning::Start {
            harmless.extend(rest);
        }
    }
    if !configured.contains_key(&Meaning::Name) {
        name_from_parts(headers, &is_free, &mut fields);
    }
    ensure_usable(&fields, headers)?;
    for (field, names) in DISPLAYED {
        let is_known = |at: &usize| is_free(at) && headers[*at].is_among(names);
        if let (false, Some(at)) = (
            fields.contains_key(&field),
            (0..headers.len()).find(is_known),
        ) {
            fields.insert(field, vec![at]);
        }
    }
    if !fields.contains_key(&Meaning::End) && !fields.contains_key(&Meaning::LastDay) {
        notes.push("No column has an end date: only the status shows who left".to_owned());
    }
    if let [_, address] = respondent[..] {
        let name = shortened(&headers[address].shown);
        notes.push(format!(
            "{} follows a timestamp, so it is the address of the person who filled in the form and was not read; if it \
             is the employee's address, set HR_FEED_COLUMNS to {}",
            quoted(&name),
            quoted(&format!("email={name}"))
        ));
    }

    let meaning = |(at, header): (usize, &Header)| {
        let of_field = fields.iter().find(|(_, cells)| cells.contains(&at));
        let meaning = match of_field {
            Some((field, _)) => *field,
            None if ignored.contains(&at) => Meaning::Ignored,
            None if harmless.contains(&at)
                || header.is_about_others()
                || header.has_harmless_dates() =>
            {
                Meaning::Harmless
            }
            None => Meaning::Unread,
        };
        FeedColumn {
            name: shortened(&header.shown),
            meaning,
        }
    };
    let hints = |(at, header): (usize, &Header)| Hints {
        flag: if header.is_among(FLAGS) {
            Some(Flag::WorksHere)
        } else {
            header.is_among(LEFT_FLAGS).then_some(Flag::HasLeft)
        },
        has_own_addresses: !harmless.contains(&at) && !header.is_about_others(),
        is_dated: has_part(&header.forms[0], DATED),
    };
    Ok(Layout {
        columns: headers.iter().enumerate().map(meaning).collect(),
        hints: headers.iter().enumerate().map(hints).collect(),
        fields,
        notes,
    })
}

/// The timestamp column of a form, and the next column, which has the address of the person who filled it in.
fn respondent(headers: &[Header], configured: &BTreeMap<Meaning, Vec<usize>>) -> Vec<usize> {
    let is_respondent = |at: &usize| {
        let address = headers.get(at + 1);
        headers[*at].is_among(TIMESTAMPS)
            && address.is_some_and(|header| header.group_of(Meaning::Email) == Some(1))
            && !configured.values().flatten().any(|taken| *taken == at + 1)
    };
    let found = (0..headers.len()).find(is_respondent);
    found.map_or(Vec::new(), |at| vec![at, at + 1])
}

/// Uses first and last names if no column has whole names. `Name` next to `Vorname` is the last name.
fn name_from_parts(
    headers: &[Header],
    is_free: &impl Fn(&usize) -> bool,
    fields: &mut BTreeMap<Meaning, Vec<usize>>,
) {
    let part = |names: &str| {
        let best = |name: &str| {
            (0..headers.len())
                .filter(is_free)
                .find(|at| headers[*at].is_among(name))
        };
        names.split(' ').find_map(best)
    };
    let (given, family) = (part(GIVEN_NAMES), part(FAMILY_NAMES));
    let whole = fields.get(&Meaning::Name).and_then(|cells| cells.first());
    let parts = match (whole, given, family) {
        (Some(last), Some(given), None) if headers[*last].is_among("name naam") => {
            vec![given, *last]
        }
        (Some(_), ..) | (None, None, None) => return,
        (None, given, family) => [given, family].into_iter().flatten().collect(),
    };
    fields.insert(Meaning::Name, parts);
}

/// The columns of a field in `HR_FEED_COLUMNS`: one column with exactly this name, or parts joined by `+`.
fn configured_columns(
    headers: &[Header],
    field: Meaning,
    names: &str,
) -> Result<Vec<usize>, String> {
    if let [only] = columns_named(headers, names)[..] {
        return Ok(vec![only]);
    }
    let is_joined = matches!(
        field,
        Meaning::PersonId | Meaning::Name | Meaning::OtherEmail | Meaning::Status
    );
    let parts = names.splitn(if is_joined { usize::MAX } else { 1 }, '+');
    let one = |name: &str| {
        let shown = quoted_name(trim(name));
        match columns_named(headers, name)[..] {
            [only] => Ok(only),
            [] => Err(format!(
                "HR_FEED_COLUMNS names {shown} as `{field}`, but the file has no such column; {}",
                seen(headers)
            )),
            ref several => Err(format!(
                "HR_FEED_COLUMNS names {shown} as `{field}`, but the file has {} such columns: rename them in the export",
                several.len()
            )),
        }
    };
    parts.map(one).collect()
}

/// The columns with this name as written, else those with its plain form.
fn columns_named(headers: &[Header], name: &str) -> Vec<usize> {
    let is_exact = |at: &usize| headers[*at].shown == trim(name);
    let is_named = |at: &usize| headers[*at].is_named(name);
    let mut found: Vec<usize> = (0..headers.len()).filter(is_named).collect();
    if found.iter().any(is_exact) {
        found.retain(is_exact);
    }
    found
}

fn ignored_columns(headers: &[Header], names: &str, notes: &mut Vec<String>) -> Vec<usize> {
    let whole = columns_named(headers, names);
    if !whole.is_empty() {
        return whole;
    }
    let mut ignored = Vec::new();
    for name in names.split('+') {
        let found = columns_named(headers, name);
        if found.is_empty() {
            let name = quoted_name(trim(name));
            notes.push(format!(
                "HR_FEED_COLUMNS ignores {name}, but the file has no such column"
            ));
        }
        ignored.extend(found);
    }
    ignored
}

fn tie(field: Meaning, candidates: &[usize], headers: &[Header]) -> String {
    let names = || candidates.iter().map(|at| headers[*at].shown.as_str());
    let example = names().next().map(shortened).unwrap_or_default();
    format!(
        "several columns could be `{field}`: {}; closes with: {}",
        listed(names(), 10),
        quoted(&format!("HR_FEED_COLUMNS={field}={example}")),
    )
}

/// A feed needs a column that shows who left and one that can match an account.
fn ensure_usable(fields: &BTreeMap<Meaning, Vec<usize>>, headers: &[Header]) -> Result<(), String> {
    let has_any = |of: &[Meaning]| of.iter().any(|field| fields.contains_key(field));
    if !has_any(&[Meaning::End, Meaning::LastDay, Meaning::Status]) {
        return Err(format!(
            "no column shows who left (an end date, a last day of work or a status); {}; closes with: `HR_FEED_COLUMNS=end=<the column>`",
            seen(headers)
        ));
    }
    if !has_any(&[Meaning::PersonId, Meaning::Email, Meaning::OtherEmail]) {
        return Err(format!(
            "no column can be matched with an account (a person's id or an e-mail address); {}; closes with: `HR_FEED_COLUMNS=email=<the column>`",
            seen(headers)
        ));
    }
    Ok(())
}

/// The headers of a file, for a message.
fn seen(headers: &[Header]) -> String {
    if headers.is_empty() {
        return "the file has no columns".to_owned();
    }
    let names = headers.iter().map(|header| header.shown.as_str());
    format!("the columns are {}", listed(names, 40))
}

#[cfg(test)]
mod tests;
