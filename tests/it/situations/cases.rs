//! Reported HR exports, one file each, in `tests/feeds/situations/`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::situations::company::{Company, Run, midnight};
use crate::situations::must::{Must, case, ensure, ensure_each, ensure_that};

use Must::{Accuse, AccuseNoOne, Outcome, Pass, Refuse, Report, Suspect};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/feeds/situations")
}

fn feed(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn run(file: &str) -> Run {
    Company::new().run(&feed(file))
}

fn run_roster(file: &str) -> Run {
    Company::new().roster().run(&feed(file))
}

/// Whether a run reports how it read this column, or that it did not read it.
pub(crate) fn names_column(run: &Run, column: &str) -> bool {
    let columns = &run.manifest["sources"]["hr_feed"]["columns"];
    let is_read = |known: &Value| known["name"] == column && known["meaning"] != "unread";
    let is_read = columns
        .as_array()
        .is_some_and(|columns| columns.iter().any(is_read));
    is_read || run.notes().iter().any(|note| note.contains(column))
}

fn rejected(run: &Run) -> Vec<&Value> {
    run.hr
        .iter()
        .filter(|row| row["kind"] == "rejected")
        .collect()
}

// ---- Controls ----

#[test]
fn a_leaver_with_access_is_accused() {
    ensure(Accuse("user10"), &run("plain.csv"));
}

#[test]
fn a_leaver_without_an_account_passes() {
    ensure(Pass, &run("quiet.csv"));
}

// ---- Ids of several people ----

#[test]
fn one_file_number_in_two_companies_means_two_people() {
    ensure(
        Report("user10"),
        &run("k01-file-number-of-two-companies.csv"),
    );
}

#[test]
fn ids_that_a_spreadsheet_rounded_are_not_used() {
    ensure(Report("user10"), &run("k02-id-in-scientific-notation.csv"));
}

#[test]
fn a_placeholder_id_accuses_no_second_person() {
    ensure(Report("user10"), &run("k04-shared-id-accuses-another.csv"));
}

// ---- Ends of work ----

#[test]
fn garden_leave_ends_work_on_the_last_day() {
    ensure(Report("user10"), &run("k05-garden-leave-active.csv"));
}

#[test]
fn a_last_day_ahead_does_not_hide_a_past_termination() {
    ensure(Report("user10"), &run("k06-last-day-after-termination.csv"));
}

fn ensure_reported_with_its_column(file: &str, column: &str) {
    let run = run(file);
    ensure(Report("user10"), &run);
    ensure_that(names_column(&run, column), column, &run);
}

#[test]
fn a_contract_end_without_a_termination_date_is_reported() {
    ensure_reported_with_its_column("k07-contract-end-only.csv", "Contract End Date");
}

#[test]
fn a_relieving_date_is_read_or_named() {
    ensure_reported_with_its_column("k18-relieving-date.csv", "Relieving Date");
}

#[test]
fn a_nested_termination_is_read_or_named() {
    ensure_reported_with_its_column(
        "k19-nested-termination.json",
        "termination.termination_date",
    );
}

#[test]
fn an_austrittsdatum_is_read_or_named() {
    ensure_reported_with_its_column("k20-austrittsdatum.csv", "Austrittsdatum");
}

#[test]
fn a_last_day_before_a_leave_accuses_no_one() {
    let run = run("k23-on-leave-last-day-worked.csv");
    ensure(AccuseNoOne, &run);
    ensure(Pass, &run);
}

#[test]
fn midnight_utc_yesterday_is_the_whole_day() {
    ensure(
        Outcome("E10", "within_grace"),
        &run("k24-midnight-utc.json"),
    );
}

#[test]
fn a_windows_zone_is_the_zone_of_its_row() {
    let run = run("k27-windows-time-zone.csv");
    ensure(Accuse("user10"), &run);
    let end = run.leaver("E10").expect("a leaver")["end_of_work"].clone();
    ensure_that(
        end == midnight(-19).replace("T00", "T08"),
        "the day ends in California",
        &run,
    );
}

#[test]
fn day_one_of_1900_is_not_a_date() {
    let run = run_roster("w3-zero-date.csv");
    ensure(AccuseNoOne, &run);
    ensure_that(rejected(&run).is_empty(), "no row is rejected", &run);
}

#[test]
fn a_date_of_sap_is_read() {
    ensure(Accuse("user10"), &run("w5-sap-date.json"));
}

#[test]
fn a_termination_ahead_is_upcoming_and_passes() {
    let run = run("h7-terminated-in-future.csv");
    ensure(Outcome("E10", "upcoming"), &run);
    ensure(Pass, &run);
}

#[test]
fn a_second_job_that_ended_accuses_no_one() {
    ensure(Pass, &run("h11-second-job-ended.csv"));
}

#[test]
fn lost_leading_zeros_do_not_restart_the_grace() {
    let company = Company::new();
    ensure(Report("user10"), &company.run(&feed("h10-id-00123.csv")));
    ensure(
        Accuse("user10"),
        &company.run_on(2, &feed("h10-id-123.csv")),
    );
}

// ---- Documents with more than one page or list ----

#[test]
fn a_page_of_several_is_refused() {
    ensure_each(
        [
            "k08-page-personio-v1.json",
            "k09-page-workday-rest.json",
            "k10-page-deel.json",
            "k12-page-graphql-edges.json",
            "k30-page-totalelements.json",
            "h1-page-hasmore.json",
            "h1-page-next.json",
            "h1-page-totalresults.json",
        ]
        .map(|file| case(file, Refuse, feed(file))),
    );
}

#[test]
fn two_lists_of_people_are_both_judged_or_both_named() {
    let run = run("k13-employees-and-contractors.json");
    if run.accused().is_empty() {
        ensure(Refuse, &run);
        let check = run.check("hr_rows_accounted");
        let names_both = check.contains("employees") && check.contains("contractors");
        ensure_that(names_both, "both lists are named", &run);
    } else {
        ensure(Accuse("user10"), &run);
    }
}

#[test]
fn a_list_of_fields_is_not_a_list_of_people() {
    ensure(Accuse("user10"), &run("h13-fields-and-employees.json"));
}

// ---- Addresses ----

#[test]
fn an_address_in_the_form_of_exchange_is_read() {
    ensure(Report("user10"), &run("k14-smtp-prefix.csv"));
}

#[test]
fn an_address_behind_a_display_name_is_read() {
    ensure(Report("user10"), &run("k15-display-name.csv"));
}

#[test]
fn an_unreadable_address_does_not_pass() {
    let run = run("h5-sep-prefix.csv");
    ensure(Report("user10"), &run);
    ensure_that(run.verdict() == "inconclusive", "it is inconclusive", &run);
}

// ---- People ----

#[test]
fn a_new_name_and_address_in_hr_lose_no_account() {
    let company = Company::new()
        .account(10, "Ana Diaz", "ana.diaz@acme.example")
        .roster();
    company.run(&feed("k16-roster-run1.csv"));
    company.run_on(1, &feed("k16-roster-run2.csv"));
    let run = company.run_on(2, &feed("k16-roster-run3.csv"));
    ensure(Report("ana.diaz"), &run);
}

#[test]
fn an_address_passed_to_a_namesake_is_not_a_rehire() {
    let run = run("k17-first-name-address-again.csv");
    ensure(Report("user10"), &run);
    ensure_that(
        !run.outcomes("E1").contains(&"rehired"),
        "E1 is not rehired",
        &run,
    );
}

#[test]
fn a_placeholder_address_is_not_a_rehire_and_hides_no_namesake() {
    let run = Company::new()
        .account(10, "John Smith", "john.smith@acme.example")
        .run(&feed("k21-placeholder-address-shared-surname.csv"));
    ensure(Suspect("john.smith"), &run);
    ensure_that(
        !run.outcomes("E1").contains(&"rehired"),
        "E1 is not rehired",
        &run,
    );
}

#[test]
fn a_name_without_its_accents_is_suspected() {
    let run = Company::new()
        .account(10, "José Núñez", "jnunez@acme.example")
        .run(&feed("w1-accents.csv"));
    ensure(Suspect("jnunez"), &run);
}

#[test]
fn the_same_local_part_in_another_own_domain_is_suspected() {
    let run = Company::new()
        .account(10, "Ana Diaz", "ana.diaz@newco.example")
        .env("INTERNAL_DOMAINS", "acme.example,newco.example")
        .run(&feed("w2-domain-changed.csv"));
    ensure(Suspect("ana.diaz@newco.example"), &run);
}

#[test]
fn a_transfer_to_a_new_id_leaves_the_old_mailbox_accused() {
    ensure(Accuse("user10"), &run("h6-second-mailbox.csv"));
}

#[test]
fn a_role_address_passed_to_another_person_stays_accused() {
    ensure(Accuse("user10"), &run("h8-role-mailbox.csv"));
}

// ---- Rows and columns ----

#[test]
fn cells_missing_at_the_end_of_rows_are_blank() {
    let run = run_roster("k26-trailing-cells-dropped.csv");
    ensure(Accuse("user10"), &run);
    ensure_that(rejected(&run).is_empty(), "no row is rejected", &run);
}

#[test]
fn two_status_columns_that_agree_are_accepted() {
    ensure(Accuse("user10"), &run("w4-two-statuses.json"));
}

#[test]
fn footer_lines_are_noted_and_not_rejected() {
    let run = run("w6-footer.csv");
    ensure(Accuse("user10"), &run);
    ensure_that(rejected(&run).is_empty(), "no row is rejected", &run);
    let notes = run.manifest["sources"]["hr_feed"]["notes"].to_string();
    ensure_that(
        notes.contains("ine 5") || notes.contains("ines 5"),
        &notes,
        &run,
    );
}

#[test]
fn japanese_columns_named_in_settings_are_read() {
    let columns = "person_id=社員番号,name=氏名,email=メール,start=入社年月日,end=退職年月日";
    let run = Company::new()
        .env("HR_FEED_COLUMNS", columns)
        .run(&feed("h12-japanese.csv"));
    ensure(Accuse("user10"), &run);
}

// ---- The files themselves ----

#[test]
fn every_file_of_a_situation_has_a_test() {
    let source = include_str!("cases.rs");
    for entry in fs::read_dir(folder()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("UTF-8");
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name} is not read"
        );
    }
}
