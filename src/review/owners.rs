//! Who owns an account, and who may review: by every address in the reviewed run.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::FrozenRow;
use crate::evidence::AccountLine;
use crate::judgement::{FeedScope, Inputs, Leaver, SameDomains, Standing, has_name};
use crate::model::{Access, Alias, EmailAddress, Employment, HrRow};

/// The addresses of each person, so that reviewers cannot decide about their own account with another address. They are
/// compared without plus tags, and across equivalent domains. Without the run, only the addresses in the row are known.
#[derive(Debug, Default)]
pub struct Owners {
    same: SameDomains,
    /// By person id: the addresses in HR and of the person's accounts.
    of_person: HashMap<String, HashSet<String>>,
    /// By address: the other addresses in the same HR row.
    beside: HashMap<String, HashSet<String>>,
    /// The addresses of the owners of service accounts, by the owner as the alias names it.
    of_service: HashMap<String, HashSet<String>>,
    /// None without the run.
    people: Option<People>,
    /// The people of a later run, which knows who has left since.
    later: Option<People>,
}

/// The people whom Asana or HR knows, by address.
#[derive(Debug, Default)]
struct People {
    same: SameDomains,
    /// Employed people. The value is the end of work, if HR has a date.
    employed: HashMap<String, Option<Timestamp>>,
    /// People whose work has ended, with the latest end. None if an end is unknown.
    left: HashMap<String, Option<Timestamp>>,
    /// People whose HR rows do not show whether work has ended.
    doubtful: HashSet<String>,
    /// Owners of accounts with access.
    with_access: HashSet<String>,
}

impl People {
    fn eligibility(&self, person: &EmailAddress, at: Timestamp) -> Eligibility {
        let key = self.same.key_without_tag(person);
        let until = |end: Option<Timestamp>| match end.is_some_and(|end| at < end) {
            true => Eligibility::Eligible,
            false => Eligibility::HasLeft,
        };
        match (self.employed.get(&key), self.left.get(&key)) {
            (Some(None), _) => Eligibility::Eligible,
            (Some(end), _) | (None, Some(end)) => until(*end),
            (None, None) if self.doubtful.contains(&key) => Eligibility::Unknown,
            (None, None) if self.with_access.contains(&key) => Eligibility::Eligible,
            (None, None) => Eligibility::Unknown,
        }
    }
}

/// Whether a person may review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligibility {
    /// Asana or HR knows the person, and HR does not say that the person has left.
    Eligible,
    /// Neither Asana nor HR knows the address, or HR's rows about the person contradict each other.
    Unknown,
    HasLeft,
}

impl Owners {
    pub(super) fn of(
        inputs: &Inputs,
        accounts: &[AccountLine],
        leavers: &[Leaver],
        services: &[Alias],
    ) -> Self {
        let hr = &inputs.hr;
        let mut owners = Self {
            same: SameDomains::of_pairs(&inputs.policy.email_domain_aliases),
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
        for owner in services.iter().filter_map(|of| of.owner.as_deref()) {
            let keys = owners.service_owner(owner, &hr.rows);
            owners.of_service.insert(owner.to_owned(), keys);
        }
        owners.people = Some(owners.people_of(inputs, accounts, leavers));
        owners
    }

    /// The addresses of a person whom an alias names by id, address or name.
    fn service_owner(&self, owner: &str, rows: &[HrRow]) -> HashSet<String> {
        let mut keys = self.of_person.get(owner).cloned().unwrap_or_default();
        if let Some(email) = EmailAddress::parse(owner) {
            let key = self.key(&email);
            keys.extend(self.beside.get(&key).into_iter().flatten().cloned());
            keys.insert(key);
        }
        let is_owner = |row: &&HrRow| {
            row.name
                .as_deref()
                .is_some_and(|name| has_name(owner, name))
        };
        for row in rows.iter().filter(is_owner) {
            keys.extend(row.emails().map(|email| self.key(email)));
            let of_person = row.person_id.as_ref().and_then(|id| self.of_person.get(id));
            keys.extend(of_person.into_iter().flatten().cloned());
        }
        keys
    }

    fn people_of(&self, inputs: &Inputs, accounts: &[AccountLine], leavers: &[Leaver]) -> People {
        let mut people = People {
            same: self.same.clone(),
            ..People::default()
        };
        for account in accounts {
            if account.status.access() == Access::Has {
                let emails = account.email.iter().chain(&account.other_emails);
                people.with_access.extend(emails.map(|of| self.key(of)));
            }
        }
        for row in inputs.hr.rows.iter().filter(|row| works(row, inputs)) {
            let end = row.end_of_work().map(|date| date.at);
            for email in row.emails() {
                let known = people.employed.entry(self.key(email)).or_insert(end);
                *known = known.zip(end).map(|(one, other)| one.max(other));
            }
        }
        for leaver in leavers {
            let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
            let of_ids = ids.filter_map(|id| self.of_person.get(id)).flatten();
            let emails = leaver.emails.iter().map(|email| self.key(email));
            let keys = emails.chain(of_ids.cloned());
            match leaver.standing {
                Standing::Ended => {
                    let end = leaver.end_of_work;
                    for key in keys {
                        let known = people.left.entry(key).or_insert(end);
                        *known = known.zip(end).map(|(one, other)| one.max(other));
                    }
                }
                Standing::Doubtful => people.doubtful.extend(keys),
                Standing::Working
                | Standing::Rehired
                | Standing::Rescinded
                | Standing::Upcoming => {}
            }
        }
        people
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

    /// The same owners, with the people of a later run.
    #[must_use]
    pub fn with_people_of(self, later: Self) -> Self {
        Self {
            later: later.people,
            ..self
        }
    }

    /// Whether a person may review at this instant. A later run decides who has left; it may no longer list a person who
    /// had left before. Without a run, no leaver is known.
    pub fn eligibility(&self, person: &EmailAddress, at: Timestamp) -> Eligibility {
        let of = |people: &Option<People>| people.as_ref().map(|of| of.eligibility(person, at));
        match (of(&self.later), of(&self.people)) {
            (Some(Eligibility::Unknown), Some(Eligibility::HasLeft)) => Eligibility::HasLeft,
            (Some(later), _) => later,
            (None, Some(reviewed)) => reviewed,
            (None, None) => Eligibility::Eligible,
        }
    }

    /// Whether two addresses belong to one person.
    pub fn is_same_person(&self, one: &EmailAddress, other: &EmailAddress) -> bool {
        let (one, other) = (self.key(one), self.key(other));
        let mut of_people = self.of_person.values();
        one == other
            || self
                .beside
                .get(&one)
                .is_some_and(|keys| keys.contains(&other))
            || of_people.any(|keys| keys.contains(&one) && keys.contains(&other))
    }

    /// Whether a person is the owner of a row's account, also of a service account.
    pub fn is_of(&self, row: &FrozenRow, person: &EmailAddress) -> bool {
        let key = self.key(person);
        let holds = |of: Option<&HashSet<String>>| of.is_some_and(|keys| keys.contains(&key));
        let service = row.service_owner.as_ref();
        // Without the run, only an address names the owner.
        let service_email = service.and_then(|owner| EmailAddress::parse(owner));
        let emails = row.email.iter().chain(&row.other_emails);
        let mut emails = emails.chain(&service_email);
        let mut ids = row.person_id.iter();
        ids.any(|id| holds(self.of_person.get(id)))
            || service.is_some_and(|owner| holds(self.of_service.get(owner)))
            || emails.any(|email| {
                let own = self.key(email);
                own == key || holds(self.beside.get(&own))
            })
    }
}

/// Whether a tenure runs at the instant of the run.
fn works(row: &HrRow, inputs: &Inputs) -> bool {
    let has_begun = row
        .start
        .as_ref()
        .is_none_or(|start| start.at <= inputs.as_of);
    let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
    let is_open = match row.end_of_work() {
        Some(end) => end.at > inputs.as_of,
        None => match row.status {
            Employment::Active | Employment::OnLeave => true,
            Employment::Blank => is_roster,
            Employment::Ended | Employment::Unclassified(_) => false,
        },
    };
    has_begun && is_open
}
