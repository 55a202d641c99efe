use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::layer::Charges;
use super::{Answers, Charged, Decisions, Fields, Observer, RateLimiter, Rejected, ResponseFuture};
use crate::{BoxError, Error};

/// A service behind a rate limiter; made by [`RateLimitLayer`](super::RateLimitLayer).
///
/// Clones share the limiter.
pub struct RateLimit<S, O: Observer = ()> {
    inner: S,
    limiter: RateLimiter<O>,
    answers: Answers,
    charges: Charges,
}

// === impl RateLimit ===

impl<S, O: Observer> RateLimit<S, O> {
    pub(super) const fn new(
        inner: S,
        limiter: RateLimiter<O>,
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

impl<S, B, R, O> Service<Request<B>> for RateLimit<S, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    O: Observer,
{
    type Response = Response<R>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let core = self.limiter.core();
        let mut decisions = Decisions::default();
        self.limiter.check_into(&parts, &mut decisions);
        let says = self.answers != Answers::None;
        if let Some(rejected) = Rejected::new(core, &decisions, says) {
            return ResponseFuture::rejected(rejected);
        }
        let fields = match self.answers {
            Answers::All => Fields::new(core, &decisions),
            Answers::Rejections | Answers::None => None,
        };
        if self.charges == Charges::Told {
            parts.extensions.insert(Charged::new(core, decisions));
        }
        ResponseFuture::calling(self.inner.call(Request::from_parts(parts, body)), fields)
    }
}

// Not derived, which would ask for observers that can be cloned.
impl<S: Clone, O: Observer> Clone for RateLimit<S, O> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            limiter: self.limiter.clone(),
            answers: self.answers,
            charges: self.charges,
        }
    }
}

impl<S: fmt::Debug, O: Observer> fmt::Debug for RateLimit<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("inner", &self.inner)
            .field("limiter", &self.limiter)
            .field("answers", &self.answers)
            .finish()
    }
}
