//! What was decided: `review.json` for machines, `decisions.csv` for people.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FrozenRow, Owners, ReviewDataFile, ReviewerFile, Scope, Worksheet, undecided_rows};
use crate::evidence::csv::Table;
use crate::evidence::{ReviewFile, json};
use crate::judgement::{Decision, RunRef, Verdict};
use crate::model::{EmailAddress, Role, words};

/// The `schema` of `review.json`.
const SCHEMA: &str = "asana-access-review/review/v1";

/// `review.json`: a review that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewClosed {
    pub schema: String,
    /// The review's id.
    pub review: String,
    pub name: String,
    /// The last day for decisions.
    pub due: String,
    pub scope: Scope,
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
    /// When revocations and role changes must be done, as page one says.
    pub revocations_due: Timestamp,
    /// SHA-256 of `open/worksheet.json`.
    pub review_sha256: String,
    /// The entry that opened it.
    pub opened: RunRef,
    /// The run whose population it was, by its snapshot.
    pub snapshot: RunRef,
    /// `pass` if every row is decided, and none with `dont_know`.
    pub verdict: Verdict,
    /// Whether every row was decided.
    pub complete: bool,
    /// Why it was closed although not every row was decided.
    pub accepted_incomplete: Option<AcceptedIncomplete>,
    pub totals: Totals,
    pub reviewers: Vec<ByReviewer>,
    /// Rows given to another reviewer after the review was opened.
    pub reassigned: Option<ReviewerFile>,
    pub decision_files: Vec<DecisionFile>,
    pub rows: Vec<ClosedRow>,
}

/// What closing a review adds to its worksheet: all else in `review.json` follows from the two.
#[derive(Clone, Debug)]
pub struct ClosedWith {
    pub opened: RunRef,
    pub closed_at: Timestamp,
    pub revocations_due: Timestamp,
    pub accepted_incomplete: Option<AcceptedIncomplete>,
    pub reassigned: Option<ReviewerFile>,
    pub decision_files: Vec<DecisionFile>,
    pub rows: Vec<ClosedRow>,
}

/// Why a review was closed with rows that nobody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedIncomplete {
    /// As it was given.
    pub reason: String,
}

/// Rows and decisions, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Rows that were decided.
    pub decided: u64,
    /// Rows that were not.
    pub undecided: u64,
    /// By decision; every one is there, also with zero.
    pub by_decision: BTreeMap<Decision, u64>,
}

impl Totals {
    /// Counts rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a ClosedRow>) -> Self {
        let mut totals = Self {
            by_decision: Decision::ALL.iter().map(|of| (*of, 0)).collect(),
            ..Self::default()
        };
        for row in rows {
            totals.rows += 1;
            match row.decision {
                Some(decision) => {
                    totals.decided += 1;
                    *totals.by_decision.entry(decision).or_default() += 1;
                }
                None => totals.undecided += 1,
            }
        }
        totals
    }

    /// What they come to: a pass where every row is decided and nobody was in doubt.
    pub fn verdict(&self) -> Verdict {
        match self.undecided == 0 && self.with(Decision::DontKnow) == 0 {
            true => Verdict::Pass,
            false => Verdict::Inconclusive,
        }
    }

    /// How many rows were decided so.
    pub fn with(&self, decision: Decision) -> u64 {
        self.by_decision.get(&decision).copied().unwrap_or_default()
    }
}

/// What one reviewer decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByReviewer {
    /// Who was to decide; none: anybody.
    pub reviewer: Option<EmailAddress>,
    /// Rows and decisions, counted.
    pub totals: Totals,
}

impl ByReviewer {
    /// Counts rows by who was to decide, those first that anybody could.
    pub fn of(rows: &[ClosedRow]) -> Vec<Self> {
        let mut by: BTreeMap<Option<&str>, Vec<&ClosedRow>> = BTreeMap::new();
        for row in rows {
            let key = row.reviewer.as_ref().map(|who| who.key());
            by.entry(key).or_default().push(row);
        }
        by.into_values()
            .map(|rows| Self {
                reviewer: rows.first().and_then(|row| row.reviewer.clone()),
                totals: Totals::of(rows),
            })
            .collect()
    }
}

words! {
    DecisionFormat {
        Csv = "csv",
        Xlsx = "xlsx",
        /// As `worksheet.html` saves it.
        Page = "page",
    }
}

/// A file that decisions were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionFile {
    /// Its name, without its folder.
    pub file: String,
    pub format: DecisionFormat,
    pub sha256: String,
    pub bytes: u64,
    /// Decisions in it.
    pub decisions: u64,
}

/// A row, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedRow {
    /// Its number.
    pub row: u32,
    /// The account.
    pub account_id: String,
    /// Its address.
    pub email: Option<EmailAddress>,
    /// Its name.
    pub name: Option<String>,
    /// Its role.
    pub role: Role,
    /// Who was to decide; none: anybody.
    pub reviewer: Option<EmailAddress>,
    /// Who decided, as the file says: nobody has proven it.
    pub decided_by: Option<EmailAddress>,
    /// What was decided; none: nobody decided.
    pub decision: Option<Decision>,
    /// The role it is to have.
    pub new_role: Option<Role>,
    /// Why.
    pub note: String,
    /// When, as the file says.
    pub decided_at: Option<Timestamp>,
    /// Place of the file in `decision_files`, from 1, and line in it.
    pub source: Option<(u32, u64)>,
}

impl ClosedRow {
    /// A row that nobody has decided.
    pub fn undecided(row: &FrozenRow, reviewer: Option<EmailAddress>) -> Self {
        Self {
            row: row.row,
            account_id: row.account_id.clone(),
            email: row.email.clone(),
            name: row.name.clone(),
            role: row.role.clone(),
            reviewer,
            decided_by: None,
            decision: None,
            new_role: None,
            note: String::new(),
            decided_at: None,
            source: None,
        }
    }

    /// Whether a decision is one that could be made about this row, by who made it.
    ///
    /// # Errors
    /// A sentence that names the row, and nobody.
    pub fn ensure_in_order(&self, frozen: &FrozenRow, owners: &Owners) -> Result<(), String> {
        let number = frozen.row;
        let Some(decision) = self.decision else {
            let undecided = Self::undecided(frozen, self.reviewer.clone());
            return match *self == undecided {
                true => Ok(()),
                false => Err(format!(
                    "row {number} has a note or a new role, and no decision"
                )),
            };
        };
        let wrong = match (decision, &self.new_role) {
            (Decision::ChangeRole, None) => Some("change_role needs a new role"),
            (Decision::ChangeRole, Some(role)) if *role == frozen.role => {
                Some("the new role is the one it has")
            }
            (Decision::ChangeRole, Some(Role::Admin | Role::Member | Role::Guest)) => None,
            (Decision::ChangeRole, Some(Role::Unknown(_))) => {
                Some("the new role is none of admin, member, guest")
            }
            (Decision::Keep | Decision::Revoke | Decision::DontKnow, Some(_)) => {
                Some("a new role is for change_role only")
            }
            (Decision::Keep | Decision::Revoke | Decision::DontKnow, None) => None,
        };
        if let Some(wrong) = wrong {
            return Err(format!("row {number}: {wrong}"));
        }
        if decision != Decision::Keep && self.note.is_empty() {
            return Err(format!(
                "row {number}: {decision} needs a note that says why"
            ));
        }
        let Some(by) = &self.decided_by else {
            return Err(format!("row {number}: `decided_by` must say who decided"));
        };
        if owners.is_of(frozen, by) {
            return Err(format!(
                "row {number} is decided by the owner of its account"
            ));
        }
        if self
            .reviewer
            .as_ref()
            .is_some_and(|reviewer| reviewer != by)
        {
            return Err(format!(
                "row {number} is decided by another than its reviewer: reassign it with a note first"
            ));
        }
        Ok(())
    }
}

impl ReviewClosed {
    pub fn of(worksheet: &Worksheet, review_sha256: &str, with: ClosedWith) -> Self {
        let ClosedWith {
            opened,
            closed_at,
            revocations_due,
            accepted_incomplete,
            reassigned,
            decision_files,
            rows,
        } = with;
        let totals = Totals::of(&rows);
        Self {
            schema: SCHEMA.to_owned(),
            review: worksheet.review.clone(),
            name: worksheet.name.clone(),
            due: worksheet.due.clone(),
            scope: worksheet.scope,
            opened_at: worksheet.opened_at,
            closed_at,
            revocations_due,
            review_sha256: review_sha256.to_owned(),
            opened,
            snapshot: worksheet.snapshot.clone(),
            verdict: totals.verdict(),
            complete: totals.undecided == 0,
            accepted_incomplete,
            totals,
            reviewers: ByReviewer::of(&rows),
            reassigned,
            decision_files,
            rows,
        }
    }

    /// Every row that was decided, with its decision.
    pub fn decided(&self) -> impl Iterator<Item = (&ClosedRow, Decision)> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((row, row.decision?)))
    }

    /// Whether no earlier decision matters for the next review.
    pub fn is_of_all(&self) -> bool {
        self.scope == Scope::All && self.complete
    }

    /// What contradicts the worksheet, or itself. No names.
    pub fn contradictions(mut self, worksheet: &Worksheet, owners: &Owners) -> Vec<String> {
        let with = ClosedWith {
            opened: self.opened.clone(),
            closed_at: self.closed_at,
            revocations_due: self.revocations_due,
            accepted_incomplete: self.accepted_incomplete.clone(),
            reassigned: self.reassigned.clone(),
            decision_files: self.decision_files.clone(),
            rows: std::mem::take(&mut self.rows),
        };
        let mut again = Self::of(worksheet, &self.review_sha256, with);
        let rows = std::mem::take(&mut again.rows);
        let undecided = undecided_rows(worksheet, self.reassigned.as_ref(), owners).into_iter();
        let rows_again: Vec<ClosedRow> = undecided
            .enumerate()
            .map(|(at, undecided)| match rows.get(at) {
                None => undecided,
                Some(row) => ClosedRow {
                    decided_by: row.decided_by.clone(),
                    decision: row.decision,
                    new_role: row.new_role.clone(),
                    note: row.note.clone(),
                    decided_at: row.decided_at,
                    source: row.source,
                    ..undecided
                },
            })
            .collect();
        let mut wrong = super::contradictions((&again, &self), (&rows_again, &rows));
        if self.accepted_incomplete.is_some() == self.complete {
            wrong.push(match self.complete {
                true => "it is complete, and has a reason for closing it incomplete".to_owned(),
                false => "it is not complete, and has no reason for closing it so".to_owned(),
            });
        }
        if self.closed_at < self.opened_at {
            wrong.push("it was closed before it was opened".to_owned());
        }
        let mut decisions = vec![0; self.decision_files.len()];
        let mut lines = BTreeSet::new();
        for (row, frozen) in rows.iter().zip(&worksheet.rows) {
            let number = frozen.row;
            wrong.extend(row.ensure_in_order(frozen, owners).err());
            if row.decision.is_none() {
                continue;
            }
            let file = row.source.and_then(|(file, _)| {
                let at = usize::try_from(file).ok()?.checked_sub(1)?;
                decisions.get_mut(at)
            });
            match file {
                Some(count) if lines.insert(row.source) => *count += 1,
                Some(_) => wrong.push(format!(
                    "row {number} is decided by the line of another row"
                )),
                None => wrong.push(format!("row {number} was decided in no file")),
            }
        }
        if !self
            .decision_files
            .iter()
            .map(|file| file.decisions)
            .eq(decisions)
        {
            wrong.push("its files hold another number of decisions".to_owned());
        }
        wrong
    }

    /// Why it is no plain pass.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(AcceptedIncomplete { reason }) = &self.accepted_incomplete {
            let undecided = self.totals.undecided;
            reasons.push(format!("{undecided} row(s) were not decided: {reason}"));
        }
        let doubts = self.totals.with(Decision::DontKnow);
        if doubts > 0 {
            reasons.push(format!(
                "of {doubts} row(s) the reviewer did not know whether the access is right"
            ));
        }
        reasons
    }

    /// `review.json`.
    pub fn to_file(&self) -> ReviewDataFile {
        ReviewDataFile {
            file: ReviewFile::Review,
            // Two levels: a row is a line.
            bytes: json::document(self, 2),
            rows: Some(self.rows.len() as u64),
        }
    }

    /// `decisions.csv`.
    pub fn csv(&self, worksheet: &Worksheet) -> ReviewDataFile {
        let mut out = Table::with_header(&[
            "row",
            "account_id",
            "email",
            "name",
            "role",
            "status",
            "recommended",
            "reviewer",
            "decided_by",
            "decision",
            "new_role",
            "note",
            "decided_at",
            "file",
            "line",
        ]);
        let email = |email: &Option<EmailAddress>| -> Cow<'_, str> {
            Cow::Owned(
                email
                    .as_ref()
                    .map_or("", EmailAddress::as_written)
                    .to_owned(),
            )
        };
        let shown = |text: Option<String>| -> Cow<'_, str> { Cow::Owned(text.unwrap_or_default()) };
        for row in &self.rows {
            let frozen = worksheet.row(row.row);
            let file = row.source.and_then(|(file, _)| {
                let at = usize::try_from(file).ok()?.checked_sub(1)?;
                self.decision_files.get(at)
            });
            out.row([
                Cow::Owned(row.row.to_string()),
                Cow::Borrowed(row.account_id.as_str()),
                email(&row.email),
                shown(row.name.clone()),
                Cow::Owned(row.role.to_string()),
                shown(frozen.map(|of| of.status.to_string())),
                shown(frozen.map(|of| of.recommended.to_string())),
                email(&row.reviewer),
                email(&row.decided_by),
                shown(row.decision.map(|decision| decision.to_string())),
                shown(row.new_role.as_ref().map(Role::to_string)),
                Cow::Borrowed(row.note.as_str()),
                shown(row.decided_at.map(|at| at.to_string())),
                shown(file.map(|file| file.file.clone())),
                shown(row.source.map(|(_, line)| line.to_string())),
            ]);
        }
        let (bytes, rows) = out.finish();
        ReviewDataFile {
            file: ReviewFile::DecisionsCsv,
            bytes,
            rows: Some(rows),
        }
    }
}
