//! Who may review, what needs a reason, which files are kept, who signs off, and how a review begins
//! although an earlier one is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::job::{Ended, Job, LEFT_AND_ACTIVE, LEFT_AND_GONE, verify};
use crate::support::review::{
    DECIDED_BY, DECISION, NOTE, OUTSIDERS, assert_verifies, at as at_review,
    close as close_by_boss, filled, keep, open as open_for_boss, part, saved, tried_at, worksheet,
};
use asana_access_review::cli::arguments::{
    AcknowledgeArguments, AttachArguments, CloseArguments, DecisionArguments, OpenArguments,
};
use asana_access_review::commands::review as command;
use asana_access_review::judgement::Decision;
use asana_access_review::model::EmailAddress;
use serde_json::{Value, json};
use truto_simulator::{HRIS_CONNECTION_ID, Hris, World};

fn reviewed(hr_rows: &str) -> Job {
    let job = Job::new(World::generated(12), hr_rows);
    assert!([0, 3].contains(&job.run().code));
    job
}

fn open(job: &Job, more: &[&str]) -> Ended {
    let line = ["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"];
    job.run_with(&[&line[..], more].concat())
}

fn close(job: &Job, file: &Path, more: &[&str]) -> Ended {
    let file = file.to_str().expect("UTF-8");
    let line = ["review", "close", "--decisions", file];
    job.run_with(&[&line[..], more].concat())
}

const ACCEPT: [&str; 2] = ["--accept-reviewer", OUTSIDERS];

fn reviewers(job: &Job, lines: &str) -> String {
    let path = job.folder.path().join("reviewers.csv");
    fs::write(&path, format!("rule,value,reviewer,note\n{lines}")).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

fn review(job: &Job) -> Value {
    let bytes = fs::read(part(job, "close").join("review.json")).expect("a review");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn script(job: &Job) -> i32 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let seen = Command::new("sh").arg(script).arg(job.evidence()).output();
    seen.expect("sh").status.code().expect("a code")
}

#[test]
fn a_leaver_cannot_review_and_open_refuses_before_it_writes() {
    let job = reviewed(LEFT_AND_ACTIVE);
    let lines = "role,admin,person1@example.com,\ndefault,,Person2+x@example.com,\n";
    let refused = open(&job, &["--reviewers", &reviewers(&job, lines)]);
    assert_eq!(refused.code, 78, "{}", refused.stdout);
    let reason = "the reviewer of line 3 has left, according to HR";
    assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    assert_eq!(job.entries(), 1);

    // Without a reviewers file, `close` refuses the leaver, even if the address is accepted.
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, |number, row| {
        keep(number, row);
        row[DECIDED_BY] = match row[2].as_str() {
            "person2@example.com" => "person1@example.com".to_owned(),
            _ => "person2@example.com".to_owned(),
        };
    });
    let file = saved(&job, "d.csv", &rows, b',');
    let refused = close(&job, &file, &["--accept-reviewer", "person2@example.com"]);
    assert_eq!(refused.code, 78);
    let reason = "is decided by a person who has left";
    assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    assert_eq!(job.entries(), 2);
}

#[test]
fn a_leaver_is_shown_with_outcome_and_end_of_work() {
    let job = reviewed(LEFT_AND_ACTIVE);
    assert_eq!(open(&job, &[]).code, 0);
    let sheet = worksheet(&job);
    let rows = sheet["rows"].as_array().expect("rows");
    let leaver = rows
        .iter()
        .find(|row| row["email"] == "person2@example.com");
    let leaver = leaver.expect("a row");
    assert_eq!(leaver["leaver_outcome"], "still_active");
    assert_eq!(leaver["end_of_work"], "2020-02-01T00:00:00Z");
    assert_eq!(leaver["recommended"], "revoke");
    for row in rows {
        assert_ne!(row["recommended"], "keep", "{row}");
    }
    let csv = fs::read_to_string(part(&job, "open").join("worksheet.csv")).expect("text");
    assert!(csv.contains("still_active,2020-02-01T00:00:00Z"), "{csv}");
}

#[test]
fn a_reviewer_whom_nobody_knows_needs_to_be_accepted() {
    let job = reviewed(LEFT_AND_GONE);
    let lines = "default,,boss@example.net,\n";
    let opened = open(&job, &["--reviewers", &reviewers(&job, lines)]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let warning = "neither Asana nor HR knows the reviewer of line 2";
    assert!(opened.stdout.contains(warning), "{}", opened.stdout);
    let file = saved(&job, "d.csv", &filled(&job, keep), b',');
    let refused = close(&job, &file, &[]);
    assert_eq!(refused.code, 78);
    let reason = "neither Asana nor HR knows the person who decided 11 rows";
    assert_eq!(
        refused.stderr.matches(reason).count(),
        1,
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains('@'), "{}", refused.stderr);
    let closed = close(&job, &file, &["--accept-reviewer", "boss@example.net"]);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    assert_eq!(
        review(&job)["accepted_reviewers"],
        json!(["boss@example.net"])
    );
    let report = fs::read_to_string(part(&job, "close").join("report.html")).expect("text");
    assert!(report.contains("Neither Asana nor HR knows these reviewers"));
    assert_verifies(&job);
}

/// A roster of three people, and an account that belongs to no person.
fn with_a_service_account() -> Job {
    let job = Job::new(World::generated(12), "")
        .env("HR_FEED_SCOPE", "roster")
        .env("ALIASES_URL", "aliases.csv");
    job.hr_file(
        b"Employee ID,Name,Work Email,Department,Job Title,Status,Termination Date\n\
          E1,One,person1@example.com,Finance,Controller,Active,\n\
          E3,Three,person3@example.com,Sales,Lead,Active,\n\
          E6,Boss,boss@example.net,,CISO,Active,\n",
    );
    fs::write(
        job.place().join("aliases.csv"),
        "email,relation,owner,reason,approved_by,expires_on\n\
         person5@example.com,service,Three,a robot that files invoices,boss@example.net,2999-01-01\n",
    )
    .expect("a file");
    job.run();
    assert_eq!(job.entries(), 1);
    job
}

#[test]
fn the_owner_of_a_service_account_cannot_review_it() {
    let job = with_a_service_account();
    // The owner's line fits first, so the row goes to the next line.
    let lines = "domain,example.com,person3@example.com,\ndefault,,person1@example.com,\n";
    let opened = open(&job, &["--reviewers", &reviewers(&job, lines)]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let sheet = worksheet(&job);
    let rows = sheet["rows"].as_array().expect("rows");
    let of = |email: &str| {
        rows.iter()
            .find(|row| row["email"] == email)
            .expect("a row")
    };
    assert_eq!(of("person5@example.com")["service_owner"], "Three");
    assert_eq!(of("person5@example.com")["reviewer"], "person1@example.com");
    assert_eq!(of("person4@example.com")["reviewer"], "person3@example.com");
    assert_eq!(of("person1@example.com")["department"], "Finance");
    assert_eq!(of("person1@example.com")["title"], "Controller");

    let number = of("person5@example.com")["row"].as_u64().expect("a number");
    let line = usize::try_from(number).expect("a number");
    let decided = |note: &str, by: &str| {
        let mut row = filled(&job, keep).swap_remove(line);
        (row[NOTE], row[DECIDED_BY]) = (note.to_owned(), by.to_owned());
        let header = filled(&job, keep).swap_remove(0);
        let file = saved(&job, "one.csv", &[header, row], b',');
        close(&job, &file, &["--accept-incomplete", "only one row"])
    };
    let by_owner = decided("still in use", "person3@example.com");
    assert!(
        by_owner
            .stderr
            .contains("is decided by the owner of its account"),
        "{}",
        by_owner.stderr
    );
    let without = decided("", "person1@example.com");
    let reason = format!("row {number}: keep needs a note with the reason for this account (");
    assert!(without.stderr.contains(&reason), "{}", without.stderr);
    assert!(
        without.stderr.contains("service accounts)"),
        "{}",
        without.stderr
    );
    assert_eq!(decided("still in use", "person1@example.com").code, 4);
    assert_verifies(&job);
}

#[test]
fn a_service_account_that_only_its_owner_could_review_is_refused() {
    let job = with_a_service_account();
    let lines = "person,person5@example.com,person3@example.com,\nrole,admin,boss@example.net,\n\
                 role,guest,boss@example.net,\nrole,member,person3@example.com,\n";
    let refused = open(&job, &["--reviewers", &reviewers(&job, lines)]);
    assert_eq!(refused.code, 78, "{}", refused.stdout);
    let headline = "have only their owner as a reviewer";
    assert!(refused.stderr.contains(headline), "{}", refused.stderr);
    assert_eq!(job.entries(), 1);
}

#[test]
fn a_second_review_of_the_same_name_or_scope_asks_first() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let again = open(&job, &[]);
    assert_eq!(again.code, 78, "{}", again.stdout);
    assert!(
        again.stderr.contains("of scope all is open"),
        "{}",
        again.stderr
    );
    assert!(again.stderr.contains("add --yes"), "{}", again.stderr);
    let other = ["review", "open", "--name", "other", "--due", "2999-12-31"];
    assert_eq!(job.run_with(&other).code, 78);
    let narrow = [&other[..], &["--scope", "admins"]].concat();
    assert_eq!(job.run_with(&narrow).code, 0);
    assert_eq!(open(&job, &["--yes"]).code, 0);

    // Also after a run that carries the reviews, and if the first one is closed.
    job.run();
    assert_eq!(job.run_with(&narrow).code, 78);
    assert_eq!(job.entries(), 5);
}

#[test]
fn privileged_access_is_not_kept_without_a_reason() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let without = filled(&job, |number, row| {
        keep(number, row);
        row[NOTE] = "-".to_owned();
    });
    let file = saved(&job, "d.csv", &without, b',');
    let refused = close(&job, &file, &ACCEPT);
    assert_eq!(refused.code, 78);
    let sheet = worksheet(&job);
    let rows = sheet["rows"].as_array().expect("rows");
    for row in rows {
        let reason = format!("row {}: keep needs a note", row["row"]);
        let is_admin = row["role"] == "admin";
        assert_eq!(
            refused.stderr.contains(&reason),
            is_admin,
            "{}",
            refused.stderr
        );
    }
    assert!(rows.iter().any(|row| row["role"] == "admin"));
    assert_eq!(job.entries(), 2);

    // A review may ask for more.
    let more = ["--yes", "--reason-for", "all"];
    assert_eq!(open(&job, &more).code, 0);
    let wrong = open(&job, &["--reason-for", "everyone"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
}

fn check(job: &Job, sequence: u64, id: &str) -> Value {
    let result = job.json(sequence, "result.json");
    let mut checks = result["checks"].as_array().expect("checks").iter();
    checks.find(|check| check["id"] == id).expect("one").clone()
}

#[test]
fn a_question_is_followed_until_a_review_answers_it() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2026-11-02T09:00:00Z", "q4");
    let asked = opened.frozen.worksheet.rows[3].account_id.clone();
    let unsure = |decision| {
        let asked = asked.clone();
        move |row: &asana_access_review::review::FrozenRow| {
            let is_asked = row.account_id == asked;
            Some((if is_asked { decision } else { Decision::Keep }, ""))
        }
    };
    close_by_boss(
        &job,
        "2026-11-02T17:00:00Z",
        &opened,
        unsure(Decision::DontKnow),
        None,
    );
    assert_eq!(job.entry(3)["verdict"], "inconclusive");
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", world()), 0);
    assert_eq!(job.run_at("2026-11-20T22:40:00Z", world()), 3);
    let finding = job.json(5, "result.json")["findings"][0].clone();
    assert_eq!(finding["kind"], "revocation_not_done");
    assert_eq!(finding["account_id"], asked);
    let note = finding["note"].as_str().expect("a note");
    assert!(note.contains("the question is not answered"), "{note}");

    // The same answer once more gives no new grace; *keep* ends it.
    let again = open_for_boss(&job, "2026-11-21T09:00:00Z", "again");
    let row = again
        .frozen
        .worksheet
        .rows
        .iter()
        .find(|row| row.account_id == asked);
    assert_eq!(row.expect("a row").recommended, Some(Decision::DontKnow));
    close_by_boss(
        &job,
        "2026-11-21T17:00:00Z",
        &again,
        unsure(Decision::DontKnow),
        None,
    );
    assert_eq!(job.run_at("2026-11-21T22:40:00Z", world()), 3);
    let last = open_for_boss(&job, "2026-11-22T09:00:00Z", "last");
    close_by_boss(
        &job,
        "2026-11-22T17:00:00Z",
        &last,
        unsure(Decision::Keep),
        None,
    );
    assert_eq!(job.run_at("2026-11-22T22:40:00Z", world()), 0);
    assert_verifies(&job);
}

#[test]
fn received_files_are_kept_and_both_verifiers_cover_them() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(&job, "Ada's, final (1).csv", &filled(&job, keep), b',');
    let mail = job.folder.path().join("From Ada.EML");
    fs::write(&mail, "From: ada@example.net\n").expect("a file");
    let attach = ["--attach", mail.to_str().expect("UTF-8")];
    let closed = close(&job, &file, &[&attach[..], &ACCEPT].concat());
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    let closed = part(&job, "close");
    let stored = closed.join("received/decisions-001.csv");
    assert_eq!(
        fs::read(&stored).expect("a file"),
        fs::read(&file).expect("one")
    );
    let attached = closed.join("received/attached-001.eml");
    assert_eq!(
        fs::read(&attached).expect("a file"),
        fs::read(&mail).expect("one")
    );
    let review = review(&job);
    assert_eq!(review["decision_files"][0]["file"], "Ada's, final (1).csv");
    assert_eq!(review["attachments"][0]["file"], "From Ada.EML");
    let sums = fs::read_to_string(closed.join("SHA256SUMS")).expect("text");
    assert!(sums.contains("  received/attached-001.eml\n"), "{sums}");
    assert_verifies(&job);

    for file in [stored, attached] {
        let bytes = fs::read(&file).expect("a file");
        fs::write(&file, "another").expect("a file");
        assert_eq!(verify(&job.evidence(), &[]).code, 5);
        assert_eq!(script(&job), 5);
        fs::remove_file(&file).expect("a file");
        assert_eq!(verify(&job.evidence(), &[]).code, 5);
        assert_eq!(script(&job), 5);
        fs::write(&file, bytes).expect("a file");
    }
    fs::write(closed.join("received/decisions-002.csv"), "more").expect("a file");
    assert_eq!((verify(&job.evidence(), &[]).code, script(&job)), (5, 5));
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// The text of the acknowledged review.
fn acknowledge(job: &Job, as_of: &str, by: &str) -> Result<String, String> {
    let mail = job.place().join("mail.eml");
    fs::write(&mail, "From: the management\n").expect("a file");
    let asked = AcknowledgeArguments {
        review: None,
        by: email(by),
        statement: "I have read the report, and the access that remains is right".to_owned(),
        attach: AttachArguments { files: vec![mail] },
    };
    let done = tried_at(job, as_of, async |settings, moment, clock| {
        command::acknowledge(settings, &asked, moment, clock).await
    });
    done.map(|review| command::text(&review, false))
        .map_err(|error| command::failure(&error, false))
}

fn controls(folder: PathBuf) -> Vec<String> {
    let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let controls = manifest["controls"].as_array().expect("controls").iter();
    controls
        .map(|of| of["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_second_person_acknowledges_and_pci_needs_every_change_done() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2026-11-02T09:00:00Z", "q4");
    let revoked = opened.frozen.worksheet.rows[3].account_id.clone();
    let decide = |row: &asana_access_review::review::FrozenRow| {
        let is_it = row.account_id == revoked;
        Some((
            if is_it {
                Decision::Revoke
            } else {
                Decision::Keep
            },
            "",
        ))
    };
    let at = "2026-11-05T09:00:00Z";
    let none = acknowledge(&job, at, "ceo@example.net").expect_err("no closed review");
    assert!(none.contains("no review is closed"), "{none}");
    close_by_boss(&job, "2026-11-02T17:00:00Z", &opened, decide, None);
    assert!(!controls(part(&job, "close")).contains(&"PCI DSS 7.2.4".to_owned()));

    let own = acknowledge(&job, at, "Boss+x@example.net").expect_err("a reviewer");
    assert!(own.contains("is one of the reviewers"), "{own}");
    assert_eq!(job.entries(), 3);
    let copy = Job::new(world(), LEFT_AND_GONE);
    crate::support::copy(&job.evidence(), &copy.evidence());
    // The revocation is not carried out, so this acknowledgement does not support PCI DSS.
    acknowledge(&copy, at, "ceo@example.net").expect("an acknowledgement");
    assert!(!controls(part(&copy, "acknowledge")).contains(&"PCI DSS 7.2.4".to_owned()));
    assert_verifies(&copy);

    let mut without = world();
    without
        .people
        .retain(|person| json!(person.gid) != json!(revoked));
    assert_eq!(job.run_at("2026-11-04T22:40:00Z", without), 0);
    acknowledge(&job, at, "ceo@example.net").expect("an acknowledgement");
    assert_eq!(job.entry(5)["kind"], "review_acknowledge");
    assert!(controls(part(&job, "acknowledge")).contains(&"PCI DSS 7.2.4".to_owned()));
    assert_verifies(&job);
    let again = acknowledge(&job, at, "cfo@example.net").expect_err("acknowledged");
    assert!(
        again.contains("was acknowledged by ledger entry 5"),
        "{again}"
    );

    // A changed statement is found, and so is a count of open decisions that the run contradicts.
    let file = part(&job, "acknowledge").join("acknowledgement.json");
    let bytes = fs::read_to_string(&file).expect("text");
    fs::write(&file, bytes.replace("is right", "is wrong")).expect("a file");
    assert_eq!((verify(&job.evidence(), &[]).code, script(&job)), (5, 5));
}

fn opened_again(job: &Job, as_of: &str) -> command::ReviewProgress {
    let asked = OpenArguments {
        name: "next".to_owned(),
        due: "2027-12-31".parse().expect("a day"),
        yes: true,
        ..OpenArguments::default()
    };
    at_review(job, as_of, async |settings, moment, clock| {
        command::open(settings, &asked, moment, clock).await
    })
}

#[test]
fn a_review_begins_although_the_last_one_was_altered() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2026-11-02T09:00:00Z", "q4");
    let keep_all = |_: &asana_access_review::review::FrozenRow| Some((Decision::Keep, ""));
    close_by_boss(&job, "2026-11-02T17:00:00Z", &opened, keep_all, None);
    let altered = part(&job, "close").join("review.json");
    fs::write(&altered, "{}").expect("a file");
    assert_eq!(job.run_at("2026-11-02T22:40:00Z", world()), 4);
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", world()), 4);

    let next = opened_again(&job, "2026-11-04T09:00:00Z");
    let not_compared = next.frozen.worksheet.not_compared.clone().expect("a fault");
    assert_eq!(not_compared.sequence, 3);
    assert!(
        not_compared.reason.contains("review.json was modified"),
        "{not_compared:?}"
    );
    assert!(command::text(&next, true).contains("the worksheet records this"));
    close_by_boss(&job, "2026-11-04T17:00:00Z", &next, keep_all, None);
    assert_eq!(job.run_at("2026-11-04T22:40:00Z", world()), 0);
    assert_eq!(check(&job, 8, "review_due")["status"], "pass");
    // The altered file is the only fault.
    let seen = verify(&job.evidence(), &[]);
    assert_eq!(seen.code, 5);
    let reported: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    let faults = reported["integrity"]["faults"].as_array().map(Vec::len);
    assert_eq!(faults, Some(1), "{}", seen.stdout);
}

#[test]
fn a_review_begins_although_the_entry_of_the_last_one_was_altered() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2026-11-02T09:00:00Z", "q4");
    let keep_all = |_: &asana_access_review::review::FrozenRow| Some((Decision::Keep, ""));
    close_by_boss(&job, "2026-11-02T17:00:00Z", &opened, keep_all, None);
    assert_eq!(job.run_at("2026-11-02T22:40:00Z", world()), 0);
    let entry = job.connection().join("ledger/0000000003.json");
    let text = fs::read_to_string(&entry).expect("an entry");
    fs::write(&entry, text.replace("pass", "fail")).expect("a file");
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", world()), 4);
    let next = opened_again(&job, "2026-11-04T09:00:00Z");
    let not_compared = next.frozen.worksheet.not_compared.clone();
    assert_eq!(not_compared.expect("a fault").sequence, 3);
    close_by_boss(&job, "2026-11-04T17:00:00Z", &next, keep_all, None);
    assert_eq!(job.run_at("2026-11-04T22:40:00Z", world()), 0);
}

#[test]
fn a_review_begins_although_the_last_one_has_expired() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE)
        .env("EVIDENCE_RETENTION_DAYS", "30")
        .env("HR_FEED_MAX_AGE", "off");
    assert_eq!(job.run_at("2025-01-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2025-01-02T09:00:00Z", "q4");
    let keep_all = |_: &asana_access_review::review::FrozenRow| Some((Decision::Keep, ""));
    close_by_boss(&job, "2025-01-02T17:00:00Z", &opened, keep_all, None);
    assert_eq!(job.run_at("2025-01-03T22:40:00Z", world()), 0);
    fs::remove_dir_all(part(&job, "close").parent().expect("a folder")).expect("a folder");
    let code = job.run_at("2025-03-20T22:40:00Z", world());
    assert_eq!(code, 0, "{}", job.json(5, "result.json")["reasons"]);
    let next = opened_again(&job, "2025-03-21T09:00:00Z");
    let not_compared = next
        .frozen
        .worksheet
        .not_compared
        .clone()
        .expect("a reason");
    assert!(
        not_compared.reason.contains("its retention has ended"),
        "{not_compared:?}"
    );
    close_by_boss(&job, "2025-03-21T17:00:00Z", &next, keep_all, None);
    assert_verifies(&job);
}

#[test]
fn status_has_a_text_for_late_reviewers_and_the_newest_follow_ups() {
    let world = || World::generated(12);
    let job = Job::new(world(), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", world()), 0);
    let opened = open_for_boss(&job, "2026-11-02T09:00:00Z", "q4");
    let status = || {
        at_review(&job, "2028-01-02T09:00:00Z", async |settings, moment, _| {
            command::status(settings, &DecisionArguments::default(), moment).await
        })
    };
    let text = command::text(&status(), true);
    for wanted in [
        "OVERDUE",
        "send to boss@example.net",
        "Access review q4: 11 rows to decide",
        "was due on 2027-12-31",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(!command::text(&status(), false).contains('@'));
    let revoked = opened.frozen.worksheet.rows[3].account_id.clone();
    let decide = |row: &asana_access_review::review::FrozenRow| {
        let is_it = row.account_id == revoked;
        Some((
            if is_it {
                Decision::Revoke
            } else {
                Decision::Keep
            },
            "",
        ))
    };
    close_by_boss(&job, "2026-11-02T17:00:00Z", &opened, decide, None);
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", world()), 0);
    let text = command::text(&status(), true);
    for wanted in [
        "CLOSED ".to_owned(),
        "1: 0 done, 1 open, 0 granted again (run of 2026-11-03 22:40 UTC)".to_owned(),
        format!("account {revoked}: revoke (decided 2026-11-02)"),
        "not yet: `review acknowledge".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
}

#[test]
fn the_report_shows_every_decision_and_how_each_person_decided() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, |number, row| {
        keep(number, row);
        row[NOTE] = format!("reason number {number}");
        if number == 2 {
            row[DECISION] = "revoke".to_owned();
        }
    });
    let file = saved(&job, "d.csv", &rows, b',');
    assert_eq!(close(&job, &file, &ACCEPT).code, 0);
    let report = fs::read_to_string(part(&job, "close").join("report.html")).expect("text");
    for number in 1..rows.len() {
        assert!(
            report.contains(&format!("reason number {number}<")),
            "{number}"
        );
    }
    let decider = &review(&job)["deciders"][0];
    assert_eq!(
        (&decider["decided"], &decider["kept"], &decider["with_note"]),
        (&json!(11), &json!(10), &json!(11))
    );
    assert_eq!(decider["median_seconds"], Value::Null);
    assert!(report.contains("<td>90 %</td>"), "kept");
}

/// Reviewers who are employees. The second one works until the end of this day, if there is one.
fn roster(job: &Job, last_day: &str) {
    let status = if last_day.is_empty() {
        "Active"
    } else {
        "Terminated"
    };
    job.hr_file(
        format!(
            "Employee ID,Name,Work Email,Status,Termination Date\n\
             E1,One,person1@example.com,Active,\n\
             E3,Three,person3@example.com,{status},{last_day}\n\
             E6,Boss,boss@example.net,Active,\n"
        )
        .as_bytes(),
    );
}

/// A review whose second reviewer leaves on 10 November, as the run of 12 November shows.
fn reviewed_by_a_leaver() -> (Job, command::ReviewProgress) {
    let world = || World::generated(12);
    let job = Job::new(world(), "").env("HR_FEED_SCOPE", "roster");
    roster(&job, "");
    assert!([0, 3].contains(&job.run_at("2026-11-01T22:40:00Z", world())));
    let lines = "role,guest,person1@example.com,\nperson,person3@example.com,person1@example.com,\n\
                 default,,person3@example.com,\n";
    let asked = OpenArguments {
        name: "q4".to_owned(),
        due: "2027-12-31".parse().expect("a day"),
        reviewers: Some(reviewers(&job, lines).into()),
        ..OpenArguments::default()
    };
    let opened = at_review(
        &job,
        "2026-11-02T09:00:00Z",
        async |settings, moment, clock| command::open(settings, &asked, moment, clock).await,
    );
    roster(&job, "2026-11-10");
    assert!([0, 3, 4].contains(&job.run_at("2026-11-12T22:40:00Z", world())));
    (job, opened)
}

/// The file that the page saves: every row of a reviewer is kept, the last one at `last`, the others at `at`.
fn saved_by_page(
    job: &Job,
    opened: &command::ReviewProgress,
    [who, reviewer]: [&str; 2],
    [at, last]: [&str; 2],
) -> PathBuf {
    let frozen = &opened.frozen;
    let reviewer = email(reviewer);
    let rows = frozen.worksheet.rows.iter();
    let rows: Vec<_> = rows
        .filter(|row| row.reviewer.as_ref() == Some(&reviewer))
        .collect();
    let mut lines = vec![json!({
        "schema": "asana-access-review/decisions/v1",
        "review": frozen.worksheet.review,
        "review_sha256": frozen.sha256,
        "reviewer": who,
        "exported_at": at,
        "decisions": rows.len(),
    })];
    lines.extend(rows.iter().enumerate().map(|(place, row)| {
        json!({
            "row": row.row,
            "account_id": row.account_id,
            "decision": "keep",
            "new_role": null,
            "note": "needed for the work",
            "decided_at": if place + 1 == rows.len() { last } else { at },
        })
    }));
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let path = job.place().join(format!("{who}.jsonl"));
    fs::write(&path, lines.join("\n")).expect("a file");
    path
}

fn decisions(files: &[&Path]) -> DecisionArguments {
    DecisionArguments {
        decisions: files.iter().map(|file| file.to_path_buf()).collect(),
        ..DecisionArguments::default()
    }
}

/// Closes the review after the run that shows the leaver.
fn closed_later(job: &Job, of: DecisionArguments) -> Result<command::ReviewProgress, String> {
    let asked = CloseArguments {
        of,
        ..CloseArguments::default()
    };
    let closed = tried_at(
        job,
        "2026-11-13T09:00:00Z",
        async |settings, moment, clock| command::close(settings, &asked, moment, clock).await,
    );
    closed.map_err(|error| command::failure(&error, false))
}

#[test]
fn a_reviewer_who_leaves_decides_only_until_the_end_of_work() {
    let (job, opened) = reviewed_by_a_leaver();
    let (own, other) = ("person3@example.com", "person1@example.com");
    let day = "2026-11-08T12:00:00Z";
    let first = saved_by_page(&job, &opened, [other, other], [day, day]);

    // A decision after the end of work counts for nothing.
    let late = saved_by_page(&job, &opened, [own, own], [day, "2026-11-11T12:00:00Z"]);
    let refused = closed_later(&job, decisions(&[&first, &late])).expect_err("a late decision");
    let reason =
        "is decided by a person who has left, according to HR: another person must decide it";
    assert_eq!(refused.matches(reason).count(), 1, "{refused}");
    assert_eq!(job.entries(), 3);

    // Nor does a spreadsheet, which has no times.
    let spreadsheet = filled(&job, |number, row| {
        keep(number, row);
        row[DECIDED_BY] = row[20].clone();
    });
    let spreadsheet = saved(&job, "d.csv", &spreadsheet, b',');
    let refused = closed_later(&job, decisions(&[&spreadsheet])).expect_err("no times");
    assert!(refused.contains("without a time between"), "{refused}");

    // Decisions before the end of work count.
    let in_time = saved_by_page(&job, &opened, [own, own], [day, day]);
    closed_later(&job, decisions(&[&first, &in_time])).expect("a closed review");
    assert_eq!(review(&job)["people_run"]["sequence"], 3);
    assert_eq!(review(&job)["snapshot"]["sequence"], 1);
    assert_verifies(&job);
}

#[test]
fn the_rows_of_a_reviewer_who_left_go_to_another_person() {
    let (job, opened) = reviewed_by_a_leaver();
    let (own, other) = ("person3@example.com", "person1@example.com");
    let day = "2026-11-08T12:00:00Z";
    let first = saved_by_page(&job, &opened, [other, other], [day, day]);
    let asked = decisions(&[&first]);
    let status = at_review(&job, "2026-11-13T09:00:00Z", async |settings, moment, _| {
        command::status(settings, &asked, moment).await
    });
    let text = command::text(&status, true);
    assert!(
        text.contains("HAS LEFT according to HR: reassign the rows"),
        "{text}"
    );
    assert!(!text.contains("send to"), "{text}");

    // The boss takes over, also the rows that were decided in time.
    let given_on = reviewers(
        &job,
        "reassign,person3@example.com,boss@example.net,has left\n",
    );
    let by_boss = saved_by_page(&job, &opened, ["boss@example.net", own], [day, day]);
    let of = DecisionArguments {
        reassigned: Some(given_on.into()),
        ..decisions(&[&first, &by_boss])
    };
    closed_later(&job, of).expect("a closed review");
    assert_verifies(&job);
}

#[test]
fn a_person_who_left_after_the_opening_cannot_acknowledge() {
    let (job, opened) = reviewed_by_a_leaver();
    let day = "2026-11-08T12:00:00Z";
    let reviewers = ["person1@example.com", "person3@example.com"];
    let files = reviewers.map(|who| saved_by_page(&job, &opened, [who, who], [day, day]));
    closed_later(&job, decisions(&[&files[0], &files[1]])).expect("a closed review");
    job.hr_file(
        b"Employee ID,Name,Work Email,Status,Termination Date\n\
          E1,One,person1@example.com,Active,\n\
          E3,Three,person3@example.com,Terminated,2026-11-10\n\
          E6,Boss,boss@example.net,Terminated,2026-11-14\n",
    );
    assert!([0, 3, 4].contains(&job.run_at("2026-11-16T22:40:00Z", World::generated(12))));
    let left = acknowledge(&job, "2026-11-17T09:00:00Z", "boss@example.net").expect_err("left");
    assert!(
        left.contains("the person of --by has left, according to HR"),
        "{left}"
    );
    // The next run cannot use its feed, so HR is known only as of the run before.
    job.hr_file(b"no table");
    assert!([3, 4].contains(&job.run_at("2026-11-17T22:40:00Z", World::generated(12))));
    let text = acknowledge(&job, "2026-11-18T09:00:00Z", "ceo@example.net");
    let text = text.expect("an acknowledgement");
    assert!(
        text.contains("could use the HR feed is of 2026-11-16"),
        "{text}"
    );
    assert_verifies(&job);

    // Months later, nothing shows who has left since.
    job.hr_feed("E1,One,person1@example.com,Active,\n");
    assert!([0, 3, 4].contains(&job.run_at("2026-11-19T22:40:00Z", World::generated(12))));
    let status = at_review(
        &job,
        "2027-03-01T09:00:00Z",
        async |settings, moment, clock| {
            command::open(
                settings,
                &OpenArguments {
                    name: "next".to_owned(),
                    due: "2027-12-31".parse().expect("a day"),
                    ..OpenArguments::default()
                },
                moment,
                clock,
            )
            .await
        },
    );
    let text = command::text(&status, false);
    assert!(
        text.contains("could use the HR feed is of 2026-11-19"),
        "{text}"
    );
}

#[test]
fn titles_and_departments_of_an_hr_system_are_in_the_worksheet() {
    let world = World::generated(12).hris(Hris::generated(12));
    let url = format!("truto-hris://{HRIS_CONNECTION_ID}");
    let job = Job::new(world, "").env("HR_FEED_URL", &url);
    assert!([0, 3].contains(&job.run().code));
    assert_eq!(open(&job, &[]).code, 0);
    let sheet = worksheet(&job);
    let rows = sheet["rows"].as_array().expect("rows");
    let known: Vec<&Value> = rows
        .iter()
        .filter(|row| row["title"] == "Engineer")
        .collect();
    assert!(known.len() > 5, "{sheet}");
    assert!(
        known.iter().all(|row| row["department"] == "Research"),
        "{sheet}"
    );
}

/// A run at an instant, with this HR file; some people have another address, or none and no account.
fn run_with_changes(job: &Job, as_of: &str, hr: &str, changes: &[(&str, Option<&str>)]) {
    job.hr_file(hr.as_bytes());
    let mut world = World::generated(12);
    for (was, now) in changes {
        let of = |email: &Option<String>| email.as_deref() == Some(*was);
        world
            .people
            .retain(|of_person| now.is_some() || !of(&of_person.email));
        for person in world.people.iter_mut().filter(|person| of(&person.email)) {
            person.email = now.map(str::to_owned);
        }
    }
    let code = job.run_at(as_of, world);
    assert!([0, 3, 4].contains(&code), "{code}");
    assert_eq!(job.entry(job.entries() as u64)["complete"], true);
}

/// A review for which each person but the owner may decide.
fn open_for_all(job: &Job) -> command::ReviewProgress {
    let asked = OpenArguments {
        name: "q4".to_owned(),
        due: "2027-12-31".parse().expect("a day"),
        ..OpenArguments::default()
    };
    let at = "2026-11-02T09:00:00Z";
    at_review(job, at, async |settings, moment, clock| {
        command::open(settings, &asked, moment, clock).await
    })
}

/// A spreadsheet whose rows `who` decides by address of the account.
fn decided_by(job: &Job, who: impl Fn(&str) -> &'static str) -> PathBuf {
    let rows = filled(job, |number, row| {
        keep(number, row);
        row[DECIDED_BY] = who(&row[2]).to_owned();
    });
    saved(job, "d.csv", &rows, b',')
}

const EMPLOYED: &str = "Employee ID,Name,Work Email,Status,Termination Date\n\
    E1,One,person1@example.com,Active,\n\
    E3,Three,person3@example.com,Active,\n\
    E6,Boss,boss@example.net,Active,\n";

fn roster_job(hr: &str) -> Job {
    let job = Job::new(World::generated(12), "").env("HR_FEED_SCOPE", "roster");
    run_with_changes(&job, "2026-11-01T22:40:00Z", hr, &[]);
    job
}

#[test]
fn a_new_address_does_not_make_an_owner_or_reviewer_another_person() {
    let without_ids = EMPLOYED.replace("Employee ID,", "");
    let without_ids = without_ids
        .replace("E1,", "")
        .replace("E3,", "")
        .replace("E6,", "");
    for employed in [EMPLOYED, &without_ids] {
        let job = roster_job(employed);
        open_for_all(&job);
        let changes = [
            ("person1@example.com", Some("one.new@example.com")),
            ("person3@example.com", Some("three.new@example.com")),
        ];
        let now = changes.iter().fold(employed.to_owned(), |hr, (was, now)| {
            hr.replace(was, now.expect("an address"))
        });
        run_with_changes(&job, "2026-11-12T22:40:00Z", &now, &changes);
        let own = decided_by(&job, |email| match email {
            "person1@example.com" => "one.new@example.com",
            _ => "boss@example.net",
        });
        let refused = closed_later(&job, decisions(&[&own])).expect_err("the own row");
        let reason = "is decided by the owner of its account";
        assert_eq!(refused.matches(reason).count(), 1, "{refused}");

        let by_others = decided_by(&job, |email| match email {
            "person1@example.com" => "boss@example.net",
            _ => "one.new@example.com",
        });
        closed_later(&job, decisions(&[&by_others])).expect("a closed review");
        let at = "2026-11-13T10:00:00Z";
        let same = acknowledge(&job, at, "person1@example.com").expect_err("a reviewer");
        assert!(same.contains("is one of the reviewers"), "{same}");
        acknowledge(&job, at, "three.new@example.com").expect("a second person");
        assert_verifies(&job);
    }
}

#[test]
fn a_leaver_whose_address_hr_replaced_on_leaving_has_left() {
    let private = EMPLOYED.replace(
        "person3@example.com,Active,",
        "three@private.example,Terminated,2026-11-10",
    );
    // With the account gone, and with the account still there under the private address.
    for now in [None, Some("three@private.example")] {
        let job = roster_job(EMPLOYED);
        open_for_all(&job);
        let changes = [("person3@example.com", now)];
        run_with_changes(&job, "2026-11-12T22:40:00Z", &private, &changes);
        let file = decided_by(&job, |email| match email {
            "person3@example.com" => "boss@example.net",
            _ => "person3@example.com",
        });
        let of = DecisionArguments {
            accept_reviewer: vec![email("person3@example.com")],
            ..decisions(&[&file])
        };
        let refused = closed_later(&job, of).expect_err("a leaver");
        assert!(refused.contains("by a person who has left"), "{refused}");
    }
}

#[test]
fn a_row_that_hr_writes_wrongly_leaves_it_unknown_who_may_decide() {
    let active = "E3,Three,person3@example.com,Active,\n";
    for row in [
        "E3,Three,person3@example.com,Terminated,2026-99-99\n",
        "E3,Three,person3@example.com,Vanished?,\n",
        // The address of a leaver, which another employed person has too.
        "E3,Three,person3@example.com,Terminated,2026-11-10\nE9,Team Box,person3@example.com,Active,\n",
    ] {
        let job = roster_job(EMPLOYED);
        open_for_all(&job);
        let now = EMPLOYED.replace(active, row);
        run_with_changes(&job, "2026-11-12T22:40:00Z", &now, &[]);
        let file = decided_by(&job, |email| match email {
            "person3@example.com" => "boss@example.net",
            _ => "person3@example.com",
        });
        let refused = closed_later(&job, decisions(&[&file])).expect_err(row);
        let reason = "neither Asana nor HR knows the person who decided";
        assert!(refused.contains(reason), "{row}\n{refused}");
    }
}

#[test]
fn a_run_that_could_not_use_the_hr_feed_does_not_show_who_has_left() {
    let (job, opened) = reviewed_by_a_leaver();
    run_with_changes(&job, "2026-11-12T23:40:00Z", "foo,bar\n1,2\n", &[]);
    let (own, other) = ("person3@example.com", "person1@example.com");
    let (day, late) = ("2026-11-08T12:00:00Z", "2026-11-11T12:00:00Z");
    let first = saved_by_page(&job, &opened, [other, other], [day, day]);
    let too_late = saved_by_page(&job, &opened, [own, own], [day, late]);
    let refused = closed_later(&job, decisions(&[&first, &too_late])).expect_err("late");
    assert!(refused.contains("by a person who has left"), "{refused}");
    let in_time = saved_by_page(&job, &opened, [own, own], [day, day]);
    closed_later(&job, decisions(&[&first, &in_time])).expect("a closed review");
    assert_eq!(review(&job)["people_run"]["sequence"], 3);
    assert_verifies(&job);
}

#[test]
fn a_time_outside_of_the_review_or_in_a_spreadsheet_does_not_count() {
    let (job, opened) = reviewed_by_a_leaver();
    let (own, other) = ("person3@example.com", "person1@example.com");
    let (day, old) = ("2026-11-08T12:00:00Z", "1970-01-01T00:00:00Z");
    let first = saved_by_page(&job, &opened, [other, other], [day, old]);
    let old = saved_by_page(&job, &opened, [own, own], [day, old]);
    let asked = decisions(&[&first, &old]);
    let status = at_review(&job, "2026-11-13T09:00:00Z", async |settings, moment, _| {
        command::status(settings, &asked, moment).await
    });
    let note = "1 decision has a time before the opening or after the closing";
    assert!(command::text(&status, false).contains(note));
    let refused = closed_later(&job, asked).expect_err("a time of 1970");
    let reason = "without a time between opening and closing";
    assert_eq!(refused.matches(reason).count(), 1, "{refused}");

    let mut rows = filled(&job, |number, row| {
        keep(number, row);
        row[DECIDED_BY] = row[20].clone();
    });
    for (number, row) in rows.iter_mut().enumerate() {
        row.push(if number == 0 { "decided_at" } else { day }.to_owned());
    }
    let spreadsheet = saved(&job, "d.csv", &rows, b',');
    let refused = closed_later(&job, decisions(&[&spreadsheet])).expect_err("typed times");
    assert!(refused.contains(reason), "{refused}");

    // The decision of a person who has not left still counts.
    let in_time = saved_by_page(&job, &opened, [own, own], [day, day]);
    closed_later(&job, decisions(&[&first, &in_time])).expect("a closed review");
    let rows = review(&job)["rows"].clone();
    let without = rows.as_array().expect("rows").iter();
    assert_eq!(without.filter(|row| row["decided_at"].is_null()).count(), 1);
    assert_verifies(&job);
}

#[test]
fn a_late_decision_of_a_leaver_is_skipped_if_another_person_decides() {
    let (job, opened) = reviewed_by_a_leaver();
    let (own, other) = ("person3@example.com", "person1@example.com");
    let (day, late) = ("2026-11-08T12:00:00Z", "2026-11-11T12:00:00Z");
    let first = saved_by_page(&job, &opened, [other, other], [day, day]);
    let mixed = saved_by_page(&job, &opened, [own, own], [day, late]);
    let mut rows = opened.frozen.worksheet.rows.iter();
    let last = rows
        .rfind(|row| row.reviewer == Some(email(own)))
        .expect("a row");
    let line = format!("reassign,{},boss@example.net,has left\n", last.account_id);
    let given_on = reviewers(&job, &line);
    let of = |files: &[&Path]| DecisionArguments {
        reassigned: Some(given_on.clone().into()),
        ..decisions(files)
    };
    let missing = closed_later(&job, of(&[&first, &mixed])).expect_err("an undecided row");
    assert!(
        missing.contains(&format!("row {}, account", last.row)),
        "{missing}"
    );
    let sheet = filled(&job, |number, row| {
        if row[0] == last.row.to_string() {
            keep(number, row);
        }
    });
    let by_boss = saved(&job, "boss.csv", &sheet, b',');
    let closed = closed_later(&job, of(&[&first, &mixed, &by_boss])).expect("a closed review");
    let text = command::text(&closed, false);
    assert!(
        text.contains("1 decision was skipped: the reviewer has left"),
        "{text}"
    );
    assert_eq!(
        review(&job)["rows"][last.row as usize - 1]["decided_by"],
        "boss@example.net"
    );
    assert_verifies(&job);
}
