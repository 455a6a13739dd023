//! Which accounts belong to which person.
//!
//! Every kind of match is tried and all are united; the strength only names the match. An account that
//! may be a person's but does not match is a `suspicion`, which is kept apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::directives::AccountKey;
use super::directives::Named;
use super::lookup::{Map, Set, found};
use super::people::Person;
use super::remedies::{Doubt, Key, Remedy};
use super::suspicion::{Suspected, Suspects};
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
    /// The account as the baseline had it.
    pub(super) earlier: Option<&'a Account>,
}

/// Everything that ties one person to accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches<'a> {
    /// By account id.
    pub(super) links: Vec<AccountLink<'a>>,
    /// What ties an employed colleague today to an account with an address of this leaver, by account id.
    pub(super) doubtful: BTreeMap<&'a str, Doubt>,
    /// Only for leavers.
    pub(super) suspected: Suspected<'a>,
    /// Notes for a reader on how they were tied.
    pub(super) notes: Vec<String>,
    /// Whether an account without an owner may have the name of this person, who has no address.
    pub(super) may_be_namesake: bool,
    /// Whether an account could have been found by the person's id.
    pub(super) id_could_match: bool,
    /// Lines of the aliases by which an account would have been found, if there were one.
    pub(super) aliases_could_match: Vec<u64>,
}

/// Addresses that accounts had in earlier complete runs and no longer have.
///
/// They are kept when the account is gone: HR may name a leaver weeks after the account went, and
/// an account that returns under another address is still the account of that leaver.
pub(super) fn former_emails(basis: &Basis<'_>) -> FormerEmails {
    let inputs = basis.inputs;
    let Some(baseline) = &inputs.past.baseline else {
        return FormerEmails::new();
    };
    let bears = |id: &str| {
        basis
            .listed
            .get(id)
            .map_or(&[][..], |account| &account.emails)
    };
    let mut former: BTreeMap<&str, BTreeSet<&EmailAddress>> = BTreeMap::new();
    for account in &baseline.accounts {
        // Most accounts keep their addresses.
        if bears(&account.id) != account.emails.as_slice() {
            former
                .entry(&account.id)
                .or_default()
                .extend(&account.emails);
        }
    }
    for (id, emails) in &baseline.former_emails {
        former.entry(id).or_default().extend(emails);
    }
    let mut kept = FormerEmails::new();
    for (id, emails) in former {
        let current = bears(id);
        let gone: Vec<EmailAddress> = emails
            .into_iter()
            .filter(|email| !current.contains(email))
            .cloned()
            .collect();
        if !gone.is_empty() {
            kept.insert(id.to_owned(), gone);
        }
    }
    kept
}

pub(super) fn by_id(accounts: &[Account]) -> Map<&str, &Account> {
    accounts
        .iter()
        .map(|account| (account.id.as_str(), account))
        .collect()
}

/// Ties every person to their accounts. One entry a person, in the same order.
pub(super) fn of_everybody<'a>(
    basis: &'a Basis<'a>,
    people: &'a [Person<'a>],
    index: &Index<'a>,
    complete: bool,
    uses: &mut Uses,
) -> Vec<Matches<'a>> {
    let inputs = basis.inputs;
    let ids_are_comparable = ids_prove_absence(inputs)
        && people.iter().any(|person| {
            person
                .ids
                .iter()
                .any(|id| index.by_external_id.contains_key(id))
        });

    let mut all: Vec<Matches<'a>> = people
        .iter()
        .map(|person| {
            let (links, aliases_could_match) = index.links_of(person, uses);
            Matches {
                links,
                id_could_match: ids_are_comparable
                    && person
                        .person_id
                        .is_some_and(|id| !person.shared_ids.contains(&id)),
                aliases_could_match,
                ..Matches::default()
            }
        })
        .collect();

    let mut employed: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, (person, matches)) in people.iter().zip(&all).enumerate() {
        if person.is_employed() {
            for link in &matches.links {
                employed.entry(link.account_id).or_default().push(place);
            }
        }
    }
    let mut followed: Vec<Vec<&'a Account>> = vec![Vec::new(); all.len()];
    for (place, person) in people.iter().enumerate() {
        if person.is_leaver() {
            let owners = EmployedOwners {
                people,
                employed: &employed,
                place,
            };
            followed[place] = index.carry(person, &mut all[place], &owners, uses);
            index.compare_with_owners(person, &mut all[place], &owners);
        }
    }

    let taken: Set<&str> = all
        .iter()
        .flat_map(|matches| matches.links.iter().map(|link| link.account_id))
        .collect();
    let suspects = Suspects::of(basis, index, people, taken, complete, uses);
    for ((person, matches), followed) in people.iter().zip(&mut all).zip(followed) {
        if person.is_leaver() {
            matches.suspected = suspects.of_person(person, &matches.links, &followed, uses);
            matches.may_be_namesake =
                person.worked_without_address() && suspects.may_bear_name(person);
        }
    }
    all
}

/// The employed people who are tied to an account today.
struct EmployedOwners<'p, 'a> {
    people: &'p [Person<'a>],
    employed: &'p HashMap<&'a str, Vec<usize>>,
    /// The person who is compared with them.
    place: usize,
}

impl<'p, 'a> EmployedOwners<'p, 'a> {
    /// Others who work here and are tied to an account, with their places.
    fn of(&self, account_id: &str) -> impl Iterator<Item = (usize, &'p Person<'a>)> {
        let places = self.employed.get(account_id).into_iter().flatten();
        let others = places.filter(|place| **place != self.place);
        others.map(|place| (*place, &self.people[*place]))
    }
}

/// Whether every account that may be an employee's carries an id. If one carries none, it may belong to anyone,
/// and a search by id proves nothing.
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
    /// Only addresses whose domain is one with others.
    by_same_domain: HashMap<String, Vec<&'a str>>,
    by_former_email: Map<&'a str, Vec<&'a str>>,
    former_by_same_domain: HashMap<String, Vec<&'a str>>,
    by_external_id: Map<&'a str, Vec<&'a str>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(basis: &'a Basis<'a>, former: &'a FormerEmails) -> Self {
        let inputs = basis.inputs;
        let same_domains = &basis.same_domains;
        let accounts = &inputs.population.accounts;
        let mut by_same_domain: HashMap<String, Vec<&str>> = HashMap::new();
        for account in accounts {
            for email in &account.emails {
                if let Some(key) = same_domains.key(email) {
                    by_same_domain.entry(key).or_default().push(&account.id);
                }
            }
        }
        let mut by_former_email: Map<&str, Vec<&str>> = Map::default();
        let mut former_by_same_domain: HashMap<String, Vec<&str>> = HashMap::new();
        for (id, emails) in former {
            for email in emails {
                by_former_email
                    .entry(email.key())
                    .or_default()
                    .push(id.as_str());
                if let Some(key) = same_domains.key(email) {
                    former_by_same_domain.entry(key).or_default().push(id);
                }
            }
        }
        let baseline = inputs
            .past
            .baseline
            .as_ref()
            .map_or(&[][..], |baseline| &baseline.accounts);
        // Accounts that are gone had owners, too.
        let mut by_external_id: Map<&str, Vec<&str>> = Map::default();
        for account in accounts.iter().chain(baseline) {
            if let Some(id) = &account.external_id {
                by_external_id
                    .entry(id)
                    .or_default()
                    .push(account.id.as_str());
            }
        }
        Self {
            basis,
            former,
            by_same_domain,
            by_former_email,
            former_by_same_domain,
            by_external_id,
        }
    }

    /// The accounts that today's rows and aliases tie to a person, and the lines of the aliases by which an account
    /// would have been found, if there were one.
    pub(super) fn links_of(
        &self,
        person: &Person<'_>,
        uses: &mut Uses,
    ) -> (Vec<AccountLink<'a>>, Vec<u64>) {
        // Few: most people have one account.
        let mut strongest: Vec<(&'a str, MatchKind)> = Vec::new();
        let mut tie = |account_id: &'a str, kind: MatchKind| match strongest
            .iter_mut()
            .find(|(id, _)| *id == account_id)
        {
            Some((_, known)) => *known = kind.min(*known),
            None => strongest.push((account_id, kind)),
        };
        let ids = person.ids.iter();
        for id in ids.filter(|id| !person.shared_ids.contains(id)) {
            for account in found(&self.by_external_id, id) {
                tie(account, MatchKind::PersonId);
            }
        }
        // A shared address identifies no person, but it finds an account for an employed person.
        let shared = person.shared_emails.iter().filter(|_| person.is_employed());
        let own = person
            .emails
            .iter()
            .filter(|email| !person.passed_on.contains(email));
        for email in own.chain(shared) {
            for account in found(&self.basis.by_email, email.key()) {
                tie(&account.id, MatchKind::Email);
            }
            for account in found(&self.by_former_email, email.key()) {
                tie(account, MatchKind::FormerEmail);
            }
            if let Some(key) = self.basis.same_domains.key(email) {
                for account in found(&self.by_same_domain, &key) {
                    tie(account, MatchKind::DomainAlias);
                }
                for account in found(&self.former_by_same_domain, &key) {
                    tie(account, MatchKind::FormerEmail);
                }
            }
        }
        let directives = &self.basis.directives;
        let named = person.named();
        let mut could_match = Vec::new();
        for by_hand in directives.ties_of(&named) {
            let tied = self.accounts_of(&by_hand.account);
            for account in &tied {
                tie(account, MatchKind::Alias);
                let what = format!("ties account {account} to its person");
                uses.alias(by_hand.line, what);
            }
            let would_be_found = match &by_hand.account {
                // An id that no run ever saw may be a typing error: it proves nothing.
                AccountKey::Id(_) => false,
                AccountKey::Email(email) => self.basis.domains.contains(email.domain()),
            };
            could_match.extend(would_be_found.then_some(by_hand.line));
        }
        strongest.sort_unstable();
        let links = strongest
            .into_iter()
            .filter_map(|(account_id, kind)| self.link(&named, account_id, kind, uses))
            .collect();
        (links, could_match)
    }

    /// The accounts of today's list that carry an id.
    pub(super) fn listed_with_id(&self, id: &str) -> impl Iterator<Item = &'a Account> {
        let carrying = found(&self.by_external_id, id);
        carrying.filter_map(|account| self.basis.listed.get(account).copied())
    }

    /// A tie to an account, unless an alias `different` ends it.
    fn link(
        &self,
        named: &Named<'_>,
        account_id: &'a str,
        kind: MatchKind,
        uses: &mut Uses,
    ) -> Option<AccountLink<'a>> {
        let listed = self.basis.listed.get(account_id).copied();
        let earlier = self.basis.earlier.get(account_id).copied();
        let is_different = listed
            .or(earlier)
            .is_some_and(|account| self.basis.directives.end_tie(named, account, uses));
        (!is_different).then_some(AccountLink {
            account_id,
            kind,
            listed,
            earlier,
        })
    }

    /// Once linked, a person is followed by account id, whatever happens to the addresses. Returns the accounts
    /// that belong to another employed person today, which are only suspected.
    fn carry(
        &self,
        person: &Person<'a>,
        matches: &mut Matches<'a>,
        owners: &EmployedOwners<'_, 'a>,
        uses: &mut Uses,
    ) -> Vec<&'a Account> {
        let named = person.named();
        let mut suspected = Vec::new();
        let of_leaver = person
            .previous
            .iter()
            .flat_map(|leaver| leaver.account_id.iter().zip(&leaver.matched_by));
        let of_links = person.links.iter().flat_map(|links| &links.accounts);
        let of_links = of_links.map(|account| (&account.account_id, &account.matched_by));
        let carried: BTreeMap<&'a str, MatchKind> = of_leaver
            .chain(of_links)
            .map(|(account, kind)| (account.as_str(), *kind))
            .collect();
        for (account_id, kind) in carried {
            if matches
                .links
                .iter()
                .any(|link| link.account_id == account_id)
            {
                continue;
            }
            let is_related = |place: usize| {
                let mut related = person.related.iter();
                related.any(|of| of.by_id && of.other == place)
            };
            let mut owned = owners.of(account_id).peekable();
            if owned.peek().is_none() {
                matches
                    .links
                    .extend(self.link(&named, account_id, kind, uses));
            } else if owned.any(|(place, _)| is_related(place)) {
                let note =
                    format!("account {account_id} belongs to an employed person with the same id");
                matches.notes.push(note);
            } else {
                suspected.extend(self.basis.listed.get(account_id).copied());
            }
        }
        matches.links.sort_by_key(|link| link.account_id);
        suspected
    }

    /// Compares the accounts of a leaver with those of people who work here: an address that was handed on
    /// after the person left excuses an account that began later, and a relative leaves a doubt.
    fn compare_with_owners(
        &self,
        person: &Person<'a>,
        matches: &mut Matches<'a>,
        owners: &EmployedOwners<'_, 'a>,
    ) {
        let by_address = |kind: MatchKind| match kind {
            MatchKind::Email | MatchKind::DomainAlias | MatchKind::FormerEmail => true,
            MatchKind::PersonId | MatchKind::Alias => false,
        };
        let ended = person.end_of_work;
        let mut notes = Vec::new();
        matches.links.retain(|link| {
            let joined = link.listed.and_then(|account| account.joined_at);
            let began_later = joined.is_some() && ended.is_some() && joined > ended;
            // People who may be the same have a doubt of their own, below.
            let mut others = owners.of(link.account_id).filter(|(place, _)| {
                let mut related = person.related.iter();
                !related.any(|of| of.other == *place)
            });
            let same_domains = &self.basis.same_domains;
            let is_of_account = |email: &EmailAddress| {
                let mut emails = link.listed.iter().flat_map(|account| &account.emails);
                let key = same_domains.key(email);
                emails.any(|of| of == email || key.is_some() && same_domains.key(of) == key)
            };
            let work_addresses = |of: &Person<'a>| {
                let emails = of.rows.iter().filter_map(|row| row.email.as_ref());
                emails.collect::<BTreeSet<_>>()
            };
            let own = work_addresses(person);
            let is_theirs = |other: &Person<'a>| {
                let emails = work_addresses(other);
                own.intersection(&emails).any(|email| is_of_account(email))
            };
            let Some(other) = others.next().filter(|_| by_address(link.kind)) else {
                return true;
            };
            let has_left = person.standing == Standing::Ended;
            let is_handed_on =
                began_later && has_left && (is_theirs(other.1) || others.any(|(_, of)| is_theirs(of)));
            if is_handed_on {
                notes.push(format!(
                    "account {} began after the end of work and belongs to an employed person",
                    link.account_id
                ));
            } else {
                let text = format!(
                    "account {} also matches an address of an employed person; if it belongs to that person",
                    link.account_id
                );
                let remedy = Remedy::Different(link.account_id.to_owned());
                notes.push(Doubt::new(text, remedy).about(person));
            }
            !is_handed_on
        });
        matches.notes.extend(notes);
        for relation in &person.related {
            let other = &owners.people[relation.other];
            if !other.is_employed() {
                continue;
            }
            for link in &matches.links {
                let is_theirs = owners
                    .of(link.account_id)
                    .any(|(place, _)| place == relation.other);
                if !relation.by_id && !is_theirs {
                    continue;
                }
                let (what, key) = match relation.by_id {
                    true => ("id", other_address(other)),
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

    /// The accounts that an alias names, if a run ever saw them: an account that was never seen was never removed.
    fn accounts_of(&self, key: &AccountKey<'a>) -> Vec<&'a str> {
        match key {
            AccountKey::Id(id) => {
                let listed = self.basis.listed.get_key_value(id).map(|(id, _)| *id);
                let earlier = || self.basis.earlier.get_key_value(id).map(|(id, _)| *id);
                let former = || self.former.get_key_value(*id).map(|(id, _)| id.as_str());
                listed
                    .or_else(earlier)
                    .or_else(former)
                    .into_iter()
                    .collect()
            }
            AccountKey::Email(email) => {
                let now = found(&self.basis.by_email, email.key()).map(|of| of.id.as_str());
                now.chain(found(&self.by_former_email, email.key()))
                    .collect()
            }
        }
    }
}

/// The address that separates a person from another with the same id.
fn other_address<'p>(person: &'p Person<'_>) -> Key<'p> {
    Key::of(None, &person.emails)
}

/// Who each account of the population belongs to, in the population's order.
pub(super) fn owners(
    inputs: &Inputs,
    people: &[Person<'_>],
    matches: &[Matches<'_>],
    findings: &[Finding],
) -> Vec<Owner> {
    let place: Map<&str, usize> = inputs
        .population
        .accounts
        .iter()
        .enumerate()
        .map(|(index, account)| (account.id.as_str(), index))
        .collect();
    let mut owners = vec![Owner::default(); inputs.population.accounts.len()];
    let leavers_first = [true, false];
    for wanted in leavers_first {
        for (person, matches) in people.iter().zip(matches) {
            if person.is_leaver() != wanted {
                continue;
            }
            for link in &matches.links {
                if let Some(index) = place.get(link.account_id) {
                    let id = person.person_id.unwrap_or_default().to_owned();
                    owners[*index].person_ids.push(id);
                    owners[*index].matched_by.push(link.kind);
                }
            }
        }
    }
    for finding in findings {
        let index = finding.account_id.as_deref().and_then(|id| place.get(id));
        if let Some(index) = index
            && !owners[*index].findings.contains(&finding.kind)
        {
            owners[*index].findings.push(finding.kind);
        }
    }
    owners
}
