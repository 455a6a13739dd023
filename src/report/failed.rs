//! The page of a run that could not be judged: it must never be taken for a review.

use askama::Template;

use super::visible::Minute as _;
use super::words::Meaning as _;
use crate::evidence::{self, Custody, Failure, KeyKind, RunFolder, RunIdentity, Signer};
use crate::judgement::Mark;

/// `report.html` of a run that could not be judged.
#[derive(Template)]
#[template(path = "failed.html", config = "src/report/askama.toml")]
pub(super) struct FailedPage<'a> {
    identity: &'a RunIdentity,
    connection: &'a str,
    origin: &'a str,
    criticality: &'a str,
    failure: &'a Failure,
    mark: Option<Mark>,
    run: RunFolder,
    signer: Option<&'a Signer>,
}

impl<'a> FailedPage<'a> {
    pub(super) fn of(snapshot: &evidence::FailedSnapshot<'a>) -> Self {
        Self {
            identity: &snapshot.frame.identity,
            connection: snapshot.connection,
            origin: snapshot.origin,
            criticality: &snapshot.frame.criticality,
            failure: snapshot.failure,
            // Whether the connection is a sandbox is not known.
            mark: Mark::of(snapshot.origin, false),
            run: RunFolder::of(&snapshot.frame.identity),
            signer: snapshot.frame.signer.as_ref(),
        }
    }

    /// What the exit code stands for.
    fn code_meaning(&self) -> &'static str {
        match self.failure.code {
            75 => "something was unavailable, after retries",
            77 => "access was refused",
            1 => "a bug, or something unexpected",
            _ => "see the exit codes in README.md",
        }
    }

    /// What somebody should do now.
    fn advice(&self) -> &'static str {
        match self.failure.code {
            75 => {
                "Start the run again. If it fails again, check that Truto, the HR feed and the \
                 evidence store can be reached from where it runs."
            }
            77 => {
                "Another attempt does not help. Renew what was refused: the Truto token, the \
                 connection's sign-in to Asana and its scopes, or access to the HR feed or the \
                 evidence store. Then start the run again."
            }
            _ => "Read the log of this run, which has the whole cause. Then start the run again.",
        }
    }
}
