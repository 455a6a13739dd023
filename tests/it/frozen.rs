//! Every version verifies the evidence of every released version.
//!
//! Each folder of `tests/evidence/` is written once and never changed. Before a release that
//! changes the format, add a folder: `FREEZE=NAME cargo test --test it frozen:: -- --ignored`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::job::{Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, verify};
use crate::support::review as access_review;
use asana_access_review::judgement::Decision;
use asana_access_review::model::Role;
use asana_access_review::review::FrozenRow;
use serde_json::{Value, json};
use truto_simulator::World;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence")
}

fn key(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/keys")
        .join(name);
    path.display().to_string()
}

/// The keys that signed every folder.
fn pinned() -> Vec<String> {
    ["ed25519.pub.pem", "p256.pub.pem"]
        .iter()
        .flat_map(|file| ["--public-key".to_owned(), key(file)])
        .collect()
}

fn frozen() -> Vec<(String, PathBuf)> {
    let mut folders: Vec<(String, PathBuf)> = fs::read_dir(corpus())
        .expect("frozen evidence")
        .map(|entry| {
            let entry = entry.expect("an entry");
            (
                entry.file_name().into_string().expect("a name"),
                entry.path(),
            )
        })
        .collect();
    folders.sort();
    folders
}

#[test]
fn frozen_evidence_verifies_and_is_recomputed_with_equal_results() {
    let frozen = frozen();
    assert!(!frozen.is_empty(), "no folder");
    let pinned = pinned();
    let arguments: Vec<&str> = pinned.iter().map(String::as_str).collect();
    for (name, folder) in frozen {
        let ended = verify(&folder, &arguments);
        assert_eq!(ended.code, 0, "{name}: {}", ended.stdout);
        let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        for chain in reported["chains"].as_array().expect("chains") {
            assert_eq!(chain["decisions_not_recomputed"], json!([]), "{name}");
            assert_eq!(chain["decisions_recomputed"], chain["runs"], "{name}");
            assert_eq!(chain["accounts_not_recomputed"], json!([]), "{name}");
            // A later version renders other pages and words, but population and decisions are still
            // compared.
            let in_part = chain["reviews_not_recomputed"].as_array().expect("reasons");
            let by_another = |why: &Value| {
                let why = why.as_str().unwrap_or_default();
                why.ends_with("and were not recomputed")
            };
            assert!(in_part.iter().all(by_another), "{name}: {in_part:?}");
            assert!(chain["reviews"].as_u64() > Some(0), "{name}");
            assert_eq!(chain["signed"], chain["entries"], "{name}");
        }
    }
}

#[test]
fn frozen_evidence_verifies_with_the_second_verifier() {
    if !crate::support::has(&["sh", "awk", "sha256sum", "openssl"]) {
        return;
    }
    for (name, folder) in frozen() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
        let ended = Command::new("sh")
            .arg(script)
            .args(pinned())
            .arg(&folder)
            .output()
            .expect("a shell");
        let reported = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{name}: {reported}");
    }
}

#[test]
fn the_second_verifier_agrees_under_every_awk() {
    if !crate::support::has(&["sh", "awk", "sha256sum", "openssl"]) {
        return;
    }
    let kinds = ["mawk", "gawk", "original-awk", "busybox"];
    let is_there = |kind: &&&str| {
        let found = Command::new("sh")
            .args(["-c", "command -v -- \"$1\"", "sh", kind])
            .output();
        found.is_ok_and(|found| found.status.success())
    };
    for kind in kinds.iter().filter(is_there) {
        let folder = tempfile::tempdir().expect("a folder");
        let awk = folder.path().join("awk");
        let applet = if *kind == "busybox" { "awk" } else { "" };
        fs::write(&awk, format!("#!/bin/sh\nexec {kind} {applet} \"$@\"\n")).expect("a script");
        fs::set_permissions(&awk, fs::Permissions::from_mode(0o755)).expect("a mode");
        for (name, evidence) in frozen() {
            let path = format!("PATH={}:$PATH; exec sh \"$@\"", folder.path().display());
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
            let ended = Command::new("sh")
                .args(["-c", &path, "sh"])
                .arg(script)
                .args(pinned())
                .arg(&evidence)
                .output()
                .expect("a shell");
            let reported = String::from_utf8_lossy(&ended.stdout);
            assert!(ended.status.success(), "{kind}, {name}: {reported}");
        }
    }
}

/// The first run after an update builds on the evidence of the previous version.
#[test]
fn a_run_builds_on_frozen_evidence_without_faults() {
    for (name, folder) in frozen() {
        let world = World::scenario("healthy").expect("a scenario");
        // The leaver has access again, and the rows of the other people in the evidence are
        // missing.
        let job = Job::new(World::new(), LEFT_AND_ACTIVE)
            .env("EVIDENCE_SIGNING_KEY_FILE", &key("p256.test-key.pem"));
        crate::support::copy(&folder, &job.evidence());
        // An entry and its signature.
        let entries = job.entries() as u64 / 2;
        assert_eq!(job.run_at("2026-12-10T22:40:00Z", world), 3, "{name}");

        assert_eq!(job.entries() as u64 / 2, entries + 1, "{name}");
        let result = job.json(entries + 1, "result.json");
        let listed = |list: &str, key: &str, value: &str| {
            let values = result[list].as_array().expect("a list").iter();
            let found = values.filter(|record| record[key] == value);
            found.cloned().collect::<Vec<Value>>()
        };
        let ledger = &listed("checks", "id", "ledger_continues")[0];
        assert_eq!(ledger["status"], "pass", "{name}: {ledger}");
        let cadence = &listed("checks", "id", "cadence")[0];
        let since = &cadence["numbers"]["since_last_complete_seconds"];
        assert_eq!(since, 24 * 3600, "{name}");
        let leaver = |id: &str| {
            let leavers = job.records(entries + 1, "leavers.jsonl.gz").into_iter();
            let mut of = leavers.filter(|leaver| leaver["person_id"] == id);
            of.next().expect("a leaver")
        };
        let vanished = leaver("E6");
        let leaver = leaver("E1");
        assert_eq!(leaver["outcome"], "still_active", "{name}");
        assert_eq!(leaver["first_seen_in_feed"], "2026-11-22T22:40:00Z");
        let open = &listed("findings", "kind", "revocation_not_done");
        assert!(
            open.iter()
                .any(|finding| finding["first_seen"] == "2026-12-06T22:40:00Z"),
            "{name}: {open:?}"
        );
        let trend = result["summary"]["trend"].as_array().map(Vec::len);
        assert!(trend > Some(1), "{name}");
        assert_eq!(vanished["in_feed"], false, "{name}");
    }
}

#[test]
#[ignore = "writes a new folder of frozen evidence, named by FREEZE"]
fn freeze() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the name of the folder is set by hand"
    )]
    let name = std::env::var("FREEZE").expect("FREEZE=NAME");
    let target = corpus().join(name);
    assert!(!target.exists(), "this folder exists: choose another name");

    let world = || World::scenario("healthy").expect("a scenario");
    let aliases = "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n\
                   ,1200000000000004,,service,person5@example.com,the build's account,\
                   person1@example.com,2027-03-31\n";
    let exceptions = "email,person_id,account_id,check,reason,approved_by,approved_on,expires_on\n\
                      person2@example.com,,,,hands over until the end of the week,\
                      person1@example.com,2026-11-24,2026-11-27\n";
    let feed = format!(
        "{LEFT_AND_ACTIVE}E5,Person Five,person5@example.com,Active,\n\
         E6,Person Six,person6@example.com,Active,2026-12-04\n"
    );
    let job = Job::new(world(), LEFT_AND_GONE)
        .env("EVIDENCE_SIGNING_KEY_FILE", &key("ed25519.test-key.pem"))
        .env("EVIDENCE_RETENTION_DAYS", "36500")
        .env("EVIDENCE_RAW", "full");
    assert_eq!(job.run_at("2026-11-21T22:40:00Z", world()), 0);
    job.hr_feed(&feed);
    assert_eq!(job.run_at("2026-11-22T22:40:00Z", world()), 3);
    // A failed run, an inconclusive one, and another key.
    let failing = World::scenario("missing-scope").expect("a scenario");
    let (ended, exit) = job.try_run_at("2026-11-23T22:40:00Z", failing, |_| ());
    assert!(ended.is_err());
    assert_eq!(exit.code(), 77);
    let doubtful = World::scenario("fields-refused").expect("a scenario");
    assert_eq!(job.run_at("2026-11-24T22:40:00Z", doubtful), 4);
    fs::write(job.place().join("aliases.csv"), aliases).expect("a file");
    fs::write(job.place().join("exceptions.csv"), exceptions).expect("a file");
    let job = job
        .env("EVIDENCE_SIGNING_KEY_FILE", &key("p256.test-key.pem"))
        .env("ALIASES_URL", "aliases.csv")
        .env("EXCEPTIONS_URL", "exceptions.csv")
        .env("EVIDENCE_RAW", "minimal");
    job.run_at("2026-11-25T22:40:00Z", world());
    // The access is gone, which is proven as an interval.
    let gone = || world().without_person("1200000000000002");
    job.run_at("2026-11-26T22:40:00Z", gone());
    // A periodic review whose decisions are late and then done, one that is closed incomplete, and
    // one that is open.
    let q3 = access_review::open(&job, "2026-11-27T09:00:00Z", "2026-Q3");
    let accounts: Vec<String> = q3
        .frozen
        .worksheet
        .rows
        .iter()
        .map(|row| row.account_id.clone())
        .collect();
    let decide = |row: &FrozenRow| match row.row {
        2 => Some((Decision::Revoke, "")),
        3 => Some((
            Decision::ChangeRole,
            if row.role == Role::Guest {
                "member"
            } else {
                "guest"
            },
        )),
        _ => Some((Decision::Keep, "")),
    };
    access_review::close(&job, "2026-11-27T17:00:00Z", &q3, decide, None);
    job.run_at("2026-11-27T22:40:00Z", gone());
    assert_eq!(job.run_at("2026-12-06T22:40:00Z", gone()), 3);
    let done = || gone().without_person(&accounts[1]);
    job.run_at("2026-12-07T22:40:00Z", done());
    let q4 = access_review::open(&job, "2026-12-08T09:00:00Z", "2026-Q4");
    job.run_at("2026-12-08T22:40:00Z", done());
    let doubt = |row: &FrozenRow| match row.row {
        1 => None,
        2 => Some((Decision::DontKnow, "")),
        _ => Some((Decision::Keep, "")),
    };
    access_review::close(
        &job,
        "2026-12-09T09:00:00Z",
        &q4,
        doubt,
        Some("a reviewer is ill"),
    );
    job.run_at("2026-12-09T22:40:00Z", done());
    access_review::open(&job, "2026-12-10T09:00:00Z", "2027-Q1");
    crate::support::copy(&job.evidence(), &target);
}
