//! The employed people, the accounts that are tied to them, and the people who are missing from a roster.
//!
//! A roster names all employed people. A person in an earlier roster but not in today's may have left. HR has
//! not reported it, so the person is never silently removed.

use super::lookup::{Map, Set};
use super::matching::{AccountLink, Matches};
use super::people::Person;
use super::{FeedScope, Inputs, LinkedAccount, MatchKind, PersonLinks};
use crate::model::EmailAddress;

/// The employed people with their accounts, for the next run. If today's feed cannot be used, or is not a
/// roster, earlier entries stay, too.
pub(super) fn links(
    inputs: &Inputs,
    rejected: &Rejected<'_>,
    people: &[Person<'_>],
    matches: &[Matches<'_>],
    complete: bool,
) -> Vec<PersonLinks> {
    let is_read = inputs.hr.unusable.is_none();
    let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
    let mut links: Vec<PersonLinks> = Vec::new();
    for (person, matches) in people.iter().zip(matches) {
        if person.in_feed && person.is_to_work_here() && is_read {
            links.push(links_of(person, matches, complete));
        }
    }
    let followed: Set<*const PersonLinks> = people
        .iter()
        .flat_map(|person| &person.links)
        .map(|links| &raw const **links)
        .collect();
    for before in before(inputs) {
        let is_followed = followed.contains(&(&raw const *before));
        if !is_read || !is_followed && (!is_roster || rejected.names(before)) {
            links.push(before.clone());
        }
    }
    links.sort();
    links.dedup();
    links
}

fn links_of(person: &Person<'_>, matches: &Matches<'_>, complete: bool) -> PersonLinks {
    // A shared account is followed for none of its people.
    let is_own = |link: &&AccountLink<'_>| {
        let account = link.listed.or(link.earlier);
        let mut emails = account.iter().flat_map(|account| &account.emails);
        link.kind == MatchKind::PersonId
            || !emails.any(|email| person.shared_emails.contains(email))
    };
    let today = matches
        .links
        .iter()
        .filter(is_own)
        .map(|link| LinkedAccount {
            account_id: link.account_id.to_owned(),
            matched_by: link.kind,
        });
    let before = person
        .links
        .iter()
        .flat_map(|links| &links.accounts)
        .cloned();
    let mut accounts: Vec<LinkedAccount> = today.chain(before).collect();
    accounts.sort();
    accounts.dedup_by(|again, first| again.account_id == first.account_id);
    let had_none = person.links.iter().any(|links| links.without_address);
    PersonLinks {
        person_ids: person.ids.iter().map(|id| (*id).to_owned()).collect(),
        emails: person.emails.clone(),
        name: person.names.first().map(|name| (*name).to_owned()),
        without_address: person.emails.is_empty() && (complete || had_none),
        accounts,
    }
}

/// People whom an earlier roster named as employed, and today's does not name at all.
pub(super) fn missing<'a>(
    inputs: &'a Inputs,
    rejected: &Rejected<'_>,
    absent: impl Iterator<Item = &'a PersonLinks>,
) -> impl Iterator<Item = &'a PersonLinks> {
    let is_read = inputs.policy.hr_feed_scope == FeedScope::Roster && inputs.hr.unusable.is_none();
    absent.filter(move |links| is_read && !rejected.names(links))
}

fn before(inputs: &Inputs) -> &[PersonLinks] {
    let previous = inputs.past.previous.as_ref();
    previous.map_or(&[], |previous| &previous.links)
}

/// Rejected rows, by the ids and addresses in them.
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

    /// The first line about a person with one of these ids or addresses.
    pub(super) fn line_of<'i>(
        &self,
        mut ids: impl Iterator<Item = &'i String>,
        emails: &[EmailAddress],
    ) -> Option<u64> {
        let by_id = ids.find_map(|id| self.by_id.get(id.as_str()));
        let by_email = || emails.iter().find_map(|email| self.by_email.get(email));
        by_id.or_else(by_email).copied()
    }

    fn names(&self, links: &PersonLinks) -> bool {
        self.line_of(links.person_ids.iter(), &links.emails)
            .is_some()
    }
}
