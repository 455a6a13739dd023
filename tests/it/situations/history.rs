//! Several days: an edit in HR or Asana must not remove what an earlier run knew.

use truto_simulator::Person;

use crate::situations::company::{Company, Run, gid};
use crate::situations::must::{Must, ensure, ensure_that};

use Must::{Accuse, NotAccuse, Outcome, Report};

const COLUMNS: &str = "Employee ID,Name,Work Email,Status,Hire Date,Termination Date";
const GONE: &str = "E900,Gil Hay,x@acme.example,Terminated,2018-01-01,{D-200}";
const OTHER: &str = "R0,User 0,user0@acme.example,Active,2010-01-01,";
const LEFT: &str = "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}";
const WORKS: &str = "E10,Ben Ode,user10@acme.example,Active,2019-01-01,";

fn feed(rows: &[&str]) -> String {
    [COLUMNS, GONE, OTHER]
        .iter()
        .chain(rows)
        .map(|row| format!("{row}\n"))
        .collect()
}

#[track_caller]
fn ensure_no_pass(run: &Run) {
    ensure_that(!run.verdict().starts_with("pass"), "no pass", run);
}

// ---- Edits in HR after a finding ----

/// On the second day, the row of an accused leaver is replaced by this one.
#[track_caller]
fn ensure_still_reported_after(row: &str) {
    let company = Company::new();
    ensure(Accuse("user10"), &company.run(&feed(&[LEFT])));
    let rows = if row.is_empty() {
        feed(&[])
    } else {
        feed(&[row])
    };
    ensure(Report("user10"), &company.run_on(1, &rows));
}

#[test]
fn a_finding_survives_another_address_in_hr() {
    ensure_still_reported_after("E10,Ben Ode,ben.ode@acme.example,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_a_mistyped_address() {
    ensure_still_reported_after("E10,Ben Ode,usr10@acme.example,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_a_personal_address() {
    ensure_still_reported_after("E10,Ben Ode,ben@home.example,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_a_blank_address() {
    ensure_still_reported_after("E10,Ben Ode,,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_a_renamed_mailbox() {
    ensure_still_reported_after("E10,Ben Ode,zz_user10@acme.example,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_another_id() {
    ensure_still_reported_after("T10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}");
}

#[test]
fn a_finding_survives_an_erased_person() {
    ensure_still_reported_after("E10,,,Terminated,,");
}

#[test]
fn a_finding_survives_a_deleted_row() {
    ensure_still_reported_after("");
}

#[test]
fn a_finding_survives_an_id_given_to_someone_else() {
    ensure_still_reported_after("E10,Cia Fox,cia.fox@acme.example,Active,{D-1},");
}

#[test]
fn a_finding_survives_a_blank_date() {
    ensure_still_reported_after("E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,");
}

#[test]
fn a_finding_survives_a_date_in_2099() {
    ensure_still_reported_after("E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,2099-12-31");
}

#[test]
fn a_finding_survives_an_unknown_status() {
    ensure_still_reported_after("E10,Ben Ode,user10@acme.example,Archived,2019-01-01,");
}

// ---- Edits in HR before the end ----

#[test]
fn a_leaver_whose_row_loses_its_address_is_followed() {
    let company = Company::new().roster();
    company.run(&feed(&[WORKS]));
    company.run_on(1, &feed(&["E10,Ben Ode,,Active,2019-01-01,"]));
    let run = company.run_on(2, &feed(&["E10,Ben Ode,,Terminated,2019-01-01,{D-20}"]));
    ensure(Report("user10"), &run);
}

#[test]
fn an_id_given_to_a_new_hire_hides_no_vanished_person() {
    let company = Company::new().roster();
    company.run(&feed(&[WORKS]));
    let run = company.run_on(1, &feed(&["E10,Cia Fox,user11@acme.example,Active,{D},"]));
    ensure(Report("user10"), &run);
}

#[test]
fn an_address_given_to_a_new_hire_hides_no_vanished_person() {
    let company = Company::new().roster();
    company.run(&feed(&[WORKS]));
    let run = company.run_on(1, &feed(&["E77,Cia Fox,user10@acme.example,Active,{D},"]));
    ensure_no_pass(&run);
}

#[test]
fn a_corrected_address_is_found() {
    let company = Company::new();
    let typo = "E10,Ben Ode,usr10@acme.example,Terminated,2019-01-01,{D-20}";
    ensure(NotAccuse, &company.run(&feed(&[typo])));
    ensure(Accuse("user10"), &company.run_on(1, &feed(&[LEFT])));
}

#[test]
fn a_person_who_left_and_vanished_before_the_deadline_is_followed() {
    let company = Company::new();
    let today = "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D}";
    ensure(
        Outcome("E10", "within_grace"),
        &company.run_at("2026-11-24T01:00:00Z", &feed(&[today])),
    );
    ensure_no_pass(&company.run_at("2026-11-26T01:00:00Z", &feed(&[])));
}

// ---- Edits in Asana ----

#[test]
fn another_address_in_asana_before_the_end_loses_no_account() {
    let mut company = Company::new().roster();
    company.run(&feed(&[WORKS]));
    company.change(10, |person| person.email("ben@home.example"));
    company.run_on(1, &feed(&[WORKS]));
    let run = company.run_on(2, &feed(&[LEFT]));
    ensure(Report("ben@home.example"), &run);
    ensure_no_pass(&run);
}

#[test]
fn another_address_in_asana_after_the_end_loses_no_account() {
    let mut company = Company::new();
    ensure(Accuse("user10"), &company.run(&feed(&[LEFT])));
    company.change(10, |person| person.email("ben@home.example"));
    let run = company.run_on(1, &feed(&[LEFT]));
    ensure(Report("ben@home.example"), &run);
}

#[test]
fn an_account_that_becomes_a_guest_stays_accused() {
    let mut company = Company::new();
    ensure(Accuse("user10"), &company.run(&feed(&[LEFT])));
    company.change(10, Person::guest);
    ensure(Accuse("user10"), &company.run_on(1, &feed(&[LEFT])));
}

#[test]
fn an_account_that_comes_back_is_reported() {
    let rows = feed(&[LEFT]);
    let mut company = Company::new();
    ensure(Accuse("user10"), &company.run(&rows));
    company.change(10, Person::inactive);
    ensure(Outcome("E10", "removed"), &company.run_on(1, &rows));
    company.run_on(2, &rows);
    company.change(10, |person| person.status(truto_simulator::Status::Active));
    let run = company.run_on(3, &rows);
    ensure_no_pass(&run);
    let kinds = [
        "access_after_conclusion",
        "offboarded_access",
        "possible_offboarded_access",
    ];
    let is_found = kinds
        .iter()
        .any(|kind| run.accounts(kind).contains("user10"));
    ensure_that(is_found, "the account is in a finding", &run);
}

#[test]
fn a_second_account_invited_later_is_reported() {
    let mut company = Company::new();
    company.remove(10);
    ensure(
        Outcome("E10", "no_access_found"),
        &company.run(&feed(&[LEFT])),
    );
    let company = company.account(50, "Ben Ode", "user10@acme.example");
    ensure_no_pass(&company.run_on(1, &feed(&[LEFT])));
}

#[test]
fn an_incomplete_list_removes_no_one() {
    let mut company = Company::of_size(40);
    ensure(Accuse("user10"), &company.run(&feed(&[LEFT])));
    company.people.truncate(5);
    let run = company.run_on(1, &feed(&[LEFT]));
    ensure_no_pass(&run);
    ensure_that(
        !run.outcomes("E10").contains(&"removed"),
        "not removed",
        &run,
    );
}

// ---- Edits of settings and manual decisions ----

#[test]
fn an_expired_exception_covers_no_one() {
    let line = ",E10,,,handover of the shop,user0@acme.example,{D-1},{D+1}".to_owned();
    let company = Company::new().roster().exceptions(&[line]);
    ensure(Outcome("E10", "excepted"), &company.run(&feed(&[LEFT])));
    ensure(
        Outcome("E10", "excepted"),
        &company.run_on(1, &feed(&[LEFT])),
    );
    ensure(Accuse("user10"), &company.run_on(2, &feed(&[LEFT])));
}

#[test]
fn a_deleted_alias_reopens_its_suspicion() {
    let row = "E1,Ben Ode,bode@acme.example,Terminated,2019-01-01,{D-20}";
    let named = || {
        Company::new()
            .account(10, "Ben Ode", "ben.ode@acme.example")
            .roster()
    };
    let line = format!(
        ",{},E1,different,,another person of this name,user0@acme.example,{{D+60}}",
        gid(10)
    );
    let company = named().aliases(&[line]);
    let run = company.run(&feed(&[row]));
    ensure_that(run.suspected().is_empty(), "the alias closes it", &run);
    let run = company.aliases(&[]).run_on(1, &feed(&[row]));
    ensure(Must::Suspect("ben.ode"), &run);
}

#[test]
fn an_expired_alias_reopens_its_suspicion() {
    let row = "E1,Ben Ode,bode@acme.example,Terminated,2019-01-01,{D-20}";
    let line = format!(
        ",{},E1,different,,another person of this name,user0@acme.example,{{D}}",
        gid(10)
    );
    let company = Company::new()
        .account(10, "Ben Ode", "ben.ode@acme.example")
        .roster()
        .aliases(&[line]);
    ensure_that(
        company.run(&feed(&[row])).suspected().is_empty(),
        "the alias closes it",
        &company.run_at("2026-11-23T23:00:00Z", &feed(&[row])),
    );
    ensure(Must::Suspect("ben.ode"), &company.run_on(1, &feed(&[row])));
}
