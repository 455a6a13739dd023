//! Tables from reviewers: CSV in any form that spreadsheets save, or `.xlsx`. Columns are identified by name.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

use crate::files;
use crate::files::delimited::{Lines, column_key, delimiter, has_backslash_escapes};
use crate::model::trim;

/// The largest unpacked spreadsheet, in bytes. One of 100,000 rows has about 100 MB.
const MAX_UNPACKED: u64 = 256 << 20;

/// The columns that a table may have, and those that it must have.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) known: &'a [&'a str],
    pub(super) required: &'a [&'a str],
}

/// A table with a header.
pub(super) struct DecisionTable {
    headers: Vec<String>,
    pub(super) rows: Vec<TableRow>,
}

pub(super) struct TableRow {
    /// The first line of the row, counted from 1.
    pub(super) line: u64,
    cells: Vec<String>,
    /// The reason why its cells may be in the wrong columns, if there is one.
    pub(super) fault: Option<String>,
}

impl DecisionTable {
    fn of(headers: Vec<String>, rows: Vec<TableRow>, columns: Columns<'_>) -> Result<Self, String> {
        let count = |name: &str| headers.iter().filter(|header| *header == name).count();
        // With two columns of one name, one would be ignored.
        if let Some(name) = columns.known.iter().find(|name| count(name) > 1) {
            return Err(format!("it has two columns `{name}`"));
        }
        match columns.required.iter().find(|name| count(name) == 0) {
            Some(name) => Err(format!("it has no column `{name}`")),
            None => Ok(Self { headers, rows }),
        }
    }

    /// The text of a cell; empty if the row has no such cell.
    pub(super) fn cell<'r>(&self, row: &'r TableRow, name: &str) -> &'r str {
        let column = self.headers.iter().position(|header| header == name);
        let cell = column.and_then(|at| row.cells.get(at));
        cell.map_or("", |cell| plain(cell))
    }
}

/// A cell without the apostrophe that prevents a spreadsheet from running it as a formula.
fn plain(cell: &str) -> &str {
    let text = trim(cell);
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => text,
    }
}

/// Reads a CSV with a header.
pub(super) fn csv(bytes: Vec<u8>, columns: Columns<'_>) -> Result<DecisionTable, String> {
    let text = files::decode(bytes)?.text;
    of_text(text.trim_start_matches('\u{feff}'), columns)
}

/// Reads a CSV with a header, from a text without a byte order mark.
pub(super) fn of_text(text: &str, columns: Columns<'_>) -> Result<DecisionTable, String> {
    // The first line may name the delimiter, for Excel.
    let (body, mut first_line) = match text.split_at_checked("sep=".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("sep=") => {
            (rest.split_once('\n').map_or("", |(_, rest)| rest), 2)
        }
        Some(_) | None => (text, 1),
    };
    let blank = body.len() - body.trim_start_matches(['\r', '\n']).len();
    first_line += body[..blank].matches('\n').count() as u64;
    let body = &body[blank..];
    let delimiter = delimiter(body, columns.known);
    let escapes = has_backslash_escapes(body.as_bytes(), delimiter);
    let mut lines = Lines::new(body, first_line, delimiter, escapes);
    let headers: Vec<String> = match lines.next_row()? {
        Some(header) => {
            header.ensure_header()?;
            header.cells.iter().map(column_key).collect()
        }
        None => return Err("it is empty".to_owned()),
    };
    let mut rows = Vec::new();
    while let Some(row) = lines.next_row()? {
        if row.is_blank() {
            continue;
        }
        let fault = match row.quotes_fault()? {
            Some(fault) => Some(fault),
            // Missing cells at the end are blank; more cells than in the header are a fault.
            None if row.cells.len() > headers.len() => Some(row.other_count(headers.len())),
            None => None,
        };
        rows.push(TableRow {
            line: row.line,
            cells: row.cells.iter().map(str::to_owned).collect(),
            fault,
        });
    }
    DecisionTable::of(headers, rows, columns)
}

/// Reads a spreadsheet. Exactly one sheet, hidden ones included, may have content; its first row is the header.
pub(super) fn xlsx(bytes: &[u8], columns: Columns<'_>) -> Result<DecisionTable, String> {
    ensure_of_a_size(bytes)?;
    // The library may panic on a corrupt file, which counts as unreadable.
    let sheets = std::panic::catch_unwind(|| sheets(bytes));
    let sheets = sheets.unwrap_or_else(|_| Err(unreadable("it is corrupt")))?;
    let mut sheets = sheets.into_iter();
    let Some((one, rows)) = sheets.next() else {
        return Err("it is empty".to_owned());
    };
    if let Some((other, _)) = sheets.next() {
        return Err(format!(
            "its sheets {one} and {other} (hidden ones included) both have content: keep the decisions in \
             one sheet, and delete the others"
        ));
    }
    let mut rows = rows.into_iter();
    let header = rows.next().map(|(_, cells)| cells).unwrap_or_default();
    let width = header.keys().next_back().map_or(0, |last| last + 1);
    let dense = |mut cells: BTreeMap<usize, String>| -> Vec<String> {
        let cells = (0..width).map(|at| cells.remove(&at).unwrap_or_default());
        cells.collect()
    };
    let headers: Vec<String> = dense(header).iter().map(|text| column_key(text)).collect();
    let rows = rows.map(|(line, cells)| TableRow {
        line,
        cells: dense(cells),
        fault: None,
    });
    DecisionTable::of(headers, rows.collect(), columns)
}

fn unreadable(error: impl Display) -> String {
    format!("the spreadsheet cannot be read: {error}")
}

/// Checks the unpacked size first, because a few bytes may unpack to any size.
fn ensure_of_a_size(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut size = 0;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(unreadable)?;
        let mut part = part.take(MAX_UNPACKED + 1 - size);
        size += std::io::copy(&mut part, &mut std::io::sink()).map_err(unreadable)?;
        if size > MAX_UNPACKED {
            return Err(format!(
                "the spreadsheet unpacks to more than {MAX_UNPACKED} bytes"
            ));
        }
    }
    Ok(())
}

/// The filled cells by line and column. Blank cells take no memory, because a sheet may claim any size.
type Cells = BTreeMap<u64, BTreeMap<usize, String>>;

/// Every sheet with content, and its number, counted from 1.
fn sheets(bytes: &[u8]) -> Result<Vec<(usize, Cells)>, String> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut sheets = Vec::new();
    for (number, name) in (1..).zip(workbook.sheet_names()) {
        let mut reader = match workbook.worksheet_cells_reader(&name) {
            Ok(reader) => reader,
            // For example a chart.
            Err(XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(unreadable(error)),
        };
        let mut cells = Cells::new();
        while let Some(cell) = reader.next_cell().map_err(unreadable)? {
            // The error of a formula is text too, so that its row counts as filled in.
            let text = Data::from(cell.get_value().clone()).to_string();
            if !trim(&text).is_empty() {
                let (row, column) = cell.get_position();
                let column = usize::try_from(column).unwrap_or(usize::MAX);
                let line = cells.entry(u64::from(row) + 1).or_default();
                line.insert(column, text);
            }
        }
        if !cells.is_empty() {
            sheets.push((number, cells));
        }
    }
    Ok(sheets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns<'_> = Columns {
        known: &["row", "decision", "note"],
        required: &["row"],
    };

    #[test]
    fn a_csv_of_a_spreadsheet_is_read() {
        let text = "\u{feff}Sep=;\r\nNote;ROW;Decision\r\n;;\r\n'=not a formula;7;keep\r\n";
        let table = csv(text.as_bytes().to_vec(), COLUMNS).expect("a table");
        let row = &table.rows[0];
        assert_eq!((table.rows.len(), row.line), (1, 4));
        assert_eq!(table.cell(row, "row"), "7");
        assert_eq!(table.cell(row, "decision"), "keep");
        assert_eq!(table.cell(row, "note"), "=not a formula");
    }

    #[test]
    fn a_file_that_is_cut_within_quotes_is_refused() {
        let cut = csv(b"row,decision,note\n1,keep,\"a".to_vec(), COLUMNS).err();
        assert!(cut.is_some_and(|why| why.contains("line 2")));
    }
}
