//! One signal each: thin fronts of [`ObserveLayer`].
//!
//! Stacked one by one, in any order, they are one request: the outermost begins and ends it, the
//! others add their signal.

use tower_layer::Layer;

use super::layer::{ObserveLayer, ObserveLayerBuilder};
use super::options::RequestOptions;
use super::service::Observe;
use crate::access_log::AccessLog;
use crate::telemetry::Telemetry;

/// A server span for each request, by the OpenTelemetry semantic conventions.
///
/// ```
/// use bartizan_observe::request::{RequestOptions, TraceLayer};
/// use bartizan_observe::telemetry::Telemetry;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let service = tower::ServiceBuilder::new()
///     .layer(TraceLayer::new(&telemetry, RequestOptions::new()))
///     .service_fn(|_: http::Request<String>| async {
///         Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
///     });
/// # drop(service);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TraceLayer(ObserveLayer);

/// The HTTP server metrics of the OpenTelemetry semantic conventions.
#[derive(Debug, Clone)]
pub struct MetricsLayer(ObserveLayer);

/// One access-log line for each request.
///
/// Its ids are those of the server span, when a [`TraceLayer`] is stacked anywhere around or
/// inside; else those of the active OpenTelemetry span, else of the caller's `traceparent`.
#[derive(Debug, Clone)]
pub struct RequestLogLayer(ObserveLayer);

// === impl TraceLayer ===

impl TraceLayer {
    /// With the given telemetry.
    #[must_use]
    pub fn new(telemetry: &Telemetry, options: RequestOptions) -> Self {
        Self(build(options, |layer| layer.with_trace(telemetry)))
    }

    /// With the global tracer provider.
    #[must_use]
    pub fn from_globals(options: RequestOptions) -> Self {
        Self(build(options, ObserveLayerBuilder::with_global_trace))
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
    /// With the given telemetry.
    #[must_use]
    pub fn new(telemetry: &Telemetry, options: RequestOptions) -> Self {
        Self(build(options, |layer| layer.with_metrics(telemetry)))
    }

    /// With the global meter provider.
    #[must_use]
    pub fn from_globals(options: RequestOptions) -> Self {
        Self(build(options, ObserveLayerBuilder::with_global_metrics))
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
    /// Writes to `log`.
    #[must_use]
    pub fn new(log: AccessLog, options: RequestOptions) -> Self {
        Self(build(options, |layer| layer.with_access_log(log)))
    }
}

impl<S> Layer<S> for RequestLogLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

fn build(
    options: RequestOptions,
    signal: impl FnOnce(ObserveLayerBuilder) -> ObserveLayerBuilder,
) -> ObserveLayer {
    signal(ObserveLayer::builder())
        .with_options(options)
        .build()
}
