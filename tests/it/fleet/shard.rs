//! What a shard checks, writes and returns.

use std::collections::BTreeSet;

use asana_access_review::evidence::{ConnectionState, EntryKind, Shard};
use serde_json::{Value, json};
use truto_simulator::{Action, Fault, World};

use super::Provider;
use crate::support::job::{LEFT_AND_ACTIVE, LEFT_AND_GONE, verify};
use crate::support::schema::{ensure_as_published, validator};

#[test]
fn each_shard_checks_its_connections_and_together_they_check_all() {
    let ids: Vec<String> = (1..=12).map(|number| format!("c{number}")).collect();
    let mut provider = Provider::new();
    for id in &ids {
        provider = provider.healthy(id);
    }
    let provider = provider.listed();
    let mut seen = BTreeSet::new();
    for index in 0..4 {
        let number = index.to_string();
        let shard = [
            ("SHARD_COUNT", "4"),
            ("JOB_COMPLETION_INDEX", number.as_str()),
        ];
        let ended = provider.run(&shard);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let of = Shard { index, count: 4 };
        for id in &ids {
            let is_done = provider.connection(id).exists();
            assert_eq!(
                is_done,
                of.owns(id) || seen.contains(id),
                "{id} in shard {index}"
            );
            if is_done {
                seen.insert(id.clone());
            }
        }
    }
    assert_eq!(seen.len(), ids.len());
    let ended = verify(&provider.evidence(), &[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let summaries = provider.summaries();
    assert_eq!(summaries.len(), 4);
    let listed = summaries.iter().flat_map(|of| &of.connections);
    let listed: BTreeSet<String> = listed.map(|of| of.connection.clone()).collect();
    assert_eq!(listed, seen);
}

#[test]
fn the_exit_code_is_zero_unless_a_retry_may_help_or_fail_on_is_set() {
    let provider = Provider::new()
        .healthy("pass")
        .tenant("fail", World::generated(6), LEFT_AND_ACTIVE)
        .tenant(
            "refused",
            World::new().connection_status("needs_reauth"),
            LEFT_AND_GONE,
        )
        .tenant("wrong", World::generated(6), LEFT_AND_GONE)
        .with("HR_FEED_URL", "missing.csv")
        .listed();
    let ended = provider.run(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(provider.verdicts("pass"), ["pass"]);
    assert_eq!(provider.verdicts("fail"), ["fail"]);
    // A failure that a retry cannot mend leaves its record too, even that of a wrong setting.
    for (id, code) in [("refused", 77), ("wrong", 78)] {
        let (entry, manifest) = provider.entries(id).remove(0);
        assert_eq!(entry.kind, EntryKind::Failure);
        assert_eq!(manifest.failure.expect("a failure").code, code);
    }
    let summary = provider.summaries().remove(0);
    assert_eq!(
        json!(summary.counts),
        json!({"fail": 1, "failed": 2, "pass": 1})
    );
    assert!(
        ended
            .stdout
            .contains("4 connections: 1 fail, 2 failed, 1 pass"),
        "{}",
        ended.stdout
    );

    // The same Job again reads Truto for none of them.
    provider.simulator.forget_requests();
    for (fail_on, code) in [("findings", 3), ("inconclusive", 4), ("never", 0)] {
        assert_eq!(
            provider.run(&[("FAIL_ON", fail_on)]).code,
            code,
            "{fail_on}"
        );
    }
    assert_eq!(provider.simulator.requests().len(), 0);
    let earlier = provider.summaries().pop().expect("a summary");
    assert!(earlier.connections.iter().all(|of| of.earlier));
    assert_eq!(earlier.counts, summary.counts);

    // Another Job checks all of them.
    assert_eq!(provider.run(&[("JOB_NAME", "review-29401440")]).code, 0);
    assert_eq!(provider.verdicts("pass"), ["pass", "pass"]);
}

#[test]
fn a_transient_failure_is_tried_again_and_the_rest_is_not() {
    let down = Fault::once("/unified/", Action::status(502, "bad gateway"));
    let provider = Provider::new()
        .healthy("c1")
        .tenant("c2", World::generated(6).fault(down), LEFT_AND_GONE)
        .listed();
    let ended = provider.run(&[]);
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    assert_eq!(provider.verdicts("c2"), ["inconclusive"]);
    let ended = provider.run(&[("JOB_RETRY", "1")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(provider.verdicts("c1"), ["pass"]);
    assert_eq!(provider.verdicts("c2"), ["inconclusive", "pass"]);
}

#[test]
fn a_review_between_two_attempts_does_not_repeat_a_run() {
    let provider = Provider::new().healthy("c1").listed();
    assert_eq!(provider.run(&[]).code, 0);
    let mut open = provider.command(&[
        ("CONNECTIONS_URL", ""),
        ("TRUTO_INTEGRATED_ACCOUNT_ID", "c1"),
    ]);
    open.args(["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"]);
    let opened = crate::support::job::ended(open.output().expect("the binary"));
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert_eq!(provider.run(&[]).code, 0);
    assert_eq!(
        provider.kinds("c1"),
        [EntryKind::Run, EntryKind::ReviewOpen]
    );
}

#[test]
fn outside_of_a_pod_a_constant_job_name_skips_nothing() {
    let provider = Provider::new().healthy("c1").listed();
    for runs in 1..=2 {
        assert_eq!(provider.run(&[("POD_UID", "")]).code, 0);
        assert_eq!(provider.verdicts("c1").len(), runs);
    }
}

#[test]
fn a_shard_starts_no_connection_after_its_deadline() {
    let slow = Fault::once(
        "/unified/",
        Action::Delay(std::time::Duration::from_millis(1500)),
    );
    let provider = Provider::new()
        .tenant("c1", World::generated(6).fault(slow), LEFT_AND_GONE)
        .healthy("c2")
        .listed();
    let limits = [("SHARD_DEADLINE", "1s"), ("CONNECTIONS_CONCURRENCY", "1")];
    let ended = provider.run(&limits);
    assert_eq!(ended.code, 75, "{}", ended.stderr);
    let summary = provider.summaries().remove(0);
    let states: Vec<_> = summary.connections.iter().map(|of| of.state).collect();
    assert_eq!(
        states,
        [ConnectionState::Judged, ConnectionState::NotStarted]
    );
    assert!(!provider.connection("c2").exists());
    assert_eq!(provider.run(&limits).code, 0);
    assert_eq!(provider.verdicts("c2"), ["pass"]);
}

#[test]
fn a_shard_without_connections_ends_well() {
    let provider = Provider::new().healthy("c1").listed();
    let index = match (Shard { index: 0, count: 2 }).owns("c1") {
        true => "1",
        false => "0",
    };
    let ended = provider.run(&[("SHARD_COUNT", "2"), ("JOB_COMPLETION_INDEX", index)]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("no connection is in this shard"),
        "{}",
        ended.stdout
    );
    assert_eq!(provider.summaries().len(), 1);
}

#[test]
fn a_summary_is_as_published() {
    let provider = Provider::new()
        .healthy("c1")
        .tenant(
            "c2",
            World::new().connection_status("needs_reauth"),
            LEFT_AND_GONE,
        )
        .listed();
    let mut command = provider.command(&[]);
    let output = command
        .args(["run", "--json"])
        .output()
        .expect("the binary");
    let ended = crate::support::job::ended(output);
    let validator = validator("shard-summary");
    let printed: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    ensure_as_published("shard-summary", &validator, &printed);
    let stored = json!(provider.summaries().remove(0));
    assert_eq!(stored, printed);
    let wrong = [
        ("/shard/index", json!(-1)),
        ("/connections/0/state", json!("lost")),
    ];
    for (place, value) in wrong {
        let mut changed = printed.clone();
        *changed.pointer_mut(place).expect("a value") = value;
        assert!(!validator.is_valid(&changed), "{place}");
    }
}

#[test]
fn a_summary_that_cannot_be_stored_is_no_success() {
    let provider = Provider::new()
        .healthy("c1")
        .with("EVIDENCE_URL", "elsewhere")
        .listed();
    provider.file("evidence", "a file in place of the folder");
    let ended = provider.run(&[]);
    assert_ne!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Could not store the summary"),
        "{}",
        ended.stderr
    );
    std::fs::remove_file(provider.evidence()).expect("a file");
    assert_eq!(provider.run(&[]).code, 0);
    assert_eq!(
        provider.summaries().remove(0).connections[0].sequence,
        Some(1)
    );
}
