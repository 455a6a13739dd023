//! HR: the rows of each run tie out to people, and the evidence ties out to the auditor's own export.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::items::RunAt;
use super::period::Period;
use super::table::{cell, count, day, text};
use super::{Column, HrTotals, Table, TieoutDifference, TieoutTotals};
use crate::evidence::Manifest;
use crate::judgement::Leaver;
use crate::model::{EmailAddress, Employment, HrFeed, HrRow};

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

/// An ended tenure in a row of the export or in an item of the evidence.
#[derive(Debug)]
struct Tenure<'a> {
    /// Ids, addresses and names of the person, by [`ID`], [`ADDRESS`] and [`NAME`].
    keys: [Vec<&'a str>; 3],
    /// The last day of work, by the clock of the zone in which it was written. None: HR gave no date.
    day: Option<Date>,
    is_in_period: bool,
}

const ID: usize = 0;
const ADDRESS: usize = 1;
const NAME: usize = 2;

impl<'a> Tenure<'a> {
    fn of_row(row: &'a HrRow, day: Option<Date>, period: &Period) -> Self {
        let emails = row.emails().map(EmailAddress::key);
        Self {
            keys: [
                row.person_id.as_deref().into_iter().collect(),
                emails.collect(),
                row.name.as_deref().into_iter().collect(),
            ],
            day,
            is_in_period: day.is_none_or(|day| period.has_day(day)),
        }
    }

    /// `is_in_period` decides for an item without a date.
    fn of_item(leaver: &'a Leaver, is_in_period: bool, period: &Period) -> Self {
        let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
        let all = leaver.tenures.iter();
        let ended = all
            .clone()
            .filter(|of| of.end == leaver.hr_end && of.last_day == leaver.hr_last_day);
        let zone = ended.chain(all).find_map(|of| of.zone.as_deref());
        let day = leaver.end_of_work.map(|end| period.day_in(end, zone));
        Self {
            keys: [
                ids.map(String::as_str).collect(),
                leaver.emails.iter().map(EmailAddress::key).collect(),
                leaver.name.as_deref().into_iter().collect(),
            ],
            day,
            is_in_period: day.map_or(is_in_period, |day| period.has_day(day)),
        }
    }

    /// The first key: an id, else an address, else the name.
    fn label(&self) -> &'a str {
        self.keys
            .iter()
            .flatten()
            .next()
            .copied()
            .unwrap_or_default()
    }

    fn has_only_name(&self) -> bool {
        self.keys[ID].is_empty() && self.keys[ADDRESS].is_empty()
    }

    /// The days between two ends of work. The most if only one has a date.
    fn distance(&self, other: &Self) -> u32 {
        match (self.day, other.day) {
            (Some(one), Some(other)) => (one - other).get_days().unsigned_abs(),
            (None, None) => 0,
            (Some(_), None) | (None, Some(_)) => u32::MAX,
        }
    }
}

/// The item of each row. A row has at most one item, and an item one row, so that a person who is missing from the
/// evidence leaves a row without an item. The surest key decides, and then the nearest day.
fn paired(rows: &[Tenure<'_>], items: &[Tenure<'_>]) -> Vec<Option<usize>> {
    let row_ids: BTreeSet<&str> = rows.iter().flat_map(|row| &row.keys[ID]).copied().collect();
    let mut by_key: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        for (kind, keys) in item.keys.iter().enumerate() {
            for key in keys {
                by_key.entry((kind, key)).or_default().push(place);
            }
        }
    }
    let may_be_one = |kind: usize, row: &Tenure<'_>, item: &Tenure<'_>| match kind {
        NAME => row.has_only_name() || item.has_only_name(),
        // An address joins two systems of ids, but never two ids of one system: people may share it.
        ADDRESS => {
            let (theirs, ours) = (&row.keys[ID], &item.keys[ID]);
            let is_known = theirs.iter().any(|id| by_key.contains_key(&(ID, *id)))
                || ours.iter().any(|id| row_ids.contains(id));
            theirs.is_empty() || ours.is_empty() || !is_known
        }
        _ => true,
    };
    let mut candidates = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        for (kind, keys) in row.keys.iter().enumerate() {
            let places = keys.iter().filter_map(|key| by_key.get(&(kind, *key)));
            for place in places.flatten() {
                let item = &items[*place];
                if may_be_one(kind, row, item) {
                    candidates.push((kind, row.distance(item), at, *place));
                }
            }
        }
    }
    candidates.sort_unstable();
    let mut of_row = vec![None; rows.len()];
    let mut is_free = vec![true; items.len()];
    for (.., at, place) in candidates {
        if of_row[at].is_none() && is_free[place] {
            of_row[at] = Some(place);
            is_free[place] = false;
        }
    }
    of_row
}

/// Compares the auditor's own export with every item that the evidence knows, tenure by tenure. A pair counts if one of
/// its days is in the period: the two sides may read one day in different zones. `items` says whether each is in the
/// period.
pub(super) fn tieout<'a>(
    period: &Period,
    export: &HrFeed,
    items: impl Iterator<Item = (&'a Leaver, bool)>,
) -> (Table, TieoutTotals) {
    let mut totals = TieoutTotals {
        rows: export.rows_in_file(),
        blank: export.blank_rows,
        repeated: export.duplicate_rows,
        ..TieoutTotals::default()
    };
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &export.rows {
        let end = row.end_of_work();
        let day = end.map(|end| period.day_in(end.at, Some(&end.zone)));
        if day.is_none() && matches!(row.status, Employment::Active | Employment::OnLeave) {
            totals.employed += 1;
            continue;
        }
        let tenure = Tenure::of_row(row, day, period);
        // Without an id, an address makes two rows of one name one person. A name alone does not.
        let [ids, emails, names] = &tenure.keys;
        let person = match ids[..] {
            [] => emails.clone(),
            _ => ids.clone(),
        };
        if !person.is_empty() && !seen.insert((person, names.clone(), day)) {
            totals.repeated += 1;
            continue;
        }
        rows.push(tenure);
    }
    let items: Vec<Tenure<'_>> = items
        .map(|(leaver, is_in_period)| Tenure::of_item(leaver, is_in_period, period))
        .collect();
    let of_row = paired(&rows, &items);
    let tied: BTreeSet<usize> = of_row.iter().flatten().copied().collect();
    let alone = items.iter().enumerate();
    let alone = alone.filter(|(place, _)| !tied.contains(place));
    let of_rows = rows.iter().zip(of_row);
    let of_rows = of_rows.map(|(row, place)| (Some(row), place.map(|place| &items[place])));
    let mut pairs: Vec<_> = of_rows
        .chain(alone.map(|(_, item)| (None, Some(item))))
        .collect();
    let sorted_by = |of: &Option<&Tenure<'_>>| of.and_then(|of| of.day);
    pairs.sort_by_key(|(row, item)| {
        let label = item.or(*row).map(Tenure::label);
        (label, sorted_by(row), sorted_by(item))
    });
    let mut table = Table::new("hr_tieout", "Tie-out to the auditor's HR export", HR_TIEOUT);
    for (row, item) in pairs {
        let both = [row, item];
        if !both.iter().flatten().any(|of| of.is_in_period) {
            totals.outside += u64::from(row.is_some());
            continue;
        }
        let difference = match (row, item) {
            (Some(row), Some(item)) if row.distance(item) == 0 => TieoutDifference::Same,
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
        let [hr_date, evidence_date] = both.map(|of| cell(of.and_then(|of| of.day)));
        table.push([
            item.or(row).map_or("", Tenure::label).to_owned(),
            row.is_some().to_string(),
            item.is_some().to_string(),
            hr_date,
            evidence_date,
            difference.to_string(),
        ]);
    }
    (table, totals)
}

/// Columns of the export with days of the period that were not read. Ends of work may be among them.
pub(super) fn unread_columns<'a>(period: &Period, export: &'a HrFeed) -> BTreeSet<&'a str> {
    let cells = export.rows.iter().flat_map(|row| &row.unread);
    let is_within = |end: Timestamp| period.has_day(period.day_in(end, None));
    let cells = cells.filter(|cell| cell.date.is_some_and(is_within));
    let columns = cells.filter_map(|cell| export.origin.columns.get(cell.column));
    columns.map(|column| column.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenure<'a>(id: &'a str, email: &'a str, name: &'a str, day: &str) -> Tenure<'a> {
        let key = |of: &'a str| Vec::from_iter(Some(of).filter(|of| !of.is_empty()));
        Tenure {
            keys: [id, email, name].map(key),
            day: day.parse().ok(),
            is_in_period: true,
        }
    }

    #[test]
    fn two_ids_of_one_side_are_two_people_whatever_address_they_share() {
        let of = |id| tenure(id, "shared@example.com", "", "2026-10-31");
        // Another system of ids joins by the address, once for each tenure.
        let rows = ["7", "8", ""].map(of);
        assert_eq!(paired(&rows, &[of("N1")]), [Some(0), None, None]);
        // The row of N2 is not the second tenure of N1.
        let rows = ["N1", "N2"].map(of);
        assert_eq!(paired(&rows, &["N1", "N1"].map(of)), [Some(0), None]);
    }

    #[test]
    fn the_nearest_days_of_a_person_are_paired_first() {
        let of = |day| tenure("N1", "", "", day);
        let rows = ["2024-03-01", "2026-10-10", "2026-10-03"].map(of);
        let items = ["2026-10-12", "2026-10-03"].map(of);
        assert_eq!(paired(&rows, &items), [None, Some(0), Some(1)]);
    }

    #[test]
    fn an_address_is_surer_than_a_name_and_an_id_than_both() {
        let item = tenure("N1", "anna@example.com", "Anna Schmidt", "2026-10-31");
        let by_name = tenure("", "", "Anna Schmidt", "2026-10-31");
        let by_address = tenure("", "anna@example.com", "", "2026-10-30");
        let by_id = tenure("N1", "", "", "");
        assert_eq!(
            paired(&[by_name, by_address, by_id], &[item]),
            [None, None, Some(0)]
        );
    }
}
