use insta::assert_snapshot;

use super::*;
use crate::feed::names::{CONTAINERS, FIELDS, NO_ADDRESS, NO_ID, PEOPLE};

fn cells(names: &[&str]) -> Vec<Header> {
    names.iter().map(|name| Header::cell(name)).collect()
}

fn layout(names: &[&str], configured: &[(Meaning, &str)]) -> Result<Layout, String> {
    let configured = configured
        .iter()
        .map(|(field, name)| (*field, (*name).to_owned()));
    recognise(&cells(names), &configured.collect())
}

/// The fields with their columns, then the columns that are not read, then the notes.
fn read(names: &[&str], configured: &[(Meaning, &str)]) -> String {
    let layout = match layout(names, configured) {
        Ok(layout) => layout,
        Err(reason) => return reason,
    };
    let fields = layout
        .fields
        .keys()
        .map(|field| (field, layout.shown(*field)))
        .map(|(field, shown)| format!("{field}={}", shown.trim_matches(['“', '”'])));
    let others = layout.columns.iter().filter(|column| {
        matches!(
            column.meaning,
            Meaning::Ignored | Meaning::Harmless | Meaning::Unread
        )
    });
    let others = others.map(|column| format!("{}: {}", column.meaning, column.name));
    let all: Vec<String> = fields
        .chain(others)
        .chain(layout.notes.iter().cloned())
        .collect();
    all.join("; ")
}

fn meanings(names: &[&str]) -> Vec<Meaning> {
    let layout = layout(names, &[]).expect("a layout");
    layout.columns.iter().map(|column| column.meaning).collect()
}

#[test]
fn the_usual_header_is_recognised() {
    assert_snapshot!(read(&["Employee ID", "Name", "Work Email", "Status", "Termination Date", "Last Day of Work", "Location"], &[]), @"person_id=Employee ID; name=Name; email=Work Email; end=Termination Date; last_day=Last Day of Work; status=Status; location=Location");
}

#[test]
fn headers_of_eight_languages_are_recognised() {
    for names in [
        &[
            "Personalnummer",
            "Vorname",
            "Nachname",
            "E-Mail",
            "Eintrittsdatum",
            "Austrittsdatum",
            "Letzter Arbeitstag",
        ][..],
        &[
            "Matricule",
            "Prénom",
            "Nom",
            "Courriel",
            "Date d'entrée",
            "Date de sortie",
            "Dernier jour travaillé",
        ],
        &[
            "Número de empleado",
            "Nombre",
            "Apellidos",
            "Correo electrónico",
            "Fecha de alta",
            "Fecha de baja",
            "Último día trabajado",
        ],
        &[
            "Matricola",
            "Nome",
            "Cognome",
            "Indirizzo email",
            "Data assunzione",
            "Data cessazione",
            "Ultimo giorno di lavoro",
        ],
        &[
            "Personeelsnummer",
            "Voornaam",
            "Achternaam",
            "E-mailadres",
            "Datum in dienst",
            "Datum uit dienst",
            "Laatste werkdag",
        ],
        &[
            "Matrícula",
            "Nome",
            "Sobrenome",
            "Endereço de e-mail",
            "Data de admissão",
            "Data de desligamento",
            "Último dia trabalhado",
        ],
        &[
            "社員番号",
            "姓",
            "名",
            "メールアドレス",
            "入社年月日",
            "退職年月日",
            "最終出社日",
        ],
    ] {
        let expected = [
            Meaning::PersonId,
            Meaning::Name,
            Meaning::Name,
            Meaning::Email,
            Meaning::Start,
            Meaning::End,
            Meaning::LastDay,
        ];
        assert_eq!(meanings(names), expected, "{names:?}");
    }
    assert_snapshot!(read(&["ID", "Vorname", "Nachname", "E-Mail", "Status", "Austrittsdatum"], &[]), @"person_id=ID; name=Vorname + Nachname; email=E-Mail; end=Austrittsdatum; status=Status");
    assert_snapshot!(read(&["ID", "Employee Name", "Company Email", "Status", "Relieving Date"], &[]), @"person_id=ID; name=Employee Name; email=Company Email; end=Relieving Date; status=Status");
}

#[test]
fn no_name_has_two_meanings() {
    let fields = FIELDS.iter().flat_map(|(_, groups)| groups.split(" | "));
    let all = fields.chain([GIVEN_NAMES, FAMILY_NAMES, TIMESTAMPS]);
    let mut all: Vec<&str> = all.flat_map(|group| group.split(' ')).collect();
    for name in &all {
        assert_eq!(plain(name), **name);
    }
    all.sort_unstable();
    let twice: Vec<_> = all.windows(2).filter(|two| two[0] == two[1]).collect();
    // A first name in Spanish or Italian and a word for people may be whole names elsewhere, but never here.
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn the_tables_of_names_are_in_plain_form() {
    for table in [
        HARMLESS,
        HARMLESS_UNLESS_ENDING,
        ENDING,
        DATED,
        PEOPLE,
        CONTAINERS,
        NO_ADDRESS,
        NO_ID,
    ] {
        for name in table.split(' ') {
            assert_eq!(plain(name), name, "{table}");
            assert!(!name.is_empty(), "{table}");
        }
    }
}

#[test]
fn case_separators_number_signs_and_accents_make_no_difference() {
    for id in [
        "Employee #",
        "employee_number",
        "employeeNumber",
        "\u{feff}EMPLOYEE-NUMBER",
        "\"Employee Number\"",
    ] {
        assert!(
            Header::cell(id).group_of(Meaning::PersonId).is_some(),
            "{id}"
        );
    }
    for end in [
        "Termination_Date",
        "terminationDate",
        "LeavingDate",
        "End Date",
        "term date",
        "Date de fin",
        "DATE DE FÍN",
    ] {
        assert!(Header::cell(end).group_of(Meaning::End).is_some(), "{end}");
    }
    let last_day = Header::cell("StatusTerminationLastDayOfWork");
    assert!(last_day.group_of(Meaning::LastDay).is_some());
}

#[test]
fn the_work_address_wins_and_a_general_one_next_to_it_is_unread() {
    assert_snapshot!(read(&["Home Email", "Email", "Work Email", "Status"], &[]), @"email=Work Email; other_email=Home Email; status=Status; unread: Email; No column has an end date: only the status shows who left");
    assert_snapshot!(read(&["Home Email", "End Date"], &[]), @"other_email=Home Email; end=End Date");
}

#[test]
fn the_address_of_a_forms_respondent_is_not_the_employees() {
    assert_snapshot!(read(&["Timestamp", "Email Address", "Work Email", "Last Day"], &[]), @"email=Work Email; last_day=Last Day; harmless: Timestamp; harmless: Email Address; “Email Address” follows a timestamp, so it is the address of the person who filled in the form and was not read; if it is the employee\'s address, set HR_FEED_COLUMNS to “email=Email Address”");
    assert_snapshot!(read(&["Timestamp", "Email Address", "Last Day"], &[(Meaning::Email, "Email Address")]), @"email=Email Address; last_day=Last Day; unread: Timestamp");
}

#[test]
fn a_tie_is_refused_with_the_setting_that_breaks_it() {
    assert_snapshot!(read(&["Email", "Email", "Status"], &[]), @"several columns could be `email`: “Email”, “Email”; closes with: “HR_FEED_COLUMNS=email=Email”");
    assert_snapshot!(read(&["Employee ID", "Leaving Date", "Termination Date"], &[]), @"several columns could be `end`: “Leaving Date”, “Termination Date”; closes with: “HR_FEED_COLUMNS=end=Leaving Date”");
    assert_snapshot!(read(&["Employee ID", "Leaving Date", "Termination Date"], &[(Meaning::End, "termination date")]), @"person_id=Employee ID; end=Termination Date; unread: Leaving Date");
}

#[test]
fn a_column_with_a_less_specific_name_is_unread() {
    assert_snapshot!(read(&["id", "Employee ID", "Termination Date", "Contract End Date", "Start Date", "Contract start date"], &[]), @"person_id=Employee ID; start=Start Date; end=Termination Date; unread: id; unread: Contract End Date; harmless: Contract start date");
}

#[test]
fn a_column_known_to_be_unrelated_to_leaving_is_harmless() {
    for name in [
        "Date of Birth",
        "Geburtsdatum",
        "生年月日",
        "Rehire Date",
        "Seniority Date",
        "Years of Service",
        "Probation End Date",
        "Ende der Probezeit",
        "Trial period end",
        "Next Review Date",
        "Visa End Date",
        "Passport expiry",
        "Work permit until",
        "Created at",
        "Last changed",
        "Date modified",
        "Updated On",
        "Work Anniversary",
        "Manager Email",
        "Line Manager",
        "Supervisor's e-mail",
        "HR Business Partner",
        "Emergency contact e-mail",
        "Recruiter",
        "Zuletzt geändert am",
    ] {
        let last = meanings(&["Employee ID", "Status", name]).pop();
        assert_eq!(last, Some(Meaning::Harmless), "{name}");
    }
}

#[test]
fn a_column_that_may_be_an_end_of_work_is_unread() {
    for name in [
        "End of Service",
        "Service end date",
        "Status change date",
        "Leaving review",
        "Date of resignation",
        "Notice given",
        "Effective date",
        "Valid until",
        "Separation created",
        "Fecha fin de servicio end",
        "備考",
    ] {
        let last = meanings(&["Employee ID", "Status", name]).pop();
        assert_eq!(last, Some(Meaning::Unread), "{name}");
    }
}

#[test]
fn a_feed_that_cannot_show_who_left_is_refused_with_its_columns() {
    assert_snapshot!(read(&["Employee ID", "Name", "Work Email"], &[]), @"no column shows who left (an end date, a last day of work or a status); the columns are “Employee ID”, “Name”, “Work Email”; closes with: `HR_FEED_COLUMNS=end=<the column>`");
    assert_snapshot!(read(&["Name", "Termination Date"], &[]), @"no column can be matched with an account (a person's id or an e-mail address); the columns are “Name”, “Termination Date”; closes with: `HR_FEED_COLUMNS=email=<the column>`");
}

#[test]
fn a_configured_column_wins_and_an_absent_one_is_refused() {
    assert_snapshot!(read(&["Emp No", "Status", "gone"], &[(Meaning::PersonId, "Emp No"), (Meaning::End, "Gone")]), @"person_id=Emp No; end=gone; status=Status");
    assert_snapshot!(read(&["Emp No", "Status"], &[(Meaning::End, "Left")]), @"HR_FEED_COLUMNS names “Left” as `end`, but the file has no such column; the columns are “Emp No”, “Status”");
}

#[test]
fn a_composite_id_joins_its_parts() {
    let configured = [(Meaning::PersonId, "Company Code+File Number")];
    assert_snapshot!(read(&["Company Code", "File Number", "Status"], &configured), @"person_id=Company Code + File Number; status=Status; No column has an end date: only the status shows who left");
    assert_snapshot!(read(&["Company Code+File Number", "Status"], &configured), @"person_id=Company Code+File Number; status=Status; No column has an end date: only the status shows who left");
    assert_snapshot!(read(&["Company Code", "Status"], &configured), @"HR_FEED_COLUMNS names “File Number” as `person_id`, but the file has no such column; the columns are “Company Code”, “Status”");
}

#[test]
fn ignored_columns_are_named_and_an_absent_one_is_noted() {
    let configured = [(Meaning::Ignored, "Badge issued+Email+Locker")];
    assert_snapshot!(read(&["Employee ID", "Badge issued", "Email", "End Date"], &configured), @"person_id=Employee ID; end=End Date; ignored: Badge issued; ignored: Email; HR_FEED_COLUMNS ignores “Locker”, but the file has no such column");
}

#[test]
fn a_name_in_two_columns_is_joined() {
    assert_snapshot!(read(&["Last name", "First name", "Email", "isActive"], &[]), @"name=First name + Last name; email=Email; status=isActive; No column has an end date: only the status shows who left");
    assert_snapshot!(read(&["Name", "Vorname", "Email", "Austritt"], &[]), @"name=Vorname + Name; email=Email; end=Austritt");
}

#[test]
fn status_columns_and_flags_are_read_together() {
    assert_snapshot!(read(&["ID", "status", "lifecycleStatus", "isActive", "End"], &[]), @"person_id=ID; end=End; status=status + lifecycleStatus + isActive");
}

#[test]
fn nested_keys_are_recognised_by_their_parents() {
    let header = |path: &[&str], is_list: bool| {
        let names: Vec<String> = path.iter().map(|name| plain(name)).collect();
        let segments = path.iter().zip(&names).map(|(name, plain)| Segment {
            name,
            plain,
            is_list,
        });
        Header::path(&segments.collect::<Vec<_>>())
    };
    let field = |path: &[&str]| Some(header(path, false).field()?.0);
    assert_eq!(field(&["work", "email"]), Some(Meaning::Email));
    assert_eq!(
        field(&["attributes", "termination_date", "value"]),
        Some(Meaning::End)
    );
    assert_eq!(
        field(&["termination", "termination_date"]),
        Some(Meaning::End)
    );
    assert_eq!(
        field(&["termination", "last_working_date"]),
        Some(Meaning::LastDay)
    );
    assert_eq!(field(&["internal", "status"]), Some(Meaning::Status));
    let schema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(field(&[schema, "employeeNumber"]), Some(Meaning::PersonId));
    assert_eq!(field(&["manager", "email"]), None);
    assert_eq!(field(&["department", "id"]), None);
    assert_eq!(header(&["data", "email"], true).field(), None);
}
