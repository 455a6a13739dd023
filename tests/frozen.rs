//! Evidence that earlier versions wrote is evidence for ever: every version verifies all of it.
//!
//! Each folder of `tests/evidence/` was written once, by the version of its day, and is never written
//! anew. Before a release that changes what is written, a new one joins them:
//! `FREEZE=NAME cargo test --test frozen -- --ignored`.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use asana_access_review::evidence::FrozenRow;
use asana_access_review::people::{Decision, Role};
use serde_json::Value;
use support::campaign;
use support::job::{Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, verify};
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

/// What a folder was signed with, if it was.
fn pinned(name: &str) -> Vec<String> {
    match name {
        "first-version" => Vec::new(),
        _ => ["ed25519.pub.pem", "p256.pub.pem"]
            .iter()
            .flat_map(|file| ["--public-key".to_owned(), key(file)])
            .collect(),
    }
}

fn frozen() -> Vec<(String, PathBuf)> {
    let mut folders: Vec<(String, PathBuf)> = fs::read_dir(corpus())
        .expect("the corpus")
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
fn evidence_of_every_version_is_sound_and_judged_again_alike_by_its_rules() {
    let frozen = frozen();
    assert!(frozen.len() >= 4, "{frozen:?}");
    for (name, folder) in frozen {
        let pinned = pinned(&name);
        let arguments: Vec<&str> = pinned.iter().map(String::as_str).collect();
        let ended = verify(&folder, &arguments);
        assert_eq!(ended.code, 0, "{name}: {}", ended.stdout);
        let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        for chain in told["chains"].as_array().expect("chains") {
            // The first one was judged by the first rules, which this version does not keep.
            let not_again = chain["not_judged_again"].as_array().expect("reasons");
            let by_older_rules = |why: &Value| {
                let why = why.as_str().unwrap_or_default();
                name == "first-version" && why.contains("judged by version 1 of the rules")
            };
            assert!(
                not_again.iter().all(by_older_rules),
                "{name}: {not_again:?}"
            );
            // Pages and words are another program's; population and decisions are held all the same.
            let held_in_part = chain["reviews_not_again"].as_array().expect("reasons");
            let by_another = |why: &Value| {
                let why = why.as_str().unwrap_or_default();
                why.ends_with("and not made again")
            };
            assert!(
                held_in_part.iter().all(by_another),
                "{name}: {held_in_part:?}"
            );
            let has_reviews =
                !["first-version", "second-version", "third-version"].contains(&&*name);
            assert_eq!(chain["reviews"].as_u64() > Some(0), has_reviews, "{name}");
            let again = chain["judged_again"].as_u64().expect("a number");
            let runs = again + not_again.len() as u64;
            assert_eq!(chain["runs"], runs, "{name}");
            if !pinned.is_empty() {
                assert_eq!(chain["signed"], chain["entries"], "{name}");
            }
        }
    }
}

#[test]
fn evidence_of_every_version_is_sound_to_the_second_verifier_too() {
    if !support::has(&["sh", "awk", "sha256sum", "openssl"]) {
        return;
    }
    for (name, folder) in frozen() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
        let ended = Command::new("sh")
            .arg(script)
            .args(pinned(&name))
            .arg(&folder)
            .output()
            .expect("a shell");
        let told = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{name}: {told}");
    }
}

#[test]
fn the_second_verifier_says_the_same_under_every_awk_there_is() {
    if !support::has(&["sh", "awk", "sha256sum", "openssl"]) {
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
                .args(pinned(&name))
                .arg(&evidence)
                .output()
                .expect("a shell");
            let told = String::from_utf8_lossy(&ended.stdout);
            assert!(ended.status.success(), "{kind}, {name}: {told}");
        }
    }
}

#[test]
#[ignore = "writes a new folder of the corpus, named by FREEZE"]
fn freeze() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the name of what is written, by hand"
    )]
    let name = std::env::var("FREEZE").expect("FREEZE=NAME");
    let target = corpus().join(name);
    assert!(!target.exists(), "what is frozen is never written anew");

    let world = || World::scenario("healthy").expect("a scenario");
    let aliases = "email,account_id,person_id,relation,owner,reason,expires_on\n\
                   ,1200000000000004,,service,person5@example.com,the build's account,\n";
    let exceptions = "email,person_id,account_id,check,reason,approved_by,expires_on\n\
                      person2@example.com,,,,hands over until the end of the week,\
                      person1@example.com,2026-11-27\n";
    let job = Job::new(world(), LEFT_AND_GONE)
        .env("EVIDENCE_SIGNING_KEY_FILE", &key("ed25519.test-key.pem"))
        .env("EVIDENCE_RETENTION_DAYS", "36500")
        .env("EVIDENCE_RAW", "full");
    assert_eq!(job.run_at("2026-11-21T22:40:00Z", world()), 0);
    job.hr_feed(LEFT_AND_ACTIVE);
    assert_eq!(job.run_at("2026-11-22T22:40:00Z", world()), 3);
    // A night that fails, one that cannot tell, and another key.
    let failing = World::scenario("missing-scope").expect("a scenario");
    let (ended, exit) = job.told_at("2026-11-23T22:40:00Z", failing, |_| ());
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
    // Access is gone, which is proven as an interval.
    let gone = || world().without_person("1200000000000002");
    job.run_at("2026-11-26T22:40:00Z", gone());
    // A periodic review, what it asked for not done in time and then done, one closed incomplete, and one
    // that is open.
    let q3 = campaign::open(&job, "2026-11-27T09:00:00Z", "2026-Q3");
    let accounts: Vec<String> = q3
        .progress
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
    campaign::close(&job, "2026-11-27T17:00:00Z", &q3, decide, None);
    job.run_at("2026-11-27T22:40:00Z", gone());
    assert_eq!(job.run_at("2026-12-06T22:40:00Z", gone()), 3);
    let done = || gone().without_person(&accounts[1]);
    job.run_at("2026-12-07T22:40:00Z", done());
    let q4 = campaign::open(&job, "2026-12-08T09:00:00Z", "2026-Q4");
    job.run_at("2026-12-08T22:40:00Z", done());
    let doubt = |row: &FrozenRow| match row.row {
        1 => None,
        2 => Some((Decision::DontKnow, "")),
        _ => Some((Decision::Keep, "")),
    };
    campaign::close(
        &job,
        "2026-12-09T09:00:00Z",
        &q4,
        doubt,
        Some("a reviewer is ill"),
    );
    job.run_at("2026-12-09T22:40:00Z", done());
    campaign::open(&job, "2026-12-10T09:00:00Z", "2027-Q1");
    support::copy(&job.evidence(), &target);
}
