use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::verify::{Every, anchor};
use crate::verify::{Anchor, Rhythm};

#[derive(Clone, Debug, Args)]
pub struct ReportArguments {
    /// Location of the evidence: a folder or s3://bucket/prefix [default: EVIDENCE_URL]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// First day of the period
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Date,
    /// Last day of the period (included)
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Date,
    /// Time zone of these days, and of a schedule in --every, for example Europe/Berlin [default: HR_TIME_ZONE of the newest run]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The connection, if the evidence has several
    #[arg(long, value_name = "ID")]
    pub connection: Option<String>,
    /// When runs were due: a cron schedule, for example "30 0,23 * * *", or an interval, for example 24h [default: the schedule recorded in the evidence (RUN_SCHEDULE)]
    #[arg(long, value_name = "DURATION|SCHEDULE", value_parser = Every::parse)]
    pub(super) every: Option<Every>,
    /// Ledger entry that a run printed; the ledger must contain it. May be repeated
    #[arg(long = "head", value_name = "SEQ:HASH", value_parser = anchor)]
    pub heads: Vec<Anchor>,
    /// Trusted public key (PEM); the last entry must be signed with it. May be repeated
    #[arg(long = "public-key", value_name = "FILE")]
    pub public_keys: Vec<PathBuf>,
    /// Your own HR export of terminations, compared with the population
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// How many leavers to sample; needs --seed
    #[arg(long, value_name = "N", default_value_t = 25, requires = "seed")]
    pub sample: usize,
    /// Text that draws the sample. First make a pack without it, and note the population's SHA-256
    #[arg(long, value_name = "TEXT", value_parser = seed)]
    pub seed: Option<String>,
    /// How many runs to sample; needs --seed
    #[arg(long, value_name = "N", default_value_t = 25, requires = "seed")]
    pub sample_runs: usize,
    /// Replace names, addresses and ids by pseudonyms, and leave out free text and samples
    #[arg(long)]
    pub redact: bool,
    /// Make a pack although the evidence has faults of integrity; page one says so
    #[arg(long)]
    pub despite_faults: bool,
    /// The folder to write; must be missing or empty [default: audit-pack-FROM-TO]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl ReportArguments {
    /// How often runs were due, as given. A schedule holds in this zone.
    ///
    /// # Errors
    /// If the zone does not exist.
    pub fn rhythm(&self, zone: &str) -> Result<Option<Rhythm>, String> {
        self.every
            .as_ref()
            .map(|every| every.in_zone(zone))
            .transpose()
    }

    /// `--every`, as given.
    pub fn every_as_given(&self) -> Option<&str> {
        self.every.as_ref().map(Every::text)
    }
}

fn day(text: &str) -> Result<Date, &'static str> {
    let text = text.trim();
    let is_day = text.len() == "2026-12-31".len();
    let day = is_day.then(|| text.parse().ok()).flatten();
    day.ok_or("write a day as 2026-12-31")
}

/// A seed must survive a shell, a file and a mail.
fn seed(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\'';
    match !text.is_empty() && text.len() <= 100 && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("write up to 100 visible ASCII characters without blanks and quotes"),
    }
}
