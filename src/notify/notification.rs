//! The content of a notification of a run or an access review: ids and counts, no names of people.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::evidence::{EarlierRun, Tool};
use crate::judgement::{
    Check, CheckId, CheckStatus, Counts, Finding, FindingKind, Judgement, Mark, Outcome, Severity,
    Verdict,
};
use crate::ledger::{Committed, EarlierRuns};
use crate::model::{Workspace, for_a_log};
use crate::report::words::Title as _;
use crate::review::Totals;

/// The run, or command of an access review, of a notification.
#[derive(Clone, Debug)]
pub struct About {
    /// The id of the run, as in its log.
    pub run: String,
    pub as_of: Timestamp,
    pub connection: String,
    /// The workspace, if the run reached it.
    pub workspace: Option<NotifiedWorkspace>,
    /// The label of evidence that is not from a real workspace at Truto.
    pub mark: Option<Mark>,
    pub tool: Tool,
}

/// The names by which people know the workspace and its connection, without e-mail addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifiedWorkspace {
    pub name: String,
    /// The tenant, as named by the creator of the connection.
    pub tenant: Option<String>,
}

impl NotifiedWorkspace {
    /// The id takes the place of an unknown name.
    pub fn new(workspace: &Workspace, tenant: Option<&str>) -> Self {
        Self {
            name: for_a_log(workspace.name_or_id()),
            tenant: tenant.map(for_a_log),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Notification {
    pub about: About,
    pub exit: Exit,
    /// The evidence, or the failure record.
    pub committed: Option<Committed>,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Run(Box<NotifiedRun>),
    /// A run without a verdict.
    Failed {
        /// The step that failed.
        stage: &'static str,
    },
    Review(NotifiedReview),
}

#[derive(Clone, Debug)]
pub struct NotifiedReview {
    pub step: ReviewStep,
    pub review: String,
    /// The last day for decisions.
    pub due: String,
    pub overdue: bool,
    /// Set once the review is closed.
    pub verdict: Option<Verdict>,
    pub totals: Totals,
    /// In the order of `review status`.
    pub reviewers: Vec<NotifiedReviewer>,
    /// Problems in the decision files.
    pub not_in_order: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewStep {
    Opened,
    /// `review status` was called.
    Status,
    Closed,
    Acknowledged,
}

/// The progress of one reviewer, without a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotifiedReviewer {
    /// Counted from 1.
    pub number: usize,
    pub rows: u64,
    pub decided: u64,
    /// Rows are undecided after the due day.
    pub overdue: bool,
}

/// A run with a verdict.
#[derive(Clone, Debug)]
pub struct NotifiedRun {
    pub verdict: Verdict,
    pub complete: bool,
    /// The reasons of the verdict. They have titles of checks, because the sentence of a check may quote a name.
    pub reasons: Vec<String>,
    pub checks: Vec<NotifiedCheck>,
    pub counts: Counts,
    /// New findings, then closed ones, then open ones; each most severe first.
    pub findings: Vec<NotifiedFinding>,
    /// The run with which this one is compared.
    pub previous: Option<PreviousRun>,
    pub because: Vec<Because>,
}

/// A check that did not pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotifiedCheck {
    pub id: CheckId,
    pub status: CheckStatus,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, Value>,
}

/// A finding of this run, or a closed one of the previous run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotifiedFinding {
    pub state: FindingState,
    pub kind: FindingKind,
    pub severity: Severity,
    pub account_id: Option<String>,
    pub finding_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Not in the previous run.
    New,
    /// Only in the previous run.
    Closed,
    /// In both.
    Open,
}

/// The latest earlier run with a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviousRun {
    /// Of its ledger entry.
    pub sequence: u64,
    pub verdict: Verdict,
}

/// Why a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    RunFailed,
    FirstRun,
    /// A failed run was notified since the previous run with a verdict.
    AfterAFailure,
    /// The result of the previous run is unknown.
    EarlierUnknown,
    VerdictChanged,
    FindingsChanged,
    /// Other checks failed, or other leavers are not evaluable.
    #[serde(rename = "doubts_changed")]
    OpenQuestionsChanged,
    /// The first run of a week with a verdict: a sign of life.
    FirstOfWeek,
    ReviewOpened,
    ReviewStatus,
    ReviewClosed,
    ReviewAcknowledged,
}

impl Because {
    /// For people.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::RunFailed => "the run failed",
            Self::FirstRun => "the first run",
            Self::AfterAFailure => "the previous run failed",
            Self::EarlierUnknown => "the previous result is unknown",
            Self::VerdictChanged => "the verdict changed",
            Self::FindingsChanged => "findings changed",
            Self::OpenQuestionsChanged => "failed checks or open questions changed",
            Self::FirstOfWeek => "the first run of the week",
            Self::ReviewOpened => "an access review was opened",
            Self::ReviewStatus => "a status was requested",
            Self::ReviewClosed => "an access review was closed",
            Self::ReviewAcknowledged => "an access review was acknowledged",
        }
    }
}

impl About {
    /// The id of the notification, equal for repeated deliveries. It has the connection too, because two connections
    /// may have runs with the same id.
    pub fn message_id(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        format!("run_{}_{}", self.run, self.connection)
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect()
    }
}

impl Notification {
    /// Weeks start in `time_zone`.
    pub fn of_run(
        about: &About,
        time_zone: &str,
        judgement: &Judgement,
        before: &EarlierRuns,
        committed: &Committed,
        exit: Exit,
    ) -> Self {
        let snapshot = before.snapshot.as_ref();
        let findings = findings(judgement, snapshot);
        let because = because(about.as_of, time_zone, judgement, before, &findings);
        let previous = snapshot.map(|snapshot| PreviousRun {
            sequence: snapshot.at.sequence,
            verdict: snapshot.verdict,
        });
        let content = Content::Run(Box::new(NotifiedRun {
            verdict: judgement.verdict,
            complete: judgement.complete,
            reasons: reasons(judgement),
            checks: checks(judgement),
            counts: judgement.counts.clone(),
            findings,
            previous,
            because,
        }));
        Self::new(about, content, Some(committed), exit)
    }

    pub fn new(about: &About, content: Content, committed: Option<&Committed>, exit: Exit) -> Self {
        Self {
            about: about.clone(),
            exit,
            committed: committed.cloned(),
            content,
        }
    }

    /// The causes of the notification; empty if nothing changed.
    pub fn because(&self) -> &[Because] {
        match &self.content {
            Content::Run(judged) => &judged.because,
            Content::Failed { .. } => &[Because::RunFailed],
            Content::Review(review) => match review.step {
                ReviewStep::Opened => &[Because::ReviewOpened],
                ReviewStep::Status => &[Because::ReviewStatus],
                ReviewStep::Closed => &[Because::ReviewClosed],
                ReviewStep::Acknowledged => &[Because::ReviewAcknowledged],
            },
        }
    }

    /// Whether a person must act. In a review this is always so: people must decide, or carry out decisions.
    pub fn is_problem(&self) -> bool {
        match &self.content {
            Content::Failed { .. } | Content::Review(_) => true,
            Content::Run(judged) => match judged.verdict {
                Verdict::Fail | Verdict::Inconclusive => true,
                Verdict::Pass | Verdict::PassWithExceptions => false,
            },
        }
    }
}

impl NotifiedRun {
    pub(super) fn count(&self, state: FindingState) -> usize {
        let of_state = |finding: &&NotifiedFinding| finding.state == state;
        self.findings.iter().filter(of_state).count()
    }
}

/// The reasons with titles of checks, counts, and words of closed sets only.
fn reasons(judgement: &Judgement) -> Vec<String> {
    let of_check: BTreeMap<String, CheckId> = judgement
        .checks
        .iter()
        .map(|check| (check.as_reason(), check.id))
        .collect();
    judgement
        .reasons
        .iter()
        .map(|reason| match of_check.get(reason) {
            Some(id) => format!("check failed: {} ({id})", id.title()),
            None => reason.clone(),
        })
        .collect()
}

fn checks(judgement: &Judgement) -> Vec<NotifiedCheck> {
    let notified = |check: &Check| NotifiedCheck {
        id: check.id,
        status: check.status,
        numbers: check
            .numbers
            .iter()
            .filter(|(_, value)| value.is_number())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    let checks = judgement.checks.iter();
    checks
        .filter(|check| check.status != CheckStatus::Pass)
        .map(notified)
        .collect()
}

fn findings(judgement: &Judgement, snapshot: Option<&EarlierRun>) -> Vec<NotifiedFinding> {
    let earlier = snapshot.map_or(&[][..], |snapshot| &snapshot.findings);
    let ids = |findings: &[Finding]| -> BTreeSet<String> {
        findings.iter().map(|of| of.finding_id.clone()).collect()
    };
    let (known, this_run) = (ids(earlier), ids(&judgement.findings));
    let reported = |finding: &Finding, state: FindingState| NotifiedFinding {
        state,
        kind: finding.kind,
        severity: finding.severity,
        account_id: account_id(finding),
        finding_id: match is_plain(&finding.finding_id) {
            true => finding.finding_id.clone(),
            false => "unknown".to_owned(),
        },
    };
    let found = judgement.findings.iter().map(|finding| {
        let state = match known.contains(&finding.finding_id) {
            true => FindingState::Open,
            false => FindingState::New,
        };
        reported(finding, state)
    });
    let closed = earlier
        .iter()
        .filter(|of| !this_run.contains(&of.finding_id))
        .map(|of| reported(of, FindingState::Closed));
    let mut findings: Vec<NotifiedFinding> = found.chain(closed).collect();
    // The sort is stable: within a state, the most severe stay first.
    findings.sort_by_key(|finding| finding.state);
    findings
}

/// The account of a finding. In a manual file, this may be any text, even an address.
fn account_id(finding: &Finding) -> Option<String> {
    if matches!(
        finding.kind,
        FindingKind::AliasInvalid | FindingKind::ExceptionInvalid
    ) {
        return None;
    }
    finding.account_id.clone().filter(|id| is_plain(id))
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

fn because(
    as_of: Timestamp,
    time_zone: &str,
    judgement: &Judgement,
    before: &EarlierRuns,
    findings: &[NotifiedFinding],
) -> Vec<Because> {
    if before.is_empty {
        return vec![Because::FirstRun];
    }
    let mut because = Vec::new();
    let mut add = |is_so: bool, why: Because| because.extend(is_so.then_some(why));
    add(before.has_failed_since, Because::AfterAFailure);
    let Some(snapshot) = &before.snapshot else {
        add(true, Because::EarlierUnknown);
        return because;
    };
    add(
        snapshot.verdict != judgement.verdict,
        Because::VerdictChanged,
    );
    let has_changed = findings
        .iter()
        .any(|finding| finding.state != FindingState::Open);
    add(has_changed, Because::FindingsChanged);
    add(
        open_questions_differ(judgement, snapshot),
        Because::OpenQuestionsChanged,
    );
    let (now, then) = (week(as_of, time_zone), week(snapshot.as_of, time_zone));
    add(now != then, Because::FirstOfWeek);
    because
}

/// An inconclusive run may follow another for a new reason.
fn open_questions_differ(judgement: &Judgement, snapshot: &EarlierRun) -> bool {
    let open_questions = |checks: &[Check], counts: &Counts| {
        let failed = checks
            .iter()
            .filter(|check| check.status == CheckStatus::Fail);
        let failed: BTreeSet<CheckId> = failed.map(|check| check.id).collect();
        (failed, counts.with_outcome(Outcome::NotEvaluable))
    };
    open_questions(&judgement.checks, &judgement.counts)
        != open_questions(&snapshot.checks, &snapshot.counts)
}

/// The ISO week of an instant.
fn week(at: Timestamp, time_zone: &str) -> (i16, i8) {
    // The settings accepted only known zones.
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let week = zone.to_datetime(at).date().iso_week_date();
    (week.year(), week.week())
}
