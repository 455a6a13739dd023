//! The worksheet: one row for each account, as of the opening of the review.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NotCompared, ReviewDataFile, ReviewerFile, spreadsheet};
use crate::evidence::csv::Table;
use crate::evidence::{ReviewFile, json, sha256_hex};
use crate::judgement::{Decision, FindingKind, MatchKind, Outcome, ReviewScope as Scope, RunRef};
use crate::model::{EmailAddress, Permissions, Role, Status, Workspace, words};

words! {
    /// The rows for which *keep* needs a reason too.
    ReasonFor {
        /// Administrators, and accounts of unknown role.
        Admins = "admins",
        /// Service accounts.
        Service = "service",
        /// Accounts that an exception covers.
        Excepted = "excepted",
        /// Guests, and accounts of unknown role.
        Guests = "guests",
        All = "all",
    }
}

impl ReasonFor {
    /// The rows, in words for reviewers.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Admins => "administrators",
            Self::Service => "service accounts",
            Self::Excepted => "accounts with an exception",
            Self::Guests => "guests",
            Self::All => "every account",
        }
    }
}

/// `worksheet.json`: the frozen population. The SHA-256 of its bytes is the hash of the review, which every decision
/// must have.
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
    /// What the connection could read. With narrow permissions, no role is known, and no decision can change one.
    pub permissions: Permissions,
    /// The run of the population.
    pub snapshot: RunRef,
    pub snapshot_as_of: Timestamp,
    /// The previous closed review, to which `changed` and `previous_decision` refer.
    pub compared_with: Option<String>,
    /// An older review that could not be read for the comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<NotCompared>,
    /// The reviewers file, as on the command line.
    pub reviewers: Option<ReviewerFile>,
    /// The rows for which *keep* needs a reason.
    pub reason_for: Vec<ReasonFor>,
    pub left_out: LeftOut,
    pub rows: Vec<FrozenRow>,
}

/// The number of accounts without a row, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub without_access: u64,
    pub out_of_scope: u64,
}

/// An account with its reviewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// The number, from 1.
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
    /// The owner in HR.
    pub person_id: Vec<String>,
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    /// In HR.
    pub department: Option<String>,
    /// The job title in HR.
    pub title: Option<String>,
    /// The outcome of the owner's offboarding in the run.
    pub leaver_outcome: Option<Outcome>,
    /// When the owner's work ended or ends.
    pub end_of_work: Option<Timestamp>,
    /// The last day of the exception that covers the account.
    pub exception_ends: Option<String>,
    /// The owner of a service account, as the alias names them.
    pub service_owner: Option<String>,
    /// The changes since the last review.
    pub changed: Cow<'static, str>,
    /// The decision of the last review.
    pub previous_decision: Option<Decision>,
    pub findings: Vec<FindingKind>,
    /// The suggestion of the evidence, if it has one. It is not a decision, and never `keep`.
    pub recommended: Option<Decision>,
    /// The reason of the suggestion, or a sentence about the row.
    pub reason: Cow<'static, str>,
    /// None: any person except the owner of the account.
    pub reviewer: Option<EmailAddress>,
    /// The line of the reviewers file that names the reviewer.
    pub assigned_by: String,
}

impl FrozenRow {
    /// The owner's id in HR and the kind of match: `E1 (email)`.
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
pub const COLUMNS: [&str; 27] = [
    "row",
    "account_id",
    "email",
    "name",
    "role",
    "status",
    "joined_at",
    "last_login_at",
    "hr_match",
    "department",
    "title",
    "leaver_outcome",
    "end_of_work",
    "exception_ends",
    "service_owner",
    "changed",
    "previous_decision",
    "findings",
    "recommended",
    "reason",
    "reviewer",
    "reason_for_keep",
    "decision",
    "new_role",
    "note",
    "decided_by",
    "review_sha256",
];

/// The columns that a reviewer fills in.
pub(super) fn columns_for_decisions() -> impl Iterator<Item = (usize, &'static str)> {
    let filled = ["decision", "new_role", "note", "decided_by"];
    let columns = COLUMNS.iter().copied().enumerate();
    columns.filter(move |(_, name)| filled.contains(name))
}

impl Worksheet {
    /// The version of the file format and of the rules for its rows.
    pub const SCHEMA: &str = "asana-access-review/worksheet/v1";

    /// The differences from the recomputed worksheet, without names.
    pub fn contradictions(mut self, mut recomputed: Self) -> Vec<String> {
        let rows = std::mem::take(&mut self.rows);
        let recomputed_rows = std::mem::take(&mut recomputed.rows);
        super::contradictions((&recomputed, &self), (&recomputed_rows, &rows))
    }

    /// The role of a row, for people.
    pub(super) fn shown_role(&self, row: &FrozenRow) -> String {
        match self.permissions {
            Permissions::Full => row.role.to_string(),
            Permissions::Narrow => "role not readable".to_owned(),
        }
    }

    /// The decisions that a row may have.
    pub fn decisions(&self) -> Vec<Decision> {
        let all = Decision::ALL.iter().copied();
        all.filter(|of| *of != Decision::ChangeRole || self.permissions == Permissions::Full)
            .collect()
    }

    /// The row with this number.
    pub fn row(&self, number: u32) -> Option<&FrozenRow> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.rows.get(at).filter(|row| row.row == number)
    }

    /// The reviewers, in the order of their first row.
    pub fn deciders(&self) -> Vec<&EmailAddress> {
        let mut known = HashSet::new();
        let reviewers = self.rows.iter().filter_map(|row| row.reviewer.as_ref());
        reviewers.filter(|who| known.insert(*who)).collect()
    }

    /// A file with a record for each row.
    pub fn file(&self, file: ReviewFile, bytes: Vec<u8>) -> ReviewDataFile {
        ReviewDataFile::new(file, bytes, Some(self.rows.len()))
    }

    /// The file, and the hash of the review.
    pub fn to_file(&self) -> (ReviewDataFile, String) {
        // Two levels, so that each row is one line.
        let bytes = json::document(self, 2);
        let sha256 = sha256_hex(&bytes);
        (self.file(ReviewFile::WorksheetJson, bytes), sha256)
    }

    /// The cells of a row, in the order of [`COLUMNS`].
    pub(super) fn cells<'a>(
        &self,
        row: &'a FrozenRow,
        review_sha256: &'a str,
    ) -> [Cow<'a, str>; COLUMNS.len()] {
        let email = |email: &'a Option<EmailAddress>| {
            Cow::Borrowed(email.as_ref().map_or("", EmailAddress::as_written))
        };
        let instant =
            |at: Option<Timestamp>| Cow::Owned(at.map(|at| at.to_string()).unwrap_or_default());
        let text = |text: &'a Option<String>| Cow::Borrowed(text.as_deref().unwrap_or_default());
        let findings: Vec<&str> = row.findings.iter().map(|kind| kind.as_str()).collect();
        [
            Cow::Owned(row.row.to_string()),
            Cow::Borrowed(&row.account_id),
            email(&row.email),
            Cow::Borrowed(row.name.as_deref().unwrap_or_default()),
            Cow::Owned(self.shown_role(row)),
            Cow::Owned(row.status.to_string()),
            instant(row.joined_at),
            instant(row.last_login_at),
            Cow::Owned(row.hr_match()),
            text(&row.department),
            text(&row.title),
            Cow::Borrowed(row.leaver_outcome.map_or("", Outcome::as_str)),
            instant(row.end_of_work),
            text(&row.exception_ends),
            text(&row.service_owner),
            Cow::Borrowed(&row.changed),
            Cow::Borrowed(row.previous_decision.map_or("", Decision::as_str)),
            Cow::Owned(findings.join("; ")),
            Cow::Borrowed(row.recommended.map_or("", Decision::as_str)),
            Cow::Borrowed(&row.reason),
            email(&row.reviewer),
            Cow::Borrowed(match row.needs_reason(&self.reason_for) {
                true => "needed",
                false => "",
            }),
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
            out.row(self.cells(row, review_sha256));
        }
        self.file(ReviewFile::WorksheetCsv, out.finish().0)
    }

    /// `worksheet.xlsx`.
    ///
    /// # Errors
    /// If a spreadsheet cannot have the rows, for example more than a million.
    pub fn xlsx(&self, review_sha256: &str) -> Result<ReviewDataFile, String> {
        let bytes = spreadsheet::of(self, review_sha256)?;
        Ok(self.file(ReviewFile::WorksheetXlsx, bytes))
    }
}
