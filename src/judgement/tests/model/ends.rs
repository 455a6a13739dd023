//! When work ends: the table of §5.3, row by row, and the result of all rows of one person.

use jiff::{SignedDuration, Timestamp};

use super::people::{ModelPerson, only_an_id_links};
use crate::judgement::{FeedScope, Inputs};
use crate::model::{Employment, HrRow, Meaning};

/// The meaning of one row at the instant of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ModelRowState {
    Employed,
    /// Work ends in the future.
    Upcoming(Timestamp),
    /// Work has ended; `None` if HR gives no date.
    Left(Option<Timestamp>),
    /// Status and dates contradict each other, or both are missing.
    Contradiction,
}

/// The standing of a person by all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ModelStanding {
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

/// Whether the ends belong to an earlier tenure.
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

pub(super) fn row_state(row: &HrRow, inputs: &Inputs) -> ModelRowState {
    let now = inputs.as_of;
    let is_past = |date: &Timestamp| *date <= now;
    let dates: Vec<Timestamp> = last_day(row).into_iter().chain(termination(row)).collect();
    let past = dates.iter().copied().find(is_past);
    match &row.status {
        Employment::Ended if dates.is_empty() => ModelRowState::Left(None),
        Employment::Ended if dates.iter().all(|date| *date > now + DAY * 400) => {
            ModelRowState::Contradiction
        }
        Employment::Ended => match (past, end(row)) {
            (Some(past), _) => ModelRowState::Left(Some(past)),
            (None, Some(end)) => ModelRowState::Upcoming(end),
            (None, None) => unreachable!("it has dates"),
        },
        Employment::Active | Employment::OnLeave if is_new_tenure(row) => {
            let has_begun = written_start(row).is_some_and(|start| start <= now);
            match (has_begun, past, end(row)) {
                (true, ..) => ModelRowState::Employed,
                (false, Some(past), _) => ModelRowState::Left(Some(past)),
                (false, None, Some(end)) => ModelRowState::Upcoming(end),
                (false, None, None) => unreachable!("it has dates"),
            }
        }
        Employment::Active => match (last_day(row), termination(row), end(row)) {
            (Some(last), Some(later), _) if last <= now && later > now => {
                ModelRowState::Left(Some(last))
            }
            (Some(last), Some(earlier), _) if last > now && earlier <= now => {
                ModelRowState::Contradiction
            }
            (_, _, None) => ModelRowState::Employed,
            (_, _, Some(end)) if end > now => ModelRowState::Upcoming(end),
            (..) if dates
                .iter()
                .any(|date| now.duration_since(*date) <= DAY * 60) =>
            {
                ModelRowState::Contradiction
            }
            (..) => ModelRowState::Employed,
        },
        Employment::OnLeave => match termination(row) {
            None => ModelRowState::Employed,
            Some(end) if end > now => ModelRowState::Upcoming(end),
            Some(_) => ModelRowState::Contradiction,
        },
        // A past date counts, whatever the other date, so that a leaver is never hidden.
        Employment::Blank | Employment::Unclassified(_) => match (past, end(row)) {
            (Some(past), _) => ModelRowState::Left(Some(past)),
            (None, Some(end)) => ModelRowState::Upcoming(end),
            (None, None) => {
                let is_roster = inputs.policy.hr_feed_scope == FeedScope::Roster;
                match is_roster && !has_status_column(inputs) {
                    true => ModelRowState::Employed,
                    false => ModelRowState::Contradiction,
                }
            }
        },
    }
}

/// Whether the tenure has begun. A person who has left must have begun.
fn has_begun(row: &HrRow, now: Timestamp) -> bool {
    row.status == Employment::Ended || start(row).is_none_or(|start| start <= now)
}

/// Whether the row's tenure is running now.
fn runs(row: &HrRow, inputs: &Inputs) -> bool {
    let says_so = matches!(row.status, Employment::Active | Employment::OnLeave);
    has_begun(row, inputs.as_of)
        && match row_state(row, inputs) {
            // With a past end, the status may be out of date. A leave also has a last day.
            ModelRowState::Employed => {
                let is_at_work = row.status != Employment::OnLeave;
                !is_at_work || ends(row).next().is_none() || is_new_tenure(row)
            }
            ModelRowState::Upcoming(_) => match start(row) {
                Some(start) => start <= inputs.as_of,
                None => says_so && written_start(row).is_none(),
            },
            ModelRowState::Left(_) | ModelRowState::Contradiction => false,
        }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Began {
    Later,
    Earlier,
    Unknown,
}

/// The start of the running tenure.
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
        // With another id it may be an old record that HR never closed.
        // A tenure of a day or two is an entry in a history.
        (Some(one), Some(other), Some(end))
            if one < other
                && other + DAY * 2 < end
                && row.person_id.is_some()
                && row.person_id == left.person_id =>
        {
            Began::Earlier
        }
        // From the last day on. The midnights at the beginning and end of a day are 23 to 25 hours apart.
        (Some(one), _, Some(end)) if one + DAY >= end => Began::Later,
        (Some(_), None, Some(_)) | (Some(_), Some(_), _) => Began::Unknown,
        // Without comparable dates, another id is a later tenure.
        _ if row.person_id.is_some()
            && left.person_id.is_some()
            && row.person_id != left.person_id =>
        {
            Began::Later
        }
        _ => Began::Unknown,
    }
}

/// The standing of a person, and when their work ended or ends.
pub(super) fn standing(
    person: &ModelPerson<'_>,
    inputs: &Inputs,
) -> (ModelStanding, Option<Timestamp>) {
    let now = inputs.as_of;
    let begun: Vec<&HrRow> = person
        .rows
        .iter()
        .copied()
        .filter(|row| has_begun(row, now))
        .collect();
    if begun.is_empty() {
        return (ModelStanding::Working, None);
    }
    let rows = &begun;
    let of = |wanted: fn(ModelRowState) -> bool| -> Vec<&HrRow> {
        let all = rows.iter().copied();
        all.filter(|row| wanted(row_state(row, inputs))).collect()
    };
    let lefts = of(|state| matches!(state, ModelRowState::Left(_)));
    let doubts = of(|state| state == ModelRowState::Contradiction);
    let upcoming = of(|state| matches!(state, ModelRowState::Upcoming(_)));
    let until = upcoming
        .iter()
        .filter_map(|row| match row_state(row, inputs) {
            ModelRowState::Upcoming(end) => Some(end),
            _ => None,
        });
    let until = until.max();
    let runners: Vec<&HrRow> = rows
        .iter()
        .copied()
        .filter(|row| runs(row, inputs))
        .collect();
    // Compares each running tenure with all ended ones.
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
            return (ModelStanding::Doubtful, None);
        }
        return match until {
            Some(until) => (ModelStanding::Upcoming, Some(until)),
            None => (ModelStanding::Working, None),
        };
    }

    let ended = lefts.iter().map(|row| match row_state(row, inputs) {
        ModelRowState::Left(end) => end,
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
        return (ModelStanding::Rehired, ended);
    }
    let goes_on = runners
        .iter()
        .find(|runner| all(&lefts, runner, Began::Earlier));
    if let Some(runner) = goes_on {
        return match row_state(runner, inputs) {
            ModelRowState::Upcoming(until) => (ModelStanding::Upcoming, Some(until)),
            _ => (ModelStanding::Working, None),
        };
    }
    let may_have_returned =
        |row: &&HrRow| lefts.iter().all(|left| began(row, left) == Began::Later);
    if !runners.is_empty() || doubts.iter().any(may_have_returned) {
        return (ModelStanding::Doubtful, None);
    }
    (ModelStanding::Left, ended)
}

/// Whether a person is employed at the instant of the run.
pub(super) fn is_employed(person: &ModelPerson<'_>, inputs: &Inputs) -> bool {
    let (standing, _) = standing(person, inputs);
    let works = matches!(
        standing,
        ModelStanding::Working | ModelStanding::Rehired | ModelStanding::Upcoming
    );
    works && person.rows.iter().any(|row| has_begun(row, inputs.as_of))
}

/// Whether rows show a person who is or will be employed, by the status or because all dates are in the future.
fn show_employed(rows: &[&HrRow], inputs: &Inputs) -> bool {
    rows.iter().any(|row| {
        let mut ends = last_day(row).into_iter().chain(termination(row));
        let are_to_come = ends.all(|end| end > inputs.as_of);
        match row.status {
            Employment::Active | Employment::OnLeave => {
                is_new_tenure(row) || !matches!(row_state(row, inputs), ModelRowState::Left(_))
            }
            Employment::Ended => end(row).is_some() && are_to_come,
            Employment::Blank | Employment::Unclassified(_) => are_to_come,
        }
    })
}

/// The known time of employment, from start to end. It needs a start in every row.
fn known_time(rows: &[&HrRow], inputs: &Inputs) -> Option<(Timestamp, Timestamp)> {
    let starts: Option<Vec<Timestamp>> = rows
        .iter()
        .map(|row| row.start.as_ref().map(|start| start.at))
        .collect();
    let start = starts?.into_iter().min()?;
    if show_employed(rows, inputs) {
        return Some((start, Timestamp::MAX));
    }
    Some((start, rows.iter().filter_map(|row| end(row)).max()?))
}

/// Whether two people with one address are employed at the same time: both are now, or their known times overlap.
pub(super) fn overlap(one: &[&HrRow], other: &[&HrRow], inputs: &Inputs) -> bool {
    let times = known_time(one, inputs).zip(known_time(other, inputs));
    show_employed(one, inputs) && show_employed(other, inputs)
        || times.is_some_and(|(a, b)| a.0 < b.1 && b.0 < a.1)
}

pub(super) fn is_or_will_be_employed(rows: &[&HrRow], inputs: &Inputs) -> bool {
    show_employed(rows, inputs)
}

/// The latest date that HR gives for a person.
pub(super) fn latest_date(rows: &[&HrRow]) -> Option<Timestamp> {
    let start = |row: &HrRow| row.start.as_ref().map(|start| start.at);
    let dates = rows.iter().flat_map(|row| ends(row).chain(start(row)));
    dates.max()
}

/// Whether a person begins when another ends: at most 31 days before the end, at the latest the day after it.
/// A person who began long before that is a colleague, whatever a later row shows.
pub(super) fn is_transfer(from: &[&HrRow], to: &[&HrRow]) -> bool {
    let end = from.iter().filter_map(|row| end(row)).max();
    let start = to.iter().filter_map(|row| running_start(row)).min();
    let dates = end.zip(start);
    dates.is_some_and(|(end, start)| end - DAY * 31 <= start && start <= end)
}
