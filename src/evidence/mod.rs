//! The evidence of one run: which files there are, what they are called, what is in them.
//!
//! Pure: the instant, the run's suffix and the tool's commit are values passed in, so the same
//! inputs give the same bytes. Writing them down, and the order of it, is the ledger's job.

mod account_line;
pub(crate) mod controls;
pub(crate) mod csv;
mod data_file;
mod entry;
mod facts;
mod files;
mod gzip;
mod identity;
pub(crate) mod json;
mod layout;
mod manifest;
mod read;
mod result;

pub use account_line::AccountLine;
pub use controls::{Control, OwnControl};
pub use data_file::{DataFile, FileRecord, raw_file, sums};
pub use entry::{Entry, EntryError, EntryKind, FIRST_PREVIOUS, KeyKind, marked, sha256_hex};
pub use facts::{Facts, PastFacts, input_hr};
pub use gzip::unpacked;
pub use identity::{Executor, RunIdentity, Tool, Trigger, run_id};
pub use layout::{
    ConnectionFolder, ReviewFile, ReviewFolder, ReviewPart, RunFile, RunFolder, most_bytes,
};
pub use manifest::{Failure, ListedPage, Manifest};
pub(crate) use read::MOST_BYTES;
pub use read::{account_lines, sums_of};
pub use result::{CarriedFiles, EarlierRun, RunResult};

use crate::judgement::{Inputs, Judgement};
use crate::schedule::RunSchedule;

/// What a run's evidence says about its frame: the same for a review and for a failure.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which run it is, and by what.
    pub identity: RunIdentity,
    /// How critical the reviewed system is, in the company's own word.
    pub criticality: String,
    /// The company's own controls.
    pub own_controls: Vec<OwnControl>,
    /// What signs the run's entry, if it is signed.
    pub signer: Option<Signer>,
}

/// The key that signs a run's entry, as its report tells it: the entry is written after the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// SHA-256 of the public key's DER, in hex.
    pub key_sha256: String,
    /// Its kind, on which the line depends that checks a signature.
    pub kind: KeyKind,
    /// Where its private half is.
    pub custody: Custody,
}

/// Where the private half of a key is, as the run that signs with it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custody {
    /// In a secret of the job's.
    Private,
    /// In AWS KMS, which gives its public half to whoever may ask.
    Kms,
}

/// A run that was judged: everything its evidence is made from.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// Which run it is.
    pub frame: &'a Frame,
    /// What was read.
    pub inputs: &'a Inputs,
    /// What is said about it.
    pub judgement: &'a Judgement,
}

/// A run that could not be judged: its evidence says so, and is never taken for a review.
#[derive(Clone, Copy, Debug)]
pub struct FailedSnapshot<'a> {
    /// Which run it is.
    pub frame: &'a Frame,
    /// The connection that was to be reviewed.
    pub connection: &'a str,
    /// Where answers were to come from.
    pub origin: &'a str,
    /// The job's own schedule, if it is known.
    pub schedule: Option<&'a RunSchedule>,
    /// What went wrong.
    pub failure: &'a Failure,
}
