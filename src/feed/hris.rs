//! What the HR system itself says, through Truto's unified HRIS: the list of employees, page by
//! page.
//!
//! The list must prove that it is whole, as the list of accounts must: who is missing from it may be
//! who left. Of a list that is not, nothing is used. The records are read and let go; only their
//! digests and the rows made of them are kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use super::draft::Draft;
use super::headers::Layout;
use super::rows::{Entry, RowReader, address};
use super::values::{count, is_blank_word, trim};
use super::{Column, DateOrder, FeedError};
use crate::clock::Clock;
use crate::files::{Purpose, aside};
use crate::net::{Deadline, ErrorKind};
use crate::people::{
    AgeBasis, Employment, FeedOrigin, HrDate, HrFeed, HrRow, PageRecord, RequestRecord,
};
use crate::truto::{
    self, Client, Employee, End, List, Row, System, TrutoError, Walk, restarted_once,
};

/// Which HR system to read, and how.
#[derive(Clone, Debug)]
pub struct HrisSettings {
    /// The connection to it.
    pub truto: truto::Settings,
    /// How to read a date like `03/04/2026`; `None` refuses it.
    pub date_order: Option<DateOrder>,
    /// Zone of dates that carry none: an IANA name that is known to exist.
    pub time_zone: String,
}

/// Why the HR system could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HrisError {
    /// The connection is still being set up.
    #[error("the connection `{id}` to the HR system is still connecting")]
    Connecting {
        /// The connection.
        id: String,
    },
    /// The connection is in no state to be read through.
    #[error("the connection `{id}` to the HR system is not usable: its status is `{status}`")]
    NotActive {
        /// The connection.
        id: String,
        /// Its state as Truto words it.
        status: String,
    },
    /// The connection is the other side of the comparison.
    #[error("the connection `{id}` is for Asana, not for an HR system")]
    IsAsana {
        /// The connection.
        id: String,
    },
    /// Truto did not give what was asked for.
    #[error("the HR system behind the connection `{id}` cannot be read")]
    Truto {
        /// The connection.
        id: String,
        /// What happened.
        #[source]
        cause: TrutoError,
    },
}

impl HrisError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connecting { .. } => ErrorKind::Transient,
            Self::NotActive { .. } => ErrorKind::Refused,
            Self::IsAsana { .. } => ErrorKind::Configuration,
            Self::Truto { cause, .. } => cause.kind(),
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Connecting { .. } => {
                "Truto is still setting it up; it is usable once its status is `active`"
            }
            Self::NotActive { id, .. } => return Some(System::Hris.reconnect(id)),
            Self::IsAsana { .. } => "name a connection to an HR system in HR_FEED_URL",
            Self::Truto { cause, .. } => return cause.hint(),
        };
        Some(hint.to_owned())
    }
}

/// Reads the employees.
pub(super) async fn read(
    settings: &HrisSettings,
    clock: &Clock,
    deadline: Deadline,
) -> Result<HrFeed, FeedError> {
    let id = &settings.truto.integrated_account_id;
    let told = |cause| HrisError::Truto {
        id: id.clone(),
        cause,
    };
    let client = Client::to(System::Hris, &settings.truto, clock, deadline).map_err(told)?;
    let integration = connection(&client).await?;
    let list = employees_list(&client);
    let listed = restarted_once(async || read_once(&client, &list).await)
        .await
        .map_err(told)?;
    info!(
        rows = listed.records.len(),
        pages = listed.pages.len(),
        "Read the list of employees: {} records",
        listed.records.len()
    );
    let requests = vec![
        asked_connection(&client),
        list.record(&client, listed.count()),
    ];
    let (reader, url) = (settings.clone(), format!("truto-hris://{id}"));
    let location = url.clone();
    let reading = aside(Purpose::HrFeed, &location, move || {
        understand(listed, url, integration, requests, &reader)
    });
    Ok(reading.await?)
}

/// The connection must be active, and not Asana's. What it is for, where Truto tells.
async fn connection(client: &Client) -> Result<Option<String>, HrisError> {
    let id = client.connection_id().to_owned();
    let account = match client.connection().await {
        Ok(account) => account,
        Err(cause) => return Err(HrisError::Truto { id, cause }),
    };
    match account.status.as_deref() {
        Some("active") => {}
        Some("connecting") => return Err(HrisError::Connecting { id }),
        status => {
            let status = status.unwrap_or("not told").to_owned();
            return Err(HrisError::NotActive { id, status });
        }
    }
    match account.integration.name {
        Some(name) if name.trim().eq_ignore_ascii_case("asana") => Err(HrisError::IsAsana { id }),
        name => Ok(name),
    }
}

fn asked_connection(client: &Client) -> RequestRecord {
    RequestRecord {
        method: "GET".to_owned(),
        path: format!("/integrated-account/{}", client.connection_id()),
        query: BTreeMap::new(),
        answers: 1,
    }
}

/// The list of employees, without the HR system's own records: those hold pay, birthdays and more
/// that no review needs.
fn employees_list(client: &Client) -> List {
    List {
        name: "employees",
        path: ["unified", "hris", "employees"].map(str::to_owned).to_vec(),
        query: vec![("truto_ignore_remote_data", "true".to_owned())],
        limit: client.page_size(),
    }
}

/// The employees as listed.
#[derive(Debug, Default)]
struct Listed {
    records: Vec<Record>,
    pages: Vec<PageRecord>,
    bodies: Sha256,
    /// When the first page was made, by the server's clock.
    date: Option<Timestamp>,
    is_partial: bool,
    end: Option<End>,
}

/// A row of the list, and where it stood.
#[derive(Debug)]
struct Record {
    page: u64,
    row: u64,
    content: Row<Employee>,
}

impl Listed {
    fn count(&self) -> u64 {
        self.pages.len() as u64
    }

    /// # Errors
    /// Why it may lack somebody.
    fn ensure_whole(&self) -> Result<(), String> {
        match self.end {
            Some(End::LastPage) => {}
            Some(end @ (End::RepeatedCursor { .. } | End::TooManyPages)) => {
                return Err(format!(
                    "the list of employees did not come to an end: {end}"
                ));
            }
            None => return Err("the list of employees was not read to its end".to_owned()),
        }
        if self.is_partial {
            return Err(
                "the list of employees calls itself partial (is_partial_response): who left may be missing from it"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Nothing in the list may mean that nobody left, or that Truto's mapping does not say who.
    ///
    /// # Errors
    /// What is missing.
    fn ensure_tells_who_left(&self) -> Result<(), String> {
        let tells = |employee: &Employee| {
            employee.employment_status.is_some()
                || employee.termination_date.is_some()
                || employee.employments.iter().any(|e| e.end_date.is_some())
        };
        if self.employees().next().is_some() && !self.employees().any(tells) {
            return Err(
                "no employee has an employment_status or a termination_date: nothing tells who left; see what Truto maps for this HR system, or give a file in HR_FEED_URL"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn employees(&self) -> impl Iterator<Item = &Employee> {
        self.records
            .iter()
            .filter_map(|record| match &record.content {
                Row::Record(employee) => Some(employee),
                Row::Other(_) => None,
            })
    }
}

async fn read_once(client: &Client, list: &List) -> Result<Listed, TrutoError> {
    let mut walk = Walk::<Employee>::new(client, list);
    let mut listed = Listed::default();
    while let Some(page) = walk.next().await? {
        if listed.pages.is_empty() {
            listed.date = page.date;
        }
        listed.bodies.update(&page.body);
        listed.is_partial |= page.is_partial;
        let number = page.record.page;
        listed.pages.push(page.record);
        let rows = page.rows.into_iter().zip(1..);
        listed.records.extend(rows.map(|(content, row)| Record {
            page: number,
            row,
            content,
        }));
        let (pages, employees) = (walk.pages(), listed.records.len());
        info!(target: "progress", pages, employees, "Read {pages} pages, {employees} employees");
    }
    listed.end = walk.end();
    if let Some(end) = listed.end.filter(|end| *end != End::LastPage) {
        warn!("The list of employees did not come to an end: {end}");
    }
    Ok(listed)
}

/// A feed from the list. Never fails: a list that cannot be used is a feed that says why.
///
/// It is as old as its first page, by Truto's clock. Where no answer was dated nobody says how old
/// it is, as with a file: our own clock would call any answer fresh.
fn understand(
    mut listed: Listed,
    url: String,
    integration: Option<String>,
    requests: Vec<RequestRecord>,
    settings: &HrisSettings,
) -> HrFeed {
    let mut draft = Draft::new(FeedOrigin {
        url,
        sha256: const_hex::encode(std::mem::take(&mut listed.bodies).finalize()),
        bytes: listed.pages.iter().map(|page| page.bytes).sum(),
        modified_at: listed.date,
        age_basis: match listed.date {
            Some(_) => AgeBasis::Live,
            None => AgeBasis::Unknown,
        },
        format: "truto-hris".to_owned(),
        encoding: "UTF-8".to_owned(),
        pages: listed.pages.clone(),
        requests,
        ..FeedOrigin::default()
    });
    if let Some(integration) = integration {
        draft.note(format!("The connection is for `{integration}`"));
    }
    let layout = Layout::fixed(&COLUMNS);
    draft.read_with(&layout);
    let read = listed
        .ensure_whole()
        .and_then(|()| listed.ensure_tells_who_left())
        .and_then(|()| RowReader::new(layout, settings.date_order, &settings.time_zone));
    match read {
        Ok(rows) => {
            let mut reader = Reader {
                rows,
                ids: PersonIds::of(listed.employees()),
                tally: Tally::default(),
                seen: HashSet::new(),
            };
            for (record, line) in listed.records.iter().zip(1..) {
                for entry in reader.read(line, record) {
                    draft.add(entry);
                }
            }
            for note in reader.tally.notes() {
                draft.note(note);
            }
            draft.finish()
        }
        Err(reason) => draft.unusable(reason),
    }
}

// The cells that a record is laid out in.
const PERSON_ID: usize = 0;
const NAME: usize = 1;
const EMAIL: usize = 2;
const OTHER_EMAIL: usize = 3;
const START: usize = 4;
const END: usize = 5;
const STATUS: usize = 6;
const LOCATION: usize = 7;

const COLUMNS: [(Column, usize, &str); 8] = [
    (Column::PersonId, PERSON_ID, "employee_number, else id"),
    (
        Column::Name,
        NAME,
        "name, else first_name + middle_name + last_name",
    ),
    (Column::Email, EMAIL, "emails of type work"),
    (Column::OtherEmail, OTHER_EMAIL, "other emails"),
    (
        Column::Start,
        START,
        "start_date, else employments.effective_date",
    ),
    (
        Column::End,
        END,
        "termination_date, else employments.end_date",
    ),
    (Column::Status, STATUS, "employment_status"),
    (Column::Location, LOCATION, "work_location"),
];

/// The texts of one record, by cell.
type Cells = [String; COLUMNS.len()];

/// How many records were read in a way that a person might want to know of.
#[derive(Debug, Default)]
struct Tally {
    repeated_ids: u64,
    without_number: u64,
    without_work_address: u64,
    with_tenures: u64,
    rows_of_tenures: u64,
    employed_by_word: u64,
}

impl Tally {
    fn notes(self) -> Vec<String> {
        let Self {
            repeated_ids,
            without_number,
            without_work_address,
            with_tenures,
            rows_of_tenures,
            employed_by_word,
        } = self;
        let records = |number| count(number, "record");
        [
            (
                repeated_ids,
                format!("{} repeating the id of an earlier one", records(repeated_ids)),
            ),
            (
                without_number,
                format!(
                    "{} without an employee number: the id in the HR system stands for it",
                    records(without_number)
                ),
            ),
            (
                without_work_address,
                format!(
                    "{} without an address of type work: the primary or else the first one without a type was taken for it",
                    records(without_work_address)
                ),
            ),
            (
                with_tenures,
                format!(
                    "{} with several tenures: {rows_of_tenures} rows",
                    records(with_tenures)
                ),
            ),
            (
                employed_by_word,
                format!(
                    "{} with the status on_leave, newHire or pending and without an end: read as employed",
                    records(employed_by_word)
                ),
            ),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(_, note)| note)
        .collect()
    }
}

/// By which id a person is known.
///
/// The employee number is what badges, directories and other systems know people by, so it is what
/// can match an account, or an alias written by hand; the record's `id` is Truto's or the HR
/// system's own and is not kept where there is a number. A number that several companies of one HR
/// system give out names nobody, and an id that is somebody's number would make two people one: so
/// neither is used then.
struct PersonIds {
    /// By number: the company that gave it out, and whether there are several.
    numbers: HashMap<String, (Option<String>, bool)>,
}

impl PersonIds {
    fn of<'e>(employees: impl Iterator<Item = &'e Employee>) -> Self {
        let mut numbers: HashMap<String, (Option<String>, bool)> = HashMap::new();
        for employee in employees {
            let Some(number) = number(employee) else {
                continue;
            };
            let company = employee.company.clone();
            let (first, several) = numbers
                .entry(number.to_owned())
                .or_insert_with(|| (company.clone(), false));
            match (&*first, company) {
                (Some(first), Some(company)) => *several |= *first != company,
                (None, company) => *first = company,
                (Some(_), None) => {}
            }
        }
        Self { numbers }
    }

    /// The id to use, and what is odd about it.
    fn choose<'e>(&self, employee: &'e Employee, id: &'e str) -> (&'e str, Option<&'static str>) {
        let number = number(employee);
        match number.map(|number| (number, self.numbers.get(number))) {
            Some((number, Some((_, false)) | None)) => return (number, None),
            Some((_, Some((_, true)))) | None => {}
        }
        let id = trim(id);
        if self.numbers.contains_key(id) {
            return ("", Some("the id is somebody's employee number: not used"));
        }
        let odd =
            number.map(|_| "several companies give out the employee number: the id stands for it");
        (id, odd)
    }
}

fn number(employee: &Employee) -> Option<&str> {
    let number = employee.employee_number.as_deref().map(trim)?;
    (!is_blank_word(number)).then_some(number)
}

/// Reads record by record.
struct Reader {
    rows: RowReader,
    ids: PersonIds,
    tally: Tally,
    seen: HashSet<String>,
}

impl Reader {
    /// The rows of a record: one, or one for each tenure.
    fn read(&mut self, line: u64, record: &Record) -> Vec<Entry> {
        let read = match &record.content {
            Row::Record(employee) => self.employee(line, employee),
            Row::Other(kind) => {
                Err(self.reject(line, &format!("it is {kind}, not a record"), None))
            }
        };
        match read {
            Ok(rows) => rows.into_iter().map(Entry::Row).collect(),
            Err(Entry::Rejected(mut row)) => {
                let Record {
                    page, row: place, ..
                } = record;
                row.reason = format!("page {page}, row {place}: {}", row.reason);
                vec![Entry::Rejected(row)]
            }
            Err(row @ Entry::Row(_)) => vec![row],
        }
    }

    fn reject(&self, line: u64, reason: &str, employee: Option<&Employee>) -> Entry {
        let email = employee.map(|employee| addresses(employee).work);
        self.rows.reject_named(
            line,
            reason.to_owned(),
            employee.and_then(number),
            email.as_deref(),
        )
    }

    fn employee(&mut self, line: u64, employee: &Employee) -> Result<Vec<HrRow>, Entry> {
        let Some(id) = &employee.id else {
            return Err(self.reject(line, "it has no id", Some(employee)));
        };
        if !self.seen.insert(id.clone()) {
            self.tally.repeated_ids += 1;
        }
        let (person_id, odd) = self.ids.choose(employee, id);
        let Addresses {
            work,
            others,
            is_told,
            unreadable,
        } = addresses(employee);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let place = [
            &employee.work_location,
            &employee.location,
            &employee.locations,
        ];
        let mut cells = Cells::default();
        cells[PERSON_ID] = person_id.to_owned();
        cells[NAME] = name(employee);
        cells[EMAIL] = work;
        cells[OTHER_EMAIL] = others;
        cells[START] = text(&employee.start_date);
        cells[END] = text(&employee.termination_date);
        cells[STATUS] = text(&employee.employment_status);
        cells[LOCATION] = place
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_default();

        let mut row = self.row(line, cells)?;
        row.notes.extend(odd.map(str::to_owned));
        if unreadable > 0 {
            let note = "a text in `emails` is not an e-mail address and was left out";
            row.notes.push(note.to_owned());
        }
        self.tally.without_number += u64::from(number(employee).is_none());
        self.tally.without_work_address += u64::from(!is_told);

        let tenures = self.tenures(line, &employee.employments);
        let told_end = row.end.clone();
        match &tenures {
            Ok(tenures) => complete(&mut row, tenures),
            Err(Unclear) => row.notes.push(
                "the employments cannot be put in order: only the employee's own dates count"
                    .to_owned(),
            ),
        }
        if let Some(word) = employed_by_word(&row) {
            row.notes
                .push(format!("the status `{word}` was read as employed"));
            row.status = Employment::Active;
            self.tally.employed_by_word += 1;
        }
        let rows = split(row, told_end, tenures.unwrap_or_default());
        if rows.len() > 1 {
            self.tally.with_tenures += 1;
            self.tally.rows_of_tenures += rows.len() as u64;
        }
        Ok(rows)
    }

    /// Reads cells by the rules for every feed. An instant that is midnight in UTC is the day that
    /// a mapping made an instant of: taken by the clock, work would end as its last day begins.
    fn row(&mut self, line: u64, mut cells: Cells) -> Result<HrRow, Entry> {
        let written = [START, END].map(|at| {
            let written = std::mem::take(&mut cells[at]);
            let day = whole_day(&written);
            day.unwrap_or(&written).clone_into(&mut cells[at]);
            day.is_some().then_some(written)
        });
        let mut row = match self.rows.read(line, |at| cells[at].as_str()) {
            Entry::Row(row) => row,
            rejected @ Entry::Rejected(_) => return Err(rejected),
        };
        if written.iter().any(Option::is_some) {
            let note = "a time of 00:00 in UTC was read as the whole day";
            row.notes.push(note.to_owned());
        }
        for (date, written) in [&mut row.start, &mut row.end].into_iter().zip(written) {
            if let (Some(date), Some(written)) = (date, written) {
                date.written = written;
            }
        }
        Ok(row)
    }

    /// The employments as tenures, in their order. Positions that follow one another, or overlap,
    /// are one tenure: whoever is promoted does not leave.
    fn tenures(
        &mut self,
        line: u64,
        employments: &[truto::Employment],
    ) -> Result<Vec<Tenure>, Unclear> {
        let mut spans = Vec::with_capacity(employments.len());
        for employment in employments {
            let mut cells = Cells::default();
            cells[START] = employment.effective_date.clone().unwrap_or_default();
            cells[END] = employment.end_date.clone().unwrap_or_default();
            let Ok(HrRow {
                start: Some(start),
                end,
                ..
            }) = self.row(line, cells)
            else {
                return Err(Unclear);
            };
            if end.as_ref().is_some_and(|end| end.at < start.at) {
                return Err(Unclear);
            }
            spans.push(Tenure { start, end });
        }
        spans.sort_by_key(|span| span.start.at);
        let mut tenures: Vec<Tenure> = Vec::new();
        for span in spans {
            match tenures.last_mut() {
                Some(last) if last.reaches(&span) => last.take_in(span),
                _ => tenures.push(span),
            }
        }
        Ok(tenures)
    }
}

/// A time of employment without a gap in it.
#[derive(Debug)]
struct Tenure {
    start: HrDate,
    /// None while it runs.
    end: Option<HrDate>,
}

/// Sign that employments lack a date, or that one cannot be read.
struct Unclear;

impl Tenure {
    /// Whether another one that begins no earlier begins before this one is over: an end is the
    /// midnight that closes its day, a start the one that opens it.
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

/// Fills the dates the employee's own fields do not tell.
fn complete(row: &mut HrRow, tenures: &[Tenure]) {
    let Some(latest) = tenures.last() else {
        return;
    };
    if row.start.is_none() {
        row.start = Some(latest.start.clone());
    }
    if row.end.is_none() && latest.end.is_some() {
        row.end.clone_from(&latest.end);
        row.notes
            .push("the end is that of the latest employment".to_owned());
    }
    if row.status == Employment::Ended && latest.end.is_none() && is_before(&row.end, latest) {
        row.notes
            .push("an employment runs on, although the status says ended".to_owned());
    }
}

/// Whether an end is of an earlier tenure than this one, or not told at all.
fn is_before(end: &Option<HrDate>, tenure: &Tenure) -> bool {
    end.as_ref().is_none_or(|end| end.at <= tenure.start.at)
}

/// One row for each tenure, where there are several and it is clear which is which: the status is
/// about the latest one, and the employee's own end is of an earlier one or agrees with its end.
///
/// Only somebody who works here is split: of somebody who left, the end that the employee's own
/// fields tell is what counts.
fn split(row: HrRow, told_end: Option<HrDate>, mut tenures: Vec<Tenure>) -> Vec<HrRow> {
    let is_clear = |latest: &Tenure| {
        let agrees = match (&told_end, &latest.end) {
            (Some(told), Some(end)) => told.at == end.at,
            (None, _) | (_, None) => true,
        };
        row.status == Employment::Active && (agrees || is_before(&told_end, latest))
    };
    let Some(latest) = tenures.pop_if(|latest| is_clear(latest)) else {
        return vec![row];
    };
    if tenures.is_empty() {
        return vec![row];
    }
    let end = match told_end.filter(|end| end.at > latest.start.at) {
        Some(told) => Some(told),
        None => latest.end,
    };
    let mut rows: Vec<HrRow> = tenures
        .into_iter()
        .map(|tenure| HrRow {
            // That it is over is told by its end; no field gives it a status.
            status: Employment::NotTold,
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

/// Words of Truto's own for somebody who has not left, where no end is told.
///
/// A list of all employees holds people on leave and people who are about to begin on any day; were
/// they left in doubt, as a file of leavers leaves them, no night could ever be judged. With an end
/// beside it the word decides nothing: the date does.
fn employed_by_word(row: &HrRow) -> Option<&str> {
    let Employment::Unclassified(word) = &row.status else {
        return None;
    };
    let letters: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let is_employed = matches!(letters.as_str(), "onleave" | "newhire" | "pending");
    (is_employed && row.end_of_work().is_none()).then_some(word)
}

/// The day of `2026-10-31T00:00:00.000Z`.
fn whole_day(text: &str) -> Option<&str> {
    let (day, time) = text.trim().split_at_checked("2026-10-31".len())?;
    let rest = time
        .strip_prefix(['T', ' '])?
        .strip_prefix("00:00:00")?
        .trim_start();
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => rest,
    };
    matches!(zone, "Z" | "+00:00" | "+0000" | "-00:00" | "UTC").then_some(day)
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

/// The addresses of an employee, as the cells of a row hold them.
struct Addresses {
    /// The work address; all of them, where several are called so.
    work: String,
    others: String,
    /// Whether it is told that the work address is one, or there is none at all.
    is_told: bool,
    /// Texts in place of other addresses that are none.
    unreadable: u64,
}

/// What an address is for, by its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Work,
    Untold,
    Other,
}

fn kind(word: Option<&str>) -> Kind {
    let Some(word) = word.map(|word| word.trim().to_ascii_lowercase()) else {
        return Kind::Untold;
    };
    match word.as_str() {
        "work" | "business" | "company" | "corporate" | "office" => Kind::Work,
        "" | "primary" | "main" | "default" => Kind::Untold,
        _ => Kind::Other,
    }
}

/// A work address ties the tenures of one person together, a personal one must not: families share
/// those. Where no address has a type, the primary one, or else the first, is the work address, as
/// in a file that lists addresses without a word on them.
fn addresses(employee: &Employee) -> Addresses {
    let (primary, rest): (Vec<_>, Vec<_>) = employee
        .emails
        .iter()
        .partition(|email| email.is_primary == Some(true));
    let listed = primary
        .into_iter()
        .chain(rest)
        .map(|email| (kind(email.kind.as_deref()), &email.email));
    let bare = [
        (Kind::Work, &employee.work_email),
        (Kind::Untold, &employee.email),
        (Kind::Other, &employee.personal_email),
    ];
    let all: Vec<(Kind, &str)> = listed
        .chain(bare)
        .filter_map(|(kind, text)| Some((kind, trim(text.as_deref()?))))
        .filter(|(_, text)| !is_blank_word(text))
        .collect();
    let of = |wanted: Kind| {
        let of = all.iter().filter(move |(kind, _)| *kind == wanted);
        of.map(|(_, text)| *text)
    };
    let mut untold = of(Kind::Untold);
    let mut work: Vec<&str> = of(Kind::Work).collect();
    let mut is_told = true;
    if work.is_empty() {
        work.extend(untold.next());
        is_told = work.is_empty();
    }
    let mut unreadable = 0;
    let others: Vec<&str> = untold
        .chain(of(Kind::Other))
        .filter(|text| {
            let is_one = address(text).is_some();
            unreadable += u64::from(!is_one);
            is_one
        })
        .collect();
    Addresses {
        work: work.join(";"),
        others: others.join(";"),
        is_told,
        unreadable,
    }
}
