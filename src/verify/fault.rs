//! What can be wrong with evidence, by kind and place.

use std::fmt;

use serde::Serialize;

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

/// What sort of wrong something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Bytes are not those that were hashed.
    Modified,
    /// A file of a committed run is gone.
    MissingFile,
    /// A file lies in a committed run's folder or in the ledger that nobody wrote.
    ExtraFile,
    /// The folder of a committed run is gone before its time.
    MissingRun,
    /// A number of the ledger is not there: an entry was deleted.
    MissingEntry,
    /// An entry is not the one its successor links to, or not of the form entries have.
    BrokenLink,
    /// More than one version was written under a name.
    SecondVersion,
    /// A name was deleted, though an older version may be there.
    DeleteMarker,
    /// Something lies under another name or place than the one it was written for.
    Moved,
    /// Entry, manifest, sums and result do not say the same.
    Disagreement,
    /// Judged again from its stored inputs, the night comes out otherwise.
    JudgedOtherwise,
    /// An entry is dated before its predecessor.
    WentBack,
    /// A run is dated after it was committed.
    RunAfterCommit,
    /// A signature does not fit the entry and its key.
    BadSignature,
    /// An entry that must be signed is not, or its signature is gone.
    MissingSignature,
    /// An entry is signed by a key that nobody pinned.
    UnknownKey,
    /// The end of the ledger is cut off.
    CutTail,
    /// A night is missing.
    MissingNight,
    /// There is no ledger.
    EmptyLedger,
}

impl FaultKind {
    /// The word in `--json`, and in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::MissingFile => "missing_file",
            Self::ExtraFile => "extra_file",
            Self::MissingRun => "missing_run",
            Self::MissingEntry => "missing_entry",
            Self::BrokenLink => "broken_link",
            Self::SecondVersion => "second_version",
            Self::DeleteMarker => "delete_marker",
            Self::Moved => "moved",
            Self::Disagreement => "disagreement",
            Self::JudgedOtherwise => "judged_otherwise",
            Self::WentBack => "went_back",
            Self::RunAfterCommit => "run_after_commit",
            Self::BadSignature => "bad_signature",
            Self::MissingSignature => "missing_signature",
            Self::UnknownKey => "unknown_key",
            Self::CutTail => "cut_tail",
            Self::MissingNight => "missing_night",
            Self::EmptyLedger => "empty_ledger",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
