//! Links, and the connections that they create or renew.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::request::RecordedRequest;
use crate::world::World;
use crate::{CONNECTION_ID, MADE_CONNECTION_ID};

/// All links, and the connection of the last link that was used.
#[derive(Debug, Default)]
pub(crate) struct Links {
    links: Vec<Link>,
    made: Option<Made>,
}

#[derive(Debug)]
struct Link {
    token: String,
    wanted: Wanted,
    is_used: bool,
    looks: u32,
}

/// What a link is for.
#[derive(Clone, Debug)]
enum Wanted {
    /// A new connection of this tenant.
    New(String),
    /// Renews the connection of the world, with or without its context.
    Again { keeps_context: bool },
}

/// A connection that a link creates or renews.
#[derive(Debug)]
struct Made {
    wanted: Wanted,
    /// Index of its current state.
    place: usize,
    /// Whether the connection has not been read in this state yet.
    is_fresh: bool,
}

/// The new state of a renewed connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Becomes {
    pub(crate) status: String,
    pub(crate) keeps_context: bool,
}

impl Links {
    /// `POST /link-token`. If both a connection and a tenant are named, Truto silently uses the connection.
    pub(crate) fn post(&mut self, request: &RecordedRequest) -> Answer {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        let wanted = match (text("integrated_account_id"), text("tenant_id")) {
            (Some(CONNECTION_ID), _) => Wanted::Again {
                keeps_context: body["persist_previous_context"] == true,
            },
            (Some(_), _) => return Answer::truto_error(404, "Integrated account not found"),
            (None, Some(tenant)) => Wanted::New(tenant.to_owned()),
            (None, None) => return Answer::truto_error(400, "tenant_id is required"),
        };
        let token = format!("2f6d0c1e-0000-4000-8000-{:012}", self.links.len() + 1);
        let answer = Answer::json(&json!({"link_token": token}));
        self.links.push(Link {
            token,
            wanted,
            is_used: false,
            looks: 0,
        });
        answer
    }

    /// `GET /connect-account`: a link that is opened in a browser connects at once.
    pub(crate) fn open(&mut self, request: &RecordedRequest) -> Answer {
        let token = request.query("link_token").unwrap_or_default();
        let is_it = |link: &&mut Link| link.token == token && !link.is_used;
        let Some(link) = self.links.iter_mut().find(is_it) else {
            return Answer::truto_error(400, "invalid_token");
        };
        link.is_used = true;
        self.made = Some(Made::new(link.wanted.clone()));
        Answer::json(&json!({"connected": "asana"}))
    }

    /// Advances the states, because connections are read. Returns the new state of the world's connection.
    pub(crate) fn look(&mut self, world: &World) -> Option<Becomes> {
        let states = world.admin.states.len();
        match &mut self.made {
            Some(made) if made.is_fresh => made.is_fresh = false,
            Some(made) => made.place = (made.place + 1).min(states.saturating_sub(1)),
            None => {}
        }
        for link in self.links.iter_mut().filter(|link| !link.is_used) {
            link.looks += 1;
            if world
                .admin
                .uses_link_after
                .is_some_and(|looks| link.looks > looks)
            {
                link.is_used = true;
                let mut made = Made::new(link.wanted.clone());
                made.is_fresh = false;
                self.made = Some(made);
            }
        }
        let made = self.made.as_ref()?;
        match made.wanted {
            Wanted::New(_) => None,
            Wanted::Again { keeps_context } => Some(Becomes {
                status: made.status(world).to_owned(),
                keeps_context,
            }),
        }
    }

    /// The connection that was created: id, tenant and state.
    pub(crate) fn made<'a>(&'a self, world: &'a World) -> Option<(&'static str, &'a str, &'a str)> {
        let made = self.made.as_ref()?;
        match &made.wanted {
            Wanted::New(tenant) => Some((MADE_CONNECTION_ID, tenant, made.status(world))),
            Wanted::Again { .. } => None,
        }
    }
}

impl Made {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            place: 0,
            is_fresh: true,
        }
    }

    fn status<'a>(&self, world: &'a World) -> &'a str {
        let state = world.admin.states.get(self.place);
        state.map_or("connecting", String::as_str)
    }
}
