//! The checks on what HR says.

use std::collections::BTreeSet;

use serde_json::json;

use super::accounts::MAX_CLOCK_SKEW_MINUTES;
use super::{accepted, check, complete_runs, drop, with};
use crate::judgement::directives::Covered;
use crate::judgement::people::Person;
use crate::judgement::remedies::{CLOSES_WITH, Key, Remedy};
use crate::judgement::uses::Uses;
use crate::judgement::{Basis, Check, CheckId, CheckStatus, FeedScope, Inputs};
use crate::model::{Employment, Meaning, RejectedRow, Role};

/// A file may be dated so much later than the run: two clocks may differ as much as ours may.
const MAX_FUTURE_SECONDS: i64 = 60 * MAX_CLOCK_SKEW_MINUTES as i64;

/// The checks on the HR feed.
pub(in crate::judgement) fn of_the_feed(
    basis: &Basis<'_>,
    people: &[Person<'_>],
    uses: &mut Uses,
) -> Vec<Check> {
    let inputs = basis.inputs;
    vec![
        hr_fresh(inputs),
        hr_not_empty(inputs, people),
        hr_rows_accounted(basis, uses),
        hr_matchable(basis),
        hr_drop(basis, uses),
    ]
}

fn hr_fresh(inputs: &Inputs) -> Check {
    let id = CheckId::HrFresh;
    let origin = &inputs.hr.origin;
    let Some(max_age) = inputs.policy.hr_feed_max_age_seconds else {
        return check(id, CheckStatus::Pass, "not checked: HR_FEED_MAX_AGE is off");
    };
    let Some(modified) = origin.modified_at else {
        return check(id, CheckStatus::Fail, "the age of the HR feed is unknown");
    };
    let age = inputs.as_of.duration_since(modified).as_secs();
    let numbers = json!({ "age_seconds": age, "max_age_seconds": max_age });
    // A date that has not come yet would stay fresh until it has: it tells no age at all.
    if age < -MAX_FUTURE_SECONDS {
        let detail = "the HR feed is dated in the future, so its age is unknown";
        return with(check(id, CheckStatus::Fail, detail), numbers);
    }
    let fresh = age <= max_age;
    let status = if fresh {
        CheckStatus::Pass
    } else {
        CheckStatus::Fail
    };
    let detail = format!(
        "the HR feed is {} h old, at most {} h is allowed",
        age / 3600,
        max_age / 3600
    );
    with(check(id, status, detail), numbers)
}

fn hr_not_empty(inputs: &Inputs, people: &[Person<'_>]) -> Check {
    let id = CheckId::HrNotEmpty;
    if inputs.hr.unusable.is_some() {
        // Leavers of an earlier run are followed, but this run's file names nobody.
        let detail = "the HR feed cannot be used, so its leavers are unknown";
        return check(id, CheckStatus::Fail, detail);
    }
    if inputs.policy.hr_feed_scope == FeedScope::Roster {
        let rows = rows_with_people(inputs);
        let numbers = json!({ "rows": rows });
        let (status, detail) = match rows {
            0 => (CheckStatus::Fail, "the roster names no person".to_owned()),
            _ => (CheckStatus::Pass, format!("the roster has {rows} row(s)")),
        };
        return with(check(id, status, detail), numbers);
    }
    let named = people
        .iter()
        .filter(|person| person.in_feed && person.is_named_as_leaver())
        .count();
    let numbers = json!({ "leavers": named });
    let (status, detail) = if named > 0 {
        (
            CheckStatus::Pass,
            format!("the HR feed names {named} leaver(s)"),
        )
    } else if inputs.policy.hr_feed_allow_empty {
        (
            CheckStatus::Pass,
            "the HR feed names no leaver, which is allowed".to_owned(),
        )
    } else {
        let detail = "the HR feed names no leaver; if that is believable, closes with: `HR_FEED_ALLOW_EMPTY=true`";
        (CheckStatus::Fail, detail.to_owned())
    };
    with(check(id, status, detail), numbers)
}

fn hr_rows_accounted(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let id = CheckId::HrRowsAccounted;
    let hr = &inputs.hr;
    let unclassified = hr
        .rows
        .iter()
        .filter(|row| matches!(row.status, Employment::Unclassified(_)))
        .count();
    let mut open: Vec<&RejectedRow> = Vec::new();
    let mut exceptions: BTreeSet<String> = BTreeSet::new();
    for row in &hr.rejected {
        match basis.directives.covers(Covered::Rejected(row), None, uses) {
            Some(exception) => {
                exceptions.insert(exception.in_short());
            }
            None => open.push(row),
        }
    }
    let numbers = json!({
        "rows_in_file": hr.rows_in_file(), "rows": hr.rows.len(), "rejected": hr.rejected.len(),
        "blank": hr.blank_rows, "duplicates": hr.duplicate_rows, "unclassified": unclassified,
    });
    let (status, detail) = if let Some(reason) = &hr.unusable {
        (
            CheckStatus::Fail,
            format!("the HR feed cannot be used: {reason}"),
        )
    } else if let Some(first) = open.first().or(hr.rejected.first().as_ref()) {
        let detail = format!(
            "{} row(s) were rejected, the first at line {}: {}",
            hr.rejected.len(),
            first.line,
            first.reason
        );
        // A setting closes it better, and the reason names it.
        let line = exception_for(first).filter(|_| !first.names_setting);
        let detail = match line.filter(|_| !open.is_empty()) {
            Some(line) => format!("{detail}{CLOSES_WITH}`{line}`"),
            None => detail,
        };
        let exceptions = Vec::from_iter(exceptions).join(", ");
        match (open.len(), exceptions.is_empty()) {
            (0, _) => (CheckStatus::Warn, accepted(&detail, &exceptions)),
            (_, true) => (CheckStatus::Fail, detail),
            (rest, false) => (
                CheckStatus::Fail,
                format!("{detail}; all but {rest} are accepted by {exceptions}"),
            ),
        }
    } else if unclassified > 0 {
        (
            CheckStatus::Warn,
            format!("{unclassified} row(s) have an unknown status"),
        )
    } else {
        (
            CheckStatus::Pass,
            "every row of the HR feed was understood".to_owned(),
        )
    };
    with(check(id, status, detail), numbers)
}

/// The line that accepts a row which cannot be read, if the row names a person. Checks name no addresses.
fn exception_for(row: &RejectedRow) -> Option<String> {
    let blank = format!("<address in line {}>", row.line);
    let key = match (&row.person_id, &row.email) {
        (Some(id), _) => Key::Id(id),
        (None, Some(_)) => Key::Email(&blank),
        (None, None) => return None,
    };
    Some(Remedy::Exception.line(key))
}

fn hr_matchable(basis: &Basis<'_>) -> Check {
    let inputs = basis.inputs;
    let same = &basis.same_domains;
    let id = CheckId::HrMatchable;
    if inputs.hr.rows.is_empty() {
        return check(id, CheckStatus::Pass, "no HR row to match");
    }
    let accounts = &inputs.population.accounts;
    let domains: std::collections::HashSet<&str> = accounts
        .iter()
        .filter(|account| account.role != Role::Guest)
        .flat_map(|account| {
            let held = account.emails.iter();
            held.map(|email| same.canonical(email.domain()))
        })
        .collect();
    let external: std::collections::HashSet<&str> = accounts
        .iter()
        .filter_map(|account| account.external_id.as_deref())
        .collect();
    let matchable = inputs.hr.rows.iter().filter(|row| {
        row.emails()
            .any(|email| domains.contains(same.canonical(email.domain())))
            || row
                .person_id
                .as_deref()
                .is_some_and(|id| external.contains(id))
    });
    let matchable = matchable.count();
    let numbers = json!({ "rows": inputs.hr.rows.len(), "matchable": matchable });
    if matchable == 0 {
        let detail = "no HR row shares a mail domain with an account: HR and Asana may belong to \
                      different organizations";
        return with(check(id, CheckStatus::Fail, detail), numbers);
    }
    let detail = format!("{matchable} HR row(s) share a mail domain or an id with accounts");
    with(check(id, CheckStatus::Pass, detail), numbers)
}

/// With more rows than this percentage, and at least this number, that share an id with an unlike name, the
/// column does not hold ids.
const MOST_SHARED_IDS_PERCENT: usize = 5;
const MOST_SHARED_IDS: usize = 5;

/// Whether ids identify people: rows with one id and unlike names are different people.
pub(in crate::judgement) fn hr_identities(inputs: &Inputs, shared: usize) -> Check {
    let id = CheckId::HrIdentities;
    let rows = inputs.hr.rows.len();
    let numbers = json!({ "rows": rows, "rows_with_shared_id": shared });
    let header = |meaning| {
        let mut columns = inputs.hr.origin.columns.iter();
        columns
            .find(|column| column.meaning == meaning)
            .map_or("", |column| column.name.as_str())
    };
    let (status, detail) = if shared == 0 {
        (
            CheckStatus::Pass,
            "no id belongs to several people".to_owned(),
        )
    } else {
        let is_many = shared >= MOST_SHARED_IDS && shared * 100 > rows * MOST_SHARED_IDS_PERCENT;
        let status = if is_many {
            CheckStatus::Fail
        } else {
            CheckStatus::Warn
        };
        let detail = format!(
            "{shared} of {rows} rows share an id with a person of an unlike name: they are different people, \
             identified by their addresses; closes with: `HR_FEED_COLUMNS=person_id={}+<column that tells them apart>`",
            header(Meaning::PersonId)
        );
        (status, detail)
    };
    with(check(id, status, detail), numbers)
}

fn hr_drop(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    if inputs.policy.hr_feed_scope == FeedScope::RecentLeavers {
        let detail = "not checked: in this scope rows drop out with time";
        return check(CheckId::HrDrop, CheckStatus::Pass, detail);
    }
    // A run without a readable feed says nothing of how large it is.
    let snapshots = complete_runs(inputs)
        .map(|snapshot| (snapshot.as_of, snapshot.hr_rows))
        .filter(|(_, rows)| *rows > 0);
    drop(
        basis,
        CheckId::HrDrop,
        rows_with_people(inputs),
        snapshots,
        uses,
    )
}

/// Rows that tell of somebody: blank and repeated ones must not make up for missing people.
pub(in crate::judgement) fn rows_with_people(inputs: &Inputs) -> u64 {
    (inputs.hr.rows.len() + inputs.hr.rejected.len()) as u64
}
