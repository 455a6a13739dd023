//! Writing a run, and committing it with its ledger entry.
//!
//! The order is the promise: data, report, manifest, sums, the signature, and last the entry. A run
//! that dies on the way leaves files that nothing vouches for.

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

/// Files are handed to the store when so many bytes wait: enough for it to be quick, little enough
/// that a large population is not held twice.
const BATCH_BYTES: usize = 1 << 20;

/// A run that is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Number of its entry.
    pub sequence: u64,
    /// SHA-256 of its entry: the head of the ledger.
    pub head_sha256: String,
    /// Its folder, in the store.
    pub folder: String,
    /// Where people find its report.
    pub report: String,
    /// Its folder relative to the evidence's address: what a notification may name.
    pub key: String,
}

impl Ledger {
    /// Stores the first file of a run, the rows of the HR feed, and looks at what the store does with it.
    ///
    /// # Errors
    /// Where the store fails.
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

    /// Stores the manifest of a folder, and the sums of its files after it; gives the hash of the sums.
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

/// Stores a judged run and commits it; what [`Ledger::protect`] has stored is not stored again.
///
/// # Errors
/// Where the store fails; without its entry, nothing that was written counts.
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

/// Stores that a run could not be judged, and commits that.
///
/// # Errors
/// Where the store fails, or the ledger is signed and this run has no key: then nothing is written.
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
    /// What is there already.
    stored: Option<RunFile>,
    waiting: Vec<(String, Vec<u8>)>,
}

/// A run's folder that is written, and the hashes its entry will name.
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
    /// The entry that commits the run, but for its place in the chain.
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

/// Puts an entry at the end of the chain. Of several runs that race for a number one gets it; the
/// others read the new head, link to it and take the next. With a key, each try is signed before it
/// is made; of one that came too late, a signature remains that signs nothing. A part of a review that
/// another was faster with is not entered again.
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
        // The clocks of two machines differ; entries do not go back for that.
        let now = whole_second(clock.now());
        entry.committed_at = before.not_before.map_or(now, |earliest| earliest.max(now));
        let bytes = entry.to_bytes();
        let head_sha256 = sha256_hex(&bytes);
        ledger.sign(&bytes, &head_sha256).await?;
        let name = ledger.folder.entry(entry.sequence);
        match ledger.store.create(&name, bytes).await {
            Ok(Created::New | Created::AlreadyThere) => {
                let key = format!("{}/{}", ledger.folder, entry.run);
                return Ok(Committed {
                    sequence: entry.sequence,
                    head_sha256,
                    folder: ledger.store.locate(&key),
                    report: ledger.store.locate(&format!("{key}/{report}")),
                    key,
                });
            }
            Err(StoreError::Conflict { .. }) => {
                tracing::info!(
                    sequence = entry.sequence,
                    "Another run was faster; taking the next number"
                );
                tokio::time::sleep(RACE_PAUSE).await;
                head = ledger.head(clock).await?;
                if let (Some(part), Some(head)) = (review, &head) {
                    let through = head.sequence;
                    let still = ledger.ensure_not_overtaken(part, before_sequence, through);
                    still.await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(LedgerError::Crowded {
        attempts: RACE_ATTEMPTS,
    })
}
