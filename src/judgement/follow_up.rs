//! The decisions of closed reviews, followed from run to run until they are proven done.
//!
//! A question that a reviewer could not answer is followed too: it is done when the account has no access, and a later
//! review replaces it with its answer.
//!
//! A revocation is done when the account has no access, or is missing from a list proven complete. A change
//! of role is done when the account has the new role, or a lower one if the decision lowered the role. An unknown
//! state does not count as done.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Decision, ReviewScope};
use crate::model::{Access, Account, EmailAddress, Role, words};

/// The access reviews of a connection after a run, for the next run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUps {
    /// Ledger entries up to this number have been read for reviews.
    pub through: u64,
    /// The first run that read reviews. Without an earlier review, the due date of the first one counts from here.
    pub counted_from: Timestamp,
    /// The newest closed review of scope `all` with a decision. The due date of the next one counts from it.
    pub last_closed: Option<ClosedReview>,
    /// A later closed review that does not count: of a narrower scope, or without a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_of_some: Option<ClosedReview>,
    /// Open reviews, oldest first.
    pub open: Vec<OpenReview>,
    /// Ledger entries of reviews that could not be read. Their decisions are not followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<u64>,
    /// Revocations, changes of role and open questions, each with its state.
    pub decisions: Vec<FollowUp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedReview {
    pub review: String,
    /// The ledger entry that closed it.
    pub sequence: u64,
    pub closed_at: Timestamp,
    /// Whether every row was decided.
    pub complete: bool,
    /// When a second person acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReview {
    pub review: String,
    /// The ledger entry that opened it.
    pub sequence: u64,
    pub opened_at: Timestamp,
    /// The last day for decisions, `2026-12-31`.
    pub due: String,
    pub scope: ReviewScope,
}

/// A revocation or a change of role that a review decided, or a question that it left open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    pub review: String,
    /// The ledger entry that closed the review.
    pub sequence: u64,
    pub account_id: String,
    /// The account's address when the review was opened. Another account with it counts as the same access. `None`
    /// if a review decided about that other account separately.
    pub email: Option<EmailAddress>,
    /// `revoke`, `change_role` or `dont_know`.
    pub decision: Decision,
    /// The account's role when the review was opened.
    pub role: Role,
    pub new_role: Option<Role>,
    /// When the review was closed. The grace counts from here.
    pub decided_at: Timestamp,
    pub state: FollowUpState,
    /// The last run that saw the decision not done.
    pub last_seen_before: Option<Timestamp>,
    /// The first later run that saw it done.
    pub first_seen_done: Option<Timestamp>,
    /// The run that saw it undone later.
    pub undone_at: Option<Timestamp>,
}

words! {
    FollowUpState {
        /// Not done, or not known to be done.
        Open = "open",
        Done = "done",
        /// The decision was done, and the access or role is back.
        GrantedAgain = "granted_again",
    }
}

/// How a run sees a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecisionSeen {
    Done,
    NotKnown,
    NotDone,
}

impl FollowUps {
    /// The follow-ups before the first run of a connection.
    pub fn starting(as_of: Timestamp) -> Self {
        Self {
            counted_from: as_of,
            ..Self::default()
        }
    }

    /// The follow-ups after a run, and for each decision its state and its account: the account that the decision is
    /// about, or one with the same address and more access.
    #[must_use]
    pub fn seen_in<'a>(
        &self,
        accounts: &'a [Account],
        complete: bool,
        as_of: Timestamp,
    ) -> (Self, Vec<(Option<&'a Account>, DecisionSeen)>) {
        let mut next = self.clone();
        let accounts = match next.decisions.is_empty() {
            true => &[],
            false => accounts,
        };
        let listed = ListedAccounts::of(accounts);
        let seen = next.decisions.iter_mut().map(|of| {
            let (account, seen) = listed.seen(of, complete);
            of.note(seen, as_of);
            (account, seen)
        });
        let seen = seen.collect();
        (next, seen)
    }
}

/// Accounts by id, and those with access by their first address: a person who was removed and invited again
/// has another id.
///
/// Only the same first address counts. With an equivalent domain, or as a further address, it may be a second account
/// that the review kept.
#[derive(Default)]
struct ListedAccounts<'a> {
    by_id: HashMap<&'a str, &'a Account>,
    by_email: HashMap<&'a EmailAddress, Vec<&'a Account>>,
}

impl<'a> ListedAccounts<'a> {
    fn of(accounts: &'a [Account]) -> Self {
        let mut listed = Self::default();
        for account in accounts {
            listed.by_id.insert(&account.id, account);
            if account.access() != Access::None
                && let Some(email) = account.emails.first()
            {
                listed.by_email.entry(email).or_default().push(account);
            }
        }
        listed
    }

    fn seen(&self, of: &FollowUp, complete: bool) -> (Option<&'a Account>, DecisionSeen) {
        let by_id = self.by_id.get(of.account_id.as_str()).copied();
        let mut worst = match (by_id, complete) {
            (Some(account), _) => (Some(account), of.seen_on(account)),
            (None, true) => (None, DecisionSeen::Done),
            (None, false) => (None, DecisionSeen::NotKnown),
        };
        let others = of.email.as_ref().and_then(|email| self.by_email.get(email));
        for other in others.into_iter().flatten() {
            let seen = of.seen_on(other);
            if other.id != of.account_id && seen > worst.1 {
                worst = (Some(other), seen);
            }
        }
        worst
    }
}

impl FollowUp {
    fn seen_on(&self, account: &Account) -> DecisionSeen {
        match (account.access(), self.decision) {
            (Access::None, _) => DecisionSeen::Done,
            (Access::Possible, _) => DecisionSeen::NotKnown,
            (Access::Has, Decision::ChangeRole) => self.seen_on_role(&account.role),
            (Access::Has, Decision::Keep | Decision::Revoke | Decision::DontKnow) => {
                DecisionSeen::NotDone
            }
        }
    }

    fn seen_on_role(&self, role: &Role) -> DecisionSeen {
        if self.new_role.as_ref() == Some(role) {
            return DecisionSeen::Done;
        }
        let wanted = self.new_role.as_ref().and_then(Role::rank);
        let (Some(now), Some(wanted)) = (role.rank(), wanted) else {
            return DecisionSeen::NotKnown;
        };
        let was_to_have_less = self.role.rank().is_none_or(|was| was > wanted);
        match was_to_have_less && now < wanted {
            true => DecisionSeen::Done,
            false => DecisionSeen::NotDone,
        }
    }

    fn note(&mut self, seen: DecisionSeen, as_of: Timestamp) {
        match (self.state, seen) {
            (_, DecisionSeen::NotKnown) | (FollowUpState::Done, DecisionSeen::Done) => {}
            (FollowUpState::Open | FollowUpState::GrantedAgain, DecisionSeen::NotDone) => {
                self.last_seen_before = Some(as_of);
            }
            (FollowUpState::Open | FollowUpState::GrantedAgain, DecisionSeen::Done) => {
                self.state = FollowUpState::Done;
                self.first_seen_done = Some(as_of);
            }
            // The question was about the earlier access.
            (FollowUpState::Done, DecisionSeen::NotDone) if self.decision == Decision::DontKnow => {
            }
            (FollowUpState::Done, DecisionSeen::NotDone) => {
                self.state = FollowUpState::GrantedAgain;
                self.undone_at = Some(as_of);
                self.last_seen_before = Some(as_of);
            }
        }
    }
}
