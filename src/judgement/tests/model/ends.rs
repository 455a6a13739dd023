//! When work ends: the table of §5.3, row by row, and what the rows of one person say together.

use jiff::{SignedDuration, Timestamp};

use super::people::{ModelPerson, only_an_id_links};
use crate::judgement::{FeedScope, Inputs};
use crate::model::{Employment, HrRow, Meaning};

/// What one row says at the instant of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ModelSays {
    Employed,
    /// Work ends later.
    Upcoming(Timestamp),
    /// Work has ended; `None` if HR gives no date.
    Left(Option<Timestamp>),
    /// Status and dates contradict each other, or both are missing.
    Contradiction,
}

/// What all rows of a person say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stands {
    Working,
    Rehired,
    Upcoming,
    Left,
    Doubtful,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn ends(row: &HrRow) -> impl Iterator<Item = Timestamp> {
    row.last_day.iter().chain(&row.end).map(|date| date.at)
}

fn written_start(row: &HrRow) -> Option<Timestamp> {
    row.start.as_ref().map(|start| start.at)
}

/// Whether the start is after all ends of the row.
fn begins_after_its_ends(row: &HrRow) -> bool {
    let mut ends = ends(row).peekable();
    ends.peek().is_some() && written_start(row).is_some_and(|start| ends.all(|end| end <= start))
}

/// Whether the ends are of an earlier tenure that HR left in the row.
fn is_new_tenure(row: &HrRow) -> bool {
    matches!(row.status, Employment::Active | Employment::OnLeave) && begins_after_its_ends(row)
}

/// The first day, unless it is after all ends of the row.
pub(super) fn start(row: &HrRow) -> Option<Timestamp> {
    written_start(row).filter(|_| !begins_after_its_ends(row))
}

/// The last day of work, unless it is before the start.
fn last_day(row: &HrRow) -> Option<Timestamp> {
    let last_day = row.last_day.as_ref()?.at;
    start(row)
        .is_none_or(|start| last_day > start)
        .then_some(last_day)
}

fn termination(row: &HrRow) -> Option<Timestamp> {
    row.end.as_ref().map(|date| date.at)
}

pub(super) fn end(row: &HrRow) -> Option<Timestamp> {
    last_day(row).or(termination(row))
}

fn has_status_column(inputs: &Inputs) -> bool {
    let columns = &inputs.hr.origin.columns;
    columns
        .iter()
        .any(|column| column.meaning == Meaning::Status)
}

pub(super) fn says(row: &HrRow, inputs: &Inputs) -> ModelSays {
    let now = inputs.as_of;
    let is_past = |date: &Timestamp| *date <= now;
    let dates: Vec<Timestamp> = last_day(row).into_iter().chain(termination(row)).collect();
    let past = dates.iter().copied().find(is_past);
    match &row.status {
        Employment::Ended if dates.is_empty() => ModelSays::Left(None),
        Employment::Ended if dates.iter().all(|date| *date > now + DAY * 400) => {
            ModelSays::Contradiction
        }
        Employment::Ended => match (past, end(row)) {
            (Some(past), _) => ModelSays::Left(Some(past)),
            (None, Some(end)) => ModelSays::Upcoming(end),
            (None, None) => unreachable!("it has dates"),
        },
        Employment::Active | Employment::OnLeave if is_new_tenure(row) => {
            let has_begun = written_start(row).is_some_and(|start| start <= now);
            match (has_begun, past, end(row)) {
                (true, ..) => ModelSays::Employed,
                (false, Some(past), _) => ModelSays::Left(Some(past)),
                (false, None, Some(end)) => ModelSays::Upcoming(end),
                (false, None, None) => unreachable!("it has dates"),
            }
        }
        Employment::Active => match (last_day(row), termination(row), end(row)) {
            (Some(last), Some(later), _) if last <= now && later > now => {
                ModelSays::Left(Some(last))
            }
            (Some(last), Some(earlier), _) if last > now && earlier <= now => {
                ModelSays::Contradiction
            }
            (_, _, None) => ModelSays::Employed,
            (_, _, Some(end)) if end > now => ModelSays::Upcoming(end),
            (..) if dates
                .iter()
                .any(|date| now.duration_since(*date) <= DAY * 60) =>
            {
                ModelSays::Contradiction
            }
            (..) => ModelSays::Employed,
        },
        Employment::OnLeave => match termination(row) {
            None => ModelSays::Employed,
            Some(end) if end > now => ModelSays::Upcoming(end),
            Some(_) => ModelSays::Contradiction,
        },
        // A date that has passed counts, whatever the other says: nothing must hide a leaver.
        Employment::Blank | Employment::Unclassified(_) => match (past, end(row)) {
            (Some(past), _) => ModelSays::Left(Some(past)),
            (None, Some(end)) => ModelSays::Upcoming(end),
            (None, None) => {
                let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
                match is_roster && !has_status_column(inputs) {
                    true => ModelSays::Employed,
                    false => ModelSays::Contradiction,
                }
            }
        },
    }
}

/// Whether the tenure has begun. Nobody has left who never began.
fn has_begun(row: &HrRow, now: Timestamp) -> bool {
    row.status == Employment::Ended || start(row).is_none_or(|start| start <= now)
}

/// Whether the row's tenure runs now.
fn runs(row: &HrRow, inputs: &Inputs) -> bool {
    let says_so = matches!(row.status, Employment::Active | Employment::OnLeave);
    has_begun(row, inputs.as_of)
        && match says(row, inputs) {
            // An end that has passed leaves a status that may not have been changed. Leave has a last day, too.
            ModelSays::Employed => {
                let is_at_work = row.status != Employment::OnLeave;
                !is_at_work || ends(row).next().is_none() || is_new_tenure(row)
            }
            ModelSays::Upcoming(_) => match start(row) {
                Some(start) => start <= inputs.as_of,
                None => says_so && written_start(row).is_none(),
            },
            ModelSays::Left(_) | ModelSays::Contradiction => false,
        }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Began {
    Later,
    Earlier,
    Unknown,
}

/// The start of the tenure that runs.
fn running_start(row: &HrRow) -> Option<Timestamp> {
    match is_new_tenure(row) {
        true => written_start(row),
        false => start(row),
    }
}

/// Whether a tenure began later than one that ended.
fn began(row: &HrRow, left: &HrRow) -> Began {
    match (running_start(row), start(left), end(left)) {
        (Some(one), Some(other), _) if one > other => Began::Later,
        // Under another id it may be an old record that nobody closed.
        // One of a day or two is an entry in a history.
        (Some(one), Some(other), Some(end))
            if one < other
                && other + DAY * 2 < end
                && row.person_id.is_some()
                && row.person_id == left.person_id =>
        {
            Began::Earlier
        }
        // From the last day on: the midnights that open and close a day are 23 to 25 hours apart.
        (Some(one), _, Some(end)) if one + DAY >= end => Began::Later,
        (Some(_), None, Some(_)) | (Some(_), Some(_), _) => Began::Unknown,
        // Without dates that compare, another id is a later one.
        _ if row.person_id.is_some()
            && left.person_id.is_some()
            && row.person_id != left.person_id =>
        {
            Began::Later
        }
        _ => Began::Unknown,
    }
}

/// How a person stands, and when their work ended or ends.
pub(super) fn stands(person: &ModelPerson<'_>, inputs: &Inputs) -> (Stands, Option<Timestamp>) {
    let now = inputs.as_of;
    let begun: Vec<&HrRow> = person
        .rows
        .iter()
        .copied()
        .filter(|row| has_begun(row, now))
        .collect();
    if begun.is_empty() {
        return (Stands::Working, None);
    }
    let rows = &begun;
    let of = |wanted: fn(ModelSays) -> bool| -> Vec<&HrRow> {
        let all = rows.iter().copied();
        all.filter(|row| wanted(says(row, inputs))).collect()
    };
    let lefts = of(|says| matches!(says, ModelSays::Left(_)));
    let doubts = of(|says| says == ModelSays::Contradiction);
    let upcoming = of(|says| matches!(says, ModelSays::Upcoming(_)));
    let until = upcoming.iter().filter_map(|row| match says(row, inputs) {
        ModelSays::Upcoming(end) => Some(end),
        _ => None,
    });
    let until = until.max();
    let runners: Vec<&HrRow> = rows
        .iter()
        .copied()
        .filter(|row| runs(row, inputs))
        .collect();
    // How each running tenure compares with all that ended.
    let compared = |ended: &[&HrRow], runner: &HrRow| -> Vec<Began> {
        let with = |left: &&HrRow| {
            let overlaps = match (running_start(runner), end(left), start(left)) {
                (Some(start), Some(end), _) => start + DAY < end,
                (Some(one), None, Some(other)) => one < other,
                _ => false,
            };
            match overlaps && only_an_id_links(runner, left) {
                true => Began::Unknown,
                false => began(runner, left),
            }
        };
        ended.iter().map(with).collect()
    };

    if lefts.is_empty() {
        let is_clear = |runner: &&HrRow| {
            let began = compared(&doubts, runner);
            began.iter().all(|began| *began == Began::Later)
                || began.iter().all(|began| *began == Began::Earlier)
        };
        if !doubts.is_empty() && !runners.iter().any(is_clear) {
            return (Stands::Doubtful, None);
        }
        return match until {
            Some(until) => (Stands::Upcoming, Some(until)),
            None => (Stands::Working, None),
        };
    }

    let ended = lefts.iter().map(|row| match says(row, inputs) {
        ModelSays::Left(end) => end,
        _ => None,
    });
    let ended = ended.max().flatten();
    let over: Vec<&HrRow> = lefts.iter().chain(&doubts).copied().collect();
    let all = |ended: &[&HrRow], runner: &HrRow, wanted: Began| {
        compared(ended, runner).iter().all(|began| *began == wanted)
    };
    if runners
        .iter()
        .any(|runner| all(&over, runner, Began::Later))
    {
        return (Stands::Rehired, ended);
    }
    let goes_on = runners
        .iter()
        .find(|runner| all(&lefts, runner, Began::Earlier));
    if let Some(runner) = goes_on {
        return match says(runner, inputs) {
            ModelSays::Upcoming(until) => (Stands::Upcoming, Some(until)),
            _ => (Stands::Working, None),
        };
    }
    let may_have_returned =
        |row: &&HrRow| lefts.iter().all(|left| began(row, left) == Began::Later);
    if !runners.is_empty() || doubts.iter().any(may_have_returned) {
        return (Stands::Doubtful, None);
    }
    (Stands::Left, ended)
}

/// Whether a person works here at the instant of the run.
pub(super) fn is_employed(person: &ModelPerson<'_>, inputs: &Inputs) -> bool {
    let (stands, _) = stands(person, inputs);
    let works = matches!(stands, Stands::Working | Stands::Rehired | Stands::Upcoming);
    works && person.rows.iter().any(|row| has_begun(row, inputs.as_of))
}

/// Whether rows say that somebody works here or will: by the status, or by dates that are all to come.
fn say_employed(rows: &[&HrRow], inputs: &Inputs) -> bool {
    rows.iter().any(|row| {
        let mut ends = last_day(row).into_iter().chain(termination(row));
        let are_to_come = ends.all(|end| end > inputs.as_of);
        match row.status {
            Employment::Active | Employment::OnLeave => {
                is_new_tenure(row) || !matches!(says(row, inputs), ModelSays::Left(_))
            }
            Employment::Ended => end(row).is_some() && are_to_come,
            Employment::Blank | Employment::Unclassified(_) => are_to_come,
        }
    })
}

/// The known time of employment: from when, until when. It needs a start in every row.
fn known_time(rows: &[&HrRow], inputs: &Inputs) -> Option<(Timestamp, Timestamp)> {
    let starts: Option<Vec<Timestamp>> = rows
        .iter()
        .map(|row| row.start.as_ref().map(|start| start.at))
        .collect();
    let start = starts?.into_iter().min()?;
    if say_employed(rows, inputs) {
        return Some((start, Timestamp::MAX));
    }
    Some((start, rows.iter().filter_map(|row| end(row)).max()?))
}

/// Whether two people with one address work here at one time: both do now, or their known times overlap.
pub(super) fn overlap(one: &[&HrRow], other: &[&HrRow], inputs: &Inputs) -> bool {
    let times = known_time(one, inputs).zip(known_time(other, inputs));
    say_employed(one, inputs) && say_employed(other, inputs)
        || times.is_some_and(|(a, b)| a.0 < b.1 && b.0 < a.1)
}

pub(super) fn is_said_to_work(rows: &[&HrRow], inputs: &Inputs) -> bool {
    say_employed(rows, inputs)
}

/// The latest date that HR gives for a person.
pub(super) fn latest_date(rows: &[&HrRow]) -> Option<Timestamp> {
    let start = |row: &HrRow| row.start.as_ref().map(|start| start.at);
    let dates = rows.iter().flat_map(|row| ends(row).chain(start(row)));
    dates.max()
}

/// Whether somebody begins as another ends: at most 31 days before the end, at latest the day after it.
/// Who began long before that is a colleague, whatever a later row says.
pub(super) fn is_transfer(from: &[&HrRow], to: &[&HrRow]) -> bool {
    let end = from.iter().filter_map(|row| end(row)).max();
    let start = to.iter().filter_map(|row| running_start(row)).min();
    let dates = end.zip(start);
    dates.is_some_and(|(end, start)| end - DAY * 31 <= start && start <= end)
}
