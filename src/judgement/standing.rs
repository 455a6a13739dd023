//! Where somebody stands: what HR's rows say when put together, at the instant of the run.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Leaver, Outcome};
use crate::people::{Employment, HrDate, HrRow};

/// What HR's rows say of a person when put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Works here, and was no leaver.
    Working,
    /// Left, and a later tenure runs.
    Rehired,
    /// Was named as a leaver; the feed now says active.
    Rescinded,
    /// Work ends later.
    Upcoming,
    /// Work has ended.
    Ended,
    /// Neither a date nor a status we know.
    Undecided,
}

/// What one row says at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Works here now.
    Working,
    /// Will begin.
    NotBegun,
    /// Works here until then.
    Until(Timestamp),
    /// Has left, then.
    Left(Timestamp),
    /// Has left; HR gives no date.
    LeftUndated,
    /// Neither date nor a status we know.
    Nothing,
}

impl Says {
    fn is_left(self) -> bool {
        matches!(self, Self::Left(_) | Self::LeftUndated)
    }
}

fn says(row: &HrRow, as_of: Timestamp) -> Says {
    let begun = has_begun(row, as_of);
    let end = row.end_of_work().map(|end| end.at);
    match (&row.status, end) {
        (_, Some(end)) if end > as_of => Says::Until(end),
        // The status wins over a date that has passed: dates of earlier tenures stay in HR systems.
        (Employment::Active | Employment::OnLeave, _) if begun => Says::Working,
        (Employment::Active | Employment::OnLeave, _) => Says::NotBegun,
        (_, Some(end)) => Says::Left(end),
        (Employment::Ended, None) => Says::LeftUndated,
        (Employment::Unclassified(_) | Employment::Blank, None) => Says::Nothing,
    }
}

/// Whether a tenure has begun; one without a start has.
fn has_begun(row: &HrRow, as_of: Timestamp) -> bool {
    row.start.as_ref().is_none_or(|start| start.at <= as_of)
}

/// Where somebody stands, and by which row.
#[derive(Debug)]
pub(super) struct Decision<'r> {
    pub(super) standing: Standing,
    /// When work ended or ends.
    pub(super) end_of_work: Option<Timestamp>,
    /// The row that decides.
    pub(super) row: &'r HrRow,
    /// The id of the tenure that ended, where HR shows only a later one.
    pub(super) ended_as: Option<String>,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
}

/// Puts one person's rows together with what the previous run said of them.
pub(super) fn decide<'r>(
    rows: &[&'r HrRow],
    previous: &[&Leaver],
    as_of: Timestamp,
) -> Decision<'r> {
    let said: Vec<(Says, &HrRow)> = rows.iter().map(|row| (says(row, as_of), *row)).collect();
    let rows_that = |wanted: fn(&Says) -> bool| said.iter().filter(move |(says, _)| wanted(says));

    // The latest end counts, since work went on until then; an undated one only where no other is.
    let left = said
        .iter()
        .filter_map(|(says, row)| match says {
            Says::Left(end) => Some((Some(*end), *row)),
            Says::LeftUndated => Some((None, *row)),
            _ => None,
        })
        .max_by_key(|(end, _)| *end);
    // A tenure that will begin and end later tells nothing of somebody who has left.
    let had_left = previous.iter().find(|leaver| has_left(leaver, as_of));
    let still_told = || previous.iter().find(|of| of.outcome != Outcome::Rescinded);
    let until = said
        .iter()
        .filter_map(|(says, row)| match says {
            Says::Until(end) => Some((*end, *row)),
            _ => None,
        })
        .filter(|(_, row)| had_left.is_none() || has_begun(row, as_of))
        .max_by_key(|(end, _)| *end);
    let works = rows_that(|says| *says == Says::Working)
        .map(|(_, row)| *row)
        .next();
    let undecided = rows_that(|says| *says == Says::Nothing)
        .map(|(_, row)| *row)
        .next();
    let runs_now = |(says, row): &&(Says, &HrRow)| match says {
        Says::Working => true,
        // A tenure with an end to come runs if its status says so, or its start has passed.
        Says::Until(_) => {
            let begun = row.start.as_ref().map(|start| start.at <= as_of);
            begun.unwrap_or(row.status == Employment::Active)
        }
        Says::NotBegun | Says::Left(_) | Says::LeftUndated | Says::Nothing => false,
    };

    let mut notes = Vec::new();
    // A later tenure that HR shows only now, under the id of the one that ended.
    let mut ended_as: Option<String> = None;
    let (standing, end_of_work, row) = if let Some((end, row)) = left {
        // Later than every tenure that ended: an old row of one id must not hide who left behind
        // another id of theirs.
        let returned = said.iter().filter(runs_now).any(|(_, other)| {
            let mut ended = said.iter().filter(|(says, _)| says.is_left());
            ended.all(|(_, left)| is_later(other, left))
        });
        if returned {
            (Standing::Rehired, end, row)
        } else if works.is_some() {
            notes.push(
                "HR says both active and ended for one id, and no start tells which is later"
                    .to_owned(),
            );
            (Standing::Undecided, None, row)
        } else {
            (Standing::Ended, end, row)
        }
    } else if let Some((end, row)) = until {
        (Standing::Upcoming, Some(end), row)
    } else if let Some(row) = works {
        let lapsed = rows_that(|says| *says == Says::Working).find(|(_, row)| {
            let mut previous = previous.iter();
            previous.any(|leaver| has_let_an_end_pass(row, leaver))
        });
        if let Some((_, row)) = lapsed {
            notes.push(
                "the end of work that HR had announced has passed, and HR still says active"
                    .to_owned(),
            );
            let end = row.end_of_work().map(|end| end.at);
            (Standing::Undecided, end, *row)
        } else if let Some(leaver) = previous.first() {
            let (standing, end) = came_back(leaver, row);
            if standing == Standing::Rehired {
                ended_as.clone_from(&leaver.person_id);
            }
            (standing, end, row)
        } else {
            (Standing::Working, None, row)
        }
    } else if let Some(row) = undecided {
        (Standing::Undecided, None, row)
    } else if let Some(leaver) = had_left.or_else(still_told).or(previous.first()) {
        // Only a tenure that has not begun: until it does, they have left.
        ended_as.clone_from(&leaver.person_id);
        match as_last_told(leaver, as_of) {
            (Standing::Rehired, end) => (Standing::Ended, end, rows[0]),
            (standing, end) => (standing, end, rows[0]),
        }
    } else {
        (Standing::Working, None, rows[0])
    };

    notes.extend(doubts(rows, &said, (standing, end_of_work, row)));
    if standing == Standing::Undecided && left.is_none() && end_of_work.is_none() {
        notes.push("HR gives neither a date nor a status that is known".to_owned());
    }
    Decision {
        standing,
        end_of_work,
        row,
        ended_as,
        notes,
    }
}

/// What in the rows a reader should know, whatever was decided.
fn doubts(
    rows: &[&HrRow],
    said: &[(Says, &HrRow)],
    (standing, end_of_work, row): (Standing, Option<Timestamp>, &HrRow),
) -> Vec<String> {
    let mut notes = Vec::new();
    let ends: BTreeSet<Timestamp> = said
        .iter()
        .filter_map(|(says, other)| match says {
            Says::Left(end) | Says::Until(end) if other.person_id == row.person_id => Some(*end),
            _ => None,
        })
        .collect();
    if standing != Standing::Rehired && ends.len() > 1 {
        notes.push(format!(
            "HR gives {} different ends of work for the same id; the latest that has passed counts",
            ends.len()
        ));
    }
    if standing == Standing::Ended && end_of_work.is_none() {
        notes.push("terminated without a date: counts as ended when HR first named the person; the time to removal cannot be computed".to_owned());
    }
    if let Some(word) = rows.iter().find_map(|row| match &row.status {
        Employment::Unclassified(word) => Some(word),
        _ => None,
    }) {
        notes.push(format!(
            "the status `{word}` is not known; judged by the dates"
        ));
    }
    notes
}

/// Whether a tenure that runs is another and later one than the one that ended.
///
/// Its start says so, where there is one to compare: an old row that HR never closed must not hide who
/// left. Without a start, two ids are two tenures; one id must show that it began anew.
fn is_later(running: &HrRow, left: &HrRow) -> bool {
    let ended = left.end_of_work().map(|end| end.at);
    let began = left.start.as_ref().map(|start| start.at);
    if let Some(start) = &running.start
        && (ended.is_some() || began.is_some())
    {
        return began.is_some_and(|began| start.at > began)
            || ended.is_some_and(|ended| begins_at(start, ended));
    }
    match (&running.person_id, &left.person_id) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// Whether a tenure follows an end. A start is the midnight that opens its day and an end the one
/// that closes it, so both on one day lie a day apart, of 25 hours at most.
fn begins_at(start: &HrDate, end: Timestamp) -> bool {
    end.duration_since(start.at) <= SignedDuration::from_hours(25)
}

/// Somebody the previous run had as a leaver, and whose rows now only say active.
fn came_back(leaver: &Leaver, row: &HrRow) -> (Standing, Option<Timestamp>) {
    let follows = match (&row.start, leaver.end_of_work) {
        (Some(start), Some(end)) => begins_at(start, end),
        _ => false,
    };
    let other_tenure =
        leaver.person_id.is_some() && row.person_id.is_some() && leaver.person_id != row.person_id;
    if follows || other_tenure || leaver.outcome == Outcome::Rehired {
        (Standing::Rehired, leaver.end_of_work)
    } else {
        (Standing::Rescinded, None)
    }
}

/// Whether an end that HR had announced has passed while HR goes on saying active. The status wins over
/// old dates, but here HR had said that it would not; only an end that is taken back or put off, or a
/// tenure that begins anew, takes it back.
fn has_let_an_end_pass(row: &HrRow, leaver: &Leaver) -> bool {
    let waits = leaver.outcome == Outcome::NotEvaluable
        && leaver.deadline.is_none()
        && leaver.end_of_work.is_some();
    let was_announced = leaver.outcome == Outcome::Upcoming || waits;
    let begins_anew = row
        .start
        .as_ref()
        .zip(leaver.end_of_work)
        .is_some_and(|(start, end)| begins_at(start, end));
    was_announced && row.end_of_work().is_some() && !begins_anew
}

fn has_left(leaver: &Leaver, as_of: Timestamp) -> bool {
    match as_last_told(leaver, as_of).0 {
        Standing::Ended | Standing::Rehired => true,
        Standing::Working | Standing::Rescinded | Standing::Upcoming | Standing::Undecided => false,
    }
}

/// How a leaver stands whom HR tells nothing new of.
pub(super) fn as_last_told(leaver: &Leaver, as_of: Timestamp) -> (Standing, Option<Timestamp>) {
    let standing = match (leaver.outcome, leaver.end_of_work) {
        (Outcome::Rehired, _) => Standing::Rehired,
        (Outcome::Rescinded, _) => Standing::Rescinded,
        (_, Some(end)) if end > as_of => Standing::Upcoming,
        (_, Some(_)) => Standing::Ended,
        // Without a date, only a deadline tells a terminated person from one HR said nothing of.
        (_, None) if leaver.deadline.is_some() => Standing::Ended,
        (_, None) => Standing::Undecided,
    };
    (standing, leaver.end_of_work)
}
