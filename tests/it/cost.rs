//! What a run or a review costs in bytes, files and memory, in situations that once cost too much.
//!
//! `cargo test` runs each situation at a tenth of its size and checks bytes, files and peak memory.
//! At full size, with a release build and with times: `COST=full cargo test --release --test it
//! cost:: -- --nocapture --test-threads 1`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::job::Job;
use crate::support::measure::{Measured, measured, size};
use truto_simulator::{Person, World};

const MIB: u64 = 1024 * 1024;

/// The maximum cost of the last run of a situation.
struct Bound {
    /// Peak memory in MiB at a tenth of the size. A debug build takes 40 for the smallest run.
    memory: u64,
    /// The run's folder in MiB, at a tenth of the size.
    evidence: f64,
    /// Memory in MiB, evidence in MiB and seconds, for a release build at full size.
    full: (u64, f64, f64),
}

#[expect(clippy::disallowed_methods, reason = "the size is set by hand")]
fn is_full() -> bool {
    std::env::var_os("COST").is_some_and(|cost| cost == "full")
}

/// A number of people, at full size or a tenth of it.
fn scaled(full: usize) -> usize {
    if is_full() { full } else { full / 10 }
}

/// Makes some runs, measures the last one and compares it with its bound.
fn check(name: &str, job: &Job, runs: u64, accounts: usize, bound: &Bound) {
    let output = job.place().join("output");
    let mut last = None;
    for _ in 0..runs {
        let run = measured(&mut job.command(), &output);
        let text = fs::read_to_string(&output).unwrap_or_default();
        let is_judged = run.code.is_some_and(|code| (0..=4).contains(&code));
        assert!(is_judged, "{name}: {:?}: {text}", run.code);
        last = Some(run);
    }
    let last = last.expect("a run");
    let files = compare(name, &last, &job.run_folder(runs), bound);
    assert!(
        files <= 20 + accounts as u64 / 5_000,
        "{name}: {files} files"
    );
}

/// Compares a command and the folder that it wrote with a bound. Returns the number of files.
#[expect(clippy::print_stdout, reason = "shows the figures with --nocapture")]
fn compare(name: &str, measured: &Measured, folder: &Path, bound: &Bound) -> u64 {
    let Measured { took, peak_kib, .. } = measured;
    let memory = peak_kib * 1024;
    let (files, bytes) = size(folder);
    let mut line = String::new();
    let _ = write!(
        line,
        "{name}: {:.2} s, {:.0} MiB of memory, {:.2} MiB in {files} files",
        took.as_secs_f64(),
        memory as f64 / MIB as f64,
        bytes as f64 / MIB as f64
    );
    println!("{line}");
    let (most_memory, most_evidence, most_seconds) = match is_full() {
        true => bound.full,
        false => (bound.memory, bound.evidence, f64::MAX),
    };
    assert!(memory <= most_memory * MIB, "{line}");
    assert!(bytes as f64 <= most_evidence * MIB as f64, "{line}");
    assert!(took.as_secs_f64() <= most_seconds, "{line}");
    files
}

fn person(number: usize) -> Person {
    let gid = (1_204_556_770_000_000 + number).to_string();
    let email = format!("person{number}@example.com");
    Person::member(gid, format!("Person Number{number}"), &email)
}

/// A world with an administrator and this number of members.
fn world(accounts: usize, change: impl Fn(usize, Person) -> Person) -> World {
    let mut world = World::scenario("healthy").expect("a scenario");
    let admin = world.people.iter().find(|person| person.admin).cloned();
    world.people = admin.into_iter().collect();
    world
        .people
        .extend((0..accounts).map(|number| change(number, person(number))));
    world.rate_limit = None;
    world.page_size_cap = 100;
    world
}

/// Rows of leavers with these names, who left one after another since 2010.
fn leavers(
    count: usize,
    name: impl Fn(usize) -> String,
    email: impl Fn(usize) -> String,
) -> String {
    let mut rows = String::new();
    for number in 0..count {
        let (year, month) = (2010 + number % 15, 1 + number % 12);
        let (name, email) = (name(number), email(number));
        let _ = writeln!(
            rows,
            "L{number},{name},{email},Terminated,{year}-{month:02}-15"
        );
    }
    rows
}

#[test]
fn leavers_and_accounts_of_one_name_stay_within_the_limits() {
    let count = scaled(3_000);
    let world = world(count, |number, person| Person {
        name: "Private User".to_owned(),
        email: Some(format!("a{number}@guests.example")),
        ..person
    });
    let rows = leavers(
        count,
        |_| "Private User".to_owned(),
        |number| format!("l{number}@example.com"),
    );
    let bound = Bound {
        memory: 56,
        evidence: 0.8,
        full: (100, 10.0, 2.0),
    };
    check("one name", &Job::new(world, &rows), 1, count, &bound);
}

#[test]
fn ten_leavers_for_each_account_stay_within_the_limits() {
    let (accounts, left) = (scaled(5_000), scaled(50_000));
    let rows = leavers(
        left,
        |number| format!("Left Person{number}"),
        |number| format!("left{number}@example.com"),
    );
    let job = Job::new(world(accounts, |_, person| person), &rows);
    let bound = Bound {
        memory: 66,
        evidence: 0.5,
        full: (160, 5.0, 2.0),
    };
    check("older company", &job, 2, accounts, &bound);
}

#[test]
fn a_hundred_thousand_accounts_stay_within_the_limits() {
    let accounts = scaled(100_000);
    let rows = leavers(
        accounts / 100,
        |number| format!("Person Number{number}"),
        |number| format!("person{number}@example.com"),
    );
    let job = Job::new(world(accounts, |_, person| person), &rows);
    let bound = Bound {
        memory: 80,
        evidence: 2.6,
        full: (215, 25.0, 30.0),
    };
    check("100,000 accounts", &job, 2, accounts, &bound);
}

#[test]
fn half_a_million_leavers_stay_within_the_limits() {
    let left = scaled(500_000);
    let rows = leavers(
        left,
        |number| format!("Left Person{number}"),
        |number| format!("left{number}@example.com"),
    );
    let job = Job::new(world(100, |_, person| person), &rows);
    let bound = Bound {
        memory: 200,
        evidence: 3.5,
        full: (1300, 30.0, 30.0),
    };
    check("500,000 leavers", &job, 2, 100, &bound);
}

#[test]
fn expired_exceptions_stay_within_the_limits() {
    let lines = scaled(40_000);
    let mut exceptions = "email,reason,approved_by,approved_on,expires_on\n".to_owned();
    for number in 0..lines {
        let _ = writeln!(
            exceptions,
            "left{number}@example.com,hands over,ciso@example.com,2020-01-01,2020-02-01"
        );
    }
    let rows = leavers(
        100,
        |number| format!("Left Person{number}"),
        |number| format!("left{number}@example.com"),
    );
    let job =
        Job::new(world(100, |_, person| person), &rows).env("EXCEPTIONS_URL", "exceptions.csv");
    fs::write(job.place().join("exceptions.csv"), exceptions).expect("a file");
    let bound = Bound {
        memory: 70,
        evidence: 4.2,
        full: (170, 40.0, 2.0),
    };
    check("40,000 expired exceptions", &job, 2, 100, &bound);
}

#[test]
fn rows_of_one_address_stay_within_the_limits() {
    let left = scaled(60_000);
    let rows = leavers(
        left,
        |number| format!("Left Person{number}"),
        |_| "shared@example.com".to_owned(),
    );
    let job = Job::new(world(100, |_, person| person), &rows);
    let bound = Bound {
        memory: 80,
        evidence: 3.3,
        full: (280, 30.0, 2.5),
    };
    check("60,000 rows of one address", &job, 2, 100, &bound);
}

#[test]
fn a_review_of_a_hundred_thousand_accounts_stays_within_the_limits() {
    let accounts = scaled(100_000);
    let rows = leavers(
        accounts / 100,
        |number| format!("Left Person{number}"),
        |number| format!("left{number}@example.com"),
    );
    let job = Job::new(world(accounts, |_, person| person), &rows);
    assert_eq!(job.run().code, 0);
    let reviewers =
        "rule,value,reviewer\ndefault,,person1@example.com\ndefault,,person2@example.com\n";
    fs::write(job.place().join("reviewers.csv"), reviewers).expect("a file");
    let open = "review open --name 2999-Q4 --due 2999-12-31 --reviewers reviewers.csv";
    let open: Vec<&str> = open.split(' ').collect();
    let output = job.place().join("output");
    let opened = measured(job.command().args(&open), &output);
    let text = fs::read_to_string(&output).unwrap_or_default();
    assert_eq!(opened.code, Some(0), "{text}");
    let bound = Bound {
        memory: 64,
        evidence: 11.5,
        full: (200, 115.0, 20.0),
    };
    compare(
        "review of 100,000 accounts",
        &opened,
        &job.run_folder(2),
        &bound,
    );
}
