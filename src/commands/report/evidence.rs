//! Reads the runs of a verified ledger, one at a time. It uses only bytes whose hashes are those of the ledger.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use super::ReportError;
use crate::evidence::{
    ConnectionFolder, Entry, EntryKind, RunFile, account_lines, hr_rows, leaver_lines, sha256_hex,
    sums_of,
};
use crate::judgement::Leaver;
use crate::model::HrRow;
use crate::pack::{JudgedFiles, LedgerEntry, RunFiles, RunVerified};
use crate::review::{ReviewClosed, ReviewManifest};
use crate::store::Store;
use crate::verify::{ChainVerified, EntryState};

/// How many objects are read at the same time.
const READS_AT_ONCE: usize = 8;

/// The evidence of one connection.
pub(super) struct Evidence<'a> {
    pub(super) store: &'a Store,
    pub(super) folder: &'a ConnectionFolder,
}

/// The files of one folder, with the hashes that its entry commits.
struct FolderOfEntry<'a> {
    of: &'a Evidence<'a>,
    at: &'a LedgerEntry,
    sums: BTreeMap<String, String>,
}

impl Evidence<'_> {
    /// Every entry that can be read, in order.
    pub(super) async fn entries(
        &self,
        chain: &ChainVerified,
    ) -> Result<Vec<LedgerEntry>, ReportError> {
        let last = chain.head.as_ref().map_or(0, |head| head.sequence);
        let entries = (1..=last).map(async |sequence| {
            let name = self.folder.entry(sequence);
            let bytes = self.store.read(&name).await?;
            Ok::<_, ReportError>(bytes.map(|bytes| (sequence, bytes)))
        });
        let entries = stream::iter(entries).buffered(READS_AT_ONCE);
        let entries: Vec<Option<(u64, Vec<u8>)>> = entries.try_collect().await?;
        let entries = entries
            .into_iter()
            .flatten()
            .filter_map(|(sequence, bytes)| {
                let entry = Entry::from_bytes(&bytes).ok()?;
                let state = chain.states.get(&sequence);
                let verified = match state {
                    Some(EntryState::Recomputed) if entry.kind == EntryKind::Run => {
                        RunVerified::Recomputed
                    }
                    Some(EntryState::Recomputed | EntryState::HashesOnly) => {
                        RunVerified::HashesOnly
                    }
                    Some(EntryState::Expired) => RunVerified::Expired,
                    Some(EntryState::Faulty) | None => RunVerified::Fault,
                };
                Some(LedgerEntry {
                    sha256: sha256_hex(&bytes),
                    stored_at: chain.stored_at.get(&sequence).copied(),
                    verified,
                    entry,
                })
            });
        Ok(entries.collect())
    }

    async fn folder_of<'a>(
        &'a self,
        at: &'a LedgerEntry,
    ) -> Result<Option<FolderOfEntry<'a>>, ReportError> {
        let entry = &at.entry;
        let name = RunFile::Sums.name();
        let Some(name) = self.folder.committed_file(&entry.run, &name) else {
            return Ok(None);
        };
        let bytes = self.store.read(&name).await?;
        let bytes = bytes.filter(|bytes| sha256_hex(bytes) == entry.sums_sha256);
        match bytes.as_deref().and_then(sums_of) {
            Some(sums) => Ok(Some(FolderOfEntry { of: self, at, sums })),
            None => lost(at, &name),
        }
    }

    /// The files of a run that the pack reads. None if they have expired, or if the run has a fault: it then proves
    /// nothing.
    pub(super) async fn run(
        &self,
        at: &LedgerEntry,
        with_concluded: bool,
    ) -> Result<Option<RunFiles>, ReportError> {
        if at.verified == RunVerified::Fault {
            return Ok(None);
        }
        let Some(folder) = self.folder_of(at).await? else {
            return Ok(None);
        };
        let is_judged = at.entry.kind == EntryKind::Run;
        let mut wanted = vec![RunFile::Manifest];
        if is_judged {
            wanted.extend([
                RunFile::Result,
                RunFile::InputFacts,
                RunFile::LeaversJsonl,
                RunFile::AccountsJsonl,
            ]);
        }
        if is_judged && with_concluded {
            wanted.push(RunFile::Concluded);
        }
        let Some(files) = folder.read(&wanted).await? else {
            return Ok(None);
        };
        let bytes = |file: &RunFile| files.get(&file.name()).map_or(&[][..], Vec::as_slice);
        let Some(manifest) = parsed(bytes(&RunFile::Manifest)) else {
            return Ok(None);
        };
        if !is_judged {
            let judged = None;
            return Ok(Some(RunFiles { manifest, judged }));
        }
        let leavers = |file: RunFile| match files.get(&file.name()) {
            Some(bytes) => leaver_lines(file, bytes).ok(),
            None => Some(Vec::<Leaver>::new()),
        };
        let judged = (|| {
            Some(JudgedFiles {
                result: parsed(bytes(&RunFile::Result))?,
                facts: parsed(bytes(&RunFile::InputFacts))?,
                leavers: leavers(RunFile::LeaversJsonl)?,
                concluded: leavers(RunFile::Concluded)?,
                accounts: account_lines(bytes(&RunFile::AccountsJsonl)).ok()?,
            })
        })();
        Ok(judged.map(|judged| RunFiles {
            manifest,
            judged: Some(judged),
        }))
    }

    /// The HR rows and the accounts of a judged run.
    pub(super) async fn people(
        &self,
        at: &LedgerEntry,
    ) -> Result<Option<(Vec<HrRow>, Vec<crate::evidence::AccountLine>)>, ReportError> {
        let Some(folder) = self.folder_of(at).await? else {
            return Ok(None);
        };
        let wanted = [RunFile::InputHr, RunFile::AccountsJsonl];
        let Some(files) = folder.read(&wanted).await? else {
            return Ok(None);
        };
        let bytes = |file: RunFile| files.get(&file.name()).map_or(&[][..], Vec::as_slice);
        let rows = hr_rows(bytes(RunFile::InputHr)).ok();
        let accounts = account_lines(bytes(RunFile::AccountsJsonl)).ok();
        Ok(rows.zip(accounts))
    }

    /// The manifest of a part of a review, and its `review.json` if it was closed. None if they cannot be read.
    pub(super) async fn review(
        &self,
        at: &LedgerEntry,
    ) -> Result<Option<(ReviewManifest, Option<ReviewClosed>)>, ReportError> {
        use crate::evidence::ReviewFile;
        let Some(folder) = self.folder_of(at).await? else {
            return Ok(None);
        };
        let is_close = at.entry.kind == EntryKind::ReviewClose;
        let manifest = folder.one(ReviewFile::Manifest.name()).await?;
        let Some(manifest) = manifest.as_deref().and_then(parsed) else {
            return Ok(None);
        };
        if !is_close {
            return Ok(Some((manifest, None)));
        }
        let closed = folder.one(ReviewFile::Review.name()).await?;
        let closed = closed.as_deref().and_then(parsed);
        Ok(closed.map(|closed| (manifest, Some(closed))))
    }

    /// The evidence of a run for a folder of the sample: the entry, its signature, the manifest and the sums; with the
    /// raw files by name if they are wanted. None if they have expired or have faults.
    pub(super) async fn bundle(
        &self,
        at: &LedgerEntry,
        with_raw: bool,
    ) -> Result<Option<Bundle>, ReportError> {
        let Some(folder) = self.folder_of(at).await? else {
            return Ok(None);
        };
        let Some(mut files) = folder.read(&[RunFile::Manifest]).await? else {
            return Ok(None);
        };
        let manifest = files.remove(&RunFile::Manifest.name()).unwrap_or_default();
        let mut raw = BTreeMap::new();
        let names: Vec<&String> = folder
            .sums
            .keys()
            .filter(|name| RunFile::is_raw(name))
            .collect();
        for name in names.into_iter().filter(|_| with_raw) {
            if let Some(bytes) = folder.one(name).await? {
                let sha256 = folder.sums[name].clone();
                raw.insert(name.clone(), (sha256, bytes));
            }
        }
        let sums = folder
            .of
            .folder
            .committed_file(&at.entry.run, &RunFile::Sums.name());
        let sums = match sums {
            Some(name) => self.store.read(&name).await?.unwrap_or_default(),
            None => Vec::new(),
        };
        let signature = match at.entry.is_signed() {
            true => self.store.read(&self.folder.signature(&at.sha256)).await?,
            false => None,
        };
        Ok(Some(Bundle {
            entry: at.entry.to_bytes(),
            signature,
            manifest,
            sums,
            raw,
        }))
    }
}

/// The evidence of one run.
pub(super) struct Bundle {
    pub(super) entry: Vec<u8>,
    pub(super) signature: Option<Vec<u8>>,
    pub(super) manifest: Vec<u8>,
    pub(super) sums: Vec<u8>,
    /// Each raw file with its hash.
    pub(super) raw: BTreeMap<String, (String, Vec<u8>)>,
}

impl FolderOfEntry<'_> {
    /// These files, by name. None if one is missing although the folder has expired or has a fault.
    async fn read(
        &self,
        files: &[RunFile],
    ) -> Result<Option<BTreeMap<String, Vec<u8>>>, ReportError> {
        let names: Vec<String> = files.iter().map(RunFile::name).collect();
        let reads = names.iter().map(|name| self.one(name));
        let reads: Vec<Option<Vec<u8>>> = stream::iter(reads)
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let files = names.iter().cloned().zip(reads);
        let files = files.map(|(name, bytes)| Some((name, bytes?)));
        Ok(files.collect())
    }

    /// One file. None if it is missing although the folder has expired or has a fault.
    async fn one(&self, file: &str) -> Result<Option<Vec<u8>>, ReportError> {
        let Some(name) = self.of.folder.committed_file(&self.at.entry.run, file) else {
            return Ok(None);
        };
        let bytes = self.of.store.read(&name).await?;
        let sha256 = self.sums.get(file);
        let bytes = bytes.filter(|bytes| Some(&sha256_hex(bytes)) == sha256);
        match bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => lost(self.at, &name),
        }
    }
}

/// A file is missing or differs: no surprise if its entry has expired or has a fault.
fn lost<T>(at: &LedgerEntry, name: &str) -> Result<Option<T>, ReportError> {
    match at.verified {
        RunVerified::Expired | RunVerified::Fault => Ok(None),
        RunVerified::Recomputed | RunVerified::HashesOnly => {
            Err(ReportError::Changed(name.to_owned()))
        }
    }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}
