//! A year of runs of a thousand accounts, verified: duration and peak memory, from a folder and
//! from S3.
//!
//! `cargo test --release --test it year:: -- --ignored --nocapture`

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::job::Job;
use crate::support::objects_below;
use crate::support::s3::{Fault, Rule, S3Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use truto_simulator::World;

const RUNS: u64 = 365;

/// The size of the smaller ledger. The growth in memory from here to a year shows what each run
/// leaves in memory.
const FEW: u64 = 60;

const ACCOUNTS: usize = 1000;

const LEAVERS: usize = 100;

/// A run may leave at most this much in memory, although more than a megabyte of it is read.
const MOST_KIB_A_RUN: u64 = 32;

/// Limit for a folder, in release and on two cores.
const FROM_A_FOLDER: Duration = Duration::from_secs(5);

/// Limit for S3 with [`DELAY`] per request.
const FROM_S3: Duration = Duration::from_secs(60);

const DELAY: Duration = Duration::from_millis(20);

/// Leavers: one in twenty still has access, the others have no account.
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

#[derive(Debug)]
struct Measured {
    took: Duration,
    peak_kib: u64,
}

/// Runs `verify`, which recomputes every run.
fn measure(job: &Job, snapshots: u64) -> Measured {
    let output = job.folder.path().join("verified.json");
    let began = Instant::now();
    let mut command = job.command();
    let mut child = command
        .args(["verify", "--json"])
        .stdout(Stdio::from(fs::File::create(&output).expect("a file")))
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
    let verified = fs::read(&output).expect("the output");
    let verified: Value = serde_json::from_slice(&verified).expect("JSON");
    assert_eq!(code, Some(0), "{verified:#}");
    assert_eq!(verified["chains"][0]["decisions_recomputed"], snapshots);
    assert_eq!(verified["chains"][0]["accounts_recomputed"], snapshots);
    Measured { took, peak_kib }
}

#[expect(clippy::print_stdout, reason = "shows the figures with --nocapture")]
fn show(figures: &str) {
    println!("{figures}");
}

/// The minimum of five, because other processes use the same cores and the allocator returns memory
/// at different times.
fn least(job: &Job, snapshots: u64) -> Measured {
    let measured: Vec<Measured> = (0..5).map(|_| measure(job, snapshots)).collect();
    show(&format!("{snapshots} runs: {measured:?}"));
    Measured {
        took: measured.iter().map(|of| of.took).min().expect("five"),
        peak_kib: measured.iter().map(|of| of.peak_kib).min().expect("five"),
    }
}

#[test]
#[ignore = "builds a year of runs; run it in release"]
fn a_year_is_verified_in_time_and_no_run_stays_in_memory() {
    let mut job = Job::new(World::generated(ACCOUNTS), &leavers());
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
    // The names of a run's files stay in memory to the end, but not their content.
    let grown_kib = year.peak_kib.saturating_sub(few.peak_kib) / (RUNS - FEW);
    assert!(
        grown_kib <= MOST_KIB_A_RUN,
        "memory grows with the runs: {few:?}, {year:?}"
    );

    let server = S3Server::start(["evidence"]);
    for (key, bytes) in objects_below(&job.evidence()) {
        server.tamper("evidence", &key, &bytes);
    }
    server.inject(Rule::on("", "", Fault::Slow(DELAY)).always());
    job = job.env("EVIDENCE_URL", "s3://evidence");
    for (name, value) in server.env() {
        job = job.env(name, &value);
    }
    let from_s3 = measure(&job, RUNS);
    show(&format!("from S3, {DELAY:?} per request: {from_s3:?}"));
    if !cfg!(debug_assertions) {
        assert!(year.took <= FROM_A_FOLDER, "{year:?}");
        assert!(from_s3.took <= FROM_S3, "{from_s3:?}");
    }
}
