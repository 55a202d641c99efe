mod raw;
#[cfg(feature = "redis")]
mod redis;

use std::time::Duration;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::InvalidConfig;
use serde::{Deserialize, Serialize};

use self::raw::RawRateLimit;
use crate::RateLimitLayer;
use crate::rate_limit::{Keys, Mode, Policy, Proxies, Quota, Trusted};

#[cfg(feature = "redis")]
pub use self::redis::MAX_REDIS_DEADLINE;

/// Requests of a client for each [`DEFAULT_RATE_LIMIT_PER`]: more than a person brings about, and
/// less than a loop does that has nothing to wait for.
pub const DEFAULT_RATE_LIMIT: u32 = 100;

/// A second, in which one sees whether it fits.
pub const DEFAULT_RATE_LIMIT_PER: Duration = Duration::from_secs(1);

/// Requests of a client at once: two seconds' worth, so that who was held up can catch up.
pub const DEFAULT_RATE_LIMIT_BURST: u32 = 200;

/// The highest rate for one client.
pub const MAX_RATE_LIMIT: u32 = 100_000;

/// The most requests of one client at once.
pub const MAX_RATE_LIMIT_BURST: u32 = 1_000_000;

/// The longest chain of proxies in front of a service.
pub const MAX_TRUSTED_PROXIES: usize = 16;

/// What each client may ask for, as a section of a service's configuration.
///
/// ```toml
/// [rate_limit]
/// enabled = true
/// rate = 100           # requests in each `per`, 1 to 100000
/// per = "1s"           # 1ms to 24h
/// burst = 200          # requests at once, 1 to 1000000
/// trusted_proxies = 0  # in front of the service, which append to x-forwarded-for; 0 to 16
/// ```
///
/// These are the defaults. It is valid by construction: reading it is the only way to change it.
///
/// With the feature `redis`, replicas can share the limit:
///
/// ```toml
/// redis_url = "redis://127.0.0.1:6379/0"  # not told, as it may hold a password; default: none
/// redis_deadline = "5ms"                  # for an answer of Redis, 1ms to 10s
/// when_redis_down = "local"               # each replica by itself; or allow, or deny
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "RawRateLimit", into = "RawRateLimit")]
pub struct RateLimitConfig {
    raw: RawRateLimit,
}

// === impl RateLimitConfig ===

impl RateLimitConfig {
    /// [`Mode::Enforce`] where it is enabled, else [`Mode::Disabled`].
    #[must_use]
    pub const fn mode(&self) -> Mode {
        if self.raw.enabled {
            Mode::Enforce
        } else {
            Mode::Disabled
        }
    }

    /// How much a client may ask for.
    ///
    /// # Errors
    ///
    /// None that a value which was read could bring about.
    pub fn quota(&self) -> Result<Quota, InvalidConfig> {
        Quota::new(self.raw.rate, self.raw.per, self.raw.burst)
    }

    /// Who a client is: the address behind so many trusted proxies.
    #[must_use]
    pub fn clients(&self) -> Keys {
        let trusted = Trusted::hops(self.raw.trusted_proxies);
        Keys::client(Proxies::x_forwarded_for(trusted))
    }

    /// The limit of each client as a policy that is called `name`.
    ///
    /// # Errors
    ///
    /// None that a value which was read could bring about.
    pub fn policy(&self, name: &str) -> Result<Policy, InvalidConfig> {
        let policy = Policy::new(name, self.quota()?);
        Ok(policy.with_keys(self.clients()).with_mode(self.mode()))
    }

    /// A layer that keeps each client within the limit, by a policy that is called `client`; in this
    /// process, whatever the others do.
    ///
    /// # Errors
    ///
    /// None that a value which was read could bring about.
    pub fn layer(&self, telemetry: &Telemetry) -> Result<RateLimitLayer, InvalidConfig> {
        RateLimitLayer::new([self.policy("client")?], telemetry)
    }
}
