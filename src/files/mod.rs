//! Files that others leave for a review: at a path, behind https, or in a bucket.
//!
//! Fetched never more of than a cap, unpacked and decoded; the callers know what they mean.

mod decode;
pub(crate) mod delimited;
mod error;
mod location;
mod path;
mod remote;

use std::fmt;

use jiff::Timestamp;

pub(crate) use decode::{PackingFault, decode, is_gzip, unpack};
pub use error::{FileError, Refusal};
pub use location::Location;

use crate::model::AgeBasis;
use crate::net::Deadline;

/// What a file is for: messages say it, and which variable names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What HR says.
    HrFeed,
    /// Accounts tied to people by hand.
    Aliases,
    /// Approved exceptions.
    Exceptions,
}

impl Purpose {
    /// The variable that says where the file is.
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

/// What is known of a file's bytes beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The address, without credentials and without query.
    pub url: String,
    /// When the bytes were last changed, if anybody said.
    pub modified_at: Option<Timestamp>,
    /// Who said so.
    pub age_basis: AgeBasis,
    /// The answer they came in, if it was one over https.
    pub answer: Option<Answered>,
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
    match location {
        Location::Path(path) => path::read(path, purpose, max_bytes).await,
        Location::Http {
            url,
            authorization,
            http,
        } => {
            let authorization = authorization.as_ref();
            remote::web(url, authorization, http, purpose, max_bytes, deadline).await
        }
        Location::S3 {
            bucket,
            key,
            force_path_style,
        } => remote::object(bucket, key, *force_path_style, purpose, max_bytes).await,
    }
}

/// Does what takes its time on a thread of its own, so that a signal is heard meanwhile. A panic in
/// it is a fault of ours and stays one: no other try would help.
pub(crate) async fn aside<T: Send + 'static>(
    purpose: Purpose,
    location: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FileError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopped) => Err(FileError::Unavailable {
                purpose,
                location: location.to_owned(),
                cause: stopped.into(),
            }),
        },
    }
}
