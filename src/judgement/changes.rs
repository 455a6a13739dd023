//! The changes since earlier runs, with the values before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::lookup::Map;
use super::outcomes::JudgedLeaver;
use super::{Basis, Change, ChangeKind, Inputs, Leaver, Outcome, Policy, Previous};
use crate::model::{Access, Account, EmailAddress, Status};
use crate::schedule::RunSchedule;

/// The changes of the run: accounts, then people, then rules.
pub(super) fn of_the_run(
    basis: &Basis<'_>,
    leavers: &[JudgedLeaver<'_>],
    closed: &[&Arc<Leaver>],
    complete: bool,
) -> Vec<Change> {
    let inputs = basis.inputs;
    let mut changes = Vec::new();
    // A list that may be cut would show false removals, so changes of accounts need a complete run.
    if complete {
        of_accounts(basis, leavers, &mut changes);
    }
    of_people(inputs, leavers, closed, &mut changes);
    of_rules(inputs, &mut changes);
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    changes
}

fn order(of: &Change) -> impl Ord + '_ {
    (
        of.change,
        &of.account_id,
        &of.person_id,
        &of.email,
        &of.name,
    )
}

fn of_accounts(basis: &Basis<'_>, leavers: &[JudgedLeaver<'_>], changes: &mut Vec<Change>) {
    let inputs = basis.inputs;
    let Some(baseline) = &inputs.past.baseline else {
        return;
    };
    let links = leavers.iter().flat_map(|judged| {
        let accounts = judged.links.iter().map(|link| link.account_id);
        accounts.map(|account| (account, &judged.leaver))
    });
    let leaver_of: Map<&str, &Leaver> = links.collect();
    let mut note = |change, account: &Account, before: &dyn ToString, after: &dyn ToString| {
        let leaver = leaver_of.get(account.id.as_str());
        changes.push(Change {
            change,
            account_id: Some(account.id.clone()),
            person_id: leaver.and_then(|leaver| leaver.person_id.clone()),
            email: account.email().cloned(),
            name: account.name.clone(),
            before: before.to_string(),
            after: after.to_string(),
            previous_run: baseline.at.run.clone(),
        });
    };
    // Read with narrow permissions, a list has neither roles nor deactivated accounts.
    let has_role = |of: &Account| of.status != Status::Listed;
    let was_narrow = !baseline.accounts.iter().all(has_role);
    let is_narrow = !inputs.population.accounts.iter().all(has_role);
    for account in &inputs.population.accounts {
        let status = &account.status;
        let Some(before) = basis.earlier.get(account.id.as_str()) else {
            // A list without deactivated accounts does not show when this one was deactivated.
            if was_narrow && account.access() == Access::None {
                continue;
            }
            // The baseline does not list the account, but knows former addresses of it.
            let change = match baseline.former_emails.contains_key(&account.id) {
                true => ChangeKind::Rejoined,
                false => ChangeKind::Added,
            };
            note(change, account, &"", status);
            continue;
        };
        match (before.access(), account.access()) {
            (Access::Has | Access::Possible, Access::None) => {
                note(ChangeKind::Deactivated, account, &before.status, status);
            }
            (Access::None, Access::Has | Access::Possible) => {
                // A later date of joining means that the account was removed and invited again. A first date proves
                // nothing.
                let began_anew = before.joined_at.is_some() && account.joined_at > before.joined_at;
                let change = match began_anew {
                    true => ChangeKind::Rejoined,
                    false => ChangeKind::Reactivated,
                };
                note(change, account, &before.status, status);
            }
            _ => {}
        }
        if before.role != account.role && has_role(before) && has_role(account) {
            note(
                ChangeKind::RoleChanged,
                account,
                &before.role,
                &account.role,
            );
        }
        if before.emails != account.emails {
            let (before, after) = (joined(&before.emails), joined(&account.emails));
            note(ChangeKind::EmailChanged, account, &before, &after);
        }
        if before.name != account.name {
            let name = |of: &Account| of.name.clone().unwrap_or_default();
            note(
                ChangeKind::NameChanged,
                account,
                &name(before),
                &name(account),
            );
        }
    }
    for account in &baseline.accounts {
        let was_gone = is_narrow && account.access() == Access::None;
        if !was_gone && !basis.listed.contains_key(account.id.as_str()) {
            note(ChangeKind::Removed, account, &account.status, &"");
        }
    }
}

fn joined(emails: &[EmailAddress]) -> String {
    let emails = emails.iter().map(EmailAddress::as_written);
    emails.collect::<Vec<_>>().join(";")
}

fn of_people(
    inputs: &Inputs,
    leavers: &[JudgedLeaver<'_>],
    closed: &[&Arc<Leaver>],
    changes: &mut Vec<Change>,
) {
    let Some(previous) = &inputs.past.previous else {
        return;
    };
    let mut note = |change, leaver: &Leaver, before: &dyn ToString, after: &dyn ToString| {
        changes.push(Change {
            change,
            account_id: leaver.account_id.first().cloned(),
            person_id: leaver.person_id.clone(),
            email: leaver.emails.first().cloned(),
            name: leaver.name.clone(),
            before: before.to_string(),
            after: after.to_string(),
            previous_run: previous.at.run.clone(),
        });
    };
    for judged in leavers {
        let leaver = &judged.leaver;
        let outcome = leaver.outcome;
        let Some(earlier) = judged.previous.first() else {
            note(ChangeKind::LeaverAdded, leaver, &"", &outcome);
            continue;
        };
        let is_new = outcome != earlier.outcome;
        let was_in_feed = judged.previous.iter().any(|leaver| leaver.in_feed);
        if was_in_feed && !leaver.in_feed {
            note(
                ChangeKind::LeaverVanished,
                leaver,
                &earlier.outcome,
                &outcome,
            );
        }
        let (before, after) = (written(earlier.end_of_work), written(leaver.end_of_work));
        if before != after {
            note(ChangeKind::EndOfWorkMoved, leaver, &before, &after);
        }
        if is_new && outcome == Outcome::Rescinded {
            note(ChangeKind::EndOfWorkMoved, leaver, &before, &"");
        }
        if is_new && outcome == Outcome::Rehired {
            note(ChangeKind::Rehired, leaver, &earlier.outcome, &outcome);
        }
    }
    for leaver in closed.iter().filter(|leaver| leaver.in_feed) {
        note(ChangeKind::LeaverVanished, leaver, &leaver.outcome, &"");
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

/// Every changed rule by its name in the manifest, and every changed file of manual decisions by its hash.
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
    // A rule without a value is not in the policy.
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let rules = names
        .into_iter()
        .map(|rule| (rule.clone(), text(before.get(rule)), text(after.get(rule))));

    let now = inputs.manual.sha256();
    let names: BTreeSet<&String> = previous.manual.keys().chain(now.keys()).collect();
    let files = names.into_iter().map(|name| {
        let sha256 = |of: &BTreeMap<String, String>| of.get(name).cloned().unwrap_or_default();
        (name.clone(), sha256(&previous.manual), sha256(&now))
    });
    let schedule =
        |of: &Option<RunSchedule>| of.as_ref().map_or_else(String::new, |of| of.to_string());
    let (before, after) = (schedule(&previous.schedule), schedule(&inputs.schedule));
    let schedule = std::iter::once(("schedule".to_owned(), before, after));
    let all = rules.chain(schedule).chain(files);
    all.filter(|(_, before, after)| before != after).collect()
}
