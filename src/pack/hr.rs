//! HR: the rows of each run tie out to people, and the evidence ties out to the auditor's own export.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::items::RunAt;
use super::period::Period;
use super::table::{count, text};
use super::{
    Column, HrTotals, ItemResult, Part, PopulationItem, Table, TieoutDifference, TieoutTotals,
};
use crate::evidence::Manifest;
use crate::judgement::Leaver;
use crate::model::{EmailAddress, HrRow};

#[derive(Clone, Debug, Default)]
pub(super) struct HrRuns {
    rows: Vec<Vec<String>>,
    totals: HrTotals,
}

const HR_BY_RUN: &[Column] = &[
    count("sequence"),
    text("sha256"),
    count("bytes"),
    count("rows"),
    count("read"),
    count("rejected"),
    count("blank"),
    count("duplicates"),
    count("persons"),
    count("further_rows"),
    count("leavers"),
    count("active"),
    count("on_leave"),
    count("unclassified"),
    count("carried"),
];

impl HrRuns {
    /// Takes the feed of one judged run of the period.
    pub(super) fn take(&mut self, run: RunAt, manifest: &Manifest, leavers: &[Leaver]) {
        let Some(hr) = &manifest.sources.hr_feed else {
            return;
        };
        let people = &hr.people;
        // Offboardings that are followed without a row.
        let carried = leavers
            .iter()
            .filter(|of| !of.in_feed && of.result.is_none())
            .count();
        let totals = &mut self.totals;
        totals.runs += 1;
        totals.rows += hr.rows;
        totals.read += hr.rows_read;
        totals.rejected += hr.rejected;
        totals.blank += hr.blank;
        totals.duplicates += hr.duplicates;
        totals.persons += people.total();
        totals.further_rows += people.further_rows;
        let counts = [
            hr.bytes,
            hr.rows,
            hr.rows_read,
            hr.rejected,
            hr.blank,
            hr.duplicates,
            people.total(),
            people.further_rows,
            people.left,
            people.employed,
            people.on_leave,
            people.unclassified,
            carried as u64,
        ];
        let mut row = vec![run.entry.to_string(), hr.sha256.clone()];
        row.extend(counts.iter().map(u64::to_string));
        self.rows.push(row);
    }

    pub(super) fn table(self) -> (Table, HrTotals) {
        let mut table = Table::new("hr_by_run", "HR rows of each run", HR_BY_RUN);
        table.rows = self.rows;
        (table, self.totals)
    }
}

const HR_TIEOUT: &[Column] = &[
    text("person_id"),
    text("in_hr"),
    text("in_evidence"),
    text("hr_date"),
    text("evidence_date"),
    text("difference"),
];

/// The key of a person: the id, else an address, else the name.
fn key_of<'a>(
    id: Option<&'a str>,
    emails: impl Iterator<Item = &'a str>,
    name: Option<&'a str>,
) -> String {
    let mut emails = emails;
    let key = id.or_else(|| emails.next()).or(name);
    key.unwrap_or_default().to_owned()
}

/// Compares the auditor's own export with the population. Only ends of work in the period count.
pub(super) fn tieout(
    period: &Period,
    expected: &[HrRow],
    items: &[PopulationItem],
) -> (Table, TieoutTotals) {
    let mut hr: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
    for row in expected {
        let Some(end) = row.end_of_work().filter(|end| period.contains_end(end.at)) else {
            continue;
        };
        let emails = row.emails().map(EmailAddress::key);
        let key = key_of(row.person_id.as_deref(), emails, row.name.as_deref());
        hr.insert(key, (end.at, end.written.to_string()));
    }
    let mut evidence: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
    for item in items {
        let leaver = &item.leaver;
        let is_of_period =
            item.bar.part == Part::InPeriod && item.bar.result != ItemResult::AccessAfterConclusion;
        let Some(end) = leaver.end_of_work.filter(|_| is_of_period) else {
            continue;
        };
        let emails: Vec<&str> = leaver.emails.iter().map(|email| email.key()).collect();
        let keys = [
            key_of(leaver.person_id.as_deref(), std::iter::empty(), None),
            key_of(None, emails.iter().copied(), None),
            key_of(None, std::iter::empty(), leaver.name.as_deref()),
        ];
        let first = keys
            .iter()
            .find(|key| !key.is_empty())
            .cloned()
            .unwrap_or_default();
        // The export may know the person by another key.
        let known = keys
            .iter()
            .find(|key| !key.is_empty() && hr.contains_key(*key))
            .cloned();
        let written = leaver.hr_last_day.as_deref().or(leaver.hr_end.as_deref());
        let written = written.map_or_else(|| end.to_string(), str::to_owned);
        evidence.insert(known.unwrap_or(first), (end, written));
    }
    let keys: BTreeSet<&String> = hr.keys().chain(evidence.keys()).collect();
    let mut table = Table::new("hr_tieout", "Tie-out to the auditor's HR export", HR_TIEOUT);
    let mut totals = TieoutTotals::default();
    for key in keys {
        let (ours, theirs) = (evidence.get(key), hr.get(key));
        let difference = match (theirs, ours) {
            (Some((theirs, _)), Some((ours, _))) if theirs == ours => TieoutDifference::Same,
            (Some(_), Some(_)) => TieoutDifference::DateDiffers,
            (Some(_), None) => TieoutDifference::OnlyInHr,
            (None, _) => TieoutDifference::OnlyInEvidence,
        };
        match difference {
            TieoutDifference::Same => totals.both += 1,
            TieoutDifference::DateDiffers => {
                totals.both += 1;
                totals.dates_differ += 1;
            }
            TieoutDifference::OnlyInHr => totals.only_in_hr += 1,
            TieoutDifference::OnlyInEvidence => totals.only_in_evidence += 1,
        }
        let written = |of: Option<&(Timestamp, String)>| {
            of.map_or_else(String::new, |(_, written)| written.clone())
        };
        table.push([
            key.clone(),
            theirs.is_some().to_string(),
            ours.is_some().to_string(),
            written(theirs),
            written(ours),
            difference.to_string(),
        ]);
    }
    (table, totals)
}
