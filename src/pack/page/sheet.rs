//! `sheet.html`: the working paper for a sampled leaver.

use std::collections::BTreeSet;

use askama::Template;

use super::grid::{Cell, Grid, Row};
use super::interval::Interval;
use crate::pack::{Cover, ItemBar, Pack, SampledLeaver, SampledRun};
use crate::report::page;
use crate::report::visible::{Minute as _, duration};
use crate::report::words::{Meaning as _, Title as _};
use jiff::SignedDuration;

/// `sheet.html` of a sampled leaver. None if the population does not have the item.
pub fn sheet(pack: &Pack, leaver: &SampledLeaver) -> Option<Vec<u8>> {
    let table = pack.table("population")?;
    let mut items = Row::all(table).into_iter().zip(&pack.items);
    let (row, bar) = items.find(|(_, bar)| bar.item_id == leaver.item_id)?;
    let none = BTreeSet::new();
    Some(page(&SheetPage {
        cover: &pack.cover,
        mark: pack.cover.mark.as_deref(),
        leaver,
        row,
        bar,
        interval: Interval::of(bar),
        hr: Grid::of(&leaver.hr, &[], None, &none),
        access: Grid::of(&leaver.access, &[], None, &none),
    }))
}

#[derive(Template)]
#[template(path = "sheet.html", config = "src/report/askama.toml")]
struct SheetPage<'a> {
    cover: &'a Cover,
    mark: Option<&'a str>,
    leaver: &'a SampledLeaver,
    row: Row<'a>,
    bar: &'a ItemBar,
    interval: Interval,
    hr: Grid<'a>,
    access: Grid<'a>,
}

impl<'a> SheetPage<'a> {
    fn grace(&self) -> Option<String> {
        let grace = self.leaver.grace_seconds?;
        Some(duration(SignedDuration::from_secs(grace)))
    }

    /// The runs whose evidence is beside this page, with their folders.
    fn runs(&self) -> Vec<(&'static str, &'a SampledRun)> {
        let runs = [
            ("rule", &self.leaver.rule),
            ("before", &self.leaver.before),
            ("after", &self.leaver.after),
        ];
        let runs = runs.into_iter();
        runs.filter_map(|(folder, run)| Some((folder, run.as_ref()?)))
            .collect()
    }
}
