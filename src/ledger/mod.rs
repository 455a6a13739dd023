//! The ledger: a chain of entries, each committing one run. If the entry is there, the run is whole.

mod backwards;
mod commit;
mod files;
mod inspect;
mod reviews;
mod signatures;
mod walk;

pub use commit::{Committed, commit_failure, commit_run};
pub use files::{Extent, FolderFault, committed_files};
pub use inspect::{EntryFault, EntryFolder, Inspected, Inspector, Link, Objects};
pub use reviews::commit_review;
pub use walk::{Chain, Head, RunsBefore};

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::evidence::ConnectionFolder;
use crate::model::LockMode;
use crate::signing::{SigningError, SigningKey};
use crate::store::{ObjectLock, Store, StoreError};

/// How the ledger is kept.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long runs are to be kept, in days; written into each entry.
    pub retention_days: Option<u32>,
    /// Whether the store is asked to lock each object as long; needs `retention_days`.
    pub lock_mode: Option<LockMode>,
}

impl Settings {
    /// The lock that what is written at this instant is put under.
    pub fn lock(&self, as_of: Timestamp) -> Option<ObjectLock> {
        Some(ObjectLock {
            mode: self.lock_mode?,
            until: self.retain_until(as_of)?,
        })
    }

    fn retain_until(&self, as_of: Timestamp) -> Option<Timestamp> {
        let days = SignedDuration::from_hours(24) * i32::try_from(self.retention_days?).ok()?;
        as_of.checked_add(days).ok()
    }
}

/// The ledger of one connection.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    connection: String,
    folder: ConnectionFolder,
    settings: Settings,
    key: Option<SigningKey>,
}

impl Ledger {
    /// The ledger of `connection` in a store. Nothing is read or made yet.
    ///
    /// A key signs each entry. A ledger that is signed once is signed ever after.
    pub fn new(
        store: Store,
        connection: &str,
        settings: Settings,
        key: Option<SigningKey>,
    ) -> Self {
        Self {
            store,
            connection: connection.to_owned(),
            folder: ConnectionFolder::of(connection),
            settings,
            key,
        }
    }
}

/// The whole second that evidence is written in.
fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

/// Between two tries for a number that another run took first.
const RACE_PAUSE: Duration = Duration::from_millis(50);

/// So many runs at once would have to win before this one gives up.
const RACE_ATTEMPTS: u32 = 50;

/// Why the ledger could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Entries are signed, and this run has no key: an unsigned one after them would be a fault.
    #[error("the ledger is signed (entry {sequence}), and this run has no signing key")]
    Signed {
        /// Number of the newest entry.
        sequence: u64,
    },
    /// The entry could not be signed; without a signature it is not written.
    #[error("the ledger entry could not be signed")]
    Signing(#[from] SigningError),
    /// Earlier evidence that is needed is not what was written.
    #[error("the evidence has a fault of integrity: {0}")]
    Fault(String),
    /// A review was closed since the head was read that this is to follow.
    #[error("a review was closed meanwhile, by ledger entry {sequence}")]
    Overtaken {
        /// Number of the entry.
        sequence: u64,
    },
    /// Something lies in the folder that is to be committed, and was not written by who commits it.
    #[error("`{name}` lies among the files that are to be committed, and is none of them")]
    Stranger {
        /// The object.
        name: String,
    },
    /// Other runs took every number this one tried.
    #[error("the ledger entry could not be placed: {attempts} other runs were faster")]
    Crowded {
        /// Tries.
        attempts: u32,
    },
}

impl LedgerError {
    /// What the operator may do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(store) => store.hint().map(str::to_owned),
            Self::Signed { .. } => Some(
                "set EVIDENCE_SIGNING_KEY, EVIDENCE_SIGNING_KEY_FILE or EVIDENCE_SIGNING_KMS_KEY_ID; a \
                 new key may follow an old one, and an unsigned entry may not"
                    .to_owned(),
            ),
            Self::Fault(_) => {
                Some("`asana-access-review verify` lists every fault".to_owned())
            }
            Self::Signing(signing) => signing.hint().map(str::to_owned),
            Self::Overtaken { .. } => Some("give the same command again".to_owned()),
            Self::Stranger { .. } => Some(
                "nothing was committed: find out who put it there, and take it away".to_owned(),
            ),
            Self::Crowded { .. } => None,
        }
    }
}
