//! Making connections: links for whoever may connect, and what became of them.

use std::collections::HashSet;

use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;
use tracing::warn;

use super::api::{Api, malformed};
use super::pages::{Contents, NoPage, record};
use super::wire::LinkToken;
use super::{ApiSettings, IntegratedAccount, Row, Said, System, TrutoError, is_connection_id};
use crate::clock::Clock;
use crate::net::{Deadline, is_loopback};

/// Truto's slug of Asana.
const ASANA: &str = "asana";

/// A tenant has a handful of connections; a list that is longer than this has no end.
const MAX_PAGES: usize = 100;

/// Where people connect. What the program asks is asked elsewhere, at `api.truto.one`.
const APP: &str = "https://app.truto.one";

/// Truto's API where no connection is spoken through.
#[derive(Debug)]
pub struct Links {
    api: Api,
}

/// What a link is to make.
#[derive(Clone, Copy, Debug)]
pub enum LinkFor<'a> {
    /// A new connection, of this tenant.
    Tenant(&'a str),
    /// This connection again: its id and context stay.
    Connection(&'a str),
}

/// A connection, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id: [`is_connection_id`].
    pub id: String,
    /// `active`, `connecting`, `needs_reauth`, …; none where Truto doesn't tell.
    pub status: Option<String>,
    /// What it is for, where that is told.
    pub integration: Option<String>,
    /// What Truto says went wrong last.
    pub said: Said,
    /// The scopes it was given, where Truto tells.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When Truto changed it last, as written: only whether it differs is of interest.
    pub updated_at: Option<String>,
}

/// The connections of a tenant.
#[derive(Clone, Debug)]
pub struct Known {
    /// Those to Asana, in the order of the list.
    pub connections: Vec<Seen>,
    /// The moment of the answer, by Truto's clock.
    pub at: Option<Timestamp>,
}

impl Links {
    /// Truto's API for these settings.
    pub fn new(
        settings: &ApiSettings,
        clock: &Clock,
        deadline: Deadline,
    ) -> Result<Self, TrutoError> {
        let api = Api::new(settings, clock, deadline)?;
        Ok(Self { api })
    }

    /// `GET /integrated-account`: a tenant's connections to Asana. A server that does not filter
    /// gives no other ones either.
    pub async fn connections(&self, tenant_id: &str) -> Result<Known, TrutoError> {
        let what = "GET /integrated-account";
        let mut known = Known {
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
                    Row::Record(account) => match self.seen(account) {
                        Some(seen) => known.connections.push(seen),
                        None => warn!("The list of connections holds one without a usable id"),
                    },
                    Row::Other(kind) => warn!("The list of connections holds {kind}"),
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
    pub async fn connection(&self, id: &str) -> Result<Seen, TrutoError> {
        let account = self.api.connection(System::Asana, id).await?;
        let asked_for = IntegratedAccount {
            id: Some(id.to_owned()),
            ..account
        };
        self.seen(asked_for)
            .ok_or_else(|| malformed("GET /integrated-account", NoPage::NoRows))
    }

    /// `POST /link-token`: the address at which somebody connects Asana. It works once, within seven
    /// days; a second one, made because the answer to the first was lost, just lapses.
    pub async fn link(&self, wanted: LinkFor<'_>) -> Result<Url, TrutoError> {
        let asked = match wanted {
            LinkFor::Tenant(id) => json!({ "tenant_id": id }),
            // Without the second word Truto empties the context.
            LinkFor::Connection(id) => {
                json!({ "integrated_account_id": id, "persist_previous_context": true })
            }
        };
        let answer = self.api.post(&["link-token"], &asked).await;
        let answer = answer.map_err(|error| self.explain(error))?;
        let what = "POST /link-token";
        let answer = record(&answer.body).map_err(|problem| malformed(what, problem))?;
        let LinkToken { link_token } = answer;
        let token = link_token.ok_or_else(|| TrutoError::Malformed {
            what: what.to_owned(),
            problem: "it holds no link token".to_owned(),
            cut: false,
        })?;
        Ok(self.address(&token))
    }

    /// A server on this machine is no Truto, and has its links itself.
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
            _ => self.api.explain(System::Asana, error),
        }
    }

    /// None: its id is none.
    fn seen(&self, account: IntegratedAccount) -> Option<Seen> {
        let said = account.last_error.unwrap_or_default();
        Some(Seen {
            id: account.id.filter(|id| is_connection_id(id))?,
            status: account.status,
            integration: account.integration,
            said: self.api.said(&said),
            scopes: account.scopes,
            created_at: account.created_at.as_deref().and_then(super::instant),
            updated_at: account.updated_at,
        })
    }
}

/// Whether a connection is this tenant's and leads to Asana, as far as it is told.
fn is_of(account: &IntegratedAccount, tenant_id: &str) -> bool {
    let tenant = account.tenant_id.as_deref();
    tenant.is_none_or(|reported| reported == tenant_id) && account.is_asana() != Some(false)
}
