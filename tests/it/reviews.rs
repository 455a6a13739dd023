//! Periodic access reviews from end to end: the real binary opens, reports and closes them.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::job::{Ended, Job, LEFT_AND_GONE, verify};
use crate::support::receiver::{Answer, Receiver};
use crate::support::review::{
    DECIDED_BY, DECISION, NOTE, OUTSIDERS, assert_verifies, filled, filled_in, hash, keep,
    outsiders, part, part_in, saved, worksheet,
};
use crate::support::review::{at as at_review, tried_at};
use crate::support::s3::S3Server;
use crate::support::{files_below, has};
use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::commands::review::{self as command, Moment};
use asana_access_review::evidence::{self, Manifest};
use asana_access_review::judgement::{Counts, Inputs, Verdict, judge};
use asana_access_review::review::Worksheet;
use serde_json::{Value, json};
use truto_simulator::{Action, CONNECTION_ID, Fault, Person, World};

/// A company with one run.
fn reviewed(hr_rows: &str) -> Job {
    let job = Job::new(World::generated(12), hr_rows);
    assert!([0, 3].contains(&job.run().code));
    job
}

fn open(job: &Job, more: &[&str]) -> Ended {
    let mut line = vec!["review", "open", "--name", "2026-Q4", "--due", "2999-12-31"];
    line.push("--yes");
    line.extend(more);
    job.run_with(&line)
}

fn close(job: &Job, files: &[&Path], more: &[&str]) -> Ended {
    let mut line = vec!["review", "close", "--decisions"];
    line.extend(files.iter().map(|path| path.to_str().expect("UTF-8")));
    line.extend(["--accept-reviewer", OUTSIDERS]);
    line.extend(more);
    job.run_with(&line)
}

#[test]
fn a_review_is_opened_decided_and_closed_and_verifies() {
    let job = reviewed(LEFT_AND_GONE);
    let opened = open(&job, &[]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert!(opened.stdout.contains("OPEN          review 2026-Q4-"));
    assert!(!opened.stdout.contains('@'), "{}", opened.stdout);
    assert_eq!(job.entry(2)["kind"], "review_open");
    assert_eq!(
        files_below(&part(&job, "open")),
        [
            "SHA256SUMS",
            "manifest.json",
            "worksheet.csv",
            "worksheet.html",
            "worksheet.json",
            "worksheet.xlsx"
        ]
    );
    let sheet = worksheet(&job);
    let rows = sheet["rows"].as_array().expect("rows").len() as u64;
    let left_out = sheet["left_out"]["without_access"]
        .as_u64()
        .expect("a count");
    assert_eq!(
        rows + left_out,
        job.json(1, "result.json")["summary"]["accounts"]["total"]
            .as_u64()
            .expect("a count")
    );
    assert_verifies(&job);

    let file = saved(
        &job,
        "decisions.csv",
        &filled(&job, |number, row| {
            keep(number, row);
            if number == 2 {
                row[DECISION] = "Revoke".to_owned();
                row[NOTE] = "=left the project".to_owned();
            }
        }),
        b',',
    );
    let closed = close(&job, &[&file], &[]);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    assert_eq!(job.entry(3)["kind"], "review_close");
    assert_eq!(job.entry(3)["verdict"], "pass");
    let review: Value = serde_json::from_slice(
        &fs::read(part(&job, "close").join("review.json")).expect("a review"),
    )
    .expect("JSON");
    assert_eq!(review["totals"]["decided"], review["totals"]["rows"]);
    assert_eq!(review["totals"]["by_decision"]["revoke"], 1);
    let decisions = fs::read_to_string(part(&job, "close").join("decisions.csv")).expect("text");
    assert!(decisions.contains("'=left the project"), "{decisions}");
    let report = fs::read_to_string(part(&job, "close").join("report.html")).expect("text");
    assert!(report.contains("=left the project") && report.contains("Sign-off"));
    assert_verifies(&job);

    let again = close(&job, &[&file], &[]);
    assert_eq!(again.code, 78);
    assert!(
        again.stderr.contains("no access review is open"),
        "{}",
        again.stderr
    );
}

#[test]
fn status_without_an_open_review_is_an_answer() {
    let job = reviewed(LEFT_AND_GONE);
    let none = job.run_with(&["review", "status", "--notify"]);
    assert_eq!(none.code, 78, "no receiver is set: {}", none.stderr);
    let none = job.run_with(&["review", "status"]);
    assert_eq!(none.code, 0, "{}", none.stderr);
    insta::assert_snapshot!(none.stdout, @"No access review is open. Open one with `asana-access-review review open --name 2026-Q4 --due 2026-12-31`.");
    let json = job.run_with(&["review", "status", "--json"]);
    assert_eq!(json.code, 0, "{}", json.stderr);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json, json!({ "review": null, "reviewers": [] }));
}

#[test]
fn a_missing_review_is_an_error_if_it_was_named_or_has_decisions() {
    let job = reviewed(LEFT_AND_GONE);
    fs::write(job.place().join("w.csv"), "").expect("a file");
    for arguments in [&["--review", "2026-Q4"], &["--decisions", "w.csv"]] {
        let ended = job.run_with(&[&["review", "status"], &arguments[..]].concat());
        assert_eq!(ended.code, 78, "{arguments:?}: {}", ended.stdout);
    }
    let elsewhere = job.env("EVIDENCE_URL", "elsewhere");
    let ended = elsewhere.run_with(&["review", "status"]);
    assert_eq!(ended.code, 78, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("the ledger is empty"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_worksheet_edited_in_a_spreadsheet_still_closes() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    // Columns in another order, semicolons, a byte order mark, and ids as a spreadsheet shortens
    // them.
    let rows: Vec<Vec<String>> = filled(&job, keep)
        .into_iter()
        .map(|mut row| {
            if row[1].parse::<u64>().is_ok_and(|id| id > 100_000_000_000) {
                row[1] = format!("{:.5E}", row[1].parse::<f64>().expect("a number"));
            }
            row.reverse();
            row
        })
        .collect();
    let path = saved(&job, "edited.csv", &rows, b';');
    let text = fs::read_to_string(&path).expect("text");
    fs::write(&path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).expect("a file");
    let closed = close(&job, &[&path], &[]);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
}

#[test]
fn a_worksheet_saved_as_xlsx_closes() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, keep);
    let path = job.folder.path().join("edited.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().set_name("About").expect("a sheet");
    let sheet = workbook.add_worksheet();
    for (line, row) in (0u32..).zip(&rows) {
        for (column, cell) in (0u16..).zip(row) {
            // A number, as a spreadsheet stores what a person typed.
            match cell.parse::<f64>() {
                Ok(number) if column == 0 => sheet.write_number(line, column, number),
                _ => sheet.write_string(line, column, cell),
            }
            .expect("a cell");
        }
    }
    workbook.save(&path).expect("a file");
    let closed = close(&job, &[&path], &[]);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
}

#[test]
fn the_xlsx_worksheet_is_reproducible_and_can_be_read() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let stored = fs::read(part(&job, "open").join("worksheet.xlsx")).expect("a file");
    let sheet: Worksheet = serde_json::from_value(worksheet(&job)).expect("a worksheet");
    assert_eq!(sheet.xlsx(&hash(&job)).expect("a file").bytes, stored);
    let untouched = part(&job, "open").join("worksheet.xlsx");
    let closed = close(&job, &[&untouched], &[]);
    assert_eq!(closed.code, 78);
    let missing = closed.stderr.matches("is undecided").count();
    assert_eq!(missing, sheet.rows.len(), "{}", closed.stderr);
}

#[test]
fn every_problem_is_listed_by_file_and_line_and_nothing_is_written() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, |number, row| {
        keep(number, row);
        match number {
            1 => {
                row[DECISION] = "revoke".to_owned();
                row[NOTE] = "-".to_owned();
            }
            2 => row[DECISION] = "perhaps".to_owned(),
            3 => row[26] = "ab".repeat(32),
            4 => row[0] = "4711".to_owned(),
            5 => row[1] = "9999999999999999".to_owned(),
            6 => row[DECIDED_BY] = row[2].clone(),
            7 => {
                row[DECISION] = "change_role".to_owned();
                row[NOTE] = "another role".to_owned();
            }
            8 => row[DECIDED_BY] = String::new(),
            _ => {}
        }
    });
    let one = saved(&job, "one.csv", &rows, b',');
    let two = saved(&job, "two.csv", &[rows[0].clone(), rows[9].clone()], b',');
    let closed = close(&job, &[&one, &two], &["--accept-incomplete", "no time"]);
    assert_eq!(closed.code, 78);
    let file = |number, path| in_a_log(number, path);
    let (first, second) = (file(1, &one), file(2, &two));
    for wanted in [
        format!("{first}, line 2: row 1: revoke needs a note"),
        format!("{first}, line 3: row 2: the decision must be"),
        format!("{first}, line 4: it belongs to another review"),
        format!("{first}, line 5: this review has no row 4711"),
        format!("{first}, line 6: row 5 is account"),
        format!("{first}, line 7: row 6 is decided by the owner"),
        format!("{first}, line 8: row 7: change_role needs a new role"),
        format!("{first}, line 9: row 8: `decided_by` must name"),
        format!("{second}, line 2: row 9 is decided twice: here keep, in line 10 of {first} keep"),
        "missing: row 1, account".to_owned(),
        "files are numbered in the order of the command line".to_owned(),
    ] {
        assert!(
            closed.stderr.contains(&wanted),
            "{wanted}\n{}",
            closed.stderr
        );
    }
    assert!(!closed.stderr.contains("one.csv"), "{}", closed.stderr);
    assert!(!closed.stderr.contains('@'), "{}", closed.stderr);
    assert_eq!(job.entries(), 2);
    assert!(!part(&job, "close").exists());
}

#[test]
fn a_whole_file_with_one_fault_is_reported_once() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, keep);
    let one = saved(&job, "one.csv", &rows, b',');
    let copy = saved(&job, "one (1).csv", &rows, b',');
    let of_spring = filled(&job, |number, row| {
        keep(number, row);
        row[26] = "ab".repeat(32);
    });
    let of_spring = saved(&job, "spring.csv", &of_spring, b',');
    let refused = close(&job, &[&one, &copy, &of_spring], &[]);
    assert_eq!(refused.code, 78);
    let files =
        [(1, &one), (2, &copy), (3, &of_spring)].map(|(number, path)| in_a_log(number, path));
    for wanted in [
        format!("{}: it has the same content as {}", files[1], files[0]),
        format!("{}: it belongs to another review", files[2]),
    ] {
        assert_eq!(
            refused.stderr.matches(&wanted).count(),
            1,
            "{}",
            refused.stderr
        );
    }
    assert_eq!(refused.stderr.matches("another review").count(), 1);
}

/// The name of a file of decisions in a log.
fn in_a_log(number: usize, path: &Path) -> String {
    let hash = evidence::sha256_hex(&fs::read(path).expect("a file"));
    format!("file {number} (SHA-256 {}…)", &hash[..12])
}

#[test]
fn a_terminal_shows_file_names_and_a_log_does_not() {
    let job = reviewed(LEFT_AND_GONE);
    open_at(&job, "2026-12-01T09:00:00Z");
    let rows = filled(&job, keep);
    let name = "2026-Q4-7f3a9c.boss-example-net.decisions.jsonl";
    let mut revoked = rows[1].clone();
    revoked[DECISION] = "revoke".to_owned();
    let named = saved(&job, name, &[rows[0].clone(), revoked], b',');
    let other = saved(&job, "other.csv", &rows, b',');
    let asked = DecisionArguments {
        decisions: vec![other.clone(), named],
        accept_reviewer: outsiders(),
        ..DecisionArguments::default()
    };
    let status = at_review(&job, "2026-12-02T09:00:00Z", async |settings, moment, _| {
        command::status(settings, &asked, moment).await
    });
    let person = command::text(&status, true);
    let twice = format!(
        "{name}, line 2: row 1 is decided twice: here revoke, in line 2 of other.csv keep; remove the file"
    );
    assert!(person.contains(&twice), "{person}");
    let log = command::text(&status, false);
    let first = in_a_log(1, &other);
    let twice = format!("row 1 is decided twice: here revoke, in line 2 of {first} keep");
    assert!(log.contains(&twice), "{log}");
    assert!(!log.contains("boss") && !log.contains("other.csv"), "{log}");
}

#[test]
fn decisions_are_read_from_a_folder_and_from_a_mounted_secret() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, keep);
    let (some, others) = rows.split_at(5);
    let others: Vec<_> = [&rows[..1], others].concat();
    let read = |name, rows: &[Vec<String>]| fs::read(saved(&job, name, rows, b',')).expect("one");
    let files = [
        ("zoe.csv", read("1", some)),
        ("Bob.csv", read("2", &others)),
        (".DS_Store", b"of a file manager".to_vec()),
    ];
    let folder = job.folder.path().join("review");
    let given_on = "rule,value,reviewer,note\nreassign,ada@example.net,boss@example.net,ill\n";
    let given_on = [("given-on.csv", given_on.as_bytes().to_vec())];
    crate::support::mount(&folder, &[&files[..], &given_on[..]].concat());
    let given_on = ["--reviewers", "review/given-on.csv"];
    let status = ["review", "status", "--accept-reviewer", OUTSIDERS];
    let status = [&status[..], &["--decisions", "review"]].concat();
    let status = job.run_with(&[&status[..], &given_on].concat());
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(!status.stdout.contains("faults: "), "{}", status.stdout);
    let closed = close(&job, &[&folder], &given_on);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    let review = fs::read(part(&job, "close").join("review.json")).expect("a review");
    let review: Value = serde_json::from_slice(&review).expect("JSON");
    let kept = review["decision_files"].as_array().expect("files").iter();
    let kept: Vec<_> = kept
        .map(|file| {
            (
                file["file"].as_str().expect("a name"),
                file["decisions"].as_u64(),
            )
        })
        .collect();
    let (some, others) = (some.len() as u64 - 1, others.len() as u64 - 1);
    assert_eq!(kept, [("Bob.csv", Some(others)), ("zoe.csv", Some(some))]);
    assert_verifies(&job);
}

#[test]
fn a_folder_with_other_things_than_files_is_refused_without_names() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let place = |name: &str| job.folder.path().join(name);
    for name in ["empty", "hidden", "deep/ada@example.com", "lost", "pipe"] {
        fs::create_dir_all(place(name)).expect("a folder");
    }
    fs::write(place("hidden/.one"), "x").expect("a file");
    std::os::unix::fs::symlink("nowhere", place("lost/bob@example.com")).expect("a link");
    let pipe = place("pipe/eve@example.com");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    fs::write(place("pipe/a.csv"), "x").expect("a file");
    let reported = |folder: &str| {
        let ended = job.run_with(&["review", "status", "--decisions", folder]);
        assert_eq!(ended.code, 78, "{}", ended.stdout);
        assert!(!ended.stderr.contains('@'), "{}", ended.stderr);
        ended.stderr
    };
    let all: String = ["empty", "hidden", "deep", "lost", "pipe", "none"]
        .map(reported)
        .concat();
    insta::assert_snapshot!(all, @"
    error: `empty` cannot be read: the folder has no file of decisions
    error: `hidden` cannot be read: the folder has no file of decisions
    error: file 1 of `deep` cannot be read: it is a folder: name each folder on the command line
    error: file 1 of `lost` cannot be read: No such file or directory (os error 2)
    error: file 2 of `pipe` cannot be read: it is not a regular file: remove it from the folder
    error: file 1 of --decisions cannot be read: No such file or directory (os error 2)
    ");
    assert_eq!(job.entries(), 2);
}

#[test]
fn an_incomplete_review_needs_a_reason_which_page_one_shows() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows: Vec<Vec<String>> = filled(&job, keep).into_iter().take(6).collect();
    let file = saved(&job, "some.csv", &rows, b',');
    let refused = close(&job, &[&file], &[]);
    assert_eq!(refused.code, 78, "{}", refused.stderr);
    assert!(refused.stderr.contains("--accept-incomplete"));

    let closed = close(
        &job,
        &[&file],
        &["--accept-incomplete", "two <b>reviewers</b> are ill"],
    );
    assert_eq!(closed.code, 4, "{}", closed.stderr);
    assert_eq!(job.entry(3)["complete"], false);
    let report = fs::read_to_string(part(&job, "close").join("report.html")).expect("text");
    let page_one = report.split("Sign-off").next().expect("a first part");
    assert!(page_one.contains("two &#60;b&#62;reviewers&#60;/b&#62; are ill"));
    assert_verifies(&job);
}

#[test]
fn a_reviewers_own_account_goes_to_the_next_matching_line() {
    let job = reviewed(LEFT_AND_GONE);
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = "rule,value,reviewer,note\n\
                person,person3@example.com,auditor@example.net,\n\
                role,admin,person1+x@example.com,\n\
                domain,example.com,person2@example.com,\n\
                default,,ciso@example.net,\n\
                reassign,auditor@example.net,deputy@example.net,the auditor is ill\n";
    fs::write(&reviewers, text).expect("a file");
    let opened = open(&job, &["--reviewers", reviewers.to_str().expect("UTF-8")]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let sheet = worksheet(&job);
    let of = |email: &str| {
        let rows = sheet["rows"].as_array().expect("rows").iter();
        let row = rows.clone().find(|row| row["email"] == email);
        row.unwrap_or_else(|| panic!("{email}"))["reviewer"].clone()
    };
    assert_eq!(of("person2@example.com"), "ciso@example.net");
    assert_eq!(of("person3@example.com"), "deputy@example.net");
    assert_eq!(of("person4@example.com"), "person2@example.com");
    for row in sheet["rows"].as_array().expect("rows") {
        assert_ne!(row["reviewer"], row["email"]);
    }

    // A person who is not the reviewer decides. That is refused until the row is reassigned, with a
    // note.
    let file = saved(&job, "d.csv", &filled(&job, keep), b',');
    let refused = close(&job, &[&file], &[]);
    assert!(refused.stderr.contains("a person who is not its reviewer"));
    let given_on = job.folder.path().join("given-on.csv");
    let lines = [
        "person2@example.com",
        "ciso@example.net",
        "deputy@example.net",
        "person1+x@example.com",
    ];
    let lines = lines.map(|who| format!("reassign,{who},boss@example.net,reorganised\n"));
    fs::write(
        &given_on,
        format!("rule,value,reviewer,note\n{}", lines.concat()),
    )
    .expect("a file");
    let closed = close(
        &job,
        &[&file],
        &["--reviewers", given_on.to_str().expect("UTF-8")],
    );
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    assert_verifies(&job);
}

#[test]
fn a_reviewers_file_that_assigns_a_row_to_its_owner_is_refused() {
    let job = reviewed(LEFT_AND_GONE);
    let reviewers = job.folder.path().join("reviewers.csv");
    fs::write(
        &reviewers,
        "rule,value,reviewer\ndefault,,person2@example.com\n",
    )
    .expect("a file");
    let opened = open(&job, &["--reviewers", reviewers.to_str().expect("UTF-8")]);
    assert_eq!(opened.code, 78);
    assert!(
        opened
            .stderr
            .contains("1 row has only its owner as a reviewer"),
        "{}",
        opened.stderr
    );
    assert_eq!(job.entries(), 1);
}

#[test]
fn a_review_of_a_run_with_a_fault_is_refused() {
    let job = reviewed(LEFT_AND_GONE);
    let accounts = job.run_folder(1).join("accounts.csv");
    let mut bytes = fs::read(&accounts).expect("a file");
    bytes.push(b' ');
    fs::write(&accounts, bytes).expect("a file");
    let opened = open(&job, &[]);
    assert_eq!(opened.code, 5);
    assert!(
        opened.stderr.contains("entry 1: accounts.csv was modified"),
        "{}",
        opened.stderr
    );
    assert_eq!(job.entries(), 1);
}

#[test]
fn both_verifiers_find_a_forged_review() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(&job, "d.csv", &filled(&job, keep), b',');
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    for (name, kind) in [
        ("open/worksheet.csv", "modified"),
        ("open/worksheet.json", "modified"),
        ("close/decisions.csv", "modified"),
        ("close/review.json", "modified"),
        ("close/manifest.json", "modified"),
        ("close/SHA256SUMS", "modified"),
        ("open/extra.txt", "extra_file"),
    ] {
        let (folder, file) = name.split_once('/').expect("a part");
        let path = part(&job, folder).join(file);
        let before = fs::read(&path).ok();
        fs::write(
            &path,
            [before.clone().unwrap_or_default(), b" ".to_vec()].concat(),
        )
        .expect("a file");
        let seen = verify(&job.evidence(), &[]);
        assert_eq!(seen.code, 5, "{name}");
        assert!(seen.stdout.contains(kind), "{name}: {}", seen.stdout);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
        let seen = Command::new("sh")
            .arg(script)
            .arg(job.evidence())
            .output()
            .expect("sh");
        let reported = String::from_utf8_lossy(&seen.stdout).into_owned();
        assert!(
            reported.contains(&format!("{kind} system=asana/")) && reported.contains(file),
            "{name}: {reported}"
        );
        match before {
            Some(before) => fs::write(&path, before).expect("a file"),
            None => fs::remove_file(&path).expect("a file"),
        }
    }
    fs::remove_dir_all(part(&job, "close")).expect("a folder");
    assert!(
        verify(&job.evidence(), &[])
            .stdout
            .contains("missing_folder")
    );
}

#[test]
fn the_next_review_shows_changes_and_earlier_decisions() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(
        &job,
        "d.csv",
        &filled(&job, |number, row| {
            keep(number, row);
            if number == 3 {
                row[DECISION] = "revoke".to_owned();
                row[NOTE] = "no longer needed".to_owned();
            }
        }),
        b',',
    );
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    let first = worksheet(&job);
    let world = World::generated(12).person(Person::member("1299", "New", "new@example.com"));
    job.simulator.set_world(world);
    assert_eq!(job.run().code, 0);
    let opened = job.run_with(&["review", "open", "--name", "2027-Q1", "--due", "2999-12-31"]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let name = job.entry(5)["run"].as_str().expect("a run").to_owned();
    let sheet = fs::read(job.connection().join(name).join("worksheet.json")).expect("a file");
    let sheet: Value = serde_json::from_slice(&sheet).expect("JSON");
    let of = |account: &Value| {
        let rows = sheet["rows"].as_array().expect("rows").iter();
        rows.clone()
            .find(|row| row["account_id"] == *account)
            .expect("a row")
            .clone()
    };
    let revoked = of(&first["rows"][2]["account_id"]);
    assert_eq!(revoked["previous_decision"], "revoke");
    assert_eq!(revoked["recommended"], "revoke");
    assert_eq!(revoked["changed"], "unchanged");
    assert_eq!(of(&json!("1299"))["changed"], "not in the last review");
}

#[test]
fn status_counts_by_reviewer_and_logs_no_names() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows: Vec<Vec<String>> = filled(&job, keep).into_iter().take(4).collect();
    let file = saved(&job, "some.csv", &rows, b',');
    let status = job.run_with(&[
        "review",
        "status",
        "--accept-reviewer",
        OUTSIDERS,
        "--decisions",
        file.to_str().expect("UTF-8"),
    ]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.contains("decided    3/"), "{}", status.stdout);
    assert!(status.stdout.contains("3 keep"));
    assert!(!status.stdout.contains('@'));
    assert_eq!(
        job.run_with(&["review", "status", "--review", "nothing"])
            .code,
        78
    );
}

fn status(job: &Job, file: &Path, more: &[&str]) -> Ended {
    let file = file.to_str().expect("UTF-8");
    let mut line = vec!["review", "status", "--accept-reviewer", OUTSIDERS];
    line.extend(["--decisions", file]);
    line.extend(more);
    job.run_with(&line)
}

/// Two reviewers. The first in the order of `status` has decided three rows.
fn review_in_progress(job: &Job) -> PathBuf {
    let lines = "rule,value,reviewer,note\nrole,admin,zoe@example.net,\ndefault,,boss@example.net,\n\
                 default,,zoe@example.net,\n";
    let reviewers = job.folder.path().join("reviewers.csv");
    fs::write(&reviewers, lines).expect("a file");
    let opened = open(job, &["--reviewers", reviewers.to_str().expect("UTF-8")]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let rows = filled(job, |_, row| {
        if row.iter().any(|cell| cell == "boss@example.net") {
            keep(0, row);
        }
    });
    saved(job, "some.csv", &rows, b',')
}

#[test]
fn status_as_json_names_reviewers_only_with_a_flag() {
    let job = reviewed(LEFT_AND_GONE);
    let file = review_in_progress(&job);
    let reported = |more: &[&str]| {
        let ended = status(&job, &file, more);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let value: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        (ended.stdout, value)
    };
    let (text, reported_without) = reported(&["--json"]);
    assert!(!text.contains('@'), "{text}");
    let total = worksheet(&job)["rows"].as_array().expect("rows").len();
    assert_eq!(reported_without["totals"]["rows"], total);
    assert_eq!(reported_without["review_sha256"], hash(&job));
    assert_eq!(reported_without["overdue"], false);
    assert_eq!(reported_without["not_in_order"], json!([]));
    let (_, with) = reported(&["--json", "--names"]);
    let reviewers = with["reviewers"].as_array().expect("reviewers");
    let reported: Vec<(&Value, &Value)> = reviewers
        .iter()
        .map(|of| (&of["reviewer"], &of["totals"]["undecided"]))
        .collect();
    let zoes = &reviewers[1]["totals"]["rows"];
    assert_eq!(
        reported,
        [
            (&json!("boss@example.net"), &json!(0)),
            (&json!("zoe@example.net"), zoes)
        ]
    );
    assert_eq!(reported_without["totals"]["undecided"], *zoes);

    let with = status(&job, &file, &["--names"]);
    assert!(
        with.stdout.contains("reviewer   zoe@example.net 0/"),
        "{}",
        with.stdout
    );
    let without = status(&job, &file, &[]).stdout;
    assert!(without.contains("reviewer   reviewer 2 0/"), "{without}");
}

#[test]
fn the_reminder_of_the_runbook_lists_reviewers_with_open_rows() {
    if !has(&["jq"]) {
        return;
    }
    let runbook =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/access-reviews.md"));
    let runbook = runbook.expect("the runbook");
    let filter = runbook
        .split_once("jq -r '")
        .and_then(|(_, rest)| rest.split_once('\''));
    let (filter, _) = filter.expect("a filter");
    let job = reviewed(LEFT_AND_GONE);
    let reported = status(&job, &review_in_progress(&job), &["--json", "--names"]).stdout;
    let path = job.folder.path().join("status.json");
    fs::write(&path, reported).expect("a file");
    let jq = Command::new("jq")
        .args(["-r", filter])
        .arg(&path)
        .output()
        .expect("jq");
    let zoes = worksheet(&job)["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["reviewer"] == "zoe@example.net")
        .count();
    assert!(zoes > 0);
    assert_eq!(
        String::from_utf8_lossy(&jq.stdout),
        format!(
            "zoe@example.net\tAccess review 2026-Q4: {zoes} row{} to decide\tfalse\n",
            if zoes == 1 { "" } else { "s" }
        )
    );
}

#[test]
fn status_as_json_lists_every_problem() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, |number, row| {
        keep(number, row);
        if number == 2 {
            row[DECISION] = "revoke".to_owned();
            row[NOTE] = String::new();
        }
    });
    let file = saved(&job, "all.csv", &rows, b',');
    let ended = status(&job, &file, &["--json"]);
    let reported: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(reported["not_in_order"].as_array().map(Vec::len), Some(1));
    let fault = &reported["not_in_order"][0];
    assert_eq!(
        (&fault["file"], &fault["line"]),
        (&json!(in_a_log(1, &file)), &json!(3))
    );
    let named = status(&job, &file, &["--json", "--names"]);
    let named: Value = serde_json::from_str(&named.stdout).expect("JSON");
    assert_eq!(named["not_in_order"][0]["file"], "all.csv");
    assert!(
        fault["text"]
            .as_str()
            .is_some_and(|text| text.contains("note")),
        "{fault}"
    );
    assert_eq!(reported["totals"]["undecided"], 1);
}

#[test]
fn each_step_sends_a_notification_with_the_head_and_without_names() {
    let receiver = Receiver::spawn();
    let job = reviewed(LEFT_AND_GONE)
        .env("NOTIFY_WEBHOOK_URL", &receiver.url("/hook"))
        .env(
            "NOTIFY_WEBHOOK_SECRET",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        )
        .env("NOTIFY_SLACK_WEBHOOK_URL", &receiver.url("/slack"))
        .env("NOTIFY_ON", "problem")
        .env("RUST_LOG", "info");
    let reported = |ended: &Ended, kind: &str| -> (Value, String) {
        let mut mail = receiver.take();
        mail.sort_by_key(|mail| mail.path.clone());
        let [hook, slack] = &mail[..] else {
            panic!("{kind}: {mail:?} {}", ended.stderr);
        };
        for mail in &mail {
            assert!(!mail.text().contains('@'), "{}", mail.text());
        }
        assert!(!ended.stderr.contains('@'), "{}", ended.stderr);
        let body = hook.json();
        assert_eq!(body["type"], kind);
        assert_eq!(
            hook.header("webhook-id"),
            format!(
                "run_{}_{CONNECTION_ID}",
                body["data"]["run"].as_str().expect("an id")
            )
        );
        (
            body["data"].clone(),
            slack.json()["text"].as_str().expect("a text").to_owned(),
        )
    };
    let head = |sequence: u64| {
        let entry = fs::read(job.connection().join(format!("ledger/{sequence:010}.json")));
        evidence::sha256_hex(&entry.expect("an entry"))
    };

    let file = review_in_progress(&job);
    let opened = Ended {
        code: 0,
        stdout: String::new(),
        stderr: String::new(),
    };
    let (data, text) = reported(&opened, "review.opened");
    assert_eq!(data["because"], json!(["review_opened"]));
    assert_eq!(data["ledger"], json!({ "sequence": 2, "head": head(2) }));
    assert_eq!(
        (&data["verdict"], &data["totals"]["decided"]),
        (&Value::Null, &json!(0))
    );
    assert!(
        text.contains("OPENED") && text.ends_with(&format!("ledger 2:{}", head(2))),
        "{text}"
    );

    // `status` notifies only with `--notify`.
    assert_eq!(status(&job, &file, &[]).code, 0);
    assert!(receiver.take().is_empty());
    let asked = status(&job, &file, &["--notify"]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let (data, text) = reported(&asked, "review.status");
    let rows = worksheet(&job)["rows"].as_array().expect("rows").len();
    assert_eq!(data["ledger"], Value::Null);
    assert_eq!(data["totals"]["rows"], rows);
    let reviewers = &data["reviewers"];
    assert_eq!(
        (&reviewers[0]["number"], &reviewers[1]["decided"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(reviewers[0]["decided"], reviewers[0]["rows"]);
    assert_eq!(
        (&data["overdue"], &data["reviewers_left_out"]),
        (&json!(false), &json!(0))
    );
    assert!(
        text.contains(&format!(
            "{} of {rows} rows decided",
            data["totals"]["decided"]
        )),
        "{text}"
    );
    assert!(!text.contains("ledger"), "{text}");

    let closed = close(
        &job,
        &[&file],
        &["--accept-incomplete", "zoe@example.net has left"],
    );
    assert_eq!(closed.code, 4, "{}", closed.stderr);
    let (data, text) = reported(&closed, "review.closed");
    assert_eq!(
        (&data["verdict"], &data["exit_code"]),
        (&json!("inconclusive"), &json!(4))
    );
    assert_eq!(data["ledger"], json!({ "sequence": 3, "head": head(3) }));
    assert!(text.contains("CLOSED, not every row is decided"), "{text}");
    let evidence = data["evidence"].as_str().expect("a key");
    assert!(job.evidence().join(evidence).join("report.html").exists());
    let noted = format!("3:{}", head(3));
    assert_eq!(verify(&job.evidence(), &["--head", &noted]).code, 0);
}

#[test]
fn a_failed_notification_changes_nothing_and_one_receiver_is_required() {
    let receiver = Receiver::spawn();
    receiver.answers([Answer::status(410)]);
    let job = reviewed(LEFT_AND_GONE)
        .env("NOTIFY_SLACK_WEBHOOK_URL", &receiver.url("/slack"))
        .env("RUST_LOG", "info");
    let opened = open(&job, &[]);
    assert_eq!(opened.code, 0);
    assert!(
        opened.stderr.contains("Could not notify"),
        "{}",
        opened.stderr
    );
    let alone = job.env("NOTIFY_SLACK_WEBHOOK_URL", "");
    let refused = alone.run_with(&["review", "status", "--notify"]);
    assert_eq!(refused.code, 78);
    assert!(
        refused.stderr.contains("--notify has no receiver"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_log_gives_each_reviewer_the_same_number_in_every_step() {
    let job = reviewed(LEFT_AND_GONE);
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = "rule,value,reviewer\nrole,admin,zoe@example.net\ndefault,,anna@example.net\n";
    fs::write(&reviewers, text).expect("a file");
    let opened = open(&job, &["--reviewers", "reviewers.csv"]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let rows = worksheet(&job)["rows"].as_array().expect("rows").len();
    assert_eq!(worksheet(&job)["rows"][0]["reviewer"], "zoe@example.net");
    assert!(
        opened
            .stdout
            .contains(&format!("reviewer 1: {} row", rows - 1))
    );
    assert!(opened.stdout.contains("reviewer 2: 1 row"));
    let status = job.run_with(&["review", "status"]);
    assert!(
        status
            .stdout
            .contains(&format!("reviewer 1 0/{}\n", rows - 1))
    );
    assert!(
        status.stdout.contains("reviewer 2 0/1\n"),
        "{}",
        status.stdout
    );
}

#[test]
fn a_review_whose_open_was_interrupted_is_opened_with_the_same_id() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    job.run_at("2026-11-01T22:40:00Z", World::generated(12));
    open_at(&job, "2026-11-02T09:00:00Z");
    let interrupted = job.entry(2)["run"].clone();
    fs::remove_file(job.connection().join("ledger/0000000002.json")).expect("an entry");
    open_at(&job, "2026-11-02T09:00:01Z");
    let opened = job.entry(2)["run"].clone();
    let id = |run: &Value| Some(run.as_str()?.split('/').nth(1)?.to_owned());
    assert_eq!(id(&interrupted), id(&opened));
    let seen = verify(&job.evidence(), &[]);
    let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(seen["chains"][0]["uncommitted"], json!([interrupted]));
    assert_verifies(&job);
}

fn open_at(job: &Job, as_of: &str) {
    open_as(job, as_of, "7f3a9c");
}

/// Opens a review. The suffix distinguishes two reviews of one name.
fn open_as(job: &Job, as_of: &str, suffix: &str) {
    let asked = OpenArguments {
        name: "2026-Q4".to_owned(),
        due: "2026-12-31".parse().expect("a day"),
        reviewers: None,
        yes: true,
        ..OpenArguments::default()
    };
    at_review(job, as_of, async |settings, moment, clock| {
        let moment = Moment {
            suffix: suffix.to_owned(),
            ..moment.clone()
        };
        command::open(settings, &asked, &moment, clock).await
    });
}

fn close_at(job: &Job, as_of: &str, decide: impl Fn(usize, &mut [String])) {
    close_as(job, as_of, None, &filled(job, decide));
}

/// Closes the review of that id, or the only one, with these rows.
fn close_as(job: &Job, as_of: &str, id: Option<&str>, rows: &[Vec<String>]) {
    let file = saved(job, "d.csv", rows, b',');
    let asked = CloseArguments {
        of: DecisionArguments {
            review: id.map(str::to_owned),
            decisions: vec![file],
            accept_reviewer: outsiders(),
            ..DecisionArguments::default()
        },
        ..CloseArguments::default()
    };
    at_review(job, as_of, async |settings, moment, clock| {
        command::close(settings, &asked, moment, clock).await
    });
}

/// A check of the run of a ledger entry.
fn check(job: &Job, sequence: u64, id: &str) -> Value {
    let result = job.json(sequence, "result.json");
    let checks = result["checks"].as_array().expect("checks").iter();
    let found = checks.clone().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("{id}")).clone()
}

fn follow_ups(job: &Job, sequence: u64) -> Vec<Value> {
    let result = job.json(sequence, "result.json");
    let of = result["follow_ups"]["decisions"].as_array();
    of.expect("follow-ups").clone()
}

#[test]
fn the_summary_of_a_run_lists_open_decisions() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, |number, row| {
        keep(number, row);
        if number == 4 {
            row[DECISION] = "revoke".to_owned();
            row[NOTE] = "left the project".to_owned();
        }
    });
    assert!(!job.run().stdout.contains("follow-ups"));
    let file = saved(&job, "d.csv", &rows, b',');
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    let snapshot = job.run();
    assert!(
        snapshot.stdout.contains("\n  follow-ups 1: 1 open\n"),
        "{}",
        snapshot.stdout
    );
}

#[test]
fn a_revocation_is_followed_up_until_it_is_proven() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    let snapshot = |day: &str, world: World| job.run_at(&format!("{day}T22:40:00Z"), world);
    assert_eq!(snapshot("2026-11-01", World::generated(12)), 0);
    open_at(&job, "2026-11-02T09:00:00Z");
    let account = worksheet(&job)["rows"][3]["account_id"].clone();
    close_at(&job, "2026-11-02T17:00:00Z", |number, row| {
        keep(number, row);
        if number == 4 {
            row[DECISION] = "revoke".to_owned();
            row[NOTE] = "left the project".to_owned();
        }
    });

    // Within the grace the decision is open, and the run passes.
    assert_eq!(snapshot("2026-11-02", World::generated(12)), 0);
    let of = follow_ups(&job, 4);
    assert_eq!(
        (&of[0]["account_id"], &of[0]["state"]),
        (&account, &json!("open"))
    );
    assert_eq!(of[0]["last_seen_before"], "2026-11-02T22:40:00Z");
    assert_eq!(check(&job, 4, "review_due")["status"], "pass");

    // Past the grace, the run fails.
    assert_eq!(snapshot("2026-11-10", World::generated(12)), 3);
    let finding = job.json(5, "result.json")["findings"][0].clone();
    assert_eq!(finding["kind"], "revocation_not_done");
    assert_eq!(finding["account_id"], account);
    assert_eq!(finding["deadline"], "2026-11-09T17:00:00Z");

    let counts = job.json(5, "result.json")["summary"].clone();
    let counts: Counts = serde_json::from_value(counts).expect("counts");
    assert_eq!(
        counts.conclusion(Verdict::Fail),
        "a decision of an access review was not carried out in time, or was undone"
    );

    // Missing in a complete list: done, within an interval.
    let mut without = World::generated(12);
    without.people.retain(|person| json!(person.gid) != account);
    assert_eq!(snapshot("2026-11-11", without), 0);
    let of = follow_ups(&job, 6);
    assert_eq!(of[0]["state"], "done");
    assert_eq!(of[0]["last_seen_before"], "2026-11-10T22:40:00Z");
    assert_eq!(of[0]["first_seen_done"], "2026-11-11T22:40:00Z");

    // Back again: a finding at once, without grace.
    assert_eq!(snapshot("2026-11-12", World::generated(12)), 3);
    assert_eq!(follow_ups(&job, 7)[0]["state"], "granted_again");
    let note = job.json(7, "result.json")["findings"][0]["note"].clone();
    assert!(
        note.as_str()
            .is_some_and(|note| note.contains("granted again")),
        "{note}"
    );
    assert_verifies(&job);
    let seen = verify(&job.evidence(), &[]);
    let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(seen["chains"][0]["decisions_recomputed"], 5, "{seen:#}");
    assert_eq!(seen["chains"][0]["reviews"], 2);
}

#[test]
fn an_overdue_review_is_only_a_warning() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-08-01T22:40:00Z", World::generated(12)), 0);
    assert_eq!(check(&job, 1, "review_due")["status"], "pass");
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    let due = check(&job, 2, "review_due");
    assert_eq!(due["status"], "warn");
    let detail = "no review has been closed yet, and one was due on 2026-10-30";
    assert_eq!(due["detail"], detail);

    open_at(&job, "2026-11-02T09:00:00Z");
    assert_eq!(job.run_at("2027-01-03T22:40:00Z", World::generated(12)), 0);
    let due = check(&job, 4, "review_due");
    let reported = due["detail"].as_str().expect("a text");
    assert!(
        reported.contains("2026-Q4-7f3a9c was due on 2026-12-31 and is not closed"),
        "{reported}"
    );
    assert_verifies(&job);
}

#[test]
fn a_review_closed_during_a_run_is_followed_up_by_the_next_run() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(
        &job,
        "d.csv",
        &filled(&job, |number, row| {
            keep(number, row);
            if number == 4 {
                row[DECISION] = "revoke".to_owned();
                row[NOTE] = "left the project".to_owned();
            }
        }),
        b',',
    );
    let slow = Action::Delay(Duration::from_secs(4));
    let world = World::generated(12).fault(Fault::once("user-directory/users$", slow));
    job.simulator.set_world(world);
    let seen = job.simulator.requests().len();
    let running = job.start();
    while job.simulator.requests().len() == seen {
        std::thread::sleep(Duration::from_millis(10));
    }
    // By now the run has read the ledger and waits for the accounts.
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    let snapshot = running.wait_with_output().expect("the binary");
    assert!(snapshot.status.success());
    assert_eq!(
        (job.entry(3)["kind"].clone(), job.entry(4)["kind"].clone()),
        (json!("review_close"), json!("run"))
    );
    assert_eq!(follow_ups(&job, 4).len(), 0);
    assert_eq!(job.run().code, 0);
    assert_eq!(follow_ups(&job, 5).len(), 1);
    assert_verifies(&job);
}

#[test]
fn a_review_with_missing_files_makes_every_run_inconclusive() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    open_at(&job, "2026-11-02T09:00:00Z");
    close_at(&job, "2026-11-02T17:00:00Z", keep);
    fs::remove_file(part(&job, "close").join("review.json")).expect("a file");
    assert_eq!(job.run_at("2026-11-02T22:40:00Z", World::generated(12)), 4);
    let reported = check(&job, 4, "ledger_continues")["detail"].clone();
    assert!(
        reported
            .as_str()
            .is_some_and(|reported| reported.contains("entry 3: review.json is missing")),
        "{reported}"
    );
    // The fault is recorded by now. But the decisions cannot be followed up, so the run stays
    // inconclusive.
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", World::generated(12)), 4);
    assert_eq!(check(&job, 5, "ledger_continues")["status"], "warn");
    assert_eq!(check(&job, 5, "review_due")["status"], "fail");
}

#[test]
fn every_file_of_a_review_matches_its_schema() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(&job, "d.csv", &filled(&job, keep), b',');
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    assert_eq!(job.run().code, 0);
    let validator = |name: &str| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{name}.schema.json"));
        let schema: Value =
            serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("a schema")
    };
    let closed = part(&job, "close");
    let opened = part(&job, "open");
    for (schema, path) in [
        ("worksheet", opened.join("worksheet.json")),
        ("review-manifest", opened.join("manifest.json")),
        ("review", closed.join("review.json")),
        ("review-manifest", closed.join("manifest.json")),
        (
            "ledger-entry",
            job.connection().join("ledger/0000000002.json"),
        ),
        (
            "ledger-entry",
            job.connection().join("ledger/0000000003.json"),
        ),
        ("result", job.run_folder(4).join("result.json")),
        ("facts", job.run_folder(4).join("inputs/facts.json")),
        ("manifest", job.run_folder(4).join("manifest.json")),
    ] {
        let value: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        let errors: Vec<String> = validator(schema)
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn a_review_of_a_signed_ledger_needs_the_key_and_is_signed() {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/ed25519.test-key.pem");
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/ed25519.pub.pem");
    let public = public.to_str().expect("UTF-8");
    let job = Job::new(World::generated(12), LEFT_AND_GONE)
        .env("EVIDENCE_SIGNING_KEY_FILE", key.to_str().expect("UTF-8"));
    assert_eq!(job.run().code, 0);
    assert_eq!(open(&job, &[]).code, 0);
    let file = saved(&job, "d.csv", &filled(&job, keep), b',');
    let job = job.env("EVIDENCE_SIGNING_KEY_FILE", "");
    let status = job.run_with(&["review", "status"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    let refused = close(&job, &[&file], &[]);
    assert_eq!(refused.code, 78);
    assert!(
        refused.stderr.contains("the ledger is signed (entry 2)"),
        "{}",
        refused.stderr
    );
    assert!(!part(&job, "close").exists());
    let job = job.env("EVIDENCE_SIGNING_KEY_FILE", key.to_str().expect("UTF-8"));
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    let seen = verify(&job.evidence(), &["--public-key", public]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);
    let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(seen["chains"][0]["signed"], 3);

    // A review that was added without the key is not believed by any command.
    let unsigned = job.connection().join("ledger/0000000003.json");
    let text = fs::read_to_string(&unsigned).expect("text");
    let (before, after) = text.split_once("\"key_sha256\": \"").expect("a key");
    fs::write(
        &unsigned,
        format!("{before}\"key_sha256\": \"none{}", &after[64..]),
    )
    .expect("a file");
    let opened = job.run_with(&["review", "open", "--name", "next", "--due", "2999-12-31"]);
    assert_eq!(opened.code, 5, "{}", opened.stderr);
}

#[test]
fn a_review_works_in_a_bucket_as_in_a_folder() {
    let server = S3Server::start(["evidence"]);
    let job = crate::support::in_bucket(Job::new(World::generated(12), LEFT_AND_GONE), &server);
    assert_eq!(job.run().code, 0);
    let opened = open(&job, &[]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert!(
        opened
            .stdout
            .contains("hand out   s3://evidence/n/system=asana/"),
        "{}",
        opened.stdout
    );
    let status = job.run_with(&["review", "status"]);
    assert!(status.stdout.contains("decided    0/"), "{}", status.stdout);
    let seen = job.run_with(&["verify"]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);
}

/// Recomputes the last run from other inputs and writes everything again: files, manifest, sums and
/// entry. The run before it is the first.
fn forge_last_run(job: &Job, sequence: u64, change: impl FnOnce(&mut Inputs)) -> Verdict {
    let folder = job.run_folder(sequence);
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).expect("a file");
    let facts = |folder: &Path| -> evidence::Facts {
        serde_json::from_slice(&read(folder, "inputs/facts.json")).expect("facts")
    };
    let stored = facts(&folder);
    let previous = stored.past.previous.clone();
    let inputs = stored.into_inputs(
        Some(&read(&folder, "accounts.jsonl.gz")),
        &read(&folder, "inputs/hr.jsonl.gz"),
    );
    let mut inputs = inputs.expect("inputs");
    if let Some(at) = previous.map(Cow::into_owned) {
        let before = job.run_folder(at.sequence);
        let manifest = serde_json::from_slice(&read(&before, "manifest.json")).expect("JSON");
        let accounts = read(&before, "accounts.jsonl.gz");
        let baseline = facts(&before).into_baseline(at.clone(), &accounts);
        inputs.past.baseline = Some(baseline.expect("a baseline"));
        let result: evidence::RunResult =
            serde_json::from_slice(&read(&before, "result.json")).expect("a result");
        let links = read(&before, "inputs/links.jsonl.gz");
        let concluded = read(&before, "concluded.jsonl.gz");
        let leavers = read(&before, "leavers.jsonl.gz");
        let carried = evidence::CarriedFiles {
            leavers: &leavers,
            concluded: &concluded,
            links: &links,
        };
        let previous = result.into_previous(at, &manifest, carried);
        inputs.past.previous = previous.expect("a result");
    }
    change(&mut inputs);
    let judgement = judge(&inputs);
    let manifest: Manifest = serde_json::from_slice(&read(&folder, "manifest.json")).expect("JSON");
    let frame = manifest.frame();
    let snapshot = evidence::Snapshot {
        frame: &frame,
        inputs: &inputs,
        judgement: &judgement,
    };
    let mut records = manifest.files.clone();
    for made in snapshot.data_files() {
        let record = made.record();
        records.retain(|of| of.name != record.name);
        records.push(record);
        fs::write(folder.join(made.file.name()), made.bytes).expect("a file");
    }
    let (made, manifest_sha256) = snapshot.manifest(records.clone()).to_file();
    records.push(made.record());
    fs::write(folder.join("manifest.json"), made.bytes).expect("a file");
    let sums = evidence::sums(&records);
    let path = job.connection().join(format!("ledger/{sequence:010}.json"));
    let entry = evidence::Entry::from_bytes(&fs::read(&path).expect("a file"));
    let mut entry = entry.expect("an entry");
    entry.manifest_sha256 = manifest_sha256;
    entry.sums_sha256 = evidence::sha256_hex(&sums);
    entry.verdict = judgement.verdict.as_str().to_owned();
    fs::write(folder.join("SHA256SUMS"), sums).expect("a file");
    fs::write(&path, entry.to_bytes()).expect("a file");
    judgement.verdict
}

#[test]
fn a_run_from_which_a_revocation_was_removed_is_found() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    open_at(&job, "2026-11-02T09:00:00Z");
    close_at(&job, "2026-11-02T17:00:00Z", |number, row| {
        keep(number, row);
        if number == 4 {
            row[DECISION] = "revoke".to_owned();
            row[NOTE] = "left the project".to_owned();
        }
    });
    assert_eq!(job.run_at("2026-11-12T22:40:00Z", World::generated(12)), 3);

    let verdict = forge_last_run(&job, 4, |inputs| {
        inputs.follow_ups.decisions.clear();
    });
    assert_eq!(verdict, Verdict::Pass);

    let seen = verify(&job.evidence(), &[]);
    assert_eq!(seen.code, 5);
    let seen: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    let faults = seen["integrity"]["faults"].as_array().expect("faults");
    assert_eq!(faults.len(), 1, "{seen:#}");
    assert_eq!(faults[0]["kind"], "decisions_differ");
    assert!(
        faults[0]["place"]
            .as_str()
            .is_some_and(|place| place.ends_with("inputs/facts.json"))
    );
}

fn revoke_fourth_row(number: usize, row: &mut [String]) {
    keep(number, row);
    if number == 4 {
        row[DECISION] = "revoke".to_owned();
        row[NOTE] = "left the project".to_owned();
    }
}

/// The folder of the open part of a review.
fn part_of(job: &Job, id: &str) -> PathBuf {
    part_in(&job.connection().join("reviews").join(id), "open")
}

#[test]
fn a_review_that_overlaps_another_does_not_end_its_revocations() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    let (one, other) = ("2026-Q4-aaaaaa", "2026-Q4-bbbbbb");
    open_as(&job, "2026-11-02T09:00:00Z", "aaaaaa");
    open_as(&job, "2026-11-02T10:00:00Z", "bbbbbb");
    let rows = filled_in(&part_of(&job, one), revoke_fourth_row);
    close_as(&job, "2026-11-02T17:00:00Z", Some(one), &rows);
    // The worksheet of the other review did not mention the revocation.
    let rows = filled_in(&part_of(&job, other), keep);
    close_as(&job, "2026-11-02T18:00:00Z", Some(other), &rows);
    assert_eq!(job.run_at("2026-11-12T22:40:00Z", World::generated(12)), 3);
    assert_eq!(follow_ups(&job, 6)[0]["review"], one);

    // A review that was opened later shows the revocation, so it may keep the access.
    open_as(&job, "2026-11-13T09:00:00Z", "cccccc");
    let rows = filled_in(&part_of(&job, "2026-Q4-cccccc"), keep);
    close_as(&job, "2026-11-13T10:00:00Z", None, &rows);
    assert_eq!(job.run_at("2026-11-13T22:40:00Z", World::generated(12)), 0);
    assert_eq!(follow_ups(&job, 9).len(), 0);
    assert_verifies(&job);
}

#[test]
fn a_person_invited_again_after_a_revocation_is_found_by_address() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    open_at(&job, "2026-11-02T09:00:00Z");
    let row = worksheet(&job)["rows"][3].clone();
    close_at(&job, "2026-11-02T17:00:00Z", revoke_fourth_row);
    let mut without = World::generated(12);
    without
        .people
        .retain(|person| json!(person.gid) != row["account_id"]);
    assert_eq!(job.run_at("2026-11-03T22:40:00Z", without.clone()), 0);
    assert_eq!(follow_ups(&job, 4)[0]["state"], "done");
    let email = row["email"].as_str().expect("an address");
    let invited = without.person(Person::member("1299", "Invited Again", email));
    assert_eq!(job.run_at("2026-11-04T22:40:00Z", invited), 3);
    assert_eq!(follow_ups(&job, 5)[0]["state"], "granted_again");
    let finding = job.json(5, "result.json")["findings"][0].clone();
    assert_eq!(finding["kind"], "revocation_not_done");
    assert_eq!(finding["account_id"], "1299");
    assert_verifies(&job);
}

#[test]
fn a_lost_entry_while_a_review_is_open_makes_runs_inconclusive() {
    for is_gone in [false, true] {
        let job = Job::new(World::generated(12), LEFT_AND_GONE);
        assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
        open_at(&job, "2026-11-02T09:00:00Z");
        assert_eq!(job.run_at("2026-11-02T22:40:00Z", World::generated(12)), 0);
        close_at(&job, "2026-11-03T17:00:00Z", revoke_fourth_row);
        // A failed run follows, so that the entry is missing in the middle of the ledger.
        let blocked = World::generated(12).with(|world| world.blocked = true);
        let (_, exit) = job.try_run_at("2026-11-03T18:00:00Z", blocked, |_| ());
        assert_eq!(exit.code(), 75);
        let entry = job.connection().join("ledger/0000000004.json");
        match is_gone {
            true => fs::remove_file(&entry).expect("an entry"),
            false => fs::write(&entry, "{}").expect("an entry"),
        }
        assert_eq!(job.run_at("2026-11-03T22:40:00Z", World::generated(12)), 4);
        // Without the entry, no run would report the revocation.
        assert_eq!(job.run_at("2026-11-04T22:40:00Z", World::generated(12)), 4);
        assert_eq!(check(&job, 7, "ledger_continues")["status"], "warn");
        assert_eq!(check(&job, 7, "review_due")["status"], "fail");
    }
}

/// HR has more addresses for two people than their accounts, and two domains are equivalent.
fn with_a_roster() -> Job {
    let job = Job::new(World::generated(12), "")
        .env("EMAIL_DOMAIN_ALIASES", "example.com=example.io")
        .env("HR_FEED_SCOPE", "roster")
        .env("HR_FEED_COLUMNS", "other_email=Personal");
    job.hr_file(
        b"Employee ID,Name,Work Email,Personal,Status,Termination Date\n\
          E1,One,person1@example.com,one@mail.example,Active,\n\
          E2,Two,p.two@example.com,person2@example.com,Active,\n",
    );
    job.run();
    assert_eq!(job.entries(), 1);
    job
}

#[test]
fn a_decision_about_oneself_under_another_known_address_is_refused() {
    let job = with_a_roster();
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, keep);
    let row = |email: &str| rows.iter().position(|row| row[2] == email).expect("a row");
    for (email, by) in [
        ("person1@example.com", "Person1+x@EXAMPLE.io"),
        ("person1@example.com", "mailto:person1@example.com"),
        ("person1@example.com", "One@mail.example"),
        ("person2@example.com", "p.two@example.com"),
    ] {
        let mut decided = rows[row(email)].clone();
        decided[DECIDED_BY] = by.to_owned();
        let file = saved(&job, "self.csv", &[rows[0].clone(), decided], b',');
        let refused = close(&job, &[&file], &["--accept-incomplete", "no time"]);
        assert_eq!(refused.code, 78, "{by}");
        assert!(
            refused.stderr.contains("by the owner of its account"),
            "{by}: {}",
            refused.stderr
        );
    }
    // This also holds if a bucket rule deleted files that `status` does not need.
    fs::remove_file(job.run_folder(1).join("report.html")).expect("a file");
    let status = job.run_with(&["review", "status", "--decisions", "self.csv"]);
    assert!(
        status.stdout.contains("by the owner of its account"),
        "{}",
        status.stderr
    );
    let hr = job.run_folder(1).join("inputs/hr.jsonl.gz");
    let kept = fs::read(&hr).expect("a file");
    fs::write(&hr, b"").expect("a file");
    assert_eq!(job.run_with(&["review", "status"]).code, 5);
    fs::write(&hr, kept).expect("a file");
}

#[test]
fn a_review_without_its_run_is_accepted_only_after_the_retention() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE).env("EVIDENCE_RETENTION_DAYS", "30");
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    open_at(&job, "2026-11-02T09:00:00Z");
    fs::remove_file(job.run_folder(1).join("inputs/hr.jsonl.gz")).expect("a file");
    let status = |as_of: &str| {
        let asked = DecisionArguments::default();
        tried_at(&job, as_of, async |settings, moment, _| {
            command::status(settings, &asked, moment).await
        })
    };
    let missing = status("2026-11-20T09:00:00Z").expect_err("a file is missing");
    assert_eq!(missing.exit().code(), 5);
    assert!(status("2026-12-20T09:00:00Z").is_ok());
}

#[test]
fn reviewers_never_get_their_own_row_and_unused_lines_are_reported() {
    let job = with_a_roster();
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = "rule,value,reviewer\nperson,person1@example.com,one@mail.example\n\
                person,nobody@example.com,boss@example.net\ndefault,,boss@example.net\n";
    fs::write(&reviewers, text).expect("a file");
    let opened = job.run_with(&[
        "review",
        "open",
        "--name",
        "next",
        "--due",
        "2999-12-31",
        "--reviewers",
        reviewers.to_str().expect("UTF-8"),
    ]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    assert!(
        opened.stdout.contains("reviewer 1: 11 rows"),
        "{}",
        opened.stdout
    );
    assert!(
        opened
            .stdout
            .contains("line 3 of the reviewers file: no row fits"),
        "{}",
        opened.stdout
    );
}

#[test]
fn the_own_row_of_a_reassigned_reviewer_goes_to_the_next_line() {
    let job = reviewed(LEFT_AND_GONE);
    let reviewers = job.folder.path().join("reviewers.csv");
    let text = "rule,value,reviewer,note\ndefault,,person2@example.com,\n\
                default,,boss@example.net,\n\
                reassign,person2@example.com,deputy@example.net,is ill\n";
    fs::write(&reviewers, text).expect("a file");
    let path = reviewers.to_str().expect("UTF-8");
    assert_eq!(open(&job, &["--reviewers", path]).code, 0);
    let sheet = worksheet(&job);
    for row in sheet["rows"].as_array().expect("rows") {
        let wanted = match row["email"] == "person2@example.com" {
            true => "boss@example.net",
            false => "deputy@example.net",
        };
        assert_eq!(row["reviewer"], wanted, "{row}");
    }
    // The same holds while the review is open, and for a person who was not a reviewer before.
    let given_on = job.folder.path().join("given-on.csv");
    let text = "rule,value,reviewer,note\n\
                reassign,deputy@example.net,person3@example.com,is ill too\n\
                reassign,boss@example.net,person3@example.com,is away\n\
                reassign,person3@example.com,boss@example.net,not their own\n";
    fs::write(&given_on, text).expect("a file");
    let file = filled(&job, |_, row| {
        keep(0, row);
        row[DECIDED_BY] = match row[2] == "person3@example.com" {
            true => "deputy@example.net".to_owned(),
            false => "person3@example.com".to_owned(),
        };
    });
    let file = saved(&job, "d.csv", &file, b',');
    let path = given_on.to_str().expect("UTF-8");
    let closed = close(&job, &[&file], &["--reviewers", path]);
    assert_eq!(closed.code, 0, "{}", closed.stderr);
}

#[test]
fn a_review_name_used_twice_means_the_open_review() {
    let job = reviewed(LEFT_AND_GONE);
    open_as(&job, "2026-11-02T09:00:00Z", "aaaaaa");
    open_as(&job, "2026-11-02T10:00:00Z", "bbbbbb");
    let named = ["--review", "2026-Q4"];
    let newer = filled_in(&part_of(&job, "2026-Q4-bbbbbb"), keep);
    let newer = saved(&job, "newer.csv", &newer, b',');
    assert_eq!(close(&job, &[&newer], &named).code, 0);
    let older = filled_in(&part_of(&job, "2026-Q4-aaaaaa"), keep);
    let older = saved(&job, "older.csv", &older, b',');
    assert_eq!(close(&job, &[&older], &named).code, 0);
    let again = close(&job, &[&older], &named);
    assert_eq!(again.code, 78);
    assert!(
        again
            .stderr
            .contains("2026-Q4-aaaaaa was closed by ledger entry 5"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_review_cannot_be_closed_before_it_was_opened() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let asked = CloseArguments {
        of: DecisionArguments {
            decisions: vec![saved(&job, "d.csv", &filled(&job, keep), b',')],
            accept_reviewer: outsiders(),
            ..DecisionArguments::default()
        },
        ..CloseArguments::default()
    };
    let refused = tried_at(
        &job,
        "2020-01-01T00:00:00Z",
        async |settings, moment, clock| command::close(settings, &asked, moment, clock).await,
    );
    let reported = command::failure(&refused.expect_err("a refusal"), false);
    assert!(reported.contains("set the clock"), "{reported}");
    assert_eq!(job.entries(), 2);
}

/// What `review status` prints about a file.
fn status_of(job: &Job, name: &str, bytes: &[u8]) -> String {
    let path = job.folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    let line = [
        "review",
        "status",
        "--accept-reviewer",
        OUTSIDERS,
        "--decisions",
        name,
    ];
    let reported = job.run_with(&line);
    assert_eq!(reported.code, 0, "{}", reported.stderr);
    reported.stdout
}

/// A spreadsheet with these sheets.
fn workbook(sheets: &[&[Vec<String>]]) -> rust_xlsxwriter::Workbook {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    for rows in sheets {
        let sheet = workbook.add_worksheet();
        for (line, row) in (0u32..).zip(*rows) {
            for (column, cell) in (0u16..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write_string(line, column, cell).expect("a cell");
            }
        }
    }
    workbook
}

#[test]
fn a_spreadsheet_with_two_filled_sheets_is_refused_even_if_hidden() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let (blank, kept) = (filled(&job, |_, _| ()), filled(&job, keep));
    let revoked = filled(&job, revoke_fourth_row);
    let mut copied = workbook(&[&blank, &kept]);
    let reported = status_of(
        &job,
        "copied.xlsx",
        &copied.save_to_buffer().expect("bytes"),
    );
    assert!(reported.contains("its sheets 1 and 2"), "{reported}");
    let mut both = workbook(&[&revoked, &kept]);
    let sheet = both.worksheet_from_index(0).expect("a sheet");
    sheet.set_hidden(true);
    both.worksheet_from_index(1)
        .expect("a sheet")
        .set_active(true);
    let reported = status_of(&job, "both.xlsx", &both.save_to_buffer().expect("bytes"));
    assert!(reported.contains("decided    0/11"), "{reported}");
    assert!(reported.contains("its sheets 1 and 2"), "{reported}");
    // A formula with an empty result is not a skipped row.
    let mut formula = workbook(&[&kept]);
    let error = rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!");
    let sheet = formula.worksheet_from_index(0).expect("a sheet");
    let column = u16::try_from(DECISION).expect("a column");
    sheet.write_formula(1, column, error).expect("a cell");
    let reported = status_of(
        &job,
        "formula.xlsx",
        &formula.save_to_buffer().expect("bytes"),
    );
    assert!(
        reported.contains("row 1: the decision must be"),
        "{reported}"
    );
}

#[test]
fn a_spreadsheet_of_huge_dimensions_is_read_or_refused() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let kept = filled(&job, keep);
    // A cell in the last corner of a sheet. A table of that size would have 17 thousand million
    // cells.
    let mut far = workbook(&[&kept]);
    let sheet = far.worksheet_from_index(0).expect("a sheet");
    sheet.write_string(1_048_575, 16_383, "x").expect("a cell");
    let far = far.save_to_buffer().expect("bytes");
    let reported = status_of(&job, "far.xlsx", &far);
    assert!(reported.contains("decided    11/11"), "{reported}");
    let mut from = zip::ZipArchive::new(std::io::Cursor::new(&far)).expect("a zip");
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for at in 0..from.len() {
        let file = from.by_index_raw(at).expect("a part");
        to.raw_copy_file(file).expect("a part");
    }
    to.start_file("xl/media/bomb.bin", options).expect("a part");
    let zeros = vec![0; 1 << 20];
    for _ in 0..300 {
        std::io::Write::write_all(&mut to, &zeros).expect("bytes");
    }
    let bomb = to.finish().expect("a zip").into_inner();
    let reported = status_of(&job, "bomb.xlsx", &bomb);
    assert!(reported.contains("unpacks to more than"), "{reported}");
}

#[test]
fn a_file_changed_by_an_editor_is_read_or_refused_with_a_reason() {
    let job = reviewed(LEFT_AND_GONE);
    assert_eq!(open(&job, &[]).code, 0);
    let rows = filled(&job, keep);
    let hash = hash(&job);
    // The page's file, with the byte order mark that an editor adds.
    let head = json!({
        "schema": "asana-access-review/decisions/v1", "review": "2026-Q4", "review_sha256": hash,
        "reviewer": "boss@example.net", "exported_at": "2026-11-25T10:00:00Z", "decisions": 1,
    });
    let line = json!({
        "row": 1, "account_id": rows[1][1], "decision": "keep", "new_role": null, "note": "needed",
        "decided_at": "2026-11-25T10:00:00Z",
    });
    let page = format!("\u{feff}{head}\n{line}\n");
    let reported = status_of(&job, "page.jsonl", page.as_bytes());
    assert!(reported.contains("decided    1/11"), "{reported}");
    let wide: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let reported = status_of(&job, "page.jsonl", &wide);
    assert!(reported.contains("decided    1/11"), "{reported}");
    // A file that an editor saved in an encoding of one byte a letter.
    let narrow = page.replace("\"note\":\"needed\"", "\"note\":\"caf\u{e9}\"");
    let narrow = narrow.trim_start_matches('\u{feff}').chars();
    let narrow: Vec<u8> = narrow.map(|c| u8::try_from(c).expect("Latin 1")).collect();
    let reported = status_of(&job, "page.jsonl", &narrow);
    assert!(reported.contains("it is not UTF-8"), "{reported}");

    let csv = |change: &dyn Fn(&mut Vec<String>)| {
        let mut row = rows[1].clone();
        change(&mut row);
        let path = saved(&job, "row.csv", &[rows[0].clone(), row], b',');
        status_of(&job, "row.csv", &fs::read(path).expect("a file"))
    };
    let reported = csv(&|row| {
        row[0] = format!("'{}", row[0]);
        row[1] = format!("'{}", row[1]);
    });
    assert!(reported.contains("decided    1/11"), "{reported}");
    for (change, wanted) in [
        (0, "1,000", "its `row` is not a whole number"),
        (DECISION, "keep?", "the decision must be"),
        (DECISION, "#DIV/0!", "the decision must be"),
        (
            DECIDED_BY,
            "Boss<boss@example.net>",
            "is not an e-mail address",
        ),
    ]
    .map(|(at, cell, wanted)| ((at, cell), wanted))
    {
        let reported = csv(&|row| row[change.0] = change.1.to_owned());
        assert!(reported.contains(wanted), "{}: {reported}", change.1);
    }
    // Of two columns with the same name, one would be lost.
    let mut twice = rows.clone();
    twice[0][16] = "Decided by".to_owned();
    let path = saved(&job, "twice.csv", &twice, b',');
    let reported = status_of(&job, "twice.csv", &fs::read(path).expect("a file"));
    assert!(
        reported.contains("it has two columns `decided_by`"),
        "{reported}"
    );
    let reported = status_of(
        &job,
        "o.xlsx",
        &[
            b"PK\x03\x04".as_slice(),
            &[0; 26],
            b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        ]
        .concat(),
    );
    assert!(reported.contains("(.ods)"), "{reported}");
}

#[test]
fn a_review_of_some_roles_keeps_earlier_revocations() {
    let job = Job::new(World::generated(12), LEFT_AND_GONE);
    assert_eq!(job.run_at("2026-11-01T22:40:00Z", World::generated(12)), 0);
    open_as(&job, "2026-11-02T09:00:00Z", "aaaaaa");
    let rows = filled_in(&part_of(&job, "2026-Q4-aaaaaa"), revoke_fourth_row);
    close_as(&job, "2026-11-02T10:00:00Z", None, &rows);
    let opened = job.run_with(&[
        "review",
        "open",
        "--name",
        "admins",
        "--due",
        "2999-12-31",
        "--scope",
        "admins",
    ]);
    assert_eq!(opened.code, 0, "{}", opened.stderr);
    let admins = job.entry(4)["run"].as_str().expect("a folder").to_owned();
    let admins = job.connection().join(admins);
    let file = saved(&job, "admins.csv", &filled_in(&admins, keep), b',');
    assert_eq!(close(&job, &[&file], &[]).code, 0);
    open_as(&job, "2026-11-04T09:00:00Z", "cccccc");
    let sheet = fs::read(part_of(&job, "2026-Q4-cccccc").join("worksheet.json")).expect("a file");
    let sheet: Value = serde_json::from_slice(&sheet).expect("JSON");
    assert_eq!(
        sheet["compared_with"].as_str().map(|id| &id[..7]),
        Some("admins-")
    );
    let row = &sheet["rows"][3];
    assert_eq!(row["previous_decision"], "revoke");
    assert_eq!(row["recommended"], "revoke");
    assert_eq!(row["changed"], "unchanged");
}
