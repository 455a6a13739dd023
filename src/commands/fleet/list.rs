//! Reads the list of connections.

use tracing::warn;

use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::commands::run::outcome;
use crate::commands::{error_text, failed, list_of_connections};
use crate::config::{Connection, Fleet};
use crate::evidence::{ConnectionList, sha256_hex};
use crate::net::Deadline;

/// The connections of this shard, and the list for the summary.
///
/// # Errors
/// The exit code. The problems are printed, all at once.
pub(super) async fn read(fleet: &Fleet) -> Result<(Vec<Connection>, ConnectionList), Exit> {
    let deadline = Deadline::after(fleet.deadline);
    let fetched = list_of_connections(&fleet.list, deadline).await;
    let (bytes, fetched) = fetched.map_err(|error| {
        let exit = error.kind().into();
        outcome::leave_refusal(exit, &crate::cli::exit::error_chain(&error));
        terminal::print_error(&error_text(&error, error.hint()));
        exit
    })?;
    let connections = fleet.connections(&bytes, |path| std::fs::read_to_string(path));
    let (connections, warnings) = connections.map_err(|problems| {
        outcome::leave_refusal(Exit::Configuration, &problems.to_string());
        failed(Exit::Configuration, &problems)
    })?;
    for warning in warnings {
        warn!("{warning}");
    }
    let list = ConnectionList {
        url: fetched.url,
        sha256: sha256_hex(&bytes),
    };
    Ok((connections, list))
}
