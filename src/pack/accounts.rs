//! Administrators of the period, and the accounts that joined or changed their role.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::items::RunAt;
use super::period::{Period, Phase};
use super::table::{cell, count, instant, joined, text};
use super::{AdminBegan, AdminEnded, Column, Table};
use crate::evidence::AccountLine;
use crate::judgement::{Change, ChangeKind, Decision};
use crate::model::{Access, EmailAddress, Role};

#[derive(Clone, Debug)]
struct AdminTerm {
    account_id: String,
    email: String,
    name: Option<String>,
    person_ids: String,
    since: RunAt,
    began: AdminBegan,
    ended: Option<(RunAt, AdminEnded)>,
}

/// The decision of a closed review about an account.
#[derive(Clone, Debug)]
pub(super) struct ReviewedAccount {
    pub(super) role: Role,
    /// When the review was closed.
    pub(super) at: Timestamp,
    pub(super) decision: Option<Decision>,
    pub(super) note: String,
}

impl AdminTerm {
    /// Whether a decision is about this term: it saw an administrator, and the term had begun and goes on.
    fn has_been_reviewed(&self, decided: &ReviewedAccount) -> bool {
        let had_begun = self.began == AdminBegan::Earlier || self.since.at <= decided.at;
        let goes_on = self.ended.is_none_or(|(run, _)| decided.at <= run.at);
        decided.role == Role::Admin && had_begun && goes_on
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Admins {
    open: BTreeMap<String, AdminTerm>,
    ended: Vec<AdminTerm>,
    /// The accounts that had access in the newest complete run, except administrators.
    others: BTreeSet<String>,
    has_first: bool,
    /// The changes of accounts, with the persons whom each account belongs to.
    changes: Vec<(RunAt, String, Change)>,
}

const ADMINS: &[Column] = &[
    text("account_id"),
    text("email"),
    text("name"),
    count("since_entry"),
    instant("since"),
    count("until_entry"),
    instant("until"),
    text("how_began"),
    text("how_ended"),
    text("person_id"),
    text("review_decision"),
    text("reason"),
];

const CHANGES: &[Column] = &[
    count("entry"),
    instant("as_of"),
    text("change"),
    text("account_id"),
    text("person_id"),
    text("email"),
    text("name"),
    text("before"),
    text("after"),
];

impl Admins {
    /// Takes the accounts of one run. Absence counts only in a complete run.
    pub(super) fn take(
        &mut self,
        run: RunAt,
        complete: bool,
        period: &Period,
        accounts: &[AccountLine],
        changes: &[Change],
    ) {
        let phase = period.phase(run.at);
        if phase == Phase::After {
            return;
        }
        let first = match phase {
            Phase::Before => AdminBegan::Earlier,
            Phase::Within | Phase::After => AdminBegan::FirstSeen,
        };
        let mut before = std::mem::take(&mut self.open);
        for account in accounts {
            let has_access = account.status.access() != Access::None;
            if account.role == Role::Admin && has_access {
                let term = before.remove(&account.account_id);
                let term = term.unwrap_or_else(|| AdminTerm {
                    account_id: account.account_id.clone(),
                    email: String::new(),
                    name: None,
                    person_ids: String::new(),
                    since: run,
                    began: match (self.has_first, self.others.contains(&account.account_id)) {
                        (false, _) => first,
                        (true, true) => AdminBegan::RoleChanged,
                        (true, false) => AdminBegan::Joined,
                    },
                    ended: None,
                });
                let email = account.email.as_ref().map(EmailAddress::as_written);
                let term = AdminTerm {
                    email: cell(email),
                    name: account.name.clone(),
                    person_ids: joined(&account.person_id),
                    ..term
                };
                self.open.insert(account.account_id.clone(), term);
            } else if let Some(mut term) = before.remove(&account.account_id) {
                // Unknown stays unknown.
                if matches!(account.role, Role::Unknown(_)) && has_access {
                    self.open.insert(account.account_id.clone(), term);
                    continue;
                }
                let how = match has_access {
                    true => AdminEnded::RoleChanged,
                    false => AdminEnded::Deactivated,
                };
                term.ended = Some((run, how));
                self.ended.push(term);
            }
        }
        for (account_id, mut term) in before {
            if complete {
                term.ended = Some((run, AdminEnded::Removed));
                self.ended.push(term);
            } else {
                self.open.insert(account_id, term);
            }
        }
        if complete {
            let with_access = accounts
                .iter()
                .filter(|of| of.status.access() != Access::None);
            let others = with_access.filter(|of| of.role != Role::Admin);
            self.others = others.map(|of| of.account_id.clone()).collect();
            self.has_first = true;
        }
        self.ended
            .retain(|term| term.ended.is_none_or(|(run, _)| run.at >= period.from));
        if phase == Phase::Within {
            let of_accounts = changes.iter().filter(|of| match of.change {
                ChangeKind::Added
                | ChangeKind::Rejoined
                | ChangeKind::Reactivated
                | ChangeKind::RoleChanged => true,
                ChangeKind::Removed
                | ChangeKind::Deactivated
                | ChangeKind::EmailChanged
                | ChangeKind::NameChanged
                | ChangeKind::LeaverAdded
                | ChangeKind::LeaverVanished
                | ChangeKind::EndOfWorkMoved
                | ChangeKind::Rehired
                | ChangeKind::PolicyChanged => false,
            });
            let persons = |id: &String| {
                let account = accounts.iter().find(|of| of.account_id == *id);
                account.map(|of| joined(&of.person_id))
            };
            self.changes.extend(of_accounts.map(|of| {
                let persons = of.account_id.as_ref().and_then(persons);
                (run, cell(persons), of.clone())
            }));
        }
    }

    /// The tables `admins` and `changes`. `reviewed` has the newest decision about each account.
    pub(super) fn tables(&self, reviewed: &BTreeMap<String, ReviewedAccount>) -> [Table; 2] {
        let mut admins = Table::new("admins", "Administrators", ADMINS);
        let mut terms: Vec<&AdminTerm> = self.ended.iter().chain(self.open.values()).collect();
        terms.sort_by_key(|term| (term.since, &term.account_id));
        for term in terms {
            let decided = reviewed.get(&term.account_id);
            let decided = decided.filter(|of| term.has_been_reviewed(of));
            let since = (term.began != AdminBegan::Earlier).then_some(term.since);
            admins.push([
                term.account_id.clone(),
                term.email.clone(),
                cell(term.name.as_ref()),
                cell(since.map(|run| run.entry)),
                cell(since.map(|run| run.at)),
                cell(term.ended.map(|(run, _)| run.entry)),
                cell(term.ended.map(|(run, _)| run.at)),
                term.began.to_string(),
                cell(term.ended.map(|(_, how)| how)),
                term.person_ids.clone(),
                cell(decided.and_then(|of| of.decision)),
                cell(decided.map(|of| &of.note)),
            ]);
        }
        let mut changes = Table::new("changes", "Accounts that joined or changed role", CHANGES);
        for (run, persons, of) in &self.changes {
            changes.push([
                run.entry.to_string(),
                run.at.to_string(),
                of.change.to_string(),
                cell(of.account_id.as_ref()),
                persons.clone(),
                cell(of.email.as_ref().map(EmailAddress::as_written)),
                cell(of.name.as_ref()),
                of.before.clone(),
                of.after.clone(),
            ]);
        }
        [admins, changes]
    }
}
