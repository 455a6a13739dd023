//! What can go wrong with a request, told so that somebody can act on it.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

use super::Response;

/// The kind of an error, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Upstream is unavailable: worth another try later.
    Transient,
    /// Somebody must grant, renew or reconnect something.
    Refused,
    /// A setting or the installation is wrong.
    Configuration,
    /// An answer nobody foresaw.
    Unexpected,
}

/// What was asked and how often, as the text of an error tells it.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// Method and target, without the query.
    pub what: String,
    /// Attempts made.
    pub attempts: u32,
    /// From the first attempt to the last answer.
    pub elapsed: Duration,
    /// Why no further attempt was made although one might have helped.
    pub gave_up: Option<String>,
}

impl Attempts {
    pub(super) fn one(what: String) -> Self {
        Self {
            what,
            attempts: 1,
            elapsed: Duration::ZERO,
            gave_up: None,
        }
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts > 1 {
            let (attempts, seconds) = (self.attempts, self.elapsed.as_secs());
            write!(f, ", after {attempts} attempts in {seconds} s")?;
        }
        match &self.gave_up {
            Some(because) => write!(f, "; {because}"),
            None => Ok(()),
        }
    }
}

/// A request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The HTTP client could not be set up.
    #[error("could not set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The address is plain `http` and not on this machine.
    #[error("{what}: plain http is only for loopback addresses")]
    PlainHttp {
        /// Method and target.
        what: String,
    },
    /// The server answered with a status that is no success.
    #[error("{}: {}{story}", story.what, status_words(response.status))]
    Status {
        /// The asking.
        story: Attempts,
        /// The last answer, its body cut to a readable length.
        response: Box<Response>,
    },
    /// The server points elsewhere. A token goes to one host only, so we don't follow.
    #[error("{what}: {} redirects to `{to}`, and redirects are not followed", status.as_u16())]
    Redirect {
        /// Method and target.
        what: String,
        /// The status.
        status: StatusCode,
        /// The host it names.
        to: String,
    },
    /// The body is larger than allowed.
    #[error("{what}: the answer is larger than {} MiB", limit / (1024 * 1024))]
    TooLarge {
        /// Method and target.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The certificate or the TLS handshake is not acceptable; asking again changes nothing.
    #[error("{what}: no trusted connection")]
    Tls {
        /// Method and target.
        what: String,
        /// What TLS says.
        #[source]
        cause: reqwest::Error,
    },
    /// No answer came, or not all of it.
    #[error("{}: {trouble}{story}", story.what)]
    Transport {
        /// The asking.
        story: Attempts,
        /// In a few words.
        trouble: &'static str,
        /// The last cause.
        #[source]
        cause: reqwest::Error,
    },
    /// The run's deadline leaves no time to ask.
    #[error("{what}: the run's deadline has passed")]
    Deadline {
        /// Method and target.
        what: String,
    },
    /// A slot under the rate limit comes free only after the run's deadline.
    #[error("{what}: the rate limit asks to wait {wait_s} s, and the run has {left_s} s left")]
    RateLimit {
        /// Method and target.
        what: String,
        /// Seconds to wait.
        wait_s: u64,
        /// Seconds left.
        left_s: u64,
    },
}

impl NetError {
    /// What sort of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(_) | Self::PlainHttp { .. } | Self::Redirect { .. } => {
                ErrorKind::Configuration
            }
            // Ours or theirs, nobody can tell; a run lost to it must be explained.
            Self::Tls { .. } => ErrorKind::Transient,
            Self::Status { response, .. } => match response.status.as_u16() {
                401 | 403 | 407 => ErrorKind::Refused,
                404 | 410 => ErrorKind::Configuration,
                408 | 425 | 429 | 500.. => ErrorKind::Transient,
                _ => ErrorKind::Unexpected,
            },
            Self::TooLarge { .. } => ErrorKind::Unexpected,
            Self::Transport { .. } | Self::Deadline { .. } | Self::RateLimit { .. } => {
                ErrorKind::Transient
            }
        }
    }

    /// What to do about it, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Client(_) => Some(
                "the system's CA certificates must be readable; in a bare image set SSL_CERT_FILE",
            ),
            Self::PlainHttp { .. } => Some("write the address with `https://`"),
            Self::Redirect { .. } => Some("write the address that is meant into the setting"),
            Self::Tls { .. } => Some(
                "the server's certificate must be valid and signed by a trusted authority; behind an inspecting proxy SSL_CERT_FILE must hold the proxy's authority too",
            ),
            Self::Deadline { .. } | Self::RateLimit { .. } => {
                Some("RUN_DEADLINE bounds the whole run")
            }
            Self::Status { .. } | Self::TooLarge { .. } | Self::Transport { .. } => None,
        }
    }

    /// The answer's status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { response, .. } => Some(response.status.as_u16()),
            Self::Redirect { status, .. } => Some(status.as_u16()),
            Self::Client(_)
            | Self::PlainHttp { .. }
            | Self::TooLarge { .. }
            | Self::Tls { .. }
            | Self::Transport { .. }
            | Self::Deadline { .. }
            | Self::RateLimit { .. } => None,
        }
    }
}

/// `502 Bad Gateway`, or the number alone where it has no name.
fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => format!("status {}", status.as_u16()),
    }
}
