use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use pin_project_lite::pin_project;
use tower_http::decompression::{DecompressionBody, RequestDecompression};
use tower_layer::Layer;
use tower_service::Service;

use super::rebody::Rebody;
use crate::Problem;

/// The one encoding: what every client can send, and the one whose decoder is in the tree already.
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Decompresses gzip request bodies; answers 415 as [`Problem`], with `Accept-Encoding`, where a
/// body is encoded in another way.
///
/// tower-http's layer. A few kilobytes can decompress to gigabytes, so put a
/// [`BodyLimitLayer`](crate::BodyLimitLayer) inside of it; `stack()` does so by itself.
///
/// ```
/// use axum::{Router, body::Bytes, routing::post};
/// use bartizan::{BodyLimitLayer, DecompressionLayer};
///
/// let app: Router = Router::new()
///     .route("/", post(|body: Bytes| async move { body.len().to_string() }))
///     .layer(BodyLimitLayer::new(64 * 1024))
///     .layer(DecompressionLayer::new());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct DecompressionLayer(());

/// The service of a [`DecompressionLayer`].
#[derive(Debug, Clone)]
pub struct Decompression<S>(Rebody<RequestDecompression<Plain<S>>>);

/// Gives axum's body to decompressed requests.
#[derive(Debug, Clone)]
pub struct Plain<S>(S);

pin_project! {
    /// The future of a [`Decompression`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct DecompressionFuture<F> {
        // `None` where the request was refused.
        #[pin]
        inner: Option<F>,
    }
}

// === impl DecompressionLayer ===

impl DecompressionLayer {
    /// The layer, which has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for DecompressionLayer {
    type Service = Decompression<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Decompression(Rebody::new(RequestDecompression::new(Plain(inner))))
    }
}

// === impl Decompression ===

impl<S> Service<Request<Body>> for Decompression<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = DecompressionFuture<
        <Rebody<RequestDecompression<Plain<S>>> as Service<Request<Body>>>::Future,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let is_understood = match encoding(&request) {
            Encoding::None | Encoding::Identity => true,
            Encoding::Gzip => {
                // In the one spelling that tower-http looks for.
                let headers = request.headers_mut();
                headers.insert(header::CONTENT_ENCODING, GZIP);
                true
            }
            Encoding::Other => false,
        };
        DecompressionFuture {
            inner: is_understood.then(|| self.0.call(request)),
        }
    }
}

enum Encoding {
    None,
    Identity,
    Gzip,
    Other,
}

/// By RFC 9110, section 8.4.1: without regard to case, `x-gzip` being the same as `gzip`.
fn encoding<B>(request: &Request<B>) -> Encoding {
    let mut values = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let Some(value) = values.next() else {
        return Encoding::None;
    };
    let value = value.as_bytes().trim_ascii();
    let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
    if values.next().is_some() {
        Encoding::Other
    } else if is("gzip") || is("x-gzip") {
        Encoding::Gzip
    } else if is("identity") {
        Encoding::Identity
    } else {
        Encoding::Other
    }
}

// === impl Plain ===

impl<S> Service<Request<DecompressionBody<Body>>> for Plain<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<DecompressionBody<Body>>) -> Self::Future {
        self.0.call(request.map(Body::new))
    }
}

// === impl DecompressionFuture ===

impl<F, E> Future for DecompressionFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.as_pin_mut() {
            Some(inner) => inner.poll(cx),
            None => Poll::Ready(Ok(unsupported())),
        }
    }
}

fn unsupported() -> Response<Body> {
    let mut response = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        .with_detail("a body may be encoded with gzip, or not at all")
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_ENCODING, GZIP);
    response
}
