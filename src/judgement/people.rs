//! People from HR rows, with their standing, and people who are followed without a row.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::earlier::EarlierPerson;
use super::ends::{self, EndDecision, Rules, as_last_reported};
use super::identity::{self, Group, Relation, sort_distinct};
use super::lookup::{Map, Set};
use super::manual::PersonKeys;
use super::remedies::{Doubt, Key, Remedy};
use super::uses::Uses;
use super::{Basis, FeedScope, Inputs, Leaver, Outcome, PersonLinks, Standing, Tenure, earlier};
use crate::model::{EmailAddress, Employment, HrDate, HrRow};

/// A person by the HR rows, at the instant of the run.
#[derive(Debug)]
pub(super) struct Person<'a> {
    /// The id of the tenure that decides the standing.
    pub(super) person_id: Option<&'a str>,
    /// Ids of all tenures, the deciding tenure's first.
    pub(super) ids: Vec<&'a str>,
    /// Names as written, the deciding tenure's first.
    pub(super) names: Vec<&'a str>,
    /// Every address that identifies the person, work addresses first.
    pub(super) emails: Vec<EmailAddress>,
    /// Work addresses that several people share.
    pub(super) shared_emails: Vec<EmailAddress>,
    /// Work addresses that were reassigned to another person.
    pub(super) passed_on: Vec<EmailAddress>,
    /// Ids that another person has, too.
    pub(super) shared_ids: Vec<&'a str>,
    /// Today's rows.
    pub(super) rows: Vec<&'a HrRow>,
    /// The row that decides.
    pub(super) row: Option<&'a HrRow>,
    /// Other people who may be the same person, by their position among the people.
    pub(super) related: Vec<Relation>,
    /// The meaning of all rows together.
    pub(super) standing: Standing,
    /// Whether a tenure has begun.
    pub(super) has_begun: bool,
    /// When work ended or ends.
    pub(super) end_of_work: Option<Timestamp>,
    /// Why the standing is doubtful.
    pub(super) doubt: Option<Box<Doubt>>,
    /// Unread columns of the feed that cause the doubt.
    pub(super) unread_columns: BTreeSet<usize>,
    /// Notes for a reader.
    pub(super) notes: Vec<String>,
    /// Whether today's feed names the person.
    pub(super) in_feed: bool,
    /// The leaver in the previous run, or several whom HR now shows to be one
    /// person. The one with today's id comes first.
    pub(super) previous: Vec<&'a Arc<Leaver>>,
    /// The accounts that were tied to them while they worked here.
    pub(super) links: Vec<&'a PersonLinks>,
}

impl<'a> Person<'a> {
    /// Whether the run has to report an outcome for them.
    pub(super) fn is_leaver(&self) -> bool {
        self.standing != Standing::Working
    }

    /// Whether HR reports that they have left or will leave, or reports nothing clear.
    pub(super) fn is_named_as_leaver(&self) -> bool {
        self.standing == Standing::Rehired || self.is_named_as_gone()
    }

    /// Whether work has ended, or may have.
    pub(super) fn is_named_as_gone(&self) -> bool {
        ends::is_named_as_gone(self.standing)
    }

    /// Whether they are employed at the instant of the run, by HR's rows.
    pub(super) fn is_employed(&self) -> bool {
        self.has_begun && self.is_or_will_be_employed()
    }

    /// Whether they are employed now or will be.
    pub(super) fn is_or_will_be_employed(&self) -> bool {
        match self.standing {
            Standing::Working | Standing::Rehired | Standing::Rescinded | Standing::Upcoming => {
                true
            }
            Standing::Ended | Standing::Doubtful => false,
        }
    }

    /// Whether an earlier complete run saw them employed without an address, and no address is known since.
    pub(super) fn worked_without_address(&self) -> bool {
        let had_none = |leaver: &&Arc<Leaver>| {
            leaver.outcome == Outcome::NoAccessFound && leaver.emails.is_empty()
        };
        self.links.iter().any(|links| links.without_address) || self.previous.iter().any(had_none)
    }

    /// Ids of the tenures that do not decide.
    pub(super) fn other_ids(&self) -> &[&'a str] {
        &self.ids[usize::from(self.person_id.is_some())..]
    }

    /// Every tenure that HR reports today or reported earlier.
    pub(super) fn tenures(&self) -> Vec<Tenure> {
        let today = self.rows.iter().map(|row| Tenure::of(row));
        let before = self.previous.iter();
        let before = before.flat_map(|leaver| leaver.tenures.iter().cloned());
        let mut tenures: Vec<Tenure> = today.chain(before).collect();
        sort_distinct(&mut tenures);
        tenures.shrink_to_fit();
        tenures
    }

    /// All ids, addresses and names.
    pub(super) fn keys(&self) -> PersonKeys<'_> {
        PersonKeys {
            ids: &self.ids,
            emails: &self.emails,
            shared_emails: &self.shared_emails,
            names: &self.names,
        }
    }
}

impl<'k> From<&'k Person<'_>> for Key<'k> {
    fn from(person: &'k Person<'_>) -> Self {
        Key::of(person.person_id, &person.emails)
    }
}

/// Rejected rows, by the ids and addresses in them.
#[derive(Default)]
pub(super) struct Rejected<'a> {
    by_id: Map<&'a str, u64>,
    by_email: Map<EmailAddress, u64>,
}

impl<'a> Rejected<'a> {
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let mut rejected = Self::default();
        for row in &inputs.hr.rejected {
            if let Some(id) = &row.person_id {
                rejected.by_id.entry(id).or_insert(row.line);
            }
            if let Some(email) = row.email.as_deref().and_then(EmailAddress::parse) {
                rejected.by_email.entry(email).or_insert(row.line);
            }
        }
        rejected
    }

    /// The first line about a person with one of these ids or addresses.
    pub(super) fn line_of<'i>(
        &self,
        mut ids: impl Iterator<Item = &'i String>,
        emails: &[EmailAddress],
    ) -> Option<u64> {
        let by_id = ids.find_map(|id| self.by_id.get(id.as_str()));
        let by_email = || emails.iter().find_map(|email| self.by_email.get(email));
        by_id.or_else(by_email).copied()
    }

    pub(super) fn names(&self, links: &PersonLinks) -> bool {
        let line = self.line_of(links.person_ids.iter(), &links.emails);
        line.is_some()
    }
}

/// The people of a run.
pub(super) struct People<'a> {
    /// All people in the feed, and all leavers of earlier runs who are still followed.
    pub(super) all: Vec<Person<'a>>,
    /// Offboardings of earlier runs that are no longer followed.
    pub(super) closed: Vec<&'a Arc<Leaver>>,
    /// The number of rows whose id does not identify a person.
    pub(super) rows_with_shared_id: usize,
}

pub(super) fn people<'a>(
    basis: &Basis<'a>,
    rejected: &Rejected<'_>,
    uses: &mut Uses,
) -> People<'a> {
    let inputs = basis.inputs;
    let previous = inputs.past.previous.iter();
    let leavers = previous.clone().flat_map(|previous| &previous.leavers);
    let (superseded, leavers): (Vec<&Arc<Leaver>>, Vec<&Arc<Leaver>>) =
        leavers.partition(|leaver| leaver.superseded);
    let links: Vec<&PersonLinks> = previous.flat_map(|previous| &previous.links).collect();
    let rows = &inputs.hr.rows;
    let (mut groups, rows_with_shared_id) =
        identity::of_rows(rows, &basis.manual, inputs.as_of, uses);
    sort(&mut groups);
    let (by_leaver, vanished) = earlier::ties(&groups, &leavers, EarlierPerson::of_leaver);
    // The alias that made two people one may be deleted. Then each has their own record, and no new one.
    let (by_superseded, mut closed) = earlier::ties(&groups, &superseded, EarlierPerson::of_leaver);
    let (by_links, absent) = earlier::ties(&groups, &links, EarlierPerson::of_links);
    let ids_today: Set<&str> = rows
        .iter()
        .flat_map(|row| row.person_id.as_deref())
        .collect();
    let rules = Rules::of(inputs);
    let mut people: Vec<(Option<usize>, Person<'_>)> = Vec::with_capacity(groups.len());
    let ties = by_leaver.into_iter().zip(by_superseded).zip(by_links);
    for (group, ((mut previous, superseded), links)) in groups.into_iter().zip(ties) {
        let number = group.number;
        match previous.is_empty() {
            true => previous = superseded,
            false => closed.extend(superseded),
        }
        let person = person(group, previous, links, &ids_today, rules);
        people.push((Some(number), person));
    }
    // A vanished person whose work had not ended is also followed as a leaver.
    let (mut ids, mut emails): (Set<&str>, Set<&str>) = Default::default();
    for leaver in vanished {
        let Some(person) = followed(leaver, basis, rejected) else {
            closed.push(leaver);
            continue;
        };
        ids.extend(&person.ids);
        emails.extend(leaver.emails.iter().map(EmailAddress::key));
        people.push((None, person));
    }
    let is_followed = |links: &PersonLinks| {
        let mut addresses = links.emails.iter();
        match links.person_ids.is_empty() {
            true => addresses.any(|email| emails.contains(email.key())),
            false => links.person_ids.iter().any(|id| ids.contains(id.as_str())),
        }
    };
    // A roster names all employed people. A missing person may have left, but HR has not reported it.
    if inputs.policy.hr_feed_scope == FeedScope::Roster && inputs.hr.unusable.is_none() {
        let mut missing = absent;
        missing.retain(|links| !rejected.names(links) && !is_followed(links));
        people.extend(missing.iter().map(|links| (None, missing_person(links))));
    }
    // Stable: people who differ in nothing else keep the order of their rows' contents. In the order of the file,
    // namesakes would exchange their offboardings from run to run.
    people.sort_by(|(_, a), (_, b)| {
        let by_keys = order(a).cmp(&order(b));
        by_keys.then_with(|| a.tenures().cmp(&b.tenures()))
    });
    // Relations name groups by their numbers.
    let places = people.iter().enumerate();
    let places: Map<usize, usize> = places
        .filter_map(|(place, (number, _))| Some(((*number)?, place)))
        .collect();
    for (_, person) in &mut people {
        for relation in &mut person.related {
            relation.other = places[&relation.other];
        }
        person.related.sort_unstable();
    }
    People {
        all: people.into_iter().map(|(_, person)| person).collect(),
        closed,
        rows_with_shared_id,
    }
}

fn order<'p>(of: &'p Person<'_>) -> impl Ord + use<'p> {
    (&of.person_id, &of.emails, &of.names, of.end_of_work)
}

/// Sorts groups, and the rows in each, by content, so that the order of the file does not matter.
fn sort(groups: &mut [Group<'_>]) {
    for group in groups.iter_mut().filter(|group| group.rows.len() > 1) {
        group.rows.sort_by_cached_key(|row| content(row));
    }
    // Most groups differ in id or address; only the others are compared in full.
    groups.sort_by(|a, b| {
        let (one, other) = (a.rows[0], b.rows[0]);
        let ids = one.person_id.cmp(&other.person_id);
        ids.then_with(|| one.email.cmp(&other.email)).then_with(|| {
            let (a, b) = (a.rows.iter(), b.rows.iter());
            a.map(|row| content(row)).cmp(b.map(|row| content(row)))
        })
    });
}

/// The sort key of a row: all its data that a judgement may show.
fn content(row: &HrRow) -> impl Ord + use<'_> {
    let at = |date: &'_ Option<HrDate>| date.as_ref().map(|date| (date.at, date.written.clone()));
    (
        row.person_id.as_deref(),
        at(&row.start),
        (at(&row.end), at(&row.last_day)),
        written(row.email.iter()),
        row.name.as_deref(),
        written(row.other_emails.iter()),
        &row.status,
        &row.notes,
    )
}

/// The sort key of addresses. Equal addresses may be written differently.
fn written<'a>(emails: impl Iterator<Item = &'a EmailAddress>) -> Vec<(&'a str, &'a str)> {
    let both = emails.map(|email| (email.key(), email.as_written()));
    both.collect()
}

/// One person from their rows and from the previous run.
fn person<'a>(
    group: Group<'a>,
    mut previous: Vec<&'a Arc<Leaver>>,
    links: Vec<&'a PersonLinks>,
    ids_today: &Set<&str>,
    rules: Rules<'_>,
) -> Person<'a> {
    let EndDecision {
        mut standing,
        end_of_work,
        row,
        ended_as,
        doubt,
        mut notes,
    } = ends::decide(&group.rows, &previous, rules);
    let Group {
        number: _,
        rows,
        shared_ids,
        shared_emails,
        passed_on,
        related,
    } = group;
    let mut today: Vec<&str> = rows
        .iter()
        .flat_map(|row| row.person_id.as_deref())
        .collect();
    sort_distinct(&mut today);
    if today.len() > 1 {
        notes.push(format!(
            "{} person ids share a work address and are treated as one person",
            today.len()
        ));
    }
    notes.extend(rows.iter().flat_map(|row| row.notes.iter().cloned()));
    notes = distinct(notes.into_iter());

    // A record of the previous run needs a conclusion.
    if standing == Standing::Working && !previous.is_empty() {
        standing = Standing::Rescinded;
    }
    // The deciding row first; then the others, as they are sorted.
    let mut ordered = vec![row];
    let others = rows.iter().copied();
    ordered.extend(others.filter(|other| !std::ptr::eq(*other, row)));
    let person_id = ended_as.or_else(|| ordered.iter().find_map(|row| row.person_id.as_deref()));
    previous.sort_by_key(|leaver| leaver.person_id.as_deref() != person_id);
    let work = ordered.iter().filter_map(|row| row.email.as_ref());
    let further = ordered.iter().flat_map(|row| &row.other_emails);
    let is_own = |email: &&EmailAddress| !shared_emails.contains(email);
    let mut emails = distinct(work.chain(further).filter(is_own).cloned());
    // HR may blank the cell when the mailbox is deleted, but the account keeps the address.
    if emails.is_empty() && shared_emails.is_empty() {
        let before = previous.iter().flat_map(|leaver| &leaver.emails);
        let before = before.chain(links.iter().flat_map(|links| &links.emails));
        emails = distinct(before.cloned());
        if !emails.is_empty() {
            notes
                .push("HR no longer gives an address, so the run uses the earlier ones".to_owned());
        }
    }
    // Ids of earlier tenures stay with the person, unless another person has them today.
    let before = previous.iter().flat_map(|leaver| leaver.ids());
    let before = before
        .map(String::as_str)
        .filter(|id| !ids_today.contains(id));
    let mut ids: Vec<&str> = person_id.into_iter().chain(today).chain(before).collect();
    // The id of the deciding tenure comes first.
    ids.sort_unstable_by_key(|id| (Some(*id) != person_id, *id));
    ids.dedup();
    ids.shrink_to_fit();
    Person {
        ids,
        person_id,
        names: distinct(ordered.iter().filter_map(|row| row.name.as_deref())),
        emails,
        shared_emails,
        passed_on,
        shared_ids,
        related,
        standing,
        has_begun: rows.iter().any(|row| ends::has_begun(row, rules.as_of)),
        end_of_work,
        doubt: doubt.map(Box::new),
        unread_columns: BTreeSet::new(),
        notes,
        in_feed: true,
        previous,
        links,
        rows,
        row: Some(row),
    }
}

/// A leaver of the previous run without a row in today's feed. The leaver is followed until access is proven gone, so
/// that a deleted row cannot hide a leaver.
fn followed<'a>(
    leaver: &'a Arc<Leaver>,
    basis: &Basis<'a>,
    rejected: &Rejected<'_>,
) -> Option<Person<'a>> {
    let inputs = basis.inputs;
    let feed_was_read = inputs.hr.unusable.is_none();
    let rejected = rejected.line_of(leaver.ids(), &leaver.emails);
    // HR withdrew the offboarding, or never reported one.
    let is_closed = matches!(leaver.standing, Standing::Rehired | Standing::Rescinded)
        || !leaver.in_feed && was_never_reported(leaver) && !owns_something(leaver, basis);
    if feed_was_read && rejected.is_none() && is_closed {
        return None;
    }
    let note = match rejected {
        _ if !feed_was_read => {
            "the HR feed could not be used; followed as last reported".to_owned()
        }
        Some(line) => format!("line {line} of the HR feed was rejected; followed as last reported"),
        None => "vanished from the HR feed; followed until access is proven gone".to_owned(),
    };
    let (standing, end_of_work) = as_last_reported(leaver, inputs.as_of);
    let text = "HR no longer names the person, and its last report was unclear";
    let ids = leaver.ids().map(String::as_str).collect();
    Some(Person {
        person_id: leaver.person_id.as_deref(),
        doubt: (standing == Standing::Doubtful)
            .then(|| Box::new(Doubt::new(text, Remedy::Exception))),
        end_of_work,
        notes: vec![note],
        in_feed: !feed_was_read && leaver.in_feed || rejected.is_some(),
        previous: vec![leaver],
        ..without_row(ids, leaver.name.as_ref(), &leaver.emails, standing)
    })
}

/// A person whom an earlier roster named as employed, and who is missing from today's.
fn missing_person(links: &PersonLinks) -> Person<'_> {
    let text = "an earlier roster named the person and today's does not: the person may have left";
    let ids: Vec<&str> = links.person_ids.iter().map(String::as_str).collect();
    Person {
        person_id: ids.first().copied(),
        doubt: Some(Box::new(Doubt::new(text, Remedy::Exception))),
        links: vec![links],
        ..without_row(ids, links.name.as_ref(), &links.emails, Standing::Doubtful)
    }
}

/// A person without a row in today's feed.
fn without_row<'a>(
    ids: Vec<&'a str>,
    name: Option<&'a String>,
    emails: &[EmailAddress],
    standing: Standing,
) -> Person<'a> {
    Person {
        person_id: None,
        ids,
        names: name.into_iter().map(String::as_str).collect(),
        emails: emails.to_vec(),
        shared_emails: Vec::new(),
        passed_on: Vec::new(),
        shared_ids: Vec::new(),
        rows: Vec::new(),
        row: None,
        related: Vec::new(),
        standing,
        has_begun: true,
        end_of_work: None,
        doubt: None,
        unread_columns: BTreeSet::new(),
        notes: Vec::new(),
        in_feed: false,
        previous: Vec::new(),
        links: Vec::new(),
    }
}

/// Whether HR never reported the person as a leaver, and no account is tied to them or suspected.
fn was_never_reported(leaver: &Leaver) -> bool {
    let is_ended = |tenure: &Tenure| {
        tenure.status == Employment::Ended || tenure.end.is_some() || tenure.last_day.is_some()
    };
    leaver.standing == Standing::Doubtful
        && leaver.result.is_none()
        && !leaver.tenures.iter().any(is_ended)
        && leaver.account_id.is_empty()
        && leaver.suspected_account_id.is_empty()
        && !leaver.more_suspected
        && !leaver.is_missing_from_roster()
}

/// Whether the person is still the owner of a service account that has or may have access.
fn owns_something(leaver: &Leaver, basis: &Basis<'_>) -> bool {
    let population = &basis.inputs.population;
    !basis
        .manual
        .services_of_leaver(leaver, population)
        .is_empty()
}

/// The values in order, each once.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    // Most people have one of each, and a vector begins with room for four.
    kept.shrink_to_fit();
    kept
}
