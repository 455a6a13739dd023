//! `review`: opens an access review, shows its progress, closes it, and records who signed it off.
//!
//! Reviewers work on files: the command writes the worksheet, and checks the returned files strictly. Runs follow up
//! the decisions of a closed review.

mod acknowledge;
mod chain;
mod close;
mod files;
mod open;
mod progress;
mod received;
mod reviewers;
mod table;
mod text;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use jiff::Timestamp;

use super::{Session, run_until_signal, suffix, tool};
use crate::cli::arguments::{OpenArguments, ReviewRequest};
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::config::{self, ReviewSettings};
use crate::evidence::{ReviewFolder, ReviewPart};
use crate::ledger::{Ledger, LedgerError};
use crate::notify;
use crate::signing::SigningKey;
use crate::store::Store;

pub use acknowledge::acknowledge;
pub use close::{close, status};
pub use files::{FileFault, FileName};
pub use open::open;
pub use progress::{Frozen, ReviewProgress};
pub use text::{failure, text};

const OPEN_A_REVIEW: &str = concat!(
    env!("CARGO_PKG_NAME"),
    " review open --name 2026-Q4 --due 2026-12-31"
);

/// The instant of a command, and a suffix that distinguishes two of one second.
#[derive(Clone, Debug)]
pub struct Moment {
    pub as_of: Timestamp,
    /// Six hex digits from the system's source of randomness.
    pub suffix: String,
}

impl Moment {
    /// A new folder for a part of a review, which no other attempt writes to.
    fn folder(&self, id: &str, part: ReviewPart) -> Result<ReviewFolder, ReviewError> {
        let folder = ReviewFolder::of(id, part, self.as_of, &self.suffix);
        folder.ok_or_else(|| {
            ReviewError::bad_request(
                "a review name has at most 70 letters, digits and hyphens, such as 2026-Q4",
            )
        })
    }

    /// Checks that the clock is not behind an earlier part: the grace of decisions counts from the closing.
    fn ensure_after(&self, part: ReviewPart, at: Timestamp) -> Result<(), ReviewError> {
        match self.as_of < at {
            true => Err(ReviewError::BadRequest(format!(
                "the clock of this machine shows {}, but the review was {} at {at}: set the clock",
                self.as_of,
                part.done()
            ))),
            false => Ok(()),
        }
    }
}

/// The error of a command of `review`.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("the evidence could not be used")]
    Ledger(#[source] LedgerError),
    #[error("`{}` cannot be read: {reason}", path.display())]
    File {
        path: PathBuf,
        /// The name for a log, if the file name may be that of a person.
        in_a_log: Option<String>,
        reason: String,
    },
    #[error("no access review is open: open one with `{OPEN_A_REVIEW}`")]
    NoneOpen,
    /// The arguments do not fit the evidence.
    #[error("{0}")]
    BadRequest(String),
    /// No such review is open.
    #[error("{0}")]
    NotOpen(String),
    /// Another review has the same name, or is open and has the same scope.
    #[error("a similar review exists: {}", .0.join("; "))]
    Similar(Vec<String>),
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
    fn bad_request(text: impl Into<String>) -> Self {
        Self::BadRequest(text.into())
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Ledger(ledger) => ledger.into(),
            Self::NoneOpen
            | Self::File { .. }
            | Self::BadRequest(_)
            | Self::NotOpen(_)
            | Self::Similar(_)
            | Self::Refused { .. } => Exit::Configuration,
            Self::Unexpected(_) => Exit::Unexpected,
        }
    }
}

impl From<LedgerError> for ReviewError {
    fn from(error: LedgerError) -> Self {
        match error {
            // The evidence could be used; another command was faster.
            LedgerError::Repeated { .. } => Self::BadRequest(error.to_string()),
            error => Self::Ledger(error),
        }
    }
}

/// # Errors
/// The exit code, if the command failed.
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
    let (names, json, is_notified) = match request {
        ReviewRequest::Status(asked) => (asked.names, asked.json, asked.notify),
        ReviewRequest::Open(_) | ReviewRequest::Close(_) | ReviewRequest::Acknowledge(_) => {
            (false, false, true)
        }
    };
    let names_in_text = names || terminal::is_interactive();
    let ended = run_until_signal(async {
        let review = match request {
            ReviewRequest::Open(asked) => match open(&settings, asked, &moment, &clock).await {
                Err(ReviewError::Similar(similar)) if io::stdin().is_terminal() => {
                    progress.clear();
                    let similar = similar.join("\n");
                    terminal::print(&format!("{similar}\nOpen another review? [y/N] "));
                    match terminal::is_confirmed().await {
                        true => {
                            let asked = OpenArguments {
                                yes: true,
                                ..asked.clone()
                            };
                            open(&settings, &asked, &moment, &clock).await
                        }
                        false => Err(ReviewError::bad_request("nothing was opened")),
                    }
                }
                opened => opened,
            },
            ReviewRequest::Acknowledge(asked) => {
                acknowledge(&settings, asked, &moment, &clock).await
            }
            ReviewRequest::Status(_) if is_notified && !settings.notify.has_receiver() => {
                Err(ReviewError::bad_request(
                    "--notify has no receiver: set NOTIFY_WEBHOOK_URL or NOTIFY_SLACK_WEBHOOK_URL",
                ))
            }
            ReviewRequest::Status(asked) => status(&settings, &asked.of, &moment).await,
            ReviewRequest::Close(asked) => close(&settings, asked, &moment, &clock).await,
        };
        progress.clear();
        if matches!(review, Err(ReviewError::NoneOpen)) && asks_only_for_the_status(request) {
            terminal::print(&text::none_open(json));
            return Ok(Exit::Pass);
        }
        let review = review.map_err(|error| {
            terminal::print_error(&failure(&error, names_in_text));
            error.exit()
        })?;
        let print = match names {
            true => terminal::print_with_names,
            false => terminal::print,
        };
        // Before the notification, which takes a while and may be stopped.
        print(&match json {
            true => format!("{:#}\n", review.as_json(names)),
            false => text(&review, names_in_text),
        });
        if is_notified {
            let notification = || review.notification(&settings, &moment);
            notify::send(&settings.notify, notification, &clock).await;
        }
        Ok(review.exit())
    });
    progress.clear();
    ended?
}

/// Whether no review is an answer. Decisions without a review are an error.
fn asks_only_for_the_status(request: &ReviewRequest) -> bool {
    match request {
        ReviewRequest::Status(asked) => {
            asked.of.decisions.is_empty() && asked.of.reassigned.is_none()
        }
        ReviewRequest::Open(_) | ReviewRequest::Close(_) | ReviewRequest::Acknowledge(_) => false,
    }
}

/// The ledger to write to, with the object lock of this instant.
async fn ledger_of(settings: &ReviewSettings, as_of: Timestamp) -> Result<Ledger, LedgerError> {
    let key = SigningKey::open(&settings.signing).await?;
    let store = Store::open(&settings.store).await?;
    let store = store.locked(settings.ledger.lock(as_of));
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, key))
}

/// The ledger to read, without a key.
async fn ledger_to_read(settings: &ReviewSettings) -> Result<Ledger, LedgerError> {
    let store = Store::open(&settings.store).await?;
    let (connection, ledger) = (&settings.connection, settings.ledger.clone());
    Ok(Ledger::new(store, connection, ledger, None))
}
