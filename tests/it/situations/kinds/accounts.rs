//! Accounts of a leaver in every state that Truto reports. None of them may pass.

use truto_simulator::{Person, Status};

use super::usual;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, Outcome, Report};

/// Ben left, and account 10 is his, with this change.
fn account(name: &'static str, must: Must, change: fn(Person) -> Person) -> Case {
    case(
        name,
        must,
        usual("E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}"),
    )
    .company(move |mut company| {
        company.change(10, change);
        company
    })
}

#[test]
fn an_account_in_any_state_of_use_is_accused() {
    ensure_each([
        account(
            "two addresses in one",
            Accuse("ben@home.example"),
            |person| person.email("ben@home.example, user10@acme.example"),
        ),
        account("admin", Accuse("user10"), Person::admin),
        account("guest", Accuse("user10"), Person::guest),
        account("view only", Accuse("user10"), Person::view_only),
        account("invited", Accuse("user10"), Person::invited),
        account("rejoined", Accuse("user10"), Person::rejoined),
        account("without a login", Accuse("user10"), |person| {
            person.last_login_at("")
        }),
        account("capitals", Accuse("USER10@ACME.EXAMPLE"), |person| {
            person.email("USER10@ACME.EXAMPLE")
        }),
        account("blanks", Accuse("user10"), |person| {
            person.email(" user10@acme.example")
        }),
        account("a second address", Accuse("ben@home.example"), |person| {
            person
                .email("ben@home.example")
                .other_email("user10@acme.example")
        }),
        account("his id", Accuse("ben@home.example"), |person| {
            person.email("ben@home.example").external_id("E10")
        }),
    ]);
}

#[test]
fn an_account_in_an_unclear_state_does_not_pass() {
    ensure_each([
        account("suspended", Report("user10"), |person| {
            person.status(Status::Other("suspended".to_owned()))
        }),
        account("a blank status", Report("user10"), |person| {
            person.status(Status::Other(String::new()))
        }),
        account("not listed", Report("user10"), Person::unlisted),
        account(
            "no membership",
            Report("user10"),
            Person::without_membership,
        ),
        account("no address", Report("user10"), |person| Person {
            name: "Ben Ode".to_owned(),
            ..person.without_email()
        }),
        account("no address and no name", Report("user10"), |person| {
            Person {
                name: String::new(),
                ..person.without_email()
            }
        }),
        account("no address in words", Report("user10"), |person| {
            person.email("n/a")
        }),
        account("a display name instead", Report("user10"), |person| {
            person.email("Ben Ode")
        }),
    ]);
}

#[test]
fn a_missing_account_is_removed() {
    ensure_each([
        account("inactive", Outcome("E10", "removed"), Person::inactive),
        account("deleted", Outcome("E10", "removed"), |person| {
            person.status(Status::Deleted)
        }),
    ]);
}
