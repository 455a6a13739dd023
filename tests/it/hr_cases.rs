//! Realistic HR feeds, each through the whole program.
//!
//! The cases are numbered H1 to H52. The name of a test begins with the number of its case, and so
//! does the name of the file that it reads in `tests/feeds/cases/`. The tests check what an auditor
//! would see: the exit code and the evidence. A case that depends on the date calls the pipeline
//! with a fixed instant. All other cases run the real binary with the real clock, on people who
//! left long ago.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::company::ensure_intact;
use crate::support::job::{Ended, Job, ended, tree, verify};
use crate::support::objects_below;
use serde_json::Value;
use truto_simulator::{Permission, Person, World};

// ---- The company ----

/// An administrator, who connected Asana, and Ana, who is in most files.
fn company() -> World {
    World::new().person(ana())
}

/// The same company without Ana's account; the administrator's address is still in its domain.
fn company_without_ana() -> World {
    World::new().person(cleo())
}

fn ana() -> Person {
    Person::member("1201", "Ana Díaz", "ana@x.com")
}

fn bob() -> Person {
    Person::member("1202", "Bob Stone", "bob@x.com")
}

fn cleo() -> Person {
    Person::member("1203", "Cleo Park", "cleo@x.com")
}

/// Ana's account under a name that does not resemble hers.
fn nickname() -> Person {
    Person::member("1201", "anita", "ana@x.com")
}

// ---- The runs ----

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/feeds/cases")
}

fn feed(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// One run of the real binary.
fn run_once(world: World, file: &str) -> Snapshot {
    run(&Job::new(world, ""), file)
}

/// The next run of a job, with the real binary.
fn run(job: &Job, file: &str) -> Snapshot {
    job.hr_file(&feed(file));
    let code = job.run().code;
    Snapshot::last(job, code)
}

/// The next run of a job, at the given instant.
fn run_at(job: &Job, as_of: &str, world: World, file: &str) -> Snapshot {
    job.hr_file(&feed(file));
    let code = job.run_at(as_of, world);
    Snapshot::last(job, code)
}

// ---- What a run wrote ----

/// The evidence of one run in short form.
struct Snapshot {
    code: i32,
    result: Value,
    manifest: Value,
    hr: Vec<Value>,
    leavers: Vec<Value>,
    leavers_csv: String,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn texts(values: &Value) -> Vec<&str> {
    let values = values.as_array().map_or(&[][..], Vec::as_slice);
    values.iter().map(text).collect()
}

impl Snapshot {
    fn last(job: &Job, code: i32) -> Self {
        let sequence = job.entries() as u64;
        Self {
            code,
            result: job.json(sequence, "result.json"),
            manifest: job.json(sequence, "manifest.json"),
            hr: job.records(sequence, "inputs/hr.jsonl.gz"),
            leavers: [
                job.records(sequence, "leavers.jsonl.gz"),
                job.records(sequence, "concluded.jsonl.gz"),
            ]
            .concat(),
            leavers_csv: job.text(sequence, "leavers.csv"),
        }
    }

    /// Every row of `inputs/hr.jsonl.gz`: line, id, name, addresses, status, end of work, notes.
    fn rows(&self) -> Vec<String> {
        self.hr.iter().map(row_in_short).collect()
    }

    /// Every leaver: id, outcome and how the account was matched.
    fn leavers(&self) -> Vec<String> {
        let reported = |leaver: &Value| {
            let matched = texts(&leaver["match"]).join("+");
            let by = if matched.is_empty() { "" } else { " by " };
            let (id, outcome) = (text(&leaver["person_id"]), text(&leaver["outcome"]));
            format!("{id} {outcome}{by}{matched}")
        };
        self.leavers.iter().map(reported).collect()
    }

    fn leaver(&self, id: &str) -> &Value {
        let found = self.leavers.iter().find(|leaver| leaver["person_id"] == id);
        found.unwrap_or_else(|| panic!("no leaver {id}: {:?}", self.leavers()))
    }

    fn note(&self, id: &str) -> &str {
        text(&self.leaver(id)["note"])
    }

    fn findings(&self) -> &[Value] {
        self.result["findings"].as_array().expect("findings")
    }

    /// Every finding: kind, account, note.
    fn reported_findings(&self) -> Vec<String> {
        let reported = |finding: &Value| {
            let parts = ["kind", "account_id", "note"].map(|key| text(&finding[key]));
            parts.join(" | ")
        };
        self.findings().iter().map(reported).collect()
    }

    /// The status and detail of a check.
    fn check(&self, id: &str) -> String {
        let checks = self.result["checks"].as_array().expect("checks");
        let check = checks.iter().find(|check| check["id"] == id);
        let check = check.unwrap_or_else(|| panic!("no check {id}"));
        format!("{}: {}", text(&check["status"]), text(&check["detail"]))
    }

    /// Why the file as a whole was unusable. The run ended inconclusive because of it.
    fn unusable(&self) -> String {
        assert_eq!(self.code, 4, "{:?}", self.result["reasons"]);
        assert_eq!(self.hr.len(), 0, "nothing of such a file is used");
        let check = self.check("hr_rows_accounted");
        let reason = check.strip_prefix("fail: the HR feed cannot be used: ");
        reason.unwrap_or_else(|| panic!("{check}")).to_owned()
    }

    /// What the manifest records about the HR file.
    fn source(&self) -> &Value {
        &self.manifest["sources"]["hr_feed"]
    }

    /// What the reader noted about the file.
    fn notes(&self) -> Vec<&str> {
        texts(&self.source()["notes"])
    }

    fn changes(&self) -> Vec<String> {
        let changes = self.result["changes"].as_array().expect("changes");
        let reported = |change: &Value| {
            let parts = ["change", "person_id", "before", "after"].map(|key| text(&change[key]));
            parts.join(" ")
        };
        changes.iter().map(reported).collect()
    }
}

fn row_in_short(row: &Value) -> String {
    let (line, id) = (&row["line"], text(&row["person_id"]));
    if row["kind"] == "rejected" {
        return format!("{line} {id} rejected: {}", text(&row["reason"]));
    }
    let mut emails = vec![text(&row["email"])];
    emails.extend(texts(&row["other_emails"]));
    let status = text(&row["status"]).replace(':', " ");
    let end = [&row["last_day"]["at"], &row["end"]["at"]];
    let end = end.into_iter().find_map(Value::as_str).unwrap_or("-");
    let mut reported = format!(
        "{line} {id} | {} | {} | {status} | {end}",
        text(&row["name"]),
        emails.join(" ")
    );
    for note in texts(&row["notes"]) {
        reported.push_str(" | ");
        reported.push_str(note);
    }
    reported
}

/// Whether any file of the evidence contains a text, the report included.
fn evidence_holds(job: &Job, wanted: &str) -> bool {
    let is_in = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").contains(wanted);
    tree(&job.evidence()).into_values().any(is_in)
}

/// Ana as she is in most files: read correctly, and found with access.
const ANA: &str = "2 E1 | Ana Díaz | ana@x.com | ended | 2025-11-01T00:00:00Z";
const BOB: &str = "3 E2 | Bob Stone | bob@x.com | ended | 2025-11-01T00:00:00Z";

fn ensure_ana_is_found(snapshot: &Snapshot) {
    assert_eq!(snapshot.code, 3, "{:?}", snapshot.result["reasons"]);
    assert!(
        snapshot
            .leavers()
            .contains(&"E1 still_active by email".to_owned()),
        "{:?}",
        snapshot.leavers()
    );
}

// ---- Bytes and letters ----

#[test]
fn h01_a_byte_order_mark_before_a_quoted_header_hides_no_column() {
    let snapshot = run_once(company(), "h01-utf8-mark.csv");
    assert_eq!(snapshot.rows(), [ANA]);
    let email = serde_json::json!({"name": "Work Email", "meaning": "email"});
    let columns = snapshot.source()["columns"].as_array().expect("columns");
    assert!(columns.contains(&email), "{columns:?}");
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h02_utf_16_with_tabs_gives_the_rows_of_the_utf_8_file() {
    let wide = run_once(company(), "h02-utf16le-tabs.txt");
    let narrow = run_once(company(), "h02-utf8.csv");
    assert_eq!(narrow.rows(), [ANA, BOB]);
    assert_eq!(wide.hr, narrow.hr);
    assert_eq!(wide.leavers(), narrow.leavers());
    assert_eq!(wide.source()["encoding"], "UTF-16LE");
    ensure_ana_is_found(&wide);
}

#[test]
fn h03_a_windows_1252_name_is_read_and_the_encoding_is_noted() {
    let snapshot = run_once(company(), "h03-windows-1252.csv");
    assert_eq!(
        snapshot.rows(),
        ["2 E7 | José Muñoz | jose@x.com | ended | 2025-11-01T00:00:00Z"]
    );
    assert_eq!(snapshot.source()["encoding"], "windows-1252");
    assert_eq!(
        snapshot.notes(),
        ["The text is not UTF-8 and was read as windows-1252, as its letters suggest"]
    );
}

#[test]
fn h03_a_utf_8_file_that_changes_encoding_is_refused_with_the_line() {
    let job = Job::new(company(), "");
    assert_eq!(
        run(&job, "h03-utf8-damaged.csv").unusable(),
        "the text is UTF-8 up to line 3 and corrupt or truncated there: export it again as UTF-8"
    );
    assert!(!evidence_holds(&job, "\u{fffd}"));
}

#[test]
fn h03_a_row_with_a_lost_letter_never_reaches_the_evidence() {
    let job = Job::new(company_without_ana(), "");
    let snapshot = run(&job, "h03-letter-lost.csv");
    let rejected = "3 E7 rejected: column “Name”: a letter was lost to a wrong encoding before this run read the file";
    assert_eq!(snapshot.rows(), [ANA, rejected]);
    assert_eq!(snapshot.code, 4);
    assert!(!evidence_holds(&job, "\u{fffd}"));
}

#[test]
fn h04_semicolons_are_detected_and_noted() {
    let snapshot = run_once(company(), "h04-semicolons.csv");
    assert_eq!(snapshot.rows(), [ANA]);
    assert_eq!(snapshot.notes(), ["Cells are separated by semicolons"]);
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h05_a_line_that_names_the_delimiter_is_skipped_and_noted() {
    let snapshot = run_once(company(), "h05-sep-line.csv");
    assert_eq!(snapshot.rows(), [ANA.replacen('2', "3", 1)]);
    assert_eq!(
        snapshot.notes(),
        ["Line 1 names the delimiter (commas) and was skipped"]
    );
}

// ---- Lines and quotes ----

#[test]
fn h06_a_quoted_comma_and_a_quoted_line_break_stay_in_one_row() {
    let snapshot = run_once(company(), "h06-quotes.csv");
    assert_eq!(
        snapshot.rows(),
        [
            "2 E1 | Díaz, Ana | ana@x.com | ended | 2025-11-01T00:00:00Z",
            &BOB.replacen('3', "4", 1)
        ]
    );
    assert_eq!(snapshot.hr[0]["location"], "Calle 1\nMadrid");
    assert_eq!(snapshot.source()["rows"], 2);
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h07_quotes_after_backslashes_are_part_of_the_name() {
    let snapshot = run_once(company(), "h07-backslashes.csv");
    assert_eq!(
        snapshot.rows(),
        ["2 E1 | Ana \"Ani\" Diaz | ana@x.com | ended | 2025-11-01T00:00:00Z"]
    );
    assert_eq!(
        snapshot.notes(),
        ["Quotes inside cells are escaped by backslashes"]
    );
}

#[test]
fn h07_a_row_with_an_unescaped_quote_is_rejected_by_its_number() {
    let snapshot = run_once(company_without_ana(), "h07-stray-quote.csv");
    assert_eq!(
        snapshot.rows(),
        [
            BOB,
            "2 E1 rejected: a quote closes before the end of its cell"
        ]
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h08_bare_carriage_returns_and_no_final_line_end_lose_no_row() {
    let snapshot = run_once(company(), "h08-carriage-returns.csv");
    assert_eq!(snapshot.rows(), [ANA, BOB]);
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h09_a_title_and_a_total_line_are_noted_and_are_not_people() {
    let snapshot = run_once(company(), "h09-title-and-total.csv");
    assert_eq!(
        snapshot.rows(),
        [ANA.replacen('2', "5", 1), BOB.replacen('3', "6", 1)]
    );
    assert_eq!(
        snapshot.notes(),
        [
            "The header is in line 4, below 3 lines that were skipped",
            "Line 7 is a total, not a person, and was skipped"
        ]
    );
}

#[test]
fn h09_a_file_without_a_header_is_refused_with_its_first_cells() {
    assert_eq!(
        run_once(company(), "h09-no-header.csv").unusable(),
        "no column can be matched with an account (a person's id or an e-mail address); the columns are “Vorname”, “Kontakt”, “Austritt”; closes with: `HR_FEED_COLUMNS=email=<the column>`"
    );
}

#[test]
fn h10_a_blank_line_and_a_row_of_commas_are_skipped_and_counted() {
    let snapshot = run_once(company(), "h10-blank-rows.csv");
    assert_eq!(snapshot.rows(), [ANA, &BOB.replacen('3', "5", 1)]);
    assert_eq!(snapshot.source()["blank"], 2);
    assert_eq!(snapshot.source()["rows"], 4);
}

// ---- Columns ----

#[test]
fn h11_a_work_address_is_preferred_to_a_home_address() {
    let snapshot = run_once(company(), "h11-work-and-home.csv");
    assert_eq!(
        snapshot.rows(),
        ["2 E1 | - | ana@x.com ana@home.example | ended | 2025-11-01T00:00:00Z"]
    );
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h11_two_columns_of_one_name_are_refused_with_a_hint() {
    assert_eq!(
        run_once(company(), "h11-two-emails.csv").unusable(),
        "several columns could be `email`: “Email”, “Email”; closes with: “HR_FEED_COLUMNS=email=Email”"
    );
}

#[test]
fn h12_unknown_columns_in_another_order_change_nothing() {
    let snapshot = run_once(company(), "h12-other-columns.csv");
    assert_eq!(snapshot.rows(), [ANA]);
    assert_eq!(snapshot.hr[0]["location"], "Madrid");
    ensure_ana_is_found(&snapshot);
}

#[test]
fn h13_a_file_without_leaving_columns_is_refused_with_its_headers() {
    assert_eq!(
        run_once(company(), "h13-nobody-says-who-left.csv").unusable(),
        "no column shows who left (an end date, a last day of work or a status); the columns are “Employee ID”, “Name”, “Work Email”; closes with: `HR_FEED_COLUMNS=end=<the column>`"
    );
}

#[test]
fn h13_without_an_end_date_the_status_decides_and_that_is_noted() {
    let snapshot = run_once(company(), "h13-status-only.csv");
    assert_eq!(snapshot.rows(), ["2 E1 | Ana Díaz | ana@x.com | ended | -"]);
    assert_eq!(
        snapshot.notes(),
        ["No column has an end date: only the status shows who left"]
    );
}

#[test]
fn h14_a_header_without_rows_does_not_pass() {
    let snapshot = run_once(company(), "h14-header-only.csv");
    assert_eq!(snapshot.code, 4);
    assert_eq!(
        snapshot.check("hr_not_empty"),
        "fail: the HR feed names no leaver; if that is correct, closes with: `HR_FEED_ALLOW_EMPTY=true`"
    );
}

#[test]
fn h14_a_header_without_rows_passes_if_an_empty_feed_is_allowed() {
    let job = Job::new(company(), "").env("HR_FEED_ALLOW_EMPTY", "true");
    let snapshot = run(&job, "h14-header-only.csv");
    assert_eq!(snapshot.code, 0);
    assert_eq!(
        snapshot.check("hr_not_empty"),
        "pass: the HR feed names no leaver, which is allowed"
    );
}

#[test]
fn h14_a_roster_without_leavers_is_not_empty() {
    let leavers = run_once(company(), "h14-roster.csv");
    assert!(leavers.check("hr_not_empty").starts_with("fail: "));
    let job = Job::new(company(), "").env("HR_FEED_SCOPE", "roster");
    let roster = run(&job, "h14-roster.csv");
    assert_eq!(roster.leavers(), [""; 0]);
    let check = roster.check("hr_not_empty");
    assert!(check.starts_with("pass: "), "{check}");
}

// ---- Dates ----

/// How each row's end of work is read with these variables, or why the row is rejected.
fn ends(variables: &[(&str, &str)], file: &str) -> Vec<String> {
    let set = |job: Job, (name, value): &(&str, &str)| job.env(name, value);
    let job = variables.iter().fold(Job::new(company(), ""), set);
    let reported = |row: &Value| match row["kind"].as_str() {
        Some("rejected") => text(&row["reason"]).to_owned(),
        _ => text(&row["end"]["at"]).to_owned(),
    };
    let mut rows = run(&job, file).hr;
    rows.sort_by_key(|row| row["line"].as_u64());
    rows.iter().map(reported).collect()
}

#[test]
fn h15_a_day_ends_at_its_midnight_and_an_instant_is_exact() {
    assert_eq!(
        ends(&[("HR_TIME_ZONE", "Europe/Berlin")], "h15-iso-dates.csv"),
        [
            "2026-10-31T23:00:00Z",
            "2026-11-01T00:00:00Z",
            "2026-10-31T23:00:00Z"
        ]
    );
}

#[test]
fn h16_dates_with_slashes_are_read_in_the_configured_order() {
    assert_eq!(
        ends(&[("HR_FEED_DATE_ORDER", "mdy")], "h16-slashes.csv"),
        [
            "2026-11-01T00:00:00Z",
            "column “Termination Date”: “31/10/2026” read month first is not a date: month 31 does not exist",
            "2026-11-01T00:00:00Z",
        ]
    );
    assert_eq!(
        ends(&[("HR_FEED_DATE_ORDER", "dmy")], "h16-slashes.csv"),
        [
            "column “Termination Date”: “10/31/2026” read day first is not a date: month 31 does not exist",
            "2026-11-01T00:00:00Z",
            "column “Termination Date”: “10/31/26” read day first is not a date: month 31 does not exist",
        ]
    );
}

#[test]
fn h17_an_ambiguous_date_is_refused_if_no_order_is_set() {
    let snapshot = run_once(company(), "h17-two-readings.csv");
    assert_eq!(
        snapshot.rows(),
        [
            "2 E1 rejected: column “Termination Date”: “03/04/2026” could be 3 April or March 4; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`"
        ]
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h18_dots_a_leading_year_and_month_names_are_unambiguous() {
    assert_eq!(
        ends(&[], "h18-dots-and-months.csv"),
        [
            "2022-10-14T00:00:00Z",
            "2026-11-01T00:00:00Z",
            "2026-11-01T00:00:00Z"
        ]
    );
}

#[test]
fn h19_a_spreadsheet_day_number_is_a_day_and_not_a_year() {
    let snapshot = run_once(company(), "h19-spreadsheet-day.csv");
    assert_eq!(
        snapshot.rows(),
        [
            "2 E1 | - | - | ended | 2026-11-01T00:00:00Z | column “Termination Date”: the day number of a spreadsheet was read as a date"
        ]
    );
}

#[test]
fn h20_every_placeholder_for_a_missing_date_is_blank() {
    assert_eq!(ends(&[], "h20-no-date.csv"), ["-", "-", "-"]);
}

#[test]
fn h21_a_date_far_in_the_future_announces_no_leaver() {
    let snapshot = run_once(company(), "h21-for-ever.csv");
    let far = |date| {
        format!(
            "column “Termination Date”: “{date}” is so far in the future that it counts as blank"
        )
    };
    assert_eq!(
        snapshot.rows(),
        [
            format!("2 E1 | - | - | active | - | {}", far("12/31/2100")),
            format!("3 E2 | - | - | active | - | {}", far("9999-12-31")),
        ]
    );
    assert_eq!(snapshot.leavers(), [""; 0]);
}

const REJECTED: &str =
    "column “Termination Date”: “2026-02-30” is not a date: February 2026 has no day 30";

#[test]
fn h22_a_day_that_does_not_exist_rejects_only_its_row() {
    let snapshot = run_once(company_without_ana(), "h22-30-february.csv");
    assert_eq!(
        snapshot.rows(),
        [ANA, &format!("3 E2 rejected: {REJECTED}")]
    );
    assert_eq!(snapshot.code, 4);
    assert_eq!(
        snapshot.check("hr_rows_accounted"),
        format!(
            "fail: 1 row was rejected, the first at line 3: {REJECTED}; closes with: `EXCEPTIONS_URL: ,E2,,,<why>,<who>,<today>,<date>`"
        )
    );
}

/// A job with approved exceptions.
fn with_exceptions(lines: &str) -> Job {
    let job = Job::new(company(), "").env("EXCEPTIONS_URL", "exceptions.csv");
    let header = "email,person_id,account_id,check,reason,approved_by,approved_on,expires_on\n";
    let path = job.folder.path().join("exceptions.csv");
    fs::write(path, format!("{header}{lines}\n")).expect("a file");
    job
}

#[test]
fn h22_an_exception_may_accept_a_rejected_row() {
    let job =
        with_exceptions(",E2,,,HR corrects the date on Monday,ciso@x.com,2026-11-20,2026-12-31");
    let world = company_without_ana();
    let snapshot = run_at(&job, "2026-11-20T22:40:00Z", world, "h22-30-february.csv");
    assert_eq!(snapshot.result["verdict"], "pass_with_exceptions");
    assert_eq!(snapshot.code, 0);
}

// ---- Statuses and what they mean with a date ----

#[test]
fn h23_a_status_is_mapped_or_shown_as_unclassified() {
    let suspended = Person::member("1205", "anybody", "s3@x.com");
    let snapshot = run_once(company().person(suspended), "h23-statuses.csv");
    let statuses: Vec<&str> = snapshot.hr.iter().map(|row| text(&row["status"])).collect();
    assert_eq!(
        statuses,
        [
            "on_leave",
            "active",
            "unclassified:Suspended",
            "unclassified:Accepted",
            "active",
            "ended",
        ]
    );
    assert_eq!(
        snapshot.check("hr_rows_accounted"),
        "warn: 2 rows have an unknown status"
    );
    assert_eq!(
        snapshot.leavers(),
        [
            "S3 not_evaluable by email",
            "S4 no_access_found",
            "S6 no_access_found"
        ]
    );
    assert_eq!(
        snapshot.note("S3"),
        "the status “Suspended” is unknown, and the row has no date; closes with: `HR_FEED_STATUSES=Suspended=<employed, on_leave or left>`"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h24_terminated_without_a_date_counts_from_the_first_run_with_it() {
    let job = Job::new(company(), "");
    let file = "h24-terminated-undated.csv";
    run_at(
        &job,
        "2026-11-19T22:40:00Z",
        company(),
        "h48-never-in-asana.csv",
    );
    let first = run_at(&job, "2026-11-20T22:40:00Z", company(), file);
    assert_eq!(first.leaver("E1")["outcome"], "within_grace");
    assert_eq!(first.leaver("E1")["end_of_work"], Value::Null);
    assert_eq!(first.leaver("E1")["deadline"], "2026-11-21T22:40:00Z");
    let second = run_at(&job, "2026-11-21T22:41:00Z", company(), file);
    assert_eq!(second.leaver("E1")["outcome"], "still_active");
}

#[test]
fn h24_terminated_without_a_date_in_the_first_feed_is_not_evaluable() {
    let job = Job::new(company(), "");
    let file = "h24-terminated-undated.csv";
    let first = run_at(&job, "2026-11-20T22:40:00Z", company(), file);
    assert_eq!(first.leavers(), ["E1 not_evaluable by email"]);
    assert_eq!(first.leaver("E1")["end_of_work"], Value::Null);
    assert_eq!(first.leaver("E1")["deadline"], "2026-11-21T22:40:00Z");
    assert_eq!(
        first.note("E1"),
        "HR gives no date: the deadline counts from the first run that named the leaver; the first feed already named the person, so nothing shows how long access has lasted; closes with: `EXCEPTIONS_URL: ,E1,,,<why>,<who>,<today>,<date>`"
    );
    assert_eq!(first.code, 4);
    let second = run_at(&job, "2026-11-21T22:41:00Z", company(), file);
    assert_eq!(second.leavers(), ["E1 still_active by email"]);
    assert_eq!(second.code, 3);
}

#[test]
fn h24_a_removal_without_a_date_has_no_duration() {
    let job = Job::new(company(), "");
    let file = "h24-terminated-undated.csv";
    run_at(&job, "2026-11-20T22:40:00Z", company(), file);
    let gone = company_without_ana();
    let snapshot = run_at(&job, "2026-11-21T22:40:00Z", gone, file);
    assert_eq!(snapshot.leavers(), ["E1 removed by former_email"]);
    assert_eq!(snapshot.leaver("E1")["within_sla"], "unknown");
    assert_eq!(
        snapshot.note("E1"),
        "HR gives no date: the deadline counts from the first run that named the leaver"
    );
}

#[test]
fn h25_active_until_next_month_is_not_yet_a_leaver() {
    let job = Job::new(company(), "");
    let file = "h25-active-until-next-month.csv";
    let snapshot = run_at(&job, "2026-11-20T22:40:00Z", company(), file);
    assert_eq!(snapshot.leavers(), ["E1 upcoming by email"]);
    assert_eq!(snapshot.leaver("E1")["end_of_work"], "2026-12-21T00:00:00Z");
    assert_eq!(
        snapshot.result["summary"]["leavers"]["by_outcome"]["upcoming"],
        1
    );
    assert_eq!(snapshot.code, 0);
}

#[test]
fn h25_a_past_announced_date_ends_work_despite_the_status() {
    let job = Job::new(company(), "");
    let file = "h25-active-until-next-month.csv";
    run_at(&job, "2026-12-20T22:40:00Z", company(), file);
    let within = run_at(&job, "2026-12-21T22:40:00Z", company(), file);
    assert_eq!(within.leavers(), ["E1 within_grace by email"]);
    assert_eq!(within.leaver("E1")["deadline"], "2026-12-22T00:00:00Z");
    assert_eq!(within.changes(), [""; 0]);
    // After the deadline, date and status contradict each other.
    let snapshot = run_at(&job, "2026-12-22T22:40:00Z", company(), file);
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable by email"]);
    assert_eq!(snapshot.changes(), [""; 0]);
    assert_eq!(
        snapshot.note("E1"),
        "the announced end of work has passed, but the status is still employed; closes with: `EXCEPTIONS_URL: ,E1,,,<why>,<who>,<today>,<date>`"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h26_the_evidence_prints_the_rule_for_the_last_day_of_work() {
    let job = Job::new(company(), "");
    let file = "h26-termination-and-last-day.csv";
    let snapshot = run_at(&job, "2026-11-05T22:40:00Z", company(), file);
    assert_eq!(snapshot.leavers(), ["E1 still_active by email"]);
    let leaver = snapshot.leaver("E1");
    assert_eq!(leaver["end_of_work"], "2026-11-01T00:00:00Z");
    assert_eq!(leaver["tenures"][0]["end"], "2026-12-31");
    assert_eq!(leaver["tenures"][0]["last_day"], "2026-10-31");
    assert_eq!(
        snapshot.source()["end_of_work"],
        "last day of work if the feed has it, else termination date; a date without a time ends with the midnight that closes the day in the row's zone"
    );
}

// ---- The same person in several runs ----

#[test]
fn h27_a_leaver_named_weeks_late_has_two_clocks() {
    let job = Job::new(company(), "");
    let file = "h27-named-late.csv";
    let first = run_at(&job, "2026-11-20T22:40:00Z", company(), file);
    let leaver = first.leaver("E1");
    assert_eq!(leaver["end_of_work"], "2026-10-02T00:00:00Z");
    assert_eq!(leaver["first_seen_in_feed"], "2026-11-20T22:40:00Z");
    assert_eq!(leaver["deadline"], "2026-10-03T00:00:00Z");
    assert_eq!(leaver["deadline_from_notice"], "2026-11-21T22:40:00Z");

    let gone = company_without_ana();
    let second = run_at(&job, "2026-11-21T22:00:00Z", gone, file);
    let leaver = second.leaver("E1");
    assert_eq!(leaver["outcome"], "removed");
    assert_eq!(leaver["first_seen_in_feed"], "2026-11-20T22:40:00Z");
    assert_eq!(leaver["within_sla"], "no");
    assert_eq!(leaver["within_sla_from_notice"], "yes");
}

#[test]
fn h28_a_leaver_whose_row_disappears_is_still_followed() {
    let job = Job::new(company(), "");
    run(&job, "h28-terminated.csv");
    let snapshot = run(&job, "h28-row-gone.csv");
    assert_eq!(
        snapshot.leavers(),
        ["E1 still_active by email", "E9 no_access_found"]
    );
    assert_eq!(snapshot.leaver("E1")["in_feed"], false);
    assert_eq!(
        snapshot.changes(),
        ["leaver_vanished E1 still_active still_active"]
    );
    assert_eq!(snapshot.code, 3);
}

#[test]
fn h28_a_leaver_who_is_active_again_is_listed_as_rescinded() {
    let job = Job::new(company(), "");
    run(&job, "h28-terminated.csv");
    let before = tree(&job.run_folder(1));
    let snapshot = run(&job, "h28-active-again.csv");
    assert_eq!(
        snapshot.leavers(),
        ["E1 rescinded by email", "E9 no_access_found"],
        "E9 is a short line, after the others"
    );
    assert_eq!(snapshot.code, 0);
    let tenures = snapshot.leaver("E1")["tenures"].as_array().map(Vec::len);
    assert_eq!(tenures, Some(2), "what HR said before is kept");
    assert_eq!(tree(&job.run_folder(1)), before);
}

#[test]
fn h29_a_rehire_causes_no_finding_and_both_tenures_are_kept() {
    let snapshot = run_once(company(), "h29-rehired.csv");
    assert_eq!(snapshot.leavers(), ["E100 rehired by email"]);
    assert_eq!(snapshot.reported_findings(), [""; 0]);
    assert_eq!(snapshot.code, 0);
    let tenures = snapshot.leaver("E100")["tenures"].as_array();
    let ids: Vec<&str> = tenures
        .into_iter()
        .flatten()
        .map(|tenure| text(&tenure["person_id"]))
        .collect();
    assert_eq!(ids, ["E100", "E214"]);
    assert_eq!(
        snapshot.note("E100"),
        "2 person ids share a work address and are treated as one person"
    );
}

#[test]
fn h30_an_active_status_outweighs_an_old_date() {
    let snapshot = run_once(company(), "h30-active-old-date.csv");
    assert_eq!(snapshot.leavers(), ["E9 no_access_found"]);
    assert_eq!(snapshot.code, 0);
}

#[test]
fn h31_a_contractor_hired_on_the_same_day_causes_no_finding() {
    for (file, leaver) in [
        ("h31-contractor-then-employee.csv", "C7"),
        ("h31-one-id.csv", "E8"),
    ] {
        let job = Job::new(company(), "");
        let eve = run_at(&job, "2026-03-31T22:40:00Z", company(), file);
        assert_eq!(eve.leavers(), [format!("{leaver} upcoming by email")]);
        assert_eq!(eve.code, 0, "{file}");
        // Two days later, every grace period is over.
        let after = run_at(&job, "2026-04-02T22:40:00Z", company(), file);
        assert_eq!(after.leavers(), [format!("{leaver} rehired by email")]);
        assert_eq!(after.reported_findings(), [""; 0], "{file}");
        assert_eq!(after.code, 0, "{file}");
    }
}

#[test]
fn h32_a_contractor_without_hr_data_is_listed_as_not_evaluable() {
    let snapshot = run_once(company(), "h32-contractor.csv");
    assert_eq!(snapshot.leavers(), ["C7 not_evaluable by email"]);
    assert_eq!(
        snapshot.note("C7"),
        "HR gives neither a status nor a date; closes with: `EXCEPTIONS_URL: ,C7,,,<why>,<who>,<today>,<date>`"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h33_the_same_row_twice_is_one_leaver_and_one_duplicate() {
    let snapshot = run_once(company(), "h33-twice.csv");
    assert_eq!(snapshot.rows(), [ANA]);
    assert_eq!(snapshot.leavers(), ["E1 still_active by email"]);
    assert_eq!(snapshot.source()["duplicates"], 1);
    assert_eq!(snapshot.source()["rows"], 2);
}

#[test]
fn h34_one_id_with_two_dates_is_noted_with_the_rule() {
    let snapshot = run_once(company(), "h34-two-dates.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by email"]);
    assert_eq!(
        snapshot.leaver("E1")["end_of_work"],
        "2025-11-01T00:00:00Z",
        "the later one"
    );
    assert_eq!(
        snapshot.note("E1"),
        "HR gives 2 different ends of work for the same id; the latest that has passed counts; line 2 has the same id but other values"
    );
}

// ---- Whose account it is ----

#[test]
fn h35_case_blanks_and_zero_width_characters_hide_no_account() {
    let world = company().person(bob()).person(cleo());
    let snapshot = run_once(world, "h35-blanks.csv");
    assert_eq!(
        snapshot.leavers(),
        [
            "E1 still_active by email",
            "E2 still_active by email",
            "E3 still_active by email"
        ]
    );
    let matched: Vec<&str> = snapshot
        .leavers
        .iter()
        .map(|leaver| text(&leaver["account_email"][0]))
        .collect();
    assert_eq!(matched, ["ana@x.com", "bob@x.com", "cleo@x.com"]);
}

/// A job with aliases that tie accounts to people.
fn with_aliases(world: World, lines: &str) -> Job {
    let job = Job::new(world, "").env("ALIASES_URL", "aliases.csv");
    let header = "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n";
    let path = job.folder.path().join("aliases.csv");
    fs::write(path, format!("{header}{lines}\n")).expect("a file");
    job
}

/// Ana's account with a plus-tag in its address.
fn tagged() -> World {
    World::new().person(nickname().email("ana+asana@x.com"))
}

#[test]
fn h36_a_plus_tag_is_a_suspicion_and_not_a_match() {
    let snapshot = run_once(tagged(), "h36-plain-address.csv");
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable"]);
    assert_eq!(
        snapshot.reported_findings(),
        [
            "possible_offboarded_access | 1201 | the same address apart from a plus-tag: a suspicion, not a match; closes with: `ALIASES_URL: ,1201,E1,different,,<why>,<who>,`"
        ]
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h36_a_plus_tag_matches_if_an_alias_says_so() {
    let job = with_aliases(tagged(), "ana+asana@x.com,,E1,,,her Asana address,,");
    let snapshot = run(&job, "h36-plain-address.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by alias"]);
    assert_eq!(snapshot.code, 3);
}

#[test]
fn h36_an_alias_to_another_person_closes_a_suspicion() {
    let job = with_aliases(tagged(), ",1201,E1,different,,another Ana,it@x.com,");
    let snapshot = run(&job, "h36-plain-address.csv");
    assert_eq!(snapshot.leavers(), ["E1 no_access_found"]);
    assert_eq!(snapshot.reported_findings(), [""; 0]);
    assert_eq!(snapshot.code, 0);
}

#[test]
fn h36_an_address_in_another_domain_proves_neither_match_nor_absence() {
    let world = World::new().person(nickname());
    let snapshot = run_once(world, "h36-other-domain.csv");
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable"]);
    assert_eq!(
        snapshot.note("E1"),
        "no address is in a domain of the organization, so the run could not have found an account"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h36_an_address_in_an_equivalent_domain_matches() {
    let world = World::new().person(nickname());
    let job = Job::new(world, "").env("EMAIL_DOMAIN_ALIASES", "x.com=x.co.uk");
    let snapshot = run(&job, "h36-other-domain.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by domain_alias"]);
    assert_eq!(snapshot.code, 3);
}

/// Ana's account after she married.
fn married() -> Person {
    Person::member("1201", "Ana López", "ana.lopez@x.com")
}

#[test]
fn h36_an_address_from_before_a_marriage_does_not_match_alone() {
    let world = World::new().person(married());
    let snapshot = run_once(world, "h36-married-name.csv");
    assert_eq!(snapshot.leavers(), ["E1 no_access_found"]);
}

#[test]
fn h36_an_address_from_before_a_marriage_matches_by_an_earlier_run() {
    let before = Person::member("1201", "Ana Díaz", "ana.diaz@x.com");
    let job = Job::new(World::new().person(before), "");
    run(&job, "h14-header-only.csv");
    job.simulator.set_world(World::new().person(married()));
    let snapshot = run(&job, "h36-married-name.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by former_email"]);
    assert_eq!(snapshot.code, 3);
}

#[test]
fn h36_an_address_from_before_a_marriage_matches_by_an_alias() {
    let world = World::new().person(married());
    let job = with_aliases(world, "ana.lopez@x.com,,E1,same,,married in May,,");
    let snapshot = run(&job, "h36-married-name.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by alias"]);
}

#[test]
fn h37_a_lookalike_letter_never_matches() {
    let snapshot = run_once(World::new().person(nickname()), "h37-cyrillic.csv");
    assert_eq!(
        snapshot.leaver("E1")["emails"],
        serde_json::json!(["\u{430}na@x.com"])
    );
    assert_eq!(snapshot.leaver("E1")["account_id"], serde_json::json!([]));
}

#[test]
fn h37_a_lookalike_letter_is_a_warning() {
    let snapshot = run_once(World::new().person(nickname()), "h37-cyrillic.csv");
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable"]);
    assert_eq!(
        snapshot.reported_findings(),
        [
            "possible_offboarded_access | 1201 | the same address apart from look-alike letters: a suspicion, not a match; closes with: `ALIASES_URL: ,1201,E1,different,,<why>,<who>,`"
        ]
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h37_composed_and_decomposed_letters_are_one_address() {
    let jose = Person::member("1207", "anybody", "jos\u{e9}@x.com");
    let snapshot = run_once(company().person(jose), "h37-decomposed.csv");
    assert_eq!(snapshot.leavers(), ["E7 still_active by email"]);
    assert_eq!(snapshot.leaver("E7")["account_id"][0], "1207");
    assert_eq!(snapshot.code, 3);
}

#[test]
fn h38_a_leaver_with_only_a_personal_address_is_listed_unmatched() {
    let world = World::new().person(nickname());
    let snapshot = run_once(world, "h38-bamboohr-best-email.csv");
    assert_eq!(snapshot.leavers(), ["1 not_evaluable", "2 no_access_found"]);
    assert_eq!(
        snapshot.note("1"),
        "no address is in a domain of the organization, so the run could not have found an account"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h38_a_leaver_with_a_personal_address_is_found_by_id() {
    let world = World::new().person(nickname().external_id("1"));
    let snapshot = run_once(world, "h38-bamboohr-best-email.csv");
    assert_eq!(
        snapshot.leavers(),
        ["1 still_active by person_id", "2 no_access_found"]
    );
    assert_eq!(snapshot.code, 3);
}

#[test]
fn h38_a_leaver_with_a_personal_address_is_found_by_alias() {
    let world = World::new().person(nickname());
    let job = with_aliases(world, ",1201,1,same,,home address in HR,,");
    let snapshot = run(&job, "h38-bamboohr-best-email.csv");
    assert_eq!(
        snapshot.leavers(),
        ["1 still_active by alias", "2 no_access_found"]
    );
}

#[test]
fn h39_a_leaver_who_never_had_an_address_is_not_evaluable() {
    let world = World::new().person(nickname());
    let snapshot = run_once(world, "h39-mail-blank.csv");
    assert_eq!(
        snapshot.leavers(),
        ["E1 not_evaluable", "E2 no_access_found"]
    );
    assert_eq!(
        snapshot.note("E1"),
        "HR gives no usable address and no account carries an HR id, so the run could not have found an account"
    );
}

#[test]
fn h39_a_leaver_whose_address_is_removed_is_judged_by_an_earlier_run() {
    let job = Job::new(World::new().person(nickname()), "");
    run(&job, "h39-mail-told.csv");
    let snapshot = run(&job, "h39-mail-blank.csv");
    assert_eq!(
        snapshot.leavers(),
        ["E1 still_active by email", "E2 no_access_found"]
    );
    assert_eq!(
        snapshot.note("E1"),
        "HR no longer gives an address, so the run uses the earlier ones"
    );
    assert_eq!(snapshot.code, 3);
}

fn two_john_smiths() -> World {
    World::new()
        .person(Person::member("1301", "John Smith", "j.smith@x.com"))
        .person(Person::member("1302", "John Smith", "smithj@x.com"))
}

#[test]
fn h40_a_name_alone_never_matches_and_every_namesake_is_a_suspicion() {
    let snapshot = run_once(two_john_smiths(), "h40-two-john-smiths.csv");
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable"]);
    // One finding for both accounts, because both are possible for the same reason.
    assert_eq!(
        snapshot.reported_findings(),
        [
            "possible_offboarded_access | 1301 | the same name: a suspicion, not a match; 2 accounts (1301, 1302); each account needs its own line; closes with: `ALIASES_URL: ,1301,E1,different,,<why>,<who>,`"
        ]
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h40_aliases_distinguish_namesakes() {
    let lines = ",1301,E1,different,,another John,it@x.com,\n,1302,E1,same,,asked him,,";
    let job = with_aliases(two_john_smiths(), lines);
    let snapshot = run(&job, "h40-two-john-smiths.csv");
    assert_eq!(snapshot.leavers(), ["E1 still_active by alias"]);
    assert_eq!(
        snapshot.leaver("E1")["account_id"],
        serde_json::json!(["1302"])
    );
    assert_eq!(snapshot.findings().len(), 1);
}

#[test]
fn h41_ids_are_texts_and_only_invisible_characters_are_trimmed() {
    let world = World::new().person(nickname().external_id("123"));
    let snapshot = run_once(world, "h41-ids.csv");
    assert_eq!(
        snapshot.rows(),
        [
            "2 00123 | - | - | ended | 2025-11-01T00:00:00Z",
            "3 123 | - | - | ended | 2025-11-01T00:00:00Z",
            "4 E12 | - | - | ended | 2025-11-01T00:00:00Z | blanks or invisible characters were removed from the id",
            "5 1E5 | - | - | ended | 2025-11-01T00:00:00Z",
        ]
    );
    assert_eq!(snapshot.leaver("123")["outcome"], "still_active");
    assert_eq!(
        snapshot.leaver("00123")["account_id"],
        serde_json::json!([]),
        "00123 is another id"
    );
}

#[test]
fn h42_a_name_like_a_formula_is_escaped_in_csv_and_raw_in_json() {
    let snapshot = run_once(company(), "h42-formulas.csv");
    let names: Vec<&str> = ["E1", "E2", "E3"]
        .iter()
        .map(|id| text(&snapshot.leaver(id)["name"]))
        .collect();
    assert_eq!(
        names,
        ["=HYPERLINK(\"https://evil.example\",\"x\")", "+1", "@x"]
    );
    for cell in [
        ",E1,\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")\",",
        ",E2,'+1,",
        ",E3,'@x,",
    ] {
        assert!(
            snapshot.leavers_csv.contains(cell),
            "{}",
            snapshot.leavers_csv
        );
    }
}

// ---- Zones ----

#[test]
fn h43_a_day_ends_hours_earlier_in_melbourne_than_in_los_angeles() {
    let world = || company().person(bob());
    let job = Job::new(world(), "");
    let snapshot = run_at(
        &job,
        "2026-05-14T15:00:00Z",
        world(),
        "h43-zones-of-rows.csv",
    );
    assert_eq!(
        snapshot.rows(),
        [
            "2 E1 | Ana Díaz | ana@x.com | ended | 2026-05-14T14:00:00Z",
            "3 E2 | Bob Stone | bob@x.com | ended | 2026-05-15T07:00:00Z"
        ]
    );
    assert_eq!(
        snapshot.leavers(),
        ["E1 within_grace by email", "E2 upcoming by email"]
    );
}

#[test]
fn h43_a_location_decides_the_zone_if_that_is_set() {
    let world = || company().person(bob());
    let zones = "Melbourne=Australia/Melbourne;Los Angeles=America/Los_Angeles";
    let job = Job::new(world(), "").env("HR_LOCATION_ZONES", zones);
    let snapshot = run_at(&job, "2026-05-14T15:00:00Z", world(), "h43-locations.csv");
    assert_eq!(
        snapshot.leavers(),
        ["E1 within_grace by email", "E2 upcoming by email"]
    );
}

#[test]
fn h44_a_deadline_is_24_hours_later_even_on_a_day_of_25_hours() {
    let world = || company().person(bob());
    let job = Job::new(world(), "").env("HR_TIME_ZONE", "Europe/London");
    let file = "h44-london-clocks-go-back.csv";
    // 23:30 on Sunday the 25th in London, 24.5 hours after its opening midnight.
    let snapshot = run_at(&job, "2026-10-25T23:30:00Z", world(), file);
    let (ana, bob) = (snapshot.leaver("E1"), snapshot.leaver("E2"));
    assert_eq!(ana["end_of_work"], "2026-10-24T23:00:00Z");
    assert_eq!(ana["deadline"], "2026-10-25T23:00:00Z");
    assert_eq!(ana["outcome"], "still_active");
    assert_eq!(bob["end_of_work"], "2026-10-26T00:00:00Z");
    assert_eq!(bob["deadline"], "2026-10-27T00:00:00Z");
    assert_eq!(bob["outcome"], "upcoming");
}

// ---- Whether a file can be relied on ----

#[test]
fn h45_a_feed_that_collapsed_is_unusable_and_no_leaver_is_forgotten() {
    let job = Job::new(company(), "");
    assert_eq!(run(&job, "h45-120-rows.csv").code, 0);
    let snapshot = run(&job, "h45-3-rows.csv");
    assert_eq!(snapshot.code, 4);
    assert_eq!(
        snapshot.check("hr_drop"),
        "fail: 3 now, a high of 120 in the complete runs of the last 7 days: fell by 117 (97.5 %), more than 30 %; closes with: `EXCEPTIONS_URL: ,,,hr_drop,<why>,<who>,<today>,<date>`"
    );
    assert_eq!(snapshot.leavers.len(), 120);
}

#[test]
fn h45_a_rolling_window_must_be_configured() {
    let job = Job::new(company(), "").env("HR_FEED_SCOPE", "recent-leavers");
    run(&job, "h45-120-rows.csv");
    let snapshot = run(&job, "h45-3-rows.csv");
    assert_eq!(snapshot.code, 0);
    assert_eq!(
        snapshot.check("hr_drop"),
        "pass: not checked: with this scope, rows leave the feed over time"
    );
    assert_eq!(
        snapshot.manifest["policy"]["hr_feed_scope"],
        "recent-leavers"
    );
}

#[test]
fn h45_an_exception_turns_a_known_collapse_into_a_warning() {
    let job =
        with_exceptions(",,,hr_drop,HR archived old leavers,ciso@x.com,2026-11-20,2026-12-31");
    run_at(&job, "2026-11-20T22:40:00Z", company(), "h45-120-rows.csv");
    let snapshot = run_at(&job, "2026-11-21T22:40:00Z", company(), "h45-3-rows.csv");
    let check = snapshot.check("hr_drop");
    assert!(check.starts_with("warn: "), "{check}");
    assert_eq!(snapshot.result["verdict"], "pass_with_exceptions");
}

#[test]
fn h46_a_cut_last_line_is_refused_as_truncated() {
    assert_eq!(
        run_once(company(), "h46-cut.csv").unusable(),
        "the file looks truncated at line 3, which has 3 of 7 cells and no line break after it"
    );
}

#[test]
fn h47_a_file_from_nine_days_ago_is_stale_and_inconclusive() {
    let job = Job::new(company_without_ana(), "");
    let file = "h47-nine-days-old.csv";
    assert_eq!(run(&job, file).code, 0, "fresh");
    // One more minute, because the run's instant is a whole second.
    job.hr_changed_at(job.hr_changed() - Duration::from_secs(9 * 24 * 3600 + 60));
    let code = job.run().code;
    let snapshot = Snapshot::last(&job, code);
    assert_eq!(
        snapshot.check("hr_fresh"),
        "fail: the HR feed is 216 h old; the limit is 48 h"
    );
    assert_eq!(snapshot.code, 4);
    assert_eq!(snapshot.result["verdict"], "inconclusive");
}

#[test]
fn h48_a_complete_list_proves_that_a_leaver_has_no_account() {
    let snapshot = run_once(company(), "h48-never-in-asana.csv");
    assert_eq!(snapshot.leavers(), ["E1 no_access_found"]);
    assert_eq!(snapshot.code, 0);
    assert_eq!(snapshot.manifest["complete"], true);
    assert_eq!(snapshot.manifest["sources"]["truto"]["accounts"], 2);
    assert_eq!(
        snapshot.check("list_complete"),
        "pass: every page was read; the last page names no next page"
    );
    assert_eq!(
        snapshot.check("rows_reconcile"),
        "pass: rows add up, and the memberships agree with the list on the accounts that have access"
    );
}

#[test]
fn h48_an_incomplete_list_does_not_prove_absence() {
    let world = company().with(|world| {
        world.partial_response = true;
        world.memberships = Permission::NotFound;
    });
    let snapshot = run_once(world, "h48-never-in-asana.csv");
    assert_eq!(snapshot.leavers(), ["E1 not_evaluable"]);
    assert_eq!(
        snapshot.note("E1"),
        "the run is incomplete, so a missing account does not prove removal"
    );
    assert_eq!(snapshot.code, 4);
}

#[test]
fn h49_a_guest_an_invitation_and_an_admin_are_three_distinct_findings() {
    let world = World::new()
        .person(Person::member("1401", "Gus", "gus@partner.example").guest())
        .person(Person::member("1402", "Ivy", "ivy@x.com").invited())
        .person(Person::member("1403", "Ada", "ada@x.com").admin());
    let snapshot = run_once(world, "h49-guest-invited-admin.csv");
    let reported: Vec<String> = snapshot
        .findings()
        .iter()
        .map(|finding| {
            let keys = [
                "kind",
                "severity",
                "account_id",
                "role",
                "status",
                "person_id",
            ];
            keys.map(|key| text(&finding[key])).join(" ")
        })
        .collect();
    assert_eq!(
        reported,
        [
            "offboarded_access critical 1403 admin active E3",
            "offboarded_access high 1401 guest active E1",
            "offboarded_access high 1402 member invited E2",
        ]
    );
    let ids: BTreeSet<&str> = snapshot
        .findings()
        .iter()
        .map(|finding| text(&finding["finding_id"]))
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(snapshot.code, 3);
}

/// A hundred thousand rows, about ten megabytes, made from a file with the first and the last row.
fn hundred_thousand_rows() -> Vec<u8> {
    let sample = String::from_utf8(feed("h50-first-and-last.csv")).expect("UTF-8");
    let lines: Vec<&str> = sample.lines().collect();
    let [header, first, last] = lines[..] else {
        panic!("a header and two rows");
    };
    let mut text = format!("{header}\n");
    for number in 1..100_000 {
        let row = first.replace("E1", &format!("E{number}"));
        text.push_str(&row.replace("p1@", &format!("p{number}@")));
        text.push('\n');
    }
    text.push_str(last);
    text.into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
    packer.write_all(bytes).expect("gzip in memory");
    packer.finish().expect("gzip in memory")
}

/// Runs a job to its end. Returns how it ended and its peak memory in MiB (0 if the system does not
/// report it).
fn run_and_measure(job: &Job) -> (Ended, u64) {
    let mut child = job.start();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("a state").is_none() {
        let reported = fs::read_to_string(&status).unwrap_or_default();
        let peak = reported
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = peak.and_then(|peak| peak.trim().strip_suffix(" kB")) {
            most = kib.parse::<u64>().expect("a number") / 1024;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("an end");
    (ended(output), most)
}

#[test]
fn h50_the_last_of_a_hundred_thousand_compressed_rows_is_found() {
    let job = Job::new(company(), "");
    job.hr_file(&gzip(&hundred_thousand_rows()));
    let (ended, memory) = run_and_measure(&job);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(memory < 320, "{memory} MiB");
    let manifest = job.json(1, "manifest.json");
    let source = &manifest["sources"]["hr_feed"];
    assert_eq!(
        (&source["gzip"], &source["rows_read"]),
        (&true.into(), &100_000.into())
    );
    let leavers = job.records(1, "leavers.jsonl.gz");
    assert_eq!(leavers.len(), 1);
    assert_eq!(leavers[0]["person_id"], "A1");
}

/// The error names the cap, and memory stays close to the cap.
fn ensure_refused_for_its_size(job: &Job) {
    let (ended, memory) = run_and_measure(job);
    assert_eq!(ended.code, 78);
    assert_eq!(
        ended.stderr,
        "error: could not read the HR feed\ncaused by: the HR feed at `hr.csv` is larger than the size cap of 67108864 bytes (64 MiB), which applies before and after unpacking: export only the columns and rows that the check needs\n"
    );
    assert!(memory < 160, "{memory} MiB");
    assert_eq!(job.entries(), 0);
}

#[test]
fn h50_a_file_of_200_megabytes_is_refused_for_its_size() {
    let job = Job::new(company(), "");
    let file = fs::File::create(job.folder.path().join("hr.csv"));
    file.and_then(|file| file.set_len(200_000_000))
        .expect("a file of zeros");
    ensure_refused_for_its_size(&job);
}

#[test]
fn h50_a_small_file_that_unpacks_to_more_than_the_cap_is_refused() {
    let job = Job::new(company(), "");
    let bomb = gzip(&[b'x'; 1 << 20]).repeat(65);
    assert!(bomb.len() < 1 << 20);
    job.hr_file(&bomb);
    ensure_refused_for_its_size(&job);
}

// ---- What is kept ----

/// Checks the hashes directly, and runs `verify`, which recomputes every run.
fn ensure_verifies(job: &Job) {
    let entries = ensure_intact(&objects_below(&job.evidence()));
    assert_eq!(entries.len(), job.entries());
    let ended = verify(&job.evidence(), &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn h51_the_old_evidence_verifies_after_an_erasure() {
    let job = Job::new(company(), "");
    run(&job, "h51-erased.csv");
    let before = tree(&job.run_folder(1));

    job.simulator.set_world(company_without_ana());
    let erased = run(&job, "h51-after-erasure.csv");
    assert_eq!(
        erased.leavers(),
        ["E1 removed by former_email", "E9 no_access_found"],
        "her access is proven gone"
    );
    let after = run(&job, "h51-after-erasure.csv");
    assert_eq!(
        after.leavers(),
        ["E1 removed by former_email", "E9 no_access_found"],
        "the record of the offboarding stays"
    );
    assert_eq!(after.code, 0);
    assert_eq!(
        after.check("ledger_continues"),
        "pass: entry 2 and the earlier files that this run used match their hashes"
    );
    assert_eq!(tree(&job.run_folder(1)), before);
    ensure_verifies(&job);
}

#[test]
fn h52_a_rehire_changes_nothing_that_was_proven_before() {
    let job = Job::new(company(), "");
    let before_rehire = run(&job, "h52-before-rehire.csv");
    assert_eq!(before_rehire.leavers(), ["E100 still_active by email"]);
    let before = tree(&job.run_folder(1));

    let snapshot = run(&job, "h29-rehired.csv");
    assert_eq!(snapshot.leavers(), ["E100 rehired by email"]);
    assert_eq!(snapshot.code, 0);
    assert_eq!(tree(&job.run_folder(1)), before);
    assert_eq!(job.entry(1)["verdict"], "fail");
    ensure_verifies(&job);
}

// ---- The list of cases ----

/// A case without a test, or a file that no test reads, checks nothing.
#[test]
fn every_case_has_a_test_and_every_file_is_read() {
    let source = include_str!("hr_cases.rs");
    for case in 1..=52 {
        let name = format!("\nfn h{case:02}_");
        assert!(source.contains(&name), "H{case} has no test");
    }
    for entry in fs::read_dir(folder()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("UTF-8");
        let is_read = source.contains(&format!("\"{name}\""));
        assert!(is_read || name.starts_with('.'), "{name} is not read");
    }
}
