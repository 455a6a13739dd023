//! The one reading of the clock.
//!
//! A run has one instant. It is read here, travels as a value, and no setting can change it: a job
//! that can be told its date can backdate its proof. Later moments of the same run are that instant
//! plus what a steady timer has counted since.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A wall clock that was read once and has counted steadily since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    as_of: Timestamp,
    since: Instant,
}

impl Clock {
    /// Reads the system's clock, to the whole second that evidence is written in.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = Timestamp::now();
        Self::at(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// A clock that shows `as_of` now: for whoever was handed an instant.
    pub fn at(as_of: Timestamp) -> Self {
        Self {
            as_of,
            since: Instant::now(),
        }
    }

    /// The instant of the run.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.as_of + self.elapsed()
    }

    /// How long ago the clock was read.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}
