//! A year of runs, in which people leave all the time.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use truto_simulator::World;

use super::job::Job;

/// The first run. It comes before the first day of the year, so that the year has a baseline.
const FIRST_RUN: &str = "2024-12-31T22:40:00Z";

/// Before the first day of the year.
const BEFORE: Date = Date::constant(2024, 12, 31);

/// The runs of a year over a company: how many, how often, and how large the company is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Year {
    pub(crate) runs: u64,
    pub(crate) runs_a_day: u64,
    pub(crate) accounts: usize,
}

impl Year {
    /// One in ten people leaves, one after another, from the first day to the last.
    fn leavers(&self) -> usize {
        self.accounts / 10
    }

    /// The last day of work of a leaver.
    fn last_day(&self, leaver: usize) -> Date {
        let days = self.runs / self.runs_a_day;
        let days = 1 + leaver as u64 * days / self.leavers() as u64;
        BEFORE + SignedDuration::from_hours(24 * days as i64)
    }

    /// When a leaver loses access: after the end of work, mostly in time. One in ten comes too late, and one in 20
    /// never.
    fn removed_at(&self, leaver: usize) -> Option<Timestamp> {
        let hours = match leaver % 20 {
            3 => return None,
            7 | 17 => 84,
            _ => 30,
        };
        let midnight = self.last_day(leaver).in_tz("UTC").expect("a day");
        Some(midnight.timestamp() + SignedDuration::from_hours(hours))
    }

    fn hr_rows(&self, at: Timestamp) -> String {
        let today = at.in_tz("UTC").expect("a day").date();
        let left = (0..self.leavers()).filter(|leaver| self.last_day(*leaver) <= today);
        left.map(|leaver| {
            let (number, day) = (account_of(leaver), self.last_day(leaver));
            format!("E{number},Person Number,person{number}@example.com,Terminated,{day}\n")
        })
        .collect()
    }

    /// The accounts at an instant. Every week another person joins.
    fn world(&self, at: Timestamp, run: u64) -> World {
        let joined = run / self.runs_a_day / 7;
        let mut world = World::generated(self.accounts + joined as usize);
        for leaver in 0..self.leavers() {
            if self.removed_at(leaver).is_some_and(|removed| removed <= at) {
                let person = &mut world.people[account_of(leaver) - 1];
                *person = person.clone().inactive();
            }
        }
        world
    }

    /// A job for these runs.
    pub(crate) fn job(&self) -> Job {
        let schedule = match self.runs_a_day {
            1 => "40 22 * * *",
            2 => "40 10,22 * * *",
            other => panic!("no schedule for {other} runs a day"),
        };
        Job::new(World::generated(self.accounts), "")
            .env("RUN_SCHEDULE", schedule)
            .env("RUN_SCHEDULE_ZONE", "Etc/UTC")
    }

    /// Makes the runs from number `from` to before `to`. The first run has the number 0.
    pub(crate) fn run(&self, job: &Job, from: u64, to: u64) {
        let first: Timestamp = FIRST_RUN.parse().expect("an instant");
        for run in from..to {
            let hours = 24 / self.runs_a_day * run;
            let at = first + SignedDuration::from_hours(hours as i64);
            job.hr_feed(&self.hr_rows(at));
            job.run_at(&at.to_string(), self.world(at, run));
        }
    }
}

/// The number of a leaver's account: never that of an inactive account, a guest, or the connected person.
fn account_of(leaver: usize) -> usize {
    2 + 10 * leaver
}
