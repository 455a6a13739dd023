//! Truto's API for one connection. Its JSON is known here and nowhere else.

use std::time::Duration;

use secrecy::SecretString;

use crate::net;

mod client;
mod error;
mod lenient;
mod pages;
mod wire;

pub use client::{Client, GotUser};
pub use error::{Said, TrutoError};
pub use pages::{End, List, Page, Row, Walk};
pub use wire::{
    Context, CustomUser, Email, IntegratedAccount, Integration, License, Membership, Organization,
    RemoteData, Role, User,
};

/// What is needed to speak to Truto.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and perhaps a path prefix.
    pub base_url: reqwest::Url,
    /// Bearer token.
    pub api_token: SecretString,
    /// The connection ("integrated account") to read through.
    pub integrated_account_id: String,
    /// Records asked for per page.
    pub page_size: u32,
    /// Never more requests than this in any such window.
    pub rate_limit: Option<RateLimit>,
    /// Bounds of each request.
    pub http: net::Settings,
}

/// So many requests in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests.
    pub requests: u32,
    /// Length of the window.
    pub window: Duration,
}
