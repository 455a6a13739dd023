//! Tables as people hand them in: CSV as any spreadsheet saves it, or `.xlsx`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};

use calamine::{Data, Reader as _, Xlsx, XlsxCellReader, XlsxError};
use zip::ZipArchive;

use crate::files;
use crate::files::delimited::{Lines, column_key, delimiter, has_backslash_escapes};
use crate::people::trim;

/// More cells than this are no table of ours; a spreadsheet may claim any number in a few bytes.
/// A worksheet of 100,000 rows has two million.
const MAX_CELLS: usize = 5_000_000;

/// So many bytes of text in a sheet are more than a table of ours has: one text may fill many cells.
const MAX_TEXT: usize = 256 << 20;

/// So many bytes of each part of a spreadsheet are looked at for what it claims.
const START: u64 = 64 << 10;

/// A spreadsheet that unpacks to more is refused, in bytes: one of 100,000 rows has some 100 MB.
const MAX_UNPACKED: u64 = 256 << 20;

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

    /// Of two columns of one name, one would be read and the other lost.
    pub(super) fn ensure_no_column_twice(&self, names: &[&str]) -> Result<(), String> {
        let count = |name: &str| self.headers.iter().filter(|header| *header == name).count();
        match names.iter().find(|name| count(name) > 1) {
            Some(name) => Err(format!("it has two columns `{name}`")),
            None => Ok(()),
        }
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

/// Reads a CSV with a header, parted by what makes the most of `known` columns.
pub(super) fn csv(bytes: Vec<u8>, known: &[&str]) -> Result<Table, String> {
    let text = files::decode(bytes)?.text;
    of_text(text.trim_start_matches('\u{feff}'), known)
}

/// The same of a text without a byte order mark.
pub(super) fn of_text(text: &str, known: &[&str]) -> Result<Table, String> {
    // A line that Excel writes and reads to name its delimiter.
    let names_delimiter = |start: &str| start.eq_ignore_ascii_case("sep=");
    let (body, mut first_line) = match text.split_at_checked("sep=".len()) {
        Some((start, rest)) if names_delimiter(start) => {
            (rest.split_once('\n').map_or("", |(_, rest)| rest), 2)
        }
        Some(_) | None => (text, 1),
    };
    let blank = body.len() - body.trim_start_matches(['\r', '\n']).len();
    first_line += body[..blank].matches('\n').count() as u64;
    let body = &body[blank..];
    let delimiter = delimiter(body, known);
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
            // Cells left out at the end are blank ones; more than the header has are not.
            None if row.cells.len() > headers.len() => Some(row.other_count(headers.len())),
            None => None,
        };
        rows.push(TableRow {
            line: row.line,
            cells: row.cells.iter().map(str::to_owned).collect(),
            fault,
        });
    }
    Ok(Table { headers, rows })
}

/// A sheet of a spreadsheet that has a column `row`.
pub(super) struct Sheet {
    /// Its number, from 1, hidden ones counted.
    pub(super) number: usize,
    pub(super) table: Table,
}

/// Reads every sheet of a spreadsheet whose first row has a column `row`.
pub(super) fn xlsx(bytes: &[u8]) -> Result<Vec<Sheet>, String> {
    ensure_of_a_size(bytes)?;
    // Whatever a stranger made of the file, it is only a file that cannot be read.
    let read = std::panic::catch_unwind(|| sheets(bytes));
    read.unwrap_or_else(|_| Err("the spreadsheet cannot be read: it is damaged".to_owned()))
}

fn unreadable(error: &dyn std::fmt::Display) -> String {
    format!("the spreadsheet cannot be read: {error}")
}

/// A few bytes may unpack to any number, and a header may lie about it.
fn ensure_of_a_size(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let mut left = MAX_UNPACKED;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|error| unreadable(&error))?;
        let is_of_texts = String::from_utf8_lossy(file.name_raw())
            .to_ascii_lowercase()
            .ends_with("sharedstrings.xml");
        let mut file = file.take(left + 1);
        let mut start = Vec::new();
        let size = (&mut file)
            .take(START)
            .read_to_end(&mut start)
            .and_then(|_| std::io::copy(&mut file, &mut std::io::sink()));
        let size = start.len() as u64 + size.map_err(|error| unreadable(&error))?;
        left = left
            .checked_sub(size)
            .ok_or_else(|| format!("the spreadsheet unpacks to more than {MAX_UNPACKED} bytes"))?;
        let claimed = claimed_texts(&start).filter(|_| is_of_texts);
        if claimed.is_some_and(|claimed| claimed > MAX_CELLS as u64) {
            return Err("the spreadsheet says that it holds more texts than it can".to_owned());
        }
    }
    Ok(())
}

/// How many texts a list of shared ones says it has: room for all is made before the first is read.
fn claimed_texts(start: &[u8]) -> Option<u64> {
    let start = String::from_utf8_lossy(start);
    let (_, claimed) = start.split_once("uniqueCount")?;
    let digits = claimed.trim_start_matches([' ', '\t', '\r', '\n', '=', '"', '\'']);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    // More than fit are not taken for a number.
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, String> {
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let mut sheets = Vec::new();
    for (number, name) in (1..).zip(workbook.sheet_names()) {
        let lines = match workbook.worksheet_cells_reader(&name) {
            Ok(cells) => lines(cells).map_err(|why| format!("sheet {number}: {why}"))?,
            // A chart, say.
            Err(XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        let mut lines = lines.into_iter();
        let Some((_, header)) = lines.next() else {
            continue;
        };
        let width = header.keys().next_back().map_or(0, |last| last + 1);
        let dense = |cells: &BTreeMap<usize, String>| -> Vec<String> {
            let cells = (0..width).map(|at| cells.get(&at).cloned().unwrap_or_default());
            cells.collect()
        };
        let headers: Vec<String> = dense(&header).iter().map(|text| column_key(text)).collect();
        if !headers.iter().any(|header| header == "row") {
            continue;
        }
        if width.saturating_mul(lines.len()) > MAX_CELLS {
            return Err(format!("sheet {number}: it is too large"));
        }
        let rows = lines.map(|(line, cells)| TableRow {
            line,
            cells: dense(&cells),
            fault: None,
        });
        let table = Table {
            rows: rows.collect(),
            headers,
        };
        sheets.push(Sheet { number, table });
    }
    if sheets.is_empty() {
        return Err("none of its sheets has a column `row` in its first line".to_owned());
    }
    Ok(sheets)
}

/// The cells of a sheet that are not blank, by line and place. A sheet may claim to be as large as it likes.
fn lines<R: Read + Seek>(
    mut cells: XlsxCellReader<'_, R>,
) -> Result<BTreeMap<u64, BTreeMap<usize, String>>, String> {
    let mut lines: BTreeMap<u64, BTreeMap<usize, String>> = BTreeMap::new();
    let (mut count, mut length) = (0, 0);
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
        let (row, column) = cell.get_position();
        let text = text(&cell.get_value().clone().into());
        if trim(&text).is_empty() {
            continue;
        }
        count += 1;
        length += text.len();
        if count > MAX_CELLS || length > MAX_TEXT {
            return Err("it is too large".to_owned());
        }
        let line = lines.entry(u64::from(row) + 1).or_default();
        line.insert(usize::try_from(column).unwrap_or(usize::MAX), text);
    }
    Ok(lines)
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        // A formula that came to nothing is not a cell that was left alone.
        Data::Error(error) => error.to_string(),
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
        let text = "\u{feff}Sep=;\r\nNote;ROW;Decision\r\n;;\r\n'=not a formula;7;keep\r\n";
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
