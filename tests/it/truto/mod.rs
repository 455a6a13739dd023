//! The behaviour towards Truto: the requests, their rate, and the handling of every answer,
//! including unusual ones.

mod gaps;
mod mapping;
mod narrow;
mod odd;
mod one_pass;
mod pacing;
mod requests;
mod scenarios;
mod statuses;
mod troubleshooting;

use std::error::Error;
use std::time::Duration;

use asana_access_review::clock::Clock;
use asana_access_review::model::Permissions;
use asana_access_review::net::{self, Deadline};
use asana_access_review::source::{self, FetchedAccounts, RawPages, SourceError, fetch_all};
use asana_access_review::truto;
use jiff::Timestamp;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, WORKSPACE_ID, World};

/// The path of the list of users, without single users.
const LIST: &str = "user-directory/users$";

fn settings(simulator: &Simulator) -> source::Settings {
    source::Settings {
        truto: truto::ApiSettings {
            base_url: simulator.url().parse().expect("an address"),
            api_token: TOKEN.into(),
            token_pace: None,
            rate_limit: None,
            http: quick(),
        }
        .to(CONNECTION_ID, 100),
        workspace_id: Some(WORKSPACE_ID.to_owned()),
        raw: RawPages::Minimal,
        permissions: Permissions::Full,
    }
}

fn quick() -> net::Settings {
    net::Settings {
        timeout: Duration::from_secs(5),
        max_attempts: 8,
        max_elapsed: Duration::from_secs(20),
        base_delay: Duration::ZERO,
        traffic: None,
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn as_of() -> Timestamp {
    "2026-11-23T22:40:00Z".parse().expect("an instant")
}

async fn fetch_from(simulator: &Simulator) -> Result<FetchedAccounts, SourceError> {
    simulator.forget_requests();
    fetch_all(&settings(simulator), &Clock::at(as_of()), soon()).await
}

fn scenario(name: &str) -> World {
    World::scenario(name).expect("a scenario")
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
