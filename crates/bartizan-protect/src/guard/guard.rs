use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::{ByResult, GuardBuilder, Observers, Run};
use crate::Timer;
use crate::breaker::Breaker;
use crate::bulkhead::Bulkhead;
use crate::rate_limit::RateLimiter;

/// Limits around any future. Clones share them. See the [module](super).
pub struct Guard<O: Observers = ((), (), ())> {
    pub(super) limiter: Option<RateLimiter<O::RateLimit>>,
    pub(super) bulkhead: Option<Bulkhead<O::Bulkhead>>,
    pub(super) breaker: Option<Breaker<O::Breaker>>,
    pub(super) timeout: Option<Duration>,
    pub(super) timer: Timer,
}

// === impl Guard ===

impl Guard {
    /// A guard without limits yet.
    pub fn builder() -> GuardBuilder<(), (), ()> {
        GuardBuilder::default()
    }
}

impl<O: Observers> Guard<O> {
    /// Does the work of `future`, when the limits let it through. For the rate limiter's policies
    /// that have keys, it has none: see [`MissingKey`](crate::rate_limit::MissingKey).
    ///
    /// # Errors
    ///
    /// [`Error`](super::Error): the work's own, or the guard's.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time; see the [module](super).
    pub fn run<F, T, E>(&self, future: F) -> Run<F, ByResult<T, E>, O>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        Run::new(self.clone(), None, future)
    }

    /// The same on behalf of `key`, by which the rate limiter's policies tell callers apart.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_for<F, T, E>(
        &self,
        key: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Run<F, ByResult<T, E>, O>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        Run::new(self.clone(), Some(key.into()), future)
    }

    /// The rate limiter, to look at and to operate.
    #[must_use]
    pub const fn rate_limiter(&self) -> Option<&RateLimiter<O::RateLimit>> {
        self.limiter.as_ref()
    }

    /// The bulkhead, to look at and to operate.
    #[must_use]
    pub const fn bulkhead(&self) -> Option<&Bulkhead<O::Bulkhead>> {
        self.bulkhead.as_ref()
    }

    /// The breaker, to look at and to operate.
    #[must_use]
    pub const fn breaker(&self) -> Option<&Breaker<O::Breaker>> {
        self.breaker.as_ref()
    }
}

impl<O: Observers> Clone for Guard<O> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            bulkhead: self.bulkhead.clone(),
            breaker: self.breaker.clone(),
            timeout: self.timeout,
            timer: self.timer.clone(),
        }
    }
}

impl<O: Observers> fmt::Debug for Guard<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("limiter", &self.limiter)
            .field("bulkhead", &self.bulkhead)
            .field("breaker", &self.breaker)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
