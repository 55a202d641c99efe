use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::calls::Start;
use super::layer::Until;
use super::{Bulkhead, Observer, ResponseBody, ResponseFuture};
use crate::{BoxError, Error};

/// A service behind a bulkhead; made by [`BulkheadLayer`](super::BulkheadLayer).
///
/// Clones share the bulkhead.
#[derive(Debug)]
pub struct BulkheadService<S, O: Observer = ()> {
    inner: S,
    bulkhead: Bulkhead<O>,
    until: Until,
}

// === impl BulkheadService ===

impl<S, O: Observer> BulkheadService<S, O> {
    pub(super) const fn new(inner: S, bulkhead: Bulkhead<O>, until: Until) -> Self {
        Self {
            inner,
            bulkhead,
            until,
        }
    }
}

impl<S, B, R, O> Service<Request<B>> for BulkheadService<S, O>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError> + 'static,
    R: Body,
    O: Observer,
{
    type Response = Response<ResponseBody<R, O>>;
    type Error = Error;
    type Future = ResponseFuture<S, B, O>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.bulkhead.start() {
            Start::Admitted(permit) => {
                ResponseFuture::calling(self.inner.call(request), permit, self.until)
            }
            // A clone, which has reserved nothing further in that others could use meanwhile.
            Start::Queued(acquire) => {
                ResponseFuture::queued(acquire, self.inner.clone(), request, self.until)
            }
            Start::Rejected(rejected) => ResponseFuture::rejected(rejected),
        }
    }
}

// Not derived, which would ask for an observer that can be cloned.
impl<S: Clone, O: Observer> Clone for BulkheadService<S, O> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            bulkhead: self.bulkhead.clone(),
            until: self.until,
        }
    }
}
