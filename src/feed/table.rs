//! Delimited text: finds the header and the delimiter, and rejects rows whose cells may be in the wrong columns.

use std::iter;

use csv::StringRecord;
use jiff::tz::TimeZone;

use super::Settings;
use super::columns::{self, Header};
use super::dates;
use super::draft::Draft;
use super::footer::{self, FooterMeaning};
use super::record::{Record, Value};
use super::rows::RowReader;
use super::values::listed;
use crate::files::delimited::{DELIMITERS, Lines, has_backslash_escapes, reader};
use crate::model::{EmailAddress, counted, is_blank_word, trim};

/// Reports have a title and filters above their header. Below this line, a line that looks like a header is data.
const HEADER_WITHIN_LINES: usize = 20;

/// The most bytes of a header. Line breaks inside its cells make it longer than a line.
const HEADER_WITHIN_BYTES: usize = 64 * 1024;

/// Reads delimited text into the draft.
///
/// # Errors
/// The reason why the whole file cannot be used.
pub(super) fn read(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let found = find_header(text, settings)?;
    let delimiter = delimiter_name(found.delimiter);
    if let Some(line) = found.separator_line {
        let note = format!("Line {line} names the delimiter ({delimiter}) and was skipped");
        draft.note(note);
    } else if found.delimiter != b',' {
        draft.note(format!("Cells are separated by {delimiter}"));
    }
    let above = found.line - 1 - u64::from(found.separator_line.is_some());
    if above > 0 {
        draft.note(format!(
            "The header is in line {}, below {} that {} skipped",
            found.line,
            counted(above, "line", "lines"),
            if above == 1 { "was" } else { "were" }
        ));
    }
    ensure_only_titles(&text[..found.at], &found)?;
    let body = &text[found.at..];
    let escapes = has_backslash_escapes(body.as_bytes(), found.delimiter);
    let mut lines = Lines::new(body, found.line, found.delimiter, escapes);
    let Some(header) = lines.next_row()? else {
        return Ok(());
    };
    header.ensure_header()?;
    let header_cells = header.cells.clone();

    let layout = columns::recognise(&found.headers, &settings.columns)?;
    draft.read_with(&layout);
    let mut rows = RowReader::new(layout, &settings.dates, &settings.words)?;
    if escapes {
        draft.note("Quotes inside cells are escaped by backslashes");
    }
    let width = header_cells.len();
    // These lines are footers if no person follows.
    let mut footers: Vec<(u64, String)> = Vec::new();
    let mut people = 0;
    // Unread columns with numbers: the number below them is a sum of money or hours.
    let mut has_sums = vec![false; width];
    while let Some(row) = lines.next_row()? {
        draft.add_blank(row.blank_lines_before);
        let (line, cells) = (row.line, row.cells);
        if row.is_blank() {
            draft.add_blank(1);
            continue;
        }
        if cells == &header_cells {
            draft.add_blank(1);
            draft.note(format!("Line {line} repeats the header and was skipped"));
            continue;
        }
        if is_total(cells) {
            let counts = cells.iter().enumerate();
            let counts = counts.filter(|(at, _)| !has_sums.get(*at).is_some_and(|has| *has));
            if footer::count_of(counts.map(|(_, cell)| cell)).is_some_and(|total| total > people) {
                return Err(format!(
                    "line {line} counts more rows than the file has{EXPORT_WHOLE}"
                ));
            }
            draft.add_blank(1);
            draft.note(format!(
                "Line {line} is a total, not a person, and was skipped"
            ));
            continue;
        }
        let quotes = row
            .quotes_fault()
            .map_err(|fault| format!("the file looks truncated: {fault}"))?;
        // A truncated name looks like a footer, unless a blank line or a footer separates it from the people.
        let is_apart = !row.is_cut || row.blank_lines_before > 0 || !footers.is_empty();
        if quotes.is_none()
            && is_apart
            && let Some(text) = footer(cells)
        {
            footers.push((line, text.to_owned()));
            continue;
        }
        // A person follows, so these lines are between the people.
        for (line, text) in footers.drain(..) {
            let reason = "the line has only one text: a heading or a note between the rows";
            draft.add(rows.reject(line, reason.to_owned(), iter::once(&*text)));
        }
        if row.is_cut && cells.len() < width {
            return Err(format!(
                "the file looks truncated at line {line}, which has {} of {} and no line break after it",
                cells.len(),
                counted(width, "cell", "cells")
            ));
        }
        // A shifted row may end with extra blank cells. Then an address is in a column with another meaning.
        let is_shifted = |(at, cell): (usize, &str)| rows.is_misplaced(at, cell);
        let has_more = cells.len() > width
            && (cells.iter().skip(width).any(|cell| !trim(cell).is_empty())
                || cells.iter().take(width).enumerate().any(is_shifted));
        let is_swallowing = |cell: &str| {
            let breaks = cell.contains(['\n', '\r']);
            let delimiters = cell.bytes().filter(|byte| *byte == found.delimiter).count();
            let is_in_row =
                |line: &str| line.contains('@') && EmailAddress::parse(trim(line)).is_none();
            breaks && (cell.lines().any(is_in_row) || delimiters + 1 >= width.max(2))
        };
        let swallowed = "a quote opens in one row and closes in a later one: rows may be inside it";
        let is_swallowing = cells.iter().any(is_swallowing);
        let fault = quotes
            .or_else(|| is_swallowing.then(|| swallowed.to_owned()))
            .or_else(|| has_more.then(|| row.other_count(width)));
        if let Some(reason) = fault {
            draft.add(rows.reject(line, reason, cells.iter()));
        } else {
            // Missing cells at the end of a row are blank.
            let values = cells.iter().take(width).enumerate();
            let values = values.filter(|(_, cell)| !cell.is_empty());
            people += 1;
            for (has, (at, cell)) in has_sums.iter_mut().zip(cells.iter().enumerate()) {
                *has = *has || (!rows.is_read(at) && trim(cell).parse::<f64>().is_ok());
            }
            draft.add(rows.read(&Record {
                line,
                values: values.map(|(at, cell)| Value::new(at, cell)).collect(),
                fault: None,
            }));
        }
    }
    for (line, text) in footers {
        match footer::meaning(&text, people) {
            FooterMeaning::Nothing => {
                draft.add_blank(1);
                draft.note(format!(
                    "Line {line} is a footer, not a person, and was skipped"
                ));
            }
            FooterMeaning::MayNamePerson => {
                let reason =
                    "the line below the rows may name a person: write each person in a row";
                draft.add(rows.reject(line, reason.to_owned(), iter::once(&*text)));
            }
            FooterMeaning::More => {
                return Err(format!(
                    "line {line} below the rows shows that rows are missing{EXPORT_WHOLE}"
                ));
            }
        }
    }
    draft.add_blank(lines.blank_lines_at_end());
    draft.was_read_by(&rows);
    Ok(())
}

/// The remedy for an incomplete file.
const EXPORT_WHOLE: &str = ": export the whole list, or remove the line";

/// Ensures that the lines above the header are titles and filters. Sorting or pasting may have put rows there.
///
/// # Errors
/// If a line may be a row, or shows that rows are missing.
fn ensure_only_titles(above: &str, found: &TableHeader) -> Result<(), String> {
    for (line, text) in (1..).zip(above.lines()) {
        let cells = text.split(char::from(found.delimiter));
        let filled = cells.filter(|cell| !trim(cell).is_empty()).count();
        if text.contains('@') || (filled > 1 && filled + 1 >= found.headers.len()) {
            return Err(format!(
                "line {line} is above the header and may be a row: move the header to the top"
            ));
        }
        if footer::shows_part(text) {
            return Err(format!(
                "line {line} shows that the file is incomplete{EXPORT_WHOLE}"
            ));
        }
    }
    Ok(())
}

/// The only text of a line, if it is in the first column and looks like neither an id, a date nor an address.
fn footer(cells: &StringRecord) -> Option<&str> {
    let text = cells
        .get(0)
        .map(trim)
        .filter(|text| footer::is_text(text))?;
    let is_date = || dates::of_unread(text, true, &TimeZone::UTC).is_some();
    let mut others = cells.iter().skip(1).map(trim);
    let is_footer = others.all(str::is_empty) && !text.contains('@') && !is_date();
    is_footer.then_some(text)
}

/// The header of a table, its place and its delimiter.
struct TableHeader {
    at: usize,
    line: u64,
    delimiter: u8,
    headers: Vec<Header>,
    /// The line `sep=;`, which spreadsheets write.
    separator_line: Option<u64>,
}

/// The first line with at least two known column names, separated by one of the delimiters.
fn find_header(text: &str, settings: &Settings) -> Result<TableHeader, String> {
    let mut separator = None;
    let mut first_seen = None;
    let mut at = 0;
    for line in (1..).take(HEADER_WITHIN_LINES) {
        let rest = &text[at..];
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let this_line = trim(&rest[..length]);
        if let Some(delimiter) = separator_line(this_line).filter(|_| separator.is_none()) {
            separator = Some((line, delimiter));
        } else if !this_line.is_empty() {
            let candidates = match &separator {
                Some((_, delimiter)) => std::slice::from_ref(delimiter),
                None => &DELIMITERS[..],
            };
            let separated = candidates.iter().rev().map(|delimiter| {
                let headers = header_cells(rest, *delimiter);
                let known = columns::count_known(&headers, &settings.columns);
                (known, *delimiter, headers)
            });
            // If several delimiters are equally good, the first one counts.
            match separated.max_by_key(|(known, ..)| *known) {
                Some((2.., delimiter, headers)) => {
                    return Ok(TableHeader {
                        at,
                        line,
                        delimiter,
                        headers,
                        separator_line: separator.map(|(line, _)| line),
                    });
                }
                Some(_) if first_seen.is_none() => first_seen = Some((line, rest)),
                _ => {}
            }
        }
        let ends = &rest[length..];
        if ends.is_empty() {
            break;
        }
        at += length + 1 + usize::from(ends.starts_with("\r\n"));
    }
    Err(no_header(first_seen))
}

/// `sep=,` alone on its line, quoted or not.
fn separator_line(line: &str) -> Option<u8> {
    let line = line.trim_matches('"');
    let (name, delimiter) = line.split_at_checked(4)?;
    match delimiter.as_bytes() {
        [delimiter] if name.eq_ignore_ascii_case("sep=") => Some(*delimiter),
        // The tab was trimmed as white space.
        [] if name.eq_ignore_ascii_case("sep=") => Some(b'\t'),
        _ => None,
    }
}

fn header_cells(text: &str, delimiter: u8) -> Vec<Header> {
    let text = &text[..text.floor_char_boundary(HEADER_WITHIN_BYTES)];
    let header = reader(text, delimiter, false).into_records().next();
    let cells = header.and_then(Result::ok).unwrap_or_default();
    cells.iter().map(Header::cell).collect()
}

/// The message for a file without a header. It quotes the first line, unless that may be personal data.
fn no_header(first_seen: Option<(u64, &str)>) -> String {
    let Some((line, rest)) = first_seen else {
        return "the file is empty".to_owned();
    };
    let most_cells = DELIMITERS
        .into_iter()
        .map(|delimiter| header_cells(rest, delimiter))
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let names = || most_cells.iter().map(|header| header.shown.as_str());
    let is_data = |text: &str| text.contains('@') || text.contains(|c: char| c.is_ascii_digit());
    let seen = if names().any(is_data) {
        format!("line {line} looks like data and is not shown")
    } else {
        format!("line {line} has {}", listed(names(), 40))
    };
    format!(
        "no header was found: none of the first {HEADER_WITHIN_LINES} lines has two known column names; {seen}; set HR_FEED_COLUMNS"
    )
}

fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "tabs".to_owned(),
        b',' => "commas".to_owned(),
        b';' => "semicolons".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

/// Whether a line has only a word like "Total" and numbers.
fn is_total(cells: &StringRecord) -> bool {
    const WORDS: &str = "total|totals|grand total|sum|count|row count|total count|total rows";
    let mut values = cells.iter().map(trim).filter(|cell| !is_blank_word(cell));
    let first = values.next().unwrap_or_default().trim_end_matches(':');
    let is_word = WORDS
        .split('|')
        .any(|word| first.eq_ignore_ascii_case(word));
    is_word && values.all(|cell| cell.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b',')))
}
