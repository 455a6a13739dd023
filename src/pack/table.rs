//! One table of the pack. CSV, spreadsheet and page are three printers of the same tables.

use std::borrow::Cow;

use crate::evidence::csv;

/// A table: every row has one cell for each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name of the CSV file without `.csv`, and of the tab.
    pub name: &'static str,
    /// The heading for people.
    pub title: &'static str,
    pub columns: &'static [Column],
    /// Cells as text, in the exact form of the CSV file. Several values of one cell are separated by semicolons.
    pub rows: Vec<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What the cells of a column contain, if they are not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text and ids. A spreadsheet must not read an id as a number: it keeps 15 digits, and Asana's ids have 16.
    Text,
    /// A whole number.
    Count,
    /// A decimal number with a point.
    Decimal,
    /// A day: `2026-11-23`. Another text stays as a person wrote it.
    Day,
    /// An instant in UTC: `2026-11-23T22:40:00Z`.
    Instant,
    /// `true` or `false`.
    Flag,
}

impl Table {
    pub(super) fn new(name: &'static str, title: &'static str, columns: &'static [Column]) -> Self {
        Self {
            name,
            title,
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row. It must have one cell for each column.
    pub(super) fn push<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "{}", self.name);
        self.rows.push(cells.into());
    }

    /// The place of a column, from 0. None if the table has no such column.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|of| of.name == column)
    }

    /// The cells of a column, from the first row to the last. Empty if the table has no such column.
    pub fn cells(&self, column: &str) -> impl Iterator<Item = &str> {
        let place = self.place(column);
        let cells = self.rows.iter().filter_map(move |row| row.get(place?));
        cells.map(String::as_str)
    }

    /// The CSV file: as in the evidence, with a byte order mark and CRLF, and without formulas.
    pub fn to_csv(&self) -> Vec<u8> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let mut table = csv::Table::with_header(&names);
        for row in &self.rows {
            let cells = self.columns.iter().zip(row);
            table.row_with_numbers(cells.map(|(column, cell)| {
                let is_number = match column.kind {
                    Kind::Count | Kind::Decimal => true,
                    Kind::Text | Kind::Day | Kind::Instant | Kind::Flag => false,
                };
                (Cow::Borrowed(cell.as_str()), is_number)
            }));
        }
        let (bytes, _) = table.finish();
        bytes
    }
}

/// Several values of one cell.
pub(super) fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|of| of.to_string()).collect();
    values.join(";")
}

/// A cell that may be blank.
pub(super) fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

pub(super) const fn text(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Text,
    }
}

pub(super) const fn count(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Count,
    }
}

pub(super) const fn decimal(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Decimal,
    }
}

pub(super) const fn day(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Day,
    }
}

pub(super) const fn instant(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Instant,
    }
}

pub(super) const fn flag(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Flag,
    }
}
