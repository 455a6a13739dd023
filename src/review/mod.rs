//! The periodic access review: frozen population, worksheet, decisions, follow-up.
//!
//! The same inputs give the same bytes, also of pages and spreadsheets. `commands/review` opens, shows and closes a
//! review.

mod carry;
mod closed;
mod closing_page;
mod manifest;
mod owners;
mod population;
mod reviewers;
mod spreadsheet;
mod worksheet;
mod worksheet_page;

pub use carry::{ReviewChange, ReviewEvent};
pub use closed::{
    AcceptedIncomplete, ByReviewer, ClosedRow, ClosedWith, DecisionFile, DecisionFormat,
    ReviewClosed, Totals,
};
pub use closing_page::closing_page;
pub use manifest::{ReviewFrame, ReviewManifest, ReviewRef, ReviewedConnection};
pub use owners::Owners;
pub use population::{EarlierReviews, NO_REVIEW_BEFORE, OpenedWith, ReviewedRun};
pub use reviewers::{ReviewerFile, ReviewerLine, Rule, undecided_rows};
pub use worksheet::{COLUMNS, FrozenRow, LeftOut, Scope, Worksheet};
pub use worksheet_page::worksheet_page;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::evidence::{FileRecord, ReviewFile, sha256_hex};

/// A file of a review, as it will be stored.
#[derive(Clone, Debug)]
pub struct ReviewDataFile {
    pub file: ReviewFile,
    pub bytes: Vec<u8>,
    /// Records in it, if it holds records.
    pub rows: Option<u64>,
}

impl ReviewDataFile {
    pub fn new(file: ReviewFile, bytes: Vec<u8>, rows: Option<usize>) -> Self {
        let rows = rows.map(|rows| rows as u64);
        Self { file, bytes, rows }
    }

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

/// The keys in which two records differ, as they are written.
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

/// What is wrong with a file and its rows, compared with the same recomputed.
fn contradictions<F: Serialize, R: Serialize>(
    (again, stored): (&F, &F),
    (rows_again, rows): (&[R], &[R]),
) -> Vec<String> {
    let keys = differing(again, stored).into_iter();
    let mut wrong: Vec<String> = keys.map(|key| format!("{key} is different")).collect();
    if rows_again.len() != rows.len() {
        let (one, other) = (rows_again.len(), rows.len());
        wrong.push(format!("there are {one} rows, and not {other}"));
    }
    for (number, (again, row)) in (1..).zip(rows_again.iter().zip(rows)) {
        let keys = differing(again, row);
        // If an account has no row, or one too many, all rows that follow are out of place.
        if keys.iter().any(|key| key == "account_id") {
            wrong.push(format!("row {number} is of another account"));
            break;
        }
        if !keys.is_empty() {
            wrong.push(format!("row {number} has another {}", keys.join(", ")));
        }
    }
    wrong
}
