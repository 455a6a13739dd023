//! Exceptions and aliases: each line, since when it was in force, and how often a run used it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::deviations::{Deviation, Deviations};
use super::items::RunAt;
use super::table::{cell, count, day, flag, instant, text};
use super::{Column, DeviationType, SampledException, Table};
use crate::evidence::AccountLine;
use crate::judgement::{Finding, Leaver, ManualKind, ManualState, ManualUse};
use crate::model::{Alias, EmailAddress, Exception};

/// An exception that a run used, with its line as written.
#[derive(Clone, Debug)]
pub(super) struct UsedException {
    pub(super) exception_id: String,
    line: Exception,
    in_force_since: Option<Timestamp>,
    after_the_fact: bool,
}

impl UsedException {
    /// Whether the line names the person or an account of theirs.
    pub(super) fn is_for(&self, leaver: &Leaver, accounts: &[AccountLine]) -> bool {
        let line = &self.line;
        let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
        let by_person = line
            .person_id
            .as_ref()
            .is_some_and(|id| ids.into_iter().any(|of| of == id));
        let by_account = line
            .account_id
            .as_ref()
            .is_some_and(|id| leaver.account_id.contains(id));
        let email = line.email.as_deref().and_then(EmailAddress::parse);
        let by_email = email.is_some_and(|email| {
            let mut own = accounts
                .iter()
                .filter(|of| leaver.account_id.contains(&of.account_id));
            leaver.emails.contains(&email)
                || own.any(|of| of.other_emails.contains(&email))
                || leaver.account_email.contains(&Some(email))
        });
        by_person || by_account || by_email
    }

    /// Whether the line names the account or the person of a finding.
    pub(super) fn accepts(&self, finding: &Finding) -> bool {
        let line = &self.line;
        let is_same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        let email = line.email.as_deref().and_then(EmailAddress::parse);
        is_same(&line.account_id, &finding.account_id)
            || is_same(&line.person_id, &finding.person_id)
            || email.is_some() && email == finding.email
    }

    /// Whether the exception came into force later than the deadline of what it covers.
    pub(super) fn is_after_the_fact(&self, due: Option<Timestamp>) -> bool {
        let is_later = due
            .zip(self.in_force_since)
            .is_none_or(|(due, since)| since > due);
        self.after_the_fact && is_later
    }

    pub(super) fn sampled(&self, due: Option<Timestamp>) -> SampledException {
        SampledException {
            line: self.line.line,
            reason: self.line.reason.clone(),
            approved_by: self.line.approved_by.clone(),
            approved_on: self.line.approved_on.clone(),
            ticket: self.line.ticket.clone(),
            in_force_since: self.in_force_since,
            after_the_fact: self.is_after_the_fact(due),
        }
    }
}

/// The exceptions that a run used.
pub(super) fn used_exceptions(lines: &[Exception], uses: &[ManualUse]) -> Vec<UsedException> {
    let of_exceptions = uses
        .iter()
        .filter(|of| of.kind == ManualKind::Exception && of.state == ManualState::Used);
    let used = of_exceptions.filter_map(|of| {
        Some(UsedException {
            exception_id: of.exception_id.clone()?,
            line: lines.iter().find(|line| line.line == of.line)?.clone(),
            in_force_since: of.in_force_since,
            after_the_fact: of.after_the_fact,
        })
    });
    used.collect()
}

/// What a line says.
#[derive(Clone, Debug, Default)]
struct Written {
    line: u64,
    keys: String,
    reason: Option<String>,
    owner: Option<String>,
    approved_by: Option<String>,
    approved_on: Option<String>,
    expires_on: Option<String>,
    ticket: Option<String>,
}

/// The lines with the same keys, in several runs.
#[derive(Clone, Debug)]
struct Line {
    /// As in the newest run.
    written: Written,
    state: ManualState,
    /// Blank for an alias.
    id: String,
    in_force_since: Option<Timestamp>,
    first_used: Option<RunAt>,
    last_used: Option<RunAt>,
    runs_used: u64,
    after_the_fact: bool,
}

/// The lines of the period.
#[derive(Clone, Debug, Default)]
pub(super) struct ManualLines {
    exceptions: BTreeMap<String, Line>,
    aliases: BTreeMap<String, Line>,
}

/// The keys of a line: `person_id=N-1005;check=hr_drop`.
fn keys<const N: usize>(keys: [(&str, &Option<String>); N]) -> String {
    let keys = keys
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let keys: Vec<String> = keys
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    keys.join(";")
}

impl From<&Exception> for Written {
    fn from(line: &Exception) -> Self {
        Self {
            line: line.line,
            keys: keys([
                ("email", &line.email),
                ("person_id", &line.person_id),
                ("account_id", &line.account_id),
                ("check", &line.check),
            ]),
            reason: line.reason.clone(),
            approved_by: line.approved_by.clone(),
            approved_on: line.approved_on.clone(),
            expires_on: line.expires_on.clone(),
            ticket: line.ticket.clone(),
            owner: None,
        }
    }
}

impl From<&Alias> for Written {
    fn from(line: &Alias) -> Self {
        Self {
            line: line.line,
            keys: keys([
                ("email", &line.email),
                ("account_id", &line.account_id),
                ("person_id", &line.person_id),
                ("relation", &line.relation),
            ]),
            reason: line.reason.clone(),
            owner: line.owner.clone(),
            approved_by: line.approved_by.clone(),
            expires_on: line.expires_on.clone(),
            ..Self::default()
        }
    }
}

impl ManualLines {
    /// Takes the lines of one run of the period.
    pub(super) fn take(
        &mut self,
        run: RunAt,
        exceptions: &[Exception],
        aliases: &[Alias],
        uses: &[ManualUse],
    ) {
        for of in uses {
            let (lines, written) = match of.kind {
                ManualKind::Exception => {
                    let line = exceptions.iter().find(|line| line.line == of.line);
                    (&mut self.exceptions, line.map(Written::from))
                }
                ManualKind::Alias => {
                    let line = aliases.iter().find(|line| line.line == of.line);
                    (&mut self.aliases, line.map(Written::from))
                }
            };
            let Some(written) = written else {
                continue;
            };
            let line = lines.entry(written.keys.clone()).or_insert_with(|| Line {
                written: Written::default(),
                state: of.state,
                id: String::new(),
                // The evidence does not record it of an alias, so this is the first run of the period with the line.
                in_force_since: (of.kind == ManualKind::Alias).then_some(run.at),
                first_used: None,
                last_used: None,
                runs_used: 0,
                after_the_fact: false,
            });
            (line.written, line.state) = (written, of.state);
            // An expired line has neither any more.
            if let Some(id) = &of.exception_id {
                line.id.clone_from(id);
            }
            line.in_force_since = of.in_force_since.or(line.in_force_since);
            line.after_the_fact |= of.after_the_fact;
            if of.state == ManualState::Used {
                line.first_used.get_or_insert(run);
                line.last_used = Some(run);
                line.runs_used += 1;
            }
        }
    }

    /// The tables `exceptions` and `aliases`, and the deviations of their lines. `of_items` are the exceptions that
    /// cover items of the population: these items have deviations of their own.
    pub(super) fn tables(
        &self,
        of_items: &BTreeSet<&str>,
        deviations: &mut Deviations,
    ) -> [Table; 2] {
        let mut exceptions = Table::new("exceptions", "Risk acceptances", EXCEPTIONS);
        for line in self.exceptions.values() {
            exceptions.push(line.cells());
            if line.after_the_fact && !of_items.contains(line.id.as_str()) {
                deviations.push(Deviation {
                    exception: line.id.clone(),
                    ..line.deviation(
                        DeviationType::ExceptionAfterTheFact,
                        "an exception came into force after the deadline of what it covers",
                    )
                });
            }
        }
        let mut aliases = Table::new("aliases", "Aliases", ALIASES);
        for line in self.aliases.values() {
            let [_, cells @ ..] = line.cells();
            aliases.push(cells);
            let approver = line.written.approved_by.as_deref().unwrap_or_default();
            if line.first_used.is_some() && approver.is_empty() {
                deviations.push(line.deviation(
                    DeviationType::AliasWithoutApprover,
                    "an alias that was used names no approver",
                ));
            }
        }
        [exceptions, aliases]
    }
}

macro_rules! columns {
    ($($first:expr)?) => {
        &[
            $($first,)?
            count("line"),
            text("keys"),
            text("state"),
            text("reason"),
            text("owner"),
            text("approved_by"),
            day("approved_on"),
            day("expires_on"),
            text("ticket"),
            instant("in_force_since"),
            count("last_used"),
            count("runs_used"),
            flag("after_the_fact"),
        ]
    };
}

const EXCEPTIONS: &[Column] = columns!(text("exception_id"));
const ALIASES: &[Column] = columns!();

impl Line {
    fn deviation(&self, kind: DeviationType, what: &str) -> Deviation {
        Deviation {
            opened: self.first_used.map(|run| (run.at, Some(run.entry))),
            what: what.to_owned(),
            ..Deviation::of(kind, &self.written.keys)
        }
    }

    fn cells(&self) -> [String; 14] {
        let written = &self.written;
        [
            self.id.clone(),
            written.line.to_string(),
            written.keys.clone(),
            self.state.to_string(),
            cell(written.reason.as_ref()),
            cell(written.owner.as_ref()),
            cell(written.approved_by.as_ref()),
            cell(written.approved_on.as_ref()),
            cell(written.expires_on.as_ref()),
            cell(written.ticket.as_ref()),
            cell(self.in_force_since),
            cell(self.last_used.map(|run| run.entry)),
            self.runs_used.to_string(),
            self.after_the_fact.to_string(),
        ]
    }
}
