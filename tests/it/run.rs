//! A whole run at a fixed instant: from a simulated company to an evidence folder and back.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::job::{masked, tree, unpacked, verify};
use crate::support::s3::S3Server;
use asana_access_review::cli::exit::Exit;
use asana_access_review::clock::Clock;
use asana_access_review::commands::run::{self, Done, Failed};
use asana_access_review::config;
use asana_access_review::evidence::RunIdentity;
use asana_access_review::store::Store;
use jiff::Timestamp;
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, World};

/// The instant, the world and the HR feed of a run.
type RunInput = (&'static str, fn() -> World, &'static str);

/// The two runs of the demo.
const RUNS: [RunInput; 2] = [
    (
        "2026-11-22T22:40:00Z",
        World::story_first_run,
        include_str!("../../examples/demo/hr-1.csv"),
    ),
    (
        "2026-11-23T22:40:00Z",
        World::story_second_run,
        include_str!("../../examples/demo/hr-2.csv"),
    ),
];

/// Makes one run of the demo. The HR feed was changed three hours before.
async fn snapshot(simulator: &Simulator, folder: &Path, store: &Store, number: usize) -> Done {
    let (as_of, world, hr_feed) = RUNS[number];
    let as_of: Timestamp = as_of.parse().expect("an instant");
    simulator.set_world(world().at(as_of));
    run_once(simulator, folder, store, as_of, hr_feed)
        .await
        .map_err(|failed| failed.error.chain())
        .expect("a run")
}

/// Makes a run against the current world of the simulator.
async fn run_once(
    simulator: &Simulator,
    folder: &Path,
    store: &Store,
    as_of: Timestamp,
    hr_feed: &str,
) -> Result<Done, Failed> {
    let path = folder.join("hr.csv");
    std::fs::write(&path, hr_feed).expect("an HR feed");
    crate::support::changed_before(&path, as_of);

    let by_hand = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let aliases = by_hand(
        "aliases.csv",
        include_str!("../../examples/demo/aliases.csv"),
    );
    let exceptions = by_hand(
        "exceptions.csv",
        include_str!("../../examples/demo/exceptions.csv"),
    );
    let variables = [
        ("ALIASES_URL", aliases),
        ("EXCEPTIONS_URL", exceptions),
        ("TRUTO_BASE_URL", simulator.url()),
        ("TRUTO_API_TOKEN", TOKEN.to_owned()),
        ("TRUTO_INTEGRATED_ACCOUNT_ID", CONNECTION_ID.to_owned()),
        ("HR_FEED_URL", path.display().to_string()),
        ("HR_TIME_ZONE", "Europe/Berlin".to_owned()),
        ("EVIDENCE_RETENTION_DAYS", "400".to_owned()),
    ];
    let environment = variables
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let settings = config::load(environment.collect(), |path| std::fs::read_to_string(path))
        .expect("settings")
        .settings;
    let identity = RunIdentity {
        executor: settings.executor.clone(),
        ..crate::support::identity(as_of, "7f3a9c")
    };
    run::run_in(store.clone(), None, &settings, identity, Clock::at(as_of)).await
}

/// Makes both runs and returns every file that they wrote, unpacked.
async fn both_runs(simulator: &Simulator, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let evidence = folder.join("evidence");
    for number in 0..RUNS.len() {
        snapshot(simulator, folder, &Store::folder(&evidence), number).await;
    }
    tree(&evidence)
        .into_iter()
        .map(without_commit_time)
        .collect()
}

/// An entry has the time of its commit, which may be a second later on a busy machine, and the next
/// entry links to its bytes. Nothing else may vary between two executions.
fn without_commit_time((name, bytes): (String, Vec<u8>)) -> (String, Vec<u8>) {
    if !name.contains("/ledger/") {
        return (name, bytes);
    }
    let text = String::from_utf8(bytes).expect("text");
    let lines = text.lines().map(|line| match line.split_once(": ") {
        Some((key @ ("  \"committed_at\"" | "  \"previous_sha256\""), _)) => {
            format!("{key}: \"[varies]\",\n")
        }
        _ => format!("{line}\n"),
    });
    (name, lines.collect::<String>().into_bytes())
}

#[tokio::test]
async fn the_same_instant_and_inputs_give_the_same_bytes() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let first = both_runs(&simulator, folder.path()).await;
    std::fs::remove_dir_all(folder.path().join("evidence")).expect("the first evidence");
    let second = both_runs(&simulator, folder.path()).await;

    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        second.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}

#[tokio::test]
async fn the_evidence_of_two_runs_is_as_expected() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let files = both_runs(&simulator, folder.path()).await;

    let mut golden = String::new();
    for (name, bytes) in &files {
        let text = String::from_utf8(bytes.clone()).expect("text");
        // The report has its own tests.
        if name.ends_with("report.html") {
            golden.push_str(&format!("===== {name}\n"));
            continue;
        }
        golden.push_str(&format!("===== {name}\n{text}"));
    }
    let golden = masked(&golden.replace("\r\n", "\n"), folder.path());
    insta::assert_snapshot!(without_sizes(&golden));
}

#[tokio::test]
async fn verify_recomputes_both_runs_from_the_evidence() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    both_runs(&simulator, folder.path()).await;
    let ended = verify(&folder.path().join("evidence"), &[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let reported: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(reported["chains"][0]["decisions_recomputed"], 2);
}

/// The size of a file that contains a port varies with the length of the port.
fn without_sizes(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        match line.split_once("\"bytes\": ") {
            Some((before, size)) => {
                let comma = if size.ends_with(',') { "," } else { "" };
                masked.push_str(&format!("{before}\"bytes\": [bytes]{comma}\n"));
            }
            None => {
                masked.push_str(line);
                masked.push('\n');
            }
        }
    }
    masked
}

#[tokio::test]
async fn a_bucket_and_a_folder_hold_the_same_bytes() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let in_folder = both_runs(&simulator, folder.path()).await;

    let server = S3Server::start(["evidence"]);
    let store = Store::s3(server.client().await, "evidence", "n");
    for number in 0..RUNS.len() {
        snapshot(&simulator, folder.path(), &store, number).await;
    }
    let in_bucket: BTreeMap<String, Vec<u8>> = server
        .objects("evidence")
        .into_iter()
        .map(|(key, bytes)| {
            let name = key.strip_prefix("n/").expect("below the prefix").to_owned();
            let bytes = unpacked(&name, bytes);
            without_commit_time((name, bytes))
        })
        .collect();
    assert_eq!(
        in_bucket.keys().collect::<Vec<_>>(),
        in_folder.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &in_bucket {
        assert!(in_folder[name] == *bytes, "{name} differs");
    }

    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_run_that_fails_during_its_writes_leaves_a_failure_record() {
    let simulator = Simulator::start(World::new()).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = folder.path().join("evidence");
    let store = Store::folder(&evidence);
    let (as_of, world, hr_feed) = RUNS[0];
    let as_of: Timestamp = as_of.parse().expect("an instant");
    simulator.set_world(world().at(as_of));
    let connection = format!("system=asana/connection={CONNECTION_ID}");
    let half_written =
        format!("{connection}/dt=2026-11-22/run=20261122T224000Z-7f3a9c/report.html");
    store
        .create(&half_written, *b"of an attempt that did not end")
        .await
        .expect("a file");

    let failed = run_once(&simulator, folder.path(), &store, as_of, hr_feed)
        .await
        .expect_err("the report's name is taken");
    assert_eq!(failed.error.exit(), Exit::Unexpected);
    let record = failed.record.expect("a failure record");
    let mut names: Vec<String> = store
        .list(&format!("{}/", record.key))
        .await
        .expect("a list")
        .iter()
        .map(|name| name.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["SHA256SUMS", "manifest.json", "report.html"]);
}
