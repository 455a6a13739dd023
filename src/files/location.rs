//! The location of a file, and its form in messages and evidence.

use std::fmt;
use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use crate::net;

/// The location of a file.
#[derive(Clone)]
pub enum Location {
    Path(PathBuf),
    /// `https://` (or `http://` on loopback).
    Http {
        url: reqwest::Url,
        /// The `Authorization` header.
        authorization: Option<SecretString>,
        http: net::Settings,
    },
    /// An S3 object.
    S3 {
        bucket: String,
        key: String,
        force_path_style: bool,
    },
}

/// The address without credentials, query and fragment, which may contain secrets.
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

/// The same form as `Display`, because debug output of settings must not show a token in a query.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_address_that_may_be_secret_are_not_shown() {
        let url = Url::parse("https://ana:hunter2@hr.example/leavers.csv?token=hunter2#x");
        assert_eq!(
            shown(&url.expect("an address")),
            "https://hr.example/leavers.csv"
        );
    }
}
