//! Gaps: runs that prove no absence, between two that do, and the items that were due in them.

use jiff::Timestamp;

use super::grid::Row;
use crate::judgement::Verdict;
use crate::pack::{ItemBar, Pack, RunState, RunVerified};

#[derive(Debug)]
pub(super) struct Gap<'a> {
    /// The conclusive runs before and after. None at the edge of the period.
    pub(super) after: Option<Timestamp>,
    pub(super) before: Option<Timestamp>,
    pub(super) runs: Vec<GapRun<'a>>,
    /// The items whose deadline lies between these two runs.
    pub(super) due: Vec<&'a ItemBar>,
}

#[derive(Debug)]
pub(super) struct GapRun<'a> {
    pub(super) at: Timestamp,
    pub(super) state: RunState,
    pub(super) reason: &'a str,
}

/// The gaps in order of time.
pub(super) fn gaps(pack: &Pack) -> Vec<Gap<'_>> {
    let rows = pack.table("runs").map(Row::all).unwrap_or_default();
    let mut runs: Vec<(Timestamp, RunState, Row<'_>)> = rows.into_iter().filter_map(run).collect();
    runs.sort_by_key(|(at, _, _)| *at);
    let mut gaps: Vec<Gap<'_>> = Vec::new();
    let (mut last, mut open) = (None, None::<Gap<'_>>);
    for (at, state, row) in runs {
        if proves_absence(row) {
            if let Some(mut gap) = open.take() {
                gap.before = Some(at);
                gaps.push(gap);
            }
            last = Some(at);
        } else if state != RunState::Extra {
            let gap = open.get_or_insert_with(|| Gap {
                after: last,
                before: None,
                runs: Vec::new(),
                due: Vec::new(),
            });
            let reason = row.get("reason");
            gap.runs.push(GapRun { at, state, reason });
        }
    }
    gaps.extend(open);
    for gap in &mut gaps {
        let is_due = |item: &&ItemBar| {
            item.deadline.is_some_and(|deadline| {
                gap.after.is_none_or(|after| deadline > after)
                    && gap.before.is_none_or(|before| deadline <= before)
                    && (pack.cover.from_instant..pack.cover.to_instant).contains(&deadline)
            })
        };
        gap.due = pack.items.iter().filter(is_due).collect();
    }
    gaps
}

/// When a run started, else when it was due.
fn run(row: Row<'_>) -> Option<(Timestamp, RunState, Row<'_>)> {
    let instant = |column| row.get(column).parse::<Timestamp>().ok();
    let state = RunState::ALL
        .iter()
        .find(|state| state.as_str() == row.get("state"))?;
    Some((
        instant("began_at").or_else(|| instant("due_at"))?,
        *state,
        row,
    ))
}

/// Whether absence from its list proves removal. A missing run has blank cells.
fn proves_absence(row: Row<'_>) -> bool {
    let is_faulty = row.get("verified") == RunVerified::Fault.as_str();
    let is_inconclusive = row.get("verdict") == Verdict::Inconclusive.as_str();
    row.get("complete") == "true" && !is_faulty && !is_inconclusive
}
