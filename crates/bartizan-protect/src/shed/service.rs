use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use super::{Observer, Priorities, ResponseFuture, Shedder};
use crate::{BoxError, Error};

/// A service that sheds calls; made by [`LoadShedLayer`](super::LoadShedLayer).
///
/// Clones share what sheds.
#[derive(Debug)]
pub struct LoadShed<S, O: Observer = ()> {
    inner: S,
    shedder: Shedder<O>,
    priorities: Priorities,
}

// === impl LoadShed ===

impl<S, O: Observer> LoadShed<S, O> {
    pub(super) const fn new(inner: S, shedder: Shedder<O>, priorities: Priorities) -> Self {
        Self {
            inner,
            shedder,
            priorities,
        }
    }
}

impl<S, B, O> Service<Request<B>> for LoadShed<S, O>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    O: Observer,
{
    type Response = S::Response;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (priority, request) = self.priorities.of(request);
        match self.shedder.admit(priority) {
            Ok(()) => ResponseFuture::calling(self.inner.call(request)),
            Err(rejected) => ResponseFuture::rejected(rejected),
        }
    }
}

// Not derived, which would ask for an observer that can be cloned.
impl<S: Clone, O: Observer> Clone for LoadShed<S, O> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shedder: self.shedder.clone(),
            priorities: self.priorities.clone(),
        }
    }
}
