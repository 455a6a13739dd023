//! Tables as people hand them in: CSV as any spreadsheet saves it, or `.xlsx`.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use csv::StringRecord;

use crate::files;
use crate::files::delimited::{DELIMITERS, Lines, QuoteFault, has_backslash_escapes, reader};
use crate::people::trim;

/// More cells than this are no table of ours; a spreadsheet may claim any number in a few bytes.
const MAX_CELLS: usize = 20_000_000;

/// A table with a header.
pub(super) struct Table {
    headers: Vec<String>,
    pub(super) rows: Vec<TableRow>,
}

/// A row, with the line it begins in.
pub(super) struct TableRow {
    pub(super) line: u64,
    cells: Vec<String>,
    /// Why its cells may stand in the wrong columns, if so.
    pub(super) fault: Option<String>,
}

impl Table {
    /// The place of a column: case, blanks and hyphens make no difference.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    /// Whether the table has every one of these columns.
    pub(super) fn ensure_columns(&self, names: &[&str]) -> Result<(), String> {
        for name in names {
            match self.headers.iter().filter(|header| header == name).count() {
                0 => return Err(format!("it has no column `{name}`")),
                1 => {}
                _ => return Err(format!("it has two columns `{name}`")),
            }
        }
        Ok(())
    }

    /// The text of a cell; empty where there is none.
    pub(super) fn cell<'r>(&self, row: &'r TableRow, name: &str) -> &'r str {
        let cell = self.column(name).and_then(|at| row.cells.get(at));
        cell.map_or("", |cell| plain(cell))
    }
}

/// A cell without the apostrophe that kept a spreadsheet from running it.
fn plain(cell: &str) -> &str {
    let text = trim(cell);
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => text,
    }
}

fn header_key(text: &str) -> String {
    let plain = trim(text).chars().map(|c| match c {
        ' ' | '-' => '_',
        c => c.to_ascii_lowercase(),
    });
    plain.collect()
}

/// Reads a CSV with a header, parted by what makes the most of `known` columns.
pub(super) fn csv(bytes: Vec<u8>, known: &[&str]) -> Result<Table, String> {
    let text = files::decode(bytes)?.text;
    let text = text.trim_start_matches('\u{feff}');
    let (body, mut first_line) = match text.strip_prefix("sep=") {
        // A line that Excel writes and reads to name its delimiter.
        Some(rest) => (rest.split_once('\n').map_or("", |(_, rest)| rest), 2),
        None => (text, 1),
    };
    let blank = body.len() - body.trim_start_matches(['\r', '\n']).len();
    first_line += body[..blank].matches('\n').count() as u64;
    let body = &body[blank..];
    let header = |delimiter| {
        let mut record = StringRecord::new();
        let _ = reader(body, delimiter, false).read_record(&mut record);
        let cells: Vec<String> = record.iter().map(header_key).collect();
        let found = cells.iter().filter(|cell| known.contains(&cell.as_str()));
        (found.count(), delimiter, cells)
    };
    let best = DELIMITERS.into_iter().rev().map(header);
    let Some((_, delimiter, headers)) = best.max_by_key(|(found, ..)| *found) else {
        return Err("it is empty".to_owned());
    };
    let escapes = has_backslash_escapes(body.as_bytes(), delimiter);
    let mut lines = Lines::new(body, first_line, delimiter, escapes);
    lines.next_row()?;
    let mut rows = Vec::new();
    while let Some(row) = lines.next_row()? {
        if row.cells.iter().all(|cell| trim(cell).is_empty()) {
            continue;
        }
        let fault = match row.quotes {
            Err(QuoteFault::NeverClosed) => {
                return Err(format!(
                    "a quote in the row that begins in line {} is never closed",
                    row.line
                ));
            }
            Err(fault) => Some(fault.reason(row.line, row.last_line)),
            // Cells left out at the end are blank ones; more than the header has are not.
            Ok(()) if row.cells.len() > headers.len() => Some(format!(
                "the line has {} cells and the header {}",
                row.cells.len(),
                headers.len()
            )),
            Ok(()) => None,
        };
        rows.push(TableRow {
            line: row.line,
            cells: row.cells.iter().map(str::to_owned).collect(),
            fault,
        });
    }
    Ok(Table { headers, rows })
}

/// Reads the first sheet of a spreadsheet whose first row has a column `row`.
pub(super) fn xlsx(bytes: Vec<u8>) -> Result<Table, String> {
    let unreadable =
        |error: calamine::XlsxError| format!("the spreadsheet cannot be read: {error}");
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    for name in workbook.sheet_names() {
        let range = workbook.worksheet_range(&name).map_err(unreadable)?;
        if range.get_size().0.saturating_mul(range.get_size().1) > MAX_CELLS {
            return Err(format!("the sheet `{name}` is too large"));
        }
        let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
        let mut lines = (first..).zip(range.rows());
        let Some((_, header)) = lines.next() else {
            continue;
        };
        let headers: Vec<String> = header.iter().map(|cell| header_key(&text(cell))).collect();
        if !headers.iter().any(|header| header == "row") {
            continue;
        }
        let rows = lines
            .map(|(line, cells)| TableRow {
                line,
                cells: cells.iter().map(text).collect(),
                fault: None,
            })
            .filter(|row| row.cells.iter().any(|cell| !trim(cell).is_empty()));
        return Ok(Table {
            rows: rows.collect(),
            headers,
        });
    }
    Err("none of its sheets has a column `row` in its first line".to_owned())
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(value) => value.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_is_read_as_a_spreadsheet_saves_it() {
        let text = "\u{feff}sep=;\r\nNote;ROW;Decision\r\n;;\r\n'=not a formula;7;keep\r\n";
        let table = csv(text.as_bytes().to_vec(), &["row", "decision", "note"]).expect("a table");
        let row = &table.rows[0];
        assert_eq!((table.rows.len(), row.line), (1, 4));
        assert_eq!(table.cell(row, "row"), "7");
        assert_eq!(table.cell(row, "decision"), "keep");
        assert_eq!(table.cell(row, "note"), "=not a formula");
    }

    #[test]
    fn a_file_that_is_cut_within_quotes_is_refused() {
        let cut = csv(b"row,decision,note\n1,keep,\"a".to_vec(), &["row"]).err();
        assert!(cut.is_some_and(|why| why.contains("line 2")));
    }
}
