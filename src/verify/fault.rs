//! Faults of integrity and warnings, by kind and place.

use serde::Serialize;

use crate::ledger::EntryFault;
use crate::model::words;

/// A fault of integrity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// A file, a ledger entry, a folder or a connection.
    pub place: String,
    pub text: String,
}

words! {
    /// The kind of a fault.
    FaultKind {
        /// The bytes of a file differ from those that were hashed.
        Modified = "modified",
        /// A file of a committed folder is missing.
        MissingFile = "missing_file",
        /// A committed folder or the ledger contains a file that the job did not write.
        ExtraFile = "extra_file",
        /// The folder of a committed run is missing although its retention has not ended.
        MissingFolder = "missing_folder",
        /// A number of the ledger is missing: an entry was deleted.
        MissingEntry = "missing_entry",
        /// An entry is not the one that its successor links to, or does not have the form of an entry.
        BrokenLink = "broken_link",
        /// An object was written more than once.
        SecondVersion = "second_version",
        /// An object was deleted; an older version may remain.
        DeleteMarker = "delete_marker",
        /// A file, run or entry is not in the place for which it was written.
        Moved = "moved",
        /// Entry, manifest, sums and result contradict each other.
        Disagreement = "disagreement",
        /// Recomputed from its stored inputs, a file of a run differs.
        DecisionsDiffer = "decisions_differ",
        /// Recomputed from Truto's stored answers, the accounts differ.
        AccountsDiffer = "accounts_differ",
        /// Recomputed from its run or from its own data, a file of a periodic review differs.
        ReviewDiffers = "review_differs",
        /// An entry is dated before its predecessor.
        WentBack = "went_back",
        /// A run is dated after its commit.
        RunAfterCommit = "run_after_commit",
        /// A signature does not match the entry and its key.
        BadSignature = "bad_signature",
        /// An entry that must be signed is not signed, or its signature is missing.
        MissingSignature = "missing_signature",
        /// An entry is signed with a key that was not given.
        UnknownKey = "unknown_key",
        /// The end of the ledger was cut off.
        Truncated = "truncated",
        /// The ledger has no entries.
        EmptyLedger = "empty_ledger",
    }
}

impl From<&EntryFault> for FaultKind {
    fn from(fault: &EntryFault) -> Self {
        match fault {
            EntryFault::Unreadable(_)
            | EntryFault::FirstHasPredecessor
            | EntryFault::BrokenLink { .. } => Self::BrokenLink,
            EntryFault::OtherSequence(_) | EntryFault::OtherConnection => Self::Moved,
            EntryFault::WentBack { .. } => Self::WentBack,
            EntryFault::NoFolder(_) | EntryFault::OtherDay => Self::Disagreement,
            EntryFault::RunAfterCommit(_) => Self::RunAfterCommit,
            EntryFault::Unsigned(_) | EntryFault::SignatureMissing => Self::MissingSignature,
            EntryFault::UnknownKey(_) => Self::UnknownKey,
            EntryFault::NoKey
            | EntryFault::KeyMissing(_)
            | EntryFault::KeyModified(_)
            | EntryFault::BadSignature => Self::BadSignature,
        }
    }
}

/// An observation that may be harmless, but that someone should investigate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub kind: WarningKind,
    /// The folder of the connection.
    pub place: String,
    /// How many folders or entries the warning is about.
    pub count: u64,
    /// The first of these folders or entries.
    pub first: String,
    pub text: String,
}

words! {
    /// The kind of a warning.
    WarningKind {
        /// Complete folders without an entry are newer than the newest entry.
        NewerThanLedger = "newer_than_ledger",
        /// A run is dated later than the clock of this machine.
        DatedInTheFuture = "dated_in_the_future",
        /// The bucket stored entries at another time than the one they state.
        StoredAtAnotherTime = "stored_at_another_time",
    }
}
