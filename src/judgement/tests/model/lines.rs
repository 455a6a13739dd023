//! The valid lines of the aliases and exceptions, and the people and accounts that they name: §5.5.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::people::{ModelPerson, names_person};
use super::ties::Model;
use crate::judgement::{FeedScope, Inputs};
use crate::model::{
    Account, Alias, EmailAddress, Exception, HrRow, NameWords, fold, is_blank_word, read_addresses,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ModelRelation {
    Same,
    Different,
    SamePerson,
    Service,
}

fn relation(alias: &Alias) -> Option<ModelRelation> {
    let word = alias.relation.as_deref().unwrap_or("same").to_lowercase();
    Some(match word.as_str() {
        "same" => ModelRelation::Same,
        "different" => ModelRelation::Different,
        "same_person" => ModelRelation::SamePerson,
        "service" => ModelRelation::Service,
        _ => return None,
    })
}

/// The worlds are in UTC.
fn closes(day: &str) -> Option<Timestamp> {
    let date: Date = day.parse().ok()?;
    let next = date.tomorrow().ok()?.at(0, 0, 0, 0);
    let closes = TimeZone::UTC.to_timestamp(next).ok()?;
    (date.to_string() == day).then_some(closes)
}

fn is_in_force(day: &str, inputs: &Inputs) -> bool {
    closes(day).is_some_and(|closes| inputs.as_of < closes)
}

fn is_address(text: &str) -> bool {
    EmailAddress::parse(text).is_some()
}

/// The texts of the worlds that are neither a reason nor an approver.
fn is_a_placeholder(text: &str) -> bool {
    let known = [
        "n/a",
        "self",
        "-",
        "see above",
        "<why>",
        "<who>",
        "none, me",
    ];
    is_blank_word(text.trim()) || known.contains(&text.trim().to_lowercase().as_str())
}

/// Whether a text has words. A ticket is not a reason in words.
fn is_a_reason(text: &Option<String>) -> bool {
    let Some(text) = text else { return false };
    let is_word = |word: &str| word.chars().all(char::is_alphabetic);
    !is_a_placeholder(text) && text.split_whitespace().any(is_word)
}

/// An address, or one word with a digit or a sign, which is an id.
fn is_an_approver(text: &Option<String>) -> bool {
    let Some(text) = text else { return false };
    let is_sign = |c: char| c.is_ascii_digit() || "-_.".contains(c);
    let is_id = !text.contains(|c: char| c.is_whitespace() || "@[]()".contains(c))
        && text.contains(is_sign)
        && text.contains(char::is_alphanumeric);
    let read = read_addresses(text);
    !is_a_placeholder(text) && (!read.found.is_empty() && !read.has_unreadable || is_id)
}

fn domains_that_are_one(domain: &str, inputs: &Inputs) -> BTreeSet<String> {
    let mut one = BTreeSet::from([domain.to_owned()]);
    loop {
        let before = one.len();
        for pair in &inputs.policy.email_domain_aliases {
            let pair = pair.to_lowercase();
            let (a, b) = pair.split_once('=').expect("a pair");
            if one.contains(a) || one.contains(b) {
                one.extend([a.to_owned(), b.to_owned()]);
            }
        }
        if one.len() == before {
            return one;
        }
    }
}

pub(super) fn same_but_for_the_domain(
    one: &EmailAddress,
    other: &EmailAddress,
    inputs: &Inputs,
) -> bool {
    one.local() == other.local()
        && domains_that_are_one(one.domain(), inputs).contains(other.domain())
}

pub(super) fn untagged(local: &str) -> &str {
    match local.split_once('+') {
        Some((before, _)) if !before.is_empty() => before,
        _ => local,
    }
}

pub(super) fn same_but_for_a_tag(
    one: &EmailAddress,
    other: &EmailAddress,
    inputs: &Inputs,
) -> bool {
    untagged(one.local()) == untagged(other.local())
        && domains_that_are_one(one.domain(), inputs).contains(other.domain())
}

/// Whether a text names a person: by id, by any spelling of an address, or by all words of a name.
fn is_them(
    text: &str,
    ids: &BTreeSet<String>,
    emails: &BTreeSet<EmailAddress>,
    names: &[NameWords],
    inputs: &Inputs,
) -> bool {
    let parts = text.split(|c: char| c.is_whitespace() || "<>".contains(c));
    // Look-alike letters are ignored; the worlds have one.
    let plain = |text: &str| text.replace('\u{430}', "a");
    let read = |text: &str| EmailAddress::parse(&plain(text));
    let mut addresses = parts.clone().filter_map(read);
    let is_local = |part: &str| {
        let bare = |text: &str| plain(&fold(untagged(text))).replace(['.', '-', '_'], "");
        let is_like_an_id = part.contains(|c: char| c.is_ascii_digit() || ".-_".contains(c));
        let mut known = emails.iter();
        !part.contains('@') && is_like_an_id && known.any(|email| bare(email.local()) == bare(part))
    };
    let words: Vec<String> = NameWords::of(text)
        .map(|words| words.words().to_vec())
        .unwrap_or_default();
    ids.iter().any(|id| fold(id) == fold(text.trim()))
        || addresses.any(|written| {
            let mut known = emails.iter().filter_map(|email| read(email.key()));
            known.any(|email| same_but_for_a_tag(&written, &email, inputs))
        })
        || parts.clone().any(is_local)
        || names
            .iter()
            .any(|name| name.words().iter().all(|word| words.contains(word)))
}

fn is_person(text: &str, person: &ModelPerson<'_>, inputs: &Inputs) -> bool {
    is_them(
        text,
        &person.ids(),
        &person.emails(),
        &person.names(),
        inputs,
    )
}

fn is_person_or_account(
    text: &str,
    person: &ModelPerson<'_>,
    account: &Account,
    inputs: &Inputs,
) -> bool {
    let emails = account.emails.iter().cloned().collect();
    let name = account.name.as_deref().and_then(NameWords::of);
    let name: Vec<NameWords> = name.into_iter().collect();
    let ids = BTreeSet::from([account.id.clone()]);
    is_person(text, person, inputs) || is_them(text, &ids, &emails, &name, inputs)
}

/// Whether a text names a person or account that has one of these keys.
fn names_them(
    text: &str,
    ids: &[Option<&str>],
    known: &[Option<EmailAddress>],
    account_id: Option<&str>,
    inputs: &Inputs,
) -> bool {
    let has_id = |id: Option<&str>| id.is_some() && ids.contains(&id);
    let has_email = |email: &EmailAddress| known.contains(&Some(email.clone()));
    let named = |ids: &[Option<&str>], emails: &[&EmailAddress], name: Option<&str>| {
        let ids = ids.iter().flatten().map(|id| (*id).to_owned()).collect();
        let emails = emails.iter().map(|email| (*email).clone()).collect();
        let name: Vec<NameWords> = name.and_then(NameWords::of).into_iter().collect();
        is_them(text, &ids, &emails, &name, inputs)
    };
    let mut rows = inputs.hr.rows.iter();
    let mut rejected = inputs.hr.rejected.iter();
    let mut accounts = inputs.population.accounts.iter();
    let keys: Vec<&EmailAddress> = known.iter().flatten().collect();
    named(ids, &keys, None)
        || account_id.is_some_and(|id| named(&[Some(id)], &[], None))
        || rows.any(|row| {
            let emails: Vec<&EmailAddress> = row.emails().collect();
            (has_id(row.person_id.as_deref()) || emails.iter().any(|email| has_email(email)))
                && named(&[row.person_id.as_deref()], &emails, row.name.as_deref())
        })
        || rejected.any(|row| {
            let emails = email(&row.email.as_deref().map(str::to_owned))
                .into_iter()
                .chain(row.other_emails.clone());
            let emails: Vec<EmailAddress> = emails.collect();
            let emails: Vec<&EmailAddress> = emails.iter().collect();
            (has_id(row.person_id.as_deref()) || emails.iter().any(|email| has_email(email)))
                && named(&[row.person_id.as_deref()], &emails, row.name.as_deref())
        })
        || accounts.any(|account| {
            let emails: Vec<&EmailAddress> = account.emails.iter().collect();
            (account_id == Some(account.id.as_str())
                || has_id(account.external_id.as_deref())
                || emails.iter().any(|email| has_email(email)))
                && named(
                    &[Some(account.id.as_str())],
                    &emails,
                    account.name.as_deref(),
                )
        })
}

// ---- Aliases ----

/// Rows of people whom an owner's cell may name, by id, address or name.
fn rows_of_owner<'a>(owner: &str, inputs: &'a Inputs) -> Vec<&'a HrRow> {
    let written = EmailAddress::parse(owner);
    let is = |row: &&HrRow| {
        let by_email = written.as_ref().is_some_and(|written| {
            row.emails()
                .any(|email| same_but_for_the_domain(email, written, inputs))
        });
        let name = row.name.as_deref().and_then(NameWords::of);
        let by_name = name.zip(NameWords::of(owner)).is_some_and(|(name, owner)| {
            name.words().iter().all(|word| owner.words().contains(word))
        });
        row.person_id.as_deref() == Some(owner) || by_email || written.is_none() && by_name
    };
    inputs.hr.rows.iter().filter(is).collect()
}

/// Whether a service account has an owner who is employed, as far as a roster shows. Neither the owner nor the user of
/// the account may approve it.
fn has_an_owner(alias: &Alias, inputs: &Inputs) -> bool {
    let owner = alias.owner.as_deref().unwrap_or_default();
    let written = EmailAddress::parse(owner);
    let rows = rows_of_owner(owner, inputs);
    let is_rejected = inputs.hr.rejected.iter().any(|row| {
        row.person_id.as_deref() == Some(owner)
            || written.is_some() && email(&row.email.as_deref().map(str::to_owned)) == written
            || written
                .as_ref()
                .is_some_and(|of| row.other_emails.contains(of))
    });
    let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
    let is_known = !rows.is_empty() || is_rejected || !is_roster || inputs.hr.rows.is_empty();
    let approver = alias.approved_by.as_deref().unwrap_or_default();
    let owner_id = written.is_none().then_some(owner);
    let account_id = alias.account_id.as_deref();
    let is_owners = rows.iter().any(|row| {
        let ids = row.person_id.iter().cloned().collect();
        let name: Vec<NameWords> = row
            .name
            .as_deref()
            .and_then(NameWords::of)
            .into_iter()
            .collect();
        is_them(
            approver,
            &ids,
            &row.emails().cloned().collect(),
            &name,
            inputs,
        )
    });
    let keys = [email(&alias.email), written];
    is_known && !is_owners && !names_them(approver, &[owner_id], &keys, account_id, inputs)
}

pub(super) fn is_sound_alias(alias: &Alias, inputs: &Inputs) -> bool {
    let Some(relation) = relation(alias) else {
        return false;
    };
    let has_account = alias.account_id.is_some() || alias.email.is_some();
    let has_person =
        alias.person_id.is_some() || alias.account_id.is_some() && alias.email.is_some();
    let keys = match relation {
        ModelRelation::Same => has_account && has_person,
        ModelRelation::Different => {
            let approver = alias.approved_by.as_deref().unwrap_or_default();
            let (person_id, account_id) = (alias.person_id.as_deref(), alias.account_id.as_deref());
            has_account
                && has_person
                && !names_them(
                    approver,
                    &[person_id],
                    &[email(&alias.email)],
                    account_id,
                    inputs,
                )
        }
        ModelRelation::Service => {
            has_account
                && alias.owner.is_some()
                && alias.expires_on.is_some()
                && has_an_owner(alias, inputs)
        }
        ModelRelation::SamePerson => {
            let pair = alias.person_id.as_deref().unwrap_or_default();
            let sides = pair.split_once('=');
            sides.is_some_and(|(one, other)| {
                !one.trim().is_empty() && !other.trim().is_empty() && one.trim() != other.trim()
            })
        }
    };
    let is_approved = is_a_reason(&alias.reason) && is_an_approver(&alias.approved_by);
    alias.fault.is_none()
        && alias.email.as_deref().is_none_or(is_address)
        && keys
        && (relation == ModelRelation::Same || is_approved)
        && alias
            .expires_on
            .as_deref()
            .is_none_or(|day| is_in_force(day, inputs))
}

pub(super) fn aliases(inputs: &Inputs, wanted: ModelRelation) -> impl Iterator<Item = &Alias> {
    let all = inputs.manual.aliases().iter();
    all.filter(move |alias| relation(alias) == Some(wanted) && is_sound_alias(alias, inputs))
}

fn email(text: &Option<String>) -> Option<EmailAddress> {
    text.as_deref().and_then(EmailAddress::parse)
}

fn alias_names_account(alias: &Alias, account: &Account) -> bool {
    match &alias.account_id {
        Some(id) => account.id == *id,
        None => email(&alias.email).is_some_and(|email| account.emails.contains(&email)),
    }
}

pub(super) fn alias_names_person(alias: &Alias, person: &ModelPerson<'_>) -> bool {
    match &alias.person_id {
        Some(id) => person.ids().contains(id),
        None => email(&alias.email).is_some_and(|email| person.own_emails().contains(&email)),
    }
}

pub(super) fn says_same(person: &ModelPerson<'_>, account: &Account, inputs: &Inputs) -> bool {
    aliases(inputs, ModelRelation::Same)
        .any(|alias| alias_names_account(alias, account) && alias_names_person(alias, person))
}

/// Whether a line approved by another person separates the account from them.
pub(super) fn says_different(person: &ModelPerson<'_>, account: &Account, inputs: &Inputs) -> bool {
    aliases(inputs, ModelRelation::Different).any(|alias| {
        let approver = alias.approved_by.as_deref().unwrap_or_default();
        alias_names_account(alias, account)
            && alias_names_person(alias, person)
            && !is_person_or_account(approver, person, account, inputs)
    })
}

pub(super) fn is_service(account: &Account, inputs: &Inputs) -> bool {
    aliases(inputs, ModelRelation::Service).any(|alias| alias_names_account(alias, account))
}

pub(super) fn owns(person: &ModelPerson<'_>, account: &Account, inputs: &Inputs) -> bool {
    let mut of = aliases(inputs, ModelRelation::Service);
    of.any(|alias| {
        let owner = alias.owner.as_deref().unwrap_or_default();
        alias_names_account(alias, account)
            && match EmailAddress::parse(owner) {
                Some(owner) => person
                    .emails()
                    .iter()
                    .any(|email| same_but_for_the_domain(email, &owner, inputs)),
                None => is_person(owner, person, inputs),
            }
    })
}

/// Whether a line joins a person to another. It does not if one of them approved it.
pub(super) fn may_join(alias: &Alias, person: &ModelPerson<'_>, inputs: &Inputs) -> bool {
    let approver = alias.approved_by.as_deref().unwrap_or_default();
    !is_person(approver, person, inputs)
}

// ---- Exceptions ----

pub(super) fn is_sound_exception(of: &Exception, inputs: &Inputs) -> bool {
    let about = of.person_id.is_some() || of.email.is_some() || of.account_id.is_some();
    let target = match of.check.as_deref() {
        Some("population_drop" | "hr_drop" | "leavers_without_address") => !about,
        Some(_) => false,
        None => about,
    };
    let day = of.expires_on.as_deref().unwrap_or("never");
    let ninety_days = jiff::SignedDuration::from_hours(24 * 90);
    let approved = of.approved_on.as_deref().and_then(closes);
    let own = names_them(
        of.approved_by.as_deref().unwrap_or_default(),
        &[of.person_id.as_deref()],
        &[email(&of.email)],
        of.account_id.as_deref(),
        inputs,
    );
    of.fault.is_none()
        && target
        && of.email.as_deref().is_none_or(is_address)
        && is_a_reason(&of.reason)
        && is_an_approver(&of.approved_by)
        && is_in_force(day, inputs)
        && approved.is_some_and(|approved| {
            let today = inputs.as_of + jiff::SignedDuration::from_hours(24);
            approved <= today && closes(day).is_some_and(|closes| closes <= approved + ninety_days)
        })
        && !own
}

fn exceptions(inputs: &Inputs) -> impl Iterator<Item = &Exception> {
    let all = inputs.manual.exceptions().iter();
    all.filter(move |of| is_sound_exception(of, inputs))
}

pub(super) fn accepts_without_address(person: &ModelPerson<'_>, inputs: &Inputs) -> bool {
    exceptions(inputs).any(|of| {
        let approver = of.approved_by.as_deref().unwrap_or_default();
        of.check.as_deref() == Some("leavers_without_address")
            && !is_person(approver, person, inputs)
    })
}

/// Whether an exception covers access of a leaver by an account.
pub(super) fn is_covered(person: &ModelPerson<'_>, account: &Account, inputs: &Inputs) -> bool {
    exceptions(inputs).any(|of| {
        let approver = of.approved_by.as_deref().unwrap_or_default();
        of.check.is_none()
            && of
                .person_id
                .as_deref()
                .is_none_or(|id| names_person(id, person))
            && email(&of.email).is_none_or(|email| {
                person.own_emails().contains(&email) || account.emails.contains(&email)
            })
            && of.account_id.as_ref().is_none_or(|id| *id == account.id)
            && !is_person_or_account(approver, person, account, inputs)
    })
}

/// Whether an exception for a person accepts that they could not be judged.
pub(super) fn accepts_doubts(
    person: &ModelPerson<'_>,
    accounts: &[&Account],
    inputs: &Inputs,
) -> bool {
    exceptions(inputs).any(|of| {
        let approver = of.approved_by.as_deref().unwrap_or_default();
        of.check.is_none()
            && of.account_id.is_none()
            && of
                .person_id
                .as_deref()
                .is_none_or(|id| names_person(id, person))
            && email(&of.email).is_none_or(|email| person.own_emails().contains(&email))
            && !is_person(approver, person, inputs)
            && !accounts
                .iter()
                .any(|account| is_person_or_account(approver, person, account, inputs))
    })
}

/// Whether an exception for an account alone accepts a suspicion.
pub(super) fn accepts_suspicion(
    person: &ModelPerson<'_>,
    account: &Account,
    inputs: &Inputs,
) -> bool {
    exceptions(inputs).any(|of| {
        let approver = of.approved_by.as_deref().unwrap_or_default();
        of.check.is_none()
            && of.person_id.is_none()
            && email(&of.email).is_none_or(|email| account.emails.contains(&email))
            && of.account_id.as_ref().is_none_or(|id| *id == account.id)
            && !is_person_or_account(approver, person, account, inputs)
    })
}

/// Whether a person approved a line about themselves: an alias `same_person`, or `different` for one of their accounts.
pub(super) fn approves_for_themselves(
    alias: &Alias,
    person: &ModelPerson<'_>,
    model: &Model<'_>,
) -> bool {
    let inputs = model.inputs;
    let approver = alias.approved_by.as_deref().unwrap_or_default();
    if !is_sound_alias(alias, inputs) {
        return false;
    }
    match relation(alias) {
        Some(ModelRelation::SamePerson) => {
            let pair = alias.person_id.as_deref().unwrap_or_default();
            let mut sides = pair.split('=');
            let are_known = sides.clone().all(|text| {
                let mut people = model.people.iter();
                people.any(|person| names_person(text, person))
            });
            are_known
                && sides.any(|text| names_person(text, person))
                && is_person(approver, person, inputs)
        }
        Some(ModelRelation::Different) => {
            let mut accounts = inputs.population.accounts.iter();
            alias_names_person(alias, person)
                && accounts.any(|account| {
                    alias_names_account(alias, account)
                        && model.tie_but_for_lines(person, account).is_some()
                        && is_person_or_account(approver, person, account, inputs)
                })
        }
        Some(ModelRelation::Same | ModelRelation::Service) | None => false,
    }
}
