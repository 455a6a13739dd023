//! Asking Truto, and telling its refusals apart.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tracing::warn;

use super::error::{Envelope, Said};
use super::pages::{Contents, Cursor, NoPage};
use super::{IntegratedAccount, List, Row, Settings, System, TrutoError, User};
use crate::clock::Clock;
use crate::net::{Deadline, Http, NetError, Pacer, Request, Response};
use crate::people::RequestRecord;

/// A page of a hundred records is some 100 KiB; this is room for the largest page anybody sets.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// How often an answer whose JSON stops too early is asked for.
const ATTEMPTS_AT_WHOLE_JSON: u32 = 3;

/// Truto's API for one connection. The token goes to the host of the settings and to no other.
#[derive(Debug)]
pub struct Client {
    http: Http,
    settings: Settings,
    system: System,
    headers: HeaderMap,
    pacer: Pacer,
    clock: Clock,
    /// Our clock minus Truto's at the first answer, in whole minutes.
    skew_minutes: OnceLock<Option<i64>>,
}

/// A user that was read alone.
#[derive(Debug)]
pub struct GotUser {
    /// The record.
    pub user: User,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

impl Client {
    /// A client for a connection to Asana, which keeps to the settings' rate limit and ends by the
    /// deadline.
    pub fn new(settings: &Settings, clock: &Clock, deadline: Deadline) -> Result<Self, TrutoError> {
        Self::to(System::Asana, settings, clock, deadline)
    }

    /// The same for a connection to any system. Truto counts requests by connection, so each
    /// client keeps a count of its own.
    pub fn to(
        system: System,
        settings: &Settings,
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
        Ok(Self {
            http: Http::new(&settings.http, deadline)?,
            settings: settings.clone(),
            system,
            headers,
            pacer,
            clock: *clock,
            skew_minutes: OnceLock::new(),
        })
    }

    /// The connection spoken through.
    pub fn connection_id(&self) -> &str {
        &self.settings.integrated_account_id
    }

    /// Scheme, host and port the answers come from.
    pub fn origin(&self) -> String {
        self.settings.base_url.origin().ascii_serialization()
    }

    /// Records asked for per page.
    pub fn page_size(&self) -> u32 {
        self.settings.page_size
    }

    /// Our clock minus Truto's at the first answer, in whole minutes towards zero.
    pub fn skew_minutes(&self) -> Option<i64> {
        self.skew_minutes.get().copied().flatten()
    }

    /// When the run must end.
    pub fn deadline(&self) -> Deadline {
        self.http.deadline()
    }

    /// The rate limit all requests share.
    pub fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// `GET /integrated-account/{id}`: the state of the connection.
    pub async fn connection(&self) -> Result<IntegratedAccount, TrutoError> {
        let path = ["integrated-account", self.connection_id()];
        let answer = self.get(&path, []).await.map_err(|error| {
            let system = self.system;
            let id = || self.connection_id().to_owned();
            match error.status() {
                Some(401) => TrutoError::BadToken,
                Some(404) => TrutoError::ConnectionUnknown { system, id: id() },
                _ => self.explain(error),
            }
        });
        let what = "GET /integrated-account";
        match serde_json::from_slice::<Row<IntegratedAccount>>(&answer?.body) {
            Ok(Row::Record(connection)) => Ok(connection),
            Ok(Row::Other(kind)) => Err(malformed(what, NoPage::NotAnObject(kind))),
            Err(error) => Err(malformed(what, NoPage::Json(error))),
        }
    }

    /// The connection, which must be active: through any other nothing can be read.
    pub async fn active_connection(&self) -> Result<IntegratedAccount, TrutoError> {
        let connection = self.connection().await?;
        let (system, id) = (self.system, self.connection_id().to_owned());
        match connection.status.as_deref() {
            Some("active") => Ok(connection),
            Some("connecting") => Err(TrutoError::ConnectionConnecting { system, id }),
            status => Err(TrutoError::ConnectionNotActive {
                system,
                id,
                status: status.unwrap_or("not told").to_owned(),
            }),
        }
    }

    /// That the connection was asked for, for the evidence.
    pub fn connection_record(&self) -> RequestRecord {
        RequestRecord {
            method: "GET".to_owned(),
            path: format!("/integrated-account/{}", self.connection_id()),
            query: BTreeMap::new(),
            answers: 1,
        }
    }

    /// Whether a user with this id can be asked for at all: `.` and `..` are no path segments.
    pub fn can_ask_for(id: &str) -> bool {
        !matches!(id, "." | "..")
    }

    /// `GET /unified/user-directory/users/{id}`: one user with every field Truto has.
    pub async fn user(&self, id: &str) -> Result<GotUser, TrutoError> {
        let path = ["unified", "user-directory", "users", id];
        let query = [("integrated_account_id", self.connection_id())];
        let what = "GET /unified/user-directory/users/{id}";
        for attempt in 1.. {
            let answer = self.data(&path, &query).await?;
            match read_one(&answer.body) {
                Ok(user) if user.id.as_deref().is_none_or(|got| got == id) => {
                    let body = answer.body;
                    return Ok(GotUser { user, body });
                }
                Ok(_) => {
                    return Err(TrutoError::Malformed {
                        what: what.to_owned(),
                        problem: "it is another user's".to_owned(),
                        cut: false,
                    });
                }
                Err(problem) => retry_if_cut(what, problem, attempt)?,
            }
        }
        unreachable!("attempts end with an answer or an error")
    }

    /// One page of a list, with the answer it came in.
    pub(super) async fn envelope<T: for<'de> Deserialize<'de>>(
        &self,
        list: &List,
        cursor: Option<&Cursor>,
    ) -> Result<(Contents<T>, Response), TrutoError> {
        let path: Vec<&str> = list.path.iter().map(String::as_str).collect();
        let full = list.full_query(self);
        let mut query: Vec<(&str, &str)> =
            full.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        query.extend(cursor.map(Cursor::parameter));
        let what = format!("GET /{}", list.path.join("/"));
        for attempt in 1.. {
            let answer = self.data(&path, &query).await?;
            match Contents::read(&answer.body) {
                Ok(contents) => return Ok((contents, answer)),
                // `/me` may answer with its one record bare.
                Err(NoPage::NoRows) if list.name == List::ME => {
                    if let Ok(Row::Record(record)) = serde_json::from_slice(&answer.body) {
                        let contents = Contents {
                            rows: vec![Row::Record(record)],
                            next: None,
                            is_partial: false,
                        };
                        return Ok((contents, answer));
                    }
                    return Err(malformed(&what, NoPage::NoRows));
                }
                Err(problem) => retry_if_cut(&what, problem, attempt)?,
            }
        }
        unreachable!("attempts end with an answer or an error")
    }

    /// A call for data. A 401 may mean our token or the login behind the connection, which tells.
    async fn data(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response, TrutoError> {
        let error = match self.get(path, query.iter().copied()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.status() != Some(401) {
            return Err(self.explain(error));
        }
        let refused = self.envelope_of(&error);
        let dead_login = |status: Option<String>| TrutoError::ConnectionNeedsReauth {
            system: self.system,
            id: self.connection_id().to_owned(),
            status: status.unwrap_or_else(|| "not told".to_owned()),
        };
        match self.connection().await {
            Ok(connection)
                if refused.is_remote || connection.status.as_deref() != Some("active") =>
            {
                Err(dead_login(connection.status))
            }
            Ok(_) => Err(self.explain(error)),
            Err(told @ (TrutoError::BadToken | TrutoError::ConnectionUnknown { .. })) => Err(told),
            Err(_) if refused.is_remote => Err(dead_login(None)),
            Err(other) => Err(other),
        }
    }

    async fn get<'q>(
        &self,
        path: &[&str],
        query: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> Result<Response, NetError> {
        let url = address(&self.settings.base_url, path, query);
        let what = format!("GET {}", url.path());
        let request = Request {
            url,
            headers: self.headers.clone(),
            max_bytes: MAX_BYTES,
            pacer: Some(&self.pacer),
            what,
        };
        let answer = self.http.get(request).await;
        let first = match &answer {
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
        answer
    }

    /// A failed call in Truto's terms.
    fn explain(&self, error: NetError) -> TrutoError {
        let NetError::Status { story, .. } = &error else {
            return TrutoError::Net(error);
        };
        let (system, what) = (self.system, story.what.clone());
        let status = error.status().unwrap_or_default();
        let Envelope {
            is_envelope,
            is_remote,
            missing_scopes: scopes,
            said,
        } = self.envelope_of(&error);
        match status {
            403 if !scopes.is_empty() => TrutoError::MissingScope {
                system,
                what,
                scopes,
            },
            401 | 403 => TrutoError::Refused {
                system,
                what,
                status,
                said,
            },
            408 | 425 | 429 => TrutoError::Failed { story: error, said },
            400..500 => TrutoError::Rejected {
                system,
                what,
                status,
                said,
            },
            503 if is_envelope && !is_remote => TrutoError::Unavailable { said },
            _ => {
                let said = said.unless_in(&error.to_string());
                TrutoError::Failed { story: error, said }
            }
        }
    }

    fn envelope_of(&self, error: &NetError) -> Envelope {
        match error {
            NetError::Status { response, .. } => {
                Envelope::read(&response.body, self.settings.api_token.expose_secret())
            }
            _ => Envelope {
                said: Said::default(),
                ..Envelope::default()
            },
        }
    }
}

/// The address of a path below the base. Every segment is encoded as one, whatever it holds.
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

/// A single record: bare, or wrapped in `result`.
fn read_one(body: &[u8]) -> Result<User, NoPage> {
    #[derive(Deserialize)]
    struct Wrapped {
        result: Option<Row<User>>,
    }

    match serde_json::from_slice::<Row<User>>(body) {
        Ok(Row::Record(user)) if user.id.is_some() => Ok(user),
        Ok(Row::Record(_)) => match serde_json::from_slice(body) {
            Ok(Wrapped {
                result: Some(Row::Record(user)),
            }) => Ok(user),
            _ => Err(NoPage::NoRows),
        },
        Ok(Row::Other(kind)) => Err(NoPage::NotAnObject(kind)),
        Err(error) => Err(NoPage::Json(error)),
    }
}

/// A user that was read alone, from the body that was kept; none where it is no user.
pub fn kept_user(body: &[u8]) -> Option<User> {
    read_one(body).ok()
}

/// JSON that merely stops too early was cut on a way that does not say so: worth another attempt.
fn retry_if_cut(what: &str, problem: NoPage, attempt: u32) -> Result<(), TrutoError> {
    match malformed(what, problem) {
        TrutoError::Malformed { cut: true, .. } if attempt < ATTEMPTS_AT_WHOLE_JSON => {
            warn!(attempt, "{what}: the answer was cut short; trying again");
            Ok(())
        }
        error => Err(error),
    }
}

fn malformed(what: &str, problem: NoPage) -> TrutoError {
    let (problem, cut) = match problem {
        // serde_json quotes neither keys nor values of the text here, only their kinds and place.
        NoPage::Json(error) if error.is_eof() => ("its JSON stops too early".to_owned(), true),
        NoPage::Json(error) if error.is_syntax() => ("it is not JSON".to_owned(), false),
        NoPage::Json(error) => {
            let (line, column) = (error.line(), error.column());
            (
                format!("a field of its envelope (line {line}, column {column})"),
                false,
            )
        }
        NoPage::NotAnObject(kind) => (format!("it is {kind}"), false),
        NoPage::NoRows => ("it holds no records".to_owned(), false),
    };
    TrutoError::Malformed {
        what: what.to_owned(),
        problem,
        cut,
    }
}

#[cfg(test)]
mod tests {
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
    fn an_id_is_one_segment_whatever_it_holds() {
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
