//! The periodic access review: freeze a night's population, gather decisions, close.
//!
//! Reviewers work outside of this program, on files; it hands out the worksheet and judges strictly what
//! comes back. What a closed review asks for is followed by the nightly runs.

mod close;
mod files;
mod left;
mod open;
mod owners;
mod progress;
mod received;
mod reviewers;
mod table;
mod text;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

pub use close::{CloseAsked, Closing, StatusAsked, close, status};
use files::Given;
pub use open::{OpenAsked, Opened, open};
pub use progress::{Progress, as_json as status_json};
pub use received::Fault;
pub use text::{closed, failure, opened, status as status_text};

use crate::exit::Exit;
use crate::ledger::{self, Ledger, LedgerError};
use crate::notify;
use crate::review::ReviewFrame;
use crate::signing::{self, SigningKey};
use crate::store::{self, Store};

/// What a periodic review needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Truto connection whose evidence is meant.
    pub connection: String,
    /// Where evidence goes.
    pub store: store::Settings,
    /// How the ledger is kept.
    pub ledger: ledger::Settings,
    /// What signs the entries.
    pub signing: signing::Settings,
    /// How long a revocation may take.
    pub revocation_grace: SignedDuration,
    /// What the evidence says about its frame.
    pub frame: ReviewFrame,
    /// Who is told of it.
    pub notify: notify::Settings,
}

/// The instant of a command, and what tells apart two of one second.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The instant.
    pub as_of: Timestamp,
    /// Six hex digits from the system's source of randomness.
    pub suffix: String,
}

/// Why a review was not opened, told or closed.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// The ledger, or the evidence that is built on.
    #[error("the evidence could not be used")]
    Ledger(#[from] LedgerError),
    /// A file that was given cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What a log calls it, where its name is for none.
        in_a_log: Option<String>,
        /// Why.
        reason: String,
    },
    /// What is asked for cannot be.
    #[error("{0}")]
    Asked(String),
    /// What was given is not in order; nothing was written.
    #[error("{headline}")]
    Refused {
        /// What was refused.
        headline: String,
        /// Everything that is wrong.
        faults: Vec<Fault>,
        /// What to do.
        hint: &'static str,
    },
    /// A fault of this program.
    #[error("{0}")]
    Unexpected(String),
}

impl CampaignError {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Ledger(ledger) => ledger.into(),
            Self::File { .. } | Self::Asked(_) | Self::Refused { .. } => Exit::Configuration,
            Self::Unexpected(_) => Exit::Unexpected,
        }
    }
}

/// The ledger that a review is written to, everything under the lock of its instant.
async fn ledger_of(settings: &Settings, as_of: Timestamp) -> Result<Ledger, CampaignError> {
    let key = SigningKey::open(&settings.signing).await;
    let key = key.map_err(LedgerError::from)?;
    let store = store_of(settings)
        .await?
        .locked(settings.ledger.lock(as_of));
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, key))
}

/// The ledger that is only read: no key is asked for.
async fn ledger_to_read(settings: &Settings) -> Result<Ledger, CampaignError> {
    let store = store_of(settings).await?;
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, None))
}

async fn store_of(settings: &Settings) -> Result<Store, CampaignError> {
    let store = Store::open(&settings.store).await;
    Ok(store.map_err(LedgerError::from)?)
}
