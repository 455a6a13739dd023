//! The commands. `start` of each reads its settings, calls the other modules in order, and prints the outcome.

pub mod check;
pub mod connect;
pub mod fleet;
pub mod report;
pub mod review;
pub mod run;
pub mod status;
pub mod verify;

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::path::Path;

use tracing::warn;

use crate::cli::exit::{Exit, with_causes};
use crate::cli::logging::Progress;
use crate::cli::terminal::{self, BAD, styled};
use crate::clock::Clock;
use crate::config::{self, Environment, Judged, Problems};
use crate::evidence::Tool;
use crate::files::{self, Fetched, FileError, Purpose};
use crate::ledger::Committed;
use crate::net::Deadline;
use crate::report::on_one_line;
use crate::store;

/// The clock, environment and progress bar of a command.
#[derive(Debug)]
pub struct Session {
    pub clock: Clock,
    pub environment: Environment,
    pub progress: Progress,
}

/// Logs the warnings of valid settings, or prints every problem of invalid ones.
fn settings<T>(loaded: Result<Judged<T>, Problems>) -> Result<T, Exit> {
    let Judged { settings, warnings } =
        loaded.map_err(|problems| failed(Exit::Configuration, &problems))?;
    for warning in warnings {
        warn!("{warning}");
    }
    Ok(settings)
}

/// The settings of the store, for a command that reads only evidence.
fn store_settings(environment: Environment, url: Option<String>) -> Result<store::Settings, Exit> {
    let read = |path: &Path| std::fs::read_to_string(path);
    settings(config::load_store(environment, url, read))
}

/// Prints an error, and returns its exit code.
fn failed(exit: Exit, error: &dyn Display) -> Exit {
    let word = styled(BAD, "error:");
    terminal::print_error(&format!("{word} {error}\n"));
    exit
}

/// An error, its causes and its hint, each on one line.
fn error_text(error: &dyn Error, hint: Option<impl AsRef<str>>) -> String {
    let mut word = styled(BAD, "error:");
    let mut text = String::new();
    for sentence in with_causes(error) {
        let _ = writeln!(text, "{word} {}", on_one_line(&sentence));
        "caused by:".clone_into(&mut word);
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "hint: {}", on_one_line(hint.as_ref()));
    }
    text
}

/// Adds a row to the text of a command.
fn row(text: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(text, "  {label:<10} {value}");
}

/// Adds the rows about the stored evidence.
fn evidence_rows(text: &mut String, committed: &Committed) {
    row(text, "evidence", &committed.folder);
    row(text, "report", &committed.report);
    row(text, "ledger", head(committed));
}

/// The head of the ledger, in the form of `verify --head`.
fn head(committed: &Committed) -> String {
    format!("{}:{}", committed.sequence, committed.head_sha256)
}

/// Runs the work of a command until it ends or a signal stops it.
///
/// # Errors
/// The exit code of the signal.
fn run_until_signal<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().map_err(|error| {
        let text = format!("could not start the runtime: {error}");
        failed(Exit::Unexpected, &text)
    })?;
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = work => Ok(ended),
            stopped = stop_signal() => Err(stopped),
        }
    });
    // Other threads are not awaited. Each creates one complete object or none, or waits for an answer without end.
    runtime.shutdown_background();
    ended
}

/// Waits for SIGTERM or Ctrl-C.
async fn stop_signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
            _ = terminate.recv() => Exit::Terminated,
            _ = interrupt.recv() => Exit::Interrupted,
        },
        _ => {
            warn!("Cannot handle signals, so a stop will not be clean");
            std::future::pending().await
        }
    }
}

/// The most bytes of a list of connections. A line has a few hundred bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// Reads the list of connections.
async fn list_of_connections(
    list: &files::Location,
    deadline: Deadline,
) -> Result<(Vec<u8>, Fetched), FileError> {
    files::fetch(list, Purpose::Connections, MAX_LIST_BYTES, deadline).await
}

fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("BUILD_COMMIT").to_owned(),
    }
}

/// Six hex digits that distinguish two runs of one second.
fn suffix() -> Result<String, Exit> {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|error| {
        let text = format!("the system has no random numbers: {error}");
        failed(Exit::Unexpected, &text)
    })?;
    Ok(const_hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Failure {
        text: &'static str,
        source: Option<Box<Failure>>,
    }

    fn failure(text: &'static str, source: Option<Failure>) -> Failure {
        let source = source.map(Box::new);
        Failure { text, source }
    }

    #[test]
    fn an_error_has_one_line_for_each_cause_that_adds_text() {
        let cause = failure("connection refused", None);
        let repeated = failure("connection refused", Some(cause));
        let middle = failure("no connection to `api.truto.one`", Some(repeated));
        let error = failure("could not read the Asana accounts", Some(middle));
        let text = error_text(&error, Some("set HTTPS_PROXY"));
        insta::assert_snapshot!(anstream::adapter::strip_str(&text), @r"
        error: could not read the Asana accounts
        caused by: no connection to `api.truto.one`
        caused by: connection refused
        hint: set HTTPS_PROXY
        ");
    }

    #[test]
    fn an_error_without_cause_and_hint_is_one_line() {
        let text = error_text(&failure("it failed", None), None::<String>);
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "error: it failed\n"
        );
    }
}
