//! What can be wrong with evidence, by kind and place.

use serde::Serialize;

use crate::people::words;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What sort of wrong it is.
    pub kind: FaultKind,
    /// Where: a file, an entry, a run.
    pub place: String,
    /// A sentence.
    pub text: String,
}

words! {
    /// What sort of wrong something is; the word is for `--json` and text.
    FaultKind {
        /// Bytes are not those that were hashed.
        Modified = "modified",
        /// A file of a committed run is gone.
        MissingFile = "missing_file",
        /// A file lies in a committed run's folder or in the ledger that nobody wrote.
        ExtraFile = "extra_file",
        /// The folder of a committed run is gone before its time.
        MissingRun = "missing_run",
        /// A number of the ledger is not there: an entry was deleted.
        MissingEntry = "missing_entry",
        /// An entry is not the one its successor links to, or not of the form entries have.
        BrokenLink = "broken_link",
        /// More than one version was written under a name.
        SecondVersion = "second_version",
        /// A name was deleted, though an older version may be there.
        DeleteMarker = "delete_marker",
        /// Something lies under another name or place than the one it was written for.
        Moved = "moved",
        /// Entry, manifest, sums and result do not say the same.
        Disagreement = "disagreement",
        /// Judged again from its stored inputs, the night comes out otherwise; or made again from its night or its
        /// own data, a file of a review does.
        JudgedOtherwise = "judged_otherwise",
        /// Derived again from Truto's answers as they are kept, the accounts come out otherwise.
        AccountsOtherwise = "accounts_otherwise",
        /// An entry is dated before its predecessor.
        WentBack = "went_back",
        /// A run is dated after it was committed.
        RunAfterCommit = "run_after_commit",
        /// A signature does not fit the entry and its key.
        BadSignature = "bad_signature",
        /// An entry that must be signed is not, or its signature is gone.
        MissingSignature = "missing_signature",
        /// An entry is signed by a key that nobody pinned.
        UnknownKey = "unknown_key",
        /// The end of the ledger is cut off.
        CutTail = "cut_tail",
        /// A night is missing.
        MissingNight = "missing_night",
        /// There is no ledger.
        EmptyLedger = "empty_ledger",
    }
}
