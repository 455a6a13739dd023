use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::config;

/// Someone has to find an admin, who reads what they agree to.
const TIMEOUT: &str = "30m";

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["tenant_id", "reconnect"]).required(true))]
pub struct ConnectArguments {
    /// Create a connection for this tenant: your own name for the owner of the Asana workspace
    #[arg(long, value_name = "ID", value_parser = tenant_id)]
    pub tenant_id: Option<String>,
    /// Renew this connection; its id and its context stay the same
    #[arg(long, value_name = "ID", value_parser = config::connection_id)]
    pub reconnect: Option<String>,
    /// Do not ask for confirmation; required without a terminal
    #[arg(long)]
    pub yes: bool,
    /// Time that the admin has to accept
    #[arg(long, value_name = "DURATION", value_parser = config::interval, default_value = TIMEOUT)]
    pub timeout: Duration,
    /// Print one JSON object per line, the link first
    #[arg(long)]
    pub json: bool,
}

fn tenant_id(text: &str) -> Result<String, &'static str> {
    let is_plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_plain
        .then(|| text.trim().to_owned())
        .ok_or("it is empty or contains control characters")
}
