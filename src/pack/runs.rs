//! The runs of the period: every due one with its state, also the missing ones, and every extra one.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::deviations::{Deviation, Deviations};
use super::period::{LedgerEntry, Period, Phase};
use super::table::{cell, count, flag, instant, joined, text};
use super::{
    CalendarDay, CalendarRun, Column, DeviationType, RunState, RunTotals, RunVerified,
    ScheduleBasis, Table,
};
use crate::evidence::{EntryKind, Manifest, sha256_hex};
use crate::judgement::{CheckStatus, Counts, Verdict};

/// When runs were due.
#[derive(Clone, Debug)]
pub struct DueRuns {
    pub basis: ScheduleBasis,
    /// As given, or as last recorded.
    pub schedule: Option<String>,
    /// With a schedule: every due instant of the period.
    pub instants: Vec<DueAt>,
    /// Without a schedule: the gaps between runs that are too long.
    pub gaps: Vec<DueGap>,
    /// Due runs of the period that have not started and may still start.
    pub may_still_start: u64,
}

/// An instant at which a run was due.
#[derive(Clone, Debug)]
pub struct DueAt {
    pub at: Timestamp,
    /// By the clock of the schedule's zone.
    pub local: Option<String>,
    /// The runs that started for it, by their instants.
    pub started: Vec<Timestamp>,
}

/// A gap between two runs in which runs are missing.
#[derive(Clone, Copy, Debug)]
pub struct DueGap {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The number of missing runs.
    pub runs: u64,
}

/// A run of the ledger, as far as the table shows it.
#[derive(Clone, Debug)]
struct RunRow {
    began_at: Timestamp,
    kind: EntryKind,
    state: RunState,
    complete: bool,
    verified: RunVerified,
    /// Blank for a failed run.
    verdict: String,
    run: String,
    sequence: u64,
    /// The remaining cells, from `entry_sha256` on.
    cells: Vec<String>,
}

/// The runs since the beginning of the period.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    rows: Vec<RunRow>,
}

const COLUMNS: &[Column] = &[
    instant("due_at"),
    text("due_local"),
    text("state"),
    text("kind"),
    text("verdict"),
    text("run"),
    count("sequence"),
    text("entry_sha256"),
    text("trigger"),
    instant("began_at"),
    instant("committed_at"),
    instant("stored_at"),
    flag("complete"),
    count("accounts"),
    count("hr_rows"),
    text("hr_sha256"),
    count("leavers"),
    count("deadlines_since_last_complete"),
    text("failed_checks"),
    text("warned_checks"),
    text("rules_sha256"),
    text("tool"),
    text("commit"),
    text("key_sha256"),
    text("verified"),
    text("reason"),
];

/// SHA-256 of the rules of a run: of `policy` in the manifest, as JSON without blanks.
pub(super) fn rules_sha256(manifest: &Manifest) -> Option<String> {
    let policy = manifest.policy.as_ref()?;
    let bytes = serde_json::to_vec(policy).ok()?;
    Some(sha256_hex(&bytes))
}

/// A run with a fault proves nothing, so its pass counts as inconclusive.
fn state_of(at: &LedgerEntry) -> RunState {
    if at.entry.kind == EntryKind::Failure {
        return RunState::Failed;
    }
    let has_fault = at.verified == RunVerified::Fault;
    let verdict = Verdict::ALL
        .iter()
        .find(|of| of.as_str() == at.entry.verdict);
    match verdict {
        Some(Verdict::Fail) => RunState::Fail,
        _ if has_fault => RunState::Inconclusive,
        Some(Verdict::Pass) => RunState::Pass,
        Some(Verdict::PassWithExceptions) => RunState::PassRiskAccepted,
        Some(Verdict::Inconclusive) | None => RunState::Inconclusive,
    }
}

impl RunRow {
    /// Whether absence from its list proves removal.
    fn proves_absence(&self) -> bool {
        let is_faultless = self.verified != RunVerified::Fault;
        match self.state {
            RunState::Pass | RunState::PassRiskAccepted | RunState::Fail => {
                self.complete && is_faultless
            }
            RunState::Inconclusive | RunState::Failed | RunState::Missing | RunState::Extra => {
                false
            }
        }
    }
}

impl Runs {
    /// Takes a run that began in the period or later. Without `files`, they have expired or have faults.
    pub(super) fn take(
        &mut self,
        at: &LedgerEntry,
        began_at: Timestamp,
        files: Option<(&Manifest, Option<&Counts>)>,
    ) {
        let entry = &at.entry;
        let manifest = files.map(|(manifest, _)| manifest);
        let counts = files.and_then(|(_, counts)| counts);
        let hr = manifest.and_then(|of| of.sources.hr_feed.as_ref());
        let checks = |status: CheckStatus| {
            let checks = manifest.map_or(&[][..], |of| &of.checks);
            let checks = checks.iter().filter(|check| check.status == status);
            joined(checks.map(|check| check.id))
        };
        let reason = manifest.map_or_else(String::new, |of| match &of.failure {
            Some(failure) => format!(
                "{}, exit {}: {}",
                failure.stage, failure.code, failure.message
            ),
            None => of.reasons.join("; "),
        });
        let tool = manifest.map(|of| format!("{} {}", of.tool.name, of.tool.version));
        let cells = vec![
            at.sha256.clone(),
            cell(manifest.map(|of| of.run.trigger)),
            began_at.to_string(),
            entry.committed_at.to_string(),
            cell(at.stored_at),
            entry.complete.to_string(),
            cell(counts.map(|of| of.accounts.total)),
            cell(hr.map(|of| of.rows)),
            cell(hr.map(|of| &of.sha256)),
            cell(counts.map(|of| of.leavers.total)),
            cell(counts.map(|of| of.leavers.deadlines_due)),
            checks(CheckStatus::Fail),
            checks(CheckStatus::Warn),
            cell(manifest.and_then(rules_sha256)),
            cell(tool),
            cell(manifest.map(|of| &of.tool.commit)),
            entry.key_sha256.clone(),
            at.verified.to_string(),
            reason,
        ];
        self.rows.push(RunRow {
            began_at,
            kind: entry.kind,
            state: state_of(at),
            complete: entry.complete,
            verified: at.verified,
            verdict: match entry.kind {
                EntryKind::Run => entry.verdict.clone(),
                _ => String::new(),
            },
            run: entry.run.clone(),
            sequence: entry.sequence,
            cells,
        });
    }

    /// The number of runs that began in the period, by how far they were verified.
    pub(super) fn verified(&self, period: &Period) -> BTreeMap<RunVerified, u64> {
        let mut counts: BTreeMap<RunVerified, u64> =
            RunVerified::ALL.iter().map(|of| (*of, 0)).collect();
        for row in self.within(period) {
            *counts.entry(row.verified).or_default() += 1;
        }
        counts
    }

    fn within(&self, period: &Period) -> impl Iterator<Item = &RunRow> {
        self.rows
            .iter()
            .filter(|row| period.phase(row.began_at) == Phase::Within)
    }

    /// The first and the last run that began in the period.
    pub(super) fn extent(&self, period: &Period) -> Option<(Timestamp, Timestamp)> {
        let mut instants = self.within(period).map(|row| row.began_at);
        let first = instants.next()?;
        let (first, last) = instants.fold((first, first), |(first, last), at| {
            (first.min(at), last.max(at))
        });
        Some((first, last))
    }

    /// The table `runs`, the calendar, and the deviations of runs.
    pub(super) fn table(
        &self,
        period: &Period,
        due: &DueRuns,
        deviations: &mut Deviations,
    ) -> RunsOfPeriod {
        let mut lines = match due.instants.is_empty() {
            false => self.by_schedule(period, due),
            true => self.by_gaps(period, due),
        };
        lines.sort_by_key(|line| (line.at(), line.row.map(|row| row.sequence)));
        let mut table = Table::new("runs", "Runs", COLUMNS);
        let mut totals = RunTotals {
            due: 0,
            by_state: RunState::ALL.iter().map(|state| (*state, 0)).collect(),
            extra_by_state: BTreeMap::new(),
        };
        let mut calendar = Vec::new();
        let mut gaps = GapFinder::new(period);
        for line in &lines {
            let state = line.state();
            *totals.by_state.entry(state).or_default() += 1;
            match (state, line.row) {
                (RunState::Extra, Some(row)) => {
                    *totals.extra_by_state.entry(row.state).or_default() += 1;
                }
                _ => totals.due += 1,
            }
            let kind = line.row.map(|row| match row.kind {
                EntryKind::Failure => "failure",
                EntryKind::Run
                | EntryKind::ReviewOpen
                | EntryKind::ReviewClose
                | EntryKind::ReviewAcknowledge => "run",
            });
            let mut cells = vec![
                cell(line.due_at),
                line.local.clone().unwrap_or_default(),
                state.to_string(),
                cell(kind),
                cell(line.row.map(|row| &row.verdict)),
                cell(line.row.map(|row| &row.run)),
                cell(line.row.map(|row| row.sequence)),
            ];
            match line.row {
                Some(row) => cells.extend(row.cells.iter().cloned()),
                None => cells.resize(COLUMNS.len(), String::new()),
            }
            table.rows.push(cells);
            calendar.push(CalendarRun {
                at: line.at(),
                state,
                run: line.row.map(|row| row.run.clone()),
            });
            gaps.take(line);
            line.deviate(deviations);
        }
        RunsOfPeriod {
            table,
            totals,
            calendar,
            gaps: gaps.finish(period),
        }
    }

    /// Each due instant has the first run that started for it and failed its verdict, so that no later or earlier pass
    /// hides it; else the first judged run; else the first one. The others are extra.
    fn by_schedule<'a>(&'a self, period: &Period, due: &DueRuns) -> Vec<Line<'a>> {
        let mut is_taken = vec![false; self.rows.len()];
        let mut lines = Vec::new();
        for instant in &due.instants {
            let mut places: Vec<usize> = Vec::new();
            for (place, row) in self.rows.iter().enumerate() {
                let second = Timestamp::from_second(row.began_at.as_second());
                let is_it = second.is_ok_and(|second| instant.started.contains(&second));
                if is_it && !is_taken[place] {
                    places.push(place);
                }
            }
            let find = |wanted: fn(&RunRow) -> bool| {
                let mut places = places.iter();
                places.find(|place| wanted(&self.rows[**place]))
            };
            let failing = find(|row| row.state == RunState::Fail);
            let judged = failing.or_else(|| find(|row| row.kind == EntryKind::Run));
            let chosen = judged.or(places.first()).copied();
            for place in &places {
                is_taken[*place] = true;
                let is_it = Some(*place) == chosen;
                lines.push(Line {
                    due_at: is_it.then_some(instant.at),
                    local: instant.local.clone().filter(|_| is_it),
                    row: Some(&self.rows[*place]),
                });
            }
            if chosen.is_none() {
                lines.push(Line {
                    due_at: Some(instant.at),
                    local: instant.local.clone(),
                    row: None,
                });
            }
        }
        let rest = self.rows.iter().enumerate();
        let rest = rest.filter(|(place, _)| !is_taken[*place]);
        lines.extend(
            rest.filter(|(_, row)| period.phase(row.began_at) == Phase::Within)
                .map(|(_, row)| Line {
                    due_at: None,
                    local: None,
                    row: Some(row),
                }),
        );
        lines
    }

    /// Without a schedule, each run counts as due when it began.
    fn by_gaps<'a>(&'a self, period: &Period, due: &DueRuns) -> Vec<Line<'a>> {
        let mut lines: Vec<Line<'a>> = self
            .within(period)
            .map(|row| Line {
                due_at: Some(row.began_at),
                local: Some(period.local(row.began_at)),
                row: Some(row),
            })
            .collect();
        for gap in &due.gaps {
            let parts = i64::try_from(gap.runs)
                .unwrap_or(i64::MAX)
                .saturating_add(1);
            let step = gap.to.duration_since(gap.from).as_secs() / parts;
            for number in 1..parts {
                let after = SignedDuration::from_secs(step * number);
                let at = gap.from.saturating_add(after).unwrap_or(gap.to);
                lines.push(Line {
                    due_at: Some(at),
                    local: Some(period.local(at)),
                    row: None,
                });
            }
        }
        lines
    }
}

/// The runs of the period, printed.
pub(super) struct RunsOfPeriod {
    pub(super) table: Table,
    pub(super) totals: RunTotals,
    /// The rows of the table, in its order.
    pub(super) calendar: Vec<CalendarRun>,
    pub(super) gaps: Gaps,
}

/// The times between two runs that prove absence, with a missing, failed, inconclusive or incomplete run between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps(Vec<(Timestamp, Timestamp)>);

impl Gaps {
    pub(super) fn contains(&self, deadline: Timestamp) -> bool {
        let mut gaps = self.0.iter();
        gaps.any(|(from, to)| *from < deadline && deadline <= *to)
    }
}

struct GapFinder {
    gaps: Vec<(Timestamp, Timestamp)>,
    last_proof: Timestamp,
    has_gap: bool,
}

impl GapFinder {
    fn new(period: &Period) -> Self {
        Self {
            gaps: Vec::new(),
            last_proof: period.from,
            has_gap: false,
        }
    }

    /// Takes the next line. An extra run may prove absence, and is never a gap.
    fn take(&mut self, line: &Line<'_>) {
        let proof = line.row.filter(|row| row.proves_absence());
        match proof {
            Some(row) => {
                if self.has_gap {
                    self.gaps.push((self.last_proof, row.began_at));
                }
                (self.last_proof, self.has_gap) = (row.began_at, false);
            }
            None => self.has_gap |= line.state() != RunState::Extra,
        }
    }

    fn finish(mut self, period: &Period) -> Gaps {
        if self.has_gap {
            self.gaps.push((self.last_proof, period.to));
        }
        Gaps(self.gaps)
    }
}

/// A row of the table.
struct Line<'a> {
    due_at: Option<Timestamp>,
    local: Option<String>,
    /// None: the run is missing.
    row: Option<&'a RunRow>,
}

impl Line<'_> {
    fn at(&self) -> Timestamp {
        let began = self.row.map(|row| row.began_at);
        self.due_at.or(began).unwrap_or(Timestamp::MIN)
    }

    fn state(&self) -> RunState {
        match (self.due_at, self.row) {
            (_, None) => RunState::Missing,
            (Some(_), Some(row)) => row.state,
            (None, Some(_)) => RunState::Extra,
        }
    }

    /// An extra run deviates too, by its own state.
    fn deviate(&self, deviations: &mut Deviations) {
        let Some(row) = self.row else {
            let at = self.at();
            deviations.push(Deviation {
                opened: Some((at, None)),
                what: "no run started before the next one was due".to_owned(),
                ..Deviation::of(DeviationType::RunMissing, &at.to_string())
            });
            return;
        };
        let (kind, what) = match row.state {
            RunState::Failed => (
                DeviationType::RunFailed,
                "the run ended without a judgement",
            ),
            RunState::Inconclusive => (
                DeviationType::RunInconclusive,
                "the run could not check or judge something",
            ),
            RunState::Pass
            | RunState::PassRiskAccepted
            | RunState::Fail
            | RunState::Missing
            | RunState::Extra => return,
        };
        deviations.push(Deviation {
            run: row.run.clone(),
            opened: Some((row.began_at, Some(row.sequence))),
            what: what.to_owned(),
            ..Deviation::of(kind, &row.run)
        });
    }
}

/// Every day of the period with its runs, and the number of deadlines that fell on it.
pub(super) fn calendar(
    period: &Period,
    runs: &[CalendarRun],
    deadlines: impl Iterator<Item = Timestamp>,
) -> Vec<CalendarDay> {
    let mut days: BTreeMap<String, CalendarDay> = BTreeMap::new();
    let mut day = period.first;
    loop {
        let of = CalendarDay {
            day: day.to_string(),
            runs: Vec::new(),
            deadlines: 0,
        };
        days.insert(of.day.clone(), of);
        match day.tomorrow() {
            Ok(next) if next <= period.last => day = next,
            _ => break,
        }
    }
    for run in runs {
        let day = period.day(run.at, false).to_string();
        if let Some(day) = days.get_mut(&day) {
            day.runs.push(run.clone());
        }
    }
    for deadline in deadlines {
        let day = period.day(deadline, true).to_string();
        if let Some(day) = days.get_mut(&day) {
            day.deadlines += 1;
        }
    }
    days.into_values().collect()
}
