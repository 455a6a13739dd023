//! The metrics of one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::exposition::Series;
use crate::evidence::Manifest;
use crate::judgement::{Counts, Verdict};

/// A metric. All are gauges with the label `connection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    LastRun,
    ExitCode,
    Duration,
    Requests,
    Throttled,
    LedgerSequence,
    LastSuccess,
    Verdict,
    Findings,
    OldestFinding,
    Accounts,
    Leavers,
    FeedAge,
}

impl Metric {
    pub const ALL: [Self; 13] = [
        Self::LastRun,
        Self::ExitCode,
        Self::Duration,
        Self::Requests,
        Self::Throttled,
        Self::LedgerSequence,
        Self::LastSuccess,
        Self::Verdict,
        Self::Findings,
        Self::OldestFinding,
        Self::Accounts,
        Self::Leavers,
        Self::FeedAge,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::LastRun => "asana_access_review_last_run_timestamp_seconds",
            Self::ExitCode => "asana_access_review_last_run_exit_code",
            Self::Duration => "asana_access_review_last_run_duration_seconds",
            Self::Requests => "asana_access_review_last_run_requests",
            Self::Throttled => "asana_access_review_last_run_throttled_requests",
            Self::LedgerSequence => "asana_access_review_ledger_sequence",
            Self::LastSuccess => "asana_access_review_last_success_timestamp_seconds",
            Self::Verdict => "asana_access_review_verdict",
            Self::Findings => "asana_access_review_findings",
            Self::OldestFinding => "asana_access_review_oldest_finding_age_seconds",
            Self::Accounts => "asana_access_review_accounts",
            Self::Leavers => "asana_access_review_leavers",
            Self::FeedAge => "asana_access_review_feed_age_seconds",
        }
    }

    /// The name of its second label.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Verdict => Some("verdict"),
            Self::Findings => Some("kind"),
            Self::Accounts => Some("status"),
            Self::Leavers => Some("outcome"),
            Self::LastRun
            | Self::ExitCode
            | Self::Duration
            | Self::Requests
            | Self::Throttled
            | Self::LedgerSequence
            | Self::LastSuccess
            | Self::OldestFinding
            | Self::FeedAge => None,
        }
    }

    /// One line, without the full stop.
    pub fn help(self) -> &'static str {
        match self {
            Self::LastRun => {
                "Start of the newest run; of a connection that SHARD_DEADLINE left out, the end of its shard"
            }
            Self::ExitCode => {
                "Exit code of the newest run; 75 for a connection that SHARD_DEADLINE left out"
            }
            Self::Duration => "Duration of the newest run",
            Self::Requests => {
                "HTTP requests of the newest run to Truto and for HR data and manual decisions, with every attempt"
            }
            Self::Throttled => "Requests of the newest run that were answered with 429",
            Self::LedgerSequence => "Number of the newest ledger entry",
            Self::LastSuccess => "Start of the newest run with a verdict, whichever verdict it is",
            Self::Verdict => "1 for the verdict of the newest run with a verdict, 0 for the others",
            Self::Findings => "Findings of the newest run with a verdict",
            Self::OldestFinding => {
                "Time from the first run with the oldest finding to the newest run with a verdict; 0 without findings"
            }
            Self::Accounts => "Asana accounts in the newest run with a verdict",
            Self::Leavers => "Offboardings in the newest run with a verdict",
            Self::FeedAge => "Age of the HR feed in the newest run with a verdict; NaN if unknown",
        }
    }
}

/// The newest run of one connection. Unknown values are not published.
#[derive(Clone, Debug)]
pub struct RunMetrics {
    pub connection: String,
    pub as_of: Timestamp,
    pub exit: u8,
    pub took: Option<Duration>,
    /// Requests, and how many of them were answered with 429.
    pub requests: Option<(u64, u64)>,
    /// The ledger entry of the run.
    pub sequence: Option<u64>,
    /// None if the run came to no verdict.
    pub judged: Option<JudgedRun>,
}

/// A run that came to a verdict.
#[derive(Clone, Debug)]
pub struct JudgedRun {
    pub verdict: Verdict,
    pub counts: Counts,
    /// When the HR feed last changed, if known.
    pub feed_modified_at: Option<Timestamp>,
    /// When the oldest finding was first seen. None without findings, or if unknown.
    pub oldest_finding: Option<Timestamp>,
}

impl RunMetrics {
    /// Of a run that left no evidence.
    pub fn without_evidence(connection: &str, as_of: Timestamp, exit: u8) -> Self {
        Self {
            connection: connection.to_owned(),
            as_of,
            exit,
            took: None,
            requests: None,
            sequence: None,
            judged: None,
        }
    }

    /// Of a run of an earlier process, by its evidence.
    pub fn of_manifest(manifest: &Manifest, sequence: u64, exit: u8) -> Self {
        let feed = manifest.sources.hr_feed.as_ref();
        let counts = manifest.summary.clone();
        Self {
            sequence: Some(sequence),
            judged: counts.map(|counts| JudgedRun {
                verdict: manifest.verdict,
                counts,
                feed_modified_at: feed.and_then(|feed| feed.modified_at),
                oldest_finding: None,
            }),
            ..Self::without_evidence(&manifest.connection.id, manifest.run.as_of, exit)
        }
    }

    pub(super) fn series(&self) -> Vec<Series> {
        let mut series = Vec::new();
        let mut add = |metric: Metric, word: &str, value: f64| {
            let mut labels = vec![("connection".to_owned(), self.connection.clone())];
            labels.extend(metric.label().map(|of| (of.to_owned(), word.to_owned())));
            series.push(Series {
                metric,
                labels,
                value,
            });
        };
        add(Metric::LastRun, "", seconds(self.as_of));
        add(Metric::ExitCode, "", f64::from(self.exit));
        if let Some(took) = self.took {
            add(Metric::Duration, "", took.as_secs_f64());
        }
        if let Some((requests, throttled)) = self.requests {
            add(Metric::Requests, "", number(requests));
            add(Metric::Throttled, "", number(throttled));
        }
        if let Some(sequence) = self.sequence {
            add(Metric::LedgerSequence, "", number(sequence));
        }
        let Some(judged) = &self.judged else {
            return series;
        };
        add(Metric::LastSuccess, "", seconds(self.as_of));
        for verdict in Verdict::ALL {
            let is = *verdict == judged.verdict;
            add(Metric::Verdict, verdict.as_str(), f64::from(u8::from(is)));
        }
        let counts = &judged.counts;
        let mut add_each = |metric, words: &BTreeMap<String, u64>| {
            words
                .iter()
                .for_each(|(word, count)| add(metric, word, number(*count)));
        };
        add_each(Metric::Findings, &counts.findings.by_kind);
        add_each(Metric::Accounts, &counts.accounts.by_status);
        add_each(Metric::Leavers, &counts.leavers.by_outcome);
        // A run has whole seconds, so a file of the same second is not younger than it.
        let age = |since: Timestamp| seconds(self.as_of) - seconds(since);
        let oldest = match counts.findings.total {
            0 => Some(0.0),
            _ => judged.oldest_finding.map(age),
        };
        add(Metric::OldestFinding, "", oldest.unwrap_or(f64::NAN));
        let feed = judged.feed_modified_at.map(age);
        add(Metric::FeedAge, "", feed.unwrap_or(f64::NAN));
        series
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// Exact up to 2^53.
fn number(count: u64) -> f64 {
    count as f64
}
