//! The protection of stored evidence against change and deletion.

use serde::{Deserialize, Serialize};

use super::words;

/// The behaviour of a store with the first file of a run. The general promises of the store do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Whether a second create of the same name was refused.
    pub create_only: bool,
    /// The requested lock. `None` leaves the lock to the store's default.
    pub lock_asked: Option<Lock>,
    /// The actual lock of the file.
    pub lock: Option<Lock>,
    /// Whether a change would keep the earlier bytes as an older version.
    pub versioned: bool,
    /// The requested encryption, in the store's word.
    pub encryption_asked: Option<String>,
    /// The actual encryption of the file, in the store's word.
    pub encryption: Option<String>,
    /// The reason if lock, versions and encryption could not be read back.
    pub unread: Option<String>,
}

/// A lock. Until it ends, only people with the right to bypass it can delete the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub mode: LockMode,
    /// The length of the lock from the instant of the run, in whole days.
    pub days: u32,
}

words! {
    /// The people who can bypass a lock, in the words of S3 Object Lock.
    LockMode {
        /// People with the right to bypass it.
        Governance = "governance",
        /// No one.
        Compliance = "compliance",
    }
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.days {
            1 => write!(f, "{} for 1 day", self.mode),
            days => write!(f, "{} for {days} days", self.mode),
        }
    }
}
