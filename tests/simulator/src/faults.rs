//! What goes wrong on the way: rules that answer in place of the API.

use std::time::Duration;

use crate::shape::Limiter;

/// A rule: the n-th request whose path contains a text, and the ones after it, meet a fault.
///
/// Rules count on their own; the first that applies wins, only delays add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the path (without the query) contains; a `$` at its end stands for the path's end, so
    /// that `user-directory/users$` is the list and not a single user.
    pub path: String,
    /// The first matching request that meets it, from 1.
    pub nth: u32,
    /// How many in a row do; `u32::MAX` is for ever.
    pub times: u32,
    /// What they meet.
    pub action: Action,
    /// The state the connection that was asked turns to at that moment, as `needs_reauth`.
    pub connection_becomes: Option<String>,
}

/// What a request meets instead of its answer, or before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An answer of any kind.
    Answer {
        /// The status.
        status: u16,
        /// Headers beside `Content-Type` and `Date`.
        headers: Vec<(String, String)>,
        /// `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
    /// An error of Truto's own, in its envelope.
    TrutoError {
        /// The status.
        status: u16,
        /// The message.
        message: String,
    },
    /// An error of Asana's, in Truto's envelope with the remote flag.
    RemoteError {
        /// The status.
        status: u16,
        /// Asana's message.
        message: String,
    },
    /// 429 with `Retry-After` as the world has it.
    RateLimited(Limiter),
    /// The connection is reset before any answer.
    Reset,
    /// The head of the right answer and half its body, then the connection ends.
    CutBody,
    /// The right answer, later.
    Delay(Duration),
}

impl Fault {
    /// The first request whose path contains `path` meets `action`, once.
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

    /// Goes on for so many matching requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Goes on for ever.
    pub fn for_ever(self) -> Self {
        self.times(u32::MAX)
    }

    /// Turns the state of the connection.
    pub fn connection_becomes(mut self, status: &str) -> Self {
        self.connection_becomes = Some(status.to_owned());
        self
    }

    /// Whether requests for this path count.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self.path.strip_suffix('$') {
            Some(end) => path.ends_with(end),
            None => path.contains(&self.path),
        }
    }

    /// Whether the request that is the n-th to match, from 1, meets the fault.
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

    /// A status with a page of HTML, as a proxy in between would answer.
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

    /// Adds a header, if this is an answer of any kind.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}
