//! The page of a review that was closed: what was decided, and what is due.

use askama::Template;
use jiff::Timestamp;

use crate::evidence::Tool;
use crate::judgement::mark_of_origin;
use crate::report::{page, visible::Minute as _};
use crate::review::Decision;
use crate::review::{ClosedRow, ReviewClosed, Worksheet};

/// A review that was closed: what its page is made from.
#[derive(Clone, Copy, Debug)]
pub struct Closed<'a> {
    /// The frozen population.
    pub worksheet: &'a Worksheet,
    /// What was decided.
    pub closed: &'a ReviewClosed,
    /// What is said on page one beside the totals.
    pub reasons: &'a [String],
    /// The program.
    pub tool: &'a Tool,
    /// Where the accounts came from.
    pub origin: &'a str,
    /// Until when what was asked for must be done.
    pub revocations_due: Timestamp,
}

/// `report.html` of a review that was closed.
pub fn closed_review(review: &Closed<'_>) -> Vec<u8> {
    page(&Page::of(review))
}

/// `report.html` of a review that was closed.
#[derive(Template)]
#[template(path = "review.html", config = "src/report/askama.toml")]
struct Page<'a> {
    worksheet: &'a Worksheet,
    closed: &'a ReviewClosed,
    reasons: &'a [String],
    tool: &'a Tool,
    origin: &'a str,
    mark: Option<&'static str>,
    revocations_due: Timestamp,
}

impl<'a> Page<'a> {
    fn of(review: &Closed<'a>) -> Self {
        Self {
            worksheet: review.worksheet,
            closed: review.closed,
            reasons: review.reasons,
            tool: review.tool,
            origin: review.origin,
            mark: mark_of_origin(review.origin),
            revocations_due: review.revocations_due,
        }
    }

    fn workspace(&self) -> &str {
        let workspace = &self.worksheet.workspace;
        workspace.name.as_deref().unwrap_or(&workspace.id)
    }

    fn due(&self) -> Vec<&'a ClosedRow> {
        let rows = self.closed.rows.iter();
        rows.filter(|row| match row.decision {
            Some(Decision::Revoke | Decision::ChangeRole) => true,
            Some(Decision::Keep | Decision::DontKnow) | None => false,
        })
        .collect()
    }

    fn doubts(&self) -> Vec<&'a ClosedRow> {
        let rows = self.closed.rows.iter();
        rows.filter(|row| match row.decision {
            Some(Decision::DontKnow) | None => true,
            Some(Decision::Keep | Decision::Revoke | Decision::ChangeRole) => false,
        })
        .collect()
    }
}
