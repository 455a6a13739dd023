//! The files of an interrupted attempt to close a review. With its instant, the same decisions give the same bytes, so
//! its files do not conflict with a second attempt.
//!
//! No ledger entry covers these files. Their instant and executor are used, within bounds, and reported. The rest must
//! follow from the same decision files, or nothing is committed.

use jiff::Timestamp;

use super::{Moment, ReviewError};
use crate::config::ReviewSettings;
use crate::evidence::{ReviewFile, ReviewFolder};
use crate::judgement::RunRef;
use crate::ledger::{Ledger, LedgerError};
use crate::review::{ReviewClosed, ReviewFrame, ReviewManifest, Worksheet};
use crate::store::StoreError;

pub(super) struct InterruptedClose {
    closed: Option<ReviewClosed>,
    manifest: Option<ReviewManifest>,
}

impl InterruptedClose {
    pub(super) async fn of(
        ledger: &Ledger,
        part: &ReviewFolder,
        worksheet: &Worksheet,
        moment: &Moment,
    ) -> Result<Self, ReviewError> {
        let closed = ledger.left_behind(part, ReviewFile::Review).await?;
        let manifest = ledger.left_behind(part, ReviewFile::Manifest).await?;
        let interrupted = Self {
            closed: closed.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            manifest: manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        };
        let possible = worksheet.opened_at..=moment.as_of;
        match interrupted.closed.as_ref().map(|closed| closed.closed_at) {
            Some(at) if !possible.contains(&at) => Err(ReviewError::BadRequest(format!(
                "an interrupted attempt to close the review stored a {} of {at}, which is before the review \
                 was opened or in the future: a clock was wrong, or another program wrote the file; nothing \
                 was committed",
                ReviewFile::Review.name()
            ))),
            Some(_) | None => Ok(interrupted),
        }
    }

    /// The instant at which the review is closed.
    pub(super) fn closed_at(&self, moment: &Moment) -> Timestamp {
        let closed = self.closed.as_ref();
        closed.map_or(moment.as_of, |interrupted| interrupted.closed_at)
    }

    /// The run that showed who had left.
    pub(super) fn people_run(&self) -> Option<&RunRef> {
        self.closed.as_ref().map(|closed| &closed.people_run)
    }

    /// The frame of the evidence, with the executor of the first attempt.
    pub(super) fn frame(&self, settings: &ReviewSettings) -> ReviewFrame {
        let mut frame = settings.frame.clone();
        if let Some(manifest) = self.manifest.as_ref().filter(|_| self.closed.is_some()) {
            frame.executor = manifest.executor.clone();
        }
        frame
    }

    /// The interrupted attempt, in words, once it is finished.
    pub(super) fn finished(&self) -> Option<String> {
        let closed = self.closed.as_ref()?;
        let mut attempt = format!("an interrupted attempt of {}", closed.closed_at);
        if let Some(manifest) = &self.manifest {
            let executor = &manifest.executor;
            let claimed = [&executor.claimed_job_name, &executor.claimed_pod_uid];
            for claimed in claimed.into_iter().flatten() {
                attempt += &format!("; it claims to be of {claimed}");
            }
        }
        Some(attempt)
    }

    /// The error of the commit, in the terms of a review.
    pub(super) fn refusal(&self, review: &str, error: LedgerError) -> ReviewError {
        match error {
            LedgerError::Overtaken { sequence } => ReviewError::BadRequest(format!(
                "ledger entry {sequence} closed the review {review} in the meantime"
            )),
            LedgerError::Store(StoreError::Conflict { name }) => ReviewError::BadRequest(format!(
                "`{name}` exists with other content: another attempt to close still runs or was \
                 interrupted, or the file was changed; nothing was committed. If the attempt was \
                 interrupted, close the review with the same files, settings and version{}",
                self.given()
            )),
            other => other.into(),
        }
    }

    /// The inputs of the interrupted attempt.
    fn given(&self) -> String {
        let Some(closed) = &self.closed else {
            return String::new();
        };
        // Without names of files: these may be names of people, and this may reach a log.
        let files = closed.decision_files.iter();
        let files: Vec<String> = files.map(|of| format!("SHA-256 {}", of.sha256)).collect();
        let mut given = format!(": {}", files.join(", "));
        if let Some(manifest) = &self.manifest {
            given += &format!(", version {}", manifest.tool.version);
        }
        given
    }
}
