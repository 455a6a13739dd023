use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::review::Scope;

#[derive(Debug, Subcommand)]
pub enum ReviewRequest {
    /// Freeze the population of a committed run into a worksheet
    Open(OpenArguments),
    /// How far a review is, by the decisions received so far
    Status(StatusArguments),
    /// Hold every decision against the worksheet, and seal them
    Close(CloseArguments),
}

#[derive(Clone, Debug, Args)]
pub struct OpenArguments {
    /// What people call it, as 2026-Q4
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The last day for decisions, as 2026-12-31
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub due: Date,
    /// CSV rule,value,reviewer,note: who decides which row; without it, anybody but the owner
    #[arg(long, value_name = "FILE")]
    pub reviewers: Option<PathBuf>,
    /// all, admins or guests
    #[arg(long, value_name = "SCOPE", value_parser = scope, default_value = "all")]
    pub scope: Scope,
    /// The run: its id, folder or ledger number [default: latest, the newest complete one]
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
    /// The review, by name or id [default: the newest that is open]
    #[arg(long, value_name = "NAME")]
    pub review: Option<String>,
    /// What reviewers sent back: worksheet.csv, worksheet.xlsx or the page's file; of a folder every file, but for names that begin with a dot. Several, or repeated
    #[arg(long, value_name = "FILE|FOLDER", num_args = 1..)]
    pub decisions: Vec<PathBuf>,
    /// CSV rule,value,reviewer,note of `reassign` lines: rows given to somebody else since
    #[arg(long = "reviewers", value_name = "FILE")]
    pub reassigned: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    pub of: DecisionArguments,
    /// For machines: one JSON document
    #[arg(long)]
    pub json: bool,
    /// Name the reviewers, and the files, also where the output goes to a file or a log
    #[arg(long)]
    pub names: bool,
    /// Tell the receivers of notifications, too; nobody is named there
    #[arg(long)]
    pub notify: bool,
}

#[derive(Clone, Debug, Args)]
#[command(mut_arg("decisions", |decisions| decisions.required(true)))]
pub struct CloseArguments {
    #[command(flatten)]
    pub of: DecisionArguments,
    /// Close it though rows are not decided; the reason is printed on page one
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub accept_incomplete: Option<String>,
}

fn day(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "write a day as 2026-12-31")
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    match text {
        "all" => Ok(Scope::All),
        "admins" => Ok(Scope::Admins),
        "guests" => Ok(Scope::Guests),
        _ => Err("it is all, admins or guests"),
    }
}

fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("say why"),
        reason => Ok(reason.to_owned()),
    }
}
