use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use bartizan_observe::message::content_length;
use http_body::{Frame, SizeHint};
use http_body_util::{LengthLimitError, Limited};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::Problem;

/// How large a request's body may be, in bytes: 2 MiB, which is axum's own limit for the extractors
/// that read one whole.
pub const DEFAULT_BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Answers 413 as [`Problem`] where a request's body is larger than it may be.
///
/// A body whose length is known is refused before any of it is read. Any other fails where it
/// passes the limit, with the error that axum's extractors answer 413 for; their answer, and a 400
/// that another reader makes of the error, become the same problem, whose member `limit` tells the
/// limit in bytes. It takes the place of axum's [`DefaultBodyLimit`] for what is inside.
///
/// tower-http's layer of that purpose answers with a text, and for known lengths alone, so this one
/// is ours; what counts is `http-body-util`'s [`Limited`], as there. Put it inside of the request
/// layer, so that what it refuses has a trace and a line.
///
/// ```
/// use axum::{Router, body::Bytes, routing::post};
/// use bartizan::BodyLimitLayer;
///
/// let app: Router = Router::new()
///     .route("/", post(|body: Bytes| async move { body.len().to_string() }))
///     .layer(BodyLimitLayer::new(64 * 1024));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct BodyLimitLayer {
    limit: usize,
}

/// The service of a [`BodyLimitLayer`].
#[derive(Debug, Clone)]
pub struct BodyLimit<S> {
    inner: S,
    limit: usize,
}

pin_project! {
    /// The future of a [`BodyLimit`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct BodyLimitFuture<F> {
        // `None` where the request was refused by its length.
        #[pin]
        inner: Option<F>,
        // `None` where the length is known and within the limit.
        passed: Option<Passed>,
        limit: usize,
    }
}

pin_project! {
    /// A body that tells when its limit was passed.
    struct Watched {
        #[pin]
        body: Limited<Body>,
        passed: Passed,
    }
}

/// Whether the limit was passed: set by the body, read where the answer comes back.
#[derive(Debug, Clone, Default)]
struct Passed(Arc<AtomicBool>);

// === impl BodyLimitLayer ===

impl BodyLimitLayer {
    /// At most `limit` bytes; [`DEFAULT_BODY_LIMIT`] is a good one.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = BodyLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyLimit {
            inner,
            limit: self.limit,
        }
    }
}

// === impl BodyLimit ===

impl<S> Service<Request<Body>> for BodyLimit<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BodyLimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let limit = self.limit;
        if content_length(request.headers()).is_some_and(|length| length > limit as u64) {
            return BodyLimitFuture {
                inner: None,
                passed: None,
                limit,
            };
        }
        DefaultBodyLimit::disable().apply(&mut request);
        // A length that is known is one that the server holds the peer to.
        let size = http_body::Body::size_hint(request.body());
        let passed = size
            .upper()
            .is_none_or(|upper| upper > limit as u64)
            .then(Passed::default);
        if let Some(passed) = &passed {
            request = request.map(|body| {
                Body::new(Watched {
                    body: Limited::new(body, limit),
                    passed: passed.clone(),
                })
            });
        }
        BodyLimitFuture {
            inner: Some(self.inner.call(request)),
            passed,
            limit,
        }
    }
}

// === impl BodyLimitFuture ===

impl<F, E> Future for BodyLimitFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Ok(too_large(*this.limit)));
        };
        let response = ready!(inner.poll(cx))?;
        let is_passed = this.passed.as_ref().is_some_and(Passed::get);
        Poll::Ready(Ok(if is_passed && is_of_the_body(&response) {
            too_large(*this.limit)
        } else {
            response
        }))
    }
}

/// Whether this is what a reader of the body makes of its error, and not yet told as a problem.
fn is_of_the_body<B>(response: &Response<B>) -> bool {
    let of_the_body = [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::BAD_REQUEST];
    of_the_body.contains(&response.status()) && !Problem::is_told_by(response)
}

fn too_large(limit: usize) -> Response<Body> {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
        .with_detail(format!("a body may have {limit} bytes at most"))
        .with_extension("limit", limit)
        .into_response()
}

// === impl Watched ===

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(Err(error)) = &frame
            && error.is::<LengthLimitError>()
        {
            this.passed.set();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Passed ===

impl Passed {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What a `Router` asks of its layers.
const _: fn() = || {
    fn fits<S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>>() {}
    fits::<BodyLimit<axum::Router>>();
};
