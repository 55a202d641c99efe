use std::sync::Arc;

use opentelemetry::global;
use tower_layer::Layer;

use super::machine::Machine;
use super::metrics::ServerMetrics;
use super::options::RequestOptions;
use super::service::Observe;
use crate::access_log::AccessLog;
use crate::exposition::Exposition;
use crate::telemetry::Telemetry;
use crate::tracing_source::{Tracer, scope};

/// Server span, metrics and access line for each request, in one layer.
///
/// The state is the layer's own: all services made of it, and of its clones, share it.
#[derive(Debug, Clone)]
pub struct ObserveLayer(Arc<Machine>);

/// Chooses the signals of an [`ObserveLayer`]; each is off until it is asked for.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ObserveLayerBuilder {
    trace: Option<Source>,
    metrics: Option<Source>,
    log: Option<AccessLog>,
    options: RequestOptions,
}

/// Whose providers are used.
#[derive(Debug, Clone)]
enum Source {
    Ours(Telemetry),
    Globals,
}

// === impl ObserveLayer ===

impl ObserveLayer {
    /// Starts with no signal and the default options.
    pub fn builder() -> ObserveLayerBuilder {
        ObserveLayerBuilder::default()
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe::new(inner, Arc::clone(&self.0))
    }
}

// === impl ObserveLayerBuilder ===

impl ObserveLayerBuilder {
    /// Starts a server span for each request.
    pub fn with_trace(mut self, telemetry: &Telemetry) -> Self {
        self.trace = Some(Source::Ours(telemetry.clone()));
        self
    }

    /// Starts a server span for each request with the global tracer provider.
    ///
    /// The provider is the one that is set when the layer is built. Its sampler is asked by way of
    /// the span itself, so unsampled requests cost more than with our own telemetry.
    pub fn with_global_trace(mut self) -> Self {
        self.trace = Some(Source::Globals);
        self
    }

    /// Records the HTTP server metrics.
    pub fn with_metrics(mut self, telemetry: &Telemetry) -> Self {
        self.metrics = Some(Source::Ours(telemetry.clone()));
        self
    }

    /// Records the HTTP server metrics with the global meter provider.
    pub fn with_global_metrics(mut self) -> Self {
        self.metrics = Some(Source::Globals);
        self
    }

    /// Writes one line per request to `log`.
    pub fn with_access_log(mut self, log: AccessLog) -> Self {
        self.log = Some(log);
        self
    }

    /// How requests are looked at. Default: [`RequestOptions::default`].
    pub fn with_options(mut self, options: RequestOptions) -> Self {
        self.options = options;
        self
    }

    /// The layer.
    #[must_use]
    pub fn build(self) -> ObserveLayer {
        let tracer = self.trace.map(|source| match source {
            Source::Ours(telemetry) => Tracer::ours(&telemetry),
            Source::Globals => Tracer::global(),
        });
        let metrics = self.metrics.map(|source| {
            let max = self.options.max_series;
            match source {
                Source::Ours(telemetry) => ServerMetrics::new(telemetry.meter(), max)
                    .with_exemplars(telemetry.exposition().map(Exposition::exemplars)),
                Source::Globals => ServerMetrics::new(&global::meter_with_scope(scope()), max),
            }
        });
        ObserveLayer(Machine::shared(tracer, metrics, self.log, self.options))
    }
}
