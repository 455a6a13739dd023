//! Metrics as text, and the file of several runs.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::run::{Metric, RunMetrics};
use crate::files;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) metric: Metric,
    /// The first is `connection`.
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
}

impl Series {
    /// A run gives all lines of a metric and a connection, or none.
    fn key(&self) -> (Metric, &str) {
        let connection = self.labels.first();
        (
            self.metric,
            connection.map_or("", |(_, connection)| connection),
        )
    }

    /// Reads a line that [`page`] wrote. None of its labels needs an escape.
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.split_once("} ")?;
        let label = |text: &str| {
            let (name, value) = text.split_once("=\"")?;
            Some((name.to_owned(), value.strip_suffix('"')?.to_owned()))
        };
        Some(Self {
            metric: Metric::ALL.into_iter().find(|of| of.name() == name)?,
            labels: labels.split(',').map(label).collect::<Option<_>>()?,
            value: value.parse().ok()?,
        })
    }
}

/// Series in the order of the page: those of a metric are neighbours.
#[derive(Debug)]
struct Page(Vec<Series>);

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for of_metric in self.0.chunk_by(|one, other| one.metric == other.metric) {
            let metric = of_metric[0].metric;
            let (name, help) = (metric.name(), metric.help());
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for series in of_metric {
                ConstGauge::new(series.value).encode(family.encode_family(&series.labels)?)?;
            }
        }
        Ok(())
    }
}

/// The text of series, in OpenMetrics. It is valid in Prometheus' older format too, because all metrics are gauges.
fn page(mut series: Vec<Series>) -> String {
    series.sort_by(|a, b| (a.metric, &a.labels).cmp(&(b.metric, &b.labels)));
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page(series)));
    let mut page = String::new();
    text::encode(&mut page, &registry).expect("writing to memory does not fail");
    page
}

/// The text of one run.
pub(super) fn of_run(run: &RunMetrics) -> String {
    page(run.series())
}

/// Replaces the file. Of the same connections, it keeps the metrics that the newest runs do not have. Other connections
/// are dropped, because they left the list.
pub(super) fn update(file: &Path, runs: &[RunMetrics]) -> io::Result<()> {
    let earlier = match fs::metadata(file) {
        // A pipe would never end.
        Ok(of) if !of.is_file() => {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok(_) => fs::read(file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let earlier = String::from_utf8_lossy(&earlier);
    files::replace(file, updated(&earlier, runs).as_bytes())
}

fn updated(earlier: &str, runs: &[RunMetrics]) -> String {
    let mut series: Vec<Series> = runs.iter().flat_map(RunMetrics::series).collect();
    let known: HashSet<&str> = runs.iter().map(|run| run.connection.as_str()).collect();
    let renewed: HashSet<(Metric, &str)> = series.iter().map(Series::key).collect();
    let kept = earlier.lines().filter_map(Series::parse);
    let kept = kept.filter(|of| known.contains(of.key().1) && !renewed.contains(&of.key()));
    let kept: Vec<Series> = kept.collect();
    series.extend(kept);
    page(series)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judgement::{Counts, Verdict};
    use crate::metrics::JudgedRun;

    fn failed(connection: &str, at: &str) -> RunMetrics {
        RunMetrics::without_evidence(connection, at.parse().expect("an instant"), 75)
    }

    fn judged(connection: &str, at: &str) -> RunMetrics {
        let mut counts = Counts::default();
        counts.findings.total = 1;
        let by_kind = &mut counts.findings.by_kind;
        by_kind.insert("offboarded_access".to_owned(), 1);
        by_kind.insert("late_removal".to_owned(), 0);
        RunMetrics {
            exit: 3,
            took: Some(Duration::from_millis(1250)),
            requests: Some((7, 1)),
            sequence: Some(4),
            judged: Some(JudgedRun {
                verdict: Verdict::Fail,
                counts,
                feed_modified_at: None,
                oldest_finding: Some("2026-11-22T22:40:00Z".parse().expect("an instant")),
            }),
            ..failed(connection, at)
        }
    }

    #[test]
    fn a_run_is_a_page_of_gauges() {
        let lines = of_run(&judged("c1", "2026-11-23T22:40:00Z"));
        let lines = lines.lines().filter(|line| !line.starts_with("# HELP"));
        let lines: Vec<&str> = lines
            .map(|line| line.trim_start_matches("asana_access_review_"))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        # TYPE asana_access_review_last_run_timestamp_seconds gauge
        last_run_timestamp_seconds{connection="c1"} 1795473600.0
        # TYPE asana_access_review_last_run_exit_code gauge
        last_run_exit_code{connection="c1"} 3.0
        # TYPE asana_access_review_last_run_duration_seconds gauge
        last_run_duration_seconds{connection="c1"} 1.25
        # TYPE asana_access_review_last_run_requests gauge
        last_run_requests{connection="c1"} 7.0
        # TYPE asana_access_review_last_run_throttled_requests gauge
        last_run_throttled_requests{connection="c1"} 1.0
        # TYPE asana_access_review_ledger_sequence gauge
        ledger_sequence{connection="c1"} 4.0
        # TYPE asana_access_review_last_success_timestamp_seconds gauge
        last_success_timestamp_seconds{connection="c1"} 1795473600.0
        # TYPE asana_access_review_verdict gauge
        verdict{connection="c1",verdict="fail"} 1.0
        verdict{connection="c1",verdict="inconclusive"} 0.0
        verdict{connection="c1",verdict="pass"} 0.0
        verdict{connection="c1",verdict="pass_with_exceptions"} 0.0
        # TYPE asana_access_review_findings gauge
        findings{connection="c1",kind="late_removal"} 0.0
        findings{connection="c1",kind="offboarded_access"} 1.0
        # TYPE asana_access_review_oldest_finding_age_seconds gauge
        oldest_finding_age_seconds{connection="c1"} 86400.0
        # TYPE asana_access_review_feed_age_seconds gauge
        feed_age_seconds{connection="c1"} NaN
        # EOF
        "#);
    }

    #[test]
    fn a_failed_run_keeps_the_last_success_and_its_findings() {
        let first = updated("", &[judged("c1", "2026-11-23T22:40:00Z")]);
        let page = updated(&first, &[failed("c1", "2026-11-24T22:40:00Z")]);
        let kept = |text: &str| {
            let lines = text.lines().filter(|line| {
                line.contains("last_success")
                    || line.contains("findings{")
                    || line.contains("verdict{")
            });
            Vec::from_iter(lines.map(str::to_owned))
        };
        assert_eq!(kept(&page), kept(&first));
        assert!(kept(&page).len() > 4, "{page}");
        assert!(
            page.contains("exit_code{connection=\"c1\"} 75.0\n"),
            "{page}"
        );
        assert!(
            !page.contains("exit_code{connection=\"c1\"} 3.0\n"),
            "{page}"
        );
        assert_eq!(
            updated(&page, &[failed("c1", "2026-11-24T22:40:00Z")]),
            page
        );
    }

    #[test]
    fn a_later_verdict_replaces_all_metrics_of_the_earlier_one() {
        let first = updated("", &[judged("c1", "2026-11-23T22:40:00Z")]);
        let mut passed = judged("c1", "2026-11-24T22:40:00Z");
        passed.judged = Some(JudgedRun {
            verdict: Verdict::Pass,
            counts: Counts::default(),
            feed_modified_at: Some("2026-11-24T22:30:00.5Z".parse().expect("an instant")),
            oldest_finding: None,
        });
        let page = updated(&first, &[passed]);
        assert!(page.contains("verdict=\"pass\"} 1.0\n"), "{page}");
        assert!(
            page.contains("finding_age_seconds{connection=\"c1\"} 0.0\n"),
            "{page}"
        );
        assert!(
            page.contains("feed_age_seconds{connection=\"c1\"} 600.0\n"),
            "{page}"
        );
    }

    #[test]
    fn a_connection_that_left_the_list_leaves_the_file() {
        let at = "2026-11-23T22:40:00Z";
        let both = updated("", &[judged("c1", at), judged("c2", at)]);
        assert!(both.contains("connection=\"c2\""));
        let one = updated(&both, &[failed("c1", at)]);
        assert!(!one.contains("connection=\"c2\""), "{one}");
    }

    #[test]
    fn lines_of_others_are_not_kept() {
        let page = of_run(&failed("c1", "2026-11-23T22:40:00Z"));
        for odd in [
            "up 1",
            "other{connection=\"c1\"} 1",
            "asana_access_review_verdict{connection=c1} 1",
            "asana_access_review_verdict{connection=\"c1\"} many",
            "asana_access_review_verdict{",
            "\u{1}",
        ] {
            assert_eq!(updated(odd, &[failed("c1", "2026-11-23T22:40:00Z")]), page);
        }
    }
}
