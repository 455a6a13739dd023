//! The only place that reads the clock.
//!
//! A run has one instant, which is read here and passed on as a value. No setting can change it: with such a setting, a
//! job could backdate its evidence. Later moments of the same run are that instant plus the time of a monotonic timer.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A wall clock that was read once, with a monotonic timer since then.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    as_of: Timestamp,
    since: Instant,
}

impl Clock {
    /// Reads the system's clock, in whole seconds as evidence has them.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the only place that reads the clock"
        )]
        let now = Timestamp::now();
        Self::at(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// A clock that shows `as_of` now, for a caller that has an instant.
    pub fn at(as_of: Timestamp) -> Self {
        Self {
            as_of,
            since: Instant::now(),
        }
    }

    /// A clock for a run that starts now, in a process that does several.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let now = self.now();
        Self::at(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// The instant of the run.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    pub fn now(&self) -> Timestamp {
        self.as_of + self.elapsed()
    }

    /// The time since the clock was read.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}
