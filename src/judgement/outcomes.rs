//! One outcome for each leaver, and the interval in which access ended.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::columns::reading;
use super::matching::{AccountLink, Matches};
use super::offboardings::{self, Interval, Terms, result_of_rehire, result_of_removal};
use super::people::Person;
use super::remedies::{Doubt, Remedy};
use super::suspicion::{MOST_SUSPECTED, Reason, Suspicion};
use super::uses::Uses;
use super::{
    Basis, FeedScope, Inputs, Leaver, MatchKind, OffboardingResult, Outcome, Standing, Tenure,
    WithinSla,
};
use crate::model::{Access, Account, EmailAddress, Employment, Meaning};

/// A leaver with the accounts that the outcome rests on.
#[derive(Debug)]
pub(super) struct JudgedLeaver<'a> {
    pub(super) leaver: Leaver,
    /// The worst first, in the order of the leaver's `account_id`.
    pub(super) links: Vec<AccountLink<'a>>,
    pub(super) suspicions: Vec<Suspicion<'a>>,
    /// Columns that are not read and leave a doubt.
    pub(super) unread_columns: BTreeSet<usize>,
    /// Whether no account could have been found, because HR gives no usable address.
    pub(super) without_address: bool,
    /// Whether an exception accepts every doubt about the person.
    pub(super) is_accepted: bool,
    /// Accounts with access that no exception covers and no doubt concerns.
    pub(super) open: Vec<&'a str>,
    /// Whether work has ended and the deadline has passed.
    pub(super) is_overdue: bool,
    /// The same person in the previous run.
    pub(super) previous: &'a [&'a Leaver],
    /// Earlier offboardings of the person, in whose place this one is.
    pub(super) superseded: Vec<Leaver>,
    /// Whether no earlier run had this offboarding.
    pub(super) is_new: bool,
}

/// Judges every leaver, the worst outcome first.
pub(super) fn of_everybody<'a>(
    basis: &Basis<'a>,
    people: &'a [Person<'a>],
    matches: &[Matches<'a>],
    feed_since: Option<Timestamp>,
    complete: bool,
    uses: &mut Uses,
) -> Vec<JudgedLeaver<'a>> {
    let judge = OutcomeJudge {
        basis,
        feed_since,
        complete,
    };
    let mut judged: Vec<JudgedLeaver<'a>> = people
        .iter()
        .zip(matches)
        .filter(|(person, _)| person.is_leaver())
        .map(|(person, matches)| judge.one(person, matches, uses))
        .collect();
    let inputs = basis.inputs;
    let previous = inputs.past.previous.iter();
    let new = judged.iter_mut().filter(|of| of.is_new);
    offboardings::ensure_distinct(
        previous.flat_map(|previous| &previous.leavers),
        new.map(|of| &mut of.leaver),
        &inputs.population.connection.id,
    );
    judged
}

/// The order for a reader: outcomes that need action first.
pub(super) fn badness(outcome: Outcome) -> u8 {
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
    // Absent from the list: whether that proves anything is for the caller, who knows `complete`.
    link.listed.map_or(Access::None, |account| account.access())
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
        uses: &mut Uses,
    ) -> JudgedLeaver<'a> {
        let Self {
            basis, complete, ..
        } = *self;
        let inputs = basis.inputs;
        let as_of = inputs.as_of;
        let previous = &person.previous;
        let (prior, others) = offboardings::bind(person, inputs);

        let mut links = matches.links.clone();
        let mut suspicions = matches.suspected.open.clone();
        let mut has_more = matches.suspected.has_more;
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
            // Addresses may belong to other people by now; accounts do not change hands.
            let known = &concluded.account_id;
            links.retain(|link| known.is_empty() || known.iter().any(|id| id == link.account_id));
            // A suspicion from before needs an answer, also if HR deletes the row.
            let carried = &concluded.suspected_account_id;
            suspicions.retain(|one| carried.contains(&one.account.id));
            has_more = concluded.more_suspected;
            if !is_roster {
                let (open, gone) = links
                    .into_iter()
                    .partition(|link| access(link) != Access::None);
                links = gone;
                let open: Vec<AccountLink<'a>> = open;
                suspicions.extend(open.iter().filter_map(|link| {
                    let key = link.account_id.to_owned();
                    Some(Suspicion::new(link.listed?, Reason::AfterConclusion, key))
                }));
            }
        }
        links.sort_by(|a, b| {
            access(b)
                .cmp(&access(a))
                .then_with(|| a.account_id.cmp(b.account_id))
        });
        let worst = links.iter().map(access).max().unwrap_or(Access::None);

        // A tenure that runs changes nothing about the one that ended.
        let fixed = concluded.or(prior.filter(|_| !is_gone));
        let terms = match fixed {
            Some(fixed) => Terms::of_record(fixed),
            None => Terms::of_today(person, prior, inputs),
        };
        let first_seen_in_feed = terms.first_seen_in_feed;
        // Sightings of an earlier tenure are on another record.
        let sightings: Vec<&Leaver> = match prior {
            Some(prior) => others.iter().copied().chain([prior]).collect(),
            None => Vec::new(),
        };
        let seen = seen(inputs, &links, worst, &sightings, complete);
        let deadline = terms.verdict_deadline();
        let deadline_passed = deadline.is_some_and(|deadline| as_of > deadline);
        let is_overdue = person.standing == Standing::Ended && deadline_passed;
        // Access after a conclusion is overdue at once, unless a tenure runs.
        let has_tenure = is_roster
            && person.standing == Standing::Upcoming
            && person
                .row
                .is_some_and(|row| matches!(row.status, Employment::Active | Employment::OnLeave));
        let is_proven = concluded
            .is_some_and(|concluded| concluded.result != Some(OffboardingResult::Withdrawn));
        let is_closed = is_proven && !has_tenure;
        let is_due = is_overdue || is_closed && is_gone && person.standing != Standing::Doubtful;
        let mut notes: Vec<String> = person.notes.iter().chain(&matches.notes).cloned().collect();
        notes.extend(recycled(person, &links));

        let named = person.named();
        let due = deadline.max(terms.deadline_from_notice);
        let mut covered = Vec::new();
        let mut exception_expires: Option<Date> = None;
        if is_due && basis.directives.has_exceptions() {
            for link in &links {
                let Some(account) = link.listed.filter(|of| of.access() == Access::Has) else {
                    continue;
                };
                let exception = basis.directives.covers_access(&named, account, due, uses);
                if let Some(exception) = exception {
                    covered.push(link.account_id);
                    notes.push(format!(
                        "account {}: {}",
                        account.id,
                        exception.in_full(due)
                    ));
                    let expires = exception.expires_on;
                    exception_expires = Some(exception_expires.map_or(expires, |d| d.min(expires)));
                }
            }
        }
        let is_open = |link: &&AccountLink<'a>| {
            let is_covered = covered.contains(&link.account_id);
            let is_doubtful = matches.doubtful.contains_key(link.account_id);
            access(link) == Access::Has && !is_covered && !is_doubtful
        };
        let open: Vec<&str> = links
            .iter()
            .filter(is_open)
            .map(|link| link.account_id)
            .collect();
        if matches!(person.standing, Standing::Ended | Standing::Doubtful) {
            suspicions.retain(|of| {
                let directives = &basis.directives;
                let accepted = directives.covers_suspicion(&named, of.account, due, uses);
                accepted.is_none()
            });
        }
        let doubts = self.doubts(person, matches, &links, &suspicions, has_more, &terms);
        // Nothing that contradicts the conclusion was seen.
        let is_repeated = concluded.is_some() && worst == Access::None && doubts.is_empty();
        let could_match = could_match(person, matches, basis, uses);
        let is_unreadable = person.rows.iter().any(|row| row.unreadable_address);
        let is_suspected = !suspicions.is_empty() || has_more;
        let without_address = !could_match && links.is_empty() && !is_suspected && !is_unreadable;
        // Staff without a mailbox: a complete run saw them work here without an address.
        let never_had_any =
            is_roster && person.worked_without_address() && !matches.may_be_namesake;

        let accounts = |suspicions: &[Suspicion<'a>]| -> Vec<&Account> {
            let listed = links.iter().filter_map(|link| link.listed);
            let suspected = suspicions.iter().map(|suspicion| suspicion.account);
            listed.chain(suspected).collect()
        };
        let mut is_accepted = false;
        let outcome = match person.standing {
            Standing::Rehired => Outcome::Rehired,
            Standing::Rescinded => Outcome::Rescinded,
            Standing::Ended | Standing::Upcoming if !open.is_empty() && is_due => {
                notes.extend(doubts);
                Outcome::StillActive
            }
            Standing::Upcoming => Outcome::Upcoming,
            Standing::Working => Outcome::NotEvaluable,
            Standing::Ended | Standing::Doubtful if is_repeated => match links.is_empty() {
                true => Outcome::NoAccessFound,
                false => Outcome::Removed,
            },
            Standing::Ended | Standing::Doubtful if !complete => {
                notes.extend(doubts);
                notes.push("the run is not complete: absence proves nothing".to_owned());
                Outcome::NotEvaluable
            }
            Standing::Ended | Standing::Doubtful if !doubts.is_empty() => {
                match basis
                    .directives
                    .covers_person(&named, &accounts(&suspicions), due, uses)
                {
                    Some(exception) => {
                        notes.push(format!("accepted, not judged: {}", exception.in_full(due)));
                        exception_expires = Some(exception.expires_on);
                        is_accepted = true;
                        suspicions.clear();
                        Outcome::Excepted
                    }
                    None => {
                        notes.extend(doubts);
                        Outcome::NotEvaluable
                    }
                }
            }
            Standing::Ended | Standing::Doubtful => {
                if worst == Access::Has && (deadline_passed || is_due) {
                    Outcome::Excepted
                } else if worst == Access::Has {
                    Outcome::WithinGrace
                } else if !links.is_empty() {
                    Outcome::Removed
                } else if could_match {
                    Outcome::NoAccessFound
                } else if never_had_any {
                    notes.push("an earlier run saw the person employed without an address, and no account has the person's name".to_owned());
                    Outcome::NoAccessFound
                } else if let Some(exception) =
                    basis
                        .directives
                        .covers_person(&named, &accounts(&suspicions), due, uses)
                {
                    notes.push(format!("accepted, not judged: {}", exception.in_full(due)));
                    exception_expires = Some(exception.expires_on);
                    is_accepted = true;
                    Outcome::Excepted
                } else if let Some(exception) =
                    basis.directives.covers_without_address(&named, due, uses)
                {
                    // It accepts the missing address, not the service accounts they left behind.
                    notes.push(format!("accepted, not judged: {}", exception.in_full(due)));
                    exception_expires = Some(exception.expires_on);
                    Outcome::Excepted
                } else {
                    notes.push(no_key(person).to_owned());
                    Outcome::NotEvaluable
                }
            }
        };
        let within = |deadline: Option<Timestamp>| match outcome {
            Outcome::StillActive if deadline.is_some_and(|deadline| as_of > deadline) => {
                WithinSla::No
            }
            Outcome::Removed if person.standing == Standing::Ended => {
                deadline.map_or(WithinSla::Unknown, |deadline| seen.within(deadline))
            }
            _ => WithinSla::Unknown,
        };
        let is_undated = is_dated_by_first_feed(person, self.feed_since, &terms);
        let (within_sla, within_sla_from_notice) = match concluded {
            Some(concluded) => (concluded.within_sla, concluded.within_sla_from_notice),
            None => {
                let within_sla = match within(deadline) {
                    WithinSla::Yes if is_undated => WithinSla::Unknown,
                    within => within,
                };
                (within_sla, within(terms.deadline_from_notice))
            }
        };
        let interval = match concluded {
            Some(concluded) => Interval::of(concluded),
            // The account serves the new tenure now.
            None if !is_gone => Interval {
                last_with: prior.and_then(|prior| prior.last_seen_with_access),
                first_without: prior.and_then(|prior| prior.first_seen_without_access),
            },
            None => seen,
        };
        let result = match outcome {
            _ if concluded.is_some() => None,
            Outcome::Removed => {
                let result = result_of_removal(&terms, person.standing, seen);
                Some(match result {
                    // Work may have ended long before.
                    OffboardingResult::InTime if is_undated => OffboardingResult::NotDemonstrated,
                    result => result,
                })
            }
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
            account_id: links
                .iter()
                .map(|link| link.account_id.to_owned())
                .collect(),
            account_email: links.iter().map(|link| email_of(link, previous)).collect(),
            matched_by: links.iter().map(|link| link.kind).collect(),
            account_role: links
                .iter()
                .map(|link| Some(link.listed.or(link.earlier)?.role.clone()))
                .collect(),
            account_status: links
                .iter()
                .map(|link| Some(link.listed?.status.clone()))
                .collect(),
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
            other_person_ids: person
                .other_ids()
                .iter()
                .map(|id| (*id).to_owned())
                .collect(),
            tenures: person.tenures.clone(),
            suspected_account_id: matches.suspected.carried.clone(),
            more_suspected: matches.suspected.has_more,
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
        let superseded = others
            .iter()
            .map(|prior| offboardings::superseded(prior, person, inputs));
        let superseded = superseded.collect();
        let unread = suspicions.iter().filter(|of| of.reason == Reason::Unread);
        let unread: BTreeSet<&str> = unread.map(|of| of.key.as_str()).collect();
        let cells = person.rows.iter().flat_map(|row| &row.unread);
        let of_addresses =
            cells.filter(|cell| cell.emails.iter().any(|email| unread.contains(email.key())));
        let unread_columns = person.unread_columns.iter().copied();
        JudgedLeaver {
            leaver,
            links,
            unread_columns: unread_columns
                .chain(of_addresses.map(|cell| cell.column))
                .collect(),
            suspicions,
            without_address,
            is_accepted,
            open,
            is_overdue,
            previous,
            superseded,
            is_new: prior.is_none(),
        }
    }

    /// The doubts about a leaver or possible leaver, each with the line that closes it.
    fn doubts(
        &self,
        person: &Person<'a>,
        matches: &Matches<'a>,
        links: &[AccountLink<'a>],
        suspicions: &[Suspicion<'a>],
        has_more: bool,
        terms: &Terms,
    ) -> Vec<String> {
        let inputs = self.basis.inputs;
        let worst = links.iter().map(access).max().unwrap_or(Access::None);
        let mut doubts = Vec::new();
        match person.standing {
            Standing::Ended | Standing::Doubtful => {}
            Standing::Working | Standing::Rehired | Standing::Rescinded | Standing::Upcoming => {
                return doubts;
            }
        }
        let mut questions: BTreeMap<(Reason, &str), Vec<&Account>> = BTreeMap::new();
        for Suspicion {
            account,
            reason,
            key,
        } in suspicions
        {
            questions.entry((*reason, key)).or_default().push(account);
        }
        for ((reason, key), accounts) in &questions {
            doubts.push(suspicion_of(person, *reason, key, accounts, inputs));
        }
        if has_more {
            let text = format!(
                "more than {MOST_SUSPECTED} accounts may be theirs, and the evidence does not list all of them"
            );
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
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
        let deadline = terms.verdict_deadline();
        let deadline_passed = deadline.is_some_and(|deadline| inputs.as_of > deadline);
        let is_undated = is_dated_by_first_feed(person, self.feed_since, terms);
        if is_undated && worst == Access::Has && !deadline_passed {
            let text = "was already in the first feed: how long access has lasted is unknown";
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
        }
        if links.is_empty()
            && suspicions.is_empty()
            && !has_more
            && person.rows.iter().any(|row| row.unreadable_address)
        {
            let text =
                "an address in HR's row cannot be read, and the other addresses match no account";
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
        }
        doubts
    }
}

/// Longer lists of accounts are cut in a note.
const MOST_LISTED: usize = 10;

/// The doubt that suspected accounts with one reason and key raise, with the line that closes it.
fn suspicion_of(
    person: &Person<'_>,
    reason: Reason,
    key: &str,
    accounts: &[&Account],
    inputs: &Inputs,
) -> String {
    let account = accounts[0];
    let is_nameless = person.person_id.is_none() && person.emails.is_empty();
    let remedy = match reason {
        Reason::Shared => Remedy::Service(account.id.clone()),
        Reason::Unread => {
            let cells = person.rows.iter().flat_map(|row| &row.unread);
            let mut of_it = cells.filter(|cell| {
                let mut emails = cell.emails.iter();
                emails.any(|email| email.key() == key)
            });
            let column = of_it.next().map_or(0, |cell| cell.column);
            Remedy::Columns(reading(inputs, column, &[Meaning::OtherEmail]))
        }
        _ if is_nameless => Remedy::Account(account.id.clone()),
        Reason::Followed
        | Reason::Tag
        | Reason::LookAlike
        | Reason::Accent
        | Reason::OtherDomain
        | Reason::Name
        | Reason::SharedId
        | Reason::AfterConclusion
        | Reason::Before => Remedy::Different(account.id.clone()),
    };
    let text = match accounts {
        [account] => format!("account {} may be theirs ({})", account.id, reason.text()),
        several => {
            let each = match remedy {
                Remedy::Columns(_) => "",
                _ => "; each account needs its own line",
            };
            format!(
                "{} may be theirs ({}){each}",
                listed(several.iter().copied()),
                reason.text()
            )
        }
    };
    Doubt::new(text, remedy).about(person)
}

/// `12 accounts (1201, 1202, …)`: the number of accounts and the first ids.
pub(super) fn listed<'s>(accounts: impl ExactSizeIterator<Item = &'s Account>) -> String {
    let count = accounts.len();
    let mut ids: Vec<&str> = accounts
        .take(MOST_LISTED)
        .map(|of| of.id.as_str())
        .collect();
    if count > MOST_LISTED {
        ids.push("…");
    }
    format!("{count} accounts ({})", ids.join(", "))
}

/// Whether an account would have been found if there were one.
fn could_match(
    person: &Person<'_>,
    matches: &Matches<'_>,
    basis: &Basis<'_>,
    uses: &mut Uses,
) -> bool {
    let is_ours = |email: &EmailAddress| basis.domains.contains(email.domain());
    if matches.id_could_match || person.emails.iter().any(is_ours) {
        return true;
    }
    for line in &matches.aliases_could_match {
        uses.alias(*line, "names an account that no run ever saw".to_owned());
    }
    !matches.aliases_could_match.is_empty()
}

fn no_key(person: &Person<'_>) -> &'static str {
    if person.emails.is_empty() {
        "HR gives no usable address, and no account carries HR's ids: an account could not have been found"
    } else {
        "no address is in one of the organization's domains: an account could not have been found"
    }
}

/// Notes on accounts that began after work ended: the address may have been given to another person since.
/// The note excuses nothing. If the address was handed on, an exception or an alias can record it.
fn recycled<'s>(
    person: &'s Person<'_>,
    links: &'s [AccountLink<'_>],
) -> impl Iterator<Item = String> {
    let ended = person.end_of_work;
    let by_address = |link: &&AccountLink<'_>| match link.kind {
        MatchKind::Email | MatchKind::DomainAlias | MatchKind::FormerEmail => true,
        MatchKind::PersonId | MatchKind::Alias => false,
    };
    let has_left = person.standing == Standing::Ended;
    links
        .iter()
        .filter(move |_| has_left)
        .filter(by_address)
        .filter_map(move |link| {
            let account = link.listed.filter(|of| of.access() != Access::None)?;
            let joined = account.joined_at.filter(|joined| Some(*joined) > ended)?;
            ended?;
            Some(format!(
                "account {} joined on {}, after the end of work: the address may belong to \
                 another person by now",
                account.id,
                joined.strftime("%Y-%m-%d")
            ))
        })
}

/// The address of a linked account: today's, else the last one known.
fn email_of(link: &AccountLink<'_>, previous: &[&Leaver]) -> Option<EmailAddress> {
    let account = link.listed.or(link.earlier);
    account
        .and_then(|account| account.email().cloned())
        .or_else(|| {
            previous.iter().find_map(|leaver| {
                let mut ids = leaver.account_id.iter();
                let place = ids.position(|id| id == link.account_id)?;
                leaver.account_email.get(place)?.clone()
            })
        })
}

/// Whether a leaver without a date was already in the first feed: nothing shows when work ended.
fn is_dated_by_first_feed(
    person: &Person<'_>,
    feed_since: Option<Timestamp>,
    terms: &Terms,
) -> bool {
    let is_undated = person.standing == Standing::Ended && terms.end_of_work.is_none();
    is_undated && feed_since.is_none_or(|since| terms.first_seen_in_feed <= since)
}

/// Whether HR named the leaver only after access was gone.
fn late_notice(leaver: &Leaver) -> Option<String> {
    let named = leaver.first_seen_in_feed;
    let is_late = leaver
        .first_seen_without_access
        .is_some_and(|gone| gone < named);
    is_late.then(|| {
        format!(
            "named by HR on {}, after access was gone",
            named.strftime("%Y-%m-%d")
        )
    })
}

/// The interval in which access ended: it was there in the last run that saw it and gone in the
/// first complete run that did not. The exact instant in between is unknown.
fn seen(
    inputs: &Inputs,
    links: &[AccountLink<'_>],
    worst: Access,
    previous: &[&Leaver],
    complete: bool,
) -> Interval {
    if worst == Access::Has {
        return Interval {
            last_with: Some(inputs.as_of),
            first_without: None,
        };
    }
    let baseline = inputs.past.baseline.as_ref();
    let is_lost =
        |link: &AccountLink<'_>| link.earlier.is_some_and(|of| of.access() == Access::Has);
    let in_baseline = baseline.filter(|_| links.iter().any(is_lost));
    let gone = links
        .iter()
        .filter_map(|link| baseline?.gone.get(link.account_id));
    let carried = previous
        .iter()
        .filter_map(|leaver| leaver.last_seen_with_access);
    let last_with = carried
        .chain(in_baseline.map(|baseline| baseline.as_of))
        .chain(gone.clone().map(|gone| gone.last_seen_with_access))
        .max();
    let still_without =
        gone_since(previous).filter(|first| last_with.is_none_or(|last| last < *first));
    let since_gone = || {
        let since = gone.map(|gone| gone.first_seen_without_access).max();
        since
            .filter(|_| !links.iter().any(is_lost))
            .filter(|first| last_with.is_none_or(|last| last < *first))
    };
    let first_without = match worst {
        Access::None if complete && !links.is_empty() => {
            let since = still_without.or_else(since_gone);
            Some(since.unwrap_or(inputs.as_of))
        }
        Access::None => still_without,
        Access::Possible | Access::Has => None,
    };
    Interval {
        last_with,
        first_without,
    }
}

/// The instant since which none of these accounts has had access: that of the account that lost it last.
fn gone_since(previous: &[&Leaver]) -> Option<Timestamp> {
    let linked = previous
        .iter()
        .filter(|leaver| !leaver.account_id.is_empty());
    let since: Option<Vec<Timestamp>> = linked
        .map(|leaver| leaver.first_seen_without_access)
        .collect();
    since?.into_iter().max()
}
