//! Trying again what the SDK gives up at once. `backoff` is known here and in `net`'s retry, and
//! nowhere else.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use tracing::warn;

use super::AwsFailure;

/// No wait is longer than this, spread by half to both sides.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// How often and how patiently we try again, beside the SDK's own retries.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Attempts, the first one included.
    pub max_attempts: u32,
    /// The first wait; it doubles from attempt to attempt and is spread by half to both sides.
    pub delay: Duration,
}

impl Default for Retries {
    /// Eight attempts in about ten seconds: a conflicting write is over by then.
    fn default() -> Self {
        Self {
            max_attempts: 8,
            delay: Duration::from_millis(100),
        }
    }
}

/// Runs `attempt` until it succeeds, fails for good, or has had its attempts.
pub(crate) async fn retry<T, F, Fut>(
    retries: Retries,
    target: &str,
    mut attempt: F,
) -> Result<T, AwsFailure>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, AwsFailure>>,
{
    let waits = ExponentialBackoffBuilder::new()
        .with_initial_interval(retries.delay)
        .with_max_interval(MAX_DELAY)
        .with_multiplier(2.0)
        .with_randomization_factor(0.5)
        .with_max_elapsed_time(None) // the attempts are counted
        .build();
    let mut attempts = 0;
    let operation = || {
        attempts += 1;
        let last = attempts >= retries.max_attempts;
        let outcome = attempt();
        async move {
            outcome
                .await
                .map_err(|failure| match failure.is_worth_another_try() && !last {
                    true => backoff::Error::transient(failure),
                    false => backoff::Error::permanent(failure),
                })
        }
    };
    let story = |failure: AwsFailure, wait: Duration| {
        warn!(
            wait_ms = wait.as_millis() as u64,
            "Trying `{target}` again: {}", failure.cause
        );
    };
    backoff::future::retry_notify(waits, operation, story).await
}
