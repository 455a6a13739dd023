//! Files at a path, behind https, or in a bucket.
//!
//! Reads at most as many bytes as a cap allows, unpacks and decodes them. The callers interpret the content.

mod decode;
pub(crate) mod delimited;
mod error;
mod location;
mod path;
mod remote;

use std::fmt;

use jiff::Timestamp;

pub(crate) use decode::{PackingFault, decode, is_gzip, unpack};
pub use error::{FetchFault, FileError, Refusal};
pub use location::Location;

use crate::model::AgeBasis;
use crate::net::Deadline;

/// What a file is for. Messages name it, and the variable with its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    HrFeed,
    Aliases,
    Exceptions,
}

impl Purpose {
    /// The variable with the file's address.
    pub fn variable(self) -> &'static str {
        match self {
            Self::HrFeed => "HR_FEED_URL",
            Self::Aliases => "ALIASES_URL",
            Self::Exceptions => "EXCEPTIONS_URL",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HrFeed => "HR feed",
            Self::Aliases => "file of aliases",
            Self::Exceptions => "file of exceptions",
        })
    }
}

/// What is known of a file beside its bytes.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The address, without credentials and without query.
    pub url: String,
    /// When the bytes were last changed, if known.
    pub modified_at: Option<Timestamp>,
    /// The source of that instant.
    pub age_basis: AgeBasis,
    /// The answer they came in, if it was one over https.
    pub answer: Option<Answered>,
}

impl Fetched {
    /// Bytes that were last changed at this instant, if it is known.
    fn dated(modified_at: Option<Timestamp>, basis: AgeBasis) -> Self {
        Self {
            modified_at,
            age_basis: modified_at.map_or(AgeBasis::Unknown, |_| basis),
            ..Self::default()
        }
    }
}

/// What the head of an answer says of its body.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    pub status: u16,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
}

/// Fetches a file, never more of it than the cap.
///
/// # Errors
/// If it cannot be fetched, or is larger than the cap.
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

/// Does slow work on a thread of its own, so that a signal is heard meanwhile. A panic in it is a bug, which stays a
/// panic: a retry would not help.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    // Nothing cancels it, so it can only have panicked.
    done.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
}
