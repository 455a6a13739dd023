//! Files at an https address or in a bucket.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::location::shown;
use super::{Answered, FetchFault, Fetched, Refusal};
use crate::aws;
use crate::model::AgeBasis;
use crate::net::{self, Deadline, Http, Request};

/// Gets a file over https. It follows no redirect, so that the authorization goes to one host only.
pub(super) async fn web(
    url: &Url,
    authorization: Option<&SecretString>,
    settings: &net::Settings,
    max_bytes: u64,
    deadline: Deadline,
) -> Result<(Vec<u8>, Fetched), FetchFault> {
    let mut headers = HeaderMap::new();
    if let Some(secret) = authorization {
        // The settings accept only text that a header can carry.
        let mut value = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| FetchFault::Refused(Refusal::Authorization))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let request = Request {
        url: url.clone(),
        headers,
        max_bytes,
        pacer: None,
        what: format!("GET {}", shown(url)),
    };
    let answer = Http::new(settings, deadline)?.get(request).await?;
    let fetched = Fetched {
        answer: Some(Answered {
            status: answer.status.as_u16(),
            headers: texts(&answer.headers),
        }),
        ..Fetched::dated(answer.last_modified(), AgeBasis::HttpLastModified)
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

/// Gets a file from a bucket.
pub(super) async fn object(
    bucket: &str,
    key: &str,
    force_path_style: bool,
    max_bytes: u64,
) -> Result<(Vec<u8>, Fetched), FetchFault> {
    let object = aws::get_object(bucket, key, force_path_style, max_bytes).await?;
    let fetched = Fetched::dated(object.last_modified, AgeBasis::S3LastModified);
    Ok((object.bytes, fetched))
}
