//! `hr.csv` and `access.csv` of a sampled leaver.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::table::{cell, count, day, flag, instant, joined, text};
use super::{Column, Table};
use crate::evidence::AccountLine;
use crate::judgement::Leaver;
use crate::model::{Access, EmailAddress, HrDate, HrRow};

/// The two tables, in the making.
#[derive(Clone, Debug)]
pub struct SampleTables {
    hr: Table,
    access: Table,
    /// The cells of the newest run that say what HR wrote.
    newest: Option<Vec<Vec<String>>>,
}

/// The entry of a run, its instant, and whether it is complete.
type RunOfSample = (u64, Timestamp, bool);

const HR: &[Column] = &[
    count("entry"),
    instant("as_of"),
    flag("in_feed"),
    count("line"),
    text("person_id"),
    text("name"),
    text("emails"),
    text("status"),
    day("start"),
    day("end"),
    day("last_day"),
    instant("end_of_work"),
    text("zone"),
];

const ACCESS: &[Column] = &[
    count("entry"),
    instant("as_of"),
    flag("complete"),
    text("account_id"),
    flag("listed"),
    text("account_email"),
    text("role"),
    text("status"),
    text("has_access"),
    flag("deadline_passed"),
];

impl Default for SampleTables {
    fn default() -> Self {
        Self {
            hr: Table::new("hr", "HR's row each time it changed", HR),
            access: Table::new("access", "Access in each run", ACCESS),
            newest: None,
        }
    }
}

impl SampleTables {
    /// Adds the rows about the person, if they differ from those of the run before. Line numbers make no difference.
    pub fn hr(&mut self, (entry, at, _): RunOfSample, rows: &[&HrRow]) {
        let written = |date: &Option<HrDate>| cell(date.as_ref().map(|date| &date.written));
        let cells: Vec<Vec<String>> = match rows {
            [] => vec![vec![String::new(); HR.len() - 4]],
            rows => rows
                .iter()
                .map(|row| {
                    let end = row.end_of_work();
                    vec![
                        cell(row.person_id.as_ref()),
                        cell(row.name.as_ref()),
                        joined(row.emails().map(EmailAddress::as_written)),
                        row.status.to_string(),
                        written(&row.start),
                        written(&row.end),
                        written(&row.last_day),
                        cell(end.map(|end| end.at)),
                        cell(end.map(|end| &end.zone)),
                    ]
                })
                .collect(),
        };
        if self.newest.as_ref() == Some(&cells) {
            return;
        }
        for (place, of) in cells.iter().enumerate() {
            let line = rows.get(place).map(|row| row.line);
            let mut row = vec![
                entry.to_string(),
                at.to_string(),
                line.is_some().to_string(),
                cell(line),
            ];
            row.extend(of.iter().cloned());
            self.hr.rows.push(row);
        }
        self.newest = Some(cells);
    }

    /// Adds the state of each account of the leaver in one run.
    pub fn access(
        &mut self,
        (entry, at, complete): RunOfSample,
        leaver: &Leaver,
        accounts: &BTreeMap<&str, &AccountLine>,
    ) {
        let deadline = leaver.verdict_deadline();
        let has_passed = deadline.is_some_and(|deadline| at > deadline);
        for id in &leaver.account_id {
            let line = accounts.get(id.as_str());
            let email = line.and_then(|line| line.email.as_ref());
            // Absence proves removal only in a complete run.
            let access = match (line.map(|line| line.status.access()), complete) {
                (Some(Access::Has), _) => "yes",
                (Some(Access::Possible), _) | (None, false) => "unknown",
                (Some(Access::None), _) | (None, true) => "no",
            };
            self.access.push([
                entry.to_string(),
                at.to_string(),
                complete.to_string(),
                id.clone(),
                line.is_some().to_string(),
                cell(email.map(EmailAddress::as_written)),
                cell(line.map(|line| &line.role)),
                cell(line.map(|line| &line.status)),
                access.to_owned(),
                has_passed.to_string(),
            ]);
        }
    }

    /// `hr.csv` and `access.csv`.
    pub fn finish(self) -> (Table, Table) {
        (self.hr, self.access)
    }
}
