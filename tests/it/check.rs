//! `check` through the real binary: it names the problem in every broken world, and writes nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, masked};
use crate::support::s3::{Fault, Rule, S3Server};
use serde_json::Value;
use truto_simulator::World;

fn job(world: World) -> Job {
    Job::new(world, LEFT_AND_GONE).env("RUST_LOG", "off")
}

fn healthy() -> Job {
    job(World::scenario("healthy").expect("a scenario"))
}

fn in_bucket(server: &S3Server, job: Job) -> Job {
    let job = job.env("EVIDENCE_URL", "s3://evidence/n");
    server
        .env()
        .into_iter()
        .fold(job, |job, (name, value)| job.env(name, &value))
}

/// The subject and text of each line with this mark.
fn lines(ended: &Ended, mark: &str) -> Vec<(String, String)> {
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(reported["exit"], ended.code);
    assert_eq!(reported["ready"], ended.code == 0);
    let lines = reported["lines"].as_array().expect("lines");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    lines
        .iter()
        .filter(|line| line["mark"] == mark)
        .map(|line| (text(&line["subject"]), text(&line["text"])))
        .collect()
}

fn subjects(ended: &Ended, mark: &str) -> BTreeSet<String> {
    lines(ended, mark)
        .into_iter()
        .map(|(subject, _)| subject)
        .collect()
}

#[test]
fn a_healthy_world_passes_with_a_table_of_checks() {
    let job = healthy();
    let ended = job.run_with(&["check", "--schedule", "30 0,23 * * *"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    // The due day of a review depends on the clock.
    let (before, after) = ended.stdout.split_once("due by ").expect("a review is due");
    let reported = format!("{before}due by [day]{}", &after["2027-01-31".len()..]);
    insta::assert_snapshot!(masked(&reported, job.place()));
    assert!(!job.evidence().exists(), "a check writes nothing");
}

/// The scenarios in which a run ends differently after `check`, and why.
const DIFFERS: &[(&str, &str)] = &[
    ("repeated-cursor", "it is met on a later page"),
    ("narrow-loop", "it is met on a later page"),
    ("get-404", "it is met on a later account"),
    ("rate-limited", "the world counted the check's request"),
    (
        "remote-rate-limited",
        "the world counted the check's request",
    ),
    ("reauth-mid-run", "the login dies while a run reads"),
    ("two-thousand", "it takes all pages to count"),
    (
        "free-plan",
        "it reads more accounts alone than a window of the rate limit holds",
    ),
];

#[test]
fn every_scenario_names_its_problem_and_ends_like_a_run() {
    let mut reported = String::new();
    for (_, name, _) in truto_simulator::scenarios() {
        let job = job(World::scenario(name).expect("a scenario"))
            .for_scenario(name)
            .env("RETRY_MAX_ATTEMPTS", "2")
            .env("RETRY_MAX_ELAPSED", "2s")
            .env("HTTP_TIMEOUT", "2s");
        let ended = job.run_with(&["check", "--json"]);
        let _ = writeln!(reported, "{name}: {}", ended.code);
        assert!(!job.evidence().exists(), "{name}");
        let run = job.run();
        if run.code != ended.code {
            let differs = DIFFERS.iter().find(|(known, _)| *known == name);
            let (_, why) =
                differs.unwrap_or_else(|| panic!("{name}: a run ends with {}", run.code));
            let _ = writeln!(reported, "  (a run ends with {}: {why})", run.code);
        }
        for (mark, sign) in [("fail", "✗"), ("warn", "!")] {
            for (subject, text) in lines(&ended, mark) {
                // These warnings occur in every world: a folder has no lock, loopback is test data,
                // the first run has no baseline.
                let usual = ["no baseline", "TEST DATA"];
                if usual.iter().any(|usual| text.contains(usual)) {
                    continue;
                }
                let text = masked(&text, job.place());
                let _ = writeln!(reported, "  {sign} {subject}: {text}");
            }
        }
    }
    // The snapshot also lists the scenarios, so a new one is reviewed.
    insta::assert_snapshot!(reported);
}

#[test]
fn a_dead_truto_ends_check_and_connect_after_three_attempts() {
    // Nothing listens at this address.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let dead = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let job = healthy()
        .env("TRUTO_BASE_URL", &dead)
        .env("RETRY_MAX_ATTEMPTS", "8");
    let connect = ["connect", "--tenant-id", "acme", "--yes"];
    for arguments in [&["check"][..], &connect] {
        let started = std::time::Instant::now();
        let ended = job.run_with(arguments);
        assert_eq!(ended.code, 75, "{}", ended.stderr);
        assert!(started.elapsed().as_secs() < 20);
        let shown = ended.stdout + &ended.stderr;
        assert!(shown.contains("3 attempts"), "{shown}");
    }
}

#[test]
fn wrong_settings_are_listed_and_end_the_check() {
    let job = healthy()
        .env("HTTP_TIMEOUT", "30")
        .env("HR_TIME_ZONE", "Mars/Base");
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 78);
    let failed = lines(&ended, "fail");
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(failed.iter().all(|(subject, _)| subject == "settings"));
    assert_eq!(job.simulator.requests().len(), 0);
    let misspelt = healthy()
        .env("EVIDENCE_LOCK", "x")
        .run_with(&["check", "--json"]);
    assert_eq!(misspelt.code, 0);
    assert!(
        lines(&misspelt, "warn")
            .iter()
            .any(|(_, text)| text.contains("EVIDENCE_LOCK"))
    );
}

#[test]
fn only_one_page_of_each_list_and_one_account_are_read() {
    let job = job(World::scenario("sparse-list").expect("a scenario"));
    let ended = job.run_with(&["check", "--json"]);
    let requests = job.simulator.requests();
    let count = |path: &str| {
        requests
            .iter()
            .filter(|request| request.path == path)
            .count()
    };
    assert_eq!(
        count("/unified/user-directory/users"),
        1,
        "{}",
        ended.stdout
    );
    let alone = |path: &str| {
        let id = path.strip_prefix("/unified/user-directory/users/");
        id.is_some_and(|id| !id.starts_with("meta"))
    };
    // One for what the list lacks, and one for the connected account.
    assert!(
        requests
            .iter()
            .filter(|request| alone(&request.path))
            .count()
            <= 2
    );
}

#[test]
fn a_large_workspace_is_checked_by_its_first_page() {
    let job = job(World::generated(350));
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let requests = job.simulator.requests();
    let pages = |part: &str| requests.iter().filter(|r| r.path.ends_with(part)).count();
    assert_eq!(pages("/user-directory/users"), 1);
    assert_eq!(pages("/workspace_memberships"), 1);
}

#[test]
fn an_hr_feed_is_read_to_its_last_row() {
    let job = healthy();
    let rows: String = (0..3000)
        .map(|n| format!("E{n},Person {n},person{n}@example.com,Terminated,2020-01-31\n"))
        .collect();
    job.hr_feed(&format!(
        "{rows}E9,Last,last@example.com,Terminated,31/02/2020\n"
    ));
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    let failed = lines(&ended, "fail");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].1.contains("at line 3002"), "{failed:?}");
    assert!(
        !ended.stdout.contains("last@example.com"),
        "no address is printed"
    );
}

#[test]
fn a_connected_admin_who_is_a_leaver_is_a_warning() {
    let job = healthy();
    let admin = "vera.viewer@example.com";
    job.simulator.set_world(World::new());
    job.hr_feed(&format!("E1,An Admin,{admin},Terminated,2026-01-31\n"));
    let ended = job.run_with(&["check", "--json"]);
    let warned = lines(&ended, "warn");
    let viewer = warned.iter().find(|(subject, _)| subject == "viewer");
    let (_, text) = viewer.unwrap_or_else(|| panic!("{}", ended.stdout));
    assert!(text.contains("belongs to a leaver"), "{text}");
    assert!(!ended.stdout.contains(admin), "no address is printed");
}

#[test]
fn a_schedule_without_two_runs_around_each_deadline_is_found() {
    let job = healthy().env("HR_TIME_ZONE", "Europe/Berlin");
    let unknown = job.run_with(&["check", "--json"]);
    assert!(
        subjects(&unknown, "skipped").contains("schedule"),
        "{}",
        unknown.stdout
    );
    for once in ["30 0,23 * * 1-5", "40 23 * * *"] {
        let once = job.run_with(&["check", "--json", "--schedule", once]);
        let warned = lines(&once, "warn");
        let line = warned.iter().find(|(subject, _)| subject == "schedule");
        let (_, text) = line.unwrap_or_else(|| panic!("{}", once.stdout));
        assert!(
            text.contains("every deadline in Europe/Berlin")
                && text.contains("RUN_SCHEDULE: 30 0,23 * * *"),
            "{text}"
        );
    }
    let twice = job.run_with(&["check", "--json", "--schedule", "30 0,23 * * *"]);
    assert!(
        subjects(&twice, "ok").contains("schedule"),
        "{}",
        twice.stdout
    );
    // Without `--schedule`, the configured schedule is checked.
    let job = job.env("RUN_SCHEDULE", "40 23 * * *");
    let own = job.run_with(&["check", "--json"]);
    assert!(
        subjects(&own, "warn").contains("schedule"),
        "{}",
        own.stdout
    );
    let other = job.run_with(&["check", "--json", "--schedule", "30 0,23 * * *"]);
    assert!(
        subjects(&other, "ok").contains("schedule"),
        "{}",
        other.stdout
    );
    let wrong = job.run_with(&["check", "--schedule", "whenever"]);
    assert_eq!(wrong.code, 2);
    let nowhere = job.run_with(&["check", "--schedule", "40 23 * * *", "--zone", "Mars/Base"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.stderr);
}

#[test]
fn a_bucket_is_probed_only_with_write_probe() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(&server, healthy());
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(
        server.objects("evidence").is_empty(),
        "a check writes nothing"
    );
    assert_eq!(server.violations(), Vec::<String>::new());

    server.inject(Rule::on("DELETE", ".probe", Fault::AccessDenied).always());
    for _ in 0..2 {
        let ended = job.run_with(&["check", "--json", "--write-probe"]);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        let reported: Vec<String> = lines(&ended, "ok")
            .into_iter()
            .filter(|(subject, _)| subject == "write_probe")
            .map(|(_, text)| text)
            .collect();
        assert_eq!(
            reported,
            [
                "created once; a second create was refused",
                "deleting it was refused"
            ]
        );
        let objects = server.objects("evidence");
        assert_eq!(objects.keys().collect::<Vec<_>>(), ["n/.probe"]);
    }
    assert_eq!(
        job.run_with(&["verify"]).code,
        78,
        "a probe is not evidence"
    );
    assert_eq!(job.run().code, 0);
    assert_eq!(job.run_with(&["verify"]).code, 0, "a probe is not a fault");
}

#[test]
fn a_bucket_that_replaces_deletes_or_does_not_lock_is_found() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(&server, healthy())
        .env("EVIDENCE_OBJECT_LOCK_MODE", "governance")
        .env("EVIDENCE_RETENTION_DAYS", "30");
    server.inject(Rule::on("DELETE", "", Fault::AccessDenied).always());
    // s3s-fs accepts the headers of a lock and locks nothing.
    let ended = job.run_with(&["check", "--json", "--write-probe"]);
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    let failed = lines(&ended, "fail");
    assert!(
        failed[0].1.contains("and the object has none"),
        "{failed:?}"
    );

    server.heal();
    let gone = Fault::Xml(204, String::new());
    server.inject(Rule::on("DELETE", "", gone).always());
    let ended = job.run_with(&["check", "--json", "--write-probe"]);
    let warned = lines(&ended, "warn");
    let reported = |text: &str| warned.iter().any(|(_, warned)| warned.contains(text));
    assert!(reported("deleting it was not refused"), "{warned:?}");

    server.heal();
    let taken = Fault::Xml(200, String::new());
    server.inject(Rule::on("PUT", ".probe", taken).always());
    let ended = job.run_with(&["check", "--json", "--write-probe"]);
    let failed = lines(&ended, "fail");
    assert!(
        failed
            .iter()
            .any(|(_, text)| text.contains("second create")),
        "{failed:?}"
    );
}

#[test]
fn a_refused_store_or_file_ends_like_a_run() {
    let server = S3Server::start(["evidence"]);
    let job = in_bucket(&server, healthy());
    server.inject(Rule::on("LIST", "", Fault::AccessDenied).always());
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 77, "{}", ended.stdout);
    assert_eq!(subjects(&ended, "fail"), ["evidence".to_owned()].into());

    let missing = healthy().env("EXCEPTIONS_URL", "/nowhere/exceptions.csv");
    let ended = missing.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 78, "{}", ended.stdout);
    assert_eq!(subjects(&ended, "fail"), ["manual".to_owned()].into());
}

/// One line of each state. The lines name people by id, so no address is printed.
#[test]
fn every_exception_is_reported_with_its_line_and_reason() {
    #[expect(clippy::disallowed_methods, reason = "the binary reads the real clock")]
    let now = jiff::Timestamp::now();
    let day = |days: i64| {
        let day = now + jiff::SignedDuration::from_hours(24 * days);
        day.strftime("%Y-%m-%d").to_string()
    };
    let (past, yesterday, later) = (day(-30), day(-1), day(30));
    let job = Job::scenario("healthy", LEFT_AND_ACTIVE).env("EXCEPTIONS_URL", "exceptions.csv");
    let text = format!(
        "person_id,email,reason,approved_by,approved_on,expires_on\n\
         E1,,hands over,ciso@example.com,{yesterday},{later}\n\
         E77,,hands over,ciso@example.com,{yesterday},{later}\n\
         E1,,hands over,ciso@example.com,{past},{yesterday}\n\
         E1,,hands over,n/a,{yesterday},{later}\n\
         ,person2@example.com,hands over,E1,{yesterday},{later}\n"
    );
    std::fs::write(job.place().join("exceptions.csv"), text).expect("a file");
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let of_lines = |mark: &str| {
        let lines = lines(&ended, mark).into_iter();
        let own = lines.filter(|(_, text)| text.contains(" of the exceptions is "));
        own.map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(
        of_lines("ok"),
        [
            "line 2 of the exceptions is used: covers access by account 1200000000000002",
            "line 3 of the exceptions is unused: no account or person in this run matches it",
        ]
    );
    assert_eq!(
        of_lines("warn"),
        [
            format!("line 4 of the exceptions is expired: it was in force through {yesterday}"),
            "line 5 of the exceptions is malformed: its approved_by is not usable: write an e-mail address or a \
             person id"
                .to_owned(),
            "line 6 of the exceptions is malformed: it is approved by the person it is for".to_owned(),
        ]
    );
}

#[test]
fn an_error_outweighs_an_inconclusive_check_in_the_exit_code() {
    let job = job(World::scenario("bad-token").expect("a scenario"));
    job.hr_feed("E1,Person Two,person2@example.com,Terminated,31/02/2020\n");
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 77, "{}", ended.stdout);
    assert_eq!(
        subjects(&ended, "fail"),
        ["hr_feed".to_owned(), "token".to_owned()].into()
    );
}

#[test]
fn a_signed_ledger_without_the_key_is_found() {
    let key = include_str!("../keys/ed25519.test-key.pem");
    let job = healthy().env("EVIDENCE_SIGNING_KEY", key);
    assert_eq!(job.run().code, 0);
    let ended = job.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(subjects(&ended, "ok").contains("signing_key"));
    let unsigned = job.env("EVIDENCE_SIGNING_KEY", "");
    let ended = unsigned.run_with(&["check", "--json"]);
    assert_eq!(ended.code, 78, "{}", ended.stdout);
    assert_eq!(subjects(&ended, "fail"), ["evidence".to_owned()].into());
}
