//! `acknowledgement.json`: a second person signs off a closed review.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Eligibility, Owners, ReceivedFile, ReviewClosed, ReviewDataFile, Scope, Worksheet};
use crate::evidence::{ReviewFile, json};
use crate::judgement::{FollowUpState, FollowUps, RunRef, Verdict};
use crate::model::EmailAddress;

/// The `schema` of `acknowledgement.json`.
const SCHEMA: &str = "asana-access-review/acknowledgement/v1";

/// `acknowledgement.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub schema: String,
    /// The review's id.
    pub review: String,
    pub scope: Scope,
    /// The verdict of the closed review.
    pub verdict: Verdict,
    /// Whether every row was decided.
    pub complete: bool,
    /// The entry that opened the review.
    pub opened: RunRef,
    #[serde(flatten)]
    pub with: AcknowledgedWith,
    /// Decisions of the review that are not carried out, or not answered, in `as_of_run`.
    pub open_decisions: u64,
}

/// The facts of the acknowledgement. With the closed review and the run, they determine the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedWith {
    /// The entry that closed the review.
    pub closed: RunRef,
    pub acknowledged_at: Timestamp,
    /// The person, as the command line claims without proof.
    pub by: EmailAddress,
    /// In that person's words.
    pub statement: String,
    /// The newest judged run after the closing. None before the first one.
    pub as_of_run: Option<RunRef>,
    /// The newest complete run that could use the HR feed. It shows whether the person has left.
    pub people_run: RunRef,
    /// Files that prove who sent the statement.
    pub attachments: Vec<ReceivedFile>,
}

impl Acknowledgement {
    /// `follow_ups` are those of `as_of_run`.
    pub fn of(
        review: &ReviewClosed,
        with: AcknowledgedWith,
        follow_ups: Option<&FollowUps>,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            review: review.review.clone(),
            scope: review.scope,
            verdict: review.verdict,
            complete: review.complete,
            opened: review.opened.clone(),
            with,
            open_decisions: review.open_decisions(follow_ups),
        }
    }

    /// Checks that this person may acknowledge the review.
    ///
    /// # Errors
    /// A sentence without names.
    pub fn ensure_second_person(
        &self,
        worksheet: &Worksheet,
        review: &ReviewClosed,
        owners: &Owners,
    ) -> Result<(), &'static str> {
        let decided = review.rows.iter();
        let decided = decided.flat_map(|row| row.decided_by.iter().chain(&row.reviewer));
        let reviewers: HashSet<&EmailAddress> = decided.chain(worksheet.deciders()).collect();
        let mut reviewers = reviewers.into_iter();
        if reviewers.any(|who| owners.is_same_person(who, &self.with.by)) {
            return Err("is one of the reviewers: a second person must acknowledge the review");
        }
        match owners.eligibility(&self.with.by, self.with.acknowledged_at) {
            Eligibility::HasLeft => Err("has left, according to HR"),
            Eligibility::Eligible | Eligibility::Unknown => Ok(()),
        }
    }

    pub fn to_file(&self) -> ReviewDataFile {
        let bytes = json::document(self, usize::MAX);
        ReviewDataFile::new(ReviewFile::Acknowledgement, bytes, None)
    }
}

impl ReviewClosed {
    /// How many decisions of this review are not carried out, or not answered. Without a later run, all of them.
    pub fn open_decisions(&self, follow_ups: Option<&FollowUps>) -> u64 {
        let is_open = |account: &str| {
            follow_ups.is_none_or(|reviews| {
                let decisions = reviews.decisions.iter();
                let mut of_account = decisions.filter(|of| of.account_id == account);
                of_account.any(|of| of.state != FollowUpState::Done)
            })
        };
        let followed = self.followed();
        followed.filter(|(row, _)| is_open(&row.account_id)).count() as u64
    }
}
