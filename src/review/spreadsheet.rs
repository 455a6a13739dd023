//! `worksheet.xlsx`: the same rows for reviewers who work in a spreadsheet.
//!
//! Every cell is text, so no cell is a formula, and no spreadsheet shortens an id to `1.2E+15`.

use jiff::Timestamp;
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, XlsxError,
};

use super::worksheet::{COLUMNS, Worksheet, columns_for_decisions};

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

pub(super) fn of(worksheet: &Worksheet, review_sha256: &str) -> Result<Vec<u8>, XlsxError> {
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
    let is_filled = |column: u16| columns_for_decisions().any(|(at, _)| at == usize::from(column));
    let mut last = 0;
    for (line, row) in (1u32..).zip(&worksheet.rows) {
        for (column, cell) in (0u16..).zip(worksheet.cells(row, review_sha256)) {
            // Most rows have several empty cells, and each cell takes about 100 bytes of memory.
            match (is_filled(column), cell.is_empty()) {
                (true, true) => sheet.write_blank(line, column, &filled)?,
                (false, true) => continue,
                (is_filled, false) => {
                    let format = if is_filled { &filled } else { &text };
                    sheet.write_string_with_format(line, column, cell.as_ref(), format)?
                }
            };
        }
        last = line;
    }
    sheet.set_freeze_panes(1, 0)?;
    if last > 0 {
        let columns = u16::try_from(COLUMNS.len()).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, last, columns - 1)?;
        let decisions = worksheet.decisions();
        let words: Vec<&str> = decisions.iter().map(|of| of.as_str()).collect();
        for (column, name) in columns_for_decisions() {
            let allowed = match name {
                "decision" => DataValidation::new().allow_list_strings(&words)?,
                "new_role" => {
                    DataValidation::new().allow_list_strings(&["admin", "member", "guest"])?
                }
                _ => continue,
            };
            let column = u16::try_from(column).unwrap_or(u16::MAX);
            sheet.add_data_validation(1, column, last, column, &allowed)?;
        }
    }
    workbook.save_to_buffer()
}
