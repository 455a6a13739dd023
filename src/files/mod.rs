//! Files at a path, at an https address or in a bucket.
//!
//! Reads a file up to a size limit, unpacks it and decodes it. The callers interpret the content. Also replaces a file as
//! a whole.

mod decode;
pub(crate) mod delimited;
mod error;
mod location;
mod path;
mod remote;
mod replace;

use std::fmt;

use jiff::Timestamp;

pub(crate) use decode::{PackingFault, decode, is_gzip, unpack};
pub use error::{FetchFault, FileError, Refusal};
pub use location::Location;
pub use replace::{folder_of, replace};

use crate::model::AgeBasis;
use crate::net::Deadline;

/// The purpose of a file. Messages print it and the variable with the file's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    HrFeed,
    Aliases,
    Exceptions,
    Connections,
}

impl Purpose {
    /// The variable with the file's address.
    pub fn variable(self) -> &'static str {
        match self {
            Self::HrFeed => "HR_FEED_URL",
            Self::Aliases => "ALIASES_URL",
            Self::Exceptions => "EXCEPTIONS_URL",
            Self::Connections => "CONNECTIONS_URL",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HrFeed => "HR feed",
            Self::Aliases => "file of aliases",
            Self::Exceptions => "file of exceptions",
            Self::Connections => "list of connections",
        })
    }
}

/// The facts about a fetched file, except its bytes.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The address without credentials and query.
    pub url: String,
    /// The instant of the last change, if known.
    pub modified_at: Option<Timestamp>,
    /// The source of that instant.
    pub age_basis: AgeBasis,
    /// The status and headers of the HTTP answer, if the file came over https.
    pub answer: Option<Answered>,
}

impl Fetched {
    /// A file that was last changed at this instant, if known.
    fn dated(modified_at: Option<Timestamp>, basis: AgeBasis) -> Self {
        Self {
            modified_at,
            age_basis: modified_at.map_or(AgeBasis::Unknown, |_| basis),
            ..Self::default()
        }
    }
}

/// The status and the headers of an HTTP answer.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    pub status: u16,
    /// Names in lower case with their values. Values that are not text are omitted.
    pub headers: Vec<(String, String)>,
}

/// Fetches a file.
///
/// # Errors
/// If the file cannot be fetched, or is larger than the limit.
pub async fn fetch(
    location: &Location,
    purpose: Purpose,
    max_bytes: u64,
    deadline: Deadline,
) -> Result<(Vec<u8>, Fetched), FileError> {
    let url = location.to_string();
    let content = match location {
        Location::Path(path) => path::read(path, max_bytes).await,
        Location::Http {
            url,
            authorization,
            http,
        } => remote::web(url, authorization.as_ref(), http, max_bytes, deadline).await,
        Location::S3 {
            bucket,
            key,
            force_path_style,
        } => remote::object(bucket, key, *force_path_style, max_bytes).await,
    };
    match content {
        Ok((bytes, fetched)) => Ok((bytes, Fetched { url, ..fetched })),
        Err(fault) => Err(FileError {
            purpose,
            location: url.into(),
            fault,
        }),
    }
}

/// Does slow work on another thread, so that the program reacts to signals meanwhile. A panic in the work stays a panic,
/// because a retry does not mend a bug.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    // Nothing cancels the task, so an error means that it panicked.
    done.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
}
