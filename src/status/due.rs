//! When the next run of a connection is due, and whether it is late.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::model::words;
use crate::schedule::{EARLY, RunSchedule, Schedule};

/// A due run may have started and not be committed yet for this long: the default of `RUN_DEADLINE`, and the start of a
/// pod.
const RUNNING: SignedDuration = SignedDuration::from_hours(1);

words! {
    /// Whether the next run is on time.
    DueState {
        /// The next run is due later.
        Scheduled = "scheduled",
        /// A run was due less than an hour ago. It may be running.
        Now = "now",
        /// One due run was not committed.
        Late = "late",
        /// At least two due runs were not committed.
        Missing = "missing",
        /// The newest result is older than the given limit.
        TooOld = "too_old",
        /// The newest run is dated after this machine's clock, so its age is unknown.
        InFuture = "in_future",
        /// The evidence records no usable schedule.
        Unknown = "unknown",
    }
}

impl DueState {
    pub fn is_overdue(self) -> bool {
        match self {
            Self::Late | Self::Missing | Self::TooOld | Self::InFuture => true,
            Self::Scheduled | Self::Now | Self::Unknown => false,
        }
    }
}

/// The next run of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    pub state: DueState,
    /// When the next run is due, or the first one that was not committed. With `too_old`: when the limit passed. With
    /// `in_future`: the date of the newest run.
    pub at: Option<Timestamp>,
    /// Why it is unknown.
    pub reason: Option<String>,
}

impl Due {
    fn at(state: DueState, at: Timestamp) -> Self {
        Self {
            state,
            at: Some(at),
            reason: None,
        }
    }

    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self {
            state: DueState::Unknown,
            at: None,
            reason: Some(reason.into()),
        }
    }

    /// None if the newest result is not too old.
    pub(super) fn of_age(
        judged_at: Option<Timestamp>,
        max_age: Duration,
        now: Timestamp,
    ) -> Option<Self> {
        let limit = judged_at?.checked_add(max_age).ok()?;
        (limit < now).then(|| Self::at(DueState::TooOld, limit))
    }

    /// By the recorded schedule. `started` is the start of the newest run, judged or failed.
    pub(super) fn scheduled(
        started: Option<Timestamp>,
        schedule: Option<&RunSchedule>,
        now: Timestamp,
    ) -> Self {
        let Some(started) = started else {
            return Self::unknown("no run yet");
        };
        if started > now + EARLY {
            return Self::at(DueState::InFuture, started);
        }
        let Some(recorded) = schedule else {
            return Self::unknown("no schedule recorded");
        };
        let schedule = match recorded.parse() {
            Ok(schedule) => schedule,
            Err(wrong) => {
                return Self::unknown(format!("the recorded schedule `{recorded}` {wrong}"));
            }
        };
        let (first, second) = next_two(&schedule, started);
        let has_passed = |at: Option<Timestamp>| at.is_some_and(|at| at + RUNNING <= now);
        match first {
            None => Self::unknown("the recorded schedule has no later instant"),
            Some(first) if first > now => Self::at(DueState::Scheduled, first),
            Some(first) if !has_passed(Some(first)) => Self::at(DueState::Now, first),
            Some(first) if !has_passed(second) => Self::at(DueState::Late, first),
            Some(first) => Self::at(DueState::Missing, first),
        }
    }
}

/// The next two instants after a run that started at `started`. A run may begin a little before its own instant.
fn next_two(schedule: &Schedule, started: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let after = started + EARLY;
    // Most schedules have two instants within two days. The longest time between two is that of 29 February.
    let mut instants = Vec::new();
    for days in [2, 32, 366, 9 * 366] {
        let until = after + SignedDuration::from_hours(24 * days);
        instants = schedule.between(after + SignedDuration::from_nanos(1), until);
        if instants.len() > 1 {
            break;
        }
    }
    (instants.first().copied(), instants.get(1).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn due(cron: &str, started: &str, now: &str) -> (DueState, String) {
        let schedule = RunSchedule {
            cron: cron.to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let due = Due::scheduled(Some(at(started)), Some(&schedule), at(now));
        (
            due.state,
            due.at.map_or_else(String::new, |at| at.to_string()),
        )
    }

    #[test]
    fn the_next_run_is_due_at_the_next_instant_of_the_schedule() {
        let next = |started, now| due("40 23 * * *", started, now);
        let tomorrow = (DueState::Scheduled, "2026-11-24T22:40:00Z".to_owned());
        let now = "2026-11-24T12:00:00Z";
        // On time, a little early, and hours late.
        for started in [
            "2026-11-23T22:40:00Z",
            "2026-11-23T22:36:00Z",
            "2026-11-24T09:00:00Z",
        ] {
            assert_eq!(next(started, now), tomorrow, "{started}");
        }
        // A run by hand in the evening does not replace the scheduled one.
        let by_hand = next("2026-11-23T20:00:00Z", "2026-11-23T21:00:00Z");
        assert_eq!(
            by_hand,
            (DueState::Scheduled, "2026-11-23T22:40:00Z".to_owned())
        );
        let leap = due("0 4 29 2 *", "2024-02-29T03:00:00Z", now);
        assert_eq!(
            leap,
            (DueState::Scheduled, "2028-02-29T03:00:00Z".to_owned())
        );
    }

    #[test]
    fn a_due_run_is_late_after_an_hour_and_missing_at_the_next_one() {
        let state = |now| due("40 23 * * *", "2026-11-23T22:40:00Z", now);
        let first = "2026-11-24T22:40:00Z".to_owned();
        for (now, expected) in [
            ("2026-11-24T22:39:59Z", DueState::Scheduled),
            ("2026-11-24T22:40:00Z", DueState::Now),
            ("2026-11-24T23:39:59Z", DueState::Now),
            ("2026-11-24T23:40:00Z", DueState::Late),
            ("2026-11-25T23:39:59Z", DueState::Late),
            ("2026-11-25T23:40:00Z", DueState::Missing),
            ("2031-11-25T23:40:00Z", DueState::Missing),
        ] {
            assert_eq!(state(now), (expected, first.clone()), "{now}");
        }
        // Two runs an hour apart: the second may still be running.
        let pair = due(
            "30 0,23 * * *",
            "2026-11-23T22:30:00Z",
            "2026-11-24T00:29:00Z",
        );
        assert_eq!(pair.0, DueState::Now);
    }

    #[test]
    fn a_schedule_that_cannot_be_used_is_unknown_with_the_reason() {
        let now = at("2026-11-24T12:00:00Z");
        let started = Some(at("2026-11-23T22:40:00Z"));
        let odd = RunSchedule {
            cron: "40 25 * * *".to_owned(),
            zone: "Etc/UTC".to_owned(),
        };
        for (started, schedule, why) in [
            (None, None, "no run"),
            (started, None, "no schedule"),
            (started, Some(&odd), "40 25"),
        ] {
            let due = Due::scheduled(started, schedule, now);
            assert_eq!(due.state, DueState::Unknown);
            assert!(
                due.reason.is_some_and(|reason| reason.contains(why)),
                "{why}"
            );
        }
    }

    #[test]
    fn a_result_of_the_future_is_overdue_and_not_fresh() {
        let now = "2026-11-24T12:00:00Z";
        let (state, _) = due("40 23 * * *", "2026-11-24T12:06:00Z", now);
        assert_eq!(state, DueState::InFuture);
        assert!(state.is_overdue());
        let (state, _) = due("40 23 * * *", "2026-11-24T12:04:00Z", now);
        assert_eq!(state, DueState::Scheduled);
    }

    #[test]
    fn a_limit_applies_to_the_newest_result() {
        let day = Duration::from_secs(24 * 3600);
        let now = at("2026-11-24T12:00:00Z");
        let of_age = |judged: &str| Due::of_age(Some(at(judged)), day, now);
        assert_eq!(of_age("2026-11-23T12:00:00Z"), None);
        let due = of_age("2026-11-23T11:59:59Z").expect("too old");
        assert_eq!(
            (due.state, due.at),
            (DueState::TooOld, Some(at("2026-11-24T11:59:59Z")))
        );
        assert_eq!(Due::of_age(None, day, now), None);
    }
}
