//! Commands and their arguments. The comments here are the text of `--help`.

mod check;
mod connect;
mod report;
mod review;
mod status;
mod verify;

use std::ffi::OsString;

use anstream::ColorChoice;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use check::CheckArguments;
pub use connect::ConnectArguments;
pub use report::ReportArguments;
pub use review::{
    AcknowledgeArguments, AttachArguments, CloseArguments, DecisionArguments, OpenArguments,
    ReviewRequest, StatusArguments,
};
pub use status::OverviewArguments;
pub use verify::VerifyArguments;

use super::exit::Exit;
use super::help::{PRINTS, SHORT, overview, variables_and_exit_codes};
use super::terminal;
use crate::config::Command;

#[derive(Debug, Parser)]
#[command(
    name = env!("CARGO_PKG_NAME"),
    version = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("BUILD_COMMIT"), ")"),
    about = env!("CARGO_PKG_DESCRIPTION"),
    disable_help_subcommand = true,
    after_help = SHORT,
    after_long_help = overview(),
)]
struct CommandLine {
    #[command(subcommand)]
    request: Option<CommandRequest>,
    /// When to use colour. `auto`: at a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// The requested command.
#[derive(Debug, Subcommand)]
pub enum CommandRequest {
    /// Check the access of leavers once and store the evidence (the default command)
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Run))]
    Run(RunArguments),
    /// Test every setting, endpoint and permission that a run needs
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Check))]
    Check(CheckArguments),
    /// Create or renew a Truto connection: print a link for the Asana admin and wait until it works
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Connect))]
    Connect(ConnectArguments),
    /// Verify evidence: integrity (hashes, chain, signatures, recomputation) and operation (missing runs)
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Verify))]
    Verify(VerifyArguments),
    /// Make the audit pack of a period: population, runs, deviations and a sample, from the evidence alone
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Report))]
    Report(ReportArguments),
    /// Show the newest result of every connection: verdict, age, findings, overdue and failed runs
    #[command(after_help = SHORT, after_long_help = variables_and_exit_codes(Command::Status))]
    Status(OverviewArguments),
    /// Conduct the periodic access review
    #[command(
        subcommand,
        arg_required_else_help = false,
        disable_help_subcommand = true,
        after_help = SHORT,
        after_long_help = variables_and_exit_codes(Command::Review),
    )]
    Review(ReviewRequest),
    /// Print completions for a shell
    #[command(after_help = PRINTS)]
    Completions { shell: Shell },
    /// Print the manual page, in roff
    #[command(after_help = PRINTS)]
    Man,
}

#[derive(Clone, Copy, Debug, Default, Args)]
pub struct RunArguments {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Reads the command line, and decides about colour.
///
/// # Errors
/// The text of `--help` or `--version`, or a usage error.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CommandRequest, clap::Error> {
    let line = CommandLine::try_parse_from(arguments)?;
    match line.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
    let default = CommandRequest::Run(RunArguments::default());
    Ok(line.request.unwrap_or(default))
}

pub fn print_completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    let mut line = CommandLine::command();
    clap_complete::generate(shell, &mut line, env!("CARGO_PKG_NAME"), &mut script);
    terminal::print(&String::from_utf8_lossy(&script));
    Exit::Pass
}

/// Prints the manual page, in roff.
pub fn print_manual_page() -> Exit {
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(CommandLine::command()).render(&mut page);
    terminal::print(&String::from_utf8_lossy(&page));
    Exit::Pass
}
