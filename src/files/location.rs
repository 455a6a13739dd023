//! Where a file is, and how messages and evidence show it.

use std::fmt;
use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use crate::net;

/// Where a file is.
#[derive(Clone)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// `https://` (or `http://` on loopback).
    Http {
        /// The address.
        url: reqwest::Url,
        /// The `Authorization` header.
        authorization: Option<SecretString>,
        /// Bounds of the request.
        http: net::Settings,
    },
    /// An S3 object.
    S3 {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
        /// Path-style addressing.
        force_path_style: bool,
    },
}

/// The address without credentials, query and fragment: fit for evidence.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Http { url, .. } => f.write_str(&shown(url)),
            Self::S3 { bucket, key, .. } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// As for people: a query may hold a token, and settings are printed when something is looked for.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        let url = Url::parse("https://ana:hunter2@hr.example/leavers.csv?token=hunter2#x");
        assert_eq!(
            shown(&url.expect("an address")),
            "https://hr.example/leavers.csv"
        );
    }
}
