//! What keeps evidence from being changed or taken away where it is stored.

use serde::{Deserialize, Serialize};

use super::words;

/// What a store was seen to do with the first file of a run: what it promises in general is not
/// believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Whether a second create of the same name was refused.
    pub create_only: bool,
    /// The lock that was asked for; none: whatever the store does by itself.
    pub lock_asked: Option<Lock>,
    /// The lock that the file got.
    pub lock: Option<Lock>,
    /// Whether a change would leave the earlier bytes behind as an older version.
    pub versioned: bool,
    /// The encryption that was asked for, in the store's word.
    pub encryption_asked: Option<String>,
    /// The encryption the file got, in the store's word.
    pub encryption: Option<String>,
    /// Why lock, versions and encryption could not be read back.
    pub unread: Option<String>,
}

/// A lock: until it is over, nobody but those it lets through can take the bytes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Whom it lets through.
    pub mode: LockMode,
    /// How long it holds from the instant of the run, in whole days.
    pub days: u32,
}

words! {
    /// Whom a lock lets through, in the words of S3 Object Lock.
    LockMode {
        /// Whoever has the right to bypass it.
        Governance = "governance",
        /// Nobody.
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
