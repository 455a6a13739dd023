//! Everything from which a judgement is made. It reads no clock, no setting and no network.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{GoneAccount, Leaver, PersonLinks, TrendPoint};
use crate::judgement::FollowUps;
use crate::model::{
    Account, EmailAddress, HrFeed, ManualDecisions, Mapping, Population, Protection,
};
use crate::schedule::RunSchedule;

/// Everything from which a judgement is made.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The instant of the run.
    pub as_of: Timestamp,
    /// The run's place, `dt=…/run=…`.
    pub run: Arc<str>,
    /// The rules.
    pub policy: Policy,
    /// The job's own schedule, if it is known.
    pub schedule: Option<RunSchedule>,
    /// The accounts, and how we know they are all.
    pub population: Population,
    pub hr: HrFeed,
    /// Aliases and exceptions.
    pub manual: ManualDecisions,
    /// What closed reviews asked for, and how far it is done.
    pub follow_ups: FollowUps,
    /// What earlier runs saw.
    pub past: Past,
    /// What the store did with the first file of the run; none in a preflight that stores nothing.
    pub store: Option<Protection>,
}

/// The rules a review is made by, as evidence shows them. Durations in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How long after the end of work access may last.
    pub offboarding_grace_seconds: i64,
    /// Zone of HR dates that carry none.
    pub hr_time_zone: String,
    /// Zones by work place, for rows that name no zone.
    pub hr_location_zones: BTreeMap<String, String>,
    /// Who is in the HR feed.
    pub hr_feed_scope: FeedScope,
    /// An older HR feed is not believed; none: any age is.
    pub hr_feed_max_age_seconds: Option<i64>,
    /// Zero leavers is believable.
    pub hr_feed_allow_empty: bool,
    /// How ambiguous dates are read: `dmy`, `mdy`, or refused.
    pub hr_feed_date_order: Option<String>,
    /// Columns of the HR feed, as the setting names them.
    pub hr_feed_columns: BTreeMap<String, String>,
    /// Which lists of a JSON document hold the people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hr_feed_records: Vec<String>,
    /// Status words that were added, each `employed`, `on_leave` or `left`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hr_feed_statuses: BTreeMap<String, String>,
    /// Words and addresses that mean "no address".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hr_feed_no_address: Vec<String>,
    /// Mail domains named as the organization's.
    pub internal_domains: Vec<String>,
    /// Mail domains that are one, as `corp.com=corp.io`.
    pub email_domain_aliases: Vec<String>,
    /// A larger fall in accounts or HR rows is not believed.
    pub max_drop_percent: u32,
    /// How often a periodic review is due; none: it is not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_every_seconds: Option<i64>,
    /// How long what a review decided may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_grace_seconds: Option<i64>,
}

/// Who is in the HR feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedScope {
    /// Everyone who left.
    Leavers,
    /// Who left lately: rows drop out with time.
    RecentLeavers,
    /// Everyone who works here, and perhaps who left.
    Roster,
}

/// What earlier runs saw, as far as the ledger vouches for it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Faults found in the ledger or in the runs read from it.
    pub ledger_faults: Vec<String>,
    /// Number of the ledger's last entry; none before the first run.
    pub ledger_head: Option<u64>,
    /// Seconds by which this machine's clock was behind the last entry's `committed_at` when the entry was read; 0 if
    /// it was not behind.
    pub clock_behind_seconds: u64,
    /// Runs since the baseline that ended without a judgement.
    pub failed_since_baseline: u64,
    /// The newest complete run: absence, changes and drops are judged against it.
    pub baseline: Option<Baseline>,
    /// The newest run of any completeness: what HR said and what was seen is carried from it.
    pub previous: Option<Previous>,
}

/// A committed run, by its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// Number of the ledger entry.
    pub sequence: u64,
    /// `dt=…/run=…`.
    pub run: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
}

/// The newest complete run.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Which run it is.
    pub at: RunRef,
    /// The workspace it was of.
    pub workspace_id: String,
    /// Its instant.
    pub as_of: Timestamp,
    /// The accounts it saw, sorted by id.
    pub accounts: Vec<Account>,
    /// The addresses it knew accounts to have had before.
    pub former_emails: FormerEmails,
    /// When accounts lost access, by id.
    pub gone: BTreeMap<String, GoneAccount>,
    /// How Truto mapped them.
    pub mapping: Mapping,
}

impl Baseline {
    /// A run as it read the accounts, with what it knew of earlier ones.
    pub fn of(
        at: RunRef,
        as_of: Timestamp,
        population: Population,
        former_emails: FormerEmails,
        gone: BTreeMap<String, GoneAccount>,
    ) -> Self {
        Self {
            at,
            workspace_id: population.workspace.id,
            as_of,
            accounts: population.accounts,
            former_emails,
            gone,
            mapping: population.mapping,
        }
    }
}

/// Addresses that accounts had in earlier complete runs and no longer have, by account id.
pub type FormerEmails = BTreeMap<String, Vec<EmailAddress>>;

/// The newest run, complete or not.
#[derive(Clone, Debug)]
pub struct Previous {
    /// Which run it is.
    pub at: RunRef,
    /// The workspace it was of, if it says.
    pub workspace_id: Option<String>,
    /// The rules it went by.
    pub policy: Policy,
    /// The job's schedule then.
    pub schedule: Option<RunSchedule>,
    /// Its offboardings, also those that were concluded long ago.
    pub leavers: Vec<Leaver>,
    /// When each of its findings was first seen, by finding id.
    pub findings_first_seen: BTreeMap<String, Timestamp>,
    /// The runs up to it, the oldest first.
    pub trend: Vec<TrendPoint>,
    /// The faults of the ledger that it recorded: they fail no further run.
    pub ledger_faults: Vec<String>,
    /// SHA-256 of each file of manual decisions it went by, by the file's name.
    pub manual: BTreeMap<String, String>,
    /// Since when each exception was in force, by the id of its keys.
    pub exceptions_since: BTreeMap<String, Timestamp>,
    /// All people who were employed, with their accounts.
    pub links: Vec<PersonLinks>,
    /// Address of the feed it read.
    pub feed_url: String,
    /// The first complete run that read that feed.
    pub feed_since: Option<Timestamp>,
    /// What closed reviews asked for, as it left it.
    pub follow_ups: FollowUps,
}
