//! The records of a judgement, as the evidence keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    ChangeKind, CheckId, CheckStatus, FindingKind, FormerEmails, ManualKind, ManualState,
    MatchKind, OffboardingResult, Outcome, Severity, Standing, Verdict, WithinSla,
};
use crate::judgement::FollowUps;
use crate::model::{EmailAddress, Employment, Exception, HrDate, HrRow, Role, Status, counted};

/// The people of today's feed, by their standing. Together with `further_rows` they add up to the rows that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrPeople {
    /// Employed, also with an end or a start in the future.
    pub employed: u64,
    pub on_leave: u64,
    /// Work has ended.
    pub left: u64,
    /// The rows contradict each other, or do not show whether work has ended.
    pub unclassified: u64,
    /// Rows beyond the first of each person.
    pub further_rows: u64,
}

impl HrPeople {
    pub fn total(&self) -> u64 {
        let Self {
            employed,
            on_leave,
            left,
            unclassified,
            further_rows: _,
        } = self;
        employed + on_leave + left + unclassified
    }
}

/// The results of a run.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Why the verdict is not `pass`; empty if it is.
    pub reasons: Vec<String>,
    /// Whether a check failed or a leaver could not be judged. The verdict is then `inconclusive`, unless a finding
    /// fails the run.
    pub in_doubt: bool,
    /// Whether absence from the list proves removal.
    pub complete: bool,
    pub checks: Vec<Check>,
    /// Each offboarding that is open or was concluded within 90 days, with exactly one outcome, most severe first.
    pub leavers: Vec<Leaver>,
    /// Offboardings that were concluded more than 90 days ago, shortened.
    pub concluded: Vec<Arc<Leaver>>,
    /// Accounts that lost access within the last 400 days, by id.
    pub gone: BTreeMap<String, GoneAccount>,
    /// The findings, most severe first.
    pub findings: Vec<Finding>,
    /// The changes since earlier runs.
    pub changes: Vec<Change>,
    /// The owners of each account, in the order of the population.
    pub owners: Vec<Owner>,
    pub hr_people: HrPeople,
    /// The state of every manual decision, in the order of the files.
    pub manual: Vec<ManualUse>,
    /// All employed people, with their accounts.
    pub links: Vec<PersonLinks>,
    /// The first complete run that read this feed.
    pub feed_since: Option<Timestamp>,
    /// The decisions of closed reviews, after this run.
    pub follow_ups: FollowUps,
    /// Former addresses of accounts, as used in this run.
    pub former_emails: FormerEmails,
    /// The organization's mail domains, as used in this run.
    pub organization_domains: Vec<String>,
    pub counts: Counts,
    /// The last runs, this one last.
    pub trend: Vec<TrendPoint>,
}

impl Judgement {
    /// A sentence with the number of deadlines that this run tested, also for a pass that tested none.
    pub fn deadlines_due(&self) -> String {
        let mut earlier = self.trend.iter().rev().skip(1);
        let has_baseline = earlier.any(|run| run.complete);
        let due = self.counts.leavers.deadlines_due;
        let text = match (due, has_baseline) {
            (1, true) => "1 deadline fell due since the last complete run".to_owned(),
            (due, true) => format!("{due} deadlines fell due since the last complete run"),
            (1, false) => "1 deadline has passed; no earlier run is complete".to_owned(),
            (due, false) => format!("{due} deadlines have passed; no earlier run is complete"),
        };
        let is_pass = match self.verdict {
            Verdict::Pass | Verdict::PassWithExceptions => true,
            Verdict::Inconclusive | Verdict::Fail => false,
        };
        match is_pass && due == 0 {
            true => format!("{text}: this pass tested no new removal"),
            false => text,
        }
    }

    /// The manual decisions of one file, in its order.
    pub fn lines_of(&self, kind: ManualKind) -> impl Iterator<Item = &ManualUse> {
        self.manual.iter().filter(move |line| line.kind == kind)
    }
}

/// A check with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub id: CheckId,
    pub status: CheckStatus,
    /// A sentence for people, without names and addresses.
    pub detail: String,
    /// The numbers behind the status.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub numbers: BTreeMap<String, Value>,
}

impl Check {
    /// The reason for the verdict if the check failed.
    pub fn as_reason(&self) -> String {
        format!("check {} failed: {}", self.id, self.detail)
    }
}

/// One offboarding: one ended tenure of one person, and the access that remains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The first 12 hex digits of the SHA-256 of connection, person key and end of work as first reported, a line
    /// each. It never changes.
    pub offboarding_id: Arc<str>,
    /// The id, else the address, else the name by which the person was first known.
    pub person_key: Arc<str>,
    /// The id of the tenure that ended.
    pub person_id: Option<String>,
    /// The name as HR writes it.
    pub name: Option<String>,
    /// Every address that HR gave, work addresses first.
    pub emails: Vec<EmailAddress>,
    /// When work ended or ends; `None` if HR gave no date.
    pub end_of_work: Option<Timestamp>,
    /// The end of work as first reported, if HR moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Timestamp>,
    /// The deadline of record. Access must end by this instant.
    pub deadline: Option<Timestamp>,
    /// The run that fixed the deadline of record: the first one at or after the end of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_rule_run: Option<Arc<str>>,
    /// The grace of that run, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<i64>,
    /// The deadline that follows from an end of work that HR moved after the deadline of record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_deadline: Option<Timestamp>,
    pub standing: Standing,
    pub outcome: Outcome,
    /// The conclusion; `None` while the offboarding is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<OffboardingResult>,
    /// The run that concluded the offboarding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_run: Option<Arc<str>>,
    /// The instant of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_at: Option<Timestamp>,
    /// Whether a later run has seen the person employed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen_employed: bool,
    /// Whether a later offboarding of the same person supersedes this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// Accounts tied to the person, most access first.
    pub account_id: Vec<String>,
    /// The accounts' addresses, in the same order.
    pub account_email: Vec<Option<EmailAddress>>,
    /// How each account was matched, in the same order.
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    /// The accounts' roles, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_role: Vec<Option<Role>>,
    /// The accounts' states in the list of this run, in the same order; `None` if an account is not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_status: Vec<Option<Status>>,
    /// The last run that saw access.
    pub last_seen_with_access: Option<Timestamp>,
    /// The first complete run after it that did not see access.
    pub first_seen_without_access: Option<Timestamp>,
    /// Whether access ended by the deadline.
    pub within_sla: WithinSla,
    /// The last day of the exception that covers the person.
    pub exception_expires: Option<String>,
    /// Notes for a reader.
    pub note: String,
    /// The run in which HR first named the leaver.
    pub first_seen_in_feed: Timestamp,
    /// The deadline counted from that run, if the run is later than the end of work.
    pub deadline_from_notice: Option<Timestamp>,
    /// Whether access ended by that deadline.
    pub within_sla_from_notice: WithinSla,
    /// Whether today's feed names the person.
    pub in_feed: bool,
    /// The status in the HR row that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hr_status: Option<Employment>,
    /// The termination date in that row, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hr_end: Option<Arc<str>>,
    /// The last day of work in that row, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hr_last_day: Option<Arc<str>>,
    /// The line of that row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hr_line: Option<u64>,
    /// Ids of the person's other tenures.
    pub other_person_ids: Vec<String>,
    /// Every tenure that HR reported; empty for a person who is missing from a roster.
    pub tenures: Vec<Tenure>,
    /// Accounts that may be theirs, kept from run to run until an alias decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspected_account_id: Vec<String>,
    /// Whether this run or an earlier one suspected more accounts than are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_suspected: bool,
}

impl Leaver {
    /// All ids of the person.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.person_id.iter().chain(&self.other_person_ids)
    }

    /// Whether HR never named the person as a leaver, but an earlier roster named the person as employed.
    pub(super) fn is_missing_from_roster(&self) -> bool {
        self.tenures.is_empty() && self.result.is_none()
    }

    /// The deadline for the verdict: the corrected one, else the deadline of record.
    pub fn verdict_deadline(&self) -> Option<Timestamp> {
        self.corrected_deadline.or(self.deadline)
    }
}

/// One tenure as HR wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tenure {
    /// The person's id in this tenure.
    pub person_id: Option<String>,
    pub status: Employment,
    /// The first day, as written.
    pub start: Option<Arc<str>>,
    /// The termination date, as written.
    pub end: Option<Arc<str>>,
    /// The last day of work, as written.
    pub last_day: Option<Arc<str>>,
    /// The zone of the dates.
    pub zone: Option<Arc<str>>,
}

impl Tenure {
    /// The tenure in one row.
    pub(super) fn of(row: &HrRow) -> Self {
        let dates = [&row.last_day, &row.end, &row.start];
        let zoned = dates.into_iter().flatten().next();
        Self {
            person_id: row.person_id.clone(),
            status: row.status.clone(),
            start: Self::written(row.start.as_ref()),
            end: Self::written(row.end.as_ref()),
            last_day: Self::written(row.last_day.as_ref()),
            zone: zoned.map(|date| Arc::clone(&date.zone)),
        }
    }

    pub(super) fn written(date: Option<&HrDate>) -> Option<Arc<str>> {
        date.map(|date| Arc::clone(&date.written))
    }
}

/// A point that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The same in every run for the same account and person.
    pub finding_id: String,
    pub kind: FindingKind,
    pub severity: Severity,
    pub account_id: Option<String>,
    /// The account's address.
    pub email: Option<EmailAddress>,
    /// The account's name.
    pub name: Option<String>,
    /// The account's role.
    pub role: Option<Role>,
    /// The account's status.
    pub status: Option<Status>,
    /// The id of the leaver.
    pub person_id: Option<String>,
    /// When the person's work ended.
    pub end_of_work: Option<Timestamp>,
    /// The deadline for the end of access.
    pub deadline: Option<Timestamp>,
    /// Whole hours past the deadline.
    pub overdue_hours: Option<i64>,
    /// How the account and the person were matched.
    #[serde(rename = "match")]
    pub matched_by: Option<MatchKind>,
    /// The first run of an unbroken series of runs with the finding.
    pub first_seen: Timestamp,
    /// Notes for a reader.
    pub note: String,
}

/// The id of a finding: the same in every run for the same account and person.
pub(super) fn finding_id(
    connection: &str,
    kind: FindingKind,
    account_id: Option<&str>,
    person_id: Option<&str>,
) -> String {
    let account_id = account_id.unwrap_or_default();
    let person_id = person_id.unwrap_or_default();
    let digest = Sha256::digest(format!("{connection}\n{kind}\n{account_id}\n{person_id}"));
    const_hex::encode(&digest[..8])
}

/// A difference from an earlier run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub change: ChangeKind,
    /// The account, if the change is about one.
    pub account_id: Option<String>,
    /// The person, if the change is about one.
    pub person_id: Option<String>,
    /// The address of the account or person.
    pub email: Option<EmailAddress>,
    /// The name of the account, person or rule.
    pub name: Option<String>,
    /// The value in the earlier run.
    pub before: String,
    /// The value in this run.
    pub after: String,
    /// The earlier run.
    pub previous_run: String,
}

/// The state and effect of a manual decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualUse {
    pub kind: ManualKind,
    /// The line in the file, from 1.
    pub line: u64,
    pub state: ManualState,
    /// The effect of the line, or why it had none.
    pub detail: String,
    /// The id of an exception in force: the same in every run for the same keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<String>,
    /// The first run of an unbroken series of runs in which an exception with these keys was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Timestamp>,
    /// Whether an exception came into force after the deadline of what it covers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_the_fact: bool,
}

/// The id of an exception: the digest of its keys, which a renewal does not change.
pub(super) fn exception_id(of: &Exception, email: Option<&EmailAddress>) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (person_id, account_id) = (text(&of.person_id), text(&of.account_id));
    let (email, check) = (email.map_or("", EmailAddress::key), text(&of.check));
    let digest = Sha256::digest(format!("{email}\n{person_id}\n{account_id}\n{check}"));
    const_hex::encode(&digest[..8])
}

/// An employed person and the accounts that were tied to them: a line of `inputs/links.jsonl.gz`. After the person
/// leaves, later runs follow the account ids, even if every address has changed. A person who is missing from a later
/// roster may have left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonLinks {
    /// Ids of the person's tenures, the deciding one's first.
    pub person_ids: Vec<String>,
    /// Every address that identifies the person, work addresses first.
    pub emails: Vec<EmailAddress>,
    /// The name as HR writes it.
    pub name: Option<String>,
    /// Whether a complete run has seen them employed without an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_address: bool,
    /// Sorted by account id.
    pub accounts: Vec<LinkedAccount>,
}

/// An account that was tied to a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkedAccount {
    pub account_id: String,
    #[serde(rename = "match")]
    pub matched_by: MatchKind,
}

/// When an account lost access. HR may name its owner later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneAccount {
    /// The last complete run that saw access.
    pub last_seen_with_access: Timestamp,
    /// The first complete run that did not see access.
    pub first_seen_without_access: Timestamp,
}

/// The owners of an account, as far as HR reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Ids of the owners, leavers first.
    pub person_ids: Vec<String>,
    /// How they were matched, in the same order.
    pub matched_by: Vec<MatchKind>,
    /// Kinds of the findings about the account, most severe first.
    pub findings: Vec<FindingKind>,
}

/// A run in numbers. Every kind is listed, also those with a count of zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub accounts: AccountCounts,
    pub leavers: LeaverCounts,
    pub findings: FindingCounts,
    pub changes: ChangeCounts,
    /// Approved exceptions that the verdict uses, and aliases that ended a tie.
    pub risk_acceptances: u64,
}

impl Verdict {
    pub fn headline(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::PassWithExceptions => "PASS WITH EXCEPTIONS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
        }
    }
}

impl Counts {
    /// The verdict as a clause, for the report, the terminal and notifications.
    pub fn conclusion(&self, verdict: Verdict) -> String {
        let has = |kind: FindingKind| self.findings.by_kind.get(kind.as_str()) > Some(&0);
        match verdict {
            Verdict::Pass => "no leaver was found with access past the deadline".to_owned(),
            Verdict::PassWithExceptions => {
                let accepted =
                    counted(self.risk_acceptances, "risk acceptance", "risk acceptances");
                format!("no unapproved access past the deadline was found; {accepted}")
            }
            Verdict::Inconclusive => "scope limitation: no reliance on this run".to_owned(),
            Verdict::Fail if has(FindingKind::OffboardedAccess) => {
                "a leaver has access past the deadline".to_owned()
            }
            Verdict::Fail if has(FindingKind::AccessAfterConclusion) => {
                "a leaver has access again after the offboarding was concluded".to_owned()
            }
            Verdict::Fail => {
                "a decision of an access review was not carried out in time, or was undone"
                    .to_owned()
            }
        }
    }

    /// Leavers with an outcome.
    pub fn with_outcome(&self, outcome: Outcome) -> u64 {
        let count = self.leavers.by_outcome.get(outcome.as_str());
        count.copied().unwrap_or_default()
    }
}

/// Accounts, by status and by role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCounts {
    pub total: u64,
    pub by_status: BTreeMap<String, u64>,
    pub by_role: BTreeMap<String, u64>,
}

/// Leavers by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaverCounts {
    pub total: u64,
    pub by_outcome: BTreeMap<String, u64>,
    /// Leavers whose deadline has passed since the last complete run. Without a complete run, all leavers whose
    /// deadline has passed.
    pub deadlines_due: u64,
}

/// Findings by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    pub total: u64,
    pub by_kind: BTreeMap<String, u64>,
}

/// Changes by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    pub total: u64,
    pub by_change: BTreeMap<String, u64>,
}

/// One run of the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// `dt=…/run=…`.
    pub run: String,
    /// The run's instant.
    pub as_of: Timestamp,
    pub verdict: Verdict,
    pub complete: bool,
    /// Rows of the HR file about a person: read or rejected, neither blank nor repeated.
    pub hr_rows: u64,
    #[serde(flatten)]
    pub counts: Counts,
}
