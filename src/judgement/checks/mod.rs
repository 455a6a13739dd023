//! What is looked at before anything is concluded, each check with its numbers.
//!
//! `accounts` looks at the accounts and at how they were read, `feed` at what HR says, `past` at earlier
//! runs, `store` at how evidence is kept. A fall is measured here, for accounts and HR rows alike.

mod accounts;
mod feed;
mod past;
mod store;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::directives::Covered;
use super::remedies::{Key, Remedy};
use super::uses::Uses;
use super::{Basis, Check, CheckId, CheckStatus, Inputs, TrendPoint};

pub use accounts::is_tolerable;
pub(super) use accounts::of_the_accounts;
pub(super) use feed::{hr_identities, of_the_feed, rows_with_people};
pub use past::ScheduleGaps;
pub(super) use past::of_the_past;
pub(super) use store::of_the_store;

/// A fall of fewer than this many is not a collapse, whatever its percentage.
const SMALLEST_DROP: u64 = 5;

/// A fall is measured against the largest number of the complete runs of so many days.
const DROP_DAYS: i64 = 7;

pub(super) fn check(id: CheckId, status: CheckStatus, detail: impl Into<String>) -> Check {
    Check {
        id,
        status,
        detail: detail.into(),
        numbers: BTreeMap::new(),
    }
}

pub(super) fn with(mut check: Check, numbers: Value) -> Check {
    if let Value::Object(numbers) = numbers {
        check.numbers = numbers.into_iter().collect();
    }
    check
}

/// Whether absence from the list may be taken as removal.
pub(super) fn make_complete(checks: &[Check]) -> bool {
    checks
        .iter()
        .all(|check| !check.id.makes_complete() || check.status != CheckStatus::Fail)
}

/// What a check saw that would fail it, were it not for exceptions.
fn accepted(detail: &str, exceptions: &str) -> String {
    format!("{detail}; accepted by {exceptions}")
}

/// A collapse: by more than the percentage, and by enough to be more than a few people.
fn collapsed(now: u64, largest: u64, max_drop_percent: u32) -> bool {
    let fall = largest.saturating_sub(now);
    fall >= SMALLEST_DROP && fall * 100 > largest * u64::from(max_drop_percent)
}

/// Compares a number with that of complete runs, the newest first.
fn drop(
    basis: &Basis<'_>,
    id: CheckId,
    now: u64,
    runs: impl Iterator<Item = (Timestamp, u64)>,
    uses: &mut Uses,
) -> Check {
    let mut runs = runs.peekable();
    let Some((_, newest)) = runs.peek().copied() else {
        return check(id, CheckStatus::Pass, "no complete run to compare with");
    };
    let as_of = basis.inputs.as_of;
    let window = SignedDuration::from_hours(24 * DROP_DAYS);
    let in_window = runs.filter(|(run, _)| as_of.duration_since(*run) <= window);
    let (largest, seen) = match in_window.map(|(_, number)| number).max() {
        Some(largest) => (
            largest,
            format!(
                "{now} now, a high of {largest} in the complete runs of the last {DROP_DAYS} days"
            ),
        ),
        None => (
            newest,
            format!(
                "{now} now, {newest} in the last complete run, which is more than {DROP_DAYS} days old"
            ),
        ),
    };
    let percent = basis.inputs.policy.max_drop_percent;
    let fall = largest.saturating_sub(now);
    let (status, detail) = if collapsed(now, largest, percent) {
        let detail = format!(
            "{seen}: fell by {fall} ({}), more than {percent} %",
            percent_of(fall, largest)
        );
        match basis.directives.covers(Covered::Check(id), None, uses) {
            Some(exception) => (CheckStatus::Warn, accepted(&detail, &exception.in_short())),
            None => {
                let line = Remedy::Check(id.as_str()).line(Key::None);
                (
                    CheckStatus::Fail,
                    format!("{detail}; closes with: `{line}`"),
                )
            }
        }
    } else {
        let detail = match fall {
            0 => format!("{seen}: did not fall"),
            _ => format!(
                "{seen}: fell by {fall} ({}); the check fails only at more than {percent} % and at least {SMALLEST_DROP}",
                percent_of(fall, largest)
            ),
        };
        (CheckStatus::Pass, detail)
    };
    with(
        check(id, status, detail),
        json!({ "now": now, "largest": largest, "fall": fall }),
    )
}

/// `72 %`, or `30.1 %`: rounded up, so that what is more than a whole number never looks like it.
fn percent_of(part: u64, whole: u64) -> String {
    let tenths = (1000 * part).div_ceil(whole.max(1));
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        tenth => format!("{}.{tenth} %", tenths / 10),
    }
}

/// The complete runs, the newest first: a fall is measured against some of them.
fn complete_runs(inputs: &Inputs) -> impl Iterator<Item = &TrendPoint> {
    let trend = inputs
        .past
        .previous
        .as_ref()
        .map_or(&[][..], |previous| &previous.trend);
    trend.iter().rev().filter(|snapshot| snapshot.complete)
}
