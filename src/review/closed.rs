//! The decisions: `review.json` for machines, `decisions.csv` for people.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Eligibility, FrozenRow, Owners, ReceivedFile, ReviewDataFile, ReviewerFile, Scope, Worksheet,
    undecided_rows,
};
use crate::evidence::csv::Table;
use crate::evidence::{ReviewFile, json};
use crate::judgement::{Decision, RunRef, Verdict};
use crate::model::{EmailAddress, Permissions, Role, counted, words};
use crate::report::visible::Minute as _;

/// The `schema` of `review.json`.
const SCHEMA: &str = "asana-access-review/review/v1";

/// `review.json`: a closed review.
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
    /// The deadline of revocations and role changes, which page one shows.
    pub revocations_due: Timestamp,
    /// SHA-256 of `worksheet.json`.
    pub review_sha256: String,
    /// The entry that opened the review.
    pub opened: RunRef,
    /// The run of the population.
    pub snapshot: RunRef,
    /// The newest complete run at the closing that could use the HR feed. It shows which reviewers have left.
    pub people_run: RunRef,
    /// `pass` if every row is decided, without any `dont_know`.
    pub verdict: Verdict,
    /// Whether every row was decided.
    pub complete: bool,
    /// The reason for closing with undecided rows.
    pub accepted_incomplete: Option<AcceptedIncomplete>,
    pub totals: Totals,
    pub reviewers: Vec<ByReviewer>,
    /// How each person decided.
    pub deciders: Vec<ByDecider>,
    /// Reviewers whom neither Asana nor HR knows, and whom the person who closed the review accepted.
    pub accepted_reviewers: Vec<EmailAddress>,
    /// Rows that another reviewer got after the review was opened.
    pub reassigned: Option<ReviewerFile>,
    pub decision_files: Vec<DecisionFile>,
    /// Files that prove who sent the decisions.
    pub attachments: Vec<ReceivedFile>,
    pub rows: Vec<ClosedRow>,
}

/// The facts of the closing. With the worksheet, they determine the rest of `review.json`.
#[derive(Clone, Debug)]
pub struct ClosedWith {
    pub opened: RunRef,
    pub people_run: RunRef,
    pub closed_at: Timestamp,
    pub revocations_due: Timestamp,
    pub accepted_incomplete: Option<AcceptedIncomplete>,
    pub accepted_reviewers: Vec<EmailAddress>,
    pub reassigned: Option<ReviewerFile>,
    pub decision_files: Vec<DecisionFile>,
    pub attachments: Vec<ReceivedFile>,
    pub rows: Vec<ClosedRow>,
}

/// The rules for decisions, in addition to the row.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub worksheet: &'a Worksheet,
    pub owners: &'a Owners,
    /// Reviewers whom neither Asana nor HR knows, but who may decide.
    pub accepted: &'a [EmailAddress],
    /// The instant of the closing, which counts for decisions without an instant.
    pub closed_at: Timestamp,
}

/// The reason for closing a review with undecided rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedIncomplete {
    /// As on the command line.
    pub reason: String,
}

impl Rules<'_> {
    /// Whether a decision was possible at this instant: between the opening and the closing.
    pub fn is_possible(&self, at: Timestamp) -> bool {
        (self.worksheet.opened_at..=self.closed_at).contains(&at)
    }

    /// The instant of a decision, as its file claims. A decision without a possible instant may have been changed until
    /// the closing.
    fn instant_of(&self, row: &ClosedRow) -> Timestamp {
        let possible = row.decided_at.filter(|at| self.is_possible(*at));
        possible.unwrap_or(self.closed_at)
    }

    /// Whether a decision is a late one of the former reviewer of a row, who has left and whom another person replaces.
    pub fn is_of_replaced_leaver(&self, row: &ClosedRow, frozen: &FrozenRow) -> bool {
        let (by, was) = (row.decided_by.as_ref(), frozen.reviewer.as_ref());
        let is_replaced = by.is_some() && by == was && row.reviewer.as_ref() != was;
        let at = self.instant_of(row);
        is_replaced && by.is_some_and(|by| self.owners.eligibility(by, at) == Eligibility::HasLeft)
    }

    /// The people who decided although neither Asana nor HR knows them and `accepted` lacks them, each with the first
    /// of their rows and the number of these.
    pub fn unknown_deciders<'r>(
        &self,
        rows: &'r [ClosedRow],
    ) -> Vec<(&'r EmailAddress, &'r ClosedRow, usize)> {
        let mut unknown: Vec<(&EmailAddress, &ClosedRow, usize)> = Vec::new();
        for row in rows {
            let Some(by) = row
                .decided_by
                .as_ref()
                .filter(|by| !self.accepted.contains(by))
            else {
                continue;
            };
            if let Some((.., count)) = unknown.iter_mut().find(|(of, ..)| *of == by) {
                *count += 1;
            } else if self.owners.eligibility(by, self.instant_of(row)) == Eligibility::Unknown {
                unknown.push((by, row, 1));
            }
        }
        unknown
    }
}

/// The counts of rows and decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub rows: u64,
    pub decided: u64,
    pub undecided: u64,
    /// By decision; every decision has a count, also zero.
    pub by_decision: BTreeMap<Decision, u64>,
}

impl Totals {
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a ClosedRow>) -> Self {
        let mut totals = Self::none();
        rows.into_iter().for_each(|row| totals.count(row.decision));
        totals
    }

    fn none() -> Self {
        Self {
            by_decision: Decision::ALL.iter().map(|of| (*of, 0)).collect(),
            ..Self::default()
        }
    }

    fn count(&mut self, decision: Option<Decision>) {
        self.rows += 1;
        match decision {
            Some(decision) => {
                self.decided += 1;
                *self.by_decision.entry(decision).or_default() += 1;
            }
            None => self.undecided += 1,
        }
    }

    /// The totals of all reviewers together.
    pub fn of_all(reviewers: &[ByReviewer]) -> Self {
        let mut all = Self::none();
        for ByReviewer { totals, .. } in reviewers {
            let Self {
                rows,
                decided,
                undecided,
                by_decision,
            } = totals;
            all.rows += rows;
            all.decided += decided;
            all.undecided += undecided;
            for (decision, count) in by_decision {
                *all.by_decision.entry(*decision).or_default() += count;
            }
        }
        all
    }

    /// A pass if every row is decided, without any `dont_know`.
    pub fn verdict(&self) -> Verdict {
        match self.undecided == 0 && self.with(Decision::DontKnow) == 0 {
            true => Verdict::Pass,
            false => Verdict::Inconclusive,
        }
    }

    /// The number of rows with this decision.
    pub fn with(&self, decision: Decision) -> u64 {
        self.by_decision.get(&decision).copied().unwrap_or_default()
    }
}

/// The decisions of one reviewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByReviewer {
    /// None: any person except the owner.
    pub reviewer: Option<EmailAddress>,
    pub totals: Totals,
}

impl ByReviewer {
    /// Counts rows by reviewer; rows without a reviewer come first. A row has a reviewer and a decision.
    pub fn of<'r>(
        rows: impl IntoIterator<Item = (Option<&'r EmailAddress>, Option<Decision>)>,
    ) -> Vec<Self> {
        let mut by: BTreeMap<Option<&str>, Self> = BTreeMap::new();
        for (reviewer, decision) in rows {
            let of = by.entry(reviewer.map(|who| who.key()));
            let of = of.or_insert_with(|| Self {
                reviewer: reviewer.cloned(),
                totals: Totals::none(),
            });
            of.totals.count(decision);
        }
        by.into_values().collect()
    }
}

/// The decisions of one person in numbers. They show how a person worked, not whether a decision is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByDecider {
    pub decided_by: Option<EmailAddress>,
    pub decided: u64,
    pub kept: u64,
    pub with_note: u64,
    /// The first decision, as the files claim. Spreadsheets have no instants.
    pub first_decided_at: Option<Timestamp>,
    pub last_decided_at: Option<Timestamp>,
    /// The median of the times between decisions. None with fewer than two instants.
    pub median_seconds: Option<u64>,
}

impl ByDecider {
    /// Counts decided rows by the person who decided.
    pub fn of(rows: &[ClosedRow]) -> Vec<Self> {
        let mut by: BTreeMap<Option<&str>, Vec<&ClosedRow>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.decision.is_some()) {
            let key = row.decided_by.as_ref().map(|who| who.key());
            by.entry(key).or_default().push(row);
        }
        by.into_values().map(|rows| Self::of_one(&rows)).collect()
    }

    fn of_one(rows: &[&ClosedRow]) -> Self {
        let count =
            |is: &dyn Fn(&ClosedRow) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
        let mut instants: Vec<Timestamp> = rows.iter().filter_map(|row| row.decided_at).collect();
        instants.sort_unstable();
        let between = instants.windows(2).map(|two| two[1].duration_since(two[0]));
        let mut between: Vec<i64> = between.map(|time| time.as_secs()).collect();
        between.sort_unstable();
        let median = between.get(between.len() / 2);
        Self {
            decided_by: rows.first().and_then(|row| row.decided_by.clone()),
            decided: rows.len() as u64,
            kept: count(&|row| row.decision == Some(Decision::Keep)),
            with_note: count(&|row| !row.note.is_empty()),
            first_decided_at: instants.first().copied(),
            last_decided_at: instants.last().copied(),
            median_seconds: median.and_then(|seconds| u64::try_from(*seconds).ok()),
        }
    }

    /// The share of *keep*, in percent, rounded down, so that 100 means every row.
    pub fn kept_percent(&self) -> u64 {
        self.kept * 100 / self.decided.max(1)
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

/// A file with decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionFile {
    #[serde(flatten)]
    pub received: ReceivedFile,
    pub format: DecisionFormat,
    /// The number of decisions.
    pub decisions: u64,
}

/// A row with its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedRow {
    /// The number, from 1.
    pub row: u32,
    pub account_id: String,
    pub email: Option<EmailAddress>,
    pub name: Option<String>,
    pub role: Role,
    /// None: any person except the owner.
    pub reviewer: Option<EmailAddress>,
    /// The person who decided, as the file claims without proof.
    pub decided_by: Option<EmailAddress>,
    /// None if the row is undecided.
    pub decision: Option<Decision>,
    /// The role after a role change.
    pub new_role: Option<Role>,
    /// The reason.
    pub note: String,
    /// The time of the decision, as the file claims. None if the file has none between the opening and the closing.
    pub decided_at: Option<Timestamp>,
    /// The place of the file in `decision_files`, from 1, and the line.
    pub source: Option<(u32, u64)>,
}

impl ClosedRow {
    /// An undecided row.
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

    /// The reviewer and the decision.
    pub fn answer(&self) -> (Option<&EmailAddress>, Option<Decision>) {
        (self.reviewer.as_ref(), self.decision)
    }

    /// The place of the file in `decision_files`.
    fn file(&self) -> Option<usize> {
        let (file, _) = self.source?;
        usize::try_from(file).ok()?.checked_sub(1)
    }

    /// Checks that this person may make this decision about the row.
    ///
    /// # Errors
    /// A sentence with the number of the row, without names of people.
    pub fn ensure_in_order(&self, frozen: &FrozenRow, rules: &Rules<'_>) -> Result<(), String> {
        let (number, owners) = (frozen.row, rules.owners);
        let permissions = rules.worksheet.permissions;
        let Some(decision) = self.decision else {
            let wrong = format!("row {number} has a note or a new role, but no decision");
            let undecided = Self::undecided(frozen, self.reviewer.clone());
            return match *self == undecided {
                true => Ok(()),
                false => Err(wrong),
            };
        };
        let is_change = decision == Decision::ChangeRole;
        let is_reviewer = |by| self.reviewer.as_ref().is_none_or(|reviewer| reviewer == by);
        let wrong = match (&self.new_role, &self.decided_by) {
            _ if is_change && permissions == Permissions::Narrow => {
                ": change_role is not possible, because the connection cannot read roles: decide keep, revoke or dont_know"
            }
            (None, _) if is_change => ": change_role needs a new role",
            (Some(role), _) if is_change && *role == frozen.role => {
                ": the new role equals the present role"
            }
            (Some(Role::Unknown(_)), _) if is_change => {
                ": the new role must be admin, member or guest"
            }
            (Some(_), _) if !is_change => ": a new role is for change_role only",
            _ if decision != Decision::Keep && !is_reason(&self.note) => {
                return Err(format!(
                    "row {number}: {decision} needs a note with the reason"
                ));
            }
            _ if frozen.needs_reason(&rules.worksheet.reason_for) && !is_reason(&self.note) => {
                return Err(format!(
                    "row {number}: keep needs a note with the reason for this account ({})",
                    frozen.why_reason(&rules.worksheet.reason_for)
                ));
            }
            (_, None) => ": `decided_by` must name the person who decided",
            (_, Some(by)) if owners.is_of(frozen, by) => " is decided by the owner of its account",
            (_, Some(by)) if !is_reviewer(by) => {
                " is decided by a person who is not its reviewer: reassign it with a note first"
            }
            (_, Some(by)) => match owners.eligibility(by, rules.instant_of(self)) {
                Eligibility::HasLeft if self.decided_at.is_none_or(|at| !rules.is_possible(at)) => {
                    " is decided by a person who has left, according to HR, without a time between opening and closing: another person must decide it, after a `reassign` line"
                }
                Eligibility::HasLeft => {
                    " is decided by a person who has left, according to HR: another person must decide it, after a `reassign` line"
                }
                Eligibility::Unknown | Eligibility::Eligible => return Ok(()),
            },
        };
        Err(format!("row {number}{wrong}"))
    }
}

/// Whether a note is a reason: it has at least one letter, unlike `-` or `1`. The fillers of Hangul are invisible letters.
pub fn is_reason(note: &str) -> bool {
    let is_filler = |c: char| matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}');
    note.chars().any(|c| c.is_alphabetic() && !is_filler(c))
}

impl ReviewClosed {
    pub fn of(worksheet: &Worksheet, review_sha256: &str, with: ClosedWith) -> Self {
        let totals = Totals::of(&with.rows);
        Self {
            schema: SCHEMA.to_owned(),
            review: worksheet.review.clone(),
            name: worksheet.name.clone(),
            due: worksheet.due.clone(),
            scope: worksheet.scope,
            opened_at: worksheet.opened_at,
            closed_at: with.closed_at,
            revocations_due: with.revocations_due,
            review_sha256: review_sha256.to_owned(),
            opened: with.opened,
            snapshot: worksheet.snapshot.clone(),
            people_run: with.people_run,
            verdict: totals.verdict(),
            complete: totals.undecided == 0,
            accepted_incomplete: with.accepted_incomplete,
            totals,
            reviewers: ByReviewer::of(with.rows.iter().map(ClosedRow::answer)),
            deciders: ByDecider::of(&with.rows),
            accepted_reviewers: with.accepted_reviewers,
            reassigned: with.reassigned,
            decision_files: with.decision_files,
            attachments: with.attachments,
            rows: with.rows,
        }
    }

    /// Every decided row, with its decision.
    pub fn decided(&self) -> impl Iterator<Item = (&ClosedRow, Decision)> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((row, row.decision?)))
    }

    /// Every row whose access or role must change, with its decision.
    pub fn asked(&self) -> impl Iterator<Item = (&ClosedRow, Decision)> {
        self.decided().filter(|(_, decision)| match decision {
            Decision::Revoke | Decision::ChangeRole => true,
            Decision::Keep | Decision::DontKnow => false,
        })
    }

    /// Every row that runs follow: access or role must change, or a question is open.
    pub fn followed(&self) -> impl Iterator<Item = (&ClosedRow, Decision)> {
        self.decided()
            .filter(|(_, decision)| *decision != Decision::Keep)
    }

    /// The files as they were received.
    pub fn received(&self) -> impl Iterator<Item = &ReceivedFile> {
        let decisions = self.decision_files.iter().map(|of| &of.received);
        decisions.chain(&self.attachments)
    }

    /// Whether the review replaces every earlier decision.
    pub fn is_of_all(&self) -> bool {
        self.scope == Scope::All && self.complete
    }

    /// The contradictions with the worksheet, or within the file, without names.
    pub fn contradictions(mut self, worksheet: &Worksheet, owners: &Owners) -> Vec<String> {
        let with = ClosedWith {
            opened: self.opened.clone(),
            people_run: self.people_run.clone(),
            closed_at: self.closed_at,
            revocations_due: self.revocations_due,
            accepted_incomplete: self.accepted_incomplete.clone(),
            accepted_reviewers: self.accepted_reviewers.clone(),
            reassigned: self.reassigned.clone(),
            decision_files: self.decision_files.clone(),
            attachments: self.attachments.clone(),
            rows: std::mem::take(&mut self.rows),
        };
        let mut recomputed = Self::of(worksheet, &self.review_sha256, with);
        let rows = std::mem::take(&mut recomputed.rows);
        let mut recomputed_rows = undecided_rows(worksheet, self.reassigned.as_ref(), owners);
        for (recomputed, row) in recomputed_rows.iter_mut().zip(&rows) {
            *recomputed = ClosedRow {
                row: recomputed.row,
                account_id: recomputed.account_id.clone(),
                email: recomputed.email.clone(),
                name: recomputed.name.clone(),
                role: recomputed.role.clone(),
                reviewer: recomputed.reviewer.clone(),
                ..row.clone()
            };
        }
        let mut wrong = super::contradictions((&recomputed, &self), (&recomputed_rows, &rows));
        let mut add = |text: &str| wrong.push(text.to_owned());
        match (self.complete, &self.accepted_incomplete) {
            (true, Some(_)) => add("it is complete, but has a reason for closing it incomplete"),
            (false, None) => add("it is incomplete, but has no reason for closing it so"),
            (true, None) | (false, Some(_)) => {}
        }
        if self.closed_at < self.opened_at {
            add("it was closed before it was opened");
        }
        let rules = Rules {
            worksheet,
            owners,
            accepted: &self.accepted_reviewers,
            closed_at: self.closed_at,
        };
        let mut decisions = vec![0; self.decision_files.len()];
        let mut lines = BTreeSet::new();
        for (row, frozen) in rows.iter().zip(&worksheet.rows) {
            let number = frozen.row;
            wrong.extend(row.ensure_in_order(frozen, &rules).err());
            if row.decision.is_none() {
                continue;
            }
            match row.file().and_then(|at| decisions.get_mut(at)) {
                Some(count) if lines.insert(row.source) => *count += 1,
                Some(_) => {
                    wrong.push(format!("row {number} has the line of another row"));
                }
                None => wrong.push(format!("row {number} has a decision from no file")),
            }
        }
        for (_, row, _) in rules.unknown_deciders(&rows) {
            let number = row.row;
            wrong.push(format!(
                "row {number} is decided by a person whom neither Asana nor HR knew and whom it does not accept"
            ));
        }
        let counted = self.decision_files.iter().map(|file| file.decisions);
        if !counted.eq(decisions) {
            wrong.push("the number of decisions in its files differs".to_owned());
        }
        wrong
    }

    /// The reasons of a verdict other than pass.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(AcceptedIncomplete { reason }) = &self.accepted_incomplete {
            let undecided = self.totals.undecided;
            let undecided = counted(undecided, "row is undecided", "rows are undecided");
            reasons.push(format!("{undecided}: {reason}"));
        }
        let open_questions = self.totals.with(Decision::DontKnow);
        if open_questions > 0 {
            reasons.push(format!(
                "the reviewer answered “don't know” for {}, due by {}",
                counted(open_questions, "row", "rows"),
                self.revocations_due.minute()
            ));
        }
        reasons
    }

    /// `review.json`.
    pub fn to_file(&self) -> ReviewDataFile {
        // Two levels, so that each row is one line.
        let bytes = json::document(self, 2);
        ReviewDataFile::new(ReviewFile::Review, bytes, Some(self.rows.len()))
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
        let shown = |text: Option<String>| Cow::Owned(text.unwrap_or_default());
        let email = |email: &Option<EmailAddress>| {
            shown(email.as_ref().map(|of| of.as_written().to_owned()))
        };
        for row in &self.rows {
            let frozen = worksheet.row(row.row);
            let file = row.file().and_then(|at| self.decision_files.get(at));
            out.row([
                Cow::Owned(row.row.to_string()),
                Cow::Borrowed(row.account_id.as_str()),
                email(&row.email),
                shown(row.name.clone()),
                Cow::Owned(row.role.to_string()),
                shown(frozen.map(|of| of.status.to_string())),
                shown(frozen.and_then(|of| Some(of.recommended?.to_string()))),
                email(&row.reviewer),
                email(&row.decided_by),
                shown(row.decision.map(|decision| decision.to_string())),
                shown(row.new_role.as_ref().map(Role::to_string)),
                Cow::Borrowed(row.note.as_str()),
                shown(row.decided_at.map(|at| at.to_string())),
                shown(file.map(|file| file.received.file.clone())),
                shown(row.source.map(|(_, line)| line.to_string())),
            ]);
        }
        let (bytes, _) = out.finish();
        ReviewDataFile::new(ReviewFile::DecisionsCsv, bytes, Some(self.rows.len()))
    }
}
