//! JSON documents that are one page of several, claim to be complete, or hold two lists.

use crate::situations::company::Company;
use crate::situations::must::{Case, Must, case, ensure_each, ensure_that};

use Must::{Accuse, Pass, Refuse};

/// A person who left long ago. A page with only this person would pass.
const GONE: &str =
    r#"{"id": "E900", "email": "x@acme.example", "status": "Terminated", "endDate": "{D-20}"}"#;
const LEAVER: &str =
    r#"{"id": "E10", "email": "user10@acme.example", "status": "Terminated", "endDate": "{D-20}"}"#;

/// `PEOPLE` in the text is the list of people.
fn page(text: &str, must: Must, person: &str) -> Case {
    case(text, must, text.replace("PEOPLE", &format!("[{person}]")))
}

#[test]
fn a_page_that_names_a_next_one_is_refused() {
    ensure_each(
        [
            r#"{"data": PEOPLE, "next": "/employees?page=2"}"#,
            r#"{"data": PEOPLE, "next_page": 2}"#,
            r#"{"data": PEOPLE, "nextPage": 2}"#,
            r#"{"data": PEOPLE, "next_page_url": "https://hr.example/e?page=2"}"#,
            r#"{"data": PEOPLE, "nextPageToken": "abc"}"#,
            r#"{"data": PEOPLE, "next_page_token": "abc"}"#,
            r#"{"data": PEOPLE, "nextCursor": "abc"}"#,
            r#"{"data": PEOPLE, "next_cursor": "abc"}"#,
            r#"{"data": PEOPLE, "cursor": "abc"}"#,
            r#"{"data": PEOPLE, "paging": {"next": "abc"}}"#,
            r#"{"data": PEOPLE, "paging": {"cursors": {"after": "abc"}}}"#,
            r#"{"data": PEOPLE, "pagination": {"next_url": "https://hr.example/e?page=2"}}"#,
            r#"{"data": PEOPLE, "links": {"next": "https://hr.example/e?page=2"}}"#,
            r#"{"data": PEOPLE, "links": [{"rel": "self", "href": "/e"}, {"rel": "next", "href": "/e?page=2"}]}"#,
            r#"{"data": PEOPLE, "_links": {"next": {"href": "/e?page=2"}}}"#,
            r#"{"data": PEOPLE, "_meta": {"links": {"next": {"href": "/e?page=2"}}}}"#,
            r#"{"data": PEOPLE, "meta": {"next_offset": 50}}"#,
            r#"{"data": PEOPLE, "response_metadata": {"next_cursor": "abc"}}"#,
            r#"{"value": PEOPLE, "@odata.nextLink": "https://hr.example/e?$skiptoken=abc"}"#,
            r#"{"value": PEOPLE, "odata.nextLink": "https://hr.example/e?$skiptoken=abc"}"#,
            r#"{"items": PEOPLE, "nextSyncToken": null, "continuationToken": "abc"}"#,
            r#"{"employees": PEOPLE, "nextUri": "/e?page=2"}"#,
            r#"{"employees": PEOPLE, "after": "abc"}"#,
            r#"{"results": PEOPLE, "scrollId": "abc"}"#,
            r#"{"workers": PEOPLE, "marker": "abc", "isTruncated": true}"#,
        ]
        .map(|text| page(text, Refuse, GONE)),
    );
}

#[test]
fn a_page_that_is_marked_as_not_the_last_is_refused() {
    ensure_each(
        [
            r#"{"data": PEOPLE, "hasMore": true}"#,
            r#"{"data": PEOPLE, "has_more": true}"#,
            r#"{"data": PEOPLE, "has_more_items": true}"#,
            r#"{"data": PEOPLE, "hasNext": true}"#,
            r#"{"data": PEOPLE, "has_next_page": true}"#,
            r#"{"data": PEOPLE, "moreResults": true}"#,
            r#"{"data": PEOPLE, "more": true}"#,
            r#"{"data": PEOPLE, "meta": {"more": true}}"#,
            r#"{"data": PEOPLE, "last": false}"#,
            r#"{"data": PEOPLE, "isLast": false}"#,
            r#"{"data": PEOPLE, "is_last": false}"#,
            r#"{"data": PEOPLE, "isLastPage": false}"#,
            r#"{"data": PEOPLE, "last_page": false}"#,
            r#"{"data": PEOPLE, "complete": false}"#,
            r#"{"data": PEOPLE, "truncated": true}"#,
            r#"{"data": PEOPLE, "partial": true}"#,
            r#"{"data": PEOPLE, "isPartialResponse": true}"#,
            r#"{"data": PEOPLE, "hasMore": "true"}"#,
            r#"{"data": PEOPLE, "hasMore": 1}"#,
        ]
        .map(|text| page(text, Refuse, GONE)),
    );
}

#[test]
fn a_page_that_counts_more_people_than_it_has_is_refused() {
    ensure_each(
        [
            r#"{"data": PEOPLE, "total": 250}"#,
            r#"{"data": PEOPLE, "total": "250"}"#,
            r#"{"data": PEOPLE, "totalCount": 250}"#,
            r#"{"data": PEOPLE, "total_count": 250}"#,
            r#"{"data": PEOPLE, "totalResults": 250}"#,
            r#"{"data": PEOPLE, "total_results": 250}"#,
            r#"{"data": PEOPLE, "totalRecords": 250}"#,
            r#"{"data": PEOPLE, "total_records": 250}"#,
            r#"{"data": PEOPLE, "totalItems": 250}"#,
            r#"{"data": PEOPLE, "totalRows": 250}"#,
            r#"{"data": PEOPLE, "total_rows": 250}"#,
            r#"{"data": PEOPLE, "totalElements": 250}"#,
            r#"{"data": PEOPLE, "recordCount": 250}"#,
            r#"{"data": PEOPLE, "count": 250}"#,
            r#"{"value": PEOPLE, "@odata.count": 250}"#,
            r#"{"d": {"__count": "250", "results": PEOPLE}}"#,
            r#"{"data": PEOPLE, "pageCount": 5}"#,
            r#"{"data": PEOPLE, "page_count": 5}"#,
            r#"{"data": PEOPLE, "totalPages": 5}"#,
            r#"{"data": PEOPLE, "pages": 5}"#,
            r#"{"data": PEOPLE, "page": 1, "lastPage": 5}"#,
            r#"{"data": PEOPLE, "meta": {"current_page": 1, "last_page": 5}}"#,
            r#"{"data": PEOPLE, "meta": {"pagination": {"page": 1, "pages": 5}}}"#,
            r#"{"meta": {"page": {"total": 250}}, "data": PEOPLE}"#,
            r#"{"data": {"people": {"totalCount": 250, "nodes": PEOPLE}}}"#,
        ]
        .map(|text| page(text, Refuse, GONE)),
    );
}

#[test]
fn a_document_that_is_marked_as_complete_is_read() {
    ensure_each(
        [
            r#"PEOPLE"#,
            r#"{"data": PEOPLE}"#,
            r#"{"data": PEOPLE, "total": 1}"#,
            r#"{"data": PEOPLE, "meta": {"total_count": 1, "total_pages": 1, "current_page": 1}}"#,
            r#"{"data": PEOPLE, "hasMore": false, "cursor": "abc"}"#,
            r#"{"data": PEOPLE, "pageInfo": {"hasNextPage": false, "endCursor": "abc", "startCursor": "abc"}}"#,
            r#"{"data": PEOPLE, "isLast": true, "nextPageToken": ""}"#,
            r#"{"data": PEOPLE, "links": {"self": "/e", "next": null}}"#,
            r#"{"data": PEOPLE, "errors": [], "warnings": [], "included": []}"#,
            r#"{"data": PEOPLE, "links": [{"rel": "self", "href": "/e"}]}"#,
            r#"{"data": PEOPLE, "page": 1, "per_page": 50, "total": 1}"#,
            r#"{"totalResults": 1, "startIndex": 1, "itemsPerPage": 100, "Resources": PEOPLE}"#,
            r#"{"data": PEOPLE, "last": true, "totalPages": 1, "number": 0, "size": 50}"#,
            r#"{"data": {"employees": {"nodes": PEOPLE, "pageInfo": {"hasNextPage": false}}}, "errors": []}"#,
        ]
        .map(|text| page(text, Accuse("user10"), LEAVER)),
    );
}

#[test]
fn numbers_inside_of_a_person_are_not_page_markers() {
    let person = r#"{"id": "E10", "email": "user10@acme.example", "status": "Terminated", "endDate": "{D-20}",
        "count": 12, "total": 4500, "next": "x", "pto": {"total": 25, "hasMore": true}, "page": {"cursor": "abc"}}"#;
    ensure_each([page(r#"{"data": PEOPLE}"#, Accuse("user10"), person)]);
}

#[test]
fn two_lists_of_people_are_refused_with_both_names() {
    let cases = [
        ("workers", "contingentWorkers"),
        ("employees", "formerEmployees"),
        ("active", "terminated"),
        ("data", "included"),
        ("staff", "freelancers"),
    ]
    .map(|(one, other)| {
        case(
            format!("{one} and {other}"),
            Refuse,
            format!(
                r#"{{"{one}": [{GONE}], "{other}": [{}]}}"#,
                LEAVER.replace("E10", "C10")
            ),
        )
        .also(move |run| {
            let check = run.check("hr_rows_accounted");
            let names_both = check.contains(one) && check.contains(other);
            if names_both {
                Ok(())
            } else {
                Err(format!("not both are named: {check}"))
            }
        })
    });
    ensure_each(cases);
}

#[test]
fn lists_that_are_selected_are_read() {
    let text = format!(
        r#"{{"employees": [{GONE}], "contractors": [{LEAVER}], "former": {{"people": [{GONE}]}}}}"#
    );
    ensure_each([
        case("both lists", Accuse("user10"), &text)
            .company(|company| company.env("HR_FEED_RECORDS", "employees,contractors")),
        case("a list further down", Accuse("user10"), &text).company(|company| {
            company.env("HR_FEED_RECORDS", "employees, contractors, former.people")
        }),
        case("one list", Pass, &text)
            .company(|company| company.env("HR_FEED_RECORDS", "employees")),
        case("a list that is missing", Refuse, &text)
            .company(|company| company.env("HR_FEED_RECORDS", "employees,freelancers")),
    ]);
}

#[test]
fn a_selected_list_does_not_hide_a_next_page() {
    let text = format!(r#"{{"employees": [{GONE}], "contractors": [], "hasMore": true}}"#);
    let run = Company::new()
        .env("HR_FEED_RECORDS", "employees")
        .run(&text);
    ensure_that(run.verdict() == "inconclusive", "inconclusive", &run);
}

#[test]
fn a_truncated_or_error_document_is_refused() {
    ensure_each([
        page(r#"{"data": PEOPLE"#, Refuse, GONE),
        page(
            r#"{"data": PEOPLE}{"data": PEOPLE, "next": "x"}"#,
            Refuse,
            GONE,
        ),
        page(
            r#"{"data": [], "error": "insufficient permissions"}"#,
            Refuse,
            GONE,
        ),
        page(r#"{"error": "insufficient permissions"}"#, Refuse, GONE),
        page(r#"{"message": "Unauthorized"}"#, Refuse, GONE),
        case(
            "JSON lines with a cursor below",
            Must::Report("user10"),
            format!("{GONE}\n{{\"cursor\": \"abc\"}}\n"),
        ),
        case(
            "JSON lines cut in the middle",
            Refuse,
            format!("{GONE}\n{{\"id\": \"E10\", \"email\": \"use"),
        ),
    ]);
}

/// Line breaks between people do not make the document JSON Lines.
#[test]
fn a_document_may_have_one_person_a_line() {
    ensure_each([
        case(
            "in an envelope",
            Accuse("user10"),
            format!("{{\"data\": [\n{GONE},\n{LEAVER}\n]}}\n"),
        ),
        case(
            "in a list",
            Accuse("user10"),
            format!("[\n{GONE},\n{LEAVER}\n]\n"),
        ),
        case(
            "indented",
            Accuse("user10"),
            format!("{{\n  \"data\": [\n    {GONE},\n    {LEAVER}\n  ]\n}}\n"),
        ),
        case(
            "the first beside the key",
            Accuse("user10"),
            format!("{{\"data\": [{GONE},\n{LEAVER}]}}\n"),
        ),
        case(
            "JSON Lines",
            Accuse("user10"),
            format!("{GONE}\n{LEAVER}\n"),
        ),
    ]);
}

#[test]
fn a_person_may_be_an_edge_a_row_or_a_value() {
    ensure_each([
        case(
            "edges",
            Accuse("user10"),
            format!(
                r#"{{"data": {{"employees": {{"edges": [{{"node": {LEAVER}}}], "pageInfo": {{"hasNextPage": false}}}}}}}}"#
            ),
        ),
        case(
            "Workday's report",
            Accuse("user10"),
            r#"{"Report_Entry": [{"Employee_ID": "E10",
            "Primary_Work_Email": "user10@acme.example", "Worker_Status": "Terminated",
            "Termination_Date": "{D-20}"}]}"#,
        ),
        case(
            "labels and values",
            Accuse("user10"),
            r#"{"data": [{"type": "Employee", "attributes": {
            "id": {"label": "ID", "value": 10}, "email": {"label": "Email", "value": "user10@acme.example"},
            "status": {"label": "Status", "value": "inactive"},
            "termination_date": {"label": "Termination date", "value": "{D-20}T00:00:00+01:00"}}}]}"#,
        ),
        case(
            "addresses as a list",
            Accuse("user10"),
            r#"{"Resources": [{"externalId": "E10",
            "emails": [{"value": "user10@acme.example", "type": "work", "primary": true}],
            "active": false, "endDate": "{D-20}"}], "totalResults": 1}"#,
        ),
    ]);
}
