//! Retries: whether, when, and for how long.
//!
//! The crate `backoff` runs the loop and draws the delays. Only this file and `aws::retry` use it, so it is easy to
//! replace. Its `retry_after` bypasses its own bound on elapsed time, so [`Bounds::decide`] bounds every delay first.

use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::{Backoff, Stop};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tracing::warn;

use super::{Deadline, Settings};

/// Truto answers 503 without end for a blocked account; a short outage is over after two more attempts.
const FEW_ATTEMPTS: u32 = 3;

/// Waits double up to this length. Only the server can request a longer one.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextTry {
    Never,
    /// Perhaps: at most [`FEW_ATTEMPTS`].
    Few,
    Yes,
}

/// The decision for an answer other than success.
pub(super) fn next_try_after(status: StatusCode) -> NextTry {
    match status.as_u16() {
        // Too slow, too early, too many requests, or broken between server and client.
        408 | 425 | 429 | 500 | 502 | 504 => NextTry::Yes,
        // Codes of Cloudflare, often with a page of HTML.
        520..=530 => NextTry::Yes,
        503 => NextTry::Few,
        _ => NextTry::Never,
    }
}

/// A failed attempt, and what it means for the next one.
#[derive(Debug)]
pub(super) struct LastFailure<T> {
    pub(super) error: T,
    pub(super) next_try: NextTry,
    /// The wait that the server requests.
    pub(super) wait: Option<Duration>,
}

/// The failure of the last attempt, with the number and duration of all attempts.
#[derive(Debug)]
pub(super) struct GaveUp<T> {
    pub(super) error: T,
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
    pub(super) because: Option<String>,
}

/// The bounds of a request: attempts, its own time, and the deadline of the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    max_attempts: u32,
    max_elapsed: Duration,
    deadline: Deadline,
    base_delay: Duration,
}

impl Bounds {
    pub(super) fn new(settings: &Settings, deadline: Deadline) -> Self {
        Self {
            max_attempts: settings.max_attempts.max(1),
            max_elapsed: settings.max_elapsed,
            deadline,
            base_delay: settings.base_delay,
        }
    }

    /// Makes attempts until one succeeds, another cannot help, or a bound is reached.
    pub(super) async fn retry<A, T, F, Fut>(&self, mut once: F) -> Result<A, GaveUp<T>>
    where
        T: std::fmt::Display,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<A, LastFailure<T>>>,
    {
        let started = Instant::now();
        let mut delays = ExponentialBackoff {
            initial_interval: self.base_delay,
            current_interval: self.base_delay,
            max_interval: MAX_DELAY.max(self.base_delay),
            multiplier: 2.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let mut attempts = 0;
        let operation = || {
            attempts += 1;
            let attempt = attempts;
            let delay = delays.next_backoff().unwrap_or_default();
            let running = once();
            async move {
                let failed = |failure| self.decide(failure, attempt, started.elapsed(), delay);
                running.await.map_err(failed)
            }
        };
        let log = |failed: GaveUp<T>, wait: Duration| {
            let (attempt, wait_ms) = (failed.attempts, wait.as_millis() as u64);
            warn!(attempt, wait_ms, "{}; retrying", failed.error);
        };
        backoff::future::retry_notify(Stop {}, operation, log).await
    }

    /// Turns a failed attempt into the next one's delay, or into the end.
    fn decide<T>(
        &self,
        failure: LastFailure<T>,
        attempts: u32,
        elapsed: Duration,
        delay: Duration,
    ) -> backoff::Error<GaveUp<T>> {
        let allowed = match failure.next_try {
            NextTry::Never => 1,
            NextTry::Few => self.max_attempts.min(FEW_ATTEMPTS),
            NextTry::Yes => self.max_attempts,
        };
        let wait = match failure.wait {
            Some(requested) => requested.saturating_add(jitter(self.base_delay)).max(delay),
            None => delay,
        };
        let left = self
            .max_elapsed
            .saturating_sub(elapsed)
            .min(self.deadline.remaining());
        let is_last = failure.next_try == NextTry::Never || attempts >= allowed;
        let because = (!is_last && wait > left).then(|| {
            let (wait, left) = (wait.as_millis().div_ceil(1000), left.as_secs());
            format!("the next attempt is due in {wait} s, and {left} s are left")
        });
        let ends = is_last || because.is_some();
        let failed = GaveUp {
            error: failure.error,
            attempts,
            elapsed,
            because,
        };
        if ends {
            backoff::Error::permanent(failed)
        } else {
            backoff::Error::retry_after(failed, wait)
        }
    }
}

/// Up to half the base delay, so that clients with the same requested wait do not retry together.
fn jitter(base_delay: Duration) -> Duration {
    let draw = getrandom::u32().unwrap_or(0);
    (base_delay / 2).mul_f64(f64::from(draw) / f64::from(u32::MAX))
}

/// The wait that the server requests: the longer of `Retry-After` and `ratelimit-reset`.
///
/// Dates and epochs are compared with the `Date` of the answer, so an error of our clock does not matter.
pub(super) fn requested_wait(headers: &HeaderMap) -> Option<Duration> {
    let retry_after = header(headers, "retry-after").and_then(|text| {
        leading_number(text)
            .filter(|_| !text.contains(','))
            .map(Duration::from_secs)
            .or_else(|| until(date(text)?, headers))
    });
    retry_after.max(reset(headers))
}

/// The number of requests that the server still allows, and for how long; none unless it reports both.
pub(super) fn remaining(headers: &HeaderMap) -> Option<(u64, Duration)> {
    let remaining = leading_number(header(headers, "ratelimit-remaining")?)?;
    Some((remaining, reset(headers)?))
}

/// Truto's documentation describes seconds, its blog an epoch. A number above a thousand million is an epoch.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    const EPOCHS_FROM: u64 = 1_000_000_000;
    let reset = leading_number(header(headers, "ratelimit-reset")?)?;
    if reset <= EPOCHS_FROM {
        return Some(Duration::from_secs(reset));
    }
    let at = Timestamp::from_second(i64::try_from(reset).ok()?).ok()?;
    until(at, headers)
}

/// The `Date` of an answer, by the server's clock.
pub(super) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    date(header(headers, "date")?)
}

/// When the content last changed, according to the server.
pub(super) fn last_modified_of(headers: &HeaderMap) -> Option<Timestamp> {
    date(header(headers, "last-modified")?)
}

fn date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new();
    zoned.parse_timestamp(text).ok()
}

/// From the answer's date to `at`; zero if `at` is past.
fn until(at: Timestamp, headers: &HeaderMap) -> Option<Duration> {
    Some(Duration::try_from(at.duration_since(date_of(headers)?)).unwrap_or_default())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// `7` of `7`, `7.5` and `7;w=10`.
fn leading_number(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let parse = |(name, value): &(&'static str, &'static str)| {
            (
                reqwest::header::HeaderName::from_static(name),
                reqwest::header::HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(parse).collect()
    }

    fn bounds(max_attempts: u32, max_elapsed: u64) -> Bounds {
        Bounds {
            max_attempts,
            max_elapsed: Duration::from_secs(max_elapsed),
            deadline: Deadline::after(Duration::from_secs(3600)),
            base_delay: Duration::ZERO,
        }
    }

    fn failure(next_try: NextTry, wait: Option<u64>) -> LastFailure<&'static str> {
        LastFailure {
            error: "it failed",
            next_try,
            wait: wait.map(Duration::from_secs),
        }
    }

    #[test]
    fn an_answer_without_headers_requests_no_wait() {
        assert_eq!(requested_wait(&HeaderMap::new()), None);
    }

    #[test]
    fn the_longest_requested_wait_counts_in_every_spelling() {
        const DATE: (&str, &str) = ("date", "Mon, 23 Nov 2026 22:40:00 GMT");
        for (pairs, seconds) in [
            (vec![("retry-after", "10")], Some(10)),
            (vec![("retry-after", "0")], Some(0)),
            (
                vec![DATE, ("retry-after", "Mon, 23 Nov 2026 22:40:30 GMT")],
                Some(30),
            ),
            (
                vec![DATE, ("retry-after", "Mon, 23 Nov 2026 22:39:00 GMT")],
                Some(0),
            ),
            (vec![("retry-after", "Mon, 23 Nov 2026 22:40:30 GMT")], None),
            (vec![("ratelimit-reset", "60")], Some(60)),
            (vec![DATE, ("ratelimit-reset", "1795473660")], Some(60)),
            (
                vec![("retry-after", "10"), ("ratelimit-reset", "60")],
                Some(60),
            ),
            (vec![("retry-after", "soon")], None),
            (
                vec![
                    ("ratelimit-limit", "110;w=10"),
                    ("ratelimit-remaining", "109"),
                ],
                None,
            ),
        ] {
            assert_eq!(
                requested_wait(&headers(&pairs)),
                seconds.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_count_without_its_end_is_ignored() {
        let some = headers(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "60")]);
        assert_eq!(remaining(&some), Some((1, Duration::from_secs(60))));
        for pairs in [
            vec![("ratelimit-remaining", "1")],
            vec![("ratelimit-remaining", "few"), ("ratelimit-reset", "60")],
            vec![("ratelimit-reset", "60")],
        ] {
            assert_eq!(remaining(&headers(&pairs)), None, "{pairs:?}");
        }
    }

    #[test]
    fn a_wait_beyond_the_bound_ends_the_retries_with_a_reason() {
        let decided = bounds(8, 600).decide(
            failure(NextTry::Yes, Some(900)),
            1,
            Duration::from_secs(2),
            Duration::ZERO,
        );
        let backoff::Error::Permanent(gave_up) = decided else {
            panic!("it was not the last attempt");
        };
        insta::assert_snapshot!(
            gave_up.because.unwrap_or_default(),
            @"the next attempt is due in 900 s, and 598 s are left"
        );
    }

    #[test]
    fn attempts_are_bounded_even_if_the_server_requests_more() {
        for (next_try, attempts, goes_on) in [
            (NextTry::Yes, 7, true),
            (NextTry::Yes, 8, false),
            (NextTry::Few, 2, true),
            (NextTry::Few, 3, false),
            (NextTry::Never, 1, false),
        ] {
            let decided = bounds(8, 600).decide(
                failure(next_try, Some(1)),
                attempts,
                Duration::ZERO,
                Duration::ZERO,
            );
            assert_eq!(
                matches!(decided, backoff::Error::Transient { .. }),
                goes_on,
                "{next_try:?} after {attempts}"
            );
        }
    }

    #[test]
    fn only_these_statuses_are_retried() {
        let among = |wanted| {
            let statuses = (100..=599).filter_map(|code| StatusCode::from_u16(code).ok());
            statuses
                .filter(|status| next_try_after(*status) == wanted)
                .map(|status| status.as_u16())
                .collect::<Vec<_>>()
        };
        assert_eq!(among(NextTry::Few), [503]);
        assert_eq!(
            among(NextTry::Yes),
            [
                408, 425, 429, 500, 502, 504, 520, 521, 522, 523, 524, 525, 526, 527, 528, 529, 530
            ]
        );
    }
}
