//! Every exit code of the real binary with everything it prints.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, ended};
use crate::support::s3::{Fault, Rule, S3Server};
use crate::support::{has, in_bucket};
use insta::assert_snapshot;
use truto_simulator::{Action, CONNECTION_ID, Fault as Stumble, World};

fn run(job: &Job) -> String {
    job.reported(&job.run())
}

/// The entry and the manifest say that the run failed.
fn ensure_a_failure_record(job: &Job, code: u64) {
    let entry = job.entry(1);
    assert_eq!(entry["kind"], "failure");
    assert_eq!(entry["verdict"], "inconclusive");
    assert_eq!(entry["complete"], false);
    let manifest = job.json(1, "manifest.json");
    assert_eq!(manifest["failure"]["code"], code);
    assert_eq!(manifest["verdict"], "inconclusive");
    ensure_sums(job, 1);
}

/// The command that an auditor types.
fn ensure_sums(job: &Job, sequence: u64) {
    if !has(&["sha256sum"]) {
        return;
    }
    let check = Command::new("sha256sum")
        .args(["--strict", "--quiet", "-c", "SHA256SUMS"])
        .current_dir(job.run_folder(sequence))
        .output()
        .expect("sha256sum");
    assert!(check.status.success(), "{check:?}");
}

#[test]
fn exit_0_every_leaver_has_lost_access() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    assert_eq!(job.entry(1)["verdict"], "pass");
    ensure_sums(&job, 1);
}

#[test]
fn exit_1_an_unexpected_answer() {
    let html = Action::status(200, "<html>Sign in to the hotel's network</html>");
    let world = World::generated(12).fault(Stumble::once("user-directory/users$", html).for_ever());
    let job = Job::new(world, LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 1);
}

#[test]
fn exit_2_an_invalid_command_line() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    assert_snapshot!(
        "exit_2_unknown",
        job.reported(&job.run_with(&["--frobnicate"]))
    );
    assert!(!job.evidence().exists());
}

#[test]
fn exit_3_a_leaver_still_has_access() {
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE);
    assert_snapshot!(run(&job));
    assert_eq!(job.entry(1)["verdict"], "fail");
    ensure_sums(&job, 1);
}

#[test]
fn names_and_addresses_are_printed_only_at_a_terminal() {
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE).env("RUST_LOG", "trace");
    let Ended { stdout, stderr, .. } = job.run();
    for text in [&stdout, &stderr] {
        assert!(
            !text.contains("person2@example.com") && !text.contains("Person Two"),
            "{text}"
        );
    }
    assert!(
        !stderr.contains(truto_simulator::TOKEN),
        "a secret in the log"
    );
}

#[test]
fn exit_4_unreadable_fields() {
    let job = Job::scenario("fields-refused", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    assert_eq!(job.entry(1)["complete"], false);
}

#[test]
fn exit_4_a_list_without_an_end() {
    let job = Job::scenario("repeated-cursor", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
}

#[test]
fn exit_4_an_empty_unusable_or_stale_hr_feed() {
    let job = Job::scenario("healthy", "");
    assert_snapshot!("exit_4_hr_empty", run(&job));

    fs::write(job.folder.path().join("hr.csv"), "a,b\n1,2\n").expect("a file");
    assert_snapshot!("exit_4_hr_unusable", run(&job));

    job.hr_feed(LEFT_AND_GONE);
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let file = fs::File::options()
        .write(true)
        .open(job.folder.path().join("hr.csv"));
    file.and_then(|file| file.set_modified(long_ago))
        .expect("a time");
    let stale = job.run();
    assert_eq!(stale.code, 4);
    assert!(
        stale.stdout.contains("check hr_fresh failed"),
        "{}",
        stale.stdout
    );
}

#[test]
fn exit_4_an_unreadable_row_is_named_by_its_line() {
    let job = Job::scenario(
        "healthy",
        &format!("{LEFT_AND_GONE}E2,X,x@example.com,Terminated,03/04/2026\n"),
    );
    assert_snapshot!(run(&job));
}

#[test]
fn exit_75_truto_is_down() {
    let job = Job::scenario("down", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 75);
}

#[test]
fn exit_75_the_connection_is_still_connecting() {
    let job = Job::scenario("connecting", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 75);
}

#[test]
fn exit_75_the_deadline_has_passed() {
    let job = Job::scenario("slow", LEFT_AND_GONE).env("RUN_DEADLINE", "1s");
    let ended = job.run();
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(
        ended
            .stderr
            .starts_with("error: the run did not end within 1 s (RUN_DEADLINE)"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("hint: raise RUN_DEADLINE"),
        "{ended:?}"
    );
    ensure_a_failure_record(&job, 75);
}

#[test]
fn exit_77_a_refused_token() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("TRUTO_API_TOKEN", "wrong-token");
    let text = run(&job);
    assert_snapshot!(text);
    assert!(!text.contains("wrong-token"));
    ensure_a_failure_record(&job, 77);
}

#[test]
fn exit_77_a_dead_asana_login() {
    let job = Job::scenario("needs-reauth", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 77);
}

#[test]
fn exit_77_a_login_that_dies_mid_run() {
    let job = Job::scenario("reauth-mid-run", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 77);
}

#[test]
fn exit_77_a_missing_scope() {
    let job = Job::scenario("missing-scope", LEFT_AND_GONE);
    assert_snapshot!(run(&job));
    ensure_a_failure_record(&job, 77);
}

#[test]
fn exit_77_an_unknown_connection() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("TRUTO_INTEGRATED_ACCOUNT_ID", "nobody");
    assert_snapshot!(run(&job));
}

#[test]
fn exit_77_an_hr_server_that_refuses_access() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    let url = format!("{}/hr.csv?token=hunter2", job.simulator.url());
    let job = job.env("HR_FEED_URL", &url);
    // The simulator requires its token on every path.
    let text = run(&job);
    assert_snapshot!(text);
    assert!(!text.contains("hunter2"));
}

#[test]
fn exit_77_a_bucket_that_refuses_access() {
    let server = S3Server::start(["evidence"]);
    server.inject(Rule::on("", "evidence", Fault::AccessDenied).always());
    let job = in_bucket(Job::scenario("healthy", LEFT_AND_GONE), &server);
    assert_snapshot!(run(&job));
}

#[test]
fn exit_78_every_problem_of_the_configuration_at_once() {
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("TRUTO_API_TOKEN", "")
        .env("HTTP_TIMEOUT", "30")
        .env("METRICS_GATEWAY_URL", "https://push.test");
    assert_snapshot!(run(&job));
    assert!(!job.evidence().exists());
}

/// A job with an exceptions file of this text.
fn with_exceptions(hr_rows: &str, text: &str) -> Job {
    let job = Job::scenario("healthy", hr_rows).env("EXCEPTIONS_URL", "exceptions.csv");
    fs::write(job.folder.path().join("exceptions.csv"), text).expect("a file");
    job
}

/// A line for `LEFT_AND_ACTIVE`, in force for some days from now.
fn in_force_for(days: i64) -> String {
    #[expect(clippy::disallowed_methods, reason = "the binary reads the real clock")]
    let now = jiff::Timestamp::now();
    let yesterday = now - jiff::SignedDuration::from_hours(24);
    let until = now + jiff::SignedDuration::from_hours(24 * days);
    format!(
        "person_id,reason,approved_by,approved_on,expires_on,ticket,note\n\
         E1,hands over a project,ciso@example.com,{},{},SEC-1,asked by phone\n",
        yesterday.strftime("%Y-%m-%d"),
        until.strftime("%Y-%m-%d")
    )
}

#[test]
fn exit_0_access_under_an_exception() {
    let job = with_exceptions(LEFT_AND_ACTIVE, &in_force_for(30));
    assert_snapshot!(run(&job));
    assert_eq!(job.entry(1)["verdict"], "pass_with_exceptions");
    let manifest = job.json(1, "manifest.json");
    assert_eq!(manifest["sources"]["exceptions"]["by_state"]["used"], 1);
    let kept = job.text(1, "inputs/exceptions.csv");
    assert!(
        kept.contains("SEC-1") && !kept.contains("by phone"),
        "{kept}"
    );
    ensure_sums(&job, 1);
}

#[test]
fn exit_3_access_under_an_exception_that_is_too_long() {
    let job = with_exceptions(LEFT_AND_ACTIVE, &in_force_for(120));
    let ended = job.run();
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("exception_invalid"),
        "{}",
        ended.stdout
    );
}

#[test]
fn exit_78_unreadable_alias_and_exception_files() {
    let gone = Job::scenario("healthy", LEFT_AND_GONE).env("ALIASES_URL", "aliases.csv");
    assert_snapshot!("exit_78_aliases_that_are_not_there", run(&gone));
    let text = "person_id,reason,expires_on\nE1,x,2026-12-31\n";
    let no_column = with_exceptions(LEFT_AND_GONE, text);
    assert_snapshot!("exit_78_exceptions_without_a_column", run(&no_column));
    let cut = with_exceptions(
        LEFT_AND_GONE,
        "person_id,reason,approved_by,approved_on,expires_on\nE1,\"hands ov",
    );
    assert_snapshot!("exit_78_exceptions_that_are_cut", run(&cut));
    for job in [gone, no_column, cut] {
        assert!(
            !job.connection().exists(),
            "a wrong configuration writes nothing"
        );
    }
}

#[test]
fn exit_78_a_missing_hr_feed() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("HR_FEED_URL", "gone.csv");
    assert_snapshot!(run(&job));
    assert_eq!(job.entries(), 0);
}

#[test]
fn exit_78_several_workspaces_and_none_is_set() {
    let job = Job::scenario("two-workspaces", LEFT_AND_GONE);
    assert_snapshot!("exit_78_several_workspaces", run(&job));
    let job = job.env("ASANA_WORKSPACE_ID", "42");
    assert_snapshot!("exit_78_workspace_not_listed", run(&job));
    let job = job.env("ASANA_WORKSPACE_ID", truto_simulator::WORKSPACE_ID);
    assert_eq!(job.run().code, 0);
}

#[test]
fn exit_78_a_bucket_that_does_not_exist() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(Job::scenario("healthy", LEFT_AND_GONE), &server)
        .env("EVIDENCE_URL", "s3://elsewhere/nightly");
    assert_snapshot!(run(&job));
}

#[test]
fn exit_78_evidence_below_a_file() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("EVIDENCE_URL", "hr.csv/evidence");
    assert_snapshot!(run(&job));
}

#[test]
fn exit_143_sigterm_stops_within_two_seconds_without_an_entry() {
    let job = Job::scenario("slow", LEFT_AND_GONE);
    let child = job.start();
    // By now the job waits for an answer, which takes two seconds.
    let watched = Instant::now();
    while job.simulator.requests().is_empty() && watched.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let asked = Instant::now();
    let kill = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill").success());
    let ended = ended(child.wait_with_output().expect("an end"));
    assert_eq!(ended.code, 143, "{ended:?}");
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(job.entries(), 0);
}

#[test]
fn fail_on_changes_only_the_exit_codes_of_verdicts() {
    let code = |job: Job, fail_on| job.env("FAIL_ON", fail_on).run().code;
    let fail = || Job::scenario("healthy", LEFT_AND_ACTIVE);
    let inconclusive = || Job::scenario("healthy", "");
    assert_eq!(code(fail(), "findings"), 3);
    assert_eq!(code(fail(), "inconclusive"), 0);
    assert_eq!(code(fail(), "never"), 0);
    assert_eq!(code(inconclusive(), "findings"), 4);
    assert_eq!(code(inconclusive(), "inconclusive"), 4);
    assert_eq!(code(inconclusive(), "never"), 0);
    assert_eq!(code(Job::scenario("down", LEFT_AND_GONE), "never"), 75);
}

#[test]
fn a_failed_run_is_not_a_baseline_for_the_next_run() {
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    job.simulator
        .set_world(World::scenario("down").expect("a scenario"));
    assert_eq!(job.run().code, 75);
    job.simulator
        .set_world(World::scenario("healthy").expect("a scenario"));
    assert_eq!(job.run().code, 3);

    assert_eq!(job.entry(2)["kind"], "failure");
    let manifest = job.json(3, "manifest.json");
    assert_eq!(manifest["previous"]["sequence"], 1);
    assert_eq!(manifest["baseline"]["sequence"], 1);
    let (first, third) = (job.json(1, "result.json"), job.json(3, "result.json"));
    assert_eq!(third["findings"][0]["first_seen"], first["as_of"]);
    assert_eq!(third["summary"]["trend"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_fault_in_the_evidence_is_recorded_and_the_chain_continues() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let result = job.run_folder(1).join("result.json");
    let text = fs::read_to_string(&result).expect("a file");
    fs::write(&result, text.replace("\"pass\"", "\"fail\"")).expect("a file");

    let ended = job.run();
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    assert!(
        ended
            .stdout
            .contains("check ledger_continues failed: entry 1: result.json was modified"),
        "{}",
        ended.stdout
    );
    assert_eq!(job.entry(2)["sequence"], 2);
    assert_eq!(job.run().code, 0, "a recorded fault fails no later run");
}

#[test]
fn a_deleted_ledger_entry_is_found() {
    let job = Job::scenario("healthy", LEFT_AND_GONE);
    for _ in 0..3 {
        assert_eq!(job.run().code, 0);
    }
    fs::remove_file(job.connection().join("ledger/0000000002.json")).expect("an entry");
    let ended = job.run();
    assert_eq!(ended.code, 4);
    assert!(
        ended.stdout.contains("1 ledger entry is missing from 2 on"),
        "{}",
        ended.stdout
    );

    let next = job.run();
    assert_eq!(
        next.code, 0,
        "the fault is recorded, and the chain continues: {}",
        next.stdout
    );
    let check = ledger_check(&job, 5);
    assert_eq!(check["status"], "warn");
    let detail = check["detail"].as_str().unwrap_or_default();
    assert!(
        detail.starts_with("recorded before: 1 ledger entry is missing from 2 on"),
        "{detail}"
    );

    fs::remove_file(job.connection().join("ledger/0000000001.json")).expect("an entry");
    assert_eq!(job.run().code, 4, "another deletion is another fault");
}

fn ledger_check(job: &Job, sequence: u64) -> serde_json::Value {
    let result = job.json(sequence, "result.json");
    let checks = result["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["id"] == "ledger_continues");
    check.expect("the check").clone()
}

#[test]
fn a_last_entry_with_another_verdict_than_its_run_is_found() {
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    let entry = job.connection().join("ledger/0000000001.json");
    let text = fs::read_to_string(&entry).expect("an entry");
    fs::write(&entry, text.replace("\"fail\"", "\"pass\"")).expect("an entry");
    let ended = job.run();
    assert!(
        ended.stdout.contains(
            "check ledger_continues failed: entry 1: it and its manifest disagree: verdict"
        ),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_entry_with_a_huge_number_does_not_delay_a_run() {
    let job = Job::scenario("healthy", LEFT_AND_GONE).env("RUN_DEADLINE", "20s");
    assert_eq!(job.run().code, 0);
    let ledger = job.connection().join("ledger");
    fs::copy(
        ledger.join("0000000001.json"),
        ledger.join("9000000000.json"),
    )
    .expect("an entry");
    let ended = job.run();
    assert_eq!(ended.code, 4, "{ended:?}");
    for fault in [
        "8999999998 ledger entries are missing from 2 on",
        "entry 9000000000: its content is that of entry 1",
    ] {
        assert!(ended.stdout.contains(fault), "{}", ended.stdout);
    }
}

#[test]
fn racing_runs_all_succeed_and_keep_one_chain() {
    let job = Job::scenario("three-pages", LEFT_AND_GONE);
    let racers: Vec<_> = (0..4).map(|_| job.start()).collect();
    for racer in racers {
        let ended = ended(racer.wait_with_output().expect("an end"));
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let mut previous = "0".repeat(64);
    for sequence in 1..=4 {
        let entry = job.entry(sequence);
        assert_eq!(entry["sequence"], sequence);
        assert_eq!(entry["previous_sha256"], previous);
        let path = job.connection().join(format!("ledger/{sequence:010}.json"));
        previous = const_hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
            fs::read(path).expect("an entry"),
        ));
        ensure_sums(&job, sequence);
    }
}

#[test]
fn an_unknown_variable_is_a_warning_in_the_log() {
    let job = Job::scenario("healthy", LEFT_AND_GONE)
        .env("TRUTO_TOKEN", "x")
        .env("RUST_LOG", "warn");
    let ended = job.run();
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stderr
            .contains("TRUTO_TOKEN is set, but no variable has this name"),
        "{}",
        ended.stderr
    );
    for line in ended.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("one JSON object a line");
    }
}

#[test]
fn a_bucket_holds_the_same_run_as_a_folder() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(Job::scenario("three-pages", LEFT_AND_ACTIVE), &server);
    let ended = job.run();
    assert_eq!(ended.code, 3, "{ended:?}");
    let keys = server.objects("evidence");
    assert!(
        keys.keys()
            .all(|key| key.starts_with(&format!("n/system=asana/connection={CONNECTION_ID}/")))
    );
    assert!(
        keys.keys()
            .any(|key| key.ends_with("ledger/0000000001.json"))
    );
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!(server.count("DELETE", ""), 0);
}

#[test]
fn the_version_names_the_commit_of_the_build() {
    let binary = env!("CARGO_BIN_EXE_asana-access-review");
    let output = Command::new(binary).arg("--version").output();
    let text = String::from_utf8(output.expect("a version").stdout).expect("text");
    let version = concat!(
        "asana-access-review ",
        env!("CARGO_PKG_VERSION"),
        " (commit "
    );
    let commit = text.strip_prefix(version).expect("a version");
    let commit = commit.strip_suffix(")\n").expect("a commit");
    let hash = commit.strip_suffix("-dirty").unwrap_or(commit);
    let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown", "{text}");
}

#[test]
fn a_build_reads_its_commit_from_the_environment_or_its_repository() {
    if !has(&["git", "rustc"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
    let built = Command::new("rustc")
        .args(["--edition", "2024", source, "-o"])
        .arg(&script)
        .output()
        .expect("rustc");
    assert!(built.status.success(), "{built:?}");

    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("src")).expect("a source tree");
    fs::write(tree.join("src/lib.rs"), "// One.\n").expect("a source file");
    let commit = |given: &str| {
        let output = Command::new(&script)
            .current_dir(&tree)
            .env("GIT_COMMIT", given)
            .output();
        let text = String::from_utf8(output.expect("a run").stdout).expect("text");
        let mut lines = text.lines();
        let commit = lines.find_map(|line| line.strip_prefix("cargo::rustc-env=BUILD_COMMIT="));
        commit.expect("a commit").to_owned()
    };
    let git = |at: &std::path::Path, arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let output = Command::new("git")
            .current_dir(at)
            .args(identity)
            .args(arguments)
            .output()
            .expect("git");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    };
    // A tarball, also one that was unpacked in another repository.
    assert_eq!(commit(""), "unknown");
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "tree"]);
    git(folder.path(), &["commit", "--quiet", "--message", "Other"]);
    assert_eq!(commit(""), "unknown");
    assert_eq!(commit("0123abc"), "0123abc");

    git(&tree, &["init", "--quiet"]);
    git(&tree, &["add", "src"]);
    git(&tree, &["commit", "--quiet", "--message", "One"]);
    let head = git(&tree, &["rev-parse", "HEAD"]);
    assert_eq!(commit(""), head);
    fs::write(tree.join("notes"), "").expect("a file");
    assert_eq!(commit(""), head, "the build does not use this file");
    fs::write(tree.join("src/more.rs"), "").expect("a file");
    assert_eq!(commit(""), format!("{head}-dirty"));
    assert_eq!(commit("0123abc"), "0123abc");
}
