//! Which rows of the feed are one person.
//!
//! An id or a work address makes rows one person, unless their names contradict it. Treating two people as one
//! would hide a leaver behind an employed person. So every tie is compared with the names, and an alias decides
//! a doubt that the names leave open.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::approvers::LineKey;
use super::directives::{Named, UsableDirectives};
use super::ends;
use super::lookup::{Map, Set};
use super::uses::Uses;
use crate::model::{EmailAddress, Employment, HrRow, Likeness, NameWords};

/// If an id or address has more names than this, they are compared only for equality: no person has so many, and
/// comparing each with each takes too long.
const MOST_COMPARED: usize = 64;

/// A new tenure that begins so long before the old one ends is a transfer; an earlier one may be a
/// colleague's.
const TRANSFER: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The rows of one person.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    /// Sorted by content.
    pub(super) rows: Vec<&'a HrRow>,
    /// Ids that another person has, too: they identify neither.
    pub(super) shared_ids: Vec<&'a str>,
    /// Work addresses that several people have: they identify no person.
    pub(super) shared_emails: Vec<EmailAddress>,
    /// Work addresses that were given to a person who left later.
    pub(super) passed_on: Vec<EmailAddress>,
    /// Others who may be the same person: names that share a word, with the same id or work address.
    pub(super) related: Vec<Relation>,
}

/// A group that may be the same person as another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    /// Place of the other group.
    pub(super) other: usize,
    /// Whether they share an id; else a work address.
    pub(super) by_id: bool,
}

/// All people in the feed.
#[derive(Debug, Default)]
pub(super) struct Identities<'a> {
    pub(super) groups: Vec<Group<'a>>,
    /// Rows whose id is that of a person with an unlike name.
    pub(super) rows_with_shared_id: usize,
}

/// Sets of rows that can be united.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }

    /// The members by set, in the order of their first member.
    fn parts(&mut self, members: &[usize]) -> Vec<Vec<usize>> {
        let mut place: Map<usize, usize> = Map::default();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for member in members {
            let at = *place.entry(self.root(*member)).or_insert(parts.len());
            if at == parts.len() {
                parts.push(Vec::new());
            }
            parts[at].push(*member);
        }
        parts
    }
}

/// Puts the rows together.
pub(super) fn of_rows<'a>(
    rows: &'a [HrRow],
    directives: &UsableDirectives<'_>,
    as_of: Timestamp,
    uses: &mut Uses,
) -> Identities<'a> {
    let mut finder = Finder {
        rows,
        as_of,
        sets: Sets::new(rows.len()),
        names: Map::default(),
        all_rows: Map::default(),
        related: Vec::new(),
        shared_ids: Set::default(),
        shared_emails: Vec::new(),
        passed_on: Vec::new(),
    };
    finder.by_decision(directives, uses);
    finder.by_names();
    finder.by_id();
    finder.by_email();
    finder.compare_by_id();
    finder.finish()
}

struct Finder<'a> {
    rows: &'a [HrRow],
    as_of: Timestamp,
    sets: Sets,
    /// Names of rows that were compared.
    names: Map<usize, Option<NameWords>>,
    /// All rows of people who have several, by each of them.
    all_rows: Map<usize, Rc<Vec<usize>>>,
    /// Pairs of rows, and whether they share an id.
    related: Vec<(usize, usize, bool)>,
    /// Rows whose id another person has, too.
    shared_ids: Set<usize>,
    /// Rows whose work address identifies no person.
    shared_emails: Vec<usize>,
    /// Rows whose work address another person had later.
    passed_on: Vec<usize>,
}

/// Rows by a value that several have; single ones are left out.
fn several<'k>(values: impl Iterator<Item = (usize, &'k str)>) -> Vec<Vec<usize>> {
    let mut first: Map<&str, usize> = Map::default();
    let mut groups: Map<&str, Vec<usize>> = Map::default();
    for (row, value) in values {
        match first.entry(value) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(row);
            }
            std::collections::hash_map::Entry::Occupied(entry) => groups
                .entry(value)
                .or_insert_with(|| vec![*entry.get()])
                .push(row),
        }
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.sort_unstable();
    groups
}

impl<'a> Finder<'a> {
    fn name(&mut self, row: usize) -> Option<&NameWords> {
        let rows = self.rows;
        self.names
            .entry(row)
            .or_insert_with(|| rows[row].name.as_deref().and_then(NameWords::of))
            .as_ref()
    }

    /// The rows of somebody that have a name, as many as are compared.
    fn named(&mut self, rows: &[usize]) -> Vec<usize> {
        let mut named: Vec<usize> = rows.to_vec();
        named.retain(|row| self.name(*row).is_some());
        named.truncate(MOST_COMPARED);
        named
    }

    /// The closest likeness between two people, by the names that are in one script. `None` if a name is missing or
    /// in another script. A row without a name tells nothing of somebody who has one in another row.
    fn closest(&mut self, one: &[usize], other: &[usize]) -> Option<Likeness> {
        let (one, other) = (self.named(one), self.named(other));
        let name = |row: &usize| self.names[row].as_ref();
        let mut closest = None;
        for one in one.iter().filter_map(name) {
            for other in other.iter().filter_map(name) {
                let likeness = one.compare(other);
                if likeness != Likeness::Agree || one.agrees_in_one_script(other) {
                    closest = closest.max(Some(likeness));
                }
            }
        }
        closest
    }

    /// Finds all rows of people who have several.
    fn collect_rows(&mut self) {
        let roots: Vec<usize> = (0..self.rows.len())
            .map(|row| self.sets.root(row))
            .collect();
        // Almost all people have one row, which is its own root.
        let mut all: Map<usize, Vec<usize>> = Map::default();
        for (row, root) in roots.into_iter().enumerate() {
            if row != root {
                all.entry(root).or_insert_with(|| vec![root]).push(row);
            }
        }
        let by_row = all.into_values().flat_map(|rows| {
            let rows = Rc::new(rows);
            let all = (0..rows.len()).map(move |place| (rows[place], Rc::clone(&rows)));
            all.collect::<Vec<_>>()
        });
        self.all_rows = by_row.collect();
    }

    /// These rows of a person, and all that were theirs when they were collected.
    fn person(&self, rows: &[usize]) -> Vec<usize> {
        let mut all = rows.to_vec();
        let known = rows.iter().filter_map(|row| self.all_rows.get(row));
        all.extend(known.flat_map(|rows| rows.iter()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Rows that an approved alias makes one person.
    fn by_decision(&mut self, directives: &UsableDirectives<'_>, uses: &mut Uses) {
        for (line, pair, approved_by) in &directives.same_people {
            let is = |row: &HrRow, key: &LineKey<'_>| match key {
                LineKey::Id(id) => row.person_id.as_deref() == Some(*id),
                LineKey::Email(email) => row.emails().any(|of| of == email),
            };
            let with = |key: &LineKey<'_>| -> Vec<usize> {
                let found = self.rows.iter().enumerate().filter(|(_, row)| is(row, key));
                found.map(|(row, _)| row).collect()
            };
            let found = [with(&pair[0]), with(&pair[1])];
            if found.iter().any(|found| found.is_empty()) {
                continue;
            }
            let all = found.concat();
            let ids = all
                .iter()
                .filter_map(|row| self.rows[*row].person_id.as_ref());
            let ids: BTreeSet<&String> = ids.collect();
            let is_theirs = |row: &HrRow| row.person_id.as_ref().is_some_and(|id| ids.contains(id));
            let of_them = self.rows.iter().enumerate();
            let of_them = of_them.filter(|(row, of)| all.contains(row) || is_theirs(of));
            let rows = || of_them.clone().map(|(_, row)| row);
            let emails: Vec<EmailAddress> = rows().flat_map(|row| row.emails().cloned()).collect();
            let ids: Vec<&str> = rows().filter_map(|row| row.person_id.as_deref()).collect();
            let names: Vec<&str> = rows().filter_map(|row| row.name.as_deref()).collect();
            let themselves = Named {
                ids: &ids,
                emails: &emails,
                shared_emails: &[],
                names: &names,
            };
            if directives.may_take_for_one(*line, &themselves, approved_by, uses) {
                for row in &all[1..] {
                    self.sets.unite(all[0], *row);
                }
            }
        }
    }

    /// Unites rows whose names agree in one script.
    fn unite_agreeing(&mut self, members: &[usize]) {
        let mut by_name: Map<NameWords, usize> = Map::default();
        for row in members {
            if let Some(name) = self.name(*row).cloned() {
                let first = *by_name.entry(name).or_insert(*row);
                self.sets.unite(first, *row);
            }
        }
        let mut distinct: Vec<(NameWords, usize)> = by_name.into_iter().collect();
        distinct.sort_unstable();
        if distinct.len() <= MOST_COMPARED {
            for (place, (one, row)) in distinct.iter().enumerate() {
                for (other, another) in &distinct[..place] {
                    if one.agrees_in_one_script(other) {
                        self.sets.unite(*row, *another);
                    }
                }
            }
        }
    }

    /// Whether names cannot tell these people apart: there are two of them, and a name is missing or in
    /// another script.
    fn may_be_one(&mut self, people: &[Vec<usize>]) -> bool {
        match people {
            [one, other] => matches!(self.closest(one, other), None | Some(Likeness::Agree)),
            _ => false,
        }
    }

    fn with_one_id(&self) -> Vec<Vec<usize>> {
        let ids = self.rows.iter().enumerate();
        several(ids.filter_map(|(row, of)| Some((row, of.person_id.as_deref()?))))
    }

    fn with_one_email(&self) -> Vec<Vec<usize>> {
        let emails = self.rows.iter().enumerate();
        several(emails.filter_map(|(row, of)| Some((row, of.email.as_ref()?.key()))))
    }

    /// Rows that are certainly one person's: one id and one address, or one of them and names that agree.
    fn by_names(&mut self) {
        for members in self.with_one_id() {
            let mut by_address: Map<&str, usize> = Map::default();
            for row in &members {
                for email in self.rows[*row].emails() {
                    let first = *by_address.entry(email.key()).or_insert(*row);
                    self.sets.unite(first, *row);
                }
            }
            self.unite_agreeing(&members);
        }
        for members in self.with_one_email() {
            self.unite_agreeing(&members);
        }
    }

    /// Two people with one id whose names may agree are one.
    fn by_id(&mut self) {
        self.collect_rows();
        for members in self.with_one_id() {
            let people = self.sets.parts(&members);
            let whole: Vec<Vec<usize>> = people.iter().map(|rows| self.person(rows)).collect();
            let is_nameless = whole.iter().all(|rows| self.named(rows).is_empty());
            if is_nameless || self.may_be_one(&whole) {
                for rows in &people {
                    self.sets.unite(people[0][0], rows[0]);
                }
            }
        }
    }

    /// People who still have one id: some may be one person, and the others share the id by mistake.
    fn compare_by_id(&mut self) {
        self.collect_rows();
        for members in self.with_one_id() {
            let people = self.sets.parts(&members);
            let whole: Vec<Vec<usize>> = people.iter().map(|rows| self.person(rows)).collect();
            let mut is_known = vec![people.len() == 1; people.len()];
            for one in 0..people.len() {
                for other in one.saturating_sub(MOST_COMPARED)..one {
                    if self.closest(&whole[one], &whole[other]) != Some(Likeness::Unlike) {
                        let pair = (people[one][0], people[other][0], true);
                        self.related.push(pair);
                        (is_known[one], is_known[other]) = (true, true);
                    }
                }
            }
            for (rows, _) in people.iter().zip(is_known).filter(|(_, known)| !known) {
                self.shared_ids.extend(rows);
            }
        }
    }

    /// People with one work address. All are decided before any of them is united, so that the order of
    /// the addresses makes no difference.
    fn by_email(&mut self) {
        let with_one_address = self.with_one_email();
        for members in &with_one_address {
            let people = self.sets.parts(members);
            // Without an id and a name the address is all there is.
            let vague: Vec<&Vec<usize>> =
                people.iter().filter(|rows| self.is_vague(rows)).collect();
            for rows in &vague {
                self.sets.unite(vague[0][0], rows[0]);
            }
        }
        if with_one_address.is_empty() {
            return;
        }
        let mut united = Vec::new();
        let mut holders = Vec::new();
        self.collect_rows();
        for members in with_one_address {
            let parts = self.sets.parts(&members);
            if parts.len() > 2 {
                self.shared_emails.extend(&members);
            }
            let [one, other] = &parts[..] else {
                continue;
            };
            let parts = (one.clone(), other.clone());
            let (one, other) = (&self.person(one), &self.person(other));
            let likeness = self.closest(one, other);
            let is_transfer = self.is_transfer(one, other) || self.is_transfer(other, one);
            let is_one = match likeness {
                Some(Likeness::Agree) => true,
                Some(Likeness::Related) => is_transfer,
                Some(Likeness::Unlike) => false,
                None => !(self.have_ids(one, other) && self.overlap(one, other)),
            };
            if is_one {
                united.push((one[0], other[0]));
            } else if self.overlap(one, other) {
                self.shared_emails.extend(members);
            } else if likeness == Some(Likeness::Related) {
                self.related.push((one[0], other[0], false));
            } else {
                holders.push(parts);
            }
        }
        for (one, other) in united {
            self.sets.unite(one, other);
        }
        self.find_passed_on(holders);
    }

    /// Of two people who had an address one after the other, and are both gone, the later one keeps it.
    fn find_passed_on(&mut self, holders: Vec<(Vec<usize>, Vec<usize>)>) {
        self.collect_rows();
        for (one_part, other_part) in holders {
            let (one, other) = (&self.person(&one_part), &self.person(&other_part));
            let are_two = self.closest(one, other) == Some(Likeness::Unlike);
            if !are_two || self.is_employed(one) || self.is_employed(other) {
                continue;
            }
            match (self.last_of(one), self.last_of(other)) {
                (Some(first), Some(second)) if first < second => self.passed_on.extend(one_part),
                (Some(first), Some(second)) if first > second => self.passed_on.extend(other_part),
                // The last holder is unknown, so both keep it.
                _ => {}
            }
        }
    }

    fn is_vague(&self, rows: &[usize]) -> bool {
        rows.iter().all(|row| {
            let row = &self.rows[*row];
            row.person_id.is_none() && row.name.as_deref().and_then(NameWords::of).is_none()
        })
    }

    /// Whether ids show that two people are two.
    fn have_ids(&self, one: &[usize], other: &[usize]) -> bool {
        let has_id = |rows: &[usize]| rows.iter().any(|row| self.rows[*row].person_id.is_some());
        has_id(one) && has_id(other)
    }

    /// Whether rows show a person who is employed, or will be. Garden leave does not count.
    fn is_employed(&self, rows: &[usize]) -> bool {
        rows.iter().any(|row| {
            let row = &self.rows[*row];
            let last_day = ends::last_day(row);
            let ends = || last_day.into_iter().chain(&row.end).map(|end| end.at);
            let is_to_come = |end: Timestamp| end > self.as_of;
            match row.status {
                Employment::Active => {
                    let is_over = last_day.is_some_and(|day| !is_to_come(day.at));
                    let is_garden_leave =
                        is_over && row.end.as_ref().is_some_and(|end| is_to_come(end.at));
                    ends::is_new_tenure(row) || !is_garden_leave
                }
                Employment::OnLeave => true,
                Employment::Ended => ends().next().is_some() && ends().all(is_to_come),
                Employment::Unclassified(_) | Employment::Blank => ends().all(is_to_come),
            }
        })
    }

    /// The known time of employment: the first start, and the last end unless it goes on.
    fn span(&self, rows: &[usize]) -> Option<(Timestamp, Option<Timestamp>)> {
        let rows_of = || rows.iter().map(|row| &self.rows[*row]);
        let starts: Option<Vec<Timestamp>> =
            rows_of().map(|row| Some(row.start.as_ref()?.at)).collect();
        let start = starts?.into_iter().min()?;
        if self.is_employed(rows) {
            return Some((start, None));
        }
        let ends = rows_of().filter_map(ends::end_of_work);
        Some((start, Some(ends.map(|end| end.at).max()?)))
    }

    /// Whether two people work here at one time, as far as is known: both do now, or their dates say so.
    fn overlap(&self, one: &[usize], other: &[usize]) -> bool {
        if self.is_employed(one) && self.is_employed(other) {
            return true;
        }
        let (Some((start, end)), Some((other_start, other_end))) =
            (self.span(one), self.span(other))
        else {
            return false;
        };
        // An end is the midnight that closes its day.
        end.is_none_or(|end| other_start < end) && other_end.is_none_or(|end| start < end)
    }

    /// Whether a tenure begins as another ends: the day after at the latest, and not long before.
    fn is_transfer(&self, ended: &[usize], begun: &[usize]) -> bool {
        let ends = ended
            .iter()
            .filter_map(|row| ends::end_of_work(&self.rows[*row]));
        // A colleague of many years may have a new tenure, too.
        let starts = begun
            .iter()
            .filter_map(|row| ends::running_start(&self.rows[*row]));
        match (
            ends.map(|end| end.at).max(),
            starts.map(|start| start.at).min(),
        ) {
            (Some(end), Some(start)) => {
                let gap = start.duration_since(end);
                gap <= SignedDuration::ZERO && gap >= -TRANSFER
            }
            _ => false,
        }
    }

    /// When a person last began or ended, to find the later holder of an address.
    fn last_of(&self, rows: &[usize]) -> Option<Timestamp> {
        let dates = rows.iter().flat_map(|row| {
            let row = &self.rows[*row];
            [&row.start, &row.end, &row.last_day]
        });
        dates.flatten().map(|date| date.at).max()
    }

    fn finish(mut self) -> Identities<'a> {
        let rows = self.rows;
        let mut of_root: Vec<usize> = vec![usize::MAX; rows.len()];
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut place = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let root = self.sets.root(index);
            if of_root[root] == usize::MAX {
                of_root[root] = groups.len();
                groups.push(Group::default());
            }
            place.push(of_root[root]);
            groups[of_root[root]].rows.push(row);
        }
        let email = |row: usize| rows[row].email.clone();
        for row in self.shared_emails {
            groups[place[row]].shared_emails.extend(email(row));
        }
        for row in self.passed_on {
            groups[place[row]].passed_on.extend(email(row));
        }
        for row in &self.shared_ids {
            groups[place[*row]]
                .shared_ids
                .extend(rows[*row].person_id.as_deref());
        }
        for (one, other, by_id) in self.related {
            let (one, other) = (place[one], place[other]);
            if one != other {
                groups[one].related.push(Relation { other, by_id });
                groups[other].related.push(Relation { other: one, by_id });
            }
        }
        for group in &mut groups {
            group.related.sort_unstable();
            group.related.dedup();
            group.shared_ids.sort_unstable();
            group.shared_ids.dedup();
            for emails in [&mut group.shared_emails, &mut group.passed_on] {
                emails.sort_unstable();
                emails.dedup();
            }
        }
        Identities {
            groups,
            rows_with_shared_id: self.shared_ids.len(),
        }
    }
}
