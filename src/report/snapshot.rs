//! The page of a run that was judged.

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

/// At most this many exclusions are in the tie-out; all are in the section of exceptions and aliases.
const EXCLUSIONS_SHOWN: usize = 20;

/// The page begins with what to do about this many findings, most severe first.
const ACTIONS: usize = 10;

/// As many rows as one table of the page holds: nobody reads more, and a browser stays quick. The CSV has all.
const ROWS: usize = 500;

/// So many rejected rows are listed; the others are in `inputs/hr.jsonl.gz`.
const REJECTED_SHOWN: usize = 100;

/// The columns of the table of accounts.
const STATUSES: [&str; 5] = ["active", "invited", "inactive", "unknown", "all"];

/// A line that keeps something from counting: its file, approver, last day and use.
type Exclusion<'a> = (
    &'static str,
    Option<&'a str>,
    Option<&'a str>,
    &'a ManualUse,
);

/// `report.html` of a run that was judged.
#[derive(Template)]
#[template(path = "snapshot.html", config = "src/report/askama.toml")]
pub(super) struct RunPage<'a> {
    /// What the page says of sources, rules and controls is what the manifest says.
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

    /// The conclusion as the beginning of a sentence.
    fn conclusion(&self) -> String {
        let clause = self.judgement.counts.conclusion(self.judgement.verdict);
        let mut characters = clause.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect()
    }

    /// Whether the numbers of the run are all there are.
    fn is_relied_on(&self) -> bool {
        self.judgement.complete && !self.judgement.in_doubt
    }

    /// The lines of exceptions and aliases that keep something from counting.
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

    /// Checks, those to worry about first.
    fn checks(&self) -> Vec<&'a Check> {
        let mut checks: Vec<&Check> = self.judgement.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.status));
        checks
    }

    /// How long after the end of work access may last.
    fn grace(&self) -> String {
        let seconds = self.inputs.policy.offboarding_grace_seconds;
        if seconds == 0 {
            return "the end of work, without grace".to_owned();
        }
        let grace = visible::duration(SignedDuration::from_secs(seconds));
        format!("{grace} after the end of work")
    }

    /// Every exception with what became of it.
    fn exceptions(&self) -> impl Iterator<Item = (&'a Exception, &'a ManualUse)> + use<'a> {
        let exceptions = self.inputs.manual.exceptions().iter();
        exceptions.zip(self.judgement.lines_of(ManualKind::Exception))
    }

    /// Every alias with what became of it.
    fn aliases(&self) -> impl Iterator<Item = (&'a Alias, &'a ManualUse)> + use<'a> {
        let aliases = self.inputs.manual.aliases().iter();
        aliases.zip(self.judgement.lines_of(ManualKind::Alias))
    }

    fn guests(&self) -> usize {
        let roles = self.inputs.population.accounts.iter().map(|of| &of.role);
        roles.filter(|role| **role == Role::Guest).count()
    }

    /// Leavers by outcome, in the order of the judgement: the worst first.
    fn groups(&self) -> impl Iterator<Item = (Outcome, &'a [Leaver])> + use<'a> {
        let is_same = |a: &Leaver, b: &Leaver| a.outcome == b.outcome;
        let leavers = self.judgement.leavers.chunk_by(is_same);
        leavers.map(|leavers| (leavers[0].outcome, leavers))
    }

    /// The results of the offboardings that are concluded, with their numbers.
    fn results(&self) -> BTreeMap<OffboardingResult, usize> {
        let mut results = BTreeMap::new();
        for result in self.judgement.leavers.iter().filter_map(|of| of.result) {
            *results.entry(result).or_default() += 1;
        }
        results
    }

    /// The HR file's age at the instant of the review.
    fn hr_age(&self) -> Option<String> {
        let modified = self.inputs.hr.origin.modified_at?;
        let age = self.inputs.as_of.duration_since(modified);
        let duration = visible::duration(age);
        Some(match age.is_negative() {
            true => format!("{duration} after the run began"),
            false => format!("{duration} old at the run"),
        })
    }

    /// Accounts by role, and of each role by status: in the order of [`STATUSES`].
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

    /// Every rule by its name in the manifest, also one that this page does not know.
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

/// The beginning of "all in …" for a table of so many rows.
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

/// Whether a deadline has been met or missed.
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

/// Whether the deadline from notice says something that the deadline doesn't.
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
