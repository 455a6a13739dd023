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
    Check, CheckStatus, DirectiveKind, DirectiveState, DirectiveUse, FeedScope, Finding, Inputs,
    Judgement, Leaver, Mark, MatchKind, OffboardingResult, Outcome, Verdict,
};
use crate::model::{Alias, EmailAddress, Exception, Memberships, RejectedRow, Role, Viewer};

/// At most this many exclusions are in the tie-out; all are in the section of exceptions and aliases.
const EXCLUSIONS_SHOWN: usize = 20;

/// The page begins with what to do about this many findings, most severe first.
const ACTIONS: usize = 10;

/// As many rows as one table of the page holds: nobody reads more, and a browser stays quick. The CSV has all.
const ROWS: usize = 500;

/// So many rejected rows are listed; the others are in `inputs/hr.jsonl.gz`.
const REJECTED_SHOWN: usize = 100;

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
    chart: Chart,
    signer: Option<&'a Signer>,
}

/// Leavers of one outcome.
struct OutcomeGroup<'a> {
    outcome: Outcome,
    leavers: &'a [Leaver],
}

/// An account of a leaver.
struct Held<'a> {
    id: &'a str,
    email: Option<&'a EmailAddress>,
    matched_by: MatchKind,
}

/// A row of the population: a role, and how many of each status.
struct PopulationRow {
    role: &'static str,
    by_status: Vec<u64>,
    total: u64,
}

/// A rule as the manifest names it.
struct ShownRule {
    name: String,
    value: String,
}

/// A line that keeps something from counting.
struct Exclusion<'a> {
    file: &'static str,
    line: u64,
    what: &'a str,
    approved_by: Option<&'a str>,
    expires_on: Option<&'a str>,
    after_the_fact: bool,
}

/// A file of the folder.
struct File {
    name: String,
    about: &'static str,
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

    /// The workspace's name, or its id if it has none.
    fn workspace(&self) -> &str {
        let workspace = &self.inputs.population.workspace;
        workspace.name.as_deref().unwrap_or(&workspace.id)
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

    fn tiles(&self) -> [(Outcome, &'static str); 4] {
        [
            (Outcome::StillActive, "Past deadline"),
            (Outcome::Excepted, "Accepted risk"),
            (Outcome::WithinGrace, "Within grace"),
            (Outcome::NotEvaluable, "Not concluded"),
        ]
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
        exceptions
            .chain(aliases)
            .filter(|(.., of)| of.state == DirectiveState::Used)
            .map(|(file, approved_by, expires_on, of)| Exclusion {
                file,
                line: of.line,
                what: &of.detail,
                approved_by,
                expires_on,
                after_the_fact: of.after_the_fact,
            })
            .collect()
    }

    fn exclusions_shown(&self) -> usize {
        EXCLUSIONS_SHOWN
    }

    /// A verdict of fail on a list that may be cut: there may be more.
    fn may_be_more(&self) -> bool {
        self.judgement.verdict == Verdict::Fail && !self.judgement.complete
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
    fn exceptions(&self) -> impl Iterator<Item = (&'a Exception, &'a DirectiveUse)> + use<'a> {
        let exceptions = self.inputs.directives.exceptions().iter();
        exceptions.zip(self.judgement.directives_of(DirectiveKind::Exception))
    }

    /// Every alias with what became of it.
    fn aliases(&self) -> impl Iterator<Item = (&'a Alias, &'a DirectiveUse)> + use<'a> {
        let aliases = self.inputs.directives.aliases().iter();
        aliases.zip(self.judgement.directives_of(DirectiveKind::Alias))
    }

    fn is_roster(&self) -> bool {
        self.inputs.policy.hr_feed_scope == FeedScope::Roster
    }

    fn guests(&self) -> usize {
        let accounts = self.inputs.population.accounts.iter();
        accounts
            .filter(|account| account.role == Role::Guest)
            .count()
    }

    /// Leavers by outcome, in the order of the judgement: the worst first.
    fn groups(&self) -> impl Iterator<Item = OutcomeGroup<'a>> + use<'a> {
        let same = |a: &Leaver, b: &Leaver| a.outcome == b.outcome;
        self.judgement
            .leavers
            .chunk_by(same)
            .map(|leavers| OutcomeGroup {
                outcome: leavers[0].outcome,
                leavers,
            })
    }

    /// The results of the offboardings that are concluded, with their numbers.
    fn results(&self) -> Vec<(OffboardingResult, usize)> {
        let mut results: BTreeMap<OffboardingResult, usize> = BTreeMap::new();
        for result in self
            .judgement
            .leavers
            .iter()
            .filter_map(|leaver| leaver.result)
        {
            *results.entry(result).or_default() += 1;
        }
        results.into_iter().collect()
    }

    /// The HR file's age at the instant of the review.
    fn hr_age(&self) -> Option<String> {
        let modified = self.inputs.hr.origin.modified_at?;
        let age = self.inputs.as_of.duration_since(modified);
        Some(if age.is_negative() {
            format!("{} after the run began", visible::duration(age))
        } else {
            format!("{} old at the run", visible::duration(age))
        })
    }

    fn rejected_rows(&self) -> &'a [RejectedRow] {
        let rejected = &self.inputs.hr.rejected;
        &rejected[..rejected.len().min(REJECTED_SHOWN)]
    }

    fn statuses(&self) -> [&'static str; 4] {
        ["active", "invited", "inactive", "unknown"]
    }

    /// Accounts by role and status; the last row counts all roles.
    fn population(&self) -> Vec<PopulationRow> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for account in &self.inputs.population.accounts {
            for role in [account.role.kind(), "all"] {
                *counts.entry((role, account.status.kind())).or_default() += 1;
            }
        }
        ["admin", "member", "guest", "unknown", "all"]
            .into_iter()
            .map(|role| {
                let count = |status| counts.get(&(role, status)).copied().unwrap_or_default();
                let by_status: Vec<u64> = self.statuses().into_iter().map(count).collect();
                PopulationRow {
                    role,
                    total: by_status.iter().sum(),
                    by_status,
                }
            })
            .collect()
    }

    /// Every rule, also one this page was not told of, by its name in the manifest.
    fn rules(&self) -> Vec<ShownRule> {
        let Ok(Value::Object(rules)) = serde_json::to_value(&self.inputs.policy) else {
            return Vec::new();
        };
        rules
            .into_iter()
            .map(|(name, value)| {
                let value = rule_value(&name, &value);
                ShownRule { name, value }
            })
            .collect()
    }

    /// What lies beside this page.
    fn files(&self) -> Vec<File> {
        [
            (
                RunFile::AccountsCsv,
                "every account, with status, role and owner",
            ),
            (
                RunFile::LeaversCsv,
                "every offboarding, with outcome, result and removal interval",
            ),
            (RunFile::FindingsCsv, "every finding"),
            (RunFile::ChangesCsv, "every change"),
            (RunFile::Result, "checks, findings and counts, for machines"),
            (
                RunFile::AccountsJsonl,
                "accounts with exact values, one a line",
            ),
            (
                RunFile::LeaversJsonl,
                "offboardings with exact values, one a line",
            ),
            (
                RunFile::Concluded,
                "offboardings concluded more than 90 days ago",
            ),
            (
                RunFile::InputFacts,
                "what the checks looked at, and the accounts as read",
            ),
            (
                RunFile::InputHr,
                "the HR rows as read, and the rejected ones",
            ),
            (RunFile::InputAliases, "the aliases"),
            (RunFile::InputExceptions, "the approved exceptions"),
            (
                RunFile::Manifest,
                "sources, requests, rules, and the hash of each file",
            ),
            (RunFile::Sums, "the hash of each file, for sha256sum"),
        ]
        .into_iter()
        .map(|(file, about)| File {
            name: file.name(),
            about,
        })
        .collect()
    }
}

/// The accounts tied to a leaver, the worst first.
fn held(leaver: &Leaver) -> impl Iterator<Item = Held<'_>> {
    leaver
        .account_id
        .iter()
        .zip(&leaver.account_email)
        .zip(&leaver.matched_by)
        .map(|((id, email), matched_by)| Held {
            id,
            email: email.as_ref(),
            matched_by: *matched_by,
        })
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
    Some(if hours < 48 {
        format!("{hours} h")
    } else {
        let days = visible::duration(SignedDuration::from_hours(hours));
        format!("{hours} h ({days})")
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
    let list = |values: &[Value]| {
        let texts = values.iter().map(|value| rule_value("", value));
        texts.collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => list(values),
        Value::Object(values) if values.is_empty() => "none".to_owned(),
        Value::Number(number) if name.ends_with("_seconds") => {
            let seconds = number.as_i64().unwrap_or_default();
            let reported = visible::duration(SignedDuration::from_secs(seconds));
            format!("{seconds} ({reported})")
        }
        other => other.to_string(),
    }
}
