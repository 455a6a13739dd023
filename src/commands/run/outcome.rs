//! The outcome of a run, as JSON: for the log, for Kubernetes, and for `run --json`.

use std::path::Path;

use serde_json::{Value, json};
use tracing::{error, info, warn};

use super::{Done, Failed};
use crate::cli::exit::Exit;
use crate::cli::logging::OUTCOME;
use crate::commands;
use crate::config::{Judged, Problems};
use crate::judgement::{Judgement, Verdict};
use crate::model::for_a_log;

/// Kubernetes reads a container's termination message from here.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Kubernetes cuts a termination message at this many bytes.
const TERMINATION_BYTES: usize = 4096;

/// Logs the outcome of a run, and writes it as the termination message.
pub(super) fn leave(ended: &Result<Done, Failed>, exit: Exit) {
    write(ended.is_ok(), of(ended, exit));
}

/// Does the same for a run that was refused.
pub(in crate::commands) fn leave_refusal(exit: Exit, error: &str) {
    write(false, of_refusal(exit, error));
}

/// The settings of a run. Wrong settings refuse it.
pub(in crate::commands) fn settings<T>(loaded: Result<Judged<T>, Problems>) -> Result<T, Exit> {
    let problems = loaded.as_ref().err().map(ToString::to_string);
    commands::settings(loaded)
        .inspect_err(|exit| leave_refusal(*exit, &problems.unwrap_or_default()))
}

/// Logs the outcome of a run.
pub(super) fn log(ended: &Result<Done, Failed>, exit: Exit) {
    log_line(
        ended.is_ok(),
        termination_message(of(ended, exit)).trim_end(),
    );
}

fn log_line(is_stored: bool, outcome: &str) {
    if is_stored {
        info!(target: OUTCOME, outcome, "Finished");
    } else {
        error!(target: OUTCOME, outcome, "Finished without a verdict");
    }
}

pub(in crate::commands) fn write(is_stored: bool, outcome: Value) {
    let line = termination_message(outcome);
    log_line(is_stored, line.trim_end());
    if Path::new(TERMINATION_LOG).exists()
        && let Err(error) = std::fs::write(TERMINATION_LOG, &line)
    {
        warn!(%error, "Could not write the termination message");
    }
}

pub(super) fn of(ended: &Result<Done, Failed>, exit: Exit) -> Value {
    match ended {
        Ok(done) => of_done(done, exit),
        Err(failed) => of_failure(failed, exit),
    }
}

fn of_done(done: &Done, exit: Exit) -> Value {
    let Judgement {
        verdict,
        complete,
        counts,
        ..
    } = &done.judgement;
    json!({
        "exit": exit.code(),
        "verdict": verdict,
        "complete": complete,
        "mark": done.mark,
        "accounts": counts.accounts.total,
        "leavers": counts.leavers,
        "findings": counts.findings,
        "changes": counts.changes.total,
        "ledger": { "sequence": done.committed.sequence, "head": done.committed.head_sha256 },
        "evidence": done.committed.key,
    })
}

fn of_failure(failed: &Failed, exit: Exit) -> Value {
    let record = failed.record.as_ref();
    json!({
        "exit": exit.code(),
        "verdict": record.map(|_| Verdict::Inconclusive),
        "stage": failed.error.stage(),
        "error": failed.error.chain(),
        "ledger": record.map(|record| json!({ "sequence": record.sequence, "head": record.head_sha256 })),
        "evidence": record.map(|record| &record.key),
    })
}

fn of_refusal(exit: Exit, error: &str) -> Value {
    json!({ "exit": exit.code(), "verdict": null, "error": error })
}

/// One line of at most 4096 bytes. Only the error can be long, so it is cut.
fn termination_message(mut outcome: Value) -> String {
    let mut line = for_a_log(&outcome.to_string());
    while line.len() > TERMINATION_BYTES - 1 {
        let over = line.len() - (TERMINATION_BYTES - 1);
        let Some(error) = outcome.get("error").and_then(Value::as_str) else {
            break;
        };
        // An escaped character takes several bytes, so the loop may run more than once.
        let keep = error.chars().count().saturating_sub(over.max(8));
        let cut: String = error.chars().take(keep).collect();
        outcome["error"] = Value::String(cut);
        line = for_a_log(&outcome.to_string());
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_to_the_limit_of_kubernetes() {
        let outcome = of_refusal(Exit::Configuration, &"\u{1}ü\"".repeat(3000));
        let line = termination_message(outcome);
        assert!(line.len() <= TERMINATION_BYTES, "{}", line.len());
        let read: Value = serde_json::from_str(&line).expect("one JSON line");
        assert_eq!(read["exit"], 78);
        assert_eq!(line.matches('\n').count(), 1);
    }
}
