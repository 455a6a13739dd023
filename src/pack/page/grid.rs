//! A table on a page: chosen columns, the first rows, groups that numbers elsewhere link to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::words::heading;
use crate::model::counted;
use crate::pack::{Column, Kind, Table};

/// A page shows this many rows of a table. The CSV file has all of them.
pub(super) const MAX_ROWS: usize = 200;

/// A text with more characters gets a wide column.
const LONG: usize = 28;

/// A row of a table whose cells are found by the name of their column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    table: &'a Table,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    pub(super) fn all(table: &'a Table) -> Vec<Self> {
        let row = |cells: &'a Vec<String>| Self { table, cells };
        table.rows.iter().map(row).collect()
    }

    pub(super) fn get(self, name: &str) -> &'a str {
        let place = self.table.columns.iter().position(|of| of.name == name);
        &self.cells[place.expect("a column of the table")]
    }

    /// A word of a closed set, or several, for people.
    pub(super) fn plain(self, name: &str) -> String {
        plain(self.get(name))
    }
}

/// What the rows of a table are grouped by: the groups in the order of the page, and the group of a row by its word.
pub(super) struct GroupBy {
    pub(super) groups: Vec<GroupName>,
    pub(super) word: fn(Row<'_>) -> &str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupName {
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) meaning: &'static str,
}

#[derive(Debug)]
pub(super) struct Grid<'a> {
    /// The name of the CSV file without `.csv`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) columns: Vec<GridColumn>,
    pub(super) groups: Vec<Group<'a>>,
    pub(super) total: usize,
}

#[derive(Debug)]
pub(super) struct GridColumn {
    pub(super) heading: String,
    pub(super) class: &'static str,
}

#[derive(Debug)]
pub(super) struct Group<'a> {
    /// None for the one group of a table that is not grouped.
    pub(super) name: Option<GroupName>,
    pub(super) total: usize,
    /// The cells of the chosen columns.
    pub(super) rows: Vec<Vec<Cell<'a>>>,
}

#[derive(Debug)]
pub(super) enum Cell<'a> {
    Blank,
    Text(&'a str),
    /// A word of a closed set, for people.
    Word(String),
    /// Addresses or pairs that semicolons separate.
    List(&'a str),
    Code(&'a str),
    Number(&'a str),
    Day(&'a str),
    Instant(Timestamp),
    /// A time by a clock, and its zone.
    Local(&'a str, &'a str),
    Flag(bool),
    /// An item whose row is on this page.
    Item(&'a str),
}

impl<'a> Grid<'a> {
    /// The chosen columns of a table; all of them if none is chosen.
    pub(super) fn of(
        table: &'a Table,
        chosen: &[&str],
        by: Option<&GroupBy>,
        items: &BTreeSet<&str>,
    ) -> Self {
        let columns = table.columns.iter().enumerate();
        let columns: Vec<(usize, &Column)> = match chosen.is_empty() {
            true => columns.collect(),
            false => chosen
                .iter()
                .map(|name| {
                    let mut columns = columns.clone();
                    let column = columns.find(|(_, column)| column.name == *name);
                    column.expect("a column of the table")
                })
                .collect(),
        };
        let mut left = MAX_ROWS;
        let groups = places(table, by).into_iter().map(|(name, places)| {
            let shown = places.len().min(left);
            left -= shown;
            let cells = |place: usize| {
                let row = &table.rows[place];
                let cells = columns.iter().map(|(at, of)| cell(of, &row[*at], items));
                cells.collect()
            };
            Group {
                name,
                total: places.len(),
                rows: places[..shown].iter().copied().map(cells).collect(),
            }
        });
        Self {
            name: table.name,
            title: table.title,
            groups: groups.collect(),
            total: table.rows.len(),
            columns: columns
                .into_iter()
                .map(|(at, column)| GridColumn {
                    heading: heading(column.name),
                    class: class(column, table, at),
                })
                .collect(),
        }
    }

    /// How many rows there are, and how many of them are here.
    pub(super) fn extent(&self) -> String {
        let shown = self.groups.iter().map(|group| group.rows.len());
        extent(shown.sum(), self.total)
    }
}

pub(super) fn extent(shown: usize, total: usize) -> String {
    let rows = counted(total, "row", "rows");
    match shown < total {
        true => format!("The first {shown} of {rows}"),
        false => rows,
    }
}

impl Cell<'_> {
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }
}

/// The places of the rows of each group. Rows of no listed group come last, in a group without a name.
fn places(table: &Table, by: Option<&GroupBy>) -> Vec<(Option<GroupName>, Vec<usize>)> {
    let rows = Row::all(table);
    let mut rest: Vec<usize> = (0..rows.len()).collect();
    let mut groups = Vec::new();
    for name in by.map_or(&[][..], |by| &by.groups) {
        let here = |place: &usize| by.is_some_and(|by| (by.word)(rows[*place]) == name.word);
        let (found, others): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(here);
        if !found.is_empty() {
            groups.push((Some(*name), found));
        }
        rest = others;
    }
    if !rest.is_empty() {
        groups.push((None, rest));
    }
    groups
}

fn cell<'a>(column: &Column, cell: &'a str, items: &BTreeSet<&str>) -> Cell<'a> {
    if cell.is_empty() {
        return Cell::Blank;
    }
    match column.kind {
        Kind::Text if column.name == "item_id" && items.contains(cell) => Cell::Item(cell),
        Kind::Text if is_code(column.name) => Cell::Code(cell),
        Kind::Text if is_list(column.name) => Cell::List(cell),
        Kind::Text if is_word(column.name) => Cell::Word(plain(cell)),
        Kind::Text if is_local(column.name) => match cell.rsplit_once(' ') {
            Some((at, zone)) => Cell::Local(at, zone),
            None => Cell::Text(cell),
        },
        Kind::Count | Kind::Decimal => Cell::Number(cell),
        Kind::Day if cell.parse::<Date>().is_ok() => Cell::Day(cell),
        Kind::Instant => cell.parse().map_or(Cell::Text(cell), Cell::Instant),
        // A rule of a run can be a flag, too.
        Kind::Day | Kind::Text | Kind::Flag => cell.parse().map_or(Cell::Text(cell), Cell::Flag),
    }
}

/// Ids and hashes.
fn is_code(name: &str) -> bool {
    let codes = ["run", "commit", "folder", "due_items"];
    name.ends_with("_id") || name.ends_with("sha256") || codes.contains(&name)
}

/// Addresses and pairs.
fn is_list(name: &str) -> bool {
    let lists = [
        "account_email",
        "approved_by",
        "decided_by",
        "email",
        "emails",
        "hr_columns",
        "keys",
        "owner",
        "reviewer",
    ];
    lists.contains(&name)
}

/// Words of closed sets, in CSV files with underscores.
fn is_word(name: &str) -> bool {
    let words = [
        "change",
        "decision",
        "difference",
        "effect",
        "how_began",
        "how_closed",
        "how_ended",
        "kind",
        "population",
        "question",
        "review_decision",
        "state",
        "type",
        "verdict",
        "verified",
        "why",
    ];
    words.contains(&name)
}

fn plain(words: &str) -> String {
    words.replace('_', " ").replace(';', "; ")
}

/// A time by a clock, with the name of its zone.
fn is_local(name: &str) -> bool {
    name.ends_with("_local")
}

fn class(column: &Column, table: &Table, at: usize) -> &'static str {
    match column.kind {
        Kind::Count | Kind::Decimal => "amount",
        Kind::Text if column.name == "management_response" => "answer",
        Kind::Text if is_code(column.name) => "id",
        Kind::Text if is_local(column.name) => "when",
        Kind::Text => {
            let mut first = table.rows.iter().take(MAX_ROWS);
            match first.any(|row| row[at].chars().count() > LONG) {
                true => "long",
                false => "",
            }
        }
        Kind::Day | Kind::Instant | Kind::Flag => "",
    }
}
