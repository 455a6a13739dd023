//! The record of an offboarding: the data that continues from run to run, and the data that a conclusion fixes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::ends::{self, later};
use super::lookup::Set;
use super::people::Person;
use super::remedies::Key;
use super::{
    Basis, FeedScope, GoneAccount, Inputs, Leaver, OffboardingResult, Outcome, Standing, WithinSla,
};
use crate::model::{Access, Account, Employment, HrDate};

/// How long the end of access is kept, for a leaver whom HR names late.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

/// An offboarding that was concluded longer ago is kept only as a short line.
const RECENT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The offboarding of earlier runs that today's standing continues, and the person's other offboardings. It is the
/// one with this end of work, else an open one, else the latest.
pub(super) fn bind<'a>(
    person: &Person<'a>,
    inputs: &Inputs,
) -> (Option<&'a Arc<Leaver>>, Vec<&'a Arc<Leaver>>) {
    let mut others = person.previous.clone();
    others.sort_by_key(|prior| {
        (
            prior.end_of_work != person.end_of_work,
            prior.result.is_some(),
            Reverse((prior.end_of_work, prior.first_seen_in_feed)),
        )
    });
    let is_same = others.first().is_some_and(|prior| match person.standing {
        Standing::Working | Standing::Rehired | Standing::Rescinded => true,
        Standing::Upcoming | Standing::Ended | Standing::Doubtful => {
            continues(prior, person, inputs)
        }
    });
    let prior = is_same.then(|| others.remove(0));
    (prior, others)
}

/// Whether a changed end of work corrects the one on record. It is another offboarding after a later start, or after
/// a run that saw the person employed. In a feed of leavers, it is also another one if the offboarding on record was
/// concluded and its row was absent.
fn continues(prior: &Leaver, person: &Person<'_>, inputs: &Inputs) -> bool {
    // Without a date, it is the same end only if the run before had the row, too.
    let is_known = person.end_of_work.is_some() || prior.hr_status == Some(Employment::Ended);
    if is_known && prior.end_of_work == person.end_of_work {
        return true;
    }
    let start = person.row.and_then(ends::running_start);
    let began_later = start
        .zip(prior.end_of_work)
        .is_some_and(|(start, end)| ends::begins_at(start, end));
    // An open offboarding is followed without a row, so the absence of the row changes nothing.
    let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
    let was_absent = !is_roster && !prior.in_feed && prior.result.is_some();
    let is_dated = person.end_of_work.is_some();
    !(prior.seen_employed || is_dated && (began_later || was_absent))
}

/// The record of an offboarding before the accounts are judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) offboarding_id: Arc<str>,
    pub(super) person_key: Arc<str>,
    pub(super) first_seen_in_feed: Timestamp,
    pub(super) end_of_work: Option<Timestamp>,
    pub(super) moved_from: Option<Timestamp>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) deadline_rule_run: Option<Arc<str>>,
    pub(super) grace_seconds: Option<i64>,
    pub(super) corrected_deadline: Option<Timestamp>,
    /// The deadline counted from the run in which HR first named the leaver, if that is later.
    pub(super) deadline_from_notice: Option<Timestamp>,
}

impl Terms {
    /// The terms on record, which a conclusion fixes.
    pub(super) fn of_record(prior: &Leaver) -> Self {
        Self {
            offboarding_id: prior.offboarding_id.clone(),
            person_key: prior.person_key.clone(),
            first_seen_in_feed: prior.first_seen_in_feed,
            end_of_work: prior.end_of_work,
            moved_from: prior.moved_from,
            deadline: prior.deadline,
            deadline_rule_run: prior.deadline_rule_run.clone(),
            grace_seconds: prior.grace_seconds,
            corrected_deadline: prior.corrected_deadline,
            deadline_from_notice: prior.deadline_from_notice,
        }
    }

    /// The terms by today's feed. `prior` is the open record.
    pub(super) fn of_today(person: &Person<'_>, prior: Option<&Leaver>, inputs: &Inputs) -> Self {
        let as_of = inputs.as_of;
        let mut terms = match prior {
            Some(prior) => Self::of_record(prior),
            None => Self::first(person, inputs),
        };
        let reported = person.end_of_work.or(terms.end_of_work);
        let is_moved = reported != terms.end_of_work;
        if is_moved {
            terms.moved_from = terms.moved_from.or(terms.end_of_work);
            terms.end_of_work = reported;
        }
        // Without a date, the deadline counts from the first run that named the leaver.
        let ended = match person.standing {
            Standing::Ended => Some(reported.unwrap_or(terms.first_seen_in_feed)),
            _ => reported,
        };
        let policy = inputs.policy.offboarding_grace_seconds;
        let grace = SignedDuration::from_secs(terms.grace_seconds.unwrap_or(policy));
        let by_grace = ended.map(|ended| later(ended, grace));
        let is_fixed = terms.deadline_rule_run.is_some();
        let has_passed = terms.deadline.is_some_and(|deadline| as_of > deadline);
        if !(is_fixed && has_passed) {
            terms.deadline = by_grace;
        } else if is_moved {
            terms.corrected_deadline = by_grace;
        }
        if !is_fixed && ended.is_some_and(|ended| ended <= as_of) {
            terms.deadline_rule_run = Some(inputs.run.clone());
            terms.grace_seconds = Some(policy);
        }
        let known_by = ended.map(|ended| ended.max(terms.first_seen_in_feed));
        terms.deadline_from_notice = known_by.map(|known_by| later(known_by, grace));
        terms
    }

    fn first(person: &Person<'_>, inputs: &Inputs) -> Self {
        let before = person.previous.first();
        let person_key = before.map_or_else(
            || {
                let name = person.names.first().copied();
                let key = Key::from(person).text().or(name);
                key.unwrap_or_default().into()
            },
            |prior| prior.person_key.clone(),
        );
        let connection = &inputs.population.connection.id;
        Self {
            offboarding_id: offboarding_id(connection, &person_key, person.end_of_work, 1),
            person_key,
            first_seen_in_feed: inputs.as_of,
            end_of_work: person.end_of_work,
            ..Self::default()
        }
    }

    /// The deadline for the verdict: the corrected one, else the deadline of record.
    pub(super) fn verdict_deadline(&self) -> Option<Timestamp> {
        self.corrected_deadline.or(self.deadline)
    }
}

/// The interval in which access ended, as far as a conclusion needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) last_with: Option<Timestamp>,
    pub(super) first_without: Option<Timestamp>,
}

impl Interval {
    pub(super) fn of(leaver: &Leaver) -> Self {
        Self {
            last_with: leaver.last_seen_with_access,
            first_without: leaver.first_seen_without_access,
        }
    }

    pub(super) fn within(self, deadline: Timestamp) -> WithinSla {
        if self.last_with.is_some_and(|last| last > deadline) {
            WithinSla::No
        } else if self.first_without.is_some_and(|first| first <= deadline) {
            WithinSla::Yes
        } else {
            WithinSla::Unknown
        }
    }
}

/// The result of a removal that a complete run has shown.
pub(super) fn result_of_removal(
    terms: &Terms,
    standing: Standing,
    seen: Interval,
) -> OffboardingResult {
    let Some(deadline) = terms.deadline.filter(|_| standing != Standing::Doubtful) else {
        return OffboardingResult::NotDemonstrated;
    };
    let corrected = terms.corrected_deadline;
    let latest = corrected.map_or(deadline, |of| of.max(deadline));
    match (seen.within(latest), corrected) {
        (WithinSla::No, _) => OffboardingResult::Late,
        (_, Some(_)) => OffboardingResult::DateCorrected,
        (WithinSla::Yes, None) => OffboardingResult::InTime,
        (WithinSla::Unknown, None) => OffboardingResult::NotDemonstrated,
    }
}

/// The result of an offboarding that a new tenure ends.
pub(super) fn result_of_rehire(
    deadline: Option<Timestamp>,
    last_with: Option<Timestamp>,
    began: Option<Timestamp>,
) -> OffboardingResult {
    let Some(deadline) = deadline else {
        return OffboardingResult::NotDemonstrated;
    };
    if last_with.is_some_and(|last| last > deadline) {
        OffboardingResult::Late
    } else if began.is_some_and(|began| began <= deadline) {
        OffboardingResult::RehiredBeforeDue
    } else {
        OffboardingResult::NotDemonstrated
    }
}

/// The start of the running tenure, else the run that first shows it.
pub(super) fn began(person: &Person<'_>, as_of: Timestamp) -> Timestamp {
    let starts = person.rows.iter().copied().filter_map(ends::running_start);
    let follows = |start: &&HrDate| {
        let end = person.end_of_work;
        end.is_none_or(|end| ends::begins_at(start, end))
    };
    let starts = starts.filter(follows).map(|start| start.at);
    starts.min().map_or(as_of, |start| start.min(as_of))
}

/// The record of an offboarding that another one of the same person supersedes.
pub(super) fn superseded(prior: &Leaver, person: &Person<'_>, inputs: &Inputs) -> Leaver {
    let mut leaver = prior.clone();
    leaver.superseded = true;
    leaver.in_feed = false;
    leaver.exception_expires = None;
    leaver.note = "a later offboarding of the person supersedes this one".to_owned();
    let start = person.row.and_then(ends::running_start);
    let follows = |start: &&HrDate| {
        let end = leaver.end_of_work;
        end.is_some_and(|end| ends::begins_at(start, end))
    };
    let began = start.filter(follows).map(|start| start.at);
    leaver.outcome = match (leaver.outcome, began) {
        (settled @ (Outcome::Removed | Outcome::NoAccessFound | Outcome::Rehired), _) => settled,
        (_, Some(_)) => Outcome::Rehired,
        // HR now shows one person with one offboarding.
        (_, None) => Outcome::Rescinded,
    };
    if leaver.result.is_none() {
        let deadline = leaver.verdict_deadline();
        let result = result_of_rehire(deadline, leaver.last_seen_with_access, began);
        conclude(&mut leaver, result, inputs);
    }
    leaver
}

/// Keeps the accounts of a conclusion on record after they are no longer tied to the person.
pub(super) fn keep_accounts(leaver: &mut Leaver, concluded: &Leaver) {
    let accounts = concluded.account_id.iter().zip(&concluded.account_email);
    for ((id, email), kind) in accounts.zip(&concluded.matched_by) {
        if !leaver.account_id.contains(id) {
            leaver.account_id.push(id.clone());
            leaver.account_email.push(email.clone());
            leaver.matched_by.push(*kind);
            leaver.account_role.push(None);
            leaver.account_status.push(None);
        }
    }
}

/// Gives new offboardings a distinct id if theirs is taken. Two people without an id may have the same name, and a
/// person may leave twice without a date.
pub(super) fn ensure_distinct<'l>(
    on_record: impl Iterator<Item = &'l Arc<Leaver>>,
    new: impl Iterator<Item = &'l mut Leaver>,
    connection: &str,
) {
    let mut taken: Set<Arc<str>> = on_record.map(|of| of.offboarding_id.clone()).collect();
    for leaver in new {
        let mut number = 1;
        while !taken.insert(leaver.offboarding_id.clone()) {
            number += 1;
            let end = leaver.end_of_work;
            leaver.offboarding_id = offboarding_id(connection, &leaver.person_key, end, number);
        }
    }
}

/// The first 12 hex digits of the digest of connection, person key and end of work, and of a number above 1.
fn offboarding_id(
    connection: &str,
    person_key: &str,
    end_of_work: Option<Timestamp>,
    number: usize,
) -> Arc<str> {
    let end = end_of_work.map(|end| end.to_string()).unwrap_or_default();
    let mut text = format!("{connection}\n{person_key}\n{end}");
    if number > 1 {
        text.push_str(&format!("\n{number}"));
    }
    const_hex::encode(&Sha256::digest(text)[..6]).into()
}

/// Fixes the result of an offboarding.
pub(super) fn conclude(leaver: &mut Leaver, result: OffboardingResult, inputs: &Inputs) {
    leaver.result = Some(result);
    leaver.concluded_run = Some(inputs.run.clone());
    leaver.concluded_at = Some(inputs.as_of);
}

/// The record of an offboarding that later runs do not follow, as this run repeats it.
pub(super) fn repeated(prior: &Leaver, inputs: &Inputs) -> Leaver {
    let mut leaver = prior.clone();
    leaver.in_feed = false;
    if leaver.result.is_none() {
        (leaver.standing, leaver.outcome) = (Standing::Rescinded, Outcome::Rescinded);
        conclude(&mut leaver, OffboardingResult::Withdrawn, inputs);
    }
    if !leaver.superseded {
        leaver.exception_expires = None;
        leaver.note = concluded_by(&leaver).unwrap_or_default();
    }
    leaver
}

/// The note of an offboarding that an earlier run concluded.
pub(super) fn concluded_by(concluded: &Leaver) -> Option<String> {
    let (run, result) = (concluded.concluded_run.as_ref()?, concluded.result?);
    Some(format!("concluded by run {run}: {result}"))
}

/// Whether an offboarding is a short line after the run that concluded it: it does not need attention, and it was
/// concluded long ago, or there was no account of a person who left long ago.
fn is_old(leaver: &Leaver, as_of: Timestamp) -> bool {
    let is_quiet = match leaver.outcome {
        Outcome::Removed | Outcome::NoAccessFound | Outcome::Rehired | Outcome::Rescinded => true,
        Outcome::Upcoming
        | Outcome::StillActive
        | Outcome::NotEvaluable
        | Outcome::WithinGrace
        | Outcome::Excepted => false,
    };
    let is_past = |at: Option<Timestamp>| at.is_some_and(|at| as_of.duration_since(at) > RECENT);
    // A suspicion needs an answer, even if it is old.
    let is_suspected = !leaver.suspected_account_id.is_empty() || leaver.more_suspected;
    let never_had_access =
        leaver.result == Some(OffboardingResult::NoAccount) && is_past(leaver.deadline);
    is_quiet && !is_suspected && (never_had_access || is_past(leaver.concluded_at))
}

/// Whether an offboarding is a short line in a run: not in the run that concludes it. Two runs may begin within one
/// second, so their names decide.
pub(super) fn is_short(leaver: &Leaver, inputs: &Inputs) -> bool {
    let concluded_run = leaver.concluded_run.as_ref();
    concluded_run.is_some_and(|run| *run != inputs.run) && is_old(leaver, inputs.as_of)
}

/// The record of a run for the runs after it: an offboarding that they write as a short line is one already. An older
/// company has ten times as many of these as accounts.
pub fn for_later_runs(leaver: Leaver, as_of: Timestamp) -> Leaver {
    match is_old(&leaver, as_of) {
        true => shortened(leaver),
        false => leaver,
    }
}

/// The short line of an offboarding that was concluded long ago.
pub(super) fn shortened(leaver: Leaver) -> Leaver {
    Leaver {
        note: String::new(),
        tenures: Vec::new(),
        account_role: Vec::new(),
        account_status: Vec::new(),
        hr_status: None,
        hr_end: None,
        hr_last_day: None,
        hr_line: None,
        exception_expires: None,
        ..leaver
    }
}

/// The accounts that lost access, with the interval in which access ended.
pub(super) fn gone(basis: &Basis<'_>, complete: bool) -> BTreeMap<String, GoneAccount> {
    let inputs = basis.inputs;
    let Some(baseline) = &inputs.past.baseline else {
        return BTreeMap::new();
    };
    if !complete {
        return baseline.gone.clone();
    }
    // Asana may leave a service account out of one list. It still has access.
    let unlisted: BTreeSet<&str> = inputs.population.unlisted().collect();
    let is_gone = |id: &str| match basis.listed.get(id) {
        Some(account) => account.access() == Access::None,
        None => !unlisted.contains(id),
    };
    // An unknown status does not count as a sighting of access.
    let had_access = |account: &&Account| account.access() == Access::Has;
    let lost = baseline.accounts.iter().filter(had_access).map(|account| {
        let gone = GoneAccount {
            last_seen_with_access: baseline.as_of,
            first_seen_without_access: inputs.as_of,
        };
        (account.id.clone(), gone)
    });
    let before = baseline.gone.iter().filter(|(_, gone)| {
        inputs.as_of.duration_since(gone.first_seen_without_access) <= REMEMBERED
    });
    let before = before.map(|(id, gone)| (id.clone(), *gone));
    before.chain(lost).filter(|(id, _)| is_gone(id)).collect()
}
