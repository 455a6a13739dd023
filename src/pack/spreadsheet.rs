//! `audit-pack.xlsx`: one tab for each table.
//!
//! An id is text: a spreadsheet keeps 15 digits of a number, and Asana's ids have 16. No cell is a formula. A value
//! that a spreadsheet cannot hold as a date or a number stays text, exactly as in the CSV file.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, Time, date};
use jiff::tz::Offset;
use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::Pack;
use super::table::{Kind, Table};
use crate::review::spreadsheet::workbook;

/// The number of rows that a tab holds after its header.
const MAX_ROWS: usize = 1_048_575;

/// The number of UTF-16 units that a cell holds.
const MAX_UNITS: usize = 32_767;

/// Numbers with more digits lose the last ones.
const MAX_DIGITS: usize = 15;

/// The first day whose number all spreadsheets agree on: they count a 29 February 1900.
const FIRST_DAY: Date = date(1900, 3, 1);

/// Narrowest and widest column, in characters. A SHA-256 fits on one line, and longer texts wrap.
const NARROW: usize = 8;
const WIDE: usize = 66;

/// The width of a column for people to write in.
const ANSWER: usize = 48;

/// The tab `cover`, then a tab for each table. The file has the time of the end of the period, so that the same pack gives
/// the same bytes.
///
/// A table of more than 1,048,575 rows ends with a row that refers to its CSV file; so does a cell of more than 32,767
/// characters.
///
/// # Errors
///
/// A table name is not the name of a tab: empty, longer than 31 characters, or used twice.
pub fn spreadsheet(pack: &Pack) -> Result<Vec<u8>, XlsxError> {
    let cover = &pack.cover;
    let period = format!("{} to {}", cover.from, cover.to);
    let facts = [
        ("Mark", cover.mark.as_deref()),
        ("Entity", cover.entity.as_deref()),
        ("Connection", Some(&*cover.connection)),
        ("Period", Some(&*period)),
        ("Time zone", Some(&*cover.zone)),
        ("SHA-256 of the population", Some(&*cover.population_sha256)),
        ("Statement", Some(cover.statement)),
    ];
    let title = format!("Audit pack {period}");
    tabs(&facts, &pack.tables, &title, cover.to_instant)
}

fn tabs(
    facts: &[(&str, Option<&str>)],
    tables: &[Table],
    title: &str,
    at: Timestamp,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = workbook(title, at)?;
    let formats = Formats::new();
    let cover = workbook.add_worksheet();
    cover.set_name("cover")?;
    cover.set_column_width(0, 28)?;
    cover.set_column_width(1, WIDE as f64)?;
    cover.write_string_with_format(0, 0, title, &formats.head)?;
    for (line, (name, value)) in (1u32..).zip(facts) {
        cover.write_string_with_format(line, 0, *name, &formats.text)?;
        let value = shortened(value.unwrap_or("none"));
        cover.write_string_with_format(line, 1, value, &formats.text)?;
    }
    for table in tables {
        write(&mut workbook, table, &formats)?;
    }
    workbook.save_to_buffer()
}

struct Formats {
    head: Format,
    text: Format,
    count: Format,
    decimal: Format,
    day: Format,
    instant: Format,
    flag: Format,
}

impl Formats {
    fn new() -> Self {
        let format = |number: &str| {
            Format::new()
                .set_num_format(number)
                .set_align(FormatAlign::Top)
        };
        Self {
            head: Format::new()
                .set_bold()
                .set_num_format("@")
                .set_background_color(0x00EE_F1F5),
            text: format("@").set_text_wrap(),
            count: format("0"),
            decimal: format("General"),
            day: format("yyyy-mm-dd").set_align(FormatAlign::Left),
            instant: format("yyyy-mm-dd hh:mm:ss\" UTC\"").set_align(FormatAlign::Left),
            flag: format("General").set_align(FormatAlign::Left),
        }
    }
}

fn write(workbook: &mut Workbook, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(table.name)?;
    for (at, column) in (0u16..).zip(table.columns) {
        sheet.write_string_with_format(0, at, column.name, &formats.head)?;
        sheet.set_column_width(at, width(table, usize::from(at)) as f64)?;
        if column.name == "management_response" {
            sheet.set_column_format(at, &formats.text)?;
        }
    }
    let fits = table.rows.len() <= MAX_ROWS;
    let rows = if fits { table.rows.len() } else { MAX_ROWS - 1 };
    for (line, row) in (1u32..).zip(&table.rows[..rows]) {
        for ((at, column), cell) in (0u16..).zip(table.columns).zip(row) {
            write_cell(sheet, (line, at), column.kind, cell, formats)?;
        }
    }
    let last = u32::try_from(rows).unwrap_or(u32::MAX);
    if !fits {
        let text = format!("All rows are in csv/{}.csv.", table.name);
        sheet.write_string_with_format(last + 1, 0, text, &formats.text)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    if let Some(columns) = u16::try_from(table.columns.len())
        .unwrap_or(0)
        .checked_sub(1)
        && last > 0
    {
        sheet.autofilter(0, 0, last, columns)?;
    }
    sheet.set_landscape();
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_footer("&L&A&R&P / &N");
    Ok(())
}

/// Writes a cell as its kind, or as text where a number would change it.
fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    kind: Kind,
    cell: &str,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let (number, format) = match kind {
        Kind::Text => (None, &formats.text),
        Kind::Count => (whole(cell), &formats.count),
        Kind::Decimal => (decimal(cell), &formats.decimal),
        Kind::Day => (day(cell), &formats.day),
        Kind::Instant => (instant(cell), &formats.instant),
        Kind::Flag => {
            if let Ok(flag) = cell.parse() {
                sheet.write_boolean_with_format(row, column, flag, &formats.flag)?;
                return Ok(());
            }
            (None, &formats.text)
        }
    };
    match number {
        Some(number) => sheet.write_number_with_format(row, column, number, format)?,
        None if cell.is_empty() => sheet,
        None => sheet.write_string_with_format(row, column, shortened(cell), &formats.text)?,
    };
    Ok(())
}

fn whole(cell: &str) -> Option<f64> {
    let number: i64 = cell.parse().ok()?;
    // Otherwise a sign or a leading zero would disappear.
    (number.to_string() == cell).then_some(())?;
    decimal(cell)
}

fn decimal(cell: &str) -> Option<f64> {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let plain = cell.chars().all(|c| matches!(c, '0'..='9' | '.' | '-'));
    (plain && digits <= MAX_DIGITS).then(|| cell.parse().ok())?
}

/// The number of a day: days since 1899-12-30.
fn day(cell: &str) -> Option<f64> {
    let day: Date = cell.parse().ok()?;
    (day >= FIRST_DAY && day.to_string() == cell).then_some(())?;
    Some(f64::from(day.since(date(1899, 12, 30)).ok()?.get_days()))
}

/// The number of an instant: its day in UTC, and the part of that day.
fn instant(cell: &str) -> Option<f64> {
    let at: Timestamp = cell.parse().ok()?;
    (at.to_string() == cell && at.subsec_nanosecond() == 0).then_some(())?;
    let at = Offset::UTC.to_datetime(at);
    let seconds = at.time().duration_since(Time::midnight()).as_secs();
    Some(day(&at.date().to_string())? + seconds as f64 / 86_400.0)
}

/// A text that a cell holds.
fn shortened(cell: &str) -> Cow<'_, str> {
    const REST: &str = " […] The whole text is in the CSV file.";
    if cell.len() <= MAX_UNITS || cell.encode_utf16().count() <= MAX_UNITS {
        return Cow::Borrowed(cell);
    }
    let mut units = REST.len();
    let fits = cell.chars().take_while(|c| {
        units += c.len_utf16();
        units <= MAX_UNITS
    });
    Cow::Owned(fits.chain(REST.chars()).collect())
}

/// The width of a column in characters, for its header with the filter's button and its first rows.
fn width(table: &Table, at: usize) -> usize {
    let column = table.columns[at];
    let longest = match column.kind {
        Kind::Instant => 23,
        Kind::Text if column.name == "management_response" => ANSWER,
        Kind::Text | Kind::Day | Kind::Count | Kind::Decimal | Kind::Flag => {
            let first = table.rows.iter().take(1000);
            first
                .map(|row| row[at].chars().count())
                .max()
                .unwrap_or_default()
        }
    };
    longest.max(column.name.len() + 3).clamp(NARROW, WIDE)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader as _, Xlsx};

    use super::*;
    use crate::pack::Column;

    const COLUMNS: &[Column] = &[
        Column {
            name: "account_id",
            kind: Kind::Text,
        },
        Column {
            name: "runs",
            kind: Kind::Count,
        },
        Column {
            name: "hours",
            kind: Kind::Decimal,
        },
        Column {
            name: "approved_on",
            kind: Kind::Day,
        },
        Column {
            name: "deadline",
            kind: Kind::Instant,
        },
        Column {
            name: "stored",
            kind: Kind::Flag,
        },
    ];

    fn table(rows: &[[&str; 6]]) -> Table {
        Table {
            name: "population",
            title: "Population",
            columns: COLUMNS,
            rows: rows
                .iter()
                .map(|row| row.map(str::to_owned).to_vec())
                .collect(),
        }
    }

    fn written(table: &Table) -> Vec<u8> {
        let at = "2026-09-30T22:00:00Z".parse().expect("an instant");
        let tables = std::slice::from_ref(table);
        tabs(&[("Mark", Some("TEST DATA"))], tables, "Audit pack", at).expect("a spreadsheet")
    }

    fn read(bytes: Vec<u8>) -> Vec<Vec<Data>> {
        let mut book = Xlsx::new(Cursor::new(bytes)).expect("a spreadsheet");
        let range = book.worksheet_range("population").expect("a tab");
        range.rows().map(<[Data]>::to_vec).collect()
    }

    fn text(of: &str) -> Data {
        Data::String(of.to_owned())
    }

    #[test]
    fn ids_are_text_counts_are_numbers_and_dates_are_dates() {
        let rows = read(written(&table(&[[
            "1204556770001005",
            "31",
            "26.5",
            "2026-09-30",
            "2026-09-30T12:00:00Z",
            "true",
        ]])));
        assert_eq!(rows[0][0], text("account_id"));
        let cells = &rows[1];
        assert_eq!(cells[0], text("1204556770001005"));
        assert_eq!(
            (&cells[1], &cells[2]),
            (&Data::Float(31.0), &Data::Float(26.5))
        );
        let days = |cell: &Data| match cell {
            Data::DateTime(at) => at.as_f64(),
            other => panic!("{other:?} is no date"),
        };
        assert_eq!((days(&cells[3]), days(&cells[4])), (46295.0, 46295.5));
        assert_eq!(cells[5], Data::Bool(true));
    }

    #[test]
    fn a_value_that_a_number_would_change_stays_text() {
        let odd = [
            "=1+1",
            "9007199254740993",
            "1e5",
            "1850-01-01",
            "2026-09-30T12:00:00.5Z",
            "perhaps",
        ];
        let rows = read(written(&table(&[
            odd,
            ["+1", "007", "", "2026-9-1", "1900-01-01T00:00:00Z", ""],
        ])));
        assert_eq!(rows[1], odd.map(text));
        assert_eq!(rows[2][..2], [text("+1"), text("007")]);
        assert_eq!(rows[2][2], Data::Empty);
        assert_eq!(
            rows[2][3..5],
            [text("2026-9-1"), text("1900-01-01T00:00:00Z")]
        );
    }

    #[test]
    fn control_characters_and_escapes_come_back_as_written() {
        let cells = ["a\u{1}b", "_x0041_", "a\nb", "\u{202e}", "😀", "<&>\""];
        assert_eq!(read(written(&table(&[cells])))[1], cells.map(text));
    }

    #[test]
    fn a_text_that_is_too_long_refers_to_the_csv_file() {
        let long = "😀".repeat(20_000);
        let rows = read(written(&table(&[[&long, "", "", "", "", ""]])));
        let Data::String(cell) = &rows[1][0] else {
            panic!("{:?}", rows[1][0]);
        };
        assert!(cell.encode_utf16().count() <= MAX_UNITS);
        assert!(cell.starts_with("😀😀") && cell.ends_with("in the CSV file."));
    }

    #[test]
    fn the_same_tables_give_the_same_bytes() {
        let table = table(&[["1", "2", "3", "", "", ""]]);
        assert_eq!(written(&table), written(&table));
    }

    #[test]
    fn a_table_without_rows_has_its_header() {
        assert_eq!(read(written(&table(&[]))).len(), 1);
    }
}
