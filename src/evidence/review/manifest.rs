//! `manifest.json` of a review's part, and what a nightly run reads of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReviewClosed, ReviewDataFile, Scope, Worksheet};
use crate::evidence::controls::{self, Control, OwnControl};
use crate::evidence::{
    Entry, EntryKind, Executor, FileRecord, ReviewFile, ReviewFolder, ReviewPart, Tool, json,
    marked, sha256_hex,
};
use crate::judgement::{RunRef, Verdict};
use crate::people::{ReviewEvent, ReviewStep, Workspace};

/// The `schema` of the manifest.
const SCHEMA: &str = "asana-access-review/review-manifest/v1";

/// What the evidence of a review says about its frame.
#[derive(Clone, Debug)]
pub struct ReviewFrame {
    /// The program.
    pub tool: Tool,
    /// Who or what ran it, as the environment claims.
    pub executor: Executor,
    /// How critical the reviewed system is, in the company's own word.
    pub criticality: String,
    /// The company's own controls.
    pub own_controls: Vec<OwnControl>,
}

/// `manifest.json` of a review's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the keys of the file, described in docs/access-reviews.md and docs/schema/"
)]
pub struct ReviewManifest {
    pub schema: String,
    pub tool: Tool,
    pub review: ReviewRef,
    pub connection: ReviewedConnection,
    pub origin: String,
    pub controls: Vec<Control>,
    pub own_controls: Vec<OwnControl>,
    pub night: RunRef,
    pub opened: Option<RunRef>,
    pub verdict: Verdict,
    pub complete: bool,
    pub reasons: Vec<String>,
    pub executor: Executor,
    pub files: Vec<FileRecord>,
}

/// Which review, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRef {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `open` or `close`.
    pub part: String,
    /// When that part was made.
    pub at: Timestamp,
    /// The last day for decisions.
    pub due: String,
    /// Which accounts.
    pub scope: Scope,
    /// The review's hash: SHA-256 of `open/worksheet.json`.
    pub sha256: String,
}

/// What was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedConnection {
    /// The Truto connection.
    pub id: String,
    /// The workspace.
    pub workspace: Workspace,
    /// How critical the system is, in the company's own word.
    pub criticality: String,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
}

fn word(part: ReviewPart) -> &'static str {
    match part {
        ReviewPart::Open => "open",
        ReviewPart::Close => "close",
    }
}

impl ReviewManifest {
    /// Of a review that is opened. Until it is closed it proves nothing.
    pub fn opened(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        review_sha256: &str,
        origin: &str,
        files: Vec<FileRecord>,
    ) -> Self {
        let reasons = vec!["the review is open: nothing is decided yet".to_owned()];
        let at = worksheet.opened_at;
        Self {
            verdict: Verdict::Inconclusive,
            complete: false,
            reasons,
            ..Self::of(
                frame,
                worksheet,
                review_sha256,
                origin,
                ReviewPart::Open,
                at,
                files,
            )
        }
    }

    /// Of a review that is closed.
    pub fn closed(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        closed: &ReviewClosed,
        origin: &str,
        reasons: Vec<String>,
        files: Vec<FileRecord>,
    ) -> Self {
        let (sha256, at) = (&closed.review_sha256, closed.closed_at);
        Self {
            opened: Some(closed.opened.clone()),
            controls: controls::of_a_review(closed.verdict, closed.complete, &frame.own_controls),
            verdict: closed.verdict,
            complete: closed.complete,
            reasons,
            ..Self::of(
                frame,
                worksheet,
                sha256,
                origin,
                ReviewPart::Close,
                at,
                files,
            )
        }
    }

    fn of(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        review_sha256: &str,
        origin: &str,
        part: ReviewPart,
        at: Timestamp,
        mut files: Vec<FileRecord>,
    ) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            schema: SCHEMA.to_owned(),
            tool: frame.tool.clone(),
            review: ReviewRef {
                id: worksheet.review.clone(),
                name: worksheet.name.clone(),
                part: word(part).to_owned(),
                at,
                due: worksheet.due.clone(),
                scope: worksheet.scope,
                sha256: review_sha256.to_owned(),
            },
            connection: ReviewedConnection {
                id: worksheet.connection.clone(),
                workspace: worksheet.workspace.clone(),
                criticality: frame.criticality.clone(),
                is_sandbox: worksheet.is_sandbox,
            },
            origin: origin.to_owned(),
            controls: Vec::new(),
            own_controls: frame.own_controls.clone(),
            night: worksheet.night.clone(),
            opened: None,
            verdict: Verdict::Inconclusive,
            complete: false,
            reasons: Vec::new(),
            executor: frame.executor.clone(),
            files,
        }
    }

    /// The origin, as the ledger entry names it.
    pub fn marked_origin(&self) -> String {
        marked(&self.origin, self.connection.is_sandbox)
    }

    /// The frame that it was made in.
    pub fn frame(&self) -> ReviewFrame {
        ReviewFrame {
            tool: self.tool.clone(),
            executor: self.executor.clone(),
            criticality: self.connection.criticality.clone(),
            own_controls: self.own_controls.clone(),
        }
    }

    /// The file, and the hash that the ledger entry names.
    pub fn to_file(&self) -> (ReviewDataFile, String) {
        let bytes = json::document(self, usize::MAX);
        let sha256 = sha256_hex(&bytes);
        let file = ReviewDataFile {
            file: ReviewFile::Manifest,
            bytes,
            rows: None,
        };
        (file, sha256)
    }

    /// Where it says other than the entry that commits it; nothing where they agree.
    pub fn apart_from(&self, entry: &Entry) -> Vec<&'static str> {
        let part = match entry.kind {
            EntryKind::ReviewOpen => Some(ReviewPart::Open),
            EntryKind::ReviewClose => Some(ReviewPart::Close),
            EntryKind::Run | EntryKind::Failure => None,
        };
        let folder = part.and_then(|part| ReviewFolder::of(&self.review.id, part));
        let is_of_its_kind = part.is_some_and(|part| {
            word(part) == self.review.part && self.opened.is_some() == (part == ReviewPart::Close)
        });
        [
            ("verdict", self.verdict.as_str() == entry.verdict),
            ("completeness", self.complete == entry.complete),
            ("kind", is_of_its_kind),
            ("connection", self.connection.id == entry.connection),
            (
                "run",
                folder.is_some_and(|folder| folder.to_string() == entry.run),
            ),
            ("origin", self.marked_origin() == entry.origin),
        ]
        .into_iter()
        .filter_map(|(what, agree)| (!agree).then_some(what))
        .collect()
    }
}

/// What happened to a review, from its entry, its manifest, and of a closed one its `review.json`.
///
/// # Errors
/// A sentence, where they do not say the same, or are in no form we write.
pub fn event(entry: &Entry, manifest: &[u8], review: Option<&[u8]>) -> Result<ReviewEvent, String> {
    let manifest: ReviewManifest =
        serde_json::from_slice(manifest).map_err(|error| format!("its manifest: {error}"))?;
    let apart = manifest.apart_from(entry);
    if !apart.is_empty() {
        return Err(format!("its manifest disagrees: {}", apart.join(", ")));
    }
    let what = match (entry.kind, review) {
        (EntryKind::ReviewOpen, _) => ReviewStep::Opened {
            at: manifest.review.at,
            due: manifest.review.due,
        },
        (EntryKind::ReviewClose, Some(review)) => {
            let closed: ReviewClosed = serde_json::from_slice(review)
                .map_err(|error| format!("its review.json: {error}"))?;
            if closed.review != manifest.review.id || closed.complete != entry.complete {
                return Err("its review.json is of another review".to_owned());
            }
            ReviewStep::Closed {
                at: closed.closed_at,
                opened: closed.opened.sequence,
                night: closed.night.sequence,
                complete: closed.complete,
                of_everybody: closed.scope == Scope::All,
                decided: closed.decided(),
            }
        }
        (EntryKind::Run | EntryKind::Failure | EntryKind::ReviewClose, _) => {
            return Err("it is no review's".to_owned());
        }
    };
    Ok(ReviewEvent {
        sequence: entry.sequence,
        review: manifest.review.id,
        what,
    })
}
