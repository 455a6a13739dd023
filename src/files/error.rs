//! What can keep a file from being fetched.

use std::error::Error;
use std::fmt;

use super::Purpose;
use crate::aws::AwsError;
use crate::net::{ErrorKind, NetError};

/// A file could not be fetched. What is wrong *inside* of it is for whoever asked for it: of an
/// [`HrFeed`](crate::model::HrFeed) it is evidence, and the run goes on to say so.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing is there: the configuration is wrong, and trying again changes nothing.
    #[error("there is no {purpose} at `{location}`")]
    NotFound {
        /// What it is for.
        purpose: Purpose,
        /// Where it was looked for.
        location: String,
    },
    /// A folder stands where the file should be.
    #[error("`{location}` is a folder and no {purpose}: name the file")]
    NotAFile {
        /// What it is for.
        purpose: Purpose,
        /// Where it was looked for.
        location: String,
    },
    /// It is there, and we may not read it.
    #[error("reading the {purpose} at `{location}` was refused: {refusal}")]
    Refused {
        /// What it is for.
        purpose: Purpose,
        /// Where it is.
        location: String,
        /// Who said no.
        refusal: Refusal,
    },
    /// It is larger than we are willing to hold in memory.
    #[error(
        "the {purpose} at `{location}` is larger than the size cap of {limit_bytes} bytes ({}), which holds before and after unpacking: export only the columns and rows the review needs",
        mebibytes(*limit_bytes)
    )]
    TooLarge {
        /// What it is for.
        purpose: Purpose,
        /// Where it is.
        location: String,
        /// The cap.
        limit_bytes: u64,
    },
    /// The server gave no usable answer.
    #[error("the {purpose} at `{location}` cannot be fetched")]
    Net {
        /// What it is for.
        purpose: Purpose,
        /// Where it is.
        location: String,
        /// What happened.
        #[source]
        cause: NetError,
    },
    /// The bucket did not hand it out.
    #[error("the {purpose} at `{location}` cannot be fetched")]
    Aws {
        /// What it is for.
        purpose: Purpose,
        /// Where it is.
        location: String,
        /// What happened.
        #[source]
        cause: AwsError,
    },
    /// It could not be read now; later it may.
    #[error("the {purpose} at `{location}` cannot be read at the moment")]
    Unavailable {
        /// What it is for.
        purpose: Purpose,
        /// Where it is.
        location: String,
        /// What happened.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl FileError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NotAFile { .. } | Self::TooLarge { .. } => {
                ErrorKind::Configuration
            }
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Unavailable { .. } => ErrorKind::Transient,
            Self::Net { cause, .. } => cause.kind(),
            Self::Aws { cause, .. } => cause.kind(),
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { purpose, .. } | Self::NotAFile { purpose, .. } => {
                return Some(format!("correct {}", purpose.variable()));
            }
            Self::Refused {
                refusal: Refusal::Permission,
                ..
            } => "let the job's user read the file",
            Self::Refused {
                purpose: Purpose::HrFeed,
                ..
            } => "check HR_FEED_AUTHORIZATION",
            Self::Refused { purpose, .. } => {
                return Some(format!(
                    "let the job read what {} names",
                    purpose.variable()
                ));
            }
            Self::TooLarge { .. } | Self::Unavailable { .. } => return None,
            Self::Net { cause, .. } => return cause.hint().map(str::to_owned),
            Self::Aws { cause, .. } => return cause.hint().map(str::to_owned),
        };
        Some(hint.to_owned())
    }
}

/// Who refused to hand out the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file system.
    Permission,
    /// A server, with this status (401 or 403).
    Status(u16),
    /// Nobody yet: the authorization cannot be sent.
    Authorization,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission => f.write_str("permission denied"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Authorization => f.write_str("HR_FEED_AUTHORIZATION is fit for no header"),
        }
    }
}

/// A size in the unit people compare it with.
fn mebibytes(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes < MIB {
        "less than 1 MiB".to_owned()
    } else {
        format!("{} MiB", bytes / MIB)
    }
}
