//! The last runs as a small chart: accounts, leavers still active, verdicts.
//!
//! Numbers only; the template draws them. Time runs to the right, so a missed run is a gap.

use jiff::{SignedDuration, Timestamp};

use crate::judgement::{Outcome, TrendPoint, Verdict};

/// Edges of the plot, in the chart's own units (720 × 232).
const LEFT: i64 = 56;
const RIGHT: i64 = 704;
/// Top and bottom of the two panels, and the height at which verdicts stand.
const ACCOUNTS: (i64, i64) = (22, 96);
const STILL_ACTIVE: (i64, i64) = (128, 172);
const VERDICTS: i64 = 196;

/// A nightly run that is later than this missed a run: the line breaks.
const CADENCE: SignedDuration = SignedDuration::from_hours(36);

/// The chart, in its own units.
#[derive(Debug)]
pub(super) struct Chart {
    /// Points of each unbroken run of complete runs.
    pub(super) lines: Vec<String>,
    /// Each run's accounts.
    pub(super) dots: Vec<Dot>,
    /// Each run's leavers who are still active, where there are any.
    pub(super) bars: Vec<Bar>,
    /// Each run's verdict.
    pub(super) marks: Vec<TrendMark>,
    /// The top of the first panel's scale.
    pub(super) most_accounts: u64,
    /// The top of the second panel's scale.
    pub(super) most_still_active: u64,
}

/// A run's accounts.
#[derive(Debug)]
pub(super) struct Dot {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) complete: bool,
}

/// A run's leavers who are still active.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) height: i64,
}

/// A run's verdict.
#[derive(Debug)]
pub(super) struct TrendMark {
    pub(super) path: String,
    pub(super) verdict: Verdict,
    pub(super) as_of: Timestamp,
}

/// How many leavers were still active in a run.
pub(super) fn still_active(snapshot: &TrendPoint) -> u64 {
    let by_outcome = &snapshot.counts.leavers.by_outcome;
    by_outcome
        .get(Outcome::StillActive.as_str())
        .copied()
        .unwrap_or_default()
}

impl Chart {
    pub(super) fn of(snapshots: &[TrendPoint]) -> Self {
        let accounts = |snapshot: &TrendPoint| snapshot.counts.accounts.total;
        let most_accounts = snapshots
            .iter()
            .map(accounts)
            .max()
            .unwrap_or_default()
            .max(1);
        let most_still_active = snapshots
            .iter()
            .map(still_active)
            .max()
            .unwrap_or_default()
            .max(1);
        let x = x_axis(snapshots);

        let dots: Vec<Dot> = snapshots
            .iter()
            .map(|snapshot| Dot {
                x: x(snapshot.as_of),
                y: y(accounts(snapshot), most_accounts, ACCOUNTS),
                complete: snapshot.complete,
            })
            .collect();
        let unbroken = |a: &(&TrendPoint, &Dot), b: &(&TrendPoint, &Dot)| {
            let together = b.0.as_of.duration_since(a.0.as_of) <= CADENCE;
            a.0.complete && b.0.complete && together
        };
        let drawn: Vec<(&TrendPoint, &Dot)> = snapshots.iter().zip(&dots).collect();
        let lines = drawn
            .chunk_by(unbroken)
            .filter(|run| run.len() > 1)
            .map(|run| {
                let points = run.iter().map(|(_, dot)| format!("{},{}", dot.x, dot.y));
                points.collect::<Vec<_>>().join(" ")
            })
            .collect();
        let bars = snapshots
            .iter()
            .filter(|snapshot| still_active(snapshot) > 0)
            .map(|snapshot| {
                let top = y(still_active(snapshot), most_still_active, STILL_ACTIVE);
                Bar {
                    x: x(snapshot.as_of) - 2,
                    y: top,
                    height: STILL_ACTIVE.1 - top,
                }
            })
            .collect();
        let marks = snapshots
            .iter()
            .map(|snapshot| TrendMark {
                path: shape(&snapshot.verdict, x(snapshot.as_of), VERDICTS),
                verdict: snapshot.verdict,
                as_of: snapshot.as_of,
            })
            .collect();
        Self {
            lines,
            dots,
            bars,
            marks,
            most_accounts,
            most_still_active,
        }
    }
}

/// Where an instant stands between the first run and the last; a lone run stands at the right.
fn x_axis(snapshots: &[TrendPoint]) -> impl Fn(Timestamp) -> i64 + use<> {
    let first = snapshots
        .first()
        .map_or(0, |snapshot| snapshot.as_of.as_second());
    let last = snapshots
        .last()
        .map_or(0, |snapshot| snapshot.as_of.as_second());
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

/// A shape of its own for each verdict: colours alone say nothing to many eyes and printers.
pub(super) fn shape(verdict: &Verdict, x: i64, y: i64) -> String {
    match verdict {
        // A tick.
        Verdict::Pass => format!("M{} {y}l2 3 4-6", x - 3),
        // A tick, underlined.
        Verdict::PassWithExceptions => {
            format!("M{} {}l2 3 4-6M{} {}h6", x - 3, y - 2, x - 3, y + 5)
        }
        // A question's diamond.
        Verdict::Inconclusive => format!("M{x} {}l4 4-4 4-4-4z", y - 4),
        // A cross.
        Verdict::Fail => format!("M{} {}l6 6m0-6l-6 6", x - 3, y - 3),
    }
}
