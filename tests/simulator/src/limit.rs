//! The kind of rate limit that Truto and Asana use: a number of requests in any window of time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When the requests in the last window were answered.
#[derive(Debug, Default)]
pub(crate) struct SlidingWindow(VecDeque<Instant>);

impl SlidingWindow {
    /// Counts a request if the window is not full. A refused request does not count.
    pub(crate) fn admit(&mut self, at_most: u32, window: Duration, now: Instant) -> bool {
        while let Some(oldest) = self.0.front()
            && now.duration_since(*oldest) >= window
        {
            self.0.pop_front();
        }
        let has_room = self.0.len() < at_most as usize;
        if has_room {
            self.0.push_back(now);
        }
        has_room
    }

    /// How many more requests fit, and in how many whole seconds the window will be empty.
    pub(crate) fn left(&self, at_most: u32, window: Duration, now: Instant) -> (u32, u64) {
        let taken = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let reset = self.0.back().map_or(Duration::ZERO, |newest| {
            window.saturating_sub(now.duration_since(*newest))
        });
        let seconds = reset.as_millis().div_ceil(1000);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        (at_most.saturating_sub(taken), seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_so_many_calls_and_frees_each_when_it_is_old() {
        let start = Instant::now();
        let window = Duration::from_secs(10);
        let mut calls = SlidingWindow::default();
        assert!(calls.admit(2, window, start));
        assert!(calls.admit(2, window, start + Duration::from_secs(6)));
        assert!(!calls.admit(2, window, start + Duration::from_secs(9)));
        assert!(calls.admit(2, window, start + Duration::from_secs(10)));
        assert!(!calls.admit(2, window, start + Duration::from_secs(15)));
        assert!(calls.admit(2, window, start + Duration::from_secs(16)));
    }
}
