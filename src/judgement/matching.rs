//! Which accounts are whose.
//!
//! Every kind of match is tried and all are united; the strength only names the match. What looks like
//! somebody's account and is no match is kept apart, as a `suspicion`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::directives::AccountKey;
use super::lookup::{Lookup, Map, Set};
use super::suspicion::{Suspects, Suspicion};
use super::tenures::Person;
use super::{Basis, Finding, FormerEmails, Inputs, MatchKind, Owner};
use crate::people::{Access, Account, EmailAddress, Role};

/// An account somebody is tied to: on tonight's list, or known from an earlier run and gone.
#[derive(Clone, Debug)]
pub(super) struct Link<'a> {
    pub(super) account_id: &'a str,
    pub(super) kind: MatchKind,
    /// The account as listed tonight.
    pub(super) listed: Option<&'a Account>,
    /// The account as the baseline had it.
    pub(super) earlier: Option<&'a Account>,
}

/// Everything that ties one person to accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches<'a> {
    /// By account id.
    pub(super) links: Vec<Link<'a>>,
    /// By account id; only for leavers.
    pub(super) suspicions: Vec<Suspicion<'a>>,
    /// Accounts to be remembered as suspected, by id.
    pub(super) suspected_account_id: Vec<String>,
    /// Whether an account could have been found by the person's id.
    pub(super) id_could_match: bool,
    /// Lines of the aliases that name an account which would have been found if it were there.
    pub(super) aliases_could_match: Vec<u64>,
}

/// Addresses that accounts bore in earlier complete runs and bear no more.
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
        // Most accounts bear what they bore.
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
    former: &'a FormerEmails,
    complete: bool,
) -> Vec<Matches<'a>> {
    let inputs = basis.inputs;
    let index = Index::of(basis, former);
    let ids_are_comparable = ids_prove_absence(inputs)
        && people
            .iter()
            .any(|person| person.ids().any(|id| index.by_external_id.contains(id)));

    let mut all: Vec<Matches<'a>> = people
        .iter()
        .map(|person| {
            let (links, aliases_could_match) = index.links_of(person);
            Matches {
                links,
                suspicions: Vec::new(),
                suspected_account_id: Vec::new(),
                id_could_match: ids_are_comparable && person.person_id.is_some(),
                aliases_could_match,
            }
        })
        .collect();

    let taken: Set<&str> = all
        .iter()
        .flat_map(|matches| matches.links.iter().map(|link| link.account_id))
        .collect();
    let suspects = Suspects::of(basis, taken, complete);
    let suspected: Vec<(Vec<Suspicion<'a>>, Vec<String>)> = people
        .iter()
        .map(|person| match person.is_leaver() {
            true => suspects.of_person(person),
            false => (Vec::new(), Vec::new()),
        })
        .collect();
    for (matches, (open, carried)) in all.iter_mut().zip(suspected) {
        matches.suspicions = open;
        matches.suspected_account_id = carried;
    }
    all
}

/// Whether every account that may be an employee's carries an id: one that carries none may be
/// anybody's, so that a search by id proves nothing.
fn ids_prove_absence(inputs: &Inputs) -> bool {
    inputs.population.accounts.iter().all(|account| {
        account.external_id.is_some()
            || account.role == Role::Guest
            || account.access() == Access::None
    })
}

/// Accounts findable by what people are matched by.
struct Index<'a> {
    basis: &'a Basis<'a>,
    former: &'a FormerEmails,
    by_email: Lookup<'a, &'a str>,
    /// Only addresses whose domain is one with others.
    by_same_domain: HashMap<String, Vec<&'a str>>,
    by_former_email: Lookup<'a, &'a str>,
    former_by_same_domain: HashMap<String, Vec<&'a str>>,
    by_external_id: Lookup<'a, &'a str>,
}

impl<'a> Index<'a> {
    fn of(basis: &'a Basis<'a>, former: &'a FormerEmails) -> Self {
        let inputs = basis.inputs;
        let same_domains = &basis.same_domains;
        let accounts = &inputs.population.accounts;
        let mut by_email = Lookup::new();
        let mut by_same_domain: HashMap<String, Vec<&str>> = HashMap::new();
        for account in accounts {
            for email in &account.emails {
                by_email.add(email.key(), account.id.as_str());
                if let Some(key) = same_domains.key(email) {
                    by_same_domain.entry(key).or_default().push(&account.id);
                }
            }
        }
        let mut by_former_email = Lookup::new();
        let mut former_by_same_domain: HashMap<String, Vec<&str>> = HashMap::new();
        for (id, emails) in former {
            for email in emails {
                by_former_email.add(email.key(), id.as_str());
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
        // An account that is gone was somebody's too.
        let mut by_external_id = Lookup::new();
        for account in accounts.iter().chain(baseline) {
            if let Some(id) = &account.external_id {
                by_external_id.add(id, account.id.as_str());
            }
        }
        Self {
            basis,
            former,
            by_email,
            by_same_domain,
            by_former_email,
            former_by_same_domain,
            by_external_id,
        }
    }

    /// The accounts tied to a person, and the lines of the aliases that name an account which would
    /// have been found if it were there.
    fn links_of(&self, person: &'a Person<'a>) -> (Vec<Link<'a>>, Vec<u64>) {
        // Few: most people have one account.
        let mut strongest: Vec<(&'a str, MatchKind)> = Vec::new();
        let mut tie = |account_id: &'a str, kind: MatchKind| match strongest
            .iter_mut()
            .find(|(id, _)| *id == account_id)
        {
            Some((_, known)) => *known = kind.min(*known),
            None => strongest.push((account_id, kind)),
        };
        for id in person.ids() {
            for account in self.by_external_id.get(id) {
                tie(account, MatchKind::PersonId);
            }
        }
        for email in &person.emails {
            for account in self.by_email.get(email.key()) {
                tie(account, MatchKind::Email);
            }
            for account in self.by_former_email.get(email.key()) {
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
                directives.tied(by_hand.line, account);
            }
            let would_be_found = match &by_hand.account {
                // An id that nobody ever saw may be a slip of the pen: it proves nothing.
                AccountKey::Id(_) => false,
                AccountKey::Email(email) => self.basis.domains.contains(email.domain()),
            };
            could_match.extend(would_be_found.then_some(by_hand.line));
        }
        // Once linked, a leaver is followed by account id, whatever happens to the e-mail. What only
        // an alias tied, another line may undo.
        for leaver in &person.previous {
            for (account, kind) in leaver.account_id.iter().zip(&leaver.matched_by) {
                let undone = *kind == MatchKind::Alias
                    && self
                        .basis
                        .listed
                        .get(account.as_str())
                        .is_some_and(|account| directives.are_different(&named, account));
                if !undone {
                    tie(account, *kind);
                }
            }
        }
        strongest.sort_unstable();
        let links = strongest
            .into_iter()
            .map(|(account_id, kind)| Link {
                account_id,
                kind,
                listed: self.basis.listed.get(account_id).copied(),
                earlier: self.basis.earlier.get(account_id).copied(),
            })
            .collect();
        (links, could_match)
    }

    /// The accounts an alias names, of those ever seen: one that nobody saw was never removed.
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
                let now = self.by_email.get(email.key());
                now.chain(self.by_former_email.get(email.key())).collect()
            }
        }
    }
}

/// The accounts of a key that had to be made.
fn found<'a>(index: &HashMap<String, Vec<&'a str>>, key: &str) -> impl Iterator<Item = &'a str> {
    index.get(key).into_iter().flatten().copied()
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
                    let id = person.person_id.clone().unwrap_or_default();
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
