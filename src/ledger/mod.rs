//! The ledger: a chain of entries, each of which commits one folder. If the entry exists, the folder is complete.

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
pub use walk::{Chain, EarlierRuns, Head};

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::evidence::ConnectionFolder;
use crate::model::LockMode;
use crate::signing::{SigningError, SigningKey};
use crate::store::{ObjectLock, Store, StoreError};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The retention in days, which each entry records.
    pub retention_days: Option<u32>,
    /// Asks the store to lock each object for the retention; needs `retention_days`.
    pub lock_mode: Option<LockMode>,
}

impl Settings {
    /// The lock for objects that are written at this instant.
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
    /// The ledger of `connection` in a store. Reads and writes nothing yet.
    ///
    /// The key signs each entry. After the first signed entry, every entry must be signed.
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

/// The instant without its fraction: evidence has whole seconds.
fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

/// The wait after another run took the same number.
const RACE_PAUSE: Duration = Duration::from_millis(50);

/// A run gives up after other runs took the number this many times.
const RACE_ATTEMPTS: u32 = 50;

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An unsigned entry after a signed one would be a fault.
    #[error("the ledger is signed (entry {sequence}), but this run has no signing key")]
    Signed {
        /// Number of the signed entry.
        sequence: u64,
    },
    /// Without a signature, the entry is not written.
    #[error("the ledger entry could not be signed")]
    Signing(#[from] SigningError),
    /// Earlier evidence that is needed was modified or is missing.
    #[error("the evidence has a fault of integrity: {0}")]
    Fault(String),
    /// A review was closed after this command read the head of the ledger.
    #[error("a review was closed in the meantime, by ledger entry {sequence}")]
    Overtaken { sequence: u64 },
    /// Another command committed the same part of the review.
    #[error("ledger entry {sequence} {done} the review {review} in the meantime")]
    Repeated {
        sequence: u64,
        done: &'static str,
        review: String,
    },
    /// Other runs took every number that this one tried.
    #[error("the ledger entry could not be written: other runs took {attempts} numbers in turn")]
    Crowded { attempts: u32 },
}

impl LedgerError {
    /// A remedy for the operator.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(store) => store.hint().map(str::to_owned),
            Self::Signed { .. } => Some(
                "set EVIDENCE_SIGNING_KEY, EVIDENCE_SIGNING_KEY_FILE or EVIDENCE_SIGNING_KMS_KEY_ID; you may use a \
                 new key"
                    .to_owned(),
            ),
            Self::Fault(_) => {
                Some("`asana-access-review verify` lists every fault".to_owned())
            }
            Self::Signing(signing) => signing.hint().map(str::to_owned),
            Self::Overtaken { .. } => Some("run the same command again".to_owned()),
            Self::Repeated { .. } | Self::Crowded { .. } => None,
        }
    }
}
