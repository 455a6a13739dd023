//! The record of one person's offboardings over several runs: §5.4 for one account, row by row.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::judgement::tests::world::{World, date, kinds, row, world};
use crate::judgement::tests::worlds::{WorldRun, cases, snapshots};
use crate::judgement::{FeedScope, FindingKind, Judgement, Leaver, OffboardingResult};

const ADA: &str = "ada@example.com";

/// The view of one run.
#[derive(Clone, Copy, Debug)]
struct SeenAccess {
    row: HrReport,
    has_access: bool,
    is_complete: bool,
    is_read: bool,
    grace_hours: i64,
    /// The previous run failed and left nothing.
    after_failure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum HrReport {
    Nothing,
    /// Employed, perhaps since a day.
    Employed(Option<i8>),
    /// Has left on a day, perhaps after a tenure that began on another.
    Left(i8, Option<i8>),
}

/// An offboarding of the model.
#[derive(Clone, Debug)]
struct Offboarding {
    end: Timestamp,
    moved_from: Option<Timestamp>,
    deadline: Timestamp,
    /// The grace of record.
    grace: Option<SignedDuration>,
    corrected: Option<Timestamp>,
    last_with: Option<Timestamp>,
    first_without: Option<Timestamp>,
    result: Option<OffboardingResult>,
    seen_employed: bool,
    in_feed: bool,
    is_account_known: bool,
}

/// The midnight at the end of a day of November 2026.
fn closes(day: i8) -> Timestamp {
    midnight(date(2026, 11, day).tomorrow().expect("a day"))
}

fn midnight(day: Date) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    midnight.expect("an instant")
}

#[derive(Debug)]
struct HistoryModel {
    scope: FeedScope,
    all: Vec<Offboarding>,
    /// The last complete run, and whether it saw access.
    baseline: Option<(Timestamp, bool)>,
    /// Whether a run saw the account while HR named the person, or the record was open.
    is_linked: bool,
    /// Whether HR last reported the person as employed.
    is_employed: bool,
    /// The first complete run without access after one with it.
    gone: Option<(Timestamp, Timestamp)>,
}

impl HistoryModel {
    fn run(&mut self, now: Timestamp, seen: &SeenAccess) {
        let hours = SignedDuration::from_hours(seen.grace_hours);
        let report = if seen.is_read {
            seen.row
        } else {
            HrReport::Nothing
        };
        let had_access = self.baseline.is_some_and(|(_, had_access)| had_access);
        let is_known = seen.has_access || had_access || self.gone.is_some() || self.is_linked;
        match report {
            HrReport::Nothing => {}
            HrReport::Employed(_) => self.is_employed = true,
            HrReport::Left(..) => self.is_employed = false,
        }
        match report {
            HrReport::Nothing => {}
            HrReport::Employed(start) => {
                if let Some(current) = self.all.last_mut() {
                    let began = start.map(|day| midnight(date(2026, 11, day)));
                    let has_begun = began.is_none_or(|began| began <= now);
                    if has_begun {
                        let is_new = began.is_some_and(|began| {
                            current.end - began <= SignedDuration::from_hours(25)
                        });
                        current.seen_employed = true;
                        current.in_feed = true;
                        let result = match is_new {
                            true => current.ended_by_a_tenure(began),
                            false => OffboardingResult::Withdrawn,
                        };
                        current.result.get_or_insert(result);
                    }
                }
            }
            HrReport::Left(day, start) => {
                let end = closes(day);
                let start = start.map(|day| midnight(date(2026, 11, day)));
                let is_new = self.all.last().is_none_or(|current| {
                    let hours_between = |start: Timestamp| current.end - start;
                    let began_later = start.is_some_and(|start| {
                        hours_between(start) <= SignedDuration::from_hours(25)
                    });
                    let was_absent = self.scope != FeedScope::Roster
                        && !current.in_feed
                        && current.result.is_some();
                    current.end != end && (began_later || current.seen_employed || was_absent)
                });
                if is_new {
                    if let Some(before) = self.all.last_mut().filter(|of| of.result.is_none()) {
                        let began = start
                            .filter(|start| *start + SignedDuration::from_hours(25) >= before.end);
                        before.result = Some(before.ended_by_a_tenure(began));
                    }
                    self.all.push(Offboarding {
                        end,
                        moved_from: None,
                        deadline: end + hours,
                        grace: None,
                        corrected: None,
                        last_with: None,
                        first_without: None,
                        result: None,
                        seen_employed: false,
                        in_feed: true,
                        is_account_known: false,
                    });
                }
                let current = self.all.last_mut().expect("an offboarding");
                current.in_feed = true;
                if current.result == Some(OffboardingResult::Withdrawn) {
                    current.result = None;
                }
                if current.result == Some(OffboardingResult::NoAccount) && is_known {
                    current.result = None;
                }
                current.report(end, now);
            }
        }
        if seen.is_read
            && report == HrReport::Nothing
            && let Some(current) = self.all.last_mut()
        {
            current.in_feed = false;
        }
        if seen.is_complete {
            if let Some((at, true)) = self.baseline
                && !seen.has_access
            {
                self.gone = Some((at, now));
            }
            if seen.has_access {
                self.gone = None;
            }
        }
        let is_open = self.all.last().is_some_and(|of| {
            let may_reopen = of.in_feed || self.scope == FeedScope::Roster;
            of.result.is_none() || of.result == Some(OffboardingResult::NoAccount) && may_reopen
        });
        self.is_linked |= seen.has_access && (report != HrReport::Nothing || is_open);
        let is_linked = self.is_linked;
        if let Some(current) = self.all.last_mut() {
            current.is_account_known |= is_linked;
        }
        if let Some(current) = self.all.last_mut()
            && !self.is_employed
        {
            let may_reopen = current.in_feed || self.scope == FeedScope::Roster;
            if current.result == Some(OffboardingResult::NoAccount) && may_reopen && is_known {
                current.result = None;
            }
            current.record_run(now, hours, seen, self.baseline, self.gone);
        }
        if seen.is_complete {
            self.baseline = Some((now, seen.has_access));
        }
    }
}

impl Offboarding {
    /// HR reports an end of work.
    fn report(&mut self, end: Timestamp, now: Timestamp) {
        if self.result.is_some() || end == self.end {
            return;
        }
        self.moved_from.get_or_insert(self.end);
        self.end = end;
        let has_passed = self.grace.is_some() && now > self.deadline;
        match (has_passed, self.grace) {
            (true, Some(grace)) => self.corrected = Some(end + grace),
            (false, Some(grace)) => self.deadline = end + grace,
            (_, None) => {}
        }
    }

    fn ended_by_a_tenure(&self, began: Option<Timestamp>) -> OffboardingResult {
        let deadline = self.corrected.unwrap_or(self.deadline);
        if self.last_with.is_some_and(|last| last > deadline) {
            OffboardingResult::Late
        } else if began.is_some_and(|began| began <= deadline) {
            OffboardingResult::RehiredBeforeDue
        } else {
            OffboardingResult::NotDemonstrated
        }
    }

    /// Records a run that read the account.
    fn record_run(
        &mut self,
        now: Timestamp,
        hours: SignedDuration,
        seen: &SeenAccess,
        baseline: Option<(Timestamp, bool)>,
        gone: Option<(Timestamp, Timestamp)>,
    ) {
        if self.result.is_some() {
            return;
        }
        if self.grace.is_none() {
            self.deadline = self.end + hours;
            if self.end <= now {
                self.grace = Some(hours);
            }
        }
        if seen.has_access {
            self.last_with = Some(now);
            self.first_without = None;
            self.is_account_known = true;
            return;
        }
        let was_there = baseline.is_some_and(|(_, had_access)| had_access);
        self.is_account_known |= was_there || gone.is_some();
        let of_baseline = baseline.filter(|_| was_there).map(|(at, _)| at);
        let last = [self.last_with, of_baseline, gone.map(|(last, _)| last)];
        self.last_with = last.into_iter().flatten().max();
        if !seen.is_complete {
            return;
        }
        let is_after = |first: &Timestamp| self.last_with.is_none_or(|last| last < *first);
        let first = gone.map(|(_, first)| first).filter(is_after).unwrap_or(now);
        if self.is_account_known {
            self.first_without.get_or_insert(first);
        }
        if self.end > now {
            return;
        }
        let Some(first) = self.first_without else {
            self.result = Some(OffboardingResult::NoAccount);
            return;
        };
        let deadline = self
            .corrected
            .map_or(self.deadline, |of| of.max(self.deadline));
        let is_late = self.last_with.is_some_and(|last| last > deadline);
        self.result = Some(match self.corrected {
            _ if is_late => OffboardingResult::Late,
            Some(_) => OffboardingResult::DateCorrected,
            None if first <= deadline => OffboardingResult::InTime,
            None => OffboardingResult::NotDemonstrated,
        });
    }
}

fn a_history() -> impl Strategy<Value = (FeedScope, Vec<SeenAccess>)> {
    let days = || select(vec![20i8, 22, 23, 24, 25, 27]);
    let report = prop_oneof![
        2 => Just(HrReport::Nothing),
        1 => Just(HrReport::Employed(None)),
        2 => days().prop_map(|day| HrReport::Employed(Some(day))),
        5 => days().prop_map(|day| HrReport::Left(day, None)),
        1 => (days(), days()).prop_map(|(end, start)| HrReport::Left(end.max(start), Some(start))),
    ];
    let seen = (
        report,
        any::<bool>(),
        prop::bool::weighted(0.75),
        prop::bool::weighted(0.9),
        select(vec![24i64, 24, 24, 96, 0]),
        prop::bool::weighted(0.15),
    );
    let seen = seen.prop_map(
        |(row, has_access, is_complete, is_read, grace_hours, after_failure)| SeenAccess {
            row,
            has_access,
            is_complete,
            is_read,
            grace_hours,
            after_failure,
        },
    );
    let scopes = select(vec![FeedScope::Leavers, FeedScope::Roster]);
    (scopes, vec(seen, 2..6))
}

/// A run of the history, with the past of the runs before.
fn in_world(before: World, scope: FeedScope, seen: &SeenAccess) -> World {
    let mut world = before.without("ada").no_rows();
    if seen.after_failure {
        world = world.sleep();
    }
    if seen.has_access {
        world = world.account(ADA);
    }
    world = world.policy(|policy| {
        policy.offboarding_grace_seconds = seen.grace_hours * 3600;
        policy.hr_feed_scope = scope;
    });
    let ada = || row("E1").mail(ADA).name("Ada Diaz");
    let report = match seen.row {
        HrReport::Nothing => None,
        HrReport::Employed(None) => Some(ada().active()),
        HrReport::Employed(Some(start)) => Some(ada().active().start(date(2026, 11, start))),
        HrReport::Left(end, None) => Some(ada().ended().end(date(2026, 11, end))),
        HrReport::Left(end, Some(start)) => {
            let tenure = ada().ended().start(date(2026, 11, start));
            Some(tenure.end(date(2026, 11, end)))
        }
    };
    if let Some(report) = report {
        world = world.hr(report);
    }
    if scope == FeedScope::Roster {
        world = world.hr(row("E-root").mail("root@example.com").active());
    }
    if !seen.is_read {
        world = world.unusable();
    }
    match seen.is_complete {
        true => world,
        false => world.cut(),
    }
}

fn records(judged: &Judgement) -> Vec<&Leaver> {
    let concluded = judged.concluded.iter().map(|of| &**of);
    judged.leavers.iter().chain(concluded).collect()
}

/// The fields that a conclusion fixes.
fn proven(leaver: &Leaver) -> String {
    format!(
        "{:?}",
        (
            leaver.end_of_work,
            leaver.deadline,
            leaver.result,
            &leaver.concluded_run,
            leaver.last_seen_with_access,
            leaver.first_seen_without_access,
        )
    )
}

fn is_final(leaver: &Leaver) -> bool {
    let provisional = [OffboardingResult::NoAccount, OffboardingResult::Withdrawn];
    // HR never reported the end of work, or no account was known.
    let is_vague = leaver.end_of_work.is_none() || leaver.account_id.is_empty();
    let is_vague = is_vague && leaver.result == Some(OffboardingResult::NotDemonstrated);
    !is_vague
        && leaver
            .result
            .is_some_and(|result| !provisional.contains(&result))
}

/// Conclusions of a run that a later run changed or lost.
fn changed(before: &Judgement, after: &Judgement) -> Vec<String> {
    let later = records(after);
    let concluded = records(before)
        .into_iter()
        .filter(|leaver| is_final(leaver));
    concluded
        .filter(|leaver| {
            let mut same = later
                .iter()
                .filter(|of| of.offboarding_id == leaver.offboarding_id);
            !same.any(|of| proven(of) == proven(leaver))
        })
        .map(|leaver| format!("{leaver:#?}"))
        .collect()
}

/// A grace for each run.
fn with_graces() -> impl Strategy<Value = (Vec<WorldRun>, Vec<i64>)> {
    let graces = vec(select(vec![24i64, 24, 96, 0]), 4);
    (snapshots(4), graces)
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn the_model_agrees_on_every_history((scope, history) in a_history()) {
        let mut model = HistoryModel { scope, all: Vec::new(), baseline: None, is_linked: false, is_employed: false, gone: None };
        let mut before: Option<World> = None;
        let mut was_left = false;
        for (number, seen) in history.iter().enumerate() {
            let mut seen = *seen;
            // Missing from a roster while employed, so the record does not have an end of work.
            if scope == FeedScope::Roster && seen.row == HrReport::Nothing && !was_left {
                seen.row = HrReport::Employed(None);
            }
            was_left = match seen.row {
                HrReport::Left(..) if seen.is_read => true,
                HrReport::Employed(_) if seen.is_read => false,
                _ => was_left,
            };
            let past = before.take().map_or_else(world, World::next);
            let now = past.inputs.as_of + SignedDuration::from_hours(if seen.after_failure { 24 } else { 0 });
            // A future tenure has its own rules.
            if let HrReport::Employed(Some(day)) = seen.row
                && midnight(date(2026, 11, day)) > now
            {
                seen.row = HrReport::Employed(None);
            }
            let seen = &seen;
            let run = in_world(past, scope, seen);
            let judged = run.judge();
            model.run(run.inputs.as_of, seen);
            let mut of_the_code: Vec<String> = records(&judged)
                .iter()
                .filter(|leaver| leaver.person_id.as_deref() == Some("E1"))
                // Missing from a roster, without an end of work.
                .filter(|leaver| leaver.end_of_work.is_some())
                .map(|leaver| format!("{:?}", (leaver.end_of_work, leaver.moved_from, leaver.deadline, leaver.result)))
                .collect();
            let mut of_the_model: Vec<String> = model
                .all
                .iter()
                .map(|of| format!("{:?}", (Some(of.end), of.moved_from, Some(of.deadline), of.result)))
                .collect();
            of_the_code.sort();
            of_the_model.sort();
            prop_assert_eq!(of_the_code, of_the_model, "run {}: {:#?}", number, judged.leavers);
            let late = records(&judged).into_iter().filter(|leaver| {
                leaver.result == Some(OffboardingResult::Late)
                    && leaver.concluded_run.as_ref() == Some(&run.inputs.run)
            });
            prop_assert_eq!(
                late.count() > 0,
                kinds(&judged).contains(&FindingKind::LateRemoval)
            );
            before = Some(run);
        }
    }

    #[test]
    fn a_conclusion_never_differs_later((snapshots, graces) in with_graces()) {
        let mut before: Option<(World, Judgement)> = None;
        for (snapshot, hours) in snapshots.iter().zip(graces) {
            let past = before.as_ref().map_or_else(world, |(run, _)| run.clone().next());
            let run = snapshot.in_world(past);
            let run = run.policy(|policy| policy.offboarding_grace_seconds = hours * 3600);
            let judged = run.judge();
            if let Some((_, before)) = &before {
                prop_assert_eq!(changed(before, &judged), Vec::<String>::new());
            }
            before = Some((run, judged));
        }
    }
}
