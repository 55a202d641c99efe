use std::time::Duration;

use super::Guard;
use crate::breaker::{self, Breaker};
use crate::bulkhead::{self, Bulkhead};
use crate::invalid::Checks;
use crate::rate_limit::{self, RateLimiter};
use crate::{InvalidConfig, Timer};

/// Puts a [`Guard`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct GuardBuilder<R: rate_limit::Observer, B: bulkhead::Observer, C: breaker::Observer> {
    limiter: Option<RateLimiter<R>>,
    bulkhead: Option<Bulkhead<B>>,
    breaker: Option<Breaker<C>>,
    timeout: Option<Duration>,
    timer: Timer,
}

// === impl GuardBuilder ===

impl<R: rate_limit::Observer, B: bulkhead::Observer, C: breaker::Observer> GuardBuilder<R, B, C> {
    /// How often calls may begin. Default: as often as they come.
    pub fn with_rate_limiter<P: rate_limit::Observer>(
        self,
        limiter: RateLimiter<P>,
    ) -> GuardBuilder<P, B, C> {
        GuardBuilder {
            limiter: Some(limiter),
            bulkhead: self.bulkhead,
            breaker: self.breaker,
            timeout: self.timeout,
            timer: self.timer,
        }
    }

    /// How many calls may be under way at a time, and how many wait. Default: as many as come.
    pub fn with_bulkhead<P: bulkhead::Observer>(
        self,
        bulkhead: Bulkhead<P>,
    ) -> GuardBuilder<R, P, C> {
        GuardBuilder {
            limiter: self.limiter,
            bulkhead: Some(bulkhead),
            breaker: self.breaker,
            timeout: self.timeout,
            timer: self.timer,
        }
    }

    /// Refuses calls while too many of them fail. Default: none is refused for that.
    pub fn with_breaker<P: breaker::Observer>(self, breaker: Breaker<P>) -> GuardBuilder<R, B, P> {
        GuardBuilder {
            limiter: self.limiter,
            bulkhead: self.bulkhead,
            breaker: Some(breaker),
            timeout: self.timeout,
            timer: self.timer,
        }
    }

    /// How long the work may take, without the time in a queue: 1 ms to 24 h. Default: as long as it
    /// takes.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Where the time is read and waited for by timeout and deadlines; the parts have their own.
    /// Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// The guard.
    ///
    /// # Errors
    ///
    /// When the timeout is shorter than a millisecond, or longer than a day.
    pub fn build(self) -> Result<Guard<(R, B, C)>, InvalidConfig> {
        if let Some(timeout) = self.timeout {
            Checks("guard").duration("with_timeout", timeout)?;
        }
        Ok(Guard {
            limiter: self.limiter,
            bulkhead: self.bulkhead,
            breaker: self.breaker,
            timeout: self.timeout,
            timer: self.timer,
        })
    }
}

/// A guard without limits yet.
impl<R: rate_limit::Observer, B: bulkhead::Observer, C: breaker::Observer> Default
    for GuardBuilder<R, B, C>
{
    fn default() -> Self {
        Self {
            limiter: None,
            bulkhead: None,
            breaker: None,
            timeout: None,
            timer: Timer::default(),
        }
    }
}
