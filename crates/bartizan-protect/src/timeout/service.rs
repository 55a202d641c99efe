use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::allowance::Allowance;
use super::layer::Propagation;
use super::{Deadline, REQUEST_TIMEOUT_MS, ResponseBody, ResponseFuture, TimeoutLayer};
use crate::{BoxError, Error};

/// A service with a timeout; made by [`TimeoutLayer`].
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: S,
    settings: TimeoutLayer,
}

// === impl Timeout ===

impl<S> Timeout<S> {
    pub(super) const fn new(inner: S, settings: TimeoutLayer) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> Service<Request<B>> for Timeout<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Error: Into<BoxError>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let TimeoutLayer {
            timeout,
            until,
            propagation,
            deadlines,
            timer,
        } = &self.settings;
        let deadline = deadlines.earliest(request.extensions());
        let allowance = match Allowance::new(*timeout, timer.now(), deadline) {
            Ok(allowance) => allowance,
            Err(nothing) => return ResponseFuture::refused(nothing),
        };
        request.extensions_mut().insert(Deadline(allowance.until));
        if *propagation == Propagation::Header {
            // In place of what an attempt before this one, or a layer further out, has said.
            let header = allowance.header();
            request.headers_mut().insert(REQUEST_TIMEOUT_MS, header);
        }
        let response = self.inner.call(request);
        ResponseFuture::calling(response, timer.clone(), allowance, *until)
    }
}
