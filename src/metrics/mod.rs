//! Metrics of runs for Prometheus: a file for the textfile collector of node_exporter, and groups in a Pushgateway.
//!
//! They are written after the commit and never change the outcome: a failure is logged. They contain numbers and the ids
//! of connections, but no names, no addresses and no secrets.

mod exposition;
mod gateway;
mod run;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use reqwest::Url;
use tracing::{info, warn};

pub use run::{JudgedRun, Metric, RunMetrics};

use crate::evidence::Shard;
use crate::net;

/// Where metrics go.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A file in the folder of node_exporter's textfile collector.
    pub file: Option<PathBuf>,
    /// The base address of a Pushgateway.
    pub pushgateway: Option<Url>,
    /// The bounds of each request to the Pushgateway.
    pub http: net::Settings,
    /// The bound of all requests to the Pushgateway together.
    pub within: Duration,
}

impl Settings {
    /// Enough for the largest shard, without a long delay of one run.
    pub const WITHIN: Duration = Duration::from_secs(60);

    /// Three attempts, at about 0, 0.5 and 1.5 s if answers are immediate.
    pub const HTTP: net::Settings = net::Settings {
        timeout: Duration::from_secs(5),
        max_attempts: 3,
        max_elapsed: Duration::from_secs(15),
        base_delay: net::Settings::BASE_DELAY,
        traffic: None,
    };

    /// The same with a file for each shard: several may run on one machine.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        let name = |file: &PathBuf| {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            file.with_file_name(format!("{stem}-{}.prom", shard.index))
        };
        Self {
            file: match shard.count {
                1 => self.file,
                _ => self.file.as_ref().map(name),
            },
            ..self
        }
    }
}

/// Publishes the newest run of each connection. Metrics that a run does not have keep their earlier values, so a failed
/// run does not replace the last success.
pub async fn publish(settings: &Settings, runs: &[RunMetrics]) {
    let publishing = AssertUnwindSafe(async {
        if let Some(file) = &settings.file {
            write(file, runs);
        }
        if let Some(url) = &settings.pushgateway {
            gateway::push(settings, url, runs).await;
        }
    });
    if publishing.catch_unwind().await.is_err() {
        warn!("Could not publish metrics; the outcome does not change");
    }
}

fn write(file: &Path, runs: &[RunMetrics]) {
    let shown = file.display();
    match exposition::update(file, runs) {
        Ok(()) => info!("Wrote metrics to `{shown}`"),
        Err(error) => warn!(
            %error,
            hint = "set METRICS_FILE to a file in a folder that exists and that this user may write",
            "Could not write metrics to `{shown}`; the outcome does not change"
        ),
    }
}
