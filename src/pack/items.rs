//! The items: one offboarding each, followed from run to run, and the population of the period.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::deviations::{Deviation, Deviations};
use super::manual::UsedException;
use super::period::{Entries, Period, Phase};
use super::rules::DueItem;
use super::runs::Gaps;
use super::table::{cell, count, day, decimal, instant, joined, text};
use super::{
    Column, DeviationType, FindingClosed, Flag, ItemBar, ItemResult, ItemTotals, LaterEvent, Part,
    SampleReason, Table,
};
use crate::evidence::{AccountLine, RunFolder};
use crate::judgement::{Finding, FindingKind, Leaver, OffboardingResult, Outcome};
use crate::model::{Access, EmailAddress, Role};

/// A run, by its entry and its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunAt {
    pub(super) entry: u64,
    pub(super) at: Timestamp,
}

/// Access after a conclusion.
#[derive(Clone, Debug)]
struct AccessAgain {
    first: RunAt,
    last: Timestamp,
    ended: Option<(RunAt, AgainEnded)>,
    /// Whether an exception from before the deadline covered it in every run.
    is_accepted: bool,
    /// The first run in which an exception covered it that came into force after the deadline.
    excepted_late: Option<RunAt>,
    exception: Option<UsedException>,
}

/// The exception that covers a leaver in a run.
#[derive(Clone, Debug)]
struct Covering {
    /// None if no line names the leaver by a key that is known here.
    exception: Option<UsedException>,
    is_after_the_fact: bool,
}

/// How access after a conclusion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AgainEnded {
    /// This is the first complete run that no longer saw it.
    NotFound,
    /// The person works here again, so the access is no longer that of a leaver. Nothing shows that it ended.
    Event(LaterEvent),
}

impl AccessAgain {
    fn first_seen_without(&self) -> Option<RunAt> {
        let (run, how) = self.ended?;
        (how == AgainEnded::NotFound).then_some(run)
    }

    fn how_closed(&self) -> String {
        match self.ended {
            None => String::new(),
            Some((_, AgainEnded::NotFound)) => FindingClosed::NotFound.to_string(),
            Some((_, AgainEnded::Event(event))) => event.to_string(),
        }
    }
}

/// An item, after the newest run.
#[derive(Clone, Debug)]
struct Item {
    /// The record of the run that concluded it, else that of the newest run.
    record: Leaver,
    concluded_entry: Option<u64>,
    /// Role and state of each account at the end of work, else in the first run that saw its access.
    at_end: BTreeMap<String, (Option<Role>, String)>,
    /// Since when runs have seen access after the deadline without a valid exception.
    late_since: Option<(Timestamp, Option<u64>)>,
    /// Whether a run has seen access after the deadline under a valid exception.
    was_accepted: bool,
    exception: Option<UsedException>,
    later: Vec<(LaterEvent, u64)>,
    again: Vec<AccessAgain>,
    vanished: Option<RunAt>,
    moved_late: Option<RunAt>,
    expired_in_use: Option<RunAt>,
    excepted_late: Option<RunAt>,
    /// The first of the newest runs that all suspect accounts that may belong to the person.
    suspected: Option<RunAt>,
    /// When the person began to work here again.
    back_since: Option<Timestamp>,
    /// The newest run.
    in_feed: bool,
    outcome: Outcome,
}

/// All items that any run since the beginning of the period has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    by_id: BTreeMap<String, Item>,
    /// The newest judged run.
    last_run: Option<Timestamp>,
}

/// A run, for the items.
pub(super) struct ItemsOfRun<'a> {
    pub(super) run: RunAt,
    pub(super) complete: bool,
    pub(super) findings: &'a [Finding],
    /// The exceptions in use, with the lines as written.
    pub(super) exceptions: &'a [UsedException],
    pub(super) accounts: &'a [AccountLine],
    pub(super) entries: &'a Entries,
}

/// When a tenure of a person ended, and when the next one began.
pub(super) type Left = (Timestamp, Option<Timestamp>);

impl Items {
    /// Takes the offboardings of one run, those concluded long ago included.
    pub(super) fn take(&mut self, leavers: Vec<Leaver>, of: &ItemsOfRun<'_>) {
        self.last_run = self.last_run.max(Some(of.run.at));
        for leaver in leavers {
            match self.by_id.get_mut(&*leaver.offboarding_id) {
                Some(item) => item.take(leaver, of),
                None => {
                    let item = Item::new(leaver, of);
                    self.by_id
                        .insert(item.record.offboarding_id.to_string(), item);
                }
            }
        }
    }

    /// Every offboarding that HR did not withdraw, and whether it is in the period.
    pub(super) fn leavers(&self, period: &Period) -> impl Iterator<Item = (&Leaver, bool)> {
        let is_in_period = |item: &Item| item.part(period) == Some(Part::InPeriod);
        let items = self.by_id.values();
        items
            .filter(|item| item.record.result != Some(OffboardingResult::Withdrawn))
            .map(move |item| (&item.record, is_in_period(item)))
    }

    /// Addresses of leavers without plus-tags, each with its ended tenures.
    pub(super) fn left_by_email(&self) -> BTreeMap<String, Vec<Left>> {
        let mut left: BTreeMap<String, Vec<Left>> = BTreeMap::new();
        for item in self.by_id.values() {
            // A person whom HR still employs has not left. HR cannot move an end whose deadline has passed.
            if item.record.end_of_work.is_none() {
                continue;
            }
            let end = item.end_of_record();
            if item.record.result == Some(OffboardingResult::Withdrawn) {
                continue;
            }
            let emails = item.record.emails.iter();
            for email in emails.chain(item.record.account_email.iter().flatten()) {
                let tenures = left.entry(email.key_without_tag()).or_default();
                tenures.push((end, item.back_since));
            }
        }
        left
    }
}

/// The first day of the newest tenure, if HR writes it as an ISO day, else the run that saw it.
fn back_since(leaver: &Leaver, run: Timestamp) -> Timestamp {
    let starts = leaver.tenures.iter().filter_map(|of| of.start.as_deref());
    let newest = starts.filter_map(|start| start.parse::<Date>().ok()).max();
    let midnight = newest.and_then(|day| day.in_tz("UTC").ok());
    let start = midnight.map(|at| at.timestamp());
    let start = start.filter(|at| leaver.end_of_work.is_none_or(|end| *at >= end));
    start.map_or(run, |start| start.min(run))
}

/// The last instant up to which access is in time: HR may have moved the end of work after the deadline of record.
fn last_deadline(leaver: &Leaver) -> Option<Timestamp> {
    leaver.corrected_deadline.max(leaver.deadline)
}

/// The exception that covers the leaver in this run. A person with several accounts may have several lines: one that came
/// too late decides.
fn covering(leaver: &Leaver, of: &ItemsOfRun<'_>) -> Covering {
    let due_from_notice = last_deadline(leaver).max(leaver.deadline_from_notice);
    let is_late = |of: &&UsedException| of.is_after_the_fact(due_from_notice);
    let all = of.exceptions.iter();
    let is_covered = leaver.exception_expires.is_some();
    let lines = all.clone().filter(|_| is_covered);
    let mut lines = lines.filter(|line| line.is_for(leaver, of.accounts));
    let exception = lines.clone().find(is_late).or_else(|| lines.next());
    let is_after_the_fact = match &exception {
        Some(exception) => is_late(exception),
        // A line that came too late may be the one that covers the leaver.
        None => leaver.outcome == Outcome::Excepted && all.clone().any(|of| is_late(&of)),
    };
    Covering {
        exception: exception.cloned(),
        is_after_the_fact,
    }
}

impl Item {
    fn new(leaver: Leaver, of: &ItemsOfRun<'_>) -> Self {
        let concluded_run = leaver.concluded_run.as_deref();
        let concluded_entry = concluded_run.and_then(|run| of.entries.of_run(run));
        let mut record = leaver.clone();
        if concluded_entry == Some(of.run.entry) {
            (record.result, record.concluded_run) = (None, None);
        }
        let mut item = Self {
            concluded_entry,
            at_end: BTreeMap::new(),
            late_since: None,
            was_accepted: false,
            exception: None,
            later: Vec::new(),
            again: Vec::new(),
            vanished: None,
            moved_late: None,
            expired_in_use: None,
            excepted_late: None,
            suspected: None,
            back_since: None,
            in_feed: leaver.in_feed,
            outcome: leaver.outcome,
            record,
        };
        // A person who is missing from a roster is named by no row from the first run on.
        if !leaver.in_feed && leaver.result.is_none() && leaver.tenures.is_empty() {
            item.vanished = Some(of.run);
        }
        item.take(leaver, of);
        item
    }

    fn take(&mut self, leaver: Leaver, of: &ItemsOfRun<'_>) {
        let run = of.run;
        let was_concluded = self.record.result.is_some();
        let is_same_record = was_concluded && leaver.concluded_run == self.record.concluded_run;
        if is_same_record {
            self.note_later(&leaver, of);
        } else {
            if was_concluded {
                self.later.push((LaterEvent::Reopened, run.entry));
            }
            self.note_open(&leaver, of);
        }
        let is_suspected = !leaver.suspected_account_id.is_empty() || leaver.more_suspected;
        self.suspected = is_suspected.then(|| self.suspected.unwrap_or(run));
        if matches!(leaver.outcome, Outcome::Rehired | Outcome::Rescinded) {
            self.back_since
                .get_or_insert_with(|| back_since(&leaver, run.at));
        }
        self.in_feed = leaver.in_feed;
        self.outcome = leaver.outcome;
        if !is_same_record {
            let concluded_run = leaver.concluded_run.as_deref();
            self.concluded_entry = concluded_run.and_then(|run| of.entries.of_run(run));
            self.record = leaver;
        }
    }

    /// An item that was not concluded before this run.
    fn note_open(&mut self, leaver: &Leaver, of: &ItemsOfRun<'_>) {
        let run = of.run;
        if self.in_feed && !leaver.in_feed && leaver.result.is_none() {
            self.vanished.get_or_insert(run);
        }
        if leaver.corrected_deadline.is_some() {
            self.moved_late.get_or_insert(run);
        }
        let saw_access = leaver.last_seen_with_access == Some(run.at);
        // An administrator who is demoted after the end of work was one at the end. An unknown role replaces no known one.
        let is_before_end = leaver.end_of_work.is_none_or(|end| run.at <= end);
        let roles = leaver.account_role.iter().zip(&leaver.account_status);
        for (id, (role, status)) in leaver.account_id.iter().zip(roles) {
            let known = self.at_end.get(id);
            if !saw_access || known.is_some() && !is_before_end {
                continue;
            }
            let is_known = role
                .as_ref()
                .is_some_and(|of| !matches!(of, Role::Unknown(_)));
            let before = known.and_then(|(role, _)| role.clone());
            let role = role
                .clone()
                .filter(|_| is_known)
                .or(before)
                .or(role.clone());
            self.at_end
                .insert(id.clone(), (role, cell(status.as_ref())));
        }
        let due = last_deadline(leaver);
        let Covering {
            exception,
            is_after_the_fact,
        } = covering(leaver, of);
        self.exception = exception.or(self.exception.take());
        if is_after_the_fact {
            self.excepted_late.get_or_insert(run);
        }
        if self.outcome == Outcome::Excepted && leaver.outcome == Outcome::StillActive && saw_access
        {
            self.expired_in_use.get_or_insert(run);
        }
        if !saw_access || due.is_none_or(|due| run.at <= due) {
            return;
        }
        if leaver.outcome == Outcome::Excepted && !is_after_the_fact {
            self.was_accepted = true;
            return;
        }
        if self.late_since.is_none() {
            // A finding is as old as the first run of its series, which may be earlier than the first run read.
            let is_about = |finding: &&Finding| {
                finding.kind == FindingKind::OffboardedAccess
                    && finding.person_id == leaver.person_id
                    && finding
                        .account_id
                        .as_ref()
                        .is_some_and(|id| leaver.account_id.contains(id))
            };
            let known = of.findings.iter().filter(is_about);
            let first = known.map(|finding| finding.first_seen).min();
            let first = first.unwrap_or(run.at);
            self.late_since = Some((first, of.entries.at(first)));
        }
    }

    /// An item that an earlier run has concluded.
    fn note_later(&mut self, leaver: &Leaver, of: &ItemsOfRun<'_>) {
        let run = of.run;
        let is_new = self.outcome != leaver.outcome;
        let event = match leaver.outcome {
            Outcome::Rehired if is_new => Some(LaterEvent::Rehired),
            Outcome::Rescinded if is_new => Some(LaterEvent::Rescinded),
            _ => None,
        };
        let event = match leaver.superseded && !self.record.superseded {
            true => {
                self.record.superseded = true;
                Some(LaterEvent::Superseded)
            }
            false => event,
        };
        self.later.extend(event.map(|event| (event, run.entry)));
        if self.in_feed && !leaver.in_feed && !leaver.superseded {
            self.later.push((LaterEvent::Vanished, run.entry));
        }
        let is_open = self.again.last().is_some_and(|again| again.ended.is_none());
        // What a run saw counts, even if it could not judge it. Absence counts only in a complete run.
        let mut own = of.accounts.iter();
        let saw_access = leaver.outcome == Outcome::StillActive
            || own.any(|account| {
                leaver.account_id.contains(&account.account_id)
                    && account.status.access() == Access::Has
            });
        let covering = (leaver.outcome == Outcome::Excepted).then(|| covering(leaver, of));
        let covering = covering.filter(|_| saw_access);
        let (has_access, ended) = match leaver.outcome {
            Outcome::StillActive | Outcome::Excepted | Outcome::NotEvaluable => {
                (is_open || saw_access, None)
            }
            Outcome::Upcoming | Outcome::WithinGrace => (false, None),
            Outcome::Rehired => (false, Some(AgainEnded::Event(LaterEvent::Rehired))),
            Outcome::Rescinded => (false, Some(AgainEnded::Event(LaterEvent::Rescinded))),
            Outcome::Removed | Outcome::NoAccessFound => {
                (false, of.complete.then_some(AgainEnded::NotFound))
            }
        };
        match (has_access, is_open) {
            (true, true) => {
                if let Some(again) = self.again.last_mut().filter(|_| saw_access) {
                    again.last = run.at;
                }
            }
            (true, false) => {
                let first = of.findings.iter().filter(|finding| {
                    finding.kind == FindingKind::AccessAfterConclusion
                        && finding.person_id == leaver.person_id
                });
                let first = first.map(|finding| finding.first_seen).min();
                let first = first.filter(|_| self.again.is_empty()).unwrap_or(run.at);
                let entry = of.entries.at(first).unwrap_or(run.entry);
                self.again.push(AccessAgain {
                    first: RunAt { entry, at: first },
                    last: run.at,
                    ended: None,
                    is_accepted: true,
                    excepted_late: None,
                    exception: None,
                });
                self.later.push((LaterEvent::AccessAgain, entry));
            }
            (false, true) => {
                if let Some(again) = self.again.last_mut() {
                    again.ended = ended.map(|how| (run, how));
                }
            }
            (false, false) => {}
        }
        let counts = has_access && saw_access;
        let Some(again) = self.again.last_mut().filter(|_| counts) else {
            return;
        };
        let is_late = covering.as_ref().is_none_or(|of| of.is_after_the_fact);
        again.is_accepted &= !is_late;
        if let Some(covering) = covering {
            if is_late {
                again.excepted_late.get_or_insert(run);
            }
            again.exception = covering.exception.or(again.exception.take());
        }
    }

    /// The result at the end of the evidence.
    fn result(&self, last_run: Option<Timestamp>) -> ItemResult {
        let is_accepted = self.was_accepted && self.late_since.is_none();
        match self.record.result {
            Some(OffboardingResult::Late) if is_accepted => ItemResult::RiskAccepted,
            Some(result) => result.into(),
            None if self.late_since.is_some() => ItemResult::Late,
            None if is_accepted => ItemResult::RiskAccepted,
            None => {
                let due = last_deadline(&self.record);
                let is_due = due.zip(last_run).is_some_and(|(due, last)| due <= last);
                // Accepted without being judged. Too late, it changes nothing.
                let accepted = match self.excepted_late {
                    Some(_) => ItemResult::NotEvaluable,
                    None => ItemResult::RiskAccepted,
                };
                match self.record.outcome {
                    // Without a date, it cannot become due.
                    Outcome::NotEvaluable if due.is_none() => ItemResult::NotEvaluable,
                    Outcome::Excepted if due.is_none() => accepted,
                    _ if !is_due => ItemResult::NotDue,
                    Outcome::NotEvaluable => ItemResult::NotEvaluable,
                    Outcome::Excepted => accepted,
                    Outcome::Rehired
                    | Outcome::Rescinded
                    | Outcome::Upcoming
                    | Outcome::StillActive
                    | Outcome::WithinGrace
                    | Outcome::Removed
                    | Outcome::NoAccessFound => ItemResult::Open,
                }
            }
        }
    }

    /// The end of work that decides the period of the item: that of the deadline of record, which HR cannot move once it has
    /// passed. Without a date, the first run that named the leaver counts.
    fn end_of_record(&self) -> Timestamp {
        let record = &self.record;
        let grace = record.grace_seconds.map(SignedDuration::from_secs);
        let of_deadline = record
            .deadline
            .zip(grace)
            .and_then(|(deadline, grace)| deadline.checked_sub(grace).ok());
        let end = of_deadline.or(record.end_of_work);
        end.unwrap_or(record.first_seen_in_feed)
    }

    /// The part of the population that the item belongs to. None if it belongs to another period.
    fn part(&self, period: &Period) -> Option<Part> {
        let (record, end) = (&self.record, self.end_of_record());
        let was_open = record.concluded_at.is_none_or(|at| at >= period.from);
        if period.contains_end(end) {
            Some(Part::InPeriod)
        } else if end <= period.from && was_open {
            Some(Part::CarriedIn)
        } else {
            None
        }
    }

    /// Whether HR withdrew the end of work after the deadline of record had passed.
    fn was_withdrawn_late(&self) -> bool {
        let record = &self.record;
        record.result == Some(OffboardingResult::Withdrawn)
            && record
                .deadline
                .zip(record.concluded_at)
                .is_some_and(|(due, at)| at > due)
    }

    /// Whether a run with a fault, or one that the ledger lacks, fixed the deadline, the interval or the result.
    fn rests_on_fault(&self, entries: &Entries) -> bool {
        let record = &self.record;
        let runs = [&record.deadline_rule_run, &record.concluded_run];
        let instants = [
            record.last_seen_with_access,
            record.first_seen_without_access,
        ];
        let by_run = runs.into_iter().flatten().map(|run| entries.of_run(run));
        let by_instant = instants.into_iter().flatten().map(|at| entries.at(at));
        let mut entry = by_run.chain(by_instant);
        entry.any(|entry| entry.is_none_or(|entry| entries.is_faulty(entry)))
    }

    fn flags(&self, gaps: &Gaps, entries: &Entries) -> Vec<Flag> {
        let record = &self.record;
        let end = record.end_of_work;
        let flags = [
            (
                Flag::GapOverDeadline,
                record.deadline.is_some_and(|due| gaps.place(due).is_some()),
            ),
            (
                Flag::LateNotice,
                end.is_some_and(|end| record.first_seen_in_feed > end),
            ),
            (Flag::EndMoved, record.moved_from.is_some()),
            (
                Flag::EndMovedAfterTheFact,
                self.moved_late.is_some() || self.was_withdrawn_late(),
            ),
            (
                Flag::Vanished,
                self.vanished.is_some()
                    || self.later.iter().any(|(of, _)| *of == LaterEvent::Vanished),
            ),
            (Flag::ExceptionAfterTheFact, self.excepted_late.is_some()),
            (Flag::Suspected, self.suspected.is_some()),
            (Flag::NoDate, end.is_none()),
            (Flag::RestsOnFault, self.rests_on_fault(entries)),
        ];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
        flags.map(|(flag, _)| flag).collect()
    }

    /// Role and state of each account, in the order of the record.
    fn at_end(&self) -> Vec<(Option<Role>, String)> {
        let record = &self.record;
        let newest = record.account_role.iter().zip(&record.account_status);
        let accounts = record.account_id.iter().zip(newest);
        accounts
            .map(|(id, (role, status))| match self.at_end.get(id) {
                Some(at_end) => at_end.clone(),
                None => (role.clone(), cell(status.as_ref())),
            })
            .collect()
    }

    fn is_admin(&self) -> bool {
        let mut roles = self.at_end().into_iter();
        roles.any(|(role, _)| role == Some(Role::Admin))
    }
}

/// An item of the population.
#[derive(Clone, Debug)]
pub(super) struct PopulationItem {
    pub(super) bar: ItemBar,
    pub(super) leaver: Leaver,
    pub(super) exception: Option<UsedException>,
    /// Why the sample contains the item in any case.
    pub(super) always: Option<SampleReason>,
}

/// The population: its table, and what the rest of the pack takes from it.
#[derive(Clone, Debug)]
pub(super) struct Population {
    pub(super) table: Table,
    pub(super) items: Vec<PopulationItem>,
    pub(super) totals: ItemTotals,
}

const COLUMNS: &[Column] = &[
    text("item_id"),
    text("person_id"),
    text("name"),
    text("emails"),
    text("hr_status"),
    day("hr_end"),
    day("hr_last_day"),
    text("zone"),
    instant("end_of_work"),
    text("end_of_work_local"),
    instant("moved_from"),
    instant("first_seen_in_feed"),
    decimal("notice_days"),
    instant("deadline"),
    decimal("grace_hours"),
    count("rule_entry"),
    text("account_id"),
    text("account_email"),
    text("role_at_end"),
    text("status_at_end"),
    text("match"),
    instant("last_seen_with_access"),
    count("last_seen_entry"),
    instant("first_seen_without_access"),
    count("first_seen_entry"),
    decimal("late_hours_min"),
    decimal("late_hours_max"),
    text("result"),
    count("concluded_entry"),
    text("later_events"),
    text("exception"),
    text("flags"),
    text("part"),
];

/// A duration in units of this many seconds, with two decimals.
fn in_units(seconds: i64, unit: i64) -> String {
    let hundredths = (i128::from(seconds) * 100).div_euclid(i128::from(unit));
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.abs();
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

pub(super) fn hours(seconds: i64) -> String {
    in_units(seconds, 3600)
}

pub(super) fn days(from: Timestamp, to: Timestamp) -> String {
    in_units(to.as_second() - from.as_second(), 24 * 3600)
}

/// Blank without an exception.
fn exception_id(exception: Option<&UsedException>) -> String {
    cell(exception.map(|of| of.exception_id.as_str()))
}

/// Hours from a deadline to a later instant. Blank if the instant is not later.
fn late_hours(deadline: Option<Timestamp>, at: Option<Timestamp>) -> String {
    let late = deadline
        .zip(at)
        .map(|(deadline, at)| at.as_second() - deadline.as_second());
    cell(late.filter(|late| *late > 0).map(hours))
}

impl Items {
    /// The items of the period that have a deadline.
    pub(super) fn due(&self, period: &Period) -> Vec<DueItem<'_>> {
        let items = self.by_id.values();
        let items = items.filter(|item| item.part(period).is_some());
        let due = items.filter_map(|item| {
            let record = &item.record;
            let is_in_time = item.result(self.last_run) == ItemResult::InTime;
            let rule_run = record.deadline_rule_run.as_deref();
            Some(DueItem {
                item_id: &record.offboarding_id,
                deadline: record.deadline?,
                rule_run: rule_run.and_then(|run| RunFolder::parse(run)?.instant()),
                in_time_at: record.first_seen_without_access.filter(|_| is_in_time),
            })
        });
        due.collect()
    }

    /// The population of the period, and the deviations of its items.
    pub(super) fn population(
        &self,
        period: &Period,
        entries: &Entries,
        gaps: &Gaps,
        deviations: &mut Deviations,
    ) -> Population {
        let by_loosened_grace = deviations.items_of(DeviationType::RuleLoosened);
        let mut population = Population {
            table: Table::new("population", "Population of leavers", COLUMNS),
            items: Vec::new(),
            totals: ItemTotals::default(),
        };
        for result in ItemResult::ALL {
            population.totals.by_result.insert(*result, 0);
        }
        for part in Part::ALL {
            population.totals.by_part.insert(*part, 0);
        }
        let mut rows: Vec<(Timestamp, Vec<String>, PopulationItem)> = Vec::new();
        for item in self.by_id.values() {
            if let Some(part) = item.part(period) {
                let is_by_grace = by_loosened_grace.contains(&*item.record.offboarding_id);
                let row = item.row(period, entries, gaps, self.last_run, part, is_by_grace);
                item.deviate(&row.1.bar, entries, deviations);
                rows.push((item.end_of_record(), row.0, row.1));
            }
            for (number, again) in item.again.iter().enumerate() {
                let was_open = again.ended.is_none_or(|(run, _)| run.at >= period.from);
                let part = match period.phase(again.first.at) {
                    Phase::Within => Part::InPeriod,
                    Phase::Before if was_open => Part::CarriedIn,
                    Phase::Before | Phase::After => continue,
                };
                let row = item.row_of_again(period, entries, part, number, again);
                let mut add = |kind, opened: RunAt, what: &str| {
                    deviations.push(Deviation {
                        item_ids: vec![row.1.bar.item_id.clone()],
                        account_id: joined(&item.record.account_id),
                        opened: Some((opened.at, Some(opened.entry))),
                        closed: again.ended.map(|(of, _)| (of.at, Some(of.entry))),
                        how_closed: again.how_closed(),
                        what: what.to_owned(),
                        exception: exception_id(again.exception.as_ref()),
                        ..Deviation::of(kind, &row.1.bar.item_id)
                    });
                };
                let what = "an account has access again after the item was concluded";
                if !again.is_accepted {
                    add(DeviationType::AccessAfterConclusion, again.first, what);
                }
                if let Some(run) = again.excepted_late {
                    let what = "an exception came into force after the deadline";
                    add(DeviationType::ExceptionAfterTheFact, run, what);
                }
                rows.push((again.first.at, row.0, row.1));
            }
        }
        rows.sort_by(|a, b| (a.0, &a.2.bar.item_id).cmp(&(b.0, &b.2.bar.item_id)));
        let deviating: BTreeSet<&str> = deviations.items();
        for (_, row, mut item) in rows {
            item.always = match deviating.contains(item.bar.item_id.as_str()) {
                _ if item.always.is_some() => item.always,
                true => Some(SampleReason::AllDeviations),
                false => None,
            };
            let totals = &mut population.totals;
            totals.total += 1;
            totals.still_with_access += u64::from(item.bar.may_have_access());
            let is_by_grace = item.bar.flags.contains(&Flag::InTimeByLoosenedGrace);
            totals.in_time_by_loosened_grace += u64::from(is_by_grace);
            *totals.by_result.entry(item.bar.result).or_default() += 1;
            *totals.by_part.entry(item.bar.part).or_default() += 1;
            population.table.rows.push(row);
            population.items.push(item);
        }
        population
    }
}

impl Item {
    fn row(
        &self,
        period: &Period,
        entries: &Entries,
        gaps: &Gaps,
        last_run: Option<Timestamp>,
        part: Part,
        is_by_loosened_grace: bool,
    ) -> (Vec<String>, PopulationItem) {
        let record = &self.record;
        let mut flags = self.flags(gaps, entries);
        flags.extend(is_by_loosened_grace.then_some(Flag::InTimeByLoosenedGrace));
        let bar = ItemBar {
            item_id: record.offboarding_id.to_string(),
            name: record.name.clone(),
            part,
            result: self.result(last_run),
            end_of_work: record.end_of_work,
            deadline: record.deadline,
            last_seen_with_access: record.last_seen_with_access,
            first_seen_without_access: record.first_seen_without_access,
            flags,
        };
        let later = self.later.iter();
        let later = joined(later.map(|(event, entry)| format!("{event}@{entry}")));
        let exception = self.exception.as_ref();
        self.printed(period, entries, bar, self.concluded_entry, later, exception)
    }

    fn row_of_again(
        &self,
        period: &Period,
        entries: &Entries,
        part: Part,
        number: usize,
        again: &AccessAgain,
    ) -> (Vec<String>, PopulationItem) {
        let record = &self.record;
        let bar = ItemBar {
            item_id: format!("{}-again-{}", record.offboarding_id, number + 1),
            name: record.name.clone(),
            part,
            result: ItemResult::AccessAfterConclusion,
            end_of_work: record.end_of_work,
            deadline: record.deadline,
            last_seen_with_access: Some(again.last),
            first_seen_without_access: again.first_seen_without().map(|run| run.at),
            flags: match again.excepted_late {
                Some(_) => vec![Flag::ExceptionAfterTheFact],
                None => Vec::new(),
            },
        };
        let concluded = again.ended.map(|(run, _)| run.entry);
        let exception = again.exception.as_ref();
        self.printed(period, entries, bar, concluded, String::new(), exception)
    }

    fn printed(
        &self,
        period: &Period,
        entries: &Entries,
        bar: ItemBar,
        concluded: Option<u64>,
        later: String,
        exception: Option<&UsedException>,
    ) -> (Vec<String>, PopulationItem) {
        let record = &self.record;
        let tenure_zone = record
            .tenures
            .iter()
            .find_map(|tenure| tenure.zone.as_deref());
        let notice = record
            .end_of_work
            .map(|end| days(record.first_seen_in_feed, end));
        let grace = record.grace_seconds.map(hours);
        let rule_entry = record.deadline_rule_run.as_deref();
        let entry_at = |at: Option<Timestamp>| cell(at.and_then(|at| entries.at(at)));
        let due = last_deadline(record);
        let (last, first) = (bar.last_seen_with_access, bar.first_seen_without_access);
        let at_end = self.at_end();
        let emails =
            |emails: &[EmailAddress]| joined(emails.iter().map(|email| email.as_written()));
        let row = vec![
            bar.item_id.clone(),
            cell(record.person_id.as_ref()),
            cell(record.name.as_ref()),
            emails(&record.emails),
            cell(record.hr_status.as_ref()),
            cell(record.hr_end.as_ref()),
            cell(record.hr_last_day.as_ref()),
            tenure_zone.unwrap_or_default().to_owned(),
            cell(bar.end_of_work),
            cell(bar.end_of_work.map(|at| period.local(at))),
            cell(record.moved_from),
            record.first_seen_in_feed.to_string(),
            cell(notice),
            cell(bar.deadline),
            cell(grace),
            cell(rule_entry.and_then(|run| entries.of_run(run))),
            joined(&record.account_id),
            joined(
                record
                    .account_email
                    .iter()
                    .map(|email| cell(email.as_ref().map(EmailAddress::as_written))),
            ),
            joined(at_end.iter().map(|(role, _)| cell(role.as_ref()))),
            joined(at_end.iter().map(|(_, status)| status)),
            joined(&record.matched_by),
            cell(last),
            entry_at(last),
            cell(first),
            entry_at(first),
            late_hours(due, last),
            late_hours(due, first),
            bar.result.to_string(),
            cell(concluded),
            later,
            exception_id(exception),
            joined(&bar.flags),
            bar.part.to_string(),
        ];
        let item = PopulationItem {
            always: self.is_admin().then_some(SampleReason::AllAdmins),
            leaver: record.clone(),
            exception: exception.cloned(),
            bar,
        };
        (row, item)
    }

    fn deviate(&self, bar: &ItemBar, entries: &Entries, deviations: &mut Deviations) {
        let (record, item_id, result) = (&self.record, bar.item_id.as_str(), bar.result);
        let concluded = record.concluded_at.map(|at| (at, self.concluded_entry));
        let how_closed = cell(record.result);
        let exception = exception_id(self.exception.as_ref());
        let mut add = |kind, opened: Option<(Timestamp, Option<u64>)>, closed, what: String| {
            deviations.push(Deviation {
                item_ids: vec![item_id.to_owned()],
                account_id: joined(&record.account_id),
                opened,
                how_closed: match closed {
                    Some(_) => how_closed.clone(),
                    None => String::new(),
                },
                closed,
                what,
                exception: exception.clone(),
                ..Deviation::of(kind, item_id)
            });
        };
        let at = |run: RunAt| Some((run.at, Some(run.entry)));
        let last_seen = record.last_seen_with_access;
        let last_seen = last_seen.map(|at| (at, entries.at(at)));
        let removed = record.first_seen_without_access;
        let removed = removed.map(|at| (at, entries.at(at))).or(concluded);
        match result {
            ItemResult::Late if record.result.is_some() => add(
                DeviationType::RemovalLate,
                self.late_since.or(last_seen).or(concluded),
                removed,
                "access ended after the deadline".to_owned(),
            ),
            // Whatever HR does later, a run saw this access.
            _ if self.late_since.is_some() => add(
                DeviationType::AccessAfterDeadline,
                self.late_since,
                concluded,
                match record.result {
                    Some(result) => {
                        format!("access was seen after the deadline; concluded as {result}")
                    }
                    None => "access was seen after the deadline, and no run shows that it ended"
                        .to_owned(),
                },
            ),
            _ => {}
        }
        let due = last_deadline(record).map(|due| (due, None));
        let not_demonstrated = match result {
            ItemResult::NotDemonstrated => {
                let what = "no run shows whether access ended by the deadline";
                Some((concluded, concluded, what))
            }
            ItemResult::NotDue if !bar.flags.contains(&Flag::GapOverDeadline) => None,
            ItemResult::Open | ItemResult::NotEvaluable | ItemResult::NotDue => {
                Some((due, None, "no run shows that access ended"))
            }
            ItemResult::InTime | ItemResult::NoAccount if self.suspected.is_some() => {
                let what = "an account may belong to the person, and no alias decides it";
                Some((self.suspected.and_then(at), None, what))
            }
            ItemResult::InTime
            | ItemResult::Late
            | ItemResult::RiskAccepted
            | ItemResult::NoAccount
            | ItemResult::DateCorrected
            | ItemResult::Withdrawn
            | ItemResult::RehiredBeforeDue
            | ItemResult::AccessAfterConclusion => None,
        };
        if let Some((opened, closed, what)) = not_demonstrated {
            let kind = DeviationType::RemovalNotDemonstrated;
            add(kind, opened, closed, what.to_owned());
        }
        if result == ItemResult::DateCorrected {
            let what = "HR moved the end of work after the deadline had passed".to_owned();
            add(DeviationType::DateCorrected, concluded, concluded, what);
        }
        if let Some(run) = self.excepted_late {
            let what = "an exception came into force after the deadline".to_owned();
            add(
                DeviationType::ExceptionAfterTheFact,
                at(run),
                concluded,
                what,
            );
        }
        if let Some(run) = self.expired_in_use {
            let what = "the exception no longer covers an account that has access".to_owned();
            add(
                DeviationType::ExceptionExpiredInUse,
                at(run),
                concluded,
                what,
            );
        }
        if let Some(run) = self.vanished {
            let what = "HR's rows no longer name the person".to_owned();
            add(DeviationType::LeaverVanished, at(run), concluded, what);
        }
        if let Some(run) = self.moved_late {
            let what = "HR moved the end of work after the deadline had passed".to_owned();
            add(
                DeviationType::EndMovedAfterTheFact,
                at(run),
                concluded,
                what,
            );
        } else if result == ItemResult::Withdrawn && self.was_withdrawn_late() {
            let what = "HR withdrew the end of work after the deadline had passed".to_owned();
            add(
                DeviationType::EndMovedAfterTheFact,
                concluded,
                concluded,
                what,
            );
        }
    }
}
