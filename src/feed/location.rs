//! The text of a feed's address, read into the place it names.

use std::fmt;
use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use super::Location;
use crate::net;

/// What is wrong with the text of an address. The text itself stays out: it may hold a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It cannot be read as an address.
    #[error("is no address: {0}")]
    Malformed(String),
    /// Plain http would show the people who left, and the token, to the network.
    #[error("must be https: plain http is for loopback only")]
    NotHttps,
    /// Credentials in an address end up in logs.
    #[error("holds a user or password: put them into HR_FEED_AUTHORIZATION")]
    Credentials,
    /// A scheme we don't know.
    #[error("has the unknown scheme `{0}`: use a path, `file://`, `https://` or `s3://bucket/key`")]
    Scheme(String),
}

impl Location {
    /// Reads an address: a path, `file://`, `https://` (`http://` on loopback), `s3://bucket/key`.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(
        text: &str,
        authorization: Option<SecretString>,
        http: net::Settings,
        force_path_style: bool,
    ) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Path(PathBuf::from(text)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => url(text)?
                .to_file_path()
                .map(Self::Path)
                .map_err(|()| LocationError::Malformed("it names no file of this machine".into())),
            "s3" => match rest.split_once('/') {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Self::S3 {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                    force_path_style,
                }),
                _ => Err(LocationError::Malformed(
                    "it needs a bucket and a key, as `s3://bucket/key`".into(),
                )),
            },
            scheme @ ("https" | "http") => {
                let url = url(text)?;
                if scheme == "http" && !is_loopback(&url) {
                    return Err(LocationError::NotHttps);
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(LocationError::Credentials);
                }
                Ok(Self::Http {
                    url,
                    authorization,
                    http,
                })
            }
            other => Err(LocationError::Scheme(other.to_owned())),
        }
    }
}

/// The address without credentials and without query: fit for evidence.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Http { url, .. } => {
                write!(f, "{}{}", url.origin().ascii_serialization(), url.path())
            }
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

fn url(text: &str) -> Result<Url, LocationError> {
    Url::parse(text).map_err(|error| LocationError::Malformed(error.to_string()))
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;

    fn parse(text: &str) -> String {
        let http = net::Settings {
            timeout: Duration::from_secs(1),
            max_attempts: 1,
            max_elapsed: Duration::from_secs(1),
        };
        match Location::parse(text, None, http, false) {
            Ok(location) => {
                assert_eq!(format!("{location:?}"), format!("`{location}`"));
                location.to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_kind_of_address_is_read_and_shown_without_its_query() {
        assert_eq!(parse("hr/leavers.csv"), "hr/leavers.csv");
        assert_eq!(parse("file:///data/hr%20feed.csv"), "/data/hr feed.csv");
        assert_eq!(
            parse("https://hr.example/leavers.csv?token=secret#x"),
            "https://hr.example/leavers.csv"
        );
        assert_eq!(
            parse("http://127.0.0.1:8080/hr"),
            "http://127.0.0.1:8080/hr"
        );
        assert_eq!(parse("http://[::1]:8080/hr"), "http://[::1]:8080/hr");
        assert_eq!(
            parse("s3://bucket/hr/leavers.csv"),
            "s3://bucket/hr/leavers.csv"
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why_and_not_what_it_was() {
        assert_snapshot!(parse("http://hr.example/leavers.csv?token=secret"), @"must be https: plain http is for loopback only");
        assert_snapshot!(parse("https://ana:secret@hr.example/"), @"holds a user or password: put them into HR_FEED_AUTHORIZATION");
        assert_snapshot!(parse("s3://bucket"), @"is no address: it needs a bucket and a key, as `s3://bucket/key`");
        assert_snapshot!(parse("sftp://hr.example/x"), @"has the unknown scheme `sftp`: use a path, `file://`, `https://` or `s3://bucket/key`");
        assert_snapshot!(parse("https://"), @"is no address: empty host");
    }
}
