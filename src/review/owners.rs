//! The owner of a row's account, by every address in the reviewed run.

use std::collections::{HashMap, HashSet};

use super::FrozenRow;
use crate::evidence::AccountLine;
use crate::judgement::SameDomains;
use crate::model::{EmailAddress, HrFeed};

/// The addresses of each person, so that reviewers cannot decide about their own account with another address. They are
/// compared without plus tags, and across equivalent domains. Without the run, only the addresses in the row are known.
#[derive(Debug, Default)]
pub struct Owners {
    same: SameDomains,
    /// By person id: the addresses in HR and of the person's accounts.
    of_person: HashMap<String, HashSet<String>>,
    /// By address: the other addresses in the same HR row.
    beside: HashMap<String, HashSet<String>>,
}

impl Owners {
    pub(super) fn of(domain_aliases: &[String], accounts: &[AccountLine], hr: &HrFeed) -> Self {
        let mut owners = Self {
            same: SameDomains::of_pairs(domain_aliases),
            ..Self::default()
        };
        for row in &hr.rows {
            owners.add(row.person_id.as_ref(), row.emails());
        }
        for row in &hr.rejected {
            let email = row.email.as_deref().and_then(EmailAddress::parse);
            owners.add(
                row.person_id.as_ref(),
                email.iter().chain(&row.other_emails),
            );
        }
        for account in accounts {
            let emails = account.email.iter().chain(&account.other_emails);
            let keys: HashSet<String> = emails.map(|of| owners.key(of)).collect();
            for id in &account.person_id {
                let of_person = owners.of_person.entry(id.clone()).or_default();
                of_person.extend(keys.iter().cloned());
            }
        }
        owners
    }

    fn add<'e>(&mut self, id: Option<&String>, emails: impl Iterator<Item = &'e EmailAddress>) {
        let keys: HashSet<String> = emails.map(|of| self.key(of)).collect();
        for key in &keys {
            let beside = self.beside.entry(key.clone()).or_default();
            beside.extend(keys.iter().cloned());
        }
        if let Some(id) = id {
            self.of_person.entry(id.clone()).or_default().extend(keys);
        }
    }

    fn key(&self, email: &EmailAddress) -> String {
        self.same.key_without_tag(email)
    }

    /// Whether a person is the owner of a row's account.
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
