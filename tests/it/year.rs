//! A year of runs of a thousand accounts, verified: how long it takes, and how much memory.
//!
//! `cargo test --release --test it year:: -- --ignored --nocapture`

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::job::Job;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use truto_simulator::World;

const RUNS: u64 = 365;

/// So many runs first: what a year takes more than they is what a run leaves behind in memory.
const FEW: u64 = 60;

const ACCOUNTS: usize = 1000;

const LEAVERS: usize = 100;

/// A run may leave so much behind in memory; what is read of it is more than a megabyte.
const MOST_KIB_A_RUN: u64 = 32;

/// What is promised, in release and on two cores.
const WITHIN: Duration = Duration::from_secs(5);

/// Leavers: of twenty one still has access, and nobody knows the others.
fn leavers() -> String {
    let one = |number: usize| {
        let name = if number.is_multiple_of(20) {
            "person"
        } else {
            "gone"
        };
        format!("E{number},Person Number,{name}{number}@example.com,Terminated,2025-01-31\n")
    };
    (1..=LEAVERS).map(one).collect()
}

/// How a `verify` went.
#[derive(Debug)]
struct Measured {
    took: Duration,
    /// The most memory it ever held, in KiB.
    peak_kib: u64,
}

/// Verifies all there is, each run derived and judged again.
fn measure(job: &Job, snapshots: u64) -> Measured {
    let began = Instant::now();
    let mut command = job.command();
    let mut child = command
        .args(["verify", "--json"])
        .stdout(Stdio::from(
            fs::File::create(job.folder.path().join("told.json")).expect("a file"),
        ))
        .spawn()
        .expect("the binary");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let code = loop {
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended.code();
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let reported = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(reported.unwrap_or_default());
        thread::sleep(Duration::from_millis(5));
    };
    let took = began.elapsed();
    let reported = fs::read(job.folder.path().join("told.json")).expect("what was told");
    let reported: Value = serde_json::from_slice(&reported).expect("JSON");
    assert_eq!(code, Some(0), "{reported:#}");
    assert_eq!(reported["chains"][0]["decisions_recomputed"], snapshots);
    assert_eq!(reported["chains"][0]["accounts_recomputed"], snapshots);
    Measured { took, peak_kib }
}

/// What it takes: others may use the same cores, and the allocator gives memory back when it likes, so the
/// least of five.
fn least(job: &Job, snapshots: u64) -> Measured {
    let measured: Vec<Measured> = (0..5).map(|_| measure(job, snapshots)).collect();
    Measured {
        took: measured.iter().map(|of| of.took).min().expect("five"),
        peak_kib: measured.iter().map(|of| of.peak_kib).min().expect("five"),
    }
}

#[test]
#[ignore = "builds a year of runs; run it in release"]
fn a_year_is_verified_within_five_seconds_and_no_run_is_held_in_memory() {
    let job = Job::new(World::generated(ACCOUNTS), &leavers());
    let first: Timestamp = "2026-01-01T22:40:00Z".parse().expect("an instant");
    let mut few = None;
    for snapshot in 0..RUNS {
        let at = first + SignedDuration::from_hours(24 * snapshot as i64);
        let world = World::generated(ACCOUNTS + (snapshot % 4) as usize);
        job.run_at(&at.to_string(), world);
        if snapshot + 1 == FEW {
            few = Some(least(&job, FEW));
        }
    }
    let year = least(&job, RUNS);
    let few = few.expect("few runs");
    println!("{FEW} runs: {few:?}; {RUNS} runs: {year:?}");
    // The names of a run's files stay in memory to the end, and its content does not.
    let grown_kib = year.peak_kib.saturating_sub(few.peak_kib) / (RUNS - FEW);
    assert!(
        grown_kib <= MOST_KIB_A_RUN,
        "memory grows with the runs: {few:?}, {year:?}"
    );
    if !cfg!(debug_assertions) {
        assert!(year.took <= WITHIN, "{year:?}");
    }
}
