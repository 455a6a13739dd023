use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::super::help::REVIEW;
use crate::review::Scope;

#[derive(Debug, Subcommand)]
pub enum ReviewRequest {
    /// Create the worksheet from the accounts of a stored run
    #[command(after_help = REVIEW)]
    Open(OpenArguments),
    /// Show the progress of a review
    #[command(after_help = REVIEW)]
    Status(StatusArguments),
    /// Check the decisions against the worksheet and store them
    #[command(after_help = REVIEW)]
    Close(CloseArguments),
}

#[derive(Clone, Debug, Args)]
pub struct OpenArguments {
    /// Name of the review, for example 2026-Q4
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Last day for decisions, for example 2026-12-31
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub due: Date,
    /// CSV file (rule,value,reviewer,note) that assigns rows to reviewers; without it, anyone but the account's owner may decide
    #[arg(long, value_name = "FILE")]
    pub reviewers: Option<PathBuf>,
    /// Accounts to review: all, admins or guests
    #[arg(long, value_name = "SCOPE", value_parser = scope, default_value = "all")]
    pub scope: Scope,
    /// Run to start from: its id, folder or ledger number [default: latest, the newest complete run]
    #[arg(
        long,
        value_name = "RUN",
        default_value = "latest",
        hide_default_value = true
    )]
    pub run: String,
}

#[derive(Clone, Debug, Default, Args)]
pub struct DecisionArguments {
    /// Name or id of the review [default: the newest open review]
    #[arg(long, value_name = "NAME")]
    pub review: Option<String>,
    /// Files that reviewers sent back: worksheet.csv, worksheet.xlsx or the file saved by the page; in a folder, every file whose name does not begin with a dot. May be repeated
    #[arg(long, value_name = "FILE|FOLDER", num_args = 1..)]
    pub decisions: Vec<PathBuf>,
    /// CSV file (rule,value,reviewer,note) with `reassign` lines: rows that have another reviewer since the review was opened
    #[arg(long = "reviewers", value_name = "FILE")]
    pub reassigned: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    pub of: DecisionArguments,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Name reviewers and files even if stdout is not a terminal
    #[arg(long)]
    pub names: bool,
    /// Also send a notification, without names
    #[arg(long)]
    pub notify: bool,
}

#[derive(Clone, Debug, Args)]
#[command(mut_arg("decisions", |decisions| decisions.required(true)))]
pub struct CloseArguments {
    #[command(flatten)]
    pub of: DecisionArguments,
    /// Close the review although rows are undecided; the reason is printed on the first page
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub accept_incomplete: Option<String>,
}

fn day(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "write a date such as 2026-12-31")
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    match text {
        "all" => Ok(Scope::All),
        "admins" => Ok(Scope::Admins),
        "guests" => Ok(Scope::Guests),
        _ => Err("write all, admins or guests"),
    }
}

fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("write the reason"),
        reason => Ok(reason.to_owned()),
    }
}
