use std::fmt;

use tower_layer::Layer;

use super::{Observer, SharedLimit, SharedLimiter, Store};
use crate::InvalidConfig;
use crate::rate_limit::{Answers, Charges, Policy};

/// Limits the rate of HTTP requests of all replicas together. See the [module](super).
///
/// The limiter lives in the layer: every service that it makes shares it, and so does every clone.
pub struct SharedLimitLayer<St, O: Observer = ()> {
    limiter: SharedLimiter<St, O>,
    answers: Answers,
    charges: Charges,
}

// === impl SharedLimitLayer ===

impl<St: Store> SharedLimitLayer<St> {
    /// By a limiter of its own, with everything at its default.
    ///
    /// # Errors
    ///
    /// As [`SharedLimiterBuilder::build`](super::SharedLimiterBuilder::build).
    pub fn new(
        policies: impl IntoIterator<Item = Policy>,
        store: St,
    ) -> Result<Self, InvalidConfig> {
        let builder = SharedLimiter::builder(store);
        let builder = policies
            .into_iter()
            .fold(builder, |builder, policy| builder.with_policy(policy));
        Ok(Self::of(builder.build()?))
    }
}

impl<St: Store, O: Observer> SharedLimitLayer<St, O> {
    /// By `limiter`, which other layers and calls may ask as well.
    #[must_use]
    pub const fn of(limiter: SharedLimiter<St, O>) -> Self {
        Self {
            limiter,
            answers: Answers::All,
            charges: Charges::Kept,
        }
    }

    /// Gives the service the charge of each request, as a [`Charged`](super::Charged) in the
    /// extensions, to correct it when it is known what the request has cost. Default: what was
    /// charged stays.
    #[must_use]
    pub const fn with_charges(mut self) -> Self {
        self.charges = Charges::Told;
        self
    }

    /// Which answers say what is left. Default: [`Answers::All`].
    #[must_use]
    pub const fn with_answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
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
        SharedLimit::new(inner, self.limiter.clone(), self.answers, self.charges)
    }
}

impl<St, O: Observer> Clone for SharedLimitLayer<St, O> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            answers: self.answers,
            charges: self.charges,
        }
    }
}

impl<St, O: Observer> fmt::Debug for SharedLimitLayer<St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimitLayer")
            .field("limiter", &self.limiter)
            .field("answers", &self.answers)
            .finish()
    }
}
