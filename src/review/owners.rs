//! Whose account a row is, by every address that the reviewed night knows of its owner.

use std::collections::{HashMap, HashSet};

use super::{FrozenRow, Listed, NightPolicy, population::owner_addresses};
use crate::judgement::SameDomains;
use crate::people::EmailAddress;

/// Addresses of the same person, so that nobody reviews themselves under another one. They are compared
/// without a plus-tag, and on any domain that is one with theirs. Of a night that is not at hand nothing is
/// known but what the rows themselves bear.
#[derive(Debug, Default)]
pub struct Owners {
    same: SameDomains,
    /// Of a person, by their id in HR: what HR has, and what their accounts bear.
    of_person: HashMap<String, HashSet<String>>,
    /// What a row of HR has beside an address.
    beside: HashMap<String, HashSet<String>>,
}

impl Owners {
    /// As a night knows them: by its rules, its accounts and the unpacked lines of `inputs/hr.jsonl.gz`.
    ///
    /// # Errors
    /// Where the lines are not those of such a file.
    pub fn of(
        policy: &NightPolicy,
        accounts: &[Listed],
        hr: &[u8],
    ) -> Result<Self, serde_json::Error> {
        let mut owners = Self {
            same: SameDomains::of_pairs(&policy.email_domain_aliases),
            ..Self::default()
        };
        for row in owner_addresses(hr)? {
            let keys: HashSet<String> = row.emails.iter().map(|of| owners.key(of)).collect();
            for key in &keys {
                let beside = owners.beside.entry(key.clone()).or_default();
                beside.extend(keys.iter().cloned());
            }
            if let Some(id) = row.person_id {
                owners.of_person.entry(id).or_default().extend(keys);
            }
        }
        for account in accounts {
            let emails = account.email.iter().chain(&account.other_emails);
            let keys: HashSet<String> = emails.map(|of| owners.key(of)).collect();
            for id in &account.person_id {
                let of_person = owners.of_person.entry(id.clone()).or_default();
                of_person.extend(keys.iter().cloned());
            }
        }
        Ok(owners)
    }

    fn key(&self, email: &EmailAddress) -> String {
        self.same.key_without_tag(email)
    }

    /// Whether somebody is the owner of a row's account.
    pub fn is_of(&self, row: &FrozenRow, person: &EmailAddress) -> bool {
        let key = self.key(person);
        let holds = |of: Option<&HashSet<String>>| of.is_some_and(|keys| keys.contains(&key));
        let mut emails = row.email.iter().chain(&row.other_emails);
        let mut ids = row.person_id.iter();
        ids.any(|id| holds(self.of_person.get(id)))
            || emails.any(|email| {
                let own = self.key(email);
                own == key || holds(self.beside.get(&own))
            })
    }
}
