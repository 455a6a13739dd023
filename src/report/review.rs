//! The page of a review that was closed: what was decided, and what is due.

use askama::Template;
use jiff::Timestamp;

use super::visible::Minute as _;
use crate::evidence::{ClosedRow, ReviewClosed, Tool, Worksheet};
use crate::judgement::Mark;
use crate::people::Decision;

/// `report.html` of a review that was closed.
#[derive(Template)]
#[template(path = "review.html", config = "src/report/askama.toml")]
pub(super) struct Page<'a> {
    pub(super) worksheet: &'a Worksheet,
    pub(super) closed: &'a ReviewClosed,
    pub(super) reasons: &'a [String],
    pub(super) tool: &'a Tool,
    pub(super) origin: &'a str,
    pub(super) mark: Option<Mark>,
    pub(super) revocations_due: Timestamp,
}

impl<'a> Page<'a> {
    pub(super) fn of(review: &super::Closed<'a>) -> Self {
        Self {
            worksheet: review.worksheet,
            closed: review.closed,
            reasons: review.reasons,
            tool: review.tool,
            origin: review.origin,
            mark: Mark::of(review.origin, review.worksheet.is_sandbox),
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
