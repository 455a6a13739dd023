//! What somebody should look at.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::outcomes::Judged;
use super::{Finding, FindingKind, Inputs, Leaver, MatchKind, Outcome, Severity, WithinSla};
use crate::people::{Access, Account, Role};

/// The findings of the night, the gravest first.
pub(super) fn of_the_night(inputs: &Inputs, leavers: &[Judged<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for judged in leavers {
        offboarded_access(inputs, judged, &mut findings);
        possible_access(inputs, judged, &mut findings);
        late_removal(inputs, judged, &mut findings);
    }
    unidentifiable(inputs, &mut findings);
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
    findings.dedup_by(|a, b| a.finding_id == b.finding_id);
    findings
}

/// Who and what a finding is about.
struct About<'a> {
    kind: FindingKind,
    severity: Severity,
    account_id: Option<&'a str>,
    account: Option<&'a Account>,
    leaver: Option<&'a Leaver>,
    matched_by: Option<MatchKind>,
    note: String,
}

fn finding(inputs: &Inputs, about: About<'_>) -> Finding {
    let person_id = about.leaver.and_then(|leaver| leaver.person_id.clone());
    let deadline = about.leaver.and_then(|leaver| leaver.deadline);
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

/// Stays the same from night to night for the same account and person.
pub(super) fn finding_id(
    connection: &str,
    kind: FindingKind,
    account_id: &str,
    person_id: &str,
) -> String {
    let digest = Sha256::digest(format!("{connection}\n{kind}\n{account_id}\n{person_id}"));
    const_hex::encode(&digest[..8])
}

/// Whole hours past the deadline; none before it.
fn overdue_hours(deadline: Option<Timestamp>, counted_to: Option<Timestamp>) -> Option<i64> {
    let overdue = counted_to?.duration_since(deadline?);
    overdue.is_positive().then(|| overdue.as_hours())
}

fn offboarded_access(inputs: &Inputs, judged: &Judged<'_>, findings: &mut Vec<Finding>) {
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
        let severity = if account.role == Role::Admin {
            Severity::Critical
        } else {
            Severity::High
        };
        findings.push(finding(
            inputs,
            About {
                kind: FindingKind::OffboardedAccess,
                severity,
                account_id: Some(&account.id),
                account: Some(account),
                leaver: Some(&judged.leaver),
                matched_by: Some(link.kind),
                note: judged.leaver.note.clone(),
            },
        ));
    }
}

fn possible_access(inputs: &Inputs, judged: &Judged<'_>, findings: &mut Vec<Finding>) {
    let has_left = match judged.leaver.outcome {
        Outcome::StillActive | Outcome::NotEvaluable | Outcome::Excepted => {
            judged.leaver.deadline.is_some()
        }
        Outcome::Rehired
        | Outcome::Rescinded
        | Outcome::Upcoming
        | Outcome::WithinGrace
        | Outcome::Removed
        | Outcome::NoAccessFound => false,
    };
    if !has_left {
        return;
    }
    for suspicion in &judged.suspicions {
        findings.push(finding(
            inputs,
            About {
                kind: FindingKind::PossibleOffboardedAccess,
                severity: Severity::Medium,
                account_id: Some(&suspicion.account.id),
                account: Some(suspicion.account),
                leaver: Some(&judged.leaver),
                matched_by: None,
                note: format!(
                    "{}, matched to nobody; an alias row decides",
                    suspicion.reason
                ),
            },
        ));
    }
}

fn late_removal(inputs: &Inputs, judged: &Judged<'_>, findings: &mut Vec<Finding>) {
    let leaver = &judged.leaver;
    if leaver.outcome != Outcome::Removed || leaver.within_sla != WithinSla::No {
        return;
    }
    let link = judged.links.first();
    findings.push(finding(
        inputs,
        About {
            kind: FindingKind::LateRemoval,
            severity: Severity::Medium,
            account_id: link.map(|link| link.account_id),
            account: link.and_then(|link| link.listed.or(link.earlier)),
            leaver: Some(leaver),
            matched_by: link.map(|link| link.kind),
            note: "access is gone, but was seen after the deadline; the hours count to the last \
                   run that saw it"
                .to_owned(),
        },
    ));
}

fn unidentifiable(inputs: &Inputs, findings: &mut Vec<Finding>) {
    for account in &inputs.population.accounts {
        if account.access() != Access::None && account.emails.is_empty() {
            findings.push(finding(
                inputs,
                About {
                    kind: FindingKind::AccountUnidentifiable,
                    severity: Severity::Medium,
                    account_id: Some(&account.id),
                    account: Some(account),
                    leaver: None,
                    matched_by: None,
                    note: "has or may have access and no e-mail: nobody can tell whose it is"
                        .to_owned(),
                },
            ));
        }
    }
}
