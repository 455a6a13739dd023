//! A year of runs, verified and made into an audit pack: duration, peak memory and size.
//!
//! `cargo test --release --test it year:: -- --ignored --nocapture --test-threads 1`

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::has;
use crate::support::job::Job;
use crate::support::measure::{Measured, measured, size};
use crate::support::objects_below;
use crate::support::s3::{Fault, Rule, S3Server};
use crate::support::year::Year;
use serde_json::Value;

/// The runs of the smaller ledger. The growth in memory from here to a year shows what each run leaves in memory.
const FEW: u64 = 60;

/// A run may leave at most this much in memory, although more than a megabyte of it is read.
const MOST_KIB_A_RUN: u64 = 32;

/// Limit for `verify` from a folder, in release and on two cores.
const FROM_A_FOLDER: Duration = Duration::from_secs(5);

/// Limit for `verify` from S3 with [`DELAY`] per request.
const FROM_S3: Duration = Duration::from_secs(60);

const DELAY: Duration = Duration::from_millis(20);

/// Limits of an audit pack: time beyond verification, memory, size without the sample, and size of each of its folders.
const PACK_TIME: Duration = Duration::from_secs(60);
const PACK_KIB: u64 = 200 * 1024;
const PACK_BYTES: u64 = 10_000_000;
const FOLDER_BYTES: u64 = 150_000;

/// Limits for the folder of a sampled leaver or run: as much as this many manifests for its packed manifests, up to
/// three, and the page of the leaver; and the rows of the runs that the page shows, in bytes.
const MOST_MANIFESTS: u64 = 3;
const MOST_BYTES_A_RUN: u64 = 512;

/// Runs `verify`, which recomputes every run.
fn verified(job: &Job, runs: u64) -> Measured {
    let output = job.folder.path().join("verified.json");
    let verify = measured(job.command().args(["verify", "--json"]), &output);
    let verified = fs::read(&output).expect("the output");
    let verified: Value = serde_json::from_slice(&verified).expect("JSON");
    let chain = &verified["chains"][0];
    assert_eq!(verified["integrity"]["holds"], true, "{verified:#}");
    assert_eq!(chain["decisions_recomputed"], runs);
    assert_eq!(chain["accounts_recomputed"], runs);
    verify
}

/// Runs `report` for a period. Returns its cost, the bytes of the pack without the sample, and those of the sample.
fn reported(job: &Job, to: &str) -> (Measured, u64, u64) {
    let out = job.folder.path().join("pack");
    if out.exists() {
        fs::remove_dir_all(&out).expect("an earlier pack");
    }
    let output = job.folder.path().join("reported");
    let mut command = job.command();
    command.args(["report", "--from", "2025-01-01", "--to", to]);
    command.args(["--seed", "year"]).arg("--out").arg(&out);
    let report = measured(&mut command, &output);
    let text = fs::read_to_string(&output).unwrap_or_default();
    assert_eq!(report.code, Some(0), "{text}");
    let sample = size(&out.join("samples")).1;
    (report, size(&out).1 - sample, sample)
}

/// Whether the folders of the sample have parts of runs, and no whole run.
fn ensure_no_run_is_copied(job: &Job, last: u64) {
    let manifest = fs::metadata(job.run_folder(last).join("manifest.json"));
    let manifest = manifest.expect("a manifest").len();
    let most = MOST_MANIFESTS * manifest + MOST_BYTES_A_RUN * last;
    for entry in fs::read_dir(job.folder.path().join("pack/samples")).expect("samples") {
        let folder = entry.expect("an entry").path();
        let bytes = size(&folder).1;
        assert!(bytes <= most, "{}: {bytes}, {most}", folder.display());
    }
}

#[expect(clippy::print_stdout, reason = "shows the figures with --nocapture")]
fn show(figures: &str) {
    println!("{figures}");
}

/// The minimum of several, because other processes use the same cores and the allocator returns memory at different
/// times.
fn least(what: &str, measure: impl Fn() -> Measured) -> Measured {
    let measured: Vec<Measured> = (0..5).map(|_| measure()).collect();
    show(&format!("{what}: {measured:?}"));
    Measured {
        code: None,
        took: measured.iter().map(|of| of.took).min().expect("some"),
        peak_kib: measured.iter().map(|of| of.peak_kib).min().expect("some"),
    }
}

#[test]
#[ignore = "builds a year of runs; run it in release"]
fn a_year_is_verified_in_time_and_no_run_stays_in_memory() {
    let year = Year {
        runs: 365,
        runs_a_day: 1,
        accounts: 1000,
    };
    let mut job = year.job();
    year.run(&job, 0, FEW);
    let few = least("60 runs", || verified(&job, FEW));
    year.run(&job, FEW, year.runs);
    let whole = least("365 runs", || verified(&job, year.runs));
    // The names of a run's files stay in memory to the end, but not their content.
    let grown_kib = whole.peak_kib.saturating_sub(few.peak_kib) / (year.runs - FEW);
    assert!(
        grown_kib <= MOST_KIB_A_RUN,
        "memory grows with the runs: {few:?}, {whole:?}"
    );

    let server = S3Server::start(["evidence"]);
    for (key, bytes) in objects_below(&job.evidence()) {
        server.tamper("evidence", &key, &bytes);
    }
    server.inject(Rule::on("", "", Fault::Slow(DELAY)).always());
    job = job.env("EVIDENCE_URL", "s3://evidence");
    for (name, value) in server.env() {
        job = job.env(name, &value);
    }
    let from_s3 = verified(&job, year.runs);
    show(&format!("from S3, {DELAY:?} per request: {from_s3:?}"));
    if !cfg!(debug_assertions) {
        assert!(whole.took <= FROM_A_FOLDER, "{whole:?}");
        assert!(from_s3.took <= FROM_S3, "{from_s3:?}");
    }
}

#[test]
#[ignore = "builds a year of runs; run it in release"]
fn a_year_becomes_an_audit_pack_within_its_limits() {
    let year = Year {
        runs: 731,
        runs_a_day: 2,
        accounts: 5000,
    };
    let job = year.job();
    year.run(&job, 0, year.runs);
    let verify = least("731 runs, verified", || verified(&job, year.runs));
    let report = least("731 runs, reported", || reported(&job, "2025-12-31").0);
    let (_, bytes, sample) = reported(&job, "2025-12-31");
    let beyond = report.took.saturating_sub(verify.took);
    show(&format!(
        "the pack took {beyond:?} beyond verification, and has {bytes} bytes and {sample} bytes of samples"
    ));
    ensure_no_run_is_copied(&job, year.runs);
    assert!(report.peak_kib <= PACK_KIB, "{report:?}");
    assert!(bytes <= PACK_BYTES, "{bytes}");
    let folders = fs::read_dir(job.folder.path().join("pack/samples"));
    let folders = folders.expect("samples").count() as u64;
    assert!(sample <= folders * FOLDER_BYTES, "{sample}, {folders}");
    if !cfg!(debug_assertions) {
        assert!(beyond <= PACK_TIME, "{beyond:?}");
    }
}

/// Limits of the pack of a small year. A debug build needs more memory than a release build.
const SMALL_PACK_KIB: u64 = 64 * 1024;
const SMALL_PACK_BYTES: u64 = 600_000;

/// A year that is small enough for every `cargo test`.
#[test]
fn a_small_audit_pack_stays_within_its_limits_and_copies_no_run() {
    let year = Year {
        runs: 41,
        runs_a_day: 2,
        accounts: 200,
    };
    let job = year.job();
    year.run(&job, 0, year.runs);
    let (report, bytes, sample) = reported(&job, "2025-01-20");
    let figures = format!("{report:?}, {bytes} bytes, {sample} bytes of samples");
    show(&figures);
    assert!(report.peak_kib <= SMALL_PACK_KIB, "{figures}");
    assert!(bytes <= SMALL_PACK_BYTES, "{figures}");
    ensure_no_run_is_copied(&job, year.runs);

    // Both commands show how far they are.
    if !has(&["script"]) {
        return;
    }
    for (arguments, steps) in [
        ("verify", &["Checked entry"][..]),
        (
            "report --from 2025-01-01 --to 2025-01-20 --out shown",
            &["Checked entry", "Read entry"],
        ),
    ] {
        let text = at_a_terminal(&job, arguments);
        for step in steps {
            assert!(text.contains(step), "{text}");
        }
    }
}

/// What a person at a terminal sees.
fn at_a_terminal(job: &Job, arguments: &str) -> String {
    let command = job.command();
    let line = format!("{} {arguments}", command.get_program().display());
    let environment = command.get_envs();
    let environment = environment.filter_map(|(name, value)| Some((name, value?)));
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(job.folder.path())
        .envs(environment)
        .env("RUST_LOG", "info")
        .stdin(Stdio::null())
        .output()
        .expect("script");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
