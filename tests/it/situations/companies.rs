//! Ordinary companies, each in three runs. By the third run, only real findings may be open.

#![expect(
    clippy::needless_range_loop,
    reason = "a number identifies a person in several tables"
)]

use std::collections::BTreeSet;

use truto_simulator::Person;

use crate::situations::company::{Company, Run, account, gid};

/// People of a company, by the number of their account.
const NAMES: [&str; 40] = [
    "Vera Adler",
    "Tom Baker",
    "Ana Castillo",
    "Ben Ode",
    "Cia Fox",
    "Dan Poe",
    "Eva Lind",
    "Fred Okafor",
    "Gita Rao",
    "Hugo Stein",
    "Ines Prado",
    "Jan de Vries",
    "Kaya Demir",
    "Liam O'Brien",
    "Mia Schulz",
    "Nora Ek",
    "Omar Haddad",
    "Pia Keller",
    "Quinn Hart",
    "Rosa Marini",
    "Sven Holm",
    "Tara Singh",
    "Uwe Brandt",
    "Vito Russo",
    "Wanda Nowak",
    "Xenia Popa",
    "Yuki Mori",
    "Zoe Laurent",
    "Adam Smith",
    "Beth Smith",
    "Carl Weber",
    "Dora Weber",
    "Emil Novak",
    "Faye Chen",
    "Gus Lopez",
    "Hana Sato",
    "Ivan Petrov",
    "Jill Moore",
    "Karl Maria Braun",
    "Lea Roth",
];

/// The people who still work there, unless a test says otherwise.
const STAYING: std::ops::Range<usize> = 0..36;

fn address(number: usize) -> String {
    let plain: String = NAMES[number]
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .collect();
    format!("{}@acme.example", plain.replace(' ', "."))
}

fn person(number: usize) -> Person {
    let person = account(number, NAMES[number], &address(number));
    if number == 0 { person.admin() } else { person }
}

/// A company in which every person has an account.
fn company() -> Company {
    Company::of((0..NAMES.len()).map(person))
}

fn first(number: usize) -> &'static str {
    NAMES[number].split_once(' ').expect("two words").0
}

fn last(number: usize) -> &'static str {
    NAMES[number].split_once(' ').expect("two words").1
}

/// An arbitrary day that depends only on the number.
fn day(number: usize, year: usize) -> String {
    format!(
        "{}-{:02}-{:02}",
        year + number % 9,
        1 + number * 7 % 12,
        1 + number * 5 % 28
    )
}

/// The third of three runs must have no open case, and must accuse exactly these accounts.
#[track_caller]
fn ensure_only_real_findings(run: &Run, accused: &[&str]) {
    let accused: BTreeSet<String> = accused.iter().map(|&name| name.to_owned()).collect();
    let is_verdict = match accused.is_empty() {
        true => run.verdict().starts_with("pass"),
        false => run.verdict() == "fail",
    };
    let rejected = run.hr.iter().any(|row| row["kind"] == "rejected");
    for (holds, claim) in [
        (is_verdict, "the verdict is settled"),
        (
            run.accused() == accused,
            "only real leavers with access are accused",
        ),
        (run.suspected().is_empty(), "no account is suspected"),
        (!run.has_not_evaluable(), "every leaver is judged"),
        (run.checks_that("fail").is_empty(), "no check fails"),
        (!rejected, "no row is rejected"),
    ] {
        assert!(holds, "{claim}\n    {}", run.summary());
    }
}

/// Makes three runs with a feed.
#[track_caller]
fn ensure_only_real_findings_after_three_runs(company: &Company, feed: &str, accused: &[&str]) {
    company.run_on(0, feed);
    company.run_on(1, feed);
    ensure_only_real_findings(&company.run_on(2, feed), accused);
}

// ---- Vendors ----

const WORKDAY: [&str; 40] = [
    "Worker ID",
    "Worker",
    "Legal First Name",
    "Legal Last Name",
    "Preferred Name",
    "Primary Work Email",
    "Primary Home Email",
    "Worker Status",
    "Worker Type",
    "Employee Type",
    "Hire Date",
    "Original Hire Date",
    "Continuous Service Date",
    "Seniority Date",
    "Company Service Date",
    "Probation End Date",
    "Termination Date",
    "Last Day of Work",
    "Date of Birth",
    "Business Title",
    "Job Profile",
    "Job Family",
    "Management Level",
    "Supervisory Organization",
    "Cost Center",
    "Company",
    "Location",
    "Time Type",
    "FTE",
    "Manager",
    "Manager ID",
    "Manager Email",
    "HR Business Partner",
    "HR Business Partner Email",
    "Next Review Date",
    "Visa Expiration Date",
    "Compensation Effective Date",
    "Created On",
    "Last Changed",
    "Emergency Contact Email",
];

#[test]
fn a_workday_roster_of_forty_columns_has_only_real_findings() {
    let mut company = company().roster();
    company.change(37, Person::inactive);
    let mut feed = format!("{}\n", WORKDAY.join(","));
    for number in 0..NAMES.len() {
        let manager = number / 8;
        let (status, end) = match number {
            36 => ("Terminated", "{D-9}"),
            37 => ("Terminated", "{D-30}"),
            38 => ("Active", "{D+30}"),
            _ => ("Active", ""),
        };
        let cells: Vec<String> = WORKDAY
            .iter()
            .map(|column| match *column {
                "Worker ID" => format!("{:06}", 21_000 + number),
                "Worker" => format!("{} ({:06})", NAMES[number], 21_000 + number),
                "Legal First Name" => first(number).to_owned(),
                "Legal Last Name" => last(number).to_owned(),
                "Preferred Name" => NAMES[number].to_owned(),
                "Primary Work Email" => address(number),
                "Primary Home Email" => format!("home{number}@mail.example"),
                "Worker Status" => status.to_owned(),
                "Worker Type" => "Employee".to_owned(),
                "Employee Type" => "Regular".to_owned(),
                "Hire Date"
                | "Original Hire Date"
                | "Continuous Service Date"
                | "Seniority Date"
                | "Company Service Date" => day(number, 2010),
                "Probation End Date" => day(number, 2011),
                "Termination Date" | "Last Day of Work" => end.to_owned(),
                "Date of Birth" => day(number, 1975),
                "Manager" => NAMES[manager].to_owned(),
                "Manager ID" => format!("{:06}", 21_000 + manager),
                "Manager Email" => address(manager),
                "HR Business Partner" => NAMES[1].to_owned(),
                "HR Business Partner Email" => address(1),
                "Next Review Date" => "{D+60}".to_owned(),
                "Visa Expiration Date" if number == 26 => "{D-2}".to_owned(),
                "Visa Expiration Date" => String::new(),
                "Compensation Effective Date" => "2026-01-01".to_owned(),
                "Created On" => day(number, 2010),
                "Last Changed" => format!("{{D-{}}}", 1 + number % 5),
                "Emergency Contact Email" => format!("kin{number}@mail.example"),
                "Location" => "Berlin".to_owned(),
                other => other.chars().take(4).collect(),
            })
            .collect();
        feed.push_str(&cells.join(","));
        feed.push('\n');
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &["ivan.petrov"]);
}

#[test]
fn an_adp_file_of_two_company_codes_has_only_real_findings() {
    let mut company = company()
        .roster()
        .env("HR_FEED_COLUMNS", "person_id=Company Code+File Number")
        .env("HR_FEED_DATE_ORDER", "mdy");
    company.change(39, Person::inactive);
    let mut feed =
        "Company Code,File Number,Payroll Name,Work Contact: Work Email,Position Status,Hire Date,\
                    Rehire Date,Termination Date,Birth Date,Reports To Name,Location Description\n"
            .to_owned();
    for number in 0..NAMES.len() {
        let (code, file) = if number < 20 {
            ("ABC", number)
        } else {
            ("XYZ", number - 20)
        };
        let (status, end) = match number {
            39 => ("Terminated", "{D-12|%m/%d/%Y}"),
            38 => ("Leave", ""),
            _ => ("Active", ""),
        };
        feed.push_str(&format!(
            "{code},{file:06},\"{}, {}\",{},{status},01/15/2019,,{end},05/20/1985,\"Adler, Vera\",Main\n",
            last(number),
            first(number),
            address(number)
        ));
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &[]);
}

#[test]
fn a_german_personio_export_has_only_real_findings() {
    let mut company = company().roster();
    company.change(36, Person::inactive);
    let mut feed = "ID;Vorname;Nachname;E-Mail;Status;Position;Abteilung;Standort;Eintrittsdatum;Ende der Probezeit;\
                    Austrittsdatum;Letzter Arbeitstag;Vertragsende;Geburtsdatum;Vorgesetzter;E-Mail des Vorgesetzten;\
                    Letzte Änderung\n"
        .to_owned();
    for number in 0..NAMES.len() {
        let (status, end, last_day, contract) = match number {
            36 => ("Inaktiv", "{D-12|%d.%m.%Y}", "{D-12|%d.%m.%Y}", ""),
            37 => ("Inaktiv", "{D-8|%d.%m.%Y}", "{D-8|%d.%m.%Y}", ""),
            38 => ("Elternzeit", "", "{D-60|%d.%m.%Y}", ""),
            39 => ("Aktiv", "", "", "31.12.2027"),
            _ => ("Aktiv", "", "", ""),
        };
        feed.push_str(&format!(
            "{};{};{};{};{status};Referent;Vertrieb;Köln;01.04.2019;30.09.2019;{end};{last_day};{contract};17.05.1984;\
             Vera Adler;{};{{D-2|%d.%m.%Y}}\n",
            4000 + number,
            first(number),
            last(number),
            address(number),
            address(0)
        ));
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore"]);
}

#[test]
fn a_bamboohr_report_has_only_real_findings() {
    let mut company = company().roster();
    company.remove(36);
    let employee = |number: usize| {
        let (status, end) = match number {
            36 | 37 => ("Inactive", "{D-6}"),
            _ => ("Active", "0000-00-00"),
        };
        format!(
            r#"{{"id": "{}", "employeeNumber": "B{number}", "displayName": "{}", "firstName": "{}", "lastName": "{}",
             "workEmail": "{}", "homeEmail": "home{number}@mail.example", "status": "{status}", "hireDate": "2019-03-01",
             "originalHireDate": "0000-00-00", "terminationDate": "{end}", "dateOfBirth": "{}",
             "supervisorEmail": "{}", "lastChanged": "2026-11-01T08:00:00+00:00", "location": "Lindon"}}"#,
            900 + number,
            NAMES[number],
            first(number),
            last(number),
            address(number),
            day(number, 1970),
            address(0),
        )
    };
    let employees: Vec<String> = (0..NAMES.len()).map(employee).collect();
    let feed = format!(
        r#"{{"title": "All people", "fields": [{{"id": "employeeNumber", "type": "employee_number", "name": "Employee #"}},
        {{"id": "workEmail", "type": "email", "name": "Work Email"}}, {{"id": "terminationDate", "type": "date", "name": "Termination Date"}}],
        "employees": [{}]}}"#,
        employees.join(",\n")
    );
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore"]);
}

#[test]
fn hibob_has_only_real_findings() {
    let mut company = company().roster();
    company.change(36, Person::inactive);
    let employee = |number: usize| {
        let (status, life, end) = match number {
            36 => ("Inactive", "Terminated", "\"{D-6}\""),
            _ => ("Active", "Employed", "null"),
        };
        format!(
            r#"{{"id": "{}", "displayName": "{}", "firstName": "{}", "surname": "{}", "email": "{}",
             "personal": {{"birthDate": "{}"}},
             "work": {{"startDate": "2019-03-01", "department": "Sales", "site": "Lisbon", "title": "Lead",
               "reportsTo": {{"id": "1", "displayName": "{}", "email": "{}"}}}},
             "internal": {{"status": "{status}", "lifecycleStatus": "{life}", "terminationDate": {end}}},
             "creationDateTime": "2019-02-01T10:00:00"}}"#,
            31_000_000_000_usize + number,
            NAMES[number],
            first(number),
            last(number),
            address(number),
            day(number, 1980),
            NAMES[0],
            address(0),
        )
    };
    let employees: Vec<String> = (0..NAMES.len()).map(employee).collect();
    ensure_only_real_findings_after_three_runs(
        &company,
        &format!(r#"{{"employees": [{}]}}"#, employees.join(",")),
        &[],
    );
}

#[test]
fn rippling_with_personal_addresses_has_only_real_findings() {
    let mut company = company();
    company.change(36, Person::inactive);
    // She was invited as a guest under her personal address, and the guest account still exists.
    company
        .people
        .push(account(90, "Jill M.", "jill.moore@mail.example").guest());
    company.remove(37);
    let mut feed = "Employee,Employee number,Work email,Personal email,Employment status,Employment type,Start date,\
                    Last day of work,End date,Manager's work email,Date of birth\n"
        .to_owned();
    for number in 36..NAMES.len() {
        let personal = address(number).replace("acme.", "mail.");
        let work = if number > 37 {
            String::new()
        } else {
            address(number)
        };
        let end = "{D-15|%b %d, %Y}";
        if number < 38 {
            feed.push_str(&format!(
                "{},{},{work},{personal},Terminated,Full-time,\"Mar 01, 2019\",\"{end}\",\"{end}\",{},\"May 05, 1985\"\n",
                NAMES[number],
                700 + number,
                address(0)
            ));
        }
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore@mail.example"]);
}

#[test]
fn a_japanese_company_has_only_real_findings() {
    let mut company = company()
        .roster()
        .env(
            "HR_FEED_COLUMNS",
            "person_id=社員番号,name=氏名,email=メールアドレス,status=在籍区分,start=入社年月日,end=退職年月日",
        )
        .env("HR_TIME_ZONE", "Asia/Tokyo")
        .env("HR_FEED_STATUSES", "在籍=employed,退職=left,育休=on_leave");
    company.change(36, Person::inactive);
    let families = [
        "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村",
    ];
    let given = ["翔太", "美咲", "大輔", "陽子", "健一", "愛"];
    let mut feed = "社員番号,氏名,フリガナ,メールアドレス,在籍区分,入社年月日,退職年月日,生年月日,部署,上長メール\n".to_owned();
    for number in 0..NAMES.len() {
        let (status, end) = match number {
            36 | 37 => ("退職", "{D-10|%Y/%m/%d}"),
            38 => ("育休", ""),
            _ => ("在籍", ""),
        };
        feed.push_str(&format!(
            "{:05},{}　{},カナ,{},{status},2019/04/01,{end},1985/05/20,営業部,{}\n",
            100 + number,
            families[number % 8],
            given[number % 6],
            address(number),
            address(0)
        ));
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore"]);
}

// ---- People ----

const COLUMNS: &str = "Employee ID,Name,Work Email,Status,Hire Date,Termination Date";

/// Rows of the people who stay.
fn staying() -> String {
    let mut feed = format!("{COLUMNS}\n");
    for number in STAYING {
        feed.push_str(&format!(
            "E{number},{},{},Active,2019-01-01,\n",
            NAMES[number],
            address(number)
        ));
    }
    feed
}

#[test]
fn shops_with_shared_mailboxes_have_only_real_findings() {
    let shops: Vec<String> = (0..3)
        .map(|shop| {
            let service = account(
                60 + shop,
                &format!("Shop {shop}"),
                &format!("shop{shop}@acme.example"),
            );
            format!(
                "{},{},,service,{},till of the shop,{},{{D+80}}",
                service.email.unwrap(),
                gid(60 + shop),
                address(1),
                address(0)
            )
        })
        .collect();
    let mut company = company().roster().aliases(&shops);
    company.people.truncate(36);
    for shop in 0..3 {
        let email = format!("shop{shop}@acme.example");
        company
            .people
            .push(account(60 + shop, &format!("Shop {shop}"), &email));
    }
    let clerks = [
        "Amy Ball", "Bob Cole", "Cat Dunn", "Des Egan", "Eli Ford", "Fay Gold", "Gil Hunt",
        "Hal Ives", "Ira Judd",
    ];
    let feed = |left: usize| {
        let mut feed = staying();
        for (number, clerk) in clerks.iter().enumerate() {
            let (status, end) = if number < left {
                ("Terminated", "{D-5}")
            } else {
                ("Active", "")
            };
            feed.push_str(&format!(
                "S{number},{clerk},shop{}@acme.example,{status},2021-01-01,{end}\n",
                number % 3
            ));
        }
        feed
    };
    company.run_on(0, &feed(0));
    company.run_on(1, &feed(2));
    ensure_only_real_findings(&company.run_on(2, &feed(4)), &[]);
}

#[test]
fn warehouse_staff_without_mail_is_accepted() {
    let lines = [format!(
        ",,,leavers_without_address,warehouse staff gets no mail,{},{{D-1}},{{D+80}}",
        address(0)
    )];
    let mut company = company().exceptions(&lines);
    company.remove(36);
    let mut feed = format!(
        "{COLUMNS}\nE36,{},{},Terminated,2019-01-01,{{D-9}}\n",
        NAMES[36],
        address(36)
    );
    let packers = [
        "Amy Ball", "Bob Cole", "Cat Dunn", "Des Egan", "Eli Ford", "Fay Gold",
    ];
    for (number, packer) in packers.iter().enumerate() {
        let none = ["", "n/a", "none", "noemail@acme.example", "-", "keine"][number];
        feed.push_str(&format!(
            "W{number},{packer},{none},Terminated,2021-01-01,{{D-{}}}\n",
            3 + number
        ));
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &[]);
}

#[test]
fn packers_of_a_roster_who_never_had_mail_are_accepted() {
    let mut company = company().roster();
    company.people.truncate(36);
    let packers = [
        "Amy Ball", "Bob Cole", "Cat Dunn", "Des Egan", "Eli Ford", "Fay Gold",
    ];
    let feed = |left: usize| {
        let mut feed = staying();
        for (number, packer) in packers.iter().enumerate() {
            let (status, end) = if number < left {
                ("Terminated", "{D-1}")
            } else {
                ("Active", "")
            };
            feed.push_str(&format!("W{number},{packer},,{status},2021-01-01,{end}\n"));
        }
        feed
    };
    company.run_on(0, &feed(0));
    company.run_on(1, &feed(1));
    ensure_only_real_findings(&company.run_on(2, &feed(2)), &[]);
}

#[test]
fn interns_who_return_are_not_accused() {
    let mut company = company().roster();
    company.change(38, Person::inactive);
    let mut feed = staying();
    // One came back under the same id, one under a new id, one will come back, and one stays a
    // student.
    feed.push_str(&format!(
        "I36,{n36},{a36},Terminated,2025-06-01,2025-09-30\nI36,{n36},{a36},Active,2026-06-01,\n\
         I37,{n37},{a37},Terminated,2025-06-01,2025-09-30\nE137,{n37},{a37},Active,2026-10-01,\n\
         I38,{n38},{a38},Terminated,2026-06-01,{{D-30}}\nI38,{n38},{a38},Hired,{{D+60}},\n\
         I39,{n39},{a39},Active,2026-06-01,{{D+60}}\n",
        n36 = NAMES[36],
        a36 = address(36),
        n37 = NAMES[37],
        a37 = address(37),
        n38 = NAMES[38],
        a38 = address(38),
        n39 = NAMES[39],
        a39 = address(39),
    ));
    ensure_only_real_findings_after_three_runs(&company, &feed, &[]);
}

#[test]
fn transfers_between_entities_accuse_no_one() {
    let company = company().roster();
    let others = |feed: &mut String| {
        for number in 38..40 {
            feed.push_str(&format!(
                "E{number},{},{},Active,2019-01-01,\n",
                NAMES[number],
                address(number)
            ));
        }
    };
    let mut before = staying();
    others(&mut before);
    let mut after = before.clone();
    for (number, married) in [(36, "Ivan Petrov"), (37, "Jill Hart-Moore")] {
        let (name, email) = (NAMES[number], address(number));
        before.push_str(&format!("E{number},{name},{email},Active,2019-01-01,\n"));
        after.push_str(&format!("E{number},{name},{email},Terminated,2019-01-01,{{D}}\nUK{number},{married},{email},Active,{{D+1}},\n"));
    }
    company.run_on(0, &before);
    company.run_on(1, &after);
    ensure_only_real_findings(&company.run_on(3, &after), &[]);
}

#[test]
fn a_merger_with_a_second_mail_domain_has_only_real_findings() {
    let mut company = company()
        .roster()
        .env("EMAIL_DOMAIN_ALIASES", "acme.example=newco.example");
    for number in 20..40 {
        let email = address(number).replace("acme.", "newco.");
        company.change(number, |person| person.email(&email));
    }
    company.change(38, Person::inactive);
    let mut feed = staying();
    for number in 36..40 {
        let (status, end) = if number < 39 {
            ("Terminated", "{D-14}")
        } else {
            ("Active", "")
        };
        feed.push_str(&format!(
            "E{number},{},{},{status},2019-01-01,{end}\n",
            NAMES[number],
            address(number)
        ));
    }
    // Two of the three have access, and an approved exception covers one of them.
    let lines = [format!(
        ",E36,,,handover of the merger,{},{{D-15}},{{D+30}}",
        address(0)
    )];
    let company = company.exceptions(&lines);
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore@newco.example"]);
}

#[test]
fn contractors_in_a_list_beside_employees_have_only_real_findings() {
    let mut company = company()
        .roster()
        .env("HR_FEED_RECORDS", "employees,contractors");
    company.change(37, Person::inactive);
    let one = |number: usize| {
        let end = match number {
            36 | 37 => "\"{D-11}\"",
            _ => "null",
        };
        format!(
            r#"{{"uuid": "{:08}-0000", "first_name": "{}", "last_name": "{}", "email": "{}", "is_active": {}, "start_date": "2020-01-01", "end_date": {end}}}"#,
            number,
            first(number),
            last(number),
            address(number),
            end == "null",
        )
    };
    let list = |numbers: std::ops::Range<usize>| numbers.map(one).collect::<Vec<_>>().join(", ");
    let feed = format!(
        r#"{{"company": {{"name": "ACME", "id": "1"}}, "employees": [{}], "contractors": [{}]}}"#,
        list(0..30),
        list(30..40)
    );
    ensure_only_real_findings_after_three_runs(&company, &feed, &["ivan.petrov"]);
}

#[test]
fn garden_leave_and_parental_leave_have_only_real_findings() {
    let mut company = company().roster();
    company.change(36, Person::inactive);
    let header = "Employee ID,Name,Work Email,Status,Hire Date,Last Day of Work,Termination Date,Expected Return\n";
    let mut feed = header.to_owned();
    for number in STAYING {
        feed.push_str(&format!(
            "E{number},{},{},Active,2019-01-01,,,\n",
            NAMES[number],
            address(number)
        ));
    }
    for (number, cells) in [
        (36, "Garden Leave,2019-01-01,{D-20},{D+40},"),
        (37, "Garden Leave,2019-01-01,{D-10},{D+60},"),
        (38, "Parental Leave,2019-01-01,{D-30},,{D+200}"),
        (39, "On notice,2019-01-01,{D+20},{D+50},"),
    ] {
        feed.push_str(&format!(
            "E{number},{},{},{cells}\n",
            NAMES[number],
            address(number)
        ));
    }
    ensure_only_real_findings_after_three_runs(&company, &feed, &["jill.moore"]);
}

#[test]
fn a_new_hr_system_with_new_ids_has_only_real_findings() {
    let mut company = company().roster();
    company.change(36, Person::inactive);
    let feed = |prefix: &str, order: fn(usize) -> String| {
        let mut feed = format!("{COLUMNS}\n");
        for number in 0..NAMES.len() {
            let (status, end) = match number {
                36 => ("Terminated", "{D-40}"),
                37 => ("Terminated", "{D-14}"),
                _ => ("Active", ""),
            };
            feed.push_str(&format!(
                "{prefix}{number},{},{},{status},2019-01-01,{end}\n",
                order(number),
                address(number)
            ));
        }
        feed
    };
    let first_last = |number: usize| NAMES[number].to_owned();
    let last_first = |number: usize| format!("\"{}, {}\"", last(number), first(number));
    company.run_on(0, &feed("E", first_last));
    company.run_on(1, &feed("100", last_first));
    ensure_only_real_findings(
        &company.run_on(2, &feed("100", last_first)),
        &["jill.moore"],
    );
}

#[test]
fn a_new_mail_domain_in_hr_a_week_before_asana_has_only_real_findings() {
    let aliases = "acme.example=newco.example";
    let mut company = company().roster().env("EMAIL_DOMAIN_ALIASES", aliases);
    company.change(36, Person::inactive);
    let feed = |domain: &str| {
        let mut feed = format!("{COLUMNS}\n");
        for number in 0..NAMES.len() {
            let (status, end) = match number {
                36 | 37 => ("Terminated", "{D-14}"),
                _ => ("Active", ""),
            };
            let email = address(number).replace("acme.", domain);
            feed.push_str(&format!(
                "E{number},{},{email},{status},2019-01-01,{end}\n",
                NAMES[number]
            ));
        }
        feed
    };
    company.run_on(0, &feed("acme."));
    company.run_on(1, &feed("newco."));
    ensure_only_real_findings(&company.run_on(2, &feed("newco.")), &["jill.moore"]);
}

/// The HR system keeps the date of the last termination when it hires the person again.
#[test]
fn a_rehire_in_the_same_row_has_only_real_findings() {
    let mut company = company().roster();
    company.remove(36);
    let row = |cells: &str| format!("{}E36,{},{},{cells}\n", staying(), NAMES[36], address(36));
    company.run_on(0, &row("Terminated,2019-01-01,{D-20}"));
    company
        .people
        .push(account(36, NAMES[36], &address(36)).joined_at("2026-11-24T09:00:00.000Z"));
    company.run_on(1, &row("Active,{D+1},{D-20}"));
    company.run_on(2, &row("Active,{D+1},{D-20}"));
    ensure_only_real_findings(&company.run_on(4, &row("Active,{D+1},{D-20}")), &[]);
}
