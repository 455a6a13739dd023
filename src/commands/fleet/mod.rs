//! `run` with `CONNECTIONS_URL`: one leaver access check for each connection of this shard.
//!
//! Each connection has its own settings, pace, log context, ledger, verdict and notification. No result of one
//! connection affects another.

mod list;
mod summary;
mod work;

use tracing::{info, warn};

use super::{Session, run_until_signal, suffix, tool};
use crate::cli::arguments::{CheckArguments, RunArguments};
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::commands::run::outcome;
use crate::config;
use crate::evidence::{RunIdentity, Trigger};
use crate::metrics::{self, RunMetrics};
use crate::model::counted;

/// # Errors
/// The exit code, if the settings or the list are wrong, or a signal stopped it.
pub fn start(arguments: RunArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let loaded = config::load_fleet(environment, |path| std::fs::read_to_string(path));
    let fleet = outcome::settings(loaded)?;
    let identity = RunIdentity {
        as_of: clock.as_of(),
        suffix: suffix()?,
        tool: tool(),
        trigger: Trigger::Unknown,
        executor: fleet.executor.clone(),
    };
    let ran = run_until_signal(async {
        let (connections, list) = list::read(&fleet).await?;
        info!(
            run = identity.run_id(),
            shard = fleet.shard.index,
            shards = fleet.shard.count,
            connections = connections.len(),
            retry = fleet.retry,
            "Started a shard"
        );
        let checked = work::check_all(&fleet, connections, clock).await;
        let (results, metrics): (_, Vec<RunMetrics>) = checked
            .into_iter()
            .map(|of| (of.result, of.metrics))
            .unzip();
        let summary = summary::of(&fleet, &identity, list, results, clock);
        let stored = summary::store(&fleet, &identity, summary).await;
        metrics::publish(&fleet.metrics, &metrics).await;
        Ok::<_, Exit>(stored)
    });
    progress.clear();
    let (summary, exit) = match ran {
        Ok(ended) => ended?,
        Err(stopped) => {
            let exit = stopped.code();
            warn!(
                exit,
                "Stopped by a signal; nothing is half written, and a restart skips finished connections"
            );
            return Err(stopped);
        }
    };
    terminal::print(&match arguments.json {
        true => format!("{:#}\n", serde_json::json!(summary)),
        false => summary::text(&summary),
    });
    Ok(exit)
}

/// `check` with `CONNECTIONS_URL`: reads the list and judges the settings of every line. It contacts no connection.
///
/// # Errors
/// The exit code, if the settings or the list are wrong, or a signal stopped it.
pub fn check(arguments: CheckArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        environment,
        progress,
        ..
    } = session;
    let fleet = super::settings(config::load_fleet(environment, |path| {
        std::fs::read_to_string(path)
    }))?;
    let read = run_until_signal(list::read(&fleet));
    progress.clear();
    let (connections, list) = read??;
    terminal::print(&match arguments.json {
        true => {
            let connections: Vec<&str> = connections.iter().map(|of| of.id.as_str()).collect();
            let shown = serde_json::json!({ "list": list, "shard": fleet.shard, "connections": connections });
            format!("{shown:#}\n")
        }
        false => format!(
            "ok: every line of {} is valid; shard {} of {} has {}\nhint: to check one \
             connection, run `check` with the variables of its line and without CONNECTIONS_URL\n",
            list.url,
            fleet.shard.index,
            fleet.shard.count,
            counted(connections.len(), "connection", "connections")
        ),
    });
    Ok(Exit::Pass)
}
