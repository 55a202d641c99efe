use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::layer::Keys;
use super::{Breaker, Classify, Guarded, HttpClassifier, Observer, ResponseBody, ResponseFuture};
use crate::{BoxError, Error};

/// A service behind a circuit breaker; made by [`CircuitBreakerLayer`](super::CircuitBreakerLayer).
///
/// Clones share the breaker.
pub struct CircuitBreaker<S, C = HttpClassifier, O: Observer = ()> {
    inner: S,
    breaker: Breaker<O>,
    classifier: C,
    keys: Keys,
}

// === impl CircuitBreaker ===

impl<S, C, O: Observer> CircuitBreaker<S, C, O> {
    pub(super) const fn new(inner: S, breaker: Breaker<O>, classifier: C, keys: Keys) -> Self {
        Self {
            inner,
            breaker,
            classifier,
            keys,
        }
    }
}

impl<S, B, R, C, O> Service<Request<B>> for CircuitBreaker<S, C, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError> + 'static,
    R: Body,
    C: Classify + Clone,
    O: Observer,
{
    type Response = Response<ResponseBody<R, C, O>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, C, O>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.keys.acquire(&self.breaker, &mut request) {
            Err(rejected) => ResponseFuture::rejected(rejected),
            Ok(permit) => {
                ResponseFuture::calling(Guarded::new(permit, self.classifier.clone(), || {
                    self.inner.call(request)
                }))
            }
        }
    }
}

// Not derived, which would ask for observers that can be cloned.
impl<S: Clone, C: Clone, O: Observer> Clone for CircuitBreaker<S, C, O> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            breaker: self.breaker.clone(),
            classifier: self.classifier.clone(),
            keys: self.keys.clone(),
        }
    }
}

impl<S: fmt::Debug, C: fmt::Debug, O: Observer> fmt::Debug for CircuitBreaker<S, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("breaker", &self.breaker)
            .field("classifier", &self.classifier)
            .finish_non_exhaustive()
    }
}
