//! Which nights there should have been.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, civil};

use super::{FaultKind, Verified};

/// How often a review was to run.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// Once in such a time.
    Interval(Duration),
    /// At the instants of a schedule.
    Schedule(Schedule),
}

/// The five fields of a cron schedule, as a Kubernetes CronJob has them, in a zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    pattern: Pattern,
    zone: TimeZone,
}

/// The five fields, before it is known in which zone they hold.
#[derive(Clone, Debug)]
pub struct Pattern(Box<Cron>);

/// A clock that is behind starts a run a little before its time.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// A run may start late: a cluster that was down catches up, and a run that failed is tried again. But
/// what comes later than this was not started by the schedule.
const LATE: SignedDuration = SignedDuration::from_hours(12);

/// So many missing nights are told one by one, then how many more there are.
const TOLD: usize = 1000;

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
        match parser.parse(text) {
            Ok(cron) => Ok(Self(Box::new(cron))),
            Err(error) => Err(format!(
                "it is no schedule ({error}): write five fields, as \"40 23 * * *\""
            )),
        }
    }

    /// The schedule in a zone of the IANA database.
    ///
    /// # Errors
    /// That there is no such zone, and what to write.
    pub fn in_zone(self, zone: &str) -> Result<Schedule, String> {
        match TimeZone::get(zone) {
            Ok(zone) => Ok(Schedule {
                pattern: self,
                zone,
            }),
            Err(_) => Err(format!(
                "there is no time zone `{zone}`: write one as Europe/Berlin"
            )),
        }
    }
}

impl Schedule {
    /// The scheduled instants from one to another, both included, in their order.
    ///
    /// A time that a clock set forward leaves out is no instant, and one that a clock set back shows
    /// twice is the first of both: nobody misses a run that its scheduler never starts, or asks for two.
    fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let fields = &self.pattern.0.pattern;
        let (hours, minutes) = (fields.hours.values(), fields.minutes.values());
        let last = self.zone.to_datetime(to).date();
        let mut day = self.zone.to_datetime(from).date();
        let mut instants = Vec::new();
        loop {
            if self.is_on(day) {
                let times = hours
                    .iter()
                    .flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
                let of_day = times.filter_map(|(hour, minute)| self.instant(day, hour, minute));
                instants.extend(of_day.filter(|at| (from..=to).contains(at)));
            }
            match day.tomorrow() {
                Ok(next) if next <= last => day = next,
                Ok(_) | Err(_) => break,
            }
        }
        // Times around a clock that is set may not follow each other as they are written.
        instants.sort_unstable();
        instants.dedup();
        instants
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
        let fields = &self.pattern.0.pattern;
        let day = day.day().unsigned_abs().into();
        fields.month_match(month).unwrap_or_default()
            && fields
                .day_match(year, month, day, weekday)
                .unwrap_or_default()
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

    /// The scheduled instants, from the first night to the last, at which no night began: from a little
    /// before to half of the way to the next, at most [`LATE`].
    fn missing(&self, nights: &[Timestamp]) -> Vec<Timestamp> {
        let (Some(first), Some(last)) = (nights.first(), nights.last()) else {
            return Vec::new();
        };
        // One beyond the last says how late the last may be.
        let beyond = last.saturating_add(SignedDuration::from_hours(24 * 32));
        let scheduled = self.between(*first, beyond.unwrap_or(*last));
        let gap = |place: usize| {
            let pair = (scheduled.get(place), scheduled.get(place + 1));
            let (Some(one), Some(next)) = pair else {
                return LATE * 2;
            };
            next.duration_since(*one)
        };
        let mut nights = nights.iter().peekable();
        let mut missing = Vec::new();
        for (place, at) in scheduled.iter().enumerate() {
            if at > last {
                break;
            }
            let before = place.checked_sub(1).map_or(EARLY * 2, gap);
            let from = at.saturating_sub(EARLY.min(before / 2)).unwrap_or(*at);
            let until = at.saturating_add(LATE.min(gap(place) / 2)).unwrap_or(*at);
            while nights.next_if(|night| **night < from).is_some() {}
            if nights.peek().is_none_or(|night| **night >= until) {
                missing.push(*at);
            }
        }
        missing
    }
}

/// Nights that are missing, of those that a rhythm promises. Every night that left an entry is there,
/// also one that could not be judged.
pub(super) fn check(
    nights: &[(Timestamp, u64)],
    rhythm: Option<&Rhythm>,
    folder: &str,
    verified: &mut Verified,
) {
    match rhythm {
        None => {}
        Some(Rhythm::Interval(every)) => silences(nights, *every, folder, verified),
        Some(Rhythm::Schedule(schedule)) => {
            let instants: Vec<Timestamp> = nights.iter().map(|(at, _)| *at).collect();
            let missing = schedule.missing(&instants);
            for at in missing.iter().take(TOLD) {
                let place = format!("{folder}, scheduled at {at}");
                let local = schedule.zone.to_datetime(*at);
                let zone = schedule.zone.iana_name().unwrap_or_default();
                let text = format!(
                    "no review began at {} {zone}, or up to half of the way to the next",
                    local.strftime("%Y-%m-%d %H:%M")
                );
                verified.fault(FaultKind::MissingNight, place, text);
            }
            if missing.len() > TOLD {
                let text = format!("{} more nights are missing", missing.len() - TOLD);
                verified.fault(FaultKind::MissingNight, folder, text);
            }
        }
    }
}

/// Silences of more than half as long again as the interval that was promised.
fn silences(nights: &[(Timestamp, u64)], every: Duration, folder: &str, verified: &mut Verified) {
    let Some(every) = SignedDuration::try_from(every)
        .ok()
        .filter(|every| every.is_positive())
    else {
        return;
    };
    for pair in nights.windows(2) {
        let (earlier, later) = (pair[0].0, pair[1].0);
        let silence = later.duration_since(earlier);
        if silence > every + every / 2 {
            let missing = (silence.as_secs() + every.as_secs() / 2) / every.as_secs() - 1;
            let place = format!(
                "{folder}, between ledger entries {} and {}",
                pair[0].1, pair[1].1
            );
            let text = format!("{missing} night(s) between {earlier} and {later} left nothing");
            verified.fault(FaultKind::MissingNight, place, text);
        }
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

    fn missing(schedule: &Schedule, nights: &[&str]) -> Vec<String> {
        let nights: Vec<Timestamp> = nights.iter().map(|night| at(night)).collect();
        let missing = schedule.missing(&nights);
        missing.iter().map(ToString::to_string).collect()
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
    }

    #[test]
    fn every_night_that_ran_is_there_however_the_clocks_were_set() {
        for zone in [
            "Europe/Berlin",
            "America/New_York",
            "Africa/Cairo",
            "Australia/Lord_Howe",
            "Etc/UTC",
        ] {
            for pattern in ["40 23 * * *", "30 0 * * *", "30 2 * * *", "15 1 * * 1-5"] {
                let schedule = schedule(pattern, zone);
                let all = schedule.between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
                assert!(all.len() > 250, "{zone} {pattern}: {}", all.len());
                for late in [-4, 0, 1, 50, 6 * 60] {
                    let late = SignedDuration::from_mins(late);
                    let mut ran: Vec<Timestamp> = all.iter().map(|at| *at + late).collect();
                    assert_eq!(schedule.missing(&ran), [], "{zone} {pattern} {late}");
                    let gone = ran.remove(100);
                    assert_eq!(schedule.missing(&ran), [gone - late], "{zone} {pattern}");
                }
            }
        }
    }

    #[test]
    fn a_run_counts_for_the_night_it_is_late_for_and_for_no_other() {
        let nightly = schedule("40 23 * * *", "Etc/UTC");
        let first = "2026-11-20T23:40:02Z";
        let last = "2026-11-23T23:40:02Z";
        let gone = ["2026-11-21T23:40:00Z", "2026-11-22T23:40:00Z"];
        assert_eq!(missing(&nightly, &[first, last]), gone);
        // One by hand in the afternoon is none of them, one in the morning is late.
        let by_hand = "2026-11-22T15:00:00Z";
        assert_eq!(missing(&nightly, &[first, by_hand, last]), gone);
        let late = "2026-11-22T09:00:00Z";
        assert_eq!(missing(&nightly, &[first, late, last]), gone[1..]);
        // Before the first night and after the last nothing was promised.
        assert_eq!(missing(&nightly, &[first]), [""; 0]);
        assert_eq!(missing(&nightly, &[]), [""; 0]);
        // Two runs in one night are no second night.
        let again = "2026-11-21T01:00:00Z";
        assert_eq!(missing(&nightly, &[first, again, last]), gone);
        // A week's run that comes two days late was not started by the schedule.
        let weekly = schedule("0 4 * * 1", "Etc/UTC");
        let nights = [
            "2026-11-02T04:00:00Z",
            "2026-11-11T04:00:00Z",
            "2026-11-16T04:00:00Z",
        ];
        assert_eq!(missing(&weekly, &nights), ["2026-11-09T04:00:00Z"]);
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
        let pattern = Pattern::parse("40 23 * * *").expect("a schedule");
        let wrong = pattern.in_zone("Berlin").expect_err("no zone");
        assert!(wrong.contains("Europe/Berlin"), "{wrong}");
    }
}
