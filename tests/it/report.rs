//! The audit pack: a period with every kind of item, counted again from its own tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::has;
use crate::support::job::{Ended, Job, ended, unpacked};
use crate::support::review;
use crate::support::s3::S3Server;
use crate::support::schema::{ensure_as_published, validator};
use crate::support::shell::shell;
use asana_access_review::cli::arguments::{
    CloseArguments, DecisionArguments, OpenArguments, ReportArguments,
};
use asana_access_review::cli::{self, CommandRequest};
use asana_access_review::clock::Clock;
use asana_access_review::commands::report::{self, Made, ReportError};
use asana_access_review::commands::review as command;
use asana_access_review::evidence::{Tool, sha256_hex};
use asana_access_review::model::EmailAddress;
use asana_access_review::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use truto_simulator::{CONNECTION_ID, Person, World};

/// One row of the HR feed: the person, the state, the end, and the days of October with this row.
struct Row {
    number: usize,
    email: &'static str,
    status: &'static str,
    end: &'static str,
    days: std::ops::RangeInclusive<u8>,
}

const fn row(number: usize, end: &'static str) -> Row {
    Row {
        number,
        email: "",
        status: "Terminated",
        end,
        days: 1..=31,
    }
}

/// The people of the quarter. Their numbers are those of their accounts.
const IN_TIME: usize = 2;
const LATE: usize = 3;
const NOT_DEMONSTRATED: usize = 4;
const STILL_ACTIVE: usize = 5;
const ACCEPTED: usize = 6;
const ACCEPTED_TOO_LATE: usize = 7;
const WITHOUT_ACCOUNT: usize = 8;
const VANISHED: usize = 9;
const MOVED: usize = 10;
const WITHDRAWN: usize = 11;
const BACK: usize = 12;
const CARRIED_IN: usize = 13;
const NOT_DUE: usize = 14;
const BY_ALIAS: usize = 15;
const ADMIN: usize = 16;

/// The HR rows of a day.
fn hr_rows(day: u8) -> String {
    let rows = [
        row(IN_TIME, "2026-10-03"),
        row(LATE, "2026-10-03"),
        row(NOT_DEMONSTRATED, "2026-10-06"),
        row(STILL_ACTIVE, "2026-10-10"),
        row(ACCEPTED, "2026-10-05"),
        row(ACCEPTED_TOO_LATE, "2026-10-05"),
        Row {
            email: "ghost@example.com",
            ..row(WITHOUT_ACCOUNT, "2026-10-04")
        },
        Row {
            days: 1..=7,
            ..row(VANISHED, "2026-10-07")
        },
        Row {
            days: 1..=7,
            ..row(MOVED, "2026-10-04")
        },
        Row {
            days: 8..=31,
            ..row(MOVED, "2026-10-12")
        },
        Row {
            days: 1..=9,
            ..row(WITHDRAWN, "2026-10-15")
        },
        Row {
            days: 10..=31,
            status: "Active",
            ..row(WITHDRAWN, "")
        },
        row(BACK, "2026-10-03"),
        row(CARRIED_IN, "2026-09-20"),
        row(NOT_DUE, "2026-10-20"),
        Row {
            email: "private@else.example",
            ..row(BY_ALIAS, "2026-10-03")
        },
        row(ADMIN, "2026-10-13"),
    ];
    let mut text = String::new();
    for of in rows.iter().filter(|of| of.days.contains(&day)) {
        let number = of.number;
        let email = match of.email {
            "" => format!("person{number}@example.com"),
            email => email.to_owned(),
        };
        text.push_str(&format!(
            "N{number},Person {number},{email},{},{}\n",
            of.status, of.end
        ));
    }
    if day == INCONCLUSIVE {
        text.push_str("N99,Person 99,person99@example.com,Terminated,yesterday\n");
    }
    text
}

/// The first day without the account of each person, and the days on which it is back.
const GONE: [(usize, u8); 12] = [
    (IN_TIME, 4),
    (LATE, 7),
    (NOT_DEMONSTRATED, 9),
    (ACCEPTED, 12),
    (ACCEPTED_TOO_LATE, 12),
    (WITHOUT_ACCOUNT, 1),
    (VANISHED, 11),
    (MOVED, 12),
    (BACK, 4),
    (CARRIED_IN, 3),
    (BY_ALIAS, 4),
    (ADMIN, 14),
];

pub(crate) fn gid(number: usize) -> String {
    (1_200_000_000_000_000 + number).to_string()
}

fn world(day: u8) -> World {
    let mut world = World::new();
    // Enough accounts that the removals of a week are no implausible fall.
    for number in (1..=20).chain(101..=140) {
        let gone = GONE.iter().find(|(of, _)| *of == number);
        let is_back = number == BACK && (10..=11).contains(&day);
        if gone.is_some_and(|(_, from)| day >= *from) && !is_back {
            continue;
        }
        let email = format!("person{number}@example.com");
        let person = Person::member(gid(number), format!("Person {number}"), &email);
        world = world.person(match number {
            ADMIN => person.admin(),
            _ => person,
        });
    }
    world
}

pub(crate) const EXCEPTIONS: &str =
    "email,person_id,account_id,check,reason,approved_by,approved_on,expires_on,ticket\n";

/// The exceptions of a day.
fn exceptions(day: u8) -> String {
    let mut text = EXCEPTIONS.to_owned();
    let line = |number: usize, on: &str, ticket: &str| {
        format!(",N{number},,,hands over open projects,ciso@example.com,{on},2026-10-31,{ticket}\n")
    };
    if day >= 5 {
        text.push_str(&line(ACCEPTED, "2026-10-04", "SEC-6"));
    }
    if day >= 9 {
        text.push_str(&line(ACCEPTED_TOO_LATE, "2026-10-09", "SEC-7"));
    }
    text
}

/// The evidence of the quarter, made once, and a pack of October.
struct Quarter {
    job: Job,
    folder: TempDir,
}

impl Quarter {
    fn pack(&self) -> Pack {
        Pack(self.folder.path().join("pack"))
    }
}

const DAYS: u8 = 20;

/// The run of this day is missing.
const MISSING: u8 = 8;

/// The run of this day fails.
const FAILED: u8 = 2;

/// A row of HR cannot be read on this day.
const INCONCLUSIVE: u8 = 3;

fn quarter() -> &'static Quarter {
    static QUARTER: OnceLock<Quarter> = OnceLock::new();
    QUARTER.get_or_init(|| {
        let mut job = Job::new(world(1), "")
            .env("RUN_SCHEDULE", "40 22 * * *")
            .env("RUN_SCHEDULE_ZONE", "Etc/UTC")
            .env("ALIASES_URL", "aliases.csv")
            .env("EXCEPTIONS_URL", "exceptions.csv");
        let path = |job: &Job, name: &str| job.folder.path().join(name);
        let aliases = format!(
            "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n,{},N{BY_ALIAS},same,,,,\n",
            gid(BY_ALIAS)
        );
        fs::write(path(&job, "aliases.csv"), aliases).expect("aliases");
        for day in 0..=DAYS {
            if day == MISSING {
                continue;
            }
            // The run before the period.
            let at = match day {
                0 => "2026-09-30T22:40:00Z".to_owned(),
                day => format!("2026-10-{day:02}T22:40:00Z"),
            };
            if day == 14 {
                job = job.env("OFFBOARDING_GRACE", "48h");
            }
            job.hr_feed(&hr_rows(day.max(1)));
            fs::write(path(&job, "exceptions.csv"), exceptions(day)).expect("exceptions");
            let (done, _) = job.try_run_at(
                &at,
                world(day).with(|world| world.blocked = day == FAILED),
                |_| (),
            );
            assert_eq!(done.is_err(), day == FAILED, "{day}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("pack");
        made(&job.evidence(), &out, &["--seed", "autumn", "--sample", "3", "--sample-runs", "4"])
            .unwrap_or_else(|error| panic!("{error}"));

        Quarter { job, folder }
    })
}

/// The folder of a pack that the command made.
pub(crate) fn pack_folder() -> PathBuf {
    quarter().pack().0
}

/// The rows of a table of that pack.
pub(crate) fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    quarter().pack().rows(table)
}

/// The arguments of a pack of October.
fn arguments(out: &Path, more: &[&str]) -> ReportArguments {
    arguments_for(out, ("2026-10-01", "2026-10-20"), more)
}

fn arguments_for(out: &Path, (from, to): (&str, &str), more: &[&str]) -> ReportArguments {
    let mut line = vec!["asana-access-review", "report", "--from", from, "--to", to];
    line.extend(["--out", out.to_str().expect("a path")]);
    line.extend(more);
    match cli::parse(line.into_iter().map(Into::into)) {
        Ok(CommandRequest::Report(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

fn tool() -> Tool {
    Tool {
        name: "asana-access-review".to_owned(),
        version: "0.0.0".to_owned(),
        commit: "c0ffee0".to_owned(),
    }
}

/// Makes a pack as the binary does, on the day after the period.
fn made(evidence: &Path, out: &Path, more: &[&str]) -> Result<Made, ReportError> {
    made_at(evidence, &arguments(out, more), "2026-10-21T09:00:00Z")
}

fn made_at(evidence: &Path, arguments: &ReportArguments, now: &str) -> Result<Made, ReportError> {
    let store = Store::folder(evidence);
    let clock = Clock::at(now.parse().expect("an instant"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(report::make(&store, arguments, Vec::new(), clock, tool()))
}

/// The pack of a month of 2026, long after its end.
pub(crate) fn pack_of_month(job: &Job, month: u8, out: &Path) -> Pack {
    let last = if month == 10 || month == 12 { 31 } else { 30 };
    let (from, to) = (
        format!("2026-{month:02}-01"),
        format!("2026-{month:02}-{last}"),
    );
    let arguments = arguments_for(out, (&from, &to), &[]);
    let made = made_at(&job.evidence(), &arguments, "2027-02-01T09:00:00Z");
    made.unwrap_or_else(|error| panic!("{error}"));
    Pack(out.to_owned())
}

/// A pack on disk.
pub(crate) struct Pack(PathBuf);

/// A row by its columns.
pub(crate) type Cells = BTreeMap<String, String>;

impl Pack {
    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes("pack.json")).expect("JSON")
    }

    pub(crate) fn rows(&self, table: &str) -> Vec<Cells> {
        let bytes = self.bytes(&format!("csv/{table}.csv"));
        let mut reader = csv::Reader::from_reader(&bytes[3..]);
        let names = reader.headers().expect("a header").clone();
        let rows = reader.records().map(|row| {
            let row = row.expect("a row");
            let cells = names.iter().zip(row.iter());
            cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        });
        rows.collect()
    }

    pub(crate) fn item(&self, number: usize) -> Cells {
        let id = format!("N{number}");
        let rows = self.rows("population");
        let mut found = rows.into_iter().filter(|row| row["person_id"] == id);
        let item = found
            .next()
            .unwrap_or_else(|| panic!("{id} is not in the population"));
        assert!(found.all(|row| row["result"] == "access_after_conclusion"));
        item
    }

    /// The deviations of a type.
    pub(crate) fn deviations(&self, kind: &str) -> Vec<Cells> {
        let rows = self.rows("deviations").into_iter();
        rows.filter(|row| row["type"] == kind).collect()
    }
}

fn counted(rows: &[Cells], column: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row[column].clone()).or_default() += 1;
    }
    counts
}

/// The counts of `pack.json` without those of zero.
fn counts(value: &Value) -> BTreeMap<String, u64> {
    let counts = value.as_object().expect("counts").iter();
    let counts = counts.map(|(name, count)| (name.clone(), count.as_u64().expect("a count")));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn every_item_has_its_result_of_record() {
    let pack = quarter().pack();
    for (number, result, part) in [
        (IN_TIME, "in_time", "in_period"),
        (LATE, "late", "in_period"),
        (NOT_DEMONSTRATED, "not_demonstrated", "in_period"),
        (STILL_ACTIVE, "late", "in_period"),
        (ACCEPTED, "risk_accepted", "in_period"),
        (ACCEPTED_TOO_LATE, "late", "in_period"),
        (WITHOUT_ACCOUNT, "no_account", "in_period"),
        (VANISHED, "late", "in_period"),
        (MOVED, "date_corrected", "in_period"),
        (WITHDRAWN, "withdrawn", "in_period"),
        (BACK, "in_time", "in_period"),
        (CARRIED_IN, "late", "carried_in"),
        (NOT_DUE, "not_due", "in_period"),
        (BY_ALIAS, "in_time", "in_period"),
        (ADMIN, "in_time", "in_period"),
    ] {
        let item = pack.item(number);
        assert_eq!(
            (item["result"].as_str(), item["part"].as_str()),
            (result, part),
            "N{number}"
        );
    }
}

#[test]
fn an_item_has_the_interval_and_the_entries_of_its_runs() {
    let pack = quarter().pack();
    let item = pack.item(LATE);
    let expected = [
        ("end_of_work", "2026-10-04T00:00:00Z"),
        ("deadline", "2026-10-05T00:00:00Z"),
        ("grace_hours", "24.00"),
        ("last_seen_with_access", "2026-10-06T22:40:00Z"),
        ("first_seen_without_access", "2026-10-07T22:40:00Z"),
        ("late_hours_min", "46.66"),
        ("late_hours_max", "70.66"),
        ("account_id", "1200000000000003"),
        ("role_at_end", "member"),
        ("status_at_end", "active"),
        ("match", "former_email"),
    ];
    for (column, value) in expected {
        assert_eq!(item[column], value, "{column}");
    }
    let runs = pack.rows("runs");
    let entry = |at: &str| {
        let run = runs
            .iter()
            .find(|run| run["began_at"] == at)
            .expect("a run");
        run["sequence"].clone()
    };
    assert_eq!(item["last_seen_entry"], entry("2026-10-06T22:40:00Z"));
    assert_eq!(item["first_seen_entry"], entry("2026-10-07T22:40:00Z"));
    assert_eq!(item["concluded_entry"], item["first_seen_entry"]);
}

#[test]
fn access_after_a_conclusion_is_an_item_of_its_own() {
    let pack = quarter().pack();
    let rows = pack.rows("population");
    let again: Vec<&Cells> = rows
        .iter()
        .filter(|row| row["result"] == "access_after_conclusion")
        .collect();
    assert_eq!(again.len(), 1);
    let item = pack.item(BACK);
    assert_eq!(again[0]["item_id"], format!("{}-again-1", item["item_id"]));
    assert_eq!(again[0]["last_seen_with_access"], "2026-10-11T22:40:00Z");
    assert_eq!(
        again[0]["first_seen_without_access"],
        "2026-10-12T22:40:00Z"
    );
    assert!(
        item["later_events"].starts_with("access_again@"),
        "{item:?}"
    );
}

#[test]
fn an_exception_counts_from_the_first_run_that_shows_it() {
    let pack = quarter().pack();
    let exceptions = pack.rows("exceptions");
    let of = |number: usize| {
        let keys = format!("person_id=N{number}");
        exceptions
            .iter()
            .find(|row| row["keys"] == keys)
            .expect("an exception")
    };
    assert_eq!(of(ACCEPTED)["in_force_since"], "2026-10-05T22:40:00Z");
    assert_eq!(of(ACCEPTED)["after_the_fact"], "false");
    assert_eq!(
        of(ACCEPTED_TOO_LATE)["in_force_since"],
        "2026-10-09T22:40:00Z"
    );
    assert_eq!(of(ACCEPTED_TOO_LATE)["after_the_fact"], "true");
    assert_eq!(
        pack.item(ACCEPTED)["exception"],
        of(ACCEPTED)["exception_id"]
    );
    let late = pack.item(ACCEPTED_TOO_LATE);
    assert!(
        late["flags"].contains("exception_after_the_fact"),
        "{late:?}"
    );
}

#[test]
fn a_deadline_in_a_gap_between_runs_is_flagged() {
    let pack = quarter().pack();
    for row in pack.rows("population") {
        // The run of the 8th is missing.
        let in_gap = ["2026-10-08T00:00:00Z", "2026-10-09T00:00:00Z"]
            .contains(&row["deadline"].as_str())
            && row["result"] != "access_after_conclusion";
        let is_flagged = row["flags"].contains("gap_over_deadline");
        assert_eq!(is_flagged, in_gap, "{row:?}");
    }
    assert!(pack.item(NOT_DEMONSTRATED)["flags"].contains("gap_over_deadline"));
}

#[test]
fn the_page_lists_in_its_gaps_the_items_with_the_flag() {
    let pack = quarter().pack();
    let page = pack.text("index.html");
    let gaps = page.split("<caption id=\"table-gaps\">").nth(1);
    let gaps = gaps.and_then(|rest| rest.split("</table>").next());
    let items = gaps.expect("the table").split("href=\"#item-").skip(1);
    let listed: Vec<&str> = items.filter_map(|rest| rest.split('"').next()).collect();
    let rows = pack.rows("population");
    let flagged = rows
        .iter()
        .filter(|row| row["flags"].contains("gap_over_deadline"));
    let flagged: Vec<&str> = flagged.map(|row| row["item_id"].as_str()).collect();
    assert_eq!(flagged.len(), 2, "{rows:?}");
    assert_eq!(listed, flagged);
}

#[test]
fn every_due_run_has_a_row_with_its_state() {
    let pack = quarter().pack();
    let runs = pack.rows("runs");
    assert_eq!(runs.len(), usize::from(DAYS));
    for (place, run) in runs.iter().enumerate() {
        let day = place + 1;
        assert_eq!(run["due_at"], format!("2026-10-{day:02}T22:40:00Z"));
        let expected = match u8::try_from(day).expect("a day") {
            MISSING => "missing",
            FAILED => "failed",
            INCONCLUSIVE => "inconclusive",
            _ => run["state"].as_str(),
        };
        assert_eq!(run["state"], expected, "{day}");
    }
    let state = |day: usize| runs[day - 1]["state"].as_str();
    assert_eq!((state(1), state(5), state(20)), ("fail", "fail", "fail"));
    assert_eq!(state(4), "pass");
    let sequences: BTreeSet<u64> = runs
        .iter()
        .filter_map(|run| run["sequence"].parse().ok())
        .collect();
    // Entry 1 is the run before the period.
    assert_eq!(sequences, (2..=20).collect());
    for run in runs.iter().filter(|run| run["kind"] == "run") {
        assert_eq!(run["verified"], "recomputed");
    }
}

#[test]
fn every_total_is_the_count_of_its_rows() {
    let pack = quarter().pack();
    let totals = &pack.json()["totals"];
    let runs = pack.rows("runs");
    assert_eq!(counts(&totals["runs"]["by_state"]), counted(&runs, "state"));
    let due = runs.iter().filter(|run| run["state"] != "extra").count();
    assert_eq!(totals["runs"]["due"], due);

    let items = pack.rows("population");
    assert_eq!(totals["items"]["total"], items.len());
    assert_eq!(
        counts(&totals["items"]["by_result"]),
        counted(&items, "result")
    );
    assert_eq!(counts(&totals["items"]["by_part"]), counted(&items, "part"));

    let deviations = pack.rows("deviations");
    assert_eq!(counts(&totals["deviations"]), counted(&deviations, "type"));
    for row in pack.rows("deviation_types") {
        let count = counted(&deviations, "type")
            .get(&row["type"])
            .copied()
            .unwrap_or_default();
        assert_eq!(row["deviations"], count.to_string(), "{row:?}");
    }

    let hr = pack.rows("hr_by_run");
    let sum = |column: &str| {
        let cells = hr
            .iter()
            .map(|row| row[column].parse::<u64>().expect("a count"));
        cells.sum::<u64>()
    };
    assert_eq!(totals["hr"]["runs"], hr.len());
    for column in [
        "rows",
        "read",
        "rejected",
        "blank",
        "duplicates",
        "persons",
        "further_rows",
    ] {
        assert_eq!(totals["hr"][column], sum(column), "{column}");
    }
    assert_eq!(
        sum("rows"),
        sum("read") + sum("rejected") + sum("blank") + sum("duplicates")
    );
    assert_eq!(sum("read"), sum("persons") + sum("further_rows"));
    let by_standing = ["leavers", "active", "on_leave", "unclassified"].map(sum);
    assert_eq!(sum("persons"), by_standing.iter().sum::<u64>());

    let findings = pack.rows("findings");
    let of = |name: &str| totals["findings"][name].as_u64().expect("a count");
    let open = findings
        .iter()
        .filter(|row| row["closed_entry"].is_empty())
        .count() as u64;
    assert_eq!(of("open"), open);
    assert_eq!(of("opened_before") + of("opened"), findings.len() as u64);
    assert_eq!(
        of("opened_before") + of("opened") - of("closed"),
        of("open")
    );
    assert_eq!(of("opened_before"), 1, "{findings:?}");

    let ids = pack.bytes("population-ids.txt");
    assert_eq!(pack.json()["cover"]["population_sha256"], sha256_hex(&ids));
    let lines = String::from_utf8(ids).expect("text");
    let listed: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let items: Vec<String> = items
        .into_iter()
        .map(|row| row["item_id"].clone())
        .collect();
    assert_eq!(listed, items);
}

#[test]
fn each_event_is_a_deviation_of_its_type() {
    let pack = quarter().pack();
    let item = |number: usize| pack.item(number)["item_id"].clone();
    let items = |kind: &str| -> BTreeSet<String> {
        pack.deviations(kind)
            .iter()
            .map(|row| row["item_id"].clone())
            .collect()
    };
    assert_eq!(
        items("access_after_deadline"),
        // HR moved the second one's end of work after a run had seen the access.
        BTreeSet::from([item(STILL_ACTIVE), item(MOVED)])
    );
    let late = [LATE, ACCEPTED_TOO_LATE, VANISHED, CARRIED_IN];
    assert_eq!(items("removal_late"), late.map(item).into());
    assert_eq!(
        items("removal_not_demonstrated"),
        BTreeSet::from([item(NOT_DEMONSTRATED)])
    );
    assert_eq!(items("date_corrected"), BTreeSet::from([item(MOVED)]));
    assert_eq!(
        items("end_moved_after_the_fact"),
        BTreeSet::from([item(MOVED)])
    );
    assert_eq!(
        items("exception_after_the_fact"),
        BTreeSet::from([item(ACCEPTED_TOO_LATE)])
    );
    assert_eq!(items("leaver_vanished"), BTreeSet::from([item(VANISHED)]));
    assert_eq!(
        items("access_after_conclusion"),
        BTreeSet::from([format!("{}-again-1", item(BACK))])
    );
    assert_eq!(
        pack.deviations("run_missing")[0]["opened_at"],
        "2026-10-08T22:40:00Z"
    );
    assert_eq!(pack.deviations("run_failed").len(), 1);
    assert_eq!(pack.deviations("run_inconclusive").len(), 1);
    let rejected = &pack.deviations("hr_rows_rejected")[0];
    assert_eq!(rejected["opened_at"], "2026-10-03T22:40:00Z");
    assert_eq!(rejected["closed_at"], "2026-10-04T22:40:00Z");
    assert_eq!(rejected["days"], "1.00");
    assert_eq!(pack.deviations("alias_without_approver").len(), 1);
    let unsigned = pack.deviations("unsigned_entry");
    assert_eq!(unsigned.len(), 1);
    // Every day of the period except the missing one.
    assert_eq!(
        unsigned[0]["what"],
        "a ledger entry is not signed: 19 entries in a row"
    );
    assert_eq!(pack.deviations("version_changed").len(), 0);

    let loosened = pack.deviations("rule_loosened");
    assert_eq!(loosened.len(), 1);
    assert_eq!(loosened[0]["opened_at"], "2026-10-14T22:40:00Z");
    let rules = pack.rows("rules");
    let change = rules
        .iter()
        .find(|row| row["effect"] == "loosened")
        .expect("a rule");
    assert_eq!(change["rule"], "offboarding_grace_seconds");
    assert_eq!(
        (change["before"].as_str(), change["after"].as_str()),
        ("86400", "172800")
    );
    let due: BTreeSet<&str> = change["due_items"].split(';').collect();
    assert!(due.contains(item(ADMIN).as_str()), "{change:?}");
    assert!(!due.contains(item(LATE).as_str()), "{change:?}");
}

#[test]
fn an_item_in_time_only_by_a_loosened_grace_is_tested_whole() {
    let mut job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-13\n");
    for day in [12, 13] {
        job.run_at(&of_day(day), world(1));
    }
    job = job.env("OFFBOARDING_GRACE", "48h");
    job.run_at(&of_day(14), world(1));
    // After the deadline that 24 hours of grace give.
    job.run_at(&of_day(15), world(1).without_person(&gid(2)));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let item = pack.item(2);
    assert_eq!(item["result"], "in_time");
    assert!(
        item["flags"].contains("in_time_by_loosened_grace"),
        "{item:?}"
    );
    let loosened = &pack.deviations("rule_loosened")[0];
    assert_eq!(loosened["item_id"], item["item_id"]);
    assert!(pack.text("population-ids.txt").contains("all_deviations"));
    let items = &pack.json()["totals"]["items"];
    assert_eq!(items["in_time_by_loosened_grace"], 1);
    let page = pack.text("index.html");
    assert!(page.contains("1 item is in time only because the grace was loosened."));
}

#[test]
fn page_one_says_which_head_was_given_and_which_schedule_was_replaced() {
    let quarter = quarter();
    let folder = tempfile::tempdir().expect("a folder");
    let fifth = fs::read(quarter.job.connection().join("ledger/0000000005.json"));
    let head = format!("5:{}", sha256_hex(&fifth.expect("an entry")));
    let out = folder.path().join("pack");
    let options = [
        "--head",
        &head,
        "--every",
        "40 22 * * 1",
        "--zone",
        "Etc/UTC",
    ];
    made(&quarter.job.evidence(), &out, &options).expect("a pack");
    let pack = Pack(out);
    let cover = pack.json()["cover"].clone();
    assert_eq!(cover["head_given"], 5);
    assert_eq!(cover["last_entry"], 20);
    assert_eq!(cover["replaced_schedule"], "40 22 * * * (Etc/UTC)");
    let page = pack.text("index.html");
    let first = page.split("id=\"results\"").next().expect("a page");
    assert!(first.contains("entry 20; the head of entry 5 was given"));
    assert!(first.contains("The evidence records <code>40 22 * * * (Etc/UTC)</code>"));
    let limits = pack.json()["limits"].to_string();
    assert!(
        limits.contains("Entries after entry 20 may have been cut off."),
        "{limits}"
    );
    // The recorded schedule replaces nothing.
    let out = folder.path().join("again");
    let options = ["--every", "40 22 * * *", "--zone", "Etc/UTC"];
    made(&quarter.job.evidence(), &out, &options).expect("a pack");
    assert_eq!(Pack(out).json()["cover"]["replaced_schedule"], Value::Null);
}

#[test]
fn a_run_without_a_ledger_entry_is_on_page_one() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n");
    for day in [3, 4] {
        job.run_at(&of_day(day), world(1));
    }
    let name = "dt=2026-10-03/run=20261003T233000Z-aaaaaa";
    let stopped = job.connection().join(name);
    fs::create_dir_all(&stopped).expect("a folder");
    fs::write(stopped.join("accounts.csv"), "account_id\n").expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let page = pack.text("index.html");
    let first = page.split("id=\"results\"").next().expect("a page");
    assert!(first.contains(name), "{first}");
    let shown = pack.text("verification.txt");
    assert!(
        shown.contains(&format!("folders without entry: 1: {name}")),
        "{shown}"
    );
}

#[test]
fn an_administrator_from_before_the_period_has_no_first_day_in_it() {
    let admins = quarter().pack().rows("admins");
    let row = admins
        .iter()
        .find(|row| row["account_id"] == gid(ADMIN))
        .expect("a term");
    assert_eq!(row["how_began"], "earlier");
    assert_eq!(
        (row["since"].as_str(), row["since_entry"].as_str()),
        ("", "")
    );
}

#[test]
fn the_rows_of_a_sampled_leaver_begin_before_hr_named_the_end() {
    let job = one_leaver("N2,Person 2,person2@example.com,Active,\n");
    job.run_at(&of_day(2), world(1));
    job.hr_feed("N2,Person 2,person2@example.com,Active,2026-10-10\n");
    for day in [3, 9, 10, 11] {
        job.run_at(&of_day(day), world(1));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &["--seed", "autumn"]).expect("a pack");
    let pack = Pack(out);
    let below = format!("samples/{}", pack.rows("sample")[0]["folder"]);
    let hr = pack.text(&format!("{below}/hr.csv"));
    let seen: Vec<(&str, bool)> = hr
        .lines()
        .skip(1)
        .map(|line| {
            let at = line.split(',').nth(1).expect("an instant");
            (at, line.contains("2026-10-10,"))
        })
        .collect();
    let expected = [
        ("2026-10-02T22:40:00Z", false),
        ("2026-10-03T22:40:00Z", true),
    ];
    assert_eq!(seen, expected, "{hr}");
    // Access is shown from the run before the end of work.
    let access = pack.text(&format!("{below}/access.csv"));
    let first = access.lines().nth(1).expect("a run");
    assert!(first.contains("2026-10-10T22:40:00Z"), "{access}");
}

#[test]
fn a_carried_in_finding_began_before_the_period() {
    let pack = quarter().pack();
    let late = pack.deviations("removal_late");
    let carried = pack.item(CARRIED_IN)["item_id"].clone();
    let of = late
        .iter()
        .find(|row| row["item_id"] == carried)
        .expect("a deviation");
    assert_eq!(of["opened_entry"], "1");
    assert_eq!(of["opened_at"], "2026-09-30T22:40:00Z");
}

/// The ids that a draw gives, computed here from the table alone.
fn redrawn(pack: &Pack, seed: &str, most: usize) -> Vec<String> {
    let rank = |id: &str| sha256_hex(format!("{seed}:{id}").as_bytes());
    let text = pack.text("population-ids.txt");
    let mut random: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_suffix(" in_period -"))
        .map(|id| (rank(id), id.to_owned()))
        .collect();
    random.sort();
    random.into_iter().take(most).map(|(_, id)| id).collect()
}

#[test]
fn the_sample_is_drawn_again_by_shell_and_python() {
    if !has(&["sh", "sha256sum", "awk", "python3"]) {
        return;
    }
    let pack = quarter().pack();
    let sample = pack.rows("sample");
    let of = |why: &str| -> Vec<String> {
        let rows = sample.iter().filter(|row| row["why"] == why);
        rows.map(|row| row["item_id"].clone()).collect()
    };
    let random = of("random");
    assert_eq!(random.len(), 3);
    assert_eq!(random, redrawn(&pack, "autumn", 3));
    let admin = pack.item(ADMIN)["item_id"].clone();
    assert_eq!(of("all_admins"), [admin]);
    let deviating: BTreeSet<String> = pack
        .rows("deviations")
        .into_iter()
        .map(|row| row["item_id"].clone())
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(BTreeSet::from_iter(of("all_deviations")), deviating);

    let by_shell = Command::new("sh")
        .args(["tools/redo-sample.sh", "autumn", "3", "4"])
        .current_dir(&pack.0)
        .output();
    let by_shell = ended(by_shell.expect("sh"));
    assert_eq!(by_shell.code, 0, "{}", by_shell.stderr);
    let mut expected = format!(
        "population {}\nleavers, drawn:\n",
        pack.json()["cover"]["population_sha256"]
            .as_str()
            .expect("a hash")
    );
    let runs = pack.rows("sample_runs");
    let all = [
        ("", &sample, "random", "item_id"),
        ("leavers, all_admins:\n", &sample, "all_admins", "item_id"),
        (
            "leavers, all_deviations:\n",
            &sample,
            "all_deviations",
            "item_id",
        ),
        ("runs, drawn:\n", &runs, "random", "due_at"),
        ("runs, all_deviations:\n", &runs, "all_deviations", "due_at"),
    ];
    for (heading, rows, why, id) in all {
        expected.push_str(heading);
        for row in rows.iter().filter(|row| row["why"] == why) {
            expected.push_str(&format!("{} {}\n", row["rank_sha256"], row[id]));
        }
    }
    assert_eq!(by_shell.stdout, expected);

    let python = "import hashlib,sys\n\
        ids=[l.split() for l in open('population-ids.txt')]\n\
        rank=lambda i: hashlib.sha256(('autumn:'+i).encode()).hexdigest()\n\
        print(*sorted((i for i,p,a in ids if p=='in_period' and a=='-'),key=rank)[:3])\n";
    let by_python = Command::new("python3")
        .args(["-c", python])
        .current_dir(&pack.0)
        .output();
    let by_python = ended(by_python.expect("python"));
    assert_eq!(
        by_python.stdout.trim(),
        random.join(" "),
        "{}",
        by_python.stderr
    );
}

#[test]
fn a_sampled_leaver_has_the_evidence_before_and_after() {
    let pack = quarter().pack();
    let sample = pack.rows("sample");
    let late = pack.item(LATE);
    let row = sample
        .iter()
        .find(|row| row["item_id"] == late["item_id"])
        .expect("sampled");
    let below = |name: &str| format!("samples/{}/{name}", row["folder"]);
    for (part, entry, has_access) in [
        ("before", &late["last_seen_entry"], true),
        ("after", &late["first_seen_entry"], false),
    ] {
        let runs = pack.rows("runs");
        let run = runs
            .iter()
            .find(|run| run["sequence"] == *entry)
            .expect("a run");
        let of = |name: &str| pack.bytes(&below(&format!("{part}/{name}")));
        assert_eq!(sha256_hex(&of("entry.json")), run["entry_sha256"]);
        let committed: Value = serde_json::from_slice(&of("entry.json")).expect("JSON");
        assert_eq!(
            committed["manifest_sha256"],
            sha256_hex(&unpacked("manifest.json.gz", of("manifest.json.gz")))
        );
        assert_eq!(committed["sums_sha256"], sha256_hex(&of("SHA256SUMS")));
        let raw = String::from_utf8(of("raw.jsonl")).expect("text");
        let records: Vec<Value> = raw
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(!records.is_empty(), has_access, "{part}");
        let sums = String::from_utf8(of("SHA256SUMS")).expect("text");
        for record in records {
            assert!(record["record"].to_string().contains(&late["account_id"]));
            let (file, sha256) = (&record["file"], &record["file_sha256"]);
            let line = format!(
                "{}  {}\n",
                sha256.as_str().expect("a"),
                file.as_str().expect("b")
            );
            assert!(sums.contains(&line), "{line}");
        }
    }
    let access = pack.text(&below("access.csv"));
    let seen: Vec<(&str, &str)> = access
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[1], cells[8])
        })
        .collect();
    let expected = [
        ("2026-10-03T22:40:00Z", "yes"),
        ("2026-10-04T22:40:00Z", "yes"),
        ("2026-10-05T22:40:00Z", "yes"),
        ("2026-10-06T22:40:00Z", "yes"),
        ("2026-10-07T22:40:00Z", "no"),
        ("2026-10-09T22:40:00Z", "no"),
        ("2026-10-10T22:40:00Z", "no"),
        ("2026-10-11T22:40:00Z", "no"),
    ];
    assert_eq!(seen, expected);
    let moved = pack.item(MOVED)["item_id"].clone();
    let row = sample
        .iter()
        .find(|row| row["item_id"] == moved)
        .expect("sampled");
    let hr = pack.text(&format!("samples/{}/hr.csv", row["folder"]));
    assert_eq!(
        hr.lines().count(),
        3,
        "the header, and a row for each date: {hr} {:?}",
        pack.item(MOVED)
    );
    assert!(
        hr.contains("2026-10-04") && hr.contains("2026-10-12"),
        "{hr}"
    );
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    let quarter = quarter();
    let again = quarter.folder.path().join("again");
    made(
        &quarter.job.evidence(),
        &again,
        &["--seed", "autumn", "--sample", "3", "--sample-runs", "4"],
    )
    .expect("a pack");
    let (one, other) = (files_of(&quarter.pack().0), files_of(&again));
    assert!(one.len() > 40, "{}", one.len());
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &one {
        assert!(other[name] == *bytes, "{name} differs");
    }
}

fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    crate::support::objects_below(folder)
}

#[test]
fn sha256sums_finds_every_changed_file() {
    if !has(&["sha256sum"]) {
        return;
    }
    let quarter = quarter();
    let copy = tempfile::tempdir().expect("a folder");
    crate::support::copy(&quarter.pack().0, copy.path());
    let check = || checked(copy.path());
    assert_eq!(check(), 0);
    let sums = fs::read_to_string(copy.path().join("SHA256SUMS")).expect("sums");
    let listed: BTreeSet<&str> = sums.lines().filter_map(|line| line.get(66..)).collect();
    let files = files_of(copy.path());
    let unlisted: Vec<&String> = files
        .keys()
        .filter(|name| !listed.contains(name.as_str()))
        .collect();
    assert_eq!(unlisted, ["SHA256SUMS", "verification.txt"]);
    let verification = String::from_utf8(files["verification.txt"].clone()).expect("text");
    assert!(verification.ends_with(&format!("SHA256SUMS: {}\n", sha256_hex(sums.as_bytes()))));
    for (name, bytes) in files
        .iter()
        .filter(|(name, _)| listed.contains(name.as_str()))
    {
        let mut changed = bytes.clone();
        changed.push(b' ');
        fs::write(copy.path().join(name), changed).expect("a file");
        assert_ne!(check(), 0, "{name}");
        fs::write(copy.path().join(name), bytes).expect("a file");
    }
    assert_eq!(check(), 0);
}

/// The files of a pack by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Changes a text file.
fn text(files: &mut Files, name: &str, change: impl FnOnce(String) -> String) {
    let before = String::from_utf8(files[name].clone()).expect("text");
    files.insert(name.to_owned(), change(before).into_bytes());
}

fn replace(files: &mut Files, name: &str, from: &str, to: &str) {
    text(files, name, |text| text.replacen(from, to, 1));
}

/// Removes the first line after the header that contains a word.
fn drop_line(files: &mut Files, name: &str, word: &str) {
    text(files, name, |text| {
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let place = lines.iter().skip(1).position(|line| line.contains(word));
        lines.remove(place.expect("a line") + 1);
        lines.concat()
    });
}

/// The first file whose name contains a word.
fn named(files: &Files, word: &str) -> String {
    let mut names = files.keys();
    names
        .find(|name| name.contains(word))
        .expect("a file")
        .clone()
}

/// What a liar does to the files of a pack.
type Lie = fn(&mut Files);

const LIES: [(&str, Lie); 30] = [
    ("a leaver is dropped", |of| {
        drop_line(of, "csv/population.csv", ",late,")
    }),
    ("a late leaver is in time", |of| {
        replace(of, "csv/population.csv", ",late,", ",in_time,")
    }),
    ("a deadline is moved", |of| {
        replace(
            of,
            "csv/population.csv",
            "2026-10-05T00:00:00Z",
            "2026-10-08T00:00:00Z",
        )
    }),
    ("an account is another one", |of| {
        replace(
            of,
            "csv/population.csv",
            "1200000000000003",
            "1200000000000004",
        )
    }),
    ("a flag is taken away", |of| {
        replace(of, "csv/population.csv", "exception_after_the_fact", "")
    }),
    ("a leaver is carried out of the period", |of| {
        replace(of, "csv/population.csv", ",in_period", ",carried_in")
    }),
    ("a missing run is there", |of| {
        replace(of, "csv/runs.csv", ",missing,", ",pass,")
    }),
    ("a missing run is hidden", |of| {
        drop_line(of, "csv/runs.csv", ",missing,")
    }),
    ("a failing run passes", |of| {
        replace(of, "csv/runs.csv", ",fail,", ",pass,")
    }),
    ("a run is not verified", |of| {
        replace(of, "csv/runs.csv", "recomputed", "hashes_only")
    }),
    ("an entry has another hash", |of| {
        replace(
            of,
            "csv/runs.csv",
            ",run,fail,dt=2026-10-01",
            ",run,fail,dt=2026-10-02",
        )
    }),
    ("a deviation is dropped", |of| {
        drop_line(of, "csv/deviations.csv", "access_after_deadline")
    }),
    ("a deviation is closed", |of| {
        replace(
            of,
            "csv/deviations.csv",
            "no run shows that it ended",
            "it ended",
        )
    }),
    ("management has answered", |of| {
        replace(of, "csv/deviations.csv", ",\r\n", ",accepted\r\n")
    }),
    ("a type was not looked for", |of| {
        drop_line(of, "csv/deviation_types.csv", "unsigned_entry")
    }),
    ("a finding is dropped", |of| {
        drop_line(of, "csv/findings.csv", "offboarded_access")
    }),
    ("an exception came in time", |of| {
        replace(of, "csv/exceptions.csv", ",true", ",false")
    }),
    ("an alias has an approver", |of| {
        replace(
            of,
            "csv/aliases.csv",
            ",used,,,,",
            ",used,,,ciso@example.com,",
        )
    }),
    ("an administrator is dropped", |of| {
        drop_line(of, "csv/admins.csv", "1200000000000016")
    }),
    ("the grace was always long", |of| {
        replace(of, "csv/rules.csv", "86400", "172800")
    }),
    ("a rejected row is hidden", |of| {
        text(of, "csv/hr_by_run.csv", |text| {
            text.replace(",1,0,0,", ",0,0,0,")
        })
    }),
    ("a leaver is not sampled", |of| {
        drop_line(of, "csv/sample.csv", "random")
    }),
    ("the seed is another one", |of| {
        replace(of, "pack.json", "\"autumn\"", "\"spring\"")
    }),
    ("a total is edited", |of| {
        replace(of, "pack.json", "\"missing\":1", "\"missing\":0")
    }),
    ("the population lacks an id", |of| {
        drop_line(of, "population-ids.txt", "in_period")
    }),
    ("page one concludes", |of| {
        replace(of, "index.html", "draws no conclusion", "concludes")
    }),
    ("the spreadsheet is another one", |of| {
        of.get_mut("audit-pack.xlsx").expect("a file").push(0);
    }),
    ("a record of a sampled leaver is gone", |of| {
        let name = named(of, "before/raw.jsonl");
        of.insert(name, Vec::new());
    }),
    ("the folder of a sampled leaver lacks a run", |of| {
        of.remove(&named(of, "/after/manifest.json.gz"));
    }),
    ("the script draws another sample", |of| {
        replace(of, "tools/redo-sample.sh", "sort", "sort -r")
    }),
];

#[test]
fn each_of_thirty_falsified_packs_is_found() {
    if !has(&["sha256sum"]) {
        return;
    }
    let quarter = quarter();
    let original = files_of(&quarter.pack().0);
    let again = tempfile::tempdir().expect("a folder");
    let out = again.path().join("pack");
    let options = ["--seed", "autumn", "--sample", "3", "--sample-runs", "4"];
    made(&quarter.job.evidence(), &out, &options).expect("a pack");
    let remade = files_of(&out);
    for (what, lie) in LIES {
        let mut falsified = original.clone();
        lie(&mut falsified);
        assert_ne!(falsified, original, "{what}: nothing is falsified");
        // The sums find a liar who leaves them as they were.
        let copy = tempfile::tempdir().expect("a folder");
        written(copy.path(), &falsified);
        assert_ne!(checked(copy.path()), 0, "{what}: SHA256SUMS");
        // A liar who writes new sums, also into verification.txt, is found when the pack is made again.
        let sums: String = falsified
            .iter()
            .filter(|(name, _)| !["SHA256SUMS", "verification.txt"].contains(&name.as_str()))
            .map(|(name, bytes)| format!("{}  {name}\n", sha256_hex(bytes)))
            .collect();
        let sums_sha256 = sha256_hex(&falsified["SHA256SUMS"]);
        replace(
            &mut falsified,
            "verification.txt",
            &sums_sha256,
            &sha256_hex(sums.as_bytes()),
        );
        falsified.insert("SHA256SUMS".to_owned(), sums.into_bytes());
        written(copy.path(), &falsified);
        assert_eq!(checked(copy.path()), 0, "{what}: the new sums are right");
        let is_same = |(name, bytes): (&String, &Vec<u8>)| {
            name == "verification.txt" || remade.get(name) == Some(bytes)
        };
        let differs = falsified.len() != remade.len() || !falsified.iter().all(is_same);
        assert!(differs, "{what}: making again");
    }
}

fn written(folder: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

/// The exit code of `sha256sum --check`.
fn checked(folder: &Path) -> i32 {
    let check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(folder)
        .output();
    ended(check.expect("sha256sum")).code
}

#[test]
fn without_a_seed_the_pack_names_the_population_and_draws_nothing() {
    let quarter = quarter();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    let made = made(&quarter.job.evidence(), &out, &[]).expect("a pack");
    let sha256 = sha256_hex(&quarter.pack().bytes("population-ids.txt"));
    assert_eq!(made.pack.cover.population_sha256, sha256);
    assert!(report::summary(&made).contains(&sha256));
    assert!(Pack(out.clone()).rows("sample").is_empty());
    assert!(!out.join("samples").exists());
}

#[test]
fn a_redacted_pack_has_pseudonyms_and_the_same_sample() {
    let quarter = quarter();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    let options = [
        "--redact",
        "--seed",
        "autumn",
        "--sample",
        "3",
        "--sample-runs",
        "4",
    ];
    let first = made(&quarter.job.evidence(), &out, &options).expect("a pack");
    let key = first.key_file.expect("a key");
    assert!(!key.starts_with(&out), "{}", key.display());
    let whole = quarter.pack();
    for (name, bytes) in files_of(&out) {
        // The page has a column with this heading.
        let text = String::from_utf8_lossy(&bytes).replace("Person id", "");
        for secret in [
            "Person ",
            "@example.com",
            "hands over",
            "N12",
            "12000000000000",
            "SEC-6",
        ] {
            // The verifier's script has an example address; the list of tables has no values.
            if !name.starts_with("tools/") {
                assert!(!text.contains(secret), "{name} has {secret}");
            }
        }
    }
    let redacted = Pack(out.clone());
    assert!(!out.join("samples").exists());
    assert_eq!(
        redacted.bytes("population-ids.txt"),
        whole.bytes("population-ids.txt")
    );
    let drawn = |pack: &Pack| -> Vec<String> {
        pack.rows("sample")
            .into_iter()
            .map(|row| row["item_id"].clone())
            .collect()
    };
    assert_eq!(drawn(&redacted), drawn(&whole));
    // The same account has the same pseudonym in every table, and in the next pack with the same key.
    let id = |pack: &Pack| pack.rows("admins").last().expect("an admin")["account_id"].clone();
    let of_admin = id(&redacted);
    assert!(of_admin.starts_with("A-"), "{of_admin}");
    let population = redacted.rows("population");
    assert!(population.iter().any(|row| row["account_id"] == of_admin));
    let other = folder.path().join("other");
    fs::copy(&key, folder.path().join("other.key")).expect("the key");
    made(&quarter.job.evidence(), &other, &options).expect("a pack");
    assert_eq!(files_of(&out), {
        let mut files = files_of(&other);
        files.insert(
            "verification.txt".to_owned(),
            redacted.bytes("verification.txt"),
        );
        files
    });
}

#[test]
fn a_redacted_pack_has_no_word_that_a_person_wrote() {
    let job = one_leaver(
        "N2;Otto-Zero,Person 2,person2@example.com,Otto-One,2026-10-03\n\
         N4,Person 4,person4@example.com,Otto-One,2026-10-03\n",
    )
    .env("CONTROL_IDS", "AC-2=Otto-Two sees to it")
    .env("SYSTEM_CRITICALITY", "Otto-Three says high")
    .env("ALIASES_URL", "aliases.csv")
    .env("EXCEPTIONS_URL", "exceptions.csv");
    let write = |name: &str, text: String| {
        fs::write(job.folder.path().join(name), text).expect("a file");
    };
    write(
        "exceptions.csv",
        format!(
            "{EXCEPTIONS},N2;Otto-Zero,,,Otto-Four,ciso@example.com,2026-10-01,2026-10-31,Otto-Five\n\
             ,N4,,Otto-Six,Otto-Four,ciso@example.com,Otto-Seven,2026-10-31,\n"
        ),
    );
    let header = "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n";
    write(
        "aliases.csv",
        format!("{header},{},N4;Otto-Eight,Otto-Nine,Otto-Ten,,,\n", gid(4)),
    );
    for day in [2, 3, 5] {
        job.run_at(&of_day(day), world(1));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let whole = pack_of_october(&job, &folder);
    let shown: String = ["exceptions", "aliases", "population"]
        .map(|name| whole.text(&format!("csv/{name}.csv")))
        .concat();
    for word in ["Zero", "One", "Six", "Seven", "Eight", "Nine"] {
        assert!(shown.contains(&format!("Otto-{word}")), "{word}: {shown}");
    }
    let out = folder.path().join("redacted");
    made(&job.evidence(), &out, &["--redact"]).expect("a pack");
    for (name, bytes) in files_of(&out) {
        let text = String::from_utf8_lossy(&bytes);
        let found: Vec<&str> = text.lines().filter(|line| line.contains("Otto")).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
    let cover = &Pack(out).json()["cover"];
    assert_eq!(cover["criticality"], "");
    assert_eq!(cover["own_controls"], serde_json::json!([]));
}

#[test]
fn the_auditors_own_export_is_compared_with_the_population() {
    let quarter = quarter();
    let folder = tempfile::tempdir().expect("a folder");
    let export = folder.path().join("terminations.csv");
    let text = "Employee ID,Name,Work Email,Status,Termination Date\n\
        N2,Person 2,person2@example.com,Terminated,2026-10-03\n\
        N3,Person 3,person3@example.com,Terminated,2026-10-02\n\
        N11,Person 11,person11@example.com,Terminated,2026-10-15\n\
        N77,Person 77,person77@example.com,Terminated,2026-10-09\n\
        N78,Person 78,person78@example.com,Terminated,2026-12-24\n";
    fs::write(&export, text).expect("an export");
    let out = folder.path().join("pack");
    let path = export.to_str().expect("a path");
    made(&quarter.job.evidence(), &out, &["--expect", path]).expect("a pack");
    let pack = Pack(out);
    let rows = pack.rows("hr_tieout");
    let of = |id: &str| {
        rows.iter()
            .find(|row| row["person_id"] == id)
            .map(|row| row["difference"].as_str())
    };
    assert_eq!(of("N2"), Some("same"));
    assert_eq!(of("N3"), Some("date_differs"));
    assert_eq!(of("N11"), Some("only_in_hr"), "the feed withdrew its end");
    assert_eq!(of("N77"), Some("only_in_hr"));
    assert_eq!(of("N78"), None, "its end is not in the period");
    assert_eq!(of("N5"), Some("only_in_evidence"));
    let totals = &pack.json()["totals"]["hr_tieout"];
    assert_eq!(
        (
            &totals["both"],
            &totals["dates_differ"],
            &totals["only_in_hr"]
        ),
        (&2.into(), &1.into(), &2.into())
    );
    let rows = rows.len() as u64;
    let sum =
        ["both", "only_in_hr", "only_in_evidence"].map(|of| totals[of].as_u64().expect("a count"));
    assert_eq!(sum.iter().sum::<u64>(), rows);

    fs::write(&export, "Employee ID,Name\nN2,Person 2\n").expect("an export");
    let out = folder.path().join("other");
    let error = made(&quarter.job.evidence(), &out, &["--expect", path]).expect_err("an error");
    assert_eq!(error.exit().code(), 78, "{error}");
    assert!(!out.exists());
}

/// The real binary with these arguments, in an empty folder.
fn report(evidence: &Path, folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
    command
        .env_clear()
        .env("RUST_LOG", "off")
        .current_dir(folder);
    command.arg("report").args(arguments).arg(evidence);
    ended(command.output().expect("the binary"))
}

#[test]
fn a_wrong_request_writes_nothing_and_says_what_is_wrong() {
    let quarter = quarter();
    let evidence = quarter.job.evidence();
    let october = ["--from", "2026-10-01", "--to", "2026-10-20"];
    let cases: [(&[&str], i32, &str); 11] = [
        (
            &["--from", "2027-01-01", "--to", "2027-03-31"],
            2,
            "the period has no run",
        ),
        (
            &["--from", "0206-10-01", "--to", "2026-10-20"],
            2,
            "longer than 100 years",
        ),
        (
            &["--from", "2026-10-20", "--to", "2026-10-01"],
            2,
            "is after --to",
        ),
        (
            &["--from", "2026-10-01T00:00:00Z", "--to", "2026-10-20"],
            2,
            "write a day as",
        ),
        (
            &["--from", "2026-10-01", "--to", "2026-02-30"],
            2,
            "write a day as",
        ),
        (
            &[&october[..], &["--zone", "Europe/Nowhere"]].concat(),
            2,
            "does not exist",
        ),
        (
            &[&october[..], &["--seed", "a b"]].concat(),
            2,
            "visible ASCII",
        ),
        (
            &[&october[..], &["--expect", "missing.csv"]].concat(),
            78,
            "--expect",
        ),
        (
            &[&october[..], &["--connection", "other"]].concat(),
            2,
            CONNECTION_ID,
        ),
        (&[&october[..], &["--sample", "25"]].concat(), 2, "--seed"),
        (
            &[&october[..], &["--public-key", "missing.pem"]].concat(),
            78,
            "public key",
        ),
    ];
    for (arguments, code, text) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let seen = report(&evidence, folder.path(), arguments);
        assert_eq!(seen.code, code, "{arguments:?}: {}", seen.stderr);
        assert!(seen.stderr.contains(text), "{arguments:?}: {}", seen.stderr);
        assert!(seen.stderr.contains("error:"), "{}", seen.stderr);
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "{arguments:?} wrote files");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.txt"), "mine").expect("a file");
    for (out, text) in [(".", "is not empty"), ("mine.txt", "is not a folder")] {
        let seen = report(
            &evidence,
            folder.path(),
            &[&october[..], &["--out", out]].concat(),
        );
        assert_eq!(seen.code, 78, "{}", seen.stderr);
        assert!(seen.stderr.contains(text), "{}", seen.stderr);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
    let seen = report(&folder.path().join("nowhere"), folder.path(), &october);
    assert_eq!(seen.code, 78, "{}", seen.stderr);
    let within = evidence.join("packs/october");
    let within = within.to_str().expect("a path");
    let seen = report(
        &evidence,
        folder.path(),
        &[&october[..], &["--out", within]].concat(),
    );
    assert_eq!(seen.code, 78, "{}", seen.stderr);
    assert!(
        seen.stderr.contains("is part of the evidence"),
        "{}",
        seen.stderr
    );
    assert!(!evidence.join("packs").exists());
}

#[test]
fn two_connections_need_a_choice() {
    let quarter = quarter();
    let copy = tempfile::tempdir().expect("a folder");
    let evidence = copy.path().join("evidence");
    crate::support::copy(&quarter.job.evidence(), &evidence);
    let first = evidence.join(format!("system=asana/connection={CONNECTION_ID}"));
    let second = evidence.join("system=asana/connection=other");
    crate::support::copy(&first, &second);
    let october = ["--from", "2026-10-01", "--to", "2026-10-20"];
    let seen = report(&evidence, copy.path(), &october);
    assert_eq!(seen.code, 2, "{}", seen.stderr);
    assert!(seen.stderr.contains("2 connections"), "{}", seen.stderr);
    let choice = format!("--connection {CONNECTION_ID}");
    assert!(seen.stderr.contains(&choice), "{}", seen.stderr);
    let chosen = [&october[..], &["--connection", CONNECTION_ID]].concat();
    let seen = report(&evidence, copy.path(), &chosen);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(
        copy.path()
            .join("audit-pack-2026-10-01-2026-10-20/pack.json")
            .exists()
    );
}

#[test]
fn faulty_evidence_gives_no_pack_unless_page_one_says_so() {
    let quarter = quarter();
    let copy = tempfile::tempdir().expect("a folder");
    let evidence = copy.path().join("evidence");
    crate::support::copy(&quarter.job.evidence(), &evidence);
    let run = quarter.job.run_folder(6);
    let run = run.strip_prefix(quarter.job.evidence()).expect("below");
    fs::write(evidence.join(run).join("leavers.csv"), "changed").expect("a file");
    let october = ["--from", "2026-10-01", "--to", "2026-10-20"];
    let seen = report(&evidence, copy.path(), &october);
    assert_eq!(seen.code, 5, "{}", seen.stderr);
    assert!(seen.stderr.contains("leavers.csv"), "{}", seen.stderr);
    assert_eq!(fs::read_dir(copy.path()).expect("a folder").count(), 1);

    let despite = [&october[..], &["--despite-faults", "--out", "pack"]].concat();
    let seen = report(&evidence, copy.path(), &despite);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let pack = Pack(copy.path().join("pack"));
    let cover = &pack.json()["cover"];
    assert!(cover["faults"].as_u64() > Some(0), "{cover}");
    let runs = pack.rows("runs");
    let run = runs
        .iter()
        .find(|run| run["sequence"] == "6")
        .expect("a run");
    assert_eq!(run["verified"], "fault");
    let state = run["state"].as_str();
    assert!(matches!(state, "fail" | "inconclusive"), "{state:?}");
    let items = pack.rows("population");
    let resting = items
        .iter()
        .filter(|row| row["flags"].contains("rests_on_fault"));
    let resting: BTreeSet<&str> = resting.map(|row| row["person_id"].as_str()).collect();
    let expected = items.iter().filter(|row| {
        let entries = [
            "rule_entry",
            "last_seen_entry",
            "first_seen_entry",
            "concluded_entry",
        ];
        row["result"] != "access_after_conclusion" && entries.iter().any(|entry| row[*entry] == "6")
    });
    assert_eq!(
        resting,
        expected.map(|row| row["person_id"].as_str()).collect()
    );
    assert!(!resting.is_empty());
    assert_eq!(cover["items_on_faults"], resting.len());
    let page = pack.text("index.html");
    assert!(page.contains("on a run with a fault"), "page one says so");
    assert!(pack.text("verification.txt").contains("fault: "));
}

#[test]
fn a_run_that_was_not_due_is_extra_and_not_counted() {
    let job = Job::new(
        World::generated(12),
        "E9,A B,a.b@example.com,Terminated,2026-10-02\n",
    )
    .env("RUN_SCHEDULE", "40 22 * * *")
    .env("RUN_SCHEDULE_ZONE", "Etc/UTC");
    for at in [
        "2026-10-01T22:40:00Z",
        "2026-10-02T09:00:00Z",
        "2026-10-02T22:40:00Z",
    ] {
        job.run_at(at, World::generated(12));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    let arguments = ["--every", "40 22 * * *", "--zone", "Etc/UTC"];
    let made = made(&job.evidence(), &out, &arguments).expect("a pack");
    assert!(report::summary(&made).contains("the period is not over"));
    let pack = Pack(out);
    let totals = &pack.json()["totals"]["runs"];
    let states = counts(&totals["by_state"]);
    assert_eq!(states["extra"], 1);
    assert_eq!(counts(&totals["extra_by_state"])["pass"], 1);
    let cover = &pack.json()["cover"];
    assert_eq!(
        cover["is_period_over"], false,
        "its last run may still start"
    );
    assert_eq!(states["missing"], 17, "{states:?}");
    assert_eq!(totals["due"], 19, "the run of the 20th may still start");
    assert_eq!(pack.json()["cover"]["schedule_basis"], "given");
}

#[test]
fn without_a_schedule_every_run_is_due_and_page_one_says_so() {
    let job = Job::new(
        World::generated(12),
        "E9,A B,a.b@example.com,Terminated,2026-10-02\n",
    );
    for day in [1, 2, 3, 4, 6] {
        job.run_at(&format!("2026-10-{day:02}T22:40:00Z"), World::generated(12));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &[]).expect("a pack");
    let pack = Pack(out);
    assert_eq!(pack.json()["cover"]["schedule_basis"], "unknown");
    let runs = pack.rows("runs");
    assert!(
        runs.iter()
            .any(|run| run["state"] == "missing" && run["due_at"] == "2026-10-05T22:40:00Z")
    );
    assert!(
        pack.text("verification.txt")
            .contains("No schedule was given")
    );
}

#[test]
fn the_document_of_a_pack_matches_its_schema() {
    let pack = quarter().pack();
    let validator = validator("pack");
    let document = pack.json();
    ensure_as_published("pack", &validator, &document);
    for table in document["tables"].as_array().expect("tables") {
        let bytes = pack.bytes(table["file"].as_str().expect("a name"));
        assert_eq!(table["sha256"], sha256_hex(&bytes));
    }
    for (place, wrong) in [
        ("/cover/statement", "The control is effective."),
        ("/cover/schedule_basis", "guessed"),
        ("/cover/population_sha256", "0"),
        ("/totals/runs/due", "many"),
    ] {
        let mut document = document.clone();
        *document.pointer_mut(place).expect("a key") = wrong.into();
        assert!(!validator.is_valid(&document), "{place}");
    }
    let mut document = document.clone();
    document["totals"]["items"]["by_result"]["compliant"] = 1.into();
    assert!(!validator.is_valid(&document));
}

#[test]
fn an_auditor_recomputes_sampled_leavers_with_the_documented_lines() {
    if !has(&["sh", "awk", "jq", "date", "sha256sum"]) {
        return;
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/for-auditors.md");
    let docs = fs::read_to_string(docs).expect("a page");
    let from = docs.find("recompute() {").expect("the function");
    let function = &docs[from..];
    let function = &function[..function.find("\n}\n").expect("its end") + 3];
    let pack = quarter().pack();
    let sample = pack.rows("sample");
    let mut tested = 0;
    for row in &sample {
        let item = pack.rows("population");
        let item = item
            .iter()
            .find(|item| item["item_id"] == row["item_id"])
            .expect("an item");
        // The recipe is for items that ended in the ordinary way.
        let ordinary = ["in_time", "late", "not_demonstrated", "no_account"];
        if !ordinary.contains(&item["result"].as_str())
            // The run that fixed the deadline may be earlier than the period.
            || item["part"] != "in_period"
        {
            continue;
        }
        let lines = format!("{function}\nrecompute samples/{}", row["folder"]);
        let (succeeded, output) = shell(&pack.0, &lines, &[]);
        assert!(succeeded, "{output}");
        let expected = format!(
            "computed {} {} {} {}\n{},",
            item["deadline"],
            item["last_seen_with_access"],
            item["first_seen_without_access"],
            item["result"],
            item["item_id"],
        );
        assert!(output.contains(&expected), "{output}\n{expected}");
        tested += 1;
    }
    assert!(tested >= 6, "{tested}");
}

/// Evidence of an access review with every deviation, then runs that undo what was decided.
fn reviewed() -> Job {
    let leavers = "E9,Nobody Here,nobody@example.com,Terminated,2020-01-31\n";
    let world = || World::generated(12);
    let mut job = Job::new(world(), leavers)
        .env("REVIEW_EVERY", "5d")
        .env("EXCEPTIONS_URL", "exceptions.csv");
    let exceptions = |job: &Job, lines: &str| {
        let path = job.folder.path().join("exceptions.csv");
        fs::write(path, format!("{EXCEPTIONS}{lines}")).expect("exceptions");
    };
    exceptions(&job, "");
    job.run_at("2026-10-01T22:40:00Z", world());
    let asked = OpenArguments {
        name: "2026-Q4".to_owned(),
        due: "2026-10-31".parse().expect("a day"),
        reason_for: Vec::new(),
        ..OpenArguments::default()
    };
    review::at(
        &job,
        "2026-10-02T09:00:00Z",
        async |settings, moment, clock| command::open(settings, &asked, moment, clock).await,
    );
    // Boss, whose end of work on the 2nd HR reports too late, decides on the 3rd: revoke row 2, don't know row 3, leave row 4, keep the rest.
    let rows = review::filled(&job, |number, row| {
        let decision = match number {
            2 => "revoke",
            3 => "dont_know",
            4 => return,
            _ => "keep",
        };
        row[review::DECISION] = decision.to_owned();
        row[review::DECIDED_BY] = "boss@example.net".to_owned();
        if decision != "keep" {
            row[review::NOTE] = "as was agreed".to_owned();
        }
    });
    let decisions = review::saved(&job, "decisions.csv", &rows, b',');
    let asked = CloseArguments {
        of: DecisionArguments {
            decisions: vec![decisions],
            accept_reviewer: EmailAddress::parse("boss@example.net")
                .into_iter()
                .collect(),
            ..DecisionArguments::default()
        },
        accept_incomplete: Some("a reviewer is ill".to_owned()),
        ..CloseArguments::default()
    };
    review::at(
        &job,
        "2026-10-03T09:00:00Z",
        async |settings, moment, clock| command::close(settings, &asked, moment, clock).await,
    );
    job = job.env("REVOCATION_GRACE", "24h");
    job.hr_feed(&format!(
        "{leavers}E8,Boss,boss@example.net,Terminated,2026-10-02\n"
    ));
    let second = gid(2);
    // Not done by the deadline, done, undone.
    job.run_at("2026-10-04T22:40:00Z", world());
    job.run_at("2026-10-05T22:40:00Z", world().without_person(&second));
    job.run_at("2026-10-06T22:40:00Z", world());
    // The next review is overdue from the 8th on, and Truto's mapping changes.
    let mapping = |world: World| {
        world.with(|world| world.response_mapping = "response.{ \"id\": gid }".to_owned())
    };
    job.run_at("2026-10-09T22:40:00Z", mapping(world()));
    // A leaver keeps access under an exception that expires.
    job.hr_feed(&format!(
        "{rows}E4,Person 4,person4@example.com,Terminated,2026-10-09\n",
        rows = "E9,Nobody Here,nobody@example.com,Terminated,2020-01-31\n"
    ));
    exceptions(
        &job,
        "person4@example.com,,,,hands over open projects,ciso@example.com,2026-10-09,2026-10-12,\n",
    );
    job.run_at("2026-10-10T22:40:00Z", mapping(world()));
    job.run_at("2026-10-12T12:00:00Z", mapping(world()));
    job.run_at("2026-10-14T22:40:00Z", mapping(world()));
    job
}

#[test]
fn reviews_and_changes_of_the_source_are_deviations_of_their_types() {
    let job = reviewed();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &[]).expect("a pack");
    let pack = Pack(out);
    let counts = counts(&pack.json()["totals"]["deviations"]);
    let of = |kind: &str| counts.get(kind).copied().unwrap_or_default();
    let shown = pack.text("csv/deviations.csv");
    for (kind, count) in [
        ("review_incomplete", 1),
        ("row_dont_know", 1),
        // Person 1 is an administrator.
        ("privileged_kept_without_reason", 1),
        // The revocation, and the question that nobody answered in time.
        ("revocation_late", 2),
        ("revocation_undone", 1),
        ("review_overdue", 1),
        ("mapping_changed", 1),
        ("exception_expired_in_use", 1),
    ] {
        assert_eq!(of(kind), count, "{kind}\n{shown}");
    }
    assert!(of("reviewer_ineligible") > 5, "{shown}");
    let redacted = folder.path().join("redacted");
    made(&job.evidence(), &redacted, &["--redact"]).expect("a pack");
    for (name, bytes) in files_of(&redacted) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("2026-Q4"),
            "{name} has the name of the review"
        );
    }
    let reviews = pack.rows("reviews");
    assert_eq!(reviews.len(), 1);
    assert_eq!(
        (
            reviews[0]["undecided"].as_str(),
            reviews[0]["complete"].as_str()
        ),
        ("1", "false")
    );
    let decisions = pack.rows("decisions");
    assert_eq!(decisions.len().to_string(), reviews[0]["rows"]);
    let follow_up = pack.rows("follow_up");
    assert_eq!(follow_up[0]["state"], "granted_again");
    assert_eq!(follow_up[0]["undone_at"], "2026-10-06T22:40:00Z");
    let admins = pack.rows("admins");
    assert_eq!(admins[0]["review_decision"], "keep");
}

#[test]
fn an_exception_closes_no_revocation() {
    let job = reviewed();
    let line = format!(
        ",,{},,is needed for a month,ciso@example.com,2026-10-15,2026-11-10,\n",
        gid(2)
    );
    let path = job.folder.path().join("exceptions.csv");
    fs::write(path, format!("{EXCEPTIONS}{line}")).expect("exceptions");
    job.run_at("2026-10-15T22:40:00Z", World::generated(12));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let account = gid(2);
    let findings = pack.rows("findings");
    let newest = findings.iter().rfind(|row| row["account_id"] == account);
    assert_eq!(newest.expect("a finding")["how_closed"], "accepted");
    let undone = pack.deviations("revocation_undone");
    assert_eq!(undone.len(), 1, "{undone:?}");
    assert_eq!(
        (
            undone[0]["closed_at"].as_str(),
            undone[0]["how_closed"].as_str()
        ),
        ("", "")
    );
    let exceptions = pack.rows("exceptions");
    let exception = exceptions.iter().find(|row| row["keys"].contains(&account));
    let exception = exception.expect("an exception");
    assert_eq!(undone[0]["exception"], exception["exception_id"]);
    assert_eq!(exception["after_the_fact"], "true");
    let late: Vec<Cells> = pack.deviations("exception_after_the_fact");
    assert!(
        late.iter()
            .any(|row| row["exception"] == exception["exception_id"]),
        "{late:?}"
    );
}

#[test]
fn a_run_that_began_a_little_early_is_the_run_that_was_due() {
    let job = Job::new(
        World::generated(12),
        "E9,A B,a.b@example.com,Terminated,2026-10-02\n",
    )
    .env("RUN_SCHEDULE", "0 0 * * *")
    .env("RUN_SCHEDULE_ZONE", "Etc/UTC");
    for at in ["2026-09-30T23:58:00Z", "2026-10-01T23:58:00Z"] {
        job.run_at(at, World::generated(12));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &[]).expect("a pack");
    let runs = Pack(out).rows("runs");
    assert_eq!(runs[0]["due_at"], "2026-10-01T00:00:00Z");
    assert_eq!(runs[0]["began_at"], "2026-09-30T23:58:00Z");
    assert_ne!(runs[0]["state"], "missing");
    assert_ne!(runs[1]["state"], "missing");
    assert_eq!(runs[2]["state"], "missing");
}

#[test]
fn a_late_move_takes_no_item_out_of_its_period() {
    let row = |end: &str| format!("N2,Person 2,person2@example.com,Terminated,{end}\n");
    let job = Job::new(World::generated(12), &row("2026-10-04"));
    for day in [3, 5, 6] {
        job.run_at(&format!("2026-10-{day:02}T22:40:00Z"), World::generated(12));
    }
    job.hr_feed(&row("2026-11-30"));
    job.run_at("2026-10-07T22:40:00Z", World::generated(12));
    job.run_at(
        "2026-11-29T22:40:00Z",
        World::generated(12).without_person(&gid(2)),
    );
    job.run_at(
        "2026-12-01T22:40:00Z",
        World::generated(12).without_person(&gid(2)),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &[]).expect("a pack");
    let items = Pack(out).rows("population");
    assert_eq!(items.len(), 1);
    assert_eq!(
        (items[0]["part"].as_str(), items[0]["result"].as_str()),
        ("in_period", "date_corrected")
    );
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let november = [
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-30",
        "--out",
        "pack",
    ];
    let seen = report(&job.evidence(), &elsewhere, &november);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let items = Pack(elsewhere.join("pack")).rows("population");
    assert!(
        items.iter().all(|item| item["part"] == "carried_in"),
        "{items:?}"
    );
}

/// The pack of October in a folder of its own.
fn pack_of_october(job: &Job, folder: &TempDir) -> Pack {
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &[]).expect("a pack");
    Pack(out)
}

#[test]
fn a_pass_for_the_same_due_instant_hides_no_failing_run() {
    let gone = || World::generated(12).without_person(&gid(2));
    let rows = "N2,Person 2,person2@example.com,Terminated,2026-09-20\n";
    let job = Job::new(gone(), rows)
        .env("RUN_SCHEDULE", "0 6 * * *")
        .env("RUN_SCHEDULE_ZONE", "Etc/UTC");
    job.run_at("2026-10-01T05:58:00Z", gone());
    job.run_at("2026-10-01T06:00:00Z", World::generated(12));
    let folder = tempfile::tempdir().expect("a folder");
    let runs = pack_of_october(&job, &folder).rows("runs");
    let of_the_day = runs
        .iter()
        .find(|run| run["due_at"] == "2026-10-01T06:00:00Z");
    let of_the_day = of_the_day.expect("the run that was due");
    assert_eq!(of_the_day["state"], "fail");
    assert_eq!(of_the_day["began_at"], "2026-10-01T06:00:00Z");
}

#[test]
fn an_end_that_was_moved_twice_keeps_the_period_of_its_deadline() {
    let row = |end: &str| format!("N2,Person 2,person2@example.com,Terminated,{end}\n");
    let job = Job::new(World::generated(12), &row("2026-12-20"));
    job.run_at("2026-10-03T22:40:00Z", World::generated(12));
    // In advance.
    job.hr_feed(&row("2026-10-10"));
    for day in [5, 10, 12] {
        job.run_at(&format!("2026-10-{day:02}T22:40:00Z"), World::generated(12));
    }
    // After the deadline.
    job.hr_feed(&row("2026-11-14"));
    job.run_at("2026-10-13T22:40:00Z", World::generated(12));
    let folder = tempfile::tempdir().expect("a folder");
    let items = pack_of_october(&job, &folder).rows("population");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["part"], "in_period");
    assert_eq!(items[0]["result"], "late");
}

#[test]
fn a_leaver_who_was_an_administrator_at_the_end_of_work_stays_one() {
    let admin = || World::generated(12).with_person(&gid(2), Person::admin);
    let rows = "N2,Person 2,person2@example.com,Terminated,2026-10-04\n";
    let job = Job::new(admin(), rows);
    job.run_at("2026-10-04T21:00:00Z", admin());
    job.run_at("2026-10-05T09:00:00Z", World::generated(12));
    job.run_at(
        "2026-10-05T20:00:00Z",
        World::generated(12).without_person(&gid(2)),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    assert_eq!(pack.rows("population")[0]["role_at_end"], "admin");
    assert!(pack.text("population-ids.txt").contains("all_admins"));
}

/// A feed of one leaver, and the accounts of the world from [`world`] on a day with all of them.
fn one_leaver(rows: &str) -> Job {
    Job::new(world(1), rows)
        .env("RUN_SCHEDULE", "40 22 * * *")
        .env("RUN_SCHEDULE_ZONE", "Etc/UTC")
}

fn of_day(day: u8) -> String {
    format!("2026-10-{day:02}T22:40:00Z")
}

#[test]
fn access_that_a_run_saw_stays_a_deviation_when_hr_withdraws_the_end() {
    let row = |rest: &str| format!("N2,Person 2,person2@example.com,{rest}\n");
    let job = one_leaver(&row("Terminated,2026-10-03"));
    for day in [4, 5, 6] {
        job.run_at(&of_day(day), world(1));
    }
    job.hr_feed(&row("Active,"));
    job.run_at(&of_day(7), world(1));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    assert_eq!(pack.item(2)["result"], "withdrawn");
    let deviation = &pack.deviations("access_after_deadline")[0];
    assert_eq!(deviation["opened_at"], "2026-10-05T22:40:00Z");
    assert_eq!(deviation["how_closed"], "withdrawn");
    assert_eq!(pack.deviations("end_moved_after_the_fact").len(), 1);
    assert!(pack.text("population-ids.txt").contains("all_deviations"));
}

#[test]
fn a_leaver_whom_no_run_can_judge_is_a_deviation_and_tested() {
    // The account has the name and another address.
    let job = one_leaver("N2,Person 2,private@else.example,Terminated,2026-10-03\n");
    for day in [3, 5, 6] {
        job.run_at(&of_day(day), world(1));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let item = pack.item(2);
    assert_eq!(item["result"], "not_evaluable");
    let deviation = &pack.deviations("removal_not_demonstrated")[0];
    assert_eq!(deviation["item_id"], item["item_id"]);
    assert_eq!(deviation["closed_at"], "");
    assert!(pack.text("population-ids.txt").contains("all_deviations"));
}

#[test]
fn a_rehire_does_not_show_that_access_ended() {
    let feed = |job: &Job, rows: &[&str]| {
        let mut text =
            "Employee ID,Name,Work Email,Status,Start Date,Termination Date\n".to_owned();
        for row in rows {
            text.push_str(&format!("N2,Person 2,person2@example.com,{row}\n"));
        }
        job.hr_file(text.as_bytes());
    };
    let left = "Terminated,2022-05-02,2026-10-03";
    let job = one_leaver("");
    feed(&job, &[left]);
    job.run_at(&of_day(3), world(1));
    job.run_at(&of_day(4), world(1).without_person(&gid(2)));
    job.run_at(&of_day(5), world(1));
    feed(&job, &[left, "Active,2026-10-06,"]);
    job.run_at(&of_day(6), world(1));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let again = &pack.deviations("access_after_conclusion")[0];
    assert_eq!(again["closed_at"], of_day(6));
    assert_eq!(again["how_closed"], "rehired");
    let rows = pack.rows("population");
    let row = rows
        .iter()
        .find(|row| row["result"] == "access_after_conclusion");
    let row = row.expect("an item");
    assert_eq!(row["last_seen_with_access"], of_day(5));
    assert_eq!(row["first_seen_without_access"], "");
}

#[test]
fn access_that_only_one_run_of_several_saw_counts() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n");
    job.run_at(&of_day(3), world(1));
    job.run_at(&of_day(4), world(1));
    // Both started for the run that was due on the 4th. The failing one has its row.
    job.run_at("2026-10-05T12:00:00Z", world(1));
    job.run_at("2026-10-05T13:00:00Z", world(1));
    job.run_at(&of_day(5), world(1).without_person(&gid(2)));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let runs = pack.rows("runs");
    let seen: Vec<(&str, &str, &str)> = runs
        .iter()
        .map(|run| {
            let began = run["began_at"].as_str();
            (began, run["state"].as_str(), run["verdict"].as_str())
        })
        .filter(|(began, ..)| began.starts_with("2026-10-04") || began.contains("T1"))
        .collect();
    let expected = [
        ("2026-10-04T22:40:00Z", "extra", "pass"),
        ("2026-10-05T12:00:00Z", "fail", "fail"),
        ("2026-10-05T13:00:00Z", "extra", "fail"),
    ];
    assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from(expected));
    let extra = counts(&pack.json()["totals"]["runs"]["extra_by_state"]);
    assert_eq!((extra["pass"], extra["fail"]), (1, 1));
    let page = pack.text("index.html");
    assert!(page.contains("2 extra runs started in addition: 1 pass, 1 fail."));
    assert_eq!(pack.item(2)["result"], "late");
    let late = &pack.deviations("removal_late")[0];
    assert_eq!(late["opened_at"], "2026-10-05T12:00:00Z");
}

#[test]
fn a_faulty_run_hides_no_loosened_rule() {
    let mut job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-20\n")
        .env("REVIEW_EVERY", "90d");
    job.run_at(&of_day(1), world(1));
    job = job
        .env("OFFBOARDING_GRACE", "72h")
        .env("REVIEW_EVERY", "off");
    job.run_at(&of_day(2), world(1));
    job.run_at(&of_day(3), world(1));
    fs::write(job.run_folder(2).join("leavers.csv"), "changed").expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("pack");
    made(&job.evidence(), &out, &["--despite-faults"]).expect("a pack");
    let loosened = Pack(out).deviations("rule_loosened");
    let what: Vec<&str> = loosened.iter().map(|row| row["what"].as_str()).collect();
    assert!(
        what.iter()
            .any(|what| what.starts_with("offboarding_grace_seconds changed from 86400 to 259200")),
        "{what:?}"
    );
    assert!(
        what.iter()
            .any(|what| what.starts_with("review_every_seconds changed from 7776000 to unset")),
        "{what:?}"
    );
    assert!(
        loosened.iter().all(|row| row["opened_at"] == of_day(3)),
        "{loosened:?}"
    );
}

#[test]
fn another_program_is_a_deviation() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-20\n");
    job.run_at(&of_day(1), world(1));
    job.run_as(&of_day(2), world(1), tool());
    job.run_as(&of_day(3), world(1), tool());
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let changed = pack.deviations("version_changed");
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0]["opened_at"], of_day(2));
    assert!(changed[0]["what"].contains("(c0ffee0)"), "{changed:?}");
    assert_eq!(pack.rows("tools").len(), 2);
}

#[test]
fn a_replaced_hr_feed_is_a_deviation_but_a_dated_name_is_none() {
    let rows = "N2,Person 2,person2@example.com,Terminated,2026-10-20\n";
    let mut job = one_leaver(rows);
    let headers = "Employee ID,Name,Work Email,Status";
    for (day, name, end) in [
        (1, "hr-2026-10-01.csv", "Termination Date"),
        (2, "hr-2026-10-02.csv", "Termination Date"),
        (3, "payroll-2026-10-03.csv", "Termination Date"),
        (4, "payroll-2026-10-04.csv", "Last Day"),
        (5, "payroll-2026-10-05.csv", "Last Day"),
    ] {
        let path = job.folder.path().join(name);
        fs::write(&path, format!("{headers},{end}\n{rows}")).expect("an HR feed");
        crate::support::changed_before(&path, of_day(day).parse().expect("an instant"));
        job = job.env("HR_FEED_URL", name);
        job.run_at(&of_day(day), world(1));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let changed = pack.deviations("mapping_changed");
    let opened: Vec<&str> = changed.iter().map(|of| of["opened_at"].as_str()).collect();
    assert_eq!(opened, [of_day(3), of_day(4)], "{changed:?}");
    let what = &changed[0]["what"];
    assert!(what.starts_with("the HR feed changed from "), "{what}");
    assert!(what.ends_with("/payroll-*-*-*.csv"), "{what}");
    assert_eq!(
        changed[1]["what"],
        "the column for `end` in the HR feed changed from “Termination Date” to none; \
         the column for `last_day` in the HR feed changed from none to “Last Day”"
    );
    let tools = pack.rows("tools");
    assert_eq!(tools.len(), 3, "{tools:?}");
    assert!(
        tools[2]["hr_columns"].contains(";last_day=Last Day;"),
        "{tools:?}"
    );
    let redacted = folder.path().join("redacted");
    made(&job.evidence(), &redacted, &["--redact"]).expect("a pack");
    for (name, bytes) in files_of(&redacted) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("payroll"),
            "{name} has the address of the feed"
        );
    }
}

#[test]
fn a_bucket_shows_when_entries_were_stored_and_which_runs_expired() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n")
        .env("EVIDENCE_RETENTION_DAYS", "7");
    for day in [1, 2, 3, 4, 5] {
        job.run_at(&of_day(day), world(1));
    }
    let server = S3Server::start(["evidence"]);
    let expired = job.run_folder(2);
    let expired = expired.strip_prefix(job.evidence()).expect("below");
    let expired = expired.to_str().expect("a path").to_owned();
    for (name, bytes) in crate::support::objects_below(&job.evidence()) {
        if !name.starts_with(&expired) {
            server.tamper("evidence", &name, &bytes);
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_asana-access-review"));
    command
        .env_clear()
        .env("RUST_LOG", "off")
        .envs(server.env())
        .current_dir(folder.path())
        .args([
            "report",
            "s3://evidence",
            "--from",
            "2026-10-01",
            "--to",
            "2026-10-05",
        ])
        .args(["--zone", "Etc/UTC", "--out", "pack"]);
    let seen = ended(command.output().expect("the binary"));
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let pack = Pack(folder.path().join("pack"));
    let runs = pack.rows("runs");
    assert_eq!(runs.len(), 5, "an expired run stays a row");
    for run in &runs {
        assert!(!run["stored_at"].is_empty(), "{run:?}");
        let verified = if run["sequence"] == "2" {
            "expired"
        } else {
            ""
        };
        assert!(run["verified"].contains(verified), "{run:?}");
    }
    assert_eq!(runs[1]["verified"], "expired");
    assert_eq!(runs[1]["entry_sha256"].len(), 64);
    let cover = &pack.json()["cover"];
    assert_eq!(cover["complete_from_entry"], 3);
    let page = pack.text("index.html");
    assert!(page.contains("complete from ledger entry 3"));
    assert!(
        page.contains("5 ledger entries were stored at another time"),
        "it is a copy"
    );
    assert!(
        pack.text("verification.txt")
            .contains("greatest stored_at - committed_at: ")
    );
    // What the other runs saw still counts.
    assert_eq!(pack.item(2)["result"], "late");
}

#[test]
fn a_ledger_whose_end_was_cut_is_on_page_one() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n");
    for day in [3, 4, 5] {
        job.run_at(&of_day(day), world(1));
    }
    fs::remove_file(job.connection().join("ledger/0000000003.json")).expect("the last entry");
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let page = pack.text("index.html");
    let first = page.split("id=\"results\"").next().expect("a page");
    assert!(
        first.contains("The end of the ledger may have been cut off: 1 complete folder"),
        "{first}"
    );
    assert!(first.contains("no ledger head was given"));
}

#[test]
fn an_exception_after_the_fact_hides_no_access_after_the_conclusion() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n")
        .env("EXCEPTIONS_URL", "exceptions.csv");
    let path = job.folder.path().join("exceptions.csv");
    fs::write(&path, EXCEPTIONS).expect("exceptions");
    job.run_at(&of_day(3), world(1));
    job.run_at(&of_day(4), world(1).without_person(&gid(2)));
    let line = ",N2,,,hands over open projects,ciso@example.com,2026-10-07,2026-10-31,SEC-8\n";
    fs::write(&path, format!("{EXCEPTIONS}{line}")).expect("exceptions");
    for day in [7, 8] {
        job.run_at(&of_day(day), world(1));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    let rows = pack.rows("population");
    let mut again = rows
        .iter()
        .filter(|row| row["result"] == "access_after_conclusion");
    let row = again.next().expect("an item");
    assert!(again.next().is_none(), "both runs saw one access");
    assert_eq!(row["last_seen_with_access"], of_day(8));
    assert_eq!(row["flags"], "exception_after_the_fact");
    for kind in ["access_after_conclusion", "exception_after_the_fact"] {
        let deviations = pack.deviations(kind);
        assert_eq!(deviations.len(), 1, "{kind}");
        assert_eq!(deviations[0]["item_id"], row["item_id"], "{kind}");
        assert_eq!(deviations[0]["exception"], row["exception"], "{kind}");
        assert_ne!(row["exception"], "", "{kind}");
    }
}

#[test]
fn the_export_ties_out_by_written_days_and_by_ids() {
    let job = one_leaver("").env("HR_LOCATION_ZONES", "Honolulu=Pacific/Honolulu");
    let text = "Employee ID,Name,Work Email,Status,Termination Date,Location\n\
        N2,Person 2,person2@example.com,Terminated,2026-10-03,Honolulu\n";
    job.hr_file(text.as_bytes());
    for day in [3, 4, 5] {
        job.run_at(&of_day(day), world(1));
    }
    let text = "Employee ID,Name,Work Email,Status,Termination Date\n\
        N2,Person 2,person2@example.com,Terminated,2026-10-03\n\
        N50,Person 50,shared@example.com,Terminated,2026-10-08\n\
        N51,Person 51,shared@example.com,Terminated,2026-10-08\n";
    let (_folder, pack) = compared(&job, text).expect("a pack");
    let rows = pack.rows("hr_tieout");
    let seen: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["person_id"].as_str(), row["difference"].as_str()))
        .collect();
    let expected = [("N2", "same"), ("N50", "only_in_hr"), ("N51", "only_in_hr")];
    assert_eq!(seen, expected);
}

/// A pack of October that is compared with an export of this text.
fn compared(job: &Job, export: impl AsRef<[u8]>) -> Result<(TempDir, Pack), ReportError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("terminations.csv");
    fs::write(&path, export).expect("an export");
    let out = folder.path().join("pack");
    let path = path.to_str().expect("a path");
    made(&job.evidence(), &out, &["--expect", path])?;
    Ok((folder, Pack(out)))
}

/// The person, the two dates and the difference of each row of a tie-out.
fn differences(pack: &Pack) -> Vec<String> {
    let columns = ["person_id", "hr_date", "evidence_date", "difference"];
    let rows = pack.rows("hr_tieout");
    rows.iter()
        .map(|row| columns.map(|column| row[column].as_str()).join(" "))
        .collect()
}

const EXPORT: &str = "Employee ID,Name,Work Email,Status,Termination Date\n";

#[test]
fn two_equal_rows_without_an_id_and_an_address_are_two_people() {
    let anna = ",Anna Schmidt,,Terminated,2026-10-09\n";
    let job = one_leaver(anna);
    job.run_at(&of_day(3), world(1));
    let (_folder, pack) = compared(&job, format!("{EXPORT}{anna}{anna}")).expect("a pack");
    let expected = [
        "Anna Schmidt 2026-10-09  only_in_hr",
        "Anna Schmidt 2026-10-09 2026-10-09 same",
    ];
    assert_eq!(differences(&pack), expected);
    // The feed keeps both, too.
    job.hr_feed(&[anna, anna].concat());
    job.run_at(&of_day(4), world(1));
    let (_folder, pack) = compared(&job, format!("{EXPORT}{anna}{anna}")).expect("a pack");
    assert_eq!(pack.json()["totals"]["hr_tieout"]["only_in_hr"], 0);
}

#[test]
fn every_row_of_the_auditors_export_is_in_one_count() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-03\n");
    job.run_at(&of_day(3), world(1));
    let rows = "N2,Person 2,person2@example.com,Terminated,2026-10-03\n\
        N2,Person 2,person2@example.com,Terminated,2026-10-03\n\
        N2,Person 2,private@example.com,Terminated,2026-10-03\n\
        N5,Person 5,person5@example.com,Terminated,2026-10-09\n\
        N6,Person 6,person6@example.com,Terminated,2026-09-30\n\
        N7,Person 7,person7@example.com,Active,\n\
        N8,Person 8,person8@example.com,On leave,\n\
        ,,,,\n\
        Total: 7\n";
    let (_folder, pack) = compared(&job, format!("{EXPORT}{rows}")).expect("a pack");
    let json = pack.json();
    ensure_as_published("pack", &validator("pack"), &json);
    let expected = serde_json::json!({
        "rows": 9, "both": 1, "only_in_hr": 1, "outside": 1, "employed": 2, "repeated": 2, "blank": 2,
        "only_in_evidence": 0, "dates_differ": 0,
    });
    assert_eq!(json["totals"]["hr_tieout"], expected);
    let page = pack.text("index.html");
    let equation = page.split("<dt>Rows of your HR export</dt>").nth(1);
    let equation = equation.and_then(|rest| rest.split("</dd>").next());
    let numbers = equation.expect("an equation").split("<b>").skip(1);
    let numbers: Vec<u64> = numbers
        .filter_map(|rest| rest.split("</b>").next()?.parse().ok())
        .collect();
    assert_eq!(numbers, [9, 2, 1, 2, 2, 2]);
}

#[test]
fn the_day_as_written_ties_out_at_both_ends_of_the_period() {
    let job = one_leaver("").env("HR_LOCATION_ZONES", "Honolulu=Pacific/Honolulu");
    let row = |number: usize, day: &str| {
        format!("N{number},Person {number},person{number}@example.com,Terminated,{day}")
    };
    let feed = |of: &[(usize, &str)]| -> String {
        let rows = of.iter().map(|(number, day)| row(*number, day));
        rows.map(|row| format!("{row},Honolulu\n")).collect()
    };
    let header = "Employee ID,Name,Work Email,Status,Termination Date,Location\n";
    // These days end in the next period, and in this one.
    let rows = [(2, "2026-10-20"), (3, "2026-09-30"), (4, "2026-10-21")];
    job.hr_file(format!("{header}{}", feed(&rows)).as_bytes());
    job.run_at(&of_day(3), world(1));
    let seen = |days: [(usize, &str); 3]| {
        let rows = days.map(|(number, day)| row(number, day)).join("\n");
        let (_folder, pack) = compared(&job, format!("{EXPORT}{rows}\n")).expect("a pack");
        let totals = &pack.json()["totals"]["hr_tieout"];
        (differences(&pack), totals["outside"].clone())
    };
    let (rows, outside) = seen(rows);
    assert_eq!(rows, ["N2 2026-10-20 2026-10-20 same"]);
    assert_eq!(outside, 2);
    // A day that differs is never lost, whichever side is in the period.
    let (rows, outside) = seen([(2, "2026-10-21"), (3, "2026-10-01"), (4, "2026-10-20")]);
    let expected = [
        "N2 2026-10-21 2026-10-20 date_differs",
        "N3 2026-10-01 2026-09-30 date_differs",
        "N4 2026-10-20 2026-10-21 date_differs",
    ];
    assert_eq!(rows, expected);
    assert_eq!(outside, 0);
}

#[test]
fn an_export_as_an_auditor_gets_it_ties_out() {
    let job = one_leaver("00123,Person 2,person2@example.com,Terminated,2026-10-15\n");
    job.run_at(&of_day(3), world(1));
    for export in [
        "Personalnummer;Name;E-Mail;Status;Austrittsdatum\n00123;Person 2;person2@example.com;ausgeschieden;15.10.2026\n",
        "sep=;\nEmployee ID;Name;Work Email;Termination Date\n00123;Person 2;person2@example.com;15/10/2026\n",
        "Terminations in October\n\nEmployee ID,Work Email,Termination Date\n00123,person2@example.com,46310\nConfidential: internal use only\n",
        // A spreadsheet removed the zeros of the id.
        "Employee ID,Work Email,Termination Date\n123,Person2@example.com,2026-10-15\n",
        "Work Email,Termination Date\nperson2@example.com,2026-10-15T00:00:00Z\n",
    ] {
        let (_folder, pack) =
            compared(&job, export).unwrap_or_else(|error| panic!("{export}: {error}"));
        let seen = differences(&pack);
        assert_eq!(seen, ["00123 2026-10-15 2026-10-15 same"], "{export}");
    }
    // Without an address, an id in another form is another person.
    let (_folder, pack) =
        compared(&job, "Employee ID,Termination Date\n123,2026-10-15\n").expect("a pack");
    let seen = differences(&pack);
    let expected = [
        "00123  2026-10-15 only_in_evidence",
        "123 2026-10-15  only_in_hr",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn an_export_without_a_row_to_compare_proves_nothing() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-30\n");
    job.run_at(&of_day(3), world(1));
    let outside = "N2,Person 2,person2@example.com,Terminated,2026-10-30\n";
    for rows in ["", outside, "N7,Person 7,person7@example.com,Active,\n"] {
        let (_folder, pack) = compared(&job, format!("{EXPORT}{rows}")).expect("a pack");
        let page = pack.text("index.html");
        assert!(page.contains("the export proves nothing about the population"));
        assert!(page.contains("No row of an auditor&#39;s export was compared"));
    }
}

#[test]
fn a_column_of_days_that_was_not_read_is_a_limit() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-15\n");
    job.run_at(&of_day(3), world(1));
    let export = "Employee ID,Status,Termination Date,Key Day\nN2,Terminated,2026-10-15,\nN5,Active,,2026-10-09\n";
    let (_folder, pack) = compared(&job, export).expect("a pack");
    assert_eq!(differences(&pack), ["N2 2026-10-15 2026-10-15 same"]);
    assert!(
        pack.text("index.html")
            .contains("Days of the period in column “Key Day”")
    );
}

#[test]
fn an_export_that_cannot_be_read_whole_makes_no_pack() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-15\n");
    job.run_at(&of_day(3), world(1));
    let row = |date: &str| format!("{EXPORT}N2,Person 2,person2@example.com,Terminated,{date}\n");
    for (export, reason) in [
        (String::new(), "the file is empty"),
        ("PK\u{3}\u{4}".to_owned(), "export it as CSV or JSON"),
        (
            "Name,Termination Date\nPerson 2,2026-10-15\n".to_owned(),
            "no column can be matched with an account",
        ),
        (
            row("03/04/2026"),
            "1 row cannot be read; the first is line 2: column “Termination Date”",
        ),
        (
            row("2026-10-15") + "Page 1 of 5\n",
            "shows that rows are missing",
        ),
    ] {
        let error = compared(&job, &export).err().expect("an error");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn two_tenures_of_one_person_tie_out() {
    let row = |rest: &str| format!("N2,Person 2,person2@example.com,{rest}\n");
    let job = one_leaver(&row("Terminated,2026-10-03"));
    job.run_at(&of_day(3), world(1));
    job.run_at(&of_day(4), world(1).without_person(&gid(2)));
    job.hr_feed(&row("Active,"));
    job.run_at(&of_day(6), world(1));
    job.hr_feed(&row("Terminated,2026-10-10"));
    job.run_at(&of_day(10), world(1));
    job.run_at(&of_day(11), world(1).without_person(&gid(2)));
    // The second tenure, without an id; a leaver without a date; the first tenure, twice.
    let text = "Employee ID,Name,Work Email,Status,Termination Date\n\
        ,Person 2,person2@example.com,Terminated,2026-10-10\n\
        N7,Person 7,person7@example.com,Terminated,\n\
        N2,Person 2,person2@example.com,Terminated,2026-10-03\n\
        N2,Person 2,PERSON2@example.com,Terminated,2026-10-03\n";
    let (_folder, pack) = compared(&job, text).expect("a pack");
    let rows = pack.rows("hr_tieout");
    let seen: Vec<(&str, &str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["person_id"].as_str(),
                row["hr_date"].as_str(),
                row["difference"].as_str(),
            )
        })
        .collect();
    let expected = [
        ("N2", "2026-10-03", "same"),
        ("N2", "2026-10-10", "same"),
        ("N7", "", "only_in_hr"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_deadline_after_the_last_of_the_due_runs_is_a_deviation() {
    let job = one_leaver("N2,Person 2,person2@example.com,Terminated,2026-10-10\n");
    for day in [8, 9, 10] {
        job.run_at(&of_day(day), world(1));
    }
    // No run starts any more.
    let folder = tempfile::tempdir().expect("a folder");
    let pack = pack_of_october(&job, &folder);
    assert_eq!(pack.item(2)["result"], "not_due");
    let deviation = &pack.deviations("removal_not_demonstrated")[0];
    assert_eq!(deviation["item_id"], pack.item(2)["item_id"]);
    assert_eq!(deviation["opened_at"], pack.item(2)["deadline"]);
}

#[test]
fn a_review_that_was_never_closed_is_overdue_even_if_none_is_required() {
    let job = Job::new(World::generated(12), crate::support::job::LEFT_AND_GONE)
        .env("REVIEW_EVERY", "off");
    job.run_at(&of_day(1), World::generated(12));
    let asked = OpenArguments {
        name: "2026-Q4".to_owned(),
        due: "2026-10-10".parse().expect("a day"),
        reason_for: Vec::new(),
        ..OpenArguments::default()
    };
    review::at(
        &job,
        "2026-10-02T09:00:00Z",
        async |settings, moment, clock| command::open(settings, &asked, moment, clock).await,
    );
    job.run_at(&of_day(12), World::generated(12));
    let folder = tempfile::tempdir().expect("a folder");
    let overdue = pack_of_october(&job, &folder).deviations("review_overdue");
    assert_eq!(overdue.len(), 1, "{overdue:?}");
    assert_eq!(overdue[0]["opened_at"], "2026-10-11T00:00:00Z");
    assert_eq!(overdue[0]["closed_at"], "");
}
