//! Shards that are killed, stopped or suspended at random instants, and started again: each
//! connection is reviewed exactly once in each Job.
//!
//! `FLEET_KILLS=200 cargo test --test it fleet::killed` runs the full size. A failure prints its
//! seed for `KILLED_SEED`.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use asana_access_review::evidence::{EntryKind, Shard};
use truto_simulator::{Action, Fault, World};

use super::Provider;
use crate::support::chance::{Chance, seed};
use crate::support::has;
use crate::support::job::{LEFT_AND_GONE, verify};

const SEED: u64 = 20_261_130;

/// Kills without `FLEET_KILLS`.
const KILLS: u64 = 20;

const SHARDS: u32 = 4;

const CONNECTIONS: usize = 16;

/// Truto's limit of a token, scaled: as many requests as a Job sends in about a second.
const LIMIT: (u32, Duration) = (200, Duration::from_secs(1));

/// A shard without kills takes about this long.
const TAKES: Duration = Duration::from_millis(1200);

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.expect("kill").success(), "{name}");
}

/// Waits for the end after SIGTERM: 143, or by the signal itself if it came before the program could handle it, or 0 if
/// the work was done.
fn ensure_stopped(child: &mut Child, job: &str) {
    let ended = child.wait().expect("an end");
    let is_stopped = matches!(ended.code(), Some(143 | 0)) || ended.signal() == Some(15);
    assert!(is_stopped, "{job}: {ended:?}");
}

#[derive(Default)]
struct Counts {
    kills: AtomicU64,
    terminations: AtomicU64,
    suspensions: AtomicU64,
    /// Signals to a process that had ended already.
    late: AtomicU64,
}

impl Counts {
    fn all(&self) -> u64 {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        of(&self.kills) + of(&self.terminations) + of(&self.suspensions)
    }
}

/// Starts a shard again until it ends by itself. The first attempts are interrupted.
fn work(
    provider: &Provider,
    job: &str,
    index: u32,
    interruptions: u64,
    mut chance: Chance,
    counts: &Counts,
) {
    let (index, count) = (index.to_string(), SHARDS.to_string());
    let mut retry = 0_u32;
    for attempt in 0.. {
        let retries = retry.to_string();
        let variables = [
            ("JOB_NAME", job),
            ("SHARD_COUNT", count.as_str()),
            ("JOB_COMPLETION_INDEX", index.as_str()),
            ("JOB_RETRY", retries.as_str()),
            ("RUST_LOG", "warn"),
        ];
        let mut command = provider.command(&variables);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        if attempt >= interruptions {
            let ended = child.wait().expect("an end");
            assert_eq!(ended.code(), Some(0), "{job}, shard {index}");
            return;
        }
        thread::sleep(TAKES.mul_f64(chance.between(0, 1000) as f64 / 1000.0));
        if let Some(ended) = child.try_wait().expect("a child") {
            counts.late.fetch_add(1, Ordering::SeqCst);
            assert_eq!(ended.code(), Some(0), "{job}, shard {index}");
            continue;
        }
        match chance.between(0, 2) {
            0 => {
                // An error means that it has just ended.
                let _ = child.kill();
                child.wait().expect("an end");
                counts.kills.fetch_add(1, Ordering::SeqCst);
                retry += 1;
            }
            1 => {
                signal(&child, "TERM");
                ensure_stopped(&mut child, job);
                counts.terminations.fetch_add(1, Ordering::SeqCst);
                retry += 1;
            }
            // A queue preempts the Job: its pod is frozen, then stopped. That is not a failure.
            _ => {
                signal(&child, "STOP");
                thread::sleep(Duration::from_millis(chance.between(0, 300)));
                signal(&child, "TERM");
                signal(&child, "CONT");
                ensure_stopped(&mut child, job);
                counts.suspensions.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[test]
fn an_interrupted_shard_reviews_each_connection_once_in_each_job() {
    if !has(&["kill"]) {
        return;
    }
    let (seed, kills) = (seed("KILLED_SEED", SEED), seed("FLEET_KILLS", KILLS));
    println!("seed {seed}");
    let ids: Vec<String> = (1..=CONNECTIONS)
        .map(|number| format!("c{number}"))
        .collect();
    let mut provider = Provider::new().env("TRUTO_TOKEN_RATE_LIMIT", "190/1s");
    for id in &ids {
        let slow = Fault::once("/", Action::Delay(Duration::from_millis(20))).for_ever();
        provider = provider.tenant(id, World::generated(6).fault(slow), LEFT_AND_GONE);
    }
    let provider = provider.env("CONNECTIONS_CONCURRENCY", "2").listed();
    provider.simulator.limit_token(Some(LIMIT));

    let counts = Counts::default();
    let mut jobs: Vec<String> = Vec::new();
    while counts.all() < kills {
        let job = format!("review-{}", 29_400_000 + jobs.len());
        thread::scope(|scope| {
            for index in 0..SHARDS {
                let (provider, counts, job) = (&provider, &counts, &job);
                let chance = Chance(seed ^ (jobs.len() as u64) << 32 ^ u64::from(index));
                scope.spawn(move || work(provider, job, index, 3, chance, counts));
            }
        });
        jobs.push(job);
    }
    let all = counts.all();
    println!(
        "{all} interruptions of {} Jobs, {:?} came late",
        jobs.len(),
        counts.late
    );
    for id in &ids {
        let entries = provider.entries(id);
        let of = |job: &str| {
            let is_of = |manifest: &&str| *manifest == job;
            let names = entries
                .iter()
                .filter(|(entry, _)| entry.kind == EntryKind::Run);
            let names = names.filter_map(|(_, of)| of.run.executor.claimed_job_name.as_deref());
            names.filter(is_of).count()
        };
        for job in &jobs {
            assert_eq!(of(job), 1, "{id} in {job}");
        }
        assert_eq!(entries.len(), jobs.len(), "{id} has no other entry");
    }
    let requests = provider.simulator.requests();
    let refused = requests.iter().filter(|of| of.status == Some(429)).count();
    println!("{refused} of {} requests were refused", requests.len());
    let ended = verify(&provider.evidence(), &[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    // Those that came too late do not count.
    assert!(all >= kills, "{all} of {kills}");
}

#[test]
fn a_connection_that_ends_the_process_starves_no_other() {
    if !has(&["kill"]) {
        return;
    }
    let hang = Fault::once("/", Action::Delay(Duration::from_secs(3600))).for_ever();
    let ids: Vec<String> = (1..=9).map(|number| format!("c{number}")).collect();
    let mut provider = Provider::new();
    for id in &ids {
        provider = match id.as_str() {
            "c3" => provider.tenant(id, World::generated(6).fault(hang.clone()), LEFT_AND_GONE),
            _ => provider.healthy(id),
        };
    }
    let provider = provider.listed();
    assert!(ids.iter().all(|id| Shard { index: 0, count: 1 }.owns(id)));
    // Kubernetes starts a failed index again three times, by the values of the chart.
    for retry in 0..4 {
        let requests = provider.simulator.watch();
        let retry = retry.to_string();
        let mut command = provider.command(&[("JOB_RETRY", &retry)]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            let request = requests
                .recv_timeout(Duration::from_secs(60))
                .expect("a request");
            if request.connection() == Some("c3") {
                break;
            }
        }
        child.kill().expect("a running process");
        child.wait().expect("an end");
    }
    for id in ids.iter().filter(|id| *id != "c3") {
        assert_eq!(provider.verdicts(id), ["pass"], "{id}");
    }
    assert!(provider.entries("c3").is_empty());
}
