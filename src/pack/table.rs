//! One table of the pack. CSV, spreadsheet and page are three printers of the same tables.

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
    /// A day: `2026-11-23`.
    Day,
    /// An instant in UTC: `2026-11-23T22:40:00Z`.
    Instant,
    /// `true` or `false`.
    Flag,
}
