//! The checks of a run, each with its numbers.
//!
//! `accounts` checks the accounts and how they were read, `feed` the HR feed, `past` earlier runs, and `store` how the
//! evidence is kept. This file measures a fall, for accounts and for HR rows.

mod accounts;
mod feed;
mod past;
mod store;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::manual::Covered;
use super::remedies::{CLOSES_WITH, Key, Remedy};
use super::uses::Uses;
use super::{Basis, Check, CheckId, CheckStatus, TrendPoint};

pub use accounts::is_tolerable;
pub(super) use accounts::of_the_accounts;
pub(super) use feed::{of_the_feed, rows_with_people};
pub use past::ScheduleGaps;
pub(super) use past::of_the_past;
pub(super) use store::of_the_store;

/// A smaller fall passes, whatever its percentage.
const SMALLEST_DROP: u64 = 5;

/// A fall is measured against the largest number in the complete runs of the last days.
const DROP_DAYS: i64 = 7;

impl CheckId {
    pub(super) fn pass(self, detail: impl Into<String>) -> Check {
        self.ended(CheckStatus::Pass, detail)
    }

    pub(super) fn warn(self, detail: impl Into<String>) -> Check {
        self.ended(CheckStatus::Warn, detail)
    }

    pub(super) fn fail(self, detail: impl Into<String>) -> Check {
        self.ended(CheckStatus::Fail, detail)
    }

    fn ended(self, status: CheckStatus, detail: impl Into<String>) -> Check {
        Check {
            id: self,
            status,
            detail: detail.into(),
            numbers: BTreeMap::new(),
        }
    }
}

impl Check {
    /// Sets the numbers from a JSON object.
    pub(super) fn with(mut self, numbers: Value) -> Self {
        if let Value::Object(numbers) = numbers {
            self.numbers = numbers.into_iter().collect();
        }
        self
    }
}

/// Whether absence from the list may be taken as removal.
pub(super) fn make_complete(checks: &[Check]) -> bool {
    checks
        .iter()
        .all(|check| !check.id.makes_complete() || check.status != CheckStatus::Fail)
}

/// The detail of a check that would fail without exceptions.
fn accepted(detail: &str, exceptions: &str) -> String {
    format!("{detail}; accepted by {exceptions}")
}

/// Compares a number with that of complete runs. The check fails if the fall is more than `MAX_DROP_PERCENT` and at
/// least [`SMALLEST_DROP`].
fn drop(
    basis: &Basis<'_>,
    id: CheckId,
    now: u64,
    number: impl Fn(&TrendPoint) -> u64,
    uses: &mut Uses,
) -> Check {
    let inputs = basis.inputs;
    let previous = inputs.past.previous.iter();
    let newest_first = previous.flat_map(|previous| previous.trend.iter().rev());
    let complete = newest_first.filter(|run| run.complete);
    // A run without a readable feed does not show the size of the feed.
    let mut runs = complete.filter(|run| number(run) > 0).peekable();
    let Some(newest) = runs.peek().copied() else {
        return id.pass("no complete run to compare with");
    };
    let window = SignedDuration::from_hours(24 * DROP_DAYS);
    let in_window = runs.filter(|run| inputs.as_of.duration_since(run.as_of) <= window);
    let (largest, seen) = match in_window.map(&number).max() {
        Some(high) => {
            let seen =
                format!("a high of {high} in the complete runs of the last {DROP_DAYS} days");
            (high, seen)
        }
        None => {
            let is_old = format!("which is more than {DROP_DAYS} days old");
            let number = number(newest);
            (
                number,
                format!("{number} in the last complete run, {is_old}"),
            )
        }
    };
    let percent = inputs.policy.max_drop_percent;
    let fall = largest.saturating_sub(now);
    let fell = format!(
        "{now} now, {seen}: fell by {fall} ({})",
        percent_of(fall, largest)
    );
    let check = if fall == 0 {
        id.pass(format!("{now} now, {seen}: did not fall"))
    } else if fall < SMALLEST_DROP || fall * 100 <= largest * u64::from(percent) {
        id.pass(format!(
            "{fell}; the check fails only at more than {percent} % and at least {SMALLEST_DROP}"
        ))
    } else {
        let detail = format!("{fell}, more than {percent} %");
        match basis.manual.covers(Covered::Check(id), None, uses) {
            Some(exception) => id.warn(accepted(&detail, &exception.in_short())),
            None => {
                let line = Remedy::Check(id.as_str()).line(Key::None);
                id.fail(format!("{detail}{CLOSES_WITH}`{line}`"))
            }
        }
    };
    check.with(json!({ "now": now, "largest": largest, "fall": fall }))
}

/// `72 %`, or `30.1 %`: rounded up, so that a value above the limit never looks like the limit.
fn percent_of(part: u64, whole: u64) -> String {
    let tenths = (1000 * part).div_ceil(whole.max(1));
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        tenth => format!("{}.{tenth} %", tenths / 10),
    }
}
