//! `result.json`: the judgement as JSON, and the data that later runs take from it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::data_file::DataFile;
use super::read::{each_line, lines};
use super::{Manifest, RunFile, Snapshot, json};
use crate::judgement::{
    self, Change, Check, Counts, Finding, FollowUps, Leaver, ManualUse, Previous, RunRef,
    TrendPoint, Verdict,
};

/// `result.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult<'a> {
    schema: Cow<'a, str>,
    /// The version of the rules.
    pub judgement: u32,
    pub as_of: Timestamp,
    pub verdict: Verdict,
    pub complete: bool,
    pub reasons: Cow<'a, [String]>,
    pub checks: Cow<'a, [Check]>,
    summary: Summary<'a>,
    pub findings: Cow<'a, [Finding]>,
    pub changes: Cow<'a, [Change]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub manual: Cow<'a, [ManualUse]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_since: Option<Timestamp>,
    pub follow_ups: Cow<'a, FollowUps>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    ledger_faults: Cow<'a, [String]>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Summary<'a> {
    #[serde(flatten)]
    counts: Cow<'a, Counts>,
    trend: Cow<'a, [TrendPoint]>,
}

/// The contents of the packed files from which a later run carries data, in addition to `result.json`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CarriedFiles<'a> {
    pub leavers: &'a [u8],
    pub concluded: &'a [u8],
    pub links: &'a [u8],
}

/// The result of an earlier run, with which a notification is compared.
#[derive(Clone, Debug)]
pub struct EarlierRun {
    pub at: RunRef,
    pub as_of: Timestamp,
    pub verdict: Verdict,
    pub checks: Vec<Check>,
    pub counts: Counts,
    /// The most severe first.
    pub findings: Vec<Finding>,
}

impl<'a> RunResult<'a> {
    fn of(snapshot: &Snapshot<'a>) -> Self {
        let judgement = snapshot.judgement;
        Self {
            schema: "asana-access-review/result/v1".into(),
            judgement: judgement::VERSION,
            as_of: snapshot.inputs.as_of,
            verdict: judgement.verdict,
            complete: judgement.complete,
            reasons: Cow::Borrowed(&judgement.reasons),
            checks: Cow::Borrowed(&judgement.checks),
            summary: Summary {
                counts: Cow::Borrowed(&judgement.counts),
                trend: Cow::Borrowed(&judgement.trend),
            },
            findings: Cow::Borrowed(&judgement.findings),
            changes: Cow::Borrowed(&judgement.changes),
            manual: Cow::Borrowed(&judgement.manual),
            feed_since: judgement.feed_since,
            follow_ups: Cow::Borrowed(&judgement.follow_ups),
            ledger_faults: Cow::Borrowed(&snapshot.inputs.past.ledger_faults),
        }
    }

    /// The most severe first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The result, for the notification of a later run.
    pub fn as_earlier(&self, at: RunRef) -> EarlierRun {
        EarlierRun {
            at,
            as_of: self.as_of,
            verdict: self.verdict,
            checks: self.checks.to_vec(),
            counts: self.summary.counts.clone().into_owned(),
            findings: self.findings.to_vec(),
        }
    }

    pub fn counts(&self) -> &Counts {
        &self.summary.counts
    }

    /// The data that a later run carries from this one. None if the manifest has no policy, because the run failed.
    ///
    /// # Errors
    /// If a file cannot be parsed.
    pub fn into_previous(
        self,
        at: RunRef,
        manifest: &Manifest,
        files: CarriedFiles<'_>,
    ) -> Result<Option<Previous>, serde_json::Error> {
        let Some(policy) = manifest.policy.clone() else {
            return Ok(None);
        };
        let mut leavers: Vec<Arc<Leaver>> = Vec::new();
        let mut known: HashSet<Arc<str>> = HashSet::new();
        for (file, bytes) in [
            (RunFile::LeaversJsonl, files.leavers),
            (RunFile::Concluded, files.concluded),
        ] {
            each_line(file, bytes, |leaver| {
                let mut leaver = judgement::for_later_runs(leaver, self.as_of);
                compact(&mut leaver, &mut known);
                leavers.push(Arc::new(leaver));
            })?;
        }
        let findings = self.findings.into_owned().into_iter();
        let manual = self.manual.into_owned().into_iter();
        let workspace = manifest.connection.workspace.as_ref();
        let hr_feed = manifest.sources.hr_feed.as_ref();
        Ok(Some(Previous {
            at,
            workspace_id: workspace.map(|workspace| workspace.id.clone()),
            policy,
            schedule: manifest.schedule.clone(),
            leavers,
            findings_first_seen: findings.map(|of| (of.finding_id, of.first_seen)).collect(),
            trend: self.summary.trend.into_owned(),
            ledger_faults: self.ledger_faults.into_owned(),
            manual: manifest.sources.manual(),
            exceptions_since: manual
                .filter_map(|line| Some((line.exception_id?, line.in_force_since?)))
                .collect(),
            links: lines(RunFile::InputLinks, files.links)?,
            feed_url: hr_feed.map(|hr| hr.url.clone()).unwrap_or_default(),
            feed_since: self.feed_since,
            follow_ups: self.follow_ups.into_owned(),
        }))
    }
}

/// Makes a parsed record smaller: thousands name the same few runs, and most have one address, for which a parser leaves
/// room for four.
fn compact(leaver: &mut Leaver, known: &mut HashSet<Arc<str>>) {
    leaver.emails.shrink_to_fit();
    leaver.account_id.shrink_to_fit();
    leaver.account_email.shrink_to_fit();
    leaver.matched_by.shrink_to_fit();
    leaver.tenures.shrink_to_fit();
    let runs = [&mut leaver.concluded_run, &mut leaver.deadline_rule_run];
    for run in runs.into_iter().flatten() {
        match known.get(run) {
            Some(same) => *run = Arc::clone(same),
            None => {
                known.insert(Arc::clone(run));
            }
        }
    }
}

pub(super) fn result(snapshot: &Snapshot<'_>) -> DataFile {
    // With two levels, each check, finding and change is one line.
    let bytes = json::document(&RunResult::of(snapshot), 2);
    DataFile::of(RunFile::Result, bytes)
}
