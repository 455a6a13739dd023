//! Errors of a request, each with the remedy an operator can try.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

use super::{Request, Response};

/// The kind of an error, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server is unavailable; a later attempt may work.
    Transient,
    /// A person must grant, renew or reconnect something.
    Refused,
    /// A setting or the installation is wrong.
    Configuration,
    /// The answer is one that this program does not expect.
    Unexpected,
}

/// The request of an error, and how often it was tried.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// Method and target, without the query.
    pub what: String,
    pub attempts: u32,
    /// From the first attempt to the last answer.
    pub elapsed: Duration,
    /// Why there was no further attempt, if one might have helped.
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

/// A request without a usable answer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
    /// The address is plain `http` and not on this machine.
    #[error("{what}: `{host}` is not on this machine, so plain http is refused")]
    PlainHttp { what: String, host: String },
    /// The server answered with a status other than success.
    #[error("{}: {}{story}", story.what, status_words(response.status))]
    Status {
        story: Attempts,
        /// The last answer; its body is cut to 64 KiB.
        response: Box<Response>,
    },
    /// The server redirects. A token goes to one host only, so redirects are not followed.
    #[error("{what}: `{host}` answers with a redirect to {to} (status {}), which is not followed", status.as_u16())]
    Redirect {
        what: String,
        host: String,
        status: StatusCode,
        /// The host that the redirect names, in quotes.
        to: String,
    },
    /// The body is larger than allowed.
    #[error("{what}: the answer is larger than {} MiB", limit / (1024 * 1024))]
    TooLarge {
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The certificate or the TLS handshake was refused; another attempt would end the same way.
    #[error("{what}: the TLS connection to `{host}` was refused")]
    Tls {
        what: String,
        host: String,
        #[source]
        cause: reqwest::Error,
    },
    /// No answer came, or only a part of it.
    #[error("{}: {}{story}", story.what, problem.words(host))]
    Transport {
        story: Attempts,
        host: String,
        problem: TransportProblem,
        /// The cause of the last attempt.
        #[source]
        cause: reqwest::Error,
    },
    #[error("{what}: the run's deadline has passed")]
    Deadline { what: String },
    /// A slot under the rate limit comes free only after the run's deadline.
    #[error(
        "{what}: the rate limit requires a wait of {wait_s} s, and the run has {left_s} s left"
    )]
    RateLimit {
        what: String,
        wait_s: u64,
        left_s: u64,
    },
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportProblem {
    Request,
    Timeout,
    Connect,
    Cut,
    Broken,
}

impl TransportProblem {
    fn words(self, host: &str) -> String {
        match self {
            Self::Request => "the request could not be built".to_owned(),
            Self::Timeout => format!("`{host}` did not answer in time"),
            Self::Connect => format!("no connection to `{host}`"),
            Self::Cut => format!("the answer from `{host}` was cut short"),
            Self::Broken => format!("the connection to `{host}` broke"),
        }
    }
}

/// Host and port of a request, for its errors.
pub(super) fn host_of(request: &Request<'_>) -> String {
    let host = request.url.host_str().unwrap_or_default();
    match request.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

impl NetError {
    /// Method and target of the request, without the query.
    pub fn what(&self) -> Option<&str> {
        match self {
            Self::Client(_) => None,
            Self::Status { story, .. } | Self::Transport { story, .. } => Some(&story.what),
            Self::PlainHttp { what, .. }
            | Self::Redirect { what, .. }
            | Self::TooLarge { what, .. }
            | Self::Tls { what, .. }
            | Self::Deadline { what }
            | Self::RateLimit { what, .. } => Some(what),
        }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(_) | Self::PlainHttp { .. } | Self::Redirect { .. } => {
                ErrorKind::Configuration
            }
            // The error may be the server's or the installation's. A retry may help, and the run stores a failure
            // record.
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

    /// What the operator can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Client(_) => Some(
                "make the system's CA certificates readable, or set SSL_CERT_FILE to a file of certificates",
            ),
            Self::PlainHttp { .. } => Some("write the address with `https://`"),
            Self::Redirect { .. } => Some("set the address to which the server redirects"),
            Self::Tls { .. } => Some(
                "the certificate of the server must be valid and signed by an authority that this machine trusts; behind an inspecting proxy, set SSL_CERT_FILE to a file that also has the proxy's authority",
            ),
            Self::Transport {
                problem: TransportProblem::Connect | TransportProblem::Timeout,
                ..
            } => Some(
                "allow connections to this host (port 443 for https); behind a proxy, set HTTPS_PROXY, and SSL_CERT_FILE if the proxy inspects TLS",
            ),
            Self::Deadline { .. } | Self::RateLimit { .. } => {
                Some("raise RUN_DEADLINE, which bounds the whole run")
            }
            Self::Status { .. } | Self::TooLarge { .. } | Self::Transport { .. } => None,
        }
    }

    /// The HTTP status, if an answer came.
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

/// `502 Bad Gateway`, or the number alone if it has no name.
fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => format!("status {}", status.as_u16()),
    }
}
