//! The HR feed: fetched, decoded and read row by row. Every row is counted.
//!
//! [`files`] fetches and decodes a file. `table` finds the records in delimited text, `outline` and `json` find those in
//! JSON, and `hris` makes records from the employees in an HR system. The rest is the same for all: `columns` determines
//! the meaning of each column, `rows` reads the fields of a record with `dates`, `statuses` and `zones`, and `draft`
//! counts. `names`, `statuses`, `signs` and `zones` are tables of the words that systems use.

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

/// Why the feed could not be fetched. The [`HrFeed`] reports faults *inside* the feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    File(#[from] FileError),
    /// The feed would be compared with itself.
    #[error("the connection `{id}` is for Asana, not for an HR system")]
    IsAsana { id: String },
    #[error("the HR system behind the connection `{id}` cannot be read")]
    Truto {
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

    /// The remedy for the operator.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(file) => file.hint(),
            Self::IsAsana { .. } => {
                Some("set HR_FEED_URL to a connection to an HR system".to_owned())
            }
            Self::Truto { cause, .. } => cause.hint(),
        }
    }
}

/// The location of the feed's file, and the rules for reading it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub location: Location,
    /// The format; `None` detects it from the content.
    pub format: Option<Format>,
    /// The columns of `HR_FEED_COLUMNS` by meaning. `+` joins the parts of one field, and the ignored columns.
    pub columns: BTreeMap<Meaning, String>,
    /// The lists of people in a JSON document, as dotted paths or ends of such paths. If empty, they are detected.
    pub records: Vec<String>,
    pub dates: DateRules,
    pub words: Words,
    /// The most bytes of a feed, before and after unpacking.
    pub max_bytes: u64,
}

/// The rules for reading dates, from a file or from an HR system.
#[derive(Clone, Debug)]
pub struct DateRules {
    /// The order in a date like `03/04/2026`; `None` rejects such a date.
    pub order: Option<DateOrder>,
    /// The zone of dates without one: a valid IANA name.
    pub time_zone: String,
    /// Zones by work place, for rows without a zone. The keys are made by [`place_key`].
    pub location_zones: BTreeMap<String, String>,
}

/// Words of the operator's HR system, in addition to the known ones.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Status words with their meanings. Case, blanks and accents make no difference.
    pub statuses: BTreeMap<String, Employment>,
    /// Words and addresses that mean "no address".
    pub no_address: Vec<String>,
}

words! {
    /// The format of a feed file.
    Format {
        /// Delimited text with a header.
        Csv = "csv",
        /// One JSON array, or an object that contains one.
        Json = "json",
        /// One JSON object a line.
        Jsonl = "jsonl",
    }
}

/// The order of the parts in a date with slashes or dashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// The key of a work place. Case and the number of blanks make no difference.
pub fn place_key(place: &str) -> String {
    let folded = fold(trim(place));
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the feed from its source.
///
/// # Errors
/// If the feed cannot be fetched. The [`HrFeed`] reports faults inside the feed.
pub async fn read(source: &Source, clock: &Clock, deadline: Deadline) -> Result<HrFeed, FeedError> {
    match source {
        Source::File(settings) => Ok(read_file(settings, deadline).await?),
        Source::Hris(settings) => hris::read(settings, clock, deadline).await,
    }
}

/// Fetches a file and reads it.
///
/// # Errors
/// If the file cannot be fetched, or is larger than the limit. The [`HrFeed`] reports faults inside the feed.
pub async fn read_file(settings: &Settings, deadline: Deadline) -> Result<HrFeed, FileError> {
    let (purpose, max_bytes) = (Purpose::HrFeed, settings.max_bytes);
    let (bytes, fetched) = files::fetch(&settings.location, purpose, max_bytes, deadline).await?;
    let settings = settings.clone();
    // A large feed takes a second, during which the program must still react to a signal.
    aside(move || understand(bytes, fetched, &settings)).await
}

/// Makes a feed of its bytes. An unusable feed has the reason.
///
/// # Errors
/// If the unpacked feed is larger than the limit.
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
        Err(PackingFault::Corrupt(reason)) => Err(reason),
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

/// The format of a text, by its first character. The header of a table begins with neither a bracket nor a brace.
fn format_of(text: &str) -> Format {
    match text.trim_start().chars().next() {
        Some('[') => Format::Json,
        Some('{') if json::is_lines(text) => Format::Jsonl,
        Some('{') => Format::Json,
        _ => Format::Csv,
    }
}
