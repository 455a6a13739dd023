//! The checks on the HR feed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;

use super::accounts::MAX_CLOCK_SKEW_MINUTES;
use super::{accepted, drop};
use crate::judgement::columns;
use crate::judgement::domains;
use crate::judgement::manual::Covered;
use crate::judgement::outcomes::JudgedLeaver;
use crate::judgement::people::Person;
use crate::judgement::remedies::{CLOSES_WITH, Key, Remedy};
use crate::judgement::uses::Uses;
use crate::judgement::{Basis, Check, CheckId, FeedScope, Inputs, Outcome, TrendPoint};
use crate::model::{
    Account, EmailAddress, Employment, HrRow, Meaning, RejectedRow, Role, Status, counted,
};

/// How far in the future a file may be dated: as far as two clocks may differ.
const MAX_FUTURE_SECONDS: i64 = 60 * MAX_CLOCK_SKEW_MINUTES as i64;

/// The checks on the HR feed.
pub(in crate::judgement) fn of_the_feed(
    basis: &Basis<'_>,
    people: &[Person<'_>],
    leavers: &[JudgedLeaver<'_>],
    rows_with_shared_id: usize,
    uses: &mut Uses,
) -> Vec<Check> {
    let inputs = basis.inputs;
    vec![
        hr_fresh(inputs),
        hr_not_empty(inputs, people),
        hr_rows_accounted(basis, uses),
        hr_columns(inputs, leavers),
        hr_identities(inputs, rows_with_shared_id),
        hr_matchable(basis),
        hr_drop(basis, uses),
    ]
}

fn hr_fresh(inputs: &Inputs) -> Check {
    let id = CheckId::HrFresh;
    let Some(max_age) = inputs.policy.hr_feed_max_age_seconds else {
        return id.pass("not checked: HR_FEED_MAX_AGE is off");
    };
    let Some(modified) = inputs.hr.origin.modified_at else {
        return id.fail("the age of the HR feed is unknown");
    };
    let age = inputs.as_of.duration_since(modified).as_secs();
    let (hours, most) = (age / 3600, max_age / 3600);
    let detail = format!("the HR feed is {hours} h old; the limit is {most} h");
    let check = if age < -MAX_FUTURE_SECONDS {
        // The feed would count as fresh until that date.
        id.fail("the HR feed is dated in the future, so its age is unknown")
    } else if age <= max_age {
        id.pass(detail)
    } else {
        id.fail(detail)
    };
    check.with(json!({ "age_seconds": age, "max_age_seconds": max_age }))
}

fn hr_not_empty(inputs: &Inputs, people: &[Person<'_>]) -> Check {
    let id = CheckId::HrNotEmpty;
    if inputs.hr.unusable.is_some() {
        // Leavers of an earlier run are still followed, but this run's file names none.
        return id.fail("the HR feed cannot be used, so its leavers are unknown");
    }
    if inputs.policy.hr_feed_scope == FeedScope::Roster {
        let rows = rows_with_people(inputs);
        let check = match rows {
            0 => id.fail("the roster names no person"),
            _ => id.pass(format!("the roster has {}", counted(rows, "row", "rows"))),
        };
        return check.with(json!({ "rows": rows }));
    }
    let is_named = |person: &&Person<'_>| person.in_feed && person.is_named_as_leaver();
    let named = people.iter().filter(is_named).count();
    let check = match (named, inputs.policy.hr_feed_allow_empty) {
        (0, true) => id.pass("the HR feed names no leaver, which is allowed"),
        (0, false) => id.fail(
            "the HR feed names no leaver; if that is correct, closes with: `HR_FEED_ALLOW_EMPTY=true`",
        ),
        (named, _) => id.pass(format!("the HR feed names {}", counted(named, "leaver", "leavers"))),
    };
    check.with(json!({ "leavers": named }))
}

fn hr_rows_accounted(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let inputs = basis.inputs;
    let id = CheckId::HrRowsAccounted;
    let hr = &inputs.hr;
    let is_unclassified = |row: &&HrRow| matches!(row.status, Employment::Unclassified(_));
    let unclassified = hr.rows.iter().filter(is_unclassified).count();
    let mut open: Vec<&RejectedRow> = Vec::new();
    let mut exceptions: BTreeSet<String> = BTreeSet::new();
    for row in &hr.rejected {
        match basis.manual.covers(Covered::Rejected(row), None, uses) {
            Some(exception) => {
                exceptions.insert(exception.in_short());
            }
            None => open.push(row),
        }
    }
    let check = if let Some(reason) = &hr.unusable {
        id.fail(format!("the HR feed cannot be used: {reason}"))
    } else if let Some(first) = open.first().or(hr.rejected.first().as_ref()) {
        let (line, reason) = (first.line, &first.reason);
        let rejected = counted(hr.rejected.len(), "row was rejected", "rows were rejected");
        let detail = format!("{rejected}, the first at line {line}: {reason}");
        // If the reason names a setting, the setting is the better remedy.
        let line = exception_for(first).filter(|_| !first.names_setting);
        let detail = match line.filter(|_| !open.is_empty()) {
            Some(line) => format!("{detail}{CLOSES_WITH}`{line}`"),
            None => detail,
        };
        let exceptions = Vec::from_iter(exceptions).join(", ");
        match (open.len(), exceptions.is_empty()) {
            (0, _) => id.warn(accepted(&detail, &exceptions)),
            (_, true) => id.fail(detail),
            (rest, false) => id.fail(format!(
                "{detail}; all but {rest} are accepted by {exceptions}"
            )),
        }
    } else if unclassified > 0 {
        id.warn(counted(
            unclassified,
            "row has an unknown status",
            "rows have an unknown status",
        ))
    } else {
        id.pass("every row of the HR feed was understood")
    };
    check.with(json!({
        "rows_in_file": hr.rows_in_file(), "rows": hr.rows.len(), "rejected": hr.rejected.len(),
        "blank": hr.blank_rows, "duplicates": hr.duplicate_rows, "unclassified": unclassified,
    }))
}

/// The line that accepts an unreadable row, if the row names a person. Checks contain no addresses.
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
    let id = CheckId::HrMatchable;
    if inputs.hr.rows.is_empty() {
        return id.pass("no HR row to match");
    }
    let accounts = &inputs.population.accounts;
    let domain = |email| basis.same_domains.canonical(EmailAddress::domain(email));
    let is_staff = |account: &&Account| match (&account.status, &account.role) {
        // Its role is not readable.
        (Status::Listed, _) => account.emails.iter().any(|email| basis.is_ours(email)),
        (_, role) => *role != Role::Guest,
    };
    let emails_of_all = || accounts.iter().flat_map(|account| &account.emails);
    let emails = accounts
        .iter()
        .filter(is_staff)
        .flat_map(|account| &account.emails);
    let domains: HashSet<&str> = emails.map(domain).collect();
    let external: HashSet<&String> = accounts.iter().flat_map(|of| &of.external_id).collect();
    let matchable = inputs.hr.rows.iter().filter(|row| {
        let mut id = row.person_id.iter();
        row.emails().any(|email| domains.contains(domain(email)))
            || id.any(|id| external.contains(id))
    });
    let matchable = matchable.count();
    let unnamed = domains::unnamed(inputs, &basis.domains);
    // In the first case the line must close the doubt, so an account must have the domain.
    let with_account = |domain: &&&str| emails_of_all().any(|email| email.domain() == **domain);
    let shared: BTreeSet<&str> = unnamed.iter().filter(with_account).copied().collect();
    let of_setting = match matchable {
        0 => &shared,
        _ => &unnamed,
    };
    let setting = domains::setting(inputs, of_setting);
    let check = match (matchable, of_setting.len()) {
        (0, 0) => id.fail(
            "no HR row shares a mail domain with an account: HR and Asana may belong to \
             different organizations",
        ),
        (0, _) => id.fail(format!(
            "no HR row shares a mail domain of INTERNAL_DOMAINS with an account: HR and Asana may belong to different \
             organizations; if the domains in HR are the organization's, closes with: `{setting}`"
        )),
        (_, 0) => id.pass(counted(
            matchable,
            "HR row shares a mail domain or an id with accounts",
            "HR rows share a mail domain or an id with accounts",
        )),
        (_, count) => id.warn(format!(
            "INTERNAL_DOMAINS lacks {} to be the organization's{CLOSES_WITH}`{setting}`",
            counted(count, "mail domain that seems", "mail domains that seem")
        )),
    };
    check.with(json!({ "rows": inputs.hr.rows.len(), "matchable": matchable }))
}

/// The column does not have ids if more than this percentage of the rows, and at least this number, share an id with a
/// row of an unlike name.
const MOST_SHARED_IDS_PERCENT: usize = 5;
const MOST_SHARED_IDS: usize = 5;

/// Whether ids identify people: rows with one id and unlike names are different people.
fn hr_identities(inputs: &Inputs, shared: usize) -> Check {
    let id = CheckId::HrIdentities;
    let rows = inputs.hr.rows.len();
    let mut columns = inputs.hr.origin.columns.iter();
    let header = columns.find(|column| column.meaning == Meaning::PersonId);
    let header = header.map_or("", |column| &column.name);
    let detail = format!(
        "{shared} of {rows} rows share an id with a person of an unlike name: they count as different people, \
         identified by their addresses{CLOSES_WITH}`HR_FEED_COLUMNS=person_id={header}+<column that distinguishes them>`"
    );
    let check = if shared == 0 {
        id.pass("no id belongs to several people")
    } else if shared >= MOST_SHARED_IDS && shared * 100 > rows * MOST_SHARED_IDS_PERCENT {
        id.fail(detail)
    } else {
        id.warn(detail)
    };
    check.with(json!({ "rows": rows, "rows_with_shared_id": shared }))
}

/// Whether an unread column could change an outcome.
fn hr_columns(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let id = CheckId::HrColumns;
    let mut people: BTreeMap<usize, usize> = BTreeMap::new();
    let open = leavers
        .iter()
        .filter(|of| of.leaver.outcome == Outcome::NotEvaluable);
    for column in open.flat_map(|judged| &judged.unread_columns) {
        *people.entry(*column).or_default() += 1;
    }
    let cells = || inputs.hr.rows.iter().flat_map(|row| &row.unread);
    let unread: BTreeSet<usize> = cells().map(|cell| cell.column).collect();
    let deciding = columns::names(inputs, people.keys());
    let all = columns::names(inputs, &unread);
    let check = if let Some(first) = people.keys().next() {
        let most = people.values().max().unwrap_or(&0);
        let has_dates = cells().any(|cell| cell.column == *first && cell.date.is_some());
        let fields = match has_dates {
            true => columns::ENDS,
            false => &[Meaning::OtherEmail],
        };
        let setting = columns::reading(inputs, *first, fields);
        id.fail(format!(
            "unread columns could change the outcome of up to {most} people each: {} (add them to `ignore=` if they have \
             nothing to do with leaving){CLOSES_WITH}`HR_FEED_COLUMNS={setting}`",
            columns::quoted(&deciding)
        ))
    } else if !unread.is_empty() {
        let setting = columns::ignoring(inputs, &unread);
        id.warn(format!(
            "unread columns with dates or addresses: {}{CLOSES_WITH}`HR_FEED_COLUMNS={setting}`",
            columns::quoted(&all)
        ))
    } else {
        id.pass("every column with dates or addresses is read, ignored or harmless")
    };
    check.with(json!({ "deciding": deciding.join(", "), "unread": all.join(", ") }))
}

fn hr_drop(basis: &Basis<'_>, uses: &mut Uses) -> Check {
    let id = CheckId::HrDrop;
    if basis.inputs.policy.hr_feed_scope == FeedScope::RecentLeavers {
        return id.pass("not checked: with this scope, rows leave the feed over time");
    }
    let now = rows_with_people(basis.inputs);
    drop(basis, id, now, |run: &TrendPoint| run.hr_rows, uses)
}

/// Rows about a person. Blank and repeated rows must not compensate for missing people.
pub(in crate::judgement) fn rows_with_people(inputs: &Inputs) -> u64 {
    (inputs.hr.rows.len() + inputs.hr.rejected.len()) as u64
}
