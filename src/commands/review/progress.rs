//! The progress of a review in numbers, also as JSON and as a notification.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::chain::NewestRun;
use super::{FileFault, Moment};
use crate::cli::exit::Exit;
use crate::config::ReviewSettings;
use crate::evidence::run_id;
use crate::judgement::{FollowUp, Mark, Verdict};
use crate::ledger::Committed;
use crate::model::EmailAddress;
use crate::notify::{
    About, Content, Notification, NotifiedReview, NotifiedReviewer, NotifiedWorkspace, ReviewStep,
};
use crate::report::visible::Minute as _;
use crate::review::{ByReviewer, ReviewClosed, Totals, Worksheet};

/// The frozen population of a review.
#[derive(Debug)]
pub struct Frozen {
    pub worksheet: Worksheet,
    /// The SHA-256 of `worksheet.json`.
    pub sha256: String,
    /// Truto's origin.
    pub origin: String,
}

/// A text to send to a reviewer.
pub(super) struct Reminder {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

/// A review after a command, and its progress.
#[derive(Debug)]
pub struct ReviewProgress {
    pub step: ReviewStep,
    pub frozen: Frozen,
    /// Whether the due day has passed in every time zone.
    pub overdue: bool,
    pub totals: Totals,
    pub reviewers: Vec<ByReviewer>,
    /// Reviewers who have left, according to HR.
    pub left: Vec<EmailAddress>,
    /// Lines of the reviewers file that fit no row. A mistake in a line gives its rows to another line.
    pub idle_lines: Vec<u64>,
    /// Faults in the received files.
    pub faults: Vec<FileFault>,
    /// The evidence, if the command stored any.
    pub committed: Option<Committed>,
    /// Set once the review is closed.
    pub verdict: Option<Verdict>,
    /// Why the verdict is not pass.
    pub reasons: Vec<String>,
    /// The deadline of the decisions of the closed review.
    pub changes_due: Option<Timestamp>,
    /// The ledger entry that acknowledges the closed review.
    pub acknowledged_by: Option<u64>,
    /// Sentences without names of people.
    pub warnings: Vec<String>,
    /// The newest judged run, which follows the decisions of closed reviews.
    pub(super) run: Option<NewestRun>,
    /// The accounts whose decisions this review asked to follow; none if it is open.
    pub(super) followed: HashSet<String>,
}

impl ReviewProgress {
    pub(super) fn of(frozen: Frozen, reviewers: Vec<ByReviewer>, as_of: Timestamp) -> Self {
        Self {
            step: ReviewStep::Status,
            overdue: as_of.day() > frozen.worksheet.due,
            frozen,
            totals: Totals::of_all(&reviewers),
            reviewers,
            left: Vec::new(),
            idle_lines: Vec::new(),
            faults: Vec::new(),
            committed: None,
            verdict: None,
            reasons: Vec::new(),
            changes_due: None,
            acknowledged_by: None,
            warnings: Vec::new(),
            run: None,
            followed: HashSet::new(),
        }
    }

    pub(super) fn of_closed(frozen: Frozen, closed: &ReviewClosed, as_of: Timestamp) -> Self {
        Self {
            overdue: false,
            ..Self::of(frozen, closed.reviewers.clone(), as_of).closed(closed)
        }
    }

    /// The progress after the closing.
    pub(super) fn closed(self, closed: &ReviewClosed) -> Self {
        let followed = closed.followed();
        Self {
            verdict: Some(closed.verdict),
            reasons: closed.reasons(),
            changes_due: Some(closed.revocations_due),
            followed: followed.map(|(row, _)| row.account_id.clone()).collect(),
            ..self
        }
    }

    /// The decisions that the newest run follows: those of this review if it is closed, else all.
    pub(super) fn follow_ups(&self) -> Vec<&FollowUp> {
        let decisions = self.run.iter().flat_map(|run| &run.follow_ups.decisions);
        let is_wanted =
            |of: &&FollowUp| self.verdict.is_none() || self.followed.contains(&of.account_id);
        decisions.filter(is_wanted).collect()
    }

    /// Whether a reviewer with undecided rows has left.
    pub(super) fn must_be_replaced(&self, of: &ByReviewer) -> bool {
        let has_left = of
            .reviewer
            .as_ref()
            .is_some_and(|who| self.left.contains(who));
        has_left && of.totals.undecided > 0
    }

    /// A text to send to a reviewer who has undecided rows. None for others, for a reviewer who has left, and for rows
    /// without a reviewer.
    pub(super) fn reminder(&self, of: &ByReviewer) -> Option<Reminder> {
        let worksheet = &self.frozen.worksheet;
        let to = of.reviewer.as_ref()?;
        let undecided = match of.totals.undecided {
            0 => return None,
            _ if self.verdict.is_some() || self.must_be_replaced(of) => return None,
            1 => "1 row".to_owned(),
            more => format!("{more} rows"),
        };
        let (name, due) = (&worksheet.name, &worksheet.due);
        let was = match self.overdue {
            true => "was due on",
            false => "is due on",
        };
        Some(Reminder {
            to: to.as_written().to_owned(),
            subject: format!("Access review {name}: {undecided} to decide"),
            text: format!(
                "The access review {name} {was} {due}. You have {undecided} to decide. Please open the worksheet that \
                 you received, decide, save the decisions as a file, and send the file back. If another person must \
                 decide, answer this message."
            ),
        })
    }

    /// A review that was closed with open items is inconclusive.
    pub fn exit(&self) -> Exit {
        let closed = self.verdict.filter(|_| self.step == ReviewStep::Closed);
        match closed {
            None | Some(Verdict::Pass) => Exit::Pass,
            Some(Verdict::PassWithExceptions | Verdict::Inconclusive | Verdict::Fail) => {
                Exit::Inconclusive
            }
        }
    }

    /// Whether a reviewer has undecided rows after the due day.
    pub(super) fn is_late(&self, of: &ByReviewer) -> bool {
        self.overdue && of.totals.undecided > 0
    }

    /// Reviewers and their files are named only if `names` is set.
    pub fn as_json(&self, names: bool) -> Value {
        let reviewer = |(number, of): (usize, &ByReviewer)| {
            let mut value = json!({
                "number": number,
                "totals": of.totals,
                "overdue": self.is_late(of),
                "has_left": self.must_be_replaced(of),
            });
            if names {
                value["reviewer"] = json!(of.reviewer);
                if let Some(reminder) = self.reminder(of) {
                    value["reminder"] =
                        json!({ "subject": reminder.subject, "text": reminder.text });
                }
            }
            value
        };
        let fault = |fault: &FileFault| {
            let (file, text) = fault.words(names);
            json!({ "file": file, "line": fault.line, "text": text })
        };
        let worksheet = &self.frozen.worksheet;
        json!({
            "review": worksheet.review,
            "name": worksheet.name,
            "due": worksheet.due,
            "overdue": self.overdue,
            "scope": worksheet.scope,
            "opened_at": worksheet.opened_at,
            "review_sha256": self.frozen.sha256,
            "totals": self.totals,
            "reviewers": (1..).zip(&self.reviewers).map(reviewer).collect::<Vec<_>>(),
            "not_in_order": self.faults.iter().map(fault).collect::<Vec<_>>(),
            "verdict": self.verdict,
            "acknowledged_by": self.acknowledged_by,
            "follow_ups": self.run.as_ref().map(|run| json!({
                "run": run.at.run,
                "as_of": run.as_of,
                "decisions": self.follow_ups(),
            })),
        })
    }

    pub(super) fn notification(&self, settings: &ReviewSettings, moment: &Moment) -> Notification {
        let worksheet = &self.frozen.worksheet;
        let about = About {
            run: run_id(moment.as_of, &moment.suffix),
            as_of: moment.as_of,
            connection: settings.connection.clone(),
            workspace: Some(NotifiedWorkspace::new(&worksheet.workspace, None)),
            mark: Mark::of(&self.frozen.origin, worksheet.is_sandbox),
            tool: settings.frame.tool.clone(),
        };
        let reviewer = |(number, of): (usize, &ByReviewer)| NotifiedReviewer {
            number,
            rows: of.totals.rows,
            decided: of.totals.decided,
            overdue: self.is_late(of),
        };
        let review = NotifiedReview {
            step: self.step,
            review: worksheet.review.clone(),
            due: worksheet.due.clone(),
            overdue: self.overdue,
            verdict: self.verdict,
            totals: self.totals.clone(),
            reviewers: (1..).zip(&self.reviewers).map(reviewer).collect(),
            not_in_order: self.faults.len(),
        };
        Notification::new(
            &about,
            Content::Review(review),
            self.committed.as_ref(),
            self.exit(),
        )
    }
}
