//! Checks evidence for someone who trusts nothing they cannot recompute, and gives two answers.
//!
//! *Integrity*: every ledger from its first entry to its last, every file of every run, the accounts recomputed from
//! Truto's answers, the decisions recomputed from the stored inputs, and periodic reviews compared with their runs.
//! *Operation*: the scheduled runs that were not started. Nothing is written, and only the store is contacted.

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

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub use fault::{Fault, FaultKind, Warning, WarningKind};
pub use operation::{Bound, Due, FailedRun, MissingRuns, Operation, Period, Rhythm};
pub use output::{as_json, as_text};
use reader::CountingReader;
pub use reader::Locks;

use crate::cli::exit::Exit;
use crate::evidence::ConnectionFolder;
use crate::signing::PublicKey;
use crate::store::{History, Store, StoreError};

/// What to check the evidence against.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// The instant of checking: a run whose retention has ended may be gone.
    pub now: Timestamp,
    /// Only this connection; none: every connection below the address.
    pub connection: Option<String>,
    /// Entries that were noted elsewhere: a chain cannot show that its own end was cut off.
    pub heads: Vec<Anchor>,
    /// How often runs were due. None: whether runs are missing is not checked.
    pub every: Option<Rhythm>,
    /// The period in which runs were due.
    pub period: Period,
    /// Public keys that are trusted. If there is one, the last entry must be signed with one of them.
    pub keys: Vec<PublicKey>,
}

/// A ledger entry as every run prints it: `42:<sha256>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Anchor {
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its bytes, in hex.
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
    /// Reads `42:<sha256>`, also with `ledger ` before it.
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

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Where the evidence lies, as shown to people.
    pub location: String,
    pub chains: Vec<ChainVerified>,
    /// The locks of what was read.
    pub locks: Locks,
    /// Why older versions were not checked, if they were not.
    pub versions_unchecked: Option<&'static str>,
    /// Faults of integrity, in the order in which they were met.
    pub faults: Vec<Fault>,
    /// What may be harmless, and should be looked into.
    pub warnings: Vec<Warning>,
}

/// What was found of one connection.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainVerified {
    /// The folder of the connection.
    pub folder: String,
    /// Ledger entries.
    pub entries: u64,
    /// The last entry.
    pub head: Option<Anchor>,
    /// Entries of judged runs.
    pub runs: u64,
    /// Entries of failed runs.
    pub failures: u64,
    /// Entries of periodic reviews, opened and closed.
    pub reviews: u64,
    /// Parts of reviews that were recomputed and are the same.
    pub reviews_recomputed: u64,
    /// Parts of reviews that were not fully recomputed, and why. No faults.
    pub reviews_not_recomputed: Vec<String>,
    /// Files whose hash is right.
    pub files: u64,
    /// Runs whose accounts were recomputed from the raw pages and are the same.
    pub accounts_recomputed: u64,
    /// Runs whose accounts were not recomputed, and why. No faults.
    pub accounts_not_recomputed: Vec<String>,
    /// How many of these because raw pages were not kept.
    #[serde(skip)]
    pub without_raw: u64,
    /// Runs whose decisions were recomputed and are the same byte for byte.
    pub decisions_recomputed: u64,
    /// Runs whose decisions were not recomputed, and why. No faults.
    pub decisions_not_recomputed: Vec<String>,
    /// Entries with a good signature: by a key that was given, or, if none was, by one that lies beside the ledger.
    pub signed: u64,
    /// Signed entries whose key is not available.
    pub signatures_unchecked: u64,
    /// Runs whose retention has ended and whose folder is gone. No faults.
    pub expired: Vec<String>,
    /// Folders without a ledger entry, of runs that died. No evidence, and no faults.
    pub uncommitted: Vec<String>,
    pub first_run: Option<Timestamp>,
    pub last_run: Option<Timestamp>,
    /// Entries noted elsewhere that the ledger has.
    #[serde(skip)]
    pub anchored: Vec<Anchor>,
    /// How many entries were compared with the time at which the bucket stored them.
    #[serde(rename = "stored_times_compared")]
    pub stored_times: u64,
    pub operation: Operation,
}

impl Verified {
    /// The first answer.
    pub fn integrity_holds(&self) -> bool {
        self.faults.is_empty()
    }

    /// The second answer: how many scheduled runs are missing, as far as it was checked; none if it was not checked
    /// for any connection.
    pub fn missing_runs(&self) -> Option<u64> {
        let missing = self.due().map(Due::missing_runs);
        missing.reduce(u64::saturating_add)
    }

    fn due(&self) -> impl Iterator<Item = &Due> {
        let operations = self.chains.iter().map(|chain| &chain.operation);
        operations.filter_map(|operation| operation.due.as_ref())
    }

    fn failed_runs(&self) -> u64 {
        let operations = self.chains.iter().map(|chain| &chain.operation);
        operations
            .map(|operation| operation.failed.len() as u64)
            .sum()
    }

    /// Why it was not checked for a connection whether runs are missing.
    pub fn operation_not_checked(&self) -> Option<&str> {
        let mut operations = self.chains.iter().map(|chain| &chain.operation);
        match self.chains.is_empty() {
            true => Some("there is no ledger"),
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

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{0}` does not exist")]
    NotThere(String),
    #[error("`{0}` holds no evidence: it has no folder system=asana/connection=…")]
    NoEvidence(String),
}

impl VerifyError {
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NotThere(_) => {
                Some("check the path; without one, EVIDENCE_URL is used, or ./evidence")
            }
            Self::NoEvidence(_) => Some(
                "name the place that EVIDENCE_URL names: the folder or prefix that holds system=asana; if the place is \
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

/// Checks everything that a store holds.
///
/// # Errors
/// If the store cannot be read or is not there, or if nothing in it or asked of it is evidence; what is wrong with
/// evidence is a [`Fault`].
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
    // Whoever noted a head, or sees deletions, knows that there was evidence.
    if verified.chains.is_empty() && expected.heads.is_empty() && verified.faults.is_empty() {
        return Err(VerifyError::NoEvidence(verified.location));
    }
    for anchor in &expected.heads {
        verified.check_anchor(anchor);
    }
    Ok(verified)
}

/// The folders of all connections below the store's address.
async fn connections(store: &Store) -> Result<Vec<ConnectionFolder>, StoreError> {
    let names = store.list(ConnectionFolder::ALL).await?;
    let folders = names
        .iter()
        .filter_map(|name| ConnectionFolder::containing(name));
    let mut folders = Vec::from_iter(folders);
    folders.dedup();
    Ok(folders)
}

impl Verified {
    /// An entry that was noted elsewhere must be there, as it was.
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
                "the entry of --head is gone: the end of the ledger was cut off",
            ),
            false => (FaultKind::Modified, "the entry is not the one of --head"),
        };
        let place = format!("ledger entry {}", anchor.sequence);
        self.fault(kind, place, text);
    }

    /// Connections of which only delete markers remain.
    fn deleted_connections(&mut self, history: &History) {
        let History::Reported { deleted, .. } = history else {
            return;
        };
        let mut gone: Vec<String> = deleted
            .iter()
            .filter_map(|name| {
                let folder = ConnectionFolder::containing(name)?;
                // The files of a run that died before its entry are no evidence.
                folder.sequence_of(name).map(|_| folder)
            })
            .map(|folder| folder.to_string())
            .filter(|folder| self.chains.iter().all(|chain| chain.folder != *folder))
            .collect();
        gone.dedup();
        for folder in gone {
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
