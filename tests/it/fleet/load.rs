//! Many connections: requests, time and memory of shards as processes.
//!
//! `FLEET_LOAD=500x100x4 cargo test --test it fleet::load -- --nocapture` measures 500 connections with 100
//! accounts each over 4 shards.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use truto_simulator::World;

use super::Provider;
use crate::support::in_bucket;
use crate::support::job::{Job, LEFT_AND_GONE};
use crate::support::s3::S3Server;

/// Connections, accounts of each, shards.
const SIZE: (usize, usize, u32) = (48, 20, 4);

#[expect(clippy::disallowed_methods, reason = "a measurement of another size")]
fn size() -> (usize, usize, u32) {
    let Ok(text) = std::env::var("FLEET_LOAD") else {
        return SIZE;
    };
    let numbers: Vec<usize> = text
        .split('x')
        .map(|of| of.parse().expect("a number"))
        .collect();
    (
        numbers[0],
        numbers[1],
        u32::try_from(numbers[2]).expect("shards"),
    )
}

/// The highest resident memory of a process so far, in KiB.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn the_rate_of_all_shards_together_stays_at_the_limit_of_the_token() {
    let (connections, accounts, shards) = size();
    let ids: Vec<String> = (1..=connections)
        .map(|number| format!("c{number}"))
        .collect();
    // Truto's 500 requests in 10 s, scaled so that the limit and not this machine decides.
    let rate = 100;
    let limit = format!("{rate}/1s");
    let provider = Provider::new()
        .env("TRUTO_TOKEN_RATE_LIMIT", &limit)
        .env("RETRY_MAX_ATTEMPTS", "8")
        .tenant("template", World::generated(accounts), LEFT_AND_GONE);
    let template = provider.lines[0].clone();
    let lines = ids.iter().map(|id| {
        let mut line = template.clone();
        line.insert("TRUTO_INTEGRATED_ACCOUNT_ID".to_owned(), id.as_str().into());
        format!("{}\n", serde_json::json!(line))
    });
    provider.file("connections.jsonl", &lines.collect::<String>());
    provider
        .simulator
        .add(ids.clone(), World::generated(accounts));
    provider
        .simulator
        .limit_token(Some((rate, Duration::from_secs(1))));

    let began = Instant::now();
    let count = shards.to_string();
    let mut children: Vec<_> = (0..shards)
        .map(|index| {
            let index = index.to_string();
            let shard = [
                ("SHARD_COUNT", count.as_str()),
                ("JOB_COMPLETION_INDEX", &index),
                ("RUST_LOG", "warn"),
            ];
            let mut command = provider.command(&shard);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("the binary")
        })
        .collect();
    let mut peaks = vec![0; children.len()];
    let mut open = children.len();
    while open > 0 {
        std::thread::sleep(Duration::from_millis(20));
        open = 0;
        for (child, peak) in children.iter_mut().zip(&mut peaks) {
            *peak = peak_kib(child.id()).unwrap_or(0).max(*peak);
            open += usize::from(child.try_wait().expect("a child").is_none());
        }
    }
    let took = began.elapsed();
    for child in &mut children {
        assert_eq!(child.wait().expect("an end").code(), Some(0));
    }
    for id in &ids {
        assert_eq!(provider.verdicts(id), ["pass"], "{id}");
    }
    let requests = provider.simulator.requests();
    let refused = requests.iter().filter(|of| of.status == Some(429)).count();
    let floor = Duration::from_secs_f64(requests.len() as f64 / f64::from(rate));
    let peak = peaks.iter().max().expect("a shard") / 1024;
    println!(
        "{connections} connections of {accounts} accounts over {shards} shards: {} requests, {refused} refused, \
         {took:.1?} (the limit allows {floor:.1?}), at most {peak} MiB a shard",
        requests.len()
    );
    assert_eq!(
        refused, 0,
        "the shards together should stay below the limit"
    );
    assert!(requests.len() <= 12 * connections + 4, "{}", requests.len());
}

/// docs/scaling.md has these numbers with their cost.
#[test]
fn a_run_in_a_bucket_takes_these_requests() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(Job::new(World::generated(100), LEFT_AND_GONE), &server);
    let counted = || {
        let before = server.actions().len();
        assert_eq!(job.run().code, 0);
        let mut counts = BTreeMap::new();
        for action in &server.actions()[before..] {
            *counts.entry(action.operation().to_owned()).or_insert(0) += 1;
        }
        counts
    };
    let (first, second, third) = (counted(), counted(), counted());
    println!("requests to S3 in the first runs of a connection: {first:?}, {second:?}, {third:?}");
    let sum = |counts: &BTreeMap<String, usize>, of: &[&str]| {
        let found = of.iter().filter_map(|operation| counts.get(*operation));
        found.sum::<usize>()
    };
    for counts in [&second, &third] {
        assert!(sum(counts, &["PUT", "LIST"]) <= 30, "{counts:?}");
        assert!(sum(counts, &["GET", "HEAD"]) <= 20, "{counts:?}");
    }
}
