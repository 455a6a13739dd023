//! Reads the record of an employee as rows: the person id, the kinds of addresses and the tenures.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::columns::Layout;
use super::super::draft::Draft;
use super::super::record::{Record as Texts, Value};
use super::super::rows::{ReadRow, RowReader, rejected};
use super::super::values::{AddressKind, plain};
use super::{HrisSettings, ListedRecord};
use crate::model::{
    Employment, HrDate, HrRow, Meaning, RejectedRow, counted, is_blank_word, quoted, trim,
};
use crate::truto::{self, Employee, EmployeeGroup, Row};

/// The columns of a record, with the fields of Truto that fill them.
const COLUMNS: [(Meaning, &str); 10] = [
    (Meaning::PersonId, "employee_number, else id"),
    (
        Meaning::Name,
        "name, else first_name + middle_name + last_name",
    ),
    (Meaning::Email, "emails of type work"),
    (Meaning::OtherEmail, "other emails"),
    (
        Meaning::Start,
        "start_date, else employments.effective_date",
    ),
    (Meaning::End, "termination_date, else employments.end_date"),
    (Meaning::Status, "employment_status"),
    (Meaning::Location, "work_location"),
    (
        Meaning::Department,
        "department, else groups of type department",
    ),
    (Meaning::Title, "job_title, else employments.job_title"),
];

/// A record with these cells, in the order of [`COLUMNS`].
fn texts<'e>(line: u64, cells: [&'e str; COLUMNS.len()]) -> Texts<'e> {
    Texts {
        line,
        values: cells
            .into_iter()
            .enumerate()
            .map(|(at, text)| Value::new(at, text))
            .collect(),
        fault: None,
    }
}

/// The id that identifies a person.
///
/// Badges, directories and other systems use the employee number, so it can match an account or an alias. It takes
/// precedence over the record's `id`, which is Truto's own or that of the HR system. If several companies of one HR system
/// use the same number, it does not identify a person, and the id is used. An id that is another person's number would
/// join two people, so it is not used.
struct PersonIds {
    /// The companies that use each number.
    companies: HashMap<String, Vec<String>>,
}

impl PersonIds {
    fn of<'e>(employees: impl Iterator<Item = &'e Employee>) -> Self {
        let mut companies: HashMap<String, Vec<String>> = HashMap::new();
        for employee in employees {
            if let Some(number) = number(employee) {
                let known = companies.entry(number.to_owned()).or_default();
                let new = employee.company.as_ref().filter(|new| !known.contains(new));
                known.extend(new.cloned());
            }
        }
        Self { companies }
    }

    /// The id to use, and a note if it is unusual.
    fn choose<'e>(&self, employee: &'e Employee, id: &'e str) -> (&'e str, Option<&'static str>) {
        let number = number(employee);
        let is_of_one = |number: &&str| self.companies[*number].len() < 2;
        if let Some(number) = number.filter(is_of_one) {
            return (number, None);
        }
        let id = trim(id);
        if self.companies.contains_key(id) {
            return (
                "",
                Some("the id is the employee number of another person and was not used"),
            );
        }
        let odd =
            number.map(|_| "several companies use the employee number, so the id is used instead");
        (id, odd)
    }
}

fn number(employee: &Employee) -> Option<&str> {
    filled(&employee.employee_number)
}

/// The columns of a row.
pub(super) fn layout() -> Layout {
    Layout::fixed(&COLUMNS)
}

/// Reads record by record.
pub(super) struct Reader {
    rows: RowReader,
    ids: PersonIds,
    /// The number of records for each unusual way of reading them.
    tally: BTreeMap<&'static str, u64>,
    seen: HashSet<String>,
}

impl Reader {
    /// # Errors
    /// If the zone of the settings is unknown.
    pub(super) fn new<'e>(
        layout: Layout,
        settings: &HrisSettings,
        employees: impl Iterator<Item = &'e Employee>,
    ) -> Result<Self, String> {
        Ok(Self {
            rows: RowReader::new(layout, &settings.dates, &settings.words)?,
            ids: PersonIds::of(employees),
            tally: BTreeMap::new(),
            seen: HashSet::new(),
        })
    }

    /// Adds the notes about the records to the draft.
    pub(super) fn finish(self, draft: &mut Draft) {
        draft.was_read_by(&self.rows);
        for (how, records) in self.tally {
            draft.note(format!("{} {how}", counted(records, "record", "records")));
        }
    }

    fn tally(&mut self, how: &'static str) {
        *self.tally.entry(how).or_default() += 1;
    }

    /// The rows of a record: a single one, or one for each tenure.
    pub(super) fn read(&mut self, line: u64, record: &ListedRecord) -> Vec<ReadRow> {
        let read = match &record.content {
            Row::Record(employee) => self.employee(line, employee),
            Row::Other(kind) => {
                let reason = format!("the element is {kind}, not a record");
                Err(rejected(line, reason, None, None))
            }
        };
        match read {
            Ok(rows) => rows.into_iter().map(ReadRow::Row).collect(),
            Err(mut row) => {
                let ListedRecord {
                    page, row: place, ..
                } = record;
                row.reason = format!("page {page}, row {place}: {}", row.reason);
                vec![ReadRow::Rejected(row)]
            }
        }
    }

    fn employee<'e>(
        &mut self,
        line: u64,
        employee: &'e Employee,
    ) -> Result<Vec<HrRow>, RejectedRow> {
        let Some(id) = &employee.id else {
            let (reason, email) = ("the record has no id".to_owned(), addresses(employee).work);
            return Err(rejected(line, reason, number(employee), Some(&email)));
        };
        if !self.seen.insert(id.clone()) {
            self.tally("with the id of an earlier record");
        }
        let (person_id, odd) = self.ids.choose(employee, id);
        let Addresses {
            work,
            others,
            is_reported,
        } = addresses(employee);
        let name = name(employee);
        let text = |text: &'e Option<String>| text.as_deref().unwrap_or_default();
        let Employee {
            work_location,
            location,
            locations,
            ..
        } = employee;
        let place = [work_location, location, locations]
            .into_iter()
            .flatten()
            .next();
        let mut row = self.row(&texts(
            line,
            [
                person_id,
                &name,
                &work,
                &others,
                text(&employee.start_date),
                text(&employee.termination_date),
                text(&employee.employment_status),
                place.map_or("", String::as_str),
                department(employee),
                title(employee),
            ],
        ))?;
        row.notes.extend(odd.map(str::to_owned));
        if number(employee).is_none() {
            self.tally("without an employee number: the id in the HR system is used instead");
        }
        if !is_reported {
            self.tally(
                "without an address of type work: the primary address, else the first one without a type, is used instead",
            );
        }

        let tenures = self.tenures(line, &employee.employments);
        let reported_end = row.end.clone();
        match &tenures {
            Ok(tenures) => complete(&mut row, tenures),
            Err(Unclear) => row.notes.push(
                "the employments cannot be sorted, so only the employee's own dates count"
                    .to_owned(),
            ),
        }
        if let Some(word) = employed_by_word(&row) {
            row.notes
                .push(format!("the status {} was read as employed", quoted(word)));
            row.status = Employment::Active;
            self.tally(
                "with the status `newHire` or `pending` and without an end: read as employed",
            );
        }
        let rows = split(row, reported_end, tenures.unwrap_or_default());
        if rows.len() > 1 {
            self.tally("with several tenures: one row for each tenure");
        }
        Ok(rows)
    }

    fn row(&mut self, texts: &Texts<'_>) -> Result<HrRow, RejectedRow> {
        match self.rows.read(texts) {
            ReadRow::Row(row) => Ok(row),
            ReadRow::Rejected(row) => Err(row),
            ReadRow::Blank => {
                let reason = "the record has no value".to_owned();
                Err(rejected(texts.line, reason, None, None))
            }
        }
    }

    /// The employments as tenures, in order. Positions that overlap or follow one another are one tenure: a promotion is
    /// not the end of work.
    fn tenures(
        &mut self,
        line: u64,
        employments: &[truto::HrisEmployment],
    ) -> Result<Vec<RecordTenure>, Unclear> {
        let mut spans = Vec::with_capacity(employments.len());
        for employment in employments {
            let start = employment.effective_date.as_deref().unwrap_or_default();
            let end = employment.end_date.as_deref().unwrap_or_default();
            let Ok(HrRow {
                start: Some(start),
                end,
                ..
            }) = self.row(&texts(line, ["", "", "", "", start, end, "", "", "", ""]))
            else {
                return Err(Unclear);
            };
            if end.as_ref().is_some_and(|end| end.at < start.at) {
                return Err(Unclear);
            }
            spans.push(RecordTenure { start, end });
        }
        spans.sort_by_key(|span| span.start.at);
        let mut tenures: Vec<RecordTenure> = Vec::new();
        for span in spans {
            match tenures.last_mut() {
                Some(last) if last.reaches(&span) => last.take_in(span),
                _ => tenures.push(span),
            }
        }
        Ok(tenures)
    }
}

/// A period of employment without a gap.
#[derive(Debug)]
struct RecordTenure {
    start: HrDate,
    /// `None` while the tenure runs.
    end: Option<HrDate>,
}

/// An employment has no start, an unreadable date, or an end before its start.
struct Unclear;

impl RecordTenure {
    /// Whether a later tenure begins before this one ends, or on the next day. An end is the midnight that closes its day,
    /// and a start is the midnight that opens it.
    fn reaches(&self, other: &Self) -> bool {
        self.end.as_ref().is_none_or(|end| other.start.at <= end.at)
    }

    fn take_in(&mut self, other: Self) {
        self.end = match (self.end.take(), other.end) {
            (Some(one), Some(other)) if other.at > one.at => Some(other),
            (Some(one), Some(_)) => Some(one),
            (None, _) | (_, None) => None,
        };
    }
}

/// Fills the dates that are missing in the employee's own fields.
fn complete(row: &mut HrRow, tenures: &[RecordTenure]) {
    let Some(latest) = tenures.last() else {
        return;
    };
    if row.start.is_none() {
        row.start = Some(latest.start.clone());
    }
    if row.end.is_none() && latest.end.is_some() {
        row.end.clone_from(&latest.end);
        row.notes
            .push("the end is taken from the latest employment".to_owned());
    }
    if row.status == Employment::Ended && latest.end.is_none() && is_before(&row.end, latest) {
        row.notes
            .push("the status is ended, but an employment continues".to_owned());
    }
}

/// Whether an end is missing or belongs to an earlier tenure than this one.
fn is_before(end: &Option<HrDate>, tenure: &RecordTenure) -> bool {
    end.as_ref().is_none_or(|end| end.at <= tenure.start.at)
}

/// Splits a record into one row for each tenure. This needs several tenures and a clear assignment: the status belongs to
/// the latest tenure, and the employee's own end date belongs to an earlier tenure or agrees with the latest one.
///
/// Only the record of an employed person is split. For a leaver, the end in the employee's own fields counts.
fn split(row: HrRow, reported_end: Option<HrDate>, mut tenures: Vec<RecordTenure>) -> Vec<HrRow> {
    let is_clear = |latest: &RecordTenure| {
        let agrees = match (&reported_end, &latest.end) {
            (Some(reported), Some(end)) => reported.at == end.at,
            (None, _) | (_, None) => true,
        };
        matches!(row.status, Employment::Active | Employment::OnLeave)
            && (agrees || is_before(&reported_end, latest))
    };
    let Some(latest) = tenures.pop_if(|latest| is_clear(latest)) else {
        return vec![row];
    };
    if tenures.is_empty() {
        return vec![row];
    }
    let end = match reported_end.filter(|end| end.at > latest.start.at) {
        Some(reported) => Some(reported),
        None => latest.end,
    };
    let mut rows: Vec<HrRow> = tenures
        .into_iter()
        .map(|tenure| HrRow {
            // Its end shows that it is over. No field gives it a status.
            status: Employment::Blank,
            start: Some(tenure.start),
            end: tenure.end,
            notes: Vec::new(),
            ..row.clone()
        })
        .collect();
    rows.push(HrRow {
        start: Some(latest.start),
        end,
        ..row
    });
    rows
}

/// The status, if it is Truto's own word for a person who is about to begin and the record has no end.
///
/// A list of all employees has such people on any day. If they stayed unclassified, most runs would be inconclusive. With
/// an end date, the date decides, not the word.
fn employed_by_word(row: &HrRow) -> Option<&str> {
    let Employment::Unclassified(word) = &row.status else {
        return None;
    };
    let is_employed = matches!(&*plain(word), "newhire" | "pending");
    (is_employed && row.end_of_work().is_none()).then_some(word)
}

fn name(employee: &Employee) -> String {
    let parts = [
        &employee.first_name,
        &employee.middle_name,
        &employee.last_name,
    ];
    employee.name.clone().unwrap_or_else(|| {
        let parts: Vec<&str> = parts.into_iter().flatten().map(|part| trim(part)).collect();
        parts.join(" ")
    })
}

/// The department: a field of some mappings, else the group that is one. A group without a type may be one too.
fn department(employee: &Employee) -> &str {
    let of_kind = |wanted: &str| {
        let is_such = |group: &&EmployeeGroup| {
            let kind = group.kind.as_deref().unwrap_or_default();
            trim(kind).eq_ignore_ascii_case(wanted)
        };
        let groups = employee.groups.iter().filter(is_such);
        groups.filter_map(|group| filled(&group.name)).next()
    };
    let department = filled(&employee.department);
    let department = department.or_else(|| of_kind("department"));
    department.or_else(|| of_kind("")).unwrap_or_default()
}

/// The job title, else that of an employment that runs.
fn title(employee: &Employee) -> &str {
    let mut employments = employee.employments.iter();
    let title = filled(&employee.job_title);
    let title = title.or_else(|| {
        employments.find_map(|of| filled(&of.job_title).filter(|_| filled(&of.end_date).is_none()))
    });
    title.unwrap_or_default()
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(trim)
        .filter(|text| !is_blank_word(text))
}

/// The addresses of an employee as cells of a row.
struct Addresses {
    /// The work addresses.
    work: String,
    others: String,
    /// Whether the type of the work address is `work`. Also true if the employee has no work address.
    is_reported: bool,
}

/// A work address links the tenures of one person. A personal address must not, because families share addresses. If no
/// address has type `work`, the primary address, else the first one without a type, is used instead, as in a file that
/// lists addresses without types.
fn addresses(employee: &Employee) -> Addresses {
    let mut emails: Vec<_> = employee.emails.iter().collect();
    emails.sort_by_key(|email| email.is_primary != Some(true));
    let listed = emails.into_iter().map(|email| {
        let kind = AddressKind::of(email.kind.as_deref().unwrap_or_default());
        (kind, &email.email)
    });
    let bare = [
        (AddressKind::Work, &employee.work_email),
        (AddressKind::Unreported, &employee.email),
        (AddressKind::Other, &employee.personal_email),
    ];
    let all: Vec<(AddressKind, &str)> = listed
        .chain(bare)
        .filter_map(|(kind, text)| Some((kind, trim(text.as_deref()?))))
        .filter(|(_, text)| !is_blank_word(text))
        .collect();
    let of = |wanted: AddressKind| {
        let of = all.iter().filter(move |(kind, _)| *kind == wanted);
        of.map(|(_, text)| *text)
    };
    let mut unreported = of(AddressKind::Unreported).peekable();
    let mut work: Vec<&str> = of(AddressKind::Work).collect();
    let assumed = unreported.next_if(|_| work.is_empty());
    work.extend(assumed);
    let others: Vec<&str> = unreported.chain(of(AddressKind::Other)).collect();
    Addresses {
        work: work.join(";"),
        others: others.join(";"),
        is_reported: assumed.is_none(),
    }
}
