//! The manual decisions, checked by the rules: which lines are in force, what each of them did, and which
//! are never used.
//!
//! A line that is malformed, expired or approved by the person it is for is never used: it is a
//! finding. A line in force that did nothing is reported as unused, so that it can be deleted.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::domains::SameDomains;
use super::{CheckId, DirectiveKind, DirectiveState, DirectiveUse, Inputs};
use crate::people::{
    Access, Account, Alias, EmailAddress, Exception, RejectedRow, fold, is_zero_width,
    read_addresses,
};

/// An exception may be in force for so many days at most, counted from its approval, or from the day of the run
/// if it does not say when it was approved.
const LONGEST_EXCEPTION_DAYS: i32 = 90;

/// What an exception for an account may cover.
const NO_EMAIL: &str = "no e-mail";

/// What an exception accepts of leavers for whom HR gives no usable address.
pub(super) const WITHOUT_ADDRESS: &str = "leavers_without_address";

/// What an exception may accept by `check`.
const ACCEPTABLE: [&str; 3] = ["population_drop", "hr_drop", WITHOUT_ADDRESS];

/// Placeholders that people write instead of an approver or a reason.
const PLACEHOLDERS: [&str; 12] = [
    "n/a", "na", "none", "self", "me", "myself", "tbd", "todo", "unknown", "null", "xxx", "test",
];

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
    pub(super) ids: Vec<&'a str>,
    pub(super) emails: &'a [EmailAddress],
    pub(super) names: &'a [String],
}

impl Named<'_> {
    fn is(&self, key: &PersonKey<'_>) -> bool {
        match key {
            PersonKey::Id(id) => self.ids.contains(id),
            PersonKey::Email(email) => self.emails.contains(email),
        }
    }

    /// Whether an approver's cell names this person: by an address, also with a plus-tag
    /// or another domain in reach of the same name, by an id, or by all words of a name.
    fn is_written(&self, text: &str, same: &SameDomains) -> bool {
        let written = words(text);
        // A short number may stand in a text for anything.
        let is_id = |id: &&str| {
            let id = words(id);
            let told_apart = id.concat().len() > 1 && id.iter().all(|word| written.contains(word));
            !id.is_empty() && (id == written || told_apart)
        };
        let is_address = |written: &EmailAddress| {
            let untagged = same.key_without_tag(written);
            let mut emails = self.emails.iter();
            emails.any(|email| same.key_without_tag(email) == untagged)
        };
        self.ids.iter().any(is_id)
            || addresses(text).any(|address| is_address(&address))
            || self.is_named(text)
    }

    /// Whether a text holds all words of a name of theirs.
    fn is_named(&self, text: &str) -> bool {
        let written = words(text);
        self.names.iter().any(|name| {
            let name = words(name);
            !name.is_empty() && name.iter().all(|word| written.contains(word))
        })
    }
}

/// The words of a text as a reader sees them: no case, no marks, no characters without width, and
/// look-alike letters the same (Unicode Technical Standard #39, section 4).
fn words(text: &str) -> Vec<String> {
    let visible: String = text.chars().filter(|c| !is_zero_width(*c)).collect();
    let look: String = unicode_security::skeleton(&fold(&visible)).collect();
    look.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every address in a text, with any text around it: `Ana Díaz <ana@x.com>`, `mailto:ana@x.com`.
fn addresses(text: &str) -> impl Iterator<Item = EmailAddress> {
    let in_an_address = |c: char| c.is_alphanumeric() || "@.+-_".contains(c) || is_zero_width(c);
    text.split(move |c: char| !in_an_address(c))
        .filter_map(|part| EmailAddress::parse(part.trim_matches(['.', '-', '_'])))
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
pub(super) struct Service<'a> {
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

    /// The line and its last day, for a check. No names.
    pub(super) fn in_short(&self) -> String {
        let Self {
            line, expires_on, ..
        } = self;
        format!("the exception in line {line}, in force through {expires_on}")
    }

    /// How evidence names it: the line, who approved it, until when and why.
    pub(super) fn in_full(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!(
            "exception in line {}, approved by {} until {}: {}",
            self.line,
            text(&self.exception.approved_by),
            self.expires_on,
            text(&self.exception.reason)
        )
    }
}

/// A line that is never used, and why.
#[derive(Clone, Debug)]
pub(super) struct Invalid {
    pub(super) kind: DirectiveKind,
    pub(super) line: u64,
    state: DirectiveState,
    pub(super) reason: String,
    pub(super) account_id: Option<String>,
    pub(super) person_id: Option<String>,
    pub(super) email: Option<EmailAddress>,
}

/// Every line, sorted by its use in this run.
#[derive(Debug, Default)]
pub(super) struct Directives<'a> {
    same: Vec<Tie<'a>>,
    /// Places in `same`, by person.
    same_by_id: HashMap<&'a str, Vec<usize>>,
    same_by_email: HashMap<EmailAddress, Vec<usize>>,
    different: Vec<Tie<'a>>,
    /// Pairs of people who are one person, with the line of the alias.
    same_people: Vec<(u64, [PersonKey<'a>; 2], &'a str)>,
    services: Vec<Service<'a>>,
    exceptions: Vec<InForce<'a>>,
    /// Mail domains that are one.
    same_domains: SameDomains,
    invalid: RefCell<Vec<Invalid>>,
    /// Lines that separated an account with access from a person: each accepts a risk.
    ended_ties: RefCell<BTreeSet<u64>>,
    /// What each line in force did.
    did: RefCell<BTreeMap<(DirectiveKind, u64), BTreeSet<String>>>,
}

impl<'a> Directives<'a> {
    /// Checks every line by the rules, at the instant of the run.
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let zone = TimeZone::get(&inputs.policy.hr_time_zone).unwrap_or(TimeZone::UTC);
        let mut directives = Self {
            same_domains: SameDomains::of(inputs),
            ..Self::default()
        };
        for alias in inputs.directives.aliases() {
            if let Err((state, reason)) = directives.add_alias(alias, &zone, inputs.as_of) {
                directives.invalid.get_mut().push(Invalid {
                    kind: DirectiveKind::Alias,
                    line: alias.line,
                    state,
                    reason,
                    account_id: alias.account_id.clone(),
                    person_id: alias.person_id.clone(),
                    email: alias.email.as_deref().and_then(EmailAddress::parse),
                });
            }
        }
        for exception in inputs.directives.exceptions() {
            match in_force(exception, &zone, inputs.as_of, &directives.same_domains) {
                Ok(exception) => directives.exceptions.push(exception),
                Err((state, reason)) => {
                    directives
                        .invalid
                        .get_mut()
                        .push(invalid(exception, state, reason));
                }
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
        as_of: Timestamp,
    ) -> Result<(), (DirectiveState, String)> {
        let wrong = |reason: &str| (DirectiveState::Malformed, reason.to_owned());
        if let Some(fault) = &alias.fault {
            return Err(wrong(fault));
        }
        let email = parsed_email(alias.email.as_deref())?;
        if let Some(expires_on) = &alias.expires_on {
            ensure_in_force(expires_on, zone, as_of)?;
        }
        let line = alias.line;
        let relation = alias.relation.as_deref().unwrap_or("same");
        let is = |known: &str| relation.eq_ignore_ascii_case(known);
        if is("different") || is("same_person") || is("service") {
            ensure_given("reason", alias.reason.as_deref(), has_words)?;
            ensure_given("approved_by", alias.approved_by.as_deref(), names_somebody)?;
        }
        if is("same_person") {
            let people = alias
                .person_id
                .as_deref()
                .and_then(|ids| ids.split_once('='));
            let Some((one, other)) = people.map(|(one, other)| (one.trim(), other.trim())) else {
                let reason =
                    "same_person needs two people in person_id, as `E1=E9` (ids or addresses)";
                return Err(wrong(reason));
            };
            let approved_by = alias.approved_by.as_deref().unwrap_or_default();
            let pair = [person_key(one), person_key(other)];
            self.same_people.push((line, pair, approved_by));
            return Ok(());
        }
        let account = match (&alias.account_id, &email) {
            (Some(id), _) => AccountKey::Id(id),
            (None, Some(email)) => AccountKey::Email(email.clone()),
            (None, None) => return Err(wrong("it names no account: give account_id or email")),
        };
        if is("service") {
            let Some(owner) = &alias.owner else {
                return Err(wrong("a service account needs an owner"));
            };
            if alias.expires_on.is_none() {
                return Err(wrong("a service account needs expires_on"));
            }
            self.services.push(Service {
                line,
                account,
                owner: person_key(owner),
            });
            return Ok(());
        }
        let person = match (&alias.person_id, &alias.account_id, email) {
            (Some(id), ..) => PersonKey::Id(id),
            (None, Some(_), Some(email)) => PersonKey::Email(email),
            _ => {
                let reason = "it names an account and no person: give person_id, or account_id and \
                              the person's email";
                return Err(wrong(reason));
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
            self.different.push(tie);
        } else {
            let reason = "its relation is not `same`, `different`, `same_person` or `service`";
            return Err(wrong(reason));
        }
        Ok(())
    }

    fn did(&self, kind: DirectiveKind, line: u64, what: String) {
        self.did
            .borrow_mut()
            .entry((kind, line))
            .or_default()
            .insert(what);
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

    /// Records that a line ties an account to a person.
    pub(super) fn tied(&self, line: u64, account_id: &str) {
        let what = format!("ties account {account_id} to its person");
        self.did(DirectiveKind::Alias, line, what);
    }

    /// Records that the owner in a line has left.
    pub(super) fn owner_has_left(&self, line: u64, account_id: &str) {
        let what = format!("the owner of account {account_id} has left");
        self.did(DirectiveKind::Alias, line, what);
    }

    /// Records that an account would have been found by a line alone, and that there is none.
    pub(super) fn would_have_found(&self, line: u64) {
        let what = "names an account that no run ever saw".to_owned();
        self.did(DirectiveKind::Alias, line, what);
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
    ) -> bool {
        let by_themselves = people.is_written(approved_by, &self.same_domains);
        match by_themselves {
            true => self.is_approved_by_whom_it_is_for(line),
            false => self.did(
                DirectiveKind::Alias,
                line,
                "treats two people as one".to_owned(),
            ),
        }
        !by_themselves
    }

    /// Records that an alias is never used, because the person it is for approved it.
    fn is_approved_by_whom_it_is_for(&self, line: u64) {
        let mut invalid = self.invalid.borrow_mut();
        let is_known = |known: &Invalid| known.kind == DirectiveKind::Alias && known.line == line;
        if !invalid.iter().any(is_known) {
            invalid.push(Invalid {
                kind: DirectiveKind::Alias,
                line,
                state: DirectiveState::Malformed,
                reason: "it is approved by the person it is for".to_owned(),
                account_id: None,
                person_id: None,
                email: None,
            });
        }
    }

    /// Whether an alias `different` separates an account from a person.
    pub(super) fn are_different(&self, person: &Named<'_>, account: &Account) -> bool {
        self.difference(person, account).is_some()
    }

    /// The same of an account that is tied to the person: the line ends the tie, which accepts a risk if the
    /// account has access.
    pub(super) fn end_tie(&self, person: &Named<'_>, account: &Account) -> bool {
        let line = self.difference(person, account);
        if account.access() != Access::None {
            self.ended_ties.borrow_mut().extend(line);
        }
        line.is_some()
    }

    fn difference(&self, person: &Named<'_>, account: &Account) -> Option<u64> {
        let of = self.different.iter();
        for tie in of.filter(|tie| tie.account.names(account) && person.is(&tie.person)) {
            let approved_by = tie.approved_by.unwrap_or_default();
            if person.is_written(approved_by, &self.same_domains) {
                self.is_approved_by_whom_it_is_for(tie.line);
                continue;
            }
            let what = format!("account {} is not that of its person", account.id);
            self.did(DirectiveKind::Alias, tie.line, what);
            return Some(tie.line);
        }
        None
    }

    /// Whether an account is a service account.
    pub(super) fn is_service(&self, account: &Account) -> bool {
        !self.owners_of(account).is_empty()
    }

    /// The owners of a service account. Empty for any other account.
    pub(super) fn owners_of(&self, account: &Account) -> Vec<&PersonKey<'a>> {
        let services = self.services.iter();
        services
            .filter(|service| service.account.names(account))
            .map(|service| {
                let what = format!("account {} is a service account", account.id);
                self.did(DirectiveKind::Alias, service.line, what);
                &service.owner
            })
            .collect()
    }

    /// The service accounts of an owner that have or may have access, each with its line. A line names the owner by
    /// id, by name, or by address in any domain that counts as one with theirs.
    pub(super) fn answered_for_by<'s>(
        &self,
        person: &Named<'_>,
        accounts: &'s [Account],
    ) -> Vec<(u64, &'s Account)> {
        let is_owner = |service: &&Service<'a>| match &service.owner {
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

    /// The first exception that applies and is not approved by the person it is for. All that apply are checked, so
    /// that every self-approved one becomes a finding.
    fn covering(
        &self,
        whom: &Named<'_>,
        what: String,
        covers: impl Fn(&InForce<'a>) -> bool,
    ) -> Option<&InForce<'a>> {
        let covering = self.exceptions.iter().filter(|of| covers(of));
        let approved: Vec<&InForce<'a>> = covering
            .filter(|of| self.is_approved_by_another(of, whom))
            .collect();
        let found = *approved.first()?;
        self.did(DirectiveKind::Exception, found.line, what);
        Some(found)
    }

    /// The exception that covers a leaver's access by an account, if there is one.
    pub(super) fn covers_access(
        &self,
        leaver: &Named<'_>,
        account: &Account,
    ) -> Option<&InForce<'a>> {
        let what = format!("covers access by account {}", account.id);
        self.covering_with(leaver, &[account], what, |of| {
            let exception = of.exception;
            let person = exception.person_id.as_deref();
            let is_theirs = |email| leaver.emails.contains(email) || account.emails.contains(email);
            exception.check.is_none()
                && person.is_none_or(|id| leaver.ids.contains(&id))
                && of.email.as_ref().is_none_or(is_theirs)
                && exception
                    .account_id
                    .as_ref()
                    .is_none_or(|id| *id == account.id)
        })
    }

    /// The exception that is for an account, independent of its owner.
    pub(super) fn covers_account(
        &self,
        account: &Account,
        what: &'static str,
    ) -> Option<&InForce<'a>> {
        let itself = Named {
            ids: Vec::new(),
            emails: &account.emails,
            names: account.name.as_slice(),
        };
        let what = format!("covers account {}: {what}", account.id);
        self.covering(&itself, what, |of| {
            let by_id = of.exception.account_id.as_ref();
            of.exception.person_id.is_none()
                && of.is_for(by_id.map(|id| *id == account.id), &account.emails)
        })
    }

    /// The exception that names an account without an address, in short.
    pub(super) fn excepts_account(&self, account: &Account) -> Option<String> {
        if self.is_service(account) {
            return None;
        }
        let exception = self.covers_account(account, NO_EMAIL)?;
        Some(exception.in_short())
    }

    /// Whether a line names an account without an address.
    pub(super) fn name(&self, account: &Account) -> bool {
        self.is_service(account) || self.covers_account(account, NO_EMAIL).is_some()
    }

    /// The exception for the person in a rejected row.
    pub(super) fn covers_rejected(&self, row: &RejectedRow) -> Option<&InForce<'a>> {
        let email = row.email.as_deref().and_then(EmailAddress::parse);
        let about = Named {
            ids: row.person_id.as_deref().into_iter().collect(),
            emails: email.as_slice(),
            names: &[],
        };
        let what = format!(
            "covers the rejected row in line {} of the HR feed",
            row.line
        );
        self.covering(&about, what, |of| {
            let by_id = of.exception.person_id.as_deref();
            of.exception.account_id.is_none()
                && of.is_for(by_id.map(|id| about.ids.contains(&id)), about.emails)
        })
    }

    /// The exception that accepts a check's failure.
    pub(super) fn covers_check(&self, check: CheckId) -> Option<&InForce<'a>> {
        let is_for = |of: &&InForce<'_>| of.exception.check.as_deref() == Some(check.as_str());
        let found = self.exceptions.iter().find(is_for)?;
        let what = format!("accepts that {check} failed");
        self.did(DirectiveKind::Exception, found.line, what);
        Some(found)
    }

    /// The exception that accepts leavers without a usable address.
    pub(super) fn covers_without_address(&self, leaver: &Named<'_>) -> Option<&InForce<'a>> {
        let what = "accepts leavers without a usable address".to_owned();
        self.covering(leaver, what, |of| {
            of.exception.check.as_deref() == Some(WITHOUT_ADDRESS)
        })
    }

    /// The exception that accepts every doubt about a leaver with these accounts.
    pub(super) fn covers_person(
        &self,
        leaver: &Named<'_>,
        accounts: &[&Account],
    ) -> Option<&InForce<'a>> {
        let what = "accepts a leaver who could not be judged".to_owned();
        self.covering_with(leaver, accounts, what, |of| {
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
    ) -> Option<&InForce<'a>> {
        let what = format!("accepts that account {} may be a leaver's", account.id);
        self.covering_with(leaver, &[account], what, |of| {
            let by_id = of.exception.account_id.as_ref();
            of.exception.person_id.is_none()
                && of.is_for(by_id.map(|id| *id == account.id), &account.emails)
        })
    }

    /// As [`Self::covering`], for a person whose accounts name them as well.
    fn covering_with(
        &self,
        person: &Named<'_>,
        accounts: &[&Account],
        what: String,
        covers: impl Fn(&InForce<'a>) -> bool,
    ) -> Option<&InForce<'a>> {
        if self.exceptions.is_empty() {
            return None;
        }
        let of_accounts = accounts.iter().flat_map(|account| &account.emails);
        let emails: Vec<EmailAddress> = person.emails.iter().chain(of_accounts).cloned().collect();
        let of_accounts = accounts.iter().filter_map(|account| account.name.as_ref());
        let names: Vec<String> = person.names.iter().chain(of_accounts).cloned().collect();
        let ids = accounts.iter().map(|account| account.id.as_str());
        let themselves = Named {
            ids: person.ids.iter().copied().chain(ids).collect(),
            emails: &emails,
            names: &names,
        };
        self.covering(&themselves, what, covers)
    }

    /// A person may not approve an exception for themselves. Such a line covers nothing and is a finding.
    fn is_approved_by_another(&self, of: &InForce<'a>, person: &Named<'_>) -> bool {
        let approver = of.exception.approved_by.as_deref().unwrap_or_default();
        let by_another = !person.is_written(approver, &self.same_domains);
        let mut invalid = self.invalid.borrow_mut();
        let is_told =
            |told: &Invalid| told.kind == DirectiveKind::Exception && told.line == of.line;
        if !by_another && !invalid.iter().any(is_told) {
            let reason = "it is approved by the person it is for".to_owned();
            invalid.push(self::invalid(
                of.exception,
                DirectiveState::Malformed,
                reason,
            ));
        }
        by_another
    }

    /// How many risk acceptances were needed: exceptions, and aliases that ended a tie.
    pub(super) fn exceptions_needed(&self) -> usize {
        let did = self.did.borrow();
        let kinds = did.keys().map(|(kind, _)| *kind);
        let exceptions = kinds.filter(|kind| *kind == DirectiveKind::Exception);
        exceptions.count() + self.ended_ties.borrow().len()
    }

    /// The lines that are never used, in the order of the files.
    pub(super) fn invalid(&self) -> Vec<Invalid> {
        let mut invalid = self.invalid.borrow().clone();
        invalid.sort_by_key(|line| (line.kind, line.line));
        invalid
    }

    /// The state of every line.
    pub(super) fn uses(&self, inputs: &Inputs) -> Vec<DirectiveUse> {
        let (did, invalid) = (self.did.borrow(), self.invalid.borrow());
        let one = |kind: DirectiveKind, line: u64| {
            let did = did.get(&(kind, line));
            let worthless = invalid.iter().find(|of| (of.kind, of.line) == (kind, line));
            let (state, detail) = match (did, worthless) {
                (Some(did), _) => {
                    let did: Vec<&str> = did.iter().map(String::as_str).collect();
                    (DirectiveState::Used, did.join("; "))
                }
                (None, Some(worthless)) => (worthless.state, worthless.reason.clone()),
                (None, None) => (DirectiveState::Unused, String::new()),
            };
            DirectiveUse {
                kind,
                line,
                state,
                detail,
            }
        };
        let aliases = inputs.directives.aliases().iter();
        let exceptions = inputs.directives.exceptions().iter();
        aliases
            .map(|alias| one(DirectiveKind::Alias, alias.line))
            .chain(exceptions.map(|of| one(DirectiveKind::Exception, of.line)))
            .collect()
    }
}

fn invalid(exception: &Exception, state: DirectiveState, reason: String) -> Invalid {
    Invalid {
        kind: DirectiveKind::Exception,
        line: exception.line,
        state,
        reason,
        account_id: exception.account_id.clone(),
        person_id: exception.person_id.clone(),
        email: exception.email.as_deref().and_then(EmailAddress::parse),
    }
}

/// An exception that may be used, or why not.
fn in_force<'a>(
    exception: &'a Exception,
    zone: &TimeZone,
    as_of: Timestamp,
    same: &SameDomains,
) -> Result<InForce<'a>, (DirectiveState, String)> {
    let wrong = |reason: String| (DirectiveState::Malformed, reason);
    if let Some(fault) = &exception.fault {
        return Err(wrong(fault.clone()));
    }
    let email = parsed_email(exception.email.as_deref())?;
    let about_somebody =
        email.is_some() || exception.person_id.is_some() || exception.account_id.is_some();
    match (&exception.check, about_somebody) {
        (Some(_), true) => {
            let reason = "it names both a check and a person or account: write two lines";
            return Err(wrong(reason.to_owned()));
        }
        (Some(check), false) if !ACCEPTABLE.contains(&check.as_str()) => {
            let known = ACCEPTABLE.join("`, `");
            return Err(wrong(format!("its check is not one of `{known}`")));
        }
        (None, false) => {
            let reason = "it covers nothing: give person_id, email, account_id or check";
            return Err(wrong(reason.to_owned()));
        }
        (Some(_), false) | (None, true) => {}
    }
    ensure_given("reason", exception.reason.as_deref(), has_words)?;
    ensure_given(
        "approved_by",
        exception.approved_by.as_deref(),
        names_somebody,
    )?;
    ensure_given("expires_on", exception.expires_on.as_deref(), |_| true)?;
    let expires_on = exception.expires_on.as_deref().unwrap_or_default();
    let expires_on = ensure_in_force(expires_on, zone, as_of)?;
    let today = zone.to_datetime(as_of).date();
    let mut from = today;
    if let Some(approved_on) = &exception.approved_on {
        from = written_date("approved_on", approved_on)?;
        if from > today || from > expires_on {
            let reason = "its approved_on is after today or after its expires_on";
            return Err(wrong(reason.to_owned()));
        }
    }
    let latest = from.saturating_add(LONGEST_EXCEPTION_DAYS.days());
    if expires_on > latest {
        return Err(wrong(format!(
            "it expires on {expires_on}, more than {LONGEST_EXCEPTION_DAYS} days after {from}"
        )));
    }
    let approver = exception.approved_by.as_deref().unwrap_or_default();
    let itself = Named {
        ids: exception.person_id.as_deref().into_iter().collect(),
        emails: email.as_slice(),
        names: &[],
    };
    if itself.is_written(approver, same) {
        return Err(wrong("it is approved by the person it is for".to_owned()));
    }
    Ok(InForce {
        line: exception.line,
        exception,
        email,
        expires_on,
    })
}

/// A required cell, which must not be a placeholder.
fn ensure_given(
    name: &str,
    text: Option<&str>,
    is_meant: impl Fn(&str) -> bool,
) -> Result<(), (DirectiveState, String)> {
    let wrong = |reason: String| Err((DirectiveState::Malformed, reason));
    match text.map(str::trim) {
        None | Some("") => wrong(format!("it has no {name}")),
        Some(text) if is_placeholder(text) || !is_meant(text) => {
            let form = match name {
                "reason" => "a reason in words",
                _ => "an e-mail address or a person id",
            };
            wrong(format!("its {name} is not usable: write {form}"))
        }
        Some(_) => Ok(()),
    }
}

fn is_placeholder(text: &str) -> bool {
    let text: String = text.chars().filter(|c| *c != '.').collect();
    let has_letter = text.chars().any(char::is_alphanumeric);
    !has_letter
        || PLACEHOLDERS
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

fn has_words(text: &str) -> bool {
    let is_word = |word: &String| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    words(text).iter().any(is_word)
}

/// Whether a text is an address, or an id: one word with a digit or a sign in it.
fn names_somebody(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let is_id = !text.contains(char::is_whitespace) && text.contains(is_sign);
    let read = read_addresses(text);
    !read.found.is_empty() && !read.has_unreadable || is_id
}

/// A person as a cell names them.
fn person_key(text: &str) -> PersonKey<'_> {
    match EmailAddress::parse(text) {
        Some(email) => PersonKey::Email(email),
        None => PersonKey::Id(text),
    }
}

fn parsed_email(text: Option<&str>) -> Result<Option<EmailAddress>, (DirectiveState, String)> {
    match text.map(EmailAddress::parse) {
        None => Ok(None),
        Some(Some(email)) => Ok(Some(email)),
        Some(None) => {
            let reason = "its email is not an e-mail address".to_owned();
            Err((DirectiveState::Malformed, reason))
        }
    }
}

/// The date in a cell. Only this form: a day read wrongly would leave a risk accepted for months.
fn written_date(name: &str, text: &str) -> Result<Date, (DirectiveState, String)> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| day.to_string() == text).ok_or_else(|| {
        let reason = format!("its {name} is not a date: write it as 2026-12-31");
        (DirectiveState::Malformed, reason)
    })
}

/// The last day of a line, if that day has not passed: it ends with the midnight that closes it.
fn ensure_in_force(
    expires_on: &str,
    zone: &TimeZone,
    as_of: Timestamp,
) -> Result<Date, (DirectiveState, String)> {
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
