//! A webhook of the specification Standard Webhooks: a small JSON body, and a signature over its exact bytes.

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::keys::Keys;
use super::notification::{
    Because, Content, Notification, NotifiedCheck, NotifiedFinding, NotifiedReviewer, PreviousRun,
    ReviewStep,
};
use super::{Address, MAX_ANSWER_BYTES};
use crate::clock::Clock;
use crate::judgement::{FindingCounts, LeaverCounts, Mark, Verdict};
use crate::net::{Http, NetError, Request};
use crate::review::Totals;

/// The specification recommends less than 20 kB.
const MAX_BODY_BYTES: usize = 20_000;

/// The receiver of a webhook, and its keys.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub address: Address,
    /// Each key signs.
    pub keys: Keys,
}

/// Posts the notification until the receiver has it or a retry is pointless.
pub(super) async fn deliver(
    http: &Http,
    webhook: &Webhook,
    notification: &Notification,
    clock: &Clock,
) -> Result<(), NetError> {
    let body = body(notification, clock.now());
    let id = notification.about.message_id();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = Request {
        url: webhook.address.url().clone(),
        headers,
        max_bytes: MAX_ANSWER_BYTES,
        pacer: None,
        what: format!("POST {}", webhook.address),
    };
    // Each attempt has its own timestamp, so that a receiver can refuse old ones. The rest does not change.
    let signed = || signed(&webhook.keys, &id, clock.now().as_second(), &body);
    http.deliver(request, &body, &signed).await.map(drop)
}

fn signed(keys: &Keys, id: &str, timestamp: i64, body: &[u8]) -> HeaderMap {
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", keys.sign(id, timestamp, body)),
    ];
    headers
        .into_iter()
        .filter_map(|(name, value)| {
            let value = HeaderValue::try_from(value).ok()?;
            Some((HeaderName::from_static(name), value))
        })
        .collect()
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    run: &'a str,
    as_of: Timestamp,
    connection: &'a str,
    workspace: Option<&'a str>,
    tenant: Option<&'a str>,
    mark: Option<Mark>,
    exit_code: u8,
    verdict: Option<Verdict>,
    because: &'a [Because],
    ledger: Option<LedgerHead<'a>>,
    evidence: Option<&'a str>,
    /// The address of the report, or of an opened worksheet, in a bucket. The path of a folder means nothing to a
    /// receiver.
    report: Option<&'a str>,
    tool: ToolVersion<'a>,
    #[serde(flatten)]
    content: ContentData<'a>,
}

/// The head for `verify --head`.
#[derive(Serialize)]
struct LedgerHead<'a> {
    sequence: u64,
    head: &'a str,
}

#[derive(Serialize)]
struct ToolVersion<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ContentData<'a> {
    Run {
        complete: bool,
        previous: Option<&'a PreviousRun>,
        reasons: &'a [String],
        checks: &'a [NotifiedCheck],
        counts: CountsData<'a>,
        findings: &'a [NotifiedFinding],
        findings_left_out: usize,
    },
    Failed {
        stage: &'static str,
        meaning: &'static str,
    },
    Review {
        review: &'a str,
        due: &'a str,
        overdue: bool,
        totals: &'a Totals,
        not_in_order: usize,
        reviewers: &'a [NotifiedReviewer],
        reviewers_left_out: usize,
    },
}

#[derive(Serialize)]
struct CountsData<'a> {
    accounts: u64,
    leavers: &'a LeaverCounts,
    findings: &'a FindingCounts,
    changes: u64,
}

/// The exact bytes that are signed and sent. A list is cut to the first items that fit (new findings first), with the
/// number of the others.
fn body(notification: &Notification, now: Timestamp) -> Vec<u8> {
    let used = json(&body_with(notification, now, 0)).len();
    let shown = match &notification.content {
        Content::Run(judged) => how_many_fit(&judged.findings, used),
        Content::Review(review) => how_many_fit(&review.reviewers, used),
        Content::Failed { .. } => 0,
    };
    json(&body_with(notification, now, shown))
}

/// The body with this number of items of its list.
fn body_with(notification: &Notification, now: Timestamp, shown: usize) -> Body<'_> {
    let about = &notification.about;
    let committed = notification.committed.as_ref();
    let (kind, verdict, content) = match &notification.content {
        Content::Run(judged) => (
            "run.completed",
            Some(judged.verdict),
            ContentData::Run {
                complete: judged.complete,
                previous: judged.previous.as_ref(),
                reasons: &judged.reasons,
                checks: &judged.checks,
                counts: CountsData {
                    accounts: judged.counts.accounts.total,
                    leavers: &judged.counts.leavers,
                    findings: &judged.counts.findings,
                    changes: judged.counts.changes.total,
                },
                findings: &judged.findings[..shown],
                findings_left_out: judged.findings.len() - shown,
            },
        ),
        // As in the failure record, if there is one.
        Content::Failed { stage } => (
            "run.failed",
            committed.map(|_| Verdict::Inconclusive),
            ContentData::Failed {
                stage,
                meaning: notification.exit.meaning(),
            },
        ),
        Content::Review(review) => (
            match review.step {
                ReviewStep::Opened => "review.opened",
                ReviewStep::Status => "review.status",
                ReviewStep::Closed => "review.closed",
                ReviewStep::Acknowledged => "review.acknowledged",
            },
            review.verdict,
            ContentData::Review {
                review: &review.review,
                due: &review.due,
                overdue: review.overdue,
                totals: &review.totals,
                not_in_order: review.not_in_order,
                reviewers: &review.reviewers[..shown],
                reviewers_left_out: review.reviewers.len() - shown,
            },
        ),
    };
    Body {
        kind,
        timestamp: Timestamp::from_second(now.as_second()).unwrap_or(now),
        data: Data {
            run: &about.run,
            as_of: about.as_of,
            connection: &about.connection,
            workspace: about.workspace.as_ref().map(|of| of.name.as_str()),
            tenant: about.workspace.as_ref().and_then(|of| of.tenant.as_deref()),
            mark: about.mark,
            exit_code: notification.exit.code(),
            verdict,
            because: notification.because(),
            ledger: committed.map(|committed| LedgerHead {
                sequence: committed.sequence,
                head: &committed.head_sha256,
            }),
            evidence: committed.map(|committed| committed.key.as_str()),
            report: committed.and_then(|committed| committed.report_in_bucket()),
            tool: ToolVersion {
                name: &about.tool.name,
                version: &about.tool.version,
            },
            content,
        },
    }
}

/// The number of items that fit into a body that has `used` bytes without them.
fn how_many_fit<T: Serialize>(items: &[T], used: usize) -> usize {
    let sizes = items.iter().scan(used, |used, item| {
        *used += json(item).len() + ",".len();
        Some(*used)
    });
    sizes.take_while(|used| *used < MAX_BODY_BYTES).count()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("words, numbers and text are JSON")
}
