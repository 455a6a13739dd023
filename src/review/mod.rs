//! The periodic access review: one module, in two halves.
//!
//! The pure half knows the population that is frozen, the rows of the worksheet, what was decided about each,
//! and what is followed up. The same inputs give the same bytes, also of the pages and the spreadsheet.
//! The other half, [`command`], opens, closes and shows a review: files, store, ledger, notifications.

mod closed;
mod closing_page;
pub mod command;
mod follow_up;
mod manifest;
mod owners;
mod population;
mod reviewers;
mod rows;
mod spreadsheet;
mod worksheet;
mod worksheet_page;

pub use closed::{AcceptedIncomplete, ByReviewer, ClosedRow, DecisionFile, ReviewClosed, Totals};
pub use closing_page::{Closed, closed_review};
pub use follow_up::{
    ClosedReview, Decided, Decision, FollowUp, FollowUpState, OpenReview, ReviewEvent, ReviewStep,
    Reviews,
};
pub use manifest::{ReviewFrame, ReviewManifest, ReviewRef, ReviewedConnection, event};
pub use owners::Owners;
pub use population::{Listed, NightHead, NightPolicy, ReviewedNight};
pub use reviewers::{AssignedBy, undecided_rows};
pub use rows::{Before, frozen_rows};
pub use worksheet::{
    COLUMNS, FrozenRow, LeftOut, NO_REVIEW_BEFORE, ReviewerFile, ReviewerLine, Scope, Worksheet,
};
pub use worksheet_page::worksheet_page;

use crate::evidence::{FileRecord, ReviewFile, sha256_hex};

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
