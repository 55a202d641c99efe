use std::time::Duration;

use super::backoff::Backoff;
use super::{Config, MAX_ATTEMPTS};
use crate::invalid::Checks;
use crate::{InvalidConfig, MAX_DURATION};

/// Puts a [`Config`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    config: Config,
}

pub(super) const CHECKS: Checks = Checks("retry");

// === impl ConfigBuilder ===

impl ConfigBuilder {
    pub(super) const fn new(config: Config) -> Self {
        Self { config }
    }

    /// How often a request is sent at most, with the first time: 1 to
    /// [`MAX_ATTEMPTS`](super::MAX_ATTEMPTS), where 1 is no retry at all. Default:
    /// [`DEFAULT_MAX_ATTEMPTS`](super::DEFAULT_MAX_ATTEMPTS).
    pub const fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = attempts;
        self
    }

    /// The bounds of the pauses: that of the first, and the one that no doubling goes beyond.
    /// Default: [`DEFAULT_BACKOFF`](super::DEFAULT_BACKOFF) and
    /// [`DEFAULT_MAX_BACKOFF`](super::DEFAULT_MAX_BACKOFF).
    pub const fn with_backoff(mut self, base: Duration, max: Duration) -> Self {
        self.config.backoff = Backoff { base, max };
        self
    }

    /// The longest `retry-after` that is waited for; a response that asks for more is passed on as it
    /// is. Default: [`DEFAULT_MAX_RETRY_AFTER`](super::DEFAULT_MAX_RETRY_AFTER).
    pub const fn with_max_retry_after(mut self, max: Duration) -> Self {
        self.config.max_retry_after = max;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// When a value is out of its range.
    pub fn build(self) -> Result<Config, InvalidConfig> {
        let Config {
            max_attempts,
            backoff: Backoff { base, max },
            max_retry_after,
        } = self.config;
        CHECKS.check(
            (1..=MAX_ATTEMPTS).contains(&max_attempts),
            "max_attempts",
            max_attempts,
            format_args!("1 to {MAX_ATTEMPTS}"),
        )?;
        CHECKS.check(
            base >= Duration::from_millis(1) && base <= MAX_DURATION,
            "backoff",
            format_args!("{base:?}"),
            format_args!("1ms to 24h"),
        )?;
        CHECKS.check(
            max >= base && max <= MAX_DURATION,
            "backoff.max",
            format_args!("{max:?}"),
            format_args!("the {base:?} of the first pause to 24h"),
        )?;
        CHECKS.check(
            max_retry_after <= MAX_DURATION,
            "max_retry_after",
            format_args!("{max_retry_after:?}"),
            format_args!("0s to 24h"),
        )?;
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LONGER: Duration = MAX_DURATION.saturating_add(MS);

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::builder().build(), Ok(Config::default()));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let builder = Config::builder;
        for (builder, expected) in [
            (
                builder().with_max_attempts(0),
                "max_attempts: 0 is not 1 to 16",
            ),
            (
                builder().with_max_attempts(17),
                "max_attempts: 17 is not 1 to 16",
            ),
            (
                builder().with_backoff(Duration::ZERO, MS),
                "backoff: 0ns is not 1ms to 24h",
            ),
            (
                builder().with_backoff(LONGER, LONGER),
                "backoff: 86400.001s is not 1ms to 24h",
            ),
            (
                builder().with_backoff(2 * MS, MS),
                "backoff.max: 1ms is not the 2ms of the first pause to 24h",
            ),
            (
                builder().with_backoff(MS, LONGER),
                "backoff.max: 86400.001s is not the 1ms of the first pause to 24h",
            ),
            (
                builder().with_max_retry_after(LONGER),
                "max_retry_after: 86400.001s is not 0s to 24h",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), format!("retry: {expected}"));
            assert!(expected.starts_with(error.field()));
        }
    }

    #[test]
    fn what_is_just_in_range_is_taken() {
        for builder in [
            Config::builder().with_max_attempts(1),
            Config::builder().with_max_attempts(MAX_ATTEMPTS),
            Config::builder().with_backoff(MS, MS),
            Config::builder().with_backoff(MAX_DURATION, MAX_DURATION),
            Config::builder().with_max_retry_after(Duration::ZERO),
            Config::builder().with_max_retry_after(MAX_DURATION),
        ] {
            assert!(builder.clone().build().is_ok(), "{builder:?}");
        }
    }
}
