//! The schedule of the job: a cron schedule in a time zone, as in a Kubernetes CronJob.

use std::collections::BTreeSet;
use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil};
use serde::{Deserialize, Serialize};

/// Two runs around a deadline are close if the time between them is at most this. Close runs show whether access ended
/// before or after the deadline.
pub const CLOSE_RUNS: SignedDuration = SignedDuration::from_hours(2);

/// A run may begin this much before its instant, because the clock of its node may be behind.
pub const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// The days of a year, which contains every weekday, every month and every clock change.
const DAYS: i64 = 366;

/// The job's own schedule, from `RUN_SCHEDULE` and `RUN_SCHEDULE_ZONE`. The evidence records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSchedule {
    /// Five fields, such as `30 0,23 * * *`.
    pub cron: String,
    /// A zone of the IANA database, such as `Europe/Berlin`.
    pub zone: String,
}

impl fmt::Display for RunSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cron, self.zone)
    }
}

impl RunSchedule {
    /// # Errors
    /// The end of a sentence about the cron expression or the zone: what is wrong, and what to write.
    pub fn parse(&self) -> Result<Schedule, String> {
        Pattern::parse(&self.cron)?.in_zone(&self.zone)
    }

    /// Whether a CronJob with this schedule gives this name to a Job that starts around `at`. A CronJob names its Jobs
    /// `<its name>-<minutes from 1970 to the scheduled instant>`. Only the newest instant counts.
    pub fn names_job(&self, job_name: &str, at: Timestamp) -> bool {
        let (Some(instant), Ok(schedule)) = (minutes_in_job_name(job_name), self.parse()) else {
            return false;
        };
        let year = SignedDuration::from_hours(DAYS * 24);
        let is_near = at - year <= instant && instant <= at + EARLY;
        is_near
            && !schedule.between(instant, instant).is_empty()
            && schedule.between(instant, at).len() <= 1
    }
}

/// The instant at the end of a Job's name. None if the name does not have the form that a CronJob gives.
pub fn minutes_in_job_name(job_name: &str) -> Option<Timestamp> {
    let (_, minutes) = job_name.rsplit_once('-')?;
    let is_number = minutes.len() == 8 && minutes.bytes().all(|byte| byte.is_ascii_digit());
    let minutes: i64 = is_number.then(|| minutes.parse().ok())??;
    Timestamp::from_second(minutes * 60).ok()
}

/// Scheduled runs that were not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingRuns {
    pub runs: u64,
    /// With a schedule, the instant at which the run was due.
    pub from: Timestamp,
    /// With a schedule, the next instant at which a run was due.
    pub to: Timestamp,
    /// `from` by the clock of the schedule's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
}

/// The runs that were due in the period, and the missing ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueRuns {
    pub from: Timestamp,
    pub to: Timestamp,
    /// How many runs were due. None with an interval.
    pub runs: Option<u64>,
    pub missing: Vec<MissingRuns>,
    /// With a schedule: every instant at which a run was due, in order, except those whose run may still start.
    #[serde(skip)]
    pub instants: Vec<DueInstant>,
    /// Due runs that have not started and may still start.
    pub may_still_start: u64,
    /// If the period ends with the last run: how many runs were due between that run and now. Else 0.
    pub after_last_run: u64,
}

/// An instant at which a run was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueInstant {
    pub at: Timestamp,
    /// `at` by the clock of the schedule's zone.
    pub local: Option<String>,
    /// The runs that started for it, in order. Empty if the run is missing.
    pub started: Vec<Timestamp>,
}

impl DueRuns {
    pub fn missing_runs(&self) -> u64 {
        self.missing.iter().map(|missing| missing.runs).sum()
    }
}

/// A cron schedule in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pattern: Pattern,
    zone: TimeZone,
}

/// The five fields of a cron schedule, without a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<Cron>);

impl Pattern {
    /// Parses minute, hour, day of month, month and day of week, or a name such as `@daily`.
    ///
    /// # Errors
    /// The end of a sentence: what is wrong, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let fields: Vec<&str> = text.split_whitespace().collect();
        if let [_, _, day, _, weekday] = fields[..]
            && (day.contains(['L', 'l', 'W', 'w']) || weekday.contains(['L', 'l', '#']))
        {
            return Err(format!(
                "is a schedule that Kubernetes does not support (`{day}`, `{weekday}`): write five fields without L, W \
                 and #, such as \"30 0,23 * * *\""
            ));
        }
        // Kubernetes accepts this name, but croner does not.
        let text = match text.trim().eq_ignore_ascii_case("@midnight") {
            true => "@daily",
            false => text,
        };
        let cron = parser.parse(text).map_err(|error| {
            format!(
                "is not a cron schedule ({error}): write five fields, such as \"30 0,23 * * *\""
            )
        })?;
        let pattern = Self(Box::new(cron));
        // More than eight years, with leap days.
        let days = civil::date(2000, 1, 1).series(1.day()).take(9 * 366);
        match days.into_iter().any(|day| pattern.is_on(day)) {
            true => Ok(pattern),
            false => Err(
                "has only days that no month has, so no run would ever start: correct the day of the month".to_owned(),
            ),
        }
    }

    fn is_on(&self, day: civil::Date) -> bool {
        use croner::Weekday;
        let (year, month) = (i32::from(day.year()), day.month().unsigned_abs().into());
        let weekday = match day.weekday() {
            civil::Weekday::Sunday => Weekday::Sunday,
            civil::Weekday::Monday => Weekday::Monday,
            civil::Weekday::Tuesday => Weekday::Tuesday,
            civil::Weekday::Wednesday => Weekday::Wednesday,
            civil::Weekday::Thursday => Weekday::Thursday,
            civil::Weekday::Friday => Weekday::Friday,
            civil::Weekday::Saturday => Weekday::Saturday,
        };
        let fields = &self.0.pattern;
        let day = day.day().unsigned_abs().into();
        fields.month_match(month).unwrap_or_default()
            && fields
                .day_match(year, month, day, weekday)
                .unwrap_or_default()
    }

    /// The schedule in a zone of the IANA database.
    ///
    /// # Errors
    /// If the zone does not exist. The text has an example of a zone.
    pub fn in_zone(self, zone: &str) -> Result<Schedule, String> {
        let zone = TimeZone::get(zone).map_err(|_| {
            format!("the time zone `{zone}` does not exist: write one such as Europe/Berlin")
        })?;
        let pattern = self;
        Ok(Schedule { pattern, zone })
    }
}

impl Schedule {
    /// The scheduled instants from `from` to `to`, both included, in order.
    ///
    /// A time that a clock change skips gives no instant, and a time that comes twice gives only the first: the
    /// scheduler starts no run for the one, and one run for the other.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let fields = &self.pattern.0.pattern;
        let (hours, minutes) = (fields.hours.values(), fields.minutes.values());
        let last = self.zone.to_datetime(to).date();
        let first = self.zone.to_datetime(from).date();
        let days = first.series(1.day()).take_while(|day| *day <= last);
        let mut instants = Vec::new();
        for day in days.filter(|day| self.pattern.is_on(*day)) {
            let times = hours
                .iter()
                .flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
            let of_day = times.filter_map(|(hour, minute)| self.instant(day, hour, minute));
            instants.extend(of_day.filter(|at| (from..=to).contains(at)));
        }
        // Around a clock change, the order of instants may differ from that of local times.
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    fn instant(&self, day: civil::Date, hour: u16, minute: u16) -> Option<Timestamp> {
        let time = civil::Time::new(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()?;
        let ambiguous = self.zone.to_ambiguous_timestamp(day.to_datetime(time));
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => None,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                ambiguous.earlier().ok()
            }
        }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The deadlines in `zone`, in the year before `until`, that have no close runs around them. Of two close runs, one
    /// is before the deadline, and one is at or after it.
    ///
    /// The year is a past one, because rules for future clock changes may change and `verify` recomputes the result
    /// later.
    pub fn without_close_runs(
        &self,
        zone: &TimeZone,
        grace: SignedDuration,
        until: Timestamp,
    ) -> Vec<Timestamp> {
        let mut deadlines = self.deadlines(zone, grace, until);
        let Some(first) = deadlines.first() else {
            return deadlines;
        };
        let runs = self.between(*first - CLOSE_RUNS, until + CLOSE_RUNS);
        deadlines.retain(|deadline| {
            let after = runs.partition_point(|run| run < deadline);
            let around = after
                .checked_sub(1)
                .and_then(|before| Some(runs.get(after)?.duration_since(runs[before])));
            around.is_none_or(|between| between > CLOSE_RUNS)
        });
        deadlines
    }

    /// A cron schedule in the same zone that has two close runs around each deadline in these zones.
    pub fn with_close_runs<'a>(
        &self,
        zones: impl IntoIterator<Item = &'a TimeZone>,
        grace: SignedDuration,
        until: Timestamp,
    ) -> String {
        let hours: BTreeSet<i8> = zones
            .into_iter()
            .flat_map(|zone| self.deadlines(zone, grace, until))
            .flat_map(|deadline| {
                // One run at the last half hour before the deadline, and one an hour later.
                let local = self
                    .zone
                    .to_datetime(deadline - SignedDuration::from_nanos(1));
                let before = match local.minute() >= 30 {
                    true => local.hour(),
                    false => (local.hour() + 23) % 24,
                };
                [before, (before + 1) % 24]
            })
            .collect();
        let hours: Vec<String> = hours.iter().map(ToString::to_string).collect();
        format!("30 {} * * *", hours.join(","))
    }

    /// The deadlines of the days that ended in the year before `until`, in order.
    ///
    /// This omits deadlines near a clock change: the grace then ends an hour earlier or later in local time, or the
    /// schedule skips a run.
    fn deadlines(
        &self,
        zone: &TimeZone,
        grace: SignedDuration,
        until: Timestamp,
    ) -> Vec<Timestamp> {
        let last = zone.to_datetime(until - grace).date();
        let days = (0..DAYS).rev().filter_map(|day| {
            let midnight = last.checked_sub(day.days()).ok()?;
            zone.to_timestamp(midnight.to_datetime(civil::Time::midnight()))
                .ok()
        });
        let keeps_clock = |zone: &TimeZone, from: Timestamp, to: Timestamp| {
            zone.to_offset(from) == zone.to_offset(to)
        };
        days.filter_map(|midnight| {
            let deadline = midnight + grace;
            let same = keeps_clock(zone, midnight - SignedDuration::from_secs(1), deadline)
                && keeps_clock(&self.zone, deadline - CLOSE_RUNS, deadline + CLOSE_RUNS);
            same.then_some(deadline)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(pattern: &str, zone: &str) -> Schedule {
        let pattern = Pattern::parse(pattern).expect("a schedule");
        pattern.in_zone(zone).expect("a zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn between(pattern: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
        let instants = schedule(pattern, zone).between(at(from), at(to));
        instants.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_schedule_keeps_to_the_clock_of_its_zone() {
        // Clocks in Berlin go back on 25 October 2026.
        assert_eq!(
            between(
                "40 23 * * *",
                "Europe/Berlin",
                "2026-10-24T00:00:00Z",
                "2026-10-26T23:59:00Z"
            ),
            [
                "2026-10-24T21:40:00Z",
                "2026-10-25T22:40:00Z",
                "2026-10-26T22:40:00Z"
            ]
        );
    }

    #[test]
    fn a_skipped_time_is_no_instant_and_a_repeated_one_counts_once() {
        // 02:30 on 29 March 2026 does not exist in Berlin.
        assert_eq!(
            between(
                "30 2 * * *",
                "Europe/Berlin",
                "2026-03-28T00:00:00Z",
                "2026-03-30T12:00:00Z"
            ),
            ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        // 02:30 on 25 October comes twice: 00:30 and 01:30 in UTC.
        assert_eq!(
            between(
                "30 2 * * *",
                "Europe/Berlin",
                "2026-10-24T12:00:00Z",
                "2026-10-26T12:00:00Z"
            ),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        // In Cairo, 24 April 2026 begins at 01:00.
        assert_eq!(
            between(
                "30 0 * * *",
                "Africa/Cairo",
                "2026-04-23T00:00:00Z",
                "2026-04-25T12:00:00Z"
            ),
            ["2026-04-24T21:30:00Z"]
        );
    }

    #[test]
    fn days_of_month_and_week_are_those_of_cron() {
        let from = ("2026-11-20T00:00:00Z", "2026-12-02T00:00:00Z");
        // If both are given, a day that matches either one counts.
        assert_eq!(
            between("0 4 1 * MON", "Etc/UTC", from.0, from.1),
            [
                "2026-11-23T04:00:00Z",
                "2026-11-30T04:00:00Z",
                "2026-12-01T04:00:00Z"
            ]
        );
        assert_eq!(
            between("0 4 * 11 6-7", "Etc/UTC", from.0, from.1),
            [
                "2026-11-21T04:00:00Z",
                "2026-11-22T04:00:00Z",
                "2026-11-28T04:00:00Z",
                "2026-11-29T04:00:00Z"
            ]
        );
        assert_eq!(between("@hourly", "Etc/UTC", from.0, from.1).len(), 289);
        assert_eq!(between("@midnight", "Etc/UTC", from.0, from.1).len(), 13);
    }

    fn without(pattern: &str, zone: &str, deadlines_in: &str, grace_hours: i64) -> usize {
        let deadlines_in = TimeZone::get(deadlines_in).expect("a zone");
        let grace = SignedDuration::from_hours(grace_hours);
        let until = at("2026-11-25T12:00:00Z");
        let schedule = schedule(pattern, zone);
        schedule
            .without_close_runs(&deadlines_in, grace, until)
            .len()
    }

    #[test]
    fn runs_around_midnight_are_close_to_deadlines_of_whole_days() {
        for zone in ["Etc/UTC", "Europe/Berlin", "Asia/Kathmandu", "Africa/Cairo"] {
            for grace in [0, 24, 48, 14 * 24] {
                assert_eq!(without("30 0,23 * * *", zone, zone, grace), 0, "{zone}");
            }
        }
    }

    #[test]
    fn one_run_a_day_gives_no_deadline_close_runs() {
        assert_eq!(without("40 23 * * *", "Etc/UTC", "Etc/UTC", 24), 366);
        assert_eq!(without("30 0,23 * * *", "Etc/UTC", "Etc/UTC", 4), 366);
        // Two hours are close, more are not. A run at the deadline counts as one after it.
        assert_eq!(without("0 1,23 * * *", "Etc/UTC", "Etc/UTC", 24), 0);
        assert_eq!(without("0 1,22 * * *", "Etc/UTC", "Etc/UTC", 24), 366);
        assert_eq!(without("0 0,22 * * *", "Etc/UTC", "Etc/UTC", 24), 0);
    }

    #[test]
    fn days_without_a_run_are_found() {
        // The deadlines between Friday and Monday lack one of the two runs.
        let on_weekdays = without("30 0,23 * * 1-5", "Etc/UTC", "Etc/UTC", 24);
        assert!((104..=157).contains(&on_weekdays), "{on_weekdays}");
    }

    #[test]
    fn the_proposed_schedule_has_close_runs_around_every_deadline() {
        let all = [
            "Europe/Berlin",
            "America/New_York",
            "Asia/Tokyo",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Pacific/Auckland",
        ];
        let until = at("2026-11-25T12:00:00Z");
        let zone = |name: &str| TimeZone::get(name).expect("a zone");
        for grace_hours in [0, 4, 24, 30, 72] {
            let grace = SignedDuration::from_hours(grace_hours);
            for own in all {
                let zones = all.map(zone);
                let nightly = schedule("40 23 * * *", own);
                let proposed = nightly.with_close_runs(&zones, grace, until);
                for zone in all {
                    let missing = without(&proposed, own, zone, grace_hours);
                    assert_eq!(
                        missing, 0,
                        "{proposed} in {own}, for {zone}, {grace_hours} h"
                    );
                }
            }
        }
        let day = SignedDuration::from_hours(24);
        let in_berlin = schedule("40 23 * * *", "Europe/Berlin");
        let proposed = |zones: &[&str]| {
            let zones: Vec<TimeZone> = zones.iter().map(|name| zone(name)).collect();
            in_berlin.with_close_runs(&zones, day, until)
        };
        assert_eq!(proposed(&["Europe/Berlin"]), "30 0,23 * * *");
        // Midnight in New York is 06:00 in Berlin, or 05:00 while only one of the two has changed its clock.
        let two = proposed(&["Europe/Berlin", "America/New_York"]);
        assert_eq!(two, "30 0,4,5,6,23 * * *");
        let three = proposed(&["Europe/Berlin", "Asia/Kolkata"]);
        assert_eq!(three, "30 0,18,19,20,23 * * *");
    }

    #[test]
    fn the_name_of_a_job_shows_whether_its_cronjob_started_it() {
        let schedule = RunSchedule {
            cron: "30 0,23 * * *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let scheduled = at("2026-11-23T22:30:00Z");
        let minutes = scheduled.as_second() / 60;
        let own = format!("asana-access-review-{minutes}");
        // The name counts from a little before its instant until the next one.
        for (seconds, names) in [
            (-301, false),
            (-300, true),
            (4, true),
            (3599, true),
            (3600, false),
        ] {
            let started = scheduled + SignedDuration::from_secs(seconds);
            assert_eq!(schedule.names_job(&own, started), names, "{seconds}");
        }
        for other in [
            format!("asana-access-review-{}", minutes + 1),
            format!("asana-access-review-{}", scheduled.as_second()),
            format!("asana-access-review-0{minutes}"),
            "asana-access-review-manual-x7k2p".to_owned(),
            minutes.to_string(),
            "asana-access-review-10000030".to_owned(),
            "asana-access-review-99999990".to_owned(),
        ] {
            assert!(!schedule.names_job(&other, scheduled), "{other}");
        }
    }

    #[test]
    fn a_wrong_schedule_is_refused_with_an_example() {
        for text in [
            "",
            "24",
            "* * * *",
            "0 40 23 * * *",
            "61 23 * * *",
            "40 23 31 2",
        ] {
            let wrong = Pattern::parse(text).expect_err(text);
            assert!(wrong.contains("write five fields"), "{text}: {wrong}");
        }
        for text in ["0 0 L * *", "0 0 15W * *", "0 0 * * 5#2", "0 0 * * 5L"] {
            let wrong = Pattern::parse(text).expect_err(text);
            assert!(wrong.contains("Kubernetes"), "{text}: {wrong}");
        }
        for text in ["0 0 31 2 *", "0 0 30 FEB *"] {
            let wrong = Pattern::parse(text).expect_err(text);
            assert!(wrong.contains("no run would ever start"), "{text}: {wrong}");
        }
        for text in ["0 0 29 2 *", "0 0 31 2 MON", "@daily", "0 0 * JUL WED"] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
        let pattern = Pattern::parse("40 23 * * *").expect("a schedule");
        let wrong = pattern.in_zone("Berlin").expect_err("no zone");
        assert!(wrong.contains("Europe/Berlin"), "{wrong}");
    }
}
