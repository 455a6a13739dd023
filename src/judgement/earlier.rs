//! Who of tonight's people is who of the previous run.
//!
//! Taking two people for one would hide a leaver behind somebody who works here; taking one person
//! for two shows a leaver once too often. So every tie must be earned, and where HR's words
//! contradict each other there is none: the leaver is followed on their own.

use super::Leaver;
use super::lookup::{Lookup, Map};
use crate::people::{EmailAddress, HrRow, name_key};

/// For each group of rows, the leavers of the previous run who are the same person, by their place.
///
/// Stronger ties come first, and a leaver claimed by one is not open to the next: by the id of the
/// tenure that ended, by the id of another tenure, by address, and for rows that have neither id
/// nor address by name. Ids may tie several leavers, whom HR then shows to be one person; an
/// address or a name ties one only, with the same end of work if there is such a one, for people
/// may share them. The groups are in an order of their own, so each of two alike finds one.
pub(super) fn leavers_of(groups: &[Vec<&HrRow>], leavers: &[Leaver]) -> Vec<Vec<usize>> {
    let index = Index::of(leavers);
    let mut known: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    let mut claimed = vec![false; leavers.len()];
    for by_id in [&index.by_id, &index.by_other_id] {
        let mut claims: Vec<(usize, usize)> = Vec::new();
        for (group, rows) in groups.iter().enumerate() {
            for id in rows.iter().filter_map(|row| row.person_id.as_deref()) {
                let open = by_id.get(id).filter(|leaver| !claimed[*leaver]);
                claims.extend(open.map(|leaver| (group, leaver)));
            }
        }
        claims.sort_unstable();
        claims.dedup();
        for (group, leaver) in claims {
            known[group].push(leaver);
            claimed[leaver] = true;
        }
    }
    for tie in [Index::by_address, Index::by_name_alone] {
        for same_end in [true, false] {
            for (group, rows) in groups.iter().enumerate() {
                if !known[group].is_empty() {
                    continue;
                }
                let found = tie(&index, rows).into_iter().find(|leaver| {
                    !claimed[*leaver] && (!same_end || ends_alike(rows, &leavers[*leaver]))
                });
                known[group].extend(found);
                if let Some(leaver) = found {
                    claimed[leaver] = true;
                }
            }
        }
    }
    known
}

fn ends_alike(rows: &[&HrRow], leaver: &Leaver) -> bool {
    rows.iter()
        .any(|row| row.end_of_work().map(|end| end.at) == leaver.end_of_work)
}

struct Index<'a> {
    leavers: &'a [Leaver],
    by_id: Lookup<'a, usize>,
    by_other_id: Lookup<'a, usize>,
    by_email: Lookup<'a, usize>,
    by_name_alone: Map<Option<String>, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(leavers: &'a [Leaver]) -> Self {
        let mut index = Self {
            leavers,
            by_id: Lookup::new(),
            by_other_id: Lookup::new(),
            by_email: Lookup::new(),
            by_name_alone: Map::default(),
        };
        for (place, leaver) in leavers.iter().enumerate() {
            if let Some(id) = &leaver.person_id {
                index.by_id.add(id, place);
            }
            for id in &leaver.other_person_ids {
                index.by_other_id.add(id, place);
            }
            for email in &leaver.emails {
                index.by_email.add(email.key(), place);
            }
            if leaver.ids().next().is_none() && leaver.emails.is_empty() {
                let name = leaver.name.as_deref().and_then(name_key);
                index.by_name_alone.entry(name).or_default().push(place);
            }
        }
        index
    }

    /// By an address, unless the rest says that it is shared or was handed on.
    fn by_address(&self, rows: &[&HrRow]) -> Vec<usize> {
        if !rows.iter().any(|row| {
            row.emails()
                .any(|email| self.by_email.contains(email.key()))
        }) {
            return Vec::new();
        }
        let names: Vec<String> = rows
            .iter()
            .filter_map(|row| row.name.as_deref().and_then(name_key))
            .collect();
        let has_id = rows.iter().any(|row| row.person_id.is_some());
        let mut tied = Vec::new();
        let mut tie = |email: &EmailAddress, is_work: bool| {
            for place in self.by_email.get(email.key()) {
                let leaver = &self.leavers[place];
                let name = leaver.name.as_deref().and_then(name_key);
                let same_name = name.as_ref().is_some_and(|name| names.contains(name));
                let other_name = name.is_some() && !names.is_empty() && !same_name;
                // What ties by id has been tied by id: two ids here are two different ones.
                let other_id = has_id && leaver.ids().next().is_some();
                let is_first = leaver.emails.first() == Some(email);
                let is_same = match (is_work, is_first) {
                    (true, true) => !(other_name && other_id),
                    (true, false) => same_name || !other_name && !other_id,
                    // Nothing else may tell who they are: an id would have.
                    (false, _) => !has_id && leaver.ids().next().is_none() && !other_name,
                };
                if is_same {
                    tied.push(place);
                }
            }
        };
        for row in rows {
            if let Some(email) = &row.email {
                tie(email, true);
            }
            for email in &row.other_emails {
                tie(email, false);
            }
        }
        distinct(tied)
    }

    fn by_name_alone(&self, rows: &[&HrRow]) -> Vec<usize> {
        let mut tied = Vec::new();
        for row in rows {
            if row.person_id.is_none() && row.emails().next().is_none() {
                let name = row.name.as_deref().and_then(name_key);
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
