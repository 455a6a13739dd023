//! Reads the newest entries of one ledger, back to the newest run that came to a verdict.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{FailedSince, NewestResult, OldestFinding, OpenFindings};
use crate::cli::exit::error_chain;
use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, Manifest, RunFile, RunFolder, RunResult, sha256_hex,
};
use crate::judgement::{Finding, Mark};
use crate::ledger::EntryFault;
use crate::schedule::RunSchedule;
use crate::store::Store;

/// At most this many entries are read. Each is a failed run or a part of an access review.
const FARTHEST: usize = 1000;

/// If the newest runs record no schedule, at most this many earlier entries are read for one: a run that was started by
/// hand, outside the job, does not end the job's schedule.
const SCHEDULE_WITHIN: usize = 10;

/// The newest entries of a connection.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// The id of the connection, from its entries.
    pub(super) connection: Option<String>,
    pub(super) result: Option<NewestResult>,
    pub(super) failed_since: Option<FailedSince>,
    /// The start of the newest run, judged or failed.
    pub(super) started: Option<Timestamp>,
    /// The schedule that the newest run with a schedule recorded.
    pub(super) schedule: Option<RunSchedule>,
}

/// # Errors
/// A sentence: why the newest result cannot be read.
pub(super) async fn read(store: &Store, folder: &ConnectionFolder) -> Result<Newest, String> {
    let names = store.list(&folder.ledger()).await;
    let names = names.map_err(|error| error_chain(&error))?;
    let mut sequences = Vec::from_iter(names.iter().filter_map(|name| folder.sequence_of(name)));
    sequences.sort_unstable();
    let mut newest = Newest::default();
    let mut after: Option<Entry> = None;
    let mut sequences = sequences.into_iter().rev();
    for sequence in sequences.by_ref().take(FARTHEST) {
        let entry = entry(store, folder, sequence, after.as_ref()).await?;
        newest.connection = Some(entry.connection.clone());
        match entry.kind {
            EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge => {}
            EntryKind::Failure => match &mut newest.failed_since {
                Some(failed) => failed.runs += 1,
                None => newest.note_failure(&run(store, folder, &entry).await?.manifest),
            },
            EntryKind::Run => {
                let run = run(store, folder, &entry).await?;
                newest.note_run(&run.manifest);
                newest.result = Some(run.result(store, &entry).await?);
                if newest.schedule.is_none() {
                    newest.schedule = earlier_schedule(store, folder, entry, sequences).await;
                }
                return Ok(newest);
            }
        }
        after = Some(entry);
    }
    if after.is_some_and(|last| last.sequence > 1) {
        return Err(format!(
            "the newest {FARTHEST} ledger entries contain no run that came to a verdict"
        ));
    }
    Ok(newest)
}

/// The schedule of the last run before `after` that records one. None also if an entry cannot be read: it does not affect
/// the newest result, and the run may have expired.
async fn earlier_schedule(
    store: &Store,
    folder: &ConnectionFolder,
    mut after: Entry,
    sequences: impl Iterator<Item = u64>,
) -> Option<RunSchedule> {
    for sequence in sequences.take(SCHEDULE_WITHIN) {
        let entry = entry(store, folder, sequence, Some(&after)).await.ok()?;
        if entry.kind.review_part().is_none() {
            let run = run(store, folder, &entry).await.ok()?;
            if run.manifest.schedule.is_some() {
                return run.manifest.schedule;
            }
        }
        after = entry;
    }
    None
}

/// Reads an entry, and checks that the entry after it links to it.
async fn entry(
    store: &Store,
    folder: &ConnectionFolder,
    sequence: u64,
    after: Option<&Entry>,
) -> Result<Entry, String> {
    let faulty = |fault: EntryFault| format!("ledger entry {sequence}: {fault}");
    if let Some(after) = after
        && after.sequence != sequence + 1
    {
        return Err(format!("ledger entry {} is missing", after.sequence - 1));
    }
    let bytes = object(store, &folder.entry(sequence)).await?;
    let entry = Entry::from_bytes(&bytes)
        .map_err(|error| faulty(EntryFault::Unreadable(error.to_string())))?;
    if entry.sequence != sequence {
        return Err(faulty(EntryFault::OtherSequence(entry.sequence)));
    }
    if ConnectionFolder::of(&entry.connection) != *folder {
        return Err(faulty(EntryFault::OtherConnection));
    }
    match after {
        Some(after) if after.previous_sha256 != sha256_hex(&bytes) => {
            let fault = EntryFault::BrokenLink { before: sequence };
            Err(format!("ledger entry {}: {fault}", after.sequence))
        }
        Some(_) | None => Ok(entry),
    }
}

/// A committed run with its manifest.
struct Run<'a> {
    connection: &'a ConnectionFolder,
    folder: RunFolder,
    manifest: Manifest,
}

async fn run<'a>(
    store: &Store,
    connection: &'a ConnectionFolder,
    entry: &Entry,
) -> Result<Run<'a>, String> {
    let of_entry = |what: String| format!("ledger entry {}: {what}", entry.sequence);
    let folder = RunFolder::parse(&entry.run)
        .ok_or_else(|| of_entry(EntryFault::NoFolder(entry.run.clone()).to_string()))?;
    let name = connection.file(&folder, &RunFile::Manifest);
    let manifest: Manifest = hashed(store, &name, &entry.manifest_sha256).await?;
    let apart = manifest.apart_from(entry);
    if !apart.is_empty() {
        let what = format!("it and its manifest disagree on {}", apart.join(", "));
        return Err(of_entry(what));
    }
    Ok(Run {
        connection,
        folder,
        manifest,
    })
}

impl Newest {
    fn note_run(&mut self, manifest: &Manifest) {
        // Runs that raced may have committed in another order than they started.
        self.started = self.started.max(Some(manifest.run.as_of));
        if self.schedule.is_none() {
            self.schedule.clone_from(&manifest.schedule);
        }
    }

    fn note_failure(&mut self, manifest: &Manifest) {
        self.note_run(manifest);
        let failure = manifest.failure.as_ref();
        self.failed_since = Some(FailedSince {
            runs: 1,
            last: manifest.run.as_of,
            stage: failure
                .map(|failure| failure.stage.clone())
                .unwrap_or_default(),
            exit: failure.map(|failure| failure.code).unwrap_or_default(),
        });
    }
}

impl Run<'_> {
    async fn result(self, store: &Store, entry: &Entry) -> Result<NewestResult, String> {
        let findings = self.findings(store).await?;
        let Manifest {
            run,
            connection,
            sources,
            verdict,
            complete,
            reasons,
            summary,
            ..
        } = self.manifest;
        let counts = summary.unwrap_or_default();
        Ok(NewestResult {
            entry: entry.sequence,
            as_of: run.as_of,
            verdict,
            complete,
            mark: Mark::of(&sources.truto.origin, connection.is_sandbox == Some(true)),
            workspace: connection.workspace,
            reasons,
            accounts: counts.accounts.total,
            leavers: counts.leavers.total,
            findings,
            report: self.connection.file(&self.folder, &RunFile::Report),
        })
    }

    /// The findings, with their severities and dates, which only `result.json` has.
    async fn findings(&self, store: &Store) -> Result<OpenFindings, String> {
        let summary = self.manifest.summary.as_ref();
        if summary.is_some_and(|counts| counts.findings.total == 0) {
            return Ok(OpenFindings::default());
        }
        let mut files = self.manifest.files.iter();
        let record = files.find(|file| file.name == RunFile::Result.name());
        let name = self.connection.file(&self.folder, &RunFile::Result);
        let record = record.ok_or_else(|| format!("the manifest does not list `{name}`"))?;
        let result: RunResult<'static> = hashed(store, &name, &record.sha256).await?;
        Ok(OpenFindings::of(result.findings()))
    }
}

impl OpenFindings {
    fn of(findings: &[Finding]) -> Self {
        let mut open = Self::default();
        for finding in findings {
            open.total += 1;
            *open.by_severity.entry(finding.severity).or_default() += 1;
            *open.by_kind.entry(finding.kind).or_default() += 1;
        }
        // Of findings that were first seen in the same run, the most severe.
        let oldest = findings
            .iter()
            .min_by_key(|of| (of.first_seen, of.severity));
        open.oldest = oldest.map(|oldest| OldestFinding {
            first_seen: oldest.first_seen,
            kind: oldest.kind,
            severity: oldest.severity,
        });
        open
    }
}

/// Reads a JSON file, and checks its hash. Most of the time of `status` passes here, so this uses all processors.
async fn hashed<T: DeserializeOwned + Send + 'static>(
    store: &Store,
    name: &str,
    sha256: &str,
) -> Result<T, String> {
    let bytes = object(store, name).await?;
    let (file, sha256) = (name.to_owned(), sha256.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        if sha256_hex(&bytes) != sha256 {
            return Err(format!("`{file}` was modified: its hash differs"));
        }
        let parsed = serde_json::from_slice(&bytes);
        parsed.map_err(|error| format!("`{file}` cannot be parsed: {error}"))
    });
    let stopped = |error| Err(format!("`{name}` cannot be parsed: {error}"));
    read.await.unwrap_or_else(stopped)
}

async fn object(store: &Store, name: &str) -> Result<Vec<u8>, String> {
    match store.read(name).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("`{name}` is missing")),
        Err(error) => Err(error_chain(&error)),
    }
}
