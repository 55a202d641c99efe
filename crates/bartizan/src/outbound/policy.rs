use bartizan_protect::breaker::{self, HttpClassifier};
use bartizan_protect::retry::{Retry, RetryLayer};
use bartizan_protect::timeout::{Timeout, TimeoutLayer};
use tower_layer::Layer;

use super::resend::{Resend, ResendLayer};
use crate::breaker::BreakerObserver;

/// What stands between a caller and a client, for requests with bodies of type `B`.
#[derive(Debug)]
pub struct PolicyLayer<B> {
    pub(super) total: TimeoutLayer,
    pub(super) retry: RetryLayer<B>,
    pub(super) breaker: breaker::CircuitBreakerLayer<HttpClassifier, BreakerObserver>,
    pub(super) attempt: TimeoutLayer,
}

/// The service of a [`PolicyLayer`].
pub type Policy<S, B> =
    Timeout<Retry<breaker::CircuitBreaker<Timeout<Resend<S>>, HttpClassifier, BreakerObserver>, B>>;

// === impl PolicyLayer ===

impl<S, B> Layer<S> for PolicyLayer<B> {
    type Service = Policy<S, B>;

    /// The one place that decides the order, from the inside out.
    fn layer(&self, inner: S) -> Self::Service {
        // Next to the client, which knows by it the first attempt from the others.
        let inner = ResendLayer.layer(inner);
        // Of one attempt: what hangs is cut off in time for another one, and counts as a failure.
        let inner = self.attempt.layer(inner);
        // Around each attempt, so that it sees every failure, and stops retries when it opens.
        let inner = self.breaker.layer(inner);
        // Around the breaker, which they do not insist on.
        let inner = self.retry.layer(inner);
        // Of the whole call, pauses and the body included: what the caller waits for.
        self.total.layer(inner)
    }
}

// Not derived, which would ask for bodies that can be cloned.
impl<B> Clone for PolicyLayer<B> {
    fn clone(&self) -> Self {
        Self {
            total: self.total.clone(),
            retry: self.retry.clone(),
            breaker: self.breaker.clone(),
            attempt: self.attempt.clone(),
        }
    }
}
