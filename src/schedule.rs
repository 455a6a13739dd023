//! When the job is to run: a cron schedule in a zone, as a Kubernetes CronJob has it.

use std::collections::BTreeSet;
use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil};
use serde::{Deserialize, Serialize};

/// Two runs show on which side of a deadline access ended if they are no farther apart than this.
pub const CLOSE_RUNS: SignedDuration = SignedDuration::from_hours(2);

/// A run may begin this much before its instant: the clock of its node is behind.
pub const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// A year: every weekday, every month and every change of a clock is in it.
const DAYS: i64 = 366;

/// The job's own schedule, as `RUN_SCHEDULE` and `RUN_SCHEDULE_ZONE` give it and the evidence records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSchedule {
    /// Five fields, as `30 0,23 * * *`.
    pub cron: String,
    /// A zone of the IANA database.
    pub zone: String,
}

impl fmt::Display for RunSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cron, self.zone)
    }
}

impl RunSchedule {
    /// # Errors
    /// What is wrong with the cron expression or the zone, and what to write.
    pub fn parse(&self) -> Result<Schedule, String> {
        Pattern::parse(&self.cron)?.in_zone(&self.zone)
    }

    /// Whether a CronJob with this schedule gives this name to the Job that it starts around `at`: it names its Jobs
    /// `<its name>-<minutes from 1970 to the scheduled instant>`, and the newest instant is the one that is due.
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

/// The instant that a Job's name ends with, if the name has the form that a CronJob gives.
pub fn minutes_in_job_name(job_name: &str) -> Option<Timestamp> {
    let (_, minutes) = job_name.rsplit_once('-')?;
    let is_number = minutes.len() == 8 && minutes.bytes().all(|byte| byte.is_ascii_digit());
    let minutes: i64 = is_number.then(|| minutes.parse().ok())??;
    Timestamp::from_second(minutes * 60).ok()
}

/// The five fields of a cron schedule, as a Kubernetes CronJob has them, in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pattern: Pattern,
    zone: TimeZone,
}

/// The five fields, before it is known in which zone they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<Cron>);

impl Pattern {
    /// Reads minute, hour, day of month, month, day of week; or `@daily` and the like.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
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
                "is a schedule that Kubernetes does not have (`{day}`, `{weekday}`): write five fields without L, W and #, as \"30 0,23 * * *\""
            ));
        }
        // Kubernetes has a word for it that croner lacks.
        let text = match text.trim().eq_ignore_ascii_case("@midnight") {
            true => "@daily",
            false => text,
        };
        let cron = parser.parse(text).map_err(|error| {
            format!("is not a cron schedule ({error}): write five fields, as \"30 0,23 * * *\"")
        })?;
        let pattern = Self(Box::new(cron));
        // Eight years and more, with a leap day.
        let days = civil::date(2000, 1, 1).series(1.day()).take(9 * 366);
        match days.into_iter().any(|day| pattern.is_on(day)) {
            true => Ok(pattern),
            false => Err("names days that no month has: no run would ever start".to_owned()),
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
    /// That there is no such zone, and what to write.
    pub fn in_zone(self, zone: &str) -> Result<Schedule, String> {
        let zone = TimeZone::get(zone)
            .map_err(|_| format!("there is no time zone `{zone}`: write one as Europe/Berlin"))?;
        let pattern = self;
        Ok(Schedule { pattern, zone })
    }
}

impl Schedule {
    /// The scheduled instants from one to another, both included, in their order.
    ///
    /// A time that a clock set forward leaves out is no instant, and one that a clock set back shows
    /// twice is the first of both: nobody misses a run that its scheduler never starts, or asks for two.
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
        // Times around a clock that is set may not follow each other as they are written.
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

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The deadlines in `zone`, of the year before `until`, without two runs around them that are close to each
    /// other: one before the deadline, one at or after it.
    ///
    /// A year that has passed: rules for clocks in the future may still change, and evidence is recomputed later.
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

    /// A schedule in the same zone with two runs around each deadline of these zones.
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
                // The half hour before the deadline and the one after it, or at it.
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

    /// The deadlines of the days that ended in the year before `until`, in their order.
    ///
    /// Left out are those for which a clock was set: a grace in hours then ends an hour earlier or later on the
    /// clock, or the schedule leaves a run out.
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
    fn a_time_that_is_left_out_is_none_and_one_that_comes_twice_is_the_first() {
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
        // 02:30 on 25 October is twice: 00:30 and 01:30 in UTC.
        assert_eq!(
            between(
                "30 2 * * *",
                "Europe/Berlin",
                "2026-10-24T12:00:00Z",
                "2026-10-26T12:00:00Z"
            ),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        // A zone whose day begins an hour late.
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
        // Either one is enough where both are given.
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
    fn runs_on_both_sides_of_midnight_lie_around_deadlines_of_whole_days() {
        for zone in ["Etc/UTC", "Europe/Berlin", "Asia/Kathmandu", "Africa/Cairo"] {
            for grace in [0, 24, 48, 14 * 24] {
                assert_eq!(without("30 0,23 * * *", zone, zone, grace), 0, "{zone}");
            }
        }
    }

    #[test]
    fn one_run_a_day_lies_on_one_side_of_every_deadline() {
        assert_eq!(without("40 23 * * *", "Etc/UTC", "Etc/UTC", 24), 366);
        assert_eq!(without("30 0,23 * * *", "Etc/UTC", "Etc/UTC", 4), 366);
        // Two hours are close, more are not; a run at the deadline itself is one after it.
        assert_eq!(without("0 1,23 * * *", "Etc/UTC", "Etc/UTC", 24), 0);
        assert_eq!(without("0 1,22 * * *", "Etc/UTC", "Etc/UTC", 24), 366);
        assert_eq!(without("0 0,22 * * *", "Etc/UTC", "Etc/UTC", 24), 0);
    }

    #[test]
    fn days_without_a_run_are_found() {
        // Friday to Saturday, Saturday to Sunday and Sunday to Monday lack one of the two runs.
        let on_weekdays = without("30 0,23 * * 1-5", "Etc/UTC", "Etc/UTC", 24);
        assert!((104..=157).contains(&on_weekdays), "{on_weekdays}");
    }

    #[test]
    fn the_schedule_that_is_proposed_leaves_no_deadline_without_close_runs() {
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
        // New York's midnight is at 06:00 in Berlin, and at 05:00 while only one of the two has set its clock.
        let two = proposed(&["Europe/Berlin", "America/New_York"]);
        assert_eq!(two, "30 0,4,5,6,23 * * *");
        let three = proposed(&["Europe/Berlin", "Asia/Kolkata"]);
        assert_eq!(three, "30 0,18,19,20,23 * * *");
    }

    #[test]
    fn the_name_of_a_job_says_whether_its_cronjob_started_it() {
        let schedule = RunSchedule {
            cron: "30 0,23 * * *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let scheduled = at("2026-11-23T22:30:00Z");
        let minutes = scheduled.as_second() / 60;
        let own = format!("asana-access-review-{minutes}");
        // Until the next instant, from a little before its own.
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
    fn what_is_no_schedule_is_refused_with_what_to_write() {
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
