//! Settings and lines that the documentation prints, used as a reader would copy them.
//!
//! Each ready-made setting of `docs/hr-feed.md` reads a small file in the shape of its system's
//! export. The files follow the formats that the vendors publish. In each of them Ada works here,
//! Ben left and still has access, Cia is on leave, Dan leaves at the end of the year and Gil left
//! long ago.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use truto_simulator::Person;

use crate::situations::company::{ALIAS_COLUMNS, Company, EXCEPTION_COLUMNS, Run, account};
use crate::situations::must::Failures;

/// Heading of the page, file, and the ids of Ada, Ben, Cia, Dan and Gil.
const VENDORS: [(&str, &str, [&str; 5]); 10] = [
    (
        "Workday",
        "workday.json",
        ["21001", "21010", "21011", "21012", "20077"],
    ),
    ("BambooHR", "bamboohr.json", ["1", "10", "11", "12", "7"]),
    ("Personio", "personio.csv", ["1", "10", "11", "12", "7"]),
    ("HiBob", "hibob.csv", ["1", "10", "11", "12", "7"]),
    ("Rippling", "rippling.csv", ["1", "10", "11", "12", "7"]),
    (
        "Gusto",
        "gusto.json",
        [
            "a0000000-0000-4000-8000-000000000000",
            "a0000000-0000-4000-8000-000000000010",
            "a0000000-0000-4000-8000-000000000011",
            "a0000000-0000-4000-8000-000000000012",
            "a0000000-0000-4000-8000-000000000007",
        ],
    ),
    (
        "ADP Workforce Now",
        "adp.csv",
        [
            "ABC+001010",
            "XYZ+001010",
            "ABC+001011",
            "ABC+001012",
            "ABC+000007",
        ],
    ),
    (
        "UKG Pro",
        "ukg.csv",
        ["000001", "000010", "000011", "000012", "000007"],
    ),
    (
        "SAP SuccessFactors",
        "successfactors.json",
        ["1001", "1010", "1011", "1012", "1007"],
    ),
    ("Deel", "deel.json", ["1", "10", "11", "12", "7"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The variables that the page prints below a heading, without comments.
fn settings(heading: &str) -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/hr-feed.md")).expect("the page");
    let (_, section) = page
        .split_once(&format!("\n### {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let block = section.split("```").nth(1).expect("a block of settings");
    let lines = block
        .strip_prefix("sh\n")
        .expect("a block for the shell")
        .lines();
    lines
        .map(|line| {
            let line = line.split("    #").next().unwrap_or_default();
            let assignment = line.strip_prefix("export ").expect("an export");
            let (name, value) = assignment.split_once('=').expect("a value");
            (name.to_owned(), value.trim_matches('\'').to_owned())
        })
        .collect()
}

/// The company of the files, with the settings of the page. The test replaces the feed.
fn company(heading: &str) -> Company {
    let accounts: [Person; 4] = [
        account(0, "Ada Root", "user0@acme.example").admin(),
        account(10, "Ben Ode", "user10@acme.example"),
        account(11, "Cia Fox", "user11@acme.example"),
        account(12, "Dan Hay", "user12@acme.example"),
    ];
    let settings = settings(heading).into_iter();
    settings
        .filter(|(name, _)| name != "HR_FEED_URL" && !name.starts_with("HR_FEED_AUTHORIZATION"))
        .fold(Company::of(accounts), |company, (name, value)| {
            company.env(&name, &value)
        })
}

fn row<'r>(run: &'r Run, id: &str) -> Result<&'r Value, String> {
    let mut rows = run.hr.iter().filter(|row| row["person_id"] == id);
    rows.next().ok_or_else(|| format!("no row of {id}"))
}

/// The first difference from the files.
fn ensure_people_are_read(heading: &str, file: &str, ids: [&str; 5]) -> Result<(), String> {
    let feed = fs::read(root().join("tests/feeds/vendors").join(file)).expect("a feed");
    let run = company(heading).run_bytes(&feed);
    let ensure = |is_so: bool, claim: String| match is_so {
        true => Ok(()),
        false => Err(format!("{claim}\n    {}", run.summary())),
    };
    for check in [
        "hr_columns",
        "hr_identities",
        "hr_rows_accounted",
        "hr_not_empty",
    ] {
        let found = run.check(check);
        ensure(found.starts_with("pass"), format!("{check}: {found}"))?;
    }
    let unread = run.hr.iter().filter(|row| !row["unread"].is_null());
    ensure(
        unread.count() == 0,
        "a date or an address is unread".to_owned(),
    )?;
    let statuses = ["active", "ended", "on_leave", "active", "ended"];
    for (id, expected) in ids.iter().zip(statuses) {
        let status = &row(&run, id)?["status"];
        // Some systems have no status for a leave.
        let is_so = status == expected || expected == "on_leave" && status == "active";
        ensure(is_so, format!("{id} is {status}, not {expected}"))?;
        let email = &row(&run, id)?["email"];
        ensure(email.is_string(), format!("{id} has no work address"))?;
        let start = &row(&run, id)?["start"];
        ensure(start.is_object(), format!("{id} has no start"))?;
        let name = &row(&run, id)?["name"];
        ensure(name.is_string(), format!("{id} has no name"))?;
    }
    let [_, ben, _, dan, gil] = ids;
    let leavers = [
        (ben, "still_active", "2026-11-04T00:00:00Z"),
        (dan, "upcoming", "2027-01-01T00:00:00Z"),
        (gil, "no_access_found", "2025-07-01T00:00:00Z"),
    ];
    for (id, outcome, end_of_work) in leavers {
        let leaver = run.leaver(id)?;
        for (key, expected) in [("outcome", outcome), ("end_of_work", end_of_work)] {
            let found = &leaver[key];
            ensure(
                found == expected,
                format!("{id}: {key} is {found}, not {expected}"),
            )?;
        }
    }
    ensure(
        run.leavers.len() == leavers.len(),
        format!("{} leavers", run.leavers.len()),
    )?;
    let accused: Vec<String> = run.accused().into_iter().collect();
    ensure(accused == ["user10"], format!("accused: {accused:?}"))?;
    ensure(run.findings().len() == 1, "another finding".to_owned())
}

#[test]
fn the_settings_of_the_page_read_each_vendors_export() {
    let mut failures = Failures::default();
    for (heading, file, ids) in VENDORS {
        failures.add(heading, ensure_people_are_read(heading, file, ids));
    }
    failures.ensure_none();
}

#[test]
fn every_ready_made_setting_of_the_page_has_a_file() {
    let page = fs::read_to_string(root().join("docs/hr-feed.md")).expect("the page");
    let (_, section) = page.split_once("\n## 11. ").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section after it");
    let headings: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let tested: Vec<&str> = VENDORS.iter().map(|(heading, ..)| *heading).collect();
    assert_eq!(headings, tested);
}

/// The lines of the CSV blocks of a page that have these columns.
fn lines(page: &str, columns: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).expect("the page");
    let blocks = text.split("```csv\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let of_columns = blocks.filter_map(|block| {
        let block = block.trim_start();
        block.strip_prefix(columns)?.strip_prefix('\n')
    });
    of_columns
        .flat_map(str::lines)
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_aliases_and_exceptions_of_the_pages_are_valid() {
    for page in ["docs/aliases-and-exceptions.md", "docs/hr-feed.md"] {
        let (aliases, exceptions) = (lines(page, ALIAS_COLUMNS), lines(page, EXCEPTION_COLUMNS));
        assert!(!exceptions.is_empty(), "{page} has no exceptions");
        let company = Company::new().aliases(&aliases).exceptions(&exceptions);
        let run = company.run(
            "Employee ID,Work Email,Status,Termination Date\nE900,x@acme.example,Terminated,{D-200}\n",
        );
        let states: Vec<&str> = run.result["manual"]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|line| line["state"].as_str())
            .collect();
        assert_eq!(states.len(), aliases.len() + exceptions.len(), "{page}");
        assert!(
            states.iter().all(|state| *state == "unused"),
            "{page}: {states:?}"
        );
    }
}
