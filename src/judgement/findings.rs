//! Findings: the points that need attention.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::approvers::email_of;
use super::manual::{Invalid, Line, NO_EMAIL, WITHOUT_ADDRESS};
use super::matching::Matches;
use super::outcomes::{JudgedLeaver, listed};
use super::records::finding_id;
use super::remedies::{Key, Remedy};
use super::reviews::NotDone;
use super::services;
use super::states;
use super::suspicion::Reason;
use super::uses::Uses;
use super::{
    Basis, FeedScope, Finding, FindingKind, Inputs, Leaver, MatchKind, OffboardingResult, Outcome,
    Severity,
};
use crate::model::{Access, Account, EmailAddress, Role, counted};

/// The findings of the run, most severe first.
pub(super) fn of_the_run(
    basis: &Basis<'_>,
    leavers: &[JudgedLeaver<'_>],
    matches: &[Matches<'_>],
    not_done: &[NotDone<'_>],
    uses: &mut Uses,
) -> Vec<Finding> {
    let inputs = basis.inputs;
    let mut findings = Vec::new();
    for judged in leavers {
        offboarded_access(inputs, judged, &mut findings);
        let of_person = std::iter::once(&judged.leaver).chain(&judged.superseded);
        findings.extend(of_person.filter_map(|leaver| late_removal(basis, leaver)));
        without_owner(basis, judged, &mut findings, uses);
    }
    possible_access(inputs, leavers, &mut findings);
    findings.extend(without_address(inputs, leavers));
    findings.extend(not_done.iter().map(|of| not_carried_out(inputs, of)));
    unidentifiable(basis, &mut findings, uses);
    without_hr_record(basis, matches, &mut findings, uses);
    // Last, because only now are all self-approved lines known.
    invalid_lines(basis, &mut findings, uses);
    findings.sort_by_cached_key(|of| {
        let (account, person) = (of.account_id.clone(), of.person_id.clone());
        let id = of.finding_id.clone();
        (of.severity, of.kind, account, person, id)
    });
    // One account and person give one finding, with all notes.
    let same = findings.chunk_by(|one, other| one.finding_id == other.finding_id);
    let merged = same.map(|same| {
        let notes = same.iter().map(|of| of.note.as_str());
        let mut known = HashSet::new();
        let notes: Vec<&str> = notes.filter(|note| known.insert(*note)).collect();
        Finding {
            note: notes.join("; "),
            ..same[0].clone()
        }
    });
    merged.collect()
}

/// The subject of a finding.
#[derive(Default)]
struct About<'a> {
    account: Option<&'a Account>,
    /// The account's id, if nothing else about it is known.
    account_id: Option<&'a str>,
    leaver: Option<&'a Leaver>,
    /// The person id of a line, if no leaver is known.
    person_id: Option<&'a str>,
    /// The address or the check of a line that names no person.
    line_key: Option<&'a str>,
    matched_by: Option<MatchKind>,
}

impl<'a> About<'a> {
    fn account(account: &'a Account) -> Self {
        Self {
            account: Some(account),
            ..Self::default()
        }
    }

    fn access(account: &'a Account, leaver: &'a Leaver) -> Self {
        Self {
            leaver: Some(leaver),
            ..Self::account(account)
        }
    }
}

fn finding(
    inputs: &Inputs,
    kind: FindingKind,
    about: About<'_>,
    note: impl Into<String>,
) -> Finding {
    let About {
        account,
        account_id,
        leaver,
        person_id,
        line_key,
        matched_by,
    } = about;
    let account_id = account.map(|of| of.id.as_str()).or(account_id);
    let person_id = leaver.map_or(person_id, |leaver| leaver.person_id.as_deref());
    let (deadline, counted_to) = match (kind, leaver) {
        (FindingKind::LateRemoval, Some(leaver)) => (leaver.deadline, leaver.last_seen_with_access),
        (_, leaver) => (
            leaver.and_then(Leaver::verdict_deadline),
            Some(inputs.as_of),
        ),
    };
    let connection = &inputs.population.connection.id;
    let finding_id = finding_id(connection, kind, account_id, person_id.or(line_key));
    let previous = inputs.past.previous.as_ref();
    let first_seen = previous.and_then(|of| of.findings_first_seen.get(&finding_id));
    Finding {
        kind,
        severity: severity(kind, account.map(|account| &account.role)),
        account_id: account_id.map(str::to_owned),
        email: account.and_then(|account| account.email().cloned()),
        name: account.and_then(|account| account.name.clone()),
        role: account.map(|account| account.role.clone()),
        status: account.map(|account| account.status.clone()),
        person_id: person_id.map(str::to_owned),
        end_of_work: leaver.and_then(|leaver| leaver.end_of_work),
        deadline,
        overdue_hours: overdue_hours(deadline, counted_to),
        matched_by,
        first_seen: first_seen.copied().unwrap_or(inputs.as_of),
        note: note.into(),
        finding_id,
    }
}

fn severity(kind: FindingKind, role: Option<&Role>) -> Severity {
    let is_admin = role == Some(&Role::Admin);
    match kind {
        FindingKind::OffboardedAccess | FindingKind::AccessAfterConclusion if is_admin => {
            Severity::Critical
        }
        FindingKind::AccountWithoutHrRecord if is_admin => Severity::High,
        FindingKind::OffboardedAccess
        | FindingKind::AccessAfterConclusion
        | FindingKind::RevocationNotDone => Severity::High,
        FindingKind::PossibleOffboardedAccess
        | FindingKind::LateRemoval
        | FindingKind::AccountWithoutHrRecord
        | FindingKind::AccountUnidentifiable
        | FindingKind::LeaverWithoutAddress => Severity::Medium,
        FindingKind::ExceptionInvalid | FindingKind::AliasInvalid => Severity::Low,
    }
}

/// Whole hours past the deadline; `None` before it.
fn overdue_hours(deadline: Option<Timestamp>, counted_to: Option<Timestamp>) -> Option<i64> {
    let overdue = counted_to?.duration_since(deadline?);
    overdue.is_positive().then(|| overdue.as_hours())
}

fn offboarded_access(inputs: &Inputs, judged: &JudgedLeaver<'_>, findings: &mut Vec<Finding>) {
    let leaver = &judged.leaver;
    if leaver.outcome != Outcome::StillActive {
        return;
    }
    let kind = match leaver.result {
        None => FindingKind::OffboardedAccess,
        Some(_) => FindingKind::AccessAfterConclusion,
    };
    let links = judged.links.iter();
    for link in links.filter(|link| judged.open.contains(&link.account_id)) {
        let Some(account) = link.listed else {
            continue;
        };
        let about = About {
            matched_by: Some(link.kind),
            ..About::access(account, leaver)
        };
        let note = leaver.note.as_str();
        findings.push(finding(inputs, kind, about, note));
    }
}

/// Accounts that may belong to a leaver. Leavers and accounts with the same name or address share one finding.
fn possible_access(inputs: &Inputs, leavers: &[JudgedLeaver<'_>], findings: &mut Vec<Finding>) {
    let is_open = |judged: &&JudgedLeaver<'_>| match judged.leaver.outcome {
        Outcome::StillActive | Outcome::NotEvaluable | Outcome::Excepted => !judged.is_accepted,
        Outcome::Rehired
        | Outcome::Rescinded
        | Outcome::Upcoming
        | Outcome::WithinGrace
        | Outcome::Removed
        | Outcome::NoAccessFound => false,
    };
    let mut questions: BTreeMap<(Reason, &str), Vec<(&Leaver, &Account)>> = BTreeMap::new();
    for judged in leavers.iter().filter(is_open) {
        for of in &judged.suspicions {
            let question = questions.entry((of.reason, &of.key)).or_default();
            question.push((&judged.leaver, of.account));
        }
    }
    for ((reason, _), question) in questions {
        let (leaver, _) = question[0];
        let accounts = question.iter().map(|(_, account)| (&account.id, *account));
        let accounts: BTreeMap<&String, &Account> = accounts.collect();
        let Some(account) = accounts.values().next() else {
            continue;
        };
        let has_more = question.iter().any(|(leaver, _)| leaver.more_suspected);
        // The suspicions about one leaver are adjacent.
        let leavers = question.chunk_by(|(one, _), (other, _)| std::ptr::eq(*one, *other));
        let leavers = leavers.count();
        let mut note = format!("{}: a suspicion, not a match", reason.text());
        if accounts.len() > 1 {
            let at_least = if has_more { "at least " } else { "" };
            let accounts = listed(accounts.values().copied());
            note.push_str(&format!("; {at_least}{accounts}"));
            if reason != Reason::Unread {
                note.push_str("; each account needs its own line");
            }
        }
        if leavers > 1 {
            note.push_str(&format!("; {leavers} leavers"));
        }
        let person = Key::of(leaver.person_id.as_deref(), &leaver.emails);
        // Without a remedy, the check `hr_columns` names the setting.
        if let Some(remedy) = reason.remedy(account, person) {
            note.push_str(&format!("; closes with: `{}`", remedy.line(person)));
        }
        let kind = FindingKind::PossibleOffboardedAccess;
        let about = About::access(account, leaver);
        findings.push(finding(inputs, kind, about, note));
    }
}

/// One finding for all leavers for whom the run could not have found an account.
fn without_address(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Option<Finding> {
    let is_open = |judged: &&JudgedLeaver<'_>| {
        judged.without_address && judged.leaver.outcome == Outcome::NotEvaluable
    };
    let count = leavers.iter().filter(is_open).count();
    let note = format!(
        "HR gives no usable work address for {}, so the run could not have found an account; closes with: `{}`",
        counted(count, "leaver", "leavers"),
        Remedy::Check(WITHOUT_ADDRESS).line(Key::None)
    );
    let kind = FindingKind::LeaverWithoutAddress;
    (count > 0).then(|| finding(inputs, kind, About::default(), note))
}

/// An offboarding that this run concluded as late.
fn late_removal(basis: &Basis<'_>, leaver: &Leaver) -> Option<Finding> {
    let inputs = basis.inputs;
    let is_concluded_now = leaver.concluded_run.as_ref() == Some(&inputs.run);
    if !is_concluded_now || leaver.result != Some(OffboardingResult::Late) {
        return None;
    }
    let account_id = leaver.account_id.first().map(String::as_str);
    let known = |id| basis.listed.get(id).or_else(|| basis.earlier.get(id));
    let about = About {
        account_id,
        account: account_id.and_then(known).copied(),
        leaver: Some(leaver),
        matched_by: leaver.matched_by.first().copied(),
        ..About::default()
    };
    let note = "access ended, or a new tenure began, after the deadline; the hours count to the last run that saw \
                access";
    let kind = FindingKind::LateRemoval;
    Some(finding(inputs, kind, about, note))
}

/// A service account whose owner has left: the leaver may know its password, and the account has no owner.
fn without_owner(
    basis: &Basis<'_>,
    judged: &JudgedLeaver<'_>,
    findings: &mut Vec<Finding>,
    uses: &mut Uses,
) {
    let leaver = &judged.leaver;
    let has_left = judged.is_overdue || leaver.is_missing_from_roster();
    if !has_left || judged.is_accepted {
        return;
    }
    let inputs = basis.inputs;
    let population = &inputs.population;
    for (line, account_id, account) in basis.manual.services_of_leaver(leaver, population) {
        let what = format!("the owner of account {account_id} has left");
        uses.alias(line, what);
        let note = format!(
            "the owner of this service account has left (line {line} of the aliases): change its secrets and \
             name another owner; closes with: `{}`",
            Remedy::Service(account_id.to_owned()).line(Key::None)
        );
        let kind = FindingKind::PossibleOffboardedAccess;
        let about = About {
            account,
            account_id: Some(account_id),
            leaver: Some(leaver),
            ..About::default()
        };
        findings.push(finding(inputs, kind, about, note));
    }
}

/// A decision of a review that was not carried out in time, or was undone.
fn not_carried_out(inputs: &Inputs, of: &NotDone<'_>) -> Finding {
    let kind = FindingKind::RevocationNotDone;
    let deadline = Some(of.deadline);
    Finding {
        deadline,
        overdue_hours: overdue_hours(deadline, Some(inputs.as_of)),
        ..finding(inputs, kind, About::account(of.account), &of.note)
    }
}

fn unidentifiable(basis: &Basis<'_>, findings: &mut Vec<Finding>, uses: &mut Uses) {
    let manual = &basis.manual;
    let accounts = basis.inputs.population.accounts.iter();
    let without_address = accounts.filter(|of| of.access() != Access::None && of.emails.is_empty());
    let open = without_address.filter(|account| !manual.accept(account, NO_EMAIL, uses));
    let open = Vec::from_iter(open);
    for account in &open {
        let kind = FindingKind::AccountUnidentifiable;
        let about = About::account(account);
        let mut note =
            "the account has or may have access but no address, so its owner cannot be identified"
                .to_owned();
        if services::may_be_services(basis, open.len()) {
            note.push_str(&format!("; {}", services::closes_with(&account.id)));
        }
        findings.push(finding(basis.inputs, kind, about, note));
    }
}

/// Accounts in the organization's domains that no person in a roster owns. Guests are not included, because HR does
/// not list them.
fn without_hr_record(
    basis: &Basis<'_>,
    matches: &[Matches<'_>],
    findings: &mut Vec<Finding>,
    uses: &mut Uses,
) {
    let inputs = basis.inputs;
    if inputs.policy.hr_feed_scope != FeedScope::Roster || inputs.hr.unusable.is_some() {
        return;
    }
    let links = matches.iter().flat_map(|matches| &matches.links);
    let owned: HashSet<&str> = links.map(|link| link.account_id).collect();
    let rejected: HashSet<EmailAddress> = inputs.hr.rejected.iter().filter_map(email_of).collect();
    let manual = &basis.manual;
    for account in &inputs.population.accounts {
        if account.access() == Access::None
            || account.role == Role::Guest
            || owned.contains(account.id.as_str())
            || !account.emails.iter().any(|email| basis.is_ours(email))
            // HR names the person in an unreadable row, which fails its own check.
            || account.emails.iter().any(|email| rejected.contains(email))
            || manual.accept(account, "no HR record", uses)
        {
            continue;
        }
        let kind = FindingKind::AccountWithoutHrRecord;
        let about = About::account(account);
        let note = "the address is in a domain of the organization, and no person in the roster owns the account";
        findings.push(finding(inputs, kind, about, note));
    }
}

/// Lines of manual decisions that are never used.
fn invalid_lines(basis: &Basis<'_>, findings: &mut Vec<Finding>, uses: &Uses) {
    for Invalid { line, fault } in states::invalid(basis, uses) {
        let (kind, file) = match line {
            Line::Alias(_) => (FindingKind::AliasInvalid, "aliases"),
            Line::Exception(_) => (FindingKind::ExceptionInvalid, "exceptions"),
        };
        let [person_id, account_id, email] = line.keys();
        let check = match line {
            Line::Alias(_) => None,
            Line::Exception(of) => of.check.as_deref(),
        };
        let about = About {
            account_id,
            person_id,
            line_key: email.or(check),
            ..About::default()
        };
        let (_, number) = line.place();
        let note = format!("line {number} of the {file}: {}", fault.1);
        findings.push(Finding {
            email: email.and_then(EmailAddress::parse),
            ..finding(basis.inputs, kind, about, note)
        });
    }
}
