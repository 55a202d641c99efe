use std::time::Duration;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::{InvalidConfig, Timer, guard};

use super::Guard;
use crate::breaker::{self, Breaker, BreakerBuilder, BreakerObserver};
use crate::bulkhead::{self, Bulkhead, BulkheadBuilder, BulkheadObserver};
use crate::rate_limit::{Policy, RateLimitObserver, RateLimiter};

/// Puts a [`Guard`] together.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct GuardBuilder {
    name: String,
    telemetry: Telemetry,
    guard: guard::GuardBuilder<RateLimitObserver, BulkheadObserver, BreakerObserver>,
}

// === impl GuardBuilder ===

impl GuardBuilder {
    pub(super) fn new(name: &str, telemetry: &Telemetry) -> Self {
        Self {
            name: name.to_owned(),
            telemetry: telemetry.clone(),
            guard: guard::GuardBuilder::default(),
        }
    }

    /// How often calls may begin: as all of these policies say. Default: as often as they come.
    ///
    /// # Errors
    ///
    /// When there is no policy or too many, or one of them cannot be.
    pub fn with_rate_limit(
        self,
        policies: impl IntoIterator<Item = Policy>,
    ) -> Result<Self, InvalidConfig> {
        let observer = RateLimitObserver::new(self.telemetry.meter());
        let builder = RateLimiter::builder().with_observer(observer);
        let policies = policies.into_iter();
        let limiter = policies.fold(builder, |builder, policy| builder.with_policy(policy));
        let limiter = limiter.build()?;
        Ok(self.with_rate_limiter(limiter))
    }

    /// The same by a limiter that others ask as well, such as a layer's.
    pub fn with_rate_limiter(mut self, limiter: RateLimiter<RateLimitObserver>) -> Self {
        self.guard = self.guard.with_rate_limiter(limiter);
        self
    }

    /// How many calls may be under way at a time, and how many wait. The bulkhead has the guard's
    /// name. Default: as many as come.
    pub fn with_bulkhead(self, config: bulkhead::Config) -> Self {
        let observer = BulkheadObserver::new(&self.name, self.telemetry.meter());
        let builder = BulkheadBuilder::new(&self.name, config).with_observer(observer);
        self.with_bulkhead_of(builder.build())
    }

    /// The same by a bulkhead that others go through as well, such as a layer's.
    pub fn with_bulkhead_of(mut self, bulkhead: Bulkhead<BulkheadObserver>) -> Self {
        self.guard = self.guard.with_bulkhead(bulkhead);
        self
    }

    /// Refuses calls while too many of them fail. The breaker has the guard's name. Default: none is
    /// refused for that.
    pub fn with_breaker(self, config: breaker::Config) -> Self {
        let observer = BreakerObserver::new(self.telemetry.meter());
        let builder = BreakerBuilder::new(&self.name, config).with_observer(observer);
        self.with_breaker_of(builder.build())
    }

    /// The same by a breaker that others go through as well, such as a layer's.
    pub fn with_breaker_of(mut self, breaker: Breaker<BreakerObserver>) -> Self {
        self.guard = self.guard.with_breaker(breaker);
        self
    }

    /// How long the work may take, without the time in a queue: 1 ms to 24 h. Default: as long as
    /// its request has left, if it is done for one.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.guard = self.guard.with_timeout(timeout);
        self
    }

    /// Where the time is read and waited for by timeout and deadlines. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.guard = self.guard.with_timer(timer);
        self
    }

    /// The guard.
    ///
    /// # Errors
    ///
    /// When the timeout is shorter than a millisecond, or longer than a day.
    pub fn build(self) -> Result<Guard, InvalidConfig> {
        Ok(Guard {
            guard: self.guard.build()?,
            telemetry: self.telemetry,
        })
    }
}
