//! Truto's API for one connection. Its JSON is known here and nowhere else.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::net;

mod api;
mod client;
mod error;
mod lenient;
mod links;
mod pages;
mod wire;

pub use client::{Client, GotUser, kept_user};
pub use error::{Said, TrutoError};
pub use lenient::instant;
pub use links::{Known, LinkFor, Links, Seen};
pub use pages::{
    End, KeptList, List, Page, PageWalk, Row, minimal_page, restarted_once, rows_of_minimal_page,
};
pub use wire::{
    Capabilities, CustomUser, Email, Employee, EmployeeEmail, HrisEmployment, IntegratedAccount,
    License, Membership, Organization, RemoteData, TokenReported, User, UserRole,
};

/// What a connection leads to: messages name it, and whoever can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// The accounts.
    Asana,
    /// What HR says.
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

    /// Whom to ask to connect again, and how.
    pub fn reconnect(self, id: &str) -> String {
        match self {
            Self::Asana => format!(
                "an Asana admin must connect `{id}` again, the id stays: asana-access-review connect --reconnect {id}"
            ),
            Self::Hris => format!(
                "an administrator of the HR system must connect `{id}` again in Truto; the id stays"
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

/// What is needed to speak to Truto through one connection.
#[derive(Clone, Debug)]
pub struct Settings {
    pub api: ApiSettings,
    /// The connection ("integrated account") to read through.
    pub integrated_account_id: String,
    /// Records asked for per page.
    pub page_size: u32,
}

/// What is needed to speak to Truto before there is a connection.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Scheme, host and perhaps a path prefix.
    pub base_url: reqwest::Url,
    /// Bearer token.
    pub api_token: SecretString,
    /// Never more requests than this in any such window.
    pub rate_limit: Option<RateLimit>,
    /// Bounds of each request.
    pub http: net::Settings,
}

impl ApiSettings {
    /// The same for one connection.
    pub fn to(&self, integrated_account_id: &str, page_size: u32) -> Settings {
        Settings {
            api: self.clone(),
            integrated_account_id: integrated_account_id.to_owned(),
            page_size,
        }
    }
}

/// Whether a text can be the id of a connection: it goes into paths and variables as it is.
pub fn is_connection_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=128).contains(&text.len()) && text.chars().all(plain)
}

/// So many requests in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests.
    pub requests: u32,
    /// Length of the window.
    pub window: Duration,
}
