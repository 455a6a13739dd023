//! The employed people, and the accounts that are tied to them.

use super::identity::sort_distinct;
use super::lookup::Set;
use super::matching::{AccountLink, Matches};
use super::people::{Person, Rejected};
use super::{FeedScope, Inputs, LinkedAccount, MatchKind, PersonLinks};

/// The employed people with their accounts, for the next run. Earlier entries are kept if today's feed cannot be
/// used or is not a roster.
pub(super) fn links(
    inputs: &Inputs,
    rejected: &Rejected<'_>,
    people: &[Person<'_>],
    matches: &[Matches<'_>],
    complete: bool,
) -> Vec<PersonLinks> {
    let is_read = inputs.hr.unusable.is_none();
    let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
    let people_and_matches = people.iter().zip(matches);
    let today =
        people_and_matches.filter(|(of, _)| of.in_feed && of.is_or_will_be_employed() && is_read);
    let mut links: Vec<PersonLinks> = today
        .map(|(person, matches)| links_of(person, matches, complete))
        .collect();
    let followed = people.iter().flat_map(|person| &person.links);
    let followed: Set<*const PersonLinks> = followed.map(|links| &raw const **links).collect();
    let before = inputs.past.previous.iter();
    let before = before.flat_map(|previous| &previous.links);
    let kept = before.filter(|before| {
        let is_followed = followed.contains(&(&raw const **before));
        !is_read || !is_followed && (!is_roster || rejected.names(before))
    });
    links.extend(kept.cloned());
    sort_distinct(&mut links);
    links
}

fn links_of(person: &Person<'_>, matches: &Matches<'_>, complete: bool) -> PersonLinks {
    // A shared account is not followed for any of its people.
    let is_own = |link: &&AccountLink<'_>| {
        let account = link.listed.or(link.earlier);
        let mut emails = account.iter().flat_map(|account| &account.emails);
        link.kind == MatchKind::PersonId
            || !emails.any(|email| person.shared_emails.contains(email))
    };
    let today = matches.links.iter().filter(is_own);
    let today = today.map(|link| LinkedAccount {
        account_id: link.account_id.to_owned(),
        matched_by: link.kind,
    });
    let before = person.links.iter().flat_map(|links| &links.accounts);
    let mut accounts: Vec<LinkedAccount> = today.chain(before.cloned()).collect();
    accounts.sort();
    accounts.dedup_by(|later, first| later.account_id == first.account_id);
    let had_none = person.links.iter().any(|links| links.without_address);
    PersonLinks {
        person_ids: person.ids.iter().map(|id| (*id).to_owned()).collect(),
        emails: person.emails.clone(),
        name: person.names.first().map(|name| (*name).to_owned()),
        without_address: person.emails.is_empty() && (complete || had_none),
        accounts,
    }
}
