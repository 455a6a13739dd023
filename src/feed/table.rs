//! Delimited text: where the header is, what parts its cells, and which rows cannot be trusted.

use csv::{Reader, ReaderBuilder, StringRecord};

use super::Settings;
use super::draft::Draft;
use super::headers::{self, Header};
use super::rows::RowReader;
use super::values::{count, is_blank_word, listed, trim};

/// Reports have a title and filters above their header; further down a line that looks like a
/// header is data.
const HEADER_WITHIN_LINES: usize = 20;

/// A header with line breaks in its cells is longer than a line, but not longer than this.
const HEADER_WITHIN_BYTES: usize = 64 * 1024;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads delimited text into the draft.
///
/// # Errors
/// Why the file as a whole cannot be used.
pub(super) fn read(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let found = find_header(text, settings)?;
    if let Some(line) = found.separator_line {
        draft.note(format!(
            "Line {line} names the delimiter ({}) and was skipped",
            delimiter_name(found.delimiter)
        ));
    } else if found.delimiter != b',' {
        draft.note(format!(
            "Cells are separated by {}",
            delimiter_name(found.delimiter)
        ));
    }
    let above = found.line - 1 - u64::from(found.separator_line.is_some());
    if above > 0 {
        draft.note(format!(
            "The header is in line {}, below {} that {} skipped",
            found.line,
            count(above, "line"),
            if above == 1 { "was" } else { "were" }
        ));
    }
    let layout = headers::recognise(&found.headers, &settings.columns)?;
    draft.read_with(&layout);
    let mut rows = RowReader::new(layout, settings.date_order, &settings.time_zone)?;

    let body = &text[found.at..];
    let escapes = has_backslash_escapes(body.as_bytes(), found.delimiter);
    if escapes {
        draft.note("Quotes inside of cells are escaped by backslashes");
    }
    let mut lines = Lines::new(body, found.line, found.delimiter, escapes);
    let Some(header) = lines.next_row()? else {
        return Ok(());
    };
    let header_cells = header.cells.clone();
    while let Some(row) = lines.next_row()? {
        draft.add_blank(row.blank_lines_before);
        let (line, cells) = (row.line, row.cells);
        if cells.iter().all(|cell| trim(cell).is_empty()) {
            draft.add_blank(1);
        } else if cells == &header_cells {
            draft.add_blank(1);
            draft.note(format!("Line {line} repeats the header and was skipped"));
        } else if is_total(cells) {
            draft.add_blank(1);
            draft.note(format!(
                "Line {line} is a total, not a person, and was skipped"
            ));
        } else if let Err(fault) = row.quotes {
            if fault == QuoteFault::NeverClosed {
                return Err(format!(
                    "the file looks truncated: a quote in the row that begins in line {line} is never closed"
                ));
            }
            let reason = fault.reason(line, row.last_line);
            draft.add(rows.reject(line, reason, cells.iter()));
        } else if cells.len() != header_cells.len() {
            if row.is_cut && cells.len() < header_cells.len() {
                return Err(format!(
                    "the file looks truncated at line {line}: it has {} of {} and no line break after it",
                    cells.len(),
                    count(header_cells.len() as u64, "cell")
                ));
            }
            let reason = format!(
                "the row has {} and the header {}",
                count(cells.len() as u64, "cell"),
                header_cells.len()
            );
            draft.add(rows.reject(line, reason, cells.iter()));
        } else {
            draft.add(rows.read(line, |at| cells.get(at).unwrap_or_default()));
        }
    }
    draft.add_blank(lines.blank_lines_at_end());
    Ok(())
}

/// Where the header is and how its cells are parted.
struct Found {
    at: usize,
    line: u64,
    delimiter: u8,
    headers: Vec<Header>,
    /// The line that says `sep=;`, a habit of spreadsheets.
    separator_line: Option<u64>,
}

/// The first line in which, parted by one of the delimiters, at least two columns are known.
fn find_header(text: &str, settings: &Settings) -> Result<Found, String> {
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
            let mut best: Option<(usize, u8, Vec<Header>)> = None;
            for delimiter in candidates {
                let headers = header_cells(rest, *delimiter);
                let known = headers::count_known(&headers, &settings.columns);
                if best.as_ref().is_none_or(|(most, ..)| known > *most) {
                    best = Some((known, *delimiter, headers));
                }
            }
            match best {
                Some((2.., delimiter, headers)) => {
                    return Ok(Found {
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
        if length == rest.len() {
            break;
        }
        at += length
            + if rest[length..].starts_with("\r\n") {
                2
            } else {
                1
            };
    }
    Err(no_header(first_seen))
}

/// `sep=,` alone on its line, quoted or not.
fn separator_line(line: &str) -> Option<u8> {
    let line = line.trim_matches('"');
    let (name, delimiter) = line.split_at_checked(4)?;
    match delimiter.as_bytes() {
        [delimiter] if name.eq_ignore_ascii_case("sep=") => Some(*delimiter),
        // A tab was trimmed off as white space.
        [] if name.eq_ignore_ascii_case("sep=") => Some(b'\t'),
        _ => None,
    }
}

fn header_cells(text: &str, delimiter: u8) -> Vec<Header> {
    let mut end = text.len().min(HEADER_WITHIN_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut record = StringRecord::new();
    match reader(&text[..end], delimiter, false).read_record(&mut record) {
        Ok(true) => record.iter().map(Header::cell).collect(),
        _ => Vec::new(),
    }
}

fn reader(text: &str, delimiter: u8, escapes: bool) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .escape(escapes.then_some(b'\\'))
        .from_reader(text.as_bytes())
}

/// Says what the file begins with, unless that may be somebody's data.
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
        "no header was found: none of the first {HEADER_WITHIN_LINES} lines names two columns that are known; {seen}; set HR_FEED_COLUMNS"
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

/// Whether the file writes `\"` for a quote inside of a cell: a backslash and a quote that cannot
/// close the cell, because neither a delimiter nor the end of the row comes next.
fn has_backslash_escapes(text: &[u8], delimiter: u8) -> bool {
    text.windows(3).any(|three| {
        matches!(three, [b'\\', b'"', next] if !matches!(next, b'"' | b'\r' | b'\n') && *next != delimiter)
    })
}

/// A line of sums below the rows: a word like "Total", and nothing else but numbers.
fn is_total(cells: &StringRecord) -> bool {
    const WORDS: [&str; 8] = [
        "total",
        "totals",
        "grand total",
        "sum",
        "count",
        "row count",
        "total count",
        "total rows",
    ];
    let mut values = cells.iter().map(trim).filter(|cell| !is_blank_word(cell));
    let is_word = values.next().is_some_and(|first| {
        let first = first.trim_end_matches(':');
        WORDS.iter().any(|word| first.eq_ignore_ascii_case(word))
    });
    is_word && values.all(|cell| cell.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b',')))
}

/// A row as it stands in the file.
struct Row<'r> {
    /// Line in which it begins.
    line: u64,
    /// Line in which it ends.
    last_line: u64,
    cells: &'r StringRecord,
    blank_lines_before: u64,
    quotes: Result<(), QuoteFault>,
    /// Whether the file ends here, without a line break.
    is_cut: bool,
}

/// Rows with what the `csv` crate does not tell: the line they begin in (it skips blank lines
/// first), how many blank lines there were, and whether their quotes are where they should be.
struct Lines<'t> {
    bytes: &'t [u8],
    reader: Reader<&'t [u8]>,
    record: StringRecord,
    delimiter: u8,
    escapes: bool,
    /// Lines are counted up to here.
    at: usize,
    line: u64,
    blank_lines: u64,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, first_line: u64, delimiter: u8, escapes: bool) -> Self {
        Self {
            bytes: text.as_bytes(),
            reader: reader(text, delimiter, escapes),
            record: StringRecord::new(),
            delimiter,
            escapes,
            at: 0,
            line: first_line,
            blank_lines: 0,
        }
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, String> {
        let more = self
            .reader
            .read_record(&mut self.record)
            .map_err(|error| format!("the table cannot be read: {error}"))?;
        self.skip_line_ends();
        if !more {
            return Ok(None);
        }
        let blank_lines_before = std::mem::take(&mut self.blank_lines);
        let end = usize::try_from(self.reader.position().byte())
            .unwrap_or(self.bytes.len())
            .clamp(self.at, self.bytes.len());
        let whole = &self.bytes[self.at..end];
        let row = trim_line_end(whole);
        let is_cut = row.len() == whole.len() && end == self.bytes.len();
        let quotes = if row.contains(&b'"') {
            check_quotes(row, self.delimiter, self.escapes)
        } else {
            Ok(())
        };
        let line = self.line;
        let last_line = line + line_ends(row);
        self.line = last_line + line_ends(&whole[row.len()..]);
        self.at = end;
        Ok(Some(Row {
            line,
            last_line,
            cells: &self.record,
            blank_lines_before,
            quotes,
            is_cut,
        }))
    }

    /// Walks over what lies between two rows: the second half of `\r\n`, and blank lines.
    fn skip_line_ends(&mut self) {
        while let Some(byte @ (b'\r' | b'\n')) = self.bytes.get(self.at).copied() {
            let is_second_half = byte == b'\n' && self.at > 0 && self.bytes[self.at - 1] == b'\r';
            if !is_second_half {
                self.blank_lines += 1;
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn blank_lines_at_end(self) -> u64 {
        self.blank_lines
    }
}

fn trim_line_end(row: &[u8]) -> &[u8] {
    let end = row
        .iter()
        .rposition(|b| !matches!(b, b'\r' | b'\n'))
        .map_or(0, |last| last + 1);
    &row[..end]
}

/// Line ends in a text, `\r\n` counted once.
fn line_ends(text: &[u8]) -> u64 {
    let returns = text.iter().filter(|b| **b == b'\r').count();
    let feeds = text.iter().filter(|b| **b == b'\n').count();
    let both = text.windows(2).filter(|two| two == b"\r\n").count();
    (returns + feeds - both) as u64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QuoteFault {
    /// The file ends inside of quotes.
    NeverClosed,
    /// Something stands between a closing quote and the next delimiter. Mostly the quote before
    /// it was one too many, and the row swallowed its neighbours.
    TextAfterQuote,
    /// A blank stands before an opening quote, which then quotes nothing.
    BlankBeforeQuote,
}

impl QuoteFault {
    fn reason(self, line: u64, last_line: u64) -> String {
        let place = if line == last_line {
            String::new()
        } else {
            format!(" (the row runs to line {last_line})")
        };
        match self {
            Self::NeverClosed => format!("a quote is never closed{place}"),
            Self::TextAfterQuote => {
                format!("a quote is closed where the cell does not end{place}")
            }
            Self::BlankBeforeQuote => format!("a blank stands before an opening quote{place}"),
        }
    }
}

/// Whether every quoted cell of a row begins and ends with its quote. A reader that is lenient
/// here can join two people into one row that looks whole.
fn check_quotes(row: &[u8], delimiter: u8, escapes: bool) -> Result<(), QuoteFault> {
    #[derive(Clone, Copy)]
    enum At {
        CellStart,
        BlankStart,
        Plain,
        Quoted,
        Escaped,
        AfterQuote,
        BlankAfterQuote,
    }
    let mut at = At::CellStart;
    for byte in row {
        let ends_cell = *byte == delimiter;
        at = match (at, byte) {
            (At::Quoted, b'\\') if escapes => At::Escaped,
            (At::Quoted, b'"') => At::AfterQuote,
            (At::Quoted | At::Escaped, _) => At::Quoted,
            (At::AfterQuote, b'"') => At::Quoted,
            _ if ends_cell => At::CellStart,
            (At::CellStart, b'"') => At::Quoted,
            (At::CellStart | At::BlankStart, b' ') => At::BlankStart,
            (At::BlankStart, b'"') => return Err(QuoteFault::BlankBeforeQuote),
            (At::CellStart | At::BlankStart | At::Plain, _) => At::Plain,
            (At::AfterQuote | At::BlankAfterQuote, b' ') => At::BlankAfterQuote,
            (At::AfterQuote | At::BlankAfterQuote, _) => return Err(QuoteFault::TextAfterQuote),
        };
    }
    match at {
        At::Quoted | At::Escaped => Err(QuoteFault::NeverClosed),
        At::CellStart | At::BlankStart | At::Plain | At::AfterQuote | At::BlankAfterQuote => Ok(()),
    }
}
