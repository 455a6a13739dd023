//! Delimited text: rows with their line numbers and the faults of their quotes.

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::model::trim;

/// The characters that separate cells.
pub(crate) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A reader of rows of any length.
pub(crate) fn reader(text: &str, delimiter: u8, escapes: bool) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .escape(escapes.then_some(b'\\'))
        .from_reader(text.as_bytes())
}

/// The name of a column in a file that people write. Case, blanks and hyphens make no difference: `Person ID` is
/// `person_id`.
pub(crate) fn column_key(header: &str) -> String {
    let plain = trim(header).chars().map(|c| match c {
        ' ' | '-' => '_',
        c => c.to_ascii_lowercase(),
    });
    plain.collect()
}

/// The delimiter for which most header cells are among `names`. If several are equally good, the first one counts.
pub(crate) fn delimiter(text: &str, names: &[&str]) -> u8 {
    let known = |delimiter: &u8| {
        let header = reader(text, *delimiter, false)
            .into_records()
            .next()?
            .ok()?;
        let is_known = |cell: &&str| names.contains(&&*column_key(cell));
        Some(header.iter().filter(is_known).count())
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(known);
    best.unwrap_or(b',')
}

/// Whether the file writes `\"` for a quote inside a cell. The quote after such a backslash cannot close the cell, because
/// neither a delimiter nor the end of the row follows.
pub(crate) fn has_backslash_escapes(text: &[u8], delimiter: u8) -> bool {
    text.windows(3).any(|three| {
        matches!(three, [b'\\', b'"', next] if !matches!(next, b'"' | b'\r' | b'\n') && *next != delimiter)
    })
}

/// A row of a file.
pub(crate) struct DelimitedRow<'r> {
    /// The line in which it begins, from 1.
    pub(crate) line: u64,
    /// The line in which it ends.
    pub(crate) last_line: u64,
    pub(crate) cells: &'r StringRecord,
    pub(crate) blank_lines_before: u64,
    pub(crate) quotes: Result<(), QuoteFault>,
    /// Whether the file ends here, without a line break.
    pub(crate) is_cut: bool,
}

impl DelimitedRow<'_> {
    /// Whether all cells are blank.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| trim(cell).is_empty())
    }

    /// The fault in the quotes, if it may have put cells into the wrong columns.
    ///
    /// # Errors
    /// If a quote is never closed, because the rest of the file is then in one cell.
    pub(crate) fn quotes_fault(&self) -> Result<Option<String>, String> {
        match self.quotes {
            Ok(()) => Ok(None),
            Err(QuoteFault::NeverClosed) => Err(format!(
                "the row that begins at line {} has a quote that is never closed",
                self.line
            )),
            Err(fault) => Ok(Some(fault.reason(self.line, self.last_line))),
        }
    }

    /// The fault of a row that has more or fewer cells than the header.
    pub(crate) fn other_count(&self, headers: usize) -> String {
        let cells = self.cells.len();
        format!("the line has {cells} cells, but the header has {headers}")
    }

    /// Ensures that the quotes of a header have no fault. A header with a fault may contain the first rows.
    ///
    /// # Errors
    /// The line of the header, and the fault.
    pub(crate) fn ensure_header(&self) -> Result<(), String> {
        self.quotes.map_err(|fault| {
            let reason = fault.reason(self.line, self.last_line);
            format!("the header at line {} cannot be read: {reason}", self.line)
        })
    }
}

/// Reads rows with facts that the `csv` crate does not provide: the line of each row (the crate skips blank lines), the
/// number of blank lines before it, and the faults of its quotes.
pub(crate) struct Lines<'t> {
    bytes: &'t [u8],
    reader: Reader<&'t [u8]>,
    record: StringRecord,
    delimiter: u8,
    escapes: bool,
    /// The offset up to which lines are counted.
    at: usize,
    line: u64,
    blank_lines: u64,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str, first_line: u64, delimiter: u8, escapes: bool) -> Self {
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

    pub(crate) fn next_row(&mut self) -> Result<Option<DelimitedRow<'_>>, String> {
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
        Ok(Some(DelimitedRow {
            line,
            last_line,
            cells: &self.record,
            blank_lines_before,
            quotes,
            is_cut,
        }))
    }

    /// Skips the bytes between two rows: the second half of `\r\n`, and blank lines.
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

    pub(crate) fn blank_lines_at_end(self) -> u64 {
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

/// The number of line ends in a text. `\r\n` counts once.
fn line_ends(text: &[u8]) -> u64 {
    let returns = text.iter().filter(|b| **b == b'\r').count();
    let feeds = text.iter().filter(|b| **b == b'\n').count();
    let both = text.windows(2).filter(|two| two == b"\r\n").count();
    (returns + feeds - both) as u64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuoteFault {
    /// The file ends inside quotes, which may contain the remaining rows.
    NeverClosed,
    /// Text follows a closing quote. Usually an earlier quote was one too many, and the row swallowed its neighbours.
    TextAfterQuote,
    /// A blank precedes an opening quote, which then has no effect.
    BlankBeforeQuote,
}

impl QuoteFault {
    pub(crate) fn reason(self, line: u64, last_line: u64) -> String {
        let place = if line == last_line {
            String::new()
        } else {
            format!(" (the row runs to line {last_line})")
        };
        let fault = match self {
            Self::NeverClosed => "a quote is never closed",
            Self::TextAfterQuote => "a quote closes before the end of its cell",
            Self::BlankBeforeQuote => "a blank precedes an opening quote",
        };
        format!("{fault}{place}")
    }
}

/// Checks that every quoted cell of a row begins and ends with its quote. A lenient reader could join two people into one
/// row that looks intact.
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
