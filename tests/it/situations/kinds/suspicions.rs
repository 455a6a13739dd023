//! Accounts that may belong to a leaver, and accounts that do not.

use super::usual;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Pass, Suspect};

/// A leaver with this name and address, and account 10 with another.
fn pair(
    hr_name: &str,
    hr_email: &str,
    name: &'static str,
    email: &'static str,
    must: Must,
) -> Case {
    let row = format!("E1,{hr_name},{hr_email},Terminated,2019-01-01,{{D-20}}");
    case(
        format!("{hr_name} {hr_email} / {name} {email}"),
        must,
        usual(&row),
    )
    .company(move |company| {
        company
            .account(10, name, email)
            .env("INTERNAL_DOMAINS", "acme.example,newco.example")
    })
}

#[test]
fn the_same_name_in_another_spelling_is_suspected() {
    let named = |hr: &str, asana: &'static str| {
        pair(
            hr,
            "zzz@acme.example",
            asana,
            "account10@acme.example",
            Suspect("account10"),
        )
    };
    ensure_each([
        named("Ben Ode", "Ben Ode"),
        named("\"Ode, Ben\"", "Ben Ode"),
        named("BEN ODE", "ben ode"),
        named("José Núñez", "Jose Nunez"),
        named("NUNEZ JOSE", "José Núñez"),
        named("Dr. Ben Ode", "Ben Ode"),
        named("Ben Ode Jr.", "Ben Ode"),
        named("Ben A. Ode", "Ben Ode"),
        named("Ben Ode", "Ben Andrew Ode"),
        named("Ana García López", "Ana García"),
        named("Jürgen Müller", "Juergen Mueller"),
        named("Søren Ødegård", "Soren Odegard"),
        named("Jean-Luc Picard", "Jean Luc Picard"),
        named("Sean O'Brien", "Sean OBrien"),
        named("Łukasz Żak", "Lukasz Zak"),
        named("Ana de la Cruz", "Ana Cruz"),
        named("Ben\u{a0}Ode", "Ben Ode"),
        named("  Ben   Ode ", "Ben Ode (ACME)"),
        named("小田　勉", "小田 勉"),
    ]);
}

#[test]
fn an_address_that_differs_a_little_is_suspected() {
    ensure_each([
        pair(
            "",
            "ben.ode@acme.example",
            "B O",
            "ben.ode+asana@acme.example",
            Suspect("ben.ode+asana"),
        ),
        pair(
            "",
            "ben.ode+hr@acme.example",
            "B O",
            "ben.ode@acme.example",
            Suspect("ben.ode"),
        ),
        pair(
            "",
            "ben.ode+a@acme.example",
            "B O",
            "ben.ode+b@acme.example",
            Suspect("ben.ode+b"),
        ),
        pair(
            "",
            "b\u{435}n.ode@acme.example",
            "B O",
            "ben.ode@acme.example",
            Suspect("ben.ode"),
        ),
        pair(
            "",
            "ben.\u{43e}de@acme.example",
            "B O",
            "ben.ode@acme.example",
            Suspect("ben.ode"),
        ),
        pair(
            "",
            "ben.ode@\u{430}cme.example",
            "B O",
            "ben.ode@acme.example",
            Suspect("ben.ode"),
        ),
        pair(
            "",
            "İLKER@ACME.EXAMPLE",
            "B O",
            "ilker@acme.example",
            Suspect("ilker"),
        ),
        pair(
            "",
            "IRMAK@ACME.EXAMPLE",
            "B O",
            "ırmak@acme.example",
            Suspect("ırmak"),
        ),
        pair(
            "",
            "ben.ode@acme.example",
            "B O",
            "ben.ode@newco.example",
            Suspect("ben.ode@newco.example"),
        ),
        pair(
            "",
            "ben.ode@newco.example",
            "B O",
            "ben.ode@acme.example",
            Suspect("ben.ode"),
        ),
    ]);
}

/// One letter in two cases is the same address and not a suspicion.
#[test]
fn a_letter_with_two_upper_cases_is_one_letter() {
    ensure_each([
        pair(
            "",
            "STRAẞE@ACME.EXAMPLE",
            "B O",
            "straße@acme.example",
            Must::Accuse("straße"),
        ),
        pair(
            "",
            "STRASSE@ACME.EXAMPLE",
            "B O",
            "straße@acme.example",
            Must::Accuse("straße"),
        ),
        pair(
            "",
            "ΣΊΣΥΦΟΣ@ACME.EXAMPLE",
            "B O",
            "σίσυφος@acme.example",
            Must::Accuse("σίσυφος"),
        ),
    ]);
}

#[test]
fn an_account_of_someone_unlike_is_not_suspected() {
    ensure_each([
        pair(
            "Ben Ode",
            "ben.ode@acme.example",
            "Cia Fox",
            "ben.ode@newco.example",
            Pass,
        ),
        pair(
            "Ben Ode",
            "ben.ode@acme.example",
            "Ben Fox",
            "ben.fox@acme.example",
            Pass,
        ),
        pair(
            "Ben Ode",
            "ben.ode@acme.example",
            "Cia Ode",
            "cia.ode@acme.example",
            Pass,
        ),
        pair(
            "Ben Ode",
            "ben.ode@acme.example",
            "Ben Ode",
            "ben.ode@acme.example",
            Must::Accuse("ben.ode"),
        ),
    ]);
}

/// `ı` and `i` are two letters, and two mailboxes.
#[test]
fn a_dotless_letter_accuses_no_one_with_a_dot() {
    let text = usual(
        "E1,Ali Kaya,ırmak@acme.example,Terminated,2019-01-01,{D-20}\n\
         E2,Irmak Oz,irmak@acme.example,Active,2019-01-01,",
    );
    ensure_each([
        case("both have accounts", Must::Accuse("ırmak"), &text).company(|company| {
            company.account(10, "A K", "ırmak@acme.example").account(
                11,
                "I O",
                "irmak@acme.example",
            )
        }),
        case("only the employee has one", Must::NotAccuse, &text)
            .company(|company| company.account(11, "Irmak Oz", "irmak@acme.example")),
    ]);
}
