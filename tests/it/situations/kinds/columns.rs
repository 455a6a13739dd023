//! Columns under other names, in other languages, and columns that are not read.

use crate::situations::cases::names_column;
use crate::situations::company::Company;
use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, AccuseNoOne, Report};

fn must_name(case: Case, column: &'static str) -> Case {
    case.also(move |run| match names_column(run, column) {
        true => Ok(()),
        false => Err(format!("the column `{column}` is not named")),
    })
}

/// A person whose status is terminated, with the end date in a column that may be unknown.
fn ended_in(column: &'static str) -> Case {
    let text = format!(
        "Employee ID,Name,Work Email,Status,{column}\n\
         E10,Ben Ode,user10@acme.example,Terminated,{{D-20}}\nE900,Gil Hay,x@acme.example,Terminated,{{D-200}}\n"
    );
    must_name(case(column, Report("user10"), text), column)
}

#[test]
fn an_end_date_under_another_name_is_read_or_named() {
    ensure_each(
        [
            "Relieving Date",
            "Austrittsdatum",
            "Vertragsende",
            "Letzter Arbeitstag",
            "Austritt",
            "Kündigungsdatum",
            "Beschäftigungsende",
            "Date de sortie",
            "Date de fin de contrat",
            "Date de départ",
            "Dernier jour travaillé",
            "Fecha de baja",
            "Fecha de salida",
            "Fecha de cese",
            "Fin de contrato",
            "Data cessazione",
            "Data di cessazione",
            "Data fine rapporto",
            "Data de desligamento",
            "Data de saída",
            "Data de demissão",
            "Datum uit dienst",
            "Uitdiensttredingsdatum",
            "Einddatum",
            "退職年月日",
            "退職日",
            "退社日",
            "最終出社日",
            "Slutdatum",
            "Sista arbetsdag",
            "Data zwolnienia",
            "Дата увольнения",
            "离职日期",
            "Left company on",
            "Offboarded",
            "Exited",
            "Date exited",
            "Last shift",
            "Separation",
            "Resignation effective",
            "DOL",
            "Leave date",
            "Deactivation date",
            "Off-boarding completed",
            "Final pay date",
            "Employment status date",
        ]
        .map(ended_in),
    );
}

#[test]
fn an_end_date_deep_in_a_document_is_read_or_named() {
    let nested = |path: &'static str, text: &str| {
        let text = format!(
            r#"{{"employees": [{{"id": "E10", "email": "user10@acme.example", "status": "Terminated", {text}}}, {{"id": "E900", "email": "x@acme.example", "status": "Terminated", "endDate": "{{D-200}}"}}]}}"#
        );
        must_name(case(path, Report("user10"), text), path)
    };
    ensure_each([
        nested(
            "termination.termination_date",
            r#""termination": {"termination_date": "{D-20}"}"#,
        ),
        nested(
            "termination.last_working_date",
            r#""termination": {"last_working_date": "{D-20}", "reason": "QUIT"}"#,
        ),
        nested("contract.ends", r#""contract": {"ends": "{D-20}"}"#),
        nested(
            "employments.until",
            r#""employments": {"until": "{D-20}T00:00:00Z"}"#,
        ),
        nested("customFields.exit", r#""customFields": {"exit": "{D-20}"}"#),
        nested("work.until", r#""work": {"until": "{D-20}"}"#),
        nested(
            "lifecycle.inactiveSince",
            r#""lifecycle": {"inactiveSince": "{D-20}"}"#,
        ),
    ]);
}

/// Most employed people have no date in this column, so a person with one may have left.
#[test]
fn a_rare_past_date_of_someone_employed_is_reported() {
    ensure_each(
        [
            "Left company on",
            "Offboarded",
            "Last shift",
            "Deactivation date",
            "Exit interview",
            "Laptop returned",
            "Austrittsgespräch",
        ]
        .map(|column| {
            let mut text =
                format!("Employee ID,Name,Work Email,Status,Termination Date,{column}\n");
            for number in 0..40 {
                let date = if number == 10 { "{D-20}" } else { "" };
                text.push_str(&format!(
                    "R{number},User {number},user{number}@acme.example,Active,,{date}\n"
                ));
            }
            text.push_str("E900,Gil Hay,x@acme.example,Terminated,{D-200},\n");
            must_name(
                case(column, Report("user10"), text).company(Company::roster),
                column,
            )
        }),
    );
}

/// An announced end does not explain a past date in a column that is not read. It may be garden
/// leave.
#[test]
fn a_rare_past_date_before_an_announced_end_is_reported() {
    ensure_each(
        ["Last shift", "Freistellung ab", "Access ends"].map(|column| {
            let mut text =
                format!("Employee ID,Name,Work Email,Status,Termination Date,{column}\n");
            for number in 0..12 {
                let (end, date) = if number == 10 {
                    ("{D+40}", "{D-20}")
                } else {
                    ("", "")
                };
                text.push_str(&format!(
                    "R{number},User {number},user{number}@acme.example,Active,{end},{date}\n"
                ));
            }
            text.push_str("E900,Gil Hay,x@acme.example,Terminated,{D-200},\n");
            must_name(
                case(column, Report("user10"), text).company(Company::roster),
                column,
            )
        }),
    );
}

/// The second address of a leaver is in a column that is not read.
#[test]
fn an_unread_address_of_a_leaver_is_reported() {
    ensure_each(
        [
            "Asana Login",
            "Google Account",
            "SSO user",
            "Benutzerkonto",
            "Kontakt",
            "Account",
            "Slack",
            "Old mail",
            "メール",
            "Correo",
            "AD",
            "Contact details",
        ]
        .map(|column| {
            let text = format!(
                "Employee ID,Name,Work Email,{column},Status,Termination Date\n\
                     E10,Ben Ode,ben.ode@acme.example,user10@acme.example,Terminated,{{D-20}}\n"
            );
            must_name(case(column, Report("user10"), text), column)
        }),
    );
}

/// The names resemble names of harmless columns.
#[test]
fn an_unread_address_under_a_harmless_looking_name_is_reported() {
    ensure_each(
        [
            "Changed Email",
            "Updated e-mail address",
            "E-mail (modified)",
            "Email created for him",
            "Adobe ID",
            "ServiceNow user",
            "Self-service login",
            "Service accounts",
            "Onboarding account",
            "Join.me login",
            "Approval mailbox",
            "Geänderte E-Mail",
        ]
        .map(|column| {
            let text = format!(
                "Employee ID,Name,Work Email,{column},Status,Termination Date\n\
                 E10,Ben Ode,ben.ode@acme.example,user10@acme.example,Terminated,{{D-20}}\n"
            );
            must_name(case(column, Report("user10"), text), column)
        }),
    );
}

#[test]
fn an_unread_date_under_a_harmless_looking_name_is_reported() {
    ensure_each(
        [
            "Last day confirmed by manager",
            "Manager confirmed leaving date",
            "Exit date (HR business partner)",
            "Termination approval date",
            "Resignation Approval",
            "Leaving date sent to IT service",
            "Offboarding review completed",
            "Left team lead informed",
            "Exit permit returned",
        ]
        .map(|column| {
            let mut text =
                format!("Employee ID,Name,Work Email,Status,Termination Date,{column}\n");
            for number in 0..12 {
                let date = if number == 10 { "{D-20}" } else { "" };
                text.push_str(&format!(
                    "R{number},User {number},user{number}@acme.example,Active,,{date}\n"
                ));
            }
            text.push_str("E900,Gil Hay,x@acme.example,Terminated,{D-200},\n");
            must_name(
                case(column, Report("user10"), text).company(Company::roster),
                column,
            )
        }),
    );
}

/// A date that two orders read differently is still a date.
#[test]
fn an_unread_date_in_any_form_is_reported() {
    ensure_each(
        [
            "03/11/2026",
            "11/03/2026",
            "{D-20|%d.%m.%Y}",
            "{D-20|%B %-d, %Y}",
            "{D-20}T17:00:00Z",
            "{D-20|excel}",
            "/Date({D-20|seconds}000)/",
        ]
        .map(|date| {
            let mut text =
                "Employee ID,Name,Work Email,Status,Termination Date,Left company date\n"
                    .to_owned();
            for number in 0..12 {
                let date = if number == 10 { date } else { "" };
                text.push_str(&format!(
                    "R{number},User {number},user{number}@acme.example,Active,,\"{date}\"\n"
                ));
            }
            text.push_str("E900,Gil Hay,x@acme.example,Terminated,{D-200},\n");
            case(date, Report("user10"), text).company(Company::roster)
        }),
    );
}

/// A feed of leavers whose status was never changed, with the date in a separate column.
#[test]
fn a_feed_of_leavers_who_are_all_active_does_not_pass() {
    let text = "Employee ID,Name,Work Email,Status,Termination Date,Left company on\n\
                E10,Ben Ode,user10@acme.example,Active,,{D-20}\nE11,Cia Fox,user11@acme.example,Active,,{D-30}\n\
                E900,Gil Hay,x@acme.example,Terminated,{D-200},\n";
    ensure_each([case("two of three", Report("user10"), text)]);
}

/// Dates and addresses of other things and other people.
#[test]
fn harmless_columns_are_not_reported() {
    ensure_each(
        [
            "Date of Birth", "Birthday", "Hire Date", "Original Hire Date", "Seniority Date", "Company Service Date",
            "Probation End Date", "Next Review Date", "Visa Expiry Date", "Work Permit Expiration", "Created",
            "Created At", "Last Modified", "Last Changed", "Updated On", "Geburtsdatum", "Eintrittsdatum",
            "Ende der Probezeit", "Geändert am", "Date de naissance", "Date d'embauche", "Fin de période d'essai",
            "Fecha de nacimiento", "Fecha de alta", "Data di nascita", "Data assunzione", "Geboortedatum",
            "Datum in dienst", "Data de nascimento", "Data de admissão", "生年月日", "入社日",
        ]
        .map(|column| {
            let text = format!(
                "Employee ID,Name,Work Email,Status,Termination Date,{column}\n\
                 R0,User 0,user0@acme.example,Active,,1980-05-01\nR1,User 1,user1@acme.example,Active,,{{D-30}}\n\
                 R2,User 2,user2@acme.example,Active,,\nE900,Gil Hay,x@acme.example,Terminated,{{D-200}},1979-05-01\n"
            );
            case(column, AccuseNoOne, text).company(Company::roster).also(|run| {
                match run.checks_that("fail").is_empty() {
                    true => Ok(()),
                    false => Err("a check fails".to_owned()),
                }
            })
        }),
    );
}

#[test]
fn addresses_of_other_people_are_not_reported() {
    ensure_each(
        [
            "Manager Email",
            "Manager's Email",
            "Supervisor Email",
            "Reports To Email",
            "HR Business Partner Email",
            "HR Partner",
            "Emergency Contact Email",
            "Vorgesetzter E-Mail",
            "E-Mail des Vorgesetzten",
            "E-mail du responsable",
            "Correo del jefe",
            "Email responsabile",
            "E-mail leidinggevende",
            "E-mail do gestor",
            "上司メール",
        ]
        .map(|column| {
            let text = format!(
                "Employee ID,Name,Work Email,Status,Termination Date,{column}\n\
                 E900,Gil Hay,x@acme.example,Terminated,{{D-20}},user0@acme.example\n"
            );
            case(column, Must::Pass, text)
        }),
    );
}

#[test]
fn ignored_columns_are_not_reported() {
    let text = "Employee ID,Name,Work Email,Status,Termination Date,Laptop returned,Buddy\n\
                R0,User 0,user0@acme.example,Active,,{D-20},\n\
                R1,User 1,user1@acme.example,Active,,,\n\
                R2,User 2,user2@acme.example,Active,,,\n\
                E900,Gil Hay,x@acme.example,Terminated,{D-200},,user1@acme.example\n";
    ensure_each([
        case("both", AccuseNoOne, text).company(|company| {
            company
                .roster()
                .env("HR_FEED_COLUMNS", "ignore=Laptop returned+Buddy")
        }),
        case("only one", Report("user0"), text)
            .company(|company| company.roster().env("HR_FEED_COLUMNS", "ignore=Buddy")),
    ]);
}

#[test]
fn a_composite_id_distinguishes_people_of_two_companies() {
    let text = "Company Code,File Number,Payroll Name,Work Email,Position Status,Hire Date,Termination Date\n\
                ABC,000123,\"Ode, Ben\",user10@acme.example,Terminated,2025-01-06,{D-20}\n\
                XYZ,000123,\"Fox, Cia\",user11@acme.example,Active,2025-06-02,\n";
    ensure_each(
        [
            case("company code and file number", Accuse("user10"), text).company(|company| {
                company.env("HR_FEED_COLUMNS", "person_id=Company Code+File Number")
            }),
        ],
    );
}

/// Headers of whole feeds in the languages of the contract.
#[test]
fn feeds_in_other_languages_are_read_or_refused() {
    let feed = |language: &str, header: &str, row: &str| {
        case(language, Report("user10"), format!("{header}\n{row}\n"))
    };
    ensure_each([
        feed(
            "German",
            "Personalnummer;Vorname;Nachname;E-Mail geschäftlich;Status;Eintrittsdatum;Austrittsdatum",
            "10;Ben;Ode;user10@acme.example;Ausgeschieden;01.01.2019;{D-20|%d.%m.%Y}",
        ),
        feed(
            "French",
            "Matricule;Prénom;Nom;E-mail professionnel;Statut;Date d'entrée;Date de sortie",
            "10;Ben;Ode;user10@acme.example;Sorti;2019-01-01;{D-20}",
        ),
        feed(
            "Spanish",
            "Nº empleado;Nombre;Apellidos;Correo electrónico;Estado;Fecha de alta;Fecha de baja",
            "10;Ben;Ode;user10@acme.example;Baja;2019-01-01;{D-20}",
        ),
        feed(
            "Italian",
            "Matricola;Nome;Cognome;E-mail aziendale;Stato;Data assunzione;Data cessazione",
            "10;Ben;Ode;user10@acme.example;Cessato;2019-01-01;{D-20}",
        ),
        feed(
            "Dutch",
            "Personeelsnummer;Voornaam;Achternaam;Zakelijk e-mailadres;Status;Datum in dienst;Datum uit dienst",
            "10;Ben;Ode;user10@acme.example;Uit dienst;2019-01-01;{D-20}",
        ),
        feed(
            "Portuguese",
            "Matrícula;Nome;E-mail corporativo;Situação;Data de admissão;Data de desligamento",
            "10;Ben Ode;user10@acme.example;Desligado;2019-01-01;{D-20}",
        ),
        feed(
            "Japanese",
            "社員番号,氏名,メールアドレス,在籍状況,入社年月日,退職年月日",
            "10,小田 勉,user10@acme.example,退職,2019/01/01,{D-20|%Y/%m/%d}",
        ),
    ]);
}

/// Mistakes in the header: a column is doubled, blank, moved or misspelt.
#[test]
fn a_mistake_in_the_header_does_not_pass() {
    let feed = |name: &str, header: &str, row: &str| {
        case(
            name,
            Report("user10"),
            format!("{header}\n{row}\nE900,Gil Hay,x@acme.example,Terminated,{{D-200}}\n"),
        )
    };
    let row = "E10,Ben Ode,user10@acme.example,Terminated,{D-20}";
    ensure_each([
        feed(
            "misspelt end",
            "Employee ID,Name,Work Email,Status,Termintion Date",
            row,
        ),
        feed(
            "end called date",
            "Employee ID,Name,Work Email,Status,Date",
            row,
        ),
        feed(
            "no name of the end",
            "Employee ID,Name,Work Email,Status,",
            row,
        ),
        feed(
            "misspelt status",
            "Employee ID,Name,Work Email,Sttus,Termination Date",
            row,
        ),
        feed(
            "misspelt address",
            "Employee ID,Name,Wrk Emial,Status,Termination Date",
            row,
        ),
        feed(
            "no name of the address",
            "Employee ID,Name,,Status,Termination Date",
            row,
        ),
        feed(
            "end and status exchanged",
            "Employee ID,Name,Work Email,Termination Date,Status",
            row,
        ),
        feed(
            "id and name exchanged",
            "Name,Employee ID,Work Email,Status,Termination Date",
            row,
        ),
        feed(
            "address and name exchanged",
            "Employee ID,Work Email,Name,Status,Termination Date",
            row,
        ),
        feed(
            "a start instead of an end",
            "Employee ID,Name,Work Email,Status,Start Date",
            row,
        ),
        feed(
            "a birthday instead of an end",
            "Employee ID,Name,Work Email,Status,Date of Birth",
            row,
        ),
        feed(
            "an ignored status",
            "Employee ID,Name,Work Email,Notes,Last Changed",
            row,
        ),
        feed(
            "no header",
            "E901,Hal Gow,h@acme.example,Terminated,{D-300}",
            row,
        ),
        feed(
            "the header twice",
            "Employee ID,Name,Work Email,Status,Termination Date",
            &format!("{row}\nEmployee ID,Name,Work Email,Status,Termination Date"),
        ),
        feed(
            "notes below the header",
            "Employee ID,Name,Work Email,Status,Termination Date",
            &format!("(text),(text),(text),(text),(date)\n{row}"),
        ),
    ]);
}
