//! The findings of the period: each unbroken series of runs with the same finding.

use std::collections::BTreeMap;

use super::items::RunAt;
use super::manual::UsedException;
use super::period::{Entries, Period, Phase};
use super::table::{cell, count, text};
use super::{Column, FindingClosed, FindingTotals, Table};
use crate::judgement::Finding;

/// One series of runs with a finding.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// As in the newest run of the series.
    pub(super) finding: Finding,
    /// The first run of the series.
    pub(super) opened: RunAt,
    /// Whether it opened in the period.
    is_new: bool,
    pub(super) closed: Option<(RunAt, FindingClosed)>,
    /// The exception that closed it.
    pub(super) exception: Option<String>,
    /// Runs of the period with the finding.
    runs: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    open: BTreeMap<String, Series>,
    closed: Vec<Series>,
}

const COLUMNS: &[Column] = &[
    text("finding_id"),
    text("kind"),
    text("severity"),
    text("account_id"),
    text("person_id"),
    count("opened_entry"),
    count("closed_entry"),
    count("runs"),
    text("how_closed"),
];

impl Findings {
    /// Takes the findings of one judged run.
    pub(super) fn take(
        &mut self,
        run: RunAt,
        complete: bool,
        findings: &[Finding],
        exceptions: &[UsedException],
        (period, entries): (&Period, &Entries),
    ) {
        let is_within = match period.phase(run.at) {
            Phase::Before => false,
            Phase::Within => true,
            Phase::After => return,
        };
        let mut before = std::mem::take(&mut self.open);
        for finding in findings {
            let mut series = before.remove(&finding.finding_id).unwrap_or_else(|| {
                let first = entries.at(finding.first_seen);
                Series {
                    finding: finding.clone(),
                    opened: match first.filter(|_| finding.first_seen < run.at) {
                        Some(entry) => RunAt {
                            entry,
                            at: finding.first_seen,
                        },
                        None => run,
                    },
                    is_new: period.phase(finding.first_seen) == Phase::Within,
                    closed: None,
                    exception: None,
                    runs: 0,
                }
            });
            series.finding.clone_from(finding);
            series.runs += u64::from(is_within);
            self.open.insert(finding.finding_id.clone(), series);
        }
        // A series that ended before the period is not part of it.
        for mut series in before.into_values().filter(|_| is_within) {
            let mut covering = exceptions.iter().filter(|of| of.accepts(&series.finding));
            series.exception = covering.next().map(|of| of.exception_id.clone());
            let how = match (&series.exception, complete) {
                (Some(_), _) => FindingClosed::Accepted,
                (None, true) => FindingClosed::NotFound,
                (None, false) => FindingClosed::NotConfirmed,
            };
            series.closed = Some((run, how));
            self.closed.push(series);
        }
    }

    /// Every series of the period, by its beginning.
    pub(super) fn series(&self) -> Vec<&Series> {
        let mut all: Vec<&Series> = self.closed.iter().chain(self.open.values()).collect();
        all.sort_by_key(|of| (of.opened, &of.finding.finding_id));
        all
    }

    pub(super) fn table(&self) -> (Table, FindingTotals) {
        let mut table = Table::new("findings", "Findings", COLUMNS);
        let mut totals = FindingTotals::default();
        for of in self.series() {
            match of.is_new {
                true => totals.opened += 1,
                false => totals.opened_before += 1,
            }
            match of.closed {
                Some(_) => totals.closed += 1,
                None => totals.open += 1,
            }
            table.push([
                of.finding.finding_id.clone(),
                of.finding.kind.to_string(),
                of.finding.severity.to_string(),
                cell(of.finding.account_id.as_ref()),
                cell(of.finding.person_id.as_ref()),
                of.opened.entry.to_string(),
                cell(of.closed.map(|(run, _)| run.entry)),
                of.runs.to_string(),
                cell(of.closed.map(|(_, how)| how)),
            ]);
        }
        (table, totals)
    }
}
