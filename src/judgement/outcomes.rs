//! One outcome for each leaver, and the interval in which access ended.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::matching::{Link, Matches};
use super::standing::Standing;
use super::suspicion::Suspicion;
use super::tenures::Person;
use super::{Basis, Inputs, Leaver, MatchKind, Outcome, WithinSla};
use crate::people::{Access, EmailAddress};

/// A leaver with the accounts that the outcome rests on.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) leaver: Leaver,
    /// The worst first, in the order of the leaver's `account_id`.
    pub(super) links: Vec<Link<'a>>,
    pub(super) suspicions: Vec<Suspicion<'a>>,
    /// Accounts whose access an exception covers.
    pub(super) covered: Vec<&'a str>,
    /// Whether work has ended and the deadline has passed.
    pub(super) is_overdue: bool,
    /// The same person in the previous run.
    pub(super) previous: Vec<&'a Leaver>,
}

/// Judges every leaver, the worst outcome first.
pub(super) fn of_everybody<'a>(
    basis: &Basis<'_>,
    people: &[Person<'a>],
    matches: &[Matches<'a>],
    complete: bool,
) -> Vec<Judged<'a>> {
    let mut judged: Vec<Judged<'a>> = people
        .iter()
        .zip(matches)
        .filter(|(person, _)| person.is_leaver())
        .map(|(person, matches)| of_one(basis, person, matches, complete))
        .collect();
    // Stable: people of one outcome stay in their own order.
    judged.sort_by_cached_key(|judged| badness(judged.leaver.outcome));
    judged
}

/// The order a reader wants: what needs a hand first.
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

/// What tonight's list says of a linked account.
fn access(link: &Link<'_>) -> Access {
    // Absent from the list: whether that proves anything is for the caller, who knows `complete`.
    link.listed.map_or(Access::None, |account| account.access())
}

fn of_one<'a>(
    basis: &Basis<'_>,
    person: &Person<'a>,
    matches: &Matches<'a>,
    complete: bool,
) -> Judged<'a> {
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
    let ends = matches!(
        person.standing,
        Standing::Ended | Standing::Upcoming | Standing::Rehired
    );
    let deadline = match (person.standing, person.end_of_work) {
        (Standing::Undecided | Standing::Rescinded, _) => None,
        (_, Some(end)) => Some(later(end, grace)),
        (_, None) => Some(later(first_seen_in_feed, grace)),
    };
    let deadline_from_notice = ends.then(|| {
        let known_by = person
            .end_of_work
            .map_or(first_seen_in_feed, |end| end.max(first_seen_in_feed));
        later(known_by, grace)
    });

    let mut seen = Seen::of(inputs, &links, worst, previous, complete);
    // Nobody HR names any more: a search of a whole list that would have found an account and found
    // none is all there can be.
    let is_missing = person.tenures.is_empty();
    if is_missing
        && complete
        && links.is_empty()
        && matches.suspected_account_id.is_empty()
        && could_match(person, matches, basis)
    {
        seen.first_without = seen.first_without.or(Some(as_of));
    }
    let mut notes = person.notes.clone();
    for suspicion in &matches.suspicions {
        if person.standing == Standing::Ended || is_missing {
            notes.push(format!(
                "account {} may be theirs: {}; an alias row decides",
                suspicion.account.id, suspicion.reason
            ));
        }
    }
    let deadline_passed = deadline.is_some_and(|deadline| as_of > deadline);
    let is_overdue = person.standing == Standing::Ended && deadline_passed;
    notes.extend(recycled(person, &links));
    let mut covered = Vec::new();
    let mut exception_expires: Option<Date> = None;
    if is_overdue && basis.directives.has_exceptions() {
        let named = person.named();
        for link in &links {
            let Some(account) = link.listed.filter(|of| of.access() == Access::Has) else {
                continue;
            };
            let exception = basis.directives.covers_access(&named, account);
            if let Some(exception) = exception {
                covered.push(link.account_id);
                notes.push(format!("account {}: {}", account.id, exception.told()));
                let expires = exception.expires_on;
                exception_expires = Some(exception_expires.map_or(expires, |d| d.min(expires)));
            }
        }
    }
    let not_covered = |link: &&Link<'_>| !covered.contains(&link.account_id);
    let has_uncovered = links
        .iter()
        .filter(not_covered)
        .any(|link| access(link) == Access::Has);
    let has_unknown = links.iter().any(|link| access(link) == Access::Possible);
    let open_suspicion = !matches.suspicions.is_empty();

    let outcome = match person.standing {
        Standing::Rehired => Outcome::Rehired,
        Standing::Rescinded => Outcome::Rescinded,
        Standing::Upcoming => Outcome::Upcoming,
        Standing::Undecided | Standing::Working => Outcome::NotEvaluable,
        Standing::Ended => {
            if has_uncovered && deadline_passed {
                Outcome::StillActive
            } else if !complete {
                notes.push("the run is not complete: absence proves nothing".to_owned());
                Outcome::NotEvaluable
            } else if has_unknown {
                notes.push("an account's status is unknown".to_owned());
                Outcome::NotEvaluable
            } else if open_suspicion {
                Outcome::NotEvaluable
            } else if worst == Access::Has && deadline_passed {
                Outcome::Excepted
            } else if worst == Access::Has {
                Outcome::WithinGrace
            } else if !links.is_empty() {
                Outcome::Removed
            } else if could_match(person, matches, basis) {
                Outcome::NoAccessFound
            } else {
                notes.push(no_key(person).to_owned());
                Outcome::NotEvaluable
            }
        }
    };
    let within = |deadline: Option<Timestamp>| match outcome {
        Outcome::StillActive if deadline.is_some_and(|deadline| as_of > deadline) => WithinSla::No,
        Outcome::Removed => deadline.map_or(WithinSla::Unknown, |deadline| seen.within(deadline)),
        _ => WithinSla::Unknown,
    };

    let leaver = Leaver {
        person_id: person.person_id.clone(),
        name: person.names.first().cloned(),
        emails: person.emails.clone(),
        end_of_work: person.end_of_work,
        deadline,
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
    Judged {
        leaver,
        links,
        suspicions: matches.suspicions.clone(),
        covered,
        is_overdue,
        previous: previous.clone(),
    }
}

/// A span after an instant; at the end of time, the end of time.
fn later(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_add(span).unwrap_or(Timestamp::MAX)
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
        "HR gives no e-mail, and no account carries HR's ids: an account could not have been found"
    } else {
        "no e-mail is in one of the organization's domains: an account could not have been found"
    }
}

/// Accounts that began after work ended: the address may have been given to somebody else since.
/// That is said and excuses nothing: whoever gave it away knows, and can say so by an exception.
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
                "account {} joined on {}, after the end of work: the address may be somebody else's by \
                 now",
                account.id,
                joined.strftime("%Y-%m-%d")
            ))
        })
}

/// The address of a linked account: tonight's, else the last one known.
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
/// first complete run that did not. What happened between the two, nobody saw.
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

/// Since when no account of these was seen with access: since the last of them was.
fn gone_since(previous: &[&Leaver]) -> Option<Timestamp> {
    let linked = previous
        .iter()
        .filter(|leaver| !leaver.account_id.is_empty());
    let since: Option<Vec<Timestamp>> = linked
        .map(|leaver| leaver.first_seen_without_access)
        .collect();
    since?.into_iter().max()
}
