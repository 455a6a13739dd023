//! The people of the feed: the table of §5.2.

use std::collections::BTreeSet;

use super::ends::{is_transfer, overlap};
use super::lines::{ModelRelation, aliases, may_join};
use crate::judgement::Inputs;
use crate::model::{EmailAddress, HrRow, Likeness, NameWords};

#[derive(Clone)]
pub(super) struct ModelPerson<'a> {
    pub(super) rows: Vec<&'a HrRow>,
    /// Work addresses that other people have, too. They do not identify a person.
    pub(super) shared: BTreeSet<EmailAddress>,
}

impl ModelPerson<'_> {
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let ids = self.rows.iter().filter_map(|row| row.person_id.clone());
        ids.collect()
    }

    pub(super) fn emails(&self) -> BTreeSet<EmailAddress> {
        let emails = self.rows.iter().flat_map(|row| row.emails().cloned());
        emails.collect()
    }

    /// The addresses that are theirs alone.
    pub(super) fn own_emails(&self) -> BTreeSet<EmailAddress> {
        &self.emails() - &self.shared
    }

    pub(super) fn work_emails(&self) -> BTreeSet<EmailAddress> {
        self.rows
            .iter()
            .filter_map(|row| row.email.clone())
            .collect()
    }

    pub(super) fn has_work_address(&self, address: &EmailAddress) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.email.as_ref() == Some(address))
    }

    pub(super) fn names(&self) -> Vec<NameWords> {
        self.rows.iter().filter_map(|row| name(row)).collect()
    }
}

/// Whether two rows of one person are tied by nothing but an id: no address, and a name is missing.
pub(super) fn only_an_id_links(one: &HrRow, other: &HrRow) -> bool {
    let has_names = name(one).is_some() && name(other).is_some();
    share_an_id(one, other) && !share_an_address(one, other) && !has_names
}

pub(super) fn name(row: &HrRow) -> Option<NameWords> {
    row.name.as_deref().and_then(NameWords::of)
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Alike {
    /// A name of one has every word of a name of the other.
    Agree,
    /// A name is missing, or the names are in different scripts.
    Unknown,
    Related,
    Unlike,
}

pub(super) fn alike(one: &[NameWords], other: &[NameWords]) -> Alike {
    let pairs = || one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    if pairs().any(|(a, b)| a.agrees_in_one_script(b)) {
        return Alike::Agree;
    }
    let is = |wanted: Likeness| pairs().any(|(a, b)| a.compare(b) == wanted);
    match (is(Likeness::Related), is(Likeness::Unlike)) {
        (true, _) => Alike::Related,
        (false, true) => Alike::Unlike,
        (false, false) => Alike::Unknown,
    }
}

fn names_agree_for_certain(one: &HrRow, other: &HrRow) -> bool {
    let both = name(one).zip(name(other));
    both.is_some_and(|(one, other)| one.agrees_in_one_script(&other))
}

pub(super) fn share_an_address(one: &HrRow, other: &HrRow) -> bool {
    one.emails().any(|a| other.emails().any(|b| a == b))
}

pub(super) fn share_an_id(one: &HrRow, other: &HrRow) -> bool {
    one.person_id.is_some() && one.person_id == other.person_id
}

pub(super) fn share_a_work_address(one: &HrRow, other: &HrRow) -> bool {
    one.email.is_some() && one.email == other.email
}

fn any_pair(one: &[&HrRow], other: &[&HrRow], has: impl Fn(&HrRow, &HrRow) -> bool) -> bool {
    one.iter().any(|a| other.iter().any(|b| has(a, b)))
}

/// Joins groups until no two belong together. Returns whether it joined any.
fn join<'a>(
    groups: &mut Vec<Vec<&'a HrRow>>,
    belong_together: impl Fn(&[&'a HrRow], &[&'a HrRow]) -> bool,
) -> bool {
    let mut has_joined = false;
    'restart: loop {
        for one in 0..groups.len() {
            for other in one + 1..groups.len() {
                if belong_together(&groups[one], &groups[other]) {
                    let more = groups.remove(other);
                    groups[one].extend(more);
                    has_joined = true;
                    continue 'restart;
                }
            }
        }
        return has_joined;
    }
}

fn person<'a>(group: &[&'a HrRow]) -> ModelPerson<'a> {
    ModelPerson {
        rows: group.to_vec(),
        shared: BTreeSet::new(),
    }
}

fn alike_groups(one: &[&HrRow], other: &[&HrRow]) -> Alike {
    alike(&person(one).names(), &person(other).names())
}

/// The people of a feed, each with all of their rows.
pub(super) fn people(inputs: &Inputs) -> Vec<ModelPerson<'_>> {
    let rows = &inputs.hr.rows;
    let mut groups: Vec<Vec<&HrRow>> = rows.iter().map(|row| vec![row]).collect();

    // The manual decisions.
    for alias in aliases(inputs, ModelRelation::SamePerson) {
        let text = alias.person_id.as_deref().unwrap_or_default();
        let Some((one, other)) = text.split_once('=') else {
            continue;
        };
        let is_named = |row: &HrRow, text: &str| names_person(text, &person(&[row]));
        let is_either = |row: &HrRow| is_named(row, one) || is_named(row, other);
        let are_known = [one, other]
            .iter()
            .all(|text| rows.iter().any(|row| is_named(row, text)));
        // All rows with their ids are theirs, too.
        let is_theirs = |row: &&HrRow| {
            let mut named = rows.iter().filter(|row| is_either(row));
            is_either(row) || named.any(|of| share_an_id(of, row))
        };
        let them: Vec<&HrRow> = rows.iter().filter(is_theirs).collect();
        if are_known && may_join(alias, &person(&them), inputs) {
            let is_in = |group: &[&HrRow]| group.iter().any(|row| is_either(row));
            join(&mut groups, |a, b| is_in(a) && is_in(b));
        }
    }

    // The certain ties: one id or one work address with agreeing names, or one id with one address.
    join(&mut groups, |a, b| {
        any_pair(a, b, |a, b| {
            share_an_id(a, b) && (names_agree_for_certain(a, b) || share_an_address(a, b))
                || share_a_work_address(a, b) && names_agree_for_certain(a, b)
        })
    });

    // A missing name, or one in another script, agrees if two people are in question.
    let ids: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.person_id.clone())
        .collect();
    // All pairs are decided before any pair is joined, so that the order of ids and addresses does not matter.
    let has_id =
        |group: &[&HrRow], id: &String| group.iter().any(|row| row.person_id.as_ref() == Some(id));
    let is_of_one = |id: &&String| {
        let of_id: Vec<&Vec<&HrRow>> = groups.iter().filter(|group| has_id(group, id)).collect();
        let are_nameless = of_id.iter().all(|group| person(group).names().is_empty());
        let may_be_one = |one: &[&HrRow], other: &[&HrRow]| {
            matches!(alike_groups(one, other), Alike::Unknown | Alike::Agree)
        };
        are_nameless || of_id.len() == 2 && may_be_one(of_id[0], of_id[1])
    };
    let of_one: Vec<&String> = ids.iter().filter(is_of_one).collect();
    for id in of_one {
        join(&mut groups, |a, b| has_id(a, id) && has_id(b, id));
    }

    // One work address under several ids.
    let addresses: BTreeSet<EmailAddress> =
        rows.iter().filter_map(|row| row.email.clone()).collect();
    for address in &addresses {
        let has_it = |group: &[&HrRow]| person(group).has_work_address(address);
        // Without an id and a name, only the address identifies a row.
        join(&mut groups, |a, b| {
            let is_vague = |group: &[&HrRow]| {
                person(group).ids().is_empty() && person(group).names().is_empty()
            };
            has_it(a) && has_it(b) && is_vague(a) && is_vague(b)
        });
    }
    let mut of_one = Vec::new();
    let mut of_several = BTreeSet::new();
    for address in &addresses {
        let has_it = |group: &[&HrRow]| person(group).has_work_address(address);
        let of_it: Vec<&Vec<&HrRow>> = groups.iter().filter(|group| has_it(group)).collect();
        if of_it.len() > 2 {
            of_several.insert(address.clone());
        }
        if let [one, other] = of_it[..] {
            let (a, b) = (person(one), person(other));
            // Two ids are two people if both worked here at one time.
            let have_ids = !a.ids().is_empty() && !b.ids().is_empty();
            let are_one = match alike_groups(one, other) {
                Alike::Agree => true,
                Alike::Related => is_transfer(one, other) || is_transfer(other, one),
                Alike::Unknown => !(have_ids && overlap(one, other, inputs)),
                Alike::Unlike => false,
            };
            if are_one {
                of_one.push(address.clone());
            } else if overlap(one, other, inputs) {
                of_several.insert(address.clone());
            }
        }
    }
    for address in of_one {
        let has_it = |group: &[&HrRow]| person(group).has_work_address(&address);
        join(&mut groups, |a, b| has_it(a) && has_it(b));
    }
    let people = groups.iter().map(|group| {
        let mut person = person(group);
        person.shared = &person.work_emails() & &of_several;
        person
    });
    people.collect()
}

/// Whether an id or an address names a person.
pub(super) fn names_person(text: &str, person: &ModelPerson<'_>) -> bool {
    let text = text.trim();
    match EmailAddress::parse(text) {
        Some(email) => person.own_emails().contains(&email),
        None => person.ids().contains(text),
    }
}
