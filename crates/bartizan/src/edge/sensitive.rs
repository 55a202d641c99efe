use axum::http::HeaderName;
use tower_http::sensitive_headers::{SetSensitiveHeaders, SetSensitiveHeadersLayer};
use tower_layer::Layer;

/// Marks headers as sensitive, on requests and answers.
///
/// tower-http's layer. A marked header is not recorded by the request layer, also where its options
/// name it, and HTTP/2 keeps it out of its tables of repeated headers. Put it outside of the request
/// layer. Credentials and cookies are not recorded in any case.
///
/// ```
/// use axum::{Router, http::HeaderName, routing::get};
/// use bartizan::SensitiveHeadersLayer;
///
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(SensitiveHeadersLayer::new([HeaderName::from_static("x-api-key")]));
/// ```
#[derive(Debug, Clone)]
pub struct SensitiveHeadersLayer(SetSensitiveHeadersLayer);

// === impl SensitiveHeadersLayer ===

impl SensitiveHeadersLayer {
    /// These headers.
    #[must_use]
    pub fn new(headers: impl IntoIterator<Item = HeaderName>) -> Self {
        Self(SetSensitiveHeadersLayer::new(headers))
    }
}

impl<S> Layer<S> for SensitiveHeadersLayer {
    type Service = SetSensitiveHeaders<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
