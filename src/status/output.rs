//! The overview as text.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;

use super::{ConnectionStatus, Due, DueState, OpenFindings, Overview, State};
use crate::model::counted;
use crate::report::on_one_line;
use crate::report::visible::{Minute as _, duration};

/// The text has at most this many connections that pass; `--json` and `--html` have all. It has all others.
const PASSING_SHOWN: usize = 20;

/// Printed with every overview, because a pass of modified evidence looks like any other.
pub(super) const NOT_VERIFIED: &str =
    "not verified: `asana-access-review verify` checks hashes, chain, signatures and decisions";

const COLUMNS: [&str; 8] = [
    "STATE",
    "CONNECTION",
    "WORKSPACE",
    "AGE",
    "ACCOUNTS",
    "FINDINGS",
    "OLDEST",
    "NEXT RUN",
];

/// The table, worst first, and its address. Workspaces have names only with `names`, else ids.
pub fn as_text(overview: &Overview, names: bool) -> String {
    let mut shown = Vec::new();
    let mut passing = 0;
    for connection in &overview.connections {
        passing += usize::from(connection.state.is_pass());
        if !connection.state.is_pass() || passing <= PASSING_SHOWN {
            shown.push((cells(connection, overview.as_of, names), connection.notes()));
        }
    }
    let mut widths = COLUMNS.map(|column| column.chars().count());
    for (cells, _) in &shown {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(&COLUMNS, widths);
    for (cells, notes) in &shown {
        text += &line(cells, widths);
        for note in notes {
            let _ = writeln!(text, "    {}", on_one_line(note));
        }
    }
    let more = passing.saturating_sub(PASSING_SHOWN);
    if more > 0 {
        let _ = writeln!(
            text,
            "and {more} more that pass; --json and --html have all"
        );
    }
    let _ = writeln!(text, "\n  evidence   {}", on_one_line(&overview.evidence));
    let _ = writeln!(text, "  {NOT_VERIFIED}");
    if let Some(unknown) = overview.unknown_schedules() {
        let _ = writeln!(text, "  {unknown}");
    }
    text
}

fn line(cells: &[impl Display; 8], widths: [usize; 8]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = cell.to_string();
        let _ = write!(line, "{cell:width$}  ");
    }
    format!("{}\n", line.trim_end())
}

fn cells(connection: &ConnectionStatus, now: Timestamp, names: bool) -> [String; 8] {
    let result = connection.result.as_ref();
    let workspace = result.and_then(|result| result.workspace.as_ref());
    let workspace = workspace.map(|workspace| match names {
        true => on_one_line(workspace.name_or_id()),
        false => on_one_line(&workspace.id),
    });
    let oldest = result.and_then(|result| result.findings.oldest.as_ref());
    let none = || "–".to_owned();
    [
        connection.state.to_string(),
        on_one_line(&connection.connection),
        workspace.unwrap_or_else(none),
        connection.age(now).map_or_else(none, duration),
        result.map_or_else(none, |result| match result.complete {
            true => "complete".to_owned(),
            false => "incomplete".to_owned(),
        }),
        result.map_or_else(none, |result| result.findings.as_text()),
        oldest.map_or_else(none, |oldest| match connection.oldest_age(now) {
            Some(age) => format!("{age} {}", oldest.kind),
            None => oldest.kind.to_string(),
        }),
        connection.next_run.as_text(),
    ]
}

impl ConnectionStatus {
    /// Why the state is not pass, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.state == State::Unlisted {
            notes.push("not in the list of connections, so no run checks it any more".to_owned());
        }
        notes.extend(self.problem.clone());
        if let Some(result) = &self.result {
            if let Some(mark) = result.mark {
                notes.push(format!(
                    "{mark}: the accounts are not those of a live workspace"
                ));
            }
            notes.extend(result.reasons.iter().cloned());
        } else if self.problem.is_none() {
            notes.push(
                match self.state {
                    State::Missing => {
                        "the ledger has no run: no run was committed, or the evidence was deleted"
                    }
                    _ => "no run came to a verdict yet",
                }
                .to_owned(),
            );
        }
        if let Some(failed) = &self.failed_since {
            let runs = counted(failed.runs, "run", "runs");
            notes.push(format!(
                "{runs} failed since, the last one at {} with exit {}: {}",
                failed.last.minute(),
                failed.exit,
                failed.stage,
            ));
        }
        notes
    }

    /// How long ago the oldest finding was first seen.
    pub(super) fn oldest_age(&self, now: Timestamp) -> Option<String> {
        let oldest = self.result.as_ref()?.findings.oldest.as_ref()?;
        let age = now.duration_since(oldest.first_seen);
        // If the clock of the run was ahead, the age is unknown.
        (!age.is_negative()).then(|| duration(age))
    }
}

impl OpenFindings {
    /// `3: 1 critical, 2 high`.
    fn as_text(&self) -> String {
        let by_severity = self.by_severity.iter();
        let by_severity = by_severity.map(|(severity, count)| format!("{count} {severity}"));
        match self.total {
            0 => "0".to_owned(),
            total => format!("{total}: {}", Vec::from_iter(by_severity).join(", ")),
        }
    }
}

impl Due {
    pub(super) fn as_text(&self) -> String {
        let at = self.at.map_or_else(String::new, |at| at.minute());
        match self.state {
            DueState::Scheduled => at,
            DueState::Now => format!("due since {at}, may be running"),
            DueState::Late => format!("late since {at}"),
            DueState::Missing => format!("missing since {at}"),
            DueState::TooOld => format!("too old since {at}"),
            DueState::InFuture => format!("unknown: the newest run is dated {at}, after now"),
            DueState::Unknown => {
                let reason = self.reason.as_deref().unwrap_or_default();
                format!("unknown: {}", on_one_line(reason))
            }
        }
    }
}

impl Overview {
    /// `5 connections: 1 fail, 4 pass`.
    pub fn sums(&self) -> String {
        let states = self.states.iter().filter(|(_, count)| **count > 0);
        let states = states.map(|(state, count)| format!("{count} {state}"));
        let all = counted(self.connections.len(), "connection", "connections");
        format!("{all}: {}", Vec::from_iter(states).join(", "))
    }

    /// None if every connection was checked for overdue runs.
    pub(super) fn unknown_schedules(&self) -> Option<String> {
        let unknown = self.without_schedule();
        (unknown > 0).then(|| {
            let connections = counted(unknown, "connection was", "connections were");
            format!("{connections} not checked for overdue runs: set RUN_SCHEDULE for runs, or give --max-age")
        })
    }
}
