use std::time::Duration;

use super::check;
use super::config::{Config, DEFAULT_FAILURE_RATE, DEFAULT_MIN_CALLS, Rate, Window};
use super::{CancelPolicy, DEFAULT_BUCKETS};
use crate::invalid::InvalidConfig;

/// Puts a [`Config`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConfigBuilder {
    /// All but the rates.
    config: Config,
    failure_rate: Option<(f64, u32)>,
    slow_rate: Option<(f64, u32)>,
}

// === impl ConfigBuilder ===

impl ConfigBuilder {
    pub(super) const fn new(config: Config) -> Self {
        Self {
            config,
            failure_rate: Some((DEFAULT_FAILURE_RATE, DEFAULT_MIN_CALLS)),
            slow_rate: None,
        }
    }

    /// Rates are of the latest `calls` calls, at most
    /// [`MAX_COUNT_WINDOW`](super::MAX_COUNT_WINDOW). Default: a time window.
    pub const fn with_count_window(mut self, calls: u32) -> Self {
        self.config.window = Window::Count(calls);
        self
    }

    /// Rates are of the calls within the latest `length`, which moves in
    /// [`DEFAULT_BUCKETS`](super::DEFAULT_BUCKETS) steps. Default:
    /// [`DEFAULT_WINDOW`](super::DEFAULT_WINDOW).
    pub const fn with_time_window(self, length: Duration) -> Self {
        self.with_time_window_in(length, DEFAULT_BUCKETS)
    }

    /// The same with so many steps, at most [`MAX_BUCKETS`](super::MAX_BUCKETS), each of which has
    /// to be a millisecond long or longer.
    pub const fn with_time_window_in(mut self, length: Duration, steps: u16) -> Self {
        self.config.window = Window::Time {
            length,
            buckets: steps,
        };
        self
    }

    /// Opens when `rate` (above 0, at most 1) of the calls in the window failed, as soon as there
    /// are `min_calls` of them. Default: [`DEFAULT_FAILURE_RATE`](super::DEFAULT_FAILURE_RATE) of
    /// [`DEFAULT_MIN_CALLS`](super::DEFAULT_MIN_CALLS).
    pub const fn with_failure_rate(mut self, rate: f64, min_calls: u32) -> Self {
        self.failure_rate = Some((rate, min_calls));
        self
    }

    /// Does not open by the rate of failures.
    pub const fn without_failure_rate(mut self) -> Self {
        self.failure_rate = None;
        self
    }

    /// Opens when so many calls in a row failed. Default: it does not.
    pub const fn with_consecutive_failures(mut self, failures: u32) -> Self {
        self.config.consecutive = Some(failures);
        self
    }

    /// Opens when `rate` (above 0, at most 1) of the calls in the window were slow, as soon as there
    /// are `min_calls` of them. Default: it does not.
    ///
    /// Calls that are still waiting count from the moment on at which they become slow, each once,
    /// and up to an eighth of the [threshold](Self::with_slow_threshold) later than that. A probe
    /// that was slow has failed.
    pub const fn with_slow_rate(mut self, rate: f64, min_calls: u32) -> Self {
        self.slow_rate = Some((rate, min_calls));
        self
    }

    /// A call that takes so long or longer is slow. Default:
    /// [`DEFAULT_SLOW_THRESHOLD`](super::DEFAULT_SLOW_THRESHOLD).
    ///
    /// Put it below the timeouts around the breaker: a call that one of them cuts off later than
    /// this has failed, and one that is cut off earlier was cancelled by somebody impatient.
    pub const fn with_slow_threshold(mut self, threshold: Duration) -> Self {
        self.config.slow_threshold = threshold;
        self
    }

    /// What calls count as that are dropped. Default: [`CancelPolicy::SlowIsFailure`].
    pub const fn with_cancelled(mut self, policy: CancelPolicy) -> Self {
        self.config.cancelled = policy;
        self
    }

    /// So many calls are let through while half-open, at most
    /// [`MAX_PROBES`](super::MAX_PROBES), and decide. Default:
    /// [`DEFAULT_PROBES`](super::DEFAULT_PROBES).
    pub const fn with_probes(mut self, probes: u32) -> Self {
        self.config.probes = probes;
        self
    }

    /// So many of the probes may fail, and the circuit closes all the same. It is decided as soon as
    /// no probe can change it any more. Default: 0.
    pub const fn with_tolerated_probe_failures(mut self, failures: u32) -> Self {
        self.config.tolerated = failures;
        self
    }

    /// A probe that has not come back within this has failed, so that none can hang the circuit.
    /// Default: [`DEFAULT_PROBE_LEASE`](super::DEFAULT_PROBE_LEASE).
    pub const fn with_probe_lease(mut self, lease: Duration) -> Self {
        self.config.probe_lease = lease;
        self
    }

    /// How long it rejects, at first and at most. Default:
    /// [`DEFAULT_OPEN_TIME`](super::DEFAULT_OPEN_TIME) and
    /// [`DEFAULT_MAX_OPEN_TIME`](super::DEFAULT_MAX_OPEN_TIME).
    pub const fn with_open_time(mut self, first: Duration, max: Duration) -> Self {
        self.config.open_time = first;
        self.config.max_open_time = max;
        self
    }

    /// How many times longer each opening in a row is; at least 1. Default:
    /// [`DEFAULT_OPEN_FACTOR`](super::DEFAULT_OPEN_FACTOR).
    pub const fn with_open_factor(mut self, factor: f64) -> Self {
        self.config.open_factor = factor;
        self
    }

    /// By up to which part an open time is shortened by chance; below 1. Default:
    /// [`DEFAULT_JITTER`](super::DEFAULT_JITTER).
    pub const fn with_jitter(mut self, part: f64) -> Self {
        self.config.jitter = part;
        self
    }

    /// Closed for so long, a circuit opens for the first open time again. Default:
    /// [`DEFAULT_STABLE_AFTER`](super::DEFAULT_STABLE_AFTER).
    pub const fn with_stable_after(mut self, stable: Duration) -> Self {
        self.config.stable_after = stable;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// When a value is out of its range, or the breaker could never open.
    pub fn build(self) -> Result<Config, InvalidConfig> {
        check::window(self.config.window)?;
        check::policies(&self.config, self.failure_rate, self.slow_rate)?;
        check::probes(&self.config)?;
        check::open_time(&self.config)?;
        Ok(self.unchecked())
    }

    pub(super) fn unchecked(self) -> Config {
        let rate = |(rate, min_calls)| Rate::new(rate, min_calls);
        Config {
            failure_rate: self.failure_rate.map(rate),
            slow_rate: self.slow_rate.map(rate),
            ..self.config
        }
    }
}
