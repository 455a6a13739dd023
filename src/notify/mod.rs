//! Telling others how a run ended or how a periodic review goes, after the commit: a signed webhook, a
//! Slack channel.
//!
//! Nothing here changes the outcome: whoever cannot be told is a line in the log. What is told holds ids
//! and counts, no names and no addresses, and the head of the ledger: kept where it arrives, it is the
//! anchor outside the bucket, which shows a chain whose end was cut off.

mod keys;
mod news;
mod slack;
mod webhook;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use reqwest::Url;
use tracing::{info, warn};

pub use keys::{KeyError, Keys};
pub use news::{
    About, Because, CheckNews, FindingNews, FindingState, Judged, News, PreviousNight, ReviewNews,
    ReviewStep, ReviewerNews, Story,
};
pub use webhook::Webhook;

use crate::cli::exit;
use crate::clock::Clock;
use crate::net::{self, Deadline, Http, NetError};

/// As much of an answer as is read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Who is told, and when.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which runs are told.
    pub on: NotifyOn,
    /// A receiver of Standard Webhooks.
    pub webhook: Option<Webhook>,
    /// A Slack incoming webhook.
    pub slack: Option<Address>,
    /// The bounds of each delivery.
    pub http: net::Settings,
    /// The bound of all deliveries together.
    pub within: Duration,
}

impl Settings {
    /// A receiver that restarts is back by then, and a run is not held up much longer.
    pub const WITHIN: Duration = Duration::from_secs(30);

    /// Four attempts, at about 0, 0.5, 1.5 and 3.5 s where answers come at once; one that hangs leaves
    /// room for another.
    pub const HTTP: net::Settings = net::Settings {
        timeout: Duration::from_secs(10),
        max_attempts: 4,
        max_elapsed: Self::WITHIN,
        base_delay: net::Settings::BASE_DELAY,
    };

    /// Who is told: each by its origin, since the address is a secret.
    pub fn receivers(&self) -> Vec<String> {
        let webhook = self.webhook.as_ref().map(|webhook| &webhook.address);
        let receivers = webhook.into_iter().chain(&self.slack);
        receivers.map(ToString::to_string).collect()
    }

    /// Whether anybody is to be told.
    pub fn has_receiver(&self) -> bool {
        self.webhook.is_some() || self.slack.is_some()
    }
}

/// Which runs are told. A run that came to no judgement always is, and so is a periodic review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyOn {
    /// Every one.
    Always,
    /// Where something is different from the night before, and once a week.
    Change,
    /// Where somebody must act.
    Problem,
}

impl NotifyOn {
    /// Whether news is told.
    pub fn is_due(self, news: &News) -> bool {
        match self {
            Self::Always => true,
            Self::Change => !news.because().is_empty(),
            Self::Problem => news.is_problem(),
        }
    }

    /// The word in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Change => "change",
            Self::Problem => "problem",
        }
    }
}

/// Where news goes. The address itself is a secret: whoever has it can post. It shows its origin only.
#[derive(Clone)]
pub struct Address(Url);

impl Address {
    /// An address that was judged: https, or http on this machine.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}/…")
    }
}

/// Tells everybody who is to be told, within the bound. What cannot be delivered is said in the log; a fault
/// of the program too, since what is told of is over and stored.
pub async fn tell(settings: &Settings, news: impl FnOnce() -> News, clock: &Clock) {
    if !settings.has_receiver() {
        return;
    }
    let told = AssertUnwindSafe(async { deliver(settings, &news(), clock).await });
    if told.catch_unwind().await.is_err() {
        warn!("Nobody could be told; the outcome stands");
    }
}

async fn deliver(settings: &Settings, news: &News, clock: &Clock) {
    let on = settings.on.as_str();
    if !settings.on.is_due(news) {
        info!(
            on,
            "Told nobody: NOTIFY_ON={on} has nothing to say of this run"
        );
        return;
    }
    let deadline = Deadline::after(settings.within);
    let http = match Http::new(&settings.http, deadline) {
        Ok(http) => http,
        Err(error) => {
            warn!(error = exit::error_chain(&error), "Nobody could be told");
            return;
        }
    };
    let webhook = async {
        if let Some(webhook) = &settings.webhook {
            let delivered = webhook::deliver(&http, webhook, news, clock).await;
            let hint = delivered.as_ref().err().and_then(hint);
            said("NOTIFY_WEBHOOK_URL", &webhook.address, delivered, hint);
        }
    };
    let slack = async {
        if let Some(address) = &settings.slack {
            let delivered = slack::deliver(&http, address, news).await;
            let hint = match &delivered {
                Err(slack::SlackError::Refused { cause, .. }) => hint(cause),
                Err(slack::SlackError::NotSlack { .. }) => Some(GONE),
                Ok(()) => None,
            };
            said("NOTIFY_SLACK_WEBHOOK_URL", address, delivered, hint);
        }
    };
    join(webhook, slack).await;
}

const GONE: &str = "see that the variable holds the receiver's present address";

fn hint(error: &NetError) -> Option<&'static str> {
    // The bound is not the run's.
    if matches!(error, NetError::Deadline { .. }) {
        return None;
    }
    match error.status() {
        Some(404) => Some(GONE),
        Some(410) => {
            Some("the receiver wants no more: unset the variable, or give another address")
        }
        Some(401 | 403) => Some("see that the address and the key are those of the receiver"),
        _ => error.hint(),
    }
}

fn said(
    variable: &'static str,
    to: &Address,
    delivered: Result<(), impl std::error::Error>,
    hint: Option<&str>,
) {
    let host = to.to_string();
    match delivered {
        Ok(()) => info!(variable, host, "Told {host}"),
        Err(error) => {
            let error = exit::error_chain(&error);
            warn!(
                variable,
                host, error, hint, "{host} could not be told; the outcome stands"
            );
        }
    }
}
