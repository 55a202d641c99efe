//! Where what our own layers say becomes an answer.

mod answers;
mod body;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::{Request, Response};
use bartizan_protect::Error;
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::passing::Passed;
pub use super::passing::{Passing, PassingFuture};
pub(crate) use answers::{answer, answer_ours};
pub use body::RescueBody;

/// A service under a layer of `bartizan-protect`, which answers for it and passes its errors, of the
/// type `E`, as they are.
pub struct Rescue<T, E> {
    inner: T,
    errors: PhantomData<fn() -> E>,
}

pin_project! {
    /// The future of a [`Rescue`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RescueFuture<F, E> {
        #[pin]
        inner: F,
        errors: PhantomData<fn() -> E>,
    }
}

// === impl Rescue ===

impl<T, E> Rescue<T, E> {
    pub(super) const fn new(inner: T) -> Self {
        Self {
            inner,
            errors: PhantomData,
        }
    }
}

impl<T, R, B, E> Service<Request<R>> for Rescue<T, E>
where
    T: Service<Request<R>, Response = Response<B>, Error = Error>,
    B: HttpBody,
    E: Send + Sync + 'static,
{
    type Response = Response<RescueBody<B>>;
    type Error = E;
    type Future = RescueFuture<T::Future, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        match ready!(self.inner.poll_ready(cx)) {
            Err(Error::Inner(error)) => match Passed::take(error) {
                Ok(error) => Poll::Ready(Err(error)),
                // Our layers refuse no readiness, so there is nobody who could have said it.
                Err(_) => Poll::Ready(Ok(())),
            },
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        RescueFuture {
            inner: self.inner.call(request),
            errors: PhantomData,
        }
    }
}

impl<T: Clone, E> Clone for Rescue<T, E> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<T: fmt::Debug, E> fmt::Debug for Rescue<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rescue").field(&self.inner).finish()
    }
}

// === impl RescueFuture ===

impl<F, B, E> Future for RescueFuture<F, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    E: Send + Sync + 'static,
{
    type Output = Result<Response<RescueBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let error = match ready!(self.project().inner.poll(cx)) {
            Ok(response) => return Poll::Ready(Ok(response.map(RescueBody::of_service))),
            Err(Error::Inner(error)) => match Passed::take(error) {
                Ok(error) => return Poll::Ready(Err(error)),
                Err(other) => Error::Inner(other),
            },
            Err(ours) => ours,
        };
        Poll::Ready(Ok(answer_ours(&error).map(RescueBody::ours)))
    }
}

impl<F: fmt::Debug, E> fmt::Debug for RescueFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RescueFuture").field(&self.inner).finish()
    }
}
