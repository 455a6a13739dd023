//! What a judgement says: the records that evidence keeps.

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
use crate::model::{EmailAddress, Employment, Exception, HrDate, HrRow, Role, Status};

/// The people of today's feed, by what all rows of each of them show. Together with `further_rows` they add up to
/// the rows that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrPeople {
    /// Employed, also with an end to come or a start to come.
    pub employed: u64,
    pub on_leave: u64,
    /// Work has ended.
    pub left: u64,
    /// The rows contradict each other, or decide nothing.
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

/// What a run's review says.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not a plain pass; empty if it is.
    pub reasons: Vec<String>,
    /// Whether a check failed or a leaver could not be judged. Without a finding that fails the run, the verdict
    /// is then `inconclusive`.
    pub in_doubt: bool,
    /// Whether absence from the list proves removal.
    pub complete: bool,
    /// Each check with its numbers.
    pub checks: Vec<Check>,
    /// Each offboarding that is open or was concluded lately, with exactly one outcome, most severe first.
    pub leavers: Vec<Leaver>,
    /// Offboardings that were concluded more than 90 days ago, shortened.
    pub concluded: Vec<Leaver>,
    /// Accounts that lost access within the last 400 days, by id.
    pub gone: BTreeMap<String, GoneAccount>,
    /// What somebody should look at, the gravest first.
    pub findings: Vec<Finding>,
    /// What is different from earlier runs.
    pub changes: Vec<Change>,
    /// Who each account belongs to, in the order of the population.
    pub owners: Vec<Owner>,
    /// The people of today's feed.
    pub hr_people: HrPeople,
    /// What became of every line that somebody wrote by hand, in the order of the files.
    pub manual: Vec<ManualUse>,
    /// All employed people, with their accounts.
    pub links: Vec<PersonLinks>,
    /// The first complete run that read this feed.
    pub feed_since: Option<Timestamp>,
    /// What closed reviews asked for, as this run leaves it.
    pub follow_ups: FollowUps,
    /// Addresses that accounts bore before, as used in this run.
    pub former_emails: FormerEmails,
    /// The organization's mail domains, as used in this run.
    pub organization_domains: Vec<String>,
    /// The run in numbers.
    pub counts: Counts,
    /// The last runs, this one last.
    pub trend: Vec<TrendPoint>,
}

impl Judgement {
    /// How many deadlines this run tested. A pass that tested none says so.
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

    /// What became of the lines of one file, in its order.
    pub fn lines_of(&self, kind: ManualKind) -> impl Iterator<Item = &ManualUse> {
        self.manual.iter().filter(move |line| line.kind == kind)
    }
}

/// A check with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which check.
    pub id: CheckId,
    /// How it ended.
    pub status: CheckStatus,
    /// A sentence for people. No names, no addresses.
    pub detail: String,
    /// The numbers it looked at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub numbers: BTreeMap<String, Value>,
}

impl Check {
    /// What the verdict's reasons say of it, where it failed.
    pub fn as_reason(&self) -> String {
        format!("check {} failed: {}", self.id, self.detail)
    }
}

/// One offboarding: one ended tenure of one person, and the access that is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The first 12 hex digits of the SHA-256 of connection, person key and end of work as first reported, a line
    /// each. It never changes.
    pub offboarding_id: Arc<str>,
    /// The id, else the address, else the name by which the person was first known.
    pub person_key: Arc<str>,
    /// The id of the tenure that ended.
    pub person_id: Option<String>,
    /// Name as HR writes it.
    pub name: Option<String>,
    /// Every address HR gave, work addresses first.
    pub emails: Vec<EmailAddress>,
    /// When work ended or ends; none if HR gave no date.
    pub end_of_work: Option<Timestamp>,
    /// The end of work as first reported, if HR moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Timestamp>,
    /// The deadline of record: until when access may last.
    pub deadline: Option<Timestamp>,
    /// The run that fixed the deadline of record: the first one at or after the end of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_rule_run: Option<Arc<str>>,
    /// The grace of that run, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<i64>,
    /// The deadline by an end of work that HR moved after the deadline of record had passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_deadline: Option<Timestamp>,
    /// The person's standing by HR's rows.
    pub standing: Standing,
    /// The one outcome.
    pub outcome: Outcome,
    /// The conclusion; none while the offboarding is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<OffboardingResult>,
    /// The run that concluded the offboarding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_run: Option<Arc<str>>,
    /// The instant of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_at: Option<Timestamp>,
    /// Whether a run has seen the person employed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen_employed: bool,
    /// Whether a later offboarding of the same person has taken its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// Accounts tied to the person, the worst first.
    pub account_id: Vec<String>,
    /// The accounts' addresses, in the same order.
    pub account_email: Vec<Option<EmailAddress>>,
    /// How each was tied, in the same order.
    #[serde(rename = "match")]
    pub matched_by: Vec<MatchKind>,
    /// The accounts' roles, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_role: Vec<Option<Role>>,
    /// The accounts' states in the list of this run, in the same order; none if they are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_status: Vec<Option<Status>>,
    /// The last run that saw access.
    pub last_seen_with_access: Option<Timestamp>,
    /// The first complete run after it that did not.
    pub first_seen_without_access: Option<Timestamp>,
    /// Whether access ended by the deadline.
    pub within_sla: WithinSla,
    /// Last day of the exception that covers the person.
    pub exception_expires: Option<String>,
    /// What a reader should know.
    pub note: String,
    /// The run in which HR first named the leaver.
    pub first_seen_in_feed: Timestamp,
    /// The deadline counted from that run, where it is later than the end of work.
    pub deadline_from_notice: Option<Timestamp>,
    /// Whether access ended by that deadline.
    pub within_sla_from_notice: WithinSla,
    /// Whether HR named the person this time.
    pub in_feed: bool,
    /// The status in HR's row that decides.
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
    /// Every tenure HR told of; none for somebody who is missing from a roster.
    pub tenures: Vec<Tenure>,
    /// Accounts that may be theirs, until somebody decides it: carried as links are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspected_account_id: Vec<String>,
    /// Whether more accounts may be theirs, or might have been in an earlier run, than are remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_suspected: bool,
}

impl Leaver {
    /// Every id of the person.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.person_id.iter().chain(&self.other_person_ids)
    }

    /// Whether HR never named them as leaving, and an earlier roster named them as working here.
    pub(super) fn is_missing_from_roster(&self) -> bool {
        self.tenures.is_empty() && self.result.is_none()
    }

    /// The deadline that this run judges by: HR may have corrected the end of work.
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
    /// First day, as written.
    pub start: Option<Arc<str>>,
    /// Termination date, as written.
    pub end: Option<Arc<str>>,
    /// Last day of work, as written.
    pub last_day: Option<Arc<str>>,
    /// The zone of the dates.
    pub zone: Option<Arc<str>>,
}

impl Tenure {
    /// What one row tells.
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

/// Something somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stays the same from run to run.
    pub finding_id: String,
    /// What it is about.
    pub kind: FindingKind,
    /// How grave it is.
    pub severity: Severity,
    /// The account.
    pub account_id: Option<String>,
    /// The account's address.
    pub email: Option<EmailAddress>,
    /// The account's name.
    pub name: Option<String>,
    /// The account's role.
    pub role: Option<Role>,
    /// The account's status.
    pub status: Option<Status>,
    /// The person HR names.
    pub person_id: Option<String>,
    /// When the person's work ended.
    pub end_of_work: Option<Timestamp>,
    /// Until when access was allowed.
    pub deadline: Option<Timestamp>,
    /// Whole hours past the deadline.
    pub overdue_hours: Option<i64>,
    /// How account and person were tied.
    #[serde(rename = "match")]
    pub matched_by: Option<MatchKind>,
    /// The first run that had the finding, without a break since.
    pub first_seen: Timestamp,
    /// What a reader should know.
    pub note: String,
}

/// The id of a finding: stays the same from run to run for the same account and person.
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

/// Something that is different from an earlier run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changed.
    pub change: ChangeKind,
    /// The account, if it is one.
    pub account_id: Option<String>,
    /// The person, if it is one.
    pub person_id: Option<String>,
    /// The address of account or person.
    pub email: Option<EmailAddress>,
    /// The name of account, person or rule.
    pub name: Option<String>,
    /// What was.
    pub before: String,
    /// What is.
    pub after: String,
    /// The run compared with.
    pub previous_run: String,
}

/// What became of a line that somebody wrote by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualUse {
    /// Which file it is in.
    pub kind: ManualKind,
    /// Line in that file, from 1.
    pub line: u64,
    /// What became of it.
    pub state: ManualState,
    /// What it did, or why it did nothing.
    pub detail: String,
    /// Stays the same from run to run for an exception with the same keys; only while it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<String>,
    /// The first run of an unbroken series of runs in which an exception with these keys was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Timestamp>,
    /// Whether an exception covered something that was already due when it came into force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_the_fact: bool,
}

/// The id of an exception: its keys, and nothing that a renewal changes.
pub(super) fn exception_id(of: &Exception, email: Option<&EmailAddress>) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (person_id, account_id) = (text(&of.person_id), text(&of.account_id));
    let (email, check) = (email.map_or("", EmailAddress::key), text(&of.check));
    let digest = Sha256::digest(format!("{email}\n{person_id}\n{account_id}\n{check}"));
    const_hex::encode(&digest[..8])
}

/// An employed person, and the accounts that were tied to them: a line of `inputs/links.jsonl.gz`. After they
/// leave, they are followed by account id, even if every address has changed. A person who is missing from a
/// later roster may have left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonLinks {
    /// Ids of the person's tenures, the deciding one's first.
    pub person_ids: Vec<String>,
    /// Every address that identifies the person, work addresses first.
    pub emails: Vec<EmailAddress>,
    /// Name as HR writes it.
    pub name: Option<String>,
    /// Whether a complete run has seen them work here without an address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_address: bool,
    /// By account id.
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
    /// The first complete run that did not.
    pub first_seen_without_access: Timestamp,
}

/// Who an account belongs to, as far as HR tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Ids of the people, leavers first.
    pub person_ids: Vec<String>,
    /// How they were tied to it, in the same order.
    pub matched_by: Vec<MatchKind>,
    /// Kinds of the findings about it, the gravest first.
    pub findings: Vec<FindingKind>,
}

/// A run in numbers. Every kind is named, also those that count zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Accounts.
    pub accounts: AccountCounts,
    /// Leavers.
    pub leavers: LeaverCounts,
    /// Findings.
    pub findings: FindingCounts,
    /// Changes.
    pub changes: ChangeCounts,
    /// Approved exceptions, and aliases that ended a tie, on which the verdict rests.
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
    /// What the run concludes, as a clause: the verdict in the words of the report, the terminal and the notifications.
    pub fn conclusion(&self, verdict: Verdict) -> String {
        let has = |kind: FindingKind| self.findings.by_kind.get(kind.as_str()) > Some(&0);
        match verdict {
            Verdict::Pass => "no leaver was found with access past the deadline".to_owned(),
            Verdict::PassWithExceptions => {
                let count = self.risk_acceptances;
                let plural = if count == 1 { "" } else { "s" };
                format!(
                    "no unapproved access past the deadline was found; {count} risk acceptance{plural}"
                )
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

/// Accounts, counted twice over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCounts {
    /// All.
    pub total: u64,
    /// By status.
    pub by_status: BTreeMap<String, u64>,
    /// By role.
    pub by_role: BTreeMap<String, u64>,
}

/// Leavers by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaverCounts {
    /// All.
    pub total: u64,
    /// By outcome.
    pub by_outcome: BTreeMap<String, u64>,
    /// Leavers whose deadline has passed since the last complete run, or all whose deadline has passed if there is
    /// none.
    pub deadlines_due: u64,
}

/// Findings by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    /// All.
    pub total: u64,
    /// By kind.
    pub by_kind: BTreeMap<String, u64>,
}

/// Changes by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// All.
    pub total: u64,
    /// By kind.
    pub by_change: BTreeMap<String, u64>,
}

/// One run of the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// `dt=…/run=…`.
    pub run: String,
    /// The run's instant.
    pub as_of: Timestamp,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether it was complete.
    pub complete: bool,
    /// Rows of the HR file that tell of somebody: read or rejected, not blank, not repeated.
    pub hr_rows: u64,
    /// Its numbers.
    #[serde(flatten)]
    pub counts: Counts,
}
