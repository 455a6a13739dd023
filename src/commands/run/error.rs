use std::time::Duration;

use crate::cli::exit::{self, Exit};
use crate::ledger::LedgerError;
use crate::manual::ManualError;
use crate::net::ErrorKind;
use crate::signing::SigningError;
use crate::{feed, source};

/// Why a run has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("could not read the evidence of earlier runs")]
    Past(#[source] LedgerError),
    /// Nothing is read or written before the key is open.
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
    #[error("the run was not over after {} s (RUN_DEADLINE)", length.as_secs())]
    Deadline {
        length: Duration,
        /// The step that ran out of time, if it is known.
        #[source]
        during: Option<Box<RunError>>,
    },
    /// A bug: counts of the judgement that do not add up.
    #[error("the judgement does not add up: {0}")]
    Sums(String),
    /// A bug.
    #[error("the program stopped on a fault of its own; the log has the place")]
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

    /// Whether a retry could not sign either.
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
            Self::Deadline { .. } => Some("raise RUN_DEADLINE, or try again".to_owned()),
        }
    }

    /// The error with everything that caused it, on one line.
    pub fn chain(&self) -> String {
        exit::error_chain(self)
    }
}
