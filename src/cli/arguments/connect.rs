use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::config;

/// An admin has to be found, and to read what they agree to.
const TIMEOUT: &str = "30m";

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["tenant_id", "reconnect"]).required(true))]
pub struct ConnectArguments {
    /// Make a new connection, of this tenant: a name of your own for whose Asana it is
    #[arg(long, value_name = "ID", value_parser = tenant_id)]
    pub tenant_id: Option<String>,
    /// Make this connection again: its id and its context stay
    #[arg(long, value_name = "ID", value_parser = config::connection_id)]
    pub reconnect: Option<String>,
    /// Do not ask; needed where nobody sits at a terminal
    #[arg(long)]
    pub yes: bool,
    /// How long the admin may take
    #[arg(long, value_name = "DURATION", value_parser = config::interval, default_value = TIMEOUT)]
    pub timeout: Duration,
    /// For machines: one JSON object a line, the link first
    #[arg(long)]
    pub json: bool,
}

fn tenant_id(text: &str) -> Result<String, &'static str> {
    let is_plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_plain
        .then(|| text.trim().to_owned())
        .ok_or("is empty, or holds what cannot be read")
}
