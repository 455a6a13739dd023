//! Words for a person's state, in several languages, with and without dates.

use super::usual;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{NotAccuse, Pass, Report};

/// Account 10 is Ben's. His row has this status and no date.
fn undated(word: &str, must: Must) -> Case {
    case(
        word,
        must,
        usual(&format!(
            "E10,Ben Ode,user10@acme.example,\"{word}\",2019-01-01,"
        )),
    )
}

/// A status other than employed, on a person with access, is at least reported.
#[test]
fn a_status_other_than_employed_does_not_pass() {
    ensure_each(
        [
            "Terminated",
            "TERMINATED",
            "Term",
            "T",
            "Terminated - Voluntary",
            "Involuntary Termination",
            "Inactive",
            "INACTIVE",
            "Non-Active",
            "Not active",
            "Not Active",
            "Inactive (was Active)",
            "Active - Terminated",
            "Deactivated",
            "Unemployed",
            "No longer employed",
            "Not employed",
            "Former employee",
            "Ex-employee",
            "Ex employed",
            "Resigned",
            "Retired",
            "Deceased",
            "Separated",
            "Left",
            "Leaver",
            "Laid off",
            "Dismissed",
            "Discharged",
            "Redundant",
            "Withdrawn",
            "Offboarded",
            "Offboarding",
            "Closed",
            "Archived",
            "Deleted",
            "Alumni",
            "Contract ended",
            "End of contract",
            "Ausgeschieden",
            "Inaktiv",
            "Nicht aktiv",
            "Gekündigt",
            "Ehemalig",
            "Sorti",
            "Inactif",
            "Parti",
            "Licencié",
            "Démission",
            "Retraité",
            "Baja",
            "Inactivo",
            "Cesado",
            "Despedido",
            "Cessato",
            "Dimesso",
            "Inattivo",
            "Licenziato",
            "Uit dienst",
            "Inactief",
            "Ex-medewerker",
            "Desligado",
            "Demitido",
            "Inativo",
            "退職",
            "退社",
            "退職済み",
            "離職",
            "No",
            "false",
            "0",
            "X",
            "?",
            "#N/A",
            "see notes",
        ]
        .map(|word| undated(word, Report("user10"))),
    );
}

#[test]
fn a_flag_that_says_no_does_not_pass() {
    ensure_each(
        ["Active", "Is Active", "isActive", "Currently Employed", "Active Employee"]
            .iter()
            .flat_map(|header| {
                ["No", "N", "false", "FALSE", "0", "Nein", "Non", "いいえ"].map(|word| {
                    let text = format!(
                        "Employee ID,Name,Work Email,{header},Termination Date\n\
                         E10,Ben Ode,user10@acme.example,{word},\nE900,Gil Hay,x@acme.example,No,{{D-20}}\n"
                    );
                    case(format!("{header}: {word}"), Report("user10"), text)
                })
            }),
    );
}

#[test]
fn a_status_of_someone_employed_accuses_no_one() {
    ensure_each(
        [
            "Active",
            "ACTIVE",
            "A",
            "Employed",
            "Working",
            "Current",
            "Permanent",
            "Full-time",
            "Full Time",
            "Part-time",
            "Probation",
            "Hired",
            "Aktiv",
            "Beschäftigt",
            "Actif",
            "En poste",
            "Activo",
            "Alta",
            "Attivo",
            "In forza",
            "Actief",
            "In dienst",
            "Ativo",
            "在籍",
            "在職",
            "在職中",
        ]
        .map(|word| undated(word, NotAccuse)),
    );
}

/// Words for employed that are common among vendors are understood.
#[test]
fn a_common_status_of_someone_employed_passes() {
    ensure_each(
        [
            "Active", "ACTIVE", "Employed", "Aktiv", "Actif", "Activo", "Attivo", "Actief",
            "Ativo", "在籍",
        ]
        .map(|word| undated(word, Pass)),
    );
}

/// Garden leave: work ended on the last day, employment ends later.
#[test]
fn a_status_of_garden_leave_ends_work_on_the_last_day() {
    ensure_each(
        [
            "Active", "Garden Leave", "Garden leave", "Gardening Leave", "On garden leave", "Freigestellt",
            "freigestellt (bezahlt)", "On notice", "On Notice", "Notice period", "Serving notice", "Working notice",
        ]
        .map(|word| {
            let text = format!(
                "Employee ID,Name,Work Email,Status,Termination Date,Last Day of Work\n\
                 E10,Ben Ode,user10@acme.example,{word},{{D+40}},{{D-20}}\nE900,Gil Hay,x@acme.example,Terminated,{{D-200}},{{D-200}}\n"
            );
            case(word, Report("user10"), text)
        }),
    );
}

#[test]
fn a_status_of_leave_accuses_no_one() {
    ensure_each(
        [
            "On Leave", "on leave", "Leave", "LOA", "Leave of absence", "Parental leave", "Maternity leave",
            "Paternity Leave", "Sick leave", "Medical leave", "Long-term sick", "Unpaid leave", 
            "Military leave", "FMLA", "Elternzeit", "In Elternzeit", "Mutterschutz",  "Langzeitkrank",
            "Congé parental", "Congé maternité", "En congé", "Permiso", "Excedencia", "Baja por maternidad",
            "Baja médica", "Aspettativa", "Maternità", "Congedo parentale", "Ouderschapsverlof", "Zwangerschapsverlof",
            "Met verlof", "Licença", "Licença maternidade", "Afastado", "休職", "休職中", "育児休業", "産休",
        ]
        .map(|word| {
            let text = format!(
                "Employee ID,Name,Work Email,Status,Termination Date,Last Day of Work\n\
                 E10,Ben Ode,user10@acme.example,{word},,{{D-20}}\nE900,Gil Hay,x@acme.example,Terminated,{{D-200}},{{D-200}}\n"
            );
            case(word, NotAccuse, text)
        }),
    );
}

#[test]
fn a_termination_during_a_leave_does_not_pass() {
    ensure_each(
        [
            "On Leave",
            "Leave",
            "Parental leave",
            "Elternzeit",
            "Garden leave",
        ]
        .map(|word| {
            case(
                word,
                Report("user10"),
                usual(&format!(
                    "E10,Ben Ode,user10@acme.example,{word},2019-01-01,{{D-20}}"
                )),
            )
        }),
    );
}

#[test]
fn status_words_of_a_setting_are_used() {
    let words = "Sabbatical=on_leave,Alumni=left,Hibernating=employed";
    let text = |word: &str, end: &str| {
        usual(&format!(
            "E10,Ben Ode,user10@acme.example,{word},2019-01-01,{end}"
        ))
    };
    let with =
        |company: crate::situations::company::Company| company.env("HR_FEED_STATUSES", words);
    ensure_each([
        case(
            "left with a date",
            Must::Accuse("user10"),
            text("Alumni", "{D-20}"),
        )
        .company(with),
        case(
            "left in other capitals",
            Must::Accuse("user10"),
            text("ALUMNI", "{D-20}"),
        )
        .company(with),
        case("employed", Pass, text("hibernating", "")).company(with),
        case("on leave", Pass, text("Sabbatical", "")).company(with),
        case(
            "a word of no setting",
            Report("user10"),
            text("Dormant", ""),
        )
        .company(with),
    ]);
}

#[test]
fn two_contradictory_statuses_do_not_pass() {
    let two = |name: &str, one: &str, other: &str| {
        let text = format!(
            "Employee ID,Name,Work Email,Employment Status,Worker Status,Termination Date\n\
             E10,Ben Ode,user10@acme.example,{one},{other},\nE900,Gil Hay,x@acme.example,Terminated,Terminated,{{D-20}}\n"
        );
        case(name, Report("user10"), text)
    };
    ensure_each([
        two("active and terminated", "Active", "Terminated"),
        two("terminated and active", "Terminated", "Active"),
        two("blank and terminated", "", "Terminated"),
        two("full-time and terminated", "Full-time", "Terminated"),
        two("both gone in other words", "Inactive", "Terminated"),
    ]);
    let flagged = |flag: &str, status: &str, active: &str| {
        let text = format!(
            "Employee ID,Name,Work Email,Status,{flag},Termination Date\n\
             E10,Ben Ode,user10@acme.example,{status},{active},\nE900,Gil Hay,x@acme.example,Terminated,No,{{D-20}}\n"
        );
        case(
            format!("{status}, and {flag}: {active}"),
            Report("user10"),
            text,
        )
    };
    ensure_each([
        flagged("Active", "Active", "No"),
        flagged("Is Active", "Active", "false"),
        flagged("Currently Employed", "Active", "N"),
        flagged("Active", "Terminated", "Yes"),
    ]);
}

#[test]
fn a_status_of_someone_employed_does_not_hide_a_date() {
    let row = |name: &str, row: &str| case(name, Report("user10"), usual(row));
    ensure_each([
        row(
            "set back to active",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,{D-20}",
        ),
        row(
            "yesterday",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,{D-3}",
        ),
        row(
            "59 days ago",
            "E10,Ben Ode,user10@acme.example,Active,2019-01-01,{D-59}",
        ),
        row(
            "full-time",
            "E10,Ben Ode,user10@acme.example,Full-time,2019-01-01,{D-20}",
        ),
        row(
            "no status",
            "E10,Ben Ode,user10@acme.example,,2019-01-01,{D-20}",
        ),
        row(
            "a misspelt status",
            "E10,Ben Ode,user10@acme.example,Actve,2019-01-01,{D-20}",
        ),
    ]);
}

/// A flag of leaving, beside a status that was never changed.
#[test]
fn a_flag_that_says_left_does_not_pass() {
    ensure_each(
        [
            "Terminated",
            "Terminated?",
            "Leaver",
            "Has left",
            "Left company",
            "Deactivated",
            "Ausgeschieden",
        ]
        .iter()
        .flat_map(|flag| {
            ["Yes", "X"].map(|word| {
                let mut text =
                    format!("Employee ID,Name,Work Email,Status,Termination Date,{flag}\n");
                for number in 0..12 {
                    let word = if number == 10 { word } else { "" };
                    text.push_str(&format!(
                        "R{number},User {number},user{number}@acme.example,Active,,{word}\n"
                    ));
                }
                text.push_str("E900,Gil Hay,x@acme.example,Terminated,{D-200},\n");
                case(format!("{flag}: {word}"), Report("user10"), text)
                    .company(crate::situations::company::Company::roster)
            })
        }),
    );
}
