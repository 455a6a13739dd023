//! What can be wrong with evidence, by kind and place, and what only deserves a warning.

use serde::Serialize;

use crate::ledger::EntryFault;
use crate::model::words;

/// A fault of integrity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// Where: a file, an entry, a run.
    pub place: String,
    /// A sentence.
    pub text: String,
}

words! {
    /// What is wrong.
    FaultKind {
        /// The bytes of a file differ from those that were hashed.
        Modified = "modified",
        /// A file of a committed run is gone.
        MissingFile = "missing_file",
        /// A committed folder or the ledger holds a file that the job did not write.
        ExtraFile = "extra_file",
        /// The folder of a committed run is gone before its retention ends.
        MissingFolder = "missing_folder",
        /// A number of the ledger is missing: an entry was deleted.
        MissingEntry = "missing_entry",
        /// An entry is not the one that its successor links to, or has not the form of an entry.
        BrokenLink = "broken_link",
        /// More than one version of an object was written.
        SecondVersion = "second_version",
        /// An object was deleted, though an older version may remain.
        DeleteMarker = "delete_marker",
        /// A file, run or entry lies at another place than the one it was written for.
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
        /// An entry that must be signed is not, or its signature is gone.
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

/// What may be harmless, and should be looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub kind: WarningKind,
    /// The connection.
    pub place: String,
    /// How many folders or entries it is about.
    pub count: u64,
    /// The first of them.
    pub first: String,
    /// Sentences.
    pub text: String,
}

words! {
    /// What a warning is about.
    WarningKind {
        /// Complete folders without an entry are newer than the newest entry.
        NewerThanLedger = "newer_than_ledger",
        /// A run is dated later than the clock of the machine that verifies.
        DatedInTheFuture = "dated_in_the_future",
        /// Entries were stored at another time than they state.
        StoredAtAnotherTime = "stored_at_another_time",
    }
}
