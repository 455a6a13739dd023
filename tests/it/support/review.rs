//! A periodic review as its users walk through it: its files, the reviewers' decisions, and its
//! steps at an instant.

#![allow(dead_code, reason = "each test uses only a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::clock::Clock;
use asana_access_review::commands::review::{self as command, Moment, ReviewError, ReviewProgress};
use asana_access_review::config::ReviewSettings;
use asana_access_review::evidence::{self, Tool};
use asana_access_review::judgement::Decision;
use asana_access_review::model::EmailAddress;
use asana_access_review::review::FrozenRow;
use jiff::Timestamp;
use serde_json::Value;

use super::job::{Job, verify};

/// The folder of the only review's part.
pub(crate) fn part(job: &Job, part: &str) -> PathBuf {
    let reviews = fs::read_dir(job.connection().join("reviews")).expect("reviews");
    let mut ids: Vec<PathBuf> = reviews.map(|entry| entry.expect("one").path()).collect();
    assert_eq!(ids.len(), 1);
    part_in(&ids.remove(0), part)
}

/// The only folder of a part in the folder of a review. Without one, a name that does not exist.
pub(crate) fn part_in(review: &Path, part: &str) -> PathBuf {
    let folders = fs::read_dir(review).expect("a review");
    let names = folders.map(|entry| entry.expect("one").file_name());
    let names = names.map(|name| name.into_string().expect("UTF-8"));
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(&format!("{part}-")))
        .collect();
    assert!(names.len() <= 1, "{names:?}");
    review.join(names.pop().unwrap_or_else(|| part.to_owned()))
}

pub(crate) fn worksheet(job: &Job) -> Value {
    let bytes = fs::read(part(job, "open").join("worksheet.json")).expect("a worksheet");
    serde_json::from_slice(&bytes).expect("JSON")
}

pub(crate) fn hash(job: &Job) -> String {
    let bytes = fs::read(part(job, "open").join("worksheet.json")).expect("a worksheet");
    evidence::sha256_hex(&bytes)
}

/// The rows of the worksheet's CSV with the decisions of a reviewer.
pub(crate) fn filled(job: &Job, decide: impl Fn(usize, &mut [String])) -> Vec<Vec<String>> {
    filled_in(&part(job, "open"), decide)
}

pub(crate) fn filled_in(part: &Path, decide: impl Fn(usize, &mut [String])) -> Vec<Vec<String>> {
    let text = fs::read(part.join("worksheet.csv")).expect("a worksheet");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&text[3..]);
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect();
    for (number, row) in rows.iter_mut().enumerate().skip(1) {
        decide(number, row);
    }
    rows
}

pub(crate) const DECISION: usize = 22;
pub(crate) const NOTE: usize = 24;
pub(crate) const DECIDED_BY: usize = 25;

/// The reviewers of the tests, whom neither Asana nor HR knows.
pub(crate) const OUTSIDERS: &str =
    "boss@example.net,lead@example.net,ciso@example.net,deputy@example.net,zoe@example.net";

pub(crate) fn outsiders() -> Vec<EmailAddress> {
    let all = OUTSIDERS.split(',').map(EmailAddress::parse);
    all.map(|one| one.expect("an address")).collect()
}

pub(crate) fn keep(_: usize, row: &mut [String]) {
    row[DECISION] = "keep".to_owned();
    row[NOTE] = "needed for the work".to_owned();
    row[DECIDED_BY] = "boss@example.net".to_owned();
}

pub(crate) fn saved(job: &Job, name: &str, rows: &[Vec<String>], delimiter: u8) -> PathBuf {
    let path = job.folder.path().join(name);
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(&path)
        .expect("a file");
    for row in rows {
        writer.write_record(row).expect("a row");
    }
    writer.flush().expect("a file");
    path
}

/// Both verifiers accept the evidence.
pub(crate) fn assert_verifies(job: &Job) {
    let seen = verify(&job.evidence(), &[]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let seen = process::Command::new("sh")
        .arg(script)
        .arg(job.evidence())
        .output();
    let seen = seen.expect("sh");
    assert!(
        seen.status.success(),
        "{}",
        String::from_utf8_lossy(&seen.stdout)
    );
}

/// The program that the evidence names.
pub(crate) fn tool() -> Tool {
    Tool {
        name: "asana-access-review".to_owned(),
        version: "0.0.0".to_owned(),
        commit: "c0ffee0".to_owned(),
    }
}

/// Runs a step of `review` at an instant, as the binary does.
pub(crate) fn at<T>(
    job: &Job,
    as_of: &str,
    act: impl AsyncFnOnce(&ReviewSettings, &Moment, &Clock) -> Result<T, ReviewError>,
) -> T {
    tried_at(job, as_of, act).unwrap_or_else(|error| panic!("{}", command::failure(&error, false)))
}

/// The same, also if it fails.
pub(crate) fn tried_at<T>(
    job: &Job,
    as_of: &str,
    act: impl AsyncFnOnce(&ReviewSettings, &Moment, &Clock) -> Result<T, ReviewError>,
) -> Result<T, ReviewError> {
    let as_of: Timestamp = as_of.parse().expect("an instant");
    let moment = Moment {
        as_of,
        suffix: "7f3a9c".to_owned(),
    };
    let settings = job.review_settings(tool());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(act(&settings, &moment, &Clock::at(as_of)))
}

/// Opens a review of the newest complete run, with one reviewer who owns no account.
pub(crate) fn open(job: &Job, as_of: &str, name: &str) -> ReviewProgress {
    let reviewers = job.place().join("reviewers.csv");
    let lines = "rule,value,reviewer,note\ndefault,,boss@example.net,\n";
    fs::write(&reviewers, lines).expect("a file");
    let asked = OpenArguments {
        name: name.to_owned(),
        due: "2027-12-31".parse().expect("a day"),
        reviewers: Some(reviewers),
        yes: true,
        ..OpenArguments::default()
    };
    at(job, as_of, async |settings, moment, clock| {
        command::open(settings, &asked, moment, clock).await
    })
}

/// Closes a review with a decision for each row, and a role for each change.
pub(crate) fn close(
    job: &Job,
    as_of: &str,
    opened: &ReviewProgress,
    decide: impl Fn(&FrozenRow) -> Option<(Decision, &'static str)>,
    accept_incomplete: Option<&str>,
) {
    let mut text = "row,account_id,decision,new_role,note,decided_by,review_sha256\n".to_owned();
    for row in &opened.frozen.worksheet.rows {
        let Some((decision, new_role)) = decide(row) else {
            continue;
        };
        let note = "as was agreed";
        let (number, account, sha256) = (row.row, &row.account_id, &opened.frozen.sha256);
        text +=
            &format!("{number},{account},{decision},{new_role},{note},boss@example.net,{sha256}\n");
    }
    let file = job.place().join("decisions.csv");
    fs::write(&file, text).expect("a file");
    let asked = CloseArguments {
        of: DecisionArguments {
            review: Some(opened.frozen.worksheet.review.clone()),
            decisions: vec![file],
            accept_reviewer: outsiders(),
            ..DecisionArguments::default()
        },
        accept_incomplete: accept_incomplete.map(str::to_owned),
        ..CloseArguments::default()
    };
    at(job, as_of, async |settings, moment, clock| {
        command::close(settings, &asked, moment, clock).await
    });
}
