//! The job, killed at random instants: it leaves no false proof, and the next run is complete.
//!
//! A failure prints its seed: `KILLED_SEED=<seed> cargo test --test it killed::` repeats it on a
//! machine of similar speed.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::chance::{Chance, seed};
use crate::support::company::{below, ensure_intact};
use crate::support::job::{Job, LEFT_AND_GONE, verify};
use crate::support::objects_below;
use asana_access_review::evidence::EntryKind;
use serde_json::Value;

/// The seed if `KILLED_SEED` is not set.
const SEED: u64 = 20_261_125;

const KILLS: u64 = 200;

/// Jobs that run in parallel, each with its own ledger, because they mostly wait for fsync.
const LANES: u64 = 4;

/// Verification takes longer with each run, so it happens after this number of kills, and at the
/// end.
const VERIFIED_EACH: u64 = 10;

/// The results of the kills of one job.
#[derive(Debug, Default)]
struct Killed {
    /// Kills while the job was running.
    running: u64,
    /// Kills that left a folder without an entry.
    uncommitted: u64,
    /// Kills after the entry was written.
    committed: u64,
}

/// Kills a job this number of times, at an instant of the whole run or of its last part, in which
/// it writes. After each kill, the next run must be complete.
fn kill(mut chance: Chance, kills: u64) -> Killed {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    let mut took = Duration::ZERO;
    let mut whole_run = |context: &str| {
        let began = Instant::now();
        let ended = job.run();
        assert_eq!(ended.code, 0, "{context}: {ended:?}");
        took = began.elapsed();
        took
    };
    let mut takes = whole_run("the first run");
    let mut entries = 1;
    let mut killed = Killed::default();
    for number in 1..=kills {
        let thousandths = match chance.between(0, 1) {
            0 => chance.between(0, 1050),
            _ => chance.between(550, 1050),
        };
        let context = format!("kill {number}, after {thousandths}/1000 of {takes:?}");
        let mut child = job.start();
        thread::sleep(takes.mul_f64(thousandths as f64 / 1000.0));
        killed.running += u64::from(child.try_wait().expect("a child").is_none());
        // SIGKILL. An error means that the job has ended.
        let _ = child.kill();
        child.wait().expect("an end");

        let after = job.entries() as u64;
        assert!(after - entries <= 1, "{context}");
        killed.committed += after - entries;
        // Instants have a resolution of a second, so a later run uses other names.
        takes = whole_run(&context).min(takes * 2);
        entries = after + 1;
        assert_eq!(job.entries() as u64, entries, "{context}");
        ensure_last_is_complete(&job, entries, &context);
        if number.is_multiple_of(VERIFIED_EACH) {
            let ended = verify(&job.evidence(), &[]);
            assert_eq!(ended.code, 0, "{context}: {}", ended.stdout);
        }
    }
    let found = objects_below(&job.evidence());
    let entries = ensure_intact(&found);
    assert!(entries.iter().all(|entry| entry.kind == EntryKind::Run));
    let committed: BTreeSet<&str> = entries.iter().map(|entry| entry.run.as_str()).collect();
    let runs: BTreeSet<String> = found
        .keys()
        .filter_map(|name| {
            let run = name.strip_prefix(&below(""))?.split('/').take(2);
            let run = run.collect::<Vec<_>>().join("/");
            run.starts_with("dt=").then_some(run)
        })
        .collect();
    let left = runs.iter().filter(|run| !committed.contains(run.as_str()));
    killed.uncommitted = left.count() as u64;
    for (name, bytes) in &found {
        ensure_complete_file(name, bytes);
    }
    let ended = verify(&job.evidence(), &[]);
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(ended.code, 0, "{reported:#}");
    let chain = &reported["chains"][0];
    assert_eq!(chain["decisions_recomputed"], entries.len() as u64);
    assert_eq!(chain["accounts_recomputed"], entries.len() as u64);
    let uncommitted = chain["uncommitted"].as_array().expect("a list").len();
    assert_eq!(uncommitted as u64, killed.uncommitted);
    killed
}

/// The run after a kill trusts the earlier runs, and passes.
fn ensure_last_is_complete(job: &Job, entries: u64, context: &str) {
    let result = job.json(entries, "result.json");
    let checks = result["checks"].as_array().expect("checks");
    let ledger = checks
        .iter()
        .find(|check| check["id"] == "ledger_continues");
    let status = &ledger.expect("the check")["status"];
    assert_eq!(status, "pass", "{context}: {ledger:?}");
    assert_eq!(result["verdict"], "pass", "{context}");
    let manifest = job.json(entries, "manifest.json");
    assert_eq!(manifest["previous"]["sequence"], entries - 1, "{context}");
    assert_eq!(manifest["baseline"]["sequence"], entries - 1, "{context}");
}

#[test]
fn a_killed_job_leaves_an_intact_ledger_and_the_next_run_is_complete() {
    let seed = seed("KILLED_SEED", SEED);
    println!("seed {seed}");
    let lanes: Vec<Killed> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| scope.spawn(move || kill(Chance(seed ^ (lane << 32)), KILLS / LANES)))
            .collect();
        let ended = lanes.into_iter().map(|lane| lane.join());
        ended.map(|lane| lane.expect("a lane")).collect()
    });
    println!("{lanes:?}");
    let sum = |of: fn(&Killed) -> u64| lanes.iter().map(of).sum::<u64>();
    // Kills that come too late, or never during a write, would prove little.
    assert!(sum(|lane| lane.running) >= KILLS / 2, "{lanes:?}");
    assert!(sum(|lane| lane.uncommitted) >= 5, "{lanes:?}");
}

/// A file under its final name has the usual end of its format.
fn ensure_complete_file(name: &str, bytes: &[u8]) {
    let content = crate::support::job::unpacked(name, bytes.to_vec());
    let name_only = name.trim_end_matches(".gz");
    let is_whole = match name_only.rsplit('.').next() {
        Some("json") => serde_json::from_slice::<Value>(&content).is_ok(),
        Some("html") => content.trim_ascii_end().ends_with(b"</html>"),
        Some("csv") => content.ends_with(b"\r\n"),
        _ => content.is_empty() || content.ends_with(b"\n"),
    };
    assert!(is_whole, "{name} is half-written");
}
