//! The last runs as a small chart: accounts, leavers with access past the deadline, verdicts.
//!
//! This module computes positions; the template draws them. Time runs to the right, so a missed run leaves a gap.

use jiff::{SignedDuration, Timestamp};

use crate::judgement::{Outcome, TrendPoint, Verdict};

/// Edges of the plot, in the chart's own units (720 × 232).
const LEFT: i64 = 56;
const RIGHT: i64 = 704;
/// Top and bottom of the two panels, and the height of the verdicts.
const ACCOUNTS: (i64, i64) = (22, 96);
const STILL_ACTIVE: (i64, i64) = (128, 172);
const VERDICTS: i64 = 196;

/// With a longer gap between two nightly runs, the line breaks.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

/// The chart, in its own units.
#[derive(Debug)]
pub(super) struct Chart<'a> {
    /// The points of each unbroken series of complete runs.
    pub(super) lines: Vec<String>,
    pub(super) points: Vec<Point<'a>>,
    /// The maximum of the first panel.
    pub(super) most_accounts: u64,
    /// The maximum of the second panel.
    pub(super) most_still_active: u64,
}

#[derive(Debug)]
pub(super) struct Point<'a> {
    pub(super) run: &'a TrendPoint,
    pub(super) x: i64,
    /// The height of its accounts.
    pub(super) y: i64,
    /// Top and height of the bar for leavers with access; none without such leavers.
    pub(super) bar: Option<(i64, i64)>,
    /// The shape of its verdict.
    pub(super) mark: String,
}

/// The number of leavers with access past the deadline in a run.
pub(super) fn still_active(run: &TrendPoint) -> u64 {
    run.counts.with_outcome(Outcome::StillActive)
}

impl<'a> Chart<'a> {
    pub(super) fn of(runs: &'a [TrendPoint]) -> Self {
        let most = |count: fn(&TrendPoint) -> u64| runs.iter().map(count).max().unwrap_or(1).max(1);
        let most_accounts = most(|run| run.counts.accounts.total);
        let most_still_active = most(still_active);
        let x = x_axis(runs);
        let point = |run: &'a TrendPoint| {
            let x = x(run.as_of);
            let top = y(still_active(run), most_still_active, STILL_ACTIVE);
            Point {
                run,
                x,
                y: y(run.counts.accounts.total, most_accounts, ACCOUNTS),
                bar: (still_active(run) > 0).then(|| (top, STILL_ACTIVE.1 - top)),
                mark: shape(run.verdict, x, VERDICTS),
            }
        };
        let points: Vec<Point<'_>> = runs.iter().map(point).collect();
        let unbroken = |a: &Point<'_>, b: &Point<'_>| {
            let together = b.run.as_of.duration_since(a.run.as_of) <= CADENCE;
            a.run.complete && b.run.complete && together
        };
        let unbroken = points.chunk_by(unbroken).filter(|run| run.len() > 1);
        let line = |run: &[Point<'_>]| {
            let points = run.iter().map(|point| format!("{},{}", point.x, point.y));
            points.collect::<Vec<_>>().join(" ")
        };
        Self {
            lines: unbroken.map(line).collect(),
            points,
            most_accounts,
            most_still_active,
        }
    }
}

/// The position of an instant between the first and the last run. A single run is at the right.
fn x_axis(runs: &[TrendPoint]) -> impl Fn(Timestamp) -> i64 + use<> {
    let second = |run: Option<&TrendPoint>| run.map_or(0, |run| run.as_of.as_second());
    let (first, last) = (second(runs.first()), second(runs.last()));
    move |at| {
        if last <= first {
            return RIGHT;
        }
        let at = at.as_second().clamp(first, last);
        LEFT + 6 + (RIGHT - LEFT - 6) * (at - first) / (last - first)
    }
}

fn y(value: u64, most: u64, (top, bottom): (i64, i64)) -> i64 {
    let height = i128::from(bottom - top) * i128::from(value) / i128::from(most);
    bottom - i64::try_from(height).unwrap_or_default()
}

/// A separate shape for each verdict, because colours alone are not visible to every person and printer.
pub(crate) fn shape(verdict: Verdict, x: i64, y: i64) -> String {
    match verdict {
        // A tick.
        Verdict::Pass => format!("M{} {y}l2 3 4-6", x - 3),
        // A tick, underlined.
        Verdict::PassWithExceptions => {
            format!("M{} {}l2 3 4-6M{} {}h6", x - 3, y - 2, x - 3, y + 5)
        }
        // A diamond.
        Verdict::Inconclusive => format!("M{x} {}l4 4-4 4-4-4z", y - 4),
        // A cross.
        Verdict::Fail => format!("M{} {}l6 6m0-6l-6 6", x - 3, y - 3),
    }
}
