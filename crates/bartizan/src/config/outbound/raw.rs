//! The section as it is written. Each value is checked where it is read, so that an error names its
//! line; what takes several of them is checked at the end.

use std::time::Duration;

use bartizan_protect::breaker::{self, MAX_COUNT_WINDOW, MAX_PROBES};
use bartizan_protect::retry::{self, Budget, DEFAULT_RATIO, DEFAULT_RESERVE_PER_SECOND};
use bartizan_protect::{InvalidConfig, MAX_DURATION};
use serde::{Deserialize, Deserializer, Serialize};

use super::{MAX_CALL, OutboundConfig};
use crate::config::{duration, value};
use crate::outbound::{DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_TIMEOUT};

const LEAST: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOutbound {
    #[serde(deserialize_with = "call", serialize_with = "duration::serialize")]
    pub(super) timeout: Duration,
    #[serde(deserialize_with = "call", serialize_with = "duration::serialize")]
    pub(super) attempt_timeout: Duration,
    pub(super) propagate_deadline: bool,
    pub(super) retry: RawRetry,
    pub(super) breaker: RawBreaker,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRetry {
    #[serde(deserialize_with = "attempts")]
    max_attempts: u32,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    backoff: Duration,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    max_backoff: Duration,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    max_retry_after: Duration,
    #[serde(deserialize_with = "budget")]
    budget: f64,
    #[serde(deserialize_with = "reserve")]
    reserve_per_second: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBreaker {
    pub(super) enabled: bool,
    #[serde(deserialize_with = "part")]
    failure_rate: f64,
    #[serde(deserialize_with = "calls")]
    min_calls: u32,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    window: Duration,
    /// 0 for never.
    consecutive_failures: u32,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    slow_threshold: Duration,
    /// 0 for never.
    #[serde(deserialize_with = "part_or_none")]
    slow_rate: f64,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    open_time: Duration,
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    max_open_time: Duration,
    #[serde(deserialize_with = "probes")]
    probes: u32,
}

// === impl RawOutbound ===

impl Default for RawOutbound {
    fn default() -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            propagate_deadline: true,
            retry: RawRetry::default(),
            breaker: RawBreaker::default(),
        }
    }
}

impl TryFrom<RawOutbound> for OutboundConfig {
    type Error = String;

    fn try_from(raw: RawOutbound) -> Result<Self, String> {
        let retry = raw.retry.checked().map_err(|error| error.to_string())?;
        raw.retry.budget().map_err(|error| error.to_string())?;
        let breaker = raw.breaker.checked().map_err(|error| error.to_string())?;
        Ok(Self {
            raw,
            retry,
            breaker,
        })
    }
}

impl From<OutboundConfig> for RawOutbound {
    fn from(config: OutboundConfig) -> Self {
        config.raw
    }
}

// === impl RawRetry ===

impl RawRetry {
    fn checked(&self) -> Result<retry::Config, InvalidConfig> {
        retry::Config::builder()
            .with_max_attempts(self.max_attempts)
            .with_backoff(self.backoff, self.max_backoff)
            .with_max_retry_after(self.max_retry_after)
            .build()
    }

    pub(super) fn budget(&self) -> Result<Budget, InvalidConfig> {
        Budget::builder()
            .with_ratio(self.budget)
            .with_reserve_per_second(self.reserve_per_second)
            .build()
    }
}

impl Default for RawRetry {
    fn default() -> Self {
        Self {
            max_attempts: retry::DEFAULT_MAX_ATTEMPTS,
            backoff: retry::DEFAULT_BACKOFF,
            max_backoff: retry::DEFAULT_MAX_BACKOFF,
            max_retry_after: retry::DEFAULT_MAX_RETRY_AFTER,
            budget: DEFAULT_RATIO,
            reserve_per_second: DEFAULT_RESERVE_PER_SECOND,
        }
    }
}

// === impl RawBreaker ===

impl RawBreaker {
    fn checked(&self) -> Result<breaker::Config, InvalidConfig> {
        let mut config = breaker::Config::builder()
            .with_failure_rate(self.failure_rate, self.min_calls)
            .with_time_window(self.window)
            .with_slow_threshold(self.slow_threshold)
            .with_open_time(self.open_time, self.max_open_time)
            .with_probes(self.probes);
        if self.consecutive_failures > 0 {
            config = config.with_consecutive_failures(self.consecutive_failures);
        }
        if self.slow_rate > 0.0 {
            config = config.with_slow_rate(self.slow_rate, self.min_calls);
        }
        config.build()
    }
}

impl Default for RawBreaker {
    fn default() -> Self {
        Self {
            enabled: true,
            failure_rate: breaker::DEFAULT_FAILURE_RATE,
            min_calls: breaker::DEFAULT_MIN_CALLS,
            window: breaker::DEFAULT_WINDOW,
            consecutive_failures: 0,
            slow_threshold: breaker::DEFAULT_SLOW_THRESHOLD,
            slow_rate: 0.0,
            open_time: breaker::DEFAULT_OPEN_TIME,
            max_open_time: breaker::DEFAULT_MAX_OPEN_TIME,
            probes: breaker::DEFAULT_PROBES,
        }
    }
}

// === values ===

fn call<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, LEAST..=MAX_CALL)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, LEAST..=MAX_DURATION)
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 1..=retry::MAX_ATTEMPTS)
}

fn budget<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    value::within(deserializer, 0.0..=1.0)
}

fn reserve<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 0..=1_000_000)
}

fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    value::within(deserializer, 0.000_001..=1.0)
}

fn part_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    value::within(deserializer, 0.0..=1.0)
}

fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 1..=MAX_COUNT_WINDOW)
}

fn probes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 1..=MAX_PROBES)
}
