//! `run`: one leaver access check. It reads earlier evidence, the HR feed and the accounts, judges them, and commits
//! the evidence.

mod error;
pub(super) mod outcome;
mod text;

use std::io::{self, IsTerminal as _};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tracing::{info, warn};

pub use error::RunError;
pub use text::summary;

use super::{Session, run_until_signal, suffix, tool};
use crate::cli::arguments::RunArguments;
use crate::cli::exit::{Exit, FailOn};
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::evidence::{FailedSnapshot, Failure, Frame, RunFolder, RunIdentity, Snapshot, Trigger};
use crate::judgement::{self, Inputs, Judgement, Mark, judge};
use crate::ledger::{Committed, EarlierRuns, Ledger, commit_failure, commit_run};
use crate::metrics::{JudgedRun, RunMetrics};
use crate::model::Workspace;
use crate::net::Deadline;
use crate::notify::{About, Content, Notification, NotifiedWorkspace};
use crate::signing::SigningKey;
use crate::store::Store;
use crate::{feed, manual, report, source};

/// A run whose evidence is stored.
#[derive(Debug)]
pub struct Done {
    pub judgement: Judgement,
    /// The results of earlier runs.
    pub before: EarlierRuns,
    pub committed: Committed,
    pub workspace: Workspace,
    /// The tenant, as named by the creator of the connection.
    pub tenant: Option<String>,
    /// When the HR feed last changed, if known.
    pub feed_modified_at: Option<Timestamp>,
    /// The label of evidence that is not from a real workspace at Truto.
    pub mark: Option<Mark>,
}

/// A run without a verdict.
#[derive(Debug)]
pub struct Failed {
    pub error: RunError,
    /// The failure record, if one could be stored.
    pub record: Option<Committed>,
}

/// A failure record must not delay a failed run for long.
const RECORD_WITHIN: Duration = Duration::from_secs(20);

/// Requests stop this long before the deadline, because the next attempt would exceed it.
const DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// # Errors
/// The exit code, if the settings are wrong or a signal stopped it.
pub fn start(arguments: RunArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let loaded = config::load(environment, |path| std::fs::read_to_string(path));
    let settings = outcome::settings(loaded)?;
    let at_terminal = io::stdin().is_terminal();
    let schedule = settings.schedule.as_ref();
    let trigger = Trigger::of(&settings.executor, schedule, clock.as_of(), at_terminal);
    let identity = RunIdentity {
        as_of: clock.as_of(),
        suffix: suffix()?,
        tool: tool(),
        trigger,
        executor: settings.executor.clone(),
    };
    info!(run = identity.run_id(), "Started a run");

    let about = about(&settings, &identity);
    let mut result = None;
    let ran = run_until_signal(async {
        let ended = run(&settings, identity, clock).await;
        let exit = exit_code(&ended, settings.fail_on);
        outcome::leave(&ended, exit);
        let ended = result.insert(ended);
        let metrics = metrics_of(&settings, clock, ended, exit);
        notify(&settings, &about, ended, exit, clock).await;
        crate::metrics::publish(&settings.metrics, &[metrics]).await;
        exit
    });
    progress.clear();
    let exit = match (&ran, &result) {
        (Ok(exit), _) => *exit,
        (Err(stopped), None) => {
            let exit = stopped.code();
            warn!(exit, "Stopped by a signal; nothing is half written");
            return ran;
        }
        (Err(stopped), Some(ended)) => {
            let exit = stopped.code();
            warn!(
                exit,
                "Stopped by a signal while sending notifications and metrics; the evidence is stored"
            );
            outcome::leave(ended, *stopped);
            *stopped
        }
    };
    if let Some(ended) = &result {
        print(ended, exit, arguments.json);
    }
    ran
}

/// The exit code of an ended run.
pub fn exit_code(ended: &Result<Done, Failed>, fail_on: FailOn) -> Exit {
    match ended {
        Ok(done) => Exit::of_verdict(done.judgement.verdict, fail_on),
        Err(failed) => failed.error.exit(),
    }
}

/// Prints the outcome last, for a person or for a program.
fn print(ended: &Result<Done, Failed>, exit: Exit, as_json: bool) {
    if let Err(failed) = ended {
        terminal::print_error(&text::failure(failed));
    }
    match ended {
        _ if as_json => terminal::print(&format!("{:#}\n", outcome::of(ended, exit))),
        Ok(done) => terminal::print(&summary(done, terminal::is_interactive())),
        Err(_) => {}
    }
}

/// Runs once. If there is no verdict, it tries to store a failure record.
///
/// # Errors
/// Why there is no verdict.
pub async fn run(settings: &Settings, identity: RunIdentity, clock: Clock) -> Result<Done, Failed> {
    let opened = open(settings).await;
    let (store, key) = opened.map_err(|error| Failed {
        error,
        record: None,
    })?;
    run_in(store, key, settings, identity, clock).await
}

/// Which run a notification is about.
pub fn about(settings: &Settings, identity: &RunIdentity) -> About {
    About {
        run: identity.run_id(),
        as_of: identity.as_of,
        connection: connection(settings).to_owned(),
        workspace: None,
        // Whether the connection is a sandbox is still unknown.
        mark: Mark::of(&origin(settings), false),
        tool: identity.tool.clone(),
    }
}

/// Sends the notification of an ended run. It does not change the outcome.
pub async fn notify(
    settings: &Settings,
    about: &About,
    ended: &Result<Done, Failed>,
    exit: Exit,
    clock: Clock,
) {
    let notification = || match ended {
        Ok(done) => {
            let workspace = NotifiedWorkspace::new(&done.workspace, done.tenant.as_deref());
            let about = About {
                workspace: Some(workspace),
                mark: done.mark,
                ..about.clone()
            };
            let (zone, judgement) = (&settings.policy.hr_time_zone, &done.judgement);
            Notification::of_run(&about, zone, judgement, &done.before, &done.committed, exit)
        }
        Err(failed) => {
            let stage = failed.error.stage();
            let content = Content::Failed { stage };
            Notification::new(about, content, failed.record.as_ref(), exit)
        }
    };
    crate::notify::send(&settings.notify, notification, &clock).await;
}

/// The metrics of a run that ends now.
pub(super) fn metrics_of(
    settings: &Settings,
    clock: Clock,
    ended: &Result<Done, Failed>,
    exit: Exit,
) -> RunMetrics {
    let committed = match ended {
        Ok(done) => Some(&done.committed),
        Err(failed) => failed.record.as_ref(),
    };
    let judged = ended.as_ref().ok().map(|done| {
        let first_seen = done.judgement.findings.iter().map(|of| of.first_seen);
        JudgedRun {
            verdict: done.judgement.verdict,
            counts: done.judgement.counts.clone(),
            feed_modified_at: done.feed_modified_at,
            oldest_finding: first_seen.min(),
        }
    });
    let traffic = settings.source.truto.api.http.traffic.as_ref();
    RunMetrics {
        connection: connection(settings).to_owned(),
        as_of: clock.as_of(),
        exit: exit.code(),
        took: Some(clock.elapsed()),
        requests: traffic.map(|of| (of.requests(), of.throttled())),
        sequence: committed.map(|of| of.sequence),
        judged,
    }
}

/// Logs the outcome of one run of several, without a termination message.
pub(super) fn log(ended: &Result<Done, Failed>, exit: Exit) {
    outcome::log(ended, exit);
}

/// The store of the evidence, and the key that signs it.
///
/// # Errors
/// If one of the two cannot be opened.
pub(super) async fn open(settings: &Settings) -> Result<(Store, Option<SigningKey>), RunError> {
    let store = Store::open(&settings.store).await;
    let store = store.map_err(|error| RunError::Past(error.into()))?;
    let opening = SigningKey::open(&settings.signing);
    let error = match tokio::time::timeout(settings.deadline, opening).await {
        Ok(Ok(key)) => return Ok((store, key)),
        Ok(Err(error)) => RunError::Key(error),
        Err(_) => late(settings, None),
    };
    warn!("Stored no failure record: its entry could not be signed without the key");
    Err(error)
}

/// [`run`] with an open store and an open key.
///
/// # Errors
/// Why there is no verdict.
pub async fn run_in(
    store: Store,
    key: Option<SigningKey>,
    settings: &Settings,
    identity: RunIdentity,
    clock: Clock,
) -> Result<Done, Failed> {
    let store = store.locked(settings.ledger.lock(identity.as_of));
    let signer = key.as_ref().map(SigningKey::signer);
    let ledger = Ledger::new(store, connection(settings), settings.ledger.clone(), key);
    let frame = Frame {
        identity,
        criticality: settings.criticality.clone(),
        own_controls: settings.own_controls.clone(),
        signer,
    };
    // A panic is caught so that the run stores its failure record; nothing that it touched is used afterwards. The
    // future is large, so it is on the heap.
    let left = settings.deadline.saturating_sub(clock.elapsed());
    let work = AssertUnwindSafe(Box::pin(judge_and_commit(
        &ledger, settings, &frame, clock, left,
    )))
    .catch_unwind();
    let error = match tokio::time::timeout(left, work).await {
        Ok(Ok(Ok(done))) => return Ok(done),
        Ok(Ok(Err(error))) => out_of_time(error, settings, clock),
        Ok(Err(_)) => RunError::Panic,
        Err(_) => late(settings, None),
    };
    // The exit code of a process with several connections does not show that one of them is configured wrongly.
    let is_hidden = settings.is_one_of_several && error.exit() == Exit::Configuration;
    let record = match error.exit().leaves_a_record() || is_hidden {
        _ if error.is_about_signing_for_good() => {
            warn!("Stored no failure record: its entry could not be signed either");
            None
        }
        true => record(&ledger, settings, &frame, clock, &error).await,
        false => None,
    };
    Err(Failed { error, record })
}

/// A transient error just before the deadline is an error of the deadline.
fn out_of_time(error: RunError, settings: &Settings, clock: Clock) -> RunError {
    let at_the_end = clock.elapsed() + DEADLINE_MARGIN >= settings.deadline;
    match error.exit() == Exit::Transient && at_the_end {
        true => late(settings, Some(Box::new(error))),
        false => error,
    }
}

fn late(settings: &Settings, during: Option<Box<RunError>>) -> RunError {
    let length = settings.deadline;
    RunError::Deadline { length, during }
}

async fn judge_and_commit(
    ledger: &Ledger,
    settings: &Settings,
    frame: &Frame,
    clock: Clock,
    within: Duration,
) -> Result<Done, RunError> {
    let deadline = Deadline::after(within);
    let mut chain = ledger.open(&clock).await.map_err(RunError::Past)?;
    let manual = manual::read(&settings.manual, deadline).await?;
    let hr = feed::read(&settings.feed, &clock, deadline).await?;
    let source::FetchedAccounts { population, raw } =
        source::fetch_all(&settings.source, &clock, deadline).await?;

    let folder = RunFolder::of(&frame.identity);
    let protection = ledger.protect(&folder, frame.identity.as_of, &hr).await;
    let inputs = Inputs {
        as_of: frame.identity.as_of,
        run: folder.to_string().into(),
        policy: settings.policy.clone(),
        schedule: settings.schedule.clone(),
        population,
        hr,
        manual,
        follow_ups: chain.follow_ups.clone(),
        past: std::mem::take(&mut chain.past),
        store: Some(protection.map_err(RunError::Store)?),
    };
    let judgement = judge(&inputs);
    judgement::ensure_sums_reconcile(&inputs, &judgement).map_err(RunError::Sums)?;
    info!(verdict = %judgement.verdict, complete = judgement.complete, "Judged the run");

    let snapshot = Snapshot {
        frame,
        inputs: &inputs,
        judgement: &judgement,
    };
    let committed = commit_run(ledger, &chain, &clock, &snapshot, raw, || {
        report::snapshot(&snapshot)
    })
    .await
    .map_err(RunError::Store)?;
    Ok(Done {
        before: chain.before,
        committed,
        workspace: inputs.population.workspace.clone(),
        tenant: inputs.population.connection.tenant_id.clone(),
        mark: Mark::of_population(&inputs.population),
        feed_modified_at: inputs.hr.origin.modified_at,
        judgement,
    })
}

fn connection(settings: &Settings) -> &str {
    &settings.source.truto.integrated_account_id
}

/// Truto's origin.
fn origin(settings: &Settings) -> String {
    let url = &settings.source.truto.api.base_url;
    url.origin().ascii_serialization()
}

/// Stores a failure record, so that a missing verdict is explained.
async fn record(
    ledger: &Ledger,
    settings: &Settings,
    frame: &Frame,
    clock: Clock,
    error: &RunError,
) -> Option<Committed> {
    let failure = Failure {
        stage: error.stage().to_owned(),
        code: error.exit().code(),
        message: error.chain(),
    };
    let origin = origin(settings);
    let frame = Frame {
        identity: frame.identity.of_its_failure(),
        ..frame.clone()
    };
    let snapshot = FailedSnapshot {
        frame: &frame,
        connection: connection(settings),
        origin: &origin,
        schedule: settings.schedule.as_ref(),
        failure: &failure,
    };
    let commit = commit_failure(ledger, &clock, &snapshot, report::failed_run(&snapshot));
    match tokio::time::timeout(RECORD_WITHIN, commit).await {
        Ok(Ok(committed)) => return Some(committed),
        Ok(Err(error)) => {
            let error = RunError::Store(error).chain();
            warn!(error, "Could not store a failure record");
        }
        Err(_) => warn!("Could not store a failure record in time"),
    }
    None
}
