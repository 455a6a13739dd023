//! `worksheet.html`: the page for reviewers.
//!
//! It works offline, without a server. Its policy allows only its own script and style, by their hashes. Text from
//! outside is data that the script inserts as text.

use std::collections::HashMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::judgement::{Decision, Mark};
use crate::model::{EmailAddress, Permissions};
use crate::report::page;
use crate::report::visible::{Minute as _, without_hidden_characters};
use crate::report::words::Title as _;
use crate::review::{FrozenRow, NO_REVIEW_BEFORE, Worksheet};

const SCRIPT: &str = include_str!("templates/worksheet.js");
const STYLE: &str = concat!(
    include_str!("../report/templates/style.css"),
    include_str!("templates/worksheet.css")
);

/// `worksheet.html`: the page for reviewers.
pub fn worksheet_page(worksheet: &Worksheet, review_sha256: &str, origin: &str) -> Vec<u8> {
    let base64 = |text: &str| STANDARD.encode(Sha256::digest(text));
    page(&WorksheetPage {
        worksheet,
        review_sha256,
        mark: Mark::of(origin, worksheet.is_sandbox),
        script_sha256: base64(SCRIPT),
        style_sha256: base64(STYLE),
        data: data(worksheet, review_sha256),
    })
}

#[derive(Template)]
#[template(path = "worksheet.html", config = "src/report/askama.toml")]
struct WorksheetPage<'a> {
    worksheet: &'a Worksheet,
    review_sha256: &'a str,
    mark: Option<Mark>,
    script_sha256: String,
    style_sha256: String,
    data: String,
}

impl WorksheetPage<'_> {
    /// The kinds of rows for which *keep* needs a reason.
    fn reason_for(&self) -> Option<String> {
        let kinds = self.worksheet.reason_for.iter().map(|of| of.title());
        let kinds: Vec<&str> = kinds.collect();
        (!kinds.is_empty()).then(|| kinds.join(", "))
    }
}

/// The data for the script. It is written row by row: as JSON values, 100,000 rows take 150 MB.
#[derive(Serialize)]
struct Data<'a> {
    decisions: Vec<Decision>,
    no_review_before: &'a str,
    reason_for: Vec<&'static str>,
    review: &'a str,
    review_sha256: &'a str,
    reviewers: Vec<&'a EmailAddress>,
    rows: Rows<'a>,
    without_reviewer: bool,
}

/// The data as JSON that cannot close its element.
fn data(worksheet: &Worksheet, review_sha256: &str) -> String {
    let reviewers = worksheet.deciders();
    let places = reviewers.iter().copied().zip(0..);
    let reason_for = worksheet.reason_for.iter();
    let data = Data {
        decisions: worksheet.decisions(),
        no_review_before: NO_REVIEW_BEFORE,
        reason_for: reason_for.map(|of| of.title()).collect(),
        review: &worksheet.review,
        review_sha256,
        rows: Rows {
            worksheet,
            places: places.collect(),
        },
        reviewers,
        without_reviewer: worksheet.rows.iter().any(|row| row.reviewer.is_none()),
    };
    let mut json = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, HtmlSafe);
    let written = data.serialize(&mut serializer);
    written.expect("our records have only text keys");
    String::from_utf8(json).expect("JSON is text")
}

/// JSON without the characters that HTML gives a meaning.
struct HtmlSafe;

impl Formatter for HtmlSafe {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for part in fragment.split_inclusive(['<', '>', '&']) {
            let plain = part.trim_end_matches(['<', '>', '&']);
            out.write_all(plain.as_bytes())?;
            match &part[plain.len()..] {
                "<" => out.write_all(b"\\u003c")?,
                ">" => out.write_all(b"\\u003e")?,
                "&" => out.write_all(b"\\u0026")?,
                _ => {}
            }
        }
        Ok(())
    }
}

struct Rows<'a> {
    worksheet: &'a Worksheet,
    /// The position of each reviewer.
    places: HashMap<&'a EmailAddress, i64>,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.worksheet.rows.iter();
        serializer.collect_seq(rows.map(|row| cells(self.worksheet, row, &self.places)))
    }
}

fn cells(worksheet: &Worksheet, row: &FrozenRow, places: &HashMap<&EmailAddress, i64>) -> Value {
    let shown = |text: &str| without_hidden_characters(text.to_owned());
    let email = row.email.as_ref().map_or("", EmailAddress::as_written);
    let reviewer = row.reviewer.as_ref().and_then(|who| places.get(who));
    let others = row.other_emails.iter().map(EmailAddress::as_written);
    let others = others.chain(row.service_owner.as_deref()).map(shown);
    let place = row.title.iter().chain(&row.department).map(|of| shown(of));
    let leaver = row.leaver_outcome.map(|outcome| match row.end_of_work {
        Some(end) => format!("leaver: {}; end of work {}", outcome.title(), end.minute()),
        None => format!("leaver: {}; end of work unknown", outcome.title()),
    });
    let exception = row.exception_ends.as_ref();
    let exception = exception.map(|ends| format!("exception until {ends}"));
    let service = row.service_owner.as_ref();
    let service = service.map(|owner| format!("service account of {owner}"));
    let facts = [leaver, exception, service].into_iter().flatten();
    let findings: Vec<&str> = row.findings.iter().map(|kind| kind.title()).collect();
    json!([
        row.row,
        shown(&row.account_id),
        shown(email),
        shown(row.name.as_deref().unwrap_or_default()),
        shown(&worksheet.shown_role(row)),
        shown(&match worksheet.permissions {
            Permissions::Full => row.status.to_string(),
            Permissions::Narrow => "active or invited".to_owned(),
        }),
        row.joined_at.map(|at| at.day()).unwrap_or_default(),
        shown(&row.hr_match()),
        place.collect::<Vec<_>>().join(", "),
        shown(&row.changed),
        row.previous_decision.map_or("", Decision::as_str),
        findings.join("; "),
        facts.map(|fact| shown(&fact)).collect::<Vec<_>>(),
        row.recommended.map_or("", Decision::as_str),
        shown(&row.reason),
        row.why_reason(&worksheet.reason_for),
        reviewer.copied().unwrap_or(-1),
        others.collect::<Vec<_>>(),
    ])
}
