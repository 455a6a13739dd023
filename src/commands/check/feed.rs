//! How the HR feed was read: its columns, its status words and its dates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Employment, FeedColumn, HrFeed, HrRow, Meaning, quoted, quoted_in_full};
use crate::report::on_one_line;

/// Dates that are shown as samples.
const SAMPLES: usize = 3;

/// The feed as a run would read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FeedReading {
    pub columns: Vec<ColumnReading>,
    /// The setting that ignores the unread columns with dates or addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Most frequent first.
    pub statuses: Vec<StatusReading>,
    pub rows: u64,
    /// People, counted by id, else by address.
    pub people: u64,
    /// Of these, people who have left or will leave.
    pub leavers: u64,
    pub dates: Vec<DateReading>,
}

/// A column, and how a run reads it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnReading {
    pub name: String,
    pub meaning: Meaning,
    /// Rows with a date in it, if it is unread.
    pub rows_with_date: u64,
    /// Rows with an address in it that the row does not have elsewhere, if it is unread.
    pub rows_with_address: u64,
}

/// A status word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusReading {
    pub word: String,
    /// `employed`, `on_leave`, `left`, or `unknown`.
    pub group: &'static str,
    pub rows: u64,
}

/// A date as written, and its instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DateReading {
    pub line: u64,
    pub field: Meaning,
    pub written: String,
    pub at: Timestamp,
    pub zone: String,
}

impl FeedReading {
    /// `named` are the columns in `HR_FEED_COLUMNS`.
    pub(super) fn of(hr: &HrFeed, named: &BTreeMap<String, String>) -> Self {
        let column = |column: &FeedColumn| ColumnReading {
            name: column.name.clone(),
            meaning: column.meaning,
            rows_with_date: 0,
            rows_with_address: 0,
        };
        let mut columns: Vec<_> = hr.origin.columns.iter().map(column).collect();
        for cell in hr.rows.iter().flat_map(|row| &row.unread) {
            if let Some(column) = columns.get_mut(cell.column) {
                column.rows_with_date += u64::from(cell.date.is_some());
                column.rows_with_address += u64::from(!cell.emails.is_empty());
            }
        }
        let (people, leavers) = people(&hr.rows);
        let statuses = hr.origin.status_words.iter().map(|of| StatusReading {
            word: of.word.clone(),
            group: group(&of.meaning),
            rows: of.rows,
        });
        Self {
            ignore: ignore(&columns, named),
            columns,
            statuses: statuses.collect(),
            rows: hr.rows_in_file(),
            people,
            leavers,
            dates: hr.rows.iter().flat_map(dates).take(SAMPLES).collect(),
        }
    }
}

/// The number of people in the rows, and of leavers among them.
fn people(rows: &[HrRow]) -> (u64, u64) {
    let (mut people, mut leavers) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let by_address = || row.emails().next().map(|email| email.key().to_owned());
        let person = row.person_id.clone().or_else(by_address);
        let person = person.unwrap_or_else(|| format!("line {}", row.line));
        if row.status == Employment::Ended || row.end_of_work().is_some() {
            leavers.insert(person.clone());
        }
        people.insert(person);
    }
    (people.len() as u64, leavers.len() as u64)
}

fn dates(row: &HrRow) -> impl Iterator<Item = DateReading> {
    let fields = [(Meaning::LastDay, &row.last_day), (Meaning::End, &row.end)];
    let line = row.line;
    fields.into_iter().filter_map(move |(field, date)| {
        let date = date.as_ref()?;
        Some(DateReading {
            line,
            field,
            written: date.written.to_string(),
            at: date.at,
            zone: date.zone.to_string(),
        })
    })
}

fn group(meaning: &Employment) -> &'static str {
    match meaning {
        Employment::Active => "employed",
        Employment::OnLeave => "on_leave",
        Employment::Ended => "left",
        Employment::Unclassified(_) | Employment::Blank => "unknown",
    }
}

/// The complete setting, with its present value, that ignores the unread columns with dates or addresses.
fn ignore(columns: &[ColumnReading], named: &BTreeMap<String, String>) -> Option<String> {
    // The setting cannot express a name with a comma, nor a name that was cut.
    let is_listed = |column: &&ColumnReading| {
        let has_content = column.rows_with_date + column.rows_with_address > 0;
        has_content && !column.name.is_empty() && !column.name.contains([',', '…'])
    };
    let unread = columns.iter().filter(is_listed);
    let unread: Vec<&str> = unread.map(|column| column.name.as_str()).collect();
    if unread.is_empty() {
        return None;
    }
    let ignored = named.get("ignore").map(String::as_str);
    let ignored: Vec<&str> = ignored.into_iter().chain(unread).collect();
    let others = named.iter().filter(|(key, _)| *key != "ignore");
    let mut parts: Vec<String> = others.map(|(key, name)| format!("{key}={name}")).collect();
    parts.push(format!("ignore={}", ignored.join("+")));
    Some(format!("HR_FEED_COLUMNS={}", parts.join(",")))
}

/// The reading as tables for a terminal.
pub(super) fn as_text(reading: &FeedReading) -> String {
    let persons = match reading.people {
        1 => "1 person".to_owned(),
        people => format!("{people} people"),
    };
    let (rows, leavers) = (in_rows(reading.rows), reading.leavers);
    let mut text = format!("HR feed: {rows}, {persons}, {leavers} with an end of work\n");
    let columns = reading.columns.iter();
    let widths = columns.map(|column| quoted(&column.name).chars().count());
    let width = widths.max().unwrap_or_default();
    for column in &reading.columns {
        let (name, meaning) = (quoted(&on_one_line(&column.name)), column.meaning);
        let (dates, addresses) = (column.rows_with_date, column.rows_with_address);
        let content = match (dates, addresses) {
            (0, 0) => String::new(),
            (_, 0) => format!(", with a date in {}", in_rows(dates)),
            (0, _) => format!(", with an address in {}", in_rows(addresses)),
            _ => {
                let (dates, addresses) = (in_rows(dates), in_rows(addresses));
                format!(", with a date in {dates} and an address in {addresses}")
            }
        };
        let _ = writeln!(text, "  column  {name:<width$}  {meaning}{content}");
    }
    if let Some(ignore) = &reading.ignore {
        let ignore = quoted_in_full(&on_one_line(ignore));
        text += &format!("  Name unread columns that matter, or ignore them: {ignore}\n");
    }
    for status in &reading.statuses {
        let (word, group) = (quoted(&on_one_line(&status.word)), status.group);
        let rows = in_rows(status.rows);
        let _ = writeln!(text, "  status  {word:<width$}  {group}, in {rows}");
    }
    for date in &reading.dates {
        let written = quoted(&on_one_line(&date.written));
        let (field, line, at, zone) = (date.field, date.line, date.at, &date.zone);
        let _ = writeln!(
            text,
            "  date    {written:<width$}  {field} in line {line}: {at} ({zone})"
        );
    }
    text
}

fn in_rows(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::model::{EmailAddress, FeedOrigin, HrDate, StatusWord, UnreadCell};

    fn column(name: &str, meaning: Meaning) -> FeedColumn {
        FeedColumn {
            name: name.to_owned(),
            meaning,
        }
    }

    fn feed() -> HrFeed {
        let end = HrDate {
            written: "2026-10-31".into(),
            at: "2026-10-31T23:00:00Z".parse().expect("an instant"),
            zone: "Europe/Berlin".into(),
        };
        let unread = vec![
            UnreadCell {
                column: 2,
                date: Some(end.at),
                emails: Vec::new(),
            },
            UnreadCell {
                column: 3,
                date: None,
                emails: EmailAddress::parse("a@x.com").into_iter().collect(),
            },
        ];
        let row = |line: u64, id: &str, end: Option<HrDate>| HrRow {
            line,
            person_id: Some(id.to_owned()),
            end,
            unread: unread.clone(),
            ..HrRow::default()
        };
        HrFeed {
            origin: FeedOrigin {
                columns: vec![
                    column("Employee ID", Meaning::PersonId),
                    column("Austritt", Meaning::End),
                    column("Vertrag bis", Meaning::Unread),
                    column("Alias", Meaning::Unread),
                    column("Geburtstag", Meaning::Harmless),
                    column("Team", Meaning::Unread),
                ],
                status_words: vec![StatusWord {
                    word: "Aktiv".to_owned(),
                    meaning: Employment::Active,
                    rows: 2,
                }],
                ..FeedOrigin::default()
            },
            rows: vec![
                row(2, "E1", Some(end)),
                row(3, "E1", None),
                row(4, "E2", None),
            ],
            ..HrFeed::default()
        }
    }

    #[test]
    fn columns_statuses_and_dates_are_shown_as_a_table() {
        let named = BTreeMap::from([
            ("end".to_owned(), "Austritt".to_owned()),
            ("ignore".to_owned(), "Badge".to_owned()),
        ]);
        assert_snapshot!(as_text(&FeedReading::of(&feed(), &named)), @r"
        HR feed: 3 rows, 2 people, 1 with an end of work
          column  “Employee ID”  person_id
          column  “Austritt”     end
          column  “Vertrag bis”  unread, with a date in 3 rows
          column  “Alias”        unread, with an address in 3 rows
          column  “Geburtstag”   harmless
          column  “Team”         unread
          Name unread columns that matter, or ignore them: “HR_FEED_COLUMNS=end=Austritt,ignore=Badge+Vertrag bis+Alias”
          status  “Aktiv”        employed, in 2 rows
          date    “2026-10-31”   end in line 2: 2026-10-31T23:00:00Z (Europe/Berlin)
        ");
    }

    #[test]
    fn a_feed_without_unread_columns_needs_no_setting() {
        let mut feed = feed();
        for row in &mut feed.rows {
            row.unread.clear();
        }
        assert_eq!(FeedReading::of(&feed, &BTreeMap::new()).ignore, None);
    }
}
