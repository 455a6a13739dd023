//! Reading the chain from its head: what earlier runs saw, as far as the chain vouches for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Ledger, LedgerError};
use crate::evidence::{
    Entry, EntryKind, FIRST_PREVIOUS, Manifest, RunFile, RunFolder, baseline_facts,
    previous_result, sums_of,
};
use crate::judgement::{Baseline, Past, Previous, RunRef};

/// Entries looked at beyond the first complete one, since runs that raced may stand in another
/// order than their instants.
const RACE_WINDOW: usize = 8;

/// The ledger as a run found it.
#[derive(Debug)]
pub struct Chain {
    /// Number and hash of the last entry.
    pub(super) head: Option<Head>,
    /// What earlier runs saw.
    pub past: Past,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) sequence: u64,
    pub(super) sha256: String,
}

impl Head {
    /// What the first entry follows.
    pub(super) fn before_the_first() -> Self {
        Self {
            sequence: 0,
            sha256: FIRST_PREVIOUS.to_owned(),
        }
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    const_hex::encode(Sha256::digest(bytes))
}

impl Ledger {
    /// The numbers of all entries, ascending.
    async fn sequences(&self) -> Result<Vec<u64>, LedgerError> {
        let names = self.store.list(&self.folder.ledger()).await?;
        let mut sequences: Vec<u64> = names
            .iter()
            .filter_map(|name| self.folder.sequence_of(name))
            .collect();
        sequences.sort_unstable();
        Ok(sequences)
    }

    /// The end of the chain as it is now.
    pub(super) async fn head(&self) -> Result<Option<Head>, LedgerError> {
        let Some(sequence) = self.sequences().await?.pop() else {
            return Ok(None);
        };
        let bytes = self.store.read(&self.folder.entry(sequence)).await?;
        Ok(bytes.map(|bytes| Head {
            sequence,
            sha256: sha256_hex(&bytes),
        }))
    }

    /// Reads the end of the chain and the runs a new one builds on, and believes only what the
    /// chain's hashes vouch for. Damage is recorded, and the chain goes on. A run dated after `as_of`
    /// is no baseline: what it did not see yet cannot be missing.
    ///
    /// # Errors
    /// Where the store fails, or the ledger is signed.
    pub async fn open(&self, as_of: Timestamp) -> Result<Chain, LedgerError> {
        let mut walk = Walk {
            ledger: self,
            faults: Vec::new(),
        };
        let sequences = self.sequences().await?;
        let Some(last) = sequences.last().copied() else {
            return Ok(Chain {
                head: None,
                past: Past::default(),
            });
        };
        walk.note_gaps(&sequences);

        let mut head = None;
        let mut previous = None;
        let mut complete: Vec<Entry> = Vec::new();
        let mut looked_beyond = 0;
        let mut expected: Option<String> = None;
        let mut newer = None;
        // Only what is there: a number that nobody counted up to must not be counted down from.
        for sequence in sequences.iter().copied().rev() {
            if newer.replace(sequence) != Some(sequence + 1) {
                // Behind a gap, or the last: nothing that is there links to it.
                expected = None;
            }
            let Some(bytes) = self.store.read(&self.folder.entry(sequence)).await? else {
                // Listed, and gone: what its successor links to cannot be compared.
                walk.note(format!("entry {sequence} is listed and cannot be read"));
                continue;
            };
            let sha256 = sha256_hex(&bytes);
            if expected
                .as_ref()
                .is_some_and(|expected| *expected != sha256)
            {
                walk.note(format!(
                    "entry {sequence} is not the one its successor links to"
                ));
            }
            if head.is_none() {
                head = Some(Head { sequence, sha256 });
            }
            let entry = match Entry::from_bytes(&bytes) {
                Ok(entry) if entry.sequence == sequence => entry,
                Ok(entry) => {
                    walk.note(format!("entry {sequence} says it is {}", entry.sequence));
                    expected = None;
                    continue;
                }
                Err(fault) => {
                    walk.note(format!("entry {sequence}: {fault}"));
                    expected = None;
                    continue;
                }
            };
            if sequence == last && entry.key_sha256 != "none" {
                return Err(LedgerError::Signed { sequence });
            }
            expected = Some(entry.previous_sha256.clone());
            if sequence == 1 && entry.previous_sha256 != FIRST_PREVIOUS {
                walk.note("entry 1 names a predecessor: entries before it are gone".to_owned());
            }
            if entry.kind == EntryKind::Run {
                if previous.is_none() {
                    previous = walk.previous(&entry).await?;
                }
                if entry.complete {
                    complete.push(entry);
                }
            }
            if !complete.is_empty() && previous.is_some() {
                looked_beyond += 1;
                // The link behind the last entry that is used is looked at as well.
                if looked_beyond > RACE_WINDOW {
                    break;
                }
            }
        }

        // The run folder's name begins with its instant, so names sort as instants do.
        complete.sort_by(|a, b| b.run.cmp(&a.run));
        let mut baseline = None;
        for entry in &complete {
            baseline = walk
                .baseline(entry)
                .await?
                .filter(|found| found.as_of <= as_of);
            if baseline.is_some() {
                break;
            }
        }
        Ok(Chain {
            head,
            past: Past {
                ledger_faults: walk.faults,
                ledger_head: Some(last),
                baseline,
                previous,
            },
        })
    }
}

struct Walk<'a> {
    ledger: &'a Ledger,
    faults: Vec<String>,
}

impl Walk<'_> {
    fn note(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            tracing::warn!(fault, "The ledger is damaged");
            self.faults.push(fault);
        }
    }

    /// Numbers have no gaps: one is a deletion.
    fn note_gaps(&mut self, sequences: &[u64]) {
        let mut expected = 1;
        for sequence in sequences {
            if *sequence > expected {
                let missing = sequence - expected;
                self.note(format!(
                    "{missing} ledger entry(s) are missing from {expected} on"
                ));
            }
            expected = sequence + 1;
        }
    }

    /// The files of a run, each believed only if the entry's hashes lead to it. `None`, and a
    /// fault, where they do not.
    async fn files(
        &mut self,
        entry: &Entry,
        wanted: &[RunFile],
    ) -> Result<Option<Vec<Vec<u8>>>, LedgerError> {
        let sequence = entry.sequence;
        let Some(run) = RunFolder::parse(&entry.run) else {
            self.note(format!("entry {sequence} names a run folder that is none"));
            return Ok(None);
        };
        let Some(sums) = self
            .file(entry, &run, &RunFile::Sums, &entry.sums_sha256)
            .await?
        else {
            return Ok(None);
        };
        let Some(sums): Option<BTreeMap<String, String>> = sums_of(&sums) else {
            self.note(format!("SHA256SUMS of entry {sequence} cannot be read"));
            return Ok(None);
        };
        if sums.get(&RunFile::Manifest.name()) != Some(&entry.manifest_sha256) {
            self.note(format!(
                "SHA256SUMS and entry {sequence} disagree on the manifest"
            ));
            return Ok(None);
        }
        let mut files = Vec::new();
        for file in wanted {
            let Some(sha256) = sums.get(&file.name()) else {
                self.note(format!(
                    "SHA256SUMS of entry {sequence} lacks {}",
                    file.name()
                ));
                return Ok(None);
            };
            match self.file(entry, &run, file, sha256).await? {
                Some(bytes) => files.push(bytes),
                None => return Ok(None),
            }
        }
        Ok(Some(files))
    }

    async fn file(
        &mut self,
        entry: &Entry,
        run: &RunFolder,
        file: &RunFile,
        sha256: &str,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let name = self.ledger.folder.run(run, file);
        let Some(bytes) = self.ledger.store.read(&name).await? else {
            self.note(format!(
                "{} of entry {} is missing",
                file.name(),
                entry.sequence
            ));
            return Ok(None);
        };
        if sha256_hex(&bytes) != sha256 {
            self.note(format!(
                "{} of entry {} was modified",
                file.name(),
                entry.sequence
            ));
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// A parsed file, or a fault: its hash was right, so it was written in a form we do not know.
    fn parsed<T>(
        &mut self,
        entry: &Entry,
        file: &RunFile,
        parsed: Result<T, serde_json::Error>,
    ) -> Option<T> {
        parsed
            .map_err(|error| {
                let name = file.name();
                self.note(format!(
                    "{name} of entry {} cannot be read: {error}",
                    entry.sequence
                ));
            })
            .ok()
    }

    /// Whether an entry says of its run what the run says itself. No link protects the last entry
    /// yet, so what it repeats is compared.
    fn agrees(&mut self, entry: &Entry, manifest: &Manifest) -> bool {
        let agrees =
            entry.verdict == manifest.verdict.as_str() && entry.complete == manifest.complete;
        if !agrees {
            self.note(format!(
                "entry {} and its manifest disagree on the verdict or on completeness",
                entry.sequence
            ));
        }
        agrees
    }

    async fn previous(&mut self, entry: &Entry) -> Result<Option<Previous>, LedgerError> {
        let wanted = [RunFile::Manifest, RunFile::Result];
        let Some(files) = self.files(entry, &wanted).await? else {
            return Ok(None);
        };
        let manifest = serde_json::from_slice::<Manifest>(&files[0]);
        let Some(manifest) = self.parsed(entry, &wanted[0], manifest) else {
            return Ok(None);
        };
        if !self.agrees(entry, &manifest) {
            return Ok(None);
        }
        let Some(result) = self.parsed(entry, &wanted[1], previous_result(&files[1])) else {
            return Ok(None);
        };
        let Some(policy) = manifest.policy else {
            self.note(format!(
                "the manifest of entry {} has no policy",
                entry.sequence
            ));
            return Ok(None);
        };
        Ok(Some(Previous {
            at: run_ref(entry),
            policy,
            leavers: result.leavers,
            findings_first_seen: result.findings_first_seen,
            trend: result.trend,
        }))
    }

    async fn baseline(&mut self, entry: &Entry) -> Result<Option<Baseline>, LedgerError> {
        let wanted = [RunFile::Manifest, RunFile::InputFacts];
        let Some(files) = self.files(entry, &wanted).await? else {
            return Ok(None);
        };
        let manifest = serde_json::from_slice::<Manifest>(&files[0]);
        let Some(manifest) = self.parsed(entry, &wanted[0], manifest) else {
            return Ok(None);
        };
        if !self.agrees(entry, &manifest) {
            return Ok(None);
        }
        let facts = self.parsed(entry, &wanted[1], baseline_facts(&files[1]));
        Ok(facts.map(|facts| Baseline {
            at: run_ref(entry),
            as_of: facts.as_of,
            accounts: facts.accounts,
            former_emails: facts.former_emails,
        }))
    }
}

fn run_ref(entry: &Entry) -> RunRef {
    RunRef {
        sequence: entry.sequence,
        run: entry.run.clone(),
        manifest_sha256: entry.manifest_sha256.clone(),
    }
}
