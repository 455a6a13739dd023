//! The job, killed at random instants: what it leaves is no false proof, and the next run is whole.
//!
//! A failure prints its seed: `KILLED_SEED=<seed> cargo test --test it killed::` does the same again, as far
//! as the machine is as quick.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::chance::{Chance, seed};
use crate::support::company::{below, ensure_sound};
use crate::support::job::{Job, LEFT_AND_GONE, verify};
use crate::support::objects_below;
use asana_access_review::evidence::EntryKind;
use serde_json::Value;

/// The seed where `KILLED_SEED` names none.
const SEED: u64 = 20_261_125;

const KILLS: u64 = 200;

/// Jobs that are killed side by side, each with a ledger of its own: fsync waits more than it works.
const LANES: u64 = 4;

/// Verifying takes longer with each run: it is done after every so many kills, and at the end.
const VERIFIED_EACH: u64 = 10;

/// What the kills of one job came to.
#[derive(Debug, Default)]
struct Killed {
    /// It was still running.
    running: u64,
    /// It left a folder that no entry names.
    uncommitted: u64,
    /// It had written its entry.
    committed: u64,
}

/// Kills a job so many times, each time at an instant of the whole run or of its last part, in which it
/// writes; after each, the next run must be whole.
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
        // SIGKILL; an error means that it has ended by itself.
        let _ = child.kill();
        child.wait().expect("an end");

        let after = job.entries() as u64;
        assert!(after - entries <= 1, "{context}");
        killed.committed += after - entries;
        // An instant is told to the second: nothing of a run that comes after is in the way.
        takes = whole_run(&context).min(takes * 2);
        entries = after + 1;
        assert_eq!(job.entries() as u64, entries, "{context}");
        ensure_last_is_whole(&job, entries, &context);
        if number.is_multiple_of(VERIFIED_EACH) {
            let ended = verify(&job.evidence(), &[]);
            assert_eq!(ended.code, 0, "{context}: {}", ended.stdout);
        }
    }
    let found = objects_below(&job.evidence());
    let entries = ensure_sound(&found);
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
        ensure_whole(name, bytes);
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

/// The run after a kill believes what was before it, and passes.
fn ensure_last_is_whole(job: &Job, entries: u64, context: &str) {
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
fn a_job_killed_at_two_hundred_random_instants_leaves_a_sound_ledger_and_the_next_run_is_whole() {
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
    // Kills that come too late, or never while it writes, would prove little.
    assert!(sum(|lane| lane.running) >= KILLS / 2, "{lanes:?}");
    assert!(sum(|lane| lane.uncommitted) >= 5, "{lanes:?}");
}

/// A file under its final name ends as such files end.
fn ensure_whole(name: &str, bytes: &[u8]) {
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
