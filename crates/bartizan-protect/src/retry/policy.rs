use std::time::{Duration, Instant};

use super::{Config, GaveUp};
use crate::timeout::LEAST;

/// An attempt whose answer was worth another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    /// Its number; that of the first is 0.
    pub(super) attempt: u32,
    pub(super) at: Instant,
    pub(super) replayable: bool,
    /// By when the caller wants its answer.
    pub(super) deadline: Option<Instant>,
    /// For how long the service has asked to be left alone.
    pub(super) retry_after: Option<Duration>,
}

// === impl Config ===

impl Config {
    /// How long to wait before the next attempt; `chance` is from 0 to below 1.
    ///
    /// The budget is asked afterwards, so that it is not spent on what is not done.
    pub(super) fn next(&self, failed: &Failed, chance: f64) -> Result<Duration, GaveUp> {
        if failed.attempt + 1 >= self.max_attempts {
            return Err(GaveUp::Attempts);
        }
        if !failed.replayable {
            return Err(GaveUp::NotReplayable);
        }
        let asked = failed.retry_after.unwrap_or_default();
        if asked > self.max_retry_after {
            return Err(GaveUp::RetryAfterTooLong);
        }
        // On top, or all those who were asked for the same time would come back at the same time.
        let delay = asked + self.backoff.pause(failed.attempt, chance);
        let starts = failed.at + delay;
        match failed.deadline {
            // An attempt that has no time would be refused, and its answer be worse than this one.
            Some(deadline) if starts + LEAST > deadline => Err(GaveUp::Deadline),
            _ => Ok(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timer;

    const MS: Duration = Duration::from_millis(1);

    /// 3 attempts, pauses of up to 100 ms and then 200 ms, and 5 s for `retry-after`.
    fn config() -> Config {
        let builder = Config::builder().with_backoff(100 * MS, 1_000 * MS);
        builder.build().unwrap()
    }

    #[test]
    fn what_comes_next() {
        let ms = |ms: u32| ms * MS;
        for (attempt, retry_after, left, expected) in [
            (0, None, None, Ok(50)),
            (1, None, None, Ok(100)),
            (2, None, None, Err(GaveUp::Attempts)),
            (7, None, None, Err(GaveUp::Attempts)),
            (0, Some(0), None, Ok(50)),
            (0, Some(5_000), None, Ok(5_050)),
            (1, Some(5_000), None, Ok(5_100)),
            (0, Some(5_001), None, Err(GaveUp::RetryAfterTooLong)),
            (0, None, Some(51), Ok(50)),
            (0, None, Some(50), Err(GaveUp::Deadline)),
            (0, None, Some(0), Err(GaveUp::Deadline)),
            (0, Some(1_000), Some(1_050), Err(GaveUp::Deadline)),
            (0, Some(1_000), Some(1_051), Ok(1_050)),
            // Whoever is asked first, says no.
            (2, Some(9_000), Some(0), Err(GaveUp::Attempts)),
            (0, Some(9_000), Some(0), Err(GaveUp::RetryAfterTooLong)),
        ] {
            let at = Timer::default().now();
            let failed = Failed {
                attempt,
                at,
                replayable: true,
                deadline: left.map(|left| at + ms(left)),
                retry_after: retry_after.map(ms),
            };
            let next = config().next(&failed, 0.5);
            assert_eq!(next, expected.map(ms), "{attempt} {retry_after:?} {left:?}");
        }
    }

    #[test]
    fn a_deadline_that_has_passed_ends_it() {
        let deadline = Timer::default().now();
        let failed = Failed {
            attempt: 0,
            at: deadline + MS,
            replayable: true,
            deadline: Some(deadline),
            retry_after: None,
        };
        assert_eq!(config().next(&failed, 0.0), Err(GaveUp::Deadline));
    }

    #[test]
    fn what_cannot_be_sent_again_is_not() {
        let mut failed = Failed {
            attempt: 1,
            at: Timer::default().now(),
            replayable: false,
            deadline: None,
            retry_after: Some(9_000 * MS),
        };
        assert_eq!(config().next(&failed, 0.0), Err(GaveUp::NotReplayable));
        failed.attempt = 2;
        assert_eq!(config().next(&failed, 0.0), Err(GaveUp::Attempts));
    }

    proptest! {
        #[test]
        fn no_attempt_starts_without_time_to_finish(
            attempt in 0_u32..4,
            left in 0_u64..2_000,
            retry_after in proptest::option::of(0_u64..2_000),
            chance in 0.0..1.0_f64,
        ) {
            let at = Timer::default().now();
            let retry_after = retry_after.map(Duration::from_millis);
            let deadline = at + Duration::from_millis(left);
            let failed = Failed {
                attempt,
                at,
                replayable: true,
                deadline: Some(deadline),
                retry_after,
            };
            if let Ok(delay) = config().next(&failed, chance) {
                prop_assert!(at + delay + MS <= deadline);
                prop_assert!(delay >= retry_after.unwrap_or_default());
                prop_assert!(attempt < 2);
            }
        }
    }
}
