//! HTTP with bounds: one client, bounded retries, and pacing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// The longest time for one attempt, including the body.
    pub timeout: Duration,
    /// Attempts per request, including the first.
    pub max_attempts: u32,
    /// The longest time for all attempts of a request and the waits between them.
    pub max_elapsed: Duration,
    /// The first wait between attempts; each further wait doubles. Tests set it to zero.
    pub base_delay: Duration,
    /// Counts the attempts of all clients with these settings.
    pub traffic: Option<Arc<Traffic>>,
}

/// How many requests were sent, with every attempt of each.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    throttled: AtomicU64,
}

impl Traffic {
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The requests that a server answered with 429.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    fn note_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn note_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }
}

impl Settings {
    /// A short outage is often over after half a second; with this start, eight attempts take about a minute.
    pub const BASE_DELAY: Duration = Duration::from_millis(500);
}

/// The instant by which the run must end.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(length: Duration) -> Self {
        // A length that overflows the timer is cut to a year.
        let now = Instant::now();
        let far = || now + Duration::from_secs(365 * 24 * 3600);
        Self(now.checked_add(length).unwrap_or_else(far))
    }

    /// The time left; zero once the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
