//! HR: the rows of each run tie out to people, and the evidence ties out to the auditor's own export.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::items::RunAt;
use super::period::Period;
use super::table::{count, day, text};
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
    day("hr_date"),
    day("evidence_date"),
    text("difference"),
];

/// An end of work: the instant, and the date as written. None: HR gave no date.
type End = Option<(Timestamp, String)>;

/// Where a person is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Hr,
    Evidence,
}

/// How one side names a person.
#[derive(Debug)]
struct Named<'a> {
    ids: Vec<&'a str>,
    emails: Vec<&'a str>,
    /// Decides only if there is neither an id nor an address.
    name: Option<&'a str>,
}

impl Named<'_> {
    /// The first key: an id, else an address, else the name.
    fn label(&self) -> String {
        let mut keys = self.ids.iter().chain(&self.emails).chain(&self.name);
        keys.next().copied().unwrap_or_default().to_owned()
    }
}

/// A person, and the ends of work that each side gives.
#[derive(Debug, Default)]
struct Person {
    label: String,
    /// Whether the side gives an id.
    has_id_in_hr: bool,
    has_id_in_evidence: bool,
    hr: Vec<End>,
    evidence: Vec<End>,
}

impl Person {
    fn has_id(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Hr => &mut self.has_id_in_hr,
            Side::Evidence => &mut self.has_id_in_evidence,
        }
    }
}

/// The people of both sides.
#[derive(Debug, Default)]
struct People<'a> {
    all: Vec<Person>,
    by_id: BTreeMap<&'a str, usize>,
    /// Several people may share an address or a name.
    by_key: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl<'a> People<'a> {
    /// The person. An address or a name joins what two sides say, and rows without an id, but never two ids of one side.
    fn person(&mut self, side: Side, named: &Named<'a>) -> &mut Person {
        let has_id = !named.ids.is_empty();
        let mut keys = named.emails.clone();
        if !has_id && keys.is_empty() {
            keys.extend(named.name);
        }
        let by_id = named.ids.iter().find_map(|id| self.by_id.get(id)).copied();
        let by_key = || {
            let places = keys.iter().filter_map(|key| self.by_key.get(key)).flatten();
            let mut free = places.filter(|place| {
                let person = &self.all[**place];
                let is_taken = match side {
                    Side::Hr => person.has_id_in_hr,
                    Side::Evidence => person.has_id_in_evidence,
                };
                !has_id || !is_taken
            });
            free.next().copied()
        };
        let place = by_id.or_else(by_key).unwrap_or_else(|| {
            self.all.push(Person {
                label: named.label(),
                ..Person::default()
            });
            self.all.len() - 1
        });
        for id in &named.ids {
            self.by_id.entry(id).or_insert(place);
        }
        for key in keys {
            self.by_key.entry(key).or_default().insert(place);
        }
        let person = &mut self.all[place];
        *person.has_id(side) |= has_id;
        person
    }
}

/// Whether a row of the export says again what an earlier one says. Two rows without an id and an address may be two
/// people of one name.
fn is_repeated(row: &HrRow, earlier: &HrRow) -> bool {
    let is_same_person = match (&row.person_id, &earlier.person_id) {
        (Some(one), Some(other)) => one == other,
        (None, None) => {
            let emails = |of: &'_ HrRow| -> BTreeSet<String> {
                of.emails().map(|email| email.key().to_owned()).collect()
            };
            row.name == earlier.name && !emails(row).is_empty() && emails(row) == emails(earlier)
        }
        _ => false,
    };
    let at = |of: &HrRow| of.end_of_work().map(|end| end.at);
    is_same_person && at(row) == at(earlier)
}

/// Compares the auditor's own export with the population, tenure by tenure. Only ends of work in the period count, and
/// leavers without a date.
pub(super) fn tieout(
    period: &Period,
    expected: &[HrRow],
    items: &[PopulationItem],
) -> (Table, TieoutTotals) {
    let mut people = People::default();
    for item in items {
        let leaver = &item.leaver;
        if item.bar.part != Part::InPeriod || item.bar.result == ItemResult::AccessAfterConclusion {
            continue;
        }
        let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
        let named = Named {
            ids: ids.map(String::as_str).collect(),
            emails: leaver.emails.iter().map(EmailAddress::key).collect(),
            name: leaver.name.as_deref(),
        };
        let written = leaver.hr_last_day.as_deref().or(leaver.hr_end.as_deref());
        let end = leaver.end_of_work.map(|end| {
            let written = written.map_or_else(|| end.to_string(), str::to_owned);
            (end, written)
        });
        people.person(Side::Evidence, &named).evidence.push(end);
    }
    let mut rows: Vec<(&HrRow, End)> = Vec::new();
    // The rows by what a repeated one must share.
    let mut known: BTreeMap<(String, Option<Timestamp>), Vec<&HrRow>> = BTreeMap::new();
    for row in expected {
        let end = match (row.end_of_work(), &row.status) {
            (Some(end), _) if period.contains_end(end.at) => {
                Some((end.at, end.written.to_string()))
            }
            (Some(_), _) | (None, Employment::Active | Employment::OnLeave) => continue,
            (None, Employment::Ended | Employment::Unclassified(_) | Employment::Blank) => None,
        };
        let key = row.person_id.as_ref().or(row.name.as_ref());
        let key = (
            key.cloned().unwrap_or_default(),
            end.as_ref().map(|of| of.0),
        );
        let alike = known.entry(key).or_default();
        if !alike.iter().any(|earlier| is_repeated(row, earlier)) {
            alike.push(row);
            rows.push((row, end));
        }
    }
    // An id is surer than an address, so rows with an id of the evidence come first, and rows without one last.
    rows.sort_by_key(|(row, _)| match row.person_id.as_deref() {
        Some(id) => (false, !people.by_id.contains_key(id)),
        None => (true, true),
    });
    for (row, end) in rows {
        let named = Named {
            ids: row.person_id.as_deref().into_iter().collect(),
            emails: row.emails().map(EmailAddress::key).collect(),
            name: row.name.as_deref(),
        };
        people.person(Side::Hr, &named).hr.push(end);
    }
    let mut people = people.all;
    people.sort_by(|a, b| a.label.cmp(&b.label));
    let mut table = Table::new("hr_tieout", "Tie-out to the auditor's HR export", HR_TIEOUT);
    let mut totals = TieoutTotals::default();
    for person in people {
        for (theirs, ours) in paired(person.hr, person.evidence) {
            let difference = match (&theirs, &ours) {
                (Some(theirs), Some(ours)) if is_same(theirs, ours) => TieoutDifference::Same,
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
                person.label.clone(),
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

/// Whether two ends are one. The written day decides first: the two sides may read it in different zones.
fn is_same(theirs: &End, ours: &End) -> bool {
    match (theirs, ours) {
        (Some((theirs_at, theirs)), Some((ours_at, ours))) => {
            theirs == ours || theirs_at == ours_at
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Pairs the tenures of one person: first those with equal ends, then the others in order of time.
fn paired(mut theirs: Vec<End>, mut ours: Vec<End>) -> Vec<(Option<End>, Option<End>)> {
    theirs.sort();
    ours.sort();
    let mut pairs = Vec::new();
    theirs.retain(|end| {
        let same = ours.iter().position(|of| is_same(end, of));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ids_of_one_side_are_two_people_whatever_address_they_share() {
        let mut people = People::default();
        let named = |id: Option<&'static str>| Named {
            ids: id.into_iter().collect(),
            emails: vec!["shared@example.com"],
            name: None,
        };
        people
            .person(Side::Evidence, &named(Some("N1")))
            .evidence
            .push(None);
        for id in [Some("7"), Some("8"), None] {
            people.person(Side::Hr, &named(id)).hr.push(None);
        }
        let seen = people.all.iter();
        let seen: Vec<_> = seen
            .map(|of| (of.label.as_str(), of.hr.len(), of.evidence.len()))
            .collect();
        // Another system of ids joins by the address, once.
        assert_eq!(seen, [("N1", 2, 1), ("8", 1, 0)]);
    }
}
