//! Posts metrics to a Pushgateway.

use futures_util::{StreamExt as _, stream};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tracing::{info, warn};

use super::run::RunMetrics;
use super::{Settings, exposition};
use crate::cli::exit::error_chain;
use crate::net::{Deadline, ErrorKind, Http, NetError, Request};

/// The label `job` of every group. `connection` is the other one.
const JOB: &str = "asana-access-review";

/// How many groups are posted at the same time.
const AT_ONCE: usize = 8;

/// The longest part of an answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Posts one group for each run. POST replaces only the metrics in it; PUT would delete the last success.
pub(super) async fn push(settings: &Settings, url: &Url, runs: &[RunMetrics]) {
    let host = url.origin().ascii_serialization();
    let http = match Http::new(&settings.http, Deadline::after(settings.within)) {
        Ok(http) => http.with_plain_http(),
        Err(error) => {
            let error = error_chain(&error);
            warn!(error, "Could not push metrics; the outcome does not change");
            return;
        }
    };
    let posts = runs.iter().map(|run| post(&http, url, run));
    let mut posted = 0;
    let mut refused = None;
    let mut posts = stream::iter(posts).buffer_unordered(AT_ONCE);
    while let Some(answer) = posts.next().await {
        match answer {
            Ok(()) => posted += 1,
            Err(error) => {
                // The other groups would have to wait as long.
                let is_down = error.kind() == ErrorKind::Transient;
                refused.get_or_insert(error);
                if is_down {
                    break;
                }
            }
        }
    }
    let total = runs.len();
    match refused {
        None => info!(host, groups = posted, "Pushed metrics to {host}"),
        Some(error) => warn!(
            host,
            error = error_chain(&error),
            hint = "check METRICS_PUSHGATEWAY_URL, and that the network lets this machine reach it",
            "Pushed metrics of {posted} of {total} connections to {host}; the outcome does not change"
        ),
    }
}

async fn post(http: &Http, base: &Url, run: &RunMetrics) -> Result<(), NetError> {
    let mut url = base.clone();
    let base_path = base.path().trim_end_matches('/');
    url.set_path(&format!(
        "{base_path}/metrics/job/{JOB}/connection/{}",
        run.connection
    ));
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let request = Request {
        what: format!("POST {}", base.origin().ascii_serialization()),
        url,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, format)]),
        max_bytes: MAX_ANSWER_BYTES,
        pacer: None,
    };
    let page = exposition::of_run(run);
    let answer = http.deliver(request, page.as_bytes(), &HeaderMap::new);
    answer.await.map(drop)
}
