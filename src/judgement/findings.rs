//! Findings: the points that need attention.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::directives::WITHOUT_ADDRESS;
use super::matching::Matches;
use super::outcomes::{JudgedLeaver, listed};
use super::records::finding_id;
use super::remedies::{Key, Remedy};
use super::reviews::NotDone;
use super::suspicion::Reason;
use super::uses::Uses;
use super::{
    Basis, DirectiveKind, FeedScope, Finding, FindingKind, Inputs, Leaver, MatchKind,
    OffboardingResult, Outcome, Severity,
};
use crate::model::{Access, Account, EmailAddress, Role};

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
        for leaver in std::iter::once(&judged.leaver).chain(&judged.superseded) {
            late_removal(basis, leaver, &mut findings);
        }
        without_owner(basis, judged, &mut findings, uses);
    }
    possible_access(inputs, leavers, &mut findings);
    without_address(inputs, leavers, &mut findings);
    not_carried_out(inputs, not_done, &mut findings);
    unidentifiable(basis, &mut findings, uses);
    without_hr_record(basis, matches, &mut findings, uses);
    // Last: only by now it is known which lines were approved by the person they are for.
    invalid_directives(basis, &mut findings, uses);
    findings.sort_by(|a, b| {
        (
            a.severity,
            a.kind,
            &a.account_id,
            &a.person_id,
            &a.finding_id,
        )
            .cmp(&(
                b.severity,
                b.kind,
                &b.account_id,
                &b.person_id,
                &b.finding_id,
            ))
    });
    // One account and person give one finding, with everything there is to report.
    let mut notes: Vec<String> = Vec::new();
    findings.dedup_by(|again, first| {
        if again.finding_id != first.finding_id {
            notes.clear();
            return false;
        }
        if notes.is_empty() {
            notes.push(first.note.clone());
        }
        if !notes.contains(&again.note) {
            first.note = format!("{}; {}", first.note, again.note);
            notes.push(again.note.clone());
        }
        true
    });
    findings
}

/// Who and what a finding is about.
struct FindingSubject<'a> {
    kind: FindingKind,
    severity: Severity,
    account_id: Option<&'a str>,
    account: Option<&'a Account>,
    leaver: Option<&'a Leaver>,
    /// The person id of a line, if no leaver is known.
    person_id: Option<&'a str>,
    matched_by: Option<MatchKind>,
    note: String,
}

fn finding(inputs: &Inputs, about: FindingSubject<'_>) -> Finding {
    let person_id = match about.leaver {
        Some(leaver) => leaver.person_id.clone(),
        None => about.person_id.map(str::to_owned),
    };
    let deadline = about.leaver.and_then(|leaver| match about.kind {
        FindingKind::LateRemoval => leaver.deadline,
        _ => leaver.verdict_deadline(),
    });
    let finding_id = finding_id(
        &inputs.population.connection.id,
        about.kind,
        about.account_id.unwrap_or_default(),
        person_id.as_deref().unwrap_or_default(),
    );
    let carried = inputs.past.previous.as_ref();
    let first_seen = carried
        .and_then(|previous| previous.findings_first_seen.get(&finding_id).copied())
        .unwrap_or(inputs.as_of);
    let counted_to = match about.kind {
        FindingKind::LateRemoval => about.leaver.and_then(|leaver| leaver.last_seen_with_access),
        _ => Some(inputs.as_of),
    };
    Finding {
        finding_id,
        kind: about.kind,
        severity: about.severity,
        account_id: about.account_id.map(str::to_owned),
        email: about.account.and_then(|account| account.email().cloned()),
        name: about.account.and_then(|account| account.name.clone()),
        role: about.account.map(|account| account.role.clone()),
        status: about.account.map(|account| account.status.clone()),
        person_id,
        end_of_work: about.leaver.and_then(|leaver| leaver.end_of_work),
        deadline,
        overdue_hours: overdue_hours(deadline, counted_to),
        matched_by: about.matched_by,
        first_seen,
        note: about.note,
    }
}

/// Whole hours past the deadline; none before it.
fn overdue_hours(deadline: Option<Timestamp>, counted_to: Option<Timestamp>) -> Option<i64> {
    let overdue = counted_to?.duration_since(deadline?);
    overdue.is_positive().then(|| overdue.as_hours())
}

fn offboarded_access(inputs: &Inputs, judged: &JudgedLeaver<'_>, findings: &mut Vec<Finding>) {
    if judged.leaver.outcome != Outcome::StillActive {
        return;
    }
    for link in &judged.links {
        let Some(account) = link
            .listed
            .filter(|account| account.access() == Access::Has)
        else {
            continue;
        };
        if !judged.open.contains(&link.account_id) {
            continue;
        }
        let severity = if account.role == Role::Admin {
            Severity::Critical
        } else {
            Severity::High
        };
        let kind = match judged.leaver.result {
            None => FindingKind::OffboardedAccess,
            Some(_) => FindingKind::AccessAfterConclusion,
        };
        findings.push(finding(
            inputs,
            FindingSubject {
                kind,
                severity,
                account_id: Some(&account.id),
                account: Some(account),
                leaver: Some(&judged.leaver),
                person_id: None,
                matched_by: Some(link.kind),
                note: judged.leaver.note.clone(),
            },
        ));
    }
}

/// Accounts that may be a leaver's. Leavers and accounts with the same name or address share one finding.
fn possible_access(inputs: &Inputs, leavers: &[JudgedLeaver<'_>], findings: &mut Vec<Finding>) {
    #[derive(Default)]
    struct Question<'q> {
        accounts: BTreeMap<&'q str, &'q Account>,
        has_more: bool,
        leavers: Vec<&'q Leaver>,
    }
    let mut questions: BTreeMap<(Reason, &str), Question<'_>> = BTreeMap::new();
    for judged in leavers {
        let is_open = match judged.leaver.outcome {
            Outcome::StillActive | Outcome::NotEvaluable | Outcome::Excepted => !judged.is_accepted,
            Outcome::Rehired
            | Outcome::Rescinded
            | Outcome::Upcoming
            | Outcome::WithinGrace
            | Outcome::Removed
            | Outcome::NoAccessFound => false,
        };
        for suspicion in judged.suspicions.iter().filter(|_| is_open) {
            let key = (suspicion.reason, suspicion.key.as_str());
            let question = questions.entry(key).or_default();
            let id = suspicion.account.id.as_str();
            question.accounts.insert(id, suspicion.account);
            question.has_more |= judged.leaver.more_suspected;
            let last = question.leavers.last();
            if !last.is_some_and(|last| std::ptr::eq(*last, &judged.leaver)) {
                question.leavers.push(&judged.leaver);
            }
        }
    }
    for ((reason, _), question) in questions {
        let Question {
            accounts,
            has_more,
            leavers,
        } = question;
        let (Some(account), Some(leaver)) = (accounts.values().next(), leavers.first()) else {
            continue;
        };
        let mut note = format!("{}: a suspicion, not a match", reason.text());
        if accounts.len() > 1 {
            let at_least = if has_more { "at least " } else { "" };
            let accounts = listed(accounts.values().copied());
            note.push_str(&format!("; {at_least}{accounts}"));
            if reason != Reason::Unread {
                note.push_str("; each account needs its own line");
            }
        }
        if leavers.len() > 1 {
            note.push_str(&format!("; {} leavers", leavers.len()));
        }
        let person = Key::of(leaver.person_id.as_deref(), &leaver.emails);
        let closes = match reason {
            Reason::Shared => Some(Remedy::Service(account.id.clone())),
            // The check on columns has the setting.
            Reason::Unread => None,
            _ if person == Key::None => Some(Remedy::Account(account.id.clone())),
            _ => Some(Remedy::Different(account.id.clone())),
        };
        if let Some(remedy) = closes {
            note.push_str(&format!("; closes with: `{}`", remedy.line(person)));
        }
        findings.push(finding(
            inputs,
            FindingSubject {
                kind: FindingKind::PossibleOffboardedAccess,
                severity: Severity::Medium,
                account_id: Some(&account.id),
                account: Some(account),
                leaver: Some(leaver),
                person_id: None,
                matched_by: None,
                note,
            },
        ));
    }
}

/// Leavers for whom no account could have been found, all in one finding.
fn without_address(inputs: &Inputs, leavers: &[JudgedLeaver<'_>], findings: &mut Vec<Finding>) {
    let open = leavers
        .iter()
        .filter(|judged| judged.without_address && judged.leaver.outcome == Outcome::NotEvaluable);
    let count = open.count();
    if count == 0 {
        return;
    }
    findings.push(finding(
        inputs,
        FindingSubject {
            kind: FindingKind::LeaverWithoutAddress,
            severity: Severity::Medium,
            account_id: None,
            account: None,
            leaver: None,
            person_id: None,
            matched_by: None,
            note: format!(
                "HR gives no usable work address for {count} leaver(s): an account could not have been found; \
                 closes with: `{}`",
                Remedy::Check(WITHOUT_ADDRESS).line(Key::None)
            ),
        },
    ));
}

/// An offboarding that this run concluded as late.
fn late_removal(basis: &Basis<'_>, leaver: &Leaver, findings: &mut Vec<Finding>) {
    let inputs = basis.inputs;
    let is_concluded_now = leaver.concluded_run.as_ref() == Some(&inputs.run);
    if !is_concluded_now || leaver.result != Some(OffboardingResult::Late) {
        return;
    }
    let account_id = leaver.account_id.first().map(String::as_str);
    let account = account_id.and_then(|id| {
        let listed = basis.listed.get(id).or_else(|| basis.earlier.get(id));
        listed.copied()
    });
    findings.push(finding(
        inputs,
        FindingSubject {
            kind: FindingKind::LateRemoval,
            severity: Severity::Medium,
            account_id,
            account,
            leaver: Some(leaver),
            person_id: None,
            matched_by: leaver.matched_by.first().copied(),
            note: "access ended, or a new tenure began, after the deadline; the hours count to the last run that saw \
                   access"
                .to_owned(),
        },
    ));
}

/// A service account whose owner has left: the leaver may know its password, and the account has no owner.
fn without_owner(
    basis: &Basis<'_>,
    judged: &JudgedLeaver<'_>,
    findings: &mut Vec<Finding>,
    uses: &mut Uses,
) {
    let has_left = judged.is_overdue || judged.leaver.is_missing_from_roster();
    if !has_left || judged.is_accepted {
        return;
    }
    let leaver = &judged.leaver;
    let accounts = &basis.inputs.population.accounts;
    let owned = basis.directives.left_behind_by(leaver, accounts);
    for (line, account) in owned {
        uses.alias(
            line,
            format!("the owner of account {} has left", account.id),
        );
        findings.push(finding(
            basis.inputs,
            FindingSubject {
                kind: FindingKind::PossibleOffboardedAccess,
                severity: Severity::Medium,
                account_id: Some(&account.id),
                account: Some(account),
                leaver: Some(leaver),
                person_id: None,
                matched_by: None,
                note: format!(
                    "a service account whose owner has left (line {line} of the aliases): change its secrets and \
                     name another owner; closes with: `{}`",
                    Remedy::Service(account.id.clone()).line(Key::None)
                ),
            },
        ));
    }
}

/// Decisions of a review that were not done in time, or were undone.
fn not_carried_out(inputs: &Inputs, not_done: &[NotDone<'_>], findings: &mut Vec<Finding>) {
    for of in not_done {
        let mut made = finding(
            inputs,
            FindingSubject {
                kind: FindingKind::RevocationNotDone,
                severity: Severity::High,
                account_id: Some(&of.account.id),
                account: Some(of.account),
                leaver: None,
                person_id: None,
                matched_by: None,
                note: of.note.clone(),
            },
        );
        made.deadline = Some(of.deadline);
        made.overdue_hours = overdue_hours(made.deadline, Some(inputs.as_of));
        findings.push(made);
    }
}

fn unidentifiable(basis: &Basis<'_>, findings: &mut Vec<Finding>, uses: &mut Uses) {
    let inputs = basis.inputs;
    for account in &inputs.population.accounts {
        if account.access() == Access::None
            || !account.emails.is_empty()
            || basis.directives.name(account, uses)
        {
            continue;
        }
        findings.push(finding(
            inputs,
            FindingSubject {
                kind: FindingKind::AccountUnidentifiable,
                severity: Severity::Medium,
                account_id: Some(&account.id),
                account: Some(account),
                leaver: None,
                person_id: None,
                matched_by: None,
                note: "has or may have access, but no address: its owner cannot be identified"
                    .to_owned(),
            },
        ));
    }
}

/// Accounts in the organization's domains that no person in a roster owns. Guests are outsiders, and HR does
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
    let rejected: HashSet<EmailAddress> = inputs
        .hr
        .rejected
        .iter()
        .filter_map(|row| EmailAddress::parse(row.email.as_deref()?))
        .collect();
    for account in &inputs.population.accounts {
        let is_internal = |email: &EmailAddress| basis.domains.contains(email.domain());
        if account.access() == Access::None
            || account.role == Role::Guest
            || owned.contains(account.id.as_str())
            || !account.emails.iter().any(is_internal)
            // HR names the person, in a row that could not be read and fails a check of its own.
            || account.emails.iter().any(|email| rejected.contains(email))
            || basis.directives.is_service(account, uses)
            || basis
                .directives
                .covers_account(account, "no HR record", None, uses)
                .is_some()
        {
            continue;
        }
        findings.push(finding(
            inputs,
            FindingSubject {
                kind: FindingKind::AccountWithoutHrRecord,
                severity: match account.role {
                    Role::Admin => Severity::High,
                    Role::Member | Role::Guest | Role::Unknown(_) => Severity::Medium,
                },
                account_id: Some(&account.id),
                account: Some(account),
                leaver: None,
                person_id: None,
                matched_by: None,
                note: "in one of the organization's domains, and no person in HR's roster owns it"
                    .to_owned(),
            },
        ));
    }
}

/// Lines of manual decisions that are never used.
fn invalid_directives(basis: &Basis<'_>, findings: &mut Vec<Finding>, uses: &Uses) {
    for line in uses.invalid(&basis.directives, basis.inputs) {
        let (kind, file) = match line.kind {
            DirectiveKind::Alias => (FindingKind::AliasInvalid, "aliases"),
            DirectiveKind::Exception => (FindingKind::ExceptionInvalid, "exceptions"),
        };
        let mut made = finding(
            basis.inputs,
            FindingSubject {
                kind,
                severity: Severity::Low,
                account_id: line.account_id.as_deref(),
                account: None,
                leaver: None,
                person_id: line.person_id.as_deref(),
                matched_by: None,
                note: format!("line {} of the {file}: {}", line.line, line.reason),
            },
        );
        made.email = line.email;
        findings.push(made);
    }
}
