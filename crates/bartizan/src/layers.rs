//! The layers of `bartizan-observe`, told where axum keeps things.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath};
use bartizan_observe::PeerAddr;
use bartizan_observe::access_log::AccessLog;
use bartizan_observe::request::{self, Observe, RequestOptions, Route};
use bartizan_observe::telemetry::Telemetry;
use http::Extensions;
use tower_layer::Layer;

/// [`RequestOptions`] for axum: the route is the [`MatchedPath`], the peer [`PeerAddr`] or else
/// [`ConnectInfo`].
#[must_use]
pub fn options() -> RequestOptions {
    RequestOptions::new()
        .with_route(matched_path)
        .with_peer(peer)
}

/// A server span for each request, named by axum's matched route.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::{Telemetry, TraceLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(TraceLayer::new(&telemetry));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TraceLayer(request::TraceLayer);

/// The HTTP server metrics, labelled by axum's matched route.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::{MetricsLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(MetricsLayer::new(&telemetry));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MetricsLayer(request::MetricsLayer);

/// One access-log line for each request.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::{AccessLog, RequestLogLayer};
///
/// # fn main() -> std::io::Result<()> {
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(RequestLogLayer::new(AccessLog::builder().build()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RequestLogLayer(request::RequestLogLayer);

// === impl TraceLayer ===

impl TraceLayer {
    /// With [`options`].
    #[must_use]
    pub fn new(telemetry: &Telemetry) -> Self {
        Self::with_options(telemetry, options())
    }

    /// With options of one's own; start from [`options`], which knows axum.
    ///
    /// Where several layers are stacked, what is known of a request (its peer, scheme and route) is
    /// found out by the outermost with its options, so give all of them the same.
    #[must_use]
    pub fn with_options(telemetry: &Telemetry, options: RequestOptions) -> Self {
        Self(request::TraceLayer::new(telemetry, options))
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

// === impl MetricsLayer ===

impl MetricsLayer {
    /// With [`options`].
    #[must_use]
    pub fn new(telemetry: &Telemetry) -> Self {
        Self::with_options(telemetry, options())
    }

    /// With options of one's own; start from [`options`], which knows axum.
    ///
    /// Where several layers are stacked, what is known of a request (its peer, scheme and route) is
    /// found out by the outermost with its options, so give all of them the same.
    #[must_use]
    pub fn with_options(telemetry: &Telemetry, options: RequestOptions) -> Self {
        Self(request::MetricsLayer::new(telemetry, options))
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

// === impl RequestLogLayer ===

impl RequestLogLayer {
    /// With [`options`].
    #[must_use]
    pub fn new(log: AccessLog) -> Self {
        Self::with_options(log, options())
    }

    /// With options of one's own; start from [`options`], which knows axum.
    ///
    /// Where several layers are stacked, what is known of a request (its peer, scheme and route) is
    /// found out by the outermost with its options, so give all of them the same.
    #[must_use]
    pub fn with_options(log: AccessLog, options: RequestOptions) -> Self {
        Self(request::RequestLogLayer::new(log, options))
    }
}

impl<S> Layer<S> for RequestLogLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

fn matched_path(extensions: &Extensions) -> Option<&str> {
    extensions
        .get::<MatchedPath>()
        .map(MatchedPath::as_str)
        .or_else(|| extensions.get::<Route>().map(|route| &*route.0))
}

pub(crate) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<PeerAddr>().map(|peer| peer.0).or_else(|| {
        extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0)
    })
}
