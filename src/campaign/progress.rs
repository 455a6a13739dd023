//! How far a review is, in numbers: for people, for machines, and for those who are told.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Closing, Moment, Opened, Settings};
use crate::evidence::{ByReviewer, ClosedRow, Totals, Worksheet, run_id};
use crate::exit::Exit;
use crate::judgement::{Mark, Verdict};
use crate::notify::{About, News, ReviewNews, ReviewStep, ReviewerNews};

/// How far a review is.
#[derive(Debug)]
pub struct Progress {
    /// The frozen population.
    pub worksheet: Worksheet,
    /// Its hash.
    pub review_sha256: String,
    /// Where the accounts came from.
    pub origin: String,
    /// Whether the due day has passed, everywhere.
    pub overdue: bool,
    /// Rows and decisions.
    pub totals: Totals,
    /// The same by reviewer.
    pub reviewers: Vec<ByReviewer>,
}

impl Progress {
    /// Of a review, with every row of it, at an instant.
    pub(super) fn of(
        worksheet: Worksheet,
        review_sha256: String,
        origin: String,
        rows: &[ClosedRow],
        as_of: Timestamp,
    ) -> Self {
        Self {
            overdue: is_overdue(&worksheet, as_of),
            totals: Totals::of(rows),
            reviewers: ByReviewer::of(rows),
            worksheet,
            review_sha256,
            origin,
        }
    }

    /// Whether a reviewer has rows left after the due day.
    pub(super) fn is_late(&self, of: &ByReviewer) -> bool {
        self.overdue && of.totals.undecided > 0
    }

    /// For machines. Who the reviewers are is in it only if `names` are wanted.
    fn as_json(&self, names: bool) -> Value {
        let reviewers = (1..).zip(&self.reviewers).map(|(number, of): (usize, _)| {
            let mut told = json!({
                "number": number,
                "totals": of.totals,
                "overdue": self.is_late(of),
            });
            if names {
                told["reviewer"] = json!(of.reviewer);
            }
            told
        });
        json!({
            "review": self.worksheet.review,
            "name": self.worksheet.name,
            "due": self.worksheet.due,
            "overdue": self.overdue,
            "scope": self.worksheet.scope,
            "opened_at": self.worksheet.opened_at,
            "review_sha256": self.review_sha256,
            "totals": self.totals,
            "reviewers": reviewers.collect::<Vec<_>>(),
        })
    }

    /// That a step of it was taken. Nobody is named.
    fn news(&self, step: ReviewStep) -> ReviewNews {
        let reviewers = (1..).zip(&self.reviewers).map(|(number, of)| ReviewerNews {
            number,
            rows: of.totals.rows,
            decided: of.totals.decided,
            overdue: self.is_late(of),
        });
        ReviewNews {
            step,
            review: self.worksheet.review.clone(),
            due: self.worksheet.due.clone(),
            overdue: self.overdue,
            verdict: None,
            totals: self.totals.clone(),
            reviewers: reviewers.collect(),
            not_in_order: 0,
        }
    }

    fn about(&self, settings: &Settings, moment: &Moment) -> About {
        About {
            run: run_id(moment.as_of, &moment.suffix),
            as_of: moment.as_of,
            connection: settings.connection.clone(),
            mark: Mark::of(&self.origin, self.worksheet.is_sandbox),
            tool: settings.frame.tool.clone(),
        }
    }
}

impl Opened {
    /// What others are told of it.
    pub fn news(&self, settings: &Settings, moment: &Moment) -> News {
        let about = self.progress.about(settings, moment);
        let review = self.progress.news(ReviewStep::Opened);
        News::of_review(&about, review, Some(&self.committed), Exit::Pass)
    }
}

impl Closing {
    /// The exit code: closed with a doubt, it is no pass.
    pub fn exit(&self) -> Exit {
        match self.verdict {
            None | Some(Verdict::Pass) => Exit::Pass,
            Some(Verdict::PassWithExceptions | Verdict::Inconclusive | Verdict::Fail) => {
                Exit::Inconclusive
            }
        }
    }

    /// What others are told of it.
    pub fn news(&self, settings: &Settings, moment: &Moment) -> News {
        let about = self.progress.about(settings, moment);
        let review = ReviewNews {
            verdict: self.verdict,
            not_in_order: self.faults.len(),
            ..self.progress.news(match self.committed {
                Some(_) => ReviewStep::Closed,
                None => ReviewStep::Status,
            })
        };
        News::of_review(&about, review, self.committed.as_ref(), self.exit())
    }
}

/// How far a review is, for machines. Who the reviewers are is in it only if `names` are wanted.
pub fn as_json(closing: &Closing, names: bool) -> Value {
    let mut told = closing.progress.as_json(names);
    let faults = closing.faults.iter().map(|fault| {
        let (file, text) = fault.words(names);
        json!({ "file": file, "line": fault.line, "text": text })
    });
    told["not_in_order"] = faults.collect();
    told
}

/// Whether the last day for decisions has passed, everywhere.
fn is_overdue(worksheet: &Worksheet, as_of: Timestamp) -> bool {
    let today = as_of.strftime("%Y-%m-%d").to_string();
    match (worksheet.due.parse::<Date>(), today.parse::<Date>()) {
        (Ok(due), Ok(today)) => today > due,
        _ => false,
    }
}
