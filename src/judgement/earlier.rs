//! Ties today's people to the people of the previous run.
//!
//! Treating two people as one would hide a leaver behind an employed person; treating one person as two only
//! reports a leaver twice. So every tie needs proof. If HR's rows contradict each other, there is no tie, and the
//! leaver is followed separately.

use jiff::Timestamp;

use super::identity::Group;
use super::lookup::{Map, found};
use super::{Leaver, PersonLinks};
use crate::model::{EmailAddress, Likeness, NameWords, compare_names};

/// A person of the previous run.
#[derive(Debug)]
pub(super) struct EarlierPerson<'a> {
    /// The id of the tenure that decided.
    id: Option<&'a str>,
    other_ids: &'a [String],
    emails: &'a [EmailAddress],
    name: Option<&'a str>,
    end_of_work: Option<Timestamp>,
}

impl<'a> EarlierPerson<'a> {
    pub(super) fn of_leaver(leaver: &'a Leaver) -> Self {
        Self {
            id: leaver.person_id.as_deref(),
            other_ids: &leaver.other_person_ids,
            emails: &leaver.emails,
            name: leaver.name.as_deref(),
            end_of_work: leaver.end_of_work,
        }
    }

    pub(super) fn of_links(links: &'a PersonLinks) -> Self {
        let (id, other_ids) = match links.person_ids.split_first() {
            Some((id, others)) => (Some(id.as_str()), others),
            None => (None, &[][..]),
        };
        Self {
            id,
            other_ids,
            emails: &links.emails,
            name: links.name.as_deref(),
            end_of_work: None,
        }
    }

    fn name(&self) -> Option<NameWords> {
        self.name.and_then(NameWords::of)
    }

    fn has_id(&self) -> bool {
        self.id.is_some() || !self.other_ids.is_empty()
    }
}

/// For each group of rows, the places of the people in the previous run who are the same person.
///
/// Stronger ties come first: by the id of the tenure that ended, by the id of another tenure, by address, and
/// by name if the rows have neither id nor address. A person who is tied once is not tied again. An id may tie
/// several earlier people, which HR then shows to be one, unless the names are unlike. People may share an
/// address or a name, so these tie only one, with the same end of work if possible. The groups are sorted, so
/// each of two equal groups finds one.
pub(super) fn ties<'a>(
    groups: &[Group<'_>],
    before: impl Iterator<Item = EarlierPerson<'a>>,
) -> Vec<Vec<usize>> {
    let before: Vec<EarlierPerson<'a>> = before.collect();
    let mut known: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    if before.is_empty() {
        return known;
    }
    let index = EarlierIndex::of(&before);
    let mut claimed = vec![false; before.len()];
    for by_id in [&index.by_id, &index.by_other_id] {
        let mut claims: Vec<(Likeness, usize, usize)> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            for id in group.rows.iter().filter_map(|row| row.person_id.as_deref()) {
                for other in found(by_id, id).filter(|other| !claimed[*other]) {
                    claims.push((likeness(group, &before[other]), place, other));
                }
            }
        }
        // Of several groups with one id, the one whose name is closest.
        claims.sort_unstable_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        claims.dedup();
        for (likeness, group, other) in claims {
            if likeness != Likeness::Unlike && !claimed[other] {
                known[group].push(other);
                claimed[other] = true;
            }
        }
    }
    for tie in [EarlierIndex::by_address, EarlierIndex::by_name_alone] {
        for same_end in [true, false] {
            for (place, group) in groups.iter().enumerate() {
                if !known[place].is_empty() {
                    continue;
                }
                let found = tie(&index, group).into_iter().find(|other| {
                    !claimed[*other] && (!same_end || ends_alike(group, &before[*other]))
                });
                known[place].extend(found);
                if let Some(other) = found {
                    claimed[other] = true;
                }
            }
        }
    }
    known
}

/// How the names of two people with one id compare, one of today and one of the previous run. An address in common
/// counts as much as a name.
fn likeness(group: &Group<'_>, before: &EarlierPerson<'_>) -> Likeness {
    let mut emails = group.rows.iter().flat_map(|row| row.emails());
    if emails.any(|email| before.emails.contains(email)) {
        return Likeness::Agree;
    }
    let known = before.name();
    names(group)
        .iter()
        .map(|name| compare_names(Some(name), known.as_ref()))
        .max()
        .unwrap_or(Likeness::Agree)
}

fn names(group: &Group<'_>) -> Vec<NameWords> {
    let names = group.rows.iter().filter_map(|row| row.name.as_deref());
    names.filter_map(NameWords::of).collect()
}

fn ends_alike(group: &Group<'_>, before: &EarlierPerson<'_>) -> bool {
    group.rows.iter().any(|row| {
        let mut ends = [&row.last_day, &row.end].into_iter().flatten();
        match before.end_of_work {
            Some(end) => ends.any(|of| of.at == end),
            None => ends.next().is_none(),
        }
    })
}

struct EarlierIndex<'b, 'a> {
    before: &'b [EarlierPerson<'a>],
    by_id: Map<&'a str, Vec<usize>>,
    by_other_id: Map<&'a str, Vec<usize>>,
    by_email: Map<&'a str, Vec<usize>>,
    by_name_alone: Map<Option<NameWords>, Vec<usize>>,
}

impl<'b, 'a> EarlierIndex<'b, 'a> {
    fn of(before: &'b [EarlierPerson<'a>]) -> Self {
        let mut index = Self {
            before,
            by_id: Map::default(),
            by_other_id: Map::default(),
            by_email: Map::default(),
            by_name_alone: Map::default(),
        };
        for (place, of) in before.iter().enumerate() {
            if let Some(id) = of.id {
                index.by_id.entry(id).or_default().push(place);
            }
            for id in of.other_ids {
                index.by_other_id.entry(id).or_default().push(place);
            }
            for email in of.emails {
                index.by_email.entry(email.key()).or_default().push(place);
            }
            if !of.has_id() && of.emails.is_empty() {
                let places = index.by_name_alone.entry(of.name());
                places.or_default().push(place);
            }
        }
        index
    }

    /// By an address, unless the other data shows that it is shared or was handed on.
    fn by_address(&self, group: &Group<'_>) -> Vec<usize> {
        let rows = &group.rows;
        let is_own = |email: &&EmailAddress| !group.shared_emails.contains(email);
        let mut emails = rows.iter().flat_map(|row| row.emails()).filter(is_own);
        if !emails.any(|email| self.by_email.contains_key(email.key())) {
            return Vec::new();
        }
        let names = names(group);
        let has_id = rows.iter().any(|row| row.person_id.is_some());
        let mut tied = Vec::new();
        let mut tie = |email: &EmailAddress, is_work: bool| {
            for place in found(&self.by_email, email.key()) {
                let of = &self.before[place];
                let likeness = of.name().and_then(|name| {
                    let likeness = names.iter().map(|known| known.compare(&name));
                    likeness.max()
                });
                let same_name = likeness == Some(Likeness::Agree);
                let other_name = likeness.is_some() && !same_name;
                // What ties by id has been tied by id: two ids here are two different ones.
                let other_id = has_id && of.has_id();
                let is_first = of.emails.first() == Some(email);
                let is_same = match (is_work, is_first) {
                    (true, true) => !other_name,
                    (true, false) => same_name || !other_name && !other_id,
                    // Nothing else may say who they are: an id would have.
                    (false, _) => !has_id && !of.has_id() && !other_name,
                };
                if is_same {
                    tied.push(place);
                }
            }
        };
        for row in rows {
            if let Some(email) = row.email.as_ref().filter(is_own) {
                tie(email, true);
            }
            for email in row.other_emails.iter().filter(is_own) {
                tie(email, false);
            }
        }
        distinct(tied)
    }

    fn by_name_alone(&self, group: &Group<'_>) -> Vec<usize> {
        let mut tied = Vec::new();
        for row in &group.rows {
            // A shared address identifies no person.
            let mut emails = row.emails();
            if row.person_id.is_none() && emails.all(|email| group.shared_emails.contains(email)) {
                let name = row.name.as_deref().and_then(NameWords::of);
                tied.extend(self.by_name_alone.get(&name).into_iter().flatten());
            }
        }
        distinct(tied)
    }
}

/// Places in their order, each once.
fn distinct(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}
