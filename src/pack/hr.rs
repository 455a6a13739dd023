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
use crate::model::{EmailAddress, Employment, HrRow};

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

/// The keys by which HR may know a person: ids, then addresses, then the name if there is neither.
fn keys_of<'a>(
    ids: impl Iterator<Item = &'a str>,
    emails: impl Iterator<Item = &'a EmailAddress>,
    name: Option<&str>,
) -> Vec<String> {
    let emails = emails.map(EmailAddress::key);
    let mut keys: Vec<String> = ids.chain(emails).map(str::to_owned).collect();
    if keys.is_empty() {
        keys.extend(name.map(str::to_owned));
    }
    keys
}

/// An end of work: the instant, and the date as written. None: HR gave no date.
type End = Option<(Timestamp, String)>;

/// The ends of work of each person, by a key of the person.
#[derive(Debug, Default)]
struct Ends {
    /// The first key of each person, by every key.
    persons: BTreeMap<String, String>,
    hr: BTreeMap<String, Vec<End>>,
    evidence: BTreeMap<String, Vec<End>>,
}

impl Ends {
    fn person(&mut self, keys: Vec<String>) -> String {
        let known = keys.iter().find_map(|key| self.persons.get(key)).cloned();
        let person = known.or_else(|| keys.first().cloned()).unwrap_or_default();
        for key in keys {
            self.persons.entry(key).or_insert_with(|| person.clone());
        }
        person
    }
}

/// Compares the auditor's own export with the population, tenure by tenure. Only ends of work in the period count, and
/// leavers without a date.
pub(super) fn tieout(
    period: &Period,
    expected: &[HrRow],
    items: &[PopulationItem],
) -> (Table, TieoutTotals) {
    let mut ends = Ends::default();
    for item in items {
        let leaver = &item.leaver;
        if item.bar.part != Part::InPeriod || item.bar.result == ItemResult::AccessAfterConclusion {
            continue;
        }
        let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
        let ids = ids.map(String::as_str);
        let person = ends.person(keys_of(ids, leaver.emails.iter(), leaver.name.as_deref()));
        let written = leaver.hr_last_day.as_deref().or(leaver.hr_end.as_deref());
        let end = leaver.end_of_work.map(|end| {
            let written = written.map_or_else(|| end.to_string(), str::to_owned);
            (end, written)
        });
        ends.evidence.entry(person).or_default().push(end);
    }
    for row in expected {
        let end = match (row.end_of_work(), &row.status) {
            (Some(end), _) if period.contains_end(end.at) => {
                Some((end.at, end.written.to_string()))
            }
            (Some(_), _) | (None, Employment::Active | Employment::OnLeave) => continue,
            (None, Employment::Ended | Employment::Unclassified(_) | Employment::Blank) => None,
        };
        let id = row.person_id.as_deref().into_iter();
        let person = ends.person(keys_of(id, row.emails(), row.name.as_deref()));
        let of_person = ends.hr.entry(person).or_default();
        // A repeated row is no further tenure.
        if !of_person.contains(&end) {
            of_person.push(end);
        }
    }
    let persons: BTreeSet<&String> = ends.hr.keys().chain(ends.evidence.keys()).collect();
    let mut table = Table::new("hr_tieout", "Tie-out to the auditor's HR export", HR_TIEOUT);
    let mut totals = TieoutTotals::default();
    for person in persons {
        let of = |ends: &BTreeMap<String, Vec<End>>| ends.get(person).cloned().unwrap_or_default();
        for (theirs, ours) in paired(of(&ends.hr), of(&ends.evidence)) {
            let at = |end: &End| end.as_ref().map(|(at, _)| *at);
            let difference = match (&theirs, &ours) {
                (Some(theirs), Some(ours)) if at(theirs) == at(ours) => TieoutDifference::Same,
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
            let written = |of: &Option<End>| match of {
                Some(Some((_, written))) => written.clone(),
                Some(None) | None => String::new(),
            };
            table.push([
                person.clone(),
                theirs.is_some().to_string(),
                ours.is_some().to_string(),
                written(&theirs),
                written(&ours),
                difference.to_string(),
            ]);
        }
    }
    (table, totals)
}

/// Pairs the tenures of one person: first those with equal ends, then the others in order of time.
fn paired(mut theirs: Vec<End>, mut ours: Vec<End>) -> Vec<(Option<End>, Option<End>)> {
    let at = |end: &End| end.as_ref().map(|(at, _)| *at);
    theirs.sort();
    ours.sort();
    let mut pairs = Vec::new();
    theirs.retain(|end| {
        let same = ours.iter().position(|of| at(of) == at(end));
        let same = same.map(|place| ours.remove(place));
        let is_alone = same.is_none();
        if !is_alone {
            pairs.push((Some(end.clone()), same));
        }
        is_alone
    });
    let count = theirs.len().max(ours.len());
    let mut rest = (theirs.into_iter(), ours.into_iter());
    pairs.extend((0..count).map(|_| (rest.0.next(), rest.1.next())));
    pairs
}
