//! `worksheet.html`: the page for reviewers.
//!
//! It works offline, without a server. Its policy allows only its own script and style, by their hashes. Text from
//! outside is data that the script inserts as text.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::judgement::{Decision, Mark};
use crate::model::EmailAddress;
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
        let kinds = self.worksheet.reason_for.iter().map(|of| of.as_str());
        let kinds: Vec<&str> = kinds.collect();
        (!kinds.is_empty()).then(|| kinds.join(", "))
    }
}

/// The rows for the script, as JSON that cannot close its element.
fn data(worksheet: &Worksheet, review_sha256: &str) -> String {
    let deciders = worksheet.deciders();
    let rows = worksheet
        .rows
        .iter()
        .map(|row| cells(row, worksheet, &deciders));
    let data = json!({
        "review": worksheet.review,
        "review_sha256": review_sha256,
        "reason_for": worksheet.reason_for,
        "no_review_before": NO_REVIEW_BEFORE,
        "reviewers": deciders.iter().map(|who| who.as_written()).collect::<Vec<_>>(),
        "without_reviewer": worksheet.rows.iter().any(|row| row.reviewer.is_none()),
        "rows": rows.collect::<Vec<_>>(),
    });
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

fn cells(row: &FrozenRow, worksheet: &Worksheet, deciders: &[&EmailAddress]) -> Value {
    let shown = |text: &str| without_hidden_characters(text.to_owned());
    let email = row.email.as_ref().map_or("", EmailAddress::as_written);
    let reviewer = row.reviewer.as_ref();
    let reviewer = reviewer.and_then(|who| deciders.iter().position(|of| *of == who));
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
        shown(&row.role.to_string()),
        shown(&row.status.to_string()),
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
        reviewer.map_or(-1, |at| i64::try_from(at).unwrap_or(-1)),
        others.collect::<Vec<_>>(),
    ])
}
