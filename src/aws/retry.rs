//! Retries failures that the SDK does not retry. Only this file and `net`'s retry use `backoff`.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use tracing::warn;

use super::AwsFailure;

/// The longest wait between two attempts, before it varies by half at random.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// The retries in addition to the SDK's own.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// The number of attempts, including the first.
    pub max_attempts: u32,
    /// The first wait. It doubles with each attempt and varies by half at random.
    pub delay: Duration,
}

impl Default for Retries {
    /// Eight attempts in about ten seconds. A conflicting write has ended by then.
    fn default() -> Self {
        Self {
            max_attempts: 8,
            delay: Duration::from_millis(100),
        }
    }
}

/// Runs `attempt` until it succeeds, fails permanently, or has used all attempts.
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
        .with_max_elapsed_time(None) // the number of attempts is the limit
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
    let log = |failure: AwsFailure, wait: Duration| {
        warn!(
            wait_ms = wait.as_millis() as u64,
            "Retrying `{target}`: {}", failure.cause
        );
    };
    backoff::future::retry_notify(waits, operation, log).await
}
