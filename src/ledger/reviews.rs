//! Periodic reviews in the ledger: reads the entries and files that a review builds on, and commits its parts.
//!
//! If the chain has a fault, a run records it and continues. A review stops, because people decide by its content.

use jiff::Timestamp;

use super::backwards::Backwards;
use super::commit::{Committed, WrittenFolder, append};
use super::files::Extent;
use super::walk::Head;
use super::{Ledger, LedgerError};
use crate::clock::Clock;
use crate::evidence::{Entry, EntryKind, FileRecord, ReviewFile, ReviewFolder, ReviewPart};
use crate::review::{ReviewDataFile, ReviewEvent, ReviewManifest};

impl Ledger {
    /// The newest entry that `is_wanted` accepts. That entry and all later ones can be relied on.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if one of these entries is missing or cannot be relied on.
    pub async fn newest(
        &self,
        mut is_wanted: impl FnMut(&Entry) -> bool,
    ) -> Result<Option<Entry>, LedgerError> {
        let (sequences, _) = self.listing().await?;
        let mut entries = Backwards::new(self, &sequences, true);
        let mut expected = sequences.last().copied();
        while let Some((sequence, read)) = entries.next().await? {
            let read = read.filter(|_| expected == Some(sequence));
            let read = read.ok_or_else(|| is_missing(expected.unwrap_or(sequence)))?;
            let entry = read.ensure_relied_on()?;
            if is_wanted(entry) {
                return Ok(Some(entry.clone()));
            }
            expected = sequence.checked_sub(1);
        }
        Ok(None)
    }

    /// The event of a review that an entry and its files record.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] if they are missing, modified or contradict each other.
    pub(super) async fn review_event(&self, entry: &Entry) -> Result<ReviewEvent, LedgerError> {
        let names = [ReviewFile::Manifest, ReviewFile::Review].map(ReviewFile::name);
        let (manifest, review) = match entry.kind {
            EntryKind::ReviewClose => {
                let [manifest, review] = self.committed_files(entry, names, Extent::All).await?;
                (manifest, Some(review))
            }
            EntryKind::ReviewOpen
            | EntryKind::ReviewAcknowledge
            | EntryKind::Run
            | EntryKind::Failure => {
                let [manifest] = self.committed_files(entry, [names[0]], Extent::All).await?;
                (manifest, None)
            }
        };
        let fault = |fault: String| {
            LedgerError::Fault(format!("the review of entry {}: {fault}", entry.sequence))
        };
        let unreadable = |error: serde_json::Error| fault(error.to_string());
        let manifest = serde_json::from_slice(&manifest).map_err(unreadable)?;
        let closed = review.map(|review| serde_json::from_slice(&review));
        let closed = closed.transpose().map_err(unreadable)?;
        ReviewEvent::of(entry, manifest, closed).map_err(fault)
    }

    /// Checks that the entries since `after` do not prevent the commit of a part: each part of a review is committed
    /// only once, and a review is opened from the state of the last closed review.
    pub(super) async fn ensure_not_overtaken(
        &self,
        part: &ReviewFolder,
        after: u64,
        through: u64,
    ) -> Result<(), LedgerError> {
        for sequence in after + 1..=through {
            let mut entries = Backwards::new(self, std::slice::from_ref(&sequence), false);
            let read = entries.next().await?.and_then(|(_, read)| read);
            let read = read.ok_or_else(|| is_missing(sequence))?;
            let entry = read.ensure_relied_on()?;
            if entry.commits(part.id(), part.part()) {
                return Err(LedgerError::Repeated {
                    sequence,
                    done: part.part().done(),
                    review: part.id().to_owned(),
                });
            }
            if part.part() == ReviewPart::Open && entry.kind == EntryKind::ReviewClose {
                return Err(LedgerError::Overtaken { sequence });
            }
        }
        Ok(())
    }
}

fn is_missing(sequence: u64) -> LedgerError {
    LedgerError::Fault(format!("entry {sequence} is missing"))
}

/// Stores a part of a review and commits it. `head` is the end of the ledger before the caller read anything that the
/// part builds on. Each file is made when it is stored, because all of 100,000 rows take much memory.
///
/// # Errors
/// If the store fails, if another command was faster, or if the ledger is signed and no key is set. Without an entry,
/// the written files are not evidence.
pub async fn commit_review(
    ledger: &Ledger,
    head: Option<Head>,
    clock: &Clock,
    as_of: Timestamp,
    part: &ReviewFolder,
    files: impl IntoIterator<Item = ReviewDataFile>,
    manifest: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
) -> Result<Committed, LedgerError> {
    let mut records = Vec::new();
    for file in files {
        records.push(file.record());
        let name = format!("{}/{part}/{}", ledger.folder, file.name);
        ledger.store.create(&name, file.bytes).await?;
    }

    let manifest = manifest(records.clone());
    let (file, manifest_sha256) = manifest.to_file();
    records.push(file.record());
    let run = part.to_string();
    let sums_sha256 = ledger.seal(&run, file.bytes, &records).await?;

    let (kind, report) = match part.part() {
        ReviewPart::Open => (EntryKind::ReviewOpen, ReviewFile::WorksheetHtml),
        ReviewPart::Close => (EntryKind::ReviewClose, ReviewFile::Report),
        ReviewPart::Acknowledge => (EntryKind::ReviewAcknowledge, ReviewFile::Acknowledgement),
    };
    let written = WrittenFolder {
        run,
        manifest_sha256,
        sums_sha256,
    };
    let entry = written.entry(
        kind,
        &ledger.connection,
        manifest.marked_origin(),
        manifest.verdict,
        manifest.complete,
    );
    let report = report.name();
    append(ledger, head, clock, as_of, entry, report, Some(part)).await
}
