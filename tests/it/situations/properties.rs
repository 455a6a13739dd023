//! Rules for every feed, tested on generated companies.

use crate::situations::company::{Company, filled};
use crate::situations::must::Failures;
use crate::support::chance::Chance;

// ---- A renamed column ----

/// The columns of a generated feed, with the content of their cells.
const COLUMNS: [&str; 8] = [
    "Employee ID",
    "Name",
    "Work Email",
    "Status",
    "Hire Date",
    "Termination Date",
    "Last Day of Work",
    "Location",
];

/// Names that are in no list of column names.
const UNKNOWN: [&str; 6] = ["Feld 7", "Qx", "colonne_b", "Col. 12", "X1", "備考"];

/// The rows of one company. Each leaver leaves in a random way, and random cells are blank.
fn generated(chance: &mut Chance) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let named = chance.between(4, 15) as usize;
    let leaver = chance.between(1, named as u64 - 1) as usize;
    let has_others = chance.between(0, 2) == 0;
    for number in 0..named {
        let has_left = number == leaver || has_others && chance.between(0, 9) == 0;
        let days = chance.between(3, 300);
        let end = format!("{{D-{days}}}");
        // A leaver has a status, a date, or both. The date is in one or two columns.
        let shape = chance.between(0, 4);
        let (status, termination, last_day) = match (has_left, shape) {
            (false, _) => ("Active", "", ""),
            (true, 0) => ("Terminated", end.as_str(), ""),
            (true, 1) => ("Terminated", "", end.as_str()),
            (true, 2) => ("Inactive", end.as_str(), end.as_str()),
            (true, 3) => ("", end.as_str(), ""),
            (true, _) => ("Left", end.as_str(), end.as_str()),
        };
        rows.push(vec![
            format!("R{number}"),
            format!("User {number}"),
            format!("user{number}@acme.example"),
            status.to_owned(),
            format!("20{:02}-01-15", chance.between(10, 19)),
            termination.to_owned(),
            last_day.to_owned(),
            chance.one_of(&["Berlin", "Lyon", ""]).to_owned(),
        ]);
    }
    rows
}

fn csv(columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = columns.join(",") + "\n";
    for row in rows {
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

fn json(columns: &[&str], rows: &[Vec<String>]) -> String {
    let record = |row: &Vec<String>| {
        let cells = columns
            .iter()
            .zip(row)
            .map(|(column, cell)| format!("{column:?}: {cell:?}"));
        format!("{{{}}}", cells.collect::<Vec<_>>().join(", "))
    };
    format!(
        "{{\"employees\": [{}]}}",
        rows.iter().map(record).collect::<Vec<_>>().join(", ")
    )
}

#[test]
fn a_renamed_column_never_turns_a_failure_into_an_unexplained_pass() {
    let mut failures = Failures::default();
    let mut chance = Chance(1);
    for number in 0..14 {
        let rows = generated(&mut chance);
        let scope = chance.one_of(&["leavers", "roster"]);
        let write = chance.one_of(&[csv, csv, json]);
        let run = |columns: &[&str]| {
            Company::new()
                .env("HR_FEED_SCOPE", scope)
                .run(&write(columns, &rows))
        };
        let whole = run(&COLUMNS);
        if whole.verdict() != "fail" {
            failures.add(
                &format!("company {number}"),
                Err(format!("it fails as it is\n    {}", whole.summary())),
            );
            continue;
        }
        for at in 0..COLUMNS.len() {
            let mut columns = COLUMNS;
            columns[at] = UNKNOWN[chance.between(0, UNKNOWN.len() as u64 - 1) as usize];
            let run = run(&columns);
            let is_named = run.check("hr_columns").contains(columns[at]);
            let result = match run.verdict().starts_with("pass") && !is_named {
                true => Err(format!("it passes\n    {}", run.summary())),
                false => Ok(()),
            };
            failures.add(
                &format!(
                    "company {number}, {} as {}, {scope}",
                    COLUMNS[at], columns[at]
                ),
                result,
            );
        }
    }
    failures.ensure_none();
}

#[test]
fn a_removed_address_or_status_column_never_clears_a_leaver() {
    let mut failures = Failures::default();
    let mut chance = Chance(2);
    for number in 0..8 {
        let rows = generated(&mut chance);
        for at in [2, 3] {
            let columns: Vec<&str> = COLUMNS
                .iter()
                .enumerate()
                .filter(|(place, _)| *place != at)
                .map(|(_, name)| *name)
                .collect();
            let rows: Vec<Vec<String>> = rows
                .iter()
                .map(|row| {
                    row.iter()
                        .enumerate()
                        .filter(|(place, _)| *place != at)
                        .map(|(_, cell)| cell.clone())
                        .collect()
                })
                .collect();
            let run = Company::new().run(&csv(&columns, &rows));
            let result = match run.verdict().starts_with("pass") {
                true => Err(format!("it passes\n    {}", run.summary())),
                false => Ok(()),
            };
            failures.add(&format!("company {number} without {}", COLUMNS[at]), result);
        }
    }
    failures.ensure_none();
}

// ---- A mistake in one cell ----

/// The results of a typing mistake in a cell, if they differ from it.
fn mistakes_in(cell: &str) -> Vec<String> {
    let mut short = filled(cell);
    short.pop();
    let mut mistakes: Vec<String> = ["", "#N/A", "?"].map(str::to_owned).to_vec();
    if !cell.is_empty() {
        mistakes.extend([
            short,
            format!("{}x", filled(cell)),
            format!("{};", filled(cell)),
        ]);
    }
    mistakes.retain(|mistake| *mistake != cell);
    mistakes
}

#[test]
fn a_mistake_in_one_cell_of_a_leaver_never_passes() {
    let mut failures = Failures::default();
    let mut chance = Chance(4);
    for shape in 0..5 {
        // One leaver among people who work here. Their names are those of their accounts.
        let mut rows = generated(&mut chance);
        let end = format!("{{D-{}}}", chance.between(3, 300));
        rows.truncate(4);
        for row in &mut rows {
            row[3..7].clone_from_slice(&["Active", "2015-01-15", "", ""].map(str::to_owned));
        }
        let (status, termination, last_day) = [
            ("Terminated", end.as_str(), ""),
            ("Terminated", "", end.as_str()),
            ("Inactive", end.as_str(), end.as_str()),
            ("", end.as_str(), ""),
            ("Left", end.as_str(), end.as_str()),
        ][shape];
        let leaver = [status, "2015-01-15", termination, last_day].map(str::to_owned);
        rows[3][3..7].clone_from_slice(&leaver);
        for at in 0..7 {
            for mistake in mistakes_in(&rows[3][at]) {
                // Without a status and a date, the row does not say that the person left.
                let mut edited = rows.clone();
                edited[3][at].clone_from(&mistake);
                if edited[3][3].is_empty() && edited[3][5].is_empty() && edited[3][6].is_empty() {
                    continue;
                }
                let run = Company::new().run(&csv(&COLUMNS, &edited));
                let result = match run.verdict().starts_with("pass") {
                    true => Err(format!("it passes\n    {}", run.summary())),
                    false => Ok(()),
                };
                let (column, was) = (COLUMNS[at], &rows[3][at]);
                failures.add(
                    &format!(
                        "{column}: {was} becomes {mistake}, in {}",
                        rows[3].join(",")
                    ),
                    result,
                );
            }
        }
    }
    failures.ensure_none();
}

// ---- Order ----

#[test]
fn the_order_of_rows_and_columns_changes_no_finding() {
    let mut failures = Failures::default();
    let mut chance = Chance(3);
    for number in 0..10 {
        let rows = generated(&mut chance);
        let whole = Company::new().run(&csv(&COLUMNS, &rows));
        let mut order: Vec<usize> = (0..COLUMNS.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, chance.between(0, at as u64) as usize);
        }
        let columns: Vec<&str> = order.iter().map(|at| COLUMNS[*at]).collect();
        let mut shuffled: Vec<Vec<String>> = rows
            .iter()
            .map(|row| order.iter().map(|at| row[*at].clone()).collect())
            .collect();
        shuffled.reverse();
        let other = Company::new().run(&csv(&columns, &shuffled));
        let result = match whole.accused() == other.accused() && whole.verdict() == other.verdict()
        {
            true => Ok(()),
            false => Err(format!(
                "{}\n    but in order\n    {}",
                other.summary(),
                whole.summary()
            )),
        };
        failures.add(&format!("company {number}"), result);
    }
    failures.ensure_none();
}

// ---- Pages ----

/// Markers of a next page.
const MARKERS: [&str; 42] = [
    r#""next": "/e?page=2""#,
    r#""next": {"href": "/e?page=2"}"#,
    r#""__next": "https://hr.example/e?$skiptoken=1""#,
    r#""next_page": 2"#,
    r#""nextPage": "2""#,
    r#""next_url": "/e?page=2""#,
    r#""nextUrl": "/e?page=2""#,
    r#""nextLink": "/e?page=2""#,
    r#""@odata.nextLink": "/e?page=2""#,
    r#""nextPageToken": "abc""#,
    r#""next_page_token": "abc""#,
    r#""nextToken": "abc""#,
    r#""NextToken": "abc""#,
    r#""next_cursor": "abc""#,
    r#""nextCursor": "abc""#,
    r#""cursor": "abc""#,
    r#""endCursor": "abc""#,
    r#""continuation": "abc""#,
    r#""continuationToken": "abc""#,
    r#""pageToken": "abc""#,
    r#""hasMore": true"#,
    r#""has_more": true"#,
    r#""hasNext": true"#,
    r#""hasNextPage": true"#,
    r#""has_next_page": true"#,
    r#""moreAvailable": true"#,
    r#""last": false"#,
    r#""isLast": false"#,
    r#""is_last": false"#,
    r#""is_last_page": false"#,
    r#""total": 250"#,
    r#""Total": 250"#,
    r#""totalCount": 250"#,
    r#""total_count": 250"#,
    r#""totalResults": 250"#,
    r#""total_rows": 250"#,
    r#""totalElements": "250""#,
    r#""total_records": 250"#,
    r#""totalPages": 5"#,
    r#""total_pages": 5"#,
    r#""page_count": 5"#,
    r#""links": [{"rel": "next", "href": "/e?page=2"}]"#,
];

/// The places of the marker.
const PLACES: [&str; 6] = [
    r#"{"data": PEOPLE, MARKER}"#,
    r#"{MARKER, "employees": PEOPLE}"#,
    r#"{"data": PEOPLE, "meta": {MARKER}}"#,
    r#"{"data": PEOPLE, "response": {"meta": {"paging": {MARKER}}}}"#,
    r#"{"data": {"employees": {"items": PEOPLE, MARKER}}}"#,
    r#"{"d": {"results": PEOPLE}, "page": {"info": {MARKER}}}"#,
];

#[test]
fn a_page_of_several_never_passes() {
    let people = filled(
        r#"[{"id": "E900", "email": "x@acme.example", "status": "Terminated", "endDate": "{D-20}"}, {"id": "E901", "email": "y@acme.example", "status": "Terminated", "endDate": "{D-30}"}]"#,
    );
    let mut failures = Failures::default();
    for (number, marker) in MARKERS.iter().enumerate() {
        // Every marker in two places, every place with many markers.
        for place in [PLACES[number % 6], PLACES[(number / 6 + number + 1) % 6]] {
            let text = place.replace("MARKER", marker).replace("PEOPLE", &people);
            let run = Company::new().run(&text);
            let result = match run.verdict().starts_with("pass") {
                true => Err("it passes".to_owned()),
                false => Ok(()),
            };
            failures.add(&place.replace("MARKER", marker), result);
        }
    }
    failures.ensure_none();
}
