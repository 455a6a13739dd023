//! One outcome for each leaver, and the interval in which access ended.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::columns::reading;
use super::ends::later;
use super::matching::{Link, Matches};
use super::people::Person;
use super::remedies::{Doubt, Remedy};
use super::suspicion::{Reason, Suspicion};
use super::{Basis, FeedScope, Inputs, Leaver, MatchKind, Outcome, Standing, WithinSla};
use crate::people::{Access, Account, EmailAddress, Meaning};

/// A leaver with the accounts that the outcome rests on.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) leaver: Leaver,
    /// The worst first, in the order of the leaver's `account_id`.
    pub(super) links: Vec<Link<'a>>,
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
    pub(super) previous: Vec<&'a Leaver>,
}

/// Judges every leaver, the worst outcome first.
pub(super) fn of_everybody<'a>(
    basis: &Basis<'a>,
    people: &[Person<'a>],
    matches: &[Matches<'a>],
    feed_since: Option<Timestamp>,
    complete: bool,
) -> Vec<Judged<'a>> {
    let judge = Judge {
        basis,
        feed_since,
        complete,
    };
    let mut judged: Vec<Judged<'a>> = people
        .iter()
        .zip(matches)
        .filter(|(person, _)| person.is_leaver())
        .map(|(person, matches)| judge.one(person, matches))
        .collect();
    // Stable: people of one outcome stay in their own order.
    judged.sort_by_cached_key(|judged| badness(judged.leaver.outcome));
    judged
}

/// The order for a reader: outcomes that need action first.
fn badness(outcome: Outcome) -> u8 {
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
fn access(link: &Link<'_>) -> Access {
    // Absent from the list: whether that proves anything is for the caller, who knows `complete`.
    link.listed.map_or(Access::None, |account| account.access())
}

struct Judge<'b, 'a> {
    basis: &'b Basis<'a>,
    feed_since: Option<Timestamp>,
    complete: bool,
}

impl<'a> Judge<'_, 'a> {
    fn one(&self, person: &Person<'a>, matches: &Matches<'a>) -> Judged<'a> {
        let Self {
            basis, complete, ..
        } = *self;
        let inputs = basis.inputs;
        let as_of = inputs.as_of;
        let grace = SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds);
        let previous = &person.previous;

        let mut links = matches.links.clone();
        links.sort_by(|a, b| {
            access(b)
                .cmp(&access(a))
                .then_with(|| a.account_id.cmp(b.account_id))
        });
        let worst = links.iter().map(access).max().unwrap_or(Access::None);

        let first_named = previous.iter().map(|leaver| leaver.first_seen_in_feed);
        let first_seen_in_feed = first_named.min().unwrap_or(as_of);
        let deadline = match (person.standing, person.end_of_work) {
            (Standing::Rescinded | Standing::Working, _) | (Standing::Doubtful, None) => None,
            (_, Some(end)) => Some(later(end, grace)),
            (_, None) => Some(later(first_seen_in_feed, grace)),
        };
        let deadline_from_notice = deadline.map(|_| {
            let known_by = person
                .end_of_work
                .map_or(first_seen_in_feed, |end| end.max(first_seen_in_feed));
            later(known_by, grace)
        });
        let seen = Seen::of(inputs, &links, worst, previous, complete);
        let deadline_passed = deadline.is_some_and(|deadline| as_of > deadline);
        let is_overdue = person.standing == Standing::Ended && deadline_passed;
        let mut notes: Vec<String> = person.notes.iter().chain(&matches.notes).cloned().collect();
        notes.extend(recycled(person, &links));

        let named = person.named();
        let due = deadline.max(deadline_from_notice);
        let mut covered = Vec::new();
        let mut exception_expires: Option<Date> = None;
        if is_overdue && basis.directives.has_exceptions() {
            for link in &links {
                let Some(account) = link.listed.filter(|of| of.access() == Access::Has) else {
                    continue;
                };
                let exception = basis.directives.covers_access(&named, account, due);
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
        let is_open = |link: &&Link<'a>| {
            let is_covered = covered.contains(&link.account_id);
            let is_doubtful = matches.doubtful.contains_key(link.account_id);
            access(link) == Access::Has && !is_covered && !is_doubtful
        };
        let open: Vec<&str> = links
            .iter()
            .filter(is_open)
            .map(|link| link.account_id)
            .collect();
        let mut suspicions = matches.suspicions.clone();
        let doubts = self.doubts(
            person,
            matches,
            &links,
            &mut suspicions,
            first_seen_in_feed,
            due,
        );
        let could_match = could_match(person, matches, basis);
        let is_unreadable = person.rows.iter().any(|row| row.unreadable_address);
        let without_address =
            !could_match && links.is_empty() && suspicions.is_empty() && !is_unreadable;
        // Staff without a mailbox: a complete run saw them work here without an address.
        let never_had_any = inputs.policy.hr_feed_scope == FeedScope::Roster
            && person.worked_without_address()
            && !matches.may_be_namesake;

        let accounts = links.iter().filter_map(|link| link.listed);
        let accounts: Vec<&Account> = accounts
            .chain(suspicions.iter().map(|suspicion| suspicion.account))
            .collect();
        let mut is_accepted = false;
        let outcome = match person.standing {
            Standing::Rehired => Outcome::Rehired,
            Standing::Rescinded => Outcome::Rescinded,
            Standing::Upcoming => Outcome::Upcoming,
            Standing::Working => Outcome::NotEvaluable,
            Standing::Ended if !open.is_empty() && deadline_passed => {
                notes.extend(doubts);
                Outcome::StillActive
            }
            Standing::Ended | Standing::Doubtful if !complete => {
                notes.extend(doubts);
                notes.push("the run is not complete: absence proves nothing".to_owned());
                Outcome::NotEvaluable
            }
            Standing::Ended | Standing::Doubtful if !doubts.is_empty() => {
                match basis.directives.covers_person(&named, &accounts, due) {
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
                if worst == Access::Has && deadline_passed {
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
                    basis.directives.covers_person(&named, &accounts, due)
                {
                    notes.push(format!("accepted, not judged: {}", exception.in_full(due)));
                    exception_expires = Some(exception.expires_on);
                    is_accepted = true;
                    Outcome::Excepted
                } else if let Some(exception) = basis.directives.covers_without_address(&named, due)
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

        let leaver = Leaver {
            person_id: person.person_id.clone(),
            name: person.names.first().cloned(),
            emails: person.emails.clone(),
            end_of_work: person.end_of_work,
            deadline,
            standing: person.standing,
            outcome,
            account_id: links
                .iter()
                .map(|link| link.account_id.to_owned())
                .collect(),
            account_email: links.iter().map(|link| email_of(link, previous)).collect(),
            matched_by: links.iter().map(|link| link.kind).collect(),
            last_seen_with_access: seen.last_with,
            first_seen_without_access: seen.first_without,
            // Without a date from HR the first clock has no start; the second, from notice, has.
            within_sla: match person.end_of_work {
                None if outcome == Outcome::Removed => WithinSla::Unknown,
                _ => within(deadline),
            },
            exception_expires: exception_expires.map(|day| day.to_string()),
            note: notes.join("; "),
            first_seen_in_feed,
            deadline_from_notice,
            within_sla_from_notice: within(deadline_from_notice),
            in_feed: person.in_feed,
            other_person_ids: person.other_person_ids.clone(),
            tenures: person.tenures.clone(),
            suspected_account_id: matches.suspected_account_id.clone(),
        };
        let unread = suspicions.iter().filter(|of| of.reason == Reason::Unread);
        let unread: BTreeSet<&str> = unread.map(|of| of.key.as_str()).collect();
        let cells = person.rows.iter().flat_map(|row| &row.unread);
        let of_addresses =
            cells.filter(|cell| cell.emails.iter().any(|email| unread.contains(email.key())));
        let unread_columns = person.unread_columns.iter().copied();
        Judged {
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
            previous: previous.clone(),
        }
    }

    /// The doubts about a leaver or possible leaver, each with the line that closes it. Removes suspicions that an
    /// exception for the account accepts.
    fn doubts(
        &self,
        person: &Person<'a>,
        matches: &Matches<'a>,
        links: &[Link<'a>],
        suspicions: &mut Vec<Suspicion<'a>>,
        first_seen_in_feed: Timestamp,
        due: Option<Timestamp>,
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
        let named = person.named();
        suspicions.retain(|suspicion| {
            let accepted = self
                .basis
                .directives
                .covers_suspicion(&named, suspicion.account, due);
            accepted.is_none()
        });
        for suspicion in suspicions.iter() {
            doubts.push(suspicion_of(person, suspicion, inputs));
        }
        if let Some(doubt) = person.doubt.as_ref().filter(|_| worst != Access::None) {
            doubts.push(doubt.about(person));
        }
        for link in links.iter().filter(|link| access(link) != Access::None) {
            if let Some(doubt) = matches.doubtful.get(link.account_id) {
                doubts.push(doubt.about(person));
            } else if access(link) == Access::Possible {
                let text = format!("the status of account {} is unknown", link.account_id);
                doubts.push(Doubt::new(text, Remedy::Exception).about(person));
            }
        }
        let since_the_first_run = self
            .feed_since
            .is_none_or(|since| first_seen_in_feed <= since);
        let is_undated = person.standing == Standing::Ended && person.end_of_work.is_none();
        let is_due = due.is_some_and(|due| inputs.as_of > due);
        if is_undated && since_the_first_run && worst == Access::Has && !is_due {
            let text = "was already in the first feed: how long access has lasted is unknown";
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
        }
        if links.is_empty()
            && suspicions.is_empty()
            && person.rows.iter().any(|row| row.unreadable_address)
        {
            let text =
                "an address in HR's row cannot be read, and the other addresses match no account";
            doubts.push(Doubt::new(text, Remedy::Exception).about(person));
        }
        doubts
    }
}

/// The doubt that a suspected account raises, with the line that closes it.
pub(super) fn suspicion_of(
    person: &Person<'_>,
    suspicion: &Suspicion<'_>,
    inputs: &Inputs,
) -> String {
    let Suspicion {
        account,
        reason,
        key,
    } = suspicion;
    let is_nameless = person.person_id.is_none() && person.emails.is_empty();
    let remedy = match reason {
        Reason::Shared => Remedy::Service(account.id.clone()),
        Reason::Unread => {
            let cells = person.rows.iter().flat_map(|row| &row.unread);
            let mut of_it = cells.filter(|cell| {
                let mut emails = cell.emails.iter();
                emails.any(|email| email.key() == key.as_str())
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
        | Reason::Before => Remedy::Different(account.id.clone()),
    };
    let text = format!("account {} may be theirs ({})", account.id, reason.text());
    Doubt::new(text, remedy).about(person)
}

/// Whether an account would have been found if there were one.
fn could_match(person: &Person<'_>, matches: &Matches<'_>, basis: &Basis<'_>) -> bool {
    let is_ours = |email: &EmailAddress| basis.domains.contains(email.domain());
    if matches.id_could_match || person.emails.iter().any(is_ours) {
        return true;
    }
    for line in &matches.aliases_could_match {
        basis.directives.would_have_found(*line);
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
fn recycled<'s>(person: &'s Person<'_>, links: &'s [Link<'_>]) -> impl Iterator<Item = String> {
    let ended = person.end_of_work;
    let by_address = |link: &&Link<'_>| match link.kind {
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
fn email_of(link: &Link<'_>, previous: &[&Leaver]) -> Option<EmailAddress> {
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

/// The interval in which access ended: it was there in the last run that saw it and gone in the
/// first complete run that did not. The exact instant in between is unknown.
struct Seen {
    last_with: Option<Timestamp>,
    first_without: Option<Timestamp>,
}

impl Seen {
    fn of(
        inputs: &Inputs,
        links: &[Link<'_>],
        worst: Access,
        previous: &[&Leaver],
        complete: bool,
    ) -> Self {
        if worst == Access::Has {
            return Self {
                last_with: Some(inputs.as_of),
                first_without: None,
            };
        }
        let in_baseline = inputs.past.baseline.as_ref().filter(|_| {
            links
                .iter()
                .any(|link| link.earlier.is_some_and(|a| a.access() == Access::Has))
        });
        let carried = previous.iter().map(|leaver| leaver.last_seen_with_access);
        let last_with = in_baseline
            .map(|baseline| baseline.as_of)
            .max(carried.max().flatten());
        let still_without =
            gone_since(previous).filter(|first| last_with.is_none_or(|last| last < *first));
        let first_without = match worst {
            Access::None if complete && !links.is_empty() => {
                Some(still_without.unwrap_or(inputs.as_of))
            }
            Access::None => still_without,
            Access::Possible | Access::Has => None,
        };
        Self {
            last_with,
            first_without,
        }
    }

    fn within(&self, deadline: Timestamp) -> WithinSla {
        if self.first_without.is_some_and(|first| first <= deadline) {
            WithinSla::Yes
        } else if self.last_with.is_some_and(|last| last > deadline) {
            WithinSla::No
        } else {
            WithinSla::Unknown
        }
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
