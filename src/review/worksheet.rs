//! The worksheet: one row an account, as it was when the review was opened.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReviewDataFile, ReviewerFile, spreadsheet};
use crate::evidence::csv::Table;
use crate::evidence::{ReviewFile, json, sha256_hex};
use crate::judgement::{Decision, FindingKind, MatchKind, RunRef};
use crate::model::{EmailAddress, Role, Status, Workspace, words};

words! {
    /// Which accounts a review is about.
    Scope {
        /// Every account that has or may have access.
        All = "all",
        /// Of those, the administrators and accounts of unknown role.
        Admins = "admins",
        /// Of those, the guests and accounts of unknown role.
        Guests = "guests",
    }
}

/// `worksheet.json`: the frozen population. The SHA-256 of its bytes is the review's hash, which every
/// decision must bear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worksheet {
    pub schema: String,
    /// The review's id.
    pub review: String,
    pub name: String,
    /// The last day for decisions, `2026-12-31`.
    pub due: String,
    pub scope: Scope,
    pub opened_at: Timestamp,
    /// The Truto connection.
    pub connection: String,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
    pub workspace: Workspace,
    /// The run whose population it is, by its snapshot.
    pub snapshot: RunRef,
    pub snapshot_as_of: Timestamp,
    /// The review closed before, which `changed` and `previous_decision` compare with.
    pub compared_with: Option<String>,
    /// Who decides which row, as it was given.
    pub reviewers: Option<ReviewerFile>,
    pub left_out: LeftOut,
    pub rows: Vec<FrozenRow>,
}

/// Accounts of the run that have no row, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub without_access: u64,
    pub out_of_scope: u64,
}

/// An account, and who is to decide about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// Its number, from 1.
    pub row: u32,
    pub account_id: String,
    pub email: Option<EmailAddress>,
    pub other_emails: Vec<EmailAddress>,
    pub name: Option<String>,
    pub role: Role,
    pub status: Status,
    /// Whether it has a view-only licence.
    pub view_only: Option<bool>,
    pub joined_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    /// Its owner in HR.
    pub person_id: Vec<String>,
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    /// What changed since the last review.
    pub changed: String,
    /// What the last review decided.
    pub previous_decision: Option<Decision>,
    pub findings: Vec<FindingKind>,
    /// What the evidence suggests. It is not a decision.
    pub recommended: Decision,
    /// Why.
    pub reason: String,
    /// Who decides; none: anybody but the owner of the account.
    pub reviewer: Option<EmailAddress>,
    /// The line of the reviewers file that says so.
    pub assigned_by: String,
}

impl FrozenRow {
    /// How HR knows the owner: `E1 (email)`.
    pub fn hr_match(&self) -> String {
        let ids = self.person_id.iter().enumerate();
        let matches = ids.map(|(at, id)| match self.matched_by.get(at) {
            Some(by) => format!("{id} ({by})"),
            None => id.clone(),
        });
        matches.collect::<Vec<_>>().join("; ")
    }
}

/// The columns of `worksheet.csv` and `worksheet.xlsx`.
pub const COLUMNS: [&str; 20] = [
    "row",
    "account_id",
    "email",
    "name",
    "role",
    "status",
    "joined_at",
    "last_login_at",
    "hr_match",
    "changed",
    "previous_decision",
    "findings",
    "recommended",
    "reason",
    "reviewer",
    "decision",
    "new_role",
    "note",
    "decided_by",
    "review_sha256",
];

/// Those of them that a reviewer fills in.
pub(super) fn columns_for_decisions() -> impl Iterator<Item = (usize, &'static str)> {
    let filled = ["decision", "new_role", "note", "decided_by"];
    let columns = COLUMNS.iter().copied().enumerate();
    columns.filter(move |(_, name)| filled.contains(name))
}

impl Worksheet {
    /// The form of the file and the rules that make its rows: a change of either is another version.
    pub const SCHEMA: &str = "asana-access-review/worksheet/v1";

    /// Where it differs from the same recomputed. No names.
    pub fn contradictions(mut self, mut again: Self) -> Vec<String> {
        let rows = std::mem::take(&mut self.rows);
        let rows_again = std::mem::take(&mut again.rows);
        super::contradictions((&again, &self), (&rows_again, &rows))
    }

    /// The row of this number.
    pub fn row(&self, number: u32) -> Option<&FrozenRow> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.rows.get(at).filter(|row| row.row == number)
    }

    /// Everybody who decides, in the order of their first row.
    pub fn deciders(&self) -> Vec<&EmailAddress> {
        let mut deciders: Vec<&EmailAddress> = Vec::new();
        for reviewer in self.rows.iter().filter_map(|row| row.reviewer.as_ref()) {
            if !deciders.contains(&reviewer) {
                deciders.push(reviewer);
            }
        }
        deciders
    }

    /// A file with a record for each row.
    pub fn file(&self, file: ReviewFile, bytes: Vec<u8>) -> ReviewDataFile {
        ReviewDataFile::new(file, bytes, Some(self.rows.len()))
    }

    /// The exact file, and the review's hash.
    pub fn to_file(&self) -> (ReviewDataFile, String) {
        // Two levels: a row is a line.
        let bytes = json::document(self, 2);
        let sha256 = sha256_hex(&bytes);
        (self.file(ReviewFile::WorksheetJson, bytes), sha256)
    }

    /// The cells of a row, in the order of [`COLUMNS`].
    pub(super) fn cells<'a>(row: &'a FrozenRow, review_sha256: &'a str) -> [Cow<'a, str>; 20] {
        let email = |email: &'a Option<EmailAddress>| {
            Cow::Borrowed(email.as_ref().map_or("", EmailAddress::as_written))
        };
        let instant =
            |at: Option<Timestamp>| Cow::Owned(at.map(|at| at.to_string()).unwrap_or_default());
        let findings: Vec<&str> = row.findings.iter().map(|kind| kind.as_str()).collect();
        [
            Cow::Owned(row.row.to_string()),
            Cow::Borrowed(&row.account_id),
            email(&row.email),
            Cow::Borrowed(row.name.as_deref().unwrap_or_default()),
            Cow::Owned(row.role.to_string()),
            Cow::Owned(row.status.to_string()),
            instant(row.joined_at),
            instant(row.last_login_at),
            Cow::Owned(row.hr_match()),
            Cow::Borrowed(&row.changed),
            Cow::Borrowed(row.previous_decision.map_or("", Decision::as_str)),
            Cow::Owned(findings.join("; ")),
            Cow::Borrowed(row.recommended.as_str()),
            Cow::Borrowed(&row.reason),
            email(&row.reviewer),
            Cow::Borrowed(""),
            Cow::Borrowed(""),
            Cow::Borrowed(""),
            Cow::Borrowed(""),
            Cow::Borrowed(review_sha256),
        ]
    }

    /// `worksheet.csv`.
    pub fn csv(&self, review_sha256: &str) -> ReviewDataFile {
        let mut out = Table::with_header(&COLUMNS);
        for row in &self.rows {
            out.row(Self::cells(row, review_sha256));
        }
        self.file(ReviewFile::WorksheetCsv, out.finish().0)
    }

    /// `worksheet.xlsx`.
    ///
    /// # Errors
    /// Where a spreadsheet cannot hold it, as more than a million rows.
    pub fn xlsx(&self, review_sha256: &str) -> Result<ReviewDataFile, String> {
        let bytes = spreadsheet::of(self, review_sha256).map_err(|error| error.to_string())?;
        Ok(self.file(ReviewFile::WorksheetXlsx, bytes))
    }
}
