use std::task::{Context, Poll};

use axum::http::Request;
use bartizan_observe::client::ResendCount;
use bartizan_protect::retry::Attempt;
use tower_layer::Layer;
use tower_service::Service;

/// Tells the client layer how often a request was sent before, as the retries count it.
#[derive(Debug, Clone, Copy)]
pub struct ResendLayer;

/// The service of a [`ResendLayer`].
#[derive(Debug, Clone)]
pub struct Resend<S>(S);

// === impl ResendLayer ===

impl<S> Layer<S> for ResendLayer {
    type Service = Resend<S>;

    fn layer(&self, inner: S) -> Resend<S> {
        Resend(inner)
    }
}

// === impl Resend ===

impl<S: Service<Request<B>>, B> Service<Request<B>> for Resend<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(Attempt(attempt)) = request.extensions().get().copied() {
            request.extensions_mut().insert(ResendCount(attempt));
        }
        self.0.call(request)
    }
}
