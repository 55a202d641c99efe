use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response};
use bartizan_observe::PeerAddr;
use bartizan_observe::propagation::{Trust, TrustPolicy};
use bartizan_protect::timeout::{self, Deadline, REQUEST_TIMEOUT_MS, parse_remaining};
use bartizan_protect::{BoxError, Timer};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::Noting;
use crate::layers::peer;
use crate::protect::passing::Passing;
use crate::protect::rescue::{Rescue, RescueBody, RescueFuture};

/// The service of a [`TimeoutLayer`](super::TimeoutLayer); `E` is the inner service's error.
#[derive(Debug)]
pub struct Timeout<S, E> {
    inner: Rescue<timeout::Timeout<Passing<Noting<S>>>, E>,
    callers: TrustPolicy,
    timer: Timer,
}

// === impl Timeout ===

impl<S, E> Timeout<S, E> {
    pub(super) const fn new(
        inner: Rescue<timeout::Timeout<Passing<Noting<S>>>, E>,
        callers: TrustPolicy,
        timer: Timer,
    ) -> Self {
        Self {
            inner,
            callers,
            timer,
        }
    }

    /// Takes over the caller's deadline, if it is one to believe.
    fn take_over(&self, request: &mut Request<Body>) {
        let Some(header) = request.headers().get(REQUEST_TIMEOUT_MS) else {
            return;
        };
        let peer: Option<SocketAddr> = peer(request.extensions());
        let trust = self.callers.decide(peer.map(PeerAddr), request.headers());
        if trust != Trust::Trust {
            return;
        }
        if let Some(left) = parse_remaining(header) {
            let deadline = Deadline(self.timer.now() + left);
            request.extensions_mut().insert(deadline);
        }
    }
}

impl<S, B, E> Service<Request<Body>> for Timeout<S, E>
where
    S: Service<Request<Body>, Response = Response<B>, Error = E>,
    B: HttpBody<Error: Into<BoxError>>,
    E: Send + Sync + 'static,
{
    type Response = Response<RescueBody<timeout::ResponseBody<B>>>;
    type Error = E;
    type Future =
        RescueFuture<<timeout::Timeout<Passing<Noting<S>>> as Service<Request<Body>>>::Future, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        self.take_over(&mut request);
        self.inner.call(request)
    }
}

// Not derived, which would ask for errors that can be cloned.
impl<S: Clone, E> Clone for Timeout<S, E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            callers: self.callers.clone(),
            timer: self.timer.clone(),
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
    fits::<Timeout<axum::Router, Infallible>>();
};
