//! The HR feed from an HR system: the list of employees of Truto's unified HRIS, page by page.
//!
//! Like the list of accounts, this list must prove that it is complete, because a missing person may be a leaver. An
//! incomplete list is not used. The evidence keeps digests of the pages and the rows made of them, but no records.

mod record;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use self::record::Reader;
use super::draft::Draft;
use super::rows::ReadRow;
use super::values::quoted_name;
use super::{DateRules, FeedError, Words};
use crate::clock::Clock;
use crate::files::aside;
use crate::model::{AgeBasis, Employment, FeedOrigin, HrFeed, HrRow, PageRecord, RequestRecord};
use crate::net::Deadline;
use crate::truto::{
    self, Client, Employee, End, List, PageWalk, Row, System, TrutoError, restarted_once,
};

/// The HR system, and the rules for reading it.
#[derive(Clone, Debug)]
pub struct HrisSettings {
    /// The connection to it.
    pub truto: truto::Settings,
    pub dates: DateRules,
    pub words: Words,
    /// Whether a list without leavers is plausible.
    pub may_lack_leavers: bool,
}

/// Reads the employees.
pub(super) async fn read(
    settings: &HrisSettings,
    clock: &Clock,
    deadline: Deadline,
) -> Result<HrFeed, FeedError> {
    let id = &settings.truto.integrated_account_id;
    let reported = |cause| FeedError::Truto {
        id: id.clone(),
        cause,
    };
    let client = Client::to(System::Hris, &settings.truto, clock, deadline).map_err(reported)?;
    let connection = client.active_connection().await.map_err(reported)?;
    // Some answers do not name the system. Then the list of employees fails for Asana.
    if connection.is_asana() == Some(true) {
        return Err(FeedError::IsAsana { id: id.clone() });
    }
    let list = employees_list(&client);
    let listed = restarted_once(async || read_once(&client, &list).await)
        .await
        .map_err(reported)?;
    info!(
        rows = listed.records.len(),
        pages = listed.pages.len(),
        "Read the list of employees: {} records",
        listed.records.len()
    );
    let requests = vec![
        client.connection_record(),
        list.record(&client, listed.pages.len() as u64),
    ];
    let (reader, url) = (settings.clone(), format!("truto-hris://{id}"));
    let integration = connection.integration;
    Ok(aside(move || understand(listed, url, integration, requests, &reader)).await)
}

/// The list of employees, without the HR system's own records. Those contain pay, birthdays and other data that no check
/// needs.
fn employees_list(client: &Client) -> List {
    List {
        name: "employees",
        path: ["unified", "hris", "employees"].map(str::to_owned).to_vec(),
        query: vec![("truto_ignore_remote_data", "true".to_owned())],
        limit: client.page_size(),
    }
}

/// The list of employees as received.
#[derive(Debug, Default)]
struct ListedEmployees {
    records: Vec<ListedRecord>,
    pages: Vec<PageRecord>,
    bodies: Sha256,
    /// The date of the first page, by the server's clock.
    date: Option<Timestamp>,
    is_partial: bool,
    end: Option<End>,
}

/// A row of the list, and its place.
#[derive(Debug)]
struct ListedRecord {
    page: u64,
    row: u64,
    content: Row<Employee>,
}

impl ListedEmployees {
    /// # Errors
    /// The reason why people may be missing.
    fn ensure_whole(&self) -> Result<(), String> {
        match self.end {
            Some(End::LastPage) => {}
            Some(end @ (End::RepeatedCursor { .. } | End::TooManyPages | End::NotFollowed)) => {
                return Err(format!("the list of employees did not end: {end}"));
            }
            None => return Err("the list of employees was not read to its end".to_owned()),
        }
        if self.is_partial {
            return Err(
                "Truto marked the list of employees as partial (`is_partial_response`): leavers may be missing"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// If no record has a status or an end date, Truto may not map these fields.
    ///
    /// # Errors
    /// If no record has one of these fields.
    fn ensure_shows_who_left(&self) -> Result<(), String> {
        let shows = |employee: &Employee| {
            employee.employment_status.is_some()
                || employee.termination_date.is_some()
                || employee.employments.iter().any(|e| e.end_date.is_some())
        };
        if self.employees().next().is_some() && !self.employees().any(shows) {
            return Err(
                "no employee has an `employment_status` or a `termination_date`, so the list does not show who left: check which fields Truto maps for this HR system, or set HR_FEED_URL to a file"
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

async fn read_once(client: &Client, list: &List) -> Result<ListedEmployees, TrutoError> {
    let mut walk = PageWalk::<Employee>::new(client, list);
    let mut listed = ListedEmployees::default();
    while let Some(page) = walk.next().await? {
        if listed.pages.is_empty() {
            listed.date = page.date;
        }
        listed.bodies.update(&page.body);
        listed.is_partial |= page.is_partial;
        let number = page.record.page;
        listed.pages.push(page.record);
        let rows = page.rows.into_iter().zip(1..);
        let records = rows.map(|(content, row)| ListedRecord {
            page: number,
            row,
            content,
        });
        listed.records.extend(records);
        let (pages, employees) = (walk.pages(), listed.records.len());
        info!(target: "progress", pages, employees, "Read {pages} pages, {employees} employees");
    }
    listed.end = walk.end();
    if let Some(end) = listed.end.filter(|end| *end != End::LastPage) {
        warn!("The list of employees did not end: {end}");
    }
    Ok(listed)
}

/// Makes a feed of the list. An unusable list becomes an unusable feed with the reason.
///
/// The age of the feed is that of the first page, by Truto's clock. If that page has no date, the age is unknown: by our
/// own clock, any answer would be fresh.
fn understand(
    mut listed: ListedEmployees,
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
        let integration = quoted_name(&integration);
        draft.note(format!("The connection is for {integration}"));
    }
    let read = read_records(&listed, settings, &mut draft);
    draft.finish(read)
}

/// Reads the records into the draft.
///
/// # Errors
/// The reason why the list cannot be used.
fn read_records(
    listed: &ListedEmployees,
    settings: &HrisSettings,
    draft: &mut Draft,
) -> Result<(), String> {
    let layout = record::layout();
    draft.read_with(&layout);
    listed.ensure_whole()?;
    listed.ensure_shows_who_left()?;
    let mut reader = Reader::new(layout, settings, listed.employees())?;
    let mut has_leaver = false;
    let mut first_unreadable = None;
    for (record, line) in listed.records.iter().zip(1..) {
        let rows = reader.read(line, record);
        // The last of several tenures counts.
        match rows.last() {
            Some(ReadRow::Row(row)) => has_leaver |= has_left(row, listed.date),
            Some(ReadRow::Rejected(row)) if first_unreadable.is_none() => {
                first_unreadable = Some(row.reason.clone());
            }
            Some(ReadRow::Rejected(_) | ReadRow::Blank) | None => {}
        }
        rows.into_iter().for_each(|row| draft.add(row));
    }
    // Some HR systems list only employed people. Such a list also contains people who will leave or who came back. Only
    // a person who has already left proves that the list contains leavers.
    if !has_leaver && !settings.may_lack_leavers && listed.employees().next().is_some() {
        let reason = "no employee in the list has left, so former employees may be missing: check which employees Truto lists for this HR system; set `HR_FEED_SCOPE=roster` if it lists everyone employed, or `HR_FEED_ALLOW_EMPTY=true` if no one has left";
        let unreadable = first_unreadable.map(|unreadable| {
            format!("; one record cannot be read and may be a leaver: {unreadable}")
        });
        return Err(reason.to_owned() + &unreadable.unwrap_or_default());
    }
    reader.finish(draft);
    Ok(())
}

/// Whether a person had left when the list was made. If that instant is unknown, only the status counts.
fn has_left(row: &HrRow, listed_at: Option<Timestamp>) -> bool {
    let end = row.end_of_work().map(|end| end.at);
    match (&row.status, end, listed_at) {
        (Employment::Active | Employment::OnLeave, ..) => false,
        (Employment::Ended, None, _) | (Employment::Ended, _, None) => true,
        (_, Some(end), Some(listed_at)) => end <= listed_at,
        (Employment::Unclassified(_) | Employment::Blank, ..) => false,
    }
}

#[cfg(test)]
mod tests;
