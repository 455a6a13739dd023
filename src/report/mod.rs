//! The page a person reads: `report.html`, one file without network and script.
//!
//! It says nothing that the machine files don't: it is made from the same values, at the same
//! instant, and the same input gives the same bytes. Names come from strangers: the templates escape
//! them, and `visible` takes the power from characters that could reorder or hide what is written.

mod failed;
mod snapshot;
mod trend;
pub(crate) mod visible;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use askama::Template;

pub use visible::on_one_line;

use crate::evidence;

/// `report.html` of a run that was judged.
pub fn snapshot(snapshot: &evidence::Snapshot<'_>) -> Vec<u8> {
    page(&snapshot::RunPage::of(snapshot))
}

/// `report.html` of a run that could not be judged: it says so, and shows no verdict.
pub fn failed_run(snapshot: &evidence::FailedSnapshot<'_>) -> Vec<u8> {
    page(&failed::FailedPage::of(snapshot))
}

pub(crate) fn page(template: &impl Template) -> Vec<u8> {
    let html = template
        .render()
        .expect("writing to memory does not fail, and no value of the page can");
    visible::without_hidden_characters(html).into_bytes()
}
