//! What Truto's refusals mean, distinguished where somebody decides.

use std::fmt;

use serde_json::Value;

use super::System;
use crate::net::{ErrorKind, NetError};

/// Server messages are quoted up to here.
const MAX_SAID_CHARS: usize = 200;

/// Truto did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TrutoError {
    /// Truto does not know the token.
    #[error("Truto refused the API token")]
    BadToken,
    /// The token cannot even be sent.
    #[error("the API token holds characters that no HTTP header can")]
    TokenText,
    /// The connection is still being set up.
    #[error("the connection `{id}` to {system} is still connecting")]
    ConnectionConnecting {
        /// What it leads to.
        system: System,
        /// The connection.
        id: String,
    },
    /// The connection is in no state to be read through.
    #[error("the connection `{id}` to {system} is not usable: its status is `{status}`")]
    ConnectionNotActive {
        /// What it leads to.
        system: System,
        /// The connection.
        id: String,
        /// Its state as Truto words it.
        status: String,
    },
    /// The connection's login is dead.
    #[error("the connection `{id}` has lost its login at {system} (status `{status}`)")]
    ConnectionNeedsReauth {
        /// Where the login was.
        system: System,
        /// The connection.
        id: String,
        /// Its state as Truto words it.
        status: String,
    },
    /// There is no such connection for this token.
    #[error("Truto knows no connection `{id}` for this token")]
    ConnectionUnknown {
        /// What it should lead to.
        system: System,
        /// The id asked for.
        id: String,
    },
    /// A scope is wanted that the connection was not given.
    #[error("{what} was refused: missing scope {}", scopes.join(", "))]
    MissingScope {
        /// Who wants it.
        system: System,
        /// Method and path.
        what: String,
        /// The scopes.
        scopes: Vec<String>,
    },
    /// Not allowed without a scope named, not there, or not in this form.
    #[error("{what} was {} (status {status}){said}", if matches!(status, 401 | 403) { "refused" } else { "rejected" })]
    Refused {
        /// What the connection leads to.
        system: System,
        /// Method and path.
        what: String,
        /// Below 500.
        status: u16,
        /// What Truto says.
        said: Said,
    },
    /// A cursor stopped being valid while its list was read.
    #[error("{what}: the cursor of page {page} is no longer valid (status {status}){said}")]
    CursorExpired {
        /// Method and path.
        what: String,
        /// The page it stood for.
        page: u64,
        /// The status.
        status: u16,
        /// What Truto says.
        said: Said,
    },
    /// 503 from Truto itself: the account there is blocked.
    #[error("Truto answers 503, as it does for a blocked account{said}")]
    Unavailable {
        /// What Truto says.
        said: Said,
    },
    /// An answer that is no success, after retries.
    #[error("{story}{said}")]
    Failed {
        /// What was asked, how often, and the last status.
        story: NetError,
        /// What Truto says.
        said: Said,
    },
    /// No answer.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The answer is not what Truto's documentation describes.
    #[error("{what}: the answer was not understood: {problem}")]
    Malformed {
        /// Method and path.
        what: String,
        /// What is wrong with it, without its content.
        problem: String,
        /// Whether the JSON merely stops too early.
        cut: bool,
    },
}

impl TrutoError {
    /// What sort of trouble it is.
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

    /// What to do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadToken | Self::TokenText => {
                "check TRUTO_API_TOKEN: the whole token, of the environment that holds the connection, not expired"
            }
            Self::ConnectionConnecting { .. } => {
                "Truto is still setting it up; it is usable once its status is `active`"
            }
            Self::ConnectionNotActive { system, id, .. }
            | Self::ConnectionNeedsReauth { system, id, .. } => return Some(system.reconnect(id)),
            Self::ConnectionUnknown { system, .. } => {
                let variable = system.variable();
                return Some(format!(
                    "check {variable}, and that TRUTO_API_TOKEN is of the same environment"
                ));
            }
            Self::MissingScope { system, .. } => match system {
                System::Asana => {
                    "an Asana admin must connect again, with full permissions or these scopes, the id stays: asana-access-review connect --reconnect"
                }
                System::Hris => {
                    "an administrator of the HR system must connect again in Truto, with full permissions or these scopes; the id stays"
                }
            },
            Self::Refused {
                status: 401,
                system,
                ..
            } => {
                return Some(format!(
                    "the token can read the connection and not this: check the token's permissions, then the connection's login at {system}"
                ));
            }
            Self::Refused {
                system: System::Asana,
                status: 403,
                ..
            } => {
                "the account that connected Asana must be allowed to read it: connect as an Asana admin or with a service account; where the organization restricts third-party apps, a super admin must allow Truto's"
            }
            Self::Refused { system, .. } => match system {
                System::Asana => {
                    "the account that connected Asana must be allowed to read it: connect as an Asana admin or with a service account"
                }
                System::Hris => {
                    "the account that connected the HR system must be allowed to read all employees, and Truto must offer them for it (unified HRIS)"
                }
            },
            Self::Unavailable { .. } => "contact Truto support",
            Self::Failed { story, .. } => return story.hint().map(str::to_owned),
            Self::Net(net) => return net.hint().map(str::to_owned),
            Self::Malformed { .. } => {
                "check that TRUTO_BASE_URL is Truto's API and that no proxy answers in its place"
            }
            Self::CursorExpired { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// The answer's status, if there was an answer.
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

    /// Whether the answer was not understood.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed { cut: false, .. })
    }

    /// The scopes named as missing.
    pub fn missing_scopes(&self) -> &[String] {
        match self {
            Self::MissingScope { scopes, .. } => scopes,
            _ => &[],
        }
    }

    /// Whether the resource itself is refused or absent: another source may still have the data.
    pub fn is_refusal_of_resource(&self) -> bool {
        match self {
            Self::MissingScope { .. } => true,
            Self::Refused { status, .. } => *status != 401,
            _ => false,
        }
    }
}

/// A server's own words, fit to be printed: one line, not long, without the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// These words; `secret` is cut out of them.
    pub(super) fn of(text: &str, secret: &str) -> Self {
        Self(printable(text, secret))
    }

    /// Nothing, where the text beside it says the same already.
    pub(super) fn unless_in(self, text: &str) -> Self {
        if text.contains(&self.0) {
            return Self::default();
        }
        self
    }
}

/// A provider may name whom it refuses: addresses are nobody's business in a log.
fn without_addresses(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let (reported, blank) = word.split_at(word.trim_end().len());
        match reported.contains('@') {
            true => format!("[address]{blank}"),
            false => word.to_owned(),
        }
    });
    words.collect()
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.0)
    }
}

/// Truto's error envelope, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct ErrorEnvelope {
    /// It is Truto's envelope at all, not some proxy's page.
    pub(super) is_envelope: bool,
    /// The provider refused, not Truto.
    pub(super) is_remote: bool,
    pub(super) missing_scopes: Vec<String>,
    pub(super) said: Said,
}

impl ErrorEnvelope {
    /// Reads what can be read; `secret` is cut out of the words.
    pub(super) fn read(body: &[u8], secret: &str) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self {
                said: plain_text(body, secret),
                ..Self::default()
            };
        };
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str);
        // Remote errors may leave `message` empty and have the provider's own words in the raw
        // response, as JSON or as text that holds JSON.
        let raw = value.get("raw_response");
        let parsed = raw.and_then(|raw| serde_json::from_str::<Value>(raw.as_str()?).ok());
        let raw_message = parsed.as_ref().or(raw).and_then(|raw| {
            raw.pointer("/errors/0/message")
                .or_else(|| raw.get("message"))
                .or(Some(raw))
                .and_then(Value::as_str)
        });
        let said = [
            text("/message"),
            raw_message,
            text("/truto_error_insight/remote_error/description"),
            text("/error"),
        ];
        let said = said.into_iter().flatten().find(|s| !s.trim().is_empty());
        let scopes = value
            .pointer("/truto_error_insight/forbidden_error/value/missing_scopes")
            .and_then(Value::as_array);
        Self {
            is_envelope: value.get("statusCode").is_some() || value.get("message").is_some(),
            is_remote: value.get("truto_is_remote_error") == Some(&Value::Bool(true)),
            missing_scopes: scopes
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|scope| printable(scope, secret))
                .collect(),
            said: Said(printable(said.unwrap_or_default(), secret)),
        }
    }
}

/// A short plain text is worth quoting, a page of HTML is not.
fn plain_text(body: &[u8], secret: &str) -> Said {
    match std::str::from_utf8(body) {
        Ok(text) if !text.trim_start().starts_with('<') => Said(printable(text, secret)),
        _ => Said::default(),
    }
}

fn printable(text: &str, secret: &str) -> String {
    let text = if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, "[token]")
    };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let one_line = without_addresses(&one_line);
    let plain: String = one_line.chars().filter(|c| !c.is_control()).collect();
    if plain.chars().count() <= MAX_SAID_CHARS {
        return plain;
    }
    let kept: String = plain.chars().take(MAX_SAID_CHARS).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        ErrorEnvelope::read(body.as_bytes(), "tok_123").said.0
    }

    #[test]
    fn whom_a_provider_names_is_not_reported_on() {
        let body = r#"{"statusCode":403,"message":"ada@example.com (Ada) has no access to it"}"#;
        assert_eq!(said(body), "[address] (Ada) has no access to it");
    }

    #[test]
    fn the_message_is_what_was_said() {
        let body = r#"{"statusCode":401,"error":"Unauthorized","message":"Invalid token"}"#;
        assert_eq!(said(body), "Invalid token");
    }

    #[test]
    fn an_empty_message_gives_way_to_the_providers_own_words() {
        for raw in [
            r#"{"errors":[{"message":"Not Authorized"}]}"#,
            r#""{\"errors\":[{\"message\":\"Not Authorized\"}]}""#,
            r#""Not Authorized""#,
        ] {
            let body = format!(
                r#"{{"statusCode":401,"error":"Unauthorized","message":"","raw_response":{raw}}}"#
            );
            assert_eq!(said(&body), "Not Authorized", "{raw}");
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
    fn what_is_quoted_is_one_short_line_without_the_token() {
        assert_eq!(
            said("{\"message\":\"a\\n\\u0007b tok_123\"}"),
            "a b [token]"
        );
        assert_eq!(said("<html><body>502</body></html>"), "");
        assert_eq!(said("upstream timed out"), "upstream timed out");
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(said(&long).chars().count(), MAX_SAID_CHARS + 1);
    }
}
