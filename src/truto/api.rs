//! Truto over HTTP: one host, one token, one rate limit.

use std::sync::OnceLock;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::error::{ErrorEnvelope, Reply};
use super::pages::{NoPage, record};
use super::{ApiSettings, IntegratedAccount, System, TrutoError};
use crate::clock::Clock;
use crate::net::{Deadline, Http, NetError, Pacer, Request, Response};

/// A page of a hundred records has about 100 KiB; this is enough for the largest page size.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The common part of every request, for any connection.
#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    base_url: Url,
    token: SecretString,
    headers: HeaderMap,
    pacer: Pacer,
    clock: Clock,
    /// Our clock minus Truto's at the first answer, in whole minutes.
    skew_minutes: OnceLock<Option<i64>>,
}

impl Api {
    pub(super) fn new(
        settings: &ApiSettings,
        clock: &Clock,
        deadline: Deadline,
    ) -> Result<Self, TrutoError> {
        let token = settings.api_token.expose_secret();
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| TrutoError::TokenText)?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let pacer = match settings.rate_limit {
            Some(limit) => Pacer::new(limit.requests, limit.window),
            None => Pacer::unlimited(),
        };
        let pacer = pacer.within(settings.token_pace.clone());
        Ok(Self {
            http: Http::new(&settings.http, deadline)?,
            base_url: settings.base_url.clone(),
            token: settings.api_token.clone(),
            headers,
            pacer,
            clock: *clock,
            skew_minutes: OnceLock::new(),
        })
    }

    /// Scheme, host and port of the API.
    pub(super) fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    pub(super) fn base_url(&self) -> &Url {
        &self.base_url
    }

    pub(super) fn skew_minutes(&self) -> Option<i64> {
        self.skew_minutes.get().copied().flatten()
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.http.deadline()
    }

    pub(super) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    pub(super) async fn get<'q>(
        &self,
        path: &[&str],
        query: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> Result<Response, NetError> {
        let url = address(&self.base_url, path, query);
        let answer = self.http.get(self.request("GET", url)).await;
        self.compare_clocks(&answer);
        answer
    }

    /// Posts JSON. A retry may repeat the request, so use it only where a repetition is harmless.
    pub(super) async fn post(
        &self,
        path: &[&str],
        json: &serde_json::Value,
    ) -> Result<Response, NetError> {
        let url = address(&self.base_url, path, []);
        let json = json.to_string().into_bytes();
        let answer = self.http.post(self.request("POST", url), &json).await;
        self.compare_clocks(&answer);
        answer
    }

    fn request(&self, method: &str, url: Url) -> Request<'_> {
        // Without the path of TRUTO_BASE_URL, which may contain a secret of a proxy.
        let base = self.base_url.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).unwrap_or_default();
        let what = format!("{method} {path}");
        Request {
            url,
            headers: self.headers.clone(),
            max_bytes: MAX_BYTES,
            pacer: Some(&self.pacer),
            what,
        }
    }

    fn compare_clocks(&self, answer: &Result<Response, NetError>) {
        let first = match answer {
            Ok(answer) => Some(answer),
            Err(NetError::Status { response, .. }) => Some(&**response),
            Err(_) => None,
        };
        if let Some(first) = first {
            self.skew_minutes.get_or_init(|| {
                let skew = self.clock.now().duration_since(first.date()?);
                Some(skew.as_secs() / 60)
            });
        }
    }

    /// `GET /integrated-account/{id}`: the state of a connection.
    pub(super) async fn connection(
        &self,
        system: System,
        id: &str,
    ) -> Result<IntegratedAccount, TrutoError> {
        let answer = self.get(&["integrated-account", id], []).await;
        let answer = answer.map_err(|error| match error.status() {
            Some(401) => TrutoError::BadToken,
            Some(404) => TrutoError::ConnectionUnknown {
                system,
                id: id.to_owned(),
            },
            _ => self.explain(system, id, error),
        });
        record(&answer?.body).map_err(|problem| malformed("GET /integrated-account", problem))
    }

    /// A failed request as an error of Truto. `id` is the connection.
    pub(super) fn explain(&self, system: System, id: &str, error: NetError) -> TrutoError {
        let NetError::Status { story, .. } = &error else {
            return TrutoError::Net(error);
        };
        let what = story.what.clone();
        let status = error.status().unwrap_or_default();
        let ErrorEnvelope {
            is_envelope,
            is_remote,
            missing_scopes: scopes,
            reply,
        } = self.envelope_of(&error);
        match status {
            403 if !scopes.is_empty() => TrutoError::MissingScope {
                system,
                id: id.to_owned(),
                what,
                scopes,
            },
            408 | 425 | 429 => TrutoError::Failed {
                story: Box::new(error),
                reply,
            },
            400..500 => TrutoError::Refused {
                system,
                what,
                status,
                reply,
            },
            503 if is_envelope && !is_remote => TrutoError::Unavailable { reply },
            _ => {
                let reply = reply.unless_in(&error.to_string());
                TrutoError::Failed {
                    story: Box::new(error),
                    reply,
                }
            }
        }
    }

    pub(super) fn envelope_of(&self, error: &NetError) -> ErrorEnvelope {
        match error {
            NetError::Status { response, .. } => {
                ErrorEnvelope::read(&response.body, self.token.expose_secret())
            }
            _ => ErrorEnvelope::default(),
        }
    }

    /// A text of the server, without the token.
    pub(super) fn reply(&self, text: &str) -> Reply {
        Reply::of(text, self.token.expose_secret())
    }
}

/// The address of a path below the base. Each segment is encoded as one segment, even if it contains a slash.
fn address<'q>(
    base: &Url,
    path: &[&str],
    query: impl IntoIterator<Item = (&'q str, &'q str)>,
) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    let mut query = query.into_iter().peekable();
    if query.peek().is_some() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

pub(super) fn malformed(what: &str, problem: NoPage) -> TrutoError {
    let (problem, cut) = match problem {
        // Only the place is reported: serde_json's message may quote the answer.
        NoPage::Json(error) if error.is_eof() => ("its JSON stops too early".to_owned(), true),
        NoPage::Json(error) if error.is_syntax() => ("it is not JSON".to_owned(), false),
        NoPage::Json(error) => {
            let (line, column) = (error.line(), error.column());
            (
                format!(
                    "a field of its envelope has the wrong type (line {line}, column {column})"
                ),
                false,
            )
        }
        NoPage::NotAnObject(kind) => (format!("it is {kind}"), false),
        NoPage::NoRows => ("it has no records".to_owned(), false),
        NoPage::SeveralLists => (
            "it has records in two of `result`, `results` and `data`".to_owned(),
            false,
        ),
        NoPage::NextPageWithoutOffset => (
            "its `next_page` has no `offset`, so the next page cannot be read".to_owned(),
            false,
        ),
        NoPage::Cursor(bytes) => (
            format!("it has a cursor of {bytes} bytes, more than an address can carry"),
            false,
        ),
    };
    TrutoError::Malformed {
        what: what.to_owned(),
        problem,
        cut,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::*;

    fn path_of(base: &str, path: &[&str]) -> String {
        let base = Url::parse(base).expect("an address");
        address(&base, path, []).to_string()
    }

    #[test]
    fn an_address_is_the_base_and_the_path() {
        for base in ["https://api.truto.one", "https://api.truto.one/"] {
            assert_eq!(
                path_of(base, &["unified", "user-directory"]),
                "https://api.truto.one/unified/user-directory"
            );
        }
        assert_eq!(
            path_of("https://x.example/truto/", &["a"]),
            "https://x.example/truto/a"
        );
    }

    #[test]
    fn an_id_is_one_segment_even_with_a_slash() {
        for (id, path) in [
            ("1/2", "1%2F2"),
            ("../token", "..%2Ftoken"),
            ("a?b#c", "a%3Fb%23c"),
            ("%2e%2e", "%252e%252e"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(
                path_of("https://api.truto.one", &["users", id]),
                format!("https://api.truto.one/users/{path}")
            );
        }
        assert!(!Client::can_ask_for(".."));
    }
}
