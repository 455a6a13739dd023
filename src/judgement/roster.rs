//! Who works here by HR's roster, and who is missing from it.
//!
//! A roster names everybody who works here, so somebody whom an earlier one named and tonight's does
//! not may have left. HR has not said so: they are not evaluable, never silently gone.

use std::collections::HashSet;

use super::{FeedScope, Inputs, RosterMember};
use crate::people::{EmailAddress, RejectedRow};

/// Everybody tonight's roster names as working here. Whom it names in a row that cannot be read, or
/// everybody where it cannot be used, is still who they were.
pub(super) fn tonight(
    inputs: &Inputs,
    members: impl Iterator<Item = RosterMember>,
) -> Vec<RosterMember> {
    if inputs.policy.hr_feed_scope != FeedScope::Roster {
        return Vec::new();
    }
    let mut roster: Vec<RosterMember> = if inputs.hr.unusable.is_some() {
        before(inputs).to_vec()
    } else {
        let unread = absent(inputs).filter(|member| is_rejected(inputs, member));
        members.chain(unread.cloned()).collect()
    };
    roster.sort();
    roster.dedup();
    roster
}

/// Whom an earlier roster named as working here, and tonight's does not name at all.
pub(super) fn missing(inputs: &Inputs) -> impl Iterator<Item = &RosterMember> {
    let is_judged =
        inputs.policy.hr_feed_scope == FeedScope::Roster && inputs.hr.unusable.is_none();
    absent(inputs)
        .filter(move |_| is_judged)
        .filter(|member| !is_rejected(inputs, member))
}

fn before(inputs: &Inputs) -> &[RosterMember] {
    let previous = inputs.past.previous.as_ref();
    previous.map_or(&[], |previous| &previous.roster)
}

/// Members whom no row of tonight names by an id or an address.
fn absent(inputs: &Inputs) -> impl Iterator<Item = &RosterMember> {
    let before = before(inputs);
    let rows = if before.is_empty() {
        &[][..]
    } else {
        &inputs.hr.rows[..]
    };
    let ids: HashSet<&str> = rows
        .iter()
        .filter_map(|row| row.person_id.as_deref())
        .collect();
    let emails: HashSet<&EmailAddress> = rows.iter().flat_map(|row| row.emails()).collect();
    before.iter().filter(move |member| {
        !member.person_ids.iter().any(|id| ids.contains(id.as_str()))
            && !member.emails.iter().any(|email| emails.contains(email))
    })
}

fn is_rejected(inputs: &Inputs, member: &RosterMember) -> bool {
    inputs
        .hr
        .rejected
        .iter()
        .any(|row| names(row, &member.person_ids, &member.emails))
}

/// Whether a rejected row is about somebody.
pub(super) fn names(row: &RejectedRow, ids: &[String], emails: &[EmailAddress]) -> bool {
    let by_id = row.person_id.as_ref().is_some_and(|id| ids.contains(id));
    let email = row.email.as_deref().and_then(EmailAddress::parse);
    by_id || email.is_some_and(|email| emails.contains(&email))
}
