//! `worksheet.xlsx`: the same rows for reviewers who work in a spreadsheet.
//!
//! Every cell is text, so no cell is a formula, and no spreadsheet shortens an id to `1.2E+15`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};

use jiff::Timestamp;
use rust_xlsxwriter::utility::column_number_to_name;
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, XlsxError,
};
use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::worksheet::{COLUMNS, Worksheet, columns_for_decisions};

/// The limit of a spreadsheet for one cell. The other files have the whole text.
const MOST_CHARACTERS: usize = 32_767;

/// Widths of the columns, in characters.
const WIDTHS: [f64; COLUMNS.len()] = [
    6.0, 18.0, 30.0, 24.0, 10.0, 10.0, 21.0, 21.0, 20.0, 20.0, 24.0, 16.0, 21.0, 14.0, 26.0, 28.0,
    12.0, 24.0, 14.0, 40.0, 26.0, 14.0, 14.0, 12.0, 40.0, 26.0, 20.0,
];

/// An empty workbook with the time `at`. Otherwise it has the time of writing, and the same rows give different bytes.
pub(crate) fn workbook(title: &str, at: Timestamp) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    let properties = DocProperties::new()
        .set_title(title)
        .set_creation_datetime(&ExcelDateTime::from_timestamp(at.as_second())?);
    workbook.set_properties(&properties);
    Ok(workbook)
}

/// The spreadsheet. The library keeps each cell in memory, 280 MB for 100,000 rows. It therefore makes an empty sheet,
/// and the rows are written into the packed file one after another.
///
/// # Errors
/// If a spreadsheet cannot have the rows, for example more than a million.
pub(super) fn of(worksheet: &Worksheet, review_sha256: &str) -> Result<Vec<u8>, String> {
    let empty = empty(worksheet).map_err(|error| error.to_string())?;
    packed(&empty, worksheet, review_sha256).map_err(|error| error.to_string())
}

/// A sheet with a header and the rules for every row. Only the last row has cells: a blank text, and blanks to fill in.
fn empty(worksheet: &Worksheet) -> Result<Vec<u8>, XlsxError> {
    let last = u32::try_from(worksheet.rows.len().max(1)).unwrap_or(u32::MAX);
    let title = format!("Access review {}", worksheet.review);
    let mut workbook = workbook(&title, worksheet.opened_at)?;
    let head = Format::new().set_bold().set_text_wrap();
    let text = Format::new()
        .set_num_format("@")
        .set_align(FormatAlign::Top);
    let filled = text
        .clone()
        .set_unlocked()
        .set_background_color(0x00FF_F8E1);
    let sheet = workbook.add_worksheet();
    sheet.set_name("Worksheet")?;
    for (column, name) in (0u16..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &head)?;
        sheet.set_column_width(column, WIDTHS[usize::from(column)])?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let columns = u16::try_from(COLUMNS.len()).unwrap_or(u16::MAX);
    sheet.write_blank(last, 0, &text)?;
    sheet.autofilter(0, 0, last, columns - 1)?;
    let decisions = worksheet.decisions();
    let words: Vec<&str> = decisions.iter().map(|of| of.as_str()).collect();
    for (column, name) in columns_for_decisions() {
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        sheet.write_blank(last, column, &filled)?;
        let allowed = match name {
            "decision" => DataValidation::new().allow_list_strings(&words)?,
            "new_role" => {
                DataValidation::new().allow_list_strings(&["admin", "member", "guest"])?
            }
            _ => continue,
        };
        sheet.add_data_validation(1, column, last, column, &allowed)?;
    }
    workbook.save_to_buffer()
}

/// Copies each part of the empty spreadsheet, and writes the rows into the sheet.
fn packed(empty: &[u8], worksheet: &Worksheet, review_sha256: &str) -> ZipResult<Vec<u8>> {
    const SHEET: &str = "xl/worksheets/sheet1.xml";
    let mut parts = ZipArchive::new(Cursor::new(empty))?;
    let mut sheet = String::new();
    parts.by_name(SHEET)?.read_to_string(&mut sheet)?;
    let unknown = || ZipError::InvalidArchive("the empty sheet has another form".into());
    let last = format!("<row r=\"{}\"", worksheet.rows.len().max(1) + 1);
    let (start, last_row) = sheet.split_once(&last).ok_or_else(unknown)?;
    let end = last_row.find("</sheetData>").ok_or_else(unknown)?;
    let (last_row, end) = last_row.split_at(end);
    let formats = last_row.split(" s=\"").skip(1);
    let mut formats = formats.filter_map(|of| of.split('"').next());
    let (Some(text), Some(filled)) = (formats.next(), formats.next()) else {
        return Err(unknown());
    };

    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..parts.len() {
        let part = parts.by_index_raw(at)?;
        if part.name()? != SHEET {
            out.raw_copy_file(part)?;
            continue;
        }
        let time = part.last_modified().unwrap_or_default();
        let options = SimpleFileOptions::default().last_modified_time(time);
        out.start_file(SHEET, options)?;
        out.write_all(start.as_bytes())?;
        let mut line = String::new();
        for (number, row) in (2..).zip(&worksheet.rows) {
            line.clear();
            let cells = worksheet.cells(row, review_sha256);
            write_row(&mut line, number, &cells, [text, filled]);
            out.write_all(line.as_bytes())?;
        }
        out.write_all(end.as_bytes())?;
    }
    Ok(out.finish()?.into_inner())
}

/// Writes a row of text cells, with the numbers of the formats of a text and of a cell to fill in.
fn write_row(
    out: &mut String,
    number: u64,
    cells: &[Cow<'_, str>; COLUMNS.len()],
    [text, filled]: [&str; 2],
) {
    let _ = write!(out, "<row r=\"{number}\">");
    for (column, cell) in (0u16..).zip(cells) {
        let is_filled = columns_for_decisions().any(|(at, _)| at == usize::from(column));
        let format = if is_filled { filled } else { text };
        let name = column_number_to_name(column);
        match (cell.is_empty(), is_filled) {
            (true, false) => {}
            (true, true) => {
                let _ = write!(out, "<c r=\"{name}{number}\" s=\"{format}\"/>");
            }
            (false, _) => {
                let _ = write!(
                    out,
                    "<c r=\"{name}{number}\" s=\"{format}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">"
                );
                cell.chars()
                    .take(MOST_CHARACTERS)
                    .for_each(|c| escape(out, c));
                out.push_str("</t></is></c>");
            }
        }
    }
    out.push_str("</row>");
}

/// XML has no form for most control characters, so a spreadsheet writes them as `_x0007_`.
fn escape(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\t' | '\n' => out.push(c),
        '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
            let _ = write!(out, "_x{:04X}_", u32::from(c));
        }
        c => out.push(c),
    }
}
