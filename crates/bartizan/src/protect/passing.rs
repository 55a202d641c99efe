//! Takes a service's errors through the layers of `bartizan-protect`, which box them, and gives them
//! back as they were.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_protect::BoxError;
use pin_project_lite::pin_project;
use tower_service::Service;

/// A service whose errors can be taken out of a box again, whatever their type.
#[derive(Debug, Clone)]
pub struct Passing<S>(pub(super) S);

/// An error on its way.
pub(super) struct Passed<E>(E);

pin_project! {
    /// The future of a [`Passing`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct PassingFuture<F> {
        #[pin]
        inner: F,
    }
}

// === impl Passing ===

impl<S, R> Service<R> for Passing<S>
where
    S: Service<R>,
    S::Error: Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = PassingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Passed::boxed)
    }

    fn call(&mut self, request: R) -> Self::Future {
        PassingFuture {
            inner: self.0.call(request),
        }
    }
}

// === impl PassingFuture ===

impl<F, T, E> Future for PassingFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Send + Sync + 'static,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().inner.poll(cx)).map_err(Passed::boxed))
    }
}

// === impl Passed ===

impl<E: Send + Sync + 'static> Passed<E> {
    fn boxed(error: E) -> BoxError {
        Box::new(Self(error))
    }

    /// The error, if it is one of these.
    pub(super) fn take(error: BoxError) -> Result<E, BoxError> {
        error.downcast().map(|passed: Box<Self>| passed.0)
    }
}

impl<E> fmt::Debug for Passed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error on its way")
    }
}

impl<E> fmt::Display for Passed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error on its way")
    }
}

impl<E> std::error::Error for Passed<E> {}
