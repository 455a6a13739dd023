//! Checks whether the scheduled runs were started.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::schedule::{DueInstant, DueRuns, EARLY, MissingRuns, RunSchedule, Schedule};

/// How often runs are due.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// One run in each interval of this length.
    Interval(Duration),
    /// One run at each instant of the schedule.
    Schedule(Schedule),
}

/// One end of a period. A day is a day in the zone of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Now,
    Day(Date),
    At(Timestamp),
}

impl Bound {
    /// A day begins with its first instant, even if a clock change skips midnight. It ends with the midnight that
    /// closes it.
    fn instant(self, is_end: bool, zone: &TimeZone, now: Timestamp) -> Timestamp {
        let midnight = |day: Date| {
            let midnight = zone.to_ambiguous_timestamp(day.to_datetime(Time::midnight()));
            midnight.compatible().ok()
        };
        match self {
            Self::Now => now,
            Self::At(at) => at,
            Self::Day(day) if is_end => {
                let end = day.tomorrow().ok().and_then(midnight);
                end.unwrap_or(Timestamp::MAX)
            }
            Self::Day(day) => midnight(day).unwrap_or(Timestamp::MIN),
        }
    }
}

/// The checked period. Without bounds it reaches from the first run to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub from: Option<Bound>,
    pub to: Option<Bound>,
}

/// A run that was started, judged or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    pub at: Timestamp,
    /// Set if the run ended without a judgement.
    pub failed: Option<FailedRun>,
    /// The schedule in the manifest.
    pub schedule: Option<RunSchedule>,
}

/// A run that ended without a judgement. It is not missing, because its record gives the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRun {
    /// Number of the ledger entry.
    pub entry: u64,
    pub run: String,
    /// The stage that failed, and the exit code. None if the manifest is missing.
    pub stage: Option<String>,
    pub exit: Option<u8>,
}

/// A change of the recorded schedule between two runs. The instant of the change is not recorded, so the schedule that
/// asks for fewer runs counts between the two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleChange {
    /// The last run with the old schedule.
    pub after: Timestamp,
    /// The first run with the new schedule.
    pub until: Timestamp,
    pub to: RunSchedule,
}

/// The second answer of `verify`, for one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Operation {
    pub due: Option<DueRuns>,
    pub schedule_changes: Vec<ScheduleChange>,
    /// Why missing runs were not checked. None if they were.
    pub not_checked: Option<String>,
    pub failed: Vec<FailedRun>,
}

/// Checks the runs of one ledger. `started` is sorted by instant.
pub fn check(
    started: &[Started],
    rhythm: Option<&Rhythm>,
    period: &Period,
    now: Timestamp,
) -> Operation {
    let timetable = match rhythm {
        Some(Rhythm::Schedule(schedule)) => Ok(Timetable::of(schedule.clone())),
        Some(Rhythm::Interval(_)) => Ok(Timetable::default()),
        None => Timetable::recorded(started),
    };
    let known = timetable.as_ref().ok();
    let zone = known.map_or(TimeZone::UTC, Timetable::zone);
    let schedule_changes = known.map_or_else(Vec::new, |of| of.changes.clone());
    let from = period.from.map(|from| from.instant(false, &zone, now));
    let to = period.to.map(|to| to.instant(true, &zone, now));
    let is_within =
        |at: Timestamp| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
    let failed = started.iter().filter(|run| is_within(run.at));
    let failed = failed.filter_map(|run| run.failed.clone()).collect();
    let runs: Vec<Timestamp> = started.iter().map(|run| run.at).collect();
    let due = timetable.and_then(|timetable| {
        let first = from.or(timetable.recorded_since).or(runs.first().copied());
        let first = first.ok_or("the ledger has no run: give --from")?;
        // A period that begins after the last run has no run.
        let is_after = runs.last().is_none_or(|last| *last < first);
        let to = to.or(is_after.then_some(now));
        if to.is_some_and(|to| to <= first) {
            return Err(format!(
                "the period ends before {first}, when the runs begin: give --from"
            ));
        }
        let check = RunsOfPeriod {
            runs: &runs,
            from: first,
            to,
            now,
        };
        Ok(match rhythm {
            Some(Rhythm::Interval(every)) => check.gaps(*every),
            Some(Rhythm::Schedule(_)) | None => check.due(&timetable),
        })
    });
    Operation {
        schedule_changes,
        not_checked: due.as_ref().err().cloned(),
        due: due.ok(),
        failed,
    }
}

/// The schedules, each with the time in which it was in force.
#[derive(Debug, Default)]
struct Timetable {
    /// Each schedule with the instant from which it was in force, in order. The first one has no beginning.
    schedules: Vec<(Timestamp, Schedule)>,
    /// The first run that records a schedule. For earlier runs, the schedule is unknown.
    recorded_since: Option<Timestamp>,
    changes: Vec<ScheduleChange>,
}

impl Timetable {
    fn of(schedule: Schedule) -> Self {
        Self {
            schedules: vec![(Timestamp::MIN, schedule)],
            ..Self::default()
        }
    }

    /// The schedules that the runs record. A run without a schedule was started manually, outside the job.
    fn recorded(started: &[Started]) -> Result<Self, String> {
        let mut timetable = Self::default();
        let mut last: Option<Timestamp> = None;
        for run in started {
            let Some(recorded) = &run.schedule else {
                continue;
            };
            let schedule = recorded.parse().map_err(|wrong| {
                format!(
                    "the run at {} records the schedule `{recorded}`, but it {wrong}",
                    run.at
                )
            })?;
            match timetable.schedules.last().zip(last) {
                Some(((_, before), _)) if *before == schedule => {}
                Some(((_, before), last)) => {
                    let since = changed(before, &schedule, last, run.at);
                    timetable.schedules.push((since, schedule));
                    timetable.changes.push(ScheduleChange {
                        after: last,
                        until: run.at,
                        to: recorded.clone(),
                    });
                }
                None => timetable.schedules.push((Timestamp::MIN, schedule)),
            }
            timetable.recorded_since.get_or_insert(run.at);
            last = Some(run.at);
        }
        match timetable.schedules.is_empty() {
            true => Err("the evidence records no schedule: give --every".to_owned()),
            false => Ok(timetable),
        }
    }

    /// The zone of the newest schedule.
    fn zone(&self) -> TimeZone {
        let newest = self.schedules.last();
        newest.map_or(TimeZone::UTC, |(_, schedule)| schedule.zone().clone())
    }

    /// Each schedule with the beginning and the end (exclusive) of the time in which it was in force.
    fn in_force(&self) -> impl Iterator<Item = (Timestamp, Timestamp, &Schedule)> {
        let starts = self.schedules.iter().map(|(since, _)| *since);
        let ends = starts.skip(1).chain([Timestamp::MAX]);
        let schedules = self.schedules.iter().zip(ends);
        schedules.map(|((since, schedule), until)| (*since, until, schedule))
    }

    /// The instants from `from` to `to` (exclusive) at which a run was due.
    fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut instants = Vec::new();
        for (since, until, schedule) in self.in_force() {
            let (from, to) = (from.max(since), to.min(until));
            if from < to {
                instants.extend(schedule.between(from, to));
                instants.retain(|at| *at < to);
            }
        }
        instants
    }

    /// An instant as local time in the zone of the schedule that was in force.
    fn local(&self, at: Timestamp) -> Option<String> {
        let (_, _, schedule) = self
            .in_force()
            .find(|(since, until, _)| (*since..*until).contains(&at))?;
        let zone = schedule.zone();
        let local = zone.to_datetime(at).strftime("%Y-%m-%d %H:%M");
        Some(format!("{local} {}", zone.iana_name().unwrap_or_default()))
    }

    /// The next instant of the timetable. Some schedules have one instant in several years.
    fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let after = at.checked_add(SignedDuration::from_secs(1)).ok()?;
        [2, 40, 400, 3000].iter().find_map(|days| {
            let until = at.checked_add(SignedDuration::from_hours(24 * days)).ok()?;
            self.between(after, until).first().copied()
        })
    }
}

/// When one schedule replaced another, between the last run of the old and the first run of the new schedule. The
/// instant is not recorded, so this picks the one with the fewest missing runs.
fn changed(before: &Schedule, after: &Schedule, last: Timestamp, first: Timestamp) -> Timestamp {
    let early = |at: Timestamp| at.saturating_add(EARLY).unwrap_or(at);
    // `last` started for an instant of the old schedule, `first` for the newest instant of the new one.
    let mut due_before = before.between(last, first);
    due_before.retain(|at| *at > early(last));
    let mut due_after = after.between(last, early(first));
    due_after.retain(|at| *at > early(last));
    let own = due_after.pop().unwrap_or(first);
    let changes = std::iter::once(early(last)).chain(due_before.iter().copied());
    let changes = changes
        .filter(|change| *change < own)
        .chain([own])
        .enumerate();
    let missing = |(due, change): &(usize, Timestamp)| {
        due.saturating_sub(1) + due_after.iter().filter(|at| *at >= change).count()
    };
    let best = changes.min_by_key(missing);
    best.map_or(own, |(_, change)| change)
}

/// The runs and the period to check.
struct RunsOfPeriod<'a> {
    runs: &'a [Timestamp],
    from: Timestamp,
    /// None: up to the last run.
    to: Option<Timestamp>,
    now: Timestamp,
}

impl RunsOfPeriod<'_> {
    /// The instant up to which it is known which runs started. It is later than now if a clock that was ahead dated a
    /// run.
    fn known_until(&self) -> Timestamp {
        let last = self.runs.last().copied();
        last.map_or(self.now, |last| last.max(self.now))
    }

    /// Reports each gap between runs that is longer than one and a half intervals.
    fn gaps(&self, every: Duration) -> DueRuns {
        let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        let to = self.to.map(|to| to.min(self.known_until()));
        let is_within = |at: &&Timestamp| self.from <= **at && to.is_none_or(|to| **at < to);
        let within = self.runs.iter().filter(is_within).copied();
        let points: Vec<Timestamp> = std::iter::once(self.from).chain(within).chain(to).collect();
        let last = points.last().copied();
        let after = last.filter(|_| to.is_none());
        let missing = |from: Timestamp, to: Timestamp| {
            let gap = to.duration_since(from);
            let half = every / 2;
            let is_long = every.is_positive() && gap.saturating_sub(half) > every;
            let runs =
                is_long.then(|| gap.saturating_add(half).as_secs() / every.as_secs().max(1) - 1)?;
            Some(MissingRuns {
                runs: u64::try_from(runs).unwrap_or_default(),
                from,
                to,
                local: None,
            })
        };
        DueRuns {
            from: self.from,
            to: to.or(last).unwrap_or(self.from),
            runs: None,
            missing: points
                .windows(2)
                .filter_map(|pair| missing(pair[0], pair[1]))
                .collect(),
            instants: Vec::new(),
            may_still_start: 0,
            after_last_run: after
                .and_then(|last| missing(last, self.known_until()))
                .map_or(0, |missing| missing.runs),
        }
    }

    /// Reports the instants at which a run was due but none started. Any start before the next instant counts.
    fn due(&self, timetable: &Timetable) -> DueRuns {
        let known_until = self.known_until();
        let last = self.runs.last().copied();
        let to = self.to.or(last).unwrap_or(self.from);
        let second = SignedDuration::from_secs(1);
        let end = match self.to {
            // This includes an instant that is due right now.
            Some(to) => to.min(known_until.saturating_add(second).unwrap_or(to)),
            // A run that started a little early belongs to the coming instant.
            None => to.saturating_add(EARLY).unwrap_or(to),
        };
        let mut due = timetable.between(self.from, end);
        let judged = due.len();
        due.extend(due.last().and_then(|last| timetable.next(*last)));
        let mut runs = runs_of_each(&due, self.runs);
        let mut missing = Vec::new();
        let mut instants = Vec::new();
        let mut may_still_start = 0;
        for place in 0..judged {
            // A run just before the next instant counts for this one if the next instant has another run, or is outside
            // the period.
            if runs[place].is_empty()
                && let Some(of_next) = runs.get_mut(place + 1)
                && of_next.first().is_some_and(|run| *run < due[place + 1])
                && (place + 1 >= judged || of_next.len() > 1)
            {
                let early = of_next.remove(0);
                runs[place].push(early);
            }
            let next = due.get(place + 1).copied();
            let next = next.filter(|next| *next <= known_until);
            let local = timetable.local(due[place]);
            match next {
                _ if !runs[place].is_empty() => {}
                Some(next) => missing.push(MissingRuns {
                    runs: 1,
                    from: due[place],
                    to: next,
                    local: local.clone(),
                }),
                None => {
                    may_still_start += 1;
                    continue;
                }
            }
            instants.push(DueInstant {
                at: due[place],
                local,
                started: std::mem::take(&mut runs[place]),
            });
        }
        let after_last_run = match self.to {
            Some(_) => 0,
            // The run of the last instant may still start, so it does not count.
            None => {
                let now = self.now.saturating_add(second).unwrap_or(self.now);
                (timetable.between(end, now).len() as u64).saturating_sub(1)
            }
        };
        DueRuns {
            from: self.from,
            to: to.min(known_until),
            runs: Some(judged as u64),
            missing,
            instants,
            may_still_start,
            after_last_run,
        }
    }
}

/// The runs that started for each due instant. A run may start a little before its instant.
fn runs_of_each(due: &[Timestamp], runs: &[Timestamp]) -> Vec<Vec<Timestamp>> {
    let early = |place: usize| {
        let before = place.checked_sub(1).unwrap_or(place);
        let gap = due.get(before..=before + 1);
        let gap = gap.map_or(EARLY * 2, |pair| pair[1].duration_since(pair[0]));
        due[place]
            .saturating_sub(EARLY.min(gap / 2))
            .unwrap_or(due[place])
    };
    let opens: Vec<Timestamp> = (0..due.len()).map(early).collect();
    let mut of_each = vec![Vec::new(); due.len()];
    for run in runs {
        let place = opens.partition_point(|open| open <= run);
        if let Some(place) = place.checked_sub(1) {
            of_each[place].push(*run);
        }
    }
    of_each
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

    fn due_of(rhythm: &Rhythm, runs: &[Timestamp], period: &Period, now: &str) -> DueRuns {
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
    fn without_a_schedule_each_recorded_one_counts_as_long_as_it_was_in_force() {
        let run = |at: &str, cron: Option<&str>| Started {
            at: at.parse().expect("an instant"),
            failed: None,
            schedule: cron.map(|cron| RunSchedule {
                cron: cron.to_owned(),
                zone: "Etc/UTC".to_owned(),
            }),
        };
        let (once, twice) = (Some("40 23 * * *"), Some("30 0,23 * * *"));
        let check = |runs: &[Started], period| check(runs, None, &period, at(NOW));
        let missing = |runs: &[Started], period| {
            let due = check(runs, period).due.expect("a recorded schedule");
            let missing = due.missing.iter().map(|missing| missing.from.to_string());
            (due.from.to_string(), Vec::from_iter(missing))
        };
        let runs = [
            run("2026-11-19T12:00:00Z", None),
            run("2026-11-20T23:40:00Z", once),
            run("2026-11-22T23:40:00Z", once),
            run("2026-11-23T23:30:00Z", twice),
            run("2026-11-24T00:30:00Z", twice),
            run("2026-11-24T12:00:00Z", None),
            run("2026-11-25T00:30:00Z", twice),
            // The same schedule in another notation is not a change.
            run("2026-11-25T23:30:00Z", Some("30  23,0 * * *")),
            run("2026-11-26T00:30:00Z", Some("30  23,0 * * *")),
            run("2026-11-27T23:40:00Z", once),
            run("2026-11-29T23:40:00Z", once),
        ];
        let first = "2026-11-20T23:40:00Z".to_owned();
        let gone = [
            "2026-11-21T23:40:00Z",
            "2026-11-24T23:30:00Z",
            "2026-11-26T23:40:00Z",
            "2026-11-28T23:40:00Z",
        ];
        assert_eq!(
            missing(&runs, Period::default()),
            (first, gone.map(str::to_owned).into())
        );
        // `--from` may name days before the first run that records a schedule.
        let (from, before) = missing(&runs, period("2026-11-17", "2026-11-20"));
        assert_eq!(from, "2026-11-17T00:00:00Z");
        // The manual run at noon counts for the instant of the evening before.
        assert_eq!(before, ["2026-11-17T23:40:00Z", "2026-11-19T23:40:00Z"]);

        let changes = check(&runs, Period::default()).schedule_changes;
        let changes = changes
            .iter()
            .map(|change| (change.until.to_string(), change.to.cron.clone()));
        let (to_twice, to_once) = ("2026-11-23T23:30:00Z", "2026-11-27T23:40:00Z");
        assert_eq!(
            Vec::from_iter(changes),
            [(to_twice, "30 0,23 * * *"), (to_once, "40 23 * * *")]
                .map(|(at, cron)| (at.to_owned(), cron.to_owned()))
        );

        let none = check(&runs[..1], Period::default());
        assert_eq!(none.due, None);
        assert!(none.not_checked.is_some_and(|why| why.contains("--every")));
        let odd = [run("2026-11-20T23:40:00Z", Some("40 25 * * *"))];
        let why = check(&odd, Period::default()).not_checked;
        assert!(why.is_some_and(|why| why.contains("40 25 * * *")));
    }

    /// Replacing any schedule with any other makes no run missing.
    #[test]
    fn a_changed_schedule_alone_makes_no_run_missing() {
        let patterns = [
            "40 23 * * *",
            "30 0,23 * * *",
            "0 4 * * 1",
            "*/30 * * * *",
            "15 3 1 * *",
        ];
        for (before, after) in patterns
            .iter()
            .flat_map(|one| patterns.map(|other| (*one, other)))
        {
            for change in [
                "2026-11-10T23:35:00Z",
                "2026-11-11T00:00:00Z",
                "2026-11-11T12:00:00Z",
            ] {
                let change = at(change);
                let started = |pattern: &str, from: Timestamp, to: Timestamp| {
                    let instants = schedule(pattern, "Etc/UTC").between(from, to);
                    let cron = pattern.to_owned();
                    instants.into_iter().map(move |instant| Started {
                        at: instant + SignedDuration::from_secs(2),
                        failed: None,
                        schedule: Some(RunSchedule {
                            cron: cron.clone(),
                            zone: "Etc/UTC".to_owned(),
                        }),
                    })
                };
                let runs = started(before, at("2026-09-01T00:00:00Z"), change).chain(started(
                    after,
                    change,
                    at("2027-02-01T00:00:00Z"),
                ));
                let mut runs = Vec::from_iter(runs);
                let missing = |runs: &[Started]| {
                    let due = check(runs, None, &Period::default(), at(NOW)).due;
                    due.expect("a recorded schedule").missing_runs()
                };
                assert_eq!(missing(&runs), 0, "{before} to {after} at {change}");
                // An outage of weeks around the change is found.
                let outage = change - SignedDuration::from_hours(24 * 35)
                    ..change + SignedDuration::from_hours(24 * 35);
                runs.retain(|run| !outage.contains(&run.at));
                assert!(missing(&runs) > 0, "{before} to {after} at {change}");
            }
        }
    }

    #[test]
    fn a_period_outside_the_evidence_has_an_answer() {
        let nightly = nightly("Etc/UTC");
        let runs = [at("2026-11-10T23:40:02Z"), at("2026-11-20T23:40:02Z")].map(|at| Started {
            at,
            failed: None,
            schedule: None,
        });
        let check = |bounds| check(&runs, Some(&nightly), &bounds, at("2026-11-30T12:00:00Z"));
        let after = check(period("2026-11-25", "")).due.expect("an answer");
        assert_eq!((after.missing_runs(), after.may_still_start), (4, 1));
        let before = check(period("", "2026-11-05"));
        assert_eq!(before.due, None);
        assert!(before.not_checked.is_some_and(|why| why.contains("--from")));
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
        // A late run in the morning, in the afternoon, or minutes before the next one is due.
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
        // One run does not count for two instants.
        assert_eq!(missing(&nightly, &[first, both[0], last]).len(), 1);
        // No run is due before the first run or after the last one.
        assert_eq!(missing(&nightly, &[first]), [""; 0]);
        // Two runs for one instant do not count for another.
        let second = "2026-11-21T01:00:00Z";
        assert_eq!(missing(&nightly, &[first, second, last]), gone);
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
        // A ledger without runs has an answer if `--from` is given.
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
        // A period that ends in the future is checked up to now.
        assert_eq!(due("2027-12-31", "2026-11-04T23:40:01Z"), (1, 1, 0));
        // Without an end, runs due after the last one are not missing but counted.
        assert_eq!(due("", "2026-11-04T23:40:01Z"), (0, 0, 1));
        assert_eq!(due("", "2026-11-13T23:40:01Z"), (0, 0, 10));
        assert_eq!(due("", "2026-11-03T01:00:00Z"), (0, 0, 0));
    }

    #[test]
    fn with_an_interval_a_gap_is_longer_than_one_and_a_half_intervals() {
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
