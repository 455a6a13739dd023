//! `review`: opens a periodic access review, shows its progress, and closes it.
//!
//! Reviewers work on files: the command writes the worksheet, and checks strictly what comes back. Runs follow up what
//! a closed review asks for.

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

use super::{Session, run_until_signal, suffix, tool};
use crate::cli::arguments::ReviewRequest;
use crate::cli::terminal;
use crate::clock::Clock;
use crate::config;
use crate::notify::{self, Notification};

pub use close::{Closing, close, status};
use files::Given;
pub use open::{Opened, open};
pub use progress::{Frozen, ReviewProgress, as_json as status_json};
pub use received::FileFault;
pub use text::{closed, failure, opened, status as status_text};

use crate::cli::exit::Exit;
use crate::config::ReviewSettings;
use crate::ledger::{Ledger, LedgerError};
use crate::signing::SigningKey;
use crate::store::Store;

/// The instant of a command, and a suffix that distinguishes two of one second.
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
    /// The request cannot be met.
    #[error("{0}")]
    Asked(String),
    /// The files have faults; nothing was written.
    #[error("{headline}")]
    Refused {
        headline: String,
        faults: Vec<FileFault>,
        hint: &'static str,
    },
    /// A bug.
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

/// # Errors
/// The exit code, if the step was not taken.
pub fn start(request: &ReviewRequest, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let loaded = config::load_review(environment, tool(), |path| std::fs::read_to_string(path));
    let settings = super::settings(loaded)?;
    let moment = Moment {
        as_of: clock.as_of(),
        suffix: suffix()?,
    };
    let ended = run_until_signal(async {
        let step = step(request, &settings, &moment, &clock).await;
        progress.clear();
        let step = step.map_err(|error| {
            let names = matches!(request, ReviewRequest::Status(asked) if asked.names);
            let text = failure(&error, names || terminal::is_interactive());
            terminal::print_error(&text);
            error.exit()
        })?;
        // Before the notification, which takes a while and may be stopped.
        terminal::print(&step.text);
        if let Some(notification) = step.notification {
            notify::send(&settings.notify, || notification, &clock).await;
        }
        Ok(step.exit)
    });
    progress.clear();
    ended?
}

/// The outcome of a command of an access review.
struct CommandStep {
    text: String,
    notification: Option<Notification>,
    exit: Exit,
}

async fn step(
    request: &ReviewRequest,
    settings: &ReviewSettings,
    moment: &Moment,
    clock: &Clock,
) -> Result<CommandStep, ReviewError> {
    let names = terminal::is_interactive();
    Ok(match request {
        ReviewRequest::Open(asked) => {
            let review = open(settings, asked, moment, clock).await?;
            CommandStep {
                text: opened(&review, names),
                notification: Some(review.notification(settings, moment)),
                exit: Exit::Pass,
            }
        }
        ReviewRequest::Status(asked) => {
            if asked.notify && !settings.notify.has_receiver() {
                let text = "--notify: nobody is to be told; set NOTIFY_WEBHOOK_URL or \
                            NOTIFY_SLACK_WEBHOOK_URL";
                return Err(ReviewError::Asked(text.to_owned()));
            }
            let review = status(settings, &asked.of, moment).await?;
            CommandStep {
                text: match asked.json {
                    true => format!("{:#}\n", status_json(&review, asked.names)),
                    false => status_text(&review, asked.names || names),
                },
                notification: asked.notify.then(|| review.notification(settings, moment)),
                exit: review.exit(),
            }
        }
        ReviewRequest::Close(asked) => {
            let review = close(settings, asked, moment, clock).await?;
            CommandStep {
                text: closed(&review, names),
                notification: Some(review.notification(settings, moment)),
                exit: review.exit(),
            }
        }
    })
}

/// The ledger to write to, under the object lock of its instant.
async fn ledger_of(settings: &ReviewSettings, as_of: Timestamp) -> Result<Ledger, ReviewError> {
    let key = SigningKey::open(&settings.signing).await;
    let key = key.map_err(LedgerError::from)?;
    let store = store_of(settings)
        .await?
        .locked(settings.ledger.lock(as_of));
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, key))
}

/// The ledger to read, without a key.
async fn ledger_to_read(settings: &ReviewSettings) -> Result<Ledger, ReviewError> {
    let store = store_of(settings).await?;
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, None))
}

async fn store_of(settings: &ReviewSettings) -> Result<Store, ReviewError> {
    let store = Store::open(&settings.store).await;
    Ok(store.map_err(LedgerError::from)?)
}
