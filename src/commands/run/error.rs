use std::time::Duration;

use crate::cli::exit::{self, Exit};
use crate::ledger::LedgerError;
use crate::manual::ManualError;
use crate::net::ErrorKind;
use crate::signing::SigningError;
use crate::{feed, source};

/// The cause of a run without a verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("could not read the evidence of earlier runs")]
    Past(#[source] LedgerError),
    /// The key is opened before anything else is read or written.
    #[error("could not open the signing key")]
    Key(#[source] SigningError),
    #[error("could not read the HR feed")]
    Feed(#[from] feed::FeedError),
    #[error("could not read the aliases and exceptions")]
    Manual(#[from] ManualError),
    #[error("could not read the Asana accounts")]
    Source(#[from] source::SourceError),
    #[error("could not store the evidence")]
    Store(#[source] LedgerError),
    #[error("the run did not end within {} s (RUN_DEADLINE)", length.as_secs())]
    Deadline {
        length: Duration,
        /// The error of the step that ran out of time, if known.
        #[source]
        during: Option<Box<RunError>>,
    },
    /// A bug: the counts of the judgement contradict each other.
    #[error("the counts of the judgement contradict each other: {0}")]
    Sums(String),
    /// A bug.
    #[error("the program has a bug; see its place in the log")]
    Panic,
}

impl RunError {
    /// The step that failed.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Past(_) => "reading earlier evidence",
            Self::Key(_) => "opening the signing key",
            Self::Feed(_) => "reading the HR feed",
            Self::Manual(_) => "reading aliases and exceptions",
            Self::Source(_) => "reading the Asana accounts",
            Self::Store(_) => "storing the evidence",
            Self::Deadline { .. } => "the whole run",
            Self::Sums(_) | Self::Panic => "judging",
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Past(ledger) | Self::Store(ledger) => ledger.into(),
            Self::Key(signing) => signing.kind().into(),
            Self::Feed(feed) => feed.kind().into(),
            Self::Manual(manual) => manual.kind().into(),
            Self::Source(source) => source.kind().into(),
            Self::Deadline { .. } => Exit::Transient,
            Self::Sums(_) | Self::Panic => Exit::Unexpected,
        }
    }

    /// Whether a retry cannot sign either.
    pub(super) fn is_about_signing_for_good(&self) -> bool {
        let (Self::Key(signing) | Self::Store(LedgerError::Signing(signing))) = self else {
            return false;
        };
        signing.kind() != ErrorKind::Transient
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Past(ledger) | Self::Store(ledger) => ledger.hint(),
            Self::Key(signing) => signing.hint().map(str::to_owned),
            Self::Feed(feed) => feed.hint(),
            Self::Manual(manual) => manual.hint(),
            Self::Source(source) => source.hint(),
            Self::Sums(_) | Self::Panic => None,
            Self::Deadline { .. } => {
                Some("raise RUN_DEADLINE, or start the run once more".to_owned())
            }
        }
    }

    /// The error and its causes, on one line.
    pub fn chain(&self) -> String {
        exit::error_chain(self)
    }
}
