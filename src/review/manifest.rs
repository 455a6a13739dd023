//! `manifest.json` of a part of a review.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Acknowledgement, ReviewClosed, ReviewDataFile, Scope, Worksheet};
use crate::evidence::controls::{self, Control, OwnControl, ReviewClaim};
use crate::evidence::{
    Entry, Executor, FileRecord, ReviewFile, ReviewFolder, ReviewPart, Tool, json, marked,
    sha256_hex,
};
use crate::judgement::{RunRef, Verdict};
use crate::model::{Permissions, Workspace};

/// The `schema` of the manifest.
const SCHEMA: &str = "asana-access-review/review-manifest/v1";

/// The circumstances of a review, for its evidence.
#[derive(Clone, Debug)]
pub struct ReviewFrame {
    pub tool: Tool,
    /// The job or person that ran it, as the environment claims.
    pub executor: Executor,
    /// The criticality of the reviewed system, in the company's own word.
    pub criticality: String,
    /// The company's own controls.
    pub own_controls: Vec<OwnControl>,
}

/// `manifest.json` of one part of a review.
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
    pub snapshot: RunRef,
    pub opened: Option<RunRef>,
    /// The entry that closed the review, for the acknowledgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<RunRef>,
    pub verdict: Verdict,
    pub complete: bool,
    pub reasons: Vec<String>,
    pub executor: Executor,
    pub files: Vec<FileRecord>,
}

/// A review and one of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRef {
    pub id: String,
    pub name: String,
    pub part: ReviewPart,
    /// The instant of that part.
    pub at: Timestamp,
    /// The last day for decisions.
    pub due: String,
    pub scope: Scope,
    /// The review's hash: SHA-256 of `worksheet.json`.
    pub sha256: String,
}

/// The reviewed connection and workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedConnection {
    /// The Truto connection.
    pub id: String,
    pub workspace: Workspace,
    /// The criticality of the system, in the company's own word.
    pub criticality: String,
    /// Whether Truto reports the connection as a sandbox.
    pub is_sandbox: bool,
}

impl ReviewManifest {
    /// The manifest of an opened review. It proves nothing until the review is closed.
    pub fn opened(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        review_sha256: &str,
        origin: &str,
        mut files: Vec<FileRecord>,
    ) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            schema: SCHEMA.to_owned(),
            tool: frame.tool.clone(),
            review: ReviewRef {
                id: worksheet.review.clone(),
                name: worksheet.name.clone(),
                part: ReviewPart::Open,
                at: worksheet.opened_at,
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
            snapshot: worksheet.snapshot.clone(),
            opened: None,
            closed: None,
            verdict: Verdict::Inconclusive,
            complete: false,
            reasons: vec!["the review is open: no row is decided yet".to_owned()],
            executor: frame.executor.clone(),
            files,
        }
    }

    /// The manifest of a closed review.
    pub fn closed(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        closed: &ReviewClosed,
        origin: &str,
        files: Vec<FileRecord>,
    ) -> Self {
        let open = Self::opened(frame, worksheet, &closed.review_sha256, origin, files);
        Self {
            review: ReviewRef {
                part: ReviewPart::Close,
                at: closed.closed_at,
                ..open.review
            },
            opened: Some(closed.opened.clone()),
            controls: controls::of_a_review(
                closed.claim(worksheet.permissions, None),
                &frame.own_controls,
            ),
            verdict: closed.verdict,
            complete: closed.complete,
            reasons: closed.reasons(),
            ..open
        }
    }

    /// The manifest of an acknowledged review.
    pub fn acknowledged(
        frame: &ReviewFrame,
        worksheet: &Worksheet,
        closed: &ReviewClosed,
        acknowledgement: &Acknowledgement,
        origin: &str,
        files: Vec<FileRecord>,
    ) -> Self {
        let close = Self::closed(frame, worksheet, closed, origin, files);
        let claim = closed.claim(worksheet.permissions, Some(acknowledgement.open_decisions));
        Self {
            review: ReviewRef {
                part: ReviewPart::Acknowledge,
                at: acknowledgement.with.acknowledged_at,
                ..close.review
            },
            closed: Some(acknowledgement.with.closed.clone()),
            controls: controls::of_a_review(claim, &frame.own_controls),
            ..close
        }
    }

    /// The origin, as in the ledger entry.
    pub fn marked_origin(&self) -> String {
        marked(&self.origin, self.connection.is_sandbox)
    }

    pub fn frame(&self) -> ReviewFrame {
        ReviewFrame {
            tool: self.tool.clone(),
            executor: self.executor.clone(),
            criticality: self.connection.criticality.clone(),
            own_controls: self.own_controls.clone(),
        }
    }

    /// The file, and its hash for the ledger entry.
    pub fn to_file(&self) -> (ReviewDataFile, String) {
        let bytes = json::document(self, usize::MAX);
        let sha256 = sha256_hex(&bytes);
        (
            ReviewDataFile::new(ReviewFile::Manifest, bytes, None),
            sha256,
        )
    }

    /// The keys that differ from the ledger entry of this part.
    pub fn apart_from(&self, entry: &Entry) -> Vec<&'static str> {
        let (review, part) = (&self.review, self.review.part);
        let folder = ReviewFolder::parse(&entry.run);
        let instant = folder.as_ref().and_then(ReviewFolder::instant);
        let is_of_its_kind = entry.kind.review_part() == Some(part)
            && self.opened.is_some() == (part != ReviewPart::Open)
            && self.closed.is_some() == (part == ReviewPart::Acknowledge);
        let is_of_its_folder = folder.is_some_and(|of| of.id() == review.id && of.part() == part);
        [
            ("verdict", self.verdict.as_str() == entry.verdict),
            ("completeness", self.complete == entry.complete),
            ("kind", is_of_its_kind),
            ("connection", self.connection.id == entry.connection),
            ("run", is_of_its_folder),
            (
                "instant",
                instant.map(Timestamp::as_second) == Some(review.at.as_second()),
            ),
            ("origin", self.marked_origin() == entry.origin),
        ]
        .into_iter()
        .filter_map(|(what, agree)| (!agree).then_some(what))
        .collect()
    }
}

impl ReviewClosed {
    fn claim(&self, permissions: Permissions, acknowledged: Option<u64>) -> ReviewClaim {
        ReviewClaim {
            verdict: self.verdict,
            complete: self.complete,
            scope: self.scope,
            permissions,
            acknowledged,
        }
    }
}
