//! Truto's refusals, one variant for each that leads to a decision or a hint of its own.

use std::fmt;

use serde_json::Value;

use super::{System, shown_status};
use crate::model::quoted;
use crate::net::{ErrorKind, NetError};

/// A request to Truto without a usable answer.
#[derive(Debug, thiserror::Error)]
pub enum TrutoError {
    #[error("Truto refused the API token")]
    BadToken,
    #[error("the API token has characters that an HTTP header cannot carry")]
    TokenText,
    #[error("the connection `{id}` to {system} is still connecting")]
    ConnectionConnecting { system: System, id: String },
    #[error("the connection `{id}` to {system} is not usable: its status is {}", shown_status(status.as_deref()))]
    ConnectionNotActive {
        system: System,
        id: String,
        status: Option<String>,
    },
    #[error("the connection `{id}` has lost its login at {system} (status {})", shown_status(status.as_deref()))]
    ConnectionNeedsReauth {
        system: System,
        id: String,
        status: Option<String>,
    },
    #[error("Truto knows no connection `{id}` for this token")]
    ConnectionUnknown { system: System, id: String },
    /// The connection lacks scopes, which Truto names.
    #[error("{what} was refused: missing scope {}", shown_scopes(scopes))]
    MissingScope {
        system: System,
        /// The connection.
        id: String,
        /// Method and path.
        what: String,
        scopes: Vec<String>,
    },
    /// Any other status below 500: not allowed, not found, or not in this form.
    #[error("{what} was {} (status {status}){reply}", if matches!(status, 401 | 403) { "refused" } else { "rejected" })]
    Refused {
        system: System,
        /// Method and path.
        what: String,
        status: u16,
        reply: Reply,
    },
    /// A cursor expired while its list was read.
    #[error("{what}: the cursor of page {page} is no longer valid (status {status}){reply}")]
    CursorExpired {
        /// Method and path.
        what: String,
        page: u64,
        status: u16,
        reply: Reply,
    },
    /// 503 from Truto itself: it blocks the account.
    #[error("Truto answers 503, as it does for a blocked account{reply}")]
    Unavailable { reply: Reply },
    /// A status other than success, after retries.
    #[error("{story}{reply}")]
    Failed { story: Box<NetError>, reply: Reply },
    #[error(transparent)]
    Net(#[from] NetError),
    /// The answer differs from Truto's documentation.
    #[error("{what}: the answer cannot be read: {problem}")]
    Malformed {
        /// Method and path.
        what: String,
        /// Without content of the answer.
        problem: String,
        /// Whether the JSON only stops too early.
        cut: bool,
    },
}

impl TrutoError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::BadToken
            | Self::ConnectionNotActive { .. }
            | Self::ConnectionNeedsReauth { .. }
            | Self::ConnectionUnknown { .. }
            | Self::MissingScope { .. } => ErrorKind::Refused,
            Self::Refused { status, .. } => match status {
                400 | 409 | 422 => ErrorKind::Unexpected,
                _ => ErrorKind::Refused,
            },
            Self::TokenText => ErrorKind::Configuration,
            Self::ConnectionConnecting { .. }
            | Self::CursorExpired { .. }
            | Self::Unavailable { .. } => ErrorKind::Transient,
            Self::Failed { story, .. } => story.kind(),
            Self::Net(net) => net.kind(),
            Self::Malformed { cut: true, .. } => ErrorKind::Transient,
            Self::Malformed { cut: false, .. } => ErrorKind::Unexpected,
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadToken | Self::TokenText => {
                "check TRUTO_API_TOKEN: it must be complete, not expired, and of the connection's environment"
            }
            Self::ConnectionConnecting { .. } => {
                "wait until its status is `active`: Truto is still setting it up"
            }
            Self::ConnectionNotActive { system, id, .. }
            | Self::ConnectionNeedsReauth { system, id, .. } => return Some(system.reconnect(id)),
            Self::ConnectionUnknown { system, .. } => {
                let variable = system.variable();
                return Some(format!(
                    "check {variable}, and that TRUTO_API_TOKEN belongs to the same environment"
                ));
            }
            Self::MissingScope {
                system: System::Asana,
                id,
                scopes,
                ..
            } if scopes.iter().any(|scope| scope == FULL_PERMISSIONS) => {
                return Some(full_or_narrow(id));
            }
            Self::MissingScope { system, id, .. } => match system {
                System::Asana => {
                    return Some(format!(
                        "an Asana admin must reconnect with full permissions or these scopes; the id stays: \
                         asana-access-review connect --reconnect {id}"
                    ));
                }
                System::Hris => {
                    "an administrator of the HR system must reconnect in Truto with full permissions or these scopes; the id stays"
                }
            },
            Self::Refused {
                status: 401,
                system,
                ..
            } => {
                return Some(format!(
                    "the token can read the connection but not this resource: check the permissions of the token, then the connection's login at {system}"
                ));
            }
            Self::Refused {
                system: System::Asana,
                status: 403,
                ..
            } => {
                "the connected account must be allowed to read this: connect as an Asana admin or with a service account; if the organization restricts third-party apps, a super admin must allow Truto's app"
            }
            Self::Refused { system, .. } => match system {
                System::Asana => {
                    "the connected account must be allowed to read this: connect as an Asana admin or with a service account"
                }
                System::Hris => {
                    "the account that connected the HR system must be allowed to read all employees, and Truto must support its employees (unified HRIS)"
                }
            },
            Self::Unavailable { .. } => "contact Truto support",
            Self::Failed { story, .. } => return story.hint().map(str::to_owned),
            Self::Net(net) => return net.hint().map(str::to_owned),
            Self::Malformed { .. } => {
                "check that TRUTO_BASE_URL is the address of Truto's API, and that no proxy answers in its place"
            }
            Self::CursorExpired { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Method and path of the request, as far as the error has one.
    pub fn what(&self) -> Option<&str> {
        match self {
            Self::MissingScope { what, .. }
            | Self::Refused { what, .. }
            | Self::CursorExpired { what, .. }
            | Self::Malformed { what, .. } => Some(what),
            Self::Failed { story, .. } => story.what(),
            Self::Net(net) => net.what(),
            Self::BadToken
            | Self::TokenText
            | Self::ConnectionConnecting { .. }
            | Self::ConnectionNotActive { .. }
            | Self::ConnectionNeedsReauth { .. }
            | Self::ConnectionUnknown { .. }
            | Self::Unavailable { .. } => None,
        }
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::BadToken | Self::ConnectionNeedsReauth { .. } => Some(401),
            Self::ConnectionUnknown { .. } => Some(404),
            Self::MissingScope { .. } => Some(403),
            Self::Refused { status, .. } | Self::CursorExpired { status, .. } => Some(*status),
            Self::Unavailable { .. } => Some(503),
            Self::Failed { story, .. } => story.status(),
            Self::Net(net) => net.status(),
            Self::TokenText
            | Self::ConnectionConnecting { .. }
            | Self::ConnectionNotActive { .. }
            | Self::Malformed { .. } => None,
        }
    }

    /// Names the page whose answer cannot be read.
    pub(super) fn on_page(self, page: u64) -> Self {
        match self {
            Self::Malformed { what, problem, cut } => Self::Malformed {
                what: format!("{what}, page {page}"),
                problem,
                cut,
            },
            error => error,
        }
    }

    /// Whether the answer cannot be read, although it is complete.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed { cut: false, .. })
    }

    pub fn missing_scopes(&self) -> &[String] {
        match self {
            Self::MissingScope { scopes, .. } => scopes,
            _ => &[],
        }
    }

    /// Whether only this resource is refused or absent, so that another source may still have the data.
    pub fn is_refusal_of_resource(&self) -> bool {
        match self {
            Self::MissingScope { .. } => true,
            Self::Refused { status, .. } => *status != 401,
            _ => false,
        }
    }
}

/// Asana's scope for full permissions.
pub const FULL_PERMISSIONS: &str = "default";

/// Both remedies for a connection that lacks full permissions.
pub fn full_or_narrow(id: &str) -> String {
    format!(
        "an Asana admin must reconnect with full permissions, the id stays: asana-access-review connect --reconnect {id}; \
         or, if the organization grants only narrow scopes, set ASANA_PERMISSIONS=narrow and INTERNAL_DOMAINS"
    )
}

/// The text of a server's answer, on one line and without the token. It is displayed in quotes, after a colon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply(String);

impl Reply {
    /// This text without `secret`.
    pub(super) fn of(text: &str, secret: &str) -> Self {
        Self(printable(text, secret))
    }

    /// Whether it contains this code.
    pub fn names(&self, code: &str) -> bool {
        self.0.contains(code)
    }

    /// Empty, if `text` already contains it.
    pub(super) fn unless_in(self, text: &str) -> Self {
        if text.contains(&self.0) {
            return Self::default();
        }
        self
    }
}

/// Scopes as Truto names them. A text that cannot be a scope is quoted.
fn shown_scopes(scopes: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/');
    let scopes = scopes
        .iter()
        .map(|scope| match scope.chars().all(is_plain) {
            true => scope.clone(),
            false => quoted(scope),
        });
    scopes.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", quoted(&self.0))
    }
}

/// The readable fields of Truto's error envelope.
#[derive(Debug, Default)]
pub(super) struct ErrorEnvelope {
    /// Whether the body is Truto's envelope, and not the page of a proxy.
    pub(super) is_envelope: bool,
    /// The provider refused, not Truto.
    pub(super) is_remote: bool,
    pub(super) missing_scopes: Vec<String>,
    pub(super) reply: Reply,
}

impl ErrorEnvelope {
    /// Reads the fields that are there, without `secret`.
    pub(super) fn read(body: &[u8], secret: &str) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self {
                reply: plain_text(body, secret),
                ..Self::default()
            };
        };
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str);
        // In a remote error, `message` may be empty. The provider's message is then in the raw response, as JSON or as
        // a text of JSON.
        let raw = value.get("raw_response");
        let parsed = raw.and_then(|raw| serde_json::from_str::<Value>(raw.as_str()?).ok());
        let raw_message = parsed.as_ref().or(raw).and_then(|raw| {
            raw.pointer("/errors/0/message")
                .or_else(|| raw.get("message"))
                .or(Some(raw))
                .and_then(Value::as_str)
        });
        let messages = [
            text("/message"),
            raw_message,
            text("/truto_error_insight/remote_error/description"),
            text("/error"),
        ];
        let message = messages
            .into_iter()
            .flatten()
            .find(|message| !message.trim().is_empty());
        let scopes = value
            .pointer("/truto_error_insight/forbidden_error/value/missing_scopes")
            .and_then(Value::as_array);
        let mut missing_scopes: Vec<String> = scopes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|scope| printable(scope, secret))
            .collect();
        // Asana's own words, for which Truto may name no scope.
        let is_for_full_permissions = |message: &&str| {
            let message = message.to_ascii_lowercase();
            message.contains("full permissions are required")
        };
        if missing_scopes.is_empty() && messages.iter().flatten().any(is_for_full_permissions) {
            missing_scopes.push(FULL_PERMISSIONS.to_owned());
        }
        Self {
            is_envelope: value.get("statusCode").is_some() || value.get("message").is_some(),
            is_remote: value.get("truto_is_remote_error") == Some(&Value::Bool(true)),
            missing_scopes,
            reply: Reply::of(message.unwrap_or_default(), secret),
        }
    }
}

/// A plain text is quoted, a page of HTML is not.
fn plain_text(body: &[u8], secret: &str) -> Reply {
    match std::str::from_utf8(body) {
        Ok(text) if !text.trim_start().starts_with('<') => Reply::of(text, secret),
        _ => Reply::default(),
    }
}

fn printable(text: &str, secret: &str) -> String {
    let text = if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, "[token]")
    };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &str) -> String {
        ErrorEnvelope::read(body.as_bytes(), "tok_123").reply.0
    }

    #[test]
    fn the_message_of_the_envelope_is_the_reply() {
        let body = r#"{"statusCode":401,"error":"Unauthorized","message":"Invalid token"}"#;
        assert_eq!(reply(body), "Invalid token");
    }

    #[test]
    fn a_reply_is_displayed_in_quotes() {
        assert_eq!(Reply::of("a “b”", "").to_string(), ": “a \"b\"”");
        assert_eq!(Reply::default().to_string(), "");
    }

    #[test]
    fn a_scope_is_shown_as_it_is_and_any_other_text_in_quotes() {
        let scopes = ["users:read".to_owned(), "Ada Lovelace".to_owned()];
        assert_eq!(shown_scopes(&scopes), "users:read, “Ada Lovelace”");
    }

    #[test]
    fn the_providers_message_replaces_an_empty_one() {
        for raw in [
            r#"{"errors":[{"message":"Not Authorized"}]}"#,
            r#""{\"errors\":[{\"message\":\"Not Authorized\"}]}""#,
            r#""Not Authorized""#,
        ] {
            let body = format!(
                r#"{{"statusCode":401,"error":"Unauthorized","message":"","raw_response":{raw}}}"#
            );
            assert_eq!(reply(&body), "Not Authorized", "{raw}");
        }
    }

    #[test]
    fn missing_scopes_and_the_remote_flag_are_read() {
        let body = br#"{"statusCode":403,"message":"","truto_is_remote_error":true,
            "truto_error_insight":{"forbidden_error":{"description":"x","value":{"missing_scopes":["users:read"]}}}}"#;
        let envelope = ErrorEnvelope::read(body, "");
        assert_eq!(envelope.missing_scopes, ["users:read"]);
        assert!(envelope.is_remote && envelope.is_envelope);
    }

    #[test]
    fn asanas_words_about_full_permissions_name_the_missing_scope() {
        for body in [
            r#"{"statusCode":403,"message":"","raw_response":{"errors":[{"message":
                "Full permissions are required to use this endpoint"}]},
                "truto_error_insight":{"forbidden_error":{"value":{"missing_scopes":[]}}}}"#,
            r#"{"message":"Forbidden","raw_response":"{\"errors\":[{\"message\":\"Full permissions are required.\"}]}"}"#,
            r#"{"message":"","truto_error_insight":{"remote_error":{"description":
                "Asana answered 403: full permissions are required to use this endpoint"}}}"#,
        ] {
            let envelope = ErrorEnvelope::read(body.as_bytes(), "");
            assert_eq!(envelope.missing_scopes, ["default"], "{body}");
        }
        let other = br#"{"message":"You do not have access to this resource."}"#;
        assert!(ErrorEnvelope::read(other, "").missing_scopes.is_empty());
    }

    #[test]
    fn a_reply_is_one_line_without_the_token() {
        assert_eq!(
            reply("{\"message\":\"a\\n\\u0007b tok_123\"}"),
            "a b [token]"
        );
        assert_eq!(reply("<html><body>502</body></html>"), "");
        assert_eq!(reply("upstream timed out"), "upstream timed out");
    }
}
