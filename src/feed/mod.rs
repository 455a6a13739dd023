//! The HR feed: fetched, decoded, read row by row, nothing lost silently.
//!
//! [`files`] gets a file and decodes it. `table` finds the records of delimited text, `outline` and `json` those of
//! JSON, and `hris` makes records of the employees in an HR system. From there on all are read in one way: `columns`
//! finds out what each column holds, `rows` reads the fields of a record with `dates`, `statuses` and `zones`, and
//! `draft` counts. Words that systems use are tables in `names`, `statuses`, `signs` and `zones`.

mod columns;
mod dates;
mod draft;
mod footer;
mod hris;
mod json;
mod names;
mod outline;
#[cfg(test)]
mod page;
mod record;
mod rows;
mod signs;
mod statuses;
mod table;
#[cfg(test)]
mod tests;
mod values;
mod walk;
mod zones;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::files::{self, FetchFault, Fetched, FileError, Location, PackingFault, Purpose, aside};
use crate::model::{Employment, FeedOrigin, HrFeed, Meaning, fold, trim, words};
use crate::net::{Deadline, ErrorKind};
use crate::truto::TrutoError;
use draft::Draft;
pub use hris::HrisSettings;

/// The source of the HR feed.
#[derive(Clone, Debug)]
pub enum Source {
    /// In a file.
    File(Settings),
    /// In the HR system, read through Truto.
    Hris(HrisSettings),
}

/// Why the feed could not be fetched. The [`HrFeed`] reports faults *inside* of it.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    File(#[from] FileError),
    /// The connection is the other side of the comparison.
    #[error("the connection `{id}` is for Asana, not for an HR system")]
    IsAsana { id: String },
    /// Truto did not give what was asked for.
    #[error("the HR system behind the connection `{id}` cannot be read")]
    Truto {
        /// The connection.
        id: String,
        #[source]
        cause: TrutoError,
    },
}

impl FeedError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File(file) => file.kind(),
            Self::IsAsana { .. } => ErrorKind::Configuration,
            Self::Truto { cause, .. } => cause.kind(),
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(file) => file.hint(),
            Self::IsAsana { .. } => {
                Some("name a connection to an HR system in HR_FEED_URL".to_owned())
            }
            Self::Truto { cause, .. } => cause.hint(),
        }
    }
}

/// Where the feed's file is and how to read it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub location: Location,
    /// The format; `None` detects it from the content.
    pub format: Option<Format>,
    /// Columns named by hand, by what they hold. Parts of one field are joined by `+`, and so are columns that are
    /// ignored.
    pub columns: BTreeMap<Meaning, String>,
    /// Which lists of a JSON document hold the people, by paths with dots or by the ends of them. Empty: detected.
    pub records: Vec<String>,
    pub dates: DateRules,
    pub words: Words,
    /// Larger feeds are refused, in bytes (before and after unpacking).
    pub max_bytes: u64,
}

/// How dates are read, in a file and from an HR system alike.
#[derive(Clone, Debug)]
pub struct DateRules {
    /// How to read a date like `03/04/2026`; `None` refuses it.
    pub order: Option<DateOrder>,
    /// Zone of dates that carry none: an IANA name that is known to exist.
    pub time_zone: String,
    /// Zones by work place, for rows that name no zone; keys as [`place_key`] makes them.
    pub location_zones: BTreeMap<String, String>,
}

/// Words of the operator's HR system, beside those that are known.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What status words mean. Case, blanks and accents make no difference.
    pub statuses: BTreeMap<String, Employment>,
    /// Words and addresses that mean "no address".
    pub no_address: Vec<String>,
}

words! {
    /// The format of a feed file.
    Format {
        /// Delimited text with a header.
        Csv = "csv",
        /// One JSON array, or an object that holds one.
        Json = "json",
        /// One JSON object a line.
        Jsonl = "jsonl",
    }
}

/// How the parts of a date with slashes or dashes are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
}

/// What a work place is compared by: case and the blanks in it make no difference.
pub fn place_key(place: &str) -> String {
    let folded = fold(trim(place));
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the feed, wherever it is.
///
/// # Errors
/// If the feed cannot be fetched. The [`HrFeed`] reports faults inside of it.
pub async fn read(source: &Source, clock: &Clock, deadline: Deadline) -> Result<HrFeed, FeedError> {
    match source {
        Source::File(settings) => Ok(read_file(settings, deadline).await?),
        Source::Hris(settings) => hris::read(settings, clock, deadline).await,
    }
}

/// Fetches a file and reads it.
///
/// # Errors
/// If the file cannot be fetched, or is larger than the cap. The [`HrFeed`] reports faults inside of it.
pub async fn read_file(settings: &Settings, deadline: Deadline) -> Result<HrFeed, FileError> {
    let (purpose, max_bytes) = (Purpose::HrFeed, settings.max_bytes);
    let (bytes, fetched) = files::fetch(&settings.location, purpose, max_bytes, deadline).await?;
    let settings = settings.clone();
    // A large feed takes a second, in which a signal must still be heard.
    aside(move || understand(bytes, fetched, &settings)).await
}

/// A feed from its bytes. An unusable one has the reason.
///
/// # Errors
/// If it is larger than the cap once unpacked.
fn understand(bytes: Vec<u8>, fetched: Fetched, settings: &Settings) -> Result<HrFeed, FileError> {
    let mut draft = Draft::new(FeedOrigin {
        url: fetched.url,
        sha256: const_hex::encode(Sha256::digest(&bytes)),
        bytes: bytes.len() as u64,
        modified_at: fetched.modified_at,
        age_basis: fetched.age_basis,
        gzip: files::is_gzip(&bytes),
        ..FeedOrigin::default()
    });
    let read = match files::unpack(bytes, settings.max_bytes) {
        Ok(bytes) => read_content(bytes, settings, &mut draft),
        Err(PackingFault::Damaged(reason)) => Err(reason),
        Err(PackingFault::TooLarge) => {
            return Err(FileError {
                purpose: Purpose::HrFeed,
                location: draft.origin().url.as_str().into(),
                fault: FetchFault::TooLarge(settings.max_bytes),
            });
        }
    };
    let read = read.and_then(|()| match fetched.answer {
        Some(answer) => signs::ensure_whole(&answer, draft.records()),
        None => Ok(()),
    });
    Ok(draft.finish(read))
}

fn read_content(bytes: Vec<u8>, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let decoded = files::decode(bytes)?;
    decoded.encoding.clone_into(&mut draft.origin().encoding);
    if let Some(note) = decoded.note {
        draft.note(note);
    }
    let text = decoded.text.trim_start_matches('\u{feff}');
    let format = settings.format.unwrap_or_else(|| format_of(text));
    format.as_str().clone_into(&mut draft.origin().format);
    if trim(text).is_empty() {
        return Err("the file is empty".to_owned());
    }
    match format {
        Format::Csv => {
            if !settings.records.is_empty() {
                draft.note("HR_FEED_RECORDS has no effect: the file is not JSON");
            }
            table::read(text, settings, draft)
        }
        Format::Json => json::read(text, settings, draft),
        Format::Jsonl => json::read_lines(text, settings, draft),
    }
}

/// The format of a text, by its first character: headers of tables begin with neither bracket nor brace.
fn format_of(text: &str) -> Format {
    match text.trim_start().chars().next() {
        Some('[') => Format::Json,
        Some('{') if json::is_lines(text) => Format::Jsonl,
        Some('{') => Format::Json,
        _ => Format::Csv,
    }
}
