//! The section as it is written. Each value is checked where it is read, so that an error names its
//! line; what takes several of them is checked at the end.

use std::time::Duration;

use bartizan_protect::MAX_DURATION;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    DEFAULT_RATE_LIMIT, DEFAULT_RATE_LIMIT_BURST, DEFAULT_RATE_LIMIT_PER, MAX_RATE_LIMIT,
    MAX_RATE_LIMIT_BURST, MAX_TRUSTED_PROXIES, RateLimitConfig,
};
use crate::config::{duration, value};
#[cfg(feature = "redis")]
use {
    super::redis::{MAX_REDIS_DEADLINE, RedisUrl, WhenRedisDown},
    crate::config::Secret,
    crate::shared_limit::DEFAULT_DEADLINE,
};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRateLimit {
    pub(super) enabled: bool,
    #[serde(deserialize_with = "rate")]
    pub(super) rate: u32,
    #[serde(deserialize_with = "per", serialize_with = "duration::serialize")]
    pub(super) per: Duration,
    #[serde(deserialize_with = "burst")]
    pub(super) burst: u32,
    #[serde(deserialize_with = "proxies")]
    pub(super) trusted_proxies: usize,
    #[cfg(feature = "redis")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redis_url: Option<Secret<RedisUrl>>,
    #[cfg(feature = "redis")]
    #[serde(
        deserialize_with = "redis_deadline",
        serialize_with = "duration::serialize"
    )]
    pub(super) redis_deadline: Duration,
    #[cfg(feature = "redis")]
    pub(super) when_redis_down: WhenRedisDown,
}

// === impl RawRateLimit ===

impl Default for RawRateLimit {
    fn default() -> Self {
        Self {
            enabled: true,
            rate: DEFAULT_RATE_LIMIT,
            per: DEFAULT_RATE_LIMIT_PER,
            burst: DEFAULT_RATE_LIMIT_BURST,
            trusted_proxies: 0,
            #[cfg(feature = "redis")]
            redis_url: None,
            #[cfg(feature = "redis")]
            redis_deadline: DEFAULT_DEADLINE,
            #[cfg(feature = "redis")]
            when_redis_down: WhenRedisDown::default(),
        }
    }
}

impl TryFrom<RawRateLimit> for RateLimitConfig {
    type Error = String;

    fn try_from(raw: RawRateLimit) -> Result<Self, String> {
        let config = Self { raw };
        config.quota().map_err(|error| error.to_string())?;
        Ok(config)
    }
}

impl From<RateLimitConfig> for RawRateLimit {
    fn from(config: RateLimitConfig) -> Self {
        config.raw
    }
}

// === values ===

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 1..=MAX_RATE_LIMIT)
}

fn per<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::from_millis(1)..=MAX_DURATION)
}

fn burst<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    value::within(deserializer, 1..=MAX_RATE_LIMIT_BURST)
}

fn proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    value::within(deserializer, 0..=MAX_TRUSTED_PROXIES)
}

#[cfg(feature = "redis")]
fn redis_deadline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::from_millis(1)..=MAX_REDIS_DEADLINE)
}
