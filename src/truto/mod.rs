//! Truto's API for one connection. The types of its JSON stay in this module.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::quoted;
use crate::net::{self, Pacer};

mod api;
mod client;
mod error;
mod lenient;
mod links;
mod pages;
mod wire;

pub use client::{Client, SingleUser, stored_user};
pub use error::{FULL_PERMISSIONS, Reply, TrutoError, full_or_narrow};
pub use lenient::instant;
pub use links::{ConnectionState, LinkFor, Links, TenantConnections};
pub use pages::{
    End, List, Page, PageWalk, Row, StoredList, minimal_page, restarted_once, rows_of_minimal_page,
};
pub use wire::{
    ApiToken, Capabilities, CustomUser, Email, Employee, EmployeeEmail, EmployeeGroup,
    ForbiddenError, HrisEmployment, IntegratedAccount, License, Membership, MembershipUser,
    Organization, RemoteData, User, UserRole,
};

/// The system behind a connection. Messages name it, and who can repair the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Asana,
    /// The HR system.
    Hris,
}

impl System {
    /// The variable that names the connection.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Asana => "TRUTO_INTEGRATED_ACCOUNT_ID",
            Self::Hris => "HR_FEED_URL",
        }
    }

    /// Who must reconnect, and how.
    pub fn reconnect(self, id: &str) -> String {
        match self {
            Self::Asana => format!(
                "an Asana admin must reconnect `{id}`; the id stays: asana-access-review connect --reconnect {id}"
            ),
            Self::Hris => format!(
                "an administrator of the HR system must reconnect `{id}` in Truto; the id stays"
            ),
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asana => "Asana",
            Self::Hris => "the HR system",
        })
    }
}

/// A connection's status for a message: a status that Truto documents as it is, any other in quotes.
pub fn shown_status(status: Option<&str>) -> String {
    match status {
        None => "unknown".to_owned(),
        Some(
            known @ ("active" | "connecting" | "needs_reauth" | "validation_error"
            | "post_install_error" | "blocked" | "paused" | "expired" | "inactive"),
        ) => format!("`{known}`"),
        Some(other) => quoted(other),
    }
}

/// Settings for requests through one connection.
#[derive(Clone, Debug)]
pub struct Settings {
    pub api: ApiSettings,
    /// The connection, which Truto calls "integrated account".
    pub integrated_account_id: String,
    /// Records per page.
    pub page_size: u32,
}

/// Settings for requests without a connection.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Scheme, host and perhaps a path prefix.
    pub base_url: reqwest::Url,
    pub api_token: SecretString,
    pub rate_limit: Option<RateLimit>,
    /// The limit of the API token, if this process sends requests through several connections.
    pub token_pace: Option<Arc<Pacer>>,
    pub http: net::Settings,
}

impl ApiSettings {
    /// These settings for one connection.
    pub fn to(&self, integrated_account_id: &str, page_size: u32) -> Settings {
        Settings {
            api: self.clone(),
            integrated_account_id: integrated_account_id.to_owned(),
            page_size,
        }
    }
}

/// Whether a text can be the id of a connection, which is used in paths and variables without an escape.
pub fn is_connection_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=128).contains(&text.len()) && text.chars().all(plain)
}

/// At most `requests` in any `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub requests: u32,
    pub window: Duration,
}
