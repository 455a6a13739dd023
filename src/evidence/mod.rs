//! The evidence of one run: its files, their names and their contents.
//!
//! Pure: the instant, the run's suffix and the tool's commit are passed in, so the same inputs give the same bytes. The
//! ledger stores the files, and decides in which order.

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
mod shard;

pub use account_line::AccountLine;
pub use controls::{Control, OwnControl};
pub use data_file::{ComparedFile, DataFile, FileRecord, raw_file, sums};
pub use entry::{Entry, EntryError, EntryKind, FIRST_PREVIOUS, KeyKind, marked, sha256_hex};
pub use facts::{Facts, PastFacts, hr_rows, input_hr};
pub use gzip::{packed, unpacked};
pub use identity::{Executor, RunIdentity, Tool, Trigger, run_id};
pub use layout::{
    ConnectionFolder, ReceivedKind, ReviewFile, ReviewFolder, ReviewPart, RunFile, RunFolder,
    most_bytes,
};
pub use manifest::{Failure, ListedPage, Manifest};
pub use read::{account_lines, leaver_lines, sums_of};
pub use result::{CarriedFiles, EarlierRun, RunResult};
pub use shard::{ConnectionList, ConnectionResult, ConnectionState, Shard, ShardSummary};

use crate::judgement::{Inputs, Judgement};
use crate::schedule::RunSchedule;

/// The data that every run's evidence has, also that of a failed run.
#[derive(Clone, Debug)]
pub struct Frame {
    pub identity: RunIdentity,
    /// How critical the system is, in the company's own word.
    pub criticality: String,
    /// The company's own controls.
    pub own_controls: Vec<OwnControl>,
    /// The key that signs the run's entry. None if the entry is not signed.
    pub signer: Option<Signer>,
}

/// The key that signs a run's entry, for the report, which is written before the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// SHA-256 of the public key's DER, in hex.
    pub key_sha256: String,
    /// The command that checks a signature depends on the kind.
    pub kind: KeyKind,
    pub custody: Custody,
}

/// Where the private half of a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custody {
    /// In a secret of the job.
    Private,
    /// In AWS KMS.
    Kms,
}

/// A judged run, from which its evidence is made.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    pub frame: &'a Frame,
    pub inputs: &'a Inputs,
    pub judgement: &'a Judgement,
}

/// A failed run, which could not be judged.
#[derive(Clone, Copy, Debug)]
pub struct FailedSnapshot<'a> {
    pub frame: &'a Frame,
    /// The id of the Truto connection.
    pub connection: &'a str,
    /// The server that the run reads from.
    pub origin: &'a str,
    /// The job's own schedule, if it is known.
    pub schedule: Option<&'a RunSchedule>,
    pub failure: &'a Failure,
}
