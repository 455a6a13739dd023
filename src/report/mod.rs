//! The page for people: `report.html`, one file without network and script.
//!
//! It shows only facts that the other files have too. The same input gives the same bytes. Names are text from outside:
//! the templates escape them, and `visible` replaces characters that could reorder or hide text.

mod failed;
mod snapshot;
pub(crate) mod trend;
pub(crate) mod visible;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use askama::Template;

pub use visible::on_one_line;

use crate::evidence;

/// `report.html` of a run with a verdict.
pub fn snapshot(snapshot: &evidence::Snapshot<'_>) -> Vec<u8> {
    page(&snapshot::RunPage::of(snapshot))
}

/// `report.html` of a failed run, without a verdict.
pub fn failed_run(snapshot: &evidence::FailedSnapshot<'_>) -> Vec<u8> {
    page(&failed::FailedPage::of(snapshot))
}

pub(crate) fn page(template: &impl Template) -> Vec<u8> {
    let html = template
        .render()
        .expect("writing to memory does not fail, and no value of the page can");
    visible::without_hidden_characters(html).into_bytes()
}
