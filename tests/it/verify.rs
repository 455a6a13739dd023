//! Every way to tamper with evidence that `verify` must detect, and what is not tampering.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::company::{Company, Run, entry_name, instant};
use crate::support::job::{Ended, Job, verify};
use crate::support::s3::S3Server;
use asana_access_review::commands::run::Done;
use asana_access_review::evidence::{
    Entry, Facts, FileRecord, Manifest, Snapshot, sha256_hex, sums,
};
use asana_access_review::judgement::{Check, CheckId, CheckStatus, Verdict, judge};
use asana_access_review::model::{Memberships, Population, Status};
use asana_access_review::report;
use asana_access_review::store::Store;
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use truto_simulator::World;

/// Evidence of some runs, untouched.
struct Evidence {
    job: Job,
}

const HR_ROWS: &str = "E1,Person Two,person2@example.com,Terminated,2020-01-31\n\
                       E9,Nobody Here,nobody@example.com,Terminated,2020-01-31\n";

/// Three complete runs, and a failed one between the second and the third.
fn untouched() -> Evidence {
    let job = Job::new(World::generated(12), HR_ROWS).env("EVIDENCE_RETENTION_DAYS", "400");
    job.run();
    job.run();
    let failing = World::scenario("missing-scope").expect("a scenario");
    job.simulator.set_world(failing);
    assert_eq!(job.run().code, 77);
    job.simulator.set_world(World::generated(12));
    job.run();
    assert_eq!(job.entries(), 4);
    Evidence { job }
}

impl Evidence {
    fn verify(&self, arguments: &[&str]) -> Ended {
        self.job.run_with(&[&["verify"], arguments].concat())
    }

    /// Each fault: its kind, and the last part of its place.
    fn faults(&self, arguments: &[&str]) -> Vec<String> {
        let ended = self.verify(&[&["--json"], arguments].concat());
        let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let faults = reported["integrity"]["faults"].as_array().expect("faults");
        assert_eq!(reported["integrity"]["holds"], faults.is_empty());
        let missing = reported["operation"]["missing_runs"].as_u64();
        let code = match (faults.is_empty(), missing) {
            (false, _) => 5,
            (true, Some(1..)) => 4,
            (true, Some(0) | None) => 0,
        };
        assert_eq!(ended.code, code);
        let one = |fault: &Value| {
            let place = fault["place"].as_str().expect("a place");
            let last = place.rsplit(['/', ',']).next().unwrap_or_default().trim();
            format!("{} {last}", fault["kind"].as_str().expect("a kind"))
        };
        faults.iter().map(one).collect()
    }

    fn entry(&self, sequence: u64) -> PathBuf {
        let name = format!("ledger/{sequence:010}.json");
        self.job.connection().join(name)
    }

    fn file(&self, sequence: u64, name: &str) -> PathBuf {
        self.job.run_folder(sequence).join(name)
    }

    fn head(&self) -> String {
        let bytes = fs::read(self.entry(4)).expect("an entry");
        format!("4:{}", sha256_hex(&bytes))
    }

    /// Rewrites an entry and links every later one to it, as an attacker with write access would.
    fn rewrite(&self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let read = |sequence| {
            let bytes = fs::read(self.entry(sequence)).expect("an entry");
            Entry::from_bytes(&bytes).expect("an entry")
        };
        let mut entry = read(sequence);
        change(&mut entry);
        fs::write(self.entry(sequence), entry.to_bytes()).expect("an entry");
        for later in (sequence + 1..).take_while(|later| self.entry(*later).exists()) {
            let before = fs::read(self.entry(later - 1)).expect("an entry");
            let mut entry = read(later);
            entry.previous_sha256 = sha256_hex(&before);
            fs::write(self.entry(later), entry.to_bytes()).expect("an entry");
        }
    }

    /// Replaces a file and updates the sums, the manifest and the ledger from there on. Only
    /// recomputation or a noted head can find it.
    fn forge(&self, sequence: u64, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.file(sequence, name);
        let old = fs::read(&path).expect("a file");
        let new = change(String::from_utf8(old.clone()).expect("text")).into_bytes();
        assert_ne!(old, new, "nothing was forged");
        fs::write(&path, &new).expect("a file");
        let manifest = self.file(sequence, "manifest.json");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        let mut manifest_json: Value = serde_json::from_str(&text).expect("JSON");
        for file in manifest_json["files"].as_array_mut().expect("files") {
            if file["name"] == name {
                file["sha256"] = sha256_hex(&new).into();
                file["bytes"] = new.len().into();
            }
        }
        let forged: Manifest = serde_json::from_value(manifest_json).expect("a manifest");
        let text = String::from_utf8(forged.to_file().0.bytes).expect("text");
        let old_manifest = fs::read(&manifest).expect("a manifest");
        fs::write(&manifest, &text).expect("a manifest");
        let sums = self.file(sequence, "SHA256SUMS");
        let lines = fs::read_to_string(&sums).expect("sums");
        let lines = lines
            .replace(&sha256_hex(&old), &sha256_hex(&new))
            .replace(&sha256_hex(&old_manifest), &sha256_hex(text.as_bytes()));
        fs::write(&sums, &lines).expect("sums");
        self.rewrite(sequence, |entry| {
            entry.manifest_sha256 = sha256_hex(text.as_bytes());
            entry.sums_sha256 = sha256_hex(lines.as_bytes());
        });
    }
}

fn append(path: &Path, text: &str) {
    let mut bytes = fs::read(path).expect("a file");
    bytes.extend(text.as_bytes());
    fs::write(path, bytes).expect("a file");
}

#[test]
fn untouched_evidence_verifies_and_every_run_is_recomputed() {
    let evidence = untouched();
    assert_eq!(evidence.faults(&[]), [""; 0]);
    let ended = evidence.verify(&["--head", &evidence.head()]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    for reported in [
        "Integrity: holds\n",
        "Operation: not checked (the evidence records no schedule: give --every), 1 run failed\n",
        "entries    4: 3 runs judged, 1 run failed",
        "decisions  recomputed with the same result for 3 of 3 runs",
        "failed run entry 3, dt=",
        "reading the Asana accounts, exit 77",
        "everything up to each --head",
    ] {
        assert!(ended.stdout.contains(reported), "{}", ended.stdout);
    }
}

#[test]
fn a_copy_of_the_evidence_can_be_verified() {
    let evidence = untouched();
    let copy = evidence.job.folder.path().join("copy");
    fs::rename(evidence.job.evidence(), &copy).expect("a copy");
    let ended = evidence.verify(&["copy"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(
        evidence.verify(&[]).code,
        78,
        "nothing is left where it was"
    );
}

#[test]
fn a_modified_file_of_any_kind_is_found() {
    for name in [
        "report.html",
        "leavers.csv",
        "result.json",
        "inputs/facts.json",
        "inputs/hr.jsonl.gz",
        "raw/pages-0001.jsonl.gz",
        "SHA256SUMS",
        "manifest.json",
    ] {
        let evidence = untouched();
        append(&evidence.file(2, name), " ");
        let last = name.rsplit('/').next().unwrap_or_default();
        assert_eq!(evidence.faults(&[]), [format!("modified {last}")], "{name}");
    }
}

#[test]
fn missing_extra_and_renamed_files_are_distinguished() {
    let evidence = untouched();
    fs::remove_file(evidence.file(1, "findings.csv")).expect("a file");
    assert_eq!(evidence.faults(&[]), ["missing_file findings.csv"]);

    let evidence = untouched();
    fs::write(evidence.file(1, "inputs/note.txt"), "x").expect("a file");
    assert_eq!(evidence.faults(&[]), ["extra_file note.txt"]);

    // A file name that the program never writes does not stop the check of the rest.
    let evidence = untouched();
    fs::remove_file(evidence.file(1, "findings.csv")).expect("a file");
    fs::write(evidence.file(1, "a\\b"), "x").expect("a file");
    assert_eq!(
        evidence.faults(&[]),
        ["missing_file findings.csv", "extra_file a\\b"]
    );

    let evidence = untouched();
    let (from, to) = (
        evidence.file(1, "findings.csv"),
        evidence.file(1, "other.csv"),
    );
    fs::rename(from, to).expect("a file");
    assert_eq!(evidence.faults(&[]), ["moved findings.csv"]);
}

#[test]
fn a_deleted_run_is_missing_before_its_retention_ends_and_expired_after() {
    let evidence = untouched();
    fs::remove_dir_all(evidence.job.run_folder(1)).expect("a folder");
    let missing = evidence.faults(&[]);
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("missing_folder run="), "{missing:?}");

    let evidence = untouched();
    let long_ago = "2021-01-01T00:00:00Z".parse().expect("an instant");
    evidence.rewrite(1, |entry| entry.retain_until = Some(long_ago));
    fs::remove_dir_all(evidence.job.run_folder(1)).expect("a folder");
    let ended = evidence.verify(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("  expired    "), "{}", ended.stdout);
    // The next run builds on it, so it cannot be recomputed.
    assert!(
        ended.stdout.contains("  decisions not recomputed "),
        "{}",
        ended.stdout
    );
}

/// `docs/verify.sh` on the same evidence: whether integrity holds, and what it prints.
fn verify_with_the_script(evidence: &Evidence) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let mut command = std::process::Command::new("sh");
    let ended = command.arg(script).arg(evidence.job.evidence()).output();
    let ended = ended.expect("a shell");
    let reported = String::from_utf8_lossy(&ended.stdout).into_owned();
    (ended.status.success(), reported)
}

#[test]
fn a_store_may_delete_an_expired_run_file_by_file() {
    let has_tools = crate::support::has(&["sh", "awk", "sha256sum"]);
    for gone in [
        &["inputs/hr.jsonl.gz"][..],
        &["manifest.json"],
        &["SHA256SUMS"],
        &["result.json", "inputs/facts.json", "SHA256SUMS"],
    ] {
        let evidence = untouched();
        for file in gone {
            fs::remove_file(evidence.file(1, file)).expect("a file");
        }
        assert_eq!(evidence.verify(&[]).code, 5, "before its time: {gone:?}");
        let long_ago = "2021-01-01T00:00:00Z".parse().expect("an instant");
        evidence.rewrite(1, |entry| entry.retain_until = Some(long_ago));
        let ended = evidence.verify(&[]);
        assert_eq!(ended.code, 0, "{gone:?}: {}", ended.stdout);
        assert!(ended.stdout.contains("  expired    "), "{}", ended.stdout);
        if has_tools {
            let (is_sound, reported) = verify_with_the_script(&evidence);
            assert!(
                is_sound && reported.contains("expired"),
                "{gone:?}: {reported}"
            );
        }
    }
    // The files that are left must still be unchanged.
    let evidence = untouched();
    let long_ago = "2021-01-01T00:00:00Z".parse().expect("an instant");
    evidence.rewrite(1, |entry| entry.retain_until = Some(long_ago));
    fs::remove_file(evidence.file(1, "report.html")).expect("a file");
    append(&evidence.file(1, "accounts.csv"), "x");
    assert_eq!(evidence.faults(&[]), ["modified accounts.csv"]);
    if has_tools {
        assert!(!verify_with_the_script(&evidence).0);
    }
}

#[test]
fn unreadable_inputs_do_not_avoid_recomputation() {
    // A line of an unknown kind, committed with the right hashes.
    let evidence = untouched();
    evidence.forge(1, "inputs/facts.json", |text| {
        text.replace("\"policy\"", "\"polity\"")
    });
    let faults = evidence.faults(&[]);
    assert!(
        faults.iter().any(|fault| fault.starts_with("decisions_differ") || fault.starts_with("disagreement")),
        "{faults:?}"
    );
    // A future version of the derivation.
    let evidence = untouched();
    evidence.forge(1, "inputs/facts.json", |text| {
        let known = "\"derivation\":{\"version\":1";
        let spaced = "\"version\": 1";
        match text.contains(known) {
            true => text.replace(known, "\"derivation\":{\"version\":2"),
            false => text.replacen(spaced, "\"version\": 2", 1),
        }
    });
    let faults = evidence.faults(&[]);
    assert!(
        faults.contains(&"accounts_differ accounts.jsonl.gz".to_owned()),
        "{faults:?}"
    );
}

#[test]
fn a_run_without_an_entry_is_listed_and_is_not_a_fault() {
    let evidence = untouched();
    let folder = evidence
        .job
        .connection()
        .join("dt=2026-11-01/run=20261101T224000Z-abcdef");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("accounts.csv"), "half").expect("a file");
    let ended = evidence.verify(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("  no entry   dt=2026-11-01/run="),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_deleted_entry_leaves_a_gap() {
    let evidence = untouched();
    fs::remove_file(evidence.entry(2)).expect("an entry");
    assert_eq!(evidence.faults(&[]), ["missing_entry ledger entry 3"]);
    // A far higher number is one gap, and `verify` does not look for every number between.
    let evidence = untouched();
    fs::copy(evidence.entry(4), evidence.entry(9_999_999_998)).expect("a copy");
    let faults = evidence.faults(&[]);
    assert!(
        faults.contains(&"missing_entry ledger entry 9999999998".to_owned()),
        "{faults:?}"
    );
}

#[test]
fn a_cut_tail_is_found_with_a_noted_head() {
    let evidence = untouched();
    let head = evidence.head();
    let run = evidence.job.run_folder(4);
    fs::remove_file(evidence.entry(4)).expect("an entry");
    fs::remove_dir_all(run).expect("a folder");
    assert_eq!(
        evidence.faults(&[]),
        [""; 0],
        "a chain cannot see its own end cut off"
    );
    assert_eq!(
        evidence.faults(&["--head", &head]),
        ["truncated ledger entry 4"]
    );
}

#[test]
fn a_changed_entry_breaks_the_link_or_is_malformed() {
    let evidence = untouched();
    let text = fs::read_to_string(evidence.entry(2)).expect("an entry");
    fs::write(
        evidence.entry(2),
        text.replace("\"complete\": true", "\"complete\": false"),
    )
    .expect("an entry");
    assert_eq!(
        evidence.faults(&[]),
        [
            "disagreement manifest.json",
            "disagreement result.json",
            "broken_link ledger entry 3"
        ]
    );

    let evidence = untouched();
    append(&evidence.entry(2), "\n");
    assert_eq!(evidence.faults(&[]), ["broken_link ledger entry 2"]);
}

#[test]
fn swapped_entries_are_reported_as_moved() {
    let evidence = untouched();
    let (one, two) = (evidence.entry(1), evidence.entry(2));
    let bytes = fs::read(&one).expect("an entry");
    fs::rename(&two, &one).expect("an entry");
    fs::write(&two, bytes).expect("an entry");
    let faults = evidence.faults(&[]);
    assert!(
        faults.contains(&"moved ledger entry 1".to_owned()),
        "{faults:?}"
    );
    assert!(
        faults.contains(&"moved ledger entry 2".to_owned()),
        "{faults:?}"
    );
}

#[test]
fn instants_that_go_back_are_found_in_an_intact_chain() {
    let early = "2020-01-01T00:00:00Z".parse().expect("an instant");
    let evidence = untouched();
    evidence.rewrite(2, |entry| entry.committed_at = early);
    assert_eq!(
        evidence.faults(&[]),
        [
            "went_back ledger entry 2",
            "run_after_commit ledger entry 2"
        ]
    );
}

#[test]
fn an_entry_committed_before_its_predecessor_is_found() {
    let evidence = untouched();
    let late = "2100-01-01T00:00:00Z".parse().expect("an instant");
    evidence.rewrite(1, |entry| entry.committed_at = late);
    assert_eq!(evidence.faults(&[]), ["went_back ledger entry 2"]);
}

#[test]
fn a_run_that_began_after_its_commit_is_found() {
    let evidence = untouched();
    evidence.rewrite(1, |entry| {
        entry.committed_at -= SignedDuration::from_hours(1);
    });
    assert_eq!(evidence.faults(&[]), ["run_after_commit ledger entry 1"]);
}

fn clock_check(done: &Done) -> &Check {
    let mut checks = done.judgement.checks.iter();
    checks
        .find(|check| check.id == CheckId::Clock)
        .expect("a check")
}

/// The kinds of fault that each verifier reports for evidence in a folder.
fn kinds_by_both(folder: &Path) -> [Vec<String>; 2] {
    let ended = verify(folder, &[]);
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let faults = reported["integrity"]["faults"]
        .as_array()
        .expect("faults")
        .iter();
    let kind = |fault: &Value| fault["kind"].as_str().expect("a kind").to_owned();
    let by_verify: Vec<String> = faults.map(kind).collect();
    if !crate::support::has(&["sh", "awk", "sha256sum"]) {
        return [by_verify.clone(), by_verify];
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let mut command = std::process::Command::new("sh");
    let ended = command.arg(script).arg(folder).output().expect("a shell");
    let reported = String::from_utf8_lossy(&ended.stdout);
    let faults = reported.lines().take_while(|line| !line.is_empty());
    let kind = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let verify_with_the_script = match ended.status.code() {
        Some(0) => Vec::new(),
        _ => faults.map(kind).collect(),
    };
    [by_verify, verify_with_the_script]
}

#[tokio::test]
async fn clocks_that_differ_by_up_to_five_minutes_keep_one_ledger() {
    for (behind, status, is_raised, fault) in [
        (3, CheckStatus::Pass, true, None),
        (4 * 60 + 59, CheckStatus::Pass, true, None),
        (5 * 60 + 1, CheckStatus::Fail, false, Some("went_back")),
    ] {
        let company = Company::new();
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::folder(folder.path());
        company.quiet_run(&store, 1).await;
        let committed_at = |sequence: u64| {
            let bytes = fs::read(folder.path().join(entry_name(sequence))).expect("an entry");
            Entry::from_bytes(&bytes).expect("an entry").committed_at
        };
        let first = committed_at(1);
        let as_of = first - SignedDuration::from_secs(behind);
        company.set_world(World::generated(12), as_of);
        let run = company.run(&store, Run::at(as_of)).await;
        let done = run.map_err(|failed| failed.error.chain()).expect("a run");

        let check = clock_check(&done);
        assert_eq!(check.status, status, "{behind}: {}", check.detail);
        let is_pass = done.judgement.verdict == Verdict::Pass;
        assert_eq!(is_pass, status == CheckStatus::Pass, "{behind}");
        match is_raised {
            true => assert_eq!(committed_at(2), first, "{behind}"),
            false => assert!(committed_at(2) < first, "{behind}"),
        }
        let expected = Vec::from_iter(fault.map(str::to_owned));
        let [by_verify, verify_with_the_script] = kinds_by_both(folder.path());
        assert_eq!(by_verify, expected, "{behind}");
        assert_eq!(verify_with_the_script, expected, "{behind}");
    }
}

#[tokio::test]
async fn concurrent_runs_with_different_clocks_leave_no_fault() {
    let company = Company::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::folder(folder.path());
    company.set_world(World::generated(12), instant(1));
    let runs = [0, 3, 299, 60, 240].iter().map(|behind| {
        let as_of = instant(1) - SignedDuration::from_secs(*behind);
        company.run(&store, Run::at(as_of))
    });
    for done in join_all(runs).await {
        done.map_err(|failed| failed.error.chain()).expect("a run");
    }
    assert_eq!(
        kinds_by_both(folder.path()),
        [Vec::<String>::new(), Vec::new()]
    );
}

#[tokio::test]
async fn a_failure_record_with_a_slow_clock_leaves_no_fault() {
    let company = Company::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::folder(folder.path());
    company.quiet_run(&store, 1).await;
    let as_of = instant(1) - SignedDuration::from_secs(200);
    company.set_world(World::scenario("down").expect("a scenario"), as_of);
    let failed = company.run(&store, Run::at(as_of)).await.map(|_| ());
    assert!(failed.expect_err("no judgement").record.is_some());
    assert_eq!(
        kinds_by_both(folder.path()),
        [Vec::<String>::new(), Vec::new()]
    );
}

#[test]
fn a_link_to_an_entry_other_than_the_previous_is_broken() {
    let evidence = untouched();
    let other = sha256_hex(b"another entry");
    evidence.rewrite(3, |entry| entry.previous_sha256 = other);
    assert_eq!(evidence.faults(&[]), ["broken_link ledger entry 3"]);
    // A chain that begins in its middle names a predecessor.
    let evidence = untouched();
    let other = sha256_hex(b"an entry before the first");
    evidence.rewrite(1, |entry| entry.previous_sha256 = other);
    assert_eq!(evidence.faults(&[]), ["broken_link ledger entry 1"]);
}

#[test]
fn a_ledger_without_its_first_entry_has_a_gap() {
    let evidence = untouched();
    fs::remove_file(evidence.entry(1)).expect("an entry");
    assert_eq!(evidence.faults(&[]), ["missing_entry ledger entry 2"]);
}

#[test]
fn a_ledger_in_the_folder_of_another_connection_is_moved() {
    let evidence = untouched();
    let elsewhere = evidence
        .job
        .evidence()
        .join("system=asana/connection=other");
    fs::rename(evidence.job.connection(), elsewhere).expect("a folder");
    let moved = [1, 2, 3, 4].map(|entry| format!("moved ledger entry {entry}"));
    let faults = evidence.faults(&[]);
    assert!(
        moved.iter().all(|entry| faults.contains(entry)),
        "{faults:?}"
    );
}

#[test]
fn a_run_folder_in_the_place_of_another_is_missing_and_modified() {
    let evidence = untouched();
    let (one, two) = (evidence.job.run_folder(1), evidence.job.run_folder(2));
    fs::remove_dir_all(&two).expect("a folder");
    fs::rename(&one, &two).expect("a folder");
    let faults = evidence.faults(&[]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("missing_folder run="), "{faults:?}");
    assert_eq!(faults[1], "modified SHA256SUMS");
}

#[test]
fn a_run_committed_twice_is_found() {
    let evidence = untouched();
    let first = fs::read(evidence.entry(1)).expect("an entry");
    let first = Entry::from_bytes(&first).expect("an entry");
    evidence.rewrite(2, |entry| {
        entry.run = first.run;
        entry.manifest_sha256 = first.manifest_sha256;
        entry.sums_sha256 = first.sums_sha256;
    });
    assert!(
        evidence
            .faults(&[])
            .contains(&"moved ledger entry 2".to_owned())
    );
}

#[test]
fn a_forged_run_with_a_valid_chain_is_found_by_recomputation() {
    let evidence = untouched();
    evidence.forge(2, "leavers.csv", |text| {
        text.replace("still_active", "removed")
    });
    let faults = evidence.faults(&[]);
    // The next run names the manifest of the time when it ran.
    assert_eq!(
        faults,
        ["decisions_differ leavers.csv", "disagreement manifest.json"]
    );

    let evidence = untouched();
    evidence.forge(2, "result.json", |text| {
        text.replace("still_active", "removed")
    });
    let faults = evidence.faults(&[]);
    assert!(
        faults.contains(&"decisions_differ result.json".to_owned()),
        "{faults:?}"
    );

    // The report is not recomputed. A change of the last run's report can be found only with a
    // noted head.
    let evidence = untouched();
    let head = evidence.head();
    evidence.forge(4, "report.html", |text| text.replace("Fail", "Pass"));
    assert_eq!(evidence.faults(&[]), [""; 0]);
    assert_eq!(
        evidence.faults(&["--head", &head]),
        ["modified ledger entry 4"]
    );
}

/// One run that is forged completely with the program's own code: inputs, judgement, every file,
/// report, manifest, sums, entry. Only the files in `raw/` stay as they are.
fn forge_one_run(raw: &str, forge: impl FnOnce(&mut Population)) -> Evidence {
    let job = Job::new(World::generated(12), HR_ROWS).env("EVIDENCE_RAW", raw);
    job.run();
    let evidence = Evidence { job };
    assert_eq!(evidence.faults(&[]), [""; 0]);

    let read = |name: &str| fs::read(evidence.file(1, name)).expect("a file");
    let facts: Facts = serde_json::from_slice(&read("inputs/facts.json")).expect("facts");
    let inputs = facts.into_inputs(
        Some(&read("accounts.jsonl.gz")),
        &read("inputs/hr.jsonl.gz"),
    );
    let mut inputs = inputs.expect("inputs");
    forge(&mut inputs.population);
    let judgement = judge(&inputs);
    let manifest: Manifest = serde_json::from_slice(&read("manifest.json")).expect("a manifest");
    let frame = manifest.frame();
    let snapshot = Snapshot {
        frame: &frame,
        inputs: &inputs,
        judgement: &judgement,
    };
    let is_raw = |file: &FileRecord| file.name.starts_with("raw/");
    let mut files = manifest.files.clone();
    files.retain(|file| is_raw(file) && evidence.file(1, &file.name).exists());
    let mut write = |name: &str, bytes: &[u8]| {
        fs::write(evidence.file(1, name), bytes).expect("a file");
        files.push(FileRecord {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
            rows: None,
        });
    };
    for made in snapshot.data_files() {
        write(&made.file.name(), &made.bytes);
    }
    write("report.html", &report::snapshot(&snapshot));
    for made in snapshot.data_files() {
        let name = made.file.name();
        let file = files.iter_mut().find(|file| file.name == name);
        file.expect("the file").rows = made.rows;
    }
    let (manifest, manifest_sha256) = snapshot.manifest(files.clone()).to_file();
    fs::write(evidence.file(1, "manifest.json"), &manifest.bytes).expect("a file");
    files.push(manifest.record());
    let sums = sums(&files);
    fs::write(evidence.file(1, "SHA256SUMS"), &sums).expect("a file");
    let bytes = fs::read(evidence.entry(1)).expect("an entry");
    let mut entry = Entry::from_bytes(&bytes).expect("an entry");
    entry.manifest_sha256 = manifest_sha256;
    entry.sums_sha256 = sha256_hex(&sums);
    entry.verdict = judgement.verdict.as_str().to_owned();
    entry.complete = judgement.complete;
    fs::write(evidence.entry(1), entry.to_bytes()).expect("an entry");
    evidence
}

/// Removes the account of a leaver with access, and corrects every count.
fn remove_the_leaver(population: &mut Population) {
    let leaver = "1200000000000002";
    population.accounts.retain(|account| account.id != leaver);
    population.listing.unique -= 1;
    population.listing.rows -= 1;
    if let Memberships::Read { rows, active, .. } = &mut population.memberships {
        *rows -= 1;
        *active -= 1;
    }
}

#[test]
fn an_account_removed_from_a_forged_run_is_found_in_raw_pages() {
    for raw in ["minimal", "full"] {
        let evidence = forge_one_run(raw, remove_the_leaver);
        assert_eq!(
            evidence.job.entry(1)["verdict"],
            "pass",
            "no leaver is left"
        );
        assert_eq!(evidence.faults(&[]), ["accounts_differ accounts.jsonl.gz"]);
        let ended = evidence.verify(&[]);
        let reported = "recomputed from the raw pages: account 1200000000000002 is missing";
        assert!(ended.stdout.contains(reported), "{}", ended.stdout);
    }
}

#[test]
fn a_status_changed_in_a_forged_run_is_found_in_raw_pages() {
    let evidence = forge_one_run("full", |population| {
        population.accounts[1].status = Status::Inactive;
    });
    assert_eq!(evidence.faults(&[]), ["accounts_differ accounts.jsonl.gz"]);
}

#[test]
fn a_digest_changed_in_a_forged_run_is_found_in_its_page() {
    let evidence = forge_one_run("full", |population| {
        population.listing.pages[1].sha256 = "ab".repeat(32);
    });
    assert_eq!(
        evidence.faults(&[]),
        ["accounts_differ pages-0002.jsonl.gz"]
    );
}

#[test]
fn verify_reports_whether_accounts_were_recomputed() {
    let reported = |evidence: &Evidence| {
        let ended = evidence.verify(&["--json"]);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let chain = &reported["chains"][0];
        let left = chain["accounts_not_recomputed"]
            .as_array()
            .expect("a list")
            .len();
        let assurance = reported["assurance"].to_string();
        (
            chain["accounts_recomputed"].as_u64().expect("a number"),
            left,
            assurance.contains("accounts: recomputed from Truto"),
            assurance.contains("not recomputed: raw pages were not kept"),
        )
    };
    for raw in ["minimal", "full"] {
        let evidence = forge_one_run(raw, |_| ());
        assert_eq!(reported(&evidence), (1, 0, true, false), "{raw}");
    }
    let evidence = forge_one_run("none", |_| ());
    assert_eq!(reported(&evidence), (0, 1, false, true));
    // Without raw pages, the forgery cannot be found.
    let evidence = forge_one_run("none", remove_the_leaver);
    assert_eq!(reported(&evidence), (0, 1, false, true));
}

/// The output of `verify --json`.
fn printed(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let ended = verify(folder, arguments);
    let printed = serde_json::from_str(&ended.stdout);
    (
        ended.code,
        printed.unwrap_or_else(|_| panic!("{}", ended.stderr)),
    )
}

#[test]
fn missing_runs_are_found_with_a_maximum_interval() {
    let evidence = untouched();
    assert_eq!(evidence.verify(&["--every", "24h"]).code, 0);
    assert_eq!(evidence.verify(&["--every", "24"]).code, 2);
    let world = || World::generated(12);
    let job = Job::new(world(), HR_ROWS);
    job.run_at("2026-11-20T22:40:00Z", world());
    job.run_at("2026-11-23T22:40:00Z", world());
    let (code, reported) = printed(&job.evidence(), &[]);
    assert_eq!(
        (code, &reported["operation"]["checked"]),
        (0, &false.into())
    );
    let (code, reported) = printed(&job.evidence(), &["--every", "6h"]);
    assert_eq!((code, &reported["integrity"]["holds"]), (4, &true.into()));
    assert_eq!(reported["operation"]["missing_runs"], 11);
    let missing = &reported["chains"][0]["operation"]["due"]["missing"];
    assert_eq!(missing[0]["from"], "2026-11-20T22:40:00Z");
    assert_eq!(missing[0]["to"], "2026-11-23T22:40:00Z");
}

#[tokio::test]
async fn scheduled_runs_without_evidence_are_missing() {
    let company = Company::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::folder(folder.path());
    // The clocks of Berlin are an hour ahead. The fourth and the fifth run left nothing.
    for snapshot in [1, 2] {
        company.quiet_run(&store, snapshot).await;
    }
    company.failed_run(&store, 3).await;
    company.quiet_run(&store, 6).await;
    let missing = |arguments: &[&str]| {
        let (code, reported) = printed(folder.path(), arguments);
        assert_eq!(reported["integrity"]["faults"], json!([]), "never a fault");
        let missing = reported["chains"][0]["operation"]["due"]["missing"].as_array();
        let missing = missing.expect("an answer").clone();
        assert_eq!(code, if missing.is_empty() { 0 } else { 4 });
        let from = |gone: &Value| gone["from"].as_str().expect("an instant").to_owned();
        missing.iter().map(from).collect::<Vec<_>>()
    };
    let gone = ["2026-11-04T22:40:00Z", "2026-11-05T22:40:00Z"];
    assert_eq!(missing(&["--every", "40 22 * * *"]), gone);
    let in_berlin = ["--every", "40 23 * * *", "--zone", "Europe/Berlin"];
    assert_eq!(missing(&in_berlin), gone);
    // Each run is half an hour or sixteen hours late, and still counts.
    assert_eq!(missing(&["--every", "10 22 * * *"]).len(), 2);
    assert_eq!(missing(&["--every", "40 6 * * *"]).len(), 2);
    // Only on Mondays and Tuesdays: on 2 and 3 November there is evidence.
    assert_eq!(missing(&["--every", "40 22 * * 1-2"]), [""; 0]);
    // Thursday's run is missing, and Friday's run comes before the next Thursday.
    assert_eq!(missing(&["--every", "40 22 * * 4"]), [""; 0]);
    // A period, in days of the zone or in instants.
    let within = |from, to| missing(&[&in_berlin[..], &["--from", from, "--to", to]].concat());
    assert_eq!(within("2026-11-05", "2026-11-06"), gone[1..]);
    assert_eq!(within("2026-11-01", "2026-11-04"), gone[..1]);
    assert_eq!(within("2026-11-01", "2026-11-04T22:40:00Z"), [""; 0]);
    assert_eq!(within("2026-10-31", "2026-11-03"), ["2026-10-31T22:40:00Z"]);

    let (_, reported) = printed(folder.path(), &in_berlin);
    let failed = &reported["chains"][0]["operation"]["failed"];
    assert_eq!(reported["operation"]["failed_runs"], 1);
    assert_eq!(
        (&failed[0]["entry"], &failed[0]["exit"]),
        (&json!(3), &json!(75))
    );
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
    command
        .env_clear()
        .arg("verify")
        .args(in_berlin)
        .arg(folder.path());
    let ended = crate::support::job::ended(command.output().expect("the binary"));
    for text in [
        "missing    due at 2026-11-04T22:40:00Z (2026-11-04 23:40 Europe/Berlin), no run started before",
        "Integrity: holds\nOperation: 2 scheduled runs are missing, 1 run failed",
    ] {
        assert!(ended.stdout.contains(text), "{}", ended.stdout);
    }
}

#[test]
fn a_fault_of_integrity_outweighs_a_missing_run() {
    let world = || World::generated(12);
    let job = Job::new(world(), HR_ROWS);
    job.run_at("2026-11-20T22:40:00Z", world());
    job.run_at("2026-11-23T22:40:00Z", world());
    let evidence = Evidence { job };
    let every = ["--every", "40 22 * * *"];
    assert_eq!(evidence.verify(&every).code, 4);
    append(&evidence.file(1, "findings.csv"), "x");
    assert_eq!(evidence.faults(&every), ["modified findings.csv"]);
    let ended = evidence.verify(&every);
    assert_eq!(ended.code, 5);
    let answers = "Integrity: broken, 1 fault\nOperation: 2 scheduled runs are missing";
    assert!(ended.stdout.contains(answers), "{}", ended.stdout);
}

#[test]
fn an_invalid_schedule_is_a_wrong_command_line() {
    let evidence = Evidence {
        job: Job::new(World::generated(12), HR_ROWS),
    };
    for (arguments, said) in [
        (&["--every", "40 23 * *"][..], "write five fields"),
        (&["--every", "61 23 * * *"], "write five fields"),
        (&["--every", "24"], "24"),
        (
            &["--every", "40 23 * * *", "--zone", "Berlin"],
            "write one such as Europe/Berlin",
        ),
        (
            &["--every", "24h", "--zone", "Etc/UTC"],
            "not to an interval",
        ),
        (&["--zone", "Etc/UTC"], "--every"),
        (&["--from", "yesterday"], "write a day as 2026-12-31"),
        (&["--from", "2026-11-31"], "write a day as 2026-12-31"),
        (
            &["--to", "2026-11-30T22:00:00"],
            "write a day as 2026-12-31",
        ),
        (
            &["--from", "2026-11-30", "--to", "2026-11-29"],
            "--from is after --to",
        ),
    ] {
        let ended = evidence.verify(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn a_place_without_evidence_is_a_configuration_error() {
    let job = Job::new(World::generated(12), HR_ROWS);
    let evidence = Evidence { job };
    for (arguments, text) in [
        (&[][..], "/evidence` does not exist"),
        (&["typo"], "typo` does not exist"),
        (&["--connection", "c1"], "/evidence` does not exist"),
        (&["."], "contains no evidence"),
    ] {
        let ended = evidence.verify(arguments);
        assert_eq!(ended.code, 78, "{arguments:?}: {}", ended.stdout);
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    let evidence = untouched();
    let below = evidence.job.connection().display().to_string();
    let ended = evidence.verify(&[&below]);
    assert_eq!(ended.code, 78, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("the address in EVIDENCE_URL"),
        "{}",
        ended.stderr
    );
    // A noted head or a connection id implies that there was evidence.
    let head = evidence.head();
    fs::remove_dir_all(evidence.job.connection()).expect("a folder");
    assert_eq!(evidence.verify(&[]).code, 78);
    assert_eq!(
        evidence.faults(&["--head", &head]),
        ["truncated ledger entry 4"]
    );
    let ended = evidence.verify(&["--head", &head]);
    assert!(ended.stdout.contains("Operation: not checked"));
    assert!(evidence.faults(&["--connection", "another"])[0].starts_with("empty_ledger"));
}

#[test]
fn a_connection_without_a_ledger_is_a_fault() {
    let evidence = untouched();
    fs::remove_dir_all(evidence.job.connection().join("ledger")).expect("a folder");
    assert!(evidence.faults(&[])[0].starts_with("empty_ledger"));
}

// ---- What the chain cannot show: its end, and when it was stored ----

impl Evidence {
    /// Each warning: its kind, its count, and the first item.
    fn warnings(&self) -> Vec<(String, u64, String)> {
        let ended = self.verify(&["--json"]);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let text = |warning: &Value, key: &str| warning[key].as_str().expect("text").to_owned();
        let one = |warning: &Value| {
            let count = warning["count"].as_u64().expect("a number");
            (text(warning, "kind"), count, text(warning, "first"))
        };
        let warnings = reported["warnings"].as_array().expect("warnings");
        warnings.iter().map(one).collect()
    }
}

#[test]
fn a_complete_run_newer_than_the_last_entry_warns_of_a_cut_tail() {
    let world = || World::generated(12);
    let job = Job::new(world(), HR_ROWS);
    for day in 1..=4 {
        job.run_at(&format!("2026-11-{day:02}T22:40:00Z"), world());
    }
    let evidence = Evidence { job };
    assert_eq!(evidence.warnings(), []);
    let runs = [3, 4].map(|sequence| evidence.job.entry(sequence)["run"].clone());
    for sequence in [3, 4] {
        fs::remove_file(evidence.entry(sequence)).expect("an entry");
    }
    let kind = "newer_than_ledger".to_owned();
    let first = runs[0].as_str().expect("a run").to_owned();
    assert_eq!(evidence.warnings(), [(kind, 2, first.clone())]);
    let ended = evidence.verify(&[]);
    assert!(ended.stdout.contains("\nWARNING: "), "{}", ended.stdout);
    if crate::support::has(&["sh", "awk", "sha256sum"]) {
        let (holds, reported) = verify_with_the_script(&evidence);
        assert!(holds, "{reported}");
        assert!(reported.contains("2 complete folders are"), "{reported}");
        assert!(reported.contains(&first), "{reported}");
    }
    // A run that was stopped half-way has no sums. An older run is not a cut tail.
    for run in &runs {
        let folder = evidence.job.connection().join(run.as_str().expect("a run"));
        fs::remove_file(folder.join("SHA256SUMS")).expect("a file");
    }
    assert_eq!(evidence.warnings(), []);
    assert!(!evidence.verify(&[]).stdout.contains("WARNING"));
    if crate::support::has(&["sh", "awk", "sha256sum"]) {
        assert!(!verify_with_the_script(&evidence).1.contains("WARNING"));
    }
}

#[test]
fn a_stopped_run_older_than_the_last_entry_causes_no_warning() {
    let world = || World::generated(12);
    let job = Job::new(world(), HR_ROWS);
    job.run_at("2026-11-01T22:40:00Z", world());
    job.run_at("2026-11-02T22:40:00Z", world());
    let evidence = Evidence { job };
    let older = "dt=2026-11-02/run=20261102T100000Z-abcdef";
    let folder = evidence.job.connection().join(older);
    crate::support::copy(&evidence.job.run_folder(1), &folder);
    assert_eq!(evidence.warnings(), []);
    if crate::support::has(&["sh", "awk", "sha256sum"]) {
        let (_, reported) = verify_with_the_script(&evidence);
        assert!(
            reported.contains(older) && !reported.contains("WARNING"),
            "{reported}"
        );
    }
}

#[tokio::test]
async fn entries_stored_at_another_time_cause_one_warning() {
    let company = Company::new();
    let server = S3Server::start(["evidence"]);
    let job = crate::support::in_bucket(Job::new(World::generated(12), HR_ROWS), &server);
    let store = Store::s3(server.client().await, "evidence", "n");
    // A year of entries, all written today.
    for month in 1..=12 {
        let as_of = format!("2025-{month:02}-01T22:40:00Z")
            .parse()
            .expect("an instant");
        company.set_world(World::generated(12), as_of);
        let run = company.run(&store, Run::at(as_of)).await;
        run.map_err(|failed| failed.error.chain()).expect("a run");
    }
    let evidence = Evidence { job };
    let kind = || "stored_at_another_time".to_owned();
    let first = "ledger entry 1".to_owned();
    assert_eq!(evidence.warnings(), [(kind(), 12, first)]);
    let text = evidence.verify(&[]).stdout;
    assert_eq!(text.matches("WARNING").count(), 1, "{text}");
    assert!(
        text.contains("12 of 12 ledger entries were stored"),
        "{text}"
    );
    // An honest run among them is not counted.
    evidence.job.simulator.set_world(World::generated(12));
    evidence.job.run();
    assert_eq!(evidence.warnings()[0].1, 12);
    assert!(
        evidence
            .verify(&[])
            .stdout
            .contains("12 of 13 ledger entries")
    );
}

#[test]
fn times_of_files_in_a_folder_are_not_compared() {
    let world = || World::generated(12);
    let job = Job::new(world(), HR_ROWS);
    job.run_at("2025-11-01T22:40:00Z", world());
    let evidence = Evidence { job };
    assert_eq!(evidence.warnings(), []);
    let text = evidence.verify(&[]).stdout;
    assert!(text.contains("time of storing: not checked"), "{text}");
}

#[test]
fn an_unknown_file_in_the_ledger_is_found() {
    let evidence = untouched();
    fs::write(evidence.job.connection().join("ledger/notes.txt"), "x").expect("a file");
    assert_eq!(evidence.faults(&[]), ["extra_file notes.txt"]);
}

#[test]
fn a_bucket_is_verified_like_a_folder() {
    let evidence = untouched();
    let server = S3Server::start(["evidence"]);
    let job = Job::new(World::generated(12), HR_ROWS);
    let job = crate::support::in_bucket(job, &server);
    job.run();
    job.run();
    let in_bucket = Evidence { job };
    assert_eq!(in_bucket.faults(&[]), [""; 0]);
    drop(evidence);
}

// ---- Signatures ----

fn key(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    path.join(name).display().to_string()
}

/// Three runs, signed by the Ed25519 key, the last by the P-256 key.
fn signed() -> Evidence {
    let mut job = Job::new(World::generated(12), HR_ROWS)
        .env("EVIDENCE_SIGNING_KEY_FILE", &key("ed25519.test-key.pem"));
    job.run();
    job.run();
    job = job.env("EVIDENCE_SIGNING_KEY_FILE", &key("p256.test-key.pem"));
    job.run();
    assert_eq!(job.entries(), 6, "three entries and their signatures");
    Evidence { job }
}

fn pinned() -> [String; 4] {
    let flag = || "--public-key".to_owned();
    [flag(), key("ed25519.pub.pem"), flag(), key("p256.pub.pem")]
}

impl Evidence {
    fn signed_faults(&self) -> Vec<String> {
        let pinned = pinned();
        self.faults(&pinned.each_ref().map(String::as_str))
    }

    fn signature(&self, sequence: u64) -> PathBuf {
        let bytes = fs::read(self.entry(sequence)).expect("an entry");
        let name = format!("ledger/{}.sig", sha256_hex(&bytes));
        self.job.connection().join(name)
    }
}

#[test]
fn verify_reports_how_much_of_a_signed_chain_is_trusted() {
    let evidence = signed();
    assert_eq!(evidence.signed_faults(), [""; 0]);
    let pinned = pinned();
    let ended = evidence.verify(&pinned.each_ref().map(String::as_str));
    assert!(
        ended.stdout.contains("signed with a given key"),
        "{}",
        ended.stdout
    );
    let ended = evidence.verify(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("give --public-key to check"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("signed     3 with a valid signature"),
        "{}",
        ended.stdout
    );

    // A signature without an entry, left by a run that lost a race.
    let stray = evidence
        .job
        .connection()
        .join(format!("ledger/{}.sig", "ab".repeat(32)));
    fs::write(stray, "x").expect("a file");
    assert_eq!(evidence.signed_faults(), [""; 0]);
    // The public keys beside the ledger are optional.
    fs::remove_dir_all(evidence.job.connection().join("keys")).expect("a folder");
    assert_eq!(evidence.signed_faults(), [""; 0]);
    let ended = evidence.verify(&[]);
    for reported in [
        "unchecked  3",
        "signatures of some entries were not checked",
    ] {
        assert!(ended.stdout.contains(reported), "{}", ended.stdout);
    }
}

#[test]
fn a_key_that_is_not_pinned_is_unknown() {
    let evidence = signed();
    let faults = evidence.faults(&["--public-key", &key("p256.pub.pem")]);
    assert_eq!(
        faults,
        ["unknown_key ledger entry 1", "unknown_key ledger entry 2"]
    );
    let faults = evidence.faults(&["--public-key", &key("ed25519.pub.pem")]);
    assert_eq!(faults, ["unknown_key ledger entry 3"]);
}

#[test]
fn bad_and_missing_signatures_are_distinguished() {
    let evidence = signed();
    let mut bytes = fs::read(evidence.signature(2)).expect("a signature");
    bytes[10] ^= 1;
    fs::write(evidence.signature(2), bytes).expect("a signature");
    assert_eq!(evidence.signed_faults(), ["bad_signature ledger entry 2"]);
    assert_eq!(evidence.faults(&[]), ["bad_signature ledger entry 2"]);

    let evidence = signed();
    fs::remove_file(evidence.signature(1)).expect("a signature");
    assert_eq!(
        evidence.signed_faults(),
        ["missing_signature ledger entry 1"]
    );
}

#[test]
fn a_corrupt_key_file_makes_its_signatures_bad() {
    let evidence = signed();
    let keys = evidence.job.connection().join("keys");
    for key in fs::read_dir(&keys).expect("keys") {
        fs::write(key.expect("an entry").path(), "x").expect("a key");
    }
    let faults = evidence.faults(&[]);
    let expected = [1, 2, 3].map(|entry| format!("bad_signature ledger entry {entry}"));
    assert_eq!(faults, expected);
    // A verifier with its own copies of the keys needs none of them.
    assert_eq!(evidence.signed_faults(), [""; 0]);
}

#[test]
fn an_entry_with_a_malformed_key_name_has_a_bad_signature() {
    let evidence = untouched();
    evidence.rewrite(4, |entry| entry.key_sha256 = "a key".to_owned());
    let signature = evidence.job.connection().join(format!(
        "ledger/{}.sig",
        sha256_hex(&fs::read(evidence.entry(4)).expect("an entry"))
    ));
    fs::write(signature, "a signature").expect("a signature");
    assert_eq!(evidence.faults(&[]), ["bad_signature ledger entry 4"]);
}

#[test]
fn a_misspelt_variable_is_reported() {
    let evidence = untouched();
    let job = evidence.job.env("EVIDENCE_URI", "s3://elsewhere");
    let ended = job.env("RUST_LOG", "warn").run_with(&["verify"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stderr.contains("EVIDENCE_URI"), "{}", ended.stderr);
}

#[test]
fn a_signed_chain_with_a_later_unsigned_entry_is_found() {
    let evidence = signed();
    // An attacker without the key rewrites the last entry, as if the ledger had never been signed.
    let bytes = fs::read(evidence.entry(3)).expect("an entry");
    let mut entry = Entry::from_bytes(&bytes).expect("an entry");
    entry.key_sha256 = "none".to_owned();
    fs::write(evidence.entry(3), entry.to_bytes()).expect("an entry");
    assert_eq!(evidence.faults(&[]), ["missing_signature ledger entry 3"]);
    assert_eq!(
        evidence.signed_faults(),
        ["missing_signature ledger entry 3"]
    );
}

#[test]
fn an_unsigned_ledger_fails_with_a_pinned_key() {
    let evidence = untouched();
    assert_eq!(
        evidence.signed_faults(),
        ["missing_signature ledger entry 4"]
    );
    for file in [key("README.md"), "gone.pem".to_owned()] {
        let ended = evidence.verify(&["--public-key", &file]);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
    }
}
