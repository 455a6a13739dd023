//! Ids of several people, several tenures of one person, and names.

use super::usual;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, AccuseNoOne, NotAccuse, Report};

/// Ben left, Cia works here or will leave, and both rows have this id.
fn shared(id: &str, status: &str, end: &str) -> Case {
    case(
        format!("{id} {status}"),
        Report("user10"),
        usual(&format!(
            "{id},Ben Ode,user10@acme.example,Terminated,2019-01-01,{{D-20}}\n\
             {id},Cia Fox,user11@acme.example,{status},{{D-10}},{end}"
        )),
    )
}

const PLACEHOLDER_IDS: [&str; 22] = [
    "0",
    "00000",
    "1",
    "TBD",
    "tbd",
    "N/A",
    "#N/A",
    "#REF!",
    "-",
    "?",
    "null",
    "NaN",
    "pending",
    "New Hire",
    "XXXX",
    "9999",
    "2.00E+11",
    "1.23457E+12",
    "\"1,00E+05\"",
    "2E+11",
    "nicht vergeben",
    "未定",
];

#[test]
fn an_id_of_two_people_excuses_no_one() {
    ensure_each(PLACEHOLDER_IDS.map(|id| shared(id, "Active", "")));
}

#[test]
fn an_id_of_two_people_accuses_no_one_else() {
    ensure_each(PLACEHOLDER_IDS.map(|id| shared(id, "Terminated", "{D+30}")));
}

/// Other ids may differ in the rows if the names agree.
#[test]
fn an_id_of_one_person_with_two_spellings_is_one_person() {
    let moved = |name: &str, one: &str, other: &str| {
        case(
            name,
            AccuseNoOne,
            usual(&format!(
                "E10,{one},user10@acme.example,Terminated,2019-01-01,{{D-20}}\n\
             E10,{other},user10@acme.example,Active,{{D-10}},"
            )),
        )
    };
    ensure_each([
        moved("order", "Ana Diaz", "\"Diaz, Ana\""),
        moved("accents", "Ana Diaz", "Ana Díaz"),
        moved("a second name", "Ana Diaz", "Ana Maria Diaz"),
        moved("an initial", "Ana Diaz", "A. Diaz"),
        moved("married", "Ana Diaz", "Ana Lopez"),
        moved("a nickname", "Robert Stone", "Bob Stone"),
        moved("umlauts", "Jürgen Müller", "Juergen Mueller"),
        moved("scripts", "小田 勉", "Tsutomu Oda"),
    ]);
}

#[test]
fn a_tenure_that_ended_stays_ended() {
    let rows = |name: &str, must: Must, rows: &str| case(name, must, usual(rows));
    ensure_each([
        rows(
            "active and ended, no start",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Active,,\nE10,Ben Ode,user10@acme.example,Terminated,,{D-20}",
        ),
        rows(
            "the earlier tenure still says active",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Active,2015-01-01,2018-12-31\n\
             E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}",
        ),
        rows(
            "the next tenure begins next month",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Ben Ode,user10@acme.example,Active,{D+30},",
        ),
        rows(
            "the next tenure begins in two years",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Ben Ode,user10@acme.example,Hired,{D+730},",
        ),
        rows(
            "the same row twice",
            Accuse("user10"),
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}",
        ),
        rows(
            "two ends, one ahead",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D+20}",
        ),
        rows(
            "a candidate with the same address",
            Report("user10"),
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             C77,Ben Ode,user10@acme.example,Offer accepted,{D+14},",
        ),
    ]);
}

#[test]
fn a_person_who_came_back_or_stayed_is_not_accused() {
    let rows = |name: &str, rows: &str| case(name, NotAccuse, usual(rows));
    ensure_each([
        rows(
            "rehired under the same id",
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-200}\n\
             E10,Ben Ode,user10@acme.example,Active,{D-100},",
        ),
        rows(
            "rehired under a new id",
            "E10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-200}\n\
             E77,Ben Ode,user10@acme.example,Active,{D-100},",
        ),
        rows(
            "contractor turned employee on one day",
            "C10,Ben Ode,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Ben Ode,user10@acme.example,Active,{D-20},",
        ),
        rows(
            "a second job ended",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,\n\
             E10,Ben Ode,user10@acme.example,Terminated,2024-01-01,{D-20}",
        ),
        rows(
            "a board seat ended under another id",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,\n\
             B10,Ben Ode,user10@acme.example,Terminated,2024-01-01,{D-20}",
        ),
        rows(
            "an old end beside an active status",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,2019-12-31",
        ),
    ]);
}

#[test]
fn a_shared_id_of_a_father_and_a_son_does_not_pass() {
    ensure_each([
        case(
            "unlike first names",
            Report("user10"),
            usual(
                "E10,Peter Baker,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Paul Baker,user11@acme.example,Active,{D-10},",
            ),
        ),
        case(
            "the son was here first",
            Report("user10"),
            usual(
                "E10,Peter Baker,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,Paul Baker,user11@acme.example,Active,2015-01-10,",
            ),
        ),
        case(
            "no names",
            Report("user10"),
            usual(
                "E10,,user10@acme.example,Terminated,2019-01-01,{D-20}\n\
             E10,,user11@acme.example,Active,2015-01-10,",
            ),
        ),
    ]);
}
