//! A second judgement of a first run: slow and obvious, written from the contract (§5) and not from the code.
//!
//! Plain loops over everything, no index, no past. Completeness, failed checks and the organization's domains
//! are taken from the judgement; everything else is recomputed.

mod ends;
mod history;
mod lines;
mod people;
mod since;
mod ties;
mod two_runs;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;

use super::world::World;
use super::worlds::{a_run, cases, worlds};
use crate::judgement::{
    CheckStatus, FeedScope, FindingKind, Judgement, Leaver, ManualKind, ManualState, MatchKind,
    Outcome, Verdict,
};
use crate::model::{Access, Account, EmailAddress, Meaning, Role};
use ends::ModelStanding;
use lines::{
    ModelRelation, accepts_doubts, accepts_without_address, alias_names_person, aliases,
    approves_for_themselves, is_covered, is_sound_alias, is_sound_exception, owns, says_different,
};
use people::ModelPerson;
use ties::Model;

/// The result of the model for a leaver.
#[derive(Debug)]
struct Expected {
    ids: BTreeSet<String>,
    emails: BTreeSet<EmailAddress>,
    outcome: Outcome,
    ties: BTreeMap<String, MatchKind>,
    /// Accounts with access after the deadline, without an exception.
    offboarded: BTreeSet<String>,
    /// Accounts that may be theirs, and service accounts that they own.
    possible: BTreeSet<String>,
    /// Accounts with an address or an id that several people share.
    shared: BTreeMap<String, BTreeSet<String>>,
    /// Whether the run could not have found an account of this person.
    no_search: bool,
}

impl Model<'_> {
    /// Whether the run would have found an account of this person.
    fn can_search(&self, person: &ModelPerson<'_>) -> bool {
        let accounts = self.accounts();
        let mut employees = accounts
            .iter()
            .filter(|account| account.role != Role::Guest && account.access() != Access::None);
        let all_carry_ids = employees.all(|account| account.external_id.is_some());
        let some_id_fits = self.people.iter().any(|other| {
            let ids = other.ids();
            let mut external = accounts
                .iter()
                .filter_map(|account| account.external_id.as_ref());
            external.any(|id| ids.contains(id))
        });
        let by_id = !self.identifying_ids(person).is_empty() && all_carry_ids && some_id_fits;
        let by_alias = aliases(self.inputs, ModelRelation::Same).any(|alias| {
            let email = alias.email.as_deref().and_then(EmailAddress::parse);
            alias_names_person(alias, person)
                && alias.account_id.is_none()
                && email.is_some_and(|email| self.is_own_domain(&email))
        });
        let own = person.own_emails();
        let by_address = own.iter().any(|email| self.is_own_domain(email));
        by_id || by_alias || by_address
    }

    /// Whether a date in an unread column could change the outcome: rules 1 and 2 of §5.1.
    fn has_unread_date(&self, person: &ModelPerson<'_>) -> bool {
        let (standing, ended) = self.standing(person);
        let now = self.inputs.as_of;
        let columns = &self.inputs.hr.origin.columns;
        let mut dates = person
            .rows
            .iter()
            .flat_map(|row| &row.unread)
            .filter(|cell| columns[cell.column].meaning == Meaning::Unread)
            .filter_map(|cell| Some((cell.column, cell.date?)));
        let tied = self.tied(person);
        let mut accounts = tied.values().map(|(account, _)| account);
        accounts.any(|account| account.access() != Access::None)
            && match standing {
                ModelStanding::Left => ended.is_none() && dates.next().is_some(),
                ModelStanding::Working | ModelStanding::Rehired | ModelStanding::Upcoming => {
                    let is_roster = self.inputs.policy.hr_feed_scope == FeedScope::Roster;
                    self.is_employed(person)
                        && dates.any(|(column, date)| {
                            date <= now && (!is_roster || self.is_mostly_blank(column))
                        })
                }
                ModelStanding::Doubtful => false,
            }
    }

    /// Whether fewer than half of the employed people have a date in a column.
    fn is_mostly_blank(&self, column: usize) -> bool {
        let employed = || self.people.iter().filter(|person| self.is_employed(person));
        let has_date = |person: &&ModelPerson<'_>| {
            let mut cells = person.rows.iter().flat_map(|row| &row.unread);
            cells.any(|cell| cell.column == column && cell.date.is_some())
        };
        employed().filter(has_date).count() * 2 < employed().count()
    }

    fn expected(&self, person: &ModelPerson<'_>) -> Option<Expected> {
        let inputs = self.inputs;
        let now = inputs.as_of;
        let (standing, ended) = self.standing(person);
        if standing == ModelStanding::Working {
            return None;
        }
        let grace = SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds);
        // Without a date, the deadline counts from this run.
        let overdue = standing == ModelStanding::Left && now > ended.unwrap_or(now) + grace;
        let undated = standing == ModelStanding::Left && ended.is_none();

        let tied = self.tied(person);
        let with = |access: Access| {
            let accounts = tied.values().map(|(account, _)| *account);
            accounts.filter(move |account| account.access() == access)
        };
        let is_doubt = |account: &&Account| self.is_doubt(person, account);
        let has_access = with(Access::Has).next().is_some();
        let may_have_access = has_access || with(Access::Possible).next().is_some();
        let open: Vec<&Account> = with(Access::Has)
            .filter(|account| !is_doubt(account))
            .filter(|account| !is_covered(person, account, inputs))
            .collect();
        let doubt = with(Access::Has).any(|account| is_doubt(&account));
        let shared = self.shared(person);
        let suspected = self.suspected(person);
        let unread = self.unread(person);
        let is_suspected = !suspected.is_empty() || !shared.is_empty() || !unread.is_empty();
        let no_search = tied.is_empty() && !is_suspected && !self.can_search(person);
        let is_unreadable = tied.is_empty()
            && !is_suspected
            && person.rows.iter().any(|row| row.unreadable_address);

        let contradiction = standing == ModelStanding::Doubtful && may_have_access;
        let cannot_be_judged = contradiction
            || with(Access::Possible).next().is_some()
            || is_suspected
            || doubt
            || undated && has_access
            || is_unreadable;
        let in_question: Vec<&Account> = tied
            .values()
            .map(|(account, _)| *account)
            .chain(suspected.iter().copied())
            .chain(shared.values().flatten().copied())
            .chain(unread.iter().copied())
            .collect();
        let accepted = self.complete
            && (cannot_be_judged || no_search)
            && accepts_doubts(person, &in_question, inputs);
        let accepted_without_search =
            self.complete && no_search && accepts_without_address(person, inputs);
        let outcome = match standing {
            ModelStanding::Rehired => Outcome::Rehired,
            ModelStanding::Upcoming => Outcome::Upcoming,
            ModelStanding::Left if overdue && !open.is_empty() => Outcome::StillActive,
            _ if !self.complete => Outcome::NotEvaluable,
            _ if cannot_be_judged && accepted => Outcome::Excepted,
            _ if cannot_be_judged => Outcome::NotEvaluable,
            _ if no_search && (accepted || accepted_without_search) => Outcome::Excepted,
            _ if no_search => Outcome::NotEvaluable,
            _ if has_access && overdue => Outcome::Excepted,
            _ if has_access => Outcome::WithinGrace,
            _ if !tied.is_empty() => Outcome::Removed,
            _ => Outcome::NoAccessFound,
        };

        let ids = |accounts: &[&Account]| -> BTreeSet<String> {
            accounts.iter().map(|account| account.id.clone()).collect()
        };
        let is_gone = matches!(standing, ModelStanding::Left | ModelStanding::Doubtful);
        let is_open = is_gone && !accepted;
        let mut possible = BTreeSet::new();
        if is_open {
            possible.extend(ids(&suspected));
            possible.extend(ids(&unread));
        }
        if overdue && !accepted {
            let all = self.accounts().iter();
            let left_behind = all
                .filter(|account| account.access() != Access::None)
                .filter(|account| owns(person, account, inputs));
            possible.extend(left_behind.map(|account| account.id.clone()));
        }
        let kinds = tied.iter().map(|(id, (_, kind))| (id.clone(), *kind));
        Some(Expected {
            ids: person.ids(),
            emails: person.own_emails(),
            outcome,
            ties: kinds.collect(),
            offboarded: match outcome {
                Outcome::StillActive => ids(&open),
                _ => BTreeSet::new(),
            },
            possible,
            shared: match is_open {
                true => shared
                    .into_iter()
                    .map(|(shared, of)| (shared, ids(&of)))
                    .collect(),
                false => BTreeMap::new(),
            },
            no_search: no_search
                && !cannot_be_judged
                && outcome == Outcome::NotEvaluable
                && is_gone,
        })
    }

    /// Whether an approved line ended a tie to an account that has or may have access, which accepts a risk.
    fn has_ended_tie(&self) -> bool {
        self.people.iter().any(|person| {
            self.accounts().iter().any(|account| {
                account.access() != Access::None
                    && self.tie_but_for_lines(person, account).is_some()
                    && says_different(person, account, self.inputs)
            })
        })
    }
}

fn line(
    ids: &BTreeSet<String>,
    emails: &BTreeSet<EmailAddress>,
    of: impl std::fmt::Debug,
) -> String {
    let emails: Vec<&str> = emails.iter().map(EmailAddress::key).collect();
    format!("{ids:?} {emails:?} {of:?}")
}

fn as_judged(leaver: &Leaver) -> String {
    let ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
    let ids: BTreeSet<String> = ids.cloned().collect();
    let emails = leaver.emails.iter().cloned().collect();
    let kinds = leaver.matched_by.iter().copied();
    let ties: BTreeMap<String, MatchKind> = leaver.account_id.iter().cloned().zip(kinds).collect();
    line(&ids, &emails, (leaver.outcome, ties))
}

fn found(judged: &Judgement, kind: FindingKind) -> BTreeSet<String> {
    let findings = judged.findings.iter();
    let of_kind = findings.filter(|finding| finding.kind == kind);
    of_kind
        .filter_map(|finding| finding.account_id.clone())
        .collect()
}

fn model<'a>(world: &'a World, judged: &Judgement) -> Model<'a> {
    let mut model = Model::of(&world.inputs, judged);
    let people = model.people.iter();
    let unread = people.filter(|person| model.has_unread_date(person));
    model.unread = unread.map(|person| person.rows[0]).collect();
    model
}

/// The differences between the results of code and model.
fn disagreements(world: &World) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let inputs = &world.inputs;
    let judged = world.judge();
    let model = model(world, &judged);
    let expected: Vec<Expected> = model
        .people
        .iter()
        .filter_map(|person| model.expected(person))
        .collect();

    let mut of_the_code: Vec<String> = judged.leavers.iter().map(as_judged).collect();
    let mut of_the_model: Vec<String> = expected
        .iter()
        .map(|of| line(&of.ids, &of.emails, (of.outcome, &of.ties)))
        .collect();
    of_the_code.sort();
    of_the_model.sort();
    if of_the_code != of_the_model {
        all.push(format!(
            "leavers: code {of_the_code:?}, model {of_the_model:?}"
        ));
    }

    let offboarded: BTreeSet<String> = expected
        .iter()
        .flat_map(|of| of.offboarded.clone())
        .collect();
    let found_offboarded = found(&judged, FindingKind::OffboardedAccess);
    if found_offboarded != offboarded {
        all.push(format!(
            "offboarded: code {found_offboarded:?}, model {offboarded:?}"
        ));
    }
    let possible: BTreeSet<String> = expected.iter().flat_map(|of| of.possible.clone()).collect();
    let mut shared: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for (what, accounts) in expected.iter().flat_map(|of| &of.shared) {
        shared.entry(what).or_default().extend(accounts.clone());
    }
    let found_possible = found(&judged, FindingKind::PossibleOffboardedAccess);
    for account in &found_possible {
        let is_shared = shared.values().any(|accounts| accounts.contains(account));
        if !possible.contains(account) && !is_shared {
            all.push(format!("possible: {account} is a finding only of the code"));
        }
    }
    // One finding for each question. A question may be about several accounts and leavers.
    let of_leavers = expected.iter().map(|of| &of.possible);
    let questions: Vec<&BTreeSet<String>> = of_leavers.chain(shared.values()).collect();
    for question in &questions {
        let mut accounts = (*question).clone();
        for _ in &questions {
            let touching = questions.iter().filter(|of| !of.is_disjoint(&accounts));
            accounts = touching.copied().flatten().cloned().collect();
        }
        if !question.is_empty() && accounts.is_disjoint(&found_possible) {
            all.push(format!(
                "possible: {question:?} has a finding only of the model"
            ));
        }
    }
    let without_address = judged
        .findings
        .iter()
        .any(|finding| finding.kind == FindingKind::LeaverWithoutAddress);
    let no_search = expected.iter().any(|of| of.no_search);
    if no_search && judged.complete && !without_address {
        all.push("leaver_without_address: only of the model".to_owned());
    }

    let is_failed = judged
        .checks
        .iter()
        .any(|check| check.status == CheckStatus::Fail);
    let unjudged = expected
        .iter()
        .any(|of| of.outcome == Outcome::NotEvaluable);
    let admin = judged.findings.iter().any(|finding| {
        finding.kind == FindingKind::AccountWithoutHrRecord && finding.role == Some(Role::Admin)
    });
    let accepted = judged
        .lines_of(ManualKind::Exception)
        .any(|of| of.state == ManualState::Used);
    let verdict = if !offboarded.is_empty() {
        Verdict::Fail
    } else if is_failed || unjudged || !possible.is_empty() || !shared.is_empty() || admin {
        Verdict::Inconclusive
    } else if accepted || model.has_ended_tie() {
        Verdict::PassWithExceptions
    } else {
        Verdict::Pass
    };
    if judged.verdict != verdict {
        all.push(format!("verdict: code {}, model {verdict}", judged.verdict));
    }
    let without_record = found(&judged, FindingKind::AccountWithoutHrRecord);
    if inputs.policy.hr_feed_scope != FeedScope::Roster && !without_record.is_empty() {
        all.push(format!(
            "account_without_hr_record: {without_record:?} without a roster"
        ));
    }
    // An invalid line is a finding and has no effect.
    let people = inputs.hr.unusable.is_none().then_some(&model.people);
    let own = inputs.manual.aliases().iter().filter(|alias| {
        let mut people = people.into_iter().flatten();
        people.any(|person| approves_for_themselves(alias, person, &model))
    });
    for of in own {
        let state = judged
            .lines_of(ManualKind::Alias)
            .find(|used| used.line == of.line)
            .map(|used| used.state);
        let mut findings = judged.findings.iter();
        let is_found = findings.any(|finding| finding.kind == FindingKind::AliasInvalid);
        if !is_found || state != Some(ManualState::Malformed) {
            all.push(format!("alias: {state:?} {of:?}"));
        }
    }
    let aliases = inputs.manual.aliases().iter();
    for of in aliases.filter(|of| !is_sound_alias(of, inputs)) {
        let state = judged
            .lines_of(ManualKind::Alias)
            .find(|used| used.line == of.line)
            .map(|used| used.state);
        if !matches!(state, Some(ManualState::Malformed | ManualState::Expired)) {
            all.push(format!("alias: {state:?} {of:?}"));
        }
    }
    let exceptions = inputs.manual.exceptions().iter();
    for of in exceptions.filter(|of| !is_sound_exception(of, inputs)) {
        let state = judged
            .lines_of(ManualKind::Exception)
            .find(|used| used.line == of.line)
            .map(|used| used.state);
        if !matches!(state, Some(ManualState::Malformed | ManualState::Expired)) {
            all.push(format!("exception: {state:?} {of:?}"));
        }
    }
    all
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn the_model_agrees_on_every_first_run(run in a_run()) {
        let world = &worlds(&[run])[0];
        prop_assert_eq!(disagreements(world), Vec::<String>::new());
    }
}
