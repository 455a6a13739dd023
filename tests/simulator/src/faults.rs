//! Faults: rules that answer in place of the API.

use std::time::Duration;

use crate::shape::Limiter;

/// A rule: the n-th request whose path contains a text, and those after it, get a fault.
///
/// Each rule counts its own requests. The first rule that applies wins; only delays add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Text in the path, without the query. A final `$` means the end of the path, so
    /// `user-directory/users$` is the list and not a single user.
    pub path: String,
    /// The number of the first matching request that gets the fault, from 1.
    pub nth: u32,
    /// How many requests in a row get it; `u32::MAX` means all.
    pub times: u32,
    /// What these requests get.
    pub action: Action,
    /// The state that the requested connection then changes to, such as `needs_reauth`.
    pub connection_becomes: Option<String>,
}

/// What a request gets instead of its answer, or before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An answer of any kind.
    Answer {
        /// The status.
        status: u16,
        /// Headers other than `Content-Type` and `Date`.
        headers: Vec<(String, String)>,
        /// `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
    /// An error of Truto, in its envelope.
    TrutoError {
        /// The status.
        status: u16,
        /// The message.
        message: String,
    },
    /// An error of Asana, in Truto's envelope with the remote flag.
    RemoteError {
        /// The status.
        status: u16,
        /// Asana's message.
        message: String,
    },
    /// 429 with the world's `Retry-After`.
    RateLimited(Limiter),
    /// The connection is reset before any answer.
    Reset,
    /// The head of the right answer and half of its body; then the connection ends.
    CutBody,
    /// The right answer, later.
    Delay(Duration),
}

impl Fault {
    /// Only the first request whose path contains `path` gets `action`.
    pub fn once(path: &str, action: Action) -> Self {
        Self {
            path: path.to_owned(),
            nth: 1,
            times: 1,
            action,
            connection_becomes: None,
        }
    }

    /// Begins with the n-th matching request, from 1.
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// Applies to this many matching requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Applies to all later matching requests.
    pub fn for_ever(self) -> Self {
        self.times(u32::MAX)
    }

    /// Changes the state of the connection.
    pub fn connection_becomes(mut self, status: &str) -> Self {
        self.connection_becomes = Some(status.to_owned());
        self
    }

    /// Whether a request for this path counts.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self.path.strip_suffix('$') {
            Some(end) => path.ends_with(end),
            None => path.contains(&self.path),
        }
    }

    /// Whether the n-th matching request, from 1, gets the fault.
    pub(crate) fn applies_to(&self, matching: u32) -> bool {
        matching >= self.nth && matching - self.nth < self.times
    }
}

impl Action {
    /// A status with a plain text body.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            content_type: "text/plain".to_owned(),
            body: body.to_owned(),
        }
    }

    /// A status with an HTML page, like the answer of a proxy.
    pub fn html(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            content_type: "text/html; charset=utf-8".to_owned(),
            body: format!(
                "<!DOCTYPE html><html><head><title>{status}</title></head>\
                 <body><h1>Error {status}</h1></body></html>"
            ),
        }
    }

    /// Adds a header if this is [`Action::Answer`].
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}
