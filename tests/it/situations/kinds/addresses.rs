//! Addresses: in other forms, placeholders, shared ones, and ones that were passed on.

use super::usual;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, NotAccuse, Pass, Report, Suspect};

/// Ben left, and the cell of his work address has this text.
fn work(text: &str, must: Must) -> Case {
    case(
        text,
        must,
        usual(&format!(
            "E10,Ben Ode,{text},Terminated,2019-01-01,{{D-20}}"
        )),
    )
}

/// Ben left, and the address of his account is only in a second column.
fn other(text: &str, must: Must) -> Case {
    let rows = format!("E10,Ben Ode,ben.ode@acme.example,{text},Terminated,{{D-20}}\n");
    case(
        text,
        must,
        format!("Employee ID,Name,Work Email,Other Email,Status,Termination Date\n{rows}"),
    )
}

#[test]
fn an_address_is_read_in_every_form_of_directories() {
    ensure_each(
        [
            "USER10@ACME.EXAMPLE",
            " user10@acme.example ",
            "\u{a0}user10@acme.example\u{a0}",
            "\u{200b}user10@acme.example\u{feff}",
            "user10@acme.example;",
            "user10@acme.example.",
            "<user10@acme.example>",
            "mailto:user10@acme.example",
            "MAILTO:user10@acme.example",
            "smtp:user10@acme.example",
            "SMTP:user10@acme.example",
            "Ben Ode <user10@acme.example>",
            "\"Ode, Ben <user10@acme.example>\"",
            "\"\"\"Ode, Ben\"\" <user10@acme.example>\"",
            "[user10@acme.example]",
            "(user10@acme.example)",
            "'user10@acme.example'",
            "user10@acme.example; ben@home.example",
            "\"user10@acme.example, ben@home.example\"",
            "ben@home.example user10@acme.example",
            "\"ben@home.example\nuser10@acme.example\"",
            "user10@acme.example|ben@home.example",
        ]
        .map(|text| work(text, Accuse("user10"))),
    );
}

#[test]
fn a_second_address_is_read_in_every_form_of_directories() {
    ensure_each(
        [
            "smtp:user10@acme.example",
            "SMTP:ben.ode@acme.example;smtp:user10@acme.example",
            "smtp:user10@acme.example SMTP:ben.ode@acme.example",
            "\"{\"\"smtp:user10@acme.example\"\", \"\"SMTP:ben.ode@acme.example\"\"}\"",
            "SIP:user10@acme.example",
            "X500:/o=ACME/cn=ben;smtp:user10@acme.example",
            "Ben Ode <user10@acme.example>; Ben <ben@home.example>",
            "['user10@acme.example']",
            "old: user10@acme.example",
            "user10@acme.example (old)",
            "user10@acme.example / ben@home.example",
        ]
        .map(|text| other(text, Report("user10"))),
    );
}

#[test]
fn an_unreadable_work_address_does_not_pass() {
    ensure_each(
        [
            "(SEP) user10@acme.example",
            "(SEP)user10@acme.example",
            "zz_user10@acme.example_old@",
            "user10 @acme.example",
            "user10@acme .example",
            "user10@acme,example",
            "\"user10@acme,example\"",
            "user10(at)acme.example",
            "user10 at acme.example",
            "user10[at]acme[dot]example",
            "user10acme.example",
            "user10@@acme.example",
            "user10@",
            "@acme.example",
            "user10@acme",
            "ACME\\user10",
            "http://user10@acme.example",
            "user10",
            "see ticket 4711",
            "deactivated",
            "#NAME?",
            "#REF!",
            "=HYPERLINK(\"mailto:user10@acme.example\")",
        ]
        .map(|text| work(text, Report("user10"))),
    );
}

#[test]
fn a_placeholder_is_no_address() {
    ensure_each(
        [
            "",
            "-",
            "--",
            "n/a",
            "N.A.",
            "#N/A",
            "none",
            "None",
            "NULL",
            "nan",
            "undefined",
            "no email",
            "No e-mail",
            "not applicable",
            "unknown",
            "TBD",
            "keine",
            "keine E-Mail",
            "k.A.",
            "aucune",
            "aucun",
            "sin correo",
            "ninguno",
            "nessuna",
            "geen",
            "nenhum",
            "なし",
            "無し",
            "noemail@acme.example",
            "no-email@acme.example",
            "no.email@acme.example",
            "no_email@acme.example",
            "nomail@acme.example",
            "none@acme.example",
            "none@none.com",
            "na@na.com",
            "n/a@acme.example",
            "noreply@acme.example",
            "no-reply@acme.example",
            "donotreply@acme.example",
            "unknown@acme.example",
            "test@test.com",
            "x@x.x",
            "xxx@xxx.xx",
            "email@example.com",
            "keine@keine.de",
            "keinemail@acme.example",
        ]
        .map(|text| work(text, Report("user10"))),
    );
}

#[test]
fn words_and_addresses_of_a_setting_are_placeholders() {
    let words = "hat keine,ohne@acme.example,intern";
    ensure_each(
        [
            "hat keine",
            "HAT KEINE",
            "ohne@acme.example",
            "Ohne@ACME.example",
            "intern",
        ]
        .map(|text| {
            work(text, Report("user10")).company(|company| company.env("HR_FEED_NO_ADDRESS", words))
        }),
    );
}

/// Three leavers have the same address, which no account has.
#[test]
fn an_address_of_three_people_identifies_no_one() {
    ensure_each(
        [
            "hr@acme.example",
            "leavers@acme.example",
            "store-12@acme.example",
            "people-ops@acme.example",
        ]
        .map(|address| {
            let rows = [("E10", "Ben Ode"), ("E11", "Cia Fox"), ("E12", "Dan Poe")]
                .map(|(id, name)| format!("{id},{name},{address},Terminated,2019-01-01,{{D-20}}"));
            case(address, Report("user10"), usual(&rows.join("\n")))
        }),
    );
}

/// An account has the address of three people, of whom one left: one finding, and no account is
/// accused.
#[test]
fn an_account_of_three_people_is_reported_once() {
    let rows = "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
                E11,Cia Fox,user10@acme.example,Active,2019-01-01,\n\
                E12,Dan Poe,user10@acme.example,Active,2019-01-01,";
    let two = "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
               E11,Cia Fox,user10@acme.example,Active,2019-01-01,";
    ensure_each([
        case("three people", Report("user10"), usual(rows)),
        case("two people at once", Report("user10"), usual(two)),
    ]);
}

#[test]
fn an_address_handed_to_someone_else_stays_reported() {
    let handed = |name: &'static str, one: &str, next: &str| {
        case(
            name,
            Report("user10"),
            usual(&format!(
                "E1,{one},user10@acme.example,Terminated,2019-01-01,{{D-20}}\n\
             E9,{next},user10@acme.example,Active,{{D-5}},"
            )),
        )
        .also(|run| match run.outcomes("E1").contains(&"rehired") {
            true => Err("E1 counts as rehired".to_owned()),
            false => Ok(()),
        })
    };
    ensure_each([
        handed("same first name", "Ana Diaz", "Ana Lopez"),
        handed("same surname", "John Smith", "Anna Smith"),
        handed("son of the founder", "Peter Baker sen.", "Paul Baker"),
        handed("an unrelated person", "Ben Ode", "Cia Fox"),
        handed("surnames first", "\"Diaz, Ana\"", "\"Lopez, Ana\""),
        handed("capitals and accents", "ANA DÍAZ", "ana lópez"),
        handed(
            "a middle name in common",
            "Ana Maria Diaz",
            "Eva Maria Lopez",
        ),
        handed("a title in common", "Dr. Ana Diaz", "Dr. Eva Lopez"),
        handed("a particle in common", "Jan de Vries", "Piet de Boer"),
    ]);
}

#[test]
fn a_later_holder_with_a_new_account_clears_the_leaver() {
    let text = usual(
        "E1,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
         E9,Cia Fox,user10@acme.example,Active,{D-5},",
    );
    ensure_each([
        case("joined after the end", Pass, &text).company(|mut company| {
            company.change(10, |person| person.joined_at("2026-11-20T09:00:00.000Z"));
            company
        }),
        case("joined before the end", Accuse("user10"), &text).company(|mut company| {
            company.change(10, |person| person.joined_at("2026-10-20T09:00:00.000Z"));
            company
        }),
    ]);
}

#[test]
fn the_latest_of_three_holders_owns_an_address() {
    let text = usual(
        "E1,Ben Ode,user10@acme.example,Terminated,2015-01-01,2017-12-31\n\
         E2,Cia Fox,user10@acme.example,Terminated,2018-01-01,2020-12-31\n\
         E3,Dan Poe,user10@acme.example,Active,2021-01-01,",
    );
    ensure_each([case("two ended before the account joined", NotAccuse, text)]);
}

/// The respondent of a form filled it in for the leaver.
#[test]
fn the_respondent_of_a_form_is_not_the_leaver() {
    let header = "Timestamp,Email Address,Employee ID,Employee Name,Employee work email,Status,Last day of work";
    let text = format!(
        "{header}\n{{D-19|%m/%d/%Y}} 9:12:44,user0@acme.example,E10,Ben Ode,user10@acme.example,Terminated,{{D-20}}\n"
    );
    let blank = format!(
        "{header}\n{{D-19|%m/%d/%Y}} 9:12:44,user0@acme.example,E10,Ben Ode,,Terminated,{{D-20}}\n"
    );
    let mdy =
        |company: crate::situations::company::Company| company.env("HR_FEED_DATE_ORDER", "mdy");
    ensure_each([
        case("both addresses", Report("user10"), &text).company(mdy),
        case(
            "both under usual names",
            Accuse("user10"),
            text.replace("Employee work email", "Work Email"),
        )
        .company(mdy),
        case("only the respondent", Report("user10"), blank).company(mdy),
    ]);
}

#[test]
fn a_general_address_beside_a_work_address_is_not_used() {
    let text = "Employee ID,Name,Work Email,Email,Status,Termination Date\n\
                E10,Ben Ode,user10@acme.example,user0@acme.example,Terminated,{D-20}\n\
                E11,Cia Fox,user11@acme.example,user0@acme.example,Terminated,{D+20}\n\
                E12,Dan Poe,user12@acme.example,user0@acme.example,Active,\n";
    ensure_each([case("HR's own address in `Email`", Accuse("user10"), text)]);
}

#[test]
fn with_a_mistyped_address_the_name_is_suspected() {
    ensure_each(
        [
            "ben.oed@acme.example",
            "ben.ode@acme.exmaple",
            "ben.ode@acme.example.com",
            "b.ode@acme.example",
            "benode@acme.example",
        ]
        .map(|text| {
            work(text, Suspect("ben.ode"))
                .company(|company| company.account(10, "Ben Ode", "ben.ode@acme.example"))
        }),
    );
}
