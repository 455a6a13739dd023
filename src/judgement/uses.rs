//! What the manual decisions did in a run: the state of each line, and the risk acceptances that were needed.
//!
//! A line in force that did nothing is reported as unused, so that it can be deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::approvers::{OWN_APPROVAL, Who, malformed};
use super::directives::{Invalid, UsableDirectives, WITHOUT_ADDRESS};
use super::{DirectiveKind, DirectiveState, DirectiveUse, Inputs};
use crate::model::{Alias, EmailAddress, Exception};

/// A line, by its file and number.
type Line = (DirectiveKind, u64);

/// What lines did, collected while a run is judged.
#[derive(Debug, Default)]
pub(super) struct Uses {
    did: BTreeMap<Line, Did>,
    /// Lines that were not used, because the person they are for approved them.
    own_approvals: BTreeSet<Line>,
    /// Aliases that separated an account with access from a person: each accepts a risk.
    ended_ties: BTreeSet<u64>,
}

/// What a line in force did.
#[derive(Debug, Default)]
struct Did {
    what: BTreeSet<String>,
    after_the_fact: bool,
}

/// How many risk acceptances a run needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) exceptions: usize,
    /// How many of them came into force after what they cover was due.
    pub(super) after_the_fact: usize,
}

impl Uses {
    pub(super) fn alias(&mut self, line: u64, what: String) {
        let did = self.did.entry((DirectiveKind::Alias, line)).or_default();
        did.what.insert(what);
    }

    pub(super) fn exception(&mut self, line: u64, what: String, after_the_fact: bool) {
        let did = self.did.entry((DirectiveKind::Exception, line));
        let did = did.or_default();
        did.what.insert(what);
        did.after_the_fact |= after_the_fact;
    }

    /// A line could not be used, because the person it is for approved it.
    pub(super) fn own_approval(&mut self, kind: DirectiveKind, line: u64) {
        self.own_approvals.insert((kind, line));
    }

    /// An alias separated an account with access from a person.
    pub(super) fn ended_tie(&mut self, line: u64) {
        self.ended_ties.insert(line);
    }

    /// How many risk acceptances were needed: exceptions, and aliases that ended a tie.
    pub(super) fn needed(&self) -> Needed {
        let is_exception = |(kind, _): &&Line| *kind == DirectiveKind::Exception;
        let exceptions = self.did.keys().filter(is_exception).count();
        Needed {
            exceptions: exceptions + self.ended_ties.len(),
            after_the_fact: self.did.values().filter(|did| did.after_the_fact).count(),
        }
    }

    /// The lines that are never used, in the order of the files.
    pub(super) fn invalid(
        &self,
        directives: &UsableDirectives<'_>,
        inputs: &Inputs,
    ) -> Vec<Invalid> {
        let is_own = |kind, line| self.own_approvals.contains(&(kind, line));
        let aliases = inputs.directives.aliases().iter();
        let aliases = aliases.filter(|of| is_own(DirectiveKind::Alias, of.line));
        let exceptions = inputs.directives.exceptions().iter();
        let exceptions = exceptions.filter(|of| is_own(DirectiveKind::Exception, of.line));
        let mut invalid = directives.invalid.clone();
        invalid.extend(aliases.map(|of| Invalid::alias(of, malformed(OWN_APPROVAL))));
        invalid.extend(exceptions.map(|of| Invalid::exception(of, malformed(OWN_APPROVAL))));
        invalid.sort_by_key(|line| (line.kind, line.line));
        invalid
    }

    /// The state of every line, in the order of the files.
    pub(super) fn states(
        &self,
        directives: &UsableDirectives<'_>,
        inputs: &Inputs,
    ) -> Vec<DirectiveUse> {
        let invalid = self.invalid(directives, inputs);
        let aliases = inputs.directives.aliases().iter().map(|of| {
            let line = (DirectiveKind::Alias, of.line);
            self.state(line, &invalid, || unused_alias(of, directives))
        });
        let exceptions = inputs.directives.exceptions().iter().map(|of| {
            let line = (DirectiveKind::Exception, of.line);
            let mut state = self.state(line, &invalid, || unused_exception(of, directives));
            if matches!(state.state, DirectiveState::Used | DirectiveState::Unused) {
                let mut in_force = directives.exceptions.iter();
                let in_force = in_force.find(|in_force| in_force.line == of.line);
                state.exception_id = in_force.map(|of| of.id.clone());
                state.in_force_since = in_force.map(|of| of.in_force_since);
            }
            state
        });
        aliases.chain(exceptions).collect()
    }

    fn state(
        &self,
        (kind, line): Line,
        invalid: &[Invalid],
        unused: impl FnOnce() -> String,
    ) -> DirectiveUse {
        let did = self.did.get(&(kind, line));
        let invalid = invalid.iter().find(|of| (of.kind, of.line) == (kind, line));
        let (state, detail) = match (did, invalid) {
            (Some(did), _) => {
                let what: Vec<&str> = did.what.iter().map(String::as_str).collect();
                (DirectiveState::Used, what.join("; "))
            }
            (None, Some(invalid)) => (invalid.state, invalid.reason.clone()),
            (None, None) => (DirectiveState::Unused, unused()),
        };
        DirectiveUse {
            kind,
            line,
            state,
            detail,
            exception_id: None,
            in_force_since: None,
            after_the_fact: did.is_some_and(|did| did.after_the_fact),
        }
    }
}

fn unused_exception(exception: &Exception, directives: &UsableDirectives<'_>) -> String {
    match exception.check.as_deref() {
        Some(WITHOUT_ADDRESS) => "no leaver without a usable address needed it".to_owned(),
        Some(check) => format!("{check} did not fail"),
        None => unmatched(
            exception.person_id.as_deref(),
            exception.account_id.as_deref(),
            exception.email.as_deref(),
            directives,
        ),
    }
}

fn unused_alias(alias: &Alias, directives: &UsableDirectives<'_>) -> String {
    let relation = alias.relation.as_deref();
    if relation.is_some_and(|of| of.eq_ignore_ascii_case("same_person")) {
        return "one of its two keys is in no row of the HR feed".to_owned();
    }
    unmatched(
        alias.person_id.as_deref(),
        alias.account_id.as_deref(),
        alias.email.as_deref(),
        directives,
    )
}

/// Why a line with these keys did nothing. No addresses: `check` prints it.
fn unmatched(
    person_id: Option<&str>,
    account_id: Option<&str>,
    email: Option<&str>,
    directives: &UsableDirectives<'_>,
) -> String {
    let register = &directives.register;
    let is_found = |found: Vec<Who<'_>>| found.iter().any(Who::is_of_this_run);
    let with_email = |email: &str| {
        let email = EmailAddress::parse(email);
        email.is_some_and(|email| is_found(register.with_email(&email)))
    };
    let is_account = |who: &Who<'_>| matches!(who, Who::Account(_));
    let keys = [
        (
            "person_id",
            person_id.map(|id| is_found(register.with_id(id))),
        ),
        (
            "account_id",
            account_id.map(|id| register.with_account(id).iter().any(is_account)),
        ),
        ("email", email.map(with_email)),
    ];
    let with = |wanted: bool| {
        let keys = keys.iter().filter(move |(_, found)| *found == Some(wanted));
        keys.map(|(name, _)| *name).collect::<Vec<_>>()
    };
    match (with(true), with(false)) {
        (found, missing) if found.is_empty() && !missing.is_empty() => {
            "no account or person in this run matches it".to_owned()
        }
        (_, missing) if !missing.is_empty() => format!(
            "no account or person in this run has its {}",
            missing.join(" or ")
        ),
        (found, _) => format!("its {} matches, but nothing needed it", found.join(" and ")),
    }
}
