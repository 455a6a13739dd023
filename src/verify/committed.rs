//! Checks the committed folder of a run or a review: compares every file with its hash in `SHA256SUMS`, and that file
//! with its hash in the ledger entry.

use std::collections::BTreeMap;
use std::panic::resume_unwind;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::reader::CountingReader;
use super::{ChainVerified, FaultKind, Verified};
use crate::evidence::{ConnectionFolder, Entry, FileRecord, RunFile, sha256_hex, sums_of};
use crate::model::RawKind;
use crate::source::KeptAnswers;
use crate::store::{StoreError, is_name};

/// How many files of one folder are read at the same time.
const READS_AT_ONCE: usize = 8;

/// Files of this many bytes are hashed on another thread. Smaller ones take less time than the way there.
const HASHED_APART: usize = 64 << 10;

/// A folder as its entry names it and as the store lists it.
pub(super) struct CommittedFolder<'a> {
    pub(super) store: &'a CountingReader<'a>,
    pub(super) entry: &'a Entry,
    pub(super) connection: &'a ConnectionFolder,
    /// The full name.
    pub(super) folder: String,
    /// `run` or `review`, for messages.
    pub(super) what: &'static str,
    /// The listed files; names are relative to the folder.
    pub(super) files: &'a [String],
    /// Files that `SHA256SUMS` lists in every folder of this kind.
    pub(super) always: Vec<String>,
    /// The instant of the check: files whose retention has ended by then may be missing.
    pub(super) now: Timestamp,
}

/// The files of a folder in which no file is missing because of its age.
pub(super) struct FolderFiles {
    /// The hash of every file that `SHA256SUMS` lists.
    pub(super) sums: BTreeMap<String, String>,
    /// The size of every file whose hash is right.
    right: BTreeMap<String, u64>,
    /// The content of the files that the caller asked to keep and whose hash is right.
    pub(super) kept: BTreeMap<String, Vec<u8>>,
}

impl FolderFiles {
    /// Whether these records describe exactly the files in `SHA256SUMS`, except the manifest: it cannot contain its own
    /// hash.
    pub(super) fn is_described_by(&self, records: &[FileRecord]) -> bool {
        let is_as_described = records.iter().all(|record| {
            let right = self.right.get(&record.name);
            self.sums.get(&record.name) == Some(&record.sha256)
                && right.is_none_or(|bytes| *bytes == record.bytes)
        });
        let manifest = RunFile::Manifest.name();
        let is_described =
            |file: &String| *file == manifest || records.iter().any(|record| record.name == *file);
        is_as_described && self.sums.keys().all(is_described)
    }
}

impl KeptAnswers for FolderFiles {
    fn get(&self, kind: RawKind) -> Option<&[u8]> {
        let name = RunFile::raw(kind).name();
        self.kept.get(&name).map(Vec::as_slice)
    }

    fn count(&self) -> usize {
        let names = self.kept.keys();
        names.filter(|name| RunFile::is_raw(name)).count()
    }
}

impl CommittedFolder<'_> {
    /// The full name of a file, as the place of a fault.
    pub(super) fn place(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }

    async fn read(&self, file: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.read(&self.place(file)).await
    }

    /// A file and its SHA-256. Large files are hashed on other threads, so that all cores work.
    async fn read_hashed(&self, file: &str) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let Some(bytes) = self.read(file).await? else {
            return Ok(None);
        };
        if bytes.len() < HASHED_APART {
            let sha256 = sha256_hex(&bytes);
            return Ok(Some((bytes, sha256)));
        }
        let hash = move || {
            let sha256 = sha256_hex(&bytes);
            (bytes, sha256)
        };
        let hashed = tokio::task::spawn_blocking(hash).await;
        Ok(Some(
            hashed.unwrap_or_else(|error| resume_unwind(error.into_panic())),
        ))
    }

    /// Whether the retention has ended.
    fn has_expired(&self) -> bool {
        self.entry
            .retain_until
            .is_some_and(|until| until <= self.now)
    }

    /// Compares every file with `SHA256SUMS`, and that file with the entry. Returns none if `SHA256SUMS` is missing or
    /// modified, or if an expired file is missing: a store deletes expired files one by one, and the remaining files
    /// must be unchanged.
    ///
    /// Keeps only the files that `is_kept` selects in memory.
    pub(super) async fn walk(
        &self,
        is_kept: impl Fn(&str) -> bool,
        chain: &mut ChainVerified,
        verified: &mut Verified,
    ) -> Result<Option<FolderFiles>, StoreError> {
        let Some(sums) = self.sums(chain, verified).await? else {
            return Ok(None);
        };
        let what = self.what;
        for file in self.always.iter().filter(|file| !sums.contains_key(*file)) {
            let text =
                format!("every {what} of this kind has this file, but SHA256SUMS does not list it");
            verified.fault(FaultKind::MissingFile, self.place(file), text);
        }
        let name = RunFile::Sums.name();
        let mut extra: Vec<&String> = self.files.iter().filter(|file| **file != name).collect();
        extra.retain(|file| !sums.contains_key(*file));
        let (mut right, mut kept) = (BTreeMap::new(), BTreeMap::new());
        let mut is_partly_deleted = false;
        let reads = sums
            .keys()
            .map(async |file| match is_name(&self.place(file)) {
                true => self.read_hashed(file).await,
                false => Ok(None),
            });
        // A bucket answers several reads in the time of one.
        let mut reads = stream::iter(reads).buffered(READS_AT_ONCE);
        for (file, sha256) in &sums {
            let bytes = reads.next().await.transpose()?.flatten();
            let place = self.place(file);
            if !is_name(&place) {
                let text = format!("a file of a {what} cannot have this name");
                verified.fault(FaultKind::MissingFile, place, text);
                continue;
            }
            let Some((bytes, found)) = bytes else {
                match self.renamed(sha256, &extra).await? {
                    Some(other) => {
                        let text = format!("it was renamed to `{other}`");
                        verified.fault(FaultKind::Moved, place, text);
                        extra.retain(|file| **file != other);
                    }
                    None if self.has_expired() => is_partly_deleted = true,
                    None => {
                        let text =
                            format!("it was there when the {what} was committed, and is missing");
                        verified.fault(FaultKind::MissingFile, place, text);
                        // If the name is listed, it is a link, a pipe or a device.
                        extra.extend(self.files.iter().find(|other| *other == file));
                    }
                }
                continue;
            };
            if found != *sha256 {
                let text = format!(
                    "its bytes differ from those that were hashed when the {what} was committed"
                );
                verified.fault(FaultKind::Modified, place, text);
                continue;
            }
            chain.files += 1;
            right.insert(file.clone(), bytes.len() as u64);
            if is_kept(file) {
                kept.insert(file.clone(), bytes);
            }
        }
        drop(reads);
        for file in extra {
            let text = format!("it was not there when the {what} was committed");
            verified.fault(FaultKind::ExtraFile, self.place(file), text);
        }
        if is_partly_deleted {
            chain.expired.push(self.folder.clone());
            return Ok(None);
        }
        Ok(Some(FolderFiles { sums, right, kept }))
    }

    /// `SHA256SUMS`, if its hash is the one in the entry.
    async fn sums(
        &self,
        chain: &mut ChainVerified,
        verified: &mut Verified,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let name = RunFile::Sums.name();
        let place = self.place(&name);
        let bytes = match self.files {
            [] => None,
            _ => self.read(&name).await?,
        };
        let Some(bytes) = bytes else {
            if self.has_expired() {
                chain.expired.push(self.folder.clone());
            } else if self.files.is_empty() {
                let text = format!("the folder of a committed {} is missing", self.what);
                verified.fault(FaultKind::MissingFolder, self.folder.clone(), text);
            } else {
                let text = "it is missing, so the files of the folder cannot be checked";
                verified.fault(FaultKind::MissingFile, place, text);
            }
            return Ok(None);
        };
        if sha256_hex(&bytes) != self.entry.sums_sha256 {
            let text = format!("its hash is not the one in entry {}", self.entry.sequence);
            verified.fault(FaultKind::Modified, place, text);
            return Ok(None);
        }
        let Some(sums) = sums_of(&bytes) else {
            let text = "it does not have the exact form of SHA256SUMS";
            verified.fault(FaultKind::Disagreement, place, text);
            return Ok(None);
        };
        chain.files += 1;
        Ok(Some(sums))
    }

    /// The extra file with this hash: the missing file was renamed.
    async fn renamed(&self, sha256: &str, extra: &[&String]) -> Result<Option<String>, StoreError> {
        let mut new_name = None;
        for other in extra.iter().filter(|other| is_name(&self.place(other))) {
            let bytes = self.read(other).await?;
            if bytes.is_some_and(|bytes| sha256_hex(&bytes) == sha256) {
                new_name = Some((*other).clone());
            }
        }
        Ok(new_name)
    }

    /// Parses a kept file, and reports a fault if that fails.
    pub(super) fn read_json<T: DeserializeOwned>(
        &self,
        found: &FolderFiles,
        file: &str,
        verified: &mut Verified,
    ) -> Option<T> {
        serde_json::from_slice(found.kept.get(file)?)
            .map_err(|error| {
                let text = format!("it cannot be read: {error}");
                verified.fault(FaultKind::Disagreement, self.place(file), text);
            })
            .ok()
    }

    /// Reports the fields in which the manifest and the entry disagree, and compares the described files with
    /// `SHA256SUMS`.
    pub(super) fn check_manifest(
        &self,
        apart: &[&str],
        files: &[FileRecord],
        found: &FolderFiles,
        verified: &mut Verified,
    ) {
        let place = self.place(&RunFile::Manifest.name());
        if !apart.is_empty() {
            let (sequence, apart) = (self.entry.sequence, apart.join(", "));
            let text = format!("it and entry {sequence} disagree: {apart}");
            verified.fault(FaultKind::Disagreement, place.clone(), text);
        }
        if !found.is_described_by(files) {
            let text = "the files it describes are not those that SHA256SUMS lists";
            verified.fault(FaultKind::Disagreement, place, text);
        }
    }

    /// The manifest, if its hash is the one in the entry.
    pub(super) fn manifest<T: DeserializeOwned>(
        &self,
        found: &FolderFiles,
        verified: &mut Verified,
    ) -> Option<T> {
        let name = RunFile::Manifest.name();
        let is_named = found.sums.get(&name) == Some(&self.entry.manifest_sha256);
        if found.kept.contains_key(&name) && !is_named {
            let text = format!("its hash is not the one in entry {}", self.entry.sequence);
            verified.fault(FaultKind::Modified, self.place(&name), text);
            return None;
        }
        self.read_json(found, &name, verified)
    }
}
