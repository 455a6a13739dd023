//! The last part of each help text, from the tables of variables and exit codes.

use std::fmt::Write as _;

use super::exit::Exit;
use crate::config::{Command, Default, VARIABLES};

/// The last line of `-h`.
pub(super) const SHORT: &str = "Variables and exit codes: see --help";

/// The last part of the program's own `--help`.
pub(super) fn overview() -> String {
    let program = env!("CARGO_PKG_NAME");
    format!(
        "Variables of a run: {program} run --help\n\n{}",
        exit_codes()
    )
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
    text + "\n" + &exit_codes()
}

fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text
}
