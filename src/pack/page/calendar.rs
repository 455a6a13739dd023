//! The calendar: one drawing for each month, with a mark for each run.
//!
//! This module computes positions and text alternatives; the template draws them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::words::{STATES, Tone};
use crate::judgement::Verdict;
use crate::model::counted;
use crate::pack::{CalendarDay, RunState};
use crate::report::trend;
use crate::report::words::Title as _;

/// Width and height of a day, in the drawing's own units.
const DAY: (i64, i64) = (32, 30);

/// The height of the line with the days of the week.
const HEAD: i64 = 18;

/// A day with more runs shows the one with the most severe state, and the number of runs.
const MAX_MARKS: usize = 2;

#[derive(Debug)]
pub(super) struct Month<'a> {
    /// `November 2026`.
    pub(super) name: String,
    pub(super) height: i64,
    /// The text alternative.
    pub(super) text: String,
    pub(super) days: Vec<Day<'a>>,
}

#[derive(Debug)]
pub(super) struct Day<'a> {
    pub(super) day: &'a CalendarDay,
    pub(super) number: i8,
    pub(super) x: i64,
    pub(super) y: i64,
    /// `14 November: missing. 2 deadlines.`
    pub(super) text: String,
    /// None without runs.
    pub(super) tone: Option<Tone>,
    pub(super) marks: Vec<Mark>,
    /// The number of runs, if not all have a mark.
    pub(super) runs: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Mark {
    pub(super) state: RunState,
    pub(super) path: String,
}

/// The months of the days, which are in order.
pub(super) fn months(days: &[CalendarDay]) -> Vec<Month<'_>> {
    let dated = days
        .iter()
        .filter_map(|day| Some((day.day.parse::<Date>().ok()?, day)));
    let dated: Vec<(Date, &CalendarDay)> = dated.collect();
    let months = dated.chunk_by(|(a, _), (b, _)| (a.year(), a.month()) == (b.year(), b.month()));
    months.map(month).collect()
}

fn month<'a>(days: &[(Date, &'a CalendarDay)]) -> Month<'a> {
    let drawn: Vec<Day<'a>> = days.iter().map(|(date, of)| day(*date, of)).collect();
    let bottom = drawn.iter().map(|day| day.y + DAY.1).max();
    let name = days
        .first()
        .map(|(date, _)| date.strftime("%B %Y").to_string());
    Month {
        name: name.unwrap_or_default(),
        height: bottom.unwrap_or_default() + 1,
        text: text(days),
        days: drawn,
    }
}

fn day(date: Date, day: &CalendarDay) -> Day<'_> {
    let column = i64::from(date.weekday().to_monday_zero_offset());
    let first = i64::from(date.first_of_month().weekday().to_monday_zero_offset());
    let row = (first + i64::from(date.day()) - 1) / 7;
    let (x, y) = (column * DAY.0, HEAD + row * DAY.1);
    let worst = STATES
        .into_iter()
        .find(|state| day.runs.iter().any(|run| run.state == *state));
    let marked: Vec<RunState> = match day.runs.len() {
        0..=MAX_MARKS => day.runs.iter().map(|run| run.state).collect(),
        _ => worst.into_iter().collect(),
    };
    let width = DAY.0 / i64::try_from(marked.len() + 1).unwrap_or(1);
    let marks = (1..).zip(marked).map(|(place, state)| Mark {
        state,
        path: mark(state, x + place * width, y + 20),
    });
    let mut text = format!("{}: ", date.strftime("%-d %B"));
    if day.runs.is_empty() {
        text.push_str("no run due");
    }
    let words: Vec<String> = day
        .runs
        .iter()
        .map(|run| run.state.title().to_lowercase())
        .collect();
    text.push_str(&words.join(", "));
    text.push('.');
    if day.deadlines > 0 {
        text.push_str(&format!(
            " {}.",
            counted(day.deadlines, "deadline", "deadlines")
        ));
    }
    Day {
        day,
        number: date.day(),
        x,
        y,
        text,
        tone: worst.map(Tone::of_state),
        marks: marks.collect(),
        runs: (day.runs.len() > MAX_MARKS).then_some(day.runs.len()),
    }
}

/// The states of a month with their counts; for each state except pass, also its days.
fn text(days: &[(Date, &CalendarDay)]) -> String {
    let mut by_state: BTreeMap<RunState, (u64, Vec<String>)> = BTreeMap::new();
    for (date, day) in days {
        for run in &day.runs {
            let (count, dates) = by_state.entry(run.state).or_default();
            *count += 1;
            let date = date.strftime("%-d").to_string();
            if dates.last() != Some(&date) {
                dates.push(date);
            }
        }
    }
    let parts = STATES.into_iter().filter_map(|state| {
        let (count, dates) = by_state.get(&state)?;
        let title = state.title().to_lowercase();
        let has_days = !matches!(state, RunState::Pass | RunState::PassRiskAccepted);
        Some(match has_days {
            true => format!("{count} {title} (day {})", dates.join(", ")),
            false => format!("{count} {title}"),
        })
    });
    let parts: Vec<String> = parts.collect();
    let runs = match parts.is_empty() {
        true => "No runs".to_owned(),
        false => format!("Runs: {}", parts.join("; ")),
    };
    let deadlines: u64 = days.iter().map(|(_, day)| day.deadlines).sum();
    format!("{runs}. {}.", counted(deadlines, "deadline", "deadlines"))
}

/// A separate shape for each state, because colours alone are not visible to every person and printer.
pub(super) fn mark(state: RunState, x: i64, y: i64) -> String {
    match state {
        RunState::Pass => trend::shape(Verdict::Pass, x, y),
        RunState::PassRiskAccepted => trend::shape(Verdict::PassWithExceptions, x, y),
        RunState::Fail => trend::shape(Verdict::Fail, x, y),
        RunState::Inconclusive => trend::shape(Verdict::Inconclusive, x, y),
        // A square.
        RunState::Failed => format!("M{} {}h7v7h-7z", x - 3, y - 3),
        // A circle.
        RunState::Missing => format!("M{} {y}a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", x - 4),
        // A plus.
        RunState::Extra => format!("M{} {y}h6m-3-3v6", x - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::CalendarRun;

    fn calendar(days: &[(&str, &[RunState], u64)]) -> Vec<CalendarDay> {
        let day = |(day, states, deadlines): &(&str, &[RunState], u64)| CalendarDay {
            day: (*day).to_owned(),
            runs: states
                .iter()
                .map(|state| CalendarRun {
                    at: format!("{day}T22:40:00Z").parse().expect("an instant"),
                    state: *state,
                    run: None,
                })
                .collect(),
            deadlines: *deadlines,
        };
        days.iter().map(day).collect()
    }

    #[test]
    fn a_day_stands_under_its_day_of_the_week() {
        let days = calendar(&[
            ("2026-10-31", &[RunState::Pass], 0),
            ("2026-11-01", &[RunState::Pass], 0),
            ("2026-11-02", &[RunState::Pass], 0),
        ]);
        let months = months(&days);
        let names: Vec<&str> = months.iter().map(|month| &*month.name).collect();
        assert_eq!(names, ["October 2026", "November 2026"]);
        // 31 October 2026 is a Saturday in the fifth week, 1 November a Sunday in the first.
        let place = |day: &Day<'_>| (day.x / DAY.0, (day.y - HEAD) / DAY.1);
        assert_eq!(place(&months[0].days[0]), (5, 4));
        assert_eq!(place(&months[1].days[0]), (6, 0));
        assert_eq!(place(&months[1].days[1]), (0, 1));
    }

    #[test]
    fn the_text_alternative_names_each_day_that_is_no_pass() {
        let days = calendar(&[
            ("2026-11-02", &[RunState::Pass], 2),
            ("2026-11-03", &[RunState::Missing], 1),
            ("2026-11-04", &[RunState::Missing, RunState::Fail], 0),
            ("2026-11-05", &[], 0),
        ]);
        let months = months(&days);
        assert_eq!(
            months[0].text,
            "Runs: 2 missing (day 3, 4); 1 fail (day 4); 1 pass. 3 deadlines."
        );
        let texts: Vec<&str> = months[0].days.iter().map(|day| &*day.text).collect();
        assert_eq!(
            texts,
            [
                "2 November: pass. 2 deadlines.",
                "3 November: missing. 1 deadline.",
                "4 November: missing, fail.",
                "5 November: no run due.",
            ]
        );
    }

    #[test]
    fn a_day_with_many_runs_shows_the_most_severe_state() {
        let states = [RunState::Pass, RunState::Inconclusive, RunState::Pass];
        let days = calendar(&[("2026-11-02", &states, 0)]);
        let months = months(&days);
        let day = &months[0].days[0];
        assert_eq!(day.runs, Some(3));
        assert_eq!(day.marks.len(), 1);
        assert_eq!(day.marks[0].state, RunState::Inconclusive);
    }
}
