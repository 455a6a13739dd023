//! The page a person reads: `report.html`, one file without network and script.
//!
//! It says nothing that the machine files don't: it is made from the same values, at the same
//! instant, and the same input gives the same bytes. Names come from strangers: the templates escape
//! them, and `visible` takes the power from characters that could reorder or hide what is written.

mod failed;
mod night;
mod review;
mod trend;
mod visible;
mod words;
mod worksheet;

#[cfg(test)]
mod tests;

use askama::Template;

pub use visible::on_one_line;

use jiff::Timestamp;

use crate::evidence::{self, ReviewClosed, Tool, Worksheet};

/// `report.html` of a night that was judged.
pub fn night(night: &evidence::Night<'_>) -> Vec<u8> {
    page(&night::Page::of(night))
}

/// `report.html` of a night that could not be judged: it says so, and shows no verdict.
pub fn failed_night(night: &evidence::FailedNight<'_>) -> Vec<u8> {
    page(&failed::Page::of(night))
}

/// `worksheet.html`: the page a reviewer works in.
pub fn worksheet(worksheet: &Worksheet, review_sha256: &str, origin: &str) -> Vec<u8> {
    page(&worksheet::Page::of(worksheet, review_sha256, origin))
}

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
    page(&review::Page::of(review))
}

fn page(template: &impl Template) -> Vec<u8> {
    let html = template
        .render()
        .expect("writing to memory does not fail, and no value of the page can");
    visible::without_hidden_characters(html).into_bytes()
}
