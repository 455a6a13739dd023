//! The inputs of a judgement, which reads nothing else: no clock, no setting and no network.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{GoneAccount, Leaver, PersonLinks, TrendPoint};
use crate::judgement::FollowUps;
use crate::model::{
    Account, EmailAddress, HrFeed, ManualDecisions, Mapping, Permissions, Population, Protection,
};
use crate::schedule::RunSchedule;

#[derive(Clone, Debug)]
pub struct Inputs {
    /// The instant of the run.
    pub as_of: Timestamp,
    /// The run's place, `dt=…/run=…`.
    pub run: Arc<str>,
    pub policy: Policy,
    /// The job's own schedule, if known.
    pub schedule: Option<RunSchedule>,
    /// The accounts, with the data that shows whether the list is complete.
    pub population: Population,
    pub hr: HrFeed,
    /// Aliases and exceptions.
    pub manual: ManualDecisions,
    /// The decisions of closed reviews, with their states.
    pub follow_ups: FollowUps,
    pub past: Past,
    /// How the store protects the first file of the run; `None` in a preflight that stores nothing.
    pub store: Option<Protection>,
}

/// The rules of a judgement, as the evidence shows them. Durations are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What the connection may read.
    pub asana_permissions: Permissions,
    /// How long access may last after the end of work.
    pub offboarding_grace_seconds: i64,
    /// The zone of HR dates without a zone.
    pub hr_time_zone: String,
    /// Zones by work place, for rows without a zone.
    pub hr_location_zones: BTreeMap<String, String>,
    pub hr_feed_scope: FeedScope,
    /// The oldest HR feed that counts as fresh; `None` accepts any age.
    pub hr_feed_max_age_seconds: Option<i64>,
    /// Whether the feed may name zero leavers.
    pub hr_feed_allow_empty: bool,
    /// How ambiguous dates are read: `dmy` or `mdy`; `None` refuses them.
    pub hr_feed_date_order: Option<String>,
    /// Columns of the HR feed, as in the setting.
    pub hr_feed_columns: BTreeMap<String, String>,
    /// The lists of people in a JSON document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hr_feed_records: Vec<String>,
    /// Additional status words, each `employed`, `on_leave` or `left`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hr_feed_statuses: BTreeMap<String, String>,
    /// Words and addresses that mean "no address".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hr_feed_no_address: Vec<String>,
    /// The organization's mail domains in the settings.
    pub internal_domains: Vec<String>,
    /// Equivalent mail domains, as `corp.com=corp.io`.
    pub email_domain_aliases: Vec<String>,
    /// A larger fall in accounts or HR rows fails a check.
    pub max_drop_percent: u32,
    /// How often a periodic review is due; `None` requires none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_every_seconds: Option<i64>,
    /// How long it may take to carry out a decision of a review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_grace_seconds: Option<i64>,
}

/// Who is in the HR feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedScope {
    /// All people who left.
    Leavers,
    /// People who left recently. Rows leave the feed over time.
    RecentLeavers,
    /// All employed people, and possibly people who left.
    Roster,
}

/// The data of earlier runs whose hashes match the ledger.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Faults found in the ledger or in the runs read from it.
    pub ledger_faults: Vec<String>,
    /// Number of the ledger's last entry; `None` before the first run.
    pub ledger_head: Option<u64>,
    /// Seconds by which this machine's clock was behind the last entry's `committed_at` when it read the entry; else 0.
    pub clock_behind_seconds: u64,
    /// Runs since the baseline that ended without a judgement.
    pub failed_since_baseline: u64,
    /// The newest complete run. Absence, changes and falls are measured against it.
    pub baseline: Option<Baseline>,
    /// The newest run, complete or not. The records of leavers and findings continue from it.
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
    pub at: RunRef,
    pub workspace_id: String,
    pub as_of: Timestamp,
    /// The accounts, sorted by id.
    pub accounts: Vec<Account>,
    /// Former addresses of accounts, as that run knew them.
    pub former_emails: FormerEmails,
    /// When accounts lost access, by id.
    pub gone: BTreeMap<String, GoneAccount>,
    pub mapping: Mapping,
}

impl Baseline {
    /// The baseline from the accounts of a run and the data that it kept of earlier runs.
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
    pub at: RunRef,
    pub workspace_id: Option<String>,
    pub policy: Policy,
    pub schedule: Option<RunSchedule>,
    /// Its offboardings, also old concluded ones.
    pub leavers: Vec<Arc<Leaver>>,
    /// When each of its findings was first seen, by finding id.
    pub findings_first_seen: BTreeMap<String, Timestamp>,
    /// The runs up to it, oldest first.
    pub trend: Vec<TrendPoint>,
    /// The ledger faults that it recorded. They do not fail later runs.
    pub ledger_faults: Vec<String>,
    /// SHA-256 of each file of manual decisions that it used, by the file's name.
    pub manual: BTreeMap<String, String>,
    /// The instant since which each exception has been in force, by the exception's id.
    pub exceptions_since: BTreeMap<String, Timestamp>,
    /// All employed people with their accounts.
    pub links: Vec<PersonLinks>,
    /// The address of its HR feed.
    pub feed_url: String,
    /// The first complete run that read that feed.
    pub feed_since: Option<Timestamp>,
    /// The decisions of closed reviews, after that run.
    pub follow_ups: FollowUps,
}
