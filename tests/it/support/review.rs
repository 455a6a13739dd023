//! A periodic review as people walk through it: its files, what reviewers fill in, and its steps at an instant.

#![allow(dead_code, reason = "no test program uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use asana_access_review::evidence;
use serde_json::Value;

use super::job::{Job, verify};

/// The folder of the only review's part.
pub(crate) fn part(job: &Job, part: &str) -> PathBuf {
    let reviews = fs::read_dir(job.connection().join("reviews")).expect("reviews");
    let mut ids: Vec<PathBuf> = reviews.map(|entry| entry.expect("one").path()).collect();
    ids.sort();
    assert_eq!(ids.len(), 1);
    ids[0].join(part)
}

pub(crate) fn worksheet(job: &Job) -> Value {
    let bytes = fs::read(part(job, "open").join("worksheet.json")).expect("a worksheet");
    serde_json::from_slice(&bytes).expect("JSON")
}

pub(crate) fn hash(job: &Job) -> String {
    let bytes = fs::read(part(job, "open").join("worksheet.json")).expect("a worksheet");
    evidence::sha256_hex(&bytes)
}

/// The rows of the worksheet's CSV as a reviewer fills them in.
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

pub(crate) const DECISION: usize = 15;
pub(crate) const NOTE: usize = 17;
pub(crate) const DECIDED_BY: usize = 18;

pub(crate) fn keep(_: usize, row: &mut [String]) {
    row[DECISION] = "keep".to_owned();
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

/// Both verifiers find the evidence sound.
pub(crate) fn assert_sound(job: &Job) {
    let seen = verify(&job.evidence(), &[]);
    assert_eq!(seen.code, 0, "{}", seen.stdout);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let seen = Command::new("sh").arg(script).arg(job.evidence()).output();
    let seen = seen.expect("sh");
    assert!(
        seen.status.success(),
        "{}",
        String::from_utf8_lossy(&seen.stdout)
    );
}
