use std::fmt;
use std::mem;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::shared::Start;
use super::{Observer, ResponseFuture, SharedLimiter, Store};
use crate::rate_limit::{Answers, Charges};
use crate::{BoxError, Error};

/// A service behind a shared limit; made by [`SharedLimitLayer`](super::SharedLimitLayer).
///
/// Clones share the limiter.
pub struct SharedLimit<S, St, O: Observer = ()> {
    inner: S,
    limiter: SharedLimiter<St, O>,
    answers: Answers,
    charges: Charges,
}

// === impl SharedLimit ===

impl<S, St: Store, O: Observer> SharedLimit<S, St, O> {
    pub(super) const fn new(
        inner: S,
        limiter: SharedLimiter<St, O>,
        answers: Answers,
        charges: Charges,
    ) -> Self {
        Self {
            inner,
            limiter,
            answers,
            charges,
        }
    }
}

impl<S, B, R, St, O> Service<Request<B>> for SharedLimit<S, St, O>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    St: Store,
    O: Observer,
{
    type Response = Response<R>;
    type Error = Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let start = self.limiter.start(&parts, self.answers);
        let mut request = Request::from_parts(parts, body);
        match start {
            Start::Decided(Ok(passed)) => {
                let fields = passed.tell(&mut request, self.charges);
                ResponseFuture::calling(self.inner.call(request), fields)
            }
            Start::Decided(Err(rejected)) => ResponseFuture::rejected(rejected),
            Start::Asking(asking) => {
                // The one that is ready is the one that is called. What it has reserved further in
                // is kept for a few milliseconds longer.
                let next = self.inner.clone();
                let ready = mem::replace(&mut self.inner, next);
                ResponseFuture::asking(asking, ready, request, self.charges)
            }
        }
    }
}

// A clone of the inner service has reserved nothing, and is asked whether it is ready.
impl<S: Clone, St, O: Observer> Clone for SharedLimit<S, St, O> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limiter: self.limiter.clone(),
            answers: self.answers,
            charges: self.charges,
        }
    }
}

impl<S: fmt::Debug, St, O: Observer> fmt::Debug for SharedLimit<S, St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimit")
            .field("inner", &self.inner)
            .field("limiter", &self.limiter)
            .field("answers", &self.answers)
            .finish()
    }
}
