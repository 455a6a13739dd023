use std::time::Duration;

use crate::cli::exit::{self, Exit};
use crate::ledger::LedgerError;
use crate::manual::DirectiveError;
use crate::net::ErrorKind;
use crate::signing::SigningError;
use crate::{feed, source};

/// Why a review did not come to a judgement.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The ledger or the evidence of earlier runs.
    #[error("could not read the evidence of earlier runs")]
    Past(#[source] LedgerError),
    /// The key that signs. Nothing is read or written before it is there.
    #[error("could not open the signing key")]
    Key(#[source] SigningError),
    /// The HR feed.
    #[error("could not read the HR feed")]
    Feed(#[from] feed::FeedError),
    /// What people decided by hand.
    #[error("could not read what was decided by hand")]
    Directives(#[from] DirectiveError),
    /// The accounts.
    #[error("could not read the Asana accounts")]
    Source(#[from] source::SourceError),
    /// The evidence of this run.
    #[error("could not store the evidence")]
    Store(#[source] LedgerError),
    /// The run took too long.
    #[error("the run was not over after {} s (RUN_DEADLINE)", length.as_secs())]
    Deadline {
        /// How long it may take.
        length: Duration,
        /// What could not be done for lack of time, where that is known.
        #[source]
        during: Option<Box<Trouble>>,
    },
    /// The judgement's own sums do not add up: a fault of this program.
    #[error("the judgement does not add up: {0}")]
    Sums(String),
    /// A fault of this program.
    #[error("the program stopped on a fault of its own; the log has the place")]
    Panic,
}

impl Trouble {
    /// What was being done.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Past(_) => "reading earlier evidence",
            Self::Key(_) => "opening the signing key",
            Self::Feed(_) => "reading the HR feed",
            Self::Directives(_) => "reading aliases and exceptions",
            Self::Source(_) => "reading the Asana accounts",
            Self::Store(_) => "storing the evidence",
            Self::Deadline { .. } => "the whole run",
            Self::Sums(_) | Self::Panic => "judging",
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Past(ledger) | Self::Store(ledger) => ledger.into(),
            Self::Key(signing) => signing.kind().into(),
            Self::Feed(feed) => feed.kind().into(),
            Self::Directives(directives) => directives.kind().into(),
            Self::Source(source) => source.kind().into(),
            Self::Deadline { .. } => Exit::Transient,
            Self::Sums(_) | Self::Panic => Exit::Unexpected,
        }
    }

    /// Whether nothing can be signed, however soon it is tried again.
    pub(super) fn is_about_signing_for_good(&self) -> bool {
        match self {
            Self::Key(signing) | Self::Store(LedgerError::Signing(signing)) => {
                signing.kind() != ErrorKind::Transient
            }
            Self::Past(_)
            | Self::Feed(_)
            | Self::Directives(_)
            | Self::Source(_)
            | Self::Store(_)
            | Self::Deadline { .. }
            | Self::Sums(_)
            | Self::Panic => false,
        }
    }

    /// What the operator may do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Past(ledger) | Self::Store(ledger) => ledger.hint(),
            Self::Key(signing) => signing.hint().map(str::to_owned),
            Self::Feed(feed) => feed.hint(),
            Self::Directives(directives) => directives.hint(),
            Self::Source(source) => source.hint(),
            Self::Sums(_) | Self::Panic => None,
            Self::Deadline { .. } => Some("raise RUN_DEADLINE, or try again".to_owned()),
        }
    }

    /// The error with everything that caused it, on one line.
    pub fn chain(&self) -> String {
        exit::told(self)
    }
}
