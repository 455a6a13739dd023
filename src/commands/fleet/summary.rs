//! The summary of a shard: its exit code, its file and its text.

use std::fmt::Write as _;

use serde_json::json;
use tracing::warn;

use super::super::row;
use super::work::is_worth_a_retry;
use crate::cli::exit::{Exit, FailOn, error_chain};
use crate::cli::terminal::{ATTENTION, BAD, GOOD, styled};
use crate::clock::Clock;
use crate::commands::run::outcome;
use crate::config::Fleet;
use crate::evidence::{
    ConnectionList, ConnectionResult, ConnectionState, RunIdentity, ShardSummary,
};
use crate::judgement::Verdict;
use crate::model::counted;
use crate::store::{Store, StoreError};

pub(super) fn of(
    fleet: &Fleet,
    identity: &RunIdentity,
    list: ConnectionList,
    mut connections: Vec<ConnectionResult>,
    clock: Clock,
) -> ShardSummary {
    connections.sort_by(|a, b| a.connection.cmp(&b.connection));
    ShardSummary {
        schema: ShardSummary::schema(),
        run: identity.run_id(),
        as_of: identity.as_of,
        ended_at: clock.restarted().as_of(),
        tool: identity.tool.clone(),
        executor: identity.executor.clone(),
        shard: fleet.shard,
        retry: fleet.retry,
        list,
        exit: exit(&connections, fleet.fail_on).code(),
        counts: ShardSummary::count(&connections),
        connections,
    }
}

/// A retry is worth while as long as one connection may get a verdict by it. Then, if `FAIL_ON` is set, the most severe
/// verdict counts. A connection that could not be checked counts as inconclusive.
fn exit(connections: &[ConnectionResult], fail_on: Option<FailOn>) -> Exit {
    let retried = || connections.iter().filter(|of| is_worth_a_retry(of));
    if retried().any(|of| of.exit != Some(Exit::Unexpected.code())) {
        return Exit::Transient;
    }
    if retried().next().is_some() {
        return Exit::Unexpected;
    }
    let Some(fail_on) = fail_on else {
        return Exit::Pass;
    };
    let exits = connections.iter().map(|of| {
        let verdict = of.verdict.unwrap_or(Verdict::Inconclusive);
        Exit::of_verdict(verdict, fail_on)
    });
    let exits: Vec<Exit> = exits.collect();
    let severe = [Exit::Fail, Exit::Inconclusive];
    let found = severe.into_iter().find(|exit| exits.contains(exit));
    found.unwrap_or(Exit::Pass)
}

/// Stores the summary, and logs the outcome of the shard. Without the summary, the shard has not succeeded.
pub(super) async fn store(
    fleet: &Fleet,
    identity: &RunIdentity,
    mut summary: ShardSummary,
) -> (ShardSummary, Exit) {
    let exit = |summary: &ShardSummary| {
        let of = |exit: &&Exit| exit.code() == summary.exit;
        Exit::ALL
            .iter()
            .find(of)
            .copied()
            .unwrap_or(Exit::Unexpected)
    };
    let name = ShardSummary::name(identity);
    let stored = create(fleet, &name, &summary).await;
    if let Err(error) = &stored {
        let chain = error_chain(error);
        warn!(
            error = chain,
            hint = error.hint(),
            "Could not store the summary of the shard"
        );
        if exit(&summary) == Exit::Pass {
            summary.exit = Exit::from(error.kind()).code();
        }
    }
    let exit = exit(&summary);
    let left = json!({
        "exit": exit.code(),
        "shard": summary.shard,
        "connections": summary.connections.len(),
        "counts": summary.counts,
        "summary": stored.is_ok().then_some(&name),
    });
    let is_retried = matches!(exit, Exit::Transient | Exit::Unexpected);
    outcome::write(stored.is_ok() && !is_retried, left);
    (summary, exit)
}

async fn create(fleet: &Fleet, name: &str, summary: &ShardSummary) -> Result<(), StoreError> {
    let store = Store::open(&fleet.store).await?;
    let store = store.locked(fleet.ledger.lock(summary.as_of));
    store.create(name, summary.to_bytes()).await?;
    Ok(())
}

/// One line for each connection that a person should know of, and the counts last.
pub(super) fn text(summary: &ShardSummary) -> String {
    let mut text = String::new();
    for of in &summary.connections {
        let (style, word) = match (of.state, of.verdict) {
            (ConnectionState::Judged, Some(Verdict::Pass | Verdict::PassWithExceptions)) => {
                continue;
            }
            (ConnectionState::Judged, Some(verdict @ Verdict::Fail)) => (BAD, verdict.as_str()),
            (ConnectionState::Judged, Some(verdict)) => (ATTENTION, verdict.as_str()),
            (state, _) => (BAD, state.as_str()),
        };
        let place = match (&of.evidence, &of.stage) {
            (Some(evidence), _) => evidence,
            (None, Some(stage)) => stage,
            (None, None) => "no evidence",
        };
        // Pad before styling, because escapes have no width.
        let word = styled(style, format_args!("{word:<12}"));
        let _ = writeln!(text, "  {word} {}  {place}", of.connection);
    }
    let shard = summary.shard;
    let total = summary.connections.len();
    row(
        &mut text,
        "shard",
        format!(
            "{} of {}, retry {}",
            shard.index, shard.count, summary.retry
        ),
    );
    let counts = summary.counts.iter();
    let counts: Vec<String> = counts
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let style = match summary.exit {
        0 => GOOD,
        _ => ATTENTION,
    };
    let counted = match total {
        0 => "no connection is in this shard".to_owned(),
        _ => format!(
            "{}: {}",
            counted(total, "connection", "connections"),
            counts.join(", ")
        ),
    };
    let _ = writeln!(text, "{}", styled(style, counted));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit: Option<Exit>, verdict: Option<Verdict>) -> ConnectionResult {
        ConnectionResult {
            connection: "c1".to_owned(),
            state: match (exit, verdict) {
                (None, _) => ConnectionState::NotStarted,
                (Some(Exit::Pass | Exit::Fail | Exit::Inconclusive), _) => ConnectionState::Judged,
                _ => ConnectionState::Failed,
            },
            earlier: false,
            exit: exit.map(Exit::code),
            verdict,
            complete: None,
            stage: None,
            sequence: None,
            evidence: None,
        }
    }

    #[test]
    fn a_shard_is_retried_only_while_a_retry_may_help() {
        let pass = || result(Some(Exit::Pass), Some(Verdict::Pass));
        let fail = || result(Some(Exit::Fail), Some(Verdict::Fail));
        let refused = || result(Some(Exit::Refused), Some(Verdict::Inconclusive));
        let wrong = || result(Some(Exit::Configuration), None);
        let down = || result(Some(Exit::Transient), Some(Verdict::Inconclusive));
        let bug = || result(Some(Exit::Unexpected), Some(Verdict::Inconclusive));
        let late = || result(None, None);
        let findings = Some(FailOn::Findings);
        for (connections, fail_on, expected) in [
            (vec![], findings, Exit::Pass),
            (vec![pass(), fail(), refused(), wrong()], None, Exit::Pass),
            (vec![pass(), down(), bug()], None, Exit::Transient),
            (vec![fail(), bug()], findings, Exit::Unexpected),
            (vec![pass(), late()], None, Exit::Transient),
            (vec![fail(), late()], findings, Exit::Transient),
            (vec![pass(), fail(), refused()], findings, Exit::Fail),
            (vec![pass(), refused()], findings, Exit::Inconclusive),
            (vec![pass(), wrong()], findings, Exit::Inconclusive),
            (
                vec![fail(), wrong()],
                Some(FailOn::Inconclusive),
                Exit::Inconclusive,
            ),
            (vec![fail(), pass()], Some(FailOn::Inconclusive), Exit::Pass),
            (vec![fail(), wrong()], Some(FailOn::Never), Exit::Pass),
        ] {
            assert_eq!(exit(&connections, fail_on), expected, "{connections:?}");
        }
    }
}
