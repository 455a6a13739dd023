//! CSV files that a person can open safely in a spreadsheet.
//!
//! RFC 4180 with a UTF-8 byte order mark and CRLF. A cell that begins like a formula (`=`, `+`, `-`, `@`, tab or
//! carriage return) gets a leading apostrophe, as OWASP's page on CSV injection advises. The exact values are in the
//! JSON files.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// A table with these fields of each record, and the number of rows below the header. Semicolons separate several
/// values of one field.
pub(super) fn table(
    columns: &[&str],
    records: impl Iterator<Item = impl Serialize>,
) -> (Vec<u8>, u64) {
    let mut table = Table::with_header(columns);
    for record in records {
        let record = serde_json::to_value(&record).expect("our records have only text keys");
        table.row(columns.iter().map(|column| cell(&record[*column])));
    }
    table.finish()
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(values) => Cow::Owned(Vec::from_iter(values.iter().map(cell)).join(";")),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Cow::Owned(value.to_string()),
    }
}

pub(crate) struct Table {
    writer: ::csv::Writer<Vec<u8>>,
    rows: u64,
}

impl Table {
    pub(crate) fn with_header(columns: &[&str]) -> Self {
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .from_writer("\u{feff}".as_bytes().to_vec());
        write(
            &mut writer,
            columns.iter().map(|column| Cow::Borrowed(*column)),
        );
        Self { writer, rows: 0 }
    }

    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cow<'a, str>>) {
        write(&mut self.writer, cells.into_iter().map(defused));
        self.rows += 1;
    }

    /// A row whose numbers, which are ours, keep their minus sign.
    pub(crate) fn row_with_numbers<'a>(
        &mut self,
        cells: impl IntoIterator<Item = (Cow<'a, str>, bool)>,
    ) {
        let cells = cells.into_iter().map(|(cell, is_number)| match is_number {
            true => cell,
            false => defused(cell),
        });
        write(&mut self.writer, cells);
        self.rows += 1;
    }

    /// The bytes and the number of rows below the header.
    pub(crate) fn finish(self) -> (Vec<u8>, u64) {
        let bytes = self
            .writer
            .into_inner()
            .unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"));
        (bytes, self.rows)
    }
}

fn write<'a>(writer: &mut ::csv::Writer<Vec<u8>>, cells: impl Iterator<Item = Cow<'a, str>>) {
    for cell in cells {
        let written = writer.write_field(&*cell);
        written.expect("writing to memory does not fail");
    }
    let ended = writer.write_record(None::<&[u8]>);
    ended.expect("writing to memory does not fail");
}

/// The cell in a form that a spreadsheet does not interpret as a formula.
fn defused(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&str]) -> String {
        let mut table = Table::with_header(&["a", "b"]);
        table.row(cells.iter().map(|cell| Cow::Borrowed(*cell)));
        let (bytes, rows) = table.finish();
        assert_eq!(rows, 1);
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_table_has_a_mark_a_header_and_carriage_returns() {
        assert_eq!(
            table(&["1", "x, \"y\""]),
            "\u{feff}a,b\r\n1,\"x, \"\"y\"\"\"\r\n"
        );
    }

    #[test]
    fn a_number_of_ours_keeps_its_minus_sign() {
        let mut table = Table::with_header(&["a", "b"]);
        table.row_with_numbers([("-1.50".into(), true), ("-1.50".into(), false)]);
        let (bytes, rows) = table.finish();
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(
            (text.as_str(), rows),
            ("\u{feff}a,b\r\n-1.50,'-1.50\r\n", 1)
        );
    }

    #[test]
    fn a_cell_like_a_formula_is_defused() {
        for cell in ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx"] {
            assert!(table(&[cell, ""]).contains(&format!("'{cell}")), "{cell}");
        }
        assert!(table(&["\rx", ""]).contains("\"'\rx\""));
        assert!(table(&["a=1", ""]).contains("\na=1,"));
    }
}
