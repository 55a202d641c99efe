use std::time::Duration;

use super::{Config, Limit, MAX_LIMIT, MAX_QUEUE};
use crate::InvalidConfig;
use crate::invalid::Checks;

/// Puts a [`Config`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    config: Config,
}

pub(super) const CHECKS: Checks = Checks("bulkhead");

// === impl ConfigBuilder ===

impl ConfigBuilder {
    pub(super) const fn new(config: Config) -> Self {
        Self { config }
    }

    /// How many calls wait when there are as many as there may be, at most
    /// [`MAX_QUEUE`](super::MAX_QUEUE). Default: [`DEFAULT_MAX_QUEUE`](super::DEFAULT_MAX_QUEUE).
    pub const fn with_max_queue(mut self, calls: usize) -> Self {
        self.config.max_queue = calls;
        self
    }

    /// No call waits.
    pub const fn without_queue(self) -> Self {
        self.with_max_queue(0)
    }

    /// How long a call waits at most. Default:
    /// [`DEFAULT_QUEUE_TIMEOUT`](super::DEFAULT_QUEUE_TIMEOUT).
    pub const fn with_queue_timeout(mut self, timeout: Duration) -> Self {
        self.config.queue_timeout = timeout;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// When a value is out of its range.
    pub fn build(self) -> Result<Config, InvalidConfig> {
        match &self.config.limit {
            Limit::Fixed(limit) => CHECKS.check(
                (1..=MAX_LIMIT).contains(limit),
                "limit",
                limit,
                format_args!("1 to {MAX_LIMIT} calls"),
            )?,
            Limit::Adaptive(adaptive) => adaptive.check()?,
        }
        let max_queue = self.config.max_queue;
        CHECKS.check(
            max_queue <= MAX_QUEUE,
            "max_queue",
            max_queue,
            format_args!("0 to {MAX_QUEUE} calls"),
        )?;
        CHECKS.duration("queue_timeout", self.config.queue_timeout)?;
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Adaptive;
    use super::*;
    use crate::MAX_DURATION;

    const MS: Duration = Duration::from_millis(1);
    const LONGER: Duration = MAX_DURATION.saturating_add(MS);

    #[test]
    fn what_is_out_of_range_is_named() {
        let adaptive = Adaptive::default;
        for (builder, expected) in [
            (Config::builder(0), "limit: 0 is not 1 to 1000000 calls"),
            (
                Config::builder(1_000_001),
                "limit: 1000001 is not 1 to 1000000 calls",
            ),
            (
                Config::builder(1).with_max_queue(1_000_001),
                "max_queue: 1000001 is not 0 to 1000000 calls",
            ),
            (
                Config::builder(1).with_queue_timeout(Duration::ZERO),
                "queue_timeout: 0ns is not 1ms to 24h",
            ),
            (
                Config::builder(1).with_queue_timeout(LONGER),
                "queue_timeout: 86400.001s is not 1ms to 24h",
            ),
            (
                Config::builder(adaptive().with_bounds(0, 10)),
                "bounds: 0 is not 1 to 1000000 calls",
            ),
            (
                Config::builder(adaptive().with_bounds(10, 9)),
                "bounds.max: 9 is not the 10 of the least to 1000000 calls",
            ),
            (
                Config::builder(adaptive().with_bounds(1, 1_000_001)),
                "bounds.max: 1000001 is not the 1 of the least to 1000000 calls",
            ),
            (
                Config::builder(adaptive().with_bounds(1, 10).with_initial(11)),
                "initial: 11 is not within the bounds of 1 to 10 calls",
            ),
            (
                Config::builder(adaptive().with_window(MS / 2, 1)),
                "window: 500µs is not 1ms to 24h",
            ),
            (
                Config::builder(adaptive().with_window(MS, 0)),
                "window.min_samples: 0 is not 1 to 100000 samples",
            ),
            (
                Config::builder(adaptive().with_tolerance(0.99)),
                "tolerance: 0.99 is not 1 to 10",
            ),
            (
                Config::builder(adaptive().with_tolerance(f64::NAN)),
                "tolerance: NaN is not 1 to 10",
            ),
            (
                Config::builder(adaptive().with_probe(1.0, MS)),
                "probe: 1 is not a part from 0.1 to 0.9",
            ),
            (
                Config::builder(adaptive().with_tolerance(2.0)),
                "probe: 0.5 is not below 0.5, which is 1 by the tolerance",
            ),
            (
                Config::builder(adaptive().with_probe(0.5, LONGER)),
                "probe.every: 86400.001s is not 1ms to 24h",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), format!("bulkhead: {expected}"));
            assert!(expected.starts_with(error.field()));
        }
    }

    #[test]
    fn what_is_just_in_range_is_taken() {
        let adaptive = Adaptive::default;
        for builder in [
            Config::builder(1).without_queue(),
            Config::builder(MAX_LIMIT).with_max_queue(MAX_QUEUE),
            Config::builder(1).with_queue_timeout(MS),
            Config::builder(1).with_queue_timeout(MAX_DURATION),
            Config::builder(adaptive()),
            Config::builder(adaptive().with_bounds(1, MAX_LIMIT)),
            Config::builder(adaptive().with_bounds(7, 7).with_initial(7)),
            Config::builder(adaptive().with_tolerance(1.0).with_probe(0.9, MS)),
            Config::builder(adaptive().with_tolerance(9.9).with_probe(0.1, MAX_DURATION)),
        ] {
            assert!(builder.clone().build().is_ok(), "{builder:?}");
        }
    }
}
