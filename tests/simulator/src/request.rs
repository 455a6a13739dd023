//! A request as received and recorded.

use axum::extract::Query;
use axum::http::{Method, Uri, header};

/// A request that the simulator received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The decoded parameters of the query, in order.
    pub query: Vec<(String, String)>,
    /// Whether it had the valid token.
    pub authorized: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The body, empty for a GET.
    pub body: String,
    /// The paths of the requests that had no answer yet when it arrived.
    pub beside: Vec<String>,
    /// The status of the answer; none until it is answered, or if the connection was reset.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// The value of a query parameter, if present.
    pub fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// The id of the connection that the request names, in its path or its query.
    pub fn connection(&self) -> Option<&str> {
        let path = self.path.strip_prefix("/integrated-account/");
        let path = path.and_then(|rest| rest.split('/').next());
        path.or_else(|| self.query("integrated_account_id"))
    }

    pub(crate) fn new(
        method: &Method,
        uri: &Uri,
        headers: &axum::http::HeaderMap,
        body: &[u8],
        token: &str,
    ) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        Self {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: Query::try_from_uri(uri).map_or_else(|_| Vec::new(), |Query(query)| query),
            authorized: bearer == Some(token),
            user_agent: text(header::USER_AGENT).map(str::to_owned),
            body: String::from_utf8_lossy(body).into_owned(),
            beside: Vec::new(),
            status: None,
        }
    }

    /// The values of a list parameter: `a=x,y`, `a[]=x&a[]=y` and `a[0]=x&a[1]=y` alike.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let is_of = |key: &str| {
            key.strip_prefix(name).is_some_and(|rest| {
                rest.is_empty() || (rest.starts_with('[') && rest.ends_with(']'))
            })
        };
        self.query
            .iter()
            .filter(|(key, _)| is_of(key))
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }
}

fn find<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let of = |(key, value): &'q (String, String)| (key == name).then_some(value.as_str());
    query.iter().find_map(of)
}
