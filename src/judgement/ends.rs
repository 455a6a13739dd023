//! When work ends, by the HR rows of one person at the instant of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::remedies::{Doubt, Remedy};
use super::{FeedScope, Inputs, Leaver, Outcome, Standing};
use crate::model::{Employment, HrDate, HrRow, Meaning, NameWords, quoted};

/// An end of work further ahead than this is a placeholder for no end.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// If the status is employed, an end further back than this belongs to an earlier tenure.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(60 * 24);

/// The rules for reading rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// Additional status words with their meaning, from `HR_FEED_STATUSES`.
    statuses: &'a BTreeMap<String, String>,
    pub(super) as_of: Timestamp,
    /// How long access may last after the end of work.
    pub(super) grace: SignedDuration,
    /// Whether a row without status and dates means employed. It does in a roster without a status column.
    blank_is_employed: bool,
}

impl<'a> Rules<'a> {
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        let mut columns = inputs.hr.origin.columns.iter();
        let has_status = columns.any(|column| column.meaning == Meaning::Status);
        Self {
            statuses: &inputs.policy.hr_feed_statuses,
            as_of: inputs.as_of,
            grace: SignedDuration::from_secs(inputs.policy.offboarding_grace_seconds),
            blank_is_employed: !has_status && inputs.policy.hr_feed_scope == FeedScope::Roster,
        }
    }
}

impl Rules<'_> {
    /// The value of `HR_FEED_STATUSES` that also gives this word a meaning.
    fn with_status(&self, word: &str) -> String {
        let statuses = self.statuses.iter();
        let known = statuses.map(|(word, means)| format!("{word}={means},"));
        format!(
            "{}{word}=<employed, on_leave or left>",
            String::from_iter(known)
        )
    }
}

/// The meaning of one row at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RowState {
    /// Employed now.
    Working,
    /// The tenure begins in the future.
    NotBegun,
    /// Employed until this instant, which is in the future.
    Until(Timestamp),
    /// Has left, at this instant if HR gives a date.
    Left(Option<Timestamp>),
    /// Status and dates contradict each other, or are missing.
    Doubtful(Option<Timestamp>, Doubt),
}

fn doubtful(end: Option<Timestamp>, text: impl Into<String>) -> RowState {
    RowState::Doubtful(end, Doubt::new(text, Remedy::Exception))
}

/// The meaning of a row. `announced` is true if an earlier run already had the end of work.
fn row_state(row: &HrRow, announced: bool, rules: Rules<'_>) -> RowState {
    let Rules { as_of, grace, .. } = rules;
    let last_day = last_day(row).map(|day| day.at);
    let end = row.end.as_ref().map(|end| end.at);
    let dates = || [last_day, end].into_iter().flatten();
    if !has_begun(row, as_of) {
        return RowState::NotBegun;
    }
    let passed = dates().find(|date| *date <= as_of);
    let to_come = dates().find(|date| *date > as_of);
    match &row.status {
        Employment::Ended => match (passed, to_come) {
            (Some(passed), _) => RowState::Left(Some(passed)),
            (None, Some(_)) if dates().all(|date| date.duration_since(as_of) > FAR_AHEAD) => {
                doubtful(
                    None,
                    "the status is left, but the date is more than 400 days ahead",
                )
            }
            (None, Some(date)) => RowState::Until(date),
            (None, None) => RowState::Left(None),
        },
        _ if is_new_tenure(row) => {
            let has_begun = row.start.as_ref().is_some_and(|start| start.at <= as_of);
            match (has_begun, passed, to_come) {
                (false, Some(passed), _) => RowState::Left(Some(passed)),
                (false, None, Some(date)) => RowState::Until(date),
                (true, ..) | (false, None, None) => RowState::Working,
            }
        }
        Employment::Active => match (last_day, end) {
            // Garden leave: employed, but no longer at work.
            (Some(last_day), Some(end)) if last_day <= as_of && end > as_of => {
                RowState::Left(Some(last_day))
            }
            (Some(last_day), Some(end)) if end <= as_of && last_day > as_of => doubtful(
                Some(end),
                "the status is employed and the termination date has passed, but the last day is in the future",
            ),
            _ => match last_day.or(end) {
                None => RowState::Working,
                Some(date) if date > as_of => RowState::Until(date),
                Some(date) if announced && as_of <= later(date, grace) => {
                    RowState::Left(Some(date))
                }
                Some(date) if announced => doubtful(
                    Some(date),
                    "the announced end of work has passed, but the status is still employed",
                ),
                Some(date) if dates().any(|end| as_of.duration_since(end) <= LONG_AGO) => doubtful(
                    Some(date),
                    "the status is employed, but the end of work passed at most 60 days ago",
                ),
                Some(_) => RowState::Working,
            },
        },
        Employment::OnLeave => match end {
            None => RowState::Working,
            Some(end) if end > as_of => RowState::Until(end),
            Some(end) => doubtful(
                Some(end),
                "the status is on leave, but the termination date has passed",
            ),
        },
        Employment::Unclassified(_) | Employment::Blank => match (passed, to_come) {
            (Some(passed), _) => RowState::Left(Some(passed)),
            (None, Some(date)) => RowState::Until(date),
            (None, None) => match &row.status {
                Employment::Unclassified(word) => {
                    let word_quoted = quoted(word);
                    let text =
                        format!("the status {word_quoted} is unknown, and the row has no date");
                    RowState::Doubtful(
                        None,
                        Doubt::new(text, Remedy::Statuses(rules.with_status(word))),
                    )
                }
                _ if rules.blank_is_employed => RowState::Working,
                _ => doubtful(None, "HR gives neither a status nor a date"),
            },
        },
    }
}

/// The start of the tenure that ends in a row. A start after every end belongs to a later tenure, or is a typing error.
fn start(row: &HrRow) -> Option<&HrDate> {
    let ends = || [&row.last_day, &row.end].into_iter().flatten();
    // An end is the midnight that opens the day after.
    let is_after_all =
        |start: &HrDate| ends().next().is_some() && ends().all(|end| end.at <= start.at);
    row.start.as_ref().filter(|start| !is_after_all(start))
}

/// Whether a tenure has begun. With the status left it has begun, whatever the start date.
pub(super) fn has_begun(row: &HrRow, as_of: Timestamp) -> bool {
    row.status == Employment::Ended || start(row).is_none_or(|start| start.at <= as_of)
}

/// Whether the status is employed and the start is after every end, so that the ends belong to an earlier tenure.
pub(super) fn is_new_tenure(row: &HrRow) -> bool {
    let is_employed = matches!(row.status, Employment::Active | Employment::OnLeave);
    is_employed && row.start.is_some() && start(row).is_none()
}

/// The start of the running tenure in a row.
pub(super) fn running_start(row: &HrRow) -> Option<&HrDate> {
    match is_new_tenure(row) {
        true => row.start.as_ref(),
        false => start(row),
    }
}

/// The last day of work, unless it is before the row's own start.
pub(super) fn last_day(row: &HrRow) -> Option<&HrDate> {
    let is_possible = |day: &&HrDate| start(row).is_none_or(|start| start.at < day.at);
    row.last_day.as_ref().filter(is_possible)
}

/// The end of work: the last day, else the termination date.
pub(super) fn end_of_work(row: &HrRow) -> Option<&HrDate> {
    last_day(row).or(row.end.as_ref())
}

/// The instant after a span, at most [`Timestamp::MAX`].
pub(super) fn later(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The standing of a person, and the row that decides it.
#[derive(Debug)]
pub(super) struct EndDecision<'r> {
    pub(super) standing: Standing,
    /// When work ended or ends.
    pub(super) end_of_work: Option<Timestamp>,
    /// The row that decides.
    pub(super) row: &'r HrRow,
    /// The id of the tenure that ended, if HR shows only a later one.
    pub(super) ended_as: Option<&'r str>,
    pub(super) doubt: Option<Doubt>,
    /// Notes for a reader.
    pub(super) notes: Vec<String>,
}

impl<'r> EndDecision<'r> {
    fn new(standing: Standing, end_of_work: Option<Timestamp>, row: &'r HrRow) -> Self {
        Self {
            standing,
            end_of_work,
            row,
            ended_as: None,
            doubt: None,
            notes: Vec::new(),
        }
    }

    fn doubtful(end_of_work: Option<Timestamp>, row: &'r HrRow, doubt: Doubt) -> Self {
        Self {
            doubt: Some(doubt),
            ..Self::new(Standing::Doubtful, end_of_work, row)
        }
    }
}

/// Decides the standing of one person by their rows and by the previous run.
pub(super) fn decide<'r>(
    rows: &[&'r HrRow],
    previous: &[&'r Arc<Leaver>],
    rules: Rules<'_>,
) -> EndDecision<'r> {
    let is_announced =
        |of: &&Arc<Leaver>| of.end_of_work.is_some() && is_named_as_gone(of.standing);
    let announced = previous.iter().any(is_announced);
    let states = rows
        .iter()
        .map(|row| (row_state(row, announced, rules), *row));
    let states: Vec<(RowState, &HrRow)> = states.collect();
    let mut decision = standing(&states, previous, rules);
    decision.notes.extend(remarks(&states, &decision));
    decision
}

/// Whether HR reports that work has ended or will end, or reports nothing clear.
pub(super) fn is_named_as_gone(standing: Standing) -> bool {
    match standing {
        Standing::Upcoming | Standing::Ended | Standing::Doubtful => true,
        Standing::Working | Standing::Rehired | Standing::Rescinded => false,
    }
}

fn standing<'r>(
    states: &[(RowState, &'r HrRow)],
    previous: &[&'r Arc<Leaver>],
    rules: Rules<'_>,
) -> EndDecision<'r> {
    let (mut lefts, mut doubts, mut untils) = (vec![], vec![], vec![]);
    let (mut works, mut runs) = (vec![], vec![]);
    for (state, row) in states {
        match state {
            RowState::Left(end) => lefts.push((*end, *row)),
            RowState::Doubtful(end, doubt) => doubts.push((*end, *row, doubt)),
            RowState::Until(end) => untils.push((*end, *row)),
            RowState::Working => works.push(*row),
            RowState::NotBegun => {}
        }
        if runs_now(state, row, rules.as_of) {
            runs.push(*row);
        }
    }
    let doubted = doubts.iter().map(|(_, row, _)| *row);
    let over: Vec<&HrRow> = lefts.iter().map(|(_, row)| *row).chain(doubted).collect();
    let follows = |running: &HrRow, ended: &HrRow| {
        is_later(running, ended, had_left_as(previous, running)) && !is_unclear(running, ended)
    };
    let goes_beyond = |running: &HrRow, ended: &HrRow| {
        began_before(running, ended) && !is_unclear(running, ended)
    };
    let is_return = |row: &&&HrRow| over.iter().all(|ended| follows(row, ended));
    let returned = runs.iter().find(is_return);

    // The latest end counts, because work continued until then. An undated end counts only if all ends are undated.
    if let Some((end, row)) = lefts.iter().copied().max_by_key(|(end, _)| *end) {
        if returned.is_some() {
            return EndDecision::new(Standing::Rehired, end, row);
        }
        let mut beyond = runs.iter().copied();
        if let Some(running) = beyond.find(|of| lefts.iter().all(|(_, left)| goes_beyond(of, left)))
        {
            let mut untils = untils.iter();
            return match untils.find(|(_, row)| std::ptr::eq(*row, running)) {
                Some((until, row)) => EndDecision::new(Standing::Upcoming, Some(*until), row),
                None => EndDecision::new(Standing::Working, None, running),
            };
        }
        if !runs.is_empty() {
            let is_unclear = |running: &&HrRow| over.iter().any(|ended| is_unclear(running, ended));
            let text = match runs.iter().any(is_unclear) {
                true => "two tenures overlap, and only the id ties them to one person",
                false => {
                    "HR reports both employed and left, and no start date shows which is later"
                }
            };
            return EndDecision::doubtful(None, row, Doubt::new(text, Remedy::Exception));
        }
        let is_last = |row: &HrRow| lefts.iter().all(|(_, left)| is_later(row, left, false));
        return match doubts.iter().find(|(_, row, _)| is_last(row)) {
            Some((end, row, doubt)) => EndDecision::doubtful(*end, row, (*doubt).clone()),
            None => EndDecision::new(Standing::Ended, end, row),
        };
    }
    let is_beyond = |row: &HrRow| doubts.iter().all(|(_, other, _)| goes_beyond(row, other));
    let goes_on = returned.is_some() || runs.iter().any(|row| is_beyond(row));
    if let Some((end, row, doubt)) = doubts.iter().copied().max_by_key(|(end, ..)| *end)
        && !goes_on
    {
        // A row without an end of work does not change an earlier report.
        let mut previous = previous.iter();
        let had_left = previous.find(|leaver| leaver.standing == Standing::Ended);
        return match (end, had_left) {
            (None, Some(leaver)) => EndDecision {
                notes: vec![
                    "HR's row no longer shows whether work has ended; followed as last reported"
                        .to_owned(),
                ],
                ..EndDecision::new(Standing::Ended, leaver.end_of_work, row)
            },
            _ => EndDecision::doubtful(end, row, doubt.clone()),
        };
    }
    if let Some((end, row)) = untils.iter().copied().max_by_key(|(end, _)| *end) {
        return EndDecision::new(Standing::Upcoming, Some(end), row);
    }
    if let Some(row) = works.first() {
        return match previous.first() {
            Some(leaver) => came_back(leaver, row),
            None => EndDecision::new(Standing::Working, None, row),
        };
    }
    // Only tenures that have not begun.
    let row = states[0].1;
    let had_left =
        |leaver: &&&Arc<Leaver>| as_last_reported(leaver, rules.as_of).0 == Standing::Ended;
    let followed = previous.iter().find(had_left).or(previous.first());
    let Some(leaver) = followed else {
        return EndDecision::new(Standing::Working, None, row);
    };
    let (standing, end) = as_last_reported(leaver, rules.as_of);
    let decision = match (standing, leaver.standing) {
        (Standing::Ended, Standing::Upcoming) | (Standing::Doubtful, _) => {
            let text = "the announced end of work has passed, and HR shows only a tenure that has not begun";
            EndDecision::doubtful(end, row, Doubt::new(text, Remedy::Exception))
        }
        (Standing::Rehired, _) => EndDecision::new(Standing::Ended, end, row),
        (standing, _) => EndDecision::new(standing, end, row),
    };
    EndDecision {
        ended_as: leaver.person_id.as_deref(),
        ..decision
    }
}

/// Whether a row shows a tenure that is running now. A tenure with an end in the future is running if its start has
/// passed, or if it has no start and the status is employed.
fn runs_now(state: &RowState, row: &HrRow, as_of: Timestamp) -> bool {
    match state {
        // With a past end, the status may be out of date. A leave also has a last day.
        RowState::Working => match row.status {
            Employment::OnLeave => true,
            _ => row.last_day.is_none() && row.end.is_none() || is_new_tenure(row),
        },
        RowState::Until(_) => match &row.start {
            Some(start) => start.at <= as_of,
            None => matches!(row.status, Employment::Active | Employment::OnLeave),
        },
        RowState::NotBegun | RowState::Left(_) | RowState::Doubtful(..) => false,
    }
}

/// Notes on the rows for a reader.
fn remarks(states: &[(RowState, &HrRow)], decision: &EndDecision<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let row = decision.row;
    let of_id = states
        .iter()
        .filter(|(_, other)| other.person_id == row.person_id);
    let ends = of_id.filter_map(|(state, _)| match state {
        RowState::Left(Some(end)) | RowState::Until(end) => Some(end),
        _ => None,
    });
    let ends: BTreeSet<&Timestamp> = ends.collect();
    if decision.standing != Standing::Rehired && ends.len() > 1 {
        notes.push(format!(
            "HR gives {} different ends of work for the same id; the latest that has passed counts",
            ends.len()
        ));
    }
    if decision.standing == Standing::Ended {
        let is_after = |date: &HrDate| decision.end_of_work.is_some_and(|end| date.at > end);
        if row.status == Employment::Ended && last_day(row).is_some_and(is_after) {
            let note =
                "the last day of work is after the termination date; the termination date counts";
            notes.push(note.to_owned());
        }
        if decision.end_of_work.is_none() {
            let note =
                "HR gives no date: the deadline counts from the first run that named the leaver";
            notes.push(note.to_owned());
        }
    }
    let unknown = states.iter().find_map(|(_, row)| match &row.status {
        Employment::Unclassified(word) => Some(word),
        _ => None,
    });
    if let Some(word) = unknown.filter(|_| decision.doubt.is_none()) {
        notes.push(format!(
            "the status {} is unknown; the dates decide",
            quoted(word)
        ));
    }
    notes
}

/// Whether a running tenure is a different and later one than the ended tenure.
///
/// If starts can be compared, they decide, because an old row that HR never closed must not hide a leaver. Without
/// a start, two ids are two tenures, unless an earlier run had the running id as a leaver. With one id, a start is
/// required.
fn is_later(running: &HrRow, left: &HrRow, had_left: bool) -> bool {
    let ended = end_of_work(left).map(|end| end.at);
    let began = start(left).map(|start| start.at);
    if let Some(start) = running_start(running)
        && (ended.is_some() || began.is_some())
    {
        return began.is_some_and(|began| start.at > began)
            || ended.is_some_and(|ended| begins_at(start, ended));
    }
    match (&running.person_id, &left.person_id) {
        (Some(one), Some(other)) => one != other && !had_left,
        _ => false,
    }
}

/// Whether the previous run had the id of a row as a leaver.
fn had_left_as(previous: &[&Arc<Leaver>], row: &HrRow) -> bool {
    let mut left = previous
        .iter()
        .filter(|leaver| is_named_as_gone(leaver.standing));
    row.person_id.is_some() && left.any(|leaver| leaver.person_id == row.person_id)
}

/// Whether a running tenure began before another one with the same id, so that the person has two jobs. With another
/// id it may be an old record that HR never closed.
fn began_before(running: &HrRow, other: &HrRow) -> bool {
    if running.person_id.is_none() || running.person_id != other.person_id {
        return false;
    }
    match (running_start(running), start(other), end_of_work(other)) {
        // In a history with one row for each change, the row of a termination starts on the last day.
        (Some(start), Some(other), Some(end)) => {
            let lasted = end.at.duration_since(other.at);
            start.at < other.at && lasted > SignedDuration::from_hours(48)
        }
        _ => false,
    }
}

/// Whether two tenures overlap, and only the id ties the running one to the person who left.
fn is_unclear(running: &HrRow, left: &HrRow) -> bool {
    let has_name = |row: &HrRow| row.name.as_deref().and_then(NameWords::of).is_some();
    let shares_address = running
        .emails()
        .any(|email| left.emails().any(|other| other == email));
    let overlaps = match (running_start(running), end_of_work(left), start(left)) {
        (Some(start), Some(ended), _) => start.at < ended.at && !begins_at(start, ended.at),
        (Some(start), None, Some(began)) => start.at < began.at,
        _ => false,
    };
    let shares_id = running.person_id.is_some() && running.person_id == left.person_id;
    shares_id && overlaps && !shares_address && !(has_name(running) && has_name(left))
}

/// Whether a start follows an end. A start is the midnight at the beginning of its day, and an end is the midnight at
/// the end of its day. On the same day they are a day apart, which has at most 25 hours.
pub(super) fn begins_at(start: &HrDate, end: Timestamp) -> bool {
    end.duration_since(start.at) <= SignedDuration::from_hours(25)
}

/// The decision for a leaver of the previous run whose rows now show only an employed person.
fn came_back<'r>(leaver: &'r Leaver, row: &'r HrRow) -> EndDecision<'r> {
    let start = row.start.as_ref();
    let start = start.zip(leaver.end_of_work);
    let follows = start.is_some_and(|(start, end)| begins_at(start, end));
    let other_tenure =
        leaver.person_id.is_some() && row.person_id.is_some() && leaver.person_id != row.person_id;
    if !(follows || other_tenure || leaver.outcome == Outcome::Rehired) {
        return EndDecision::new(Standing::Rescinded, None, row);
    }
    EndDecision {
        ended_as: leaver.person_id.as_deref(),
        ..EndDecision::new(Standing::Rehired, leaver.end_of_work, row)
    }
}

/// The standing of a leaver about whom HR reports nothing new.
pub(super) fn as_last_reported(leaver: &Leaver, as_of: Timestamp) -> (Standing, Option<Timestamp>) {
    let standing = match (leaver.standing, leaver.end_of_work) {
        (Standing::Upcoming, Some(end)) if end <= as_of => Standing::Ended,
        (standing, _) => standing,
    };
    (standing, leaver.end_of_work)
}
