//! The manual decisions, checked by the rules: which lines are in force, and what each of them covers.
//!
//! A line that is malformed, expired or approved by the person it is for is never used: it is a
//! finding. What lines did is collected in [`Uses`].

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::approvers::{
    Called, Fault, OWN_APPROVAL, Register, Who, ensure_approver, ensure_reason, has_name,
    malformed, required,
};
use super::domains::SameDomains;
use super::records::exception_id;
use super::uses::Uses;
use super::{CheckId, DirectiveKind, DirectiveState, FeedScope, Inputs, Leaver};
use crate::model::{Access, Account, Alias, EmailAddress, Exception, RejectedRow};

/// An exception may be in force for so many days at most, counted from its approval.
const LONGEST_EXCEPTION_DAYS: i32 = 90;

/// What an exception for an account without an address covers.
pub(super) const NO_EMAIL: &str = "no e-mail";

/// What an exception accepts of leavers for whom HR gives no usable address.
pub(super) const WITHOUT_ADDRESS: &str = "leavers_without_address";

/// What an exception may accept by `check`.
const ACCEPTABLE: [&str; 3] = ["population_drop", "hr_drop", WITHOUT_ADDRESS];

/// An account as a line names it.
#[derive(Clone, Debug)]
pub(super) enum AccountKey<'a> {
    Id(&'a str),
    Email(EmailAddress),
}

impl AccountKey<'_> {
    fn names(&self, account: &Account) -> bool {
        match self {
            Self::Id(id) => account.id == *id,
            Self::Email(email) => account.emails.contains(email),
        }
    }
}

/// A person as a line names them.
#[derive(Clone, Debug)]
pub(super) enum PersonKey<'a> {
    Id(&'a str),
    Email(EmailAddress),
}

/// A person by everything that may name them.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    pub(super) ids: &'a [&'a str],
    pub(super) emails: &'a [EmailAddress],
    /// Addresses that others have, too: they name nobody, and nobody approves by them what is about themselves.
    pub(super) shared_emails: &'a [EmailAddress],
    pub(super) names: &'a [&'a str],
}

impl<'a> Named<'a> {
    fn is(&self, key: &PersonKey<'_>) -> bool {
        match key {
            PersonKey::Id(id) => self.ids.contains(id),
            PersonKey::Email(email) => self.emails.contains(email),
        }
    }

    /// Whether a text holds all words of a name of theirs.
    fn is_named(&self, text: &str) -> bool {
        self.names.iter().any(|name| has_name(text, name))
    }
}

/// An account that a line ties to a person, or separates from one.
#[derive(Clone, Debug)]
pub(super) struct Tie<'a> {
    pub(super) line: u64,
    pub(super) account: AccountKey<'a>,
    person: PersonKey<'a>,
    approved_by: Option<&'a str>,
}

/// A service account, which belongs to no person.
#[derive(Clone, Debug)]
pub(super) struct ServiceAccount<'a> {
    line: u64,
    account: AccountKey<'a>,
    owner: PersonKey<'a>,
}

/// An exception that is in force.
#[derive(Clone, Debug)]
pub(super) struct InForce<'a> {
    pub(super) line: u64,
    exception: &'a Exception,
    email: Option<EmailAddress>,
    pub(super) expires_on: Date,
    /// Stays the same from run to run for the same keys.
    pub(super) id: String,
    /// The first run of an unbroken series that showed the line.
    pub(super) in_force_since: Timestamp,
}

impl InForce<'_> {
    /// Whether all keys of the line name this person or account. `by_id` is whether its id does; the e-mail must
    /// be one of `emails`. The line must have at least one of the two.
    fn is_for(&self, by_id: Option<bool>, emails: &[EmailAddress]) -> bool {
        let by_email = self.email.as_ref().map(|email| emails.contains(email));
        let by_both = [by_id, by_email];
        self.exception.check.is_none()
            && by_both != [None, None]
            && by_both.iter().flatten().all(|named| *named)
    }

    fn is_for_account(&self, account: &Account) -> bool {
        let by_id = self.exception.account_id.as_ref();
        self.exception.person_id.is_none()
            && self.is_for(by_id.map(|id| *id == account.id), &account.emails)
    }

    /// The line and its last day, for a check. No names.
    pub(super) fn in_short(&self) -> String {
        let Self {
            line, expires_on, ..
        } = self;
        format!("the exception in line {line}, in force through {expires_on}")
    }

    /// How evidence names it: the line, who approved it, until when and why, and whether it covers after the fact.
    pub(super) fn in_full(&self, due: Option<Timestamp>) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let after_the_fact = match self.is_after_the_fact(due) {
            true => format!(" (after the fact: in force since {})", self.in_force_since),
            false => String::new(),
        };
        format!(
            "exception in line {}, approved by {} until {}: {}{after_the_fact}",
            self.line,
            text(&self.exception.approved_by),
            self.expires_on,
            text(&self.exception.reason)
        )
    }

    /// Whether it came into force after what it covers was due. An exception of the first run never did: the deadline
    /// from notice is not earlier than that run.
    fn is_after_the_fact(&self, due: Option<Timestamp>) -> bool {
        due.is_some_and(|due| self.in_force_since > due)
    }
}

/// A line that is never used, and why.
#[derive(Clone, Debug)]
pub(super) struct Invalid {
    pub(super) kind: DirectiveKind,
    pub(super) line: u64,
    pub(super) state: DirectiveState,
    pub(super) reason: String,
    pub(super) account_id: Option<String>,
    pub(super) person_id: Option<String>,
    pub(super) email: Option<EmailAddress>,
}

impl Invalid {
    pub(super) fn alias(of: &Alias, (state, reason): Fault) -> Self {
        Self {
            kind: DirectiveKind::Alias,
            line: of.line,
            state,
            reason,
            account_id: of.account_id.clone(),
            person_id: of.person_id.clone(),
            email: of.email.as_deref().and_then(EmailAddress::parse),
        }
    }

    pub(super) fn exception(of: &Exception, (state, reason): Fault) -> Self {
        Self {
            kind: DirectiveKind::Exception,
            line: of.line,
            state,
            reason,
            account_id: of.account_id.clone(),
            person_id: of.person_id.clone(),
            email: of.email.as_deref().and_then(EmailAddress::parse),
        }
    }
}

/// Every line: those in force by their relation, and those that are never used.
pub(super) struct UsableDirectives<'a> {
    /// Who may be the person or account of a line.
    pub(super) register: Register<'a>,
    same: Vec<Tie<'a>>,
    /// Places in `same`, by person.
    same_by_id: HashMap<&'a str, Vec<usize>>,
    same_by_email: HashMap<EmailAddress, Vec<usize>>,
    different: Vec<Tie<'a>>,
    /// Pairs of people who are one person, with the line of the alias.
    same_people: Vec<(u64, [PersonKey<'a>; 2], &'a str)>,
    services: Vec<ServiceAccount<'a>>,
    pub(super) exceptions: Vec<InForce<'a>>,
    /// Mail domains that are one.
    same_domains: SameDomains,
    /// Lines that are never used, whoever is concerned.
    pub(super) invalid: Vec<Invalid>,
}

impl<'a> UsableDirectives<'a> {
    /// Checks every line by the rules, at the instant of the run.
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let zone = TimeZone::get(&inputs.policy.hr_time_zone).unwrap_or(TimeZone::UTC);
        let mut directives = Self {
            register: Register::of(inputs),
            same: Vec::new(),
            same_by_id: HashMap::new(),
            same_by_email: HashMap::new(),
            different: Vec::new(),
            same_people: Vec::new(),
            services: Vec::new(),
            exceptions: Vec::new(),
            same_domains: SameDomains::of(inputs),
            invalid: Vec::new(),
        };
        for alias in inputs.directives.aliases() {
            if let Err(fault) = directives.add_alias(alias, &zone, inputs) {
                directives.invalid.push(Invalid::alias(alias, fault));
            }
        }
        for exception in inputs.directives.exceptions() {
            match directives.in_force(exception, &zone, inputs) {
                Ok(exception) => directives.exceptions.push(exception),
                Err(fault) => directives
                    .invalid
                    .push(Invalid::exception(exception, fault)),
            }
        }
        for (place, tie) in directives.same.iter().enumerate() {
            match &tie.person {
                PersonKey::Id(id) => directives.same_by_id.entry(*id).or_default().push(place),
                PersonKey::Email(email) => {
                    let places = directives.same_by_email.entry(email.clone());
                    places.or_default().push(place);
                }
            }
        }
        // Of several that cover the same, the one that lasts longest is named.
        directives
            .exceptions
            .sort_by(|a, b| b.expires_on.cmp(&a.expires_on).then(a.line.cmp(&b.line)));
        directives
    }

    fn add_alias(
        &mut self,
        alias: &'a Alias,
        zone: &TimeZone,
        inputs: &'a Inputs,
    ) -> Result<(), Fault> {
        if let Some(fault) = &alias.fault {
            return Err(malformed(fault));
        }
        let email = parsed_email(alias.email.as_deref())?;
        if let Some(expires_on) = &alias.expires_on {
            ensure_in_force(expires_on, zone, inputs.as_of)?;
        }
        let line = alias.line;
        let relation = alias.relation.as_deref().unwrap_or("same");
        let is = |known: &str| relation.eq_ignore_ascii_case(known);
        if is("different") || is("same_person") || is("service") {
            ensure_reason(alias.reason.as_deref())?;
            ensure_approver(alias.approved_by.as_deref())?;
        }
        if is("same_person") {
            let people = alias
                .person_id
                .as_deref()
                .and_then(|ids| ids.split_once('='));
            let people = people.map(|(one, other)| (one.trim(), other.trim()));
            let are_two =
                |(one, other): &(&str, &str)| ![*one, *other].contains(&"") && one != other;
            let Some((one, other)) = people.filter(are_two) else {
                let reason =
                    "same_person needs two people in person_id, as `E1=E9` (ids or addresses)";
                return Err(malformed(reason));
            };
            let approved_by = alias.approved_by.as_deref().unwrap_or_default();
            let pair = [person_key(one), person_key(other)];
            self.same_people.push((line, pair, approved_by));
            return Ok(());
        }
        let account = match (&alias.account_id, &email) {
            (Some(id), _) => AccountKey::Id(id),
            (None, Some(email)) => AccountKey::Email(email.clone()),
            (None, None) => return Err(malformed("it names no account: give account_id or email")),
        };
        if is("service") {
            let Some(owner) = &alias.owner else {
                return Err(malformed("a service account needs an owner"));
            };
            if alias.expires_on.is_none() {
                return Err(malformed("a service account needs expires_on"));
            }
            let owner = person_key(owner);
            let named = self.named_as_owner(&owner, inputs);
            let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
            if named.is_empty() && is_roster && !inputs.hr.rows.is_empty() {
                let reason = "the roster does not name its owner: write a person who works here";
                return Err(malformed(reason));
            }
            let (owner_id, owner_email) = match &owner {
                PersonKey::Id(id) => (Some(*id), None),
                PersonKey::Email(email) => (None, Some(email)),
            };
            let emails = email.iter().chain(owner_email);
            let account_id = alias.account_id.as_deref();
            let mut called = self.register.named(owner_id, emails, account_id);
            named.into_iter().for_each(|who| called.add(who));
            let approver = alias.approved_by.as_deref().unwrap_or_default();
            if called.are_written(approver, &self.same_domains) {
                let reason = "it is approved by the owner or by the person of the account";
                return Err(malformed(reason));
            }
            self.services.push(ServiceAccount {
                line,
                account,
                owner,
            });
            return Ok(());
        }
        let person = match (&alias.person_id, &alias.account_id, &email) {
            (Some(id), ..) => PersonKey::Id(id),
            (None, Some(_), Some(email)) => PersonKey::Email(email.clone()),
            _ => {
                let reason = "it names an account and no person: give person_id, or account_id and \
                              the person's email";
                return Err(malformed(reason));
            }
        };
        let tie = Tie {
            line,
            account,
            person,
            approved_by: alias.approved_by.as_deref(),
        };
        if is("same") {
            self.same.push(tie);
        } else if is("different") {
            let (person_id, account_id) = (alias.person_id.as_deref(), alias.account_id.as_deref());
            let called = self.register.named(person_id, &email, account_id);
            let approver = alias.approved_by.as_deref().unwrap_or_default();
            if called.are_written(approver, &self.same_domains) {
                return Err(malformed(OWN_APPROVAL));
            }
            self.different.push(tie);
        } else {
            let reason = "its relation is not `same`, `different`, `same_person` or `service`";
            return Err(malformed(reason));
        }
        Ok(())
    }

    /// Everybody whom the owner of a service account may be: by id, by address in any domain that counts as one, or by
    /// name.
    fn named_as_owner(&self, owner: &PersonKey<'_>, inputs: &'a Inputs) -> Vec<Who<'a>> {
        let found = match owner {
            PersonKey::Id(id) => self.register.with_id(id),
            PersonKey::Email(email) => self.register.with_email(email),
        };
        let is_person = |who: &Who<'_>| !matches!(who, Who::Account(_) | Who::Baseline(_));
        let found: Vec<Who<'a>> = found.into_iter().filter(is_person).collect();
        if !found.is_empty() {
            return found;
        }
        let is = |who: &Who<'a>| {
            let mut called = Called::default();
            called.add(*who);
            match owner {
                PersonKey::Id(id) => called.names.iter().any(|name| has_name(id, name)),
                PersonKey::Email(owner) => {
                    let key = self.same_domains.key(owner);
                    let mut emails = called.emails.iter();
                    key.is_some() && emails.any(|email| self.same_domains.key(email) == key)
                }
            }
        };
        let previous = inputs.past.previous.iter();
        let leavers = previous.clone().flat_map(|of| &of.leavers).map(Who::Leaver);
        let links = previous.flat_map(|of| &of.links).map(Who::Links);
        let rows = inputs.hr.rows.iter().map(Who::Row);
        let rejected = inputs.hr.rejected.iter().map(Who::Rejected);
        rows.chain(rejected)
            .chain(leavers)
            .chain(links)
            .filter(is)
            .collect()
    }

    /// Whether any exception is in force.
    pub(super) fn has_exceptions(&self) -> bool {
        !self.exceptions.is_empty()
    }

    /// The lines that tie accounts to a person.
    pub(super) fn ties_of(&self, person: &Named<'_>) -> Vec<&Tie<'a>> {
        if self.same.is_empty() {
            return Vec::new();
        }
        let by_id = person.ids.iter().filter_map(|id| self.same_by_id.get(id));
        let emails = person.emails.iter();
        let by_email = emails.filter_map(|email| self.same_by_email.get(email));
        let places: BTreeSet<usize> = by_id.chain(by_email).flatten().copied().collect();
        places.into_iter().map(|place| &self.same[place]).collect()
    }

    /// Pairs of people that a line makes one person, with the line and its approver.
    pub(super) fn same_people(&self) -> &[(u64, [PersonKey<'a>; 2], &'a str)] {
        &self.same_people
    }

    /// Whether a line may make two people one. `people` are both together, and neither may approve it.
    pub(super) fn may_take_for_one(
        &self,
        line: u64,
        people: &Named<'_>,
        approved_by: &str,
        uses: &mut Uses,
    ) -> bool {
        let by_themselves = self.are_written(approved_by, people, &[]);
        match by_themselves {
            true => uses.own_approval(DirectiveKind::Alias, line),
            false => uses.alias(line, "treats two people as one".to_owned()),
        }
        !by_themselves
    }

    /// Whether an alias `different` separates an account from a person.
    pub(super) fn are_different(
        &self,
        person: &Named<'_>,
        account: &Account,
        uses: &mut Uses,
    ) -> bool {
        self.difference(person, account, uses).is_some()
    }

    /// The same of an account that is tied to the person: the line ends the tie, which accepts a risk if the
    /// account has access.
    pub(super) fn end_tie(&self, person: &Named<'_>, account: &Account, uses: &mut Uses) -> bool {
        let line = self.difference(person, account, uses);
        if let Some(line) = line.filter(|_| account.access() != Access::None) {
            uses.ended_tie(line);
        }
        line.is_some()
    }

    fn difference(&self, person: &Named<'_>, account: &Account, uses: &mut Uses) -> Option<u64> {
        let of = self.different.iter();
        for tie in of.filter(|tie| tie.account.names(account) && person.is(&tie.person)) {
            let approved_by = tie.approved_by.unwrap_or_default();
            if self.are_written(approved_by, person, &[account]) {
                uses.own_approval(DirectiveKind::Alias, tie.line);
                continue;
            }
            let what = format!("account {} is not that of its person", account.id);
            uses.alias(tie.line, what);
            return Some(tie.line);
        }
        None
    }

    /// Whether an account is a service account.
    pub(super) fn is_service(&self, account: &Account, uses: &mut Uses) -> bool {
        let services = self.services.iter();
        let mut lines = services
            .filter(|service| service.account.names(account))
            .peekable();
        let is_service = lines.peek().is_some();
        for service in lines {
            let what = format!("account {} is a service account", account.id);
            uses.alias(service.line, what);
        }
        is_service
    }

    /// The service accounts of an owner that have or may have access, each with its line. A line names the owner by
    /// id, by name, or by address in any domain that counts as one with theirs.
    pub(super) fn answered_for_by<'s>(
        &self,
        person: &Named<'_>,
        accounts: &'s [Account],
    ) -> Vec<(u64, &'s Account)> {
        let is_owner = |service: &&ServiceAccount<'a>| match &service.owner {
            PersonKey::Id(id) => person.ids.contains(id) || person.is_named(id),
            PersonKey::Email(owner) => person.emails.iter().any(|email| {
                let same = self.same_domains.key(email);
                email == owner || same.is_some() && same == self.same_domains.key(owner)
            }),
        };
        let services = self.services.iter().filter(is_owner);
        services
            .flat_map(|service| {
                let accounts = accounts.iter();
                accounts
                    .filter(|account| account.access() != Access::None)
                    .filter(|account| service.account.names(account))
                    .map(|account| (service.line, account))
            })
            .collect()
    }

    /// The same of a leaver.
    pub(super) fn left_behind_by<'s>(
        &self,
        leaver: &Leaver,
        accounts: &'s [Account],
    ) -> Vec<(u64, &'s Account)> {
        if self.services.is_empty() {
            return Vec::new();
        }
        let ids: Vec<&str> = leaver.ids().map(String::as_str).collect();
        let names: Vec<&str> = leaver.name.as_deref().into_iter().collect();
        let named = Named {
            ids: &ids,
            emails: &leaver.emails,
            shared_emails: &[],
            names: &names,
        };
        self.answered_for_by(&named, accounts)
    }

    /// Everything that a person and accounts are or were called.
    fn called<'k>(&'k self, whom: &Named<'k>, accounts: &[&'k Account]) -> Called<'k> {
        let mut called = self.register.earlier(whom.ids, whom.emails, accounts);
        called.ids.extend(whom.ids);
        called.emails.extend(whom.emails);
        called.emails.extend(whom.shared_emails);
        called.names.extend(whom.names.iter().copied());
        for account in accounts {
            called.add(Who::Account(account));
        }
        called
    }

    /// Whether an approver's cell names a person or accounts.
    fn are_written(&self, approver: &str, whom: &Named<'_>, accounts: &[&Account]) -> bool {
        let called = self.called(whom, accounts);
        called.are_written(approver, &self.same_domains)
    }

    /// The exception that applies and is not approved by the person it is for: one that is not after the fact if
    /// possible, then the one that lasts longest. All that apply are checked, so that every self-approved one
    /// becomes a finding.
    fn covering<'k>(
        &self,
        whom: impl FnOnce() -> Called<'k>,
        what: impl FnOnce() -> String,
        due: Option<Timestamp>,
        uses: &mut Uses,
        covers: impl Fn(&InForce<'a>) -> bool,
    ) -> Option<&InForce<'a>> {
        let covering: Vec<&InForce<'a>> = self.exceptions.iter().filter(|of| covers(of)).collect();
        if covering.is_empty() {
            return None;
        }
        let whom = whom();
        let (own, approved): (Vec<_>, Vec<_>) = covering.into_iter().partition(|of| {
            let approver = of.exception.approved_by.as_deref().unwrap_or_default();
            whom.are_written(approver, &self.same_domains)
        });
        for of in own {
            uses.own_approval(DirectiveKind::Exception, of.line);
        }
        let found = approved
            .into_iter()
            .min_by_key(|of| of.is_after_the_fact(due))?;
        uses.exception(found.line, what(), found.is_after_the_fact(due));
        Some(found)
    }

    /// The exception that covers a leaver's access by an account, if there is one.
    pub(super) fn covers_access(
        &self,
        leaver: &Named<'_>,
        account: &Account,
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let whom = || self.called(leaver, &[account]);
        let what = || format!("covers access by account {}", account.id);
        self.covering(whom, what, due, uses, |of| {
            let exception = of.exception;
            let person = exception.person_id.as_deref();
            let id = exception.account_id.as_ref();
            let is_theirs = |email| leaver.emails.contains(email) || account.emails.contains(email);
            exception.check.is_none()
                && person.is_none_or(|id| leaver.ids.contains(&id))
                && of.email.as_ref().is_none_or(is_theirs)
                && id.is_none_or(|id| *id == account.id)
        })
    }

    /// The exception that is for an account, independent of its owner.
    pub(super) fn covers_account(
        &self,
        account: &Account,
        what: &'static str,
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let itself = || {
            let mut called = self.register.earlier(&[], &[], &[account]);
            called.add(Who::Account(account));
            called
        };
        let what = || format!("covers account {}: {what}", account.id);
        self.covering(itself, what, due, uses, |of| of.is_for_account(account))
    }

    /// Whether a line names an account without an address.
    pub(super) fn name(&self, account: &Account, uses: &mut Uses) -> bool {
        self.is_service(account, uses)
            || self.covers_account(account, NO_EMAIL, None, uses).is_some()
    }

    /// The exception for the person in a rejected row.
    pub(super) fn covers_rejected(
        &self,
        row: &RejectedRow,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let email = row.email.as_deref().and_then(EmailAddress::parse);
        let id = row.person_id.as_deref();
        let whom = || self.register.named(id, &email, None);
        let what = || {
            format!(
                "covers the rejected row in line {} of the HR feed",
                row.line
            )
        };
        self.covering(whom, what, None, uses, |of| {
            let by_id = of.exception.person_id.as_deref();
            of.exception.account_id.is_none()
                && of.is_for(by_id.map(|by_id| id == Some(by_id)), email.as_slice())
        })
    }

    /// The exception that accepts a check's failure.
    pub(super) fn covers_check(&self, check: CheckId, uses: &mut Uses) -> Option<&InForce<'a>> {
        let is_for = |of: &&InForce<'_>| of.exception.check.as_deref() == Some(check.as_str());
        let found = self.exceptions.iter().find(is_for)?;
        uses.exception(found.line, format!("accepts that {check} failed"), false);
        Some(found)
    }

    /// The exception that accepts leavers without a usable address.
    pub(super) fn covers_without_address(
        &self,
        leaver: &Named<'_>,
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let whom = || self.called(leaver, &[]);
        let what = || "accepts leavers without a usable address".to_owned();
        self.covering(whom, what, due, uses, |of| {
            of.exception.check.as_deref() == Some(WITHOUT_ADDRESS)
        })
    }

    /// The exception that accepts every doubt about a leaver with these accounts.
    pub(super) fn covers_person(
        &self,
        leaver: &Named<'_>,
        accounts: &[&Account],
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let whom = || self.called(leaver, accounts);
        let what = || "accepts a leaver who could not be judged".to_owned();
        self.covering(whom, what, due, uses, |of| {
            let by_id = of.exception.person_id.as_deref();
            let by_id = by_id.map(|id| leaver.ids.contains(&id));
            of.exception.account_id.is_none() && of.is_for(by_id, leaver.emails)
        })
    }

    /// The exception that accepts an account that may be a leaver's.
    pub(super) fn covers_suspicion(
        &self,
        leaver: &Named<'_>,
        account: &Account,
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let whom = || self.called(leaver, &[account]);
        let what = || format!("accepts that account {} may be a leaver's", account.id);
        self.covering(whom, what, due, uses, |of| of.is_for_account(account))
    }

    /// An exception that may be used, or why not.
    fn in_force(
        &self,
        exception: &'a Exception,
        zone: &TimeZone,
        inputs: &Inputs,
    ) -> Result<InForce<'a>, Fault> {
        if let Some(fault) = &exception.fault {
            return Err(malformed(fault));
        }
        let email = parsed_email(exception.email.as_deref())?;
        let about_somebody =
            email.is_some() || exception.person_id.is_some() || exception.account_id.is_some();
        match (&exception.check, about_somebody) {
            (Some(_), true) => {
                let reason = "it names both a check and a person or account: write two lines";
                return Err(malformed(reason));
            }
            (Some(check), false) if !ACCEPTABLE.contains(&check.as_str()) => {
                let known = ACCEPTABLE.join("`, `");
                return Err(malformed(format!("its check is not one of `{known}`")));
            }
            (None, false) => {
                let reason = "it covers nothing: give person_id, email, account_id or check";
                return Err(malformed(reason));
            }
            (Some(_), false) | (None, true) => {}
        }
        ensure_reason(exception.reason.as_deref())?;
        let approver = ensure_approver(exception.approved_by.as_deref())?;
        let approved_on = required("approved_on", exception.approved_on.as_deref())?;
        let approved_on = written_date("approved_on", approved_on)?;
        let expires_on = required("expires_on", exception.expires_on.as_deref())?;
        let expires_on = ensure_in_force(expires_on, zone, inputs.as_of)?;
        if approved_on > zone.to_datetime(inputs.as_of).date() {
            return Err(malformed("its approved_on is after today"));
        }
        if expires_on > approved_on.saturating_add(LONGEST_EXCEPTION_DAYS.days()) {
            return Err(malformed(format!(
                "it expires on {expires_on}, more than {LONGEST_EXCEPTION_DAYS} days after {approved_on}"
            )));
        }
        let (person_id, account_id) = (
            exception.person_id.as_deref(),
            exception.account_id.as_deref(),
        );
        let whom = self.register.named(person_id, &email, account_id);
        if whom.are_written(approver, &self.same_domains) {
            return Err(malformed(OWN_APPROVAL));
        }
        let id = exception_id(exception, email.as_ref());
        let previous = inputs.past.previous.as_ref();
        let before = previous.and_then(|previous| previous.exceptions_since.get(&id));
        let in_force_since = before.copied().unwrap_or(inputs.as_of);
        Ok(InForce {
            line: exception.line,
            exception,
            email,
            expires_on,
            id,
            in_force_since,
        })
    }
}

/// A person as a cell names them.
fn person_key(text: &str) -> PersonKey<'_> {
    match EmailAddress::parse(text) {
        Some(email) => PersonKey::Email(email),
        None => PersonKey::Id(text),
    }
}

fn parsed_email(text: Option<&str>) -> Result<Option<EmailAddress>, Fault> {
    match text.map(EmailAddress::parse) {
        None => Ok(None),
        Some(Some(email)) => Ok(Some(email)),
        Some(None) => Err(malformed("its email is not an e-mail address")),
    }
}

/// The date in a cell. Only this form: a day read wrongly would leave a risk accepted for months.
fn written_date(name: &str, text: &str) -> Result<Date, Fault> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| day.to_string() == text)
        .ok_or_else(|| malformed(format!("its {name} is not a date: write it as 2026-12-31")))
}

/// The last day of a line, if that day has not passed: it ends with the midnight that closes it.
fn ensure_in_force(expires_on: &str, zone: &TimeZone, as_of: Timestamp) -> Result<Date, Fault> {
    let day = written_date("expires_on", expires_on)?;
    let closes = day
        .tomorrow()
        .and_then(|next| zone.to_timestamp(next.at(0, 0, 0, 0)));
    if closes.is_ok_and(|closes| as_of >= closes) {
        let reason = format!("it was in force through {day}");
        return Err((DirectiveState::Expired, reason));
    }
    Ok(day)
}
