//! The commands. `start` of each reads its settings, calls the other modules in order, and prints the outcome.

pub mod check;
pub mod connect;
pub mod review;
pub mod run;
pub mod verify;

use std::error::Error;
use std::fmt::{Display, Write as _};

use tracing::warn;

use crate::cli::exit::{Exit, error_chain};
use crate::cli::logging::Progress;
use crate::cli::terminal::{self, BAD, styled};
use crate::clock::Clock;
use crate::config::{Environment, Judged, Problems};
use crate::evidence::Tool;
use crate::ledger::Committed;
use crate::report::on_one_line;

/// What every command starts with.
#[derive(Debug)]
pub struct Session {
    pub clock: Clock,
    pub environment: Environment,
    pub progress: Progress,
}

/// The settings, once their warnings are logged; if they are wrong, every problem is printed.
fn settings<T>(loaded: Result<Judged<T>, Problems>) -> Result<T, Exit> {
    let Judged { settings, warnings } =
        loaded.map_err(|problems| failed(Exit::Configuration, &problems))?;
    for warning in warnings {
        warn!("{warning}");
    }
    Ok(settings)
}

/// Prints an error; its exit code.
fn failed(exit: Exit, error: &dyn Display) -> Exit {
    let word = styled(BAD, "error:");
    terminal::print_error(&format!("{word} {error}\n"));
    exit
}

/// An error with its causes, and its hint.
fn error_text(error: &dyn Error, hint: Option<impl AsRef<str>>) -> String {
    let word = styled(BAD, "error:");
    let mut text = format!("{word} {}\n", on_one_line(&error_chain(error)));
    if let Some(hint) = hint {
        let _ = writeln!(text, "hint: {}", on_one_line(hint.as_ref()));
    }
    text
}

/// Adds a row to the text of a command.
fn row(text: &mut String, label: &str, value: impl Display) {
    let _ = writeln!(text, "  {label:<10} {value}");
}

/// Adds the rows that say where evidence is.
fn evidence_rows(text: &mut String, committed: &Committed) {
    row(text, "evidence", &committed.folder);
    row(text, "report", &committed.report);
    row(text, "ledger", head(committed));
}

/// The head of the ledger, as people note it.
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
        let text = format!("the runtime could not be started: {error}");
        failed(Exit::Unexpected, &text)
    })?;
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = work => Ok(ended),
            stopped = stop_signal() => Err(stopped),
        }
    });
    // Other threads are not awaited: they create one object, whole or not at all, or read an answer that may never
    // come.
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
            warn!("Cannot listen to signals: a stop will not be clean");
            std::future::pending().await
        }
    }
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
        let text = format!("the system gives no randomness: {error}");
        failed(Exit::Unexpected, &text)
    })?;
    Ok(const_hex::encode(bytes))
}
