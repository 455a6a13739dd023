//! Periodic reviews in the ledger: the entries and files a review builds on, and its own.
//!
//! A run goes on when the chain has a fault, and records it. A review does not: people are about to decide
//! on what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::commit::{Committed, Written, append};
use super::signatures::Keys;
use super::walk::{FARTHEST, Head};
use super::{Ledger, LedgerError};
use crate::clock::Clock;
use crate::evidence::{
    Entry, EntryKind, FileRecord, ReviewDataFile, ReviewFile, ReviewFolder, ReviewManifest,
    ReviewPart, RunFile, event, sha256_hex, sums, sums_of,
};
use crate::people::ReviewEvent;

impl Ledger {
    /// The entries from the last one back to the first that `is_wanted` is content with, the newest first;
    /// all of them where it never is. Every one is of the right form and place, is the one its successor
    /// links to, and bears its signature.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] where one of them is not.
    pub async fn back_to(
        &self,
        mut is_wanted: impl FnMut(&Entry) -> bool,
    ) -> Result<Vec<Entry>, LedgerError> {
        let sequences = self.sequences().await?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = Keys::default();
        let mut is_found = false;
        for (looked_at, sequence) in sequences.iter().rev().enumerate() {
            let after = entries.last();
            if is_found {
                // Only whether an unsigned entry follows a signed one.
                if after.is_some_and(Entry::is_signed) || looked_at > FARTHEST {
                    break;
                }
                let bytes = self.store.read(&self.folder.entry(*sequence)).await?;
                if Entry::from_bytes(&bytes.unwrap_or_default()).is_ok_and(|it| it.is_signed()) {
                    return Err(unsigned_after(*sequence));
                }
                continue;
            }
            if let Some(after) = after
                && after.sequence != sequence + 1
            {
                let missing = format!("ledger entry {} is missing", after.sequence - 1);
                return Err(LedgerError::Fault(missing));
            }
            let (entry, bytes) = self.sound_entry(*sequence, after).await?;
            if entry.is_signed() {
                if after.is_some_and(|after| !after.is_signed()) {
                    return Err(unsigned_after(*sequence));
                }
                let found = self.check_signature(&mut keys, &entry, &bytes).await?;
                if !found.is_believed {
                    return Err(LedgerError::Fault(found.faults.join("; ")));
                }
            }
            is_found = is_wanted(&entry);
            entries.push(entry);
        }
        Ok(entries)
    }

    async fn sound_entry(
        &self,
        sequence: u64,
        after: Option<&Entry>,
    ) -> Result<(Entry, Vec<u8>), LedgerError> {
        let damaged = |text: String| LedgerError::Fault(format!("ledger entry {sequence} {text}"));
        let bytes = self.store.read(&self.folder.entry(sequence)).await?;
        let bytes = bytes.ok_or_else(|| damaged("is gone".to_owned()))?;
        let entry =
            Entry::from_bytes(&bytes).map_err(|fault| damaged(format!("is none: {fault}")))?;
        if entry.sequence != sequence || entry.connection != self.connection {
            return Err(damaged("was written for another place".to_owned()));
        }
        if after.is_some_and(|after| after.previous_sha256 != sha256_hex(&bytes)) {
            return Err(damaged("is not the one its successor links to".to_owned()));
        }
        Ok((entry, bytes))
    }

    /// What happened to a review, as its entry and its files say.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] where they are not what was written.
    pub(super) async fn review_event(&self, entry: &Entry) -> Result<ReviewEvent, LedgerError> {
        let (manifest, review) = (ReviewFile::Manifest.name(), ReviewFile::Review.name());
        let wanted: &[&str] = match entry.kind {
            EntryKind::ReviewClose => &[manifest, review],
            EntryKind::ReviewOpen | EntryKind::Run | EntryKind::Failure => &[manifest],
        };
        let files = self.committed_files(entry, wanted).await?;
        let review = files.get(review).map(Vec::as_slice);
        event(entry, found(&files, manifest), review).map_err(|fault| {
            LedgerError::Fault(format!("the review of entry {}: {fault}", entry.sequence))
        })
    }

    /// Whether a part of a review can still be entered, by the entries that were since the head it was to
    /// follow: it is closed once, and opened beside what was closed last.
    pub(super) async fn ensure_not_overtaken(
        &self,
        part: &ReviewFolder,
        after: u64,
        through: u64,
    ) -> Result<(), LedgerError> {
        for sequence in after + 1..=through {
            let (entry, _) = self.sound_entry(sequence, None).await?;
            let is_overtaken = match (entry.kind, part.part()) {
                (EntryKind::ReviewClose, ReviewPart::Open) => true,
                (EntryKind::ReviewClose, ReviewPart::Close) => entry.run == part.to_string(),
                (EntryKind::Run | EntryKind::Failure | EntryKind::ReviewOpen, _) => false,
            };
            if is_overtaken {
                return Err(LedgerError::Overtaken { sequence });
            }
        }
        Ok(())
    }

    /// Whether the part's folder holds these files and its sums, and nothing else: what is committed is all
    /// that is there.
    async fn ensure_alone(
        &self,
        part: &ReviewFolder,
        records: &[FileRecord],
    ) -> Result<(), LedgerError> {
        let folder = format!("{}/", self.folder.review(part));
        for name in self.store.list(&folder).await? {
            let file = name.strip_prefix(&folder).unwrap_or_default();
            let is_ours =
                file == ReviewFile::Sums.name() || records.iter().any(|record| record.name == file);
            if !is_ours {
                return Err(LedgerError::Stranger { name });
            }
        }
        Ok(())
    }

    /// A file that an attempt which died has left in a part of a review. Nothing vouches for it.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn left_behind(
        &self,
        part: &ReviewFolder,
        file: ReviewFile,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let name = self.folder.review_file(part, file);
        Ok(self.store.read(&name).await?)
    }

    /// The files of a committed folder that are `wanted`, by name, after every file of it was held against
    /// its hash, and the hashes against the entry.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] where one is missing or is not what was written.
    pub async fn committed_files(
        &self,
        entry: &Entry,
        wanted: &[&str],
    ) -> Result<BTreeMap<String, Vec<u8>>, LedgerError> {
        self.files_of(entry, wanted, |_| true).await
    }

    /// The same without a look at files that are not wanted: some of an old folder may be gone by a rule of
    /// the bucket.
    ///
    /// # Errors
    /// [`LedgerError::Fault`] where one of them is missing or is not what was written.
    pub async fn committed_files_alone(
        &self,
        entry: &Entry,
        wanted: &[&str],
    ) -> Result<BTreeMap<String, Vec<u8>>, LedgerError> {
        self.files_of(entry, wanted, |file| wanted.contains(&file))
            .await
    }

    async fn files_of(
        &self,
        entry: &Entry,
        wanted: &[&str],
        is_looked_at: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, Vec<u8>>, LedgerError> {
        let damaged = |what: &str, text: &str| {
            LedgerError::Fault(format!("{what} of ledger entry {} {text}", entry.sequence))
        };
        let read = async |file: &str| {
            let name = self.folder.committed_file(&entry.run, file);
            let name = name.ok_or_else(|| damaged("the folder", "is none that evidence has"))?;
            let bytes = self.store.read(&name).await?;
            bytes.ok_or_else(|| damaged(file, "is missing"))
        };
        let sums_file = RunFile::Sums.name();
        let bytes = read(&sums_file).await?;
        if sha256_hex(&bytes) != entry.sums_sha256 {
            return Err(damaged(&sums_file, "was modified"));
        }
        let sums = sums_of(&bytes).ok_or_else(|| damaged(&sums_file, "cannot be read"))?;
        if sums.get(&RunFile::Manifest.name()) != Some(&entry.manifest_sha256) {
            return Err(damaged("the manifest", "is another than its sums name"));
        }
        let mut files = BTreeMap::new();
        for (file, sha256) in sums.iter().filter(|(file, _)| is_looked_at(file)) {
            let bytes = read(file).await?;
            if sha256_hex(&bytes) != *sha256 {
                return Err(damaged(file, "was modified"));
            }
            if wanted.contains(&file.as_str()) {
                files.insert(file.clone(), bytes);
            }
        }
        match wanted.iter().find(|file| !files.contains_key(**file)) {
            None => Ok(files),
            Some(file) => Err(damaged(file, "is missing")),
        }
    }
}

fn unsigned_after(signed: u64) -> LedgerError {
    LedgerError::Fault(format!(
        "an entry after ledger entry {signed}, which is signed, is not"
    ))
}

/// One of the files that [`Ledger::committed_files`] found.
pub fn found<'a>(files: &'a BTreeMap<String, Vec<u8>>, file: &str) -> &'a [u8] {
    files.get(file).map_or(&[], Vec::as_slice)
}

/// Stores a part of a review and commits it; `head` is what the ledger ended with before anything of it was
/// read that the part builds on. The first file is stored before all others: from it, an attempt that comes
/// after one which died knows what that had begun with.
///
/// # Errors
/// Where the store fails, something else has one of its names or lies beside it, a review was closed
/// meanwhile that it should know of, or the ledger is signed and there is no key: without its entry,
/// nothing that was written counts.
pub async fn commit_review(
    ledger: &Ledger,
    head: Option<Head>,
    clock: &Clock,
    as_of: Timestamp,
    part: &ReviewFolder,
    files: Vec<ReviewDataFile>,
    manifest: impl FnOnce(Vec<FileRecord>) -> ReviewManifest,
) -> Result<Committed, LedgerError> {
    let mut records: Vec<FileRecord> = files.iter().map(ReviewDataFile::record).collect();
    let mut named = files
        .into_iter()
        .map(|file| (ledger.folder.review_file(part, file.file), file.bytes));
    if let Some((name, bytes)) = named.next() {
        ledger.store.create(&name, bytes).await?;
    }
    ledger.store.create_all(named.collect()).await?;

    let manifest = manifest(records.clone());
    let (file, manifest_sha256) = manifest.to_file();
    records.push(file.record());
    let name = ledger.folder.review_file(part, ReviewFile::Manifest);
    ledger.store.create(&name, file.bytes).await?;

    let sums = sums(&records);
    let sums_sha256 = sha256_hex(&sums);
    let name = ledger.folder.review_file(part, ReviewFile::Sums);
    ledger.store.create(&name, sums).await?;
    ledger.ensure_alone(part, &records).await?;

    let (kind, report) = match part.part() {
        ReviewPart::Open => (EntryKind::ReviewOpen, ReviewFile::WorksheetHtml),
        ReviewPart::Close => (EntryKind::ReviewClose, ReviewFile::Report),
    };
    let written = Written {
        run: part.to_string(),
        manifest_sha256,
        sums_sha256,
    };
    let entry = written.entry(
        kind,
        &ledger.connection,
        manifest.marked_origin(),
        manifest.verdict.as_str(),
        manifest.complete,
    );
    let report = report.name();
    append(ledger, head, clock, as_of, entry, report, Some(part)).await
}
