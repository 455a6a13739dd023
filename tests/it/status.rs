//! `status`: the newest result of every connection, its exit code, table, JSON and page.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asana_access_review::evidence::{ConnectionFolder, Entry, EntryKind, Manifest, sha256_hex};
use asana_access_review::status::{DueState, Overview, State, Wanted, as_text, status};
use asana_access_review::store::Store;
use serde_json::{Value, json};
use truto_simulator::{CONNECTION_ID, World};

use crate::support::chromium::{Page, browser};
use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE};
use crate::support::s3::S3Server;
use crate::support::schema::{ensure_as_published, validator};
use crate::support::{copy, in_bucket};

const FIRST: &str = "2026-11-23T22:40:00Z";
const SECOND: &str = "2026-11-24T22:40:00Z";

fn healthy() -> World {
    World::generated(12)
}

/// Evidence of a run that passes.
fn passed() -> Job {
    let job = Job::new(healthy(), LEFT_AND_GONE);
    assert_eq!(job.run_at(FIRST, healthy()), 0);
    job
}

fn fail_to_run(job: &Job, as_of: &str) {
    let world = World::scenario("missing-scope").expect("a scenario");
    let (ended, exit) = job.try_run_at(as_of, world, |_| ());
    assert!(ended.is_err());
    assert_eq!(exit.code(), 77);
}

fn overview(evidence: &Path, now: &str) -> Overview {
    limited(evidence, now, None)
}

fn limited(evidence: &Path, now: &str, max_age: Option<Duration>) -> Overview {
    let wanted = Wanted {
        now: now.parse().expect("an instant"),
        connections: Vec::new(),
        listed: None,
        max_age,
    };
    read(&Store::folder(evidence), &wanted)
}

fn read(store: &Store, wanted: &Wanted) -> Overview {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(status(store, wanted)).expect("evidence")
}

/// The only connection, half a day after the second run was due.
fn state(job: &Job) -> (State, Vec<String>) {
    let overview = overview(&job.evidence(), "2026-11-25T10:00:00Z");
    let [connection] = &overview.connections[..] else {
        panic!("{overview:#?}");
    };
    let problem = connection.problem.clone();
    (connection.state, Vec::from_iter(problem))
}

fn entry_path(connection: &Path, sequence: u64) -> PathBuf {
    connection.join(format!("ledger/{sequence:010}.json"))
}

fn entry_in(connection: &Path, sequence: u64) -> Entry {
    let bytes = fs::read(entry_path(connection, sequence)).expect("an entry");
    Entry::from_bytes(&bytes).expect("an entry")
}

/// Copies the connection of a job into a shared folder, as the evidence of another connection.
fn copied_as(job: &Job, evidence: &Path, id: &str) -> PathBuf {
    let connection = evidence.join(format!("system=asana/connection={id}"));
    copy(&job.connection(), &connection);
    let mut previous = None;
    for sequence in 1..=job.entries() as u64 {
        let mut entry = entry_in(&connection, sequence);
        let path = connection.join(&entry.run).join("manifest.json");
        let text = fs::read_to_string(&path).expect("a manifest");
        let mut manifest: Manifest = serde_json::from_str(&text).expect("a manifest");
        id.clone_into(&mut manifest.connection.id);
        let (file, sha256) = manifest.to_file();
        fs::write(path, file.bytes).expect("a manifest");
        id.clone_into(&mut entry.connection);
        entry.manifest_sha256 = sha256;
        if let Some(previous) = previous {
            entry.previous_sha256 = previous;
        }
        fs::write(entry_path(&connection, sequence), entry.to_bytes()).expect("an entry");
        previous = Some(sha256_hex(&entry.to_bytes()));
    }
    connection
}

/// One connection in each state.
fn one_of_each() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = folder.path().join("evidence");
    let pass = passed();
    copied_as(&pass, &evidence, "pass");
    let broken = copied_as(&pass, &evidence, "unreadable");
    fs::write(entry_path(&broken, 1), "{").expect("an entry");
    fail_to_run(&pass, SECOND);
    copied_as(&pass, &evidence, "run-failed");

    let fail = Job::new(healthy(), LEFT_AND_ACTIVE);
    assert_eq!(fail.run_at(FIRST, healthy()), 3);
    copied_as(&fail, &evidence, "fail");

    let endless = World::scenario("repeated-cursor").expect("a scenario");
    let inconclusive = Job::new(healthy(), LEFT_AND_GONE);
    assert_eq!(inconclusive.run_at(FIRST, endless), 4);
    copied_as(&inconclusive, &evidence, "inconclusive");

    let scheduled = Job::new(healthy(), LEFT_AND_GONE).env("RUN_SCHEDULE", "40 22 * * *");
    assert_eq!(scheduled.run_at(FIRST, healthy()), 0);
    copied_as(&scheduled, &evidence, "overdue");

    let exception = Job::new(healthy(), LEFT_AND_ACTIVE).env("EXCEPTIONS_URL", "exceptions.csv");
    let line = "person_id,email,account_id,check,reason,approved_by,approved_on,expires_on\n\
                E1,,,,Handover of the archive,ciso@example.net,2026-11-20,2026-12-20\n";
    fs::write(exception.place().join("exceptions.csv"), line).expect("a file");
    assert_eq!(exception.run_at(FIRST, healthy()), 0);
    copied_as(&exception, &evidence, "excepted");

    let never = Job::new(healthy(), LEFT_AND_GONE);
    fail_to_run(&never, FIRST);
    copied_as(&never, &evidence, "no-result");

    fs::create_dir(evidence.join("system=asana/connection=missing")).expect("a folder");
    (folder, evidence)
}

fn binary(job: &Job, arguments: &[&str]) -> Ended {
    job.run_with(&[&["status"], arguments].concat())
}

#[test]
fn a_connection_that_passes_exits_with_0() {
    let job = Job::new(healthy(), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let ended = binary(&job, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for shown in [
        "pass   5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10  ",
        "  complete  0 ",
        "not verified: `asana-access-review verify`",
        "1 connection was not checked for overdue runs",
        "\nPASS: 1 connection: 1 pass\n",
    ] {
        assert!(ended.stdout.contains(shown), "{shown}\n{}", ended.stdout);
    }
}

#[test]
fn every_state_is_shown_worst_first() {
    let (_folder, evidence) = one_of_each();
    let folders = fs::read_dir(evidence.join("system=asana")).expect("a folder");
    let folders = folders.map(|folder| folder.expect("a folder").file_name());
    let ids = folders.map(|name| name.to_string_lossy().replace("connection=", ""));
    let listed = ids.map(|id| ConnectionFolder::of(&id)).collect();
    copied_as(&passed(), &evidence, "unlisted");
    let wanted = Wanted {
        now: "2026-11-25T10:00:00Z".parse().expect("an instant"),
        connections: Vec::new(),
        listed: Some(listed),
        max_age: None,
    };
    let overview = read(&Store::folder(&evidence), &wanted);
    let states = overview.connections.iter().map(|of| of.state);
    assert_eq!(Vec::from_iter(states), State::ALL);
    assert!(overview.states.values().all(|count| *count == 1));
    assert_eq!(overview.exit().code(), 3);
    insta::assert_snapshot!(
        as_text(&overview, false).replace(&evidence.display().to_string(), "[evidence]")
    );

    let document = serde_json::to_value(&overview).expect("JSON");
    ensure_as_published("status", &validator("status"), &document);
}

#[test]
fn the_exit_code_is_that_of_the_worst_connection() {
    let (_folder, evidence) = one_of_each();
    let connection = |id: &str| evidence.join(format!("system=asana/connection={id}"));
    let exit = || overview(&evidence, "2026-11-25T10:00:00Z").exit().code();
    assert_eq!(exit(), 3);
    fs::remove_dir_all(connection("fail")).expect("a folder");
    for id in [
        "unreadable",
        "missing",
        "no-result",
        "run-failed",
        "inconclusive",
        "overdue",
    ] {
        assert_eq!(exit(), 4, "{id}");
        fs::remove_dir_all(connection(id)).expect("a folder");
    }
    assert_eq!(exit(), 0);
}

#[test]
fn findings_are_counted_with_the_oldest_one() {
    let job = Job::new(healthy(), LEFT_AND_ACTIVE);
    assert_eq!(job.run_at(FIRST, healthy()), 3);
    assert_eq!(job.run_at(SECOND, healthy()), 3);
    let overview = overview(&job.evidence(), "2026-11-25T10:00:00Z");
    let document = serde_json::to_value(&overview).expect("JSON");
    let result = &document["connections"][0]["result"];
    assert_eq!(result["entry"], 2);
    assert_eq!(result["as_of"], SECOND);
    let expected = job.json(2, "manifest.json");
    assert_eq!(
        result["findings"]["total"],
        expected["summary"]["findings"]["total"]
    );
    assert_eq!(
        result["findings"]["by_kind"],
        json!({"offboarded_access": 1})
    );
    assert_eq!(result["findings"]["by_severity"], json!({"high": 1}));
    let oldest = json!({"first_seen": FIRST, "kind": "offboarded_access", "severity": "high"});
    assert_eq!(result["findings"]["oldest"], oldest);
}

#[test]
fn a_failed_run_neither_hides_a_fail_nor_looks_like_a_pass() {
    let job = Job::new(healthy(), LEFT_AND_ACTIVE);
    fail_to_run(&job, "2026-11-22T22:40:00Z");
    assert_eq!(state(&job).0, State::NoResult);
    assert_eq!(job.run_at(FIRST, healthy()), 3);
    fail_to_run(&job, SECOND);
    assert_eq!(state(&job).0, State::Fail);

    let job = passed();
    fail_to_run(&job, SECOND);
    fail_to_run(&job, "2026-11-24T23:40:00Z");
    assert_eq!(state(&job).0, State::RunFailed);
    let overview = overview(&job.evidence(), "2026-11-25T10:00:00Z");
    let failed = overview.connections[0]
        .failed_since
        .as_ref()
        .expect("failed runs");
    assert_eq!((failed.runs, failed.exit), (2, 77));
    assert_eq!(failed.last.to_string(), "2026-11-24T23:40:00Z");
}

#[test]
fn an_entry_of_an_access_review_does_not_hide_the_result() {
    let job = passed();
    let entry = entry_in(&job.connection(), 1);
    let open = Entry {
        sequence: 2,
        kind: EntryKind::ReviewOpen,
        run: "reviews/2026-Q4/open-20261101T000000Z-7f3a9c".to_owned(),
        previous_sha256: sha256_hex(&entry.to_bytes()),
        verdict: "inconclusive".to_owned(),
        ..entry
    };
    fs::write(entry_path(&job.connection(), 2), open.to_bytes()).expect("an entry");
    assert_eq!(state(&job), (State::Pass, Vec::new()));
}

/// Each change that could hide a leaver makes the connection unreadable.
#[test]
fn files_that_do_not_belong_together_are_unreadable() {
    type Change = fn(&Job);
    let changes: [(&str, Change); 7] = [
        ("ledger entry 2: it is not an entry", |job| {
            fs::write(entry_path(&job.connection(), 2), "").expect("an entry");
        }),
        ("ledger entry 2: its content is that of entry 1", |job| {
            let (first, second) = (
                entry_path(&job.connection(), 1),
                entry_path(&job.connection(), 2),
            );
            fs::copy(first, second).expect("an entry");
        }),
        ("manifest.json` is missing", |job| {
            fs::remove_file(job.run_folder(2).join("manifest.json")).expect("a manifest");
        }),
        ("manifest.json` was modified", |job| {
            let path = job.run_folder(2).join("manifest.json");
            let text = fs::read_to_string(&path).expect("a manifest");
            let forged = text.replace("\"verdict\": \"fail\"", "\"verdict\": \"pass\"");
            assert_ne!(forged, text);
            fs::write(path, forged).expect("a manifest");
        }),
        ("disagree on verdict", |job| {
            let path = entry_path(&job.connection(), 2);
            let mut entry = entry_in(&job.connection(), 2);
            "pass".clone_into(&mut entry.verdict);
            fs::write(path, entry.to_bytes()).expect("an entry");
        }),
        ("result.json` is missing", |job| {
            fs::remove_file(job.run_folder(2).join("result.json")).expect("a result");
        }),
        ("result.json` was modified", |job| {
            let path = job.run_folder(2).join("result.json");
            let text = fs::read_to_string(&path).expect("a result");
            fs::write(path, text.replace("\"high\"", "\"low\"")).expect("a result");
        }),
    ];
    let untouched = passed();
    untouched.hr_feed(LEFT_AND_ACTIVE);
    assert_eq!(untouched.run_at(SECOND, healthy()), 3);
    for (problem, change) in changes {
        let job = Job::new(healthy(), LEFT_AND_GONE);
        copy(&untouched.evidence(), &job.evidence());
        assert_eq!(state(&job).0, State::Fail);
        change(&job);
        let (state, problems) = state(&job);
        assert_eq!(state, State::Unreadable, "{problem}");
        assert!(
            problems.concat().contains(problem),
            "{problem}: {problems:?}"
        );
    }
}

#[test]
fn a_gap_below_the_head_is_unreadable() {
    let job = passed();
    job.hr_feed(LEFT_AND_ACTIVE);
    assert_eq!(job.run_at(SECOND, healthy()), 3);
    fail_to_run(&job, "2026-11-24T23:40:00Z");
    assert_eq!(state(&job).0, State::Fail);
    // Without the entry of the fail, the newest result would be the pass before it.
    fs::remove_file(entry_path(&job.connection(), 2)).expect("an entry");
    let (state, problems) = state(&job);
    assert_eq!(state, State::Unreadable);
    assert_eq!(problems, ["ledger entry 2 is missing"]);
}

#[test]
fn a_copy_under_another_name_is_unreadable() {
    let job = passed();
    let copied = job.evidence().join("system=asana/connection=other");
    copy(&job.connection(), &copied);
    std::os::unix::fs::symlink(
        job.connection(),
        job.evidence().join("system=asana/connection=link"),
    )
    .expect("a link");
    fs::write(job.evidence().join("system=asana/connection=file"), "").expect("a file");
    let overview = overview(&job.evidence(), "2026-11-25T10:00:00Z");
    let rows = overview.connections.iter();
    let rows = rows.map(|of| (of.connection.as_str(), of.state));
    let expected = [
        ("link", State::Unreadable),
        ("other", State::Unreadable),
        ("file", State::Missing),
        (CONNECTION_ID, State::Pass),
    ];
    assert_eq!(Vec::from_iter(rows), expected);
}

#[test]
fn a_due_run_that_was_not_committed_is_overdue() {
    let job = Job::new(healthy(), LEFT_AND_GONE).env("RUN_SCHEDULE", "40 22 * * *");
    assert_eq!(job.run_at(FIRST, healthy()), 0);
    let at = |now: &str| {
        let overview = overview(&job.evidence(), now);
        let connection = &overview.connections[0];
        (
            connection.state,
            connection.next_run.state,
            overview.exit().code(),
        )
    };
    let due = "2026-11-24T22:40:00Z";
    assert_eq!(
        at("2026-11-24T10:00:00Z"),
        (State::Pass, DueState::Scheduled, 0)
    );
    assert_eq!(at(due), (State::Pass, DueState::Now, 0));
    assert_eq!(
        at("2026-11-25T10:00:00Z"),
        (State::Overdue, DueState::Late, 4)
    );
    assert_eq!(
        at("2027-11-25T10:00:00Z"),
        (State::Overdue, DueState::Missing, 4)
    );
    // A run of the future would never be overdue.
    assert_eq!(
        at("2026-11-20T10:00:00Z"),
        (State::Overdue, DueState::InFuture, 4)
    );
    // A failed run started too: it is shown as failed.
    fail_to_run(&job, due);
    assert_eq!(
        at("2026-11-25T10:00:00Z"),
        (State::RunFailed, DueState::Scheduled, 4)
    );
}

#[test]
fn a_run_by_hand_does_not_end_the_schedule() {
    let job = Job::new(healthy(), LEFT_AND_GONE).env("RUN_SCHEDULE", "40 22 * * *");
    assert_eq!(job.run_at(FIRST, healthy()), 0);
    // The CronJob is suspended. An engineer starts a run without its settings, and it passes.
    let job = job.env("RUN_SCHEDULE", "");
    assert_eq!(job.run_at("2026-11-24T09:00:00Z", healthy()), 0);
    let state = |now| overview(&job.evidence(), now).connections[0].state;
    assert_eq!(state("2026-11-24T10:00:00Z"), State::Pass);
    assert_eq!(state("2026-11-25T10:00:00Z"), State::Overdue);
    // The schedule is looked for; the result does not depend on earlier runs.
    fs::remove_file(job.run_folder(1).join("manifest.json")).expect("a manifest");
    assert_eq!(state("2026-11-25T10:00:00Z"), State::Pass);
}

#[test]
fn without_a_schedule_only_max_age_finds_an_old_result() {
    let job = passed();
    let now = "2026-12-25T10:00:00Z";
    let day = Duration::from_secs(24 * 3600);
    let state = |max_age| {
        let overview = limited(&job.evidence(), now, max_age);
        (
            overview.connections[0].state,
            overview.connections[0].next_run.state,
        )
    };
    assert_eq!(state(None), (State::Pass, DueState::Unknown));
    assert_eq!(state(Some(day)), (State::Overdue, DueState::TooOld));
    assert_eq!(state(Some(60 * day)), (State::Pass, DueState::Unknown));
}

#[test]
fn an_address_without_evidence_exits_with_78_and_a_hint() {
    let job = Job::new(healthy(), LEFT_AND_GONE);
    for (url, error) in [
        ("nowhere", "error: `nowhere` does not exist\n"),
        (".", "error: `.` contains no evidence"),
        // An unset variable in a script is not the default.
        ("", "error: `` does not exist\n"),
    ] {
        let ended = binary(&job, &[url]);
        assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
        assert!(ended.stderr.starts_with(error), "{}", ended.stderr);
        assert!(ended.stderr.contains("\nhint: "), "{}", ended.stderr);
    }
    assert!(
        binary(&job, &[])
            .stderr
            .contains("`./evidence` does not exist")
    );
    assert_eq!(job.run().code, 0);
    assert_eq!(binary(&job, &[]).code, 0);
}

#[test]
fn a_named_connection_without_evidence_is_shown() {
    let job = Job::new(healthy(), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    let named = [
        "--json",
        "--connection",
        CONNECTION_ID,
        "--connection",
        "gone",
    ];
    let ended = binary(&job, &named);
    assert_eq!(ended.code, 4);
    let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    ensure_as_published("status", &validator("status"), &document);
    let rows = document["connections"].as_array().expect("rows");
    let rows = rows.iter().map(|row| [&row["connection"], &row["state"]]);
    let expected = json!([["gone", "missing"], [CONNECTION_ID, "pass"]]);
    assert_eq!(json!(Vec::from_iter(rows)), expected);
    assert_eq!(binary(&job, &named[..3]).code, 0);
}

#[test]
fn a_list_shows_what_is_missing_and_what_is_no_longer_in_it() {
    let (folder, evidence) = one_of_each();
    let job = Job::new(healthy(), LEFT_AND_GONE);
    let evidence = evidence.display().to_string();
    let list = folder.path().join("connections.jsonl");
    let line = |id: &str| {
        format!("{{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"{id}\", \"HR_FEED_URL\": \"x\"}}\n")
    };
    let write = |ids: &[&str]| {
        let lines: String = ids.iter().map(|id| line(id)).collect();
        fs::write(&list, lines).expect("a list");
    };
    let path = list.display().to_string();
    let shown = |more: &[&str]| {
        let ended = binary(&job, &[&[&evidence, "--json"], more].concat());
        let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        ensure_as_published("status", &validator("status"), &document);
        let rows = document["connections"].as_array().expect("rows").iter();
        let rows = rows.map(|row| {
            let text = |key: &str| row[key].as_str().expect("a text").to_owned();
            (text("connection"), text("state"))
        });
        (ended.code, BTreeMap::from_iter(rows))
    };
    let state = |rows: &BTreeMap<String, String>, id: &str| rows[id].clone();

    write(&["pass", "never-ran"]);
    let (code, rows) = shown(&["--connections", &path]);
    assert_eq!(code, 4, "a connection is missing");
    assert_eq!(state(&rows, "never-ran"), "missing");
    assert_eq!(state(&rows, "pass"), "pass");
    // No result of a connection that left the list counts, not even a fail. All are still shown.
    for id in ["fail", "unreadable", "run-failed"] {
        assert_eq!(state(&rows, id), "unlisted");
    }
    write(&["pass"]);
    assert_eq!(shown(&["--connections", &path]).0, 0);
    write(&["pass", "fail"]);
    assert_eq!(shown(&["--connections", &path]).0, 3);
    // A list of other connections passes nothing.
    write(&["never-ran"]);
    assert_eq!(shown(&["--connections", &path]).0, 4);
    write(&["pass"]);
    assert_eq!(
        shown(&["--connections", &path, "--connection", "fail"]).0,
        4
    );

    let text = binary(&job, &[&evidence, "--connections", &path]).stdout;
    assert!(
        text.contains("not in the list of connections, so no run checks it any more"),
        "{text}"
    );
    let job = job.env("CONNECTIONS_URL", &path);
    assert_eq!(binary(&job, &[&evidence]).code, 0, "as the variable");

    // Where nothing was ever stored, every connection of the list is missing.
    let empty = tempfile::tempdir().expect("a folder");
    let ended = binary(&job, &[&empty.path().display().to_string()]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
}

#[test]
fn a_wrong_list_is_an_error_with_its_lines() {
    let job = passed();
    for (list, problem) in [
        ("", "the list of CONNECTIONS_URL is empty"),
        ("{}\n", "line 1: TRUTO_INTEGRATED_ACCOUNT_ID is not set"),
        ("c1\nc2\n", "lines 1 and 2: not JSON, from column 1 on"),
        (
            "{\"TRUTO_INTEGRATED_ACCOUNT_ID\": 7}",
            "line 1: TRUTO_INTEGRATED_ACCOUNT_ID is not set",
        ),
        (
            "{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"../x\"}",
            "is not an id",
        ),
        // Its result would be looked for in the wrong place.
        (
            "{\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"c1\", \"EVIDENCE_URL\": \"elsewhere\"}",
            "line 1: EVIDENCE_URL: `status` reads one address",
        ),
    ] {
        fs::write(job.place().join("list.jsonl"), list).expect("a list");
        let ended = binary(&job, &["--connections", "list.jsonl"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (78, ""), "{list}");
        assert!(ended.stderr.contains(problem), "{list}: {}", ended.stderr);
    }
    let ended = binary(&job, &["--connections", "nowhere.jsonl"]);
    assert_eq!(ended.code, 78);
    assert!(ended.stderr.contains("nowhere.jsonl"), "{}", ended.stderr);
}

#[test]
fn in_a_bucket_a_pass_costs_two_reads_and_two_listings() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(Job::new(healthy(), LEFT_AND_GONE), &server);
    let job = job.env("RUN_SCHEDULE", "40 22 * * *");
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run().code, 0);
    let before = server.actions().len();
    let ended = binary(&job, &["--html", "status.html"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let actions = server.actions();
    let operations = actions[before..].iter().map(|action| action.operation());
    assert_eq!(Vec::from_iter(operations), ["LIST", "LIST", "GET", "GET"]);
    let page = fs::read_to_string(job.place().join("status.html")).expect("a page");
    let run = job_run(&ended, &page);
    assert!(
        run.starts_with("s3://evidence/n/system=asana/connection="),
        "{run}"
    );
    assert!(!page.contains("href=\"system"), "a bucket has no links");
}

/// The address of the first report on a page.
fn job_run(ended: &Ended, page: &str) -> String {
    let (_, address) = page
        .split_once("<code class=\"address\">")
        .unwrap_or_else(|| panic!("no address: {}\n{page}", ended.stdout));
    address.split('<').next().unwrap_or_default().to_owned()
}

#[test]
fn the_page_links_each_row_to_its_report() {
    let job = Job::new(healthy(), LEFT_AND_ACTIVE);
    assert_eq!(job.run().code, 3);
    for file in ["status.html", "evidence/status.html"] {
        let ended = binary(&job, &["--html", file]);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        let path = job.place().join(file);
        let page = fs::read_to_string(&path).expect("a page");
        let (_, link) = page.split_once("<td><a href=\"").expect("a link");
        let link = link.split('"').next().expect("an end");
        let report = path.parent().expect("a folder").join(link);
        let report = fs::read_to_string(&report).expect("the report");
        assert!(report.contains("Verdict: Fail"));
        assert!(page.trim_end().ends_with("</html>"));
    }
    // Evidence with a page inside of it still verifies.
    assert_eq!(job.run_with(&["verify"]).code, 0);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("status.html").display().to_string();
    assert_eq!(binary(&job, &["--html", &file]).code, 3);
    let page = fs::read_to_string(&file).expect("a page");
    assert!(
        !page.contains("<td><a href"),
        "a page elsewhere has no links"
    );
    assert!(page.contains("/report.html</code>"), "but the address");
}

#[test]
fn a_page_that_cannot_be_written_exits_with_78() {
    let job = Job::new(healthy(), LEFT_AND_GONE);
    assert_eq!(job.run().code, 0);
    for file in ["nowhere/status.html", "evidence"] {
        let ended = binary(&job, &["--html", file]);
        assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
        let error = format!("error: the page `{file}` cannot be written: ");
        assert!(ended.stderr.starts_with(&error), "{}", ended.stderr);
        assert!(ended.stderr.contains("\nhint: "), "{}", ended.stderr);
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for tools on this machine"
)]
fn axe_finds_no_accessibility_problem_in_the_status_page() {
    let Some(browser) = browser() else { return };
    let path = "target/tools/axe/node_modules/axe-core/axe.min.js";
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(axe) = fs::read_to_string(axe) else {
        assert!(std::env::var_os("CI").is_none(), "axe-core is missing");
        println!("skipped: no axe-core on this machine");
        return;
    };
    let (folder, evidence) = one_of_each();
    let job = Job::new(healthy(), LEFT_AND_GONE);
    let file = folder.path().join("status.html");
    let (evidence, page) = (evidence.display().to_string(), file.display().to_string());
    assert_eq!(binary(&job, &[&evidence, "--html", &page]).code, 3);
    let mut page = Page::open(&browser, &file);
    page.value(&format!("{axe}; 0"));
    for (scheme, width) in [
        ("light", 1400),
        ("dark", 1400),
        ("light", 390),
        ("dark", 390),
    ] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.ask("Emulation.setEmulatedMedia", features);
        page.size(width, 900);
        let found = page.value(
            "axe.run().then((found) => found.violations.map((of) => \
             of.id + ': ' + of.nodes.map((node) => node.html.slice(0, 200)).join(' | ')))",
        );
        assert_eq!(found, json!([]), "{scheme}, {width}");
    }
}
