//! Exceptions and aliases: each line, since when it was in force, and how often a run used it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::deviations::{Deviation, Deviations};
use super::items::RunAt;
use super::table::{cell, count, flag, instant, text};
use super::{Column, DeviationType, SampledException, Table};
use crate::judgement::{Leaver, ManualKind, ManualState, ManualUse};
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
    pub(super) fn is_for(&self, leaver: &Leaver) -> bool {
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
            leaver.emails.contains(&email) || leaver.account_email.contains(&Some(email))
        });
        by_person || by_account || by_email
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

/// One line of a file, or of several runs' files with the same keys.
#[derive(Clone, Debug)]
struct Line {
    id: String,
    line: u64,
    keys: String,
    reason: Option<String>,
    owner: Option<String>,
    approved_by: Option<String>,
    approved_on: Option<String>,
    expires_on: Option<String>,
    ticket: Option<String>,
    state: ManualState,
    in_force_since: Option<Timestamp>,
    last_used: Option<RunAt>,
    runs_used: u64,
    after_the_fact: bool,
    /// The first run that used it.
    first_used: Option<RunAt>,
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

fn exception(line: &Exception) -> (String, Line) {
    let keys = keys([
        ("email", &line.email),
        ("person_id", &line.person_id),
        ("account_id", &line.account_id),
        ("check", &line.check),
    ]);
    let shown = Line {
        id: String::new(),
        line: line.line,
        keys: keys.clone(),
        reason: line.reason.clone(),
        owner: None,
        approved_by: line.approved_by.clone(),
        approved_on: line.approved_on.clone(),
        expires_on: line.expires_on.clone(),
        ticket: line.ticket.clone(),
        state: ManualState::Unused,
        in_force_since: None,
        last_used: None,
        runs_used: 0,
        after_the_fact: false,
        first_used: None,
    };
    (keys, shown)
}

fn alias(line: &Alias) -> (String, Line) {
    let keys = keys([
        ("email", &line.email),
        ("account_id", &line.account_id),
        ("person_id", &line.person_id),
        ("relation", &line.relation),
    ]);
    let shown = Line {
        id: String::new(),
        line: line.line,
        keys: keys.clone(),
        reason: line.reason.clone(),
        owner: line.owner.clone(),
        approved_by: line.approved_by.clone(),
        approved_on: None,
        expires_on: line.expires_on.clone(),
        ticket: None,
        state: ManualState::Unused,
        in_force_since: None,
        last_used: None,
        runs_used: 0,
        after_the_fact: false,
        first_used: None,
    };
    (keys, shown)
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
            let (lines, shown) = match of.kind {
                ManualKind::Exception => {
                    let line = exceptions.iter().find(|line| line.line == of.line);
                    (&mut self.exceptions, line.map(exception))
                }
                ManualKind::Alias => {
                    let line = aliases.iter().find(|line| line.line == of.line);
                    (&mut self.aliases, line.map(alias))
                }
            };
            let Some((key, shown)) = shown else {
                continue;
            };
            let before = lines.get(&key);
            let is_used = of.state == ManualState::Used;
            let line = Line {
                // An expired line has no id any more.
                id: match &of.exception_id {
                    Some(id) => id.clone(),
                    None => before.map_or_else(String::new, |of| of.id.clone()),
                },
                state: of.state,
                in_force_since: match of.kind {
                    ManualKind::Exception => of.in_force_since,
                    // The evidence does not record it, so this is the first run of the period with the line.
                    ManualKind::Alias => before.map_or(Some(run.at), |of| of.in_force_since),
                }
                .or(before.and_then(|of| of.in_force_since)),
                last_used: match is_used {
                    true => Some(run),
                    false => before.and_then(|of| of.last_used),
                },
                first_used: before
                    .and_then(|of| of.first_used)
                    .or(is_used.then_some(run)),
                runs_used: before.map_or(0, |of| of.runs_used) + u64::from(is_used),
                after_the_fact: of.after_the_fact || before.is_some_and(|of| of.after_the_fact),
                ..shown
            };
            lines.insert(key, line);
        }
    }

    /// The tables `exceptions` and `aliases`, and the deviations of aliases.
    pub(super) fn tables(&self, deviations: &mut Deviations) -> [Table; 2] {
        for line in self.aliases.values() {
            let has_approver = line.approved_by.as_deref().is_some_and(|by| !by.is_empty());
            let (Some(first), false) = (line.first_used, has_approver) else {
                continue;
            };
            deviations.push(Deviation {
                opened: Some((first.at, Some(first.entry))),
                what: "an alias that was used names no approver".to_owned(),
                ..Deviation::of(DeviationType::AliasWithoutApprover, &line.keys)
            });
        }
        let mut exceptions = Table::new("exceptions", "Risk acceptances", EXCEPTIONS);
        for line in self.exceptions.values() {
            exceptions.push(line.cells());
        }
        let mut aliases = Table::new("aliases", "Aliases", ALIASES);
        for line in self.aliases.values() {
            let [_, cells @ ..] = line.cells();
            aliases.push(cells);
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
            text("approved_on"),
            text("expires_on"),
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
    fn cells(&self) -> [String; 14] {
        [
            self.id.clone(),
            self.line.to_string(),
            self.keys.clone(),
            self.state.to_string(),
            cell(self.reason.as_ref()),
            cell(self.owner.as_ref()),
            cell(self.approved_by.as_ref()),
            cell(self.approved_on.as_ref()),
            cell(self.expires_on.as_ref()),
            cell(self.ticket.as_ref()),
            cell(self.in_force_since),
            cell(self.last_used.map(|run| run.entry)),
            self.runs_used.to_string(),
            self.after_the_fact.to_string(),
        ]
    }
}
