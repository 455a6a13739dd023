//! When the job is to run: a cron schedule in a zone, as a Kubernetes CronJob has it.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, civil};

/// The five fields of a cron schedule, as a Kubernetes CronJob has them, in a zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    pattern: Pattern,
    zone: TimeZone,
}

/// The five fields, before it is known in which zone they hold.
#[derive(Clone, Debug)]
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
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
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

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
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
