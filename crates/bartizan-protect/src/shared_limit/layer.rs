use std::fmt;

use tower_layer::Layer;

use super::{Observer, SharedLimit, SharedLimiter, Store};
use crate::InvalidConfig;
use crate::rate_limit::{Keys, Quota};

/// Limits the rate of HTTP requests of all replicas together. See the [module](super).
///
/// The limiter lives in the layer: every service that it makes shares it, and so does every clone.
pub struct SharedLimitLayer<St, O: Observer = ()> {
    limiter: SharedLimiter<St, O>,
}

// === impl SharedLimitLayer ===

impl<St: Store> SharedLimitLayer<St> {
    /// By a limiter of its own, with everything at its default.
    ///
    /// # Errors
    ///
    /// As [`SharedLimiterBuilder::build`](super::SharedLimiterBuilder::build).
    pub fn new(name: &str, keys: Keys, quota: Quota, store: St) -> Result<Self, InvalidConfig> {
        Ok(Self::of(SharedLimiter::new(name, keys, quota, store)?))
    }
}

impl<St: Store, O: Observer> SharedLimitLayer<St, O> {
    /// By `limiter`, which other layers and calls may ask as well.
    #[must_use]
    pub const fn of(limiter: SharedLimiter<St, O>) -> Self {
        Self { limiter }
    }

    /// The limiter, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &SharedLimiter<St, O> {
        &self.limiter
    }
}

impl<S, St: Store, O: Observer> Layer<S> for SharedLimitLayer<St, O> {
    type Service = SharedLimit<S, St, O>;

    fn layer(&self, inner: S) -> Self::Service {
        SharedLimit::new(inner, self.limiter.clone())
    }
}

impl<St, O: Observer> Clone for SharedLimitLayer<St, O> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
        }
    }
}

impl<St, O: Observer> fmt::Debug for SharedLimitLayer<St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimitLayer")
            .field("limiter", &self.limiter)
            .finish()
    }
}
