//! Notifications of a run or of an access review, sent after the commit to a signed webhook and a Slack channel.
//!
//! A failed delivery is logged and does not change the outcome. A notification has ids, counts and the head of the
//! ledger, but no names and addresses. A receiver that keeps the head can prove that the end of the chain was cut off.

mod keys;
mod notification;
mod slack;
mod webhook;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use reqwest::Url;
use tracing::{info, warn};

pub use keys::{Keys, WebhookKeyError};
pub use notification::{
    About, Because, Content, FindingState, Notification, NotifiedCheck, NotifiedFinding,
    NotifiedReview, NotifiedReviewer, NotifiedRun, NotifiedWorkspace, PreviousRun, ReviewStep,
};
pub use webhook::Webhook;

use crate::cli::exit;
use crate::clock::Clock;
use crate::net::{self, Deadline, Http, NetError};

/// The longest part of an answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// The receivers, and the runs they are notified of.
#[derive(Clone, Debug)]
pub struct Settings {
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
    /// Enough for a receiver to restart, without a long delay of the run.
    pub const WITHIN: Duration = Duration::from_secs(30);

    /// Four attempts, at about 0, 0.5, 1.5 and 3.5 s if answers are immediate. One attempt that hangs leaves time for
    /// another.
    pub const HTTP: net::Settings = net::Settings {
        timeout: Duration::from_secs(10),
        max_attempts: 4,
        max_elapsed: Self::WITHIN,
        base_delay: net::Settings::BASE_DELAY,
        traffic: None,
    };

    /// The origin of each receiver; the address is a secret.
    pub fn receivers(&self) -> Vec<String> {
        let webhook = self.webhook.as_ref().map(|webhook| &webhook.address);
        let receivers = webhook.into_iter().chain(&self.slack);
        receivers.map(ToString::to_string).collect()
    }

    pub fn has_receiver(&self) -> bool {
        self.webhook.is_some() || self.slack.is_some()
    }
}

/// The runs that send a notification. A run without a verdict and an access review always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyOn {
    Always,
    /// If the result differs from the previous run, and once a week.
    Change,
    /// If a person must act.
    Problem,
}

impl NotifyOn {
    pub fn is_due(self, notification: &Notification) -> bool {
        match self {
            Self::Always => true,
            Self::Change => !notification.because().is_empty(),
            Self::Problem => notification.is_problem(),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Change => "change",
            Self::Problem => "problem",
        }
    }
}

/// The address of a receiver. It is a secret, because it allows anyone to post; only its origin is printed.
#[derive(Clone)]
pub struct Address(Url);

impl Address {
    /// An address that the settings accepted: https, or http on this machine.
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

/// Notifies the receivers within `settings.within`. A failed delivery is logged, and so is a panic, because the run is
/// already stored.
pub async fn send(settings: &Settings, notification: impl FnOnce() -> Notification, clock: &Clock) {
    if !settings.has_receiver() {
        return;
    }
    let sending = AssertUnwindSafe(async { deliver(settings, &notification(), clock).await });
    if sending.catch_unwind().await.is_err() {
        warn!("Could not send notifications; the outcome does not change");
    }
}

async fn deliver(settings: &Settings, notification: &Notification, clock: &Clock) {
    let on = settings.on.as_str();
    if !settings.on.is_due(notification) {
        info!(on, "Sent no notification, because of NOTIFY_ON={on}");
        return;
    }
    let deadline = Deadline::after(settings.within);
    let http = match Http::new(&settings.http, deadline) {
        Ok(http) => http,
        Err(error) => {
            warn!(
                error = exit::error_chain(&error),
                "Could not send notifications"
            );
            return;
        }
    };
    let webhook = async {
        if let Some(webhook) = &settings.webhook {
            let delivered = webhook::deliver(&http, webhook, notification, clock).await;
            let hint = delivered.as_ref().err().and_then(hint);
            log_delivery("NOTIFY_WEBHOOK_URL", &webhook.address, delivered, hint);
        }
    };
    let slack = async {
        if let Some(address) = &settings.slack {
            let delivered = slack::deliver(&http, address, notification).await;
            let hint = match &delivered {
                Err(slack::SlackError::Refused { cause, .. }) => hint(cause),
                Err(slack::SlackError::NotSlack { .. }) => Some(GONE),
                Ok(()) => None,
            };
            log_delivery("NOTIFY_SLACK_WEBHOOK_URL", address, delivered, hint);
        }
    };
    join(webhook, slack).await;
}

const GONE: &str = "set the variable to the present address of the receiver";

fn hint(error: &NetError) -> Option<&'static str> {
    // The deadline of a delivery is not RUN_DEADLINE.
    if matches!(error, NetError::Deadline { .. }) {
        return None;
    }
    match error.status() {
        Some(404) => Some(GONE),
        Some(410) => {
            Some("unset the variable or set another address: the receiver accepts no more")
        }
        Some(401 | 403) => Some("check that the address and the key are those of the receiver"),
        _ => error.hint(),
    }
}

fn log_delivery(
    variable: &'static str,
    to: &Address,
    delivered: Result<(), impl std::error::Error>,
    hint: Option<&str>,
) {
    let host = to.to_string();
    match delivered {
        Ok(()) => info!(variable, host, "Notified {host}"),
        Err(error) => {
            let error = exit::error_chain(&error);
            warn!(
                variable,
                host, error, hint, "Could not notify {host}; the outcome does not change"
            );
        }
    }
}
