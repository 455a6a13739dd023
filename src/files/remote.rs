//! Getting a file from elsewhere: over https, or out of a bucket.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::location::shown;
use super::{Answered, Fetched, FileError, Purpose, Refusal};
use crate::aws::{self, AwsError};
use crate::model::AgeBasis;
use crate::net::{self, Deadline, Http, NetError, Request};

/// Gets a file over https. No redirect is followed: the authorization goes to one host only.
pub(super) async fn web(
    url: &Url,
    authorization: Option<&SecretString>,
    settings: &net::Settings,
    purpose: Purpose,
    max_bytes: u64,
    deadline: Deadline,
) -> Result<(Vec<u8>, Fetched), FileError> {
    let location = shown(url);
    let refused = |error: NetError| match error {
        NetError::TooLarge { .. } => FileError::TooLarge {
            purpose,
            location: location.clone(),
            limit_bytes: max_bytes,
        },
        error => match error.status() {
            Some(status @ (401 | 403)) => FileError::Refused {
                purpose,
                location: location.clone(),
                refusal: Refusal::Status(status),
            },
            Some(404 | 410) => FileError::NotFound {
                purpose,
                location: location.clone(),
            },
            _ => FileError::Net {
                purpose,
                location: location.clone(),
                cause: error,
            },
        },
    };
    let mut headers = HeaderMap::new();
    if let Some(secret) = authorization {
        // The settings took only what a header can carry.
        let mut value =
            HeaderValue::from_str(secret.expose_secret()).map_err(|_| FileError::Refused {
                purpose,
                location: location.clone(),
                refusal: Refusal::Authorization,
            })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let http = Http::new(settings, deadline).map_err(refused)?;
    let request = Request {
        url: url.clone(),
        headers,
        max_bytes,
        pacer: None,
        what: format!("GET {location}"),
    };
    let answer = http.get(request).await.map_err(refused)?;
    let modified_at = answer.last_modified();
    let fetched = Fetched {
        url: location.clone(),
        modified_at,
        age_basis: match modified_at {
            Some(_) => AgeBasis::HttpLastModified,
            None => AgeBasis::Unknown,
        },
        answer: Some(Answered {
            status: answer.status.as_u16(),
            headers: texts(&answer.headers),
        }),
    };
    Ok((answer.body, fetched))
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = headers.iter();
    headers
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

/// Gets a file out of a bucket.
pub(super) async fn object(
    bucket: &str,
    key: &str,
    force_path_style: bool,
    purpose: Purpose,
    max_bytes: u64,
) -> Result<(Vec<u8>, Fetched), FileError> {
    let location = format!("s3://{bucket}/{key}");
    let object = aws::get_object(bucket, key, force_path_style, max_bytes)
        .await
        .map_err(|error| match error {
            AwsError::TooLarge { .. } => FileError::TooLarge {
                purpose,
                location: location.clone(),
                limit_bytes: max_bytes,
            },
            error => FileError::Aws {
                purpose,
                location: location.clone(),
                cause: error,
            },
        })?;
    let fetched = Fetched {
        url: location.clone(),
        modified_at: object.last_modified,
        age_basis: match object.last_modified {
            Some(_) => AgeBasis::S3LastModified,
            None => AgeBasis::Unknown,
        },
        answer: None,
    };
    Ok((object.bytes, fetched))
}
