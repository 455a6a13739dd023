//! What can keep a file from being fetched.

use std::error::Error;
use std::fmt;

use super::Purpose;
use crate::aws::AwsError;
use crate::net::{ErrorKind, NetError};

/// A file could not be fetched. Its reader reports what is wrong *inside* of it: faults of an
/// [`HrFeed`](crate::model::HrFeed) are evidence, and the run goes on to report them.
#[derive(Debug)]
pub struct FileError {
    pub purpose: Purpose,
    /// The address without credentials and query.
    pub location: Box<str>,
    pub fault: FetchFault,
}

/// Why a file could not be fetched.
#[derive(Debug)]
pub enum FetchFault {
    /// Nothing is there: the configuration is wrong, and trying again changes nothing.
    NotFound,
    /// A folder is at the place of the file.
    IsFolder,
    /// It is there, and we may not read it.
    Refused(Refusal),
    /// It is larger than this many bytes, more than we are willing to hold in memory.
    TooLarge(u64),
    /// The server gave no usable answer.
    Net(NetError),
    /// The bucket did not hand it out.
    Aws(AwsError),
    /// It could not be read now; later it may.
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

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let variable = self.purpose.variable();
        match (&self.fault, self.purpose) {
            (FetchFault::NotFound | FetchFault::IsFolder, _) => Some(format!("correct {variable}")),
            (FetchFault::Refused(Refusal::Permission), _) => {
                Some("let the job's user read the file".to_owned())
            }
            (FetchFault::Refused(_), Purpose::HrFeed) => {
                Some("check HR_FEED_AUTHORIZATION".to_owned())
            }
            (FetchFault::Refused(_), _) => Some(format!("let the job read what {variable} names")),
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
            FetchFault::NotFound => write!(f, "there is no {purpose} at `{location}`"),
            FetchFault::IsFolder => {
                write!(
                    f,
                    "`{location}` is a folder and no {purpose}: name the file"
                )
            }
            FetchFault::Refused(refusal) => write!(f, "reading {file} was refused: {refusal}"),
            FetchFault::TooLarge(limit_bytes) => write!(
                f,
                "{file} is larger than the size cap of {limit_bytes} bytes ({}), which holds before and after unpacking: export only the columns and rows the review needs",
                mebibytes(*limit_bytes)
            ),
            FetchFault::Net(_) | FetchFault::Aws(_) => write!(f, "{file} cannot be fetched"),
            FetchFault::Unavailable(_) => write!(f, "{file} cannot be read at the moment"),
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
            (_, error) => Self::Net(error),
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

/// Who refused to hand out the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file system.
    Permission,
    /// A server, with this status (401 or 403).
    Status(u16),
    /// This program: the authorization cannot be sent.
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
    match bytes >> 20 {
        0 => "less than 1 MiB".to_owned(),
        mebibytes => format!("{mebibytes} MiB"),
    }
}
