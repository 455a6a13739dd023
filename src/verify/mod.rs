//! Checks evidence for an auditor who trusts only what they can recompute, and gives two answers.
//!
//! *Integrity*: checks every ledger from its first entry to its last and every file of every run, recomputes the
//! accounts from Truto's answers and the decisions from the stored inputs, and compares periodic reviews with their
//! runs. *Operation*: finds the scheduled runs that were not started. `verify` writes nothing and contacts only the
//! store.

mod chain;
mod committed;
mod fault;
mod operation;
mod output;
mod reader;
mod recompute;
mod reviewed;
mod reviews;
mod runs;
mod tail;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub use fault::{Fault, FaultKind, Warning, WarningKind};
pub use operation::{
    Bound, FailedRun, Operation, Period, Rhythm, Started, check as check_operation,
};
pub use output::{as_json, as_text};
use reader::CountingReader;
pub use reader::Locks;

use crate::cli::exit::Exit;
use crate::evidence::ConnectionFolder;
use crate::schedule::DueRuns;
use crate::signing::PublicKey;
use crate::store::{History, Store, StoreError};

/// The options of a check.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// The instant of the check: a run whose retention has ended by then may be missing.
    pub now: Timestamp,
    /// Check only this connection. None: every connection below the address.
    pub connection: Option<String>,
    /// Entries that were noted elsewhere. A chain cannot show that its own end was cut off.
    pub heads: Vec<Anchor>,
    /// How often runs were due. None: use the schedules that the evidence records.
    pub every: Option<Rhythm>,
    /// The period in which runs were due.
    pub period: Period,
    /// Trusted public keys. If the list is not empty, one of these keys must have signed the last entry.
    pub keys: Vec<PublicKey>,
}

/// A ledger entry as every run prints it: `42:<sha256>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Anchor {
    pub sequence: u64,
    /// SHA-256 of the entry's bytes, in hex.
    pub sha256: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.sha256)
    }
}

impl From<Anchor> for String {
    fn from(anchor: Anchor) -> Self {
        anchor.to_string()
    }
}

impl Anchor {
    /// Parses `42:<sha256>`, optionally after `ledger `.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("ledger").map_or(text, str::trim);
        let (sequence, sha256) = text.split_once(':')?;
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            sequence: sequence.parse().ok().filter(|number| *number > 0)?,
            sha256: is_hash.then(|| sha256.to_ascii_lowercase())?,
        })
    }
}

/// The result of a check.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// The address of the evidence, for people.
    pub location: String,
    pub chains: Vec<ChainVerified>,
    /// The locks on the objects that were read.
    pub locks: Locks,
    /// Why older versions were not checked. None if they were.
    pub versions_unchecked: Option<&'static str>,
    /// Faults of integrity, in the order of the check.
    pub faults: Vec<Fault>,
    pub warnings: Vec<Warning>,
}

/// The result for one connection.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainVerified {
    pub folder: String,
    pub entries: u64,
    /// The last entry.
    pub head: Option<Anchor>,
    /// Entries of judged runs.
    pub runs: u64,
    /// Entries of failed runs.
    pub failures: u64,
    /// Entries of periodic reviews, opened and closed.
    pub reviews: u64,
    /// Parts of reviews that were recomputed with the same result.
    pub reviews_recomputed: u64,
    /// Parts of reviews that were not fully recomputed, and why. Not faults.
    pub reviews_not_recomputed: Vec<String>,
    /// Files whose hash is right.
    pub files: u64,
    /// Runs whose accounts were recomputed from the raw pages with the same result.
    pub accounts_recomputed: u64,
    /// Runs whose accounts were not recomputed, and why. Not faults.
    pub accounts_not_recomputed: Vec<String>,
    /// How many runs in `accounts_not_recomputed` kept no raw pages.
    #[serde(skip)]
    pub without_raw: u64,
    /// Runs whose decisions were recomputed with the same bytes.
    pub decisions_recomputed: u64,
    /// Runs whose decisions were not recomputed, and why. Not faults.
    pub decisions_not_recomputed: Vec<String>,
    /// Entries with a valid signature: by a given key, or by a key stored next to the ledger if no key was given.
    pub signed: u64,
    /// Signed entries whose key is not available.
    pub signatures_unchecked: u64,
    /// Runs whose retention has ended and whose files are missing. Not faults.
    pub expired: Vec<String>,
    /// Folders without a ledger entry, left by runs that stopped. Not evidence, and not faults.
    pub uncommitted: Vec<String>,
    pub first_run: Option<Timestamp>,
    pub last_run: Option<Timestamp>,
    /// Entries of `--head` that the ledger contains.
    #[serde(skip)]
    pub anchored: Vec<Anchor>,
    /// How many entries were compared with the time at which the bucket stored them.
    #[serde(rename = "stored_times_compared")]
    pub stored_times: u64,
    pub operation: Operation,
    /// Every run that was started, in the order of their instants.
    #[serde(skip)]
    pub started: Vec<Started>,
    /// How far each entry that can be read was verified, by number.
    #[serde(skip)]
    pub states: BTreeMap<u64, EntryState>,
    /// When the bucket stored each entry, by number. Empty for a folder.
    #[serde(skip)]
    pub stored_at: BTreeMap<u64, Timestamp>,
}

/// How far an entry and its folder were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Its hashes are right, and everything in it was recomputed with the same result.
    Recomputed,
    /// Its hashes are right, but this version could not recompute all of it.
    HashesOnly,
    /// Its retention has ended, and files are missing.
    Expired,
    /// It has a fault.
    Faulty,
}

impl Verified {
    pub fn integrity_holds(&self) -> bool {
        self.faults.is_empty()
    }

    /// The number of missing scheduled runs over all checked connections. None if no connection was checked.
    pub fn missing_runs(&self) -> Option<u64> {
        let missing = self.due().map(DueRuns::missing_runs);
        missing.reduce(u64::saturating_add)
    }

    fn due(&self) -> impl Iterator<Item = &DueRuns> {
        let operations = self.chains.iter().map(|chain| &chain.operation);
        operations.filter_map(|operation| operation.due.as_ref())
    }

    fn failed_runs(&self) -> u64 {
        let operations = self.chains.iter().map(|chain| &chain.operation);
        operations
            .map(|operation| operation.failed.len() as u64)
            .sum()
    }

    /// Why some connection was not checked for missing runs. None if all were checked.
    pub fn operation_not_checked(&self) -> Option<&str> {
        let mut operations = self.chains.iter().map(|chain| &chain.operation);
        match self.chains.is_empty() {
            true => Some("no ledger exists"),
            false => operations.find_map(|operation| operation.not_checked.as_deref()),
        }
    }

    pub fn exit(&self) -> Exit {
        match (self.integrity_holds(), self.missing_runs()) {
            (false, _) => Exit::IntegrityFault,
            (true, Some(1..)) => Exit::Inconclusive,
            (true, Some(0) | None) => Exit::Pass,
        }
    }
}

/// Why a check has no result.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{0}` does not exist")]
    NotThere(String),
    #[error("`{0}` contains no evidence: it has no folder system=asana/connection=…")]
    NoEvidence(String),
}

impl VerifyError {
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NotThere(_) => Some(
                "check the path; without a path, the command reads EVIDENCE_URL, or ./evidence",
            ),
            Self::NoEvidence(_) => Some(
                "give the address in EVIDENCE_URL: the folder or prefix that contains system=asana; if the address is \
                 right, its evidence was deleted",
            ),
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.kind().into(),
            Self::NotThere(_) | Self::NoEvidence(_) => Exit::Configuration,
        }
    }
}

/// Checks all evidence in a store.
///
/// # Errors
/// If the store does not exist or cannot be read, or if it contains no evidence. A problem with the evidence itself is
/// a [`Fault`].
pub async fn verify(store: &Store, expected: &Expectations) -> Result<Verified, VerifyError> {
    let mut verified = Verified {
        location: store.location(),
        ..Verified::default()
    };
    if !store.exists().await {
        return Err(VerifyError::NotThere(verified.location));
    }
    let folders = match &expected.connection {
        Some(connection) => vec![ConnectionFolder::of(connection)],
        None => connections(store).await?,
    };
    let history = store.history(ConnectionFolder::ALL).await?;
    if let History::NotReported(why) = history {
        verified.versions_unchecked = Some(why);
    }
    let reader = CountingReader::new(store, expected.now);
    for folder in folders {
        chain::verify(&reader, &history, &folder, expected, &mut verified).await?;
    }
    verified.locks = reader.locks();
    if expected.connection.is_none() {
        verified.deleted_connections(&history);
    }
    // A noted head or a deletion proves that evidence existed, so its absence is a fault.
    if verified.chains.is_empty() && expected.heads.is_empty() && verified.faults.is_empty() {
        return Err(VerifyError::NoEvidence(verified.location));
    }
    for anchor in &expected.heads {
        verified.check_anchor(anchor);
    }
    Ok(verified)
}

/// The folders of all connections below the store's address.
///
/// # Errors
/// If the store is out of reach.
pub async fn connections(store: &Store) -> Result<Vec<ConnectionFolder>, StoreError> {
    let names = store.list(ConnectionFolder::ALL).await?;
    let folders = names
        .iter()
        .filter_map(|name| ConnectionFolder::containing(name));
    let mut folders = Vec::from_iter(folders);
    folders.dedup();
    Ok(folders)
}

impl Verified {
    /// Reports a fault if an entry that was noted elsewhere is missing or changed.
    fn check_anchor(&mut self, anchor: &Anchor) {
        let has_it = |chain: &ChainVerified| chain.anchored.contains(anchor);
        if self.chains.iter().any(has_it) {
            return;
        }
        let heads = self.chains.iter().filter_map(|chain| chain.head.as_ref());
        let last = heads.map(|head| head.sequence).max().unwrap_or_default();
        let (kind, text) = match last < anchor.sequence {
            true => (
                FaultKind::Truncated,
                "the entry of --head is missing: the end of the ledger was cut off",
            ),
            false => (FaultKind::Modified, "the entry is not the one of --head"),
        };
        let place = format!("ledger entry {}", anchor.sequence);
        self.fault(kind, place, text);
    }

    /// Reports connections of which only delete markers remain.
    fn deleted_connections(&mut self, history: &History) {
        let History::Reported { deleted, .. } = history else {
            return;
        };
        let mut folders: Vec<String> = deleted
            .iter()
            .filter_map(|name| {
                let folder = ConnectionFolder::containing(name)?;
                // Files of a run that stopped before its entry are not evidence.
                folder.sequence_of(name).map(|_| folder)
            })
            .map(|folder| folder.to_string())
            .filter(|folder| self.chains.iter().all(|chain| chain.folder != *folder))
            .collect();
        folders.dedup();
        for folder in folders {
            let text = "all ledger entries of this connection were deleted";
            self.fault(FaultKind::DeleteMarker, folder, text);
        }
    }

    fn fault(&mut self, kind: FaultKind, place: impl Into<String>, text: impl Into<String>) {
        self.faults.push(Fault {
            kind,
            place: place.into(),
            text: text.into(),
        });
    }

    fn warn(
        &mut self,
        kind: WarningKind,
        of: &ConnectionFolder,
        (count, first): (u64, String),
        text: String,
    ) {
        self.warnings.push(Warning {
            kind,
            place: of.to_string(),
            count,
            first,
            text,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Anchor;

    #[test]
    fn an_anchor_is_read_as_every_run_prints_it() {
        let sha256 = "ab".repeat(32);
        let anchor = Some(Anchor {
            sequence: 42,
            sha256: sha256.clone(),
        });
        for text in [
            format!("42:{sha256}"),
            format!("  ledger     42:{sha256}"),
            format!("42:{}", sha256.to_uppercase()),
        ] {
            assert_eq!(Anchor::parse(&text), anchor, "{text}");
        }
        for text in [
            "",
            "42",
            "42:ab",
            &format!("0:{sha256}"),
            &format!("x:{sha256}"),
        ] {
            assert_eq!(Anchor::parse(text), None, "{text}");
        }
    }
}
