//! Review decisions that are not carried out in time, and whether a review is due.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::manual::Covered;
use super::uses::Uses;
use super::{Basis, Check, CheckId, Inputs};
use crate::judgement::{Decision, DecisionSeen, FollowUp, FollowUpState, FollowUps};
use crate::model::Account;

/// A decision that was not carried out in time, or was undone.
pub(super) struct NotDone<'a> {
    pub(super) account: &'a Account,
    pub(super) deadline: Timestamp,
    pub(super) note: String,
}

/// The follow-ups after this run, and the decisions that were not carried out.
pub(super) fn follow_up<'a>(
    basis: &Basis<'a>,
    complete: bool,
    uses: &mut Uses,
) -> (FollowUps, Vec<NotDone<'a>>) {
    let inputs = basis.inputs;
    let accounts = &inputs.population.accounts;
    let (follow_ups, seen) = inputs.follow_ups.seen_in(accounts, complete, inputs.as_of);
    let grace = inputs.policy.revocation_grace_seconds.unwrap_or_default();
    let grace = SignedDuration::from_secs(grace);
    let mut not_done = Vec::new();
    for (of, (account, seen)) in follow_ups.decisions.iter().zip(seen) {
        let deadline = of.decided_at.checked_add(grace).unwrap_or(of.decided_at);
        let (Some(account), Some(mut note)) = (account, wrong(of, seen, deadline, inputs.as_of))
        else {
            continue;
        };
        let why = "a review's decision is not carried out";
        let covered = basis
            .manual
            .covers(Covered::Account(account, why), Some(deadline), uses);
        if covered.is_some() {
            continue;
        }
        if account.id != of.account_id {
            note = format!(
                "{note}: the decision was about account {}, and this account has the same address",
                of.account_id
            );
        }
        not_done.push(NotDone {
            account,
            deadline,
            note,
        });
    }
    (follow_ups, not_done)
}

/// The note of the finding; `None` without a finding.
fn wrong(
    of: &FollowUp,
    seen: DecisionSeen,
    deadline: Timestamp,
    as_of: Timestamp,
) -> Option<String> {
    let asked = match (&of.new_role, of.decision) {
        (Some(role), _) => format!(
            "review {} asked for role {role} instead of {}",
            of.review, of.role
        ),
        (None, Decision::DontKnow) => {
            format!(
                "the reviewer of review {} did not know whether the access is needed",
                of.review
            )
        }
        (None, Decision::Keep | Decision::Revoke | Decision::ChangeRole) => {
            format!("review {} revoked the access", of.review)
        }
    };
    match of.state {
        FollowUpState::Done => None,
        FollowUpState::GrantedAgain => {
            let done = of.first_seen_done.unwrap_or(of.decided_at);
            Some(format!(
                "{asked}; it was done by {done}, and later granted again"
            ))
        }
        FollowUpState::Open if as_of <= deadline => None,
        FollowUpState::Open if of.decision == Decision::DontKnow => Some(format!(
            "{asked}; the question is not answered: decide in a new review, or end the access"
        )),
        FollowUpState::Open => Some(match seen {
            DecisionSeen::NotKnown => {
                format!("{asked}; this run could not determine whether it is done")
            }
            DecisionSeen::NotDone | DecisionSeen::Done => format!("{asked}; it is not done"),
        }),
    }
}

/// The check on the reviews; `None` if reviews are not required and all of them were read.
pub(super) fn review_due(inputs: &Inputs) -> Option<Check> {
    let id = CheckId::ReviewDue;
    let reviews = &inputs.follow_ups;
    if !reviews.unread.is_empty() {
        let unread = reviews.unread.iter().map(u64::to_string);
        return Some(id.fail(format!(
            "the reviews of ledger entries {} could not be read, so their decisions are not followed until a later \
             review of all accounts is closed with every row decided",
            Vec::from_iter(unread).join(", ")
        )));
    }
    let every = SignedDuration::from_secs(inputs.policy.review_every_seconds?);
    let as_of = inputs.as_of;
    let last = reviews.last_closed.as_ref();
    let from = last.map_or(reviews.counted_from, |closed| closed.closed_at);
    let due = from.checked_add(every).unwrap_or(Timestamp::MAX);
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let due_day = day(due);
    let none_closed = match reviews.last_of_some {
        None => "no review has been closed yet",
        Some(_) => "no review of all accounts has been closed yet",
    };
    let mut warnings = Vec::new();
    if as_of > due {
        warnings.push(match last {
            Some(last) => format!(
                "the last review, {}, was closed on {}, and the next was due on {due_day}",
                last.review,
                day(last.closed_at)
            ),
            None => format!("{none_closed}, and one was due on {due_day}"),
        });
    }
    let overdue = reviews.open.iter().filter(|open| open.due < day(as_of));
    let overdue = overdue.map(|of| {
        format!(
            "review {} was due on {} and is not closed",
            of.review, of.due
        )
    });
    warnings.extend(overdue);
    let check = if warnings.is_empty() {
        let last = match last {
            Some(last) if last.complete => format!("review {} was closed", last.review),
            Some(last) => format!("review {} was closed with undecided rows", last.review),
            None => none_closed.to_owned(),
        };
        id.pass(format!("{last}; the next is due by {due_day}"))
    } else {
        id.warn(warnings.join("; "))
    };
    Some(check.with(json!({
        "since_seconds": as_of.duration_since(from).as_secs(),
        "every_seconds": every.as_secs(),
        "open": reviews.open.len(),
    })))
}
