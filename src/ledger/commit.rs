//! Writes the files of a run, and commits them with a ledger entry.
//!
//! The order matters: data, report, manifest, `SHA256SUMS`, signature, and the entry last. A run that stops on the way
//! leaves files that no entry names.

use jiff::Timestamp;

use super::walk::Head;
use super::{Chain, Ledger, LedgerError, RACE_ATTEMPTS, RACE_PAUSE, whole_second};
use crate::clock::Clock;
use crate::evidence::{
    DataFile, Entry, EntryKind, FailedSnapshot, FileRecord, Manifest, ReviewFolder, RunFile,
    RunFolder, Snapshot, input_hr, raw_file, sha256_hex, sums,
};
use crate::judgement::Verdict;
use crate::model::{HrFeed, Protection, RawFile};
use crate::store::{Created, StoreError};

/// Files go to the store in batches of this size: large enough to write many at once, small enough not to hold a large
/// population in memory twice.
const BATCH_BYTES: usize = 1 << 20;

/// A run or a review that the ledger contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Number of the entry.
    pub sequence: u64,
    /// SHA-256 of the entry: the head of the ledger.
    pub head_sha256: String,
    /// The path or address of the folder.
    pub folder: String,
    /// The path or address of the report, or of an opened worksheet.
    pub report: String,
    /// The folder relative to `EVIDENCE_URL`.
    pub key: String,
}

impl Committed {
    /// The address of the report, if it is in a bucket.
    pub fn report_in_bucket(&self) -> Option<&str> {
        self.report.starts_with("s3://").then_some(&*self.report)
    }
}

impl Ledger {
    /// Stores the first file of a run, the rows of the HR feed, and tests how the store protects it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn protect(
        &self,
        run: &RunFolder,
        as_of: Timestamp,
        hr: &HrFeed,
    ) -> Result<Protection, LedgerError> {
        let file = input_hr(hr);
        let name = self.folder.file(run, &file.file);
        Ok(self.store.protect(&name, file.bytes, as_of).await?)
    }

    /// The folder that an entry commits.
    pub(super) fn committed(&self, entry: &Entry, sha256: String, report: &str) -> Committed {
        let key = format!("{}/{}", self.folder, entry.run);
        Committed {
            sequence: entry.sequence,
            head_sha256: sha256,
            folder: self.store.locate(&key),
            report: self.store.locate(&format!("{key}/{report}")),
            key,
        }
    }

    /// Stores the manifest of a folder, then `SHA256SUMS`. Returns the hash of the latter.
    pub(super) async fn seal(
        &self,
        folder: &str,
        manifest: Vec<u8>,
        files: &[FileRecord],
    ) -> Result<String, StoreError> {
        let name = |file: RunFile| format!("{}/{folder}/{}", self.folder, file.name());
        self.store
            .create(&name(RunFile::Manifest), manifest)
            .await?;
        let sums = sums(files);
        let sums_sha256 = sha256_hex(&sums);
        self.store.create(&name(RunFile::Sums), sums).await?;
        Ok(sums_sha256)
    }
}

/// Stores a judged run and commits it. The file that [`Ledger::protect`] stored is not stored again.
///
/// # Errors
/// If the store fails. Without an entry, the written files are not evidence.
pub async fn commit_run(
    ledger: &Ledger,
    chain: &Chain,
    clock: &Clock,
    snapshot: &Snapshot<'_>,
    raw: Vec<RawFile>,
    report: impl FnOnce() -> Vec<u8>,
) -> Result<Committed, LedgerError> {
    let mut run = RunWriter::new(ledger, RunFolder::of(&snapshot.frame.identity));
    run.stored = snapshot.inputs.store.as_ref().map(|_| RunFile::InputHr);
    for file in raw {
        run.add(raw_file(file)).await?;
    }
    for file in snapshot.data_files() {
        run.add(file).await?;
    }
    let manifest = |files| snapshot.manifest(files);
    let entry = run.finish(EntryKind::Run, report(), manifest).await?;
    let (head, as_of) = (chain.head.clone(), snapshot.inputs.as_of);
    let report = RunFile::Report.name();
    append(ledger, head, clock, as_of, entry, &report, None).await
}

/// Stores the record of a failed run and commits it.
///
/// # Errors
/// If the store fails, or if the ledger is signed and this run has no key. In the latter case nothing is written.
pub async fn commit_failure(
    ledger: &Ledger,
    clock: &Clock,
    snapshot: &FailedSnapshot<'_>,
    report: Vec<u8>,
) -> Result<Committed, LedgerError> {
    let head = ledger.head(clock).await?;
    let run = RunWriter::new(ledger, RunFolder::of(&snapshot.frame.identity));
    let manifest = |files| snapshot.manifest(files);
    let entry = run.finish(EntryKind::Failure, report, manifest).await?;
    let as_of = snapshot.frame.identity.as_of;
    let report = RunFile::Report.name();
    append(ledger, head, clock, as_of, entry, &report, None).await
}

/// A run's folder while it is written.
struct RunWriter<'a> {
    ledger: &'a Ledger,
    folder: RunFolder,
    files: Vec<FileRecord>,
    /// A file that was stored before.
    stored: Option<RunFile>,
    waiting: Vec<(String, Vec<u8>)>,
}

/// A written folder, and the hashes for its entry.
pub(super) struct WrittenFolder {
    pub(super) run: String,
    pub(super) manifest_sha256: String,
    pub(super) sums_sha256: String,
}

impl<'a> RunWriter<'a> {
    fn new(ledger: &'a Ledger, folder: RunFolder) -> Self {
        Self {
            ledger,
            folder,
            files: Vec::new(),
            stored: None,
            waiting: Vec::new(),
        }
    }

    fn name(&self, file: &RunFile) -> String {
        self.ledger.folder.file(&self.folder, file)
    }

    async fn add(&mut self, file: DataFile) -> Result<(), StoreError> {
        self.files.push(file.record());
        if self.stored.as_ref() == Some(&file.file) {
            return Ok(());
        }
        self.waiting.push((self.name(&file.file), file.bytes));
        let waiting: usize = self.waiting.iter().map(|(_, bytes)| bytes.len()).sum();
        match waiting >= BATCH_BYTES {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.ledger.store.create_all(waiting).await
    }

    async fn finish(
        mut self,
        kind: EntryKind,
        report: Vec<u8>,
        manifest: impl FnOnce(Vec<FileRecord>) -> Manifest,
    ) -> Result<Entry, StoreError> {
        self.flush().await?;
        self.add(DataFile::of(RunFile::Report, report)).await?;
        self.flush().await?;

        let manifest = manifest(self.files.clone());
        let (file, manifest_sha256) = manifest.to_file();
        self.files.push(file.record());
        let run = self.folder.to_string();
        let sums_sha256 = self.ledger.seal(&run, file.bytes, &self.files).await?;
        let written = WrittenFolder {
            run,
            manifest_sha256,
            sums_sha256,
        };
        let (connection, origin) = (&manifest.connection.id, manifest.marked_origin());
        Ok(written.entry(
            kind,
            connection,
            origin,
            manifest.verdict,
            manifest.complete,
        ))
    }
}

impl WrittenFolder {
    /// The entry that commits the folder, without its place in the chain, its dates and its key.
    pub(super) fn entry(
        self,
        kind: EntryKind,
        connection: &str,
        origin: String,
        verdict: Verdict,
        complete: bool,
    ) -> Entry {
        Entry {
            schema: Entry::schema(),
            sequence: 0,
            kind,
            connection: connection.to_owned(),
            origin,
            run: self.run,
            manifest_sha256: self.manifest_sha256,
            sums_sha256: self.sums_sha256,
            previous_sha256: String::new(),
            verdict: verdict.as_str().to_owned(),
            complete,
            committed_at: Timestamp::UNIX_EPOCH,
            retain_until: None,
            key_sha256: Entry::UNSIGNED.to_owned(),
        }
    }
}

/// Appends an entry to the chain. If several runs try to take the same number, one succeeds; the others read the new
/// head, link to it and take the next number. With a key, each attempt is signed before it is written. A failed attempt
/// leaves a signature without an entry. A part of a review is not appended if another process closed the review first.
pub(super) async fn append(
    ledger: &Ledger,
    mut head: Option<Head>,
    clock: &Clock,
    as_of: Timestamp,
    mut entry: Entry,
    report: &str,
    review: Option<&ReviewFolder>,
) -> Result<Committed, LedgerError> {
    entry.retain_until = ledger.settings.retain_until(as_of);
    entry.key_sha256 = ledger.key_sha256().to_owned();
    ledger.publish_key().await?;
    for _ in 0..RACE_ATTEMPTS {
        let before = head.unwrap_or_else(Head::before_the_first);
        let before_sequence = before.sequence;
        entry.sequence = before_sequence + 1;
        entry.previous_sha256 = before.sha256;
        // The clocks of two machines differ a little. That must not date an entry before its predecessor.
        let now = whole_second(clock.now());
        entry.committed_at = before.not_before.map_or(now, |earliest| earliest.max(now));
        let bytes = entry.to_bytes();
        let head_sha256 = sha256_hex(&bytes);
        ledger.sign(&bytes, &head_sha256).await?;
        let name = ledger.folder.entry(entry.sequence);
        match ledger.store.create(&name, bytes).await {
            Ok(Created::New | Created::AlreadyThere) => {
                return Ok(ledger.committed(&entry, head_sha256, report));
            }
            Err(StoreError::Conflict { .. }) => {
                tracing::info!(
                    sequence = entry.sequence,
                    "Another run took this ledger number; trying the next one"
                );
                tokio::time::sleep(RACE_PAUSE).await;
                head = ledger.head(clock).await?;
                if let (Some(part), Some(head)) = (review, &head) {
                    let through = head.sequence;
                    let check = ledger.ensure_not_overtaken(part, before_sequence, through);
                    check.await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(LedgerError::Crowded {
        attempts: RACE_ATTEMPTS,
    })
}
