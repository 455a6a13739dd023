//! What there is to tell of a run or a periodic review. Whatever names a person ends here: what follows
//! has ids and counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::evidence::{EarlierRun, Tool};
use crate::exit::Exit;
use crate::judgement::{
    Check, CheckId, CheckStatus, Counts, Finding, FindingKind, Judgement, Mark, Outcome, Severity,
    Verdict,
};
use crate::ledger::{Before, Committed};
use crate::review::Totals;

/// Which run, or command of a periodic review, there is news of: known before it begins.
#[derive(Clone, Debug)]
pub struct About {
    /// Its id, as the log of a run has it.
    pub run: String,
    /// Its instant.
    pub as_of: Timestamp,
    /// The Truto connection.
    pub connection: String,
    /// What the evidence shows first if it is not of a real workspace, read from Truto.
    pub mark: Option<Mark>,
    /// The program.
    pub tool: Tool,
}

/// What there is to tell of a run.
#[derive(Clone, Debug)]
pub struct News {
    /// Which run it is.
    pub about: About,
    /// How the process ends.
    pub exit: Exit,
    /// Where its evidence is, or the record of its failure.
    pub committed: Option<Committed>,
    /// What became of it.
    pub story: Story,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub enum Story {
    /// It was judged.
    Judged(Box<Judged>),
    /// It was not.
    Failed {
        /// What was being done.
        stage: &'static str,
    },
    /// It was no run: a periodic review went a step, or somebody asked how far it is.
    Review(Box<ReviewNews>),
}

/// A periodic review, as far as it may be told.
#[derive(Clone, Debug)]
pub struct ReviewNews {
    /// What happened.
    pub step: ReviewStep,
    /// Its id.
    pub review: String,
    /// The last day for decisions.
    pub due: String,
    /// Whether that has passed.
    pub overdue: bool,
    /// How it came out, once it is closed.
    pub verdict: Option<Verdict>,
    /// Rows and decisions.
    pub totals: Totals,
    /// The same by reviewer, in the order in which `review status` tells them.
    pub reviewers: Vec<ReviewerNews>,
    /// How much of what reviewers sent is not in order.
    pub not_in_order: usize,
}

/// What happened to a periodic review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewStep {
    /// It was opened.
    Opened,
    /// Somebody asked how far it is.
    Status,
    /// It was closed.
    Closed,
}

/// How far a reviewer is. Nobody is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewerNews {
    /// Which one of them, from 1.
    pub number: usize,
    /// Rows that are theirs.
    pub rows: u64,
    /// Rows that are decided.
    pub decided: u64,
    /// Whether rows are left after the due day.
    pub overdue: bool,
}

/// A judged night, as far as it may be told.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether absence from the list proves removal.
    pub complete: bool,
    /// Why the verdict is no plain pass. The sentence of a check may quote a stranger; its id does not.
    pub reasons: Vec<String>,
    /// The checks that did not pass.
    pub checks: Vec<CheckNews>,
    /// The night in numbers.
    pub counts: Counts,
    /// New findings, then closed ones, then those that stay; each the gravest first.
    pub findings: Vec<FindingNews>,
    /// The night it is compared with.
    pub previous: Option<PreviousNight>,
    /// What makes it worth telling.
    pub because: Vec<Because>,
}

/// A check that did not pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckNews {
    /// Which check.
    pub id: CheckId,
    /// How it ended.
    pub status: CheckStatus,
    /// The numbers it looked at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, Value>,
}

/// A finding of tonight, or one of the night before that is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingNews {
    /// Whether it came, went or stayed.
    pub state: FindingState,
    /// What it is about.
    pub kind: FindingKind,
    /// How grave it is.
    pub severity: Severity,
    /// The account.
    pub account_id: Option<String>,
    /// Its id.
    pub finding_id: String,
}

/// Whether a finding came, went or stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// The night before had none.
    New,
    /// Only the night before had it.
    Closed,
    /// Both have it.
    Open,
}

/// The judged night that news is told against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviousNight {
    /// Number of its ledger entry.
    pub sequence: u64,
    /// Its verdict.
    pub verdict: Verdict,
}

/// What makes a run worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It came to no judgement.
    RunFailed,
    /// Nothing was committed before it.
    FirstRun,
    /// A run since the night before came to no judgement, and was told.
    AfterAFailure,
    /// What the night before said is not known for sure.
    EarlierUnknown,
    /// The verdict is another one.
    VerdictChanged,
    /// Findings came or went.
    FindingsChanged,
    /// Other checks failed, or other leavers could not be judged.
    DoubtsChanged,
    /// It is the first judged night of a week: a sign of life.
    FirstOfWeek,
    /// A periodic review was opened.
    ReviewOpened,
    /// Somebody asked to tell how far a periodic review is.
    ReviewStatus,
    /// A periodic review was closed.
    ReviewClosed,
}

impl Because {
    /// For people.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::RunFailed => "the run failed",
            Self::FirstRun => "the first run",
            Self::AfterAFailure => "the run before failed",
            Self::EarlierUnknown => "the previous result is unknown",
            Self::VerdictChanged => "the verdict changed",
            Self::FindingsChanged => "findings changed",
            Self::DoubtsChanged => "failed checks or open doubts changed",
            Self::FirstOfWeek => "the first run of the week",
            Self::ReviewOpened => "an access review was opened",
            Self::ReviewStatus => "a status was requested",
            Self::ReviewClosed => "an access review was closed",
        }
    }
}

impl About {
    /// The id of the notification: that of the run, the same however often it is sent. Two connections
    /// that are reviewed at once may share the run's own id.
    pub fn message_id(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        format!("run_{}_{}", self.run, self.connection)
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect()
    }
}

impl News {
    /// Of a night that was judged; weeks begin in `time_zone`.
    pub fn of_night(
        about: &About,
        time_zone: &str,
        judgement: &Judgement,
        before: &Before,
        committed: &Committed,
        exit: Exit,
    ) -> Self {
        let night = before.night.as_ref();
        let findings = findings(judgement, night);
        let because = because(about.as_of, time_zone, judgement, before, &findings);
        let previous = night.map(|night| PreviousNight {
            sequence: night.at.sequence,
            verdict: night.verdict,
        });
        Self {
            about: about.clone(),
            exit,
            committed: Some(committed.clone()),
            story: Story::Judged(Box::new(Judged {
                verdict: judgement.verdict,
                complete: judgement.complete,
                reasons: reasons(judgement),
                checks: checks(judgement),
                counts: judgement.counts.clone(),
                findings,
                previous,
                because,
            })),
        }
    }

    /// Of a periodic review; `committed` is where a step of it is.
    pub fn of_review(
        about: &About,
        review: ReviewNews,
        committed: Option<&Committed>,
        exit: Exit,
    ) -> Self {
        Self {
            about: about.clone(),
            exit,
            committed: committed.cloned(),
            story: Story::Review(Box::new(review)),
        }
    }

    /// Of a run that came to no judgement.
    pub fn of_failure(
        about: &About,
        stage: &'static str,
        record: Option<&Committed>,
        exit: Exit,
    ) -> Self {
        Self {
            about: about.clone(),
            exit,
            committed: record.cloned(),
            story: Story::Failed { stage },
        }
    }

    /// What makes it worth telling; nothing where all is as it was.
    pub fn because(&self) -> &[Because] {
        match &self.story {
            Story::Judged(judged) => &judged.because,
            Story::Failed { .. } => &[Because::RunFailed],
            Story::Review(review) => match review.step {
                ReviewStep::Opened => &[Because::ReviewOpened],
                ReviewStep::Status => &[Because::ReviewStatus],
                ReviewStep::Closed => &[Because::ReviewClosed],
            },
        }
    }

    /// Whether somebody must act: what was found, or what could not be done. Of a review, somebody always
    /// must: decide, or do what was decided.
    pub fn is_problem(&self) -> bool {
        match &self.story {
            Story::Failed { .. } | Story::Review(_) => true,
            Story::Judged(judged) => match judged.verdict {
                Verdict::Fail | Verdict::Inconclusive => true,
                Verdict::Pass | Verdict::PassWithExceptions => false,
            },
        }
    }
}

impl Judged {
    /// How many findings came, went or stayed.
    pub(super) fn count(&self, state: FindingState) -> usize {
        let of_state = |finding: &&FindingNews| finding.state == state;
        self.findings.iter().filter(of_state).count()
    }
}

/// Only ids of checks, counts, and words of closed sets.
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
            Some(id) => format!("check {id} failed"),
            None => reason.clone(),
        })
        .collect()
}

fn checks(judgement: &Judgement) -> Vec<CheckNews> {
    let told = |check: &Check| CheckNews {
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
        .map(told)
        .collect()
}

fn findings(judgement: &Judgement, night: Option<&EarlierRun>) -> Vec<FindingNews> {
    let earlier = night.map_or(&[][..], |night| &night.findings);
    let ids = |findings: &[Finding]| -> BTreeSet<String> {
        findings.iter().map(|of| of.finding_id.clone()).collect()
    };
    let (known, tonight) = (ids(earlier), ids(&judgement.findings));
    let told = |finding: &Finding, state: FindingState| FindingNews {
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
        told(finding, state)
    });
    let closed = earlier
        .iter()
        .filter(|of| !tonight.contains(&of.finding_id))
        .map(|of| told(of, FindingState::Closed));
    let mut findings: Vec<FindingNews> = found.chain(closed).collect();
    // Stable: within a state they stay as they come, the most severe first.
    findings.sort_by_key(|finding| finding.state);
    findings
}

/// The account of a finding. A file written by hand may have anything in its place, an address too.
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
    before: &Before,
    findings: &[FindingNews],
) -> Vec<Because> {
    if before.is_empty {
        return vec![Because::FirstRun];
    }
    let mut because = Vec::new();
    let mut add = |is_so: bool, why: Because| because.extend(is_so.then_some(why));
    add(before.has_failed_since, Because::AfterAFailure);
    let Some(night) = &before.night else {
        add(true, Because::EarlierUnknown);
        return because;
    };
    add(night.verdict != judgement.verdict, Because::VerdictChanged);
    let has_changed = findings
        .iter()
        .any(|finding| finding.state != FindingState::Open);
    add(has_changed, Because::FindingsChanged);
    add(doubts_differ(judgement, night), Because::DoubtsChanged);
    let (now, then) = (week(as_of, time_zone), week(night.as_of, time_zone));
    add(now != then, Because::FirstOfWeek);
    because
}

/// An inconclusive night may follow another for a new reason.
fn doubts_differ(judgement: &Judgement, night: &EarlierRun) -> bool {
    let doubts = |checks: &[Check], counts: &Counts| {
        let failed = checks
            .iter()
            .filter(|check| check.status == CheckStatus::Fail);
        let failed: BTreeSet<CheckId> = failed.map(|check| check.id).collect();
        (failed, counts.with_outcome(Outcome::NotEvaluable))
    };
    doubts(&judgement.checks, &judgement.counts) != doubts(&night.checks, &night.counts)
}

/// The ISO week of an instant, where HR is.
fn week(at: Timestamp, time_zone: &str) -> (i16, i8) {
    // The settings took only zones that are known.
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let week = zone.to_datetime(at).date().iso_week_date();
    (week.year(), week.week())
}
