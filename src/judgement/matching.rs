//! Ties accounts to people.
//!
//! Every kind of match is tried, and all matches count. The strongest one only names the match. An account that may
//! belong to a person but does not match is a `suspicion`, which is kept separately.

use std::collections::BTreeMap;
use std::hash::Hash;

use super::approvers::LineKey;
use super::lookup::{Map, found};
use super::manual::PersonKeys;
use super::people::Person;
use super::remedies::{Doubt, Key, Remedy};
use super::uses::Uses;
use super::{Basis, Finding, FormerEmails, Inputs, MatchKind, Owner, Standing};
use crate::model::{Access, Account, EmailAddress, Role};

/// An account that is tied to a person: on today's list, or known from an earlier run and gone.
#[derive(Clone, Debug)]
pub(super) struct AccountLink<'a> {
    pub(super) account_id: &'a str,
    pub(super) kind: MatchKind,
    /// The account on today's list.
    pub(super) listed: Option<&'a Account>,
    /// The account in the baseline.
    pub(super) earlier: Option<&'a Account>,
}

/// Everything that ties one person to accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches<'a> {
    /// By account id.
    pub(super) links: Vec<AccountLink<'a>>,
    /// Doubts about accounts that may belong to an employed person with a related name, by account id.
    pub(super) doubtful: BTreeMap<&'a str, Doubt>,
    /// Accounts that were tied to this leaver and belong to another, employed person today. They are only suspected.
    pub(super) followed: Vec<&'a Account>,
    /// Notes for a reader on the matches.
    pub(super) notes: Vec<String>,
    /// Whether the run would have found an account by the person's id.
    pub(super) id_could_match: bool,
    /// Lines of the aliases by which the run would have found an account.
    pub(super) aliases_could_match: Vec<u64>,
}

/// Addresses that accounts had in earlier complete runs and no longer have.
///
/// They are kept after the account is gone. HR may name a leaver weeks later, and an account that returns with another
/// address still belongs to that leaver.
pub(super) fn former_emails(basis: &Basis<'_>) -> FormerEmails {
    let Some(baseline) = &basis.inputs.past.baseline else {
        return FormerEmails::new();
    };
    let current_emails = |id: &str| {
        let listed = basis.listed.get(id);
        listed.map_or(&[][..], |account| &account.emails)
    };
    let accounts = baseline.accounts.iter();
    // Most accounts keep their addresses.
    let changed = accounts.filter(|of| current_emails(&of.id) != of.emails.as_slice());
    let changed = changed.map(|account| (&account.id, &account.emails));
    let mut former = FormerEmails::new();
    for (id, emails) in changed.chain(&baseline.former_emails) {
        let known = former.entry(id.clone()).or_default();
        known.extend_from_slice(emails);
    }
    former.retain(|id, emails| {
        let current = current_emails(id);
        emails.retain(|email| !current.contains(email));
        emails.sort();
        emails.dedup();
        !emails.is_empty()
    });
    former
}

pub(super) fn by_id<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
) -> Map<&'a str, &'a Account> {
    let with_id = |account: &'a Account| (account.id.as_str(), account);
    accounts.into_iter().map(with_id).collect()
}

/// The values of each key, in the order they came.
pub(super) fn grouped<K: Eq + Hash, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Map<K, Vec<V>> {
    let mut groups: Map<K, Vec<V>> = Map::default();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

/// Every address with its account.
pub(super) fn emails_of<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
) -> impl Iterator<Item = (&'a EmailAddress, &'a Account)> {
    let with_account = |of: &'a Account| of.emails.iter().map(move |email| (email, of));
    accounts.into_iter().flat_map(with_account)
}

/// Ties every person to their accounts: one entry a person, in the same order.
pub(super) fn of_all<'a>(
    basis: &'a Basis<'a>,
    people: &'a [Person<'a>],
    index: &Index<'a>,
    uses: &mut Uses,
) -> Vec<Matches<'a>> {
    let has_account = |id: &&str| index.by_external_id.contains_key(id);
    let mut ids = people.iter().flat_map(|person| &person.ids);
    let ids_are_comparable = ids_prove_absence(basis.inputs) && ids.any(has_account);
    let matches_of = |person: &Person<'a>| {
        let (links, aliases_could_match) = index.links_of(person, uses);
        let is_own = |id: &&str| !person.shared_ids.contains(id);
        Matches {
            links,
            id_could_match: ids_are_comparable && person.person_id.is_some_and(|id| is_own(&id)),
            aliases_could_match,
            ..Matches::default()
        }
    };
    let mut all: Vec<Matches<'a>> = people.iter().map(matches_of).collect();

    let places = people.iter().zip(&all).enumerate();
    let employed = places.filter(|(_, (person, _))| person.is_employed());
    let owners = EmployedOwners {
        people,
        places: grouped(employed.flat_map(|(place, (_, matches))| {
            let links = matches.links.iter();
            links.map(move |link| (link.account_id, place))
        })),
    };
    for (place, matches) in all.iter_mut().enumerate() {
        if people[place].is_leaver() {
            index.carry(place, matches, &owners, uses);
            index.compare_with_owners(place, matches, &owners);
        }
    }
    all
}

/// The employed people who are tied to an account today.
struct EmployedOwners<'a> {
    people: &'a [Person<'a>],
    places: Map<&'a str, Vec<usize>>,
}

impl<'a> EmployedOwners<'a> {
    /// The employed people who are tied to an account, except the person at a position, with their positions.
    fn others(&self, place: usize, account_id: &str) -> Vec<(usize, &'a Person<'a>)> {
        let others = found(&self.places, account_id).filter(|other| *other != place);
        others.map(|other| (other, &self.people[other])).collect()
    }
}

/// Whether every account that may belong to an employee has an id. An account without an id may belong to any person,
/// so a search by id would not prove absence.
fn ids_prove_absence(inputs: &Inputs) -> bool {
    inputs.population.accounts.iter().all(|account| {
        account.external_id.is_some()
            || account.role == Role::Guest
            || account.access() == Access::None
    })
}

/// Accounts by the keys that match people.
pub(super) struct Index<'a> {
    basis: &'a Basis<'a>,
    former: &'a FormerEmails,
    by_former_email: Map<&'a str, Vec<&'a str>>,
    /// By today's and former addresses in domains with an equivalent.
    by_same_domain: Map<String, Vec<(&'a str, MatchKind)>>,
    by_external_id: Map<&'a str, Vec<&'a str>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(basis: &'a Basis<'a>, former: &'a FormerEmails) -> Self {
        let accounts = &basis.inputs.population.accounts;
        let with_id = |(id, emails): (&'a String, &'a Vec<EmailAddress>)| {
            emails.iter().map(move |email| (email, id.as_str()))
        };
        let former_emails = former.iter().flat_map(with_id);
        let today = emails_of(accounts)
            .map(|(email, account)| (email, (account.id.as_str(), MatchKind::DomainAlias)));
        let before = former_emails
            .clone()
            .map(|(email, id)| (email, (id, MatchKind::FormerEmail)));
        let by_domain = today
            .chain(before)
            .filter_map(|(email, account)| Some((basis.same_domains.key(email)?, account)));
        let baseline = basis.inputs.past.baseline.iter();
        // Accounts that are gone also had owners.
        let earlier = baseline.flat_map(|baseline| &baseline.accounts);
        let with_external_id = |of: &'a Account| Some((of.external_id.as_deref()?, of.id.as_str()));
        Self {
            basis,
            former,
            by_same_domain: grouped(by_domain),
            by_former_email: grouped(former_emails.map(|(email, id)| (email.key(), id))),
            by_external_id: grouped(accounts.iter().chain(earlier).filter_map(with_external_id)),
        }
    }

    /// The accounts that today's rows and aliases tie to a person, and the lines of the aliases by which the run would
    /// have found an account.
    pub(super) fn links_of(
        &self,
        person: &Person<'_>,
        uses: &mut Uses,
    ) -> (Vec<AccountLink<'a>>, Vec<u64>) {
        let mut strongest: BTreeMap<&'a str, MatchKind> = BTreeMap::new();
        let mut tie = |account_id: &'a str, kind: MatchKind| {
            let known = strongest.entry(account_id).or_insert(kind);
            *known = kind.min(*known);
        };
        let ids = person.ids.iter();
        for id in ids.filter(|id| !person.shared_ids.contains(id)) {
            for account in found(&self.by_external_id, id) {
                tie(account, MatchKind::PersonId);
            }
        }
        // A shared address does not identify a person, but it finds an account for an employed person.
        let shared = person.shared_emails.iter().filter(|_| person.is_employed());
        let own = person.emails.iter();
        let own = own.filter(|email| !person.passed_on.contains(email));
        for email in own.chain(shared) {
            for account in found(&self.basis.by_email, email.key()) {
                tie(&account.id, MatchKind::Email);
            }
            for account in found(&self.by_former_email, email.key()) {
                tie(account, MatchKind::FormerEmail);
            }
            let key = self.basis.same_domains.key(email);
            for (account, kind) in key.iter().flat_map(|key| found(&self.by_same_domain, key)) {
                tie(account, kind);
            }
        }
        let manual = &self.basis.manual;
        let keys = person.keys();
        let mut could_match = Vec::new();
        for alias in manual.ties_of(&keys) {
            let tied = self.accounts_of(&alias.account);
            for account in &tied {
                tie(account, MatchKind::Alias);
                let what = format!("ties account {account} to the person");
                uses.alias(alias.line, what);
            }
            let would_be_found = match &alias.account {
                // An id that no run has seen may be a typing error, so it proves nothing.
                LineKey::Id(_) => false,
                LineKey::Email(email) => self.basis.is_ours(email),
            };
            could_match.extend(would_be_found.then_some(alias.line));
        }
        let links = strongest.into_iter();
        let links = links.filter_map(|(account_id, kind)| self.link(&keys, account_id, kind, uses));
        (links.collect(), could_match)
    }

    /// The accounts of today's list that have an id.
    pub(super) fn listed_with_id(&self, id: &str) -> impl Iterator<Item = &'a Account> {
        let with_id = found(&self.by_external_id, id);
        with_id.filter_map(|account| self.basis.listed.get(account).copied())
    }

    /// A tie to an account, unless an alias `different` ends it.
    fn link(
        &self,
        keys: &PersonKeys<'_>,
        account_id: &'a str,
        kind: MatchKind,
        uses: &mut Uses,
    ) -> Option<AccountLink<'a>> {
        let listed = self.basis.listed.get(account_id).copied();
        let earlier = self.basis.earlier.get(account_id).copied();
        let is_different = listed
            .or(earlier)
            .is_some_and(|account| self.basis.manual.end_tie(keys, account, uses));
        (!is_different).then_some(AccountLink {
            account_id,
            kind,
            listed,
            earlier,
        })
    }

    /// Adds the accounts of earlier runs: once linked, a person is followed by account id even if the addresses change.
    fn carry(
        &self,
        place: usize,
        matches: &mut Matches<'a>,
        owners: &EmployedOwners<'a>,
        uses: &mut Uses,
    ) {
        let person = &owners.people[place];
        let keys = person.keys();
        let previous = person.previous.iter();
        let of_leaver = previous.flat_map(|of| of.account_id.iter().zip(&of.matched_by));
        let of_links = person.links.iter().flat_map(|links| &links.accounts);
        let of_links = of_links.map(|account| (&account.account_id, &account.matched_by));
        let carried: BTreeMap<&'a str, MatchKind> = of_leaver
            .chain(of_links)
            .map(|(account, kind)| (account.as_str(), *kind))
            .collect();
        for (account_id, kind) in carried {
            let mut links = matches.links.iter();
            if links.any(|link| link.account_id == account_id) {
                continue;
            }
            let is_related = |(place, _): &(usize, &Person<'_>)| {
                let mut related = person.related.iter();
                related.any(|of| of.by_id && of.other == *place)
            };
            let others = owners.others(place, account_id);
            if others.is_empty() {
                let link = self.link(&keys, account_id, kind, uses);
                matches.links.extend(link);
            } else if others.iter().any(is_related) {
                let note =
                    format!("account {account_id} belongs to an employed person with the same id");
                matches.notes.push(note);
            } else {
                let listed = self.basis.listed.get(account_id);
                matches.followed.extend(listed.copied());
            }
        }
        matches.links.sort_by_key(|link| link.account_id);
    }

    /// Compares the accounts of a leaver with those of employed people. If an address was reassigned after the person
    /// left, an account that began later is removed. An employed person with a related name raises a doubt.
    fn compare_with_owners(
        &self,
        place: usize,
        matches: &mut Matches<'a>,
        owners: &EmployedOwners<'a>,
    ) {
        let person = &owners.people[place];
        let same_domains = &self.basis.same_domains;
        let notes = &mut matches.notes;
        matches.links.retain(|link| {
            // People who may be the same person get their own doubt, below.
            let is_related = |place| person.related.iter().any(|of| of.other == place);
            let mut others = owners.others(place, link.account_id);
            others.retain(|(place, _)| !is_related(*place));
            if others.is_empty() || !link.kind.is_by_address() {
                return true;
            }
            let began_later = link.listed.is_some_and(|of| of.joined_at > person.end_of_work)
                && person.end_of_work.is_some();
            let is_of_account = |email: &EmailAddress| {
                let mut emails = link.listed.iter().flat_map(|account| &account.emails);
                let key = same_domains.key(email);
                emails.any(|of| of == email || key.is_some() && same_domains.key(of) == key)
            };
            let is_theirs = |(_, other): &(usize, &Person<'_>)| {
                let has = |email| work_addresses(other).any(|of| of == email);
                let mut own = work_addresses(person);
                own.any(|email| has(email) && is_of_account(email))
            };
            let has_left = person.standing == Standing::Ended;
            let is_reassigned = began_later && has_left && others.iter().any(is_theirs);
            notes.push(if is_reassigned {
                format!(
                    "account {} began after the end of work and belongs to an employed person",
                    link.account_id
                )
            } else {
                let text = format!(
                    "account {} also matches an address of an employed person and may belong to that person",
                    link.account_id
                );
                let remedy = Remedy::Different(link.account_id.to_owned());
                Doubt::new(text, remedy).about(person)
            });
            !is_reassigned
        });
        for relation in &person.related {
            let other = &owners.people[relation.other];
            if !other.is_employed() {
                continue;
            }
            for link in &matches.links {
                let owners = found(&owners.places, link.account_id);
                if !relation.by_id && !owners.into_iter().any(|owner| owner == relation.other) {
                    continue;
                }
                let (what, key) = match relation.by_id {
                    true => ("id", Key::of(None, &other.emails)),
                    false => ("work address", Key::of(other.person_id, &other.emails)),
                };
                let text = format!(
                    "an employed person has the same {what} and a related name: use relation `same_person` if they are \
                     one person, or `different` with account {} if the account belongs to the other",
                    link.account_id
                );
                let doubt = Doubt::new(text, Remedy::SamePerson(key.to_string()));
                matches.doubtful.entry(link.account_id).or_insert(doubt);
            }
        }
    }

    /// The accounts that an alias names, if a run has seen them. Otherwise no run can prove their removal.
    fn accounts_of(&self, key: &LineKey<'a>) -> Vec<&'a str> {
        match key {
            LineKey::Id(id) => {
                let listed = self.basis.listed.get_key_value(id).map(|(id, _)| *id);
                let earlier = self.basis.earlier.get_key_value(id).map(|(id, _)| *id);
                let former = self.former.get_key_value(*id).map(|(id, _)| id.as_str());
                Vec::from_iter(listed.or(earlier).or(former))
            }
            LineKey::Email(email) => {
                let now = found(&self.basis.by_email, email.key()).map(|of| of.id.as_str());
                now.chain(found(&self.by_former_email, email.key()))
                    .collect()
            }
        }
    }
}

fn work_addresses<'p>(person: &'p Person<'_>) -> impl Iterator<Item = &'p EmailAddress> {
    person.rows.iter().filter_map(|row| row.email.as_ref())
}

/// The owners of each account, in the order of the population.
pub(super) fn owners(
    inputs: &Inputs,
    people: &[Person<'_>],
    matches: &[Matches<'_>],
    findings: &[Finding],
) -> Vec<Owner> {
    let mut owners: Map<&str, Owner> = Map::default();
    let both = people.iter().zip(matches);
    let (leavers, others): (Vec<_>, Vec<_>) = both.partition(|(person, _)| person.is_leaver());
    for (person, matches) in leavers.into_iter().chain(others) {
        for link in &matches.links {
            let owner = owners.entry(link.account_id).or_default();
            let id = person.person_id.unwrap_or_default().to_owned();
            owner.person_ids.push(id);
            owner.matched_by.push(link.kind);
        }
    }
    for finding in findings {
        let owner = owners.entry(finding.account_id.as_deref().unwrap_or_default());
        let kinds = &mut owner.or_default().findings;
        if !kinds.contains(&finding.kind) {
            kinds.push(finding.kind);
        }
    }
    let accounts = inputs.population.accounts.iter();
    accounts
        .map(|account| owners.remove(account.id.as_str()).unwrap_or_default())
        .collect()
}
