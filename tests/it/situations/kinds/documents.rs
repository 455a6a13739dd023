//! JSON documents of various shapes, with people, dates, states and addresses.

use crate::situations::must::{Case, Must, case, ensure_each};

use Must::{Accuse, Report};

const GONE: &str =
    r#"{"id": "E900", "email": "x@acme.example", "status": "Terminated", "endDate": "{D-200}"}"#;
const LEAVER: &str =
    r#"{"id": "E10", "email": "user10@acme.example", "status": "Terminated", "endDate": "{D-20}"}"#;

/// `GONE` and `LEAVER` in the text are people.
fn document(must: Must, text: &str) -> Case {
    case(
        text,
        must,
        text.replace("GONE", GONE).replace("LEAVER", LEAVER),
    )
}

/// Ben's record with these fields, beside a leaver of long ago.
fn record(must: Must, fields: &str) -> Case {
    case(
        fields,
        must,
        format!("[{GONE}, {{\"id\": \"E10\", {fields}}}]"),
    )
}

#[test]
fn deeply_nested_people_are_read_or_refused() {
    ensure_each(
        [
            r#"{"employees": {"E900": GONE, "E10": LEAVER}}"#,
            r#"{"departments": [{"name": "A", "employees": [GONE]}, {"name": "B", "employees": [LEAVER]}]}"#,
            r#"[[GONE], [LEAVER]]"#,
            r#"[{"employee": GONE}, {"employee": LEAVER}]"#,
            r#"[{"employee": GONE}, {"contractor": LEAVER}]"#,
            r#"[GONE, [LEAVER]]"#,
            r#"[GONE, null, LEAVER]"#,
            r#"[GONE, {"id": "E1", "email": "m@acme.example", "status": "Terminated", "endDate": "{D-90}", "reports": [LEAVER]}]"#,
            r#"{"employees": [GONE], "removed": [{"id": "E10", "email": "user10@acme.example"}]}"#,
            r#"{"employees": [GONE], "page2": {"employees": [LEAVER]}}"#,
            r#"{"employees": [GONE], "errors": [{"id": "E10", "message": "record could not be exported"}]}"#,
            r#"{"current": [], "former": [GONE], "recentlyTerminated": [LEAVER]}"#,
            r#"[GONE][LEAVER]"#,
            r#"[GONE, LEAVER,]"#,
            r#"{"data": "[LEAVER]", "employees": [GONE]}"#,
        ]
        .map(|text| document(Report("user10"), text)),
    );
}

#[test]
fn an_end_of_any_type_does_not_pass() {
    let with =
        |end: &str| format!(r#""email": "user10@acme.example", "status": "Terminated", {end}"#);
    ensure_each(
        [
            r#""endDate": "{D-20}T00:00:00.000+0000""#,
            r#""endDate": {D-20|seconds}000"#,
            r#""endDate": {D-20|seconds}"#,
            r#""endDate": {D-20|%Y%m%d}"#,
            r#""endDate": {"date": "{D-20}"}"#,
            r#""endDate": {"value": "{D-20}"}"#,
            r#""endDate": {"year": 2026, "month": 11, "day": 3}"#,
            r#""endDate": ["{D-20}"]"#,
            r#""endDate": [2026, 11, 3]"#,
            r#""endDate": null"#,
            r#""endDate": false"#,
            r#""endDate": true"#,
            r#""endDate": """#,
            r#""endDate": 0"#,
            r#""endDate": -62135596800000"#,
            r#""endDate": 253402300799000"#,
            r#""endDate": null, "endDate": "{D-20}""#,
            r#""endDate": "{D-20}", "endDate": null"#,
            r#""employments": [{"startDate": "2015-01-01", "endDate": "2018-01-01"}, {"startDate": "2019-01-01", "endDate": "{D-20}"}]"#,
        ]
        .map(|end| record(Report("user10"), &with(end))),
    );
}

#[test]
fn a_state_of_any_type_does_not_pass() {
    let with = |state: &str| format!(r#""email": "user10@acme.example", {state}"#);
    ensure_each(
        [
            r#""status": {"value": "Terminated"}"#,
            r#""status": {"id": 3, "name": "Terminated"}"#,
            r#""status": ["Terminated"]"#,
            r#""status": ["Active", "Terminated"]"#,
            r#""status": false"#,
            r#""status": 0"#,
            r#""status": "Active", "status": "Terminated""#,
            r#""status": "Terminated", "status": "Active""#,
            r#""status": "Active", "endDate": "{D-20}""#,
            r#""status": null, "endDate": "{D-20}""#,
            r#""active": false"#,
            r#""active": "false""#,
            r#""active": 0"#,
            r#""isActive": {"value": false}"#,
            r#""status": "Active", "isActive": false"#,
        ]
        .map(|state| record(Report("user10"), &with(state))),
    );
}

#[test]
fn an_address_of_any_type_does_not_pass() {
    let with = |email: &str| format!(r#"{email}, "status": "Terminated", "endDate": "{{D-20}}""#);
    ensure_each(
        [
            r#""email": {"value": "user10@acme.example"}"#,
            r#""email": {"address": "user10@acme.example", "type": "work"}"#,
            r#""email": ["user10@acme.example"]"#,
            r#""email": ["ben@home.example", "user10@acme.example"]"#,
            r#""email": [{"type": "home", "value": "ben@home.example"}, {"type": "work", "value": "user10@acme.example"}]"#,
            r#""email": null, "mail": "user10@acme.example""#,
            r#""workEmail": "user10@acme.example", "email": "ben@home.example""#,
            r#""email": "ben@home.example", "contact": {"work": {"email": "user10@acme.example"}}"#,
            r#""email": "ben@home.example", "accounts": [{"provider": "google", "login": "user10@acme.example"}]"#,
            r#""email": null"#,
            r#""email": 10"#,
            r#""email": """#,
            r#""email": "null""#,
            r#""email": "user10@acme.example", "email": null"#,
            r#""email": null, "email": "user10@acme.example""#,
        ]
        .map(|email| record(Report("user10"), &with(email))),
    );
}

#[test]
fn a_record_with_other_keys_than_the_rest_does_not_pass() {
    ensure_each(
        [
            r#"{"id": "E10", "mail": "user10@acme.example", "status": "Terminated", "endDate": "{D-20}"}"#,
            r#"{"id": "E10", "work_email": "user10@acme.example", "status": "Terminated", "terminated_on": "{D-20}"}"#,
            r#"{"ID": "E10", "EMAIL": "user10@acme.example", "STATUS": "Terminated", "ENDDATE": "{D-20}"}"#,
            r#"{"id": "E10", "email": "user10@acme.example", "state": "Terminated", "left": "{D-20}"}"#,
            r#"{"contractorId": "C10", "login": "user10@acme.example", "until": "{D-20}"}"#,
            r#"{"id": "E10", "email": "user10@acme.example", "employment": {"status": "Terminated", "endDate": "{D-20}"}}"#,
            r#"{"person": {"id": "E10", "email": "user10@acme.example"}, "job": {"status": "Terminated", "endDate": "{D-20}"}}"#,
        ]
        .map(|text| case(text, Report("user10"), format!("[{GONE}, {text}]"))),
    );
}

#[test]
fn a_document_in_any_usual_shape_is_read() {
    ensure_each(
        [
            r#"[GONE, LEAVER]"#,
            r#"{"employees": [GONE, LEAVER]}"#,
            r#"{"data": {"items": [GONE, LEAVER]}}"#,
            r#"{"d": {"results": [GONE, LEAVER]}}"#,
            r#"{"Report_Entry": [GONE, LEAVER]}"#,
            r#"{"title": "Leavers", "fields": [{"id": "a", "name": "A"}], "employees": [GONE, LEAVER]}"#,
            r#"{"data": [{"attributes": GONE}, {"attributes": LEAVER}]}"#,
            r#"{"request": {"filters": [{"field": "status", "value": "Terminated"}]}, "data": [GONE, LEAVER]}"#,
        ]
        .map(|text| document(Accuse("user10"), text)),
    );
}
