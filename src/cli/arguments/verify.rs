use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config;
use crate::schedule::Pattern;
use crate::verify::{Anchor, Bound, Period, Rhythm};

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Location of the evidence: a folder or s3://bucket/prefix [default: EVIDENCE_URL]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Verify only this connection
    #[arg(long, value_name = "ID")]
    pub connection: Option<String>,
    /// Ledger entry that a run printed; the ledger must contain it. May be repeated
    #[arg(long = "head", value_name = "SEQ:HASH", value_parser = anchor)]
    pub heads: Vec<Anchor>,
    /// Trusted public key (PEM); the last entry must be signed with it. May be repeated
    #[arg(long = "public-key", value_name = "FILE")]
    pub public_keys: Vec<PathBuf>,
    /// When runs were due. With a cron schedule, for example "30 0,23 * * *", a run is missing if none started before the next due time. With an interval, for example 24h, a run is missing if 1.5 times the interval passes without one [default: the schedule recorded in the evidence (RUN_SCHEDULE)]
    #[arg(long, value_name = "DURATION|SCHEDULE", value_parser = Every::parse)]
    every: Option<Every>,
    /// Time zone of that schedule and of the days in --from and --to, for example Europe/Berlin [default: Etc/UTC]
    #[arg(long, value_name = "ZONE", requires = "every")]
    zone: Option<String>,
    /// First day or instant of the period to check for missing and failed runs [default: the first run]
    #[arg(long, value_name = "DAY|INSTANT", value_parser = bound)]
    from: Option<Bound>,
    /// Last day of that period (included), or the instant at which it ends [default: the last run]
    #[arg(long, value_name = "DAY|INSTANT|now", value_parser = bound)]
    to: Option<Bound>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

impl VerifyArguments {
    /// How often runs were due.
    ///
    /// # Errors
    /// If `--zone` is unknown, or goes with an interval.
    pub fn rhythm(&self) -> Result<Option<Rhythm>, String> {
        match (&self.every, self.zone.as_deref()) {
            (None, _) => Ok(None),
            (Some(every @ Every::Interval { .. }), None) => every.in_zone("Etc/UTC").map(Some),
            (Some(Every::Interval { .. }), Some(_)) => Err(
                "--zone applies to a schedule such as --every \"30 0,23 * * *\", not to an interval"
                    .to_owned(),
            ),
            (Some(every @ Every::Schedule { .. }), zone) => {
                every.in_zone(zone.unwrap_or("Etc/UTC")).map(Some)
            }
        }
    }

    /// Where missing and failed runs are looked for.
    ///
    /// # Errors
    /// If it ends before it begins.
    pub fn period(&self) -> Result<Period, String> {
        let (from, to) = (self.from, self.to);
        let is_reversed = match (from, to) {
            (Some(Bound::Day(from)), Some(Bound::Day(to))) => from > to,
            (Some(Bound::At(from)), Some(Bound::At(to))) => from >= to,
            _ => false,
        };
        match is_reversed {
            true => Err("--from is after --to".to_owned()),
            false => Ok(Period { from, to }),
        }
    }
}

/// What `--every` is given: `24h`, or a schedule, which holds in a zone.
#[derive(Clone, Debug)]
pub(super) enum Every {
    Interval { every: Duration, text: String },
    Schedule { pattern: Pattern, text: String },
}

impl Every {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.contains([' ', '\t', '*', '@']) {
            true => Pattern::parse(text).map(|pattern| Self::Schedule {
                pattern,
                text: text.to_owned(),
            }),
            false => config::interval(text).map(|every| Self::Interval {
                every,
                text: text.to_owned(),
            }),
        }
    }

    /// As given.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Interval { text, .. } | Self::Schedule { text, .. } => text,
        }
    }

    /// An interval needs no zone.
    pub(super) fn in_zone(&self, zone: &str) -> Result<Rhythm, String> {
        match self {
            Self::Interval { every, .. } => Ok(Rhythm::Interval(*every)),
            Self::Schedule { pattern, .. } => {
                let schedule = pattern.clone().in_zone(zone);
                let schedule = schedule.map_err(|wrong| format!("--zone: {wrong}"))?;
                Ok(Rhythm::Schedule(schedule))
            }
        }
    }
}

pub(super) fn anchor(text: &str) -> Result<Anchor, &'static str> {
    Anchor::parse(text).ok_or("write it as a run prints it: 42:<64 hex digits>")
}

/// One end of a period, as `--from` and `--to` take it.
fn bound(text: &str) -> Result<Bound, &'static str> {
    let text = text.trim();
    match text {
        "now" => Ok(Bound::Now),
        // A date of jiff's takes the day of a time without a zone, too.
        _ if text.len() == "2026-12-31".len() => text.parse().map(Bound::Day).map_err(|_| BOUND),
        _ => text.parse().map(Bound::At).map_err(|_| BOUND),
    }
}

const BOUND: &str =
    "write a day as 2026-12-31, an instant with its zone as 2026-12-31T23:59:59Z, or `now`";
