//! A Slack incoming webhook, or a compatible receiver.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::notification::{
    Content, FindingState, Notification, NotifiedFinding, NotifiedReview, NotifiedReviewer,
    NotifiedRun, NotifiedWorkspace, ReviewStep,
};
use super::{Address, MAX_ANSWER_BYTES};
use crate::judgement::{Decision, Verdict};
use crate::model::counted;
use crate::net::{Http, NetError, Request};
use crate::report::visible::Minute as _;
use crate::report::words::Title as _;

/// Slack's limit for the text of a section.
const SECTION_CHARACTERS: usize = 3000;

/// Slack's limit for a header.
const HEADER_CHARACTERS: usize = 150;

/// The longest line of a section.
const LINE_CHARACTERS: usize = 400;

/// The number of findings or reviewers in a message. The report and `review status` have all.
const LINES_SHOWN: usize = 20;

/// Why the message was not delivered.
#[derive(Debug, thiserror::Error)]
pub(super) enum SlackError {
    /// A refusal, with Slack's own word for it if there is one.
    #[error("{}", refusal.as_deref().map_or("Slack did not accept the message".to_owned(), |word| format!("Slack refused the message: `{word}`")))]
    Refused {
        refusal: Option<String>,
        #[source]
        cause: NetError,
    },
    /// Success is 200 with the word `ok`.
    #[error("the answer has status {status} and is not the `ok` of Slack")]
    NotSlack { status: u16 },
}

/// Posts the notification until Slack has it or a retry is pointless.
pub(super) async fn deliver(
    http: &Http,
    address: &Address,
    notification: &Notification,
) -> Result<(), SlackError> {
    let body = message(notification).to_string().into_bytes();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = Request {
        url: address.url().clone(),
        headers,
        max_bytes: MAX_ANSWER_BYTES,
        pacer: None,
        what: format!("POST {address}"),
    };
    let answer = http
        .deliver(request, &body, &HeaderMap::new)
        .await
        .map_err(|cause| SlackError::Refused {
            refusal: refusal(&cause),
            cause,
        })?;
    if answer.status == reqwest::StatusCode::OK && answer.body.trim_ascii() == b"ok" {
        Ok(())
    } else {
        let status = answer.status.as_u16();
        Err(SlackError::NotSlack { status })
    }
}

/// Slack's own word, such as `no_service`. A page of another server is not shown.
fn refusal(error: &NetError) -> Option<String> {
    let NetError::Status { response, .. } = error else {
        return None;
    };
    let word = str::from_utf8(response.body.trim_ascii()).ok()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    ((1..=64).contains(&word.len()) && word.bytes().all(plain)).then(|| word.to_owned())
}

/// The message: blocks for the channel, and one line for lists and phones.
fn message(notification: &Notification) -> Value {
    let (title, sentence) = headline(notification);
    let mut summary = vec![format!("*{}*", escaped(&sentence))];
    let mark = notification.about.mark;
    summary.extend(mark.map(|mark| format!("*{}*", escaped(mark.as_str()))));
    summary.push(place_and_time(notification));
    let because = notification.because().iter();
    let because: Vec<_> = because.map(|because| because.in_words()).collect();
    if !because.is_empty() {
        summary.push(format!("Sent because: {}", escaped(&because.join(", "))));
    }
    let mut sections = Vec::new();
    match &notification.content {
        Content::Failed { stage } => {
            summary.push(format!(
                "While {}: {} (exit {})",
                escaped(stage),
                escaped(notification.exit.meaning()),
                notification.exit.code()
            ));
            sections.push(summary);
        }
        Content::Run(judged) => {
            summary.extend(facts(judged));
            sections.push(summary);
            sections.push(findings(judged));
        }
        Content::Review(review) => {
            summary.push(progress(review));
            sections.push(summary);
            sections.push(reviewers(review));
        }
    }
    let mut anchor = match (&notification.committed, &notification.content) {
        (Some(committed), _) => vec![
            match committed.report_in_bucket() {
                Some(page) => format!("{} {}", page_of(&notification.content), code(page)),
                None => format!("Evidence {}", code(&committed.key)),
            },
            format!(
                "Ledger {}",
                code(&format!("{}:{}", committed.sequence, committed.head_sha256))
            ),
        ],
        // A status stores nothing.
        (None, Content::Review(_)) => Vec::new(),
        (None, Content::Run(_) | Content::Failed { .. }) => {
            vec!["No evidence was stored. See the cause in the log of the run.".to_owned()]
        }
    };
    if notification.about.workspace.is_some() {
        anchor.push(format!(
            "Connection {}",
            code(&notification.about.connection)
        ));
    }
    sections.push(anchor);

    let header: String = title.chars().take(HEADER_CHARACTERS).collect();
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": header },
    })];
    blocks.extend(
        sections
            .into_iter()
            .filter(|lines| !lines.is_empty())
            .map(|lines| {
                json!({
                    "type": "section",
                    "text": { "type": "mrkdwn", "text": that_fit(lines) },
                })
            }),
    );
    json!({ "text": fallback(notification, &title, &sentence), "blocks": blocks })
}

/// The page that people open after the command.
fn page_of(content: &Content) -> &'static str {
    match content {
        Content::Review(review) if review.step == ReviewStep::Opened => "Worksheet",
        Content::Run(_) | Content::Failed { .. } | Content::Review(_) => "Report",
    }
}

/// Workspace, tenant and time; the connection, if the run did not reach the workspace. In a code span, Slack makes no
/// link of an address.
fn place_and_time(notification: &Notification) -> String {
    let about = &notification.about;
    let place = match &about.workspace {
        Some(NotifiedWorkspace { name, tenant }) => {
            let tenant = tenant.as_ref();
            let tenant = tenant.map_or(String::new(), |id| format!(" (tenant {})", code(id)));
            format!("Workspace {}{tenant}", code(name))
        }
        None => format!("Connection {}", code(&about.connection)),
    };
    let what = match notification.content {
        Content::Run(_) | Content::Failed { .. } => "run of ",
        Content::Review(_) => "",
    };
    format!("{place}, {what}{}", about.as_of.minute())
}

/// The title, and a sentence that explains it.
fn headline(notification: &Notification) -> (String, String) {
    let (word, sentence) = match &notification.content {
        Content::Review(review) => return headline_of_review(review),
        Content::Failed { .. } => ("RUN FAILED", "nothing was checked".to_owned()),
        Content::Run(judged) => (
            judged.verdict.headline(),
            judged.counts.conclusion(judged.verdict),
        ),
    };
    (format!("Asana leaver access check: {word}"), sentence)
}

fn headline_of_review(review: &NotifiedReview) -> (String, String) {
    let (word, sentence) = match review.step {
        ReviewStep::Opened => ("OPENED", format!("decisions are due {}", review.due)),
        ReviewStep::Status if review.verdict.is_some() => {
            ("CLOSED", "no decision is due".to_owned())
        }
        ReviewStep::Status if review.overdue => ("OVERDUE", format!("was due {}", review.due)),
        ReviewStep::Status => ("OPEN", format!("decisions are due {}", review.due)),
        ReviewStep::Closed => {
            let sentence = match review.verdict {
                Some(Verdict::Pass) => "every row is decided",
                _ if review.totals.undecided > 0 => "not every row is decided",
                _ => "some rows are marked `don't know`",
            };
            ("CLOSED", sentence.to_owned())
        }
        ReviewStep::Acknowledged => ("ACKNOWLEDGED", "a second person signed it off".to_owned()),
    };
    let title = format!("Asana access review: {} {word}", review.review);
    (title, sentence)
}

fn fallback(notification: &Notification, title: &str, sentence: &str) -> String {
    let mut text = format!("{title}, {sentence}");
    if let Some(mark) = notification.about.mark {
        text = format!("{mark}: {text}");
    }
    match &notification.content {
        Content::Run(judged) => text += &format!("; {}", finding_counts(judged)),
        Content::Review(review) => {
            text += &format!(
                "; {} of {} decided",
                review.totals.decided,
                counted(review.totals.rows, "row", "rows")
            );
        }
        Content::Failed { .. } => {}
    }
    if let Some(committed) = &notification.committed {
        text += &format!("; ledger {}:{}", committed.sequence, committed.head_sha256);
    }
    escaped(&text)
}

/// Rows and decisions, in numbers.
fn progress(review: &NotifiedReview) -> String {
    let mut text = format!(
        "{} of {} decided",
        review.totals.decided,
        counted(review.totals.rows, "row", "rows")
    );
    for decision in Decision::ALL {
        let count = review.totals.with(*decision);
        if count > 0 {
            let decision = match decision {
                Decision::Keep => "keep",
                Decision::Revoke => "revoke",
                Decision::ChangeRole => "change role",
                Decision::DontKnow => "don't know",
            };
            text += &format!(", {count} {decision}");
        }
    }
    if review.not_in_order > 0 {
        text += &format!(
            "; {} in decision files",
            counted(review.not_in_order, "problem", "problems")
        );
    }
    escaped(&text)
}

/// A line for each reviewer, by number; `review status --names` prints the names.
fn reviewers(review: &NotifiedReview) -> Vec<String> {
    let line = |of: &NotifiedReviewer| {
        let overdue = if of.overdue { ", *overdue*" } else { "" };
        format!(
            "reviewer {}: {} of {}{overdue}",
            of.number, of.decided, of.rows
        )
    };
    let lines = review.reviewers.iter().map(line);
    first_lines(lines, review.reviewers.len(), "`review status`")
}

fn finding_counts(judged: &NotifiedRun) -> String {
    let count = |state| judged.count(state);
    format!(
        "findings: {} new, {} closed, {} open",
        count(FindingState::New),
        count(FindingState::Closed),
        count(FindingState::Open)
    )
}

fn facts(judged: &NotifiedRun) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(previous) = &judged.previous {
        lines.push(escaped(&format!(
            "Previous run, ledger entry {}: {}",
            previous.sequence, previous.verdict
        )));
    }
    let complete = if judged.complete {
        "complete"
    } else {
        "not complete"
    };
    lines.push(format!(
        "{}, {}, run {complete}; {}",
        counted(judged.counts.accounts.total, "account", "accounts"),
        counted(judged.counts.leavers.total, "leaver", "leavers"),
        finding_counts(judged)
    ));
    let reasons = judged.reasons.iter();
    lines.extend(reasons.map(|reason| format!("• {}", escaped(reason))));
    lines
}

/// The new and closed findings, or the open ones if no finding is new or closed.
fn findings(judged: &NotifiedRun) -> Vec<String> {
    let moved = |finding: &&NotifiedFinding| finding.state != FindingState::Open;
    let mut shown: Vec<&NotifiedFinding> = judged.findings.iter().filter(moved).collect();
    if shown.is_empty() {
        shown = judged.findings.iter().collect();
    }
    let line = |finding: &NotifiedFinding| {
        let state = match finding.state {
            FindingState::New => "*new*",
            FindingState::Closed => "closed",
            FindingState::Open => "open",
        };
        let account = finding.account_id.as_deref();
        let account = account.map_or(String::new(), |id| format!(", account {}", code(id)));
        format!(
            "{state}, {}: {}{account}, finding {}",
            finding.severity,
            finding.kind.title(),
            code(&finding.finding_id)
        )
    };
    let lines = shown.into_iter().map(line);
    first_lines(lines, judged.findings.len(), "the report")
}

/// The first of `all` lines, and the place of the others.
fn first_lines(lines: impl Iterator<Item = String>, all: usize, place: &str) -> Vec<String> {
    let mut lines: Vec<String> = lines.take(LINES_SHOWN).collect();
    let more = all - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more, all in {place}"));
    }
    lines
}

/// Escapes Slack's three markup characters: `<!channel>` would notify the whole channel.
fn escaped(text: &str) -> String {
    let cut: String = text.chars().take(LINE_CHARACTERS).collect();
    cut.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text in a code span.
fn code(text: &str) -> String {
    format!("`{}`", escaped(text).replace('`', "'"))
}

/// The complete lines that fit into a section, and the number of the others.
fn that_fit(lines: Vec<String>) -> String {
    const ROOM_FOR_THE_REST: usize = 40;
    let length = |line: &String| line.chars().count() + 1;
    let all: usize = lines.iter().map(length).sum();
    if all <= SECTION_CHARACTERS {
        return lines.join("\n");
    }
    let mut left = SECTION_CHARACTERS - ROOM_FOR_THE_REST;
    let fit = lines.iter().take_while(|line| {
        let rest = left.checked_sub(length(line));
        left = rest.unwrap_or(left);
        rest.is_some()
    });
    let fit = fit.count();
    let more = counted(lines.len() - fit, "more line", "more lines");
    let more = format!("… and {more}");
    let shown = lines.into_iter().take(fit).chain([more]);
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markup_of_slack_is_escaped() {
        assert_eq!(escaped("<!channel> a&b"), "&lt;!channel&gt; a&amp;b");
        assert_eq!(code("a`<b>`"), "`a'&lt;b&gt;'`");
    }

    #[test]
    fn a_full_section_drops_complete_lines_and_counts_them() {
        let few = vec!["x".repeat(1000); 2];
        assert_eq!(that_fit(few.clone()), few.join("\n"));
        for letter in ["x", "\u{e4}"] {
            let line = letter.repeat(985);
            let text = that_fit(vec![line.clone(); 40]);
            assert_eq!(text, format!("{line}\n{line}\n{line}\n… and 37 more lines"));
            assert!(text.chars().count() <= SECTION_CHARACTERS);
        }
    }
}
