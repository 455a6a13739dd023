//! From HR rows to people: which rows are one person, and who is followed without a row.
//!
//! Rows of one person id, or of one work address, are tenures of one person. A personal address
//! ties nobody together: families share those.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::directives::Named;
use super::lookup::{Map, Set};
use super::roster::Rejected;
use super::standing::{self, Decision, Standing, as_last_told};
use super::{Basis, Leaver, Outcome, RosterMember, Tenure, earlier, roster};
use crate::people::{EmailAddress, Employment, HrDate, HrRow, name_key};

/// A person as HR tells of them at the instant of the run.
#[derive(Debug)]
pub(super) struct Person<'a> {
    /// The id of the tenure that decides the standing.
    pub(super) person_id: Option<String>,
    /// Ids of the other tenures.
    pub(super) other_person_ids: Vec<String>,
    /// Names as written, the deciding tenure's first.
    pub(super) names: Vec<String>,
    /// Every address, work addresses first.
    pub(super) emails: Vec<EmailAddress>,
    /// What the rows say when put together.
    pub(super) standing: Standing,
    /// When work ended or ends.
    pub(super) end_of_work: Option<Timestamp>,
    /// Every tenure.
    pub(super) tenures: Vec<Tenure>,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
    /// Whether today's feed names the person.
    pub(super) in_feed: bool,
    /// What the previous run said of them: one leaver, or several whom HR now shows to be one
    /// person. The one who bears tonight's id comes first.
    pub(super) previous: Vec<&'a Leaver>,
}

impl Person<'_> {
    /// Whether the review has to say something about them.
    pub(super) fn is_leaver(&self) -> bool {
        self.standing != Standing::Working
    }

    /// Whether HR says that they have left or will, or leaves it open.
    pub(super) fn is_named_as_leaver(&self) -> bool {
        match self.standing {
            Standing::Rehired | Standing::Upcoming | Standing::Ended | Standing::Undecided => true,
            Standing::Working | Standing::Rescinded => false,
        }
    }

    /// Every id, the deciding tenure's first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.person_id.iter().chain(&self.other_person_ids)
    }

    /// As a roster remembers them, if tonight's names them as working here.
    pub(super) fn as_member(&self) -> Option<RosterMember> {
        let works_here = match self.standing {
            Standing::Working | Standing::Rehired | Standing::Rescinded => self.in_feed,
            Standing::Upcoming | Standing::Ended | Standing::Undecided => false,
        };
        works_here.then(|| RosterMember {
            person_ids: self.ids().cloned().collect(),
            emails: self.emails.clone(),
            name: self.names.first().cloned(),
        })
    }

    /// By everything that may name them.
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            ids: self.ids().map(String::as_str).collect(),
            emails: &self.emails,
            names: &self.names,
        }
    }
}

/// Everybody HR names, and every leaver of the previous run who is still to be followed.
pub(super) fn people<'a>(basis: &Basis<'a>, rejected: &Rejected<'_>) -> Vec<Person<'a>> {
    let inputs = basis.inputs;
    let leavers = inputs
        .past
        .previous
        .as_ref()
        .map_or(&[][..], |previous| &previous.leavers);
    let groups = groups(&inputs.hr.rows);
    let known = earlier::leavers_of(&groups, leavers);
    let ids_tonight: Set<&str> = inputs
        .hr
        .rows
        .iter()
        .filter_map(|row| row.person_id.as_deref())
        .collect();
    let mut seen = vec![false; leavers.len()];
    for index in known.iter().flatten() {
        seen[*index] = true;
    }
    let mut people: Vec<Person<'_>> = groups
        .iter()
        .zip(&known)
        .map(|(rows, known)| {
            let previous = known.iter().map(|index| &leavers[*index]).collect();
            person(rows, previous, &ids_tonight, inputs.as_of)
        })
        .collect();
    for (index, leaver) in leavers.iter().enumerate() {
        if !seen[index]
            && let Some(person) = followed(leaver, basis, rejected)
        {
            people.push(person);
        }
    }
    people.extend(roster::missing(inputs, rejected).into_iter().map(missing));
    people.sort_by(|a, b| {
        (
            &a.person_id,
            &a.emails,
            &a.names,
            &a.end_of_work,
            &a.tenures,
        )
            .cmp(&(
                &b.person_id,
                &b.emails,
                &b.names,
                &b.end_of_work,
                &b.tenures,
            ))
    });
    people
}

/// Rows with one work address. Most have one of their own.
struct Sharing {
    first: usize,
    others: Vec<usize>,
}

/// Rows put together by person id and by work address; groups, and rows in a group, are sorted by
/// content, so that the order of the file makes no difference.
fn groups(rows: &[HrRow]) -> Vec<Vec<&HrRow>> {
    let mut parent: Vec<usize> = (0..rows.len()).collect();
    fn root(parent: &mut [usize], mut index: usize) -> usize {
        while parent[index] != index {
            parent[index] = parent[parent[index]];
            index = parent[index];
        }
        index
    }
    fn unite(parent: &mut [usize], one: usize, other: usize) {
        let (a, b) = (root(parent, one), root(parent, other));
        parent[a] = b;
    }
    let mut by_id: Map<&str, usize> = Map::default();
    let mut by_email: Map<&str, Sharing> = Map::default();
    for (index, row) in rows.iter().enumerate() {
        if let Some(id) = &row.person_id {
            unite(&mut parent, index, *by_id.entry(id).or_insert(index));
        }
        if let Some(email) = &row.email {
            by_email
                .entry(email.key())
                .and_modify(|sharing| sharing.others.push(index))
                .or_insert(Sharing {
                    first: index,
                    others: Vec::new(),
                });
        }
    }
    let mut unclear = Vec::new();
    for Sharing { first, others } in by_email.into_values() {
        if others.is_empty() {
            continue;
        }
        let sharing: Vec<usize> = std::iter::once(first).chain(others).collect();
        let named = named_among(rows, &sharing);
        for (one, other) in with_a_word_in_common(&named) {
            unite(&mut parent, one, other);
        }
        if named.len() < sharing.len() {
            let named = named.into_iter().map(|(index, _)| index).collect();
            unclear.push((sharing, named));
        }
    }
    // Decided before any of them is put together: one address must not decide for the next by its turn.
    unclear.retain(|(_, named): &(Vec<usize>, Vec<usize>)| {
        let roots: Set<usize> = named.iter().map(|row| root(&mut parent, *row)).collect();
        roots.len() <= 1
    });
    for (sharing, _) in unclear {
        for row in &sharing {
            unite(&mut parent, sharing[0], *row);
        }
    }
    let mut groups: Vec<Vec<&HrRow>> = vec![Vec::new(); rows.len()];
    for (index, row) in rows.iter().enumerate() {
        groups[root(&mut parent, index)].push(row);
    }
    groups.retain(|group| !group.is_empty());
    for group in groups.iter_mut().filter(|group| group.len() > 1) {
        group.sort_by_cached_key(|row| content(row));
    }
    // Most groups differ in id or address; only those that don't are compared whole.
    groups.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    for alike in groups.chunk_by_mut(|a, b| key(a) == key(b)) {
        if alike.len() > 1 {
            alike.sort_by_cached_key(|group| {
                group.iter().map(|row| content(row)).collect::<Vec<_>>()
            });
        }
    }
    groups
}

/// The id and the address of a group's first row.
fn key<'a>(group: &[&'a HrRow]) -> (Option<&'a str>, Option<&'a str>) {
    let first = group[0];
    (
        first.person_id.as_deref(),
        first.email.as_ref().map(EmailAddress::key),
    )
}

/// Of rows that share a work address, those with an id and a name, with the name's words.
///
/// A row that lacks one of them tells nobody apart: it is whoever the address belongs to, if that is one
/// person, and otherwise stands for itself.
fn named_among(rows: &[HrRow], sharing: &[usize]) -> Vec<(usize, String)> {
    let name = |index: &usize| {
        let row = &rows[*index];
        row.person_id.as_ref()?;
        Some((*index, name_key(row.name.as_deref()?)?))
    };
    sharing.iter().filter_map(name).collect()
}

/// Which rows that share a work address are one person by name, in pairs.
///
/// A person who returns gets another id and keeps their name, or half of it. Where ids and names
/// both differ, the address was given to somebody else, and hides nobody behind them.
fn with_a_word_in_common(named: &[(usize, String)]) -> Vec<(usize, usize)> {
    let mut first_with: HashMap<&str, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, name) in named {
        for word in name.split(' ') {
            pairs.push((*first_with.entry(word).or_insert(*index), *index));
        }
    }
    pairs
}

/// All of a row that a judgement may show, in an order of its own.
fn content(row: &HrRow) -> impl Ord + use<'_> {
    let at = |date: &'_ Option<HrDate>| date.as_ref().map(|date| (date.at, date.written.clone()));
    (
        row.person_id.as_deref(),
        at(&row.start),
        row.end_of_work().map(|end| end.at),
        (at(&row.end), at(&row.last_day)),
        written(row.email.iter()),
        row.name.as_deref(),
        written(row.other_emails.iter()),
        Tenure::status_word(&row.status),
        &row.notes,
    )
}

/// Addresses in an order of their own: two that compare equal may still be written differently.
fn written<'a>(emails: impl Iterator<Item = &'a EmailAddress>) -> Vec<(&'a str, &'a str)> {
    emails
        .map(|email| (email.key(), email.as_written()))
        .collect()
}

/// One person from their rows and from what the previous run said of them.
fn person<'a>(
    rows: &[&HrRow],
    mut previous: Vec<&'a Leaver>,
    ids_tonight: &Set<&str>,
    as_of: Timestamp,
) -> Person<'a> {
    let Decision {
        standing,
        end_of_work,
        row,
        ended_as,
        mut notes,
    } = standing::decide(rows, &previous, as_of);
    let mut distinct_ids: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.person_id.as_deref())
        .collect();
    distinct_ids.sort_unstable();
    distinct_ids.dedup();
    if distinct_ids.len() > 1 {
        notes.push(format!(
            "{} person ids share a work address and are taken for one person",
            distinct_ids.len()
        ));
    }
    for row in rows {
        notes.extend(row.notes.iter().cloned());
    }
    notes = distinct(notes.into_iter());

    // The deciding row first; then the others, as they are sorted.
    let mut ordered = vec![row];
    ordered.extend(
        rows.iter()
            .copied()
            .filter(|other| !std::ptr::eq(*other, row)),
    );
    let person_id = ended_as.or_else(|| ordered.iter().find_map(|row| row.person_id.clone()));
    previous.sort_by_key(|leaver| leaver.person_id != person_id);
    let mut emails = distinct(
        ordered.iter().filter_map(|row| row.email.clone()).chain(
            ordered
                .iter()
                .flat_map(|row| row.other_emails.iter().cloned()),
        ),
    );
    // A mailbox is deleted and HR blanks the cell: the account keeps the address.
    if emails.is_empty() && previous.iter().any(|leaver| !leaver.emails.is_empty()) {
        let before = previous.iter().flat_map(|leaver| &leaver.emails);
        emails = distinct(before.cloned());
        notes.push("HR gives no e-mail any more; judged by those it gave before".to_owned());
    }
    // Ids of earlier tenures stay with the person, unless tonight they are somebody else's.
    let before = previous
        .iter()
        .flat_map(|leaver| leaver.ids())
        .map(String::as_str)
        .filter(|id| !ids_tonight.contains(id));
    let other_person_ids: BTreeSet<&str> = distinct_ids
        .into_iter()
        .chain(before)
        .filter(|id| Some(*id) != person_id.as_deref())
        .collect();
    Person {
        other_person_ids: other_person_ids.into_iter().map(str::to_owned).collect(),
        person_id,
        names: distinct(ordered.iter().filter_map(|row| row.name.clone())),
        emails,
        standing,
        end_of_work,
        tenures: tenures(rows, &previous),
        notes,
        in_feed: true,
        previous,
    }
}

/// A leaver of the previous run whom today's feed does not name: followed until access is proven
/// gone, so that deleting a row hides nobody.
fn followed<'a>(
    leaver: &'a Leaver,
    basis: &Basis<'a>,
    rejected: &Rejected<'_>,
) -> Option<Person<'a>> {
    let inputs = basis.inputs;
    let feed_was_read = inputs.hr.unusable.is_none();
    let rejected = rejected.line_of(leaver.ids(), &leaver.emails);
    if feed_was_read && rejected.is_none() {
        let closed_by_hr = matches!(leaver.outcome, Outcome::Rehired | Outcome::Rescinded);
        let is_over = !leaver.in_feed && is_settled(leaver) && !owns_something(leaver, basis);
        if closed_by_hr || is_over {
            return None;
        }
    }
    let note = match rejected {
        _ if !feed_was_read => "the HR feed could not be used; followed as last told".to_owned(),
        Some(line) => format!("line {line} of the HR feed was rejected; followed as last told"),
        None => "vanished from the HR feed; followed until access is proven gone".to_owned(),
    };
    let (standing, end_of_work) = as_last_told(leaver, inputs.as_of);
    Some(Person {
        person_id: leaver.person_id.clone(),
        other_person_ids: leaver.other_person_ids.clone(),
        names: leaver.name.iter().cloned().collect(),
        emails: leaver.emails.clone(),
        standing,
        end_of_work,
        tenures: leaver.tenures.clone(),
        notes: vec![note],
        in_feed: !feed_was_read && leaver.in_feed || rejected.is_some(),
        previous: vec![leaver],
    })
}

/// Somebody whom an earlier roster named as working here and tonight's does not.
fn missing(member: &RosterMember) -> Person<'_> {
    let (person_id, others) = match member.person_ids.split_first() {
        Some((first, others)) => (Some(first.clone()), others.to_vec()),
        None => (None, Vec::new()),
    };
    Person {
        person_id,
        other_person_ids: others,
        names: member.name.iter().cloned().collect(),
        emails: member.emails.clone(),
        standing: Standing::Undecided,
        end_of_work: None,
        tenures: Vec::new(),
        notes: vec!["missing from the roster, which named them before: may have left".to_owned()],
        in_feed: false,
        previous: Vec::new(),
    }
}

/// Whether nothing is left to follow: access is proven gone, or HR never said that they left. What may
/// be theirs is not proven gone.
fn is_settled(leaver: &Leaver) -> bool {
    if !leaver.suspected_account_id.is_empty() {
        return false;
    }
    // Missing from a roster: a whole list has shown that there is no access, or that there never was.
    if leaver.is_missing_from_roster() {
        return leaver.first_seen_without_access.is_some();
    }
    let told_to_have_left = leaver.deadline.is_some()
        || leaver.tenures.iter().any(|tenure| {
            let ended = Tenure::status_word(&Employment::Ended);
            tenure.status == ended || tenure.end.is_some() || tenure.last_day.is_some()
        });
    let no_access = leaver.account_id.is_empty() || leaver.first_seen_without_access.is_some();
    leaver.outcome.is_settled() || !told_to_have_left && no_access
}

/// Whether a service account that can be used still names them as its owner.
fn owns_something(leaver: &Leaver, basis: &Basis<'_>) -> bool {
    let accounts = &basis.inputs.population.accounts;
    let owned = basis.directives.answered_for_by(&leaver.named(), accounts);
    !owned.is_empty()
}

/// Every tenure told of, now or before.
fn tenures(rows: &[&HrRow], previous: &[&Leaver]) -> Vec<Tenure> {
    let mut tenures: Vec<Tenure> = rows.iter().map(|row| Tenure::of(row)).collect();
    for tenure in previous.iter().flat_map(|leaver| &leaver.tenures) {
        if !tenures.contains(tenure) {
            tenures.push(tenure.clone());
        }
    }
    tenures.sort();
    tenures.dedup();
    tenures
}

/// The values in order, each once.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
