//! One review: fetch, judge, store. A table of contents; the rooms decide.

use std::time::Duration;

use crate::judgement::Policy;
use crate::{feed, ledger, source, store};

/// What a review needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The accounts.
    pub source: source::Settings,
    /// The HR feed.
    pub feed: feed::Settings,
    /// The rules.
    pub policy: Policy,
    /// Where evidence goes.
    pub store: store::Settings,
    /// How the ledger is kept.
    pub ledger: ledger::Settings,
    /// The whole run must end within this.
    pub deadline: Duration,
    /// How critical Asana is to the company, in its own word.
    pub criticality: String,
    /// The company's own control ids.
    pub control_ids: Vec<String>,
}
