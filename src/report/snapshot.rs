//! The page of a run with a verdict.

use std::collections::BTreeMap;

use askama::Template;
use jiff::SignedDuration;
use serde_json::Value;

use super::trend::{self, Chart};
use super::visible::{self, Minute as _};
use super::words::{Meaning as _, Title as _};
use crate::evidence::{self, Custody, KeyKind, Manifest, RunFile, RunFolder, Signer};
use crate::judgement::{
    Check, CheckStatus, FeedScope, Finding, Inputs, Judgement, Leaver, ManualKind, ManualState,
    ManualUse, Mark, OffboardingResult, Outcome, Verdict,
};
use crate::model::{Alias, Exception, Memberships, Role, Viewer};

/// The number of exclusions in the tie-out. The section of exceptions and aliases has all.
const EXCLUSIONS_SHOWN: usize = 20;

/// The number of findings with an action at the top of the page, most severe first.
const ACTIONS: usize = 10;

/// The number of rows in one table, so that a browser stays fast. The CSV has all rows.
const ROWS: usize = 500;

/// The number of listed rejected rows. `inputs/hr.jsonl.gz` has all.
const REJECTED_SHOWN: usize = 100;

/// The columns of the table of accounts.
const STATUSES: [&str; 5] = ["active", "invited", "inactive", "unknown", "all"];

/// A line that excludes a finding, an account or a person: its file, approver, last day and use.
type Exclusion<'a> = (
    &'static str,
    Option<&'a str>,
    Option<&'a str>,
    &'a ManualUse,
);

/// `report.html` of a run with a verdict.
#[derive(Template)]
#[template(path = "snapshot.html", config = "src/report/askama.toml")]
pub(super) struct RunPage<'a> {
    /// The source of the sections about sources, rules and controls.
    manifest: Manifest,
    inputs: &'a Inputs,
    judgement: &'a Judgement,
    mark: Option<Mark>,
    run: RunFolder,
    chart: Chart<'a>,
    signer: Option<&'a Signer>,
}

impl<'a> RunPage<'a> {
    pub(super) fn of(snapshot: &evidence::Snapshot<'a>) -> Self {
        Self {
            manifest: snapshot.manifest(Vec::new()),
            inputs: snapshot.inputs,
            judgement: snapshot.judgement,
            mark: Mark::of_population(&snapshot.inputs.population),
            run: RunFolder::of(&snapshot.frame.identity),
            chart: Chart::of(&snapshot.judgement.trend),
            signer: snapshot.frame.signer.as_ref(),
        }
    }

    /// The conclusion with a capital letter.
    fn conclusion(&self) -> String {
        let clause = self.judgement.counts.conclusion(self.judgement.verdict);
        let mut characters = clause.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect()
    }

    /// Whether the numbers of the run are complete.
    fn is_relied_on(&self) -> bool {
        self.judgement.complete && !self.judgement.in_doubt
    }

    /// The lines of exceptions and aliases that exclude a finding, an account or a person.
    fn exclusions(&self) -> Vec<Exclusion<'a>> {
        let exceptions = self.exceptions().map(|(exception, of)| {
            let last = exception.expires_on.as_deref();
            ("exceptions.csv", exception.approved_by.as_deref(), last, of)
        });
        let aliases = self.aliases().filter(|(alias, _)| {
            matches!(alias.relation.as_deref(), Some("service" | "different"))
        });
        let aliases = aliases.map(|(alias, of)| {
            let last = alias.expires_on.as_deref();
            ("aliases.csv", alias.approved_by.as_deref(), last, of)
        });
        let is_used = |(.., of): &Exclusion<'a>| of.state == ManualState::Used;
        exceptions.chain(aliases).filter(is_used).collect()
    }

    fn checks_that(&self, status: CheckStatus) -> usize {
        let checks = self.judgement.checks.iter();
        checks.filter(|check| check.status == status).count()
    }

    /// The checks, failed ones first.
    fn checks(&self) -> Vec<&'a Check> {
        let mut checks: Vec<&Check> = self.judgement.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.status));
        checks
    }

    /// The grace after the end of work, in words.
    fn grace(&self) -> String {
        let seconds = self.inputs.policy.offboarding_grace_seconds;
        if seconds == 0 {
            return "the end of work, without grace".to_owned();
        }
        let grace = visible::duration(SignedDuration::from_secs(seconds));
        format!("{grace} after the end of work")
    }

    /// Every exception, with its use.
    fn exceptions(&self) -> impl Iterator<Item = (&'a Exception, &'a ManualUse)> + use<'a> {
        let exceptions = self.inputs.manual.exceptions().iter();
        exceptions.zip(self.judgement.lines_of(ManualKind::Exception))
    }

    /// Every alias, with its use.
    fn aliases(&self) -> impl Iterator<Item = (&'a Alias, &'a ManualUse)> + use<'a> {
        let aliases = self.inputs.manual.aliases().iter();
        aliases.zip(self.judgement.lines_of(ManualKind::Alias))
    }

    fn guests(&self) -> usize {
        let roles = self.inputs.population.accounts.iter().map(|of| &of.role);
        roles.filter(|role| **role == Role::Guest).count()
    }

    /// Leavers by outcome, in the order of the judgement: most severe first.
    fn groups(&self) -> impl Iterator<Item = (Outcome, &'a [Leaver])> + use<'a> {
        let is_same = |a: &Leaver, b: &Leaver| a.outcome == b.outcome;
        let leavers = self.judgement.leavers.chunk_by(is_same);
        leavers.map(|leavers| (leavers[0].outcome, leavers))
    }

    /// The results of the concluded offboardings, with their counts.
    fn results(&self) -> BTreeMap<OffboardingResult, usize> {
        let mut results = BTreeMap::new();
        for result in self.judgement.leavers.iter().filter_map(|of| of.result) {
            *results.entry(result).or_default() += 1;
        }
        results
    }

    /// The age of the HR file at the instant of the run.
    fn hr_age(&self) -> Option<String> {
        let modified = self.inputs.hr.origin.modified_at?;
        let age = self.inputs.as_of.duration_since(modified);
        let duration = visible::duration(age);
        Some(match age.is_negative() {
            true => format!("{duration} after the start of the run"),
            false => format!("{duration} old at the run"),
        })
    }

    /// Accounts by role and status, in the order of [`STATUSES`].
    fn population(&self) -> Vec<(&'static str, Vec<u64>)> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for account in &self.inputs.population.accounts {
            for role in [account.role.kind(), "all"] {
                for status in [account.status.kind(), "all"] {
                    *counts.entry((role, status)).or_default() += 1;
                }
            }
        }
        let row = |role| {
            let count = |status| counts.get(&(role, status)).copied().unwrap_or_default();
            (role, STATUSES.map(count).to_vec())
        };
        ["admin", "member", "guest", "unknown", "all"]
            .map(row)
            .to_vec()
    }

    /// Every rule by its name in the manifest.
    fn rules(&self) -> Vec<(String, String)> {
        let Ok(Value::Object(rules)) = serde_json::to_value(&self.inputs.policy) else {
            return Vec::new();
        };
        let shown = |(name, value): (String, Value)| {
            let value = rule_value(&name, &value);
            (name, value)
        };
        rules.into_iter().map(shown).collect()
    }
}

/// The words before "all in …" for a table with this number of rows.
fn cut(rows: usize) -> String {
    match rows > ROWS {
        true => format!("the first {ROWS} here, "),
        false => String::new(),
    }
}

/// `530 h (22 days 2 h)`.
fn overdue(finding: &Finding) -> Option<String> {
    let hours = finding.overdue_hours?;
    let days = visible::duration(SignedDuration::from_hours(hours));
    Some(match hours < 48 {
        true => format!("{hours} h"),
        false => format!("{hours} h ({days})"),
    })
}

/// Whether the outcome shows that a deadline was met or missed.
fn is_timed(leaver: &Leaver) -> bool {
    match leaver.outcome {
        Outcome::StillActive | Outcome::Removed => true,
        Outcome::Excepted
        | Outcome::NotEvaluable
        | Outcome::WithinGrace
        | Outcome::NoAccessFound
        | Outcome::Rehired
        | Outcome::Rescinded
        | Outcome::Upcoming => false,
    }
}

/// Whether the deadline from notice differs from the deadline.
fn has_own_notice(leaver: &Leaver) -> bool {
    leaver.deadline_from_notice.is_some() && leaver.deadline_from_notice != leaver.deadline
}

fn rule_value(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => {
            let texts = values.iter().map(|value| rule_value("", value));
            texts.collect::<Vec<_>>().join(", ")
        }
        Value::Object(values) if values.is_empty() => "none".to_owned(),
        Value::Number(number) if name.ends_with("_seconds") => {
            let seconds = number.as_i64().unwrap_or_default();
            let reported = visible::duration(SignedDuration::from_secs(seconds));
            format!("{seconds} ({reported})")
        }
        other => other.to_string(),
    }
}
