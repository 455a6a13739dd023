//! Situations from descriptions: people, ends of work, exceptions, aliases and settings.

use truto_simulator::Person;

use crate::situations::company::{Company, Run};
use crate::situations::must::{Case, Failures, Must, case, ensure, ensure_each, ensure_that};

use Must::{Accuse, AccuseNoOne, Outcome, Pass, Report, Suspect};

/// The columns of most feeds here.
const COLUMNS: &str = "Employee ID,Name,Work Email,Status,Start Date,Termination Date";
/// A leaver of long ago who never had an account.
const LONG_GONE: &str = "E900,Gil Hay,x@acme.example,Terminated,2020-01-01,{D-200}";

/// A feed of these rows and of a leaver of long ago.
fn feed(rows: &[&str]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for row in rows.iter().chain(&[LONG_GONE]) {
        text.push_str(row);
        text.push('\n');
    }
    text
}

fn rows(name: &str, must: Must, rows: &[&str]) -> Case {
    case(name, must, feed(rows))
}

fn is_pass(run: &Run) -> bool {
    run.verdict().starts_with("pass")
}

// ---- Leavers who stay leavers ----

#[test]
fn an_address_that_becomes_a_placeholder_loses_no_finding() {
    let company = Company::new().roster();
    let first = company.run(&feed(&[
        "R1,Maria Lopez,user1@acme.example,Terminated,2011-01-01,{D-5}",
    ]));
    ensure(Accuse("user1"), &first);
    let second = company.run_on(
        1,
        &feed(&[
            "R1,Maria Lopez,noemail@acme.example,Terminated,2011-01-01,{D-5}",
            "R8,Maria Santos,noemail@acme.example,Active,2015-01-01,",
        ]),
    );
    ensure(Accuse("user1"), &second);
}

#[test]
fn a_gap_before_the_next_tenure_is_not_a_rescission() {
    let ending = "R3,Lena Roth,user3@acme.example,Active,2013-01-01,{D+1}";
    let next = "R3,Lena Roth,user3@acme.example,Active,{D+60},{D+300}";
    for later in [&[ending, next][..], &[next]] {
        let company = Company::new().roster();
        company.run(&feed(&[ending, next]));
        let run = company.run_on(4, &feed(later));
        ensure_that(!is_pass(&run), "no pass", &run);
        ensure(Report("user3"), &run);
    }
}

#[test]
fn an_announced_end_counts_half_an_hour_after_its_midnight() {
    let company = Company::new();
    let announced = feed(&["R3,Lena Roth,user3@acme.example,Active,2013-01-01,{D}"]);
    company.run_at("2026-11-22T22:40:00Z", &announced);
    let run = company.run_at("2026-11-24T00:30:00Z", &announced);
    ensure(Outcome("R3", "within_grace"), &run);
    ensure_that(is_pass(&run), "no check fails", &run);
}

#[test]
fn an_end_far_in_the_future_does_not_clear_a_leaver() {
    ensure_each([
        rows(
            "2099",
            Report("user10"),
            &["E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,2099-01-01"],
        ),
        rows(
            "two years ahead",
            Report("user10"),
            &["E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D+730}"],
        ),
        rows(
            "410 days ahead",
            Report("user10"),
            &["E10,Ben Ode,user10@acme.example,Left,2019-01-01,{D+410}"],
        ),
        rows(
            "9999-12-31",
            Report("user10"),
            &["E10,Ben Ode,user10@acme.example,Inactive,2019-01-01,9999-12-31"],
        ),
    ]);
}

#[test]
fn an_end_in_2099_without_access_passes() {
    let run = Company::new().run(&feed(&[
        "E10,Ben Ode,ben@acme.example,Terminated,2019-01-01,2099-01-01",
    ]));
    ensure(Pass, &run);
}

// ---- Who is one person ----

#[test]
fn an_id_given_to_a_later_hire_excuses_no_one() {
    let run = Company::new()
        .account(10, "John Smith", "john.smith@acme.example")
        .run(&feed(&[
            "E1,John Smith,john.smith@acme.example,Terminated,2015-01-01,{D-20}",
            "E1,Anna Smith,anna.smith@acme.example,Active,{D-10},",
        ]));
    ensure(Report("john.smith"), &run);
    ensure_that(
        !run.outcomes("E1").contains(&"rehired"),
        "not rehired",
        &run,
    );
    ensure_that(
        run.outcomes("E1").contains(&"not_evaluable"),
        "not evaluable",
        &run,
    );
}

#[test]
fn a_new_id_on_the_next_day_is_the_same_person() {
    ensure_each([
        rows(
            "married",
            AccuseNoOne,
            &[
                "E1,Ana Diaz,user10@acme.example,Terminated,2015-01-01,{D-20}",
                "E2,Ana Lopez,user10@acme.example,Active,{D-19},",
            ],
        ),
        rows(
            "transferred",
            AccuseNoOne,
            &[
                "E1,Ana Diaz,user10@acme.example,Terminated,2015-01-01,{D-20}",
                "E2,Ana Diaz,user10@acme.example,Active,{D-19},",
            ],
        ),
        rows(
            "transferred on the same day",
            AccuseNoOne,
            &[
                "E1,\"Diaz, Ana\",user10@acme.example,Terminated,2015-01-01,{D-20}",
                "E2,Ana M. Diaz,user10@acme.example,Active,{D-20},",
            ],
        ),
    ]);
}

#[test]
fn a_missing_account_is_removed_even_if_a_namesake_works_here() {
    let mut company = Company::new()
        .account(10, "John Smith", "john.smith@acme.example")
        .account(11, "John Smith", "john.smith2@acme.example");
    let text = feed(&["E1,John Smith,john.smith@acme.example,Terminated,2015-01-01,{D-20}"]);
    company.change(10, Person::inactive);
    let run = company.run(&text);
    ensure(Outcome("E1", "removed"), &run);
    ensure(Pass, &run);
}

#[test]
fn letters_with_different_lower_case_forms_are_suspected() {
    for (asana, hr) in [
        ("melike.oz@acme.example", "MELİKE.OZ@ACME.EXAMPLE"),
        ("ilker.ışık@acme.example", "İLKER.IŞIK@ACME.EXAMPLE"),
        ("ali.yildiz@acme.example", "alı.yıldız@acme.example"),
    ] {
        let run = Company::new()
            .account(10, "A B", asana)
            .run(&feed(&[&format!(
                "E1,,{hr},Terminated,2015-01-01,{{D-20}}"
            )]));
        let label = asana.trim_end_matches("@acme.example");
        let is_reported = run.suspected().contains(label) || run.accused().contains(label);
        ensure_that(is_reported && !is_pass(&run), hr, &run);
    }
}

#[test]
fn an_address_of_asana_in_another_form_matches() {
    for email in [
        "mailto:nora@acme.example",
        "<nora@acme.example>",
        "smtp:nora@acme.example",
        "SMTP:Nora@Acme.example",
        "Nora Ek <nora@acme.example>",
        "\"nora@acme.example\"",
    ] {
        let company = Company::new().account(10, "N. E.", email);
        let run = company.run(&feed(&[
            "E10,Nora Ek,nora@acme.example,Terminated,2015-01-01,{D-20}",
        ]));
        ensure_that(run.accused().len() == 1 && run.code == 3, email, &run);
        ensure_that(run.outcomes("E10") == ["still_active"], email, &run);
    }
}

// ---- Exceptions ----

const LENA: &str = "R3,Lena Roth,user3@acme.example,Terminated,2013-01-01,{D-20}";
const BOSS: &str = "R0,User 0,user0@acme.example,Active,2010-01-01,";

/// An exception for Lena with this approver and reason.
fn exception(approved_by: &str, reason: &str) -> String {
    format!(",R3,,,{reason},{approved_by},{{D-21}},{{D+30}}")
}

fn run_with_exception(line: &str) -> Run {
    Company::new()
        .roster()
        .exceptions(&[line.to_owned()])
        .run(&feed(&[BOSS, LENA]))
}

#[test]
fn an_approved_exception_accepts_the_access() {
    let run = run_with_exception(&exception("user0@acme.example", "handover until January"));
    ensure(Outcome("R3", "excepted"), &run);
    ensure_that(run.verdict() == "pass_with_exceptions", "it passes", &run);
}

#[test]
fn an_exception_without_a_real_approver_is_malformed() {
    let reason = "handover until January";
    ensure_not_accepted(&[
        ("n/a", reason),
        ("none", reason),
        ("-", reason),
        ("--", reason),
        ("N.A.", reason),
        ("null", reason),
        ("TBD", reason),
        ("self", reason),
        ("me", reason),
        ("?", reason),
        ("x", reason),
        ("Lena Roth", reason),
        ("\"Roth, Lena\"", reason),
        ("LENA ROTH", reason),
        ("L. Roth", reason),
        ("R3", reason),
        ("r3", reason),
        ("user3@acme.example", reason),
        ("USER3@acme.example", reason),
        ("user3+x@acme.example", reason),
        ("Lena Roth <user3@acme.example>", reason),
        ("mailto:user3@acme.example", reason),
        ("user0@acme.example", "-"),
        ("user0@acme.example", "n/a"),
        ("user0@acme.example", "."),
        ("user0@acme.example", "none"),
        ("user0@acme.example", "TBD"),
        ("user0@acme.example", "???"),
        ("user0@acme.example", "123"),
    ]);
}

fn ensure_not_accepted(lines: &[(&str, &str)]) {
    let mut failures = Failures::default();
    for (approved_by, reason) in lines {
        let run = run_with_exception(&exception(approved_by, reason));
        let is_malformed = run
            .findings()
            .iter()
            .any(|finding| finding["kind"] == "exception_invalid");
        let result = Accuse("user3").hold(&run).and(match is_malformed {
            true => Ok(()),
            false => Err(format!("no line is malformed\n    {}", run.summary())),
        });
        failures.add(&format!("approved by {approved_by}: {reason}"), result);
    }
    failures.ensure_none();
}

#[test]
fn an_exception_without_dates_or_over_90_days_covers_no_one() {
    let mut failures = Failures::default();
    for (name, dates) in [
        ("91 days", "{D-61},{D+30}"),
        ("a year", "{D-1},{D+364}"),
        ("expired yesterday", "{D-30},{D-1}"),
        ("ends before it begins", "{D+10},{D+5}"),
        ("approved tomorrow", "{D+1},{D+30}"),
        ("no end", "{D-1},"),
        ("30 February", "{D-1},2027-02-30"),
        ("a day of two readings", "{D-1},01/02/2027"),
        ("until further notice", "{D-1},until further notice"),
    ] {
        let run = run_with_exception(&format!(
            ",R3,,,handover until January,user0@acme.example,{dates}"
        ));
        failures.add(name, Accuse("user3").hold(&run));
    }
    failures.ensure_none();
}

#[test]
fn the_person_of_a_rejected_row_cannot_approve_her_own_access() {
    let mut failures = Failures::default();
    for approver in ["Lena Roth", "user3@acme.example", "R3", "Roth Lena"] {
        let run = Company::new()
            .exceptions(&[exception(approver, "handover until January")])
            .run(&feed(&[
                "R3,Lena Roth,user3@acme.example,Terminated,2013-01-01,2026-02-30",
            ]));
        let is_excepted = is_pass(&run) || run.outcomes("R3").contains(&"excepted");
        let used = run.result["manual"].to_string() + &run.manifest["manual"].to_string();
        failures.add(
            approver,
            match is_excepted || used.contains("\"used\"") {
                true => Err(run.summary()),
                false => Report("user3").hold(&run),
            },
        );
    }
    failures.ensure_none();
}

// ---- Settings ----

#[test]
fn malformed_domain_aliases_are_configuration_errors() {
    let mut failures = Failures::default();
    for value in [
        "acme.example=acme.io=acme.org",
        "acme.example=acme.io;acme.org",
        "acme.example=acme.io;acme.example=acme.org",
        "acme.example=*.acme.io",
        "*.acme.example=acme.io",
        "acme.example",
        "acme.example=",
        "=acme.io",
        "acme.example=acme",
        "acme.example=user@acme.io",
        "acme.example=https://acme.io",
        "acme.example=acme.io/x",
        "acme example=acme.io",
        "acme.example=.acme.io",
        "acme.example=acme..io",
        "acme.example=-acme.io",
        "acme.example->acme.io",
    ] {
        let company = Company::new().env("EMAIL_DOMAIN_ALIASES", value);
        let (code, text) = company.start(&feed(&[]));
        let is_refused = code == 78 && text.contains("EMAIL_DOMAIN_ALIASES");
        failures.add(
            value,
            if is_refused {
                Ok(())
            } else {
                Err(format!("exit {code}: {text}"))
            },
        );
    }
    failures.ensure_none();
}

#[test]
fn malformed_internal_domains_are_configuration_errors() {
    let mut failures = Failures::default();
    for value in [
        "*.acme.example",
        "acme",
        "@acme.example",
        "acme.example acme.io",
        "https://acme.example",
        "a..example",
    ] {
        let (code, text) = Company::new()
            .env("INTERNAL_DOMAINS", value)
            .start(&feed(&[]));
        // A list separated by blanks may be read as two domains.
        let is_read = value.contains(' ') && code != 78;
        let is_refused = code == 78 && text.contains("INTERNAL_DOMAINS");
        failures.add(
            value,
            if is_refused || is_read {
                Ok(())
            } else {
                Err(format!("exit {code}: {text}"))
            },
        );
    }
    failures.ensure_none();
}

// ---- No usable address ----

/// Forty leavers without an address.
fn without_address(address: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..40)
        .map(|number| {
            let letter = |shift: usize| char::from(b'a' + ((number * 7 + shift) % 26) as u8);
            let name = format!(
                "{}{}ko {}{}usz",
                letter(0).to_ascii_uppercase(),
                letter(3),
                letter(9),
                letter(11)
            );
            format!(
                "W{number},{name},{},Terminated,2019-01-01,{{D-20}}",
                address(number)
            )
        })
        .collect();
    feed(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn leavers_without_an_address_are_one_finding() {
    let mut failures = Failures::default();
    for address in ["", "keine", "noemail@acme.example", "n/a", "-"] {
        let run = Company::new().run(&without_address(|_| address.to_owned()));
        let groups = run
            .findings()
            .iter()
            .filter(|finding| finding["kind"] == "leaver_without_address")
            .count();
        let result = match (groups, run.verdict()) {
            (1, "inconclusive") => Ok(()),
            _ => Err(format!("{groups} group findings\n    {}", run.summary())),
        };
        failures.add(address, result);
    }
    failures.ensure_none();
}

#[test]
fn leavers_without_an_address_may_be_accepted() {
    let lines = [
        ",,,leavers_without_address,warehouse staff has no mail,user0@acme.example,{D-1},{D+60}"
            .to_owned(),
    ];
    let mut failures = Failures::default();
    for address in ["", "keine", "noemail@acme.example"] {
        let run = Company::new()
            .exceptions(&lines)
            .run(&without_address(|_| address.to_owned()));
        let mut result = match run.verdict() {
            "pass_with_exceptions" => Ok(()),
            _ => Err(run.summary()),
        };
        let says = run.result.to_string() + &format!("{:?}", run.leavers);
        if !says.contains("accepted, not judged") {
            result = result.and(Err("it does not say: accepted, not judged".to_owned()));
        }
        failures.add(address, result);
    }
    failures.ensure_none();
}

#[test]
fn an_accepted_group_hides_no_leaver_with_an_address() {
    let lines = [
        ",,,leavers_without_address,warehouse staff has no mail,user0@acme.example,{D-1},{D+60}"
            .to_owned(),
    ];
    let mut text = without_address(|_| "keine".to_owned());
    text.push_str("E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n");
    let run = Company::new().exceptions(&lines).run(&text);
    ensure(Accuse("user10"), &run);
}

#[test]
fn an_accepted_group_hides_no_namesake() {
    let lines = [
        ",,,leavers_without_address,warehouse staff has no mail,user0@acme.example,{D-1},{D+60}"
            .to_owned(),
    ];
    for address in ["", "keine", "noemail@acme.example"] {
        let run = Company::new()
            .account(10, "Ben Ode", "ben.ode@acme.example")
            .exceptions(&lines)
            .run(&feed(&[&format!(
                "E10,Ben Ode,{address},Terminated,2019-01-01,{{D-20}}"
            )]));
        ensure(Suspect("ben.ode"), &run);
    }
}

#[test]
fn an_employee_without_an_address_who_leaves_hides_no_namesake() {
    for name in ["Ben Ode", "B. Ode", "Ode", ""] {
        let company = Company::new()
            .account(10, name, "ben.ode@acme.example")
            .roster();
        company.run(&feed(&["E10,Ben Ode,,Active,2019-01-01,"]));
        let run = company.run_on(1, &feed(&["E10,Ben Ode,,Terminated,2019-01-01,{D-20}"]));
        ensure(Report("ben.ode"), &run);
    }
}

// ---- Rosters with many columns ----

#[test]
fn unrelated_dates_and_addresses_fail_no_check() {
    let text = "Employee ID,Name,Work Email,Status,Hire Date,Termination Date,Date of Birth,Original Hire Date,\
                Probation End Date,Visa Expiry,Next Review Date,Last Changed,Manager Email,HR Business Partner Email,\
                Emergency Contact Email,Company Service Date\n\
                R0,User 0,user0@acme.example,Active,2012-01-01,,1980-02-03,2010-05-01,2012-07-01,2027-01-01,\
                2026-12-01,{D-1},user1@acme.example,user2@acme.example,mum@mail.example,2010-05-01\n\
                R1,User 1,user1@acme.example,Active,2013-01-01,,1981-02-03,2013-01-01,2013-07-01,2020-01-01,\
                2026-12-01,{D-4},user0@acme.example,user2@acme.example,dad@mail.example,2013-01-01\n\
                E900,Gil Hay,x@acme.example,Terminated,2014-01-01,{D-20},1982-02-03,2014-01-01,2014-07-01,\
                2020-01-01,2026-01-01,{D-20},user0@acme.example,user2@acme.example,kid@mail.example,2014-01-01\n";
    let run = Company::new().roster().run(text);
    ensure_that(run.checks_that("fail").is_empty(), "no check fails", &run);
    ensure(AccuseNoOne, &run);
    let columns = run.check("hr_columns");
    ensure_that(!columns.contains("Date of Birth"), &columns, &run);
}

// ---- Pages ----

#[test]
fn an_explicit_end_outranks_a_cursor() {
    let people = r#"[{"id": "E10", "email": "user10@acme.example", "status": "Terminated", "endDate": "{D-20}"}]"#;
    ensure_each([
        case(
            "hasNextPage: false",
            Accuse("user10"),
            format!(
                r#"{{"data": {people}, "pageInfo": {{"hasNextPage": false, "endCursor": "abc"}}}}"#
            ),
        ),
        case(
            "last: true",
            Accuse("user10"),
            format!(
                r#"{{"content": {people}, "last": true, "totalPages": 1, "totalElements": 1, "number": 0}}"#
            ),
        ),
        case(
            "total equals the records",
            Accuse("user10"),
            format!(r#"{{"results": {people}, "total": 1, "cursor": "abc"}}"#),
        ),
        case(
            "empty cursors",
            Accuse("user10"),
            format!(r#"{{"employees": {people}, "next": null, "cursor": "", "has_more": false}}"#),
        ),
    ]);
}

// ---- Names ----

#[test]
fn a_namesake_alone_is_suspected() {
    let run = Company::new()
        .account(10, "John Smith", "jsmith@acme.example")
        .run(&feed(&[
            "E1,John Smith,john.smith@acme.example,Terminated,2015-01-01,{D-20}",
        ]));
    ensure(Suspect("jsmith"), &run);
}
