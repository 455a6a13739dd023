//! Groups the rows of the feed into people.
//!
//! Rows with the same id or work address are one person, unless their names contradict it. Treating two people as one
//! would hide a leaver behind an employed person. Therefore every tie is compared with the names, and an alias decides
//! if the names do not.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::approvers::LineKey;
use super::ends;
use super::lookup::{Map, Set};
use super::manual::{PersonKeys, UsableLines};
use super::uses::Uses;
use crate::model::{EmailAddress, Employment, HrDate, HrRow, Likeness, NameWords};

/// If an id or address has more names than this, they are compared only for equality. No person has this many names,
/// and comparing all pairs takes too long.
const MOST_COMPARED: usize = 64;

/// A new tenure that begins at most this long before the old one ends is a transfer. An earlier one may belong to a
/// colleague.
const TRANSFER: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The rows of one person.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    /// The number that relations use for this group.
    pub(super) number: usize,
    /// Sorted by content.
    pub(super) rows: Vec<&'a HrRow>,
    /// Ids that another person has, too. They identify neither person.
    pub(super) shared_ids: Vec<&'a str>,
    /// Work addresses that several people share. They do not identify a person.
    pub(super) shared_emails: Vec<EmailAddress>,
    /// Work addresses that were reassigned to a person who left later.
    pub(super) passed_on: Vec<EmailAddress>,
    /// Groups that may be the same person: their names share a word, and they share an id or work address.
    pub(super) related: Vec<Relation>,
}

/// A group that may be the same person as another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    /// The number of the other group; later the position of the other person.
    pub(super) other: usize,
    /// Whether they share an id. Otherwise they share a work address.
    pub(super) by_id: bool,
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

/// All people in the feed, and the number of rows whose id is that of a person with an unlike name.
pub(super) fn of_rows<'a>(
    rows: &'a [HrRow],
    manual: &UsableLines<'_>,
    as_of: Timestamp,
    uses: &mut Uses,
) -> (Vec<Group<'a>>, usize) {
    let ids = several(rows, |row| row.person_id.as_deref());
    let emails = several(rows, |row| row.email.as_ref().map(EmailAddress::key));
    let mut finder = Finder {
        rows,
        as_of,
        sets: Sets::new(rows.len()),
        names: Map::default(),
        roots: Vec::new(),
        rows_of: Vec::new(),
        related: Vec::new(),
        shared_ids: Set::default(),
        shared_emails: Vec::new(),
        passed_on: Vec::new(),
    };
    finder.by_decision(manual, uses);
    for members in &ids {
        finder.unite_by_address(members);
    }
    for members in ids.iter().chain(&emails) {
        finder.unite_agreeing(members);
    }
    finder.by_id(&ids);
    finder.by_email(&emails);
    finder.compare_by_id(&ids);
    finder.finish()
}

struct Finder<'a> {
    rows: &'a [HrRow],
    as_of: Timestamp,
    sets: Sets,
    /// Names of rows that were compared.
    names: Map<usize, Option<NameWords>>,
    /// The sets as they were when they were collected: the root of each row, and the rows of each root.
    roots: Vec<usize>,
    rows_of: Vec<Vec<usize>>,
    /// Pairs of rows, and whether they share an id.
    related: Vec<(usize, usize, bool)>,
    /// Rows whose id another person has, too.
    shared_ids: Set<usize>,
    /// Rows whose work address identifies no person.
    shared_emails: Vec<usize>,
    /// Rows whose work address another person had later.
    passed_on: Vec<usize>,
}

/// Groups of rows that share a value.
fn several(rows: &[HrRow], value: fn(&HrRow) -> Option<&str>) -> Vec<Vec<usize>> {
    let mut groups: Map<&str, Vec<usize>> = Map::default();
    for (place, row) in rows.iter().enumerate() {
        if let Some(value) = value(row) {
            groups.entry(value).or_default().push(place);
        }
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.retain(|rows| rows.len() > 1);
    groups.sort_unstable();
    groups
}

impl<'a> Finder<'a> {
    fn name(&mut self, row: usize) -> Option<&NameWords> {
        let written = self.rows[row].name.as_deref();
        let name = self.names.entry(row);
        name.or_insert_with(|| written.and_then(NameWords::of))
            .as_ref()
    }

    /// The first rows of a person that have a name, at most [`MOST_COMPARED`].
    fn named(&mut self, rows: &[usize]) -> Vec<usize> {
        let mut named = rows.to_vec();
        named.retain(|row| self.name(*row).is_some());
        named.truncate(MOST_COMPARED);
        named
    }

    /// The closest likeness between two people, by names in the same script. `None` if a name is missing or in another
    /// script. Rows without a name are ignored if another row of the person has a name.
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

    /// Collects the rows of each person.
    fn collect_rows(&mut self) {
        let rows = 0..self.rows.len();
        self.roots = rows.clone().map(|row| self.sets.root(row)).collect();
        self.rows_of = vec![Vec::new(); rows.len()];
        for row in rows {
            self.rows_of[self.roots[row]].push(row);
        }
    }

    /// All rows that belonged to the person of these rows when they were collected.
    fn person(&self, rows: &[usize]) -> Vec<usize> {
        let roots: BTreeSet<usize> = rows.iter().map(|row| self.roots[*row]).collect();
        let all = roots.iter().flat_map(|root| self.rows_of[*root].clone());
        let mut all = Vec::from_iter(all);
        all.sort_unstable();
        all
    }

    /// The people who have one value today, by these rows and by all of their rows.
    fn people(&mut self, members: &[usize]) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let people = self.sets.parts(members);
        let whole = people.iter().map(|rows| self.person(rows)).collect();
        (people, whole)
    }

    /// Unites rows that an approved alias makes one person.
    fn by_decision(&mut self, manual: &UsableLines<'_>, uses: &mut Uses) {
        let rows = self.rows;
        for (line, pair, approved_by) in &manual.same_people {
            let with = |key: &LineKey<'_>| {
                let is = |row: &HrRow| match key {
                    LineKey::Id(id) => row.person_id.as_deref() == Some(*id),
                    LineKey::Email(email) => row.emails().any(|of| of == email),
                };
                Vec::from_iter((0..rows.len()).filter(|row| is(&rows[*row])))
            };
            let (one, other) = (with(&pair[0]), with(&pair[1]));
            if one.is_empty() || other.is_empty() {
                continue;
            }
            let all = [one, other].concat();
            let id_of = |row: &'a HrRow| row.person_id.as_deref();
            let ids: BTreeSet<&str> = all.iter().filter_map(|row| id_of(&rows[*row])).collect();
            let named = all.iter().map(|row| &rows[*row]);
            let with_ids = rows
                .iter()
                .filter(|row| id_of(row).is_some_and(|id| ids.contains(id)));
            let theirs: Vec<&HrRow> = named.chain(with_ids).collect();
            let emails = theirs.iter().flat_map(|row| row.emails().cloned());
            let names = theirs.iter().filter_map(|row| row.name.as_deref());
            let themselves = PersonKeys {
                ids: &Vec::from_iter(ids),
                emails: &Vec::from_iter(emails),
                shared_emails: &[],
                names: &Vec::from_iter(names),
            };
            if manual.may_join(*line, &themselves, approved_by, uses) {
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

    /// Unites rows that share one of their addresses.
    fn unite_by_address(&mut self, members: &[usize]) {
        let mut by_address: Map<&str, usize> = Map::default();
        for row in members {
            for email in self.rows[*row].emails() {
                let first = *by_address.entry(email.key()).or_insert(*row);
                self.sets.unite(first, *row);
            }
        }
    }

    /// Unites two people with one id whose names may agree.
    fn by_id(&mut self, with_one_id: &[Vec<usize>]) {
        self.collect_rows();
        for members in with_one_id {
            let (people, whole) = self.people(members);
            let is_nameless = whole.iter().all(|rows| self.named(rows).is_empty());
            let may_be_one = match &whole[..] {
                [one, other] => matches!(self.closest(one, other), None | Some(Likeness::Agree)),
                _ => false,
            };
            if is_nameless || may_be_one {
                for rows in &people {
                    self.sets.unite(people[0][0], rows[0]);
                }
            }
        }
    }

    /// Compares people who still share one id. Some may be one person; the others share the id by mistake.
    fn compare_by_id(&mut self, with_one_id: &[Vec<usize>]) {
        self.collect_rows();
        for members in with_one_id {
            let (people, whole) = self.people(members);
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

    /// Compares people with one work address. All pairs are decided before any pair is united, so that the order of
    /// the addresses does not matter.
    fn by_email(&mut self, with_one_email: &[Vec<usize>]) {
        for members in with_one_email {
            // Without an id and a name, only the address identifies a row.
            let mut vague = self.sets.parts(members);
            vague.retain(|rows| self.is_vague(rows));
            for rows in &vague {
                self.sets.unite(vague[0][0], rows[0]);
            }
        }
        let mut united = Vec::new();
        let mut holders = Vec::new();
        self.collect_rows();
        for members in with_one_email {
            let (parts, whole) = self.people(members);
            if parts.len() > 2 {
                self.shared_emails.extend(members);
            }
            let [one, other] = &whole[..] else {
                continue;
            };
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

    /// If two people had an address one after the other and both have left, the later one keeps it.
    fn find_passed_on(&mut self, holders: Vec<Vec<Vec<usize>>>) {
        self.collect_rows();
        for parts in holders {
            let [one, other] = [0, 1].map(|part| self.person(&parts[part]));
            let are_two = self.closest(&one, &other) == Some(Likeness::Unlike);
            if !are_two || self.is_employed(&one) || self.is_employed(&other) {
                continue;
            }
            match (self.last_of(&one), self.last_of(&other)) {
                (Some(first), Some(second)) if first < second => self.passed_on.extend(&parts[0]),
                (Some(first), Some(second)) if first > second => self.passed_on.extend(&parts[1]),
                // The last holder is unknown, so both keep it.
                _ => {}
            }
        }
    }

    fn rows(&self, rows: &[usize]) -> impl Iterator<Item = &'a HrRow> {
        let all = self.rows;
        rows.iter().map(move |row| &all[*row])
    }

    fn is_vague(&mut self, rows: &[usize]) -> bool {
        let has_id = self.rows(rows).any(|row| row.person_id.is_some());
        !has_id && self.named(rows).is_empty()
    }

    /// Whether both people have an id.
    fn have_ids(&self, one: &[usize], other: &[usize]) -> bool {
        let has_id = |rows| self.rows(rows).any(|row| row.person_id.is_some());
        has_id(one) && has_id(other)
    }

    /// Whether rows show a person who is or will be employed. Garden leave does not count.
    fn is_employed(&self, rows: &[usize]) -> bool {
        self.rows(rows).any(|row| {
            let is_to_come = |date: &HrDate| date.at > self.as_of;
            let (last_day, end) = (ends::last_day(row), row.end.as_ref());
            let mut dates = last_day.into_iter().chain(end);
            match row.status {
                Employment::Active => {
                    let is_over = last_day.is_some_and(|day| !is_to_come(day));
                    let is_garden_leave = is_over && end.is_some_and(is_to_come);
                    ends::is_new_tenure(row) || !is_garden_leave
                }
                Employment::OnLeave => true,
                Employment::Ended if last_day.or(end).is_none() => false,
                Employment::Ended | Employment::Unclassified(_) | Employment::Blank => {
                    dates.all(is_to_come)
                }
            }
        })
    }

    /// The known time of employment, from the first start to the last end. It needs a start in every row.
    fn span(&self, rows: &[usize]) -> Option<(Timestamp, Timestamp)> {
        let starts = self.rows(rows).map(|row| Some(row.start.as_ref()?.at));
        let start = starts
            .collect::<Option<Vec<Timestamp>>>()?
            .into_iter()
            .min()?;
        match self.is_employed(rows) {
            true => Some((start, Timestamp::MAX)),
            false => Some((start, self.last_end(rows)?)),
        }
    }

    fn last_end(&self, rows: &[usize]) -> Option<Timestamp> {
        let ends = self.rows(rows).filter_map(ends::end_of_work);
        ends.map(|end| end.at).max()
    }

    /// Whether two people are known to be employed at the same time: both are now, or their dates overlap.
    fn overlap(&self, one: &[usize], other: &[usize]) -> bool {
        let by_dates = match (self.span(one), self.span(other)) {
            // An end is the midnight at the end of its day.
            (Some(one), Some(other)) => other.0 < one.1 && one.0 < other.1,
            _ => false,
        };
        by_dates || self.is_employed(one) && self.is_employed(other)
    }

    /// Whether a tenure begins when another one ends: at most [`TRANSFER`] before the end, and no later than the day
    /// after.
    fn is_transfer(&self, ended: &[usize], begun: &[usize]) -> bool {
        // The earliest start counts, because a long-standing colleague may also have a new tenure.
        let starts = self.rows(begun).filter_map(ends::running_start);
        match (self.last_end(ended), starts.map(|start| start.at).min()) {
            (Some(end), Some(start)) => start <= end && end.duration_since(start) <= TRANSFER,
            _ => false,
        }
    }

    /// The latest date of a person, to find the later holder of an address.
    fn last_of(&self, rows: &[usize]) -> Option<Timestamp> {
        let dates = self
            .rows(rows)
            .flat_map(|row| [&row.start, &row.end, &row.last_day]);
        dates.flatten().map(|date| date.at).max()
    }

    fn finish(mut self) -> (Vec<Group<'a>>, usize) {
        let rows = self.rows;
        let parts = self.sets.parts(&Vec::from_iter(0..rows.len()));
        let mut groups: Vec<Group<'a>> = Vec::with_capacity(parts.len());
        let mut place = vec![0; rows.len()];
        for part in parts {
            for row in &part {
                place[*row] = groups.len();
            }
            groups.push(Group {
                number: groups.len(),
                rows: part.iter().map(|row| &rows[*row]).collect(),
                ..Group::default()
            });
        }
        let email = |row: usize| rows[row].email.clone();
        for row in self.shared_emails {
            groups[place[row]].shared_emails.extend(email(row));
        }
        for row in self.passed_on {
            groups[place[row]].passed_on.extend(email(row));
        }
        for row in &self.shared_ids {
            let ids = &mut groups[place[*row]].shared_ids;
            ids.extend(rows[*row].person_id.as_deref());
        }
        for (one, other, by_id) in self.related {
            let (one, other) = (place[one], place[other]);
            if one != other {
                groups[one].related.push(Relation { other, by_id });
                groups[other].related.push(Relation { other: one, by_id });
            }
        }
        for group in &mut groups {
            sort_distinct(&mut group.related);
            sort_distinct(&mut group.shared_ids);
            sort_distinct(&mut group.shared_emails);
            sort_distinct(&mut group.passed_on);
        }
        (groups, self.shared_ids.len())
    }
}

/// Sorts values and removes duplicates.
pub(super) fn sort_distinct<T: Ord>(values: &mut Vec<T>) {
    values.sort_unstable();
    values.dedup();
}
