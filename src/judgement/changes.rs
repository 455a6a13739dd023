//! What is different from earlier runs, with before and after.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::lookup::Map;
use super::outcomes::JudgedLeaver;
use super::{Basis, Change, ChangeKind, Inputs, Leaver, Outcome, Policy, Previous};
use crate::model::{Access, Account, EmailAddress};
use crate::schedule::RunSchedule;

/// The changes of the run: accounts, then people, then rules.
pub(super) fn of_the_run(
    basis: &Basis<'_>,
    leavers: &[JudgedLeaver<'_>],
    closed: &[&Leaver],
    complete: bool,
) -> Vec<Change> {
    let inputs = basis.inputs;
    let mut changes = Vec::new();
    // A list that may be cut shows removals that are none: no account changes then.
    if complete {
        of_accounts(basis, leavers, &mut changes);
    }
    of_people(inputs, leavers, closed, &mut changes);
    of_rules(inputs, &mut changes);
    changes.sort_by(|a, b| {
        (a.change, &a.account_id, &a.person_id, &a.email, &a.name).cmp(&(
            b.change,
            &b.account_id,
            &b.person_id,
            &b.email,
            &b.name,
        ))
    });
    changes
}

fn of_accounts(basis: &Basis<'_>, leavers: &[JudgedLeaver<'_>], changes: &mut Vec<Change>) {
    let inputs = basis.inputs;
    let Some(baseline) = &inputs.past.baseline else {
        return;
    };
    let leaver_of: Map<&str, &Leaver> = leavers
        .iter()
        .flat_map(|judged| {
            judged
                .links
                .iter()
                .map(|link| (link.account_id, &judged.leaver))
        })
        .collect();
    let mut note = |change, account: &Account, before: String, after: String| {
        let leaver = leaver_of.get(account.id.as_str());
        changes.push(Change {
            change,
            account_id: Some(account.id.clone()),
            person_id: leaver.and_then(|leaver| leaver.person_id.clone()),
            email: account.email().cloned(),
            name: account.name.clone(),
            before,
            after,
            previous_run: baseline.at.run.clone(),
        });
    };
    let (earlier, today) = (&basis.earlier, &basis.listed);

    for account in &inputs.population.accounts {
        let status = account.status.to_string();
        let Some(before) = earlier.get(account.id.as_str()) else {
            // Gone from the baseline, and known to it: it was there before.
            let returned = baseline.former_emails.contains_key(&account.id);
            let change = if returned {
                ChangeKind::Rejoined
            } else {
                ChangeKind::Added
            };
            note(change, account, String::new(), status);
            continue;
        };
        match (before.access(), account.access()) {
            (Access::Has | Access::Possible, Access::None) => {
                note(
                    ChangeKind::Deactivated,
                    account,
                    before.status.to_string(),
                    status,
                );
            }
            (Access::None, Access::Has | Access::Possible) => {
                // A membership that began anew: removed and invited again. A date that was not
                // told before says nothing.
                let began_anew = before.joined_at.is_some() && account.joined_at > before.joined_at;
                let change = if began_anew {
                    ChangeKind::Rejoined
                } else {
                    ChangeKind::Reactivated
                };
                note(change, account, before.status.to_string(), status);
            }
            _ => {}
        }
        if before.role != account.role {
            let (before, after) = (before.role.to_string(), account.role.to_string());
            note(ChangeKind::RoleChanged, account, before, after);
        }
        if before.emails != account.emails {
            let (before, after) = (joined(&before.emails), joined(&account.emails));
            note(ChangeKind::EmailChanged, account, before, after);
        }
        if before.name != account.name {
            let (before, after) = (before.name.clone(), account.name.clone());
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            note(ChangeKind::NameChanged, account, before, after);
        }
    }
    for account in &baseline.accounts {
        if !today.contains_key(account.id.as_str()) {
            note(
                ChangeKind::Removed,
                account,
                account.status.to_string(),
                String::new(),
            );
        }
    }
}

fn joined(emails: &[EmailAddress]) -> String {
    emails
        .iter()
        .map(EmailAddress::as_written)
        .collect::<Vec<_>>()
        .join(";")
}

fn of_people(
    inputs: &Inputs,
    leavers: &[JudgedLeaver<'_>],
    closed: &[&Leaver],
    changes: &mut Vec<Change>,
) {
    let Some(previous) = &inputs.past.previous else {
        return;
    };
    let mut note = |change, leaver: &Leaver, before: String, after: String| {
        changes.push(Change {
            change,
            account_id: leaver.account_id.first().cloned(),
            person_id: leaver.person_id.clone(),
            email: leaver.emails.first().cloned(),
            name: leaver.name.clone(),
            before,
            after,
            previous_run: previous.at.run.clone(),
        });
    };
    for judged in leavers {
        let leaver = &judged.leaver;
        let Some(earlier) = judged.previous.first() else {
            note(
                ChangeKind::LeaverAdded,
                leaver,
                String::new(),
                leaver.outcome.to_string(),
            );
            continue;
        };
        let was_in_feed = judged.previous.iter().any(|leaver| leaver.in_feed);
        if was_in_feed && !leaver.in_feed {
            let (before, after) = (earlier.outcome.to_string(), leaver.outcome.to_string());
            note(ChangeKind::LeaverVanished, leaver, before, after);
        }
        if earlier.end_of_work != leaver.end_of_work {
            let (before, after) = (written(earlier.end_of_work), written(leaver.end_of_work));
            note(ChangeKind::EndOfWorkMoved, leaver, before, after);
        }
        if leaver.outcome == Outcome::Rescinded && earlier.outcome != Outcome::Rescinded {
            let before = written(earlier.end_of_work);
            note(ChangeKind::EndOfWorkMoved, leaver, before, String::new());
        }
        if leaver.outcome == Outcome::Rehired && earlier.outcome != Outcome::Rehired {
            note(
                ChangeKind::Rehired,
                leaver,
                earlier.outcome.to_string(),
                leaver.outcome.to_string(),
            );
        }
    }
    for leaver in closed.iter().filter(|leaver| leaver.in_feed) {
        let (before, after) = (leaver.outcome.to_string(), String::new());
        note(ChangeKind::LeaverVanished, leaver, before, after);
    }
}

fn written(instant: Option<Timestamp>) -> String {
    instant.map_or_else(String::new, |instant| instant.to_string())
}

fn of_rules(inputs: &Inputs, changes: &mut Vec<Change>) {
    let Some(previous) = &inputs.past.previous else {
        return;
    };
    for (rule, before, after) in differing_rules(previous, inputs) {
        changes.push(Change {
            change: ChangeKind::PolicyChanged,
            account_id: None,
            person_id: None,
            email: None,
            name: Some(rule),
            before,
            after,
            previous_run: previous.at.run.clone(),
        });
    }
}

/// Every rule that is set differently, by its name in the manifest; a file of directives by its hash.
pub(super) fn differing_rules(
    previous: &Previous,
    inputs: &Inputs,
) -> Vec<(String, String, String)> {
    let fields = |policy: &Policy| match serde_json::to_value(policy) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (fields(&previous.policy), fields(&inputs.policy));
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let rules = after
        .iter()
        .filter(|(rule, value)| before.get(rule.as_str()) != Some(value))
        .map(|(rule, value)| (rule.clone(), text(before.get(rule)), text(Some(value))));

    let sha256 = |file: Option<&String>| file.cloned().unwrap_or_default();
    let now = inputs.directives.sha256();
    let names: BTreeSet<&String> = previous.directives.keys().chain(now.keys()).collect();
    let files = names
        .into_iter()
        .map(|name| {
            let (before, after) = (previous.directives.get(name), now.get(name));
            (name.clone(), sha256(before), sha256(after))
        })
        .filter(|(_, before, after)| before != after);
    let schedule = |of: &Option<RunSchedule>| of.as_ref().map(RunSchedule::to_string);
    let (before, after) = (schedule(&previous.schedule), schedule(&inputs.schedule));
    let schedule = (before != after).then(|| {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        ("schedule".to_owned(), before, after)
    });
    rules.chain(schedule).chain(files).collect()
}
