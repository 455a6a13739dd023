//! The progress of a review in numbers, also as JSON and as a notification.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Closing, Moment, Opened};
use crate::cli::exit::Exit;
use crate::config::ReviewSettings;
use crate::evidence::run_id;
use crate::judgement::{Mark, Verdict};
use crate::notify::{About, Content, Notification, NotifiedReview, NotifiedReviewer, ReviewStep};
use crate::review::{ByReviewer, ClosedRow, Totals, Worksheet};

/// The population of a review as it was frozen.
#[derive(Debug)]
pub struct Frozen {
    pub worksheet: Worksheet,
    /// The SHA-256 of `worksheet.json`.
    pub sha256: String,
    /// Where the accounts came from.
    pub origin: String,
}

/// The progress of a review.
#[derive(Debug)]
pub struct ReviewProgress {
    pub frozen: Frozen,
    /// Whether the due day has passed in every time zone.
    pub overdue: bool,
    pub totals: Totals,
    pub reviewers: Vec<ByReviewer>,
}

impl ReviewProgress {
    pub(super) fn of(frozen: Frozen, rows: &[ClosedRow], as_of: Timestamp) -> Self {
        Self {
            overdue: is_overdue(&frozen.worksheet, as_of),
            totals: Totals::of(rows),
            reviewers: ByReviewer::of(rows),
            frozen,
        }
    }

    /// Whether a reviewer has rows left after the due day.
    pub(super) fn is_late(&self, of: &ByReviewer) -> bool {
        self.overdue && of.totals.undecided > 0
    }

    /// Reviewers are named only if `names` are wanted.
    fn as_json(&self, names: bool) -> Value {
        let reviewers = (1..).zip(&self.reviewers).map(|(number, of): (usize, _)| {
            let mut value = json!({
                "number": number,
                "totals": of.totals,
                "overdue": self.is_late(of),
            });
            if names {
                value["reviewer"] = json!(of.reviewer);
            }
            value
        });
        json!({
            "review": self.frozen.worksheet.review,
            "name": self.frozen.worksheet.name,
            "due": self.frozen.worksheet.due,
            "overdue": self.overdue,
            "scope": self.frozen.worksheet.scope,
            "opened_at": self.frozen.worksheet.opened_at,
            "review_sha256": self.frozen.sha256,
            "totals": self.totals,
            "reviewers": reviewers.collect::<Vec<_>>(),
        })
    }

    fn notification(&self, step: ReviewStep) -> NotifiedReview {
        let reviewers = (1..)
            .zip(&self.reviewers)
            .map(|(number, of)| NotifiedReviewer {
                number,
                rows: of.totals.rows,
                decided: of.totals.decided,
                overdue: self.is_late(of),
            });
        NotifiedReview {
            step,
            review: self.frozen.worksheet.review.clone(),
            due: self.frozen.worksheet.due.clone(),
            overdue: self.overdue,
            verdict: None,
            totals: self.totals.clone(),
            reviewers: reviewers.collect(),
            not_in_order: 0,
        }
    }

    fn about(&self, settings: &ReviewSettings, moment: &Moment) -> About {
        About {
            run: run_id(moment.as_of, &moment.suffix),
            as_of: moment.as_of,
            connection: settings.connection.clone(),
            mark: Mark::of(&self.frozen.origin, self.frozen.worksheet.is_sandbox),
            tool: settings.frame.tool.clone(),
        }
    }
}

impl Opened {
    pub fn notification(&self, settings: &ReviewSettings, moment: &Moment) -> Notification {
        let about = self.progress.about(settings, moment);
        let review = self.progress.notification(ReviewStep::Opened);
        Notification::new(
            &about,
            Content::Review(review),
            Some(&self.committed),
            Exit::Pass,
        )
    }
}

impl Closing {
    /// A review that is closed with open items is inconclusive.
    pub fn exit(&self) -> Exit {
        match self.verdict {
            None | Some(Verdict::Pass) => Exit::Pass,
            Some(Verdict::PassWithExceptions | Verdict::Inconclusive | Verdict::Fail) => {
                Exit::Inconclusive
            }
        }
    }

    pub fn notification(&self, settings: &ReviewSettings, moment: &Moment) -> Notification {
        let about = self.progress.about(settings, moment);
        let review = NotifiedReview {
            verdict: self.verdict,
            not_in_order: self.faults.len(),
            ..self.progress.notification(match self.committed {
                Some(_) => ReviewStep::Closed,
                None => ReviewStep::Status,
            })
        };
        Notification::new(
            &about,
            Content::Review(review),
            self.committed.as_ref(),
            self.exit(),
        )
    }
}

/// Reviewers are named only if `names` are wanted.
pub fn as_json(closing: &Closing, names: bool) -> Value {
    let mut value = closing.progress.as_json(names);
    let faults = closing.faults.iter().map(|fault| {
        let (file, text) = fault.words(names);
        json!({ "file": file, "line": fault.line, "text": text })
    });
    value["not_in_order"] = faults.collect();
    value
}

/// Whether the last day for decisions has passed in every time zone.
fn is_overdue(worksheet: &Worksheet, as_of: Timestamp) -> bool {
    let today = as_of.strftime("%Y-%m-%d").to_string();
    match (worksheet.due.parse::<Date>(), today.parse::<Date>()) {
        (Ok(due), Ok(today)) => today > due,
        _ => false,
    }
}
