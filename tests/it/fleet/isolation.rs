//! A broken, slow or poisonous connection affects no other.

use std::time::{Duration, Instant};

use serde_json::json;
use truto_simulator::{Action, Fault, World};

use super::Provider;
use crate::support::job::LEFT_AND_GONE;

#[test]
fn broken_connections_affect_no_other() {
    let long = Duration::from_secs(3600);
    let slow = Fault::once("/unified/", Action::Delay(long)).for_ever();
    let cut = Fault::once("/unified/", Action::CutBody).for_ever();
    let reset = Fault::once("/integrated-account/", Action::Reset).for_ever();
    let html = Fault::once("/unified/", Action::html(200)).for_ever();
    let limited = Fault::once(
        "/unified/",
        Action::RateLimited(truto_simulator::Limiter::Truto),
    );
    let provider = Provider::new()
        .tenant("slow", World::generated(6).fault(slow), LEFT_AND_GONE)
        .with("RUN_DEADLINE", "3s")
        .tenant("cut", World::generated(6).fault(cut), LEFT_AND_GONE)
        .tenant("reset", World::generated(6).fault(reset), LEFT_AND_GONE)
        .tenant("html", World::generated(6).fault(html), LEFT_AND_GONE)
        .tenant(
            "limited",
            World::generated(6).fault(limited.for_ever()),
            LEFT_AND_GONE,
        )
        .tenant("feed", World::generated(6), "\u{0}\u{1}not a feed\n")
        .healthy("c1")
        .healthy("c2")
        .listed();
    let began = Instant::now();
    let ended = provider.run(&[("CONNECTIONS_CONCURRENCY", "2")]);
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
    for id in ["c1", "c2"] {
        assert_eq!(provider.verdicts(id), ["pass"], "{id}");
    }
    // Each of the others has its own record.
    for id in ["slow", "cut", "reset", "html", "limited", "feed"] {
        assert_eq!(
            provider.verdicts(id),
            ["inconclusive"],
            "{id}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_store_that_fails_for_one_connection_affects_no_other() {
    let provider = Provider::new()
        .healthy("c1")
        .with("EVIDENCE_URL", "blocked/evidence")
        .healthy("c2")
        .listed();
    provider.file("blocked", "a file in place of a folder");
    let ended = provider.run(&[]);
    let summary = provider.summaries().remove(0);
    assert_eq!(i32::from(summary.exit), ended.code);
    assert_eq!(provider.verdicts("c2"), ["pass"]);
    assert!(provider.entries("c1").is_empty());
    assert_eq!(json!(summary.connections[0].state), "failed");
}

#[test]
fn each_log_line_of_a_connection_has_its_id() {
    let provider = Provider::new().healthy("c1").healthy("c2").listed();
    let ended = provider.run(&[("RUST_LOG", "asana_access_review=trace,outcome=info")]);
    assert_eq!(ended.code, 0);
    let mut of_process = 0;
    for line in ended.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        match line["connection"].as_str() {
            Some(id) => assert!(["c1", "c2"].contains(&id), "{line}"),
            None => of_process += 1,
        }
    }
    // The start and the end of the shard.
    assert_eq!(of_process, 2, "{}", ended.stderr);
    let text = provider
        .run(&[("LOG_FORMAT", "text"), ("JOB_NAME", "")])
        .stderr;
    assert!(text.contains(r#"connection="c1""#), "{text}");
}
