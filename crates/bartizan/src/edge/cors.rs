use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use bartizan_observe::names;
use tower_http::cors::{self, AllowHeaders, AllowOrigin, Cors, ExposeHeaders, Vary};
use tower_layer::Layer;

use super::Origin;

/// How long a browser may go by a preflight: 10 minutes save most of them, and a change of the
/// rules is seen the same hour. Browsers have bounds of their own, Chromium two hours.
pub const DEFAULT_CORS_MAX_AGE: Duration = Duration::from_secs(600);

/// Methods that pages of other origins may use: those of a resource.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Response headers that a page may read beyond the harmless ones: those of ours that help it.
const EXPOSED: [HeaderName; 3] = [
    names::header::X_REQUEST_ID,
    header::RETRY_AFTER,
    names::header::SERVER_TIMING,
];

/// Lets web pages of other origins call the service (cross-origin resource sharing).
///
/// tower-http's layer. Where the origins are listed, every answer has `Vary: Origin`, also one to a
/// request without an origin, so that no cache gives one page's answer to another; where any origin
/// may call, answers do not vary. Request headers are allowed as asked for: it is the origin that
/// protects. Every `OPTIONS` request is answered here.
///
/// Put it inside of the request layer, and outside of whatever answers in the service's place: a
/// page cannot read a 413 without these headers.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::CorsLayer;
///
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(CorsLayer::origins(["https://shop.example".parse()?]));
/// # Ok::<(), bartizan::edge::InvalidOrigin>(())
/// ```
#[derive(Debug, Clone)]
pub struct CorsLayer(cors::CorsLayer);

// === impl CorsLayer ===

impl CorsLayer {
    /// Any page may call, without cookies or other credentials.
    #[must_use]
    pub fn any_origin() -> Self {
        Self::new(AllowOrigin::any(), Vary::list([]))
    }

    /// The pages of these origins may call, without cookies or other credentials.
    #[must_use]
    pub fn origins(origins: impl IntoIterator<Item = Origin>) -> Self {
        let list: Vec<HeaderValue> = origins
            .into_iter()
            .map(|origin| origin.as_header().clone())
            .collect();
        Self::new(AllowOrigin::list(list), Vary::list([header::ORIGIN]))
    }

    /// The pages of these origins may call in their users' names: with cookies.
    ///
    /// There is no such thing for any origin, as browsers forbid it.
    #[must_use]
    pub fn origins_with_credentials(origins: impl IntoIterator<Item = Origin>) -> Self {
        let Self(layer) = Self::origins(origins);
        Self(layer.allow_credentials(true))
    }

    /// The methods that may be used. Default: GET, HEAD, POST, PUT, PATCH, DELETE.
    #[must_use]
    pub fn with_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods: Vec<Method> = methods.into_iter().collect();
        Self(self.0.allow_methods(methods))
    }

    /// The response headers that pages may read beyond those that all may. Default: `x-request-id`,
    /// `retry-after`, `server-timing`.
    #[must_use]
    pub fn with_exposed_headers(self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let headers: Vec<HeaderName> = headers.into_iter().collect();
        Self(self.0.expose_headers(headers))
    }

    /// How long a browser may go by a preflight. Default: [`DEFAULT_CORS_MAX_AGE`].
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self(self.0.max_age(max_age))
    }

    fn new(origins: AllowOrigin, vary: Vary) -> Self {
        Self(
            cors::CorsLayer::new()
                .allow_origin(origins)
                .vary(vary)
                .allow_methods(METHODS)
                .allow_headers(AllowHeaders::mirror_request())
                .expose_headers(ExposeHeaders::list(EXPOSED))
                .max_age(DEFAULT_CORS_MAX_AGE),
        )
    }
}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
