//! The command line: which command, and its arguments. The comments here are the text of `--help`.

mod check;
mod connect;
mod review;
mod verify;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

pub use check::CheckArguments;
pub use connect::ConnectArguments;
pub use review::{
    CloseArguments, DecisionArguments, OpenArguments, ReviewRequest, StatusArguments,
};
pub use verify::VerifyArguments;

use super::help::variables_and_exit_codes;
use crate::config::Command;

#[derive(Debug, Parser)]
#[command(
    name = env!("CARGO_PKG_NAME"),
    version = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("BUILD_COMMIT"), ")"),
    about = env!("CARGO_PKG_DESCRIPTION"),
    disable_help_subcommand = true,
    after_help = variables_and_exit_codes(Command::Run),
)]
struct CommandLine {
    #[command(subcommand)]
    request: Option<CommandRequest>,
}

/// The command that is asked for.
#[derive(Debug, Subcommand)]
pub enum CommandRequest {
    /// One review: fetch, judge, store evidence (also without a command)
    #[command(after_help = variables_and_exit_codes(Command::Run))]
    Run,
    /// Try every setting and endpoint
    #[command(after_help = variables_and_exit_codes(Command::Check))]
    Check(CheckArguments),
    /// Make a Truto connection to Asana: a link for its admin, and the wait until it works
    #[command(after_help = variables_and_exit_codes(Command::Connect))]
    Connect(ConnectArguments),
    /// Check evidence: integrity (hashes, chain, signatures, recomputation) and operation (missing runs)
    #[command(after_help = variables_and_exit_codes(Command::Verify))]
    Verify(VerifyArguments),
    /// The periodic access review: open, status, close
    #[command(
        subcommand,
        arg_required_else_help = false,
        disable_help_subcommand = true,
        after_help = variables_and_exit_codes(Command::Review),
    )]
    Review(ReviewRequest),
}

/// Reads the command line.
///
/// # Errors
/// The text of a help or of the version, or what is wrong.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CommandRequest, clap::Error> {
    let line = CommandLine::try_parse_from(arguments)?;
    Ok(line.request.unwrap_or(CommandRequest::Run))
}
