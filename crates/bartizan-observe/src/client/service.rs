use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::attempt::{Attempt, Outgoing};
use super::layer::Shared;
use super::target::with_target;
use super::{ResponseBody, ResponseFuture};
use crate::message::content_length;

/// How often this request has been sent before, as a request extension.
///
/// Whoever sends a request again (a retry, a redirect) inserts it; it becomes
/// `http.request.resend_count` where it is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResendCount(pub u32);

/// An HTTP client whose attempts have a span each; made by [`ClientLayer`](super::ClientLayer).
#[derive(Debug, Clone)]
pub struct Client<S> {
    inner: S,
    shared: Arc<Shared>,
}

// === impl Client ===

impl<S> Client<S> {
    pub(super) const fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, B, R> Service<Request<B>> for Client<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    B: Body,
    R: Body,
    R::Error: 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut attempt = start(&self.shared, &request);
        attempt.write_headers(request.headers_mut());
        let inner = &mut self.inner;
        let future = attempt.run(|| inner.call(request));
        ResponseFuture::new(future, attempt)
    }
}

fn start<B: Body>(shared: &Arc<Shared>, request: &Request<B>) -> Attempt {
    let (uri, headers) = (request.uri(), request.headers());
    with_target(uri, headers, |target| {
        Attempt::start(
            shared,
            &Outgoing {
                method: request.method(),
                target,
                url: uri.scheme().map(|_| uri as _),
                resends: request
                    .extensions()
                    .get()
                    .map_or(0, |ResendCount(count)| *count),
                body_bytes: content_length(headers).or_else(|| request.body().size_hint().exact()),
            },
        )
    })
}
