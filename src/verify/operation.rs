//! Whether the runs that a schedule asks for were started.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::schedule::{RunSchedule, Schedule};

/// How often runs are due.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// Once in such a time.
    Interval(Duration),
    /// At the instants of a schedule.
    Schedule(Schedule),
}

impl Rhythm {
    /// The zone whose days bound a period.
    fn zone(&self) -> TimeZone {
        match self {
            Self::Interval(_) => TimeZone::UTC,
            Self::Schedule(schedule) => schedule.zone().clone(),
        }
    }
}

/// One end of a period. A day is one in the zone of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Now,
    Day(Date),
    At(Timestamp),
}

impl Bound {
    fn start(self, zone: &TimeZone, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::At(at) => at,
            Self::Day(day) => midnight(day, zone).unwrap_or(Timestamp::MIN),
        }
    }

    /// A day ends with the midnight that closes it.
    fn end(self, zone: &TimeZone, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::At(at) => at,
            Self::Day(day) => {
                let tomorrow = day.tomorrow().ok();
                let end = tomorrow.and_then(|day| midnight(day, zone));
                end.unwrap_or(Timestamp::MAX)
            }
        }
    }
}

/// A day begins with its first instant, also where a clock that is set forward leaves midnight out.
fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let midnight = day.to_datetime(Time::midnight());
    zone.to_ambiguous_timestamp(midnight).compatible().ok()
}

/// The period that the answer is about. Without bounds it reaches from the first run to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub from: Option<Bound>,
    pub to: Option<Bound>,
}

/// A run that was started, judged or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) at: Timestamp,
    /// Of a run that ended without a judgement.
    pub(super) failed: Option<FailedRun>,
    /// The schedule that its manifest records.
    pub(super) schedule: Option<RunSchedule>,
}

/// A run that ended without a judgement. It is not missing: it explains itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRun {
    /// Number of its ledger entry.
    pub entry: u64,
    pub run: String,
    /// What it was doing, and the exit code; none where its manifest is gone.
    pub stage: Option<String>,
    pub exit: Option<u8>,
}

/// Scheduled runs that were not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub runs: u64,
    /// With a schedule, the instant at which the run was due.
    pub from: Timestamp,
    /// With a schedule, the next instant at which a run was due.
    pub to: Timestamp,
    /// `from` by the clock of the schedule's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
}

/// Which runs there should have been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Due {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// How many runs were due; not known with an interval.
    pub runs: Option<u64>,
    pub missing: Vec<Missing>,
    /// Runs that were due, were not started, and may still be.
    pub may_still_start: u64,
    /// Where the period ends with the last run: how many runs would have been due between it and now.
    pub after_last_run: u64,
}

impl Due {
    pub fn missing_runs(&self) -> u64 {
        self.missing.iter().map(|missing| missing.runs).sum()
    }
}

/// The second answer of `verify`, for one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// None: without a schedule it is not known whether runs are missing.
    pub due: Option<Due>,
    pub failed: Vec<FailedRun>,
}

/// A clock that is behind starts a run a little before its time.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// Answers for the runs of one ledger, in the order of their instants.
pub(super) fn check(
    started: &[Started],
    rhythm: Option<&Rhythm>,
    period: &Period,
    now: Timestamp,
) -> Operation {
    let recorded = match rhythm {
        Some(_) => None,
        None => recorded(started),
    };
    let (rhythm, since) = match &recorded {
        Some((rhythm, since)) => (Some(rhythm), Some(*since)),
        None => (rhythm, None),
    };
    let zone = rhythm.map_or(TimeZone::UTC, Rhythm::zone);
    let from = period.from.map(|from| from.start(&zone, now)).max(since);
    let to = period.to.map(|to| to.end(&zone, now));
    let is_within =
        |at: Timestamp| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
    let failed = started.iter().filter(|run| is_within(run.at));
    let runs: Vec<Timestamp> = started.iter().map(|run| run.at).collect();
    let check = Check {
        runs: &runs,
        from,
        to,
        now,
    };
    Operation {
        due: rhythm.map(|rhythm| match rhythm {
            Rhythm::Interval(every) => check.silences(*every),
            Rhythm::Schedule(schedule) => check.due(schedule),
        }),
        failed: failed.filter_map(|run| run.failed.clone()).collect(),
    }
}

/// The schedule that the evidence records, and the first run since which it has not changed. A run that records none
/// was started by hand, outside the job.
fn recorded(started: &[Started]) -> Option<(Rhythm, Timestamp)> {
    let of_runs = started.iter().rev();
    let mut of_runs = of_runs.filter_map(|run| Some((run.schedule.as_ref()?, run.at)));
    let (newest, mut since) = of_runs.next()?;
    for (_, at) in of_runs.take_while(|(schedule, _)| *schedule == newest) {
        since = at;
    }
    Some((Rhythm::Schedule(newest.parse().ok()?), since))
}

/// Runs, and the period they are looked at in.
struct Check<'a> {
    runs: &'a [Timestamp],
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
}

impl Check<'_> {
    fn first(&self) -> Option<Timestamp> {
        self.from.or(self.runs.first().copied())
    }

    /// Up to when it is known which runs were started. A clock that was ahead has dated a run later than now.
    fn known_until(&self) -> Timestamp {
        let last = self.runs.last().copied();
        last.map_or(self.now, |last| last.max(self.now))
    }

    /// Times without a run that are more than half as long again as the interval.
    fn silences(&self, every: Duration) -> Due {
        let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        let to = self.to.map(|to| to.min(self.known_until()));
        let is_within = |at: &&Timestamp| {
            self.from.is_none_or(|from| from <= **at) && to.is_none_or(|to| **at < to)
        };
        let within = self.runs.iter().filter(is_within).copied();
        let points: Vec<Timestamp> = self.from.into_iter().chain(within).chain(to).collect();
        let last = points.last().copied();
        let after = last.filter(|_| to.is_none());
        let missing = |from: Timestamp, to: Timestamp| {
            let silence = to.duration_since(from);
            let half = every / 2;
            let is_long = every.is_positive() && silence.saturating_sub(half) > every;
            let runs = is_long
                .then(|| silence.saturating_add(half).as_secs() / every.as_secs().max(1) - 1)?;
            Some(Missing {
                runs: u64::try_from(runs).unwrap_or_default(),
                from,
                to,
                local: None,
            })
        };
        Due {
            from: self.first(),
            to: to.or(last),
            runs: None,
            missing: points
                .windows(2)
                .filter_map(|pair| missing(pair[0], pair[1]))
                .collect(),
            may_still_start: 0,
            after_last_run: after
                .and_then(|last| missing(last, self.known_until()))
                .map_or(0, |missing| missing.runs),
        }
    }

    /// The instants of a schedule for which no run was started. Any start before the next instant counts.
    fn due(&self, schedule: &Schedule) -> Due {
        let known_until = self.known_until();
        let last = self.runs.last().copied();
        let (Some(from), Some(to)) = (self.first(), self.to.or(last)) else {
            return Due {
                runs: Some(0),
                ..Due::default()
            };
        };
        // A run that is a little early belongs to the instant that is about to come.
        let end = match self.to {
            // An instant that is due right now, too.
            Some(to) => to.min(
                known_until
                    .saturating_add(SignedDuration::from_secs(1))
                    .unwrap_or(to),
            ),
            None => to.saturating_add(EARLY).unwrap_or(to),
        };
        let mut due = schedule.between(from, end);
        due.retain(|at| *at < end);
        let judged = due.len();
        due.extend(due.last().and_then(|last| next(schedule, *last)));
        let slots = Slots::of(&due, self.runs);
        let mut missing = Vec::new();
        let mut may_still_start = 0;
        for place in (0..judged).filter(|place| !slots.is_covered(*place, judged)) {
            let at = due[place];
            let Some(next) = due
                .get(place + 1)
                .copied()
                .filter(|next| *next <= known_until)
            else {
                may_still_start += 1;
                continue;
            };
            let local = schedule.zone().to_datetime(at);
            let zone = schedule.zone().iana_name().unwrap_or_default();
            missing.push(Missing {
                runs: 1,
                from: at,
                to: next,
                local: Some(format!("{} {zone}", local.strftime("%Y-%m-%d %H:%M"))),
            });
        }
        let after_last_run = match self.to {
            Some(_) => 0,
            // One more than are over: the last of them may still start.
            None => (schedule.between(end, self.now).len() as u64).saturating_sub(1),
        };
        Due {
            from: Some(from),
            to: Some(to.min(known_until)),
            runs: Some(judged as u64),
            missing,
            may_still_start,
            after_last_run,
        }
    }
}

/// The next instant of a schedule; some come once in some years.
fn next(schedule: &Schedule, at: Timestamp) -> Option<Timestamp> {
    let after = at.checked_add(SignedDuration::from_secs(1)).ok()?;
    [2, 40, 400, 3000].iter().find_map(|days| {
        let until = at.checked_add(SignedDuration::from_hours(24 * days)).ok()?;
        schedule.between(after, until).first().copied()
    })
}

/// How many runs were started for each instant that was due, from a little before it.
struct Slots {
    runs: Vec<u64>,
    has_early: Vec<bool>,
}

impl Slots {
    fn of(due: &[Timestamp], runs: &[Timestamp]) -> Self {
        let mut slots = Self {
            runs: vec![0; due.len()],
            has_early: vec![false; due.len()],
        };
        let early = |place: usize| {
            let before = place.checked_sub(1).unwrap_or(place);
            let gap = due.get(before..=before + 1);
            let gap = gap.map_or(EARLY * 2, |pair| pair[1].duration_since(pair[0]));
            due[place]
                .saturating_sub(EARLY.min(gap / 2))
                .unwrap_or(due[place])
        };
        let opens: Vec<Timestamp> = (0..due.len()).map(early).collect();
        for run in runs {
            let Some(place) = opens.partition_point(|open| open <= run).checked_sub(1) else {
                continue;
            };
            slots.runs[place] += 1;
            slots.has_early[place] |= *run < due[place];
        }
        slots
    }

    /// Whether a run was started for an instant. One just before the next instant counts where that has another,
    /// or is not asked for.
    fn is_covered(&self, place: usize, judged: usize) -> bool {
        let next = place + 1;
        let is_spare = |runs: &u64| next >= judged || *runs > 1;
        self.runs[place] > 0
            || self.has_early.get(next).is_some_and(|early| *early)
                && self.runs.get(next).is_some_and(is_spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Pattern;

    fn schedule(pattern: &str, zone: &str) -> Schedule {
        let pattern = Pattern::parse(pattern).expect("a schedule");
        pattern.in_zone(zone).expect("a zone")
    }

    fn nightly(zone: &str) -> Rhythm {
        Rhythm::Schedule(schedule("40 23 * * *", zone))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn period(from: &str, to: &str) -> Period {
        let bound = |text: &str| match text {
            "" => None,
            "now" => Some(Bound::Now),
            text => Some(match text.parse() {
                Ok(at) => Bound::At(at),
                Err(_) => Bound::Day(text.parse().expect("a day")),
            }),
        };
        Period {
            from: bound(from),
            to: bound(to),
        }
    }

    const NOW: &str = "2027-06-01T00:00:00Z";

    fn due_of(rhythm: &Rhythm, runs: &[Timestamp], period: &Period, now: &str) -> Due {
        let started = runs.iter().map(|at| Started {
            at: *at,
            failed: None,
            schedule: None,
        });
        let operation = check(&Vec::from_iter(started), Some(rhythm), period, at(now));
        operation.due.expect("an answer")
    }

    fn missing_at(rhythm: &Rhythm, runs: &[&str], period: &Period, now: &str) -> Vec<String> {
        let runs: Vec<Timestamp> = runs.iter().map(|run| at(run)).collect();
        let due = due_of(rhythm, &runs, period, now);
        due.missing
            .iter()
            .map(|gone| gone.from.to_string())
            .collect()
    }

    fn missing(rhythm: &Rhythm, runs: &[&str]) -> Vec<String> {
        missing_at(rhythm, runs, &Period::default(), NOW)
    }

    #[test]
    fn without_a_schedule_the_recorded_one_counts_since_it_last_changed() {
        let run = |at: &str, cron: Option<&str>| Started {
            at: at.parse().expect("an instant"),
            failed: None,
            schedule: cron.map(|cron| RunSchedule {
                cron: cron.to_owned(),
                zone: "Etc/UTC".to_owned(),
            }),
        };
        let (once, twice) = (Some("40 23 * * *"), Some("30 0,23 * * *"));
        let runs = [
            run("2026-11-20T23:40:00Z", once),
            run("2026-11-22T23:30:00Z", twice),
            run("2026-11-23T00:30:00Z", twice),
            run("2026-11-23T12:00:00Z", None),
            run("2026-11-24T00:30:00Z", twice),
        ];
        let check = |runs: &[Started]| check(runs, None, &Period::default(), at(NOW)).due;
        let due = check(&runs).expect("a recorded schedule");
        assert_eq!(due.from, Some(at("2026-11-22T23:30:00Z")));
        let missing = due.missing.iter().map(|missing| missing.from);
        assert_eq!(Vec::from_iter(missing), [at("2026-11-23T23:30:00Z")]);
        assert_eq!(check(&[run("2026-11-20T23:40:00Z", None)]), None);
    }

    #[test]
    fn no_scheduled_run_is_missing_however_the_clocks_were_set() {
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
                let rhythm = Rhythm::Schedule(schedule);
                let missing = |runs: &[Timestamp]| {
                    let due = due_of(&rhythm, runs, &Period::default(), NOW);
                    Vec::from_iter(due.missing.iter().map(|missing| missing.from))
                };
                for late in [-4, 0, 1, 50, 6 * 60, 22 * 60] {
                    let late = SignedDuration::from_mins(late);
                    let mut ran: Vec<Timestamp> = all.iter().map(|at| *at + late).collect();
                    assert_eq!(missing(&ran), [], "{zone} {pattern} {late}");
                    let gone = ran.remove(100);
                    assert_eq!(missing(&ran), [gone - late], "{zone} {pattern} {late}");
                }
            }
        }
    }

    #[test]
    fn any_start_before_the_next_instant_counts_once() {
        let nightly = nightly("Etc/UTC");
        let first = "2026-11-20T23:40:02Z";
        let last = "2026-11-23T23:40:02Z";
        let gone = ["2026-11-21T23:40:00Z", "2026-11-22T23:40:00Z"];
        assert_eq!(missing(&nightly, &[first, last]), gone);
        // Caught up in the morning, in the afternoon, or a minute before the next is due.
        for late in [
            "2026-11-22T09:00:00Z",
            "2026-11-22T15:00:00Z",
            "2026-11-22T23:30:00Z",
        ] {
            assert_eq!(missing(&nightly, &[first, late, last]), gone[1..], "{late}");
        }
        let both = ["2026-11-22T23:39:00Z", "2026-11-22T23:40:02Z"];
        let runs = [first, both[0], both[1], last];
        assert_eq!(missing(&nightly, &runs), [""; 0]);
        // One start is not two.
        assert_eq!(missing(&nightly, &[first, both[0], last]).len(), 1);
        // Before the first run and after the last nothing is asked for.
        assert_eq!(missing(&nightly, &[first]), [""; 0]);
        assert_eq!(missing(&nightly, &[]), [""; 0]);
        // Two runs for one instant do not count for another.
        let again = "2026-11-21T01:00:00Z";
        assert_eq!(missing(&nightly, &[first, again, last]), gone);
        // A weekly run that comes two days late counts.
        let weekly = Rhythm::Schedule(schedule("0 4 * * 1", "Etc/UTC"));
        let runs = [
            "2026-11-02T04:00:00Z",
            "2026-11-11T04:00:00Z",
            "2026-11-16T04:00:00Z",
        ];
        assert_eq!(missing(&weekly, &runs), [""; 0]);
        assert_eq!(
            missing(&weekly, &[runs[0], runs[2]]),
            ["2026-11-09T04:00:00Z"]
        );
    }

    #[test]
    fn a_period_is_bounded_by_days_of_the_schedules_zone_or_by_instants() {
        let berlin = nightly("Europe/Berlin");
        let runs = ["2026-11-10T22:40:02Z", "2026-11-20T22:40:02Z"];
        let count = |from: &str, to: &str| missing_at(&berlin, &runs, &period(from, to), NOW).len();
        assert_eq!(count("", ""), 9);
        assert_eq!(count("2026-11-08", ""), 11, "from before the first run");
        assert_eq!(count("", "2026-11-25"), 14, "on after the last run");
        assert_eq!(count("2026-11-12", "2026-11-14"), 3);
        assert_eq!(count("2026-11-21", "2026-11-21"), 1);
        assert_eq!(count("2026-11-20", "2026-11-20"), 0);
        // 23:40 in Berlin is 22:40 in UTC.
        assert_eq!(count("2026-11-12T22:40:00Z", "2026-11-13T22:40:00Z"), 1);
        assert_eq!(count("2026-11-12T22:41:00Z", "2026-11-13T22:40:00Z"), 0);
        // Without a run there is an answer, too, if it is said from when.
        let none = missing_at(&berlin, &[], &period("2026-11-12", "2026-11-14"), NOW);
        assert_eq!(none.len(), 3);
    }

    #[test]
    fn a_run_that_may_still_start_is_not_missing_yet() {
        let nightly = nightly("Etc/UTC");
        let runs = [at("2026-11-01T23:40:02Z"), at("2026-11-02T23:40:02Z")];
        let due = |to: &str, now: &str| {
            let due = due_of(&nightly, &runs, &period("", to), now);
            (due.missing_runs(), due.may_still_start, due.after_last_run)
        };
        assert_eq!(due("now", "2026-11-03T23:39:59Z"), (0, 0, 0));
        assert_eq!(due("now", "2026-11-04T23:39:59Z"), (0, 1, 0));
        assert_eq!(due("now", "2026-11-04T23:40:01Z"), (1, 1, 0));
        assert_eq!(due("2026-11-03", "2026-11-04T23:40:01Z"), (1, 0, 0));
        // A period that has not passed yet is known up to now.
        assert_eq!(due("2027-12-31", "2026-11-04T23:40:01Z"), (1, 1, 0));
        // Without an end, runs after the last one are not missing, and are counted.
        assert_eq!(due("", "2026-11-04T23:40:01Z"), (0, 0, 1));
        assert_eq!(due("", "2026-11-13T23:40:01Z"), (0, 0, 10));
        assert_eq!(due("", "2026-11-03T01:00:00Z"), (0, 0, 0));
    }

    #[test]
    fn with_an_interval_a_silence_is_more_than_half_as_long_again() {
        let every = Rhythm::Interval(Duration::from_secs(24 * 3600));
        let runs = [at("2026-11-01T23:40:02Z"), at("2026-11-02T23:40:02Z")];
        let due = |from: &str, to: &str| {
            let due = due_of(&every, &runs, &period(from, to), NOW);
            (due.missing_runs(), due.after_last_run > 0)
        };
        assert_eq!(due("", ""), (0, true));
        assert_eq!(due("", "2026-11-04T11:00:00Z"), (0, false));
        assert_eq!(due("", "2026-11-05T23:00:00Z"), (2, false));
        assert_eq!(due("2026-10-30", ""), (2, true));
        assert_eq!(due("2026-11-01", "2026-11-03"), (0, false));
    }

    #[test]
    fn failed_runs_are_listed_within_the_period_and_count_as_started() {
        let run = |day: u8, failed: bool| Started {
            at: at(&format!("2026-11-{day:02}T23:40:02Z")),
            failed: failed.then(|| FailedRun {
                entry: day.into(),
                run: String::new(),
                stage: None,
                exit: None,
            }),
            schedule: None,
        };
        let runs = [run(1, false), run(2, true), run(3, true), run(4, false)];
        let of = |period: Period| {
            let operation = check(&runs, Some(&nightly("Etc/UTC")), &period, at(NOW));
            let failed = operation
                .failed
                .iter()
                .map(|run| run.entry)
                .collect::<Vec<_>>();
            (operation.due.expect("an answer").missing, failed)
        };
        assert_eq!(of(Period::default()), (vec![], vec![2, 3]));
        assert_eq!(of(period("2026-11-03", "2026-11-04")), (vec![], vec![3]));
        let without = check(&runs, None, &Period::default(), at(NOW));
        assert_eq!((without.due, without.failed.len()), (None, 2));
    }
}
