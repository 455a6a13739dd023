//! Reasons why a file could not be fetched.

use std::error::Error;
use std::fmt;

use super::Purpose;
use crate::aws::AwsError;
use crate::net::{ErrorKind, NetError};

/// A file could not be fetched. Its reader reports faults *inside* the file: those of an
/// [`HrFeed`](crate::model::HrFeed) are evidence, and the run continues and records them.
#[derive(Debug)]
pub struct FileError {
    pub purpose: Purpose,
    /// The address without credentials and query.
    pub location: Box<str>,
    pub fault: FetchFault,
}

/// The reason why a file could not be fetched.
#[derive(Debug)]
pub enum FetchFault {
    /// The file does not exist. The configuration is wrong, and a retry does not help.
    NotFound,
    /// The path is a folder.
    IsFolder,
    /// The file exists, but may not be read.
    Refused(Refusal),
    /// The file is larger than this limit, in bytes. Files are read into memory.
    TooLarge(u64),
    /// The server sent no usable answer.
    Net(Box<NetError>),
    /// The bucket did not return the file.
    Aws(AwsError),
    /// The file cannot be read now. A retry may help.
    Unavailable(Box<dyn Error + Send + Sync>),
}

impl FileError {
    pub fn kind(&self) -> ErrorKind {
        match &self.fault {
            FetchFault::NotFound | FetchFault::IsFolder | FetchFault::TooLarge(_) => {
                ErrorKind::Configuration
            }
            FetchFault::Refused(_) => ErrorKind::Refused,
            FetchFault::Unavailable(_) => ErrorKind::Transient,
            FetchFault::Net(cause) => cause.kind(),
            FetchFault::Aws(cause) => cause.kind(),
        }
    }

    /// The remedy for the operator.
    pub fn hint(&self) -> Option<String> {
        let variable = self.purpose.variable();
        match (&self.fault, self.purpose) {
            (FetchFault::NotFound | FetchFault::IsFolder, _) => Some(format!("correct {variable}")),
            (FetchFault::Refused(Refusal::Permission), _) => {
                Some("give the job's user permission to read the file".to_owned())
            }
            (FetchFault::Refused(_), Purpose::HrFeed) => {
                Some("check HR_FEED_AUTHORIZATION".to_owned())
            }
            (FetchFault::Refused(_), _) => {
                Some(format!("allow the job to read the file in {variable}"))
            }
            (FetchFault::TooLarge(_) | FetchFault::Unavailable(_), _) => None,
            (FetchFault::Net(cause), _) => cause.hint().map(str::to_owned),
            (FetchFault::Aws(cause), _) => cause.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (purpose, location) = (self.purpose, &self.location);
        let file = format_args!("the {purpose} at `{location}`");
        match &self.fault {
            FetchFault::NotFound => write!(f, "{file} does not exist"),
            FetchFault::IsFolder => {
                write!(f, "{file} is a folder, not a file")
            }
            FetchFault::Refused(refusal) => write!(f, "reading {file} was refused: {refusal}"),
            FetchFault::TooLarge(limit_bytes) => write!(
                f,
                "{file} is larger than the size cap of {limit_bytes} bytes ({}), which applies before and after unpacking: export only the columns and rows that the check needs",
                mebibytes(*limit_bytes)
            ),
            FetchFault::Net(_) | FetchFault::Aws(_) => write!(f, "{file} cannot be fetched"),
            FetchFault::Unavailable(_) => write!(f, "{file} cannot be read now"),
        }
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            FetchFault::Net(cause) => Some(cause),
            FetchFault::Aws(cause) => Some(cause),
            FetchFault::Unavailable(cause) => Some(&**cause),
            FetchFault::NotFound
            | FetchFault::IsFolder
            | FetchFault::Refused(_)
            | FetchFault::TooLarge(_) => None,
        }
    }
}

impl From<NetError> for FetchFault {
    fn from(error: NetError) -> Self {
        match (error.status(), error) {
            (_, NetError::TooLarge { limit, .. }) => Self::TooLarge(limit),
            (Some(status @ (401 | 403)), _) => Self::Refused(Refusal::Status(status)),
            (Some(404 | 410), _) => Self::NotFound,
            (_, error) => Self::Net(Box::new(error)),
        }
    }
}

impl From<AwsError> for FetchFault {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::TooLarge { max_bytes, .. } => Self::TooLarge(max_bytes),
            error => Self::Aws(error),
        }
    }
}

/// The reason of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file system denied permission.
    Permission,
    /// A server answered with this status (401 or 403).
    Status(u16),
    /// A header cannot carry the authorization.
    Authorization,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission => f.write_str("permission denied"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Authorization => f.write_str(
                "HR_FEED_AUTHORIZATION contains characters that an HTTP header cannot carry",
            ),
        }
    }
}

/// A size in MiB, for a message.
fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        0 => "less than 1 MiB".to_owned(),
        mebibytes => format!("{mebibytes} MiB"),
    }
}
