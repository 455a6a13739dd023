//! Unread columns of the feed, if reading one could change an outcome.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::checks::{check as made, with};
use super::matching::Index;
use super::outcomes::JudgedLeaver;
use super::people::Person;
use super::remedies::{CLOSES_WITH, Doubt, Remedy};
use super::uses::Uses;
use super::{Basis, Check, CheckId, CheckStatus, FeedScope, Inputs, Outcome, Standing};
use crate::model::{Access, Meaning};

/// Marks people whom an unread date may concern: a leaver without a date, and an employed person with access if
/// the column is blank for most employed people.
pub(super) fn mark(
    basis: &Basis<'_>,
    people: &mut [Person<'_>],
    index: &Index<'_>,
    uses: &mut Uses,
) {
    let inputs = basis.inputs;
    let mut with_date: BTreeMap<usize, usize> = BTreeMap::new();
    let mut employed = 0;
    for person in people.iter().filter(|person| person.is_employed()) {
        employed += 1;
        for column in dated(person, |_| true) {
            *with_date.entry(column).or_default() += 1;
        }
    }
    for person in people {
        let columns = match (person.standing, person.end_of_work) {
            (Standing::Ended, None) => dated(person, |_| true),
            _ if person.is_employed() => {
                // A feed of leavers names only people who may have left.
                let is_rare = |column: &usize| {
                    inputs.policy.hr_feed_scope != FeedScope::Roster
                        || 2 * with_date[column] < employed
                };
                let mut columns = dated(person, |date| date <= inputs.as_of);
                columns.retain(is_rare);
                if columns.is_empty() || !has_access(person, index, uses) {
                    continue;
                }
                columns
            }
            _ => continue,
        };
        if columns.is_empty() {
            continue;
        }
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("`{}`", name(inputs, *column)))
            .collect();
        let text = format!(
            "an unread column holds a date: {} (add it to `ignore=` if it has nothing to do with leaving)",
            names.join(", ")
        );
        let first = columns.first().copied().unwrap_or_default();
        let remedy = Remedy::Columns(reading(inputs, first, ENDS));
        person.doubt = Some(Doubt::new(text, remedy));
        person.standing = Standing::Doubtful;
        person.unread_columns = columns;
    }
}

/// Unread columns in which a person has such a date.
fn dated(person: &Person<'_>, wanted: impl Fn(jiff::Timestamp) -> bool) -> BTreeSet<usize> {
    let cells = person.rows.iter().flat_map(|row| &row.unread);
    let dated = cells.filter(|cell| cell.date.is_some_and(&wanted));
    dated.map(|cell| cell.column).collect()
}

fn has_access(person: &Person<'_>, index: &Index<'_>, uses: &mut Uses) -> bool {
    let (links, _) = index.links_of(person, uses);
    let mut listed = links.iter().filter_map(|link| link.listed);
    listed.any(|account| account.access() != Access::None)
}

fn name(inputs: &Inputs, column: usize) -> &str {
    let found = inputs.hr.origin.columns.get(column);
    found.map_or("", |column| column.name.as_str())
}

/// The setting that ignores more columns, with its present value.
pub(super) fn ignoring(inputs: &Inputs, columns: impl Iterator<Item = usize>) -> String {
    let ignored = Meaning::Ignored.setting();
    let before = inputs
        .policy
        .hr_feed_columns
        .get(ignored)
        .map(String::as_str);
    let names = before
        .into_iter()
        .chain(columns.map(|column| name(inputs, column)));
    with_setting(
        inputs,
        Meaning::Ignored,
        &names.collect::<Vec<_>>().join("+"),
    )
}

/// The setting that reads a column as the first of these fields that no column is read as. If there is none, the
/// setting that leaves it unread.
pub(super) fn reading(inputs: &Inputs, column: usize, fields: &[Meaning]) -> String {
    let is_free = |field: &&Meaning| {
        let mut columns = inputs.hr.origin.columns.iter();
        columns.all(|of| of.meaning != **field)
    };
    match fields.iter().find(is_free) {
        Some(field) => with_setting(inputs, *field, name(inputs, column)),
        None => ignoring(inputs, std::iter::once(column)),
    }
}

/// Fields that may hold the end of work.
const ENDS: &[Meaning] = &[Meaning::End, Meaning::LastDay];

/// `HR_FEED_COLUMNS` with one more column.
fn with_setting(inputs: &Inputs, field: Meaning, header: &str) -> String {
    let set = &inputs.policy.hr_feed_columns;
    let known = set
        .iter()
        .filter(|(key, _)| key.as_str() != field.setting());
    let known = known.map(|(key, header)| format!("{key}={header}"));
    let new = format!("{}={header}", field.setting());
    known.chain([new]).collect::<Vec<_>>().join(",")
}

/// Whether an unread column could change an outcome.
pub(super) fn check(inputs: &Inputs, leavers: &[JudgedLeaver<'_>]) -> Check {
    let id = CheckId::HrColumns;
    let open = leavers
        .iter()
        .filter(|judged| judged.leaver.outcome == Outcome::NotEvaluable);
    let mut people: BTreeMap<usize, usize> = BTreeMap::new();
    for column in open.flat_map(|judged| &judged.unread_columns) {
        *people.entry(*column).or_default() += 1;
    }
    let cells = inputs.hr.rows.iter().flat_map(|row| &row.unread);
    let unread: BTreeSet<usize> = cells.map(|cell| cell.column).collect();
    let shown = |columns: &mut dyn Iterator<Item = &usize>| -> Vec<String> {
        columns
            .map(|column| name(inputs, *column).to_owned())
            .collect()
    };
    let listed = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let numbers = json!({
        "deciding": shown(&mut people.keys()).join(", "),
        "unread": shown(&mut unread.iter()).join(", "),
    });
    let (status, detail) = if !people.is_empty() {
        let names = shown(&mut people.keys());
        let most = people.values().max().copied().unwrap_or_default();
        let first = people.keys().next().copied().unwrap_or_default();
        let mut cells = inputs.hr.rows.iter().flat_map(|row| &row.unread);
        let has_dates = cells.any(|cell| cell.column == first && cell.date.is_some());
        let fields = if has_dates {
            ENDS
        } else {
            &[Meaning::OtherEmail]
        };
        let detail = format!(
            "unread columns could change the outcome of up to {most} people each: {} (add them to `ignore=` if they have \
             nothing to do with leaving){CLOSES_WITH}`HR_FEED_COLUMNS={}`",
            listed(&names),
            reading(inputs, first, fields),
        );
        (CheckStatus::Fail, detail)
    } else if !unread.is_empty() {
        let names = shown(&mut unread.iter());
        let setting = ignoring(inputs, unread.iter().copied());
        let detail = format!(
            "unread columns with dates or addresses: {}{CLOSES_WITH}`HR_FEED_COLUMNS={setting}`",
            listed(&names)
        );
        (CheckStatus::Warn, detail)
    } else {
        (
            CheckStatus::Pass,
            "every column with dates or addresses is read, ignored or harmless".to_owned(),
        )
    };
    with(made(id, status, detail), numbers)
}
