//! Who works here by HR's roster, and who is missing from it.
//!
//! A roster names everybody who works here, so somebody whom an earlier one named and tonight's does
//! not may have left. HR has not said so: they are not evaluable, never silently gone.

use super::lookup::{Lookup, Map, Set};
use super::{FeedScope, Inputs, RosterMember};
use crate::people::{EmailAddress, HrRow, name_key};

/// Everybody the roster names as working here: tonight's, and whom it names in a row that cannot be
/// read. Where it cannot be used, or the feed is none tonight, it is who they were.
pub(super) fn tonight(
    inputs: &Inputs,
    rejected: &Rejected<'_>,
    members: impl Iterator<Item = RosterMember>,
) -> Vec<RosterMember> {
    let is_read = inputs.policy.hr_feed_scope == FeedScope::Roster && inputs.hr.unusable.is_none();
    let mut roster: Vec<RosterMember> = if is_read {
        let unread = absent(inputs).filter(|member| rejected.names_member(member));
        members.chain(unread.cloned()).collect()
    } else {
        before(inputs).to_vec()
    };
    roster.sort();
    roster.dedup();
    roster
}

/// Whom an earlier roster named as working here, and tonight's does not name at all.
pub(super) fn missing<'a>(inputs: &'a Inputs, rejected: &Rejected<'_>) -> Vec<&'a RosterMember> {
    if inputs.policy.hr_feed_scope != FeedScope::Roster || inputs.hr.unusable.is_some() {
        return Vec::new();
    }
    let is_missing = |member: &&RosterMember| !rejected.names_member(member);
    absent(inputs).filter(is_missing).collect()
}

fn before(inputs: &Inputs) -> &[RosterMember] {
    let previous = inputs.past.previous.as_ref();
    previous.map_or(&[], |previous| &previous.roster)
}

/// Members whom no row of tonight is about.
fn absent(inputs: &Inputs) -> impl Iterator<Item = &RosterMember> {
    let before = before(inputs);
    let mut ids: Set<&str> = Set::default();
    let mut by_email: Lookup<'_, &HrRow> = Lookup::new();
    if !before.is_empty() {
        for row in &inputs.hr.rows {
            ids.extend(row.person_id.as_deref());
            if let Some(email) = &row.email {
                by_email.add(email.key(), row);
            }
        }
    }
    before.iter().filter(move |member| {
        let by_id = member.person_ids.iter().any(|id| ids.contains(id.as_str()));
        let mut rows = member
            .emails
            .iter()
            .flat_map(|email| by_email.get(email.key()));
        !by_id && !rows.any(|row| is_about(row, member))
    })
}

/// Whether a row with an address of a member is about them. An address that was given to somebody else,
/// another id and no word of the name, names nobody but who has it now; a private one names nobody.
fn is_about(row: &HrRow, member: &RosterMember) -> bool {
    let other_id = row.person_id.is_some() && !member.person_ids.is_empty();
    let (one, other) = (&row.name, &member.name);
    let other_name = one
        .as_deref()
        .and_then(name_key)
        .zip(other.as_deref().and_then(name_key))
        .is_some_and(|(one, other)| {
            !one.split(' ')
                .any(|word| other.split(' ').any(|known| known == word))
        });
    !(other_id && other_name)
}

/// Rows that could not be read, by whom they are about.
pub(super) struct Rejected<'a> {
    by_id: Map<&'a str, u64>,
    by_email: Map<EmailAddress, u64>,
}

impl<'a> Rejected<'a> {
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let mut rejected = Self {
            by_id: Map::default(),
            by_email: Map::default(),
        };
        for row in &inputs.hr.rejected {
            if let Some(id) = &row.person_id {
                rejected.by_id.entry(id).or_insert(row.line);
            }
            if let Some(email) = row.email.as_deref().and_then(EmailAddress::parse) {
                rejected.by_email.entry(email).or_insert(row.line);
            }
        }
        rejected
    }

    /// The first line that is about somebody with one of these ids or addresses.
    pub(super) fn line_of<'i>(
        &self,
        mut ids: impl Iterator<Item = &'i String>,
        emails: &[EmailAddress],
    ) -> Option<u64> {
        let by_id = ids.find_map(|id| self.by_id.get(id.as_str()));
        let by_email = || emails.iter().find_map(|email| self.by_email.get(email));
        by_id.or_else(by_email).copied()
    }

    fn names_member(&self, member: &RosterMember) -> bool {
        self.line_of(member.person_ids.iter(), &member.emails)
            .is_some()
    }
}
