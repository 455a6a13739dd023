//! The last words of a run: one line of JSON for the log and for Kubernetes.

use std::path::Path;

use serde_json::{Value, json};
use tracing::{error, info, warn};

use super::{Done, Failed};
use crate::cli::exit::Exit;
use crate::judgement::{Judgement, Verdict};

/// Where Kubernetes looks for a pod's last words.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Kubernetes cuts a termination message at this many bytes.
const TERMINATION_BYTES: usize = 4096;

/// Leaves the last words of a run.
pub(super) fn leave(ended: &Result<Done, Failed>, exit: Exit) {
    match ended {
        Ok(done) => write(true, of(done, exit)),
        Err(failed) => write(false, of_failure(failed, exit)),
    }
}

/// Leaves the last words where the settings were wrong.
pub(super) fn leave_refusal(exit: Exit, error: &str) {
    write(false, of_refusal(exit, error));
}

fn write(is_stored: bool, words: Value) {
    let line = termination_message(words);
    let last_words = line.trim_end();
    if is_stored {
        info!(last_words, "Ended");
    } else {
        error!(last_words, "Ended without a review");
    }
    if Path::new(TERMINATION_LOG).exists()
        && let Err(error) = std::fs::write(TERMINATION_LOG, &line)
    {
        warn!(%error, "The termination message could not be written");
    }
}

pub(super) fn of(done: &Done, exit: Exit) -> Value {
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

/// One line of at most 4096 bytes; an error that is longer is cut, the rest is short.
fn termination_message(mut words: Value) -> String {
    let mut line = words.to_string();
    while line.len() > TERMINATION_BYTES - 1 {
        let over = line.len() - (TERMINATION_BYTES - 1);
        let Some(error) = words.get("error").and_then(Value::as_str) else {
            break;
        };
        // Escapes make a character longer than it is; cutting twice what is over is quick enough.
        let keep = error.chars().count().saturating_sub(over.max(8));
        let cut: String = error.chars().take(keep).collect();
        words["error"] = Value::String(cut);
        line = words.to_string();
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_to_what_kubernetes_keeps() {
        let words = of_refusal(Exit::Configuration, &"\u{1}ü\"".repeat(3000));
        let line = termination_message(words);
        assert!(line.len() <= TERMINATION_BYTES, "{}", line.len());
        let read: Value = serde_json::from_str(&line).expect("one JSON line");
        assert_eq!(read["exit"], 78);
        assert_eq!(line.matches('\n').count(), 1);
    }
}
