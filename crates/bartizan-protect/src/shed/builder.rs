use std::time::Duration;

use super::Config;
use crate::InvalidConfig;
use crate::invalid::Checks;

/// Puts a [`Config`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    config: Config,
}

const CHECKS: Checks = Checks("load shedding");

// === impl ConfigBuilder ===

impl ConfigBuilder {
    pub(super) const fn new(config: Config) -> Self {
        Self { config }
    }

    /// For how long calls may wait. Default: [`DEFAULT_TARGET`](super::DEFAULT_TARGET).
    ///
    /// Less than they can wait, or there is nothing to be seen: half of a bulkhead's
    /// [queue timeout](crate::bulkhead::ConfigBuilder::with_queue_timeout) at most.
    pub const fn with_target(mut self, wait: Duration) -> Self {
        self.config.target = wait;
        self
    }

    /// Which part of the places may be taken before what is sheddable is shed: above 0, and 1 when
    /// all are taken. Default: [`DEFAULT_SATURATION`](super::DEFAULT_SATURATION).
    pub const fn with_saturation(mut self, part: f64) -> Self {
        self.config.saturation = part;
        self
    }

    /// It is too much when it was too much all the time for so long. Default:
    /// [`DEFAULT_INTERVAL`](super::DEFAULT_INTERVAL).
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.config.interval = interval;
        self
    }

    /// By which part of a priority's calls more are shed after an interval that was too much, and
    /// fewer after a calm one; each 0.001 to 1. Default: [`DEFAULT_RISE`](super::DEFAULT_RISE) and
    /// [`DEFAULT_FALL`](super::DEFAULT_FALL).
    ///
    /// The first is for waits of five times the target; less is met with less, down to a fifth.
    pub const fn with_steps(mut self, rise: f64, fall: f64) -> Self {
        self.config.rise = rise;
        self.config.fall = fall;
        self
    }

    /// An interval is calm that got below this part of the bounds; above 0, below 1. In between,
    /// what is shed stays what it is. Default: [`DEFAULT_CALM`](super::DEFAULT_CALM).
    pub const fn with_calm(mut self, part: f64) -> Self {
        self.config.calm = part;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// When a value is out of its range.
    pub fn build(self) -> Result<Config, InvalidConfig> {
        let Config {
            target,
            saturation,
            interval,
            rise,
            fall,
            calm,
        } = self.config;
        CHECKS.duration("target", target)?;
        CHECKS.check(
            saturation > 0.0 && saturation <= 1.0,
            "saturation",
            saturation,
            "a part above 0, to 1",
        )?;
        CHECKS.duration("interval", interval)?;
        for (field, step) in [("steps.rise", rise), ("steps.fall", fall)] {
            CHECKS.check(
                (0.001..=1.0).contains(&step),
                field,
                step,
                "a part from 0.001 to 1",
            )?;
        }
        CHECKS.check(
            calm > 0.0 && calm < 1.0,
            "calm",
            calm,
            "a part above 0, below 1",
        )?;
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_DURATION;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::builder().build(), Ok(Config::default()));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let builder = Config::builder;
        for (builder, expected) in [
            (
                builder().with_target(Duration::ZERO),
                "target: 0ns is not 1ms to 24h",
            ),
            (
                builder().with_saturation(0.0),
                "saturation: 0 is not a part above 0, to 1",
            ),
            (
                builder().with_saturation(f64::NAN),
                "saturation: NaN is not a part above 0, to 1",
            ),
            (
                builder().with_interval(MAX_DURATION + MS),
                "interval: 86400.001s is not 1ms to 24h",
            ),
            (
                builder().with_steps(0.0, 0.5),
                "steps.rise: 0 is not a part from 0.001 to 1",
            ),
            (
                builder().with_steps(0.5, 1.1),
                "steps.fall: 1.1 is not a part from 0.001 to 1",
            ),
            (
                builder().with_calm(1.0),
                "calm: 1 is not a part above 0, below 1",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), format!("load shedding: {expected}"));
            assert!(expected.starts_with(error.field()));
        }
    }

    #[test]
    fn what_is_just_in_range_is_taken() {
        for builder in [
            Config::builder()
                .with_target(MS)
                .with_interval(MAX_DURATION),
            Config::builder()
                .with_saturation(1.0)
                .with_steps(1.0, 0.001),
            Config::builder().with_calm(0.99),
        ] {
            assert!(builder.clone().build().is_ok(), "{builder:?}");
        }
    }
}
