use std::fmt;

use tower_layer::Layer;

use super::{Answers, Observer, RateLimit, RateLimiter};

/// Limits the rate of HTTP requests. See the [module](super).
///
/// The limiter lives in the layer: every service that it makes shares it, and so does every clone.
pub struct RateLimitLayer<O: Observer = ()> {
    limiter: RateLimiter<O>,
    answers: Answers,
    charges: Charges,
}

/// Whether the service is told what a request was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charges {
    Told,
    Kept,
}

// === impl RateLimitLayer ===

impl<O: Observer> RateLimitLayer<O> {
    /// By `limiter`, which other layers and calls may ask as well.
    #[must_use]
    pub const fn new(limiter: RateLimiter<O>) -> Self {
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
    pub const fn handle(&self) -> &RateLimiter<O> {
        &self.limiter
    }
}

impl<S, O: Observer> Layer<S> for RateLimitLayer<O> {
    type Service = RateLimit<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit::new(inner, self.limiter.clone(), self.answers, self.charges)
    }
}

// Not derived, which would ask for observers that can be cloned.
impl<O: Observer> Clone for RateLimitLayer<O> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            answers: self.answers,
            charges: self.charges,
        }
    }
}

impl<O: Observer> fmt::Debug for RateLimitLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("limiter", &self.limiter)
            .field("answers", &self.answers)
            .finish()
    }
}
