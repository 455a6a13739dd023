//! The end of each help text, made from the tables of variables and exit codes.

use std::fmt::Write as _;

use super::exit::Exit;
use crate::config::{Command, Default, VARIABLES};

pub(super) fn variables_and_exit_codes(command: Command) -> String {
    let mut text = String::from(
        "Environment (an empty variable is unset; a secret X may come as X_FILE, a path):\n",
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
    text.push_str("\nExit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text
}
