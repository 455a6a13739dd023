//! The worksheet: one row an account, as it was when the review was opened.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReviewDataFile, spreadsheet};
use crate::evidence::csv::Table;
use crate::evidence::{ReviewFile, json, sha256_hex};
use crate::judgement::RunRef;
use crate::people::{Decision, EmailAddress, Role, Status, Workspace};

/// The `schema` of a worksheet.
const SCHEMA: &str = "asana-access-review/worksheet/v1";

/// What `changed` says where there is no review to compare with.
pub const NO_REVIEW_BEFORE: &str = "no review before";

/// Which accounts a review is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every account that has or may have access.
    All,
    /// Of those, the administrators, and whose role is not known.
    Admins,
    /// Of those, the guests, and whose role is not known.
    Guests,
}

impl Scope {
    /// The word evidence uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Admins => "admins",
            Self::Guests => "guests",
        }
    }
}

/// `worksheet.json`: the frozen population. The SHA-256 of its bytes is the review's hash, which every
/// decision must bear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worksheet {
    /// The form of the file.
    pub schema: String,
    /// The review's id.
    pub review: String,
    /// Its name.
    pub name: String,
    /// The last day for decisions, `2026-12-31`.
    pub due: String,
    /// Which accounts it is about.
    pub scope: Scope,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The Truto connection.
    pub connection: String,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
    /// The workspace.
    pub workspace: Workspace,
    /// The night whose population it is.
    pub night: RunRef,
    /// That night's instant.
    pub night_as_of: Timestamp,
    /// The review closed before, which `changed` and `previous_decision` compare with.
    pub compared_with: Option<String>,
    /// Who decides which row, as it was given.
    pub reviewers: Option<ReviewerFile>,
    /// Accounts of the night that have no row.
    pub left_out: LeftOut,
    /// One row an account.
    pub rows: Vec<FrozenRow>,
}

/// Accounts of the night that have no row, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// They have no access.
    pub without_access: u64,
    /// Their role is not in the scope.
    pub out_of_scope: u64,
}

/// The file that says who decides what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewerFile {
    /// Its name.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its lines.
    pub lines: Vec<ReviewerLine>,
}

/// A line of that file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewerLine {
    /// Line in the file, from 1.
    pub line: u64,
    /// `role`, `domain`, `person`, `default` or `reassign`.
    pub rule: String,
    /// What it is for.
    pub value: String,
    /// Who decides.
    pub reviewer: EmailAddress,
    /// Why, where somebody wrote it.
    pub note: String,
}

/// An account, and who is to decide about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// Its number, from 1.
    pub row: u32,
    /// The account.
    pub account_id: String,
    /// Its address.
    pub email: Option<EmailAddress>,
    /// Its other addresses.
    pub other_emails: Vec<EmailAddress>,
    /// Its name.
    pub name: Option<String>,
    /// Its role.
    pub role: Role,
    /// Its status.
    pub status: Status,
    /// A view-only licence.
    pub view_only: Option<bool>,
    /// When it joined.
    pub joined_at: Option<Timestamp>,
    /// Last login, where known.
    pub last_login_at: Option<Timestamp>,
    /// Whose it is in HR.
    pub person_id: Vec<String>,
    /// How that is known.
    #[serde(rename = "match")]
    pub matched_by: Vec<String>,
    /// What changed since the last review.
    pub changed: String,
    /// What the last review decided.
    pub previous_decision: Option<Decision>,
    /// Kinds of the findings about it.
    pub findings: Vec<String>,
    /// What the evidence speaks for. Nobody has decided it.
    pub recommended: Decision,
    /// Why.
    pub reason: String,
    /// Who decides; none: anybody but the owner of the account.
    pub reviewer: Option<EmailAddress>,
    /// Which line says so.
    pub assigned_by: String,
}

impl FrozenRow {
    /// How HR knows the owner: `E1 (email)`.
    pub fn hr_match(&self) -> String {
        let ids = self.person_id.iter().enumerate();
        let told = ids.map(|(at, id)| match self.matched_by.get(at) {
            Some(by) => format!("{id} ({by})"),
            None => id.clone(),
        });
        told.collect::<Vec<_>>().join("; ")
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
    /// The `schema` every worksheet bears.
    pub fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// Reads a `worksheet.json`.
    ///
    /// # Errors
    /// Where the bytes are not those of such a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
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

    /// The exact file, and the review's hash.
    pub fn to_file(&self) -> (ReviewDataFile, String) {
        // Two levels: a row is a line.
        let bytes = json::document(self, 2);
        let sha256 = sha256_hex(&bytes);
        let file = ReviewDataFile {
            file: ReviewFile::WorksheetJson,
            bytes,
            rows: Some(self.rows.len() as u64),
        };
        (file, sha256)
    }

    /// The cells of a row, in the order of [`COLUMNS`].
    pub(super) fn cells<'a>(row: &'a FrozenRow, review_sha256: &'a str) -> [Cow<'a, str>; 20] {
        let email = |email: &'a Option<EmailAddress>| {
            Cow::Borrowed(email.as_ref().map_or("", EmailAddress::as_written))
        };
        let instant = |at: Option<Timestamp>| match at {
            Some(at) => Cow::Owned(at.to_string()),
            None => Cow::Borrowed(""),
        };
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
            Cow::Owned(row.findings.join("; ")),
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
        let (bytes, rows) = out.finish();
        ReviewDataFile {
            file: ReviewFile::WorksheetCsv,
            bytes,
            rows: Some(rows),
        }
    }

    /// `worksheet.xlsx`.
    ///
    /// # Errors
    /// Where a spreadsheet cannot hold it, as more than a million rows.
    pub fn xlsx(&self, review_sha256: &str) -> Result<ReviewDataFile, String> {
        Ok(ReviewDataFile {
            file: ReviewFile::WorksheetXlsx,
            bytes: spreadsheet::of(self, review_sha256).map_err(|error| error.to_string())?,
            rows: Some(self.rows.len() as u64),
        })
    }
}
