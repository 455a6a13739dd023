//! Unread columns of the feed, if reading one could change an outcome.

use std::collections::{BTreeMap, BTreeSet};

use super::matching::Index;
use super::people::Person;
use super::remedies::{Doubt, Remedy};
use super::uses::Uses;
use super::{Basis, FeedScope, Inputs, Standing};
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
        let names = names(inputs, &columns).join("`, `");
        let text = format!(
            "an unread column holds a date: `{names}` (add it to `ignore=` if it has nothing to do with leaving)"
        );
        let remedy = Remedy::Columns(reading(inputs, *first, ENDS));
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

/// The names of columns.
pub(super) fn names<'c>(
    inputs: &Inputs,
    columns: impl IntoIterator<Item = &'c usize>,
) -> Vec<&str> {
    let name = |column: &usize| inputs.hr.origin.columns.get(*column).map(|of| &*of.name);
    columns.into_iter().filter_map(name).collect()
}

/// The setting that ignores more columns, with its present value.
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

/// The setting that reads a column as the first of these fields that no column is read as. If there is none, the
/// setting that leaves it unread.
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

/// Fields that may hold the end of work.
pub(super) const ENDS: &[Meaning] = &[Meaning::End, Meaning::LastDay];

/// `HR_FEED_COLUMNS` with one more column.
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
