//! HTTP with bounds: one client, retries that end, and pacing.

use std::time::{Duration, Instant};

mod client;
mod error;
mod pace;
mod retry;

pub use client::{Http, Request, Response, is_loopback};
pub use error::{Attempts, ErrorKind, NetError};
pub use pace::{Pacer, Slot};

/// The bounds of every request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// One attempt may take this long, body included.
    pub timeout: Duration,
    /// Attempts per request, the first one included.
    pub max_attempts: u32,
    /// All attempts of a request and the waiting between them.
    pub max_elapsed: Duration,
    /// The first wait between attempts; it doubles from there. Tests set it to zero.
    pub base_delay: Duration,
}

impl Settings {
    /// Half a second: a hiccup is over by then, and eight attempts take about a minute.
    pub const BASE_DELAY: Duration = Duration::from_millis(500);
}

/// The instant by which the run must end.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(length: Duration) -> Self {
        // A length no timer can hold is as good as a year.
        let now = Instant::now();
        let far = || now + Duration::from_secs(365 * 24 * 3600);
        Self(now.checked_add(length).unwrap_or_else(far))
    }

    /// What is left; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
