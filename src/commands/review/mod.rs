//! The commands of the access review: open it, show how far it is, close it.
//!
//! Reviewers work outside of this program, on files: it hands out the worksheet and checks strictly what comes
//! back. Nightly runs follow up what a closed review asks for.

mod chain;
mod close;
mod files;
mod left;
mod open;
mod progress;
mod received;
mod reviewers;
mod table;
mod text;

use std::path::PathBuf;

use jiff::Timestamp;

pub use close::{CloseAsked, Closing, StatusAsked, close, status};
use files::Given;
pub use open::{OpenAsked, Opened, open};
pub use progress::{Frozen, ReviewProgress, as_json as status_json};
pub use received::FileFault;
pub use text::{closed, failure, opened, status as status_text};

use crate::cli::exit::Exit;
use crate::config::ReviewSettings;
use crate::ledger::{Ledger, LedgerError};
use crate::signing::SigningKey;
use crate::store::Store;

/// The instant of a command, and what distinguishes two of one second.
#[derive(Clone, Debug)]
pub struct Moment {
    pub as_of: Timestamp,
    /// Six hex digits from the system's source of randomness.
    pub suffix: String,
}

/// Why a review was not opened, shown or closed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("the evidence could not be used")]
    Ledger(#[from] LedgerError),
    #[error("`{}` cannot be read: {reason}", path.display())]
    File {
        path: PathBuf,
        /// What a log calls the file, if its name may name a person.
        in_a_log: Option<String>,
        reason: String,
    },
    /// The request cannot be met as it is.
    #[error("{0}")]
    Asked(String),
    /// Files that were given are not in order; nothing was written.
    #[error("{headline}")]
    Refused {
        headline: String,
        faults: Vec<FileFault>,
        hint: &'static str,
    },
    /// A fault of this program.
    #[error("{0}")]
    Unexpected(String),
}

impl ReviewError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Ledger(ledger) => ledger.into(),
            Self::File { .. } | Self::Asked(_) | Self::Refused { .. } => Exit::Configuration,
            Self::Unexpected(_) => Exit::Unexpected,
        }
    }
}

/// The ledger that a review is written to, under the object lock of its instant.
async fn ledger_of(settings: &ReviewSettings, as_of: Timestamp) -> Result<Ledger, ReviewError> {
    let key = SigningKey::open(&settings.signing).await;
    let key = key.map_err(LedgerError::from)?;
    let store = store_of(settings)
        .await?
        .locked(settings.ledger.lock(as_of));
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, key))
}

/// The ledger that is only read: it needs no key.
async fn ledger_to_read(settings: &ReviewSettings) -> Result<Ledger, ReviewError> {
    let store = store_of(settings).await?;
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, None))
}

async fn store_of(settings: &ReviewSettings) -> Result<Store, ReviewError> {
    let store = Store::open(&settings.store).await;
    Ok(store.map_err(LedgerError::from)?)
}
