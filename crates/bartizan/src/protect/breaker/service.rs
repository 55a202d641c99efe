use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response};
use bartizan_protect::breaker::{Classify, Guarded, HttpClassifier, ResponseBody};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::{BreakerFuture, BreakerObserver, CircuitBreakerLayer};
use crate::protect::rescue::RescueBody;

/// The service of a [`CircuitBreakerLayer`].
#[derive(Debug, Clone)]
pub struct CircuitBreaker<S, C = HttpClassifier> {
    inner: S,
    layer: CircuitBreakerLayer<C>,
}

// === impl CircuitBreaker ===

impl<S, C> CircuitBreaker<S, C> {
    pub(super) const fn new(inner: S, layer: CircuitBreakerLayer<C>) -> Self {
        Self { inner, layer }
    }
}

impl<S, B, R, C> Service<Request<B>> for CircuitBreaker<S, C>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    R: HttpBody,
    C: Classify + Clone,
{
    type Response = Response<RescueBody<ResponseBody<R, C, BreakerObserver>>>;
    type Error = S::Error;
    type Future = BreakerFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = &self.layer;
        match layer.keys.acquire(&layer.breaker, &mut request) {
            Err(rejected) => match &layer.fallback {
                Some(fallback) => BreakerFuture::falling_back(fallback(rejected)),
                None => BreakerFuture::rejected(rejected),
            },
            Ok(permit) => {
                let classifier = layer.classifier.clone();
                let call = || self.inner.call(request);
                BreakerFuture::calling(Guarded::new(permit, classifier, call))
            }
        }
    }
}

/// What a `Router` asks of its layers.
const _: fn() = || {
    fn fits<S>()
    where
        S: Service<Request<Body>, Error = Infallible, Future: Send> + Clone + Send + Sync,
        S::Response: axum::response::IntoResponse,
    {
    }
    fits::<CircuitBreaker<axum::Router>>();
};
