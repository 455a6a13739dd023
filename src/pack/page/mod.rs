//! The pages of the pack: `index.html`, and `sheet.html` for each sampled leaver.
//!
//! Each is one file without network and script. It shows only facts that the tables have too.

mod calendar;
mod equations;
mod grid;
mod interval;
mod sheet;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use super::{Cover, DeviationType, Flag, ItemBar, ItemResult, Pack, Part, ScheduleBasis};
use crate::model::counted;
use crate::report::page;
use crate::report::visible::Minute as _;
use crate::report::words::{Meaning as _, Title as _};
use calendar::Month;
use equations::{CLOSED, Equation, OPEN};
use grid::{Cell, Grid, GroupBy, GroupName, MAX_ROWS, Row};
use interval::Interval;
pub use sheet::sheet;
use words::{RESULTS, STATES, Tone};

/// `index.html`.
pub fn index(pack: &Pack) -> Vec<u8> {
    page(&IndexPage::of(pack))
}

#[derive(Template)]
#[template(path = "pack.html", config = "src/report/askama.toml")]
struct IndexPage<'a> {
    pack: &'a Pack,
    cover: &'a Cover,
    mark: Option<&'a str>,
    equations: Vec<Equation>,
    months: Vec<Month<'a>>,
    population: Vec<ResultGroup<'a>>,
    /// The items whose rows are on this page.
    shown: BTreeSet<&'a str>,
}

/// The items of one result.
struct ResultGroup<'a> {
    result: ItemResult,
    total: usize,
    items: Vec<Item<'a>>,
}

/// A row of the population.
struct Item<'a> {
    /// The number of the row in the table.
    number: usize,
    row: Row<'a>,
    bar: &'a ItemBar,
    interval: Interval,
}

impl Item<'_> {
    /// The id of the sentence beside the bar. Two rows may have one item id, in faulty evidence.
    fn anchor(&self) -> String {
        format!("interval-{}", self.number)
    }

    /// The last day of work as HR wrote it, else the termination date.
    fn hr_day(&self) -> Option<&str> {
        let days = ["hr_last_day", "hr_end"].map(|column| self.row.get(column));
        days.into_iter().find(|day| !day.is_empty())
    }

    /// The grace of record in hours.
    fn grace(&self) -> Option<&str> {
        hours(self.row.get("grace_hours"))
    }
}

impl<'a> IndexPage<'a> {
    fn of(pack: &'a Pack) -> Self {
        let population = population(pack);
        let items = population.iter().flat_map(|group| &group.items);
        Self {
            pack,
            cover: &pack.cover,
            mark: pack.cover.mark.as_deref(),
            equations: equations::equations(pack),
            months: calendar::months(&pack.days),
            shown: items.map(|item| &*item.bar.item_id).collect(),
            population,
        }
    }

    /// A table. None if the pack does not have it.
    fn grid(&self, name: &str) -> Option<Grid<'a>> {
        self.grouped(name, None)
    }

    fn grouped(&self, name: &str, by: Option<&GroupBy>) -> Option<Grid<'a>> {
        let table = self.pack.table(name)?;
        Some(Grid::of(table, chosen(name), by, &self.shown))
    }

    /// Whether the row of an item is on this page.
    fn is_shown(&self, item: &ItemBar) -> bool {
        self.shown.contains(&*item.item_id)
    }

    fn runs(&self) -> Option<Grid<'a>> {
        let groups = STATES.map(|state| GroupName {
            word: state.as_str(),
            title: state.title(),
            meaning: state.meaning(),
        });
        let by = GroupBy {
            groups: groups.to_vec(),
            word: |row| row.get("state"),
        };
        self.grouped("runs", Some(&by))
    }

    fn deviations(&self) -> Option<Grid<'a>> {
        let groups = DeviationType::ALL.iter().map(|kind| GroupName {
            word: kind.as_str(),
            title: kind.title(),
            meaning: kind.meaning(),
        });
        let by = GroupBy {
            groups: groups.collect(),
            word: |row| row.get("type"),
        };
        self.grouped("deviations", Some(&by))
    }

    fn findings(&self) -> Option<Grid<'a>> {
        let open = GroupName {
            word: OPEN,
            title: "Open at the end",
            meaning: "The last run of the period has the finding.",
        };
        let closed = GroupName {
            word: CLOSED,
            title: "Closed",
            meaning: "A later run of the period no longer has the finding.",
        };
        let by = GroupBy {
            groups: vec![open, closed],
            word: |row| match row.get("closed_entry") {
                "" => OPEN,
                _ => CLOSED,
            },
        };
        self.grouped("findings", Some(&by))
    }

    fn signatures(&self) -> &'static str {
        match self.cover.reliance.public_keys.len() {
            0 => "not relied on: no public key was given",
            1 => {
                "checked with this public key; confirm its SHA-256 with the person who keeps the private key:"
            }
            _ => {
                "checked with these public keys; confirm their SHA-256 with the persons who keep the private keys:"
            }
        }
    }

    fn end_of_ledger(&self) -> String {
        let last = self.cover.reliance.last_entry;
        match self.cover.reliance.head_given {
            None => {
                format!("entry {last}; no ledger head was given, so the end may have been cut off")
            }
            Some(given) if given < last => {
                format!(
                    "entry {last}; the head of entry {given} was given, so the end may have been cut off"
                )
            }
            Some(_) => format!(
                "entry {last}, as in the given head; compare it with a notification or log of that run"
            ),
        }
    }

    fn faults(&self) -> String {
        counted(self.cover.reliance.faults, "fault", "faults")
    }

    fn items_on_faults(&self) -> String {
        counted(self.cover.items_on_faults, "item rests", "items rest")
    }

    /// How many leavers and runs the sample was asked for.
    fn sizes(&self) -> String {
        let leavers = counted(self.cover.sample_size, "leaver", "leavers");
        let runs = counted(self.cover.sample_runs, "run", "runs");
        format!("{leavers} and {runs}")
    }

    fn population_extent(&self) -> String {
        let shown = self.population.iter().map(|group| group.items.len());
        grid::extent(shown.sum(), self.pack.items.len())
    }

    fn gaps_extent(&self) -> String {
        let total = self.pack.gaps.len();
        grid::extent(total.min(MAX_ROWS), total)
    }

    /// The flags of the population, each once.
    fn flags(&self) -> BTreeSet<Flag> {
        let items = self.pack.items.iter();
        items.flat_map(|item| item.flags.iter().copied()).collect()
    }

    /// The graces of record in hours, each with the number of its items; the most frequent first.
    fn graces(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let rows = self.pack.table("population").map(Row::all);
        for row in rows.unwrap_or_default() {
            if let Some(grace) = hours(row.get("grace_hours")) {
                *counts.entry(grace).or_default() += 1;
            }
        }
        let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(*count));
        let items = counts.into_iter();
        items
            .map(|(grace, count)| format!("{grace} h for {}", counted(count, "item", "items")))
            .collect()
    }
}

/// A decimal number without the zeros at its end; none for a blank.
fn hours(cell: &str) -> Option<&str> {
    let short = cell.trim_end_matches('0').trim_end_matches('.');
    match cell.contains('.') {
        true => Some(short),
        false => (!cell.is_empty()).then_some(cell),
    }
}

/// The days of the week with their columns in the calendar.
const WEEK: [(i64, &str); 7] = [
    (0, "Mo"),
    (1, "Tu"),
    (2, "We"),
    (3, "Th"),
    (4, "Fr"),
    (5, "Sa"),
    (6, "Su"),
];

/// The columns of a wide table that the page shows. None of them: all columns.
fn chosen(table: &str) -> &'static [&'static str] {
    match table {
        "runs" => &[
            "due_local",
            "began_at",
            "sequence",
            "complete",
            "accounts",
            "hr_rows",
            "deadlines_since_last_complete",
            "verified",
            "verdict",
            "reason",
        ],
        "hr_by_run" => &[
            "sequence",
            "rows",
            "read",
            "rejected",
            "blank",
            "duplicates",
            "persons",
            "further_rows",
            "leavers",
            "active",
            "on_leave",
            "unclassified",
            "carried",
        ],
        "deviations" => &[
            "deviation_id",
            "severity",
            "item_id",
            "what",
            "opened_at",
            "closed_at",
            "days",
            "how_closed",
            "management_response",
        ],
        "exceptions" => &[
            "keys",
            "state",
            "reason",
            "owner",
            "approved_by",
            "approved_on",
            "expires_on",
            "ticket",
            "in_force_since",
            "runs_used",
            "after_the_fact",
        ],
        "aliases" => &[
            "keys",
            "state",
            "reason",
            "owner",
            "approved_by",
            "approved_on",
            "expires_on",
            "ticket",
            "in_force_since",
            "runs_used",
        ],
        "admins" => &[
            "name",
            "email",
            "account_id",
            "since",
            "until",
            "how_began",
            "how_ended",
            "review_decision",
            "reason",
        ],
        "reviews" => &[
            "review",
            "scope",
            "opened_at",
            "due",
            "closed_at",
            "acknowledged_at",
            "rows",
            "undecided",
            "keep",
            "revoke",
            "change_role",
            "dont_know",
            "verdict",
        ],
        "decisions" => &[
            "review",
            "row",
            "name",
            "email",
            "role",
            "reviewer",
            "decided_by",
            "decision",
            "new_role",
            "note",
        ],
        "tools" => &[
            "first_run",
            "last_run",
            "runs",
            "recomputed",
            "version",
            "rules_sha256",
            "mapping_sha256",
            "hr_feed",
            "hr_columns",
            "key_sha256",
        ],
        _ => &[],
    }
}

/// The population by result, at most [`MAX_ROWS`] rows of it.
fn population(pack: &Pack) -> Vec<ResultGroup<'_>> {
    let rows = pack.table("population").map(Row::all).unwrap_or_default();
    let mut left = MAX_ROWS;
    let group = |result: ItemResult| {
        let here = (1..).zip(rows.iter().zip(&pack.items));
        let here = here.filter(|(_, (_, bar))| bar.result == result);
        let total = here.clone().count();
        let items: Vec<Item<'_>> = here
            .take(left)
            .map(|(number, (row, bar))| Item {
                number,
                row: *row,
                bar,
                interval: Interval::of(bar),
            })
            .collect();
        left -= items.len();
        (total > 0).then_some(ResultGroup {
            result,
            total,
            items,
        })
    };
    RESULTS.into_iter().filter_map(group).collect()
}
