//! The access review: frozen population, worksheet, decisions, follow-up.
//!
//! The same inputs give the same bytes, also for pages and spreadsheets. `commands/review` opens, shows and closes a
//! review.

mod acknowledged;
mod carry;
mod closed;
mod closing_page;
mod facts;
mod manifest;
mod owners;
mod population;
mod reviewers;
pub(crate) mod spreadsheet;
mod worksheet;
mod worksheet_page;

pub use acknowledged::{AcknowledgedWith, Acknowledgement};
pub use carry::{ReviewChange, ReviewEvent};
pub use closed::{
    AcceptedIncomplete, ByDecider, ByReviewer, ClosedRow, ClosedWith, DecisionFile, DecisionFormat,
    ReviewClosed, Rules, Totals, is_reason,
};
pub use closing_page::closing_page;
pub use manifest::{ReviewFrame, ReviewManifest, ReviewRef, ReviewedConnection};
pub use owners::{Eligibility, Owners};
pub use population::{
    EarlierReviews, NO_REVIEW_BEFORE, NotCompared, NotFrozen, OpenedWith, ReviewedRun,
};
pub use reviewers::{ReviewerFile, ReviewerLine, Rule, undecided_rows};
pub use worksheet::{COLUMNS, FrozenRow, LeftOut, ReasonFor, Worksheet};
pub use worksheet_page::worksheet_page;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::evidence::{FileRecord, ReviewFile, sha256_hex};
pub use crate::judgement::ReviewScope as Scope;

/// A file that people sent: what it was called, and where it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFile {
    /// The name as received, without the folder.
    pub file: String,
    /// The file in the folder of the close or the acknowledgement: `received/attached-001.eml`.
    pub stored: String,
    pub sha256: String,
    pub bytes: u64,
}

impl ReceivedFile {
    pub fn of(file: String, stored: String, bytes: &[u8]) -> Self {
        Self {
            file,
            stored,
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
        }
    }
}

/// A file of a review, ready to be stored.
#[derive(Clone, Debug)]
pub struct ReviewDataFile {
    /// The name, relative to the folder.
    pub name: String,
    pub bytes: Vec<u8>,
    /// The number of records, if the file has records.
    pub rows: Option<u64>,
}

impl ReviewDataFile {
    pub fn new(file: ReviewFile, bytes: Vec<u8>, rows: Option<usize>) -> Self {
        Self {
            name: file.name().to_owned(),
            bytes,
            rows: rows.map(|rows| rows as u64),
        }
    }

    /// A file as it was received.
    pub fn received(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            rows: None,
        }
    }

    /// The file's record for the manifest.
    pub fn record(&self) -> FileRecord {
        FileRecord {
            name: self.name.clone(),
            sha256: sha256_hex(&self.bytes),
            bytes: self.bytes.len() as u64,
            rows: self.rows,
        }
    }
}

/// The serialised keys in which two records differ.
fn differing<T: Serialize>(one: &T, other: &T) -> Vec<String> {
    let keys = |of: &T| match serde_json::to_value(of) {
        Ok(Value::Object(keys)) => keys,
        Ok(_) | Err(_) => Map::new(),
    };
    let (one, other) = (keys(one), keys(other));
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = all
        .into_iter()
        .filter(|key| one.get(*key) != other.get(*key));
    differ.cloned().collect()
}

/// The differences between a stored file with its rows and the recomputed ones.
fn contradictions<F: Serialize, R: Serialize>(
    (recomputed, stored): (&F, &F),
    (recomputed_rows, rows): (&[R], &[R]),
) -> Vec<String> {
    let keys = differing(recomputed, stored).into_iter();
    let mut wrong: Vec<String> = keys.map(|key| format!("{key} differs")).collect();
    if recomputed_rows.len() != rows.len() {
        let (expected, actual) = (recomputed_rows.len(), rows.len());
        wrong.push(format!("it has {actual} rows instead of {expected}"));
    }
    for (number, (recomputed, row)) in (1..).zip(recomputed_rows.iter().zip(rows)) {
        let keys = differing(recomputed, row);
        // After a missing or additional row, all later rows are out of place.
        if keys.iter().any(|key| key == "account_id") {
            wrong.push(format!("row {number} has another account"));
            break;
        }
        if !keys.is_empty() {
            wrong.push(format!("row {number} differs in {}", keys.join(", ")));
        }
    }
    wrong
}
