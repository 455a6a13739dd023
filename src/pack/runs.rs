//! The runs of the period: every due one with its state, also the missing ones, and every extra one.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::deviations::{Deviation, Deviations};
use super::period::{LedgerEntry, Period, Phase};
use super::table::{cell, count, flag, instant, joined, text};
use super::{
    CalendarDay, CalendarRun, Column, DeviationType, Flag, ItemBar, RunState, RunTotals,
    RunVerified, ScheduleBasis, Table,
};
use crate::evidence::{EntryKind, Manifest, sha256_hex};
use crate::judgement::{CheckStatus, Counts, Verdict};
use crate::schedule::{DueInstant, DueRuns, MissingRuns};

/// When runs were due.
#[derive(Clone, Debug)]
pub struct PeriodSchedule {
    pub basis: ScheduleBasis,
    /// As given, or as last recorded.
    pub text: Option<String>,
    /// None without a schedule and with fewer than three runs.
    pub due: Option<DueRuns>,
}

/// A time between two conclusive runs, which prove absence, with a missing, failed, inconclusive or incomplete run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// None if no run of the period before the gap is conclusive.
    pub run_before: Option<Timestamp>,
    /// It may be after the period. None if no later run is conclusive.
    pub run_after: Option<Timestamp>,
    /// The runs that prove no absence.
    pub runs: Vec<GapRun>,
    /// The items with the flag `gap_over_deadline` that were due in the gap, by their places in [`super::Pack::items`].
    pub items: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapRun {
    /// When it began. If it is missing, when it was due.
    pub at: Timestamp,
    pub state: RunState,
    pub reason: String,
}

/// A run of the ledger, as far as the table shows it.
#[derive(Clone, Debug)]
struct RunRow {
    began_at: Timestamp,
    kind: EntryKind,
    state: RunState,
    /// Whether absence from its list proves removal.
    is_conclusive: bool,
    verified: RunVerified,
    /// Blank for a failed run.
    verdict: String,
    run: String,
    sequence: u64,
    /// The cells from `entry_sha256` to `verified`.
    cells: Vec<String>,
    reason: String,
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
        ];
        let state = state_of(at);
        let is_judged = match state {
            RunState::Pass | RunState::PassRiskAccepted | RunState::Fail => true,
            RunState::Inconclusive | RunState::Failed | RunState::Missing | RunState::Extra => {
                false
            }
        };
        self.rows.push(RunRow {
            began_at,
            kind: entry.kind,
            state,
            is_conclusive: is_judged && entry.complete && at.verified != RunVerified::Fault,
            verified: at.verified,
            verdict: match entry.kind {
                EntryKind::Run => entry.verdict.clone(),
                _ => String::new(),
            },
            run: entry.run.clone(),
            sequence: entry.sequence,
            cells,
            reason,
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
        let instants = self.within(period).map(|row| row.began_at);
        let instants: Vec<Timestamp> = instants.collect();
        Some((*instants.iter().min()?, *instants.iter().max()?))
    }

    /// The table `runs`, the calendar, and the deviations of runs.
    pub(super) fn table(
        &self,
        period: &Period,
        schedule: &PeriodSchedule,
        deviations: &mut Deviations,
    ) -> RunsOfPeriod {
        let mut lines = match &schedule.due {
            // With a schedule, the number of due runs is known.
            Some(due) if due.runs.is_some() => self.by_schedule(period, &due.instants),
            due => {
                let missing = due.as_ref().map_or(&[][..], |due| &due.missing);
                self.by_interval(period, missing)
            }
        };
        lines.sort_by_key(|line| (line.at(), line.row.map(|row| row.sequence)));
        let mut table = Table::new("runs", "Runs", COLUMNS);
        let mut totals = RunTotals {
            due: 0,
            by_state: RunState::ALL.iter().map(|state| (*state, 0)).collect(),
            extra_by_state: BTreeMap::new(),
        };
        let mut calendar = Vec::new();
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
                Some(row) => cells.extend(row.cells.iter().chain([&row.reason]).cloned()),
                None => {
                    cells.resize(COLUMNS.len() - 1, String::new());
                    cells.push("no run started".to_owned());
                }
            }
            table.rows.push(cells);
            calendar.push(CalendarRun {
                at: line.at(),
                state,
                run: line.row.map(|row| row.run.clone()),
            });
            line.deviate(deviations);
        }
        let to = schedule.due.as_ref().map_or(period.to, |due| due.to);
        RunsOfPeriod {
            table,
            totals,
            calendar,
            gaps: Gaps {
                list: self.gaps(lines, period),
                from: period.from,
                to,
            },
        }
    }

    /// Each due instant has the first run that started for it and failed its verdict, so that no later or earlier pass
    /// hides it; else the first judged run; else the first one. The others are extra.
    fn by_schedule<'a>(&'a self, period: &Period, due: &[DueInstant]) -> Vec<Line<'a>> {
        let mut rows: BTreeMap<Timestamp, Vec<&RunRow>> = BTreeMap::new();
        for row in &self.rows {
            rows.entry(row.began_at).or_default().push(row);
        }
        let mut lines = Vec::new();
        for instant in due {
            let started = instant.started.iter().filter_map(|at| rows.remove(at));
            let mut started: Vec<&RunRow> = started.flatten().collect();
            let is_failing = |row: &&RunRow| row.state == RunState::Fail;
            let is_judged = |row: &&RunRow| row.kind == EntryKind::Run;
            let chosen = started.iter().position(is_failing);
            let chosen = chosen.or_else(|| started.iter().position(is_judged));
            lines.push(Line {
                due_at: Some(instant.at),
                local: instant.local.clone(),
                row: match started.is_empty() {
                    true => None,
                    false => Some(started.remove(chosen.unwrap_or(0))),
                },
            });
            lines.extend(started.into_iter().map(Line::extra));
        }
        let rest = rows.into_values().flatten();
        let rest = rest.filter(|row| period.phase(row.began_at) == Phase::Within);
        lines.extend(rest.map(Line::extra));
        lines
    }

    /// Without a schedule, each run counts as due when it began.
    fn by_interval<'a>(&'a self, period: &Period, missing: &[MissingRuns]) -> Vec<Line<'a>> {
        let line = |at: Timestamp, row: Option<&'a RunRow>| Line {
            due_at: Some(at),
            local: Some(period.local(at)),
            row,
        };
        let rows = self.within(period);
        let mut lines: Vec<Line<'a>> = rows.map(|row| line(row.began_at, Some(row))).collect();
        for gap in missing {
            let parts = i64::try_from(gap.runs)
                .unwrap_or(i64::MAX)
                .saturating_add(1);
            let step = gap.to.duration_since(gap.from).as_secs() / parts;
            for number in 1..parts {
                let after = SignedDuration::from_secs(step * number);
                let at = gap.from.saturating_add(after).unwrap_or(gap.to);
                lines.push(line(at, None));
            }
        }
        lines
    }

    /// A run can begin long after it was due, and proves nothing about the time before. An extra run may be conclusive,
    /// and is never in a gap.
    fn gaps(&self, mut lines: Vec<Line<'_>>, period: &Period) -> Vec<Gap> {
        lines.sort_by_key(Line::began_at);
        let gap = |run_before, run_after, runs| Gap {
            run_before,
            run_after,
            runs,
            items: Vec::new(),
        };
        let (mut gaps, mut run_before, mut runs) = (Vec::new(), None, Vec::new());
        for line in lines {
            match (line.state(), line.row) {
                (_, Some(row)) if row.is_conclusive => {
                    let began_at = Some(row.began_at);
                    gaps.push(gap(run_before, began_at, std::mem::take(&mut runs)));
                    run_before = began_at;
                }
                (RunState::Extra, _) => {}
                (state, row) => runs.push(GapRun {
                    at: line.began_at(),
                    state,
                    reason: cell(row.map(|row| &row.reason)),
                }),
            }
        }
        let later = self.rows.iter().filter(|row| row.is_conclusive);
        let later = later.map(|row| row.began_at);
        gaps.push(gap(
            run_before,
            later.filter(|at| period.to <= *at).min(),
            runs,
        ));
        gaps.retain(|gap| !gap.runs.is_empty());
        gaps
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

/// The gaps of the time in which runs were looked for.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    pub(super) list: Vec<Gap>,
    from: Timestamp,
    to: Timestamp,
}

impl Gaps {
    /// The place of the gap that a deadline falls in. A conclusive run at the deadline itself proves what it saw.
    pub(super) fn place(&self, deadline: Timestamp) -> Option<usize> {
        self.list.iter().position(|gap| {
            let is_before_end = match gap.run_after {
                Some(run) => deadline < run,
                None => deadline <= self.to,
            };
            gap.run_before.unwrap_or(self.from) < deadline && is_before_end
        })
    }

    /// Notes the flagged items in their gaps.
    pub(super) fn fill<'a>(&mut self, items: impl Iterator<Item = &'a ItemBar>) {
        for (place, item) in items.enumerate() {
            let is_flagged = item.flags.contains(&Flag::GapOverDeadline);
            let deadline = item.deadline.filter(|_| is_flagged);
            if let Some(gap) = deadline.and_then(|deadline| self.place(deadline)) {
                self.list[gap].items.push(place);
            }
        }
    }
}

/// A row of the table.
struct Line<'a> {
    due_at: Option<Timestamp>,
    local: Option<String>,
    /// None: the run is missing.
    row: Option<&'a RunRow>,
}

impl<'a> Line<'a> {
    fn extra(row: &'a RunRow) -> Self {
        Self {
            due_at: None,
            local: None,
            row: Some(row),
        }
    }

    /// When the run was due, else when it began.
    fn at(&self) -> Timestamp {
        let began = self.row.map(|row| row.began_at);
        self.due_at.or(began).unwrap_or(Timestamp::MIN)
    }

    /// When the run began. If it is missing, when it was due.
    fn began_at(&self) -> Timestamp {
        self.row.map_or(self.at(), |row| row.began_at)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let text = format!("2026-10-{text}:00Z");
        text.parse().expect("an instant")
    }

    /// A run that began then. A run that passes is conclusive.
    fn run(began: &str, state: RunState) -> RunRow {
        RunRow {
            began_at: at(began),
            kind: match state {
                RunState::Failed => EntryKind::Failure,
                _ => EntryKind::Run,
            },
            state,
            is_conclusive: matches!(state, RunState::Pass | RunState::Fail),
            verified: RunVerified::Recomputed,
            verdict: String::new(),
            run: began.to_owned(),
            sequence: 1,
            cells: vec![String::new(); COLUMNS.len() - 8],
            reason: format!("reason of {began}"),
        }
    }

    fn pass(began: &str) -> RunRow {
        run(began, RunState::Pass)
    }

    /// The first five days of October with a run due at 22:40 of each. A run that began before the next one was due
    /// started for it.
    fn printed(rows: Vec<RunRow>, to: &str) -> RunsOfPeriod {
        let day = |day: &str| format!("2026-10-{day}").parse().expect("a day");
        let period = Period::of(day("01"), day("05"), "Etc/UTC").expect("a period");
        let instants = (1..=5).map(|day| {
            let due = at(&format!("{day:02}T22:40"));
            let next = at(&format!("{:02}T22:40", day + 1));
            let started = rows.iter().map(|row| row.began_at);
            DueInstant {
                at: due,
                local: None,
                started: started
                    .filter(|began| (due..next).contains(began))
                    .collect(),
            }
        });
        let due = DueRuns {
            from: period.from,
            to: at(to),
            runs: Some(5),
            missing: Vec::new(),
            instants: instants.filter(|of| of.at < at(to)).collect(),
            may_still_start: 0,
            after_last_run: 0,
        };
        let schedule = PeriodSchedule {
            basis: ScheduleBasis::Given,
            text: None,
            due: Some(due),
        };
        Runs { rows }.table(&period, &schedule, &mut Deviations::default())
    }

    fn gaps(rows: Vec<RunRow>) -> Gaps {
        printed(rows, "06T00:00").gaps
    }

    /// The conclusive runs around each gap.
    fn edges(gaps: &Gaps) -> Vec<(Option<Timestamp>, Option<Timestamp>)> {
        let gaps = gaps.list.iter();
        gaps.map(|gap| (gap.run_before, gap.run_after)).collect()
    }

    #[track_caller]
    fn assert_in_gap(gaps: &Gaps, deadlines: &[(&str, bool)]) {
        for (deadline, is_in_gap) in deadlines {
            assert_eq!(gaps.place(at(deadline)).is_some(), *is_in_gap, "{deadline}");
        }
    }

    #[test]
    fn a_late_run_proves_nothing_about_the_time_before_it_began() {
        let gaps = gaps(vec![
            pass("01T22:40"),
            pass("04T10:00"),
            pass("04T22:40"),
            pass("05T22:40"),
        ]);
        assert_eq!(edges(&gaps), [(Some(at("01T22:40")), Some(at("04T10:00")))]);
        let missing: Vec<Timestamp> = gaps.list[0].runs.iter().map(|run| run.at).collect();
        assert_eq!(missing, [at("02T22:40")]);
        assert_in_gap(
            &gaps,
            &[("03T23:00", true), ("04T09:59", true), ("04T10:01", false)],
        );
    }

    #[test]
    fn an_extra_run_ends_a_gap_and_is_in_none() {
        let gaps = gaps(vec![
            pass("01T22:40"),
            run("02T22:40", RunState::Inconclusive),
            pass("03T12:00"),
            run("03T13:00", RunState::Inconclusive),
            pass("04T22:40"),
            pass("05T22:40"),
        ]);
        let extra = Some(at("03T12:00"));
        assert_eq!(
            edges(&gaps),
            [(Some(at("01T22:40")), extra), (extra, Some(at("04T22:40")))]
        );
        let runs = gaps.list.iter().flat_map(|gap| &gap.runs);
        let runs: Vec<_> = runs.map(|run| (run.state, run.reason.as_str())).collect();
        let inconclusive = (RunState::Inconclusive, "reason of 02T22:40");
        assert_eq!(runs, [inconclusive, (RunState::Missing, "")]);
    }

    #[test]
    fn a_gap_begins_with_the_last_conclusive_run_before_it() {
        // The run of the 2nd that failed its verdict counts as the due one, and the earlier one as extra.
        let gaps = gaps(vec![
            pass("01T22:40"),
            pass("02T22:40"),
            run("03T10:00", RunState::Fail),
            pass("04T22:40"),
            pass("05T22:40"),
        ]);
        assert_eq!(edges(&gaps), [(Some(at("03T10:00")), Some(at("04T22:40")))]);
        assert_in_gap(&gaps, &[("03T09:00", false), ("03T11:00", true)]);
    }

    #[test]
    fn a_deadline_at_the_instant_of_a_conclusive_run_is_in_no_gap() {
        let gaps = gaps(vec![
            pass("01T22:40"),
            run("02T22:40", RunState::Failed),
            pass("03T22:40"),
            pass("04T22:40"),
            pass("05T22:40"),
        ]);
        let deadlines = [
            ("01T22:40", false),
            ("01T22:41", true),
            ("02T22:40", true),
            ("03T22:39", true),
            ("03T22:40", false),
        ];
        assert_in_gap(&gaps, &deadlines);
    }

    #[test]
    fn a_gap_at_an_edge_of_the_period_ends_with_the_period() {
        let gaps = gaps(vec![pass("02T22:40"), pass("03T22:40"), pass("04T22:40")]);
        assert_eq!(
            edges(&gaps),
            [(None, Some(at("02T22:40"))), (Some(at("04T22:40")), None)]
        );
        // A midnight belongs to the day that it closes.
        let deadlines = [
            ("01T00:00", false),
            ("01T00:01", true),
            ("03T12:00", false),
            ("06T00:00", true),
            ("06T00:01", false),
        ];
        assert_in_gap(&gaps, &deadlines);
    }

    #[test]
    fn a_period_without_a_conclusive_run_is_one_gap() {
        let gaps = gaps(vec![run("03T22:40", RunState::Inconclusive)]);
        assert_eq!(edges(&gaps), [(None, None)]);
        assert_eq!(gaps.list[0].runs.len(), 5);
        assert_in_gap(
            &gaps,
            &[("01T00:01", true), ("03T22:40", true), ("06T00:00", true)],
        );
    }

    #[test]
    fn a_run_after_the_period_ends_its_last_gap() {
        let mut runs = vec![pass("04T22:40"), run("05T22:40", RunState::Inconclusive)];
        runs.extend(["06T22:40", "07T22:40"].map(pass));
        runs.extend(["01T22:40", "02T22:40", "03T22:40"].map(pass));
        let open = gaps(runs.clone());
        assert_eq!(edges(&open), [(Some(at("04T22:40")), Some(at("06T22:40")))]);
        assert_in_gap(
            &open,
            &[("06T00:00", true), ("06T22:39", true), ("06T22:40", false)],
        );
        // The last run may start late, after the period.
        runs[1] = pass("06T02:00");
        assert_eq!(edges(&gaps(runs)), []);
    }

    #[test]
    fn a_deadline_that_has_not_passed_is_in_no_gap() {
        let runs = vec![pass("01T22:40"), run("02T22:40", RunState::Inconclusive)];
        let gaps = printed(runs, "03T09:00").gaps;
        assert_in_gap(&gaps, &[("03T00:00", true), ("03T09:01", false)]);
    }

    #[test]
    fn a_run_is_extra_if_the_schedule_has_no_instant_in_the_period() {
        let printed = printed(vec![pass("01T12:00")], "01T22:00");
        assert_eq!(printed.totals.due, 0);
        assert_eq!(printed.totals.by_state[&RunState::Extra], 1);
    }
}
