//! Unread columns of the feed that could change an outcome.

use std::collections::{BTreeMap, BTreeSet};

use super::matching::Index;
use super::people::Person;
use super::remedies::{Doubt, Remedy};
use super::uses::Uses;
use super::{Basis, FeedScope, Inputs, Standing};
use crate::model::{self, Access, Meaning};

/// Marks people whose outcome an unread date could change: a leaver without a date, and an employed person with access
/// if the column is blank for most employed people.
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
                let mut columns = dated(person, |date| date <= inputs.as_of);
                // A feed of leavers names only people who may have left.
                columns.retain(|column| {
                    inputs.policy.hr_feed_scope != FeedScope::Roster
                        || 2 * with_date[column] < employed
                });
                columns
            }
            _ => continue,
        };
        let Some(first) = columns.first() else {
            continue;
        };
        if person.is_employed() && !has_access(person, index, uses) {
            continue;
        }
        let names = quoted(&names(inputs, &columns));
        let text = format!(
            "an unread column has a date: {names} (add the column to `ignore=` if it has nothing to do with leaving)"
        );
        let remedy = Remedy::Columns(reading(inputs, *first, ENDS));
        person.doubt = Some(Box::new(Doubt::new(text, remedy)));
        person.standing = Standing::Doubtful;
        person.unread_columns = columns;
    }
}

/// Unread columns with a wanted date of a person.
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

/// The names of columns in quotes, `“Exit”, “Last seen”`.
pub(super) fn quoted(names: &[&str]) -> String {
    let names = names.iter().map(|name| model::quoted(name));
    names.collect::<Vec<_>>().join(", ")
}

pub(super) fn names<'c>(
    inputs: &Inputs,
    columns: impl IntoIterator<Item = &'c usize>,
) -> Vec<&str> {
    let name = |column: &usize| inputs.hr.origin.columns.get(*column).map(|of| &*of.name);
    columns.into_iter().filter_map(name).collect()
}

/// The value of `HR_FEED_COLUMNS` that also ignores these columns.
pub(super) fn ignoring<'c>(
    inputs: &Inputs,
    columns: impl IntoIterator<Item = &'c usize>,
) -> String {
    let ignored = inputs
        .policy
        .hr_feed_columns
        .get(Meaning::Ignored.setting());
    let mut all: Vec<&str> = ignored.map(String::as_str).into_iter().collect();
    all.extend(names(inputs, columns));
    with_setting(inputs, Meaning::Ignored, &all.join("+"))
}

/// The value of `HR_FEED_COLUMNS` that also reads a column as the first of these fields without a column. If every
/// field has a column, the value that ignores the column.
pub(super) fn reading(inputs: &Inputs, column: usize, fields: &[Meaning]) -> String {
    let is_free = |field: &&Meaning| {
        let mut columns = inputs.hr.origin.columns.iter();
        columns.all(|of| of.meaning != **field)
    };
    match fields.iter().find(is_free) {
        Some(field) => with_setting(inputs, *field, &names(inputs, [&column]).concat()),
        None => ignoring(inputs, [&column]),
    }
}

/// Fields for the end of work.
pub(super) const ENDS: &[Meaning] = &[Meaning::End, Meaning::LastDay];

/// The value of `HR_FEED_COLUMNS` with one more column.
fn with_setting(inputs: &Inputs, field: Meaning, header: &str) -> String {
    let field = field.setting();
    let known = inputs.policy.hr_feed_columns.iter();
    let known = known.filter(|(key, _)| *key != field);
    let mut columns: Vec<String> = known
        .map(|(key, header)| format!("{key}={header}"))
        .collect();
    columns.push(format!("{field}={header}"));
    columns.join(",")
}
