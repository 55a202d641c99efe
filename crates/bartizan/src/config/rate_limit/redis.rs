//! The part of the section that shares the limit between replicas.

use std::time::Duration;

use axum::BoxError;
use bartizan_observe::telemetry::Telemetry;
use redis::IntoConnectionInfo;
use serde::{Deserialize, Deserializer, Serialize};

use super::RateLimitConfig;
use crate::SharedLimitLayer;
use crate::config::value;
use crate::rate_limit::Policy;
use crate::shared_limit::{RedisStore, StoreDown};

/// The longest that a request may wait for Redis: more than that nobody wants to lose to a limit.
pub const MAX_REDIS_DEADLINE: Duration = Duration::from_secs(10);

/// A URL that a client can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RedisUrl(String);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WhenRedisDown {
    #[default]
    Local,
    Allow,
    Deny,
}

// === impl RateLimitConfig ===

impl RateLimitConfig {
    /// A layer that keeps each client within these policies, of which [`policy`](Self::policy) makes
    /// some, over all replicas with the same `redis_url`. `None` where there is no `redis_url`.
    ///
    /// It goes in the place of [`layer`](Self::layer), and not inside of one. Redis need not be there
    /// yet.
    ///
    /// # Errors
    ///
    /// When one of the policies cannot be, or there are none or too many.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn shared_layer(
        &self,
        policies: impl IntoIterator<Item = Policy>,
        telemetry: &Telemetry,
    ) -> Result<Option<SharedLimitLayer<RedisStore>>, BoxError> {
        let Some(url) = &self.raw.redis_url else {
            return Ok(None);
        };
        let store = RedisStore::open(&url.expose().0)?;
        let builder = SharedLimitLayer::builder(store, telemetry)
            .with_deadline(self.raw.redis_deadline)
            .with_store_down(self.when_redis_down());
        let policies = policies.into_iter();
        let limiter = policies.fold(builder, |builder, policy| builder.with_policy(policy));
        Ok(Some(SharedLimitLayer::of(limiter.build()?)))
    }

    /// What becomes of requests while Redis does not decide.
    #[must_use]
    pub const fn when_redis_down(&self) -> StoreDown {
        match self.raw.when_redis_down {
            WhenRedisDown::Local => StoreDown::LocalOnly,
            WhenRedisDown::Allow => StoreDown::Allow,
            WhenRedisDown::Deny => StoreDown::Deny,
        }
    }
}

// === impl RedisUrl ===

impl<'de> Deserialize<'de> for RedisUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a URL such as redis://127.0.0.1:6379/0";
        value::text(deserializer, expected, |text| {
            let is_one = text.into_connection_info().is_ok();
            is_one.then(|| Self(text.to_owned()))
        })
    }
}
