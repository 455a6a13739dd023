//! The summary of a shard: the result of each of its connections in one attempt.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Executor, RunIdentity, Tool, json};
use crate::judgement::Verdict;
use crate::model::words;

/// The `schema` of a summary.
const SCHEMA: &str = "asana-access-review/shard-summary/v1";

/// A part of the connections: those whose hash modulo `count` is `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    pub count: u32,
}

impl Shard {
    /// Whether a connection belongs to this shard. The hash is the first eight bytes of the SHA-256 of its id, as a
    /// big-endian number.
    pub fn owns(self, connection: &str) -> bool {
        let digest = Sha256::digest(connection);
        let (first, _) = digest
            .split_first_chunk::<8>()
            .expect("a SHA-256 has 32 bytes");
        u64::from_be_bytes(*first) % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

words! {
    /// How a connection ended in a shard.
    ConnectionState {
        /// Its run has a verdict.
        Judged = "judged",
        /// Its run has none.
        Failed = "failed",
        /// The shard ran out of time before its turn.
        NotStarted = "not_started",
    }
}

/// The result of one connection. It has ids and words, and no names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionResult {
    /// The id of the Truto connection.
    pub connection: String,
    pub state: ConnectionState,
    /// Whether an earlier attempt of the same Job left this result.
    pub earlier: bool,
    /// The exit code of the run alone. None if it was not started.
    pub exit: Option<u8>,
    /// None without evidence.
    pub verdict: Option<Verdict>,
    pub complete: Option<bool>,
    /// The step that failed.
    pub stage: Option<String>,
    /// The number of the ledger entry. None without evidence.
    pub sequence: Option<u64>,
    /// The folder of the evidence, relative to the `EVIDENCE_URL` of the connection.
    pub evidence: Option<String>,
}

/// The list of connections that the shard read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionList {
    /// The address without credentials and query.
    pub url: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// `summary/dt=…/run=….json`: one attempt of a shard. The ledgers of the connections are the evidence; the summary is
/// an index of them, and no ledger covers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSummary {
    pub schema: String,
    /// The id of this attempt.
    pub run: String,
    pub as_of: Timestamp,
    pub ended_at: Timestamp,
    pub tool: Tool,
    pub executor: Executor,
    pub shard: Shard,
    /// How often the shard had failed before in its Job.
    pub retry: u32,
    pub list: ConnectionList,
    /// The exit code of the shard.
    pub exit: u8,
    /// The number of connections by verdict, or by state if they have none.
    pub counts: BTreeMap<String, u64>,
    /// By connection, ascending.
    pub connections: Vec<ConnectionResult>,
}

impl ShardSummary {
    /// The `schema` of every summary.
    pub fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// The name of the summary in the store.
    pub fn name(identity: &RunIdentity) -> String {
        format!(
            "summary/dt={}/run={}.json",
            identity.day(),
            identity.run_id()
        )
    }

    /// The exact bytes: one connection a line, with a final newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::document(self, 2)
    }

    /// The number of connections by verdict, or by state if they have none.
    pub fn count(connections: &[ConnectionResult]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for of in connections {
            let word = match (of.state, of.verdict) {
                (ConnectionState::Judged, Some(verdict)) => verdict.as_str(),
                (state, _) => state.as_str(),
            };
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_is_in_exactly_one_shard() {
        for count in [1, 2, 4, 16] {
            let mut sizes = [0; 16];
            for number in 0..1000 {
                let id = format!("connection-{number}");
                let of = |index: &u32| {
                    Shard {
                        index: *index,
                        count,
                    }
                    .owns(&id)
                };
                let owners: Vec<u32> = (0..16).filter(of).collect();
                assert_eq!(owners.len(), 1, "{id}: {owners:?}");
                sizes[owners[0] as usize] += 1;
            }
            let expected = 1000 / count as usize;
            let used = &sizes[..count as usize];
            let is_even = |size: &usize| (expected / 2..=expected * 2).contains(size);
            assert!(used.iter().all(is_even), "{used:?}");
        }
    }

    #[test]
    fn the_shard_of_a_connection_can_be_computed_by_hand() {
        // printf %s c1 | sha256sum | cut -c1-16 gives d0f631ca1ddba8db.
        let hash = 0xd0f6_31ca_1ddb_a8db_u64;
        for count in [7, 16] {
            let index = u32::try_from(hash % u64::from(count)).expect("below the count");
            assert!(Shard { index, count }.owns("c1"));
        }
    }
}
