//! The files of aliases and exceptions, which people write.
//!
//! A file that cannot be read completely stops the run: half of the exceptions are not the approved ones. A malformed line
//! is kept, and the judgement rejects it.

use csv::StringRecord;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::files::delimited::{Lines, column_key, delimiter, has_backslash_escapes};
use crate::files::{self, FileError, Location, PackingFault, Purpose, aside};
use crate::model::{Alias, Exception, ManualDecisions, ManualFile, quoted, trim};
use crate::net::{Deadline, ErrorKind};

/// The most bytes of a file. A file with more than a hundred thousand manual decisions is a mistake.
const MAX_BYTES: u64 = 16 << 20;

/// The locations of the files.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub aliases: Option<Location>,
    pub exceptions: Option<Location>,
}

/// The reason why a file could not be read completely.
#[derive(Debug, thiserror::Error)]
pub enum ManualError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the {purpose} at `{location}` cannot be read: {reason}")]
    Unreadable {
        purpose: Purpose,
        location: String,
        reason: String,
    },
}

impl ManualError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File(file) => file.kind(),
            Self::Unreadable { .. } => ErrorKind::Configuration,
        }
    }

    /// The remedy for the operator.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(file) => file.hint(),
            Self::Unreadable { purpose, .. } => Some(format!(
                "correct the file or {}; docs/aliases-and-exceptions.md describes its columns",
                purpose.variable()
            )),
        }
    }
}

/// Fetches and reads both files.
///
/// # Errors
/// If a file cannot be fetched or read completely.
pub async fn read(settings: &Settings, deadline: Deadline) -> Result<ManualDecisions, ManualError> {
    Ok(ManualDecisions {
        aliases: file(&settings.aliases, Purpose::Aliases, deadline, aliases).await?,
        exceptions: file(
            &settings.exceptions,
            Purpose::Exceptions,
            deadline,
            exceptions,
        )
        .await?,
    })
}

async fn file<L: Send + 'static>(
    location: &Option<Location>,
    purpose: Purpose,
    deadline: Deadline,
    lines: fn(&str) -> Result<Vec<L>, String>,
) -> Result<Option<ManualFile<L>>, ManualError> {
    let Some(location) = location else {
        return Ok(None);
    };
    let (bytes, fetched) = files::fetch(location, purpose, MAX_BYTES, deadline).await?;
    let url = fetched.url;
    let sha256 = const_hex::encode(Sha256::digest(&bytes));
    let length = bytes.len() as u64;
    match aside(move || lines(&text(bytes)?)).await {
        Ok(lines) => Ok(Some(ManualFile {
            url,
            sha256,
            bytes: length,
            lines,
        })),
        Err(reason) => Err(ManualError::Unreadable {
            purpose,
            location: url,
            reason,
        }),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    let bytes = files::unpack(bytes, MAX_BYTES).map_err(|fault| match fault {
        PackingFault::TooLarge => format!("the unpacked file is larger than {MAX_BYTES} bytes"),
        PackingFault::Corrupt(reason) => reason,
    })?;
    Ok(files::decode(bytes)?.text)
}

fn aliases(text: &str) -> Result<Vec<Alias>, String> {
    table(text, &Alias::COLUMNS, &["email", "account_id"], &[])
}

fn exceptions(text: &str) -> Result<Vec<Exception>, String> {
    const TARGETS: &[&str] = &["email", "person_id", "account_id", "check"];
    const REQUIRED: &[&str] = &["reason", "approved_by", "approved_on", "expires_on"];
    table(text, &Exception::COLUMNS, TARGETS, REQUIRED)
}

/// Reads every row that is not blank. It ignores unknown columns. A blank cell counts as missing.
///
/// # Errors
/// If the header lacks all of `one_of` or one of `all_of`, if its quotes have a fault, or if the file looks truncated: a
/// quote is never closed, or the last line ends too early.
fn table<L: DeserializeOwned>(
    text: &str,
    names: &[&str],
    one_of: &[&str],
    all_of: &[&str],
) -> Result<Vec<L>, String> {
    let text = text.trim_start_matches('\u{feff}');
    if trim(text).is_empty() {
        return Err("the file is empty".to_owned());
    }
    let delimiter = delimiter(text, names);
    let escapes = has_backslash_escapes(text.as_bytes(), delimiter);
    let mut lines = Lines::new(text, 1, delimiter, escapes);
    let mut headers = Vec::new();
    if let Some(header) = lines.next_row()? {
        header.ensure_header()?;
        headers.extend(header.cells.iter().map(|cell| trim(cell).to_owned()));
    }
    let keys: Vec<String> = headers.iter().map(|header| column_key(header)).collect();
    let mut columns = Vec::new();
    for name in names {
        let mut places = (0..).zip(&keys).filter(|(_, key)| key == name);
        columns.push(places.next().map(|(at, _)| at));
        if places.next().is_some() {
            return Err(format!("it has two columns `{name}`"));
        }
    }
    let has = |name: &&str| keys.iter().any(|key| key == name);
    if let Some(missing) = all_of.iter().find(|name| !has(name)) {
        return Err(format!("it has no column `{missing}`; {}", seen(&headers)));
    }
    if !one_of.iter().any(has) {
        let wanted = one_of.join("`, `");
        let seen = seen(&headers);
        return Err(format!("it has none of the columns `{wanted}`; {seen}"));
    }

    // The known columns, then the number and the fault of each line.
    let fields: StringRecord = names.iter().chain(&["line", "fault"]).collect();
    let mut made = Vec::new();
    while let Some(row) = lines.next_row()? {
        if row.is_blank() {
            continue;
        }
        let fault = match row.quotes_fault()? {
            Some(fault) => Some(fault),
            // The missing lines may be aliases with relation `different`.
            None if row.is_cut && row.cells.len() < headers.len() => {
                return Err(format!(
                    "it looks truncated at line {}, which has {} of {} cells and no line break after it",
                    row.line,
                    row.cells.len(),
                    headers.len()
                ));
            }
            None => (row.cells.len() != headers.len()).then(|| row.other_count(headers.len())),
        };
        let cell = |at: &Option<usize>| row.cells.get((*at)?).map(trim);
        let cells = columns.iter().map(|at| cell(at).unwrap_or_default());
        let mut values: StringRecord = cells.collect();
        values.push_field(&row.line.to_string());
        values.push_field(fault.as_deref().unwrap_or_default());
        let line = values.deserialize(Some(&fields));
        made.push(line.map_err(|error| error.to_string())?);
    }
    Ok(made)
}

/// The header for a message, unless it looks like personal data.
fn seen(headers: &[String]) -> String {
    let is_data = |text: &String| text.contains('@') || text.contains(|c: char| c.is_ascii_digit());
    if headers.iter().any(is_data) {
        return "its first line looks like data".to_owned();
    }
    let shown = headers.iter().take(20).map(|header| {
        let plain: String = header
            .chars()
            .filter(|c| !c.is_control())
            .take(40)
            .collect();
        quoted(&plain)
    });
    format!("its header is {}", shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_lines_is_read() {
        let header = "email,person_id,account_id,check,reason,approved_by,approved_on,expires_on\n";
        assert_eq!(exceptions(header), Ok(Vec::new()));
    }

    #[test]
    fn lines_are_read_by_column_names_and_keep_their_numbers() {
        let text = "\u{feff}Reason;Approved By;Expires-On;Ticket;Note;Approved on;Person ID\r\n\
                    ;;;;;;\r\n\
                    on a project;ceo@x.com;2026-12-31;SEC-1;call;2026-11-20; E1 \r\n";
        let found = exceptions(text).expect("a file");
        let expected = Exception {
            line: 3,
            person_id: Some("E1".to_owned()),
            reason: Some("on a project".to_owned()),
            approved_by: Some("ceo@x.com".to_owned()),
            approved_on: Some("2026-11-20".to_owned()),
            expires_on: Some("2026-12-31".to_owned()),
            ticket: Some("SEC-1".to_owned()),
            ..Exception::default()
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn blank_lines_above_the_header_count_as_lines() {
        for ends in ["\n\n", "\r\n\r\n", "\r\r"] {
            let text = format!("{ends}email,account_id\na@x.com,1\n");
            let found = aliases(&text).expect("a file");
            assert_eq!(found[0].line, 4, "{ends:?}");
        }
    }

    #[test]
    fn the_examples_of_the_page_have_no_fault() {
        let page = include_str!("../docs/aliases-and-exceptions.md");
        let mut blocks = page
            .split("```csv\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        let named = aliases(blocks.next().expect("aliases")).expect("a file");
        let accepted = exceptions(blocks.next().expect("exceptions")).expect("a file");
        assert_eq!((named.len(), accepted.len()), (4, 3));
        assert!(named.iter().all(|alias| alias.fault.is_none()));
        assert!(
            accepted
                .iter()
                .all(|exception| { exception.fault.is_none() && exception.approved_by.is_some() })
        );
    }

    #[test]
    fn a_line_with_too_few_cells_is_kept_with_its_fault() {
        let text = "email,account_id,person_id\na@x.com,1,E1\na@x.com,1\n";
        let found = aliases(text).expect("a file");
        assert_eq!(found[0].fault, None);
        assert_eq!(
            found[1].fault.as_deref(),
            Some("the line has 2 cells, but the header has 3")
        );
    }

    #[test]
    fn a_last_line_without_a_line_break_is_read() {
        let text = "email,account_id,person_id\na@x.com,1,E1\nb@x.com,2,E2";
        let found = aliases(text).expect("a file");
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|alias| alias.fault.is_none()));
    }

    #[test]
    fn an_incomplete_file_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "the file is empty"),
            ("\n \n", "the file is empty"),
            (
                "email,reason,approved_on,expires_on\n",
                "it has no column `approved_by`; its header is “email”, “reason”, “approved_on”, “expires_on”",
            ),
            (
                "email,reason,approved_by,expires_on\n",
                "it has no column `approved_on`; its header is “email”, “reason”, “approved_by”, “expires_on”",
            ),
            (
                "name,reason,approved_by,approved_on,expires_on\n",
                "it has none of the columns `email`, `person_id`, `account_id`, `check`; its header is “name”, “reason”, “approved_by”, “approved_on”, “expires_on”",
            ),
            (
                "email,e-mail,email,reason,approved_by,approved_on,expires_on\n",
                "it has two columns `email`",
            ),
            (
                "ada@x.com,E1\n",
                "it has no column `reason`; its first line looks like data",
            ),
            (
                "email,reason,approved_by,approved_on,expires_on\n\"ada@x.com,x,y,2026-11-20,2026-12-31\n",
                "the row that begins at line 2 has a quote that is never closed",
            ),
            (
                "email,reason,approved_by,approved_on,expires_on\na@x.com,x,y,2026-11-20,2026-12-31\nb@x.com,x,y,2026-11-20",
                "it looks truncated at line 3, which has 4 of 5 cells and no line break after it",
            ),
            // The line below is part of the header, so no line would remain.
            (
                "email,reason,approved_by,approved_on,expires_on,\"ticket\nada@x.com,x,y,2026-11-20,2026-12-31,1\n",
                "the header at line 1 cannot be read: a quote is never closed (the row runs to line 2)",
            ),
            // The first exception is part of the header.
            (
                "email,reason,approved_by,approved_on,expires_on,\"ticket\n\
                 ada@x.com,x,y,2026-11-20,2026-12-31,\"1\"\n\
                 bob@x.com,x,y,2026-11-20,2026-12-31,\"2\"\n",
                "the header at line 1 cannot be read: a quote closes before the end of its cell (the row runs to line 2)",
            ),
            (
                "\n\nemail, \"person_id\",reason,approved_by,approved_on,expires_on\n",
                "the header at line 3 cannot be read: a blank precedes an opening quote",
            ),
        ] {
            let reported = exceptions(text).expect_err(text);
            assert_eq!(reported, reason, "{text:?}");
        }
    }
}
