//! Requests to Truto, and the meaning of its refusals.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tracing::warn;

use super::api::{Api, malformed};
use super::pages::{Contents, Cursor, NoPage, record};
use super::wire::CapabilitiesBody;
use super::{
    ApiToken, Capabilities, IntegratedAccount, List, Row, Settings, System, TrutoError, User,
};
use crate::clock::Clock;
use crate::model::RequestRecord;
use crate::net::{Deadline, NetError, Pacer, Response};

/// Attempts to get an answer whose JSON is complete.
const ATTEMPTS_AT_WHOLE_JSON: u32 = 3;

/// Truto's API for one connection. The token goes only to the host of the settings.
#[derive(Debug)]
pub struct Client {
    api: Api,
    connection_id: String,
    page_size: u32,
    system: System,
    /// Only the first page of each list is read.
    first_pages_only: bool,
}

/// A user from a request for this user alone.
#[derive(Debug)]
pub struct SingleUser {
    pub user: User,
    /// Decompressed.
    pub body: Vec<u8>,
}

impl Client {
    /// A client for a connection to Asana, with the rate limit of the settings.
    pub fn new(settings: &Settings, clock: &Clock, deadline: Deadline) -> Result<Self, TrutoError> {
        Self::to(System::Asana, settings, clock, deadline)
    }

    /// A client for a connection to any system. Truto counts requests by connection, so each client has its own count.
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

    /// Reads only the first page of each list, which then ends with [`End::NotFollowed`](super::End::NotFollowed).
    pub fn first_pages_only(self) -> Self {
        Self {
            first_pages_only: true,
            ..self
        }
    }

    pub fn reads_first_pages_only(&self) -> bool {
        self.first_pages_only
    }

    pub fn connection_id(&self) -> &str {
        &self.connection_id
    }

    /// Scheme, host and port of the API.
    pub fn origin(&self) -> String {
        self.api.origin()
    }

    /// Records per page.
    pub fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Our clock minus Truto's at the first answer, in whole minutes towards zero.
    pub fn skew_minutes(&self) -> Option<i64> {
        self.api.skew_minutes()
    }

    pub fn deadline(&self) -> Deadline {
        self.api.deadline()
    }

    /// The rate limit of all requests.
    pub fn pacer(&self) -> &Pacer {
        self.api.pacer()
    }

    /// `GET /integrated-account/{id}`: the state of the connection.
    pub async fn connection(&self) -> Result<IntegratedAccount, TrutoError> {
        let (system, id) = (self.system, self.connection_id());
        self.api.connection(system, id).await
    }

    /// The connection, which must be active.
    pub async fn active_connection(&self) -> Result<IntegratedAccount, TrutoError> {
        let connection = self.connection().await?;
        let (system, id) = (self.system, self.connection_id().to_owned());
        match connection.status.as_deref() {
            Some("active") => Ok(connection),
            Some("connecting") => Err(TrutoError::ConnectionConnecting { system, id }),
            status => Err(TrutoError::ConnectionNotActive {
                system,
                id,
                status: status.map(str::to_owned),
            }),
        }
    }

    fn explain(&self, error: NetError) -> TrutoError {
        self.api.explain(self.system, &self.connection_id, error)
    }

    /// The request for the connection, for the evidence.
    pub fn connection_record(&self) -> RequestRecord {
        RequestRecord {
            method: "GET".to_owned(),
            path: format!("/integrated-account/{}", self.connection_id()),
            query: BTreeMap::new(),
            answers: 1,
        }
    }

    /// A request through the connection, for the evidence.
    pub fn record(&self, path: &str, answers: u64) -> RequestRecord {
        let query = [("integrated_account_id", self.connection_id())];
        RequestRecord {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            answers,
        }
    }

    /// Whether an id fits into an address: `.` and `..` are not path segments, and the length is limited.
    pub fn can_ask_for(id: &str) -> bool {
        const MAX_ID_BYTES: usize = 512;
        !matches!(id, "." | "..") && id.len() <= MAX_ID_BYTES
    }

    /// `GET /unified/user-directory/users/{id}`: one user with every field of Truto's.
    pub async fn user(&self, id: &str) -> Result<SingleUser, TrutoError> {
        let path = ["unified", "user-directory", "users", id];
        let query = [("integrated_account_id", self.connection_id())];
        let what = "GET /unified/user-directory/users/{id}";
        let (user, answer) = self.whole(what, &path, &query, read_one).await?;
        if user.id.as_deref().is_some_and(|got| got != id) {
            return Err(TrutoError::Malformed {
                what: what.to_owned(),
                problem: "it is for another user".to_owned(),
                cut: false,
            });
        }
        let body = answer.body;
        Ok(SingleUser { user, body })
    }

    /// `GET /unified/user-directory/users/meta/list`: how Truto maps users for this connection. The JSON has no blanks
    /// and sorted keys, so equal mappings have equal texts.
    pub async fn users_mapping(&self) -> Result<String, TrutoError> {
        let path = ["unified", "user-directory", "users", "meta", "list"];
        let query = [("integrated_account_id", self.connection_id())];
        let what = "GET /unified/user-directory/users/meta/list";
        let mapping = |body: &[u8]| match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(mapping)) if !mapping.is_empty() => {
                // serde_json sorts keys, unless its feature `preserve_order` is on; the test below checks it.
                Ok(Value::Object(mapping).to_string())
            }
            Ok(_) => Err(NoPage::NoRows),
            Err(error) => Err(NoPage::Json(error)),
        };
        let (mapping, _) = self.whole(what, &path, &query, mapping).await?;
        Ok(mapping)
    }

    /// `GET /integrated-account/{id}/capabilities`: the methods for users that the connection supports.
    pub async fn capabilities(&self) -> Result<Capabilities, TrutoError> {
        let path = ["integrated-account", self.connection_id(), "capabilities"];
        let query = [
            ("type", "unified"),
            ("resource", "users"),
            ("methods", "list,get"),
        ];
        let answer = self.api.get(&path, query).await;
        let answer = answer.map_err(|error| self.explain(error))?;
        let what = "GET /integrated-account/{id}/capabilities";
        serde_json::from_slice::<CapabilitiesBody>(&answer.body)
            .map(Capabilities::from)
            .map_err(|error| malformed(what, NoPage::Json(error)))
    }

    /// `GET /api-token`: the tokens of the environment, without their secrets. Truto does not mark the one in use.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, TrutoError> {
        let answer = self.api.get(&["api-token"], []).await;
        let answer = answer.map_err(|error| self.explain(error))?;
        let contents = Contents::<ApiToken>::read(&answer.body)
            .map_err(|problem| malformed("GET /api-token", problem))?;
        let tokens = contents.rows.into_iter().filter_map(|row| match row {
            Row::Record(token) => Some(token),
            Row::Other(_) => None,
        });
        Ok(tokens.collect())
    }

    /// The answer with one page of a list, and the cursor of the next page. The rows are not read yet.
    pub(super) async fn answer(
        &self,
        list: &List,
        cursor: Option<&Cursor>,
    ) -> Result<(Option<Cursor>, Response), TrutoError> {
        let path: Vec<&str> = list.path.iter().map(String::as_str).collect();
        let full = list.full_query(self);
        let mut query: Vec<(&str, &str)> =
            full.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        query.extend(cursor.map(Cursor::parameter));
        let next = |body: &[u8]| Ok(Contents::<IgnoredAny>::of(list.name, body)?.next);
        self.whole(&list.what(), &path, &query, next).await
    }

    /// Requests data and reads the body. JSON that stops too early was cut in transit without an error, so it is
    /// requested once more.
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
                    warn!(attempt, "{what}: the answer was cut short; retrying");
                }
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Requests data. A 401 may mean our token or the login behind the connection; the connection's status decides.
    async fn data(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response, TrutoError> {
        let error = match self.api.get(path, query.iter().copied()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.status() != Some(401) {
            return Err(self.explain(error));
        }
        let refused = self.api.envelope_of(&error);
        let dead_login = |status: Option<String>| TrutoError::ConnectionNeedsReauth {
            system: self.system,
            id: self.connection_id().to_owned(),
            status,
        };
        match self.connection().await {
            Ok(connection)
                if refused.is_remote || connection.status.as_deref() != Some("active") =>
            {
                Err(dead_login(connection.status))
            }
            Ok(_) => Err(self.explain(error)),
            Err(reported @ (TrutoError::BadToken | TrutoError::ConnectionUnknown { .. })) => {
                Err(reported)
            }
            Err(_) if refused.is_remote => Err(dead_login(None)),
            Err(other) => Err(other),
        }
    }
}

/// A single record, alone or in `result`.
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

/// A user from the stored body of a request for this user alone; none if the body cannot be read.
pub fn stored_user(body: &[u8]) -> Option<User> {
    read_one(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_mappings_have_equal_texts_in_any_order_of_keys() {
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
