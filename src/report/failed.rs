//! The page of a failed run. It must not look like an access check.

use askama::Template;

use super::visible::Minute as _;
use super::words::Meaning as _;
use crate::evidence::{Custody, FailedSnapshot, KeyKind, RunFolder, Signer};
use crate::judgement::Mark;

/// `report.html` of a failed run.
#[derive(Template)]
#[template(path = "failed.html", config = "src/report/askama.toml")]
pub(super) struct FailedPage<'a> {
    snapshot: &'a FailedSnapshot<'a>,
    mark: Option<Mark>,
    run: RunFolder,
    signer: Option<&'a Signer>,
}

impl<'a> FailedPage<'a> {
    pub(super) fn of(snapshot: &'a FailedSnapshot<'a>) -> Self {
        Self {
            snapshot,
            // Whether the connection is a sandbox is unknown.
            mark: Mark::of(snapshot.origin, false),
            run: RunFolder::of(&snapshot.frame.identity),
            signer: snapshot.frame.signer.as_ref(),
        }
    }
}
