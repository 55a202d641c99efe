use axum::http::HeaderName;
use bartizan_observe::access_log::AccessLog;
use bartizan_observe::request::{Observe, ObserveLayer, RequestOptions};
use bartizan_observe::telemetry::Telemetry;
use tower_http::sensitive_headers::SetSensitiveHeaders;
use tower_layer::Layer;

use crate::edge::{Bare, CorsLayer, Edge, EdgeService};
use crate::{Error, SensitiveHeadersLayer, options};

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
///
/// The layers of the [edge](crate::edge) are off until they are asked for:
///
/// ```
/// use axum::{Router, routing::post};
/// use bartizan::{CorsLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", post(|body: String| async { body }))
///     .layer(
///         bartizan::stack()
///             .with_telemetry(&telemetry)
///             .with_cors(CorsLayer::origins(["https://shop.example".parse()?]))
///             .with_catch_panic()
///             .with_body_limit(64 * 1024)
///             .with_decompression()
///             .build()?,
///     );
/// # Ok(())
/// # }
/// ```
pub fn stack() -> Stack {
    Stack {
        telemetry: None,
        log: Log::OfTelemetry,
        options: options(),
        edge: Bare::default(),
    }
}

/// Puts the stack together; made by [`stack`]. `E` is [`Edge`] once a layer of the edge was asked
/// for.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Stack<E = Bare> {
    telemetry: Option<Telemetry>,
    log: Log,
    options: RequestOptions,
    edge: E,
}

#[derive(Debug)]
enum Log {
    OfTelemetry,
    Given(AccessLog),
    Off,
}

/// The assembled layers, for `Router::layer`. Clones share all state.
#[derive(Debug, Clone)]
pub struct StackLayer<E = Bare> {
    observe: ObserveLayer,
    edge: E,
}

// === impl Stack ===

impl<E> Stack<E> {
    /// Where spans, metrics and lines go. Default: the telemetry that was last
    /// [installed](Telemetry::install_global), as `telemetry::from_env` does; where there is none,
    /// the OpenTelemetry globals, and lines on standard output.
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
    pub fn build(self) -> Result<StackLayer<E>, Error> {
        let telemetry = self.telemetry.or_else(Telemetry::installed);
        let mut observe = ObserveLayer::builder().with_options(self.options);
        observe = match &telemetry {
            Some(telemetry) => observe.with_trace(telemetry).with_metrics(telemetry),
            None => observe.with_global_trace().with_global_metrics(),
        };
        let log = match (self.log, &telemetry) {
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
            edge: self.edge,
        })
    }
}

/// The layers of the [edge](crate::edge).
impl<E: Into<Edge>> Stack<E> {
    /// All of them at once, as a configuration has decided, in place of those asked for before.
    pub fn with_edge(self, edge: Edge) -> Stack<Edge> {
        self.edged(|_| edge)
    }

    /// Which web pages of other origins may call; see [`Edge::with_cors`].
    pub fn with_cors(self, cors: CorsLayer) -> Stack<Edge> {
        self.edged(|edge| edge.with_cors(cors))
    }

    /// Answers 500 where a handler panics; see [`Edge::with_catch_panic`].
    pub fn with_catch_panic(self) -> Stack<Edge> {
        self.edged(Edge::with_catch_panic)
    }

    /// How large a request's body may be, in bytes; see [`Edge::with_body_limit`].
    pub fn with_body_limit(self, limit: usize) -> Stack<Edge> {
        self.edged(|edge| edge.with_body_limit(limit))
    }

    /// Decompresses gzip bodies; see [`Edge::with_decompression`].
    pub fn with_decompression(self) -> Stack<Edge> {
        self.edged(Edge::with_decompression)
    }

    /// Headers that are never recorded; see [`Edge::with_sensitive_headers`].
    pub fn with_sensitive_headers(
        self,
        headers: impl IntoIterator<Item = HeaderName>,
    ) -> Stack<Edge> {
        self.edged(|edge| edge.with_sensitive_headers(headers))
    }

    fn edged(self, with: impl FnOnce(Edge) -> Edge) -> Stack<Edge> {
        Stack {
            telemetry: self.telemetry,
            log: self.log,
            options: self.options,
            edge: with(self.edge.into()),
        }
    }
}

// === impl StackLayer ===

impl<S> Layer<S> for StackLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        // As below, where nothing else was asked for.
        self.observe.layer(inner)
    }
}

impl<S> Layer<S> for StackLayer<Edge> {
    type Service = SetSensitiveHeaders<Observe<EdgeService<S>>>;

    /// The one place that decides the order, from the inside out.
    fn layer(&self, inner: S) -> Self::Service {
        // Whatever answers in the service's place or breaks; in which order, it says itself.
        let inner = self.edge.layer(inner);
        // Around all of it, so that whatever a layer inside answers or breaks is seen, timed and
        // logged, and its problem names the trace.
        let inner = self.observe.layer(inner);
        // Outermost: what is marked must be so before it is looked at.
        SensitiveHeadersLayer::new(self.edge.sensitive.iter().cloned()).layer(inner)
    }
}
