//! The period of the pack, and the entries of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::RunVerified;
use crate::evidence::{Entry, EntryKind, RunFolder};
use crate::schedule::EARLY;

/// The first and the last day of a period, in its zone.
#[derive(Clone, Debug)]
pub struct Period {
    pub first: Date,
    pub last: Date,
    /// The name of the zone: `Europe/Berlin`.
    pub zone_name: String,
    pub zone: TimeZone,
    /// The first instant of the first day.
    pub from: Timestamp,
    /// The midnight that closes the last day.
    pub to: Timestamp,
}

/// The longest period, in days. A longer one is a mistyped year.
const MOST_DAYS: i32 = 36_600;

/// When a run began, by the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Before,
    Within,
    /// Such a run still concludes items of the period.
    After,
}

impl Period {
    /// # Errors
    /// A sentence, if the zone does not exist or the days are reversed or out of range.
    pub fn of(first: Date, last: Date, zone_name: &str) -> Result<Self, String> {
        if first > last {
            return Err(format!(
                "--from ({first}) is after --to ({last}): swap the two days"
            ));
        }
        if (last - first).get_days() > MOST_DAYS {
            return Err(format!(
                "the period from {first} to {last} is longer than 100 years: correct the year"
            ));
        }
        let zone = TimeZone::get(zone_name).map_err(|_| {
            format!(
                "--zone: the time zone `{zone_name}` does not exist: write one such as Europe/Berlin"
            )
        })?;
        let midnight = |day: Date| {
            let midnight = zone.to_ambiguous_timestamp(day.to_datetime(Time::midnight()));
            midnight
                .compatible()
                .map_err(|_| format!("the day {day} is out of range"))
        };
        let after = last
            .tomorrow()
            .map_err(|_| format!("the day {last} is out of range"))?;
        Ok(Self {
            from: midnight(first)?,
            to: midnight(after)?,
            first,
            last,
            zone_name: zone_name.to_owned(),
            zone,
        })
    }

    /// The midnight that closes a day.
    pub(super) fn end_of(&self, day: Date) -> Option<Timestamp> {
        let midnight = day.tomorrow().ok()?.to_datetime(Time::midnight());
        let midnight = self.zone.to_ambiguous_timestamp(midnight);
        midnight.compatible().ok()
    }

    pub(super) fn phase(&self, at: Timestamp) -> Phase {
        if at < self.from {
            Phase::Before
        } else if at < self.to {
            Phase::Within
        } else {
            Phase::After
        }
    }

    /// Whether the pack may show a run that began then: the run of the first due instant may begin a little early.
    pub fn shows(&self, at: Timestamp) -> bool {
        at >= self.from.saturating_sub(EARLY).unwrap_or(self.from)
    }

    pub(super) fn has_day(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// The day that ends at an instant, by the clock of a zone, else of the zone of the period.
    pub(super) fn day_in(&self, end: Timestamp, zone: Option<&str>) -> Date {
        let zone = zone.and_then(|name| TimeZone::get(name).ok());
        let before = Timestamp::from_nanosecond(end.as_nanosecond() - 1).unwrap_or(end);
        zone.unwrap_or_else(|| self.zone.clone())
            .to_datetime(before)
            .date()
    }

    /// Whether an end of work lies in the period. A day ends with the midnight that closes it, so the midnight that
    /// opens the period belongs to the day before.
    pub(super) fn contains_end(&self, end: Timestamp) -> bool {
        self.from < end && end <= self.to
    }

    /// An instant by the clock of the zone: `2026-11-23 23:40 Europe/Berlin`.
    pub(super) fn local(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M");
        format!("{local} {}", self.zone_name)
    }

    /// The day of an instant in the zone. A midnight belongs to the day that it closes if `closes` is true.
    pub(super) fn day(&self, at: Timestamp, closes: bool) -> Date {
        match closes {
            true => self.day_in(at, None),
            false => self.zone.to_datetime(at).date(),
        }
    }
}

/// An entry of the ledger, as it was verified.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    pub entry: Entry,
    /// SHA-256 of the entry's bytes, in hex.
    pub sha256: String,
    /// When a bucket stored it. None for a folder.
    pub stored_at: Option<Timestamp>,
    pub verified: RunVerified,
}

impl LedgerEntry {
    /// When the run began. None if the entry is of a review.
    pub fn run_instant(&self) -> Option<Timestamp> {
        match self.entry.kind {
            EntryKind::Run | EntryKind::Failure => RunFolder::parse(&self.entry.run)?.instant(),
            EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge => None,
        }
    }
}

/// Finds the ledger entry of a run.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    by_run: BTreeMap<String, u64>,
    by_instant: BTreeMap<Timestamp, u64>,
    faulty: BTreeSet<u64>,
}

impl Entries {
    pub fn of(entries: &[LedgerEntry]) -> Self {
        let mut index = Self::default();
        for of in entries {
            let Some(at) = of.run_instant() else {
                continue;
            };
            index.by_run.insert(of.entry.run.clone(), of.entry.sequence);
            if of.verified == RunVerified::Fault {
                index.faulty.insert(of.entry.sequence);
            }
            // A failed run saw nothing, so a judged run of the same second counts.
            match of.entry.kind {
                EntryKind::Run => index.by_instant.insert(at, of.entry.sequence),
                _ => index.by_instant.get(&at).copied(),
            };
        }
        index
    }

    /// The entry of the run in a folder, `dt=…/run=…`.
    pub fn of_run(&self, run: &str) -> Option<u64> {
        self.by_run.get(run).copied()
    }

    /// Whether the run of an entry has a fault.
    pub(super) fn is_faulty(&self, entry: u64) -> bool {
        self.faulty.contains(&entry)
    }

    /// The entry of the judged run that began at an instant.
    pub fn at(&self, at: Timestamp) -> Option<u64> {
        let second = Timestamp::from_second(at.as_second()).ok()?;
        self.by_instant.get(&second).copied()
    }
}
