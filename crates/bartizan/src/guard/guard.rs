use std::borrow::Cow;
use std::future::Future;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::guard;

use super::{ByResult, GuardBuilder, Run, Seen};
use crate::breaker::{Breaker, BreakerObserver};
use crate::bulkhead::{Bulkhead, BulkheadObserver};
use crate::rate_limit::{RateLimitObserver, RateLimiter};

/// Limits around any future, seen by the telemetry. Clones share them. See the
/// [module](crate::guard).
#[derive(Debug, Clone)]
pub struct Guard {
    pub(super) guard: guard::Guard<Seen>,
    pub(super) telemetry: Telemetry,
}

// === impl Guard ===

impl Guard {
    /// A guard without limits yet, whose parts are called `name` in all that is said of them.
    pub fn builder(name: &str, telemetry: &Telemetry) -> GuardBuilder {
        GuardBuilder::new(name, telemetry)
    }

    /// Does the work of `future` as a task of that name, when the limits let it through.
    ///
    /// The task is a child of the one in which this is called, wherever the work is done. It and its
    /// span begin when the call is polled first. The name is the span's, so there should be few of
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error`](super::Error): the work's own, or the guard's.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time; see [`bartizan_protect::guard`].
    pub fn run<F, T, E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Run<F, ByResult<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        Run::new(&self.telemetry, name.into(), self.guard.run(future))
    }

    /// The same on behalf of `key`, by which the rate limit's policies tell callers apart.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_for<F, T, E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        key: impl Into<Cow<'static, str>>,
        future: F,
    ) -> Run<F, ByResult<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        let run = self.guard.run_for(key, future);
        Run::new(&self.telemetry, name.into(), run)
    }

    /// The rate limiter, to look at and to operate.
    #[must_use]
    pub const fn rate_limiter(&self) -> Option<&RateLimiter<RateLimitObserver>> {
        self.guard.rate_limiter()
    }

    /// The bulkhead, to look at and to operate.
    #[must_use]
    pub const fn bulkhead(&self) -> Option<&Bulkhead<BulkheadObserver>> {
        self.guard.bulkhead()
    }

    /// The breaker, to look at and to operate.
    #[must_use]
    pub const fn breaker(&self) -> Option<&Breaker<BreakerObserver>> {
        self.guard.breaker()
    }
}
