//! Where metrics go.

use std::path::PathBuf;

use reqwest::Url;

use super::judge::Judge;
use super::values::{self, Place, Wrong};
use super::variables::Raw;
use crate::metrics;

impl Judge {
    pub(super) fn metrics(&mut self, raw: &Raw) -> Option<metrics::Settings> {
        let file = self.optional(&raw.metrics_file, textfile);
        let pushgateway = self.optional(&raw.metrics_pushgateway_url, pushgateway);
        Some(metrics::Settings {
            file: file?,
            pushgateway: pushgateway?,
            http: metrics::Settings::HTTP,
            within: metrics::Settings::WITHIN,
        })
    }
}

/// node_exporter ignores files with other names.
fn textfile(text: &str) -> Result<PathBuf, Wrong> {
    let Place::Path(path) = values::place(text)? else {
        return Err(Wrong::new("is not the path of a file"));
    };
    match path.extension() {
        Some(extension) if extension == "prom" => Ok(path),
        _ => Err(Wrong::new("does not end with `.prom`")
            .hint("node_exporter reads only files named `*.prom`: add `.prom`")),
    }
}

/// Metrics contain no secret, so `http` may reach a Pushgateway in the same network.
fn pushgateway(text: &str) -> Result<Url, Wrong> {
    let url = values::any_web_address(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("contains credentials")
            .hint("the Pushgateway must accept metrics without a login"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("has a query or a fragment")
            .hint("write scheme, host and port: `http://pushgateway.monitoring:9091`"));
    }
    Ok(url)
}
