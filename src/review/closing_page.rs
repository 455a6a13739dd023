//! `report.html` of a closed review: the decisions, and the changes that are due.

use askama::Template;

use super::{ClosedRow, ReviewClosed, Worksheet};
use crate::evidence::Tool;
use crate::judgement::{Decision, Mark};
use crate::model::Permissions;
use crate::report::{page, visible::Minute as _};

/// A longer table is slow to draw.
const ROWS_ON_A_PAGE: usize = 200;

#[derive(Template)]
#[template(path = "review.html", config = "src/report/askama.toml")]
struct ClosingPage<'a> {
    worksheet: &'a Worksheet,
    closed: &'a ReviewClosed,
    reasons: Vec<String>,
    tool: &'a Tool,
    origin: &'a str,
    mark: Option<Mark>,
}

/// Some of the rows, by their numbers.
struct PageOfRows<'a> {
    first: u32,
    last: u32,
    rows: &'a [ClosedRow],
}

pub fn closing_page(
    worksheet: &Worksheet,
    closed: &ReviewClosed,
    tool: &Tool,
    origin: &str,
) -> Vec<u8> {
    page(&ClosingPage {
        worksheet,
        closed,
        reasons: closed.reasons(),
        tool,
        origin,
        mark: Mark::of(origin, worksheet.is_sandbox),
    })
}

impl<'a> ClosingPage<'a> {
    /// The folder of the worksheet, relative to the page.
    fn opened(&self) -> String {
        let folder = self.closed.opened.run.rsplit('/').next();
        format!("../{}", folder.unwrap_or_default())
    }

    fn due(&self) -> Vec<&'a ClosedRow> {
        self.closed.asked().map(|(row, _)| row).collect()
    }

    /// The rows in pages.
    fn pages(&self) -> impl Iterator<Item = PageOfRows<'a>> {
        let pages = self.closed.rows.chunks(ROWS_ON_A_PAGE);
        pages.filter_map(|rows| {
            Some(PageOfRows {
                first: rows.first()?.row,
                last: rows.last()?.row,
                rows,
            })
        })
    }

    fn open_questions(&self) -> Vec<&'a ClosedRow> {
        let is_open = |row: &&ClosedRow| match row.decision {
            Some(Decision::DontKnow) | None => true,
            Some(Decision::Keep | Decision::Revoke | Decision::ChangeRole) => false,
        };
        self.closed.rows.iter().filter(is_open).collect()
    }
}
