//! Keeps requests under a rate limit, so that the server never has to refuse one.
//!
//! The server counts a request at some moment between sending and answer. A slot is therefore taken when a request is
//! sent, and comes free one window after the *answer*: no window of the server can contain more requests than slots.
//! If the server reports how many requests it still allows, no more are sent until its count starts again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tracing::info;

use super::Deadline;

/// Shorter waits are not logged.
const MIN_LOGGED_WAIT: Duration = Duration::from_secs(1);

/// Hands out the slots of one rate limit. All requests under that limit share it.
#[derive(Debug)]
pub struct Pacer {
    schedule: Mutex<PaceSchedule>,
    answered: Notify,
    /// A wider limit, which several rate limits share.
    shared: Option<Arc<Pacer>>,
}

/// The permission for one request in flight. Dropping it starts the window after which it comes free.
#[derive(Debug)]
pub struct Slot<'a> {
    pacer: &'a Pacer,
    taken_at: Instant,
    /// The slot of the wider limit, which comes free with this one.
    shared: Option<Box<Slot<'a>>>,
}

impl Slot<'_> {
    /// Takes over the server's own count: the requests left, and for how long.
    pub(super) fn tighten(&self, left: u64, length: Duration) {
        let now = Instant::now();
        let mut schedule = self.pacer.schedule();
        schedule.tighten(self.taken_at, now, left, length);
    }
}

impl Pacer {
    /// At most `requests` in any `window`.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self::with(Some(requests.max(1)), window)
    }

    /// Without a limit of ours. The limit that the server reports still applies.
    pub fn unlimited() -> Self {
        Self::with(None, Duration::ZERO)
    }

    fn with(capacity: Option<u32>, window: Duration) -> Self {
        Self {
            schedule: Mutex::new(PaceSchedule::new(capacity, window)),
            answered: Notify::new(),
            shared: None,
        }
    }

    /// The same limit below a wider one: a request needs a slot of both.
    #[must_use]
    pub fn within(self, shared: Option<Arc<Self>>) -> Self {
        Self { shared, ..self }
    }

    /// Waits for a slot, then for one of the wider limit: a request that waits for its own limit takes no slot from
    /// others.
    ///
    /// # Errors
    /// The necessary wait, if it exceeds the deadline.
    pub async fn slot(&self, deadline: Deadline) -> Result<Slot<'_>, Duration> {
        let mut slot = self.own_slot(deadline).await?;
        if let Some(shared) = &self.shared {
            slot.shared = Some(Box::new(shared.own_slot(deadline).await?));
        }
        Ok(slot)
    }

    async fn own_slot(&self, deadline: Deadline) -> Result<Slot<'_>, Duration> {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            let now = Instant::now();
            let (turn, is_logged) = self.schedule().ask(now);
            match turn {
                Turn::Go => {
                    let (pacer, taken_at) = (self, now);
                    return Ok(Slot {
                        pacer,
                        taken_at,
                        shared: None,
                    });
                }
                Turn::At(then) => {
                    let wait = then.saturating_duration_since(now);
                    if wait > deadline.remaining() {
                        return Err(wait);
                    }
                    if is_logged {
                        let wait_s = wait.as_millis().div_ceil(1000) as u64;
                        info!(wait_s, "Waiting {wait_s} s for the rate limit");
                        info!(target: "progress", wait_s, "Waiting {wait_s} s for the rate limit");
                    }
                    tokio::time::sleep_until(then.into()).await;
                }
                Turn::AfterAnAnswer => answered.await,
            }
        }
    }

    /// Sends nothing for this long, after the server refused a request.
    pub fn hold(&self, length: Duration) {
        self.schedule().hold(Instant::now() + length);
    }

    /// The shortest time for this number of requests, from a fresh start.
    pub fn time_for(&self, requests: u64) -> Duration {
        self.schedule().time_for(requests)
    }

    fn schedule(&self) -> MutexGuard<'_, PaceSchedule> {
        // No update can panic half-way, so the schedule behind a poisoned lock is consistent.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.pacer.schedule().give_back(Instant::now());
        self.pacer.answered.notify_waiters();
    }
}

/// The arithmetic of slots, without waiting.
#[derive(Debug)]
struct PaceSchedule {
    /// None: no limit.
    capacity: Option<u32>,
    window: Duration,
    in_flight: u32,
    /// When each returned slot comes free, soonest first.
    returning: VecDeque<Instant>,
    held_until: Option<Instant>,
    /// The server's own count, if it reports one.
    count: Option<Count>,
    /// Waits up to here were logged.
    logged_until: Option<Instant>,
}

/// The server's own count.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// Requests that may still be sent before `until`.
    left: u64,
    until: Instant,
    /// The assumed length of the next count.
    length: Duration,
    /// The assumed size of the next count: the requests that remained, and the one that got this answer.
    whole: u64,
    reported_at: Instant,
}

/// The answer to a request for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The slot is taken.
    Go,
    /// Ask once more at this instant.
    At(Instant),
    /// All slots are in flight: ask once more when one is answered.
    AfterAnAnswer,
}

impl PaceSchedule {
    fn new(capacity: Option<u32>, window: Duration) -> Self {
        Self {
            capacity,
            window,
            in_flight: 0,
            returning: VecDeque::new(),
            held_until: None,
            count: None,
            logged_until: None,
        }
    }

    /// The turn of a request at `now`, and whether its wait is logged.
    fn ask(&mut self, now: Instant) -> (Turn, bool) {
        let turn = self.turn(now);
        match turn {
            Turn::Go => {
                self.in_flight += 1;
                if let Some(count) = &mut self.count {
                    count.left = count.left.saturating_sub(1);
                }
            }
            Turn::At(then) if then.saturating_duration_since(now) >= MIN_LOGGED_WAIT => {
                // Several requests may wait for slots that come free at about the same time.
                let is_logged = self.logged_until.is_some_and(|logged| logged >= now);
                self.logged_until = self.logged_until.max(Some(then));
                return (turn, !is_logged);
            }
            Turn::At(_) | Turn::AfterAnAnswer => {}
        }
        (turn, false)
    }

    fn turn(&mut self, now: Instant) -> Turn {
        while self.returning.front().is_some_and(|free| *free <= now) {
            self.returning.pop_front();
        }
        if let Some(held) = self.held_until.filter(|held| *held > now) {
            return Turn::At(held);
        }
        if let Some(count) = &mut self.count {
            if count.until <= now {
                // The size of the new count is unknown: it is assumed to equal the old one.
                count.left = count.whole;
                count.until = now + count.length;
                count.reported_at = now;
            }
            if count.left == 0 {
                return Turn::At(count.until);
            }
        }
        let taken = self.in_flight as usize + self.returning.len();
        match (self.capacity, self.returning.front()) {
            (None, _) => Turn::Go,
            (Some(capacity), _) if taken < capacity as usize => Turn::Go,
            (Some(_), Some(free)) => Turn::At(*free),
            (Some(_), None) => Turn::AfterAnAnswer,
        }
    }

    fn give_back(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.capacity.is_some() {
            self.returning.push_back(now + self.window);
        }
    }

    fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }

    /// Takes over the server's count from an answer. Requests in flight may not be counted yet. If answers overtook
    /// each other, the stricter one counts.
    fn tighten(&mut self, sent_at: Instant, now: Instant, remaining: u64, length: Duration) {
        let others = u64::from(self.in_flight.saturating_sub(1));
        let mut reported = Count {
            left: remaining.saturating_sub(others),
            until: now + length,
            length,
            whole: remaining.saturating_add(1),
            reported_at: now,
        };
        if let Some(known) = self.count {
            reported.whole = reported.whole.max(known.whole);
            if known.until > now && sent_at < known.reported_at {
                reported.left = reported.left.min(known.left);
                reported.until = reported.until.max(known.until);
            }
        }
        self.count = Some(reported);
    }

    fn time_for(&self, requests: u64) -> Duration {
        match self.capacity {
            None => Duration::ZERO,
            Some(capacity) => {
                let windows = requests.saturating_sub(1) / u64::from(capacity);
                self.window
                    .saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_run_below_the_limit_never_waits() {
        let start = Instant::now();
        let mut schedule = PaceSchedule::new(Some(2), ms(10_000));
        assert_eq!(schedule.ask(start).0, Turn::Go);
        schedule.give_back(start + ms(50));
        assert_eq!(schedule.ask(start + ms(60)).0, Turn::Go);
    }

    #[test]
    fn a_slot_comes_free_one_window_after_its_answer() {
        let start = Instant::now();
        let mut schedule = PaceSchedule::new(Some(1), ms(10_000));
        assert_eq!(schedule.ask(start).0, Turn::Go);
        assert_eq!(schedule.ask(start + ms(1)).0, Turn::AfterAnAnswer);
        schedule.give_back(start + ms(700));
        let free = start + ms(10_700);
        assert_eq!(schedule.ask(start + ms(701)).0, Turn::At(free));
        assert_eq!(schedule.ask(free).0, Turn::Go);
    }

    #[test]
    fn a_hold_applies_without_a_limit_too() {
        let start = Instant::now();
        let mut schedule = PaceSchedule::new(None, Duration::ZERO);
        schedule.hold(start + ms(500));
        schedule.hold(start + ms(200));
        assert_eq!(schedule.ask(start).0, Turn::At(start + ms(500)));
        assert_eq!(schedule.ask(start + ms(500)).0, Turn::Go);
    }

    #[test]
    fn no_more_is_sent_than_the_server_still_allows() {
        let start = Instant::now();
        let at = |millis| start + ms(millis);
        let mut schedule = PaceSchedule::new(None, Duration::ZERO);
        assert_eq!(schedule.ask(start).0, Turn::Go);
        assert_eq!(schedule.ask(start).0, Turn::Go);
        // One of two is answered; the other may not be counted yet.
        schedule.tighten(start, at(10), 2, ms(990));
        schedule.give_back(at(10));
        assert_eq!(schedule.ask(at(10)).0, Turn::Go);
        assert_eq!(schedule.ask(at(10)).0, Turn::At(at(1_000)));
        // The answer to the other request is older than the known count.
        schedule.tighten(start, at(20), 9, ms(900));
        assert_eq!(schedule.ask(at(20)).0, Turn::At(at(1_000)));
        // The answer to a later request is newer.
        schedule.tighten(at(25), at(30), 3, ms(1_970));
        assert_eq!(schedule.ask(at(40)).0, Turn::Go);
        schedule.tighten(at(40), at(50), 0, ms(1_950));
        assert_eq!(schedule.ask(at(1_999)).0, Turn::At(at(2_000)));
    }

    #[test]
    fn a_new_count_of_the_server_is_assumed_to_equal_the_old_one() {
        let start = Instant::now();
        let mut schedule = PaceSchedule::new(None, Duration::ZERO);
        assert_eq!(schedule.ask(start).0, Turn::Go);
        // Five requests in a second; one is used.
        schedule.tighten(start, start, 4, ms(1_000));
        schedule.give_back(start);
        for _ in 0..4 {
            assert_eq!(schedule.ask(start).0, Turn::Go);
        }
        assert_eq!(schedule.ask(start).0, Turn::At(start + ms(1_000)));
        let next = start + ms(1_000);
        for _ in 0..5 {
            assert_eq!(schedule.ask(next).0, Turn::Go);
        }
        assert_eq!(schedule.ask(next).0, Turn::At(start + ms(2_000)));
    }

    #[test]
    fn a_wait_of_several_requests_is_logged_once() {
        let start = Instant::now();
        let mut schedule = PaceSchedule::new(Some(1), ms(7_000));
        schedule.ask(start);
        schedule.give_back(start);
        assert!(schedule.ask(start).1);
        assert!(!schedule.ask(start).1);
    }

    #[test]
    fn the_time_for_many_requests_is_counted_in_windows() {
        let pacer = Pacer::new(49, ms(10_000));
        assert_eq!(pacer.time_for(49), Duration::ZERO);
        assert_eq!(pacer.time_for(50), ms(10_000));
        assert_eq!(pacer.time_for(1_200), ms(240_000));
        assert_eq!(Pacer::unlimited().time_for(u64::MAX), Duration::ZERO);
    }

    #[tokio::test]
    async fn several_limits_share_a_wider_one() {
        let token = Arc::new(Pacer::new(2, ms(60_000)));
        let one = Pacer::new(9, ms(60_000)).within(Some(token.clone()));
        let other = Pacer::unlimited().within(Some(token));
        let soon = Deadline::after(ms(1_000));
        let (first, second) = (one.slot(soon).await, other.slot(soon).await);
        drop(first.expect("a slot"));
        let wait = other.slot(soon).await.expect_err("both slots are taken");
        assert!(wait > ms(59_000), "{wait:?}");
        drop(second.expect("a slot"));
        assert_eq!(one.schedule().in_flight, 0);
    }

    proptest! {
        /// Requests of any length are sent as soon as the schedule allows. The server counts each at any moment between
        /// sending and answer, and no window exceeds the limit.
        #[test]
        fn no_window_holds_more_requests_than_allowed(
            capacity in 1u32..6,
            window in 1u64..50,
            requests in prop::collection::vec((0u64..30, 0u64..20, 0.0f64..=1.0), 1..60),
        ) {
            let start = Instant::now();
            let mut schedule = PaceSchedule::new(Some(capacity), ms(window));
            let mut now = start;
            let mut open: Vec<Instant> = Vec::new();
            let mut counted: Vec<Instant> = Vec::new();
            for (pause, length, place) in requests {
                now += ms(pause);
                loop {
                    // Answers that came in the meantime return their slots in order.
                    open.sort();
                    while open.first().is_some_and(|answer| *answer <= now) {
                        let answer = open.remove(0);
                        schedule.give_back(answer);
                    }
                    match schedule.ask(now).0 {
                        Turn::Go => break,
                        Turn::At(then) => now = open.first().map_or(then, |answer| then.min(*answer)),
                        Turn::AfterAnAnswer => now = open[0],
                    }
                }
                open.push(now + ms(length));
                counted.push(now + ms(length).mul_f64(place));
            }
            counted.sort();
            for pair in counted.windows(capacity as usize + 1) {
                let span = pair[capacity as usize] - pair[0];
                prop_assert!(span >= ms(window), "{} requests within {span:?}", pair.len());
            }
        }
    }
}
