use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config;

#[derive(Debug, Args)]
pub struct OverviewArguments {
    /// Location of the evidence: a folder or s3://bucket/prefix [default: EVIDENCE_URL]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Show only this connection, also if it has no evidence. May be repeated
    #[arg(long = "connection", value_name = "ID", value_parser = config::connection_id)]
    pub connections: Vec<String>,
    /// List of connections: those without evidence are missing, and those that are not in it are marked [default: CONNECTIONS_URL]
    #[arg(long = "connections", value_name = "URL")]
    pub list: Option<String>,
    /// A newest result older than this counts as overdue, for example 48h [default: only the schedule recorded in the evidence (RUN_SCHEDULE) counts]
    #[arg(long, value_name = "DURATION", value_parser = config::interval)]
    pub max_age: Option<Duration>,
    /// Also write a page to this file, which is replaced if it exists
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
