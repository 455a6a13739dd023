//! HTTP with bounds: one client, retries that end, and pacing.

use std::time::Duration;

/// The bounds of every request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// One attempt may take this long, body included.
    pub timeout: Duration,
    /// Attempts per request, the first one included.
    pub max_attempts: u32,
    /// All attempts of a request and the waiting between them.
    pub max_elapsed: Duration,
}
