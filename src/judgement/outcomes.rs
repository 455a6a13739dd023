//! One outcome for each leaver, and the interval in which access ended.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::columns::reading;
use super::manual::{Covered, InForce};
use super::matching::{AccountLink, Matches};
use super::offboardings::{self, Interval, Terms, result_of_rehire, result_of_removal};
use super::people::Person;
use super::remedies::{Doubt, Key, Remedy};
use super::summary::fell_due;
use super::suspicion::{MOST_SUSPECTED, Reason, Suspected, Suspects, Suspicion};
use super::uses::Uses;
use super::{
    Basis, FeedScope, Inputs, Leaver, OffboardingResult, Outcome, Standing, Tenure, WithinSla,
};
use crate::model::{Access, Account, EmailAddress, Employment, Meaning};

/// A leaver with the accounts that decide the outcome.
#[derive(Debug)]
pub(super) struct JudgedLeaver<'a> {
    pub(super) leaver: Leaver,
    /// Most access first, in the order of the leaver's `account_id`.
    pub(super) links: Vec<AccountLink<'a>>,
    pub(super) suspicions: Vec<Suspicion<'a>>,
    /// Unread columns that raise a doubt.
    pub(super) unread_columns: BTreeSet<usize>,
    /// Whether the run could not have found an account, because HR gives no usable address.
    pub(super) without_address: bool,
    /// Whether an exception accepts all doubts about the person.
    pub(super) is_accepted: bool,
    /// Accounts with access that no exception covers and no doubt concerns.
    pub(super) open: Vec<&'a str>,
    /// Whether work has ended and the deadline has passed.
    pub(super) is_overdue: bool,
    /// The records of the person in the previous run.
    pub(super) previous: &'a [&'a Arc<Leaver>],
    /// Earlier offboardings of the person that this one supersedes.
    pub(super) superseded: Vec<Leaver>,
    /// Whether this run is the first with this offboarding.
    pub(super) is_new: bool,
}

/// The judged leavers.
pub(super) struct JudgedLeavers<'a> {
    pub(super) leavers: Vec<JudgedLeaver<'a>>,
    /// Offboardings that were concluded long ago and have not changed, as the previous run had them.
    pub(super) unchanged: Vec<Arc<Leaver>>,
}

/// Judges every leaver.
pub(super) fn of_all<'a>(
    basis: &Basis<'a>,
    people: &'a [Person<'a>],
    matches: &[Matches<'a>],
    suspects: &Suspects<'_, 'a>,
    feed_since: Option<Timestamp>,
    complete: bool,
    uses: &mut Uses,
) -> JudgedLeavers<'a> {
    let judge = OutcomeJudge {
        basis,
        feed_since,
        complete,
    };
    let all = people.iter().zip(matches);
    let (mut judged, mut unchanged) = (Vec::new(), Vec::new());
    for (person, matches) in all.filter(|(person, _)| person.is_leaver()) {
        let suspected = suspects.of_leaver(person, matches, uses);
        let mut leaver = judge.one(person, matches, suspected, uses);
        if judge.is_quiet(&leaver) {
            leaver.leaver = offboardings::shortened(leaver.leaver);
            let prior = leaver.previous[0];
            if leaver.leaver == **prior {
                unchanged.push(Arc::clone(prior));
                continue;
            }
        }
        judged.push(leaver);
    }
    let inputs = basis.inputs;
    let previous = inputs.past.previous.iter();
    let new = judged.iter_mut().filter(|of| of.is_new);
    offboardings::ensure_distinct(
        previous.flat_map(|previous| &previous.leavers),
        new.map(|of| &mut of.leaver),
        &inputs.population.connection.id,
    );
    JudgedLeavers {
        leavers: judged,
        unchanged,
    }
}

/// The sort key of outcomes, those that need action first.
pub(super) fn urgency(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::StillActive => 0,
        Outcome::NotEvaluable => 1,
        Outcome::Excepted => 2,
        Outcome::WithinGrace => 3,
        Outcome::Upcoming => 4,
        Outcome::Removed => 5,
        Outcome::NoAccessFound => 6,
        Outcome::Rehired => 7,
        Outcome::Rescinded => 8,
    }
}

/// The access of a linked account, by today's list.
fn access(link: &AccountLink<'_>) -> Access {
    // Absence from the list is proof only in a complete run, which the caller checks.
    link.listed.map_or(Access::None, |account| account.access())
}

/// The most access by any of these accounts.
fn worst(links: &[AccountLink<'_>]) -> Access {
    links.iter().map(access).max().unwrap_or(Access::None)
}

fn each<'a, T>(links: &[AccountLink<'a>], value: impl Fn(&AccountLink<'a>) -> T) -> Vec<T> {
    links.iter().map(value).collect()
}

struct OutcomeJudge<'b, 'a> {
    basis: &'b Basis<'a>,
    feed_since: Option<Timestamp>,
    complete: bool,
}

impl<'a> OutcomeJudge<'_, 'a> {
    fn one(
        &self,
        person: &'a Person<'a>,
        matches: &Matches<'a>,
        suspected: Suspected<'a>,
        uses: &mut Uses,
    ) -> JudgedLeaver<'a> {
        let (basis, complete) = (self.basis, self.complete);
        let (inputs, manual) = (basis.inputs, &basis.manual);
        let as_of = inputs.as_of;
        let previous = &person.previous;
        let (prior, others) = offboardings::bind(person, inputs);

        let mut links = matches.links.clone();
        let mut suspicions = suspected.open;
        let mut has_more = suspected.has_more;
        let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
        let is_vanished = person.rows.is_empty() && !person.in_feed;
        let is_gone = person.is_named_as_gone();
        let is_reopened = |prior: &Leaver| {
            let is_found = !links.is_empty() && (is_roster || !is_vanished);
            // HR never reported that the person left.
            let is_dated = prior.standing == Standing::Doubtful
                && prior.end_of_work.is_none()
                && person.end_of_work.is_some();
            match prior.result {
                None => true,
                Some(OffboardingResult::Withdrawn) => is_gone,
                Some(OffboardingResult::NoAccount) => is_gone && is_found,
                // The person was missing from a roster, or HR's rows contradicted each other.
                Some(OffboardingResult::NotDemonstrated) => {
                    is_gone && (is_dated || prior.account_id.is_empty() && is_found)
                }
                Some(_) => false,
            }
        };
        let concluded = prior.filter(|prior| !is_reopened(prior));
        if let Some(concluded) = concluded.filter(|_| is_vanished) {
            // Addresses may now belong to other people; accounts do not change hands.
            let known = &concluded.account_id;
            links.retain(|link| known.is_empty() || known.iter().any(|id| id == link.account_id));
            // An earlier suspicion needs an answer, even if HR deletes the row.
            let carried = &concluded.suspected_account_id;
            suspicions.retain(|one| carried.contains(&one.account.id));
            has_more = concluded.more_suspected;
            if !is_roster {
                let regained = links.iter().filter(|link| access(link) != Access::None);
                suspicions.extend(regained.filter_map(|link| {
                    Some(Suspicion {
                        account: link.listed?,
                        reason: Reason::AfterConclusion,
                        key: link.account_id.to_owned(),
                    })
                }));
                links.retain(|link| access(link) == Access::None);
            }
        }
        links.sort_by_key(|link| (Reverse(access(link)), link.account_id));
        let worst = worst(&links);

        // A running tenure does not change the record of the ended one.
        let fixed = concluded.or(prior.filter(|_| !is_gone));
        let terms = match fixed {
            Some(fixed) => Terms::of_record(fixed),
            None => Terms::of_today(person, prior.map(Arc::as_ref), inputs),
        };
        let first_seen_in_feed = terms.first_seen_in_feed;
        // Sightings of an earlier tenure are on another record.
        let sightings: Vec<&Arc<Leaver>> = match prior {
            Some(prior) => others.iter().copied().chain([prior]).collect(),
            None => Vec::new(),
        };
        let seen = seen(inputs, &links, worst, &sightings, complete);
        let deadline = terms.verdict_deadline();
        let deadline_passed = deadline.is_some_and(|deadline| as_of > deadline);
        let is_overdue = person.standing == Standing::Ended && deadline_passed;
        // Access after a conclusion is overdue immediately, unless a tenure is running.
        let has_tenure = is_roster
            && person.standing == Standing::Upcoming
            && person
                .row
                .is_some_and(|row| matches!(row.status, Employment::Active | Employment::OnLeave));
        let is_proven = concluded
            .is_some_and(|concluded| concluded.result != Some(OffboardingResult::Withdrawn));
        let is_closed = is_proven && !has_tenure;
        // A row that contradicts itself may be a tenure that runs. Without a row, none does.
        let may_run = person.standing == Standing::Doubtful && person.row.is_some();
        let is_due = is_overdue || is_closed && is_gone && !may_run;
        let mut notes: Vec<String> = person.notes.iter().chain(&matches.notes).cloned().collect();
        notes.extend(recycled(person, &links));

        let keys = person.keys();
        let due = deadline.max(terms.deadline_from_notice);
        let mut covered = Vec::new();
        let mut exception_expires: Option<Date> = None;
        for link in links.iter().filter(|_| is_due) {
            let Some(account) = link.listed.filter(|of| of.access() == Access::Has) else {
                continue;
            };
            let exception = manual.covers(Covered::Access(&keys, account), due, uses);
            if let Some(exception) = exception {
                covered.push(link.account_id);
                notes.push(format!(
                    "account {}: {}",
                    account.id,
                    exception.in_full(due)
                ));
                let before = exception_expires.into_iter();
                exception_expires = before.chain([exception.expires_on]).min();
            }
        }
        let is_open = |id: &&str| !covered.contains(id) && !matches.doubtful.contains_key(id);
        let with_access = links.iter().filter(|link| access(link) == Access::Has);
        let open = with_access.map(|link| link.account_id).filter(is_open);
        let open: Vec<&str> = open.collect();
        if matches!(person.standing, Standing::Ended | Standing::Doubtful) {
            suspicions.retain(|of| {
                let suspicion = Covered::Suspicion(&keys, of.account);
                manual.covers(suspicion, due, uses).is_none()
            });
        }
        // Without a date in the first feed, nothing shows when work ended.
        let is_undated = person.standing == Standing::Ended
            && terms.end_of_work.is_none()
            && self
                .feed_since
                .is_none_or(|since| first_seen_in_feed <= since);
        let mut doubts = self.doubts(person, matches, &links, &suspicions, has_more);
        if is_undated && worst == Access::Has && !deadline_passed {
            let text = "the first feed already named the person, so nothing shows how long access has lasted";
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
        }
        // Nothing contradicts the conclusion.
        let is_repeated = concluded.is_some() && worst == Access::None && doubts.is_empty();
        let could_match = could_match(person, matches, basis, uses);
        let is_unreadable = person.rows.iter().any(|row| row.unreadable_address);
        let is_suspected = !suspicions.is_empty() || has_more;
        let without_address = !could_match && links.is_empty() && !is_suspected && !is_unreadable;
        // Staff without a mailbox: a complete run saw them work here without an address.
        let never_had_any =
            is_roster && person.worked_without_address() && !suspected.may_be_namesake;

        let listed = links.iter().filter_map(|link| link.listed);
        let suspects = suspicions.iter().map(|of| of.account);
        let accounts: Vec<&Account> = listed.chain(suspects).collect();
        let by_person = Covered::Person(&keys, &accounts);
        let mut accepted: Option<&InForce<'_>> = None;
        let mut is_accepted = false;
        let outcome = match person.standing {
            Standing::Rehired => Outcome::Rehired,
            Standing::Rescinded => Outcome::Rescinded,
            Standing::Ended | Standing::Upcoming | Standing::Doubtful
                if !open.is_empty() && is_due =>
            {
                notes.extend(doubts);
                Outcome::StillActive
            }
            Standing::Upcoming => Outcome::Upcoming,
            Standing::Working => Outcome::NotEvaluable,
            Standing::Ended | Standing::Doubtful => match worst {
                _ if is_repeated && links.is_empty() => Outcome::NoAccessFound,
                _ if is_repeated => Outcome::Removed,
                _ if !complete => {
                    notes.extend(doubts);
                    notes.push(
                        "the run is incomplete, so a missing account does not prove removal"
                            .to_owned(),
                    );
                    Outcome::NotEvaluable
                }
                _ if !doubts.is_empty() => {
                    accepted = manual.covers(by_person, due, uses);
                    is_accepted = accepted.is_some();
                    if is_accepted {
                        Outcome::Excepted
                    } else {
                        notes.extend(doubts);
                        Outcome::NotEvaluable
                    }
                }
                Access::Has if deadline_passed || is_due => Outcome::Excepted,
                Access::Has => Outcome::WithinGrace,
                _ if !links.is_empty() => Outcome::Removed,
                _ if could_match => Outcome::NoAccessFound,
                _ if never_had_any => {
                    notes.push("an earlier run saw the person employed without an address, and no account has the person's name".to_owned());
                    Outcome::NoAccessFound
                }
                _ => {
                    accepted = manual.covers(by_person, due, uses);
                    is_accepted = accepted.is_some();
                    // It accepts the missing address, but not service accounts that the leaver owns.
                    let without_address = Covered::WithoutAddress(&keys);
                    accepted = accepted.or_else(|| manual.covers(without_address, due, uses));
                    if accepted.is_some() {
                        Outcome::Excepted
                    } else {
                        notes.push(no_key(person).to_owned());
                        Outcome::NotEvaluable
                    }
                }
            },
        };
        if let Some(exception) = accepted {
            notes.push(format!("accepted, not judged: {}", exception.in_full(due)));
            exception_expires = Some(exception.expires_on);
        }
        if is_accepted {
            suspicions.clear();
        }
        let within = |deadline: Option<Timestamp>| match outcome {
            Outcome::StillActive if deadline.is_some_and(|deadline| as_of > deadline) => {
                WithinSla::No
            }
            Outcome::Removed if person.standing == Standing::Ended => {
                deadline.map_or(WithinSla::Unknown, |deadline| seen.within(deadline))
            }
            _ => WithinSla::Unknown,
        };
        let (within_sla, within_sla_from_notice) = match concluded {
            Some(concluded) => (concluded.within_sla, concluded.within_sla_from_notice),
            None if is_undated && within(deadline) == WithinSla::Yes => {
                (WithinSla::Unknown, within(terms.deadline_from_notice))
            }
            None => (within(deadline), within(terms.deadline_from_notice)),
        };
        let interval = match fixed {
            Some(fixed) => Interval::of(fixed),
            None if is_gone => seen,
            // The account now belongs to the new tenure.
            None => Interval {
                last_with: None,
                first_without: None,
            },
        };
        let result = match outcome {
            _ if concluded.is_some() => None,
            Outcome::Removed => match result_of_removal(&terms, person.standing, seen) {
                // Work may have ended long before.
                OffboardingResult::InTime if is_undated => Some(OffboardingResult::NotDemonstrated),
                result => Some(result),
            },
            Outcome::NoAccessFound if person.standing == Standing::Doubtful => {
                Some(OffboardingResult::NotDemonstrated)
            }
            Outcome::NoAccessFound => Some(OffboardingResult::NoAccount),
            Outcome::Rehired => {
                let began = offboardings::began(person, as_of);
                Some(result_of_rehire(deadline, interval.last_with, Some(began)))
            }
            Outcome::Rescinded => Some(OffboardingResult::Withdrawn),
            Outcome::Upcoming
            | Outcome::StillActive
            | Outcome::NotEvaluable
            | Outcome::WithinGrace
            | Outcome::Excepted => None,
        };
        if let Some(concluded) = concluded {
            notes.extend(offboardings::concluded_by(concluded));
        }

        let row = person.row;
        let other_ids = person.other_ids().iter();
        let mut leaver = Leaver {
            offboarding_id: terms.offboarding_id,
            person_key: terms.person_key,
            person_id: person.person_id.map(str::to_owned),
            name: person.names.first().map(|name| (*name).to_owned()),
            emails: person.emails.clone(),
            end_of_work: terms.end_of_work,
            moved_from: terms.moved_from,
            deadline: terms.deadline,
            deadline_rule_run: terms.deadline_rule_run,
            grace_seconds: terms.grace_seconds,
            corrected_deadline: terms.corrected_deadline,
            standing: person.standing,
            outcome,
            result: concluded.and_then(|concluded| concluded.result),
            concluded_run: concluded.and_then(|concluded| concluded.concluded_run.clone()),
            concluded_at: concluded.and_then(|concluded| concluded.concluded_at),
            seen_employed: !is_gone || prior.is_some_and(|prior| prior.seen_employed),
            superseded: false,
            account_id: each(&links, |link| link.account_id.to_owned()),
            account_email: each(&links, |link| email_of(link, previous)),
            matched_by: each(&links, |link| link.kind),
            account_role: each(&links, |link| {
                Some(link.listed.or(link.earlier)?.role.clone())
            }),
            account_status: each(&links, |link| Some(link.listed?.status.clone())),
            last_seen_with_access: interval.last_with,
            first_seen_without_access: interval.first_without,
            within_sla,
            exception_expires: exception_expires.map(|day| day.to_string()),
            note: String::new(),
            first_seen_in_feed,
            deadline_from_notice: terms.deadline_from_notice,
            within_sla_from_notice,
            in_feed: person.in_feed,
            hr_status: row.map(|row| row.status.clone()),
            hr_end: row.and_then(|row| Tenure::written(row.end.as_ref())),
            hr_last_day: row.and_then(|row| Tenure::written(row.last_day.as_ref())),
            hr_line: row.map(|row| row.line),
            other_person_ids: other_ids.map(|id| (*id).to_owned()).collect(),
            tenures: person.tenures(),
            suspected_account_id: suspected.carried,
            more_suspected: suspected.has_more,
        };
        if let Some(concluded) = concluded {
            offboardings::keep_accounts(&mut leaver, concluded);
        }
        if let Some(corrected) = leaver.corrected_deadline {
            notes.push(format!(
                "HR moved the end of work after the deadline of record; the verdict uses the deadline {corrected}"
            ));
        }
        if let Some(result) = result {
            offboardings::conclude(&mut leaver, result, inputs);
            notes.extend(late_notice(&leaver));
        }
        leaver.note = notes.join("; ");
        let superseded = others.iter();
        let superseded = superseded.map(|prior| offboardings::superseded(prior, person, inputs));
        let is_unread = |email: &EmailAddress| {
            let mut unread = suspicions.iter().filter(|of| of.reason == Reason::Unread);
            unread.any(|of| of.key == email.key())
        };
        let cells = person.rows.iter().flat_map(|row| &row.unread);
        let of_addresses = cells.filter(|cell| cell.emails.iter().any(is_unread));
        let mut unread_columns = person.unread_columns.clone();
        unread_columns.extend(of_addresses.map(|cell| cell.column));
        JudgedLeaver {
            leaver,
            links,
            unread_columns,
            without_address,
            is_accepted,
            open,
            is_overdue,
            previous,
            superseded: superseded.collect(),
            is_new: prior.is_none(),
            suspicions,
        }
    }

    /// Whether an offboarding on record is a short line, and nothing else of this run concerns the person.
    fn is_quiet(&self, judged: &JudgedLeaver<'_>) -> bool {
        let (inputs, leaver) = (self.basis.inputs, &judged.leaver);
        let is_known = |link: &AccountLink<'_>| link.listed.is_some() || link.earlier.is_some();
        judged.previous.len() == 1
            && judged.superseded.is_empty()
            && judged.suspicions.is_empty()
            && !judged.links.iter().any(is_known)
            && offboardings::is_short(leaver, inputs)
            && !fell_due(inputs, leaver)
            && self
                .basis
                .manual
                .services_of_leaver(leaver, &inputs.population)
                .is_empty()
    }

    /// The doubts about a leaver or a possible leaver, each with the line that closes it.
    fn doubts(
        &self,
        person: &Person<'a>,
        matches: &Matches<'a>,
        links: &[AccountLink<'a>],
        suspicions: &[Suspicion<'a>],
        has_more: bool,
    ) -> Vec<String> {
        let inputs = self.basis.inputs;
        let worst = worst(links);
        let mut doubts = Vec::new();
        if !matches!(person.standing, Standing::Ended | Standing::Doubtful) {
            return doubts;
        }
        let unless_accepted = |text: &str| Doubt::new(text, Remedy::Exception).about(person);
        let mut questions: BTreeMap<(Reason, &str), Vec<&Account>> = BTreeMap::new();
        for of in suspicions {
            let accounts = questions.entry((of.reason, &of.key)).or_default();
            accounts.push(of.account);
        }
        for ((reason, key), accounts) in &questions {
            doubts.push(suspicion_of(person, *reason, key, accounts, inputs));
        }
        if has_more {
            doubts.push(unless_accepted(&format!(
                "more than {MOST_SUSPECTED} accounts may be theirs, and the evidence does not list all of them"
            )));
        }
        if let Some(doubt) = person.doubt.as_ref().filter(|_| worst != Access::None) {
            let account_id = links.first().map_or("", |link| link.account_id);
            doubts.push(doubt.about_access(person, account_id));
        }
        for link in links.iter().filter(|link| access(link) != Access::None) {
            if let Some(doubt) = matches.doubtful.get(link.account_id) {
                doubts.push(doubt.about(person));
            } else if access(link) == Access::Possible {
                let text = format!("the status of account {} is unknown", link.account_id);
                let doubt = Doubt::new(text, Remedy::Exception);
                doubts.push(doubt.about_access(person, link.account_id));
            }
        }
        if links.is_empty()
            && suspicions.is_empty()
            && !has_more
            && person.rows.iter().any(|row| row.unreadable_address)
        {
            let text =
                "an address in HR's row cannot be read, and the other addresses match no account";
            doubts.push(unless_accepted(text));
        }
        doubts
    }
}

/// The most account ids that a note lists.
const MOST_LISTED: usize = 10;

/// The doubt about suspected accounts with one reason and key, with the line that closes it.
fn suspicion_of(
    person: &Person<'_>,
    reason: Reason,
    key: &str,
    accounts: &[&Account],
    inputs: &Inputs,
) -> String {
    let person_key = Key::of(person.person_id, &person.emails);
    let remedy = reason.remedy(accounts[0], person_key).unwrap_or_else(|| {
        let mut cells = person.rows.iter().flat_map(|row| &row.unread);
        let cell = cells.find(|cell| cell.emails.iter().any(|email| email.key() == key));
        let column = cell.map_or(0, |cell| cell.column);
        Remedy::Columns(reading(inputs, column, &[Meaning::OtherEmail]))
    });
    let which = match accounts {
        [account] => format!("account {}", account.id),
        several => listed(several.iter().copied()),
    };
    let each = match accounts.len() > 1 && reason != Reason::Unread {
        true => "; each account needs its own line",
        false => "",
    };
    let text = format!("{which} may be theirs ({}){each}", reason.text());
    Doubt::new(text, remedy).about(person)
}

/// `12 accounts (1201, 1202, …)`: the number of accounts and the first ids.
pub(super) fn listed<'s>(accounts: impl ExactSizeIterator<Item = &'s Account>) -> String {
    let count = accounts.len();
    let first = accounts.take(MOST_LISTED);
    let mut ids: Vec<&str> = first.map(|of| of.id.as_str()).collect();
    if count > MOST_LISTED {
        ids.push("…");
    }
    format!("{count} accounts ({})", ids.join(", "))
}

/// Whether the run would have found an account of the person.
fn could_match(
    person: &Person<'_>,
    matches: &Matches<'_>,
    basis: &Basis<'_>,
    uses: &mut Uses,
) -> bool {
    let mut emails = person.emails.iter();
    if matches.id_could_match || emails.any(|email| basis.is_ours(email)) {
        return true;
    }
    for line in &matches.aliases_could_match {
        uses.alias(*line, "names an account that no run has seen".to_owned());
    }
    !matches.aliases_could_match.is_empty()
}

fn no_key(person: &Person<'_>) -> &'static str {
    if person.emails.is_empty() {
        "HR gives no usable address and no account carries an HR id, so the run could not have found an account"
    } else {
        "no address is in a domain of the organization, so the run could not have found an account"
    }
}

/// Notes on accounts that began after work ended: the address may have been reassigned to another person.
/// The note does not change the outcome. An exception or an alias can record that the address was reassigned.
fn recycled<'s>(
    person: &'s Person<'_>,
    links: &'s [AccountLink<'_>],
) -> impl Iterator<Item = String> {
    let ended = person.end_of_work;
    let ended = ended.filter(|_| person.standing == Standing::Ended);
    let by_address = links.iter().filter(|link| link.kind.is_by_address());
    by_address.filter_map(move |link| {
        let account = link.listed.filter(|of| of.access() != Access::None)?;
        let (joined, ended) = (account.joined_at?, ended?);
        (joined > ended).then(|| {
            format!(
                "account {} joined on {}, after the end of work: the address may belong to \
                 another person now",
                account.id,
                joined.strftime("%Y-%m-%d")
            )
        })
    })
}

/// The address of a linked account: today's, else the last known one.
fn email_of(link: &AccountLink<'_>, previous: &[&Arc<Leaver>]) -> Option<EmailAddress> {
    let of_leaver = |leaver: &&Arc<Leaver>| {
        let mut ids = leaver.account_id.iter();
        let place = ids.position(|id| id == link.account_id)?;
        leaver.account_email.get(place)?.clone()
    };
    let email = link.listed.or(link.earlier).and_then(Account::email);
    email
        .cloned()
        .or_else(|| previous.iter().find_map(of_leaver))
}

/// The note for a leaver whom HR named only after access was gone.
fn late_notice(leaver: &Leaver) -> Option<String> {
    let (named, gone) = (leaver.first_seen_in_feed, leaver.first_seen_without_access?);
    let day = named.strftime("%Y-%m-%d");
    (gone < named).then(|| format!("named by HR on {day}, after access was gone"))
}

/// The interval in which access ended: from the last run that saw access to the first complete run that did not.
/// The exact instant in between is unknown.
fn seen(
    inputs: &Inputs,
    links: &[AccountLink<'_>],
    worst: Access,
    previous: &[&Arc<Leaver>],
    complete: bool,
) -> Interval {
    if worst == Access::Has {
        return Interval {
            last_with: Some(inputs.as_of),
            first_without: None,
        };
    }
    let baseline = inputs.past.baseline.as_ref();
    let had_access = |link: &AccountLink<'_>| {
        let earlier = link.earlier;
        earlier.is_some_and(|account| account.access() == Access::Has)
    };
    let in_baseline = baseline.filter(|_| links.iter().any(had_access));
    let gone = links.iter();
    let gone = gone.filter_map(|link| baseline?.gone.get(link.account_id));
    let carried = previous.iter();
    let carried = carried.filter_map(|leaver| leaver.last_seen_with_access);
    let last_with = carried
        .chain(in_baseline.map(|baseline| baseline.as_of))
        .chain(gone.clone().map(|gone| gone.last_seen_with_access))
        .max();
    let is_later = |first: &Timestamp| last_with.is_none_or(|last| last < *first);
    // None of these accounts has had access since the last of them lost it.
    let linked = previous.iter().filter(|of| !of.account_id.is_empty());
    let since: Option<Vec<Timestamp>> = linked.map(|of| of.first_seen_without_access).collect();
    let still_without = since.and_then(|since| since.into_iter().max());
    let still_without = still_without.filter(is_later);
    let first_without = match worst {
        Access::None if complete && !links.is_empty() => {
            let since = gone.map(|gone| gone.first_seen_without_access).max();
            let since = since.filter(|first| in_baseline.is_none() && is_later(first));
            still_without.or(since).or(Some(inputs.as_of))
        }
        Access::None => still_without,
        Access::Possible | Access::Has => None,
    };
    Interval {
        last_with,
        first_without,
    }
}
