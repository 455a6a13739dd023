//! Whether the schedule leaves a run between the end of work and its deadline: only such a run can prove
//! that access ended in time.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{Line, Settings, Subject};
use crate::schedule::Schedule;

/// A year of days, with every clock that is set.
const DAYS: i64 = 366;

/// So many such days a year are told, and nothing is wrong with the schedule.
const FEW: usize = 2;

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
    let without = without_a_run(schedule, &zone, grace, as_of);
    let told = |end: &Timestamp| {
        let local = zone.to_datetime(*end);
        local.strftime("%Y-%m-%d %H:%M").to_string()
    };
    let zone_name = &policy.hr_time_zone;
    match without.as_slice() {
        [] => Line::ok(
            subject,
            "on every day of the next year a run falls between the end of work and its deadline",
        ),
        // A day on which a clock is set back is longer than a grace of 24 hours.
        few if few.len() <= FEW => {
            let days: Vec<String> = few.iter().map(told).collect();
            let days = days.join(" and ");
            Line::ok(
                subject,
                format!(
                    "a run falls between the end of work and its deadline on every day of the next \
                     year, but for work that ends at {days} ({zone_name})"
                ),
            )
        }
        [first, ..] => {
            let (days, hours) = (without.len(), grace.as_hours());
            let text = format!(
                "on {days} days of the next year no run falls between the end of work and its \
                 deadline {hours} h later, first for work that ends at {} ({zone_name}): removal in \
                 time would not be proven",
                told(first)
            );
            let hint = "run at least once within the grace, best shortly before midnight in the zone of \
                        HR's dates";
            Line::warn(subject, text).hint(Some(hint))
        }
    }
}

/// Work ends with the midnight that closes a day: every such end that no run follows in time.
fn without_a_run(
    schedule: &Schedule,
    zone: &TimeZone,
    grace: SignedDuration,
    as_of: Timestamp,
) -> Vec<Timestamp> {
    let first = zone.to_datetime(as_of).date();
    let last = as_of + SignedDuration::from_hours(24 * (DAYS + 1)) + grace;
    let runs = schedule.between(as_of, last);
    let ends = (1..=DAYS).filter_map(|day| {
        let midnight = first.checked_add(day.days()).ok()?;
        let midnight = midnight.to_datetime(Time::midnight());
        zone.to_timestamp(midnight).ok()
    });
    let is_followed = |end: &Timestamp| {
        let next = runs.get(runs.partition_point(|run| run <= end));
        next.is_some_and(|run| *run <= *end + grace)
    };
    ends.filter(|end| !is_followed(end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Pattern;

    fn without(pattern: &str, zone: &str, grace_hours: i64) -> Vec<String> {
        let pattern = Pattern::parse(pattern).expect("a schedule");
        let schedule = pattern.in_zone(zone).expect("a zone");
        let zone = TimeZone::get(zone).expect("a zone");
        let as_of: Timestamp = "2026-11-25T12:00:00Z".parse().expect("an instant");
        let grace = SignedDuration::from_hours(grace_hours);
        let ends = without_a_run(&schedule, &zone, grace, as_of);
        ends.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_usual_schedule_leaves_a_run_before_every_deadline() {
        assert_eq!(without("40 23 * * *", "Etc/UTC", 24), [""; 0]);
        assert_eq!(without("40 23 * * *", "Europe/Berlin", 25), [""; 0]);
    }

    #[test]
    fn a_day_on_which_a_clock_is_set_back_is_longer_than_a_grace_of_24_hours() {
        let berlin = without("40 23 * * *", "Europe/Berlin", 24);
        assert_eq!(berlin, ["2027-10-30T22:00:00Z"]);
        let new_york = without("40 23 * * *", "America/New_York", 24);
        assert_eq!(new_york, ["2027-11-07T04:00:00Z"]);
    }

    #[test]
    fn nights_that_are_left_out_are_found() {
        // Work that ends on a Friday, with the midnight to Saturday 2026-11-28 in Berlin.
        let weekdays = without("40 23 * * 1-5", "Europe/Berlin", 24);
        assert_eq!(
            weekdays.first().map(String::as_str),
            Some("2026-11-27T23:00:00Z")
        );
        assert!(weekdays.len() > 100, "{}", weekdays.len());
        assert_eq!(without("40 23 * * 1-5", "Europe/Berlin", 73), [""; 0]);
    }

    #[test]
    fn a_grace_shorter_than_the_time_to_the_run_is_found() {
        assert_eq!(without("40 23 * * *", "Etc/UTC", 23).len(), 366);
        assert_eq!(without("40 22 * * *", "Etc/UTC", 23), [""; 0]);
    }
}
