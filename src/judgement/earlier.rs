//! Ties today's people to the people of the previous run.
//!
//! Treating two people as one would hide a leaver behind an employed person. Treating one person as two only
//! reports a leaver twice. Therefore every tie needs proof. If HR's rows contradict each other, they are not tied, and
//! the leaver is followed separately.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use super::identity::{Group, sort_distinct};
use super::lookup::{Map, found};
use super::{Leaver, PersonLinks, ends};
use crate::model::{EmailAddress, HrRow, Likeness, NameWords, compare_names};

/// A person of the previous run.
#[derive(Debug)]
pub(super) struct EarlierPerson<'a> {
    /// The id of the tenure that decided.
    id: Option<&'a str>,
    other_ids: &'a [String],
    emails: &'a [EmailAddress],
    name: Option<&'a str>,
    end_of_work: Option<Timestamp>,
    /// The key and the end of work by which the offboarding was first reported.
    person_key: Option<&'a str>,
    first_end: Option<Timestamp>,
}

impl<'a> EarlierPerson<'a> {
    pub(super) fn of_leaver(leaver: &'a Arc<Leaver>) -> Self {
        Self {
            id: leaver.person_id.as_deref(),
            other_ids: &leaver.other_person_ids,
            emails: &leaver.emails,
            name: leaver.name.as_deref(),
            end_of_work: leaver.end_of_work,
            person_key: Some(&leaver.person_key),
            first_end: leaver.moved_from.or(leaver.end_of_work),
        }
    }

    pub(super) fn of_links(links: &'a PersonLinks) -> Self {
        let ids = links.person_ids.split_first();
        Self {
            id: ids.map(|(first, _)| first.as_str()),
            other_ids: ids.map_or(&[], |(_, others)| others),
            emails: &links.emails,
            name: links.name.as_deref(),
            end_of_work: None,
            person_key: None,
            first_end: None,
        }
    }

    fn name(&self) -> Option<NameWords> {
        self.name.and_then(NameWords::of)
    }

    fn has_id(&self) -> bool {
        self.id.is_some() || !self.other_ids.is_empty()
    }
}

/// For each group of rows, the people of the previous run who are the same person; then the people without a group.
///
/// Stronger ties come first: by the tenure that was first reported, by the id of the ended tenure, by the id of another
/// tenure, by address, and by name if the rows have neither id nor address. Each earlier person is tied at most once. An
/// id may tie several earlier people, whom HR then shows to be one person, unless their names are unlike. People may
/// share an address or a name, so an address or name ties only one person, if possible with the same end of work. The
/// groups are sorted, so each of two equal groups gets one.
pub(super) fn ties<'a, T>(
    groups: &[Group<'_>],
    earlier: &[&'a T],
    person: fn(&'a T) -> EarlierPerson<'a>,
) -> (Vec<Vec<&'a T>>, Vec<&'a T>) {
    let before: Vec<EarlierPerson<'a>> = earlier.iter().map(|of| person(of)).collect();
    let index = EarlierIndex::of(&before);
    let mut tied: Vec<Vec<&T>> = vec![Vec::new(); groups.len()];
    let mut is_free = vec![true; before.len()];
    for tie in [
        EarlierIndex::by_first_report,
        EarlierIndex::by_id,
        EarlierIndex::by_other_id,
    ] {
        let mut claims: Vec<(Reverse<Likeness>, usize, usize)> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            for row in &group.rows {
                let tied = row.person_id.as_deref().map(|id| tie(&index, id, row));
                for other in tied.into_iter().flatten().filter(|of| is_free[*of]) {
                    claims.push((Reverse(likeness(group, &before[other])), place, other));
                }
            }
        }
        // If several groups have the same id, the one with the closest name is first.
        claims.sort_unstable();
        for (Reverse(likeness), place, other) in claims {
            if likeness != Likeness::Unlike && is_free[other] {
                tied[place].push(earlier[other]);
                is_free[other] = false;
            }
        }
    }
    for tie in [EarlierIndex::by_address, EarlierIndex::by_name_alone] {
        for same_end in [true, false] {
            for (place, group) in groups.iter().enumerate() {
                if !tied[place].is_empty() {
                    continue;
                }
                let mut found = tie(&index, group).into_iter();
                let found = found.find(|other| {
                    is_free[*other] && (!same_end || ends_alike(group, &before[*other]))
                });
                if let Some(other) = found {
                    tied[place].push(earlier[other]);
                    is_free[other] = false;
                }
            }
        }
    }
    let free = earlier.iter().zip(is_free).filter(|(_, is_free)| *is_free);
    (tied, free.map(|(of, _)| *of).collect())
}

/// How the names of two people with one id compare, one of today and one of the previous run. A shared address counts
/// as an agreeing name.
fn likeness(group: &Group<'_>, before: &EarlierPerson<'_>) -> Likeness {
    let mut emails = group.rows.iter().flat_map(|row| row.emails());
    if emails.any(|email| before.emails.contains(email)) {
        return Likeness::Agree;
    }
    let known = before.name();
    let names = names(group);
    let compared = names
        .iter()
        .map(|of| compare_names(Some(of), known.as_ref()));
    compared.max().unwrap_or(Likeness::Agree)
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

#[derive(Default)]
struct EarlierIndex<'b, 'a> {
    before: &'b [EarlierPerson<'a>],
    by_person_key: Map<&'a str, Vec<usize>>,
    by_id: Map<&'a str, Vec<usize>>,
    by_other_id: Map<&'a str, Vec<usize>>,
    by_email: Map<&'a str, Vec<usize>>,
    by_name_alone: Map<Option<NameWords>, Vec<usize>>,
}

impl<'b, 'a> EarlierIndex<'b, 'a> {
    fn of(before: &'b [EarlierPerson<'a>]) -> Self {
        let mut index = Self {
            before,
            ..Self::default()
        };
        for (place, of) in before.iter().enumerate() {
            if let Some(key) = of.person_key {
                index.by_person_key.entry(key).or_default().push(place);
            }
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

    /// Finds people by the tenure that was first reported. While an alias joins two people, the id and the end of work on
    /// record may be those of the other.
    fn by_first_report(&self, id: &str, row: &HrRow) -> Vec<usize> {
        let end = ends::end_of_work(row).map(|end| end.at);
        let mut tied = Vec::from_iter(found(&self.by_person_key, id));
        tied.retain(|place| self.before[*place].first_end == end);
        tied
    }

    fn by_id(&self, id: &str, _: &HrRow) -> Vec<usize> {
        found(&self.by_id, id).collect()
    }

    fn by_other_id(&self, id: &str, _: &HrRow) -> Vec<usize> {
        found(&self.by_other_id, id).collect()
    }

    /// Finds people by address, unless other data shows that the address is shared or was reassigned.
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
        for row in rows {
            let work = row.email.iter().map(|email| (email, true));
            let further = row.other_emails.iter().map(|email| (email, false));
            for (email, is_work) in work.chain(further).filter(|(email, _)| is_own(email)) {
                tied.extend(found(&self.by_email, email.key()).filter(|place| {
                    let of = &self.before[*place];
                    let known = of.name();
                    let likeness =
                        known.and_then(|known| names.iter().map(|name| name.compare(&known)).max());
                    let same_name = likeness == Some(Likeness::Agree);
                    let other_name = likeness.is_some() && !same_name;
                    // Ties by id were made earlier, so two ids here differ.
                    let other_id = has_id && of.has_id();
                    let is_first = of.emails.first() == Some(email);
                    match (is_work, is_first) {
                        (true, true) => !other_name,
                        (true, false) => same_name || !other_name && !other_id,
                        // A further address ties only people without ids.
                        (false, _) => !has_id && !of.has_id() && !other_name,
                    }
                }));
            }
        }
        sort_distinct(&mut tied);
        tied
    }

    fn by_name_alone(&self, group: &Group<'_>) -> Vec<usize> {
        let mut tied = Vec::new();
        for row in &group.rows {
            // A shared address does not identify a person.
            let mut emails = row.emails();
            if row.person_id.is_none() && emails.all(|email| group.shared_emails.contains(email)) {
                let name = row.name.as_deref().and_then(NameWords::of);
                tied.extend(self.by_name_alone.get(&name).into_iter().flatten());
            }
        }
        sort_distinct(&mut tied);
        tied
    }
}
