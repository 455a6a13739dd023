//! What closed reviews asked for, followed until it is proven done; and whether a review is due.
//!
//! A revocation is done when the account has no access, or is gone from a list proven complete; a change
//! of role when the account has the role, or one below it where it was to have less. What cannot be seen is
//! not done.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::checks::{check, with};
use super::uses::Uses;
use super::{Basis, Check, CheckId, CheckStatus, Inputs};
use crate::people::{
    Access, Account, Decision, EmailAddress, FollowUp, FollowUpState, Reviews, Role,
};

/// A decision that was not carried out in time, or was undone.
pub(super) struct NotDone<'a> {
    pub(super) account: &'a Account,
    pub(super) deadline: Timestamp,
    pub(super) note: String,
}

/// The reviews as this run leaves them, and what was not done.
pub(super) struct Tonight<'a> {
    pub(super) reviews: Reviews,
    pub(super) not_done: Vec<NotDone<'a>>,
}

/// How a decision and the account stand to each other tonight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// As it was decided.
    Done,
    /// Nobody can tell.
    NotKnown,
    /// As it was before.
    Before,
}

/// Follows every decision.
pub(super) fn tonight<'a>(basis: &Basis<'a>, complete: bool, uses: &mut Uses) -> Tonight<'a> {
    let inputs = basis.inputs;
    let mut reviews = inputs.reviews.clone();
    let grace = inputs.policy.revocation_grace_seconds.unwrap_or_default();
    let grace = SignedDuration::from_secs(grace);
    let mut not_done = Vec::new();
    let bearers = Bearers::of(basis, &reviews);
    for of in &mut reviews.follow_ups {
        let by_id = basis.listed.get(of.account_id.as_str()).copied();
        let (account, seen) = bearers.seen(of, by_id, complete);
        follow(of, seen, inputs.as_of);
        let deadline = of.decided_at.checked_add(grace).unwrap_or(of.decided_at);
        if let (Some(account), Some(mut note)) = (account, wrong(of, seen, deadline, inputs.as_of))
            && basis
                .directives
                .covers_account(
                    account,
                    "a review's decision is not carried out",
                    Some(deadline),
                    uses,
                )
                .is_none()
        {
            if account.id != of.account_id {
                note = format!(
                    "{note}: it was decided of account {}, whose address this one bears",
                    of.account_id
                );
            }
            not_done.push(NotDone {
                account,
                deadline,
                note,
            });
        }
    }
    Tonight { reviews, not_done }
}

/// Accounts that have or may have access, by the address they bear: who was removed and invited anew has
/// another id.
///
/// The very same address, and the first of an account: on another domain that is one with it, or with it as
/// a further address, somebody may have a second account that was kept.
struct Bearers<'a>(HashMap<&'a EmailAddress, Vec<&'a Account>>);

impl<'a> Bearers<'a> {
    fn of(basis: &Basis<'a>, reviews: &Reviews) -> Self {
        let mut bearers: HashMap<&EmailAddress, Vec<&'a Account>> = HashMap::new();
        if reviews.follow_ups.iter().any(|of| of.email.is_some()) {
            for account in &basis.inputs.population.accounts {
                if let (Access::Has | Access::Possible, Some(email)) =
                    (account.access(), account.emails.first())
                {
                    bearers.entry(email).or_default().push(account);
                }
            }
        }
        Self(bearers)
    }

    /// What is seen of a decision, and by which account: the one it is about, or one that has its address
    /// and more access.
    fn seen(
        &self,
        of: &FollowUp,
        by_id: Option<&'a Account>,
        complete: bool,
    ) -> (Option<&'a Account>, Seen) {
        let mut worst = (by_id, seen(of, by_id, complete));
        let others = of.email.as_ref().and_then(|email| self.0.get(email));
        for other in others.into_iter().flatten() {
            let seen = seen(of, Some(other), complete);
            if other.id != of.account_id && seen > worst.1 {
                worst = (Some(other), seen);
            }
        }
        worst
    }
}

fn seen(of: &FollowUp, account: Option<&Account>, complete: bool) -> Seen {
    let Some(account) = account else {
        return match complete {
            true => Seen::Done,
            false => Seen::NotKnown,
        };
    };
    match (account.access(), of.decision) {
        (Access::None, _) => Seen::Done,
        (Access::Possible, _) => Seen::NotKnown,
        (Access::Has, Decision::ChangeRole) => has_role(of, &account.role),
        (Access::Has, Decision::Keep | Decision::Revoke | Decision::DontKnow) => Seen::Before,
    }
}

fn has_role(of: &FollowUp, role: &Role) -> Seen {
    if of.new_role.as_ref() == Some(role) {
        return Seen::Done;
    }
    let (Some(now), Some(wanted)) = (role.rank(), of.new_role.as_ref().and_then(Role::rank)) else {
        return Seen::NotKnown;
    };
    let was_to_have_less = of.role.rank().is_none_or(|was| was > wanted);
    match was_to_have_less && now < wanted {
        true => Seen::Done,
        false => Seen::Before,
    }
}

/// Takes what was seen tonight into what is carried.
fn follow(of: &mut FollowUp, seen: Seen, as_of: Timestamp) {
    match (of.state, seen) {
        (_, Seen::NotKnown) | (FollowUpState::Done, Seen::Done) => {}
        (FollowUpState::Open | FollowUpState::GrantedAgain, Seen::Before) => {
            of.last_seen_before = Some(as_of);
        }
        (FollowUpState::Open | FollowUpState::GrantedAgain, Seen::Done) => {
            of.state = FollowUpState::Done;
            of.first_seen_done = Some(as_of);
        }
        (FollowUpState::Done, Seen::Before) => {
            of.state = FollowUpState::GrantedAgain;
            of.undone_at = Some(as_of);
            of.last_seen_before = Some(as_of);
        }
    }
}

/// Why it is a finding, if it is one.
fn wrong(of: &FollowUp, seen: Seen, deadline: Timestamp, as_of: Timestamp) -> Option<String> {
    let asked = match &of.new_role {
        Some(role) => format!(
            "review {} asked for role {role} instead of {}",
            of.review, of.role
        ),
        None => format!("review {} revoked the access", of.review),
    };
    match of.state {
        FollowUpState::Done => None,
        FollowUpState::GrantedAgain => {
            let done = of.first_seen_done.unwrap_or(of.decided_at);
            Some(format!(
                "{asked}; it was done by {done}, and was granted again"
            ))
        }
        FollowUpState::Open if as_of <= deadline => None,
        FollowUpState::Open => Some(match seen {
            Seen::NotKnown => format!("{asked}; whether it is done cannot be seen"),
            Seen::Before | Seen::Done => format!("{asked}; it is not done"),
        }),
    }
}

/// The check on the reviews themselves; none if no reviews are asked for and all could be read.
pub(super) fn review_due(inputs: &Inputs) -> Option<Check> {
    let reviews = &inputs.reviews;
    if !reviews.unread.is_empty() {
        return Some(check(CheckId::ReviewDue, CheckStatus::Fail, lost(reviews)));
    }
    let every = SignedDuration::from_secs(inputs.policy.review_every_seconds?);
    let as_of = inputs.as_of;
    let from = reviews.last_closed.as_ref();
    let from = from.map_or(reviews.counted_from, |closed| closed.closed_at);
    let due = from.checked_add(every).unwrap_or(Timestamp::MAX);
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let today = day(as_of);
    let mut warnings = Vec::new();
    if as_of > due {
        warnings.push(match &reviews.last_closed {
            Some(last) => format!(
                "the last review, {}, was closed on {}, and the next was due on {}",
                last.review,
                day(last.closed_at),
                day(due)
            ),
            None => format!("{}, and one was due on {}", none_closed(reviews), day(due)),
        });
    }
    for open in reviews.open.iter().filter(|open| open.due < today) {
        warnings.push(format!(
            "review {} was due on {} and is not closed",
            open.review, open.due
        ));
    }
    let numbers = json!({
        "since_seconds": as_of.duration_since(from).as_secs(),
        "every_seconds": every.as_secs(),
        "open": reviews.open.len(),
    });
    let (status, detail) = if warnings.is_empty() {
        let last = match &reviews.last_closed {
            Some(last) if last.complete => format!("review {} was closed", last.review),
            Some(last) => format!("review {} was closed incomplete", last.review),
            None => none_closed(reviews).to_owned(),
        };
        let detail = format!("{last}; the next is due by {}", day(due));
        (CheckStatus::Pass, detail)
    } else {
        (CheckStatus::Warn, warnings.join("; "))
    };
    Some(with(check(CheckId::ReviewDue, status, detail), numbers))
}

fn none_closed(reviews: &Reviews) -> &'static str {
    match reviews.last_of_some {
        None => "no review was closed yet",
        Some(_) => "no review of everybody was closed yet",
    }
}

/// What a lost review asked for nobody can follow, whether or not reviews are asked for.
fn lost(reviews: &Reviews) -> String {
    let unread: Vec<String> = reviews.unread.iter().map(u64::to_string).collect();
    format!(
        "reviews of ledger entries {} could not be read: what they asked for is not followed, until a \
         later review of everybody is closed complete",
        unread.join(", ")
    )
}
