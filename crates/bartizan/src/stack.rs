use bartizan_observe::access_log::AccessLog;
use bartizan_observe::request::{Observe, ObserveLayer, RequestOptions};
use bartizan_observe::telemetry::Telemetry;
use tower_layer::Layer;

use crate::{Error, options};

/// Everything, with sane defaults, behind one `.layer(...)`.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::Telemetry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
pub fn stack() -> Stack {
    Stack {
        telemetry: None,
        log: Log::OfTelemetry,
        options: options(),
    }
}

/// Puts the stack together; made by [`stack`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Stack {
    telemetry: Option<Telemetry>,
    log: Log,
    options: RequestOptions,
}

#[derive(Debug)]
enum Log {
    OfTelemetry,
    Given(AccessLog),
    Off,
}

/// The assembled layers, for `Router::layer`. Clones share all state.
#[derive(Debug, Clone)]
pub struct StackLayer {
    observe: ObserveLayer,
}

// === impl Stack ===

impl Stack {
    /// Where spans, metrics and lines go. Default: the OpenTelemetry globals, and lines on standard
    /// output.
    pub fn with_telemetry(mut self, telemetry: &Telemetry) -> Self {
        self.telemetry = Some(telemetry.clone());
        self
    }

    /// Writes access lines to `log`. Default: the telemetry's own access log, if it has one.
    pub fn with_access_log(mut self, log: AccessLog) -> Self {
        self.log = Log::Given(log);
        self
    }

    /// Writes no access lines.
    pub fn without_access_log(mut self) -> Self {
        self.log = Log::Off;
        self
    }

    /// How requests are looked at. Default: [`options`], from which to start for axum.
    pub fn with_options(mut self, options: RequestOptions) -> Self {
        self.options = options;
        self
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// When the access log's thread cannot be started.
    pub fn build(self) -> Result<StackLayer, Error> {
        let mut observe = ObserveLayer::builder().with_options(self.options);
        observe = match &self.telemetry {
            Some(telemetry) => observe.with_trace(telemetry).with_metrics(telemetry),
            None => observe.with_global_trace().with_global_metrics(),
        };
        let log = match (self.log, &self.telemetry) {
            (Log::Given(log), _) => Some(log),
            (Log::OfTelemetry, Some(telemetry)) => telemetry.access_log().cloned(),
            (Log::OfTelemetry, None) => Some(AccessLog::builder().build()?),
            (Log::Off, _) => None,
        };
        if let Some(log) = log {
            observe = observe.with_access_log(log);
        }
        Ok(StackLayer {
            observe: observe.build(),
        })
    }
}

// === impl StackLayer ===

impl<S> Layer<S> for StackLayer {
    type Service = Observe<S>;

    /// The one place that decides the order, from the inside out.
    fn layer(&self, inner: S) -> Self::Service {
        // Outermost, so that whatever a layer inside answers or breaks is seen, timed and logged.
        self.observe.layer(inner)
    }
}
