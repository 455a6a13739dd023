//! Mistakes in settings and manual decisions: none may clear a leaver with access.

use crate::situations::company::{Company, Run, gid};
use crate::situations::must::{Failures, Must};

const COLUMNS: &str =
    "Employee ID,Name,Work Email,Status,Hire Date,Termination Date,Employment Type";
const BOSS: &str = "R0,User 0,user0@acme.example,Active,2010-01-01,,Full-time";
const LEFT: &str = "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-100},Full-time";
const GONE: &str = "E900,Gil Hay,x@acme.example,Terminated,2018-01-01,{D-200},Full-time";

fn feed() -> String {
    [COLUMNS, BOSS, LEFT, GONE]
        .map(|row| format!("{row}\n"))
        .concat()
}

/// The program refuses the setting, or reports the leaver.
fn is_reported_or_refused(name: &str, value: &str) -> Result<(), String> {
    let company = || Company::new().env(name, value);
    let (code, text) = company().start(&feed());
    if code == 78 {
        return Ok(());
    }
    let run = company().run(&feed());
    Must::Report("user10")
        .hold(&run)
        .map_err(|error| format!("{error}\n    {text}"))
}

fn ensure_no_setting_clears(settings: &[(&str, &str)]) {
    let mut failures = Failures::default();
    for (name, value) in settings {
        let result = is_reported_or_refused(name, value);
        failures.add(&format!("{name}={value}"), result);
    }
    failures.ensure_none();
}

#[test]
fn columns_named_by_mistake_clear_no_one() {
    ensure_no_setting_clears(&[
        ("HR_FEED_COLUMNS", "ignore=Termination Date"),
        ("HR_FEED_COLUMNS", "ignore=Status"),
        ("HR_FEED_COLUMNS", "ignore=Status+Termination Date"),
        ("HR_FEED_COLUMNS", "ignore=Work Email"),
        ("HR_FEED_COLUMNS", "ignore=Employee ID+Name+Work Email"),
        ("HR_FEED_COLUMNS", "ignore=*"),
        ("HR_FEED_COLUMNS", "email=Name"),
        ("HR_FEED_COLUMNS", "email=Employee ID"),
        ("HR_FEED_COLUMNS", "status=Name"),
        ("HR_FEED_COLUMNS", "status=Employment Type"),
        ("HR_FEED_COLUMNS", "status=Work Email"),
        ("HR_FEED_COLUMNS", "end=Hire Date"),
        ("HR_FEED_COLUMNS", "end=Status"),
        ("HR_FEED_COLUMNS", "start=Termination Date"),
        ("HR_FEED_COLUMNS", "start=Termination Date,end=Hire Date"),
        ("HR_FEED_COLUMNS", "person_id=Status"),
        ("HR_FEED_COLUMNS", "person_id=Employment Type"),
        ("HR_FEED_COLUMNS", "person_id=Status+Employment Type"),
        ("HR_FEED_COLUMNS", "name=Employment Type"),
    ]);
}

#[test]
fn words_named_by_mistake_clear_no_one() {
    ensure_no_setting_clears(&[
        ("HR_FEED_STATUSES", "Terminated=employed"),
        ("HR_FEED_STATUSES", "terminated=on_leave"),
        ("HR_FEED_STATUSES", "*=employed"),
        ("HR_FEED_STATUSES", "Terminated="),
        ("HR_FEED_STATUSES", "Terminated=employed,Terminated=left"),
        ("HR_FEED_NO_ADDRESS", "user10@acme.example"),
        ("HR_FEED_NO_ADDRESS", "@acme.example"),
        ("HR_FEED_NO_ADDRESS", "*@acme.example"),
        ("HR_FEED_NO_ADDRESS", "acme.example"),
        ("HR_FEED_RECORDS", "contractors"),
    ]);
}

#[test]
fn rules_set_by_mistake_clear_no_one() {
    ensure_no_setting_clears(&[
        ("OFFBOARDING_GRACE", "24"),
        ("OFFBOARDING_GRACE", "-24h"),
        ("HR_FEED_SCOPE", "recent-leavers"),
        ("HR_FEED_SCOPE", "roster"),
        ("HR_FEED_DATE_ORDER", "mdy"),
        ("HR_FEED_ALLOW_EMPTY", "true"),
        ("HR_TIME_ZONE", "Pacific/Auckland"),
        ("HR_FEED_MAX_AGE", "off"),
        ("MAX_DROP_PERCENT", "100"),
        ("INTERNAL_DOMAINS", "other.example"),
        ("EMAIL_DOMAIN_ALIASES", "acme.example=other.example"),
    ]);
}

// ---- Manual decisions ----

/// Lines of a file that must not clear Ben, the owner of account 10.
fn ensure_no_line_clears(lines: &[&str], company: fn(&[String]) -> Company) {
    let mut failures = Failures::default();
    for line in lines {
        let line = line.replace("GID10", &gid(10)).replace("GID11", &gid(11));
        let run: Run = company(std::slice::from_ref(&line)).run(&feed());
        failures.add(&line, Must::Accuse("user10").hold(&run));
    }
    failures.ensure_none();
}

#[test]
fn an_alias_without_approval_or_reason_clears_no_one() {
    ensure_no_line_clears(
        &[
            ",GID10,E10,different,,,,",
            ",GID10,E10,different,,another person,,",
            ",GID10,E10,different,,,user0@acme.example,{D+60}",
            ",GID10,E10,different,,another person,n/a,{D+60}",
            ",GID10,E10,different,,another person,-,{D+60}",
            ",GID10,E10,different,,another person,self,{D+60}",
            ",GID10,E10,different,,-,user0@acme.example,{D+60}",
            ",GID10,E10,different,,n/a,user0@acme.example,{D+60}",
            ",GID10,E10,different,,another person,Ben Ode,{D+60}",
            ",GID10,E10,different,,another person,user10@acme.example,{D+60}",
            ",GID10,E10,different,,another person,USER10+x@acme.example,{D+60}",
            ",GID10,E10,different,,another person,E10,{D+60}",
            ",GID10,E10,different,,another person,user0@acme.example,{D-1}",
            ",GID10,,different,,another person,user0@acme.example,{D+60}",
            ",,E10,different,,another person,user0@acme.example,{D+60}",
            ",GID10,E10,Diferent,,another person,user0@acme.example,{D+60}",
            ",GID10,E11,different,,another person,user0@acme.example,{D+60}",
            ",GID11,E10,different,,another person,user0@acme.example,{D+60}",
        ],
        |lines| Company::new().roster().aliases(lines),
    );
}

#[test]
fn an_alias_to_another_account_clears_no_one() {
    ensure_no_line_clears(
        &[
            ",GID11,E10,same,,his account,user0@acme.example,{D+60}",
            ",GID11,E10,,,his account,user0@acme.example,{D+60}",
            "user10@acme.example,,E99,same,,her account,user0@acme.example,{D+60}",
        ],
        |lines| {
            let mut company = Company::new().roster().aliases(lines);
            company.change(11, truto_simulator::Person::inactive);
            company
        },
    );
}

#[test]
fn a_service_account_without_an_owner_who_works_here_clears_no_one() {
    ensure_no_line_clears(
        &[
            ",GID10,,service,,the build,user0@acme.example,{D+60}",
            ",GID10,,service,n/a,the build,user0@acme.example,{D+60}",
            ",GID10,,service,user10@acme.example,the build,user0@acme.example,{D+60}",
            ",GID10,,service,E10,the build,user0@acme.example,{D+60}",
            ",GID10,,service,x@acme.example,the build,user0@acme.example,{D+60}",
            ",GID10,,service,E900,the build,user0@acme.example,{D+60}",
            ",GID10,,service,nobody@acme.example,the build,user0@acme.example,{D+60}",
            ",GID10,,service,user0@acme.example,the build,,{D+60}",
            ",GID10,,service,user0@acme.example,the build,user10@acme.example,{D+60}",
            ",GID10,,service,user0@acme.example,,user0@acme.example,{D+60}",
        ],
        |lines| Company::new().roster().aliases(lines),
    );
}

#[test]
fn a_malformed_exception_clears_no_one() {
    ensure_no_line_clears(
        &[
            ",,,offboarded_access,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",,,*,accepted by the board,user0@acme.example,{D-1},{D+60}",
            "*,,,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            "@acme.example,,,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",,,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",E11,,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",,GID11,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            "user11@acme.example,E10,,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",E10,GID11,,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",E10,,leavers_without_address,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",,,leavers_without_address,accepted by the board,user0@acme.example,{D-1},{D+60}",
            ",E10,,,accepted by the board,user0@acme.example;user10@acme.example,{D-1},{D+60}",
            ",E10,,,accepted by the board,\"Ode, Ben\",{D-1},{D+60}",
            ",E10,,,accepted by the board,user0@acme.example,{D-1},{D-1}",
            ",E10,,,accepted by the board,user0@acme.example,2026-02-30,{D+60}",
        ],
        |lines| Company::new().roster().exceptions(lines),
    );
}

/// A service line for an account under a leaver's own address is an accepted risk.
#[test]
fn a_service_line_for_a_leavers_account_is_not_a_plain_pass() {
    let line = format!(
        ",{},,service,user0@acme.example,the build,ciso@acme.example,{{D+60}}",
        gid(10)
    );
    let run = Company::new().roster().aliases(&[line]).run(&feed());
    crate::situations::must::ensure_that(
        run.verdict() != "pass",
        "the verdict is not a plain pass",
        &run,
    );
}

/// A line that merges a leaver with an employee is an accepted risk, too.
#[test]
fn a_line_that_makes_a_leaver_an_employee_is_not_a_plain_pass() {
    let line =
        "user0@acme.example,,E10,same_person,,one person of two names,user0@acme.example,{D+60}"
            .to_owned();
    let run = Company::new().roster().aliases(&[line]).run(&feed());
    crate::situations::must::ensure_that(
        run.verdict() != "pass",
        "the verdict is not a plain pass",
        &run,
    );
}
