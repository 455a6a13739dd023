//! Whether the schedule leaves a run between the end of work and its deadline: only such a run can prove
//! that access ended in time.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{Line, Settings, Subject};
use crate::schedule::Schedule;

/// A year of days, with every clock that is set.
const DAYS: i64 = 366;

pub(super) fn check(settings: &Settings, as_of: Timestamp) -> Line {
    let subject = Subject::Schedule;
    let Some(schedule) = &settings.schedule else {
        let text = "not told: give the job's schedule, as --schedule \"40 23 * * *\"";
        return Line::skipped(subject, text);
    };
    let policy = &settings.run.policy;
    let grace = SignedDuration::from_secs(policy.offboarding_grace_seconds);
    let Ok(zone) = TimeZone::get(&policy.hr_time_zone) else {
        return Line::skipped(subject, "the zone of HR's dates is not known");
    };
    if grace.is_zero() {
        let text = "OFFBOARDING_GRACE is 0: no run falls between the end of work and its deadline, so \
                    that removal in time is never proven";
        return Line::warn(subject, text);
    }
    match first_without_a_run(schedule, &zone, grace, as_of) {
        None => Line::ok(
            subject,
            "on every day of the next year a run falls between the end of work and its deadline",
        ),
        Some(end) => {
            let local = zone.to_datetime(end).strftime("%Y-%m-%d %H:%M");
            let text = format!(
                "no run falls between work that ends at {local} ({}) and its deadline {} h later: \
                 removal in time would not be proven",
                policy.hr_time_zone,
                grace.as_hours()
            );
            let hint = "run at least once within the grace, best shortly before midnight in the zone of \
                        HR's dates";
            Line::warn(subject, text).hint(Some(hint))
        }
    }
}

/// Work ends with the midnight that closes a day: the first such end that no run follows in time.
fn first_without_a_run(
    schedule: &Schedule,
    zone: &TimeZone,
    grace: SignedDuration,
    as_of: Timestamp,
) -> Option<Timestamp> {
    let first = zone.to_datetime(as_of).date();
    let last = as_of + SignedDuration::from_hours(24 * (DAYS + 1)) + grace;
    let runs = schedule.between(as_of, last);
    (1..=DAYS).find_map(|day| {
        let midnight = first.checked_add(day.days()).ok()?;
        let end = zone
            .to_timestamp(midnight.to_datetime(Time::midnight()))
            .ok()?;
        let next = runs.get(runs.partition_point(|run| *run <= end));
        match next {
            Some(run) if *run <= end + grace => None,
            _ => Some(end),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Pattern;

    fn first(pattern: &str, zone: &str, grace_hours: i64) -> Option<String> {
        let pattern = Pattern::parse(pattern).expect("a schedule");
        let schedule = pattern.in_zone(zone).expect("a zone");
        let zone = TimeZone::get(zone).expect("a zone");
        let as_of: Timestamp = "2026-11-25T12:00:00Z".parse().expect("an instant");
        let grace = SignedDuration::from_hours(grace_hours);
        let end = first_without_a_run(&schedule, &zone, grace, as_of);
        end.map(|end| end.to_string())
    }

    #[test]
    fn the_usual_schedule_leaves_a_run_before_every_deadline() {
        assert_eq!(first("40 23 * * *", "Europe/Berlin", 24), None);
        assert_eq!(first("40 23 * * *", "America/New_York", 24), None);
    }

    #[test]
    fn nights_that_are_left_out_are_found() {
        // Work that ends on a Friday, with the midnight to Saturday 2026-11-28 in Berlin.
        let weekdays = first("40 23 * * 1-5", "Europe/Berlin", 24);
        assert_eq!(weekdays.as_deref(), Some("2026-11-27T23:00:00Z"));
        assert_eq!(first("40 23 * * 1-5", "Europe/Berlin", 72), None);
    }

    #[test]
    fn a_grace_shorter_than_the_time_to_the_run_is_found() {
        assert!(first("40 23 * * *", "Etc/UTC", 23).is_some());
        assert_eq!(first("40 22 * * *", "Etc/UTC", 23), None);
    }
}
