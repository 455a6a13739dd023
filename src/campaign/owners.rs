//! Whose account a row is, by every address that the reviewed night knows of its owner.

use std::collections::{HashMap, HashSet};

use super::open::{Night, unreadable};
use crate::evidence::{Entry, FrozenRow, Listed, Worksheet, owner_addresses};
use crate::judgement::SameDomains;
use crate::ledger::{Ledger, LedgerError};
use crate::people::EmailAddress;

/// Addresses of the same person, so that nobody reviews themselves under another one. They are compared
/// without a plus-tag, and on any domain that is one with theirs.
#[derive(Debug, Default)]
pub(super) struct Owners {
    same: SameDomains,
    /// Of a person, by their id in HR: what HR has, and what their accounts bear.
    of_person: HashMap<String, HashSet<String>>,
    /// What a row of HR has beside an address.
    beside: HashMap<String, HashSet<String>>,
}

impl Owners {
    /// As a night knows them.
    pub(super) fn of(night: &Night, entry: &Entry) -> Result<Self, LedgerError> {
        let rows = owner_addresses(&night.hr).map_err(|error| unreadable(entry, &error))?;
        let mut owners = Self {
            same: SameDomains::of_pairs(&night.head.policy.email_domain_aliases),
            ..Self::default()
        };
        for row in rows {
            let keys: HashSet<String> = row.emails.iter().map(|of| owners.key(of)).collect();
            for key in &keys {
                let beside = owners.beside.entry(key.clone()).or_default();
                beside.extend(keys.iter().cloned());
            }
            if let Some(id) = row.person_id {
                owners.of_person.entry(id).or_default().extend(keys);
            }
        }
        for account in &night.accounts {
            let Listed {
                email,
                other_emails,
                person_id,
                ..
            } = account;
            let emails = email.iter().chain(other_emails);
            let keys: HashSet<String> = emails.map(|of| owners.key(of)).collect();
            for id in person_id {
                let of_person = owners.of_person.entry(id.clone()).or_default();
                of_person.extend(keys.iter().cloned());
            }
        }
        Ok(owners)
    }

    /// As the night knows them that a review is of. Where its time to be kept is over, only what the
    /// rows themselves bear is known.
    pub(super) async fn of_review(
        ledger: &Ledger,
        worksheet: &Worksheet,
        as_of: jiff::Timestamp,
    ) -> Result<Self, LedgerError> {
        let is_it = |entry: &Entry| entry.run_ref() == worksheet.night;
        let entries = ledger.back_to(is_it).await?;
        let Some(entry) = entries.last().filter(|entry| is_it(entry)) else {
            let sequence = worksheet.night.sequence;
            let text = format!("ledger entry {sequence}, whose night is reviewed, is gone");
            return Err(LedgerError::Damaged(text));
        };
        match Night::read(ledger, entry).await {
            Ok(night) => Self::of(&night, entry),
            Err(_) if entry.retain_until.is_some_and(|until| until < as_of) => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn key(&self, email: &EmailAddress) -> String {
        self.same.key_without_tag(email)
    }

    /// Whether somebody is the owner of a row's account.
    pub(super) fn is_of(&self, row: &FrozenRow, person: &EmailAddress) -> bool {
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
