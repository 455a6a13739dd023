//! The last part of each help text, from the tables of variables and exit codes.

use std::fmt::Write as _;

use super::exit::Exit;
use crate::config::{Command, Default, VARIABLES};

/// The last line of `-h`.
pub(super) const SHORT: &str = "Variables and exit codes: see --help";

/// The last part of the help of a command of `review`.
pub(super) const REVIEW: &str = concat!(
    "Variables and exit codes: ",
    env!("CARGO_PKG_NAME"),
    " review --help"
);

/// The last part of the help of a command that only prints a text.
pub(super) const PRINTS: &str = "Exit codes:\n    0  printed\n    2  wrong command line";

/// The last part of the program's own `--help`.
pub(super) fn overview() -> String {
    let program = env!("CARGO_PKG_NAME");
    let codes = exit_codes(Command::Run);
    format!("Without a command it makes a run. Variables of a run: {program} run --help\n\n{codes}")
}

/// The last part of a command's `--help`: its variables, and the exit codes.
pub(super) fn variables_and_exit_codes(command: Command) -> String {
    let mut text = String::from(
        "Environment (empty means unset; a secret X may be given as a file, X_FILE):\n",
    );
    for variable in VARIABLES.iter().filter(|v| v.commands.contains(&command)) {
        let default = match variable.default {
            Default::Required => "required".to_owned(),
            Default::Unset => "unset".to_owned(),
            Default::Value(value) => format!("default {value}"),
            Default::Depends(words) => format!("default: {words}"),
        };
        let secret = if variable.secret { ", secret" } else { "" };
        let _ = writeln!(text, "  {}  ({default}{secret})", variable.name);
        let _ = writeln!(text, "      {}", variable.meaning);
    }
    text + "\n" + &exit_codes(command)
}

fn exit_codes(command: Command) -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        if let Some(meaning) = meaning_for(exit, command) {
            let _ = writeln!(text, "  {:>3}  {meaning}", exit.code());
        }
    }
    text
}

/// The meaning of an exit code of this command; none if the command never ends with it.
pub fn meaning_for(exit: Exit, command: Command) -> Option<&'static str> {
    use Command::{Check, Connect, Report, Review, Run, Status, Verify};
    let meaning = match (exit, command) {
        (exit, Run) => exit.meaning(),
        (Exit::Fail, Check | Connect | Verify | Report | Review) => return None,
        (Exit::Inconclusive | Exit::IntegrityFault, Connect) => return None,
        (Exit::Inconclusive, Report) => return None,
        (Exit::IntegrityFault, Status) => return None,

        (Exit::Pass, Check) => "ready: no check failed",
        (Exit::Inconclusive, Check) => "not ready: a run would not pass",

        (Exit::Pass, Connect) => "the connection is active and sees a workspace",
        (Exit::Transient, Connect) => "the link was not used in time, or Truto was unavailable",
        (Exit::Refused, Connect) => {
            "Truto refused, or the connection failed; the reason is printed"
        }
        (Exit::Interrupted, Connect) => "stopped by Ctrl-C, or you answered no",

        (Exit::Pass, Verify) => "integrity holds, and no run is known to be missing",
        (Exit::Inconclusive, Verify) => "integrity holds, and scheduled runs are missing",
        (Exit::Transient, Verify) => "the store was unavailable; a retry may help",
        (Exit::Refused, Verify) => "the store refused access",
        (Exit::Configuration, Verify) => "wrong configuration, or a path without evidence",

        (Exit::Pass, Report) => "the pack is written",
        (Exit::IntegrityFault, Report) => {
            "the evidence has faults; nothing is written without `--despite-faults`"
        }
        (Exit::Transient, Report) => "the store was unavailable; a retry may help",
        (Exit::Refused, Report) => "the store refused access",
        (Exit::Configuration, Report) => {
            "wrong configuration, a path without evidence, a folder that is not empty, or a file that cannot be used"
        }

        (Exit::Pass, Status) => {
            "the newest result of every connection is a pass, and none is known to be overdue"
        }
        (Exit::Fail, Status) => "the newest result of a connection is fail",
        (Exit::Inconclusive, Status) => {
            "none is fail, but a connection is inconclusive, failed, overdue, missing, without a result or unreadable"
        }
        (Exit::Transient, Status) => {
            "the store or the list of connections was unavailable; a retry may help"
        }
        (Exit::Refused, Status) => "the store or the server of the list refused access",
        (Exit::Configuration, Status) => {
            "wrong configuration, a path without evidence, a list that cannot be used, or a page that cannot be written"
        }

        (Exit::Pass, Review) => "done; after close: every row is decided",
        (Exit::Inconclusive, Review) => "closed, with rows undecided or in doubt",
        (Exit::IntegrityFault, Review) => "the evidence was modified, or part of it is missing",
        (Exit::Transient, Review) => "the store was unavailable; a retry may help",
        (Exit::Refused, Review) => "access refused: bucket or signing key",
        (Exit::Configuration, Review) => "refused, with what to correct; nothing was written",

        (exit, Check | Connect | Verify | Report | Status | Review) => exit.meaning(),
    };
    Some(meaning)
}
