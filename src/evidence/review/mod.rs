//! The evidence of a periodic access review: the population as it was frozen, and what was decided.
//!
//! Pure, as the evidence of a night: the same inputs give the same bytes, also of the spreadsheet.

mod assigned;
mod decisions;
mod manifest;
mod owners;
mod population;
mod rows;
mod spreadsheet;
mod worksheet;

pub use assigned::{AssignedBy, undecided_rows};
pub use decisions::{
    AcceptedIncomplete, ByReviewer, ClosedRow, DecisionFile, ReviewClosed, Totals,
};
pub use manifest::{ReviewFrame, ReviewManifest, ReviewRef, ReviewedConnection, event};
pub use owners::Owners;
pub use population::{Listed, NightHead, NightPolicy, ReviewedNight};
pub use rows::{Before, frozen_rows};
pub use worksheet::{
    COLUMNS, FrozenRow, LeftOut, NO_REVIEW_BEFORE, ReviewerFile, ReviewerLine, Scope, Worksheet,
};

use super::{FileRecord, ReviewFile, sha256_hex};

/// A file of a review, as it will be stored.
#[derive(Clone, Debug)]
pub struct ReviewDataFile {
    /// Which file.
    pub file: ReviewFile,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Records in it, where it holds records.
    pub rows: Option<u64>,
}

impl ReviewDataFile {
    /// What the manifest says of the file.
    pub fn record(&self) -> FileRecord {
        FileRecord {
            name: self.file.name().to_owned(),
            sha256: sha256_hex(&self.bytes),
            bytes: self.bytes.len() as u64,
            rows: self.rows,
        }
    }
}
