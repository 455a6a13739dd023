//! Employees as HR systems and Truto's mappings send them.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::HrDate;

fn settings() -> HrisSettings {
    HrisSettings {
        truto: truto::ApiSettings {
            base_url: "http://127.0.0.1:1".parse().expect("an address"),
            api_token: "t".into(),
            token_pace: None,
            rate_limit: None,
            http: crate::net::Settings {
                timeout: std::time::Duration::from_secs(1),
                max_attempts: 1,
                max_elapsed: std::time::Duration::ZERO,
                base_delay: std::time::Duration::ZERO,
                traffic: None,
            },
        }
        .to("c2", 100),
        dates: crate::feed::DateRules {
            order: None,
            time_zone: "Europe/Berlin".to_owned(),
            location_zones: std::collections::BTreeMap::new(),
        },
        words: Words::default(),
        may_lack_leavers: true,
    }
}

/// A complete list of these records on one page.
fn listed(records: impl IntoIterator<Item = Value>) -> ListedEmployees {
    let record = |(row, value): (usize, Value)| ListedRecord {
        page: 1,
        row: row as u64 + 1,
        content: serde_json::from_value(value).expect("a row"),
    };
    ListedEmployees {
        records: records.into_iter().enumerate().map(record).collect(),
        date: "2026-11-23T22:40:00Z".parse().ok(),
        end: Some(End::LastPage),
        ..ListedEmployees::default()
    }
}

fn understood(listed: ListedEmployees) -> HrFeed {
    let url = "truto-hris://c2".to_owned();
    understand(listed, url, None, Vec::new(), &settings())
}

fn read(records: impl IntoIterator<Item = Value>) -> HrFeed {
    understood(listed(records))
}

/// An employed person with these fields replaced. `undefined` removes a field.
fn employee(number: u32, fields: Value) -> Value {
    let mut record = json!({
        "id": format!("emp-{number}"),
        "employee_number": number.to_string(),
        "name": "Ada Lovelace",
        "emails": [{"email": format!("ada{number}@example.com"), "type": "work"}],
        "employment_status": "active",
    });
    for (name, value) in fields.as_object().expect("fields") {
        match value.as_str() {
            Some("undefined") => {
                record.as_object_mut().expect("an object").remove(name);
            }
            _ => record[name] = value.clone(),
        }
    }
    record
}

/// The only row of a record with these fields.
fn row(fields: Value) -> HrRow {
    let feed = read([employee(1, fields)]);
    assert_eq!((feed.rows.len(), feed.rejected.len()), (1, 0), "{feed:?}");
    feed.rows.into_iter().next().expect("a row")
}

/// A date as written, and its instant.
fn at(date: &Option<HrDate>) -> String {
    date.as_ref().map_or("-".to_owned(), |date| {
        format!("{} = {}", date.written, date.at)
    })
}

/// A summary of the rows.
fn shown(feed: &HrFeed) -> String {
    let date = |date: &Option<HrDate>| {
        date.as_ref()
            .map_or("-".to_owned(), |d| d.written.to_string())
    };
    let mut text = String::new();
    for row in &feed.rows {
        text.push_str(&format!(
            "{} {} {:?} {} to {}\n",
            row.line,
            row.person_id.as_deref().unwrap_or("-"),
            row.status,
            date(&row.start),
            date(&row.end)
        ));
        for note in &row.notes {
            text.push_str(&format!("  note: {note}\n"));
        }
    }
    for row in &feed.rejected {
        let person = row.person_id.as_deref().unwrap_or("-");
        text.push_str(&format!("{} {person} rejected: {}\n", row.line, row.reason));
    }
    for note in &feed.origin.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

// The quiet one.

#[test]
fn an_employee_is_a_row_and_every_column_names_its_fields() {
    let feed = read([employee(
        17,
        json!({"start_date": "2019-04-01", "work_location": {"name": "Berlin"}}),
    )]);
    let row = &feed.rows[0];
    assert_eq!(row.person_id.as_deref(), Some("17"));
    assert_eq!(row.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(
        row.email.as_ref().map(|e| e.key()),
        Some("ada17@example.com")
    );
    assert_eq!(row.status, Employment::Active);
    assert_eq!(at(&row.start), "2019-04-01 = 2019-03-31T22:00:00Z");
    assert_eq!(row.location.as_deref(), Some("Berlin"));
    assert_eq!(row.notes, Vec::<String>::new());
    assert_eq!(feed.rows_in_file(), 1);
    assert_eq!(feed.origin.notes, Vec::<String>::new());
    assert_eq!(feed.origin.age_basis, AgeBasis::Live);
    let columns = feed
        .origin
        .columns
        .iter()
        .map(|of| format!("{}: {}", of.meaning, of.name));
    assert_snapshot!(columns.collect::<Vec<_>>().join("\n"), @r"
    person_id: employee_number, else id
    name: name, else first_name + middle_name + last_name
    email: emails of type work
    other_email: other emails
    start: start_date, else employments.effective_date
    end: termination_date, else employments.end_date
    status: employment_status
    location: work_location
    department: department, else groups of type department
    title: job_title, else employments.job_title
    ");
}

// Fields in every form.

#[test]
fn an_absent_field_a_null_and_an_empty_text_are_equal() {
    for nothing in [json!("undefined"), Value::Null, json!(""), json!(" ")] {
        let read = row(json!({
            "termination_date": nothing, "start_date": nothing, "name": nothing,
            "work_location": nothing, "employments": nothing,
        }));
        assert_eq!((&read.end, &read.start), (&None, &None), "{nothing}");
        assert_eq!((&read.name, &read.location), (&None, &None), "{nothing}");
        assert_eq!(read.status, Employment::Active, "{nothing}");

        let read = row(json!({"employment_status": nothing, "termination_date": "2026-10-31"}));
        assert_eq!(read.status, Employment::Blank, "{nothing}");
        assert_eq!(
            at(&read.end),
            "2026-10-31 = 2026-10-31T23:00:00Z",
            "{nothing}"
        );

        let read = row(json!({"emails": nothing}));
        assert_eq!(read.emails().count(), 0, "{nothing}");
    }
}

#[test]
fn a_termination_date_is_a_day_or_an_instant() {
    for (written, instant) in [
        ("2026-10-31", "2026-10-31T23:00:00Z"),
        ("20261031", "2026-10-31T23:00:00Z"),
        ("10/31/2026", "2026-10-31T23:00:00Z"),
        ("2026-10-31 00:00:00", "2026-10-31T23:00:00Z"),
        ("2026-10-31T17:00:00-07:00", "2026-11-01T00:00:00Z"),
        ("2026-10-31T12:30:00.000Z", "2026-10-31T12:30:00Z"),
    ] {
        let read = row(json!({"termination_date": written}));
        assert_eq!(at(&read.end), format!("{written} = {instant}"));
    }
}

#[test]
fn midnight_in_any_offset_is_the_whole_day() {
    for written in [
        "2026-10-31T00:00:00.000Z",
        "2026-10-31T00:00:00Z",
        "2026-10-31T00:00:00+01:00",
        "2026-10-31 00:00:00 UTC",
    ] {
        let feed = read([employee(1, json!({"termination_date": written}))]);
        let row = &feed.rows[0];
        assert_eq!(at(&row.end), format!("{written} = 2026-10-31T23:00:00Z"));
        assert_eq!(
            feed.origin.notes,
            ["1 date with the time 00:00 was read as a whole day"]
        );
    }
}

#[test]
fn a_date_that_cannot_be_read_rejects_its_record_by_page_and_row() {
    let feed = read([
        employee(1, json!({})),
        employee(2, json!({"termination_date": "03/04/2026"})),
        employee(3, json!({"termination_date": 1_793_404_800_000_u64})),
        employee(4, json!({"termination_date": "2026-02-30"})),
    ]);
    assert_snapshot!(shown(&feed), @r"
    1 1 Active - to -
    2 2 rejected: page 1, row 2: column “termination_date, else employments.end_date”: “03/04/2026” could be 3 April or March 4; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`
    3 3 rejected: page 1, row 3: column “termination_date, else employments.end_date”: “1793404800000” is a number, not a date
    4 4 rejected: page 1, row 4: column “termination_date, else employments.end_date”: “2026-02-30” is not a date: February 2026 has no day 30
    ");
    assert_eq!(feed.rejected[0].email.as_deref(), Some("ada2@example.com"));
}

#[test]
fn a_status_is_read_by_the_rules_of_every_feed() {
    for (word, status) in [
        ("active", Employment::Active),
        ("Active", Employment::Active),
        ("inactive", Employment::Ended),
        ("terminated", Employment::Ended),
        ("retired", Employment::Ended),
        ("Terminated", Employment::Ended),
    ] {
        assert_eq!(
            row(json!({"employment_status": word})).status,
            status,
            "{word}"
        );
    }
    for word in ["excluded", "T", "suspended", "all"] {
        assert_eq!(
            row(json!({"employment_status": word})).status,
            Employment::Unclassified(word.to_owned())
        );
    }
}

#[test]
fn a_person_about_to_begin_is_employed_unless_there_is_an_end() {
    for word in ["newHire", "pending", "New Hire"] {
        let feed = read([employee(1, json!({"employment_status": word}))]);
        assert_eq!(feed.rows[0].status, Employment::Active, "{word}");
        assert_eq!(
            feed.rows[0].notes,
            [format!("the status “{word}” was read as employed")]
        );
        assert_eq!(feed.origin.notes.len(), 1);

        for end in [
            json!({"termination_date": "2026-10-31"}),
            json!({"employments": [{"effective_date": "2019-01-01", "end_date": "2026-10-31"}]}),
        ] {
            let mut fields = end;
            fields["employment_status"] = json!(word);
            let read = row(fields);
            assert_eq!(read.status, Employment::Unclassified(word.to_owned()));
            assert!(read.end.is_some());
        }
    }
    let on_leave = row(json!({"employment_status": "on_leave"}));
    assert_eq!(on_leave.status, Employment::OnLeave);
}

#[test]
fn numeric_ids_are_text() {
    for (number, id) in [
        (json!(17), "17"),
        (json!("0017"), "0017"),
        (json!(17.0), "17"),
    ] {
        let read = row(json!({"employee_number": number}));
        assert_eq!(read.person_id.as_deref(), Some(id));
    }
    for none in [json!("undefined"), Value::Null, json!(""), json!("N/A")] {
        let feed = read([employee(1, json!({"employee_number": none, "id": 4711}))]);
        assert_eq!(feed.rows[0].person_id.as_deref(), Some("4711"), "{none}");
        assert_eq!(
            feed.origin.notes,
            ["1 record without an employee number: the id in the HR system is used instead"]
        );
    }
}

#[test]
fn a_number_used_by_two_companies_identifies_no_person() {
    let of = |number: u32, id: &str, company: Value| {
        employee(number, json!({"id": id, "name": id, "company": company}))
    };
    let feed = read([
        of(7, "a", json!({"id": "north"})),
        of(7, "b", json!({"id": "south"})),
        of(8, "c", json!({"id": "north"})),
        of(8, "d", json!({"id": "north"})),
        of(9, "e", Value::Null),
        of(9, "f", json!("south")),
    ]);
    let ids: Vec<_> = feed
        .rows
        .iter()
        .map(|row| row.person_id.as_deref())
        .collect();
    assert_eq!(ids, ["a", "b", "8", "8", "9", "9"].map(Some));
    assert_eq!(feed.rows[0].notes.len(), 1);
}

#[test]
fn an_id_that_is_another_persons_number_is_not_used() {
    let feed = read([
        employee(17, json!({})),
        employee(2, json!({"id": "17", "employee_number": null})),
    ]);
    assert_eq!(feed.rows[1].person_id, None);
    assert_eq!(
        feed.rows[1].notes,
        ["the id is the employee number of another person and was not used"]
    );
}

#[test]
fn a_name_is_whole_or_in_parts() {
    let parts = json!({
        "name": null, "first_name": "Ada", "middle_name": "King", "last_name": " Lovelace ",
    });
    assert_eq!(row(parts).name.as_deref(), Some("Ada King Lovelace"));
    let first = row(json!({"name": "", "first_name": "Ada"}));
    assert_eq!(first.name.as_deref(), Some("Ada"));
}

#[test]
fn a_work_place_is_a_text_an_object_or_a_list() {
    for fields in [
        json!({"work_location": "Paris"}),
        json!({"work_location": {"id": "1", "name": "Paris"}}),
        json!({"work_location": {"name": null, "city": "Paris", "country": "FR"}}),
        json!({"location": "Paris"}),
        json!({"locations": [{"name": "Paris"}, {"name": "Lyon"}]}),
        json!({"work_location": {"id": "1"}, "location": {"name": "Paris"}}),
    ] {
        assert_eq!(
            row(fields.clone()).location.as_deref(),
            Some("Paris"),
            "{fields}"
        );
    }
}

#[test]
fn a_department_is_a_field_or_the_group_that_is_one() {
    let team = json!({"id": "1", "name": "Platform", "type": "team"});
    for fields in [
        json!({"department": "Research"}),
        json!({"department": {"id": "7", "name": "Research"}, "groups": [team]}),
        json!({"department": {"id": "7"}, "groups": [team, {"name": "Research", "type": "Department"}]}),
        json!({"groups": [{"name": "Research"}, {"name": "Lab", "type": null}]}),
        json!({"groups": ["Research"]}),
        json!({"department": "N/A", "groups": [{"name": " ", "type": "department"}, {"name": "Research", "type": "department"}]}),
    ] {
        let department = row(fields.clone()).department;
        assert_eq!(department.as_deref(), Some("Research"), "{fields}");
    }
    for fields in [
        json!({}),
        json!({"groups": [team]}),
        json!({"groups": null, "department": {"id": "7"}}),
        json!({"groups": [{"id": "7", "type": "department"}]}),
    ] {
        assert_eq!(row(fields.clone()).department, None, "{fields}");
    }
}

#[test]
fn a_title_is_that_of_the_person_or_of_an_employment_that_runs() {
    let past =
        json!({"effective_date": "2019-04-01", "end_date": "2020-03-31", "job_title": "Trainee"});
    let runs = json!({"effective_date": "2020-04-01", "end_date": null, "job_title": "Engineer"});
    for fields in [
        json!({"job_title": " Engineer "}),
        json!({"job_title": "Engineer", "employments": [past]}),
        json!({"job_title": null, "employments": [past, runs]}),
        json!({"job_title": "-", "employments": [runs, past]}),
    ] {
        let title = row(fields.clone()).title;
        assert_eq!(title.as_deref(), Some("Engineer"), "{fields}");
    }
    for fields in [json!({}), json!({"employments": [past]})] {
        assert_eq!(row(fields.clone()).title, None, "{fields}");
    }
}

// Addresses.

fn emails(emails: Value) -> (String, Vec<String>) {
    let read = row(json!({"emails": emails}));
    let others = read.other_emails.iter().map(|email| email.key().to_owned());
    let work = read.email.as_ref().map_or("-", |email| email.key());
    (work.to_owned(), others.collect())
}

#[test]
fn the_type_determines_the_work_address() {
    let work = json!({"email": "ada@corp.com", "type": "work", "is_primary": false});
    let home = json!({"email": "ada@home.net", "type": "personal", "is_primary": true});
    let bare = json!({"email": "ada@alias.com"});
    let both = || vec!["ada@alias.com".to_owned(), "ada@home.net".to_owned()];
    for order in [
        json!([work, bare, home]),
        json!([home, work, bare]),
        json!([bare, home, work]),
    ] {
        assert_eq!(emails(order), ("ada@corp.com".to_owned(), both()));
    }
    assert_eq!(
        emails(json!([home])),
        ("-".to_owned(), vec!["ada@home.net".to_owned()])
    );
}

#[test]
fn without_a_type_the_primary_or_else_the_first_is_the_work_address() {
    for list in [
        json!([{"email": "b@x.com"}, {"email": "a@x.com", "is_primary": true}]),
        json!([{"email": "a@x.com", "type": null}, {"email": "b@x.com", "type": ""}]),
        json!(["a@x.com", "b@x.com"]),
        json!([{"email": "a@x.com", "type": "primary"}, {"email": "b@x.com", "type": "other"}]),
    ] {
        let expected = ("a@x.com".to_owned(), vec!["b@x.com".to_owned()]);
        assert_eq!(emails(list.clone()), expected, "{list}");
    }
    let feed = read([
        employee(1, json!({"emails": ["a@x.com"]})),
        employee(2, json!({})),
    ]);
    assert_eq!(
        feed.origin.notes,
        [
            "1 record without an address of type work: the primary address, else the first one without a type, is used instead"
        ]
    );
}

#[test]
fn addresses_may_be_outside_the_list() {
    let read = row(json!({
        "emails": [], "work_email": "a@x.com", "email": "b@x.com", "personal_email": "c@x.com",
    }));
    assert_eq!(
        read.email.as_ref().map(|email| email.key()),
        Some("a@x.com")
    );
    let others: Vec<_> = read.other_emails.iter().map(|email| email.key()).collect();
    assert_eq!(others, ["b@x.com", "c@x.com"]);
}

#[test]
fn a_text_that_is_not_an_address_is_noted_and_marks_its_record() {
    let work = row(json!({"emails": [{"email": "bob@", "type": "work"}]}));
    assert_eq!((work.email, work.unreadable_address), (None, true));
    let read = row(json!({"emails": [
        {"email": "a@x.com", "type": "work"}, {"email": "see file", "type": "personal"},
        {"email": "c@x.com", "type": "personal"}, {"email": "n/a", "type": "personal"},
    ]}));
    assert_eq!(read.emails().count(), 2);
    assert_eq!(
        read.notes,
        ["column “other emails”: part of the text is not an e-mail address"]
    );
}

// Employments.

fn employments(dates: &[(&str, Option<&str>)]) -> Value {
    let one = |(start, end): &(&str, Option<&str>)| json!({"effective_date": start, "end_date": end, "employment_type": "full_time"});
    dates.iter().map(one).collect()
}

#[test]
fn a_person_who_came_back_has_a_row_for_each_tenure() {
    let back = [("2018-01-01", Some("2020-06-30")), ("2024-03-01", None)];
    for fields in [
        json!({"employments": employments(&back)}),
        // The end of the earlier tenure stays in the record.
        json!({"employments": employments(&back), "termination_date": "2020-06-30"}),
        json!({"employments": employments(&[back[1], back[0]]), "start_date": "2018-01-01"}),
    ] {
        let feed = read([employee(1, fields)]);
        assert_eq!(
            shown(&feed),
            "1 1 Blank 2018-01-01 to 2020-06-30\n\
             1 1 Active 2024-03-01 to -\n\
             note: 1 record with several tenures: one row for each tenure\n"
        );
        assert_eq!(feed.rows_in_file(), 2);
    }
}

#[test]
fn a_future_end_belongs_to_the_running_tenure() {
    let back = employments(&[("2018-01-01", Some("2020-06-30")), ("2024-03-01", None)]);
    let feed = read([employee(
        1,
        json!({"employments": back, "termination_date": "2026-12-31"}),
    )]);
    assert_snapshot!(shown(&feed), @r"
    1 1 Blank 2018-01-01 to 2020-06-30
    1 1 Active 2024-03-01 to 2026-12-31
    note: 1 record with several tenures: one row for each tenure
    ");
}

#[test]
fn a_promotion_is_not_the_end_of_work() {
    for dates in [
        &[("2018-01-01", Some("2020-06-30")), ("2020-07-01", None)][..],
        &[("2018-01-01", Some("2020-06-30")), ("2020-06-30", None)],
        &[("2018-01-01", None), ("2020-07-01", None)],
        &[("2018-01-01", None), ("2019-01-01", Some("2019-12-31"))],
    ] {
        let feed = read([employee(1, json!({"employments": employments(dates)}))]);
        assert_eq!(shown(&feed), "1 1 Active 2018-01-01 to -\n", "{dates:?}");
    }
}

#[test]
fn for_a_leaver_the_dates_of_the_record_count() {
    let dates = [
        ("2018-01-01", Some("2020-06-30")),
        ("2024-03-01", Some("2026-10-31")),
    ];
    let fields = json!({
        "employment_status": "inactive", "start_date": "2024-03-01",
        "termination_date": "2026-10-30", "employments": employments(&dates),
    });
    assert_eq!(
        shown(&read([employee(1, fields)])),
        "1 1 Ended 2024-03-01 to 2026-10-30\n"
    );
    // The end of the latest employment counts only if the record has no end.
    let fields = json!({"employment_status": "inactive", "employments": employments(&dates)});
    assert_snapshot!(shown(&read([employee(1, fields)])), @r"
    1 1 Ended 2024-03-01 to 2026-10-31
      note: the end is taken from the latest employment
    ");
}

#[test]
fn if_the_tenure_is_unclear_the_dates_of_the_record_count() {
    let two = [
        ("2018-01-01", Some("2020-06-30")),
        ("2024-03-01", Some("2026-10-31")),
    ];
    for (fields, expected) in [
        // Two ends of one tenure.
        (
            json!({"employments": employments(&two), "termination_date": "2026-12-31"}),
            "1 1 Active 2024-03-01 to 2026-12-31\n",
        ),
        // No status shows whether the later tenure runs.
        (
            json!({
                "employments": employments(&[two[0], ("2024-03-01", None)]),
                "employment_status": null, "termination_date": "2020-06-30",
            }),
            "1 1 Blank 2024-03-01 to 2020-06-30\n",
        ),
        (
            json!({
                "employments": employments(&[two[0], ("2024-03-01", None)]),
                "employment_status": "inactive",
            }),
            "1 1 Ended 2024-03-01 to -\n  note: the status is ended, but an employment continues\n",
        ),
    ] {
        assert_eq!(shown(&read([employee(1, fields)])), expected);
    }
}

#[test]
fn employments_without_a_start_are_not_used() {
    for list in [
        json!([{"end_date": "2020-06-30"}, {"effective_date": "2024-03-01"}]),
        json!([{"effective_date": "2018-01-01", "end_date": "03/04/2020"}]),
        json!([{"effective_date": "2020-01-01", "end_date": "2019-01-01"}]),
        json!([{}]),
        json!(["full_time"]),
    ] {
        let read = row(json!({"employments": list, "termination_date": "2026-10-31"}));
        assert_eq!((read.start, read.end.is_some()), (None, true), "{list}");
        assert_eq!(
            read.notes,
            ["the employments cannot be sorted, so only the employee's own dates count"]
        );
    }
}

// The list as a whole.

#[test]
fn rows_without_record_or_id_are_rejected_by_page_and_row() {
    let feed = read([
        json!(null),
        employee(2, json!({})),
        json!("x"),
        employee(4, json!({"id": null})),
        json!([1]),
    ]);
    assert_snapshot!(shown(&feed), @r"
    2 2 Active - to -
    1 - rejected: page 1, row 1: the element is null, not a record
    3 - rejected: page 1, row 3: the element is a text, not a record
    4 4 rejected: page 1, row 4: the record has no id
    5 - rejected: page 1, row 5: the element is a list, not a record
    ");
}

#[test]
fn a_repeated_record_is_counted_and_a_different_one_is_kept() {
    let feed = read([
        employee(1, json!({})),
        employee(1, json!({})),
        employee(1, json!({"employment_status": "inactive"})),
    ]);
    assert_eq!((feed.rows.len(), feed.duplicate_rows), (2, 1));
    assert_snapshot!(shown(&feed), @r"
    1 1 Active - to -
    3 1 Ended - to -
      note: line 1 has the same id but other values
    note: 2 records with the id of an earlier record
    ");
}

#[test]
fn a_list_that_may_lack_people_is_not_used() {
    let reason = |change: fn(&mut ListedEmployees)| {
        let mut listed = listed([employee(1, json!({}))]);
        change(&mut listed);
        let feed = understood(listed);
        assert_eq!(feed.rows_in_file(), 0);
        assert_eq!(feed.origin.columns.len(), 10);
        feed.unusable.expect("a reason")
    };
    assert_snapshot!(reason(|list| list.is_partial = true), @"Truto marked the list of employees as partial (`is_partial_response`): leavers may be missing");
    assert_snapshot!(reason(|list| list.end = Some(End::RepeatedCursor { page: 3 })), @"the list of employees did not end: page 3 has the cursor of an earlier page");
    assert_snapshot!(reason(|list| list.end = Some(End::TooManyPages)), @"the list of employees did not end: it has more than 10000 pages");
    assert_snapshot!(reason(|list| list.end = None), @"the list of employees was not read to its end");
}

#[test]
fn a_list_that_does_not_show_who_left_is_not_used() {
    let silent = |number| employee(number, json!({"employment_status": null}));
    let feed = read([silent(1), silent(2)]);
    assert_snapshot!(feed.unusable.expect("a reason"), @"no employee has an `employment_status` or a `termination_date`, so the list does not show who left: check which fields Truto maps for this HR system, or set HR_FEED_URL to a file");
    assert_eq!(read([silent(1), employee(2, json!({}))]).unusable, None);
    // An empty list is a feed without rows, which the judgement checks.
    assert_eq!(read([]).unusable, None);
}

/// The reason why a list with these records and an employed person shows no former employees.
fn lacks_former_employees(date: Option<&str>, records: &[Value]) -> Option<String> {
    let settings = HrisSettings {
        may_lack_leavers: false,
        ..settings()
    };
    let works = employee(1, json!({}));
    let listed = ListedEmployees {
        date: date.map(|date| date.parse().expect("an instant")),
        ..listed([works].into_iter().chain(records.iter().cloned()))
    };
    understand(listed, String::new(), None, Vec::new(), &settings).unusable
}

const LISTED_AT: Option<&str> = Some("2026-11-23T22:40:00Z");

#[test]
fn a_list_of_only_employed_people_is_not_used() {
    let reason = lacks_former_employees(LISTED_AT, &[]).expect("a reason");
    assert_snapshot!(reason, @"no employee in the list has left, so former employees may be missing: check which employees Truto lists for this HR system; set `HR_FEED_SCOPE=roster` if it lists everyone employed, or `HR_FEED_ALLOW_EMPTY=true` if no one has left");
    let came_back = [("2018-01-01", Some("2020-06-30")), ("2024-03-01", None)];
    let promoted = [("2018-01-01", Some("2020-06-30")), ("2020-07-01", None)];
    for works in [
        json!({"employments": employments(&came_back)}),
        json!({"termination_date": "2099-01-01"}),
        json!({"termination_date": "2020-06-30"}),
        json!({"employment_status": "inactive", "termination_date": "2026-11-24"}),
        json!({"employment_status": null, "termination_date": "2026-11-24"}),
        json!({"employment_status": null, "employments": employments(&promoted)}),
        json!({"employment_status": "on_leave", "employments": employments(&came_back)}),
        json!({"employment_status": "T"}),
    ] {
        let reason = lacks_former_employees(LISTED_AT, &[employee(2, works.clone())]);
        assert!(reason.is_some(), "{works}");
    }
    for left in [
        json!({"employment_status": "inactive"}),
        json!({"employment_status": "inactive", "termination_date": "2026-11-22"}),
        json!({"employment_status": null, "termination_date": "2026-11-22"}),
        json!({"employment_status": "T", "termination_date": "2026-10-31"}),
        json!({"employment_status": null, "employments": employments(&came_back[..1])}),
    ] {
        let reason = lacks_former_employees(LISTED_AT, &[employee(2, left.clone())]);
        assert_eq!(reason, None, "{left}");
    }
    // An empty list is a feed without rows, which the judgement checks.
    assert_eq!(read([]).unusable, None);
}

#[test]
fn in_a_list_without_a_date_only_a_status_shows_leavers() {
    let dated = json!({"employment_status": null, "termination_date": "2020-06-30"});
    assert!(lacks_former_employees(None, &[employee(2, dated)]).is_some());
    for end in [Value::Null, json!("2020-06-30")] {
        let ended = json!({"employment_status": "inactive", "termination_date": end});
        assert_eq!(lacks_former_employees(None, &[employee(2, ended)]), None);
    }
}

#[test]
fn an_unreadable_record_is_not_a_leaver_and_is_reported() {
    let date = json!({"employment_status": "inactive", "termination_date": "03/04/2026"});
    let reason = lacks_former_employees(LISTED_AT, &[employee(2, date)]);
    assert_snapshot!(reason.expect("a reason"), @"no employee in the list has left, so former employees may be missing: check which employees Truto lists for this HR system; set `HR_FEED_SCOPE=roster` if it lists everyone employed, or `HR_FEED_ALLOW_EMPTY=true` if no one has left; one record cannot be read and may be a leaver: page 1, row 2: column “termination_date, else employments.end_date”: “03/04/2026” could be 3 April or March 4; closes with: `HR_FEED_DATE_ORDER=<dmy or mdy>`");
}

#[test]
fn an_answer_without_a_date_has_no_age() {
    let feed = understood(ListedEmployees {
        date: None,
        ..listed([employee(1, json!({}))])
    });
    assert_eq!(feed.origin.modified_at, None);
    assert_eq!(feed.origin.age_basis, AgeBasis::Unknown);
}

const DATES: [&str; 6] = [
    "2018-01-01",
    "2020-06-30",
    "2026-10-31",
    "31.12.2026",
    "x",
    "",
];

fn any_field() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z@. ;]{0,9}".prop_map(Value::from),
        proptest::sample::select(&DATES[..]).prop_map(Value::from),
        proptest::collection::vec((0..6_usize, 0..6_usize), 0..4).prop_map(|spans| {
            let one = |(start, end): (usize, usize)| {
                json!({"effective_date": DATES[start], "end_date": DATES[end], "email": "a@x.com"})
            };
            spans.into_iter().map(one).collect()
        }),
    ]
}

proptest! {
    /// With any fields, every record is in exactly one count, and no row has an end before its start unless the record has
    /// one.
    #[test]
    fn every_record_is_accounted_for(
        records in proptest::collection::vec(proptest::collection::vec(any_field(), 10), 0..6),
    ) {
        let names = [
            "id", "employee_number", "emails", "employment_status", "start_date",
            "termination_date", "employments", "work_location", "job_title", "groups",
        ];
        let records: Vec<Value> = records
            .into_iter()
            .map(|fields| names.into_iter().map(str::to_owned).zip(fields).collect())
            .collect();
        let count = records.len() as u64;
        let feed = read(records);
        if feed.unusable.is_none() {
            let of_line = |line: u64| {
                let rows = feed.rows.iter().filter(|row| row.line == line).count();
                rows + feed.rejected.iter().filter(|row| row.line == line).count()
            };
            let missing = (1..=count).filter(|line| of_line(*line) == 0).count() as u64;
            prop_assert!(missing <= feed.duplicate_rows);
            prop_assert!(feed.rows_in_file() >= count);
        }
    }
}
