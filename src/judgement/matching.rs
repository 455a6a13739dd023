//! Which accounts are whose.
//!
//! Every kind of match is tried and all are united; the strength only names the match. Names and
//! plus-tags never match: they raise a suspicion, which is kept apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::findings::finding_id;
use super::tenures::Person;
use super::{Finding, FindingKind, FormerEmails, Inputs, MatchKind, Owner};
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

/// What the note of a leaver says of an account that is suspected to be theirs.
pub(super) const MAY_BE_THEIRS: &str = "may be theirs";

/// An account that may be somebody's: a suspicion, never a match.
#[derive(Clone, Debug)]
pub(super) struct Suspicion<'a> {
    pub(super) account: &'a Account,
    pub(super) reason: &'static str,
}

/// Everything that ties one person to accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches<'a> {
    /// By account id.
    pub(super) links: Vec<Link<'a>>,
    /// By account id; only for leavers.
    pub(super) suspicions: Vec<Suspicion<'a>>,
    /// Whether an account could have been found by the person's id.
    pub(super) id_could_match: bool,
}

/// Addresses that accounts bore in earlier complete runs and bear no more.
///
/// They are kept when the account is gone: HR may name a leaver weeks after the account went, and
/// an account that returns under another address is still the account of that leaver.
pub(super) fn former_emails(inputs: &Inputs) -> FormerEmails {
    let Some(baseline) = &inputs.past.baseline else {
        return FormerEmails::new();
    };
    let today = by_id(&inputs.population.accounts);
    let mut former: BTreeMap<&str, BTreeSet<&EmailAddress>> = BTreeMap::new();
    for account in &baseline.accounts {
        former
            .entry(&account.id)
            .or_default()
            .extend(&account.emails);
    }
    for (id, emails) in &baseline.former_emails {
        former.entry(id).or_default().extend(emails);
    }
    let mut kept = FormerEmails::new();
    for (id, emails) in former {
        let current = today.get(id).map_or(&[][..], |account| &account.emails);
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

pub(super) fn by_id(accounts: &[Account]) -> HashMap<&str, &Account> {
    accounts
        .iter()
        .map(|account| (account.id.as_str(), account))
        .collect()
}

/// Ties every person to their accounts. One entry a person, in the same order.
pub(super) fn of_everybody<'a>(
    inputs: &'a Inputs,
    people: &'a [Person<'a>],
    former: &'a FormerEmails,
) -> Vec<Matches<'a>> {
    let index = Index::of(inputs, former);
    let ids_are_comparable = ids_prove_absence(inputs)
        && people.iter().any(|person| {
            person
                .ids()
                .any(|id| index.by_external_id.contains_key(id.as_str()))
        });

    let mut all: Vec<Matches<'a>> = people
        .iter()
        .map(|person| Matches {
            links: index.links_of(person),
            suspicions: Vec::new(),
            id_could_match: ids_are_comparable && person.person_id.is_some(),
        })
        .collect();

    let taken: BTreeSet<&str> = all
        .iter()
        .flat_map(|matches| matches.links.iter().map(|link| link.account_id))
        .collect();
    let suspects = Suspects::of(inputs, &taken);
    for (person, matches) in people.iter().zip(&mut all) {
        if person.is_leaver() {
            matches.suspicions = suspects.of_person(inputs, person);
        }
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
    listed: HashMap<&'a str, &'a Account>,
    earlier: HashMap<&'a str, &'a Account>,
    by_email: HashMap<&'a str, Vec<&'a str>>,
    by_former_email: HashMap<&'a str, Vec<&'a str>>,
    by_external_id: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Index<'a> {
    fn of(inputs: &'a Inputs, former: &'a FormerEmails) -> Self {
        let accounts = &inputs.population.accounts;
        let mut by_email: HashMap<&str, Vec<&str>> = HashMap::with_capacity(accounts.len());
        for account in accounts {
            for email in &account.emails {
                by_email.entry(email.key()).or_default().push(&account.id);
            }
        }
        let mut by_former_email: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, emails) in former {
            for email in emails {
                by_former_email.entry(email.key()).or_default().push(id);
            }
        }
        let baseline = inputs
            .past
            .baseline
            .as_ref()
            .map_or(&[][..], |baseline| &baseline.accounts);
        // An account that is gone was somebody's too.
        let mut by_external_id: HashMap<&str, Vec<&str>> = HashMap::new();
        for account in accounts.iter().chain(baseline) {
            if let Some(id) = &account.external_id {
                by_external_id.entry(id).or_default().push(&account.id);
            }
        }
        Self {
            listed: by_id(accounts),
            earlier: by_id(baseline),
            by_email,
            by_former_email,
            by_external_id,
        }
    }

    fn links_of(&self, person: &'a Person<'a>) -> Vec<Link<'a>> {
        let mut strongest: BTreeMap<&'a str, MatchKind> = BTreeMap::new();
        let mut tie = |account_id: &'a str, kind: MatchKind| {
            strongest
                .entry(account_id)
                .and_modify(|known| *known = kind.min(*known))
                .or_insert(kind);
        };
        let found = |index: &HashMap<&'a str, Vec<&'a str>>, key: &str| {
            index.get(key).cloned().unwrap_or_default()
        };
        for id in person.ids() {
            for account in found(&self.by_external_id, id) {
                tie(account, MatchKind::PersonId);
            }
        }
        for email in &person.emails {
            for account in found(&self.by_email, email.key()) {
                tie(account, MatchKind::Email);
            }
            for account in found(&self.by_former_email, email.key()) {
                tie(account, MatchKind::FormerEmail);
            }
        }
        // Once linked, a leaver is followed by account id, whatever happens to the e-mail.
        for leaver in &person.previous {
            for (account, kind) in leaver.account_id.iter().zip(&leaver.matched_by) {
                tie(account, *kind);
            }
        }
        strongest
            .into_iter()
            .map(|(account_id, kind)| Link {
                account_id,
                kind,
                listed: self.listed.get(account_id).copied(),
                earlier: self.earlier.get(account_id).copied(),
            })
            .collect()
    }
}

/// Accounts that may have access and belong to nobody HR names, by what could give them away.
struct Suspects<'a> {
    accounts: Vec<&'a Account>,
    by_untagged_email: HashMap<String, Vec<&'a Account>>,
    by_name: HashMap<String, Vec<&'a Account>>,
}

impl<'a> Suspects<'a> {
    fn of(inputs: &'a Inputs, taken: &BTreeSet<&str>) -> Self {
        let mut by_untagged_email: HashMap<String, Vec<&Account>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<&Account>> = HashMap::new();
        let accounts: Vec<&Account> = inputs
            .population
            .accounts
            .iter()
            .filter(|account| account.access() != Access::None)
            .filter(|account| !taken.contains(account.id.as_str()))
            .collect();
        for account in &accounts {
            for email in &account.emails {
                by_untagged_email
                    .entry(email.key_without_tag())
                    .or_default()
                    .push(account);
            }
            if let Some(key) = account.name.as_deref().and_then(name_key) {
                by_name.entry(key).or_default().push(account);
            }
        }
        Self {
            accounts,
            by_untagged_email,
            by_name,
        }
    }

    fn of_person(&self, inputs: &Inputs, person: &Person<'_>) -> Vec<Suspicion<'a>> {
        let mut suspicions: BTreeMap<&'a str, Suspicion<'a>> = BTreeMap::new();
        let mut suspect = |accounts: Option<&Vec<&'a Account>>, reason: &'static str| {
            for account in accounts.into_iter().flatten() {
                suspicions
                    .entry(&account.id)
                    .or_insert(Suspicion { account, reason });
            }
        };
        for email in &person.emails {
            suspect(
                self.by_untagged_email.get(&email.key_without_tag()),
                "the same address but for a plus-tag",
            );
        }
        for name in &person.names {
            let accounts = name_key(name).and_then(|key| self.by_name.get(&key));
            suspect(accounts, "the same name");
        }
        for account in self.suspected_before(inputs, person) {
            suspicions.entry(&account.id).or_insert(Suspicion {
                account,
                reason: "suspected in the run before",
            });
        }
        suspicions.into_values().collect()
    }

    /// Accounts that the previous run had a finding about: a name is changed in a minute, so only
    /// an owner, an alias row or the end of access closes a suspicion.
    fn suspected_before(&self, inputs: &Inputs, person: &Person<'_>) -> Vec<&'a Account> {
        let Some(previous) = &inputs.past.previous else {
            return Vec::new();
        };
        let mut suspected = Vec::new();
        // The note spares most leavers the search among all accounts.
        for leaver in person
            .previous
            .iter()
            .filter(|l| l.note.contains(MAY_BE_THEIRS))
        {
            suspected.extend(self.accounts.iter().copied().filter(|account| {
                let finding = finding_id(
                    &inputs.population.connection.id,
                    FindingKind::PossibleOffboardedAccess,
                    &account.id,
                    leaver.person_id.as_deref().unwrap_or_default(),
                );
                previous.findings_first_seen.contains_key(&finding)
            }));
        }
        suspected
    }
}

/// A name as it is compared for suspicion: case, blanks, commas and the order of the words make no
/// difference (`Díaz, Ana` and `Ana Díaz`).
pub(super) fn name_key(name: &str) -> Option<String> {
    let folded = crate::people::fold(name);
    let mut words: Vec<&str> = folded
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Who each account of the population belongs to, in the population's order.
pub(super) fn owners(
    inputs: &Inputs,
    people: &[Person<'_>],
    matches: &[Matches<'_>],
    findings: &[Finding],
) -> Vec<Owner> {
    let place: HashMap<&str, usize> = inputs
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
