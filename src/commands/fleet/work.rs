//! Checks the connections of a shard, several at a time, each on its own.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::SignedDuration;
use tracing::{Instrument as _, error, info, warn};

use crate::cli::exit::Exit;
use crate::cli::logging::connection_span;
use crate::clock::Clock;
use crate::commands::run::{self, Done, Failed};
use crate::commands::{suffix, tool};
use crate::config::{Connection, Fleet};
use crate::evidence::{
    ConnectionResult, ConnectionState, Executor, Manifest, RunIdentity, Trigger,
};
use crate::judgement::Verdict;
use crate::ledger::{Committed, Ledger};
use crate::metrics::RunMetrics;

/// The longest time of a connection beyond its `RUN_DEADLINE`: for the failure record, the notification, and a store
/// that does not answer.
const BEYOND_ITS_DEADLINE: Duration = Duration::from_secs(120);

/// How many ledgers are read at the same time, to find the work of earlier attempts.
const LOOKED_UP_AT_ONCE: usize = 16;

/// A ledger that cannot be read in this time keeps no other connection from its turn.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(60);

/// An older run is of another Job with the same name, such as one that a person deletes and creates again. Shorter than
/// a day, so that a daily Job that always has one name is never skipped.
const LONGEST_JOB: SignedDuration = SignedDuration::from_hours(20);

/// The first retry that checks one connection at a time. Then a connection that ends the process takes no other with it.
const ONE_AT_A_TIME_FROM: u32 = 2;

/// The result of one connection, and its metrics.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) result: ConnectionResult,
    pub(super) metrics: RunMetrics,
}

/// The results, in no order.
pub(super) async fn check_all(
    fleet: &Fleet,
    connections: Vec<Connection>,
    clock: Clock,
) -> Vec<Checked> {
    let (done, mut open) = split(fleet, connections, clock).await;
    if !done.is_empty() {
        let (done, open) = (done.len(), open.len());
        info!(
            done,
            open, "An earlier attempt of this Job finished some connections"
        );
    }
    let concurrency = rotate(&mut open, fleet.retry, fleet.concurrency);
    let ended = stream::iter(open).map(|connection| {
        let span = connection_span(&connection.id);
        check_in_time(fleet, connection, clock).instrument(span)
    });
    let ended = ended.buffer_unordered(concurrency);
    stream::iter(done).chain(ended).collect().await
}

/// The results of this Job's earlier attempts, and the other connections in the order of the list.
async fn split(
    fleet: &Fleet,
    connections: Vec<Connection>,
    clock: Clock,
) -> (Vec<Checked>, Vec<Connection>) {
    let Executor {
        claimed_job_name: Some(job),
        claimed_pod_uid: Some(_),
        ..
    } = &fleet.executor
    else {
        // Elsewhere than in Kubernetes, each run may have the same name.
        return (Vec::new(), connections);
    };
    let results = stream::iter(&connections).map(|connection| {
        let span = connection_span(&connection.id);
        result_of_job(job, connection, clock).instrument(span)
    });
    let results: Vec<Option<Checked>> = results.buffered(LOOKED_UP_AT_ONCE).collect().await;
    let pairs = connections.into_iter().zip(&results);
    let open = pairs.filter(|(_, result)| result.is_none());
    let open = open.map(|(connection, _)| connection).collect();
    (results.into_iter().flatten().collect(), open)
}

/// Changes the order of work with each retry, and returns how many connections to check at a time.
///
/// Finished connections are not in the list. So a connection that ends the process is near the start of the list that
/// is left, and the rotation moves those after it to the front.
fn rotate<T>(open: &mut [T], retry: u32, concurrency: usize) -> usize {
    let concurrency = match retry < ONE_AT_A_TIME_FROM {
        true => concurrency,
        false => 1,
    };
    if let Some(by) = (retry as usize * concurrency).checked_rem(open.len()) {
        open.rotate_left(by);
    }
    concurrency
}

/// The result that an earlier attempt of a Job left, unless a retry may better it. The run reports what is wrong with
/// the store or the key.
async fn result_of_job(job: &str, connection: &Connection, clock: Clock) -> Option<Checked> {
    let settings = &connection.settings;
    let newest = async {
        let (store, key) = run::open(settings).await.ok()?;
        let ledger = Ledger::new(store, &connection.id, settings.ledger.clone(), key);
        ledger.newest_run().await.ok()?
    };
    let newest = tokio::time::timeout(LOOKED_UP_WITHIN, newest);
    let newest = AssertUnwindSafe(newest).catch_unwind().await;
    let (committed, manifest) = newest.ok()?.ok()??;
    let age = clock.as_of().duration_since(manifest.run.as_of);
    let is_of_job =
        manifest.run.executor.claimed_job_name.as_deref() == Some(job) && age < LONGEST_JOB;
    let result = of_manifest(connection, &committed, &manifest);
    if !is_of_job || is_worth_a_retry(&result) {
        return None;
    }
    let exit = result.exit.unwrap_or_default();
    let metrics = RunMetrics::of_manifest(&manifest, committed.sequence, exit);
    Some(Checked { result, metrics })
}

/// Only a bug and a transient failure are worth a retry.
pub(super) fn is_worth_a_retry(result: &ConnectionResult) -> bool {
    let is = |exit: Exit| result.exit == Some(exit.code());
    result.state == ConnectionState::NotStarted || is(Exit::Transient) || is(Exit::Unexpected)
}

async fn check_in_time(fleet: &Fleet, connection: Connection, clock: Clock) -> Checked {
    if clock.elapsed() >= fleet.deadline {
        warn!("Did not start the connection, because SHARD_DEADLINE has passed");
        return without_evidence(&connection, None, clock);
    }
    let limit = connection.settings.deadline + BEYOND_ITS_DEADLINE;
    let checked = in_time(limit, check(&connection, clock)).await;
    checked.unwrap_or_else(|exit| without_evidence(&connection, Some(exit), clock))
}

/// The output of `work`, or the exit code if it panics or takes longer than `limit`.
async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Exit> {
    // The future is large, so it is on the heap.
    let work = tokio::time::timeout(limit, Box::pin(work));
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(_)) => {
            error!(
                limit_s = limit.as_secs(),
                "The connection did not end in time"
            );
            Err(Exit::Transient)
        }
        // The panic was logged with its place. Nothing that it touched is used afterwards.
        Err(_) => Err(Exit::Unexpected),
    }
}

/// One leaver access check.
///
/// The Job's schedule was due when the shard began, not when the turn of this connection came.
async fn check(connection: &Connection, shard: Clock) -> Checked {
    let clock = shard.restarted();
    let settings = &connection.settings;
    let suffix = match suffix() {
        Ok(suffix) => suffix,
        Err(exit) => return without_evidence(connection, Some(exit), clock),
    };
    let identity = RunIdentity {
        as_of: clock.as_of(),
        suffix,
        tool: tool(),
        trigger: Trigger::of(
            &settings.executor,
            settings.schedule.as_ref(),
            shard.as_of(),
            false,
        ),
        executor: settings.executor.clone(),
    };
    info!(run = identity.run_id(), "Started a run");
    let about = run::about(settings, &identity);
    let ended = run::run(settings, identity, clock).await;
    let exit = run::exit_code(&ended, settings.fail_on);
    let metrics = run::metrics_of(settings, clock, &ended, exit);
    run::log(&ended, exit);
    run::notify(settings, &about, &ended, exit, clock).await;
    Checked {
        result: of_run(connection, &ended, exit),
        metrics,
    }
}

/// A connection that was not started, or ended with this exit code and left no evidence.
fn without_evidence(connection: &Connection, exit: Option<Exit>, shard: Clock) -> Checked {
    let state = match exit {
        None => ConnectionState::NotStarted,
        Some(_) => ConnectionState::Failed,
    };
    let exit_code = exit.unwrap_or(Exit::Transient).code();
    let now = shard.restarted().as_of();
    Checked {
        result: unfinished(connection, state, exit),
        metrics: RunMetrics::without_evidence(&connection.id, now, exit_code),
    }
}

/// The result of a connection without evidence.
fn unfinished(
    connection: &Connection,
    state: ConnectionState,
    exit: Option<Exit>,
) -> ConnectionResult {
    ConnectionResult {
        connection: connection.id.clone(),
        state,
        earlier: false,
        exit: exit.map(Exit::code),
        verdict: None,
        complete: None,
        stage: None,
        sequence: None,
        evidence: None,
    }
}

/// The result of a run.
fn of_run(connection: &Connection, ended: &Result<Done, Failed>, exit: Exit) -> ConnectionResult {
    let (state, record) = match ended {
        Ok(done) => (ConnectionState::Judged, Some(&done.committed)),
        Err(failed) => (ConnectionState::Failed, failed.record.as_ref()),
    };
    let judgement = ended.as_ref().ok().map(|done| &done.judgement);
    let failed = ended.as_ref().err();
    ConnectionResult {
        verdict: match judgement {
            Some(judgement) => Some(judgement.verdict),
            None => record.map(|_| Verdict::Inconclusive),
        },
        complete: judgement.map(|judgement| judgement.complete),
        stage: failed.map(|failed| failed.error.stage().to_owned()),
        sequence: record.map(|record| record.sequence),
        evidence: record.map(|record| record.key.clone()),
        ..unfinished(connection, state, Some(exit))
    }
}

/// The result of a run of an earlier attempt.
fn of_manifest(
    connection: &Connection,
    committed: &Committed,
    manifest: &Manifest,
) -> ConnectionResult {
    let failure = manifest.failure.as_ref();
    let exit = Exit::of_verdict(manifest.verdict, connection.settings.fail_on).code();
    let state = match failure {
        Some(_) => ConnectionState::Failed,
        None => ConnectionState::Judged,
    };
    ConnectionResult {
        earlier: true,
        exit: Some(failure.map_or(exit, |failure| failure.code)),
        verdict: Some(manifest.verdict),
        complete: failure.is_none().then_some(manifest.complete),
        stage: failure.map(|failure| failure.stage.clone()),
        sequence: Some(committed.sequence),
        evidence: Some(committed.key.clone()),
        ..unfinished(connection, state, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works through connections attempt by attempt. One of them ends the process, and with it all that are checked at
    /// the same time. Returns the connections that were never finished.
    fn left_over(count: usize, poisonous: usize, concurrency: usize, attempts: u32) -> Vec<usize> {
        let mut left: Vec<usize> = (0..count).collect();
        for retry in 0..attempts {
            let mut order = left.clone();
            let at_once = rotate(&mut order, retry, concurrency);
            let place = order.iter().position(|of| *of == poisonous);
            // The connections before it in the list may be in flight when it ends the process.
            let finished = place.map_or(order.len(), |place| place.saturating_sub(at_once - 1));
            left.retain(|of| !order[..finished].contains(of));
        }
        left
    }

    #[test]
    fn a_connection_that_ends_the_process_starves_no_other() {
        for count in [1, 2, 3, 5, 8, 40] {
            for concurrency in [1, 4, 64] {
                for poisonous in 0..count {
                    let left = left_over(count, poisonous, concurrency, 6);
                    assert_eq!(
                        left,
                        [poisonous],
                        "{count} connections, {concurrency} at a time"
                    );
                }
            }
        }
    }

    async fn in_a_second<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
        in_time(Duration::from_secs(1), work).await
    }

    #[tokio::test]
    async fn a_panic_of_one_connection_is_exit_1_and_the_others_go_on() {
        let work = (0..9).map(|number| {
            in_a_second(async move {
                tokio::task::yield_now().await;
                assert_ne!(number, 4, "a bug");
                number
            })
        });
        let ended: Vec<_> = stream::iter(work).buffered(4).collect().await;
        let expected = (0..9).map(|number| match number {
            4 => Err(Exit::Unexpected),
            _ => Ok(number),
        });
        assert_eq!(ended, Vec::from_iter(expected));
    }

    #[tokio::test]
    async fn a_connection_without_an_end_is_stopped() {
        let endless = in_time(Duration::from_millis(10), std::future::pending::<()>());
        assert_eq!(endless.await, Err(Exit::Transient));
        assert_eq!(in_a_second(std::future::ready(7)).await, Ok(7));
    }

    #[test]
    fn the_first_attempt_keeps_the_order_and_the_concurrency() {
        let mut open = [1, 2, 3, 4, 5];
        assert_eq!(rotate(&mut open, 0, 2), 2);
        assert_eq!(open, [1, 2, 3, 4, 5]);
        assert_eq!(rotate(&mut open, 1, 2), 2);
        assert_eq!(open, [3, 4, 5, 1, 2]);
    }
}
