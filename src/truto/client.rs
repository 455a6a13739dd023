//! Asking Truto, and telling its refusals apart.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use super::api::{Api, malformed};
use super::pages::{Contents, Cursor, NoPage, record};
use super::wire::CapabilitiesBody;
use super::{
    Capabilities, IntegratedAccount, List, Row, Settings, System, TokenReported, TrutoError, User,
};
use crate::clock::Clock;
use crate::model::RequestRecord;
use crate::net::{Deadline, Pacer, Response};

/// How often an answer whose JSON stops too early is asked for.
const ATTEMPTS_AT_WHOLE_JSON: u32 = 3;

/// Truto's API for one connection. The token goes to the host of the settings and to no other.
#[derive(Debug)]
pub struct Client {
    api: Api,
    connection_id: String,
    page_size: u32,
    system: System,
    /// Of each list no more than its first page is asked for.
    first_pages_only: bool,
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
        Ok(Self {
            api: Api::new(&settings.api, clock, deadline)?,
            connection_id: settings.integrated_account_id.clone(),
            page_size: settings.page_size,
            system,
            first_pages_only: false,
        })
    }

    /// The same, asking of each list for its first page only: the list then has no end.
    pub fn first_pages_only(self) -> Self {
        Self {
            first_pages_only: true,
            ..self
        }
    }

    /// Whether it asks for first pages only.
    pub fn reads_first_pages_only(&self) -> bool {
        self.first_pages_only
    }

    /// The connection spoken through.
    pub fn connection_id(&self) -> &str {
        &self.connection_id
    }

    /// Scheme, host and port the answers come from.
    pub fn origin(&self) -> String {
        self.api.origin()
    }

    /// Records asked for per page.
    pub fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Our clock minus Truto's at the first answer, in whole minutes towards zero.
    pub fn skew_minutes(&self) -> Option<i64> {
        self.api.skew_minutes()
    }

    /// When the run must end.
    pub fn deadline(&self) -> Deadline {
        self.api.deadline()
    }

    /// The rate limit all requests share.
    pub fn pacer(&self) -> &Pacer {
        self.api.pacer()
    }

    /// `GET /integrated-account/{id}`: the state of the connection.
    pub async fn connection(&self) -> Result<IntegratedAccount, TrutoError> {
        let (system, id) = (self.system, self.connection_id());
        self.api.connection(system, id).await
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

    /// That something was asked of the connection, for the evidence.
    pub fn record(&self, path: &str, answers: u64) -> RequestRecord {
        let query = [("integrated_account_id", self.connection_id())];
        RequestRecord {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            answers,
        }
    }

    /// Whether something with this id can be asked for at all: `.` and `..` are no path segments, and
    /// an address has an end.
    pub fn can_ask_for(id: &str) -> bool {
        const MAX_ID_BYTES: usize = 512;
        !matches!(id, "." | "..") && id.len() <= MAX_ID_BYTES
    }

    /// `GET /unified/user-directory/users/{id}`: one user with every field Truto has.
    pub async fn user(&self, id: &str) -> Result<GotUser, TrutoError> {
        let path = ["unified", "user-directory", "users", id];
        let query = [("integrated_account_id", self.connection_id())];
        let what = "GET /unified/user-directory/users/{id}";
        let (user, answer) = self.whole(what, &path, &query, read_one).await?;
        if user.id.as_deref().is_some_and(|got| got != id) {
            return Err(TrutoError::Malformed {
                what: what.to_owned(),
                problem: "it is another user's".to_owned(),
                cut: false,
            });
        }
        let body = answer.body;
        Ok(GotUser { user, body })
    }

    /// `GET /unified/user-directory/users/meta/list`: how users are mapped for this connection, as JSON
    /// without blanks and with its keys sorted, so that the same mapping is the same text.
    pub async fn users_mapping(&self) -> Result<String, TrutoError> {
        let path = ["unified", "user-directory", "users", "meta", "list"];
        let query = [("integrated_account_id", self.connection_id())];
        let what = "GET /unified/user-directory/users/meta/list";
        let mapping = |body: &[u8]| match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(mapping)) if !mapping.is_empty() => {
                // serde_json sorts keys, unless its feature `preserve_order` is on: the test below would fail.
                Ok(Value::Object(mapping).to_string())
            }
            Ok(_) => Err(NoPage::NoRows),
            Err(error) => Err(NoPage::Json(error)),
        };
        let (mapping, _) = self.whole(what, &path, &query, mapping).await?;
        Ok(mapping)
    }

    /// `GET /integrated-account/{id}/capabilities`: what of users the connection can be asked.
    pub async fn capabilities(&self) -> Result<Capabilities, TrutoError> {
        let path = ["integrated-account", self.connection_id(), "capabilities"];
        let query = [
            ("type", "unified"),
            ("resource", "users"),
            ("methods", "list,get"),
        ];
        let answer = self.api.get(&path, query).await;
        let answer = answer.map_err(|error| self.api.explain(self.system, error))?;
        let what = "GET /integrated-account/{id}/capabilities";
        serde_json::from_slice::<CapabilitiesBody>(&answer.body)
            .map(Capabilities::from)
            .map_err(|error| malformed(what, NoPage::Json(error)))
    }

    /// `GET /api-token`: the tokens of the environment, without their secrets. Which of them is ours,
    /// Truto does not tell.
    pub async fn tokens(&self) -> Result<Vec<TokenReported>, TrutoError> {
        let answer = self.api.get(&["api-token"], []).await;
        let answer = answer.map_err(|error| self.api.explain(self.system, error))?;
        let contents = Contents::<TokenReported>::read(&answer.body)
            .map_err(|problem| malformed("GET /api-token", problem))?;
        let tokens = contents.rows.into_iter().filter_map(|row| match row {
            Row::Record(token) => Some(token),
            Row::Other(_) => None,
        });
        Ok(tokens.collect())
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
        let read = |body: &[u8]| match (Contents::read(body), list.name) {
            // `/me` may answer with its one record bare.
            (Err(NoPage::NoRows), List::ME) => match record(body) {
                Ok(me) => Ok(Contents {
                    rows: vec![Row::Record(me)],
                    next: None,
                    is_partial: false,
                }),
                Err(_) => Err(NoPage::NoRows),
            },
            (contents, _) => contents,
        };
        self.whole(&what, &path, &query, read).await
    }

    /// A call for data, and what its body says. JSON that merely stops too early was cut on a way that does not say
    /// so: worth another attempt.
    async fn whole<T>(
        &self,
        what: &str,
        path: &[&str],
        query: &[(&str, &str)],
        read: impl Fn(&[u8]) -> Result<T, NoPage>,
    ) -> Result<(T, Response), TrutoError> {
        let (mut attempt, mut attempts) = (1, 0);
        loop {
            let mut answer = self.data(path, query).await?;
            attempts += answer.attempts;
            answer.attempts = attempts;
            match read(&answer.body).map_err(|problem| malformed(what, problem)) {
                Ok(content) => return Ok((content, answer)),
                Err(TrutoError::Malformed { cut: true, .. })
                    if attempt < ATTEMPTS_AT_WHOLE_JSON =>
                {
                    warn!(attempt, "{what}: the answer was cut short; trying again");
                }
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// A call for data. A 401 may mean our token or the login behind the connection, which tells.
    async fn data(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response, TrutoError> {
        let error = match self.api.get(path, query.iter().copied()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.status() != Some(401) {
            return Err(self.api.explain(self.system, error));
        }
        let refused = self.api.envelope_of(&error);
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
            Ok(_) => Err(self.api.explain(self.system, error)),
            Err(reported @ (TrutoError::BadToken | TrutoError::ConnectionUnknown { .. })) => {
                Err(reported)
            }
            Err(_) if refused.is_remote => Err(dead_login(None)),
            Err(other) => Err(other),
        }
    }
}

/// A single record: bare, or wrapped in `result`.
fn read_one(body: &[u8]) -> Result<User, NoPage> {
    #[derive(Deserialize)]
    struct Wrapped {
        result: Option<Row<User>>,
    }

    let user: User = record(body)?;
    if user.id.is_some() {
        return Ok(user);
    }
    match serde_json::from_slice(body) {
        Ok(Wrapped {
            result: Some(Row::Record(user)),
        }) => Ok(user),
        _ => Err(NoPage::NoRows),
    }
}

/// A user that was read alone, from the body that was kept; none where it is no user.
pub fn kept_user(body: &[u8]) -> Option<User> {
    read_one(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mapping_is_the_same_text_in_any_order_of_its_keys() {
        let one = r#"{"b":[1,{"y":null,"x":"ü\n"}],"a":{"d":true,"c":-1.5}}"#;
        let other = r#" {"a": {"c":-1.5,"d":true}, "b":[1, {"x":"\u00fc\n","y":null}]} "#;
        let read = |text| {
            serde_json::from_str::<Value>(text)
                .expect("JSON")
                .to_string()
        };
        assert_eq!(read(one), read(other));
        assert_eq!(
            read(one),
            r#"{"a":{"c":-1.5,"d":true},"b":[1,{"x":"ü\n","y":null}]}"#
        );
    }
}
