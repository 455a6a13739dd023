use std::path::PathBuf;

use clap::Args;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::verify::{Every, anchor};
use crate::verify::{Anchor, Rhythm};

#[derive(Clone, Debug, Args)]
pub struct ReportArguments {
    /// Location of the evidence: a folder or s3://bucket/prefix [default: EVIDENCE_URL]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// First day of the period, or last-month or last-quarter for the first day of that one
    #[arg(long, value_name = "DAY", value_parser = PeriodDay::parse)]
    pub from: PeriodDay,
    /// Last day of the period (included), or last-month or last-quarter for the last day of that one
    #[arg(long, value_name = "DAY", value_parser = PeriodDay::parse)]
    pub to: PeriodDay,
    /// Time zone of these days, and of a schedule in --every, for example Europe/Berlin [default: HR_TIME_ZONE of the last run of the period]
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

/// One end of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodDay {
    Day(Date),
    /// The month before the one of today.
    LastMonth,
    /// The quarter before the one of today.
    LastQuarter,
}

impl PeriodDay {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match text {
            "last-month" => return Ok(Self::LastMonth),
            "last-quarter" => return Ok(Self::LastQuarter),
            _ => {}
        }
        let is_day = text.len() == "2026-12-31".len();
        let day = is_day.then(|| text.parse().ok()).flatten();
        day.map(Self::Day)
            .ok_or("write a day as 2026-12-31, or last-month or last-quarter")
    }

    /// Whether the day depends on today.
    pub fn is_relative(self) -> bool {
        !matches!(self, Self::Day(_))
    }

    /// The day, as the first of a period.
    pub fn first(self, today: Date) -> Date {
        match self.months() {
            Ok(months) => month_before(today, months, months),
            Err(day) => day,
        }
    }

    /// The day, as the last of a period.
    pub fn last(self, today: Date) -> Date {
        match self.months() {
            Ok(months) => month_before(today, months, 1).last_of_month(),
            Err(day) => day,
        }
    }

    /// The months of the period before this one; or the day.
    fn months(self) -> Result<i8, Date> {
        match self {
            Self::Day(day) => Err(day),
            Self::LastMonth => Ok(1),
            Self::LastQuarter => Ok(3),
        }
    }
}

/// The first day of the month that is this many months before the begin of today's period of 1 or 3 months.
fn month_before(today: Date, of: i8, months: i8) -> Date {
    let into = (today.month() - 1) % of;
    today
        .first_of_month()
        .saturating_sub((into + months).months())
}

/// A seed must survive a shell, a file and a mail.
fn seed(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\'';
    match !text.is_empty() && text.len() <= 100 && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("write up to 100 visible ASCII characters without blanks and quotes"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::PeriodDay;

    #[test]
    fn the_last_month_and_quarter_end_before_those_of_today() {
        for (today, month, quarter) in [
            (
                date(2026, 1, 1),
                (date(2025, 12, 1), date(2025, 12, 31)),
                (date(2025, 10, 1), date(2025, 12, 31)),
            ),
            (
                date(2026, 3, 31),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2025, 10, 1), date(2025, 12, 31)),
            ),
            (
                date(2028, 3, 15),
                (date(2028, 2, 1), date(2028, 2, 29)),
                (date(2027, 10, 1), date(2027, 12, 31)),
            ),
            (
                date(2026, 12, 31),
                (date(2026, 11, 1), date(2026, 11, 30)),
                (date(2026, 7, 1), date(2026, 9, 30)),
            ),
        ] {
            let period = |of: PeriodDay| (of.first(today), of.last(today));
            assert_eq!(period(PeriodDay::LastMonth), month, "{today}");
            assert_eq!(period(PeriodDay::LastQuarter), quarter, "{today}");
        }
    }

    #[test]
    fn a_day_of_a_period_is_a_date_or_a_known_word() {
        assert_eq!(PeriodDay::parse("last-month"), Ok(PeriodDay::LastMonth));
        let day = PeriodDay::Day(date(2026, 12, 31));
        assert_eq!(PeriodDay::parse(" 2026-12-31 "), Ok(day));
        for text in ["", "last month", "this-month", "2026-12", "2026-13-01"] {
            assert!(PeriodDay::parse(text).is_err(), "{text}");
        }
    }
}
