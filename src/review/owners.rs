//! Who owns an account, and who may review: by every address in the reviewed run.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::FrozenRow;
use crate::evidence::AccountLine;
use crate::judgement::{FeedScope, Inputs, Leaver, MatchKind, SameDomains, Standing, has_name};
use crate::model::{Access, Alias, EmailAddress, Employment, HrRow};

/// The addresses of each person, so that reviewers cannot decide about their own account with another address. They are
/// compared without plus tags, and across equivalent domains. Without the run, only the addresses in the row are known.
#[derive(Debug, Default)]
pub struct Owners {
    same: SameDomains,
    /// The equivalent domains of a later run.
    same_later: Option<SameDomains>,
    /// By person id: the addresses in HR and of the person's accounts.
    of_person: HashMap<String, HashSet<String>>,
    /// By account id: the addresses of the account.
    of_account: HashMap<String, HashSet<String>>,
    /// By account id: the owners according to HR.
    ids_of_account: HashMap<String, HashSet<String>>,
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
    /// Addresses of people whose work has ended, which a row of another employed person has too.
    contested: HashSet<String>,
    /// People whose work has ended or may have, with whom an earlier run may know other addresses.
    gone: Vec<Gone>,
    /// Owners of accounts with access.
    with_access: HashSet<String>,
}

/// A person whose work has ended or may have.
#[derive(Debug)]
struct Gone {
    person_ids: Vec<String>,
    account_ids: Vec<String>,
    /// None if it is unknown whether work has ended.
    ended: Option<Ended>,
}

/// The end of work, if HR has a date.
type Ended = Option<Timestamp>;

impl People {
    /// Adds the addresses of a person whose work has ended or may have.
    fn add_gone(&mut self, ended: Option<Ended>, keys: impl IntoIterator<Item = String>) {
        let Some(end) = ended else {
            self.doubtful.extend(keys);
            return;
        };
        for key in keys {
            let known = self.left.entry(key).or_insert(end);
            *known = known.zip(end).map(|(one, other)| one.max(other));
        }
    }

    fn eligibility(&self, person: &EmailAddress, at: Timestamp) -> Eligibility {
        let key = self.same.key_without_tag(person);
        let until = |end: Option<Timestamp>| match end.is_some_and(|end| at < end) {
            true => Eligibility::Eligible,
            false => Eligibility::HasLeft,
        };
        if self.contested.contains(&key) {
            return Eligibility::Unknown;
        }
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
    /// Neither Asana nor HR knows the address, or HR's rows about it contradict each other or cannot be read.
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
            // Without ids in HR, every owner has a blank id.
            for id in account.person_id.iter().filter(|id| !id.is_empty()) {
                let of_person = owners.of_person.entry(id.clone()).or_default();
                of_person.extend(keys.iter().cloned());
            }
            let id = account.account_id.clone();
            let ids = owners.ids_of_account.entry(id.clone()).or_default();
            ids.extend(account.person_id.iter().cloned());
            owners.of_account.entry(id).or_default().extend(keys);
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
        let mut working: HashMap<String, Vec<&HrRow>> = HashMap::new();
        for row in inputs.hr.rows.iter().filter(|row| works(row, inputs)) {
            let end = row.end_of_work().map(|date| date.at);
            for email in row.emails() {
                let key = self.key(email);
                working.entry(key.clone()).or_default().push(row);
                let known = people.employed.entry(key).or_insert(end);
                *known = known.zip(end).map(|(one, other)| one.max(other));
            }
        }
        for leaver in leavers {
            let ended = match leaver.standing {
                Standing::Ended => Some(leaver.end_of_work),
                Standing::Doubtful => None,
                Standing::Working
                | Standing::Rehired
                | Standing::Rescinded
                | Standing::Upcoming => continue,
            };
            let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
            let ids: Vec<String> = ids.cloned().collect();
            let of_ids = ids.iter().filter_map(|id| self.of_person.get(id)).flatten();
            let emails = leaver.emails.iter().map(|email| self.key(email));
            let keys: Vec<String> = emails.chain(of_ids.cloned()).collect();
            // A person who began after the end of work may have received the address.
            let is_other = |row: &&HrRow| {
                let is_same = match &row.person_id {
                    Some(id) => ids.contains(id),
                    None => ids.is_empty(),
                };
                let dates = row.start.as_ref().zip(leaver.end_of_work);
                !is_same && dates.is_none_or(|(start, end)| start.at < end)
            };
            if ended.is_some() {
                let is_contested =
                    |key: &&String| working.get(*key).is_some_and(|of| of.iter().any(is_other));
                let contested = keys.iter().filter(is_contested);
                people.contested.extend(contested.cloned());
            }
            people.add_gone(ended, keys);
            // The owner of an account may have changed with its address.
            let accounts = leaver.account_email.iter().zip(&leaver.matched_by);
            for (email, by) in accounts {
                let ended = ended.filter(|_| *by != MatchKind::FormerEmail);
                people.add_gone(ended, email.iter().map(|email| self.key(email)));
            }
            let accounts = leaver.account_id.iter().zip(&leaver.matched_by);
            let sure = accounts.filter(|(_, by)| **by != MatchKind::FormerEmail);
            people.gone.push(Gone {
                person_ids: ids,
                account_ids: sure.map(|(id, _)| id.clone()).collect(),
                ended,
            });
        }
        let is_unclear =
            |row: &&HrRow| matches!(row.status, Employment::Unclassified(_)) && !works(row, inputs);
        for row in inputs.hr.rows.iter().filter(is_unclear) {
            people.add_gone(None, row.emails().map(|email| self.key(email)));
        }
        // A row that cannot be read may say that the person has left.
        for row in &inputs.hr.rejected {
            let email = row.email.as_deref().and_then(EmailAddress::parse);
            let emails = email.iter().chain(&row.other_emails);
            let ids = Vec::from_iter(row.person_id.clone());
            let of_ids = ids.iter().filter_map(|id| self.of_person.get(id)).flatten();
            let keys = emails.map(|email| self.key(email)).chain(of_ids.cloned());
            people.add_gone(None, keys);
            people.gone.push(Gone {
                person_ids: ids,
                account_ids: Vec::new(),
                ended: None,
            });
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

    /// The same owners, with the people of a later run. Addresses that the reviewed run knew of a person whose work has
    /// ended since then count as theirs, also if HR has replaced them.
    #[must_use]
    pub fn with_people_of(self, later: Self) -> Self {
        let mut people = later.people;
        if let Some(people) = &mut people {
            for gone in std::mem::take(&mut people.gone) {
                let of_ids = gone.person_ids.iter().map(|id| self.of_person.get(id));
                let accounts = gone.account_ids.iter();
                let of_accounts = accounts.map(|id| self.of_account.get(id));
                let keys = of_ids.chain(of_accounts).flatten().flatten();
                people.add_gone(gone.ended, keys.cloned());
            }
        }
        Self {
            later: people,
            ..self
        }
    }

    /// What both runs know. An address belongs to a person if one of the runs ties it to the person's id or account.
    #[must_use]
    pub fn united_with(mut self, mut later: Self) -> Self {
        let unite = |one: &mut HashMap<String, HashSet<String>>, other: &mut HashMap<_, _>| {
            for (of, keys) in other.drain() {
                one.entry(of).or_default().extend::<HashSet<String>>(keys);
            }
        };
        let of_both = self.with_people_of(Self {
            people: later.people.take(),
            ..Self::default()
        });
        self = of_both;
        self.same_later = Some(std::mem::take(&mut later.same));
        unite(&mut self.of_person, &mut later.of_person);
        unite(&mut self.of_account, &mut later.of_account);
        unite(&mut self.ids_of_account, &mut later.ids_of_account);
        unite(&mut self.beside, &mut later.beside);
        unite(&mut self.of_service, &mut later.of_service);
        // The owner of a service account may have got another address.
        for keys in self.of_service.values_mut() {
            let known = self.of_person.values().chain(self.of_account.values());
            let same: Vec<&HashSet<String>> = known.filter(|of| !of.is_disjoint(keys)).collect();
            keys.extend(same.into_iter().flatten().cloned());
        }
        self
    }

    /// The forms of an address in both runs.
    fn keys(&self, email: &EmailAddress) -> Vec<String> {
        let same = std::iter::once(&self.same).chain(&self.same_later);
        same.map(|of| of.key_without_tag(email)).collect()
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
        let (one, other) = (self.keys(one), self.keys(other));
        let has = |of: &HashSet<String>, keys: &[String]| keys.iter().any(|key| of.contains(key));
        let beside = one.iter().filter_map(|key| self.beside.get(key));
        let of_people = self.of_person.values().chain(self.of_account.values());
        let mut together = of_people.filter(|of| has(of, &one)).chain(beside);
        one.iter().any(|key| other.contains(key)) || together.any(|of| has(of, &other))
    }

    /// Whether a person is the owner of a row's account, also of a service account.
    pub fn is_of(&self, row: &FrozenRow, person: &EmailAddress) -> bool {
        let keys = self.keys(person);
        let has = |of: &HashSet<String>| keys.iter().any(|key| of.contains(key));
        let holds = |of: Option<&HashSet<String>>| of.is_some_and(has);
        let service = row.service_owner.as_ref();
        // Without the run, only an address names the owner.
        let service_email = service.and_then(|owner| EmailAddress::parse(owner));
        let emails = row.email.iter().chain(&row.other_emails);
        let own: HashSet<String> = emails
            .chain(&service_email)
            .flat_map(|email| self.keys(email))
            .collect();
        let of_account = self.of_account.get(&row.account_id);
        let mut own = own.iter().chain(of_account.into_iter().flatten());
        let ids = self.ids_of_account.get(&row.account_id);
        let mut ids = row.person_id.iter().chain(ids.into_iter().flatten());
        ids.any(|id| holds(self.of_person.get(id)))
            || service.is_some_and(|owner| holds(self.of_service.get(owner)))
            || own.any(|own| keys.contains(own) || holds(self.beside.get(own)))
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
