//! New connections: links for the person who connects, and the state of the connections.

use std::collections::HashSet;

use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;
use tracing::warn;

use super::api::{Api, malformed};
use super::pages::{Contents, NoPage, record};
use super::wire::LinkToken;
use super::{ApiSettings, IntegratedAccount, Reply, Row, System, TrutoError, is_connection_id};
use crate::clock::Clock;
use crate::net::{Deadline, is_loopback};

/// Truto's slug of Asana.
const ASANA: &str = "asana";

/// A tenant has a handful of connections; a longer list is taken as endless.
const MAX_PAGES: usize = 100;

/// The site where people connect. The API is at `api.truto.one`.
const APP: &str = "https://app.truto.one";

/// Truto's API for requests without a connection.
#[derive(Debug)]
pub struct Links {
    api: Api,
}

/// The purpose of a link.
#[derive(Clone, Copy, Debug)]
pub enum LinkFor<'a> {
    /// A new connection of this tenant.
    Tenant(&'a str),
    /// A renewal of this connection, which keeps its id and context.
    Connection(&'a str),
}

/// The state of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    /// [`is_connection_id`] holds for it.
    pub id: String,
    /// `active`, `connecting`, `needs_reauth`, …; none if Truto omits it.
    pub status: Option<String>,
    /// The name of the integration; none if Truto omits it.
    pub integration: Option<String>,
    /// Truto's message about the last error.
    pub last_error: Reply,
    /// The granted scopes, as far as Truto names them.
    pub scopes: Vec<String>,
    pub created_at: Option<Timestamp>,
    /// As Truto writes it; it is only compared with an earlier value.
    pub updated_at: Option<String>,
}

/// The connections of a tenant to Asana.
#[derive(Clone, Debug)]
pub struct TenantConnections {
    /// In the order of Truto's list.
    pub connections: Vec<ConnectionState>,
    /// The time of the answer, by Truto's clock.
    pub at: Option<Timestamp>,
}

impl Links {
    pub fn new(
        settings: &ApiSettings,
        clock: &Clock,
        deadline: Deadline,
    ) -> Result<Self, TrutoError> {
        let api = Api::new(settings, clock, deadline)?;
        Ok(Self { api })
    }

    /// `GET /integrated-account`: a tenant's connections to Asana. Other connections are dropped if the server does
    /// not filter.
    pub async fn connections(&self, tenant_id: &str) -> Result<TenantConnections, TrutoError> {
        let what = "GET /integrated-account";
        let mut known = TenantConnections {
            connections: Vec::new(),
            at: None,
        };
        let mut cursors = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![("tenant_id", tenant_id), ("integration.name", ASANA)];
            query.extend(cursor.as_deref().map(|cursor| ("next_cursor", cursor)));
            let answer = self.api.get(&["integrated-account"], query).await;
            let answer = answer.map_err(|error| self.explain(error))?;
            known.at = answer.date();
            let contents = Contents::<IntegratedAccount>::read(&answer.body)
                .map_err(|problem| malformed(what, problem))?;
            for row in contents.rows {
                match row {
                    Row::Record(account) if !is_of(&account, tenant_id) => {}
                    Row::Record(account) => match self.state(account) {
                        Some(state) => known.connections.push(state),
                        None => warn!("Ignored a connection without a usable id"),
                    },
                    Row::Other(kind) => {
                        warn!("Ignored {kind} in the list of connections");
                    }
                }
            }
            cursor = contents.next.map(|next| next.parameter().1.to_owned());
            match &cursor {
                None => return Ok(known),
                Some(next) if !cursors.insert(next.clone()) => break,
                Some(_) => {}
            }
        }
        Err(TrutoError::Malformed {
            what: what.to_owned(),
            problem: "the list of connections has no end".to_owned(),
            cut: false,
        })
    }

    /// `GET /integrated-account/{id}`.
    pub async fn connection(&self, id: &str) -> Result<ConnectionState, TrutoError> {
        let account = self.api.connection(System::Asana, id).await?;
        let requested = IntegratedAccount {
            id: Some(id.to_owned()),
            ..account
        };
        self.state(requested)
            .ok_or_else(|| malformed("GET /integrated-account", NoPage::NoRows))
    }

    /// `POST /link-token`: the address at which a person connects Asana, and agrees to `scopes`, or to those that Truto
    /// has for Asana. It works once, within seven days. If a retry
    /// creates a second link, the unused one expires.
    pub async fn link(
        &self,
        wanted: LinkFor<'_>,
        scopes: Option<Vec<&str>>,
    ) -> Result<Url, TrutoError> {
        let mut body = match wanted {
            LinkFor::Tenant(id) => json!({ "tenant_id": id }),
            // Without `persist_previous_context`, Truto empties the context.
            LinkFor::Connection(id) => {
                json!({ "integrated_account_id": id, "persist_previous_context": true })
            }
        };
        if let Some(scopes) = scopes {
            body["scopes"] = json!(scopes);
        }
        let answer = self.api.post(&["link-token"], &body).await;
        let answer = answer.map_err(|error| self.explain(error))?;
        let what = "POST /link-token";
        let answer = record(&answer.body).map_err(|problem| malformed(what, problem))?;
        let LinkToken { link_token } = answer;
        let token = link_token.ok_or_else(|| TrutoError::Malformed {
            what: what.to_owned(),
            problem: "it has no link token".to_owned(),
            cut: false,
        })?;
        Ok(self.address(&token))
    }

    /// A simulator on this machine serves its links itself.
    fn address(&self, token: &str) -> Url {
        let base = self.api.base_url();
        let app = Url::parse(APP).ok().filter(|_| !is_loopback(base));
        let mut url = app.unwrap_or_else(|| base.clone());
        url.set_path("/connect-account");
        url.query_pairs_mut()
            .append_pair("link_token", token)
            .append_pair("integration", ASANA)
            .append_pair("no_back", "true");
        url
    }

    fn explain(&self, error: crate::net::NetError) -> TrutoError {
        match error.status() {
            Some(401) => TrutoError::BadToken,
            // Links are requests without a connection.
            _ => self.api.explain(System::Asana, "ID", error),
        }
    }

    /// None without a usable id.
    fn state(&self, account: IntegratedAccount) -> Option<ConnectionState> {
        let last_error = account.last_error.unwrap_or_default();
        Some(ConnectionState {
            id: account.id.filter(|id| is_connection_id(id))?,
            status: account.status,
            integration: account.integration,
            last_error: self.api.reply(&last_error),
            scopes: account.scopes,
            created_at: account.created_at.as_deref().and_then(super::instant),
            updated_at: account.updated_at,
        })
    }
}

/// Whether a connection may be this tenant's connection to Asana. Fields that Truto omits do not exclude it.
fn is_of(account: &IntegratedAccount, tenant_id: &str) -> bool {
    let tenant = account.tenant_id.as_deref();
    tenant.is_none_or(|reported| reported == tenant_id) && account.is_asana() != Some(false)
}
