//! The command line: which command, and the help, made from the tables of commands, variables and
//! exit codes.

use std::ffi::OsString;
use std::fmt::Write as _;

use crate::config::{Command, Default, VARIABLES};
use crate::exit::Exit;

/// What the command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// A command.
    Command(Command),
    /// A text for stdout: help or version.
    Print(String),
    /// It cannot be understood: a text for stderr.
    Wrong(String),
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Asked {
    let matches = match command_line().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Asked::Wrong(error.to_string()),
        Err(help) => return Asked::Print(help.to_string()),
    };
    let name = matches.subcommand_name().unwrap_or(Command::Run.as_str());
    let asked = Command::ALL
        .into_iter()
        .find(|command| command.as_str() == name);
    match asked {
        Some(command) if command.is_built() => Asked::Command(command),
        _ => Asked::Wrong(format!("error: `{name}` is not built in this version\n")),
    }
}

fn command_line() -> clap::Command {
    let mut line = clap::Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .disable_help_subcommand(true)
        .after_help(after_help(Command::Run));
    for command in Command::ALL {
        let mut subcommand = clap::Command::new(command.as_str()).about(about(command));
        if command.is_built() {
            subcommand = subcommand.after_help(after_help(command));
        } else {
            // Whatever follows is not ours to complain about: the command itself is the problem.
            let rest = clap::Arg::new("rest")
                .num_args(0..)
                .allow_hyphen_values(true)
                .hide(true);
            subcommand = subcommand.hide(true).disable_help_flag(true).arg(rest);
        }
        line = line.subcommand(subcommand);
    }
    line
}

fn about(command: Command) -> &'static str {
    match command {
        Command::Run => "One review: fetch, judge, store evidence (also without a command)",
        Command::Check => "Try every setting and endpoint",
        Command::Connect => "Make a Truto connection to Asana",
        Command::Verify => "Check evidence",
        Command::Report => "Pack the evidence of a period",
        Command::Review => "The periodic access review",
    }
}

fn after_help(command: Command) -> String {
    let mut text = String::from(
        "Environment (an empty variable is unset; a secret X may come as X_FILE, a path):\n",
    );
    for variable in VARIABLES
        .iter()
        .filter(|v| v.built && v.commands.contains(&command))
    {
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
