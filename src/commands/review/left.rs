//! What an attempt to close a review left that died: with its instant, the same decisions give the same bytes,
//! and files that are already there are no conflict.
//!
//! No entry vouches for these files. Their instant and executor are taken over, within bounds, and reported;
//! all else must come out of the same decision files again, or nothing is committed.

use jiff::Timestamp;

use super::{Moment, ReviewError};
use crate::config::ReviewSettings;
use crate::evidence::{ReviewFile, ReviewFolder};
use crate::ledger::{Ledger, LedgerError};
use crate::review::{ReviewClosed, ReviewFrame, ReviewManifest, Worksheet};
use crate::store::StoreError;

pub(super) struct Left {
    closed: Option<ReviewClosed>,
    manifest: Option<ReviewManifest>,
}

impl Left {
    /// Looks for it.
    pub(super) async fn of(
        ledger: &Ledger,
        part: &ReviewFolder,
        worksheet: &Worksheet,
        moment: &Moment,
    ) -> Result<Self, ReviewError> {
        let closed = ledger.left_behind(part, ReviewFile::Review).await?;
        let manifest = ledger.left_behind(part, ReviewFile::Manifest).await?;
        let left = Self {
            closed: closed.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            manifest: manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        };
        let possible = worksheet.opened_at..=moment.as_of;
        match left.closed.as_ref().map(|closed| closed.closed_at) {
            Some(at) if !possible.contains(&at) => Err(ReviewError::Asked(format!(
                "an attempt to close it left a {} of {at}, which is before the review was opened or in the \
                 future: a clock was wrong, or the file was put there; nothing was committed",
                ReviewFile::Review.name()
            ))),
            Some(_) | None => Ok(left),
        }
    }

    /// The instant at which the review is closed.
    pub(super) fn closed_at(&self, moment: &Moment) -> Timestamp {
        let closed = self.closed.as_ref();
        closed.map_or(moment.as_of, |left| left.closed_at)
    }

    /// The frame of the evidence: who ran it first is who ran it.
    pub(super) fn frame(&self, settings: &ReviewSettings) -> ReviewFrame {
        let mut frame = settings.frame.clone();
        if let Some(manifest) = self.manifest.as_ref().filter(|_| self.closed.is_some()) {
            frame.executor = manifest.executor.clone();
        }
        frame
    }

    /// Which attempt it was, once it is finished.
    pub(super) fn finished(&self) -> Option<String> {
        let closed = self.closed.as_ref()?;
        let mut attempt = format!("an attempt of {}, which had died", closed.closed_at);
        if let Some(manifest) = &self.manifest {
            let executor = &manifest.executor;
            let claimed = [&executor.claimed_job_name, &executor.claimed_pod_uid];
            for claimed in claimed.into_iter().flatten() {
                attempt += &format!("; as it claims, of {claimed}");
            }
        }
        Some(attempt)
    }

    /// Why it could not be committed.
    pub(super) fn refusal(&self, review: &str, error: LedgerError) -> ReviewError {
        match error {
            LedgerError::Overtaken { sequence } => ReviewError::Asked(format!(
                "the review {review} was closed by ledger entry {sequence}, meanwhile"
            )),
            LedgerError::Store(StoreError::Conflict { name }) => ReviewError::Asked(format!(
                "`{name}` is there with other content, of another attempt to close, which still runs, died, \
                 or was changed since; nothing was committed. If it died, close it with the same files, \
                 settings and version as then{}",
                self.given()
            )),
            other => other.into(),
        }
    }

    /// What it was begun with.
    fn given(&self) -> String {
        let Some(closed) = &self.closed else {
            return String::new();
        };
        // Without their names: those may be of people, and this may be read in a log.
        let files = closed.decision_files.iter();
        let files: Vec<String> = files.map(|of| format!("SHA-256 {}", of.sha256)).collect();
        let mut given = format!(": {}", files.join(", "));
        if let Some(manifest) = &self.manifest {
            given += &format!(", version {}", manifest.tool.version);
        }
        given
    }
}
