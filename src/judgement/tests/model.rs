//! The judgement of a first night once more: slow, obvious, from the rules of `docs/judgement.md`.
//!
//! Plain loops over everything, no index, no past. Whether the run is complete, which checks failed and
//! which domains are the organization's is taken from the judgement; all else is found again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::world::World;
use super::worlds::{a_night, cases, nights, worlds};
use crate::judgement::{
    CheckStatus, DirectiveKind, DirectiveState, FeedScope, Finding, FindingKind, Inputs, Judgement,
    Leaver, MatchKind, Outcome, Verdict,
};
use crate::people::{
    Access, Account, Alias, EmailAddress, Employment, Exception, HrRow, Role, fold, name_key,
};

// ---- Who is one person, and where they stand ----

struct Person<'a> {
    rows: Vec<&'a HrRow>,
}

impl Person<'_> {
    fn ids(&self) -> BTreeSet<String> {
        self.rows
            .iter()
            .filter_map(|row| row.person_id.clone())
            .collect()
    }

    fn emails(&self) -> BTreeSet<EmailAddress> {
        self.rows
            .iter()
            .flat_map(|row| row.emails().cloned())
            .collect()
    }

    fn names(&self) -> BTreeSet<String> {
        let names = self.rows.iter().filter_map(|row| row.name.as_deref());
        names.filter_map(name_key).collect()
    }
}

fn share_a_word(one: &str, other: &str) -> bool {
    let (one, other) = (name_key(one), name_key(other));
    let words = |name: &Option<String>| -> Vec<String> {
        name.iter()
            .flat_map(|name| name.split(' '))
            .map(str::to_owned)
            .collect()
    };
    words(&one).iter().any(|word| words(&other).contains(word))
}

fn are_one_person(one: &HrRow, other: &HrRow) -> bool {
    if one.person_id.is_some() && one.person_id == other.person_id {
        return true;
    }
    if one.email.is_none() || one.email != other.email {
        return false;
    }
    match (&one.name, &other.name) {
        (Some(a), Some(b)) => !is_vague(one) && !is_vague(other) && share_a_word(a, b),
        _ => false,
    }
}

/// A row that lacks id or name tells nobody apart.
fn is_vague(row: &HrRow) -> bool {
    row.person_id.is_none() || row.name.as_deref().is_none_or(|n| name_key(n).is_none())
}

/// Puts groups together until no two hold rows of one person any more.
fn put_together(groups: &mut Vec<Vec<usize>>, are_one: impl Fn(usize, usize) -> bool) {
    'again: loop {
        for one in 0..groups.len() {
            for other in one + 1..groups.len() {
                let mut pairs = groups[one]
                    .iter()
                    .flat_map(|a| groups[other].iter().map(move |b| (*a, *b)));
                if pairs.any(|(a, b)| are_one(a, b)) {
                    let more = groups.remove(other);
                    groups[one].extend(more);
                    continue 'again;
                }
            }
        }
        break;
    }
}

fn people(rows: &[HrRow]) -> Vec<Person<'_>> {
    let mut groups: Vec<Vec<usize>> = (0..rows.len()).map(|index| vec![index]).collect();
    put_together(&mut groups, |a, b| are_one_person(&rows[a], &rows[b]));
    // A vague row is whoever has its address, if that is one person.
    let clear = groups.clone();
    let is_of_one = |email: &EmailAddress| {
        let has_it =
            |row: &usize| !is_vague(&rows[*row]) && rows[*row].email.as_ref() == Some(email);
        clear
            .iter()
            .filter(|group| group.iter().any(has_it))
            .count()
            <= 1
    };
    put_together(&mut groups, |a, b| match (&rows[a].email, &rows[b].email) {
        (Some(one), Some(other)) => one == other && is_of_one(one),
        _ => false,
    });
    let person = |group: Vec<usize>| Person {
        rows: group.into_iter().map(|index| &rows[index]).collect(),
    };
    groups.into_iter().map(person).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    WorksHere,
    Rehired,
    Upcoming,
    Left,
    Unclear,
}

fn end(row: &HrRow) -> Option<Timestamp> {
    row.end_of_work().map(|end| end.at)
}

/// Where somebody stands, and when their work ended or ends.
fn stands(person: &Person<'_>, now: Timestamp) -> (Stands, Option<Timestamp>) {
    let begun = |row: &HrRow| row.start.as_ref().is_none_or(|start| start.at <= now);
    let is_active = |row: &HrRow| row.status == Employment::Active;
    let to_come = |row: &&&HrRow| end(row).is_some_and(|end| end > now);
    let has_left = |row: &&&HrRow| match end(row) {
        Some(end) => end <= now && !is_active(row),
        None => row.status == Employment::Ended,
    };
    let works = |row: &HrRow| end(row).is_none_or(|end| end <= now) && is_active(row) && begun(row);
    // The latest end counts; no date only where there is none.
    let left = person
        .rows
        .iter()
        .filter(has_left)
        .max_by_key(|row| end(row));
    let Some(left) = left else {
        let until = person
            .rows
            .iter()
            .filter(to_come)
            .filter_map(|row| end(row))
            .max();
        if until.is_some() {
            return (Stands::Upcoming, until);
        }
        let unclear = |row: &&HrRow| end(row).is_none() && !is_active(row);
        if person.rows.iter().any(|row| works(row)) || !person.rows.iter().any(unclear) {
            return (Stands::WorksHere, None);
        }
        return (Stands::Unclear, None);
    };
    let runs = |row: &HrRow| {
        if end(row).is_some_and(|end| end > now) {
            return row
                .start
                .as_ref()
                .map_or(is_active(row), |start| start.at <= now);
        }
        works(row)
    };
    let is_later = |row: &HrRow, left: &HrRow| {
        let other_id =
            row.person_id.is_some() && left.person_id.is_some() && row.person_id != left.person_id;
        let starts = row.start.as_ref().map(|start| start.at);
        let began = left.start.as_ref().map(|start| start.at);
        let after_start = starts
            .zip(began)
            .is_some_and(|(later, first)| later > first);
        // The midnight that opens a day and the one that closes it are a day apart.
        let after_end = starts.zip(end(left)).is_some_and(|(later, end)| {
            end.duration_since(later) <= SignedDuration::from_hours(25)
        });
        let comparable = starts.is_some() && (began.is_some() || end(left).is_some());
        after_start || after_end || other_id && !comparable
    };
    let lefts = || person.rows.iter().filter(has_left);
    let returned = |row: &HrRow| runs(row) && lefts().all(|left| is_later(row, left));
    if person.rows.iter().any(|row| returned(row)) {
        (Stands::Rehired, end(left))
    } else if person.rows.iter().any(|row| works(row)) {
        (Stands::Unclear, None)
    } else {
        (Stands::Left, end(left))
    }
}

// ---- What was decided by hand ----

fn is_in_force(day: Option<&str>, inputs: &Inputs) -> bool {
    let Some(day) = day else { return true };
    let Ok(date) = day.parse::<jiff::civil::Date>() else {
        return false;
    };
    // These worlds are in UTC.
    let closes = jiff::tz::TimeZone::UTC
        .to_timestamp(date.tomorrow().expect("a day").at(0, 0, 0, 0))
        .expect("an instant");
    date.to_string() == day && inputs.as_of < closes
}

fn is_sound_alias(alias: &Alias, inputs: &Inputs) -> bool {
    let has_account = alias.account_id.is_some() || alias.email.is_some();
    let email_is_one = alias
        .email
        .as_deref()
        .is_none_or(|e| EmailAddress::parse(e).is_some());
    let has_person =
        alias.person_id.is_some() || alias.account_id.is_some() && alias.email.is_some();
    let rest = match relation(alias).as_str() {
        "same" | "different" => has_person,
        "service" => alias.owner.is_some() && alias.reason.is_some() && alias.expires_on.is_some(),
        _ => false,
    };
    alias.fault.is_none()
        && has_account
        && email_is_one
        && rest
        && is_in_force(alias.expires_on.as_deref(), inputs)
}

fn relation(alias: &Alias) -> String {
    alias
        .relation
        .clone()
        .unwrap_or("same".to_owned())
        .to_lowercase()
}

fn aliases<'a>(inputs: &'a Inputs, wanted: &'a str) -> impl Iterator<Item = &'a Alias> {
    let all = inputs.directives.aliases().iter();
    all.filter(move |alias| relation(alias) == wanted && is_sound_alias(alias, inputs))
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

fn alias_names_person(alias: &Alias, person: &Person<'_>) -> bool {
    match &alias.person_id {
        Some(id) => person.ids().contains(id),
        None => email(&alias.email).is_some_and(|email| person.emails().contains(&email)),
    }
}

fn owns(alias: &Alias, person: &Person<'_>, inputs: &Inputs) -> bool {
    let owner = alias.owner.clone().unwrap_or_default();
    match EmailAddress::parse(&owner) {
        Some(email) => person.emails().iter().any(|one| {
            *one == email
                || one.local() == email.local()
                    && same_domains(one.domain(), inputs).contains(email.domain())
        }),
        None => {
            let nobody = (BTreeSet::new(), BTreeSet::new());
            person.ids().contains(&owner)
                || is_them(&owner, &nobody.0, &nobody.1, &person.names(), inputs)
        }
    }
}

fn is_service(account: &Account, inputs: &Inputs) -> bool {
    aliases(inputs, "service").any(|alias| alias_names_account(alias, account))
}

/// Whether a text names somebody: by id, by an address (tags and domains that are one make no
/// difference), or by all words of a name. The texts of these worlds are plain.
fn is_them(
    text: &str,
    ids: &BTreeSet<String>,
    emails: &BTreeSet<EmailAddress>,
    names: &BTreeSet<String>,
    inputs: &Inputs,
) -> bool {
    let untagged = |local: &str| local.split('+').next().unwrap_or_default().to_owned();
    let parts = text.split(|c: char| c.is_whitespace() || "<>".contains(c));
    let mut addresses = parts.filter_map(EmailAddress::parse);
    let words: Vec<String> = fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_owned)
        .collect();
    ids.iter().any(|id| fold(id) == fold(text.trim()))
        || addresses.any(|written| {
            emails.iter().any(|email| {
                untagged(email.local()) == untagged(written.local())
                    && same_domains(email.domain(), inputs).contains(written.domain())
            })
        })
        || names.iter().any(|name| {
            name.split(' ')
                .all(|word| words.iter().any(|known| known == word))
        })
}

fn is_sound_exception(of: &Exception, inputs: &Inputs) -> bool {
    let about = of.person_id.is_some() || of.email.is_some() || of.account_id.is_some();
    let target = match &of.check {
        Some(check) => !about && (check == "population_drop" || check == "hr_drop"),
        None => about,
    };
    let email_is_one = of
        .email
        .as_deref()
        .is_none_or(|e| EmailAddress::parse(e).is_some());
    let day = of.expires_on.as_deref().unwrap_or("never");
    // The worlds begin on 23 November 2026: ninety days later is 21 February.
    let latest = jiff::civil::date(2027, 2, 21);
    let not_too_far = day
        .parse::<jiff::civil::Date>()
        .is_ok_and(|day| day <= latest);
    let own = is_them(
        of.approved_by.as_deref().unwrap_or_default(),
        &of.person_id.iter().cloned().collect(),
        &email(&of.email).into_iter().collect(),
        &BTreeSet::new(),
        inputs,
    );
    of.fault.is_none()
        && target
        && email_is_one
        && of.reason.is_some()
        && of.approved_by.is_some()
        && is_in_force(Some(day), inputs)
        && not_too_far
        && !own
}

/// Whether an exception covers access of a leaver by an account.
fn is_covered(person: &Person<'_>, account: &Account, inputs: &Inputs) -> bool {
    // The account is theirs, so what it bears names them as well.
    let (mut ids, mut emails, mut names) = (person.ids(), person.emails(), person.names());
    ids.insert(account.id.clone());
    emails.extend(account.emails.iter().cloned());
    names.extend(account.name.as_deref().and_then(name_key));
    inputs.directives.exceptions().iter().any(|of| {
        let approver = of.approved_by.as_deref().unwrap_or_default();
        is_sound_exception(of, inputs)
            && of.check.is_none()
            && of
                .person_id
                .as_ref()
                .is_none_or(|id| person.ids().contains(id))
            && email(&of.email).is_none_or(|email| {
                person.emails().contains(&email) || account.emails.contains(&email)
            })
            && of.account_id.as_ref().is_none_or(|id| *id == account.id)
            && !is_them(approver, &ids, &emails, &names, inputs)
    })
}

// ---- Whose account it is ----

/// Domains that are one, by going from pair to pair until nothing is new.
fn same_domains(domain: &str, inputs: &Inputs) -> BTreeSet<String> {
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

fn tie(person: &Person<'_>, account: &Account, inputs: &Inputs) -> Option<MatchKind> {
    if account
        .external_id
        .as_ref()
        .is_some_and(|id| person.ids().contains(id))
    {
        return Some(MatchKind::PersonId);
    }
    if aliases(inputs, "same")
        .any(|alias| alias_names_account(alias, account) && alias_names_person(alias, person))
    {
        return Some(MatchKind::Alias);
    }
    let pairs = || {
        let emails = person.emails();
        let of_account = account.emails.clone();
        emails.into_iter().flat_map(move |one| {
            of_account
                .clone()
                .into_iter()
                .map(move |other| (one.clone(), other))
        })
    };
    if pairs().any(|(one, other)| one == other) {
        return Some(MatchKind::Email);
    }
    pairs()
        .any(|(one, other)| {
            one.local() == other.local()
                && same_domains(one.domain(), inputs).contains(other.domain())
        })
        .then_some(MatchKind::DomainAlias)
}

/// Why an account may be somebody's, if it may.
fn may_be_theirs(person: &Person<'_>, account: &Account, inputs: &Inputs) -> bool {
    let untagged = |local: &str| match local.split_once('+') {
        Some((before, _)) if !before.is_empty() => before.to_owned(),
        _ => local.to_owned(),
    };
    // The one letter of another script in these worlds.
    let latin = |email: &EmailAddress| email.key().replace('\u{430}', "a");
    let alike = person.emails().iter().any(|one| {
        account.emails.iter().any(|other| {
            let tag = untagged(one.local()) == untagged(other.local())
                && same_domains(one.domain(), inputs).contains(other.domain());
            let odd = !one.key().is_ascii() || !other.key().is_ascii();
            tag || odd && latin(one) == latin(other)
        })
    });
    let name = account.name.as_deref().and_then(name_key);
    let same_name = name.is_some_and(|name| person.names().contains(&name));
    let apart = aliases(inputs, "different")
        .any(|alias| alias_names_account(alias, account) && alias_names_person(alias, person));
    (alike || same_name) && !apart
}

// ---- What is said ----

/// A leaver as the model has them.
#[derive(Debug, PartialEq)]
struct Said {
    outcome: Outcome,
    ties: BTreeMap<String, MatchKind>,
    /// Accounts with access after the deadline that nothing covers.
    offboarded: BTreeSet<String>,
    /// Accounts that may be theirs, and service accounts they left behind.
    possible: BTreeSet<String>,
}

fn said(
    person: &Person<'_>,
    everybody: &[Person<'_>],
    inputs: &Inputs,
    judged: &Judgement,
) -> Option<Said> {
    let now = inputs.as_of;
    let accounts = &inputs.population.accounts;
    let (stands, ended) = stands(person, now);
    if stands == Stands::WorksHere {
        return None;
    }
    let grace = SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds);
    // Without a date the clock begins tonight.
    let overdue = stands == Stands::Left && now > ended.unwrap_or(now) + grace;
    let tied: Vec<(&Account, MatchKind)> = accounts
        .iter()
        .filter_map(|account| Some((account, tie(person, account, inputs)?)))
        .collect();
    let suspected: Vec<&Account> = accounts
        .iter()
        .filter(|account| account.access() != Access::None)
        .filter(|account| {
            everybody
                .iter()
                .all(|other| tie(other, account, inputs).is_none())
        })
        .filter(|account| !is_service(account, inputs))
        .filter(|account| may_be_theirs(person, account, inputs))
        .collect();
    let with = |access: Access| {
        tied.iter()
            .filter(move |(account, _)| account.access() == access)
    };
    let open: Vec<&Account> = with(Access::Has)
        .map(|(account, _)| *account)
        .filter(|account| !is_covered(person, account, inputs))
        .collect();

    let employees = accounts
        .iter()
        .filter(|account| account.role != Role::Guest && account.access() != Access::None);
    let all_carry_ids = { employees }.all(|account| account.external_id.is_some());
    let some_id_fits = everybody.iter().any(|other| {
        accounts.iter().any(|account| {
            account
                .external_id
                .as_ref()
                .is_some_and(|id| other.ids().contains(id))
        })
    });
    let by_id = !person.ids().is_empty() && all_carry_ids && some_id_fits;
    let is_ours = |email: &EmailAddress| {
        judged
            .organization_domains
            .iter()
            .any(|domain| domain == email.domain())
    };
    let by_alias = aliases(inputs, "same").any(|alias| {
        alias_names_person(alias, person)
            && alias.account_id.is_none()
            && email(&alias.email).is_some_and(|e| is_ours(&e))
    });
    let could_match = by_id || by_alias || person.emails().iter().any(is_ours);

    let outcome = match stands {
        Stands::WorksHere => unreachable!("they are no leaver"),
        Stands::Rehired => Outcome::Rehired,
        Stands::Upcoming => Outcome::Upcoming,
        Stands::Unclear => Outcome::NotEvaluable,
        Stands::Left if overdue && !open.is_empty() => Outcome::StillActive,
        Stands::Left if !judged.complete => Outcome::NotEvaluable,
        Stands::Left if with(Access::Possible).next().is_some() => Outcome::NotEvaluable,
        Stands::Left if !suspected.is_empty() => Outcome::NotEvaluable,
        Stands::Left if with(Access::Has).next().is_some() && overdue => Outcome::Excepted,
        Stands::Left if with(Access::Has).next().is_some() => Outcome::WithinGrace,
        Stands::Left if !tied.is_empty() => Outcome::Removed,
        Stands::Left if could_match => Outcome::NoAccessFound,
        Stands::Left => Outcome::NotEvaluable,
    };
    let ids = |accounts: &[&Account]| accounts.iter().map(|account| account.id.clone()).collect();
    let mut possible: BTreeSet<String> = match outcome {
        Outcome::StillActive | Outcome::NotEvaluable | Outcome::Excepted
            if stands == Stands::Left =>
        {
            ids(&suspected)
        }
        _ => BTreeSet::new(),
    };
    if overdue {
        for account in accounts
            .iter()
            .filter(|account| account.access() != Access::None)
        {
            // The first line that names the account says what it is, and each its owner.
            let mut of = aliases(inputs, "service").filter(|a| alias_names_account(a, account));
            if of.any(|alias| owns(alias, person, inputs)) {
                possible.insert(account.id.clone());
            }
        }
    }
    Some(Said {
        offboarded: match outcome {
            Outcome::StillActive => ids(&open),
            _ => BTreeSet::new(),
        },
        outcome,
        ties: tied
            .iter()
            .map(|(account, kind)| (account.id.clone(), *kind))
            .collect(),
        possible,
    })
}

fn as_judged(leaver: &Leaver) -> (Outcome, BTreeMap<String, MatchKind>) {
    let kinds = leaver.matched_by.iter().copied();
    (
        leaver.outcome,
        leaver.account_id.iter().cloned().zip(kinds).collect(),
    )
}

fn ensure_agreement(world: &World) {
    let inputs = &world.inputs;
    let judged = world.judge();
    let people = if inputs.hr.unusable.is_some() {
        Vec::new()
    } else {
        people(&inputs.hr.rows)
    };
    let all: Vec<(BTreeSet<String>, BTreeSet<EmailAddress>, Said)> = people
        .iter()
        .filter_map(|person| {
            let said = said(person, &people, inputs, &judged)?;
            Some((person.ids(), person.emails(), said))
        })
        .collect();

    let mut judged_leavers: Vec<_> = judged
        .leavers
        .iter()
        .map(|leaver| {
            let ids: BTreeSet<String> = leaver
                .person_id
                .iter()
                .chain(&leaver.other_person_ids)
                .cloned()
                .collect();
            let emails: BTreeSet<EmailAddress> = leaver.emails.iter().cloned().collect();
            format!("{ids:?} {:?} {:?}", keys(&emails), as_judged(leaver))
        })
        .collect();
    let mut modelled: Vec<_> = all
        .iter()
        .map(|(ids, emails, said)| {
            format!(
                "{ids:?} {:?} {:?}",
                keys(emails),
                (said.outcome, &said.ties)
            )
        })
        .collect();
    judged_leavers.sort();
    modelled.sort();
    assert_eq!(judged_leavers, modelled);

    let found = |kind: FindingKind| -> BTreeSet<String> {
        let findings = judged
            .findings
            .iter()
            .filter(|finding| finding.kind == kind);
        findings
            .filter_map(|finding| finding.account_id.clone())
            .collect()
    };
    let union = |of: fn(&Said) -> &BTreeSet<String>| -> BTreeSet<String> {
        all.iter().flat_map(|(.., said)| of(said).clone()).collect()
    };
    let offboarded = union(|said| &said.offboarded);
    let possible = union(|said| &said.possible);
    assert_eq!(found(FindingKind::OffboardedAccess), offboarded);
    assert_eq!(found(FindingKind::PossibleOffboardedAccess), possible);

    let is_failed = judged
        .checks
        .iter()
        .any(|check| check.status == CheckStatus::Fail);
    let unjudged = all
        .iter()
        .any(|(.., said)| said.outcome == Outcome::NotEvaluable);
    let admin = judged.findings.iter().any(|finding| {
        finding.kind == FindingKind::AccountWithoutHrRecord && finding.role == Some(Role::Admin)
    });
    let needed = judged
        .directives
        .iter()
        .any(|of| of.kind == DirectiveKind::Exception && of.state == DirectiveState::Used);
    let verdict = if !offboarded.is_empty() {
        Verdict::Fail
    } else if is_failed || unjudged || !possible.is_empty() || admin {
        Verdict::Inconclusive
    } else if needed {
        Verdict::PassWithExceptions
    } else {
        Verdict::Pass
    };
    assert_eq!(judged.verdict, verdict);

    if inputs.policy.hr_feed_scope != FeedScope::Roster {
        assert!(found(FindingKind::AccountWithoutHrRecord).is_empty());
    }
    // A line that is not sound is a finding, and does nothing.
    let unsound = inputs
        .directives
        .exceptions()
        .iter()
        .filter(|of| !is_sound_exception(of, inputs));
    for of in unsound {
        let told = judged
            .directives
            .iter()
            .find(|told| told.kind == DirectiveKind::Exception && told.line == of.line);
        let state = told.expect("every line is told of").state;
        assert!(
            matches!(state, DirectiveState::Malformed | DirectiveState::Expired),
            "{of:?}"
        );
    }
}

fn keys(emails: &BTreeSet<EmailAddress>) -> Vec<&str> {
    emails.iter().map(EmailAddress::key).collect()
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn the_model_agrees_on_every_first_night(night in a_night()) {
        let worlds = worlds(&[night]);
        ensure_agreement(&worlds[0]);
    }
}

// ---- What holds whatever anybody decides by hand ----

fn without(world: &World, kind: DirectiveKind) -> World {
    world.clone().change(|inputs| match kind {
        DirectiveKind::Alias => inputs.directives.aliases = None,
        DirectiveKind::Exception => inputs.directives.exceptions = None,
    })
}

/// Everything that is said, but for the lines themselves and findings about them.
fn but_for_the_lines(judged: &Judgement) -> String {
    let findings = judged.findings.iter().filter(|finding| {
        !matches!(
            finding.kind,
            FindingKind::AliasInvalid | FindingKind::ExceptionInvalid
        )
    });
    // A note names lines in the order of their file.
    let sorted = |finding: &Finding| {
        let mut note: Vec<&str> = finding.note.split("; ").collect();
        note.sort_unstable();
        let note = note.join("; ");
        Finding {
            note,
            ..finding.clone()
        }
    };
    let findings: Vec<_> = findings.map(sorted).collect();
    let people = judged
        .changes
        .iter()
        .filter(|change| change.account_id.is_some());
    let people: Vec<_> = people.collect();
    let mut owners = judged.owners.clone();
    for owner in &mut owners {
        owner.findings.retain(|kind| {
            !matches!(
                kind,
                FindingKind::AliasInvalid | FindingKind::ExceptionInvalid
            )
        });
    }
    format!(
        "{} {:#?} {findings:#?} {people:#?} {owners:#?}",
        judged.verdict, judged.leavers
    )
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn an_exception_never_turns_a_fail_into_an_unqualified_pass(nights in nights(2)) {
        for world in worlds(&nights) {
            let judged = world.judge();
            let plain = without(&world, DirectiveKind::Exception).judge();
            if plain.verdict == Verdict::Fail {
                prop_assert_ne!(judged.verdict, Verdict::Pass);
            }
        }
    }

    #[test]
    fn no_line_makes_a_night_better_without_saying_that_it_was_used(nights in nights(2)) {
        for world in worlds(&nights) {
            let judged = world.judge();
            for kind in [DirectiveKind::Alias, DirectiveKind::Exception] {
                let plain = without(&world, kind).judge();
                let used = judged.directives.iter().any(|of| {
                    of.kind == kind && of.state == DirectiveState::Used
                });
                prop_assert!(used || judged.verdict >= plain.verdict, "{kind}");
            }
        }
    }

    #[test]
    fn a_line_that_is_not_sound_changes_nothing_but_its_finding(nights in nights(2)) {
        for world in worlds(&nights) {
            let judged = world.judge();
            let is_sound = |kind: DirectiveKind, line: u64| {
                let mut of = judged.directives.iter();
                let told = of.find(|of| (of.kind, of.line) == (kind, line)).expect("told of");
                matches!(told.state, DirectiveState::Used | DirectiveState::Unused)
            };
            let sound = world.clone().change(|inputs| {
                if let Some(file) = &mut inputs.directives.aliases {
                    file.lines.retain(|alias| is_sound(DirectiveKind::Alias, alias.line));
                }
                if let Some(file) = &mut inputs.directives.exceptions {
                    file.lines.retain(|of| is_sound(DirectiveKind::Exception, of.line));
                }
            });
            prop_assert_eq!(but_for_the_lines(&judged), but_for_the_lines(&sound.judge()));
        }
    }

    #[test]
    fn the_order_of_lines_accounts_and_rows_never_matters(nights in nights(2)) {
        for world in worlds(&nights) {
            let mut backwards = world.clone();
            backwards = backwards.change(|inputs| {
                inputs.population.accounts.reverse();
                inputs.hr.rows.reverse();
                if let Some(file) = &mut inputs.directives.aliases {
                    file.lines.reverse();
                }
                if let Some(file) = &mut inputs.directives.exceptions {
                    file.lines.reverse();
                }
            });
            let (one, mut other) = (world.judge(), backwards.judge());
            other.owners.reverse();
            // Of two aliases that say the same the first in the file is the one that is used.
            let exceptions = |judged: &Judgement| {
                let mut told = judged.directives.clone();
                told.retain(|of| of.kind == DirectiveKind::Exception);
                told.sort_by_key(|of| of.line);
                told
            };
            prop_assert_eq!(exceptions(&one), exceptions(&other));
            prop_assert_eq!(but_for_the_lines(&one), but_for_the_lines(&other));
        }
    }

    #[test]
    fn nobody_who_is_followed_is_lost_over_three_nights(nights in nights(3)) {
        let worlds = worlds(&nights);
        for pair in worlds.windows(2) {
            let (before, after) = (pair[0].judge(), pair[1].judge());
            // By a name alone rows cannot be told apart by anybody.
            let has_key =
                |leaver: &&Leaver| leaver.person_id.is_some() || !leaver.emails.is_empty();
            for leaver in before.leavers.iter().filter(has_key) {
                // Told of again, or told to be told of no more.
                let ids: BTreeSet<&String> =
                    leaver.person_id.iter().chain(&leaver.other_person_ids).collect();
                let is_same = |other: &&Leaver| {
                    let mut of = other.person_id.iter().chain(&other.other_person_ids);
                    of.any(|id| ids.contains(id))
                        || other.emails.iter().any(|email| leaver.emails.contains(email))
                        || other.account_id.iter().any(|id| leaver.account_id.contains(id))
                        || other.name.is_some() && other.name == leaver.name
                };
                let is_told = after.leavers.iter().find(is_same).is_some();
                let is_closed = after.changes.iter().any(|change| {
                    change.person_id == leaver.person_id && change.after.is_empty()
                });
                prop_assert!(is_told || is_closed, "{leaver:#?}");
            }
        }
    }
}
