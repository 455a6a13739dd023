//! Accounts that may be somebody's: never a match, and never ignored.
//!
//! Names, plus-tags and look-alike letters raise a suspicion, which stays open until somebody decides it
//! with an alias, an owner is found, or access ends.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::Basis;
use super::directives::Directives;
use super::lookup::{Map, Set};
use super::tenures::Person;
use crate::people::{Access, Account, EmailAddress, name_key};

/// An account that may be somebody's: a suspicion, never a match.
#[derive(Clone, Debug)]
pub(super) struct Suspicion<'a> {
    pub(super) account: &'a Account,
    pub(super) reason: &'static str,
}

/// Accounts that may have access and belong to nobody HR names, by what could give them away.
pub(super) struct Suspects<'a> {
    basis: &'a Basis<'a>,
    complete: bool,
    /// Accounts that somebody HR names owns.
    taken: Set<&'a str>,
    /// Accounts that have or may have access.
    accessible: Set<&'a str>,
    accounts: Vec<&'a Account>,
    by_id: Map<&'a str, &'a Account>,
    by_untagged_email: HashMap<String, Vec<&'a Account>>,
    /// Only accounts whose address has letters beyond ASCII; most often there is none.
    odd_by_look: HashMap<String, Vec<&'a Account>>,
    /// All of them, for the rare person whose address has such letters.
    all_by_look: OnceCell<HashMap<String, Vec<&'a Account>>>,
    by_name: HashMap<String, Vec<&'a Account>>,
}

impl<'a> Suspects<'a> {
    pub(super) fn of(basis: &'a Basis<'a>, taken: Set<&'a str>, complete: bool) -> Self {
        let mut by_untagged_email: HashMap<String, Vec<&Account>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<&Account>> = HashMap::new();
        let accounts: Vec<&Account> = basis
            .inputs
            .population
            .accounts
            .iter()
            .filter(|account| account.access() != Access::None)
            .filter(|account| !taken.contains(account.id.as_str()))
            .filter(|account| !basis.directives.is_service(account))
            .collect();
        for account in &accounts {
            for email in &account.emails {
                by_untagged_email
                    .entry(basis.same_domains.key_without_tag(email))
                    .or_default()
                    .push(account);
            }
            if let Some(key) = account.name.as_deref().and_then(name_key) {
                by_name.entry(key).or_default().push(account);
            }
        }
        let population = basis.inputs.population.accounts.iter();
        Self {
            complete,
            taken,
            accessible: population
                .filter(|account| account.access() != Access::None)
                .map(|account| account.id.as_str())
                .collect(),
            by_id: accounts
                .iter()
                .map(|account| (account.id.as_str(), *account))
                .collect(),
            basis,
            odd_by_look: by_look(accounts.iter().copied(), is_odd),
            all_by_look: OnceCell::new(),
            accounts,
            by_untagged_email,
            by_name,
        }
    }

    /// Accounts with an address that looks like this one. Of two plain addresses `l` and `1` tell
    /// people apart; a letter of another script in one of them rarely does.
    fn alike(&self, email: &EmailAddress) -> Option<&Vec<&'a Account>> {
        if is_odd(email) {
            let all = || by_look(self.accounts.iter().copied(), |_| true);
            return self.all_by_look.get_or_init(all).get(&look(email));
        }
        if self.odd_by_look.is_empty() {
            return None;
        }
        self.odd_by_look.get(&look(email))
    }

    /// What is open tonight, and every account to be remembered as suspected.
    pub(super) fn of_person(&self, person: &Person<'_>) -> (Vec<Suspicion<'a>>, Vec<String>) {
        let directives: &Directives<'_> = &self.basis.directives;
        let named = person.named();
        let population = &self.basis.inputs.population.accounts;
        let answered_for = directives.answered_for_by(&named, population);
        let answered_for = answered_for.iter().map(|(_, account)| account.id.as_str());
        if self.accounts.is_empty() {
            return (Vec::new(), self.carried(person, answered_for));
        }
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
                self.by_untagged_email
                    .get(&self.basis.same_domains.key_without_tag(email)),
                "the same address but for a plus-tag",
            );
            suspect(
                self.alike(email),
                "the same address but for look-alike letters",
            );
        }
        for name in &person.names {
            let accounts = name_key(name).and_then(|key| self.by_name.get(&key));
            suspect(accounts, "the same name");
        }
        // A name is changed in a minute: only an owner, an alias or the proven end of access closes a
        // suspicion.
        for id in person
            .previous
            .iter()
            .flat_map(|leaver| &leaver.suspected_account_id)
        {
            if let Some(account) = self.by_id.get(id.as_str()) {
                suspicions.entry(&account.id).or_insert(Suspicion {
                    account,
                    reason: "suspected in a run before",
                });
            }
        }
        let carried = self.carried(person, answered_for.chain(suspicions.keys().copied()));
        suspicions.retain(|_, suspicion| !directives.are_different(&named, suspicion.account));
        (suspicions.into_values().collect(), carried)
    }

    /// Accounts suspected tonight, also where an alias decides it, which may be gone tomorrow; those that
    /// they answer for by such a line; and those of before. None that somebody owns, or that a whole list
    /// proves to have no access.
    fn carried<'s>(
        &self,
        person: &Person<'_>,
        tonight: impl Iterator<Item = &'s str>,
    ) -> Vec<String> {
        let before = person.previous.iter();
        let before = before.flat_map(|leaver| &leaver.suspected_account_id);
        let is_open = |id: &String| {
            let is_owned = self.taken.contains(id.as_str());
            !is_owned && (!self.complete || self.accessible.contains(id.as_str()))
        };
        let mut carried: Vec<String> = tonight
            .map(str::to_owned)
            .chain(before.cloned())
            .filter(is_open)
            .collect();
        carried.sort();
        carried.dedup();
        carried
    }
}

/// Accounts by what their addresses look like.
fn by_look<'a>(
    accounts: impl Iterator<Item = &'a Account>,
    wanted: fn(&EmailAddress) -> bool,
) -> HashMap<String, Vec<&'a Account>> {
    let mut found: HashMap<String, Vec<&Account>> = HashMap::new();
    for account in accounts {
        for email in account.emails.iter().filter(|email| wanted(email)) {
            found.entry(look(email)).or_default().push(account);
        }
    }
    found
}

/// What an address looks like: the skeleton of Unicode Technical Standard #39, section 4. The domain
/// is taken as people see it, not in its ASCII form.
fn look(email: &EmailAddress) -> String {
    let (domain, _) = idna::domain_to_unicode(email.domain());
    unicode_security::skeleton(&format!("{}@{domain}", email.local())).collect()
}

/// Whether an address has letters beyond ASCII.
fn is_odd(email: &EmailAddress) -> bool {
    let mut labels = email.domain().split('.');
    !email.key().is_ascii() || labels.any(|label| label.starts_with("xn--"))
}
