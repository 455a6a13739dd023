//! Variants of reported inputs: other vendors, languages, spellings and mistakes.
//!
//! Each kind is a table. A test tries the whole table and lists every input that fails.

mod accounts;
mod addresses;
mod columns;
mod dates;
mod documents;
mod pages;
mod people;
mod rows;
mod statuses;
mod suspicions;

/// A feed of the usual columns with these rows and a leaver of long ago.
fn usual(rows: &str) -> String {
    format!(
        "Employee ID,Name,Work Email,Status,Hire Date,Termination Date\n{rows}\n\
         E900,Gil Hay,x@acme.example,Terminated,2018-01-01,{{D-200}}\n"
    )
}
