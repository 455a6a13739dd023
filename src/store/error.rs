//! Why the store did not do what it was asked.

use aws_sdk_s3::error::BoxError;

use crate::aws::AwsError;
use crate::net::ErrorKind;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Other bytes have this name. They are kept: nothing is ever replaced.
    #[error("`{name}` already exists with other content")]
    Conflict {
        /// Where it is: a path or an `s3://` address.
        name: String,
    },
    /// A missing permission, or credentials that are missing or bad.
    #[error("{what} was refused")]
    Refused {
        /// What was tried, on what.
        what: String,
        /// What may help.
        hint: String,
        /// What the file system or the server said.
        source: BoxError,
    },
    /// The bucket is not there. (A missing *object* is no error: it reads as `None`.)
    #[error("{what} does not exist")]
    NotFound {
        /// What was looked for.
        what: String,
        /// What may help.
        hint: String,
        /// What the server said.
        source: BoxError,
    },
    /// The store is down, or full, or out of reach: worth another try later.
    #[error("{what} failed")]
    Unavailable {
        /// What was tried, on what.
        what: String,
        /// The last cause.
        source: BoxError,
    },
    /// It cannot work like this, however often it is tried.
    #[error("{what}")]
    Configuration {
        /// What is wrong.
        what: String,
        /// What may help.
        hint: String,
        /// What the file system or the server said, if one was asked.
        source: Option<BoxError>,
    },
}

impl StoreError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Unexpected,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::NotFound { .. } | Self::Configuration { .. } => ErrorKind::Configuration,
            Self::Unavailable { .. } => ErrorKind::Transient,
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. }
            | Self::NotFound { hint, .. }
            | Self::Configuration { hint, .. } => Some(hint),
            Self::Conflict { .. } | Self::Unavailable { .. } => None,
        }
    }
}

impl From<AwsError> for StoreError {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::NotFound { what, source } => Self::NotFound {
                what,
                hint: "evidence needs a bucket that exists: create it, or correct EVIDENCE_URL"
                    .to_owned(),
                source,
            },
            AwsError::Refused { what, hint, source } => Self::Refused { what, hint, source },
            AwsError::Configuration { what, hint, source } => {
                Self::Configuration { what, hint, source }
            }
            AwsError::Unavailable { what, source } => Self::Unavailable { what, source },
            AwsError::TooLarge { address, max_bytes } => Self::Configuration {
                what: format!("`{address}` is larger than {max_bytes} bytes"),
                hint: "this program does not write such objects: something else uses this prefix"
                    .to_owned(),
                source: None,
            },
        }
    }
}
