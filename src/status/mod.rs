//! The newest result of every connection under an address: verdict, age, findings, failed runs, the next due run.
//!
//! Reads the newest entries of each ledger, their manifests, and `result.json` only if there are findings. It checks
//! that these files belong together. It does not verify the evidence: [`crate::verify`] does.

mod due;
mod newest;
mod output;
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use due::{Due, DueState};
pub use output::as_text;
pub use page::{Links, page};

use crate::cli::exit::Exit;
use crate::evidence::ConnectionFolder;
use crate::judgement::{FindingKind, Mark, Severity, Verdict};
use crate::model::{Workspace, words};
use crate::store::{Store, StoreError};
use crate::verify::VerifyError;
use newest::Newest;

/// The `schema` of `status --json`.
const SCHEMA: &str = "asana-access-review/status/v1";

/// How many connections are read at the same time.
const AT_ONCE: usize = 64;

/// Which connections to show, and when a result is too old.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub now: Timestamp,
    /// Ids. If it is empty, every connection under the address and in the list is shown.
    pub connections: Vec<String>,
    /// The connections in the list, if there is one.
    pub listed: Option<BTreeSet<ConnectionFolder>>,
    /// The greatest age of the newest result.
    pub max_age: Option<Duration>,
}

words! {
    /// The state of a connection, worst first.
    State {
        /// The verdict of the newest result is fail.
        Fail = "fail",
        /// The newest entries or their files cannot be read, or contradict each other.
        Unreadable = "unreadable",
        /// The ledger has no entry: no run was committed, or the evidence was deleted.
        Missing = "missing",
        /// No run came to a verdict yet.
        NoResult = "no_result",
        /// The newest run failed.
        RunFailed = "run_failed",
        /// The verdict of the newest result is inconclusive.
        Inconclusive = "inconclusive",
        /// A run was due and did not start, or the newest result is too old.
        Overdue = "overdue",
        /// The verdict of the newest result rests on risk acceptances.
        PassWithExceptions = "pass_with_exceptions",
        /// The verdict of the newest result is pass.
        Pass = "pass",
        /// Not in the list of connections, so no run checks it any more.
        Unlisted = "unlisted",
    }
}

impl State {
    pub fn is_pass(self) -> bool {
        match self {
            Self::Pass | Self::PassWithExceptions => true,
            Self::Fail
            | Self::Unreadable
            | Self::Missing
            | Self::NoResult
            | Self::RunFailed
            | Self::Inconclusive
            | Self::Overdue
            | Self::Unlisted => false,
        }
    }

    /// A few words for a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fail => "Fail",
            Self::Unreadable => "Unreadable",
            Self::Missing => "Missing",
            Self::NoResult => "No result",
            Self::RunFailed => "Run failed",
            Self::Inconclusive => "Inconclusive",
            Self::Overdue => "Overdue",
            Self::PassWithExceptions => "Pass with exceptions",
            Self::Pass => "Pass",
            Self::Unlisted => "Not in the list",
        }
    }
}

/// The newest results under one address. `status --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    pub schema: &'static str,
    pub as_of: Timestamp,
    /// The address of the evidence, for people.
    pub evidence: String,
    /// Always false: `status` verifies nothing.
    pub verified: bool,
    /// The number of connections in each state, also with 0.
    pub states: BTreeMap<State, u64>,
    /// Worst first.
    pub connections: Vec<ConnectionStatus>,
}

/// The newest result of one connection.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionStatus {
    pub state: State,
    /// The id of the connection; if no entry can be read, the name of its folder after `connection=`.
    pub connection: String,
    /// Why the newest result cannot be read. None if it can.
    pub problem: Option<String>,
    /// The newest run that came to a verdict.
    pub result: Option<NewestResult>,
    /// Runs that failed since that result. None if none did.
    pub failed_since: Option<FailedSince>,
    pub next_run: Due,
}

#[derive(Clone, Debug, Serialize)]
pub struct NewestResult {
    /// The number of the ledger entry.
    pub entry: u64,
    pub as_of: Timestamp,
    pub verdict: Verdict,
    /// Whether the list of accounts was proven complete.
    pub complete: bool,
    /// Set if the accounts do not come from a real workspace, read from Truto itself.
    pub mark: Option<Mark>,
    pub workspace: Option<Workspace>,
    pub reasons: Vec<String>,
    pub accounts: u64,
    /// Offboardings.
    pub leavers: u64,
    pub findings: OpenFindings,
    /// The name of the run's report, relative to the evidence.
    pub report: String,
}

/// The findings of the newest result. A severity or kind without findings is omitted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OpenFindings {
    pub total: u64,
    pub by_severity: BTreeMap<Severity, u64>,
    pub by_kind: BTreeMap<FindingKind, u64>,
    pub oldest: Option<OldestFinding>,
}

/// The finding that was seen first.
#[derive(Clone, Debug, Serialize)]
pub struct OldestFinding {
    pub first_seen: Timestamp,
    pub kind: FindingKind,
    pub severity: Severity,
}

#[derive(Clone, Debug, Serialize)]
pub struct FailedSince {
    pub runs: u64,
    /// The instant, stage and exit code of the last one.
    pub last: Timestamp,
    pub stage: String,
    pub exit: u8,
}

impl ConnectionStatus {
    /// From the newest entries, or from the reason why they cannot be read.
    fn of(folder: &ConnectionFolder, read: Result<Newest, String>, wanted: &Wanted) -> Self {
        let listed = wanted.listed.as_ref();
        let is_listed = listed.is_none_or(|listed| listed.contains(folder));
        let newest = match read {
            Ok(newest) => newest,
            Err(problem) => {
                return Self {
                    state: match is_listed {
                        true => State::Unreadable,
                        false => State::Unlisted,
                    },
                    connection: folder.id(),
                    problem: Some(problem),
                    result: None,
                    failed_since: None,
                    next_run: Due::unknown("unreadable"),
                };
            }
        };
        let Newest {
            connection,
            result,
            failed_since,
            started,
            schedule,
        } = newest;
        let judged_at = result.as_ref().map(|result| result.as_of);
        let next_run = match wanted.max_age {
            Some(max_age) => Due::of_age(judged_at, max_age, wanted.now),
            None => None,
        };
        let next_run =
            next_run.unwrap_or_else(|| Due::scheduled(started, schedule.as_ref(), wanted.now));
        let state = match &result {
            _ if !is_listed => State::Unlisted,
            None if connection.is_none() => State::Missing,
            None => State::NoResult,
            Some(result) => match result.verdict {
                Verdict::Fail => State::Fail,
                _ if failed_since.is_some() => State::RunFailed,
                Verdict::Inconclusive => State::Inconclusive,
                _ if next_run.state.is_overdue() => State::Overdue,
                Verdict::PassWithExceptions => State::PassWithExceptions,
                Verdict::Pass => State::Pass,
            },
        };
        Self {
            state,
            connection: connection.unwrap_or_else(|| folder.id()),
            problem: None,
            result,
            failed_since,
            next_run,
        }
    }

    /// The age of the newest result, or of none if it is dated after `now`.
    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.result.as_ref()?.as_of);
        (!age.is_negative()).then_some(age)
    }
}

impl Overview {
    fn of(evidence: String, mut connections: Vec<ConnectionStatus>, now: Timestamp) -> Self {
        // Within a state, the connection with the oldest finding or result is first.
        connections.sort_by_cached_key(|of| {
            let result = of.result.as_ref();
            let oldest = result.and_then(|result| result.findings.oldest.as_ref());
            let oldest = oldest.map_or(Timestamp::MAX, |oldest| oldest.first_seen);
            let as_of = result.map(|result| result.as_of);
            (of.state, oldest, as_of, of.connection.clone())
        });
        let mut states = BTreeMap::from_iter(State::ALL.iter().map(|state| (*state, 0)));
        for connection in &connections {
            *states.entry(connection.state).or_default() += 1;
        }
        Self {
            schema: SCHEMA,
            as_of: now,
            evidence,
            verified: false,
            states,
            connections,
        }
    }

    pub fn exit(&self) -> Exit {
        // A connection that is not in the list keeps its evidence for years, so its last result does not count.
        let states = self.connections.iter().map(|of| of.state);
        match states.min() {
            Some(State::Fail) => Exit::Fail,
            Some(state) if state.is_pass() => Exit::Pass,
            Some(_) | None => Exit::Inconclusive,
        }
    }

    /// How many connections were not checked for overdue runs.
    fn without_schedule(&self) -> u64 {
        let unknown = self
            .connections
            .iter()
            .filter(|of| of.next_run.state == DueState::Unknown && of.state != State::Unreadable);
        unknown.count() as u64
    }
}

/// Reads the newest result of every connection.
///
/// # Errors
/// If the store does not exist or cannot be listed, or if it has no evidence and no list of connections was given. A
/// connection that cannot be read is one in [`State::Unreadable`].
pub async fn status(store: &Store, wanted: &Wanted) -> Result<Overview, VerifyError> {
    if !store.exists().await {
        return Err(VerifyError::NotThere(store.location()));
    }
    let folders = match wanted.connections.is_empty() {
        true => {
            let mut folders = connections(store).await?;
            folders.extend(wanted.listed.iter().flatten().cloned());
            if folders.is_empty() {
                return Err(VerifyError::NoEvidence(store.location()));
            }
            folders
        }
        false => {
            let ids = wanted.connections.iter();
            ids.map(|id| ConnectionFolder::of(id)).collect()
        }
    };
    let reads = folders.iter().map(async |folder| {
        let read = newest::read(store, folder).await;
        ConnectionStatus::of(folder, read, wanted)
    });
    let read: Vec<_> = stream::iter(reads)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    Ok(Overview::of(store.location(), read, wanted.now))
}

/// The folders of all connections, without a listing of what is below them.
async fn connections(store: &Store) -> Result<BTreeSet<ConnectionFolder>, StoreError> {
    let children = store.children(ConnectionFolder::ALL).await?;
    let folders = children
        .iter()
        .filter_map(|child| ConnectionFolder::containing(&format!("{child}/ledger")));
    Ok(folders.collect())
}
