//! Reads the auditor's own HR export.

use std::path::Path;
use std::time::Duration;

use super::ReportError;
use crate::feed::{self, DateRules};
use crate::files::Location;
use crate::model::{HrFeed, counted};
use crate::net::Deadline;

/// The largest export, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The export, in which every row can be read. Dates without a zone are in `zone`.
pub(super) async fn read(path: &Path, zone: &str) -> Result<HrFeed, ReportError> {
    let settings = feed::Settings {
        location: Location::Path(path.to_owned()),
        format: None,
        columns: Default::default(),
        records: Vec::new(),
        dates: DateRules {
            order: None,
            time_zone: zone.to_owned(),
            location_zones: Default::default(),
        },
        words: feed::Words::default(),
        max_bytes: MAX_BYTES,
    };
    let deadline = Deadline::after(Duration::from_secs(600));
    let feed = feed::read_file(&settings, deadline).await;
    let feed = feed.map_err(|error| ReportError::Expected(error.to_string()))?;
    if let Some(reason) = feed.unusable {
        return Err(ReportError::Expected(reason));
    }
    if let Some(first) = feed.rejected.first() {
        return Err(ReportError::Expected(format!(
            "{} cannot be read; the first is line {}: {}",
            counted(feed.rejected.len(), "row", "rows"),
            first.line,
            first.reason
        )));
    }
    Ok(feed)
}
