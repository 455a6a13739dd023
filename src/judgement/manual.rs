//! The manual decisions: which lines are in force, and what each line covers.
//!
//! A line that is malformed, expired or approved by the person it concerns is never used and becomes a
//! finding. [`Uses`] collects what each line did.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::approvers::{
    Fault, KnownNames, LineKey, NameSource, OWN_APPROVAL, Register, email_of, ensure_approver,
    ensure_reason, has_name, malformed, required,
};
use super::domains::SameDomains;
use super::records::exception_id;
use super::uses::{Place, Uses};
use super::{CheckId, FeedScope, Inputs, Leaver, ManualKind, ManualState};
use crate::model::{
    Access, Account, Alias, EmailAddress, Employment, Exception, ManualDecisions, Population,
    RejectedRow, quoted,
};

/// The longest time that an exception may be in force, counted from its approval.
const LONGEST_EXCEPTION_DAYS: i32 = 90;

/// Why an account without an address needs an exception.
pub(super) const NO_EMAIL: &str = "no e-mail";

/// The `check` of an exception that accepts leavers for whom HR gives no usable address.
pub(super) const WITHOUT_ADDRESS: &str = "leavers_without_address";

/// The values that `check` of an exception may have.
const ACCEPTABLE: [&str; 3] = ["population_drop", "hr_drop", WITHOUT_ADDRESS];

/// The relation between the account and the person of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Different,
    /// Two people are one person.
    SamePerson,
    /// The account belongs to no person.
    Service,
}

impl Relation {
    /// `None` if the word is unknown.
    pub(super) fn of(alias: &Alias) -> Option<Self> {
        match &alias.relation {
            None => Some(Self::Same),
            Some(word) => Self::named(word),
        }
    }

    fn named(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "same" => Some(Self::Same),
            "different" => Some(Self::Different),
            "same_person" => Some(Self::SamePerson),
            "service" => Some(Self::Service),
            _ => None,
        }
    }
}

/// Whether a word is a value that `check` of an exception or `relation` of an alias may have.
pub fn is_manual_word(word: &str) -> bool {
    ACCEPTABLE.contains(&word) || Relation::named(word).is_some()
}

/// A line of the aliases or of the exceptions.
#[derive(Clone, Copy)]
pub(super) enum Line<'a> {
    Alias(&'a Alias),
    Exception(&'a Exception),
}

impl<'a> Line<'a> {
    pub(super) fn place(self) -> Place {
        match self {
            Self::Alias(of) => (ManualKind::Alias, of.line),
            Self::Exception(of) => (ManualKind::Exception, of.line),
        }
    }

    /// Person id, account id and address.
    pub(super) fn keys(self) -> [Option<&'a str>; 3] {
        let keys = match self {
            Self::Alias(of) => [&of.person_id, &of.account_id, &of.email],
            Self::Exception(of) => [&of.person_id, &of.account_id, &of.email],
        };
        keys.map(Option::as_deref)
    }
}

/// Every line, in the order of the files.
pub(super) fn lines(manual: &ManualDecisions) -> impl Iterator<Item = Line<'_>> {
    let aliases = manual.aliases().iter().map(Line::Alias);
    aliases.chain(manual.exceptions().iter().map(Line::Exception))
}

/// All ids, addresses and names of a person.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PersonKeys<'a> {
    pub(super) ids: &'a [&'a str],
    pub(super) emails: &'a [EmailAddress],
    /// Addresses that other people have, too. They do not identify the person, but the person cannot approve a line
    /// about themselves with them.
    pub(super) shared_emails: &'a [EmailAddress],
    pub(super) names: &'a [&'a str],
}

/// An account and a person in a line, which ties the two, separates them, or makes the person the owner.
pub(super) struct Tie<'a> {
    pub(super) line: u64,
    pub(super) account: LineKey<'a>,
    person: LineKey<'a>,
    approved_by: &'a str,
}

impl Tie<'_> {
    fn is_of(&self, account: &Account) -> bool {
        self.is_of_keys(&account.id, &account.emails)
    }

    fn is_of_keys(&self, account_id: &str, emails: &[EmailAddress]) -> bool {
        self.account.is_of(&[account_id], emails)
    }
}

/// What an exception may cover.
#[derive(Clone, Copy)]
pub(super) enum Covered<'k> {
    /// A leaver's access by an account.
    Access(&'k PersonKeys<'k>, &'k Account),
    /// An account that may be a leaver's.
    Suspicion(&'k PersonKeys<'k>, &'k Account),
    /// All doubts about a leaver with these accounts.
    Person(&'k PersonKeys<'k>, &'k [&'k Account]),
    /// The missing usable address of a leaver.
    WithoutAddress(&'k PersonKeys<'k>),
    /// An account, independent of its owner, and why it needs an exception.
    Account(&'k Account, &'static str),
    /// The person in a rejected row.
    Rejected(&'k RejectedRow),
    /// The failure of a check.
    Check(CheckId),
}

impl Covered<'_> {
    fn text(&self) -> String {
        match self {
            Self::Access(_, account) => format!("covers access by account {}", account.id),
            Self::Suspicion(_, account) => {
                format!("accepts that account {} may belong to a leaver", account.id)
            }
            Self::Person(..) => "accepts a leaver who could not be judged".to_owned(),
            Self::WithoutAddress(_) => "accepts leavers without a usable address".to_owned(),
            Self::Account(account, why) => format!("covers account {}: {why}", account.id),
            Self::Rejected(RejectedRow { line, .. }) => {
                format!("covers the rejected row in line {line} of the HR feed")
            }
            Self::Check(check) => format!("accepts that {check} failed"),
        }
    }
}

/// An exception that is in force.
pub(super) struct InForce<'a> {
    line: u64,
    exception: &'a Exception,
    email: Option<EmailAddress>,
    pub(super) expires_on: Date,
    /// The same in every run for the same keys.
    pub(super) id: String,
    /// The first run of an unbroken series of runs with the line.
    pub(super) in_force_since: Timestamp,
}

impl InForce<'_> {
    /// Whether the exception applies: all keys of the line match the person or account. An exception for an account
    /// alone names no person, and an exception for a person names no account.
    fn is_for(&self, what: Covered<'_>) -> bool {
        let of = self.exception;
        let person = |ids: &[&str]| of.person_id.as_deref().is_none_or(|id| ids.contains(&id));
        let account = |it: &Account| of.account_id.as_ref().is_none_or(|id| *id == it.id);
        let email = |known: &[EmailAddress]| {
            let email = self.email.as_ref();
            email.is_none_or(|email| known.contains(email))
        };
        let check = match what {
            Covered::WithoutAddress(_) => Some(WITHOUT_ADDRESS),
            Covered::Check(check) => Some(check.as_str()),
            _ => None,
        };
        of.check.as_deref() == check
            && match what {
                Covered::Access(leaver, it) => {
                    person(leaver.ids) && account(it) && (email(leaver.emails) || email(&it.emails))
                }
                Covered::Suspicion(_, it) | Covered::Account(it, _) => {
                    of.person_id.is_none() && account(it) && email(&it.emails)
                }
                Covered::Person(leaver, _) => {
                    of.account_id.is_none() && person(leaver.ids) && email(leaver.emails)
                }
                Covered::Rejected(row) => {
                    of.account_id.is_none()
                        && person(row.person_id.as_deref().as_slice())
                        && email(email_of(row).as_slice())
                }
                Covered::WithoutAddress(_) | Covered::Check(_) => true,
            }
    }

    /// The line and its last day, for a check. Checks contain no names.
    pub(super) fn in_short(&self) -> String {
        let Self {
            line, expires_on, ..
        } = self;
        format!("the exception in line {line}, in force through {expires_on}")
    }

    /// The line, its approver, last day and reason, and whether it came into force after the fact.
    pub(super) fn in_full(&self, due: Option<Timestamp>) -> String {
        let after_the_fact = match self.is_after_the_fact(due) {
            true => format!(" (after the fact: in force since {})", self.in_force_since),
            false => String::new(),
        };
        format!(
            "exception in line {}, approved by {} until {}: {}{after_the_fact}",
            self.line,
            quoted(self.approved_by()),
            self.expires_on,
            quoted(self.exception.reason.as_deref().unwrap_or_default())
        )
    }

    fn approved_by(&self) -> &str {
        self.exception.approved_by.as_deref().unwrap_or_default()
    }

    /// Whether it came into force after the deadline of what it covers. This is never so for an exception of the first
    /// run, because the deadline from notice is not earlier than that run.
    fn is_after_the_fact(&self, due: Option<Timestamp>) -> bool {
        due.is_some_and(|due| self.in_force_since > due)
    }
}

/// A line that is never used, and why.
#[derive(Clone)]
pub(super) struct Invalid<'a> {
    pub(super) line: Line<'a>,
    pub(super) fault: Fault,
}

/// Every line: those in force by their relation, and those that are never used.
#[derive(Default)]
pub(super) struct UsableLines<'a> {
    /// Everyone whom a line may name.
    pub(super) register: Register<'a>,
    /// By the person's key.
    same: HashMap<LineKey<'a>, Vec<Tie<'a>>>,
    different: Vec<Tie<'a>>,
    /// Pairs of people that a line joins into one person, with the line and its approver.
    pub(super) same_people: Vec<(u64, [LineKey<'a>; 2], &'a str)>,
    /// Service accounts, which belong to no person. The person of the tie is the owner.
    services: Vec<Tie<'a>>,
    exceptions: Vec<InForce<'a>>,
    /// Equivalent mail domains.
    same_domains: SameDomains,
    /// Lines that are never used.
    pub(super) invalid: Vec<Invalid<'a>>,
}

impl<'a> UsableLines<'a> {
    /// Checks every line by the rules, at the instant of the run.
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let zone = TimeZone::get(&inputs.policy.hr_time_zone).unwrap_or(TimeZone::UTC);
        let mut manual = Self {
            register: Register::of(inputs),
            same_domains: SameDomains::of(inputs),
            ..Self::default()
        };
        for alias in inputs.manual.aliases() {
            if let Err(fault) = manual.add_alias(alias, &zone, inputs) {
                let line = Line::Alias(alias);
                manual.invalid.push(Invalid { line, fault });
            }
        }
        for exception in inputs.manual.exceptions() {
            match manual.in_force(exception, &zone, inputs) {
                Ok(exception) => manual.exceptions.push(exception),
                Err(fault) => {
                    let line = Line::Exception(exception);
                    manual.invalid.push(Invalid { line, fault });
                }
            }
        }
        // If several exceptions cover the same thing, the one that lasts longest is used.
        manual
            .exceptions
            .sort_by(|a, b| b.expires_on.cmp(&a.expires_on).then(a.line.cmp(&b.line)));
        manual
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
        let relation = Relation::of(alias);
        if relation.is_some_and(|of| of != Relation::Same) {
            ensure_reason(alias.reason.as_deref())?;
            ensure_approver(alias.approved_by.as_deref())?;
        }
        let approved_by = alias.approved_by.as_deref().unwrap_or_default();
        let [person_id, account_id, _] = Line::Alias(alias).keys();
        if relation == Some(Relation::SamePerson) {
            let people = person_id.and_then(|ids| ids.split_once('='));
            let people = people.map(|(one, other)| [one.trim(), other.trim()]);
            let Some([one, other]) = people.filter(|of| !of.contains(&"") && of[0] != of[1]) else {
                let reason =
                    "same_person needs two people in person_id, as `E1=E9` (ids or addresses)";
                return Err(malformed(reason));
            };
            let pair = [LineKey::of(one), LineKey::of(other)];
            self.same_people.push((alias.line, pair, approved_by));
            return Ok(());
        }
        let account = match (account_id, &email) {
            (Some(id), _) => LineKey::Id(id),
            (None, Some(email)) => LineKey::Email(email.clone()),
            (None, None) => return Err(malformed("it names no account: give account_id or email")),
        };
        let person = match (person_id, account_id, &email) {
            _ if relation == Some(Relation::Service) => {
                self.owner(alias, email.as_ref(), inputs)?
            }
            (Some(id), ..) => LineKey::Id(id),
            (None, Some(_), Some(email)) => LineKey::Email(email.clone()),
            _ => {
                let reason = "it names an account and no person: give person_id, or account_id and \
                              the person's email";
                return Err(malformed(reason));
            }
        };
        let tie = Tie {
            line: alias.line,
            account,
            person,
            approved_by,
        };
        match relation {
            Some(Relation::Same) => {
                let ties = self.same.entry(tie.person.clone());
                ties.or_default().push(tie);
            }
            Some(Relation::Service) => self.services.push(tie),
            Some(Relation::Different) => {
                let known = self.register.names_of(person_id, &email, account_id);
                self.ensure_not_by(approved_by, &known, OWN_APPROVAL)?;
                self.different.push(tie);
            }
            Some(Relation::SamePerson) | None => {
                let reason = "its relation is not `same`, `different`, `same_person` or `service`";
                return Err(malformed(reason));
            }
        }
        Ok(())
    }

    /// The owner of a service account, who must be employed and must not have approved the line.
    fn owner(
        &self,
        alias: &'a Alias,
        email: Option<&EmailAddress>,
        inputs: &Inputs,
    ) -> Result<LineKey<'a>, Fault> {
        let Some(owner) = &alias.owner else {
            return Err(malformed("a service account needs an owner"));
        };
        if alias.expires_on.is_none() {
            return Err(malformed("a service account needs expires_on"));
        }
        let owner = LineKey::of(owner);
        let owners = self.possible_owners(&owner);
        let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
        if owners.is_empty() && is_roster && !inputs.hr.rows.is_empty() {
            let reason = "the roster does not name its owner: set owner to a person who works here";
            return Err(malformed(reason));
        }
        let (owner_id, owner_email) = match &owner {
            LineKey::Id(id) => (Some(*id), None),
            LineKey::Email(email) => (None, Some(email)),
        };
        let emails = email.into_iter().chain(owner_email);
        let account_id = alias.account_id.as_deref();
        let mut known = self.register.names_of(owner_id, emails, account_id);
        owners.into_iter().for_each(|who| known.add(who));
        let approver = alias.approved_by.as_deref().unwrap_or_default();
        let reason = "it is approved by the owner or the user of the account";
        self.ensure_not_by(approver, &known, reason)?;
        Ok(owner)
    }

    /// Everyone who may be the owner of a service account: by id, by address in any equivalent domain, or by name.
    fn possible_owners(&self, owner: &LineKey<'_>) -> Vec<NameSource<'a>> {
        let found = self.register.people_with(owner);
        if !found.is_empty() {
            return found;
        }
        let is = |who: &NameSource<'a>| {
            let mut known = KnownNames::default();
            known.add(*who);
            match owner {
                LineKey::Id(id) => known.names.iter().any(|name| has_name(id, name)),
                LineKey::Email(owner) => {
                    let key = self.same_domains.key(owner);
                    let mut emails = known.emails.iter();
                    key.is_some() && emails.any(|email| self.same_domains.key(email) == key)
                }
            }
        };
        self.register.people.iter().copied().filter(is).collect()
    }

    /// The employed people in today's HR feed, and the accounts with access in today's list, that may be the owner.
    /// Empty if HR names the owner, and not as employed.
    fn owners_today(&self, owner: &LineKey<'_>) -> Vec<NameSource<'a>> {
        let mut owners = self.possible_owners(owner);
        let accounts = match owner {
            LineKey::Id(id) => self.register.by_id.get(id),
            LineKey::Email(email) => self.register.by_email.get(email.key()),
        };
        owners.extend(accounts.into_iter().flatten());
        let is_employed = |who: &NameSource<'_>| match who {
            NameSource::Row(row) => {
                matches!(row.status, Employment::Active | Employment::OnLeave)
            }
            _ => false,
        };
        let is_in_hr = |who: &NameSource<'_>| {
            matches!(
                who,
                NameSource::Row(_) | NameSource::Rejected(_) | NameSource::Leaver(_)
            )
        };
        if owners.iter().any(is_in_hr) && !owners.iter().any(is_employed) {
            return Vec::new();
        }
        owners.retain(|who| match who {
            NameSource::Account(account) => account.access() != Access::None,
            who => is_employed(who),
        });
        owners
    }

    fn ensure_not_by(
        &self,
        approver: &str,
        whom: &KnownNames<'_>,
        reason: &'static str,
    ) -> Result<(), Fault> {
        match whom.occur_in(approver, &self.same_domains) {
            true => Err(malformed(reason)),
            false => Ok(()),
        }
    }

    /// The lines that tie accounts to a person.
    pub(super) fn ties_of<'t>(&'t self, person: &'t PersonKeys<'_>) -> Vec<&'t Tie<'a>> {
        if self.same.is_empty() {
            return Vec::new();
        }
        let ids = person.ids.iter().map(|id| LineKey::Id(id));
        let emails = person.emails.iter().cloned().map(LineKey::Email);
        let found = ids.chain(emails).filter_map(|key| self.same.get(&key));
        found.flatten().collect()
    }

    /// Whether a line may join two people into one. `people` names both, and neither of them may approve the line.
    pub(super) fn may_join(
        &self,
        line: u64,
        people: &PersonKeys<'_>,
        approved_by: &str,
        uses: &mut Uses,
    ) -> bool {
        let is_self_approved = self.names_occur_in(approved_by, people, &[]);
        match is_self_approved {
            true => uses.own_approval((ManualKind::Alias, line)),
            false => uses.alias(line, "treats two people as one".to_owned()),
        }
        !is_self_approved
    }

    /// The line of an alias `different` that separates an account from a person.
    pub(super) fn difference(
        &self,
        person: &PersonKeys<'_>,
        account: &Account,
        uses: &mut Uses,
    ) -> Option<u64> {
        let is_theirs =
            |tie: &&Tie<'_>| tie.is_of(account) && tie.person.is_of(person.ids, person.emails);
        for tie in self.different.iter().filter(is_theirs) {
            if self.names_occur_in(tie.approved_by, person, &[account]) {
                uses.own_approval((ManualKind::Alias, tie.line));
                continue;
            }
            let what = format!("account {} does not belong to the person", account.id);
            uses.alias(tie.line, what);
            return Some(tie.line);
        }
        None
    }

    /// Whether an alias `different` ends the tie between an account and a person. This accepts a risk if the account
    /// has access.
    pub(super) fn end_tie(
        &self,
        person: &PersonKeys<'_>,
        account: &Account,
        uses: &mut Uses,
    ) -> bool {
        let line = self.difference(person, account, uses);
        if let Some(line) = line.filter(|_| account.access() != Access::None) {
            uses.ended_tie(line);
        }
        line.is_some()
    }

    /// Whether an account is a service account.
    pub(super) fn is_service(&self, account: &Account, uses: &mut Uses) -> bool {
        self.has_service(&account.id, &account.emails, uses)
    }

    /// Whether an account of which only the id is known is a service account.
    pub(super) fn is_service_id(&self, account_id: &str, uses: &mut Uses) -> bool {
        self.has_service(account_id, &[], uses)
    }

    /// Whether an alias says so of an account of which only the id is known. This does not use the alias.
    pub(super) fn has_service_line(&self, account_id: &str) -> bool {
        let mut services = self.services.iter();
        services.any(|tie| tie.is_of_keys(account_id, &[]))
    }

    /// Whether an account is a service account whose owner works here: an account with access, or a row of an employed
    /// person, has an own address, and no row says only that the owner has left.
    pub(super) fn has_own_owner(
        &self,
        account: &Account,
        is_own: impl Fn(&EmailAddress) -> bool,
        uses: &mut Uses,
    ) -> bool {
        let of_account = self.services.iter().filter(|tie| tie.is_of(account));
        let mut owners = of_account.map(|tie| self.owners_today(&tie.person));
        owners.any(|owners| {
            let mut known = KnownNames::default();
            owners.into_iter().for_each(|who| known.add(who));
            known.emails.iter().any(|email| is_own(email))
        }) && self.is_service(account, uses)
    }

    fn has_service(&self, account_id: &str, emails: &[EmailAddress], uses: &mut Uses) -> bool {
        let mut is_service = false;
        let services = self.services.iter();
        for service in services.filter(|tie| tie.is_of_keys(account_id, emails)) {
            is_service = true;
            uses.alias(
                service.line,
                format!("account {account_id} is a service account"),
            );
        }
        is_service
    }

    /// Whether an account is a service account, or an exception covers it without naming a person.
    pub(super) fn accept(&self, account: &Account, why: &'static str, uses: &mut Uses) -> bool {
        let exception = Covered::Account(account, why);
        self.is_service(account, uses) || self.covers(exception, None, uses).is_some()
    }

    /// The service accounts of an owner that have or may have access, each with its line and id. An account that only
    /// a second list names may have access, too. A line names the owner by id, by name, or by address in any
    /// equivalent domain.
    pub(super) fn services_owned_by<'s>(
        &self,
        person: &PersonKeys<'_>,
        population: &'s Population,
    ) -> Vec<(u64, &'s str, Option<&'s Account>)> {
        let is_owner = |service: &&Tie<'a>| match &service.person {
            LineKey::Id(id) => {
                person.ids.contains(id) || person.names.iter().any(|name| has_name(id, name))
            }
            LineKey::Email(owner) => person.emails.iter().any(|email| {
                let same = self.same_domains.key(email);
                email == owner || same.is_some() && same == self.same_domains.key(owner)
            }),
        };
        let services = self.services.iter().filter(is_owner);
        let with_accounts = services.flat_map(|service| {
            let may_be_used = |of: &&Account| of.access() != Access::None && service.is_of(of);
            let listed = population.accounts.iter().filter(may_be_used);
            let listed = listed.map(|account| (service.line, account.id.as_str(), Some(account)));
            let unlisted = population
                .unlisted()
                .filter(|id| service.is_of_keys(id, &[]));
            listed.chain(unlisted.map(|id| (service.line, id, None)))
        });
        with_accounts.collect()
    }

    /// The service accounts of a leaver that have or may have access, each with its line.
    pub(super) fn services_of_leaver<'s>(
        &self,
        leaver: &Leaver,
        population: &'s Population,
    ) -> Vec<(u64, &'s str, Option<&'s Account>)> {
        if self.services.is_empty() {
            return Vec::new();
        }
        let keys = PersonKeys {
            ids: &leaver.ids().map(String::as_str).collect::<Vec<_>>(),
            emails: &leaver.emails,
            shared_emails: &[],
            names: &Vec::from_iter(leaver.name.as_deref()),
        };
        self.services_owned_by(&keys, population)
    }

    /// All present and former ids, addresses and names of a person and of accounts.
    fn known_names<'k>(
        &'k self,
        whom: &PersonKeys<'k>,
        accounts: &[&'k Account],
    ) -> KnownNames<'k> {
        let mut known = self.register.earlier(whom.ids, whom.emails, accounts);
        let emails = whom.emails.iter().chain(whom.shared_emails);
        known.extend(whom.ids.iter().copied(), emails, whom.names.iter().copied());
        for account in accounts {
            known.add(NameSource::Account(account));
        }
        known
    }

    /// Whether an approver's cell names a person or accounts.
    fn names_occur_in(&self, approver: &str, whom: &PersonKeys<'_>, accounts: &[&Account]) -> bool {
        let known = self.known_names(whom, accounts);
        known.occur_in(approver, &self.same_domains)
    }

    /// The exception that applies and that another person approved. One that is not after the fact is preferred, then
    /// the one that lasts longest. All that apply are checked, so that every self-approved one becomes a finding.
    pub(super) fn covers(
        &self,
        what: Covered<'_>,
        due: Option<Timestamp>,
        uses: &mut Uses,
    ) -> Option<&InForce<'a>> {
        let mut covering = self
            .exceptions
            .iter()
            .filter(|of| of.is_for(what))
            .peekable();
        covering.peek()?;
        let email;
        let whom = match what {
            Covered::Access(leaver, account) | Covered::Suspicion(leaver, account) => {
                self.known_names(leaver, &[account])
            }
            Covered::Person(leaver, accounts) => self.known_names(leaver, accounts),
            Covered::WithoutAddress(leaver) => self.known_names(leaver, &[]),
            Covered::Account(account, _) => self.known_names(&PersonKeys::default(), &[account]),
            Covered::Rejected(row) => {
                email = email_of(row);
                self.register
                    .names_of(row.person_id.as_deref(), &email, None)
            }
            Covered::Check(_) => KnownNames::default(),
        };
        let (own, approved): (Vec<_>, Vec<_>) =
            covering.partition(|of| whom.occur_in(of.approved_by(), &self.same_domains));
        for of in own {
            uses.own_approval((ManualKind::Exception, of.line));
        }
        let found = approved
            .into_iter()
            .min_by_key(|of| of.is_after_the_fact(due))?;
        uses.exception(found.line, what.text(), found.is_after_the_fact(due));
        Some(found)
    }

    /// The exceptions in force, each with its line.
    pub(super) fn in_force_by_line(&self) -> impl Iterator<Item = (Place, &InForce<'a>)> {
        let exceptions = self.exceptions.iter();
        exceptions.map(|of| ((ManualKind::Exception, of.line), of))
    }

    /// An exception that may be used, or the reason against it.
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
        let has_key =
            email.is_some() || exception.person_id.is_some() || exception.account_id.is_some();
        match (&exception.check, has_key) {
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
        let [person_id, account_id, _] = Line::Exception(exception).keys();
        let whom = self.register.names_of(person_id, &email, account_id);
        self.ensure_not_by(approver, &whom, OWN_APPROVAL)?;
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

fn parsed_email(text: Option<&str>) -> Result<Option<EmailAddress>, Fault> {
    match text.map(EmailAddress::parse) {
        None => Ok(None),
        Some(Some(email)) => Ok(Some(email)),
        Some(None) => Err(malformed("its email is not an e-mail address")),
    }
}

/// The date in a cell. Only ISO dates are read: a misread day could leave a risk accepted for months.
fn written_date(name: &str, text: &str) -> Result<Date, Fault> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| day.to_string() == text)
        .ok_or_else(|| malformed(format!("its {name} is not a date: write it as 2026-12-31")))
}

/// The last day of a line, if that day has not ended.
fn ensure_in_force(expires_on: &str, zone: &TimeZone, as_of: Timestamp) -> Result<Date, Fault> {
    let day = written_date("expires_on", expires_on)?;
    let closes = day
        .tomorrow()
        .and_then(|next| zone.to_timestamp(next.at(0, 0, 0, 0)));
    if closes.is_ok_and(|closes| as_of >= closes) {
        let reason = format!("it was in force through {day}");
        return Err((ManualState::Expired, reason));
    }
    Ok(day)
}
