use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

/// Gives axum's body to answers that a layer of tower-http has put into a box of its own, so that
/// layers that are switched on and off have answers of one type.
#[derive(Debug, Clone)]
pub struct Rebody<S>(S);

pin_project! {
    /// The future of a [`Rebody`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RebodyFuture<F> {
        #[pin]
        inner: F,
    }
}

// === impl Rebody ===

impl<S> Rebody<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S, B, R> Service<Request<R>> for Rebody<S>
where
    S: Service<Request<R>, Response = Response<B>>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = RebodyFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        RebodyFuture {
            inner: self.0.call(request),
        }
    }
}

// === impl RebodyFuture ===

impl<F, B, E> Future for RebodyFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx))?;
        Poll::Ready(Ok(response.map(Body::new)))
    }
}
