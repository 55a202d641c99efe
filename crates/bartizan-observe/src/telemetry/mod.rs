//! Where spans, metrics and log records go.
//!
//! [`Telemetry`] is the handle: it holds the OpenTelemetry providers and the thread that exports.
//! The path from an ended span to a collector is bounded at every step and keeps its own books, so
//! that [`Report`] can say what became of each item. The SDK's batch processors do not do: they
//! count drops only in a log line, and with the runtime's only worker blocked in their shutdown
//! the exporter starves and the spans are lost.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_observe::telemetry::Telemetry;
//! use opentelemetry::trace::{Span, Tracer};
//!
//! let telemetry = Telemetry::builder().with_service_name("orders").build()?;
//! telemetry.tracer().start("work").end();
//!
//! let report = telemetry.shutdown(Duration::from_secs(3));
//! assert_eq!(report.spans.lost(), 0);
//! # Ok::<(), bartizan_observe::telemetry::TelemetryError>(())
//! ```
//!
//! Spans that are still open at the shutdown are in none of the figures; they are counted as
//! `after_shutdown` if they end later.

mod builder;
mod config;
mod detect;
mod error;
mod from_env;
pub(crate) mod ids;
mod instant;
mod limits;
mod logs;
mod metrics;
mod otlp;
mod output;
mod overview;
mod own;
mod pipeline;
mod queue;
mod report;
mod resource;
mod retry;
mod sampler;
mod shutdown;
mod sink;
mod spans;
mod spool;
mod subscriber;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod weight;
mod worker;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::metrics::Meter;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use self::shutdown::Queues;
use self::spans::OpenSpans;
use crate::Clock;
use crate::access_log::AccessLog;
use crate::exposition::Exposition;
use crate::log_control::LogControl;
pub use crate::method::{KnownMethodsError, MAX_KNOWN_METHODS};
use crate::propagation::{Formats, FormatsPropagator};
pub use builder::TelemetryBuilder;
pub use config::{
    BatchConfig, DEFAULT_EXPORT_TIMEOUT, DEFAULT_GRPC_ENDPOINT, DEFAULT_HTTP_ENDPOINT,
    DEFAULT_LOG_DELAY, DEFAULT_MAX_BATCH, DEFAULT_MAX_QUEUE, DEFAULT_MAX_QUEUE_BYTES,
    DEFAULT_METRIC_INTERVAL, DEFAULT_OTLP_TIMEOUT, DEFAULT_SPAN_DELAY, OtlpConfig, OtlpProtocol,
};
pub use error::TelemetryError;
pub use limits::{DEFAULT_COUNT_LIMIT, Limits};
pub use overview::{OtlpEndpoint, Overview};
pub use report::{Dropped, MetricsReport, Report, SignalReport};
pub use retry::{DEFAULT_RETRY_INITIAL, DEFAULT_RETRY_MAX};
pub use sampler::{InvalidRatio, Sampler};
pub use spool::{DEFAULT_SPOOL_MAX_BYTES, DEFAULT_SPOOL_MAX_FILES, SpoolConfig, SpoolReport};
pub use subscriber::DEFAULT_DIRECTIVES;
pub use tls::{TlsConfig, TlsError};

/// How long a shutdown waits for the far side: enough for a healthy collector far away, and well
/// within the 10 s after which container platforms kill a process.
pub const DEFAULT_SHUTDOWN_DEADLINE: Duration = Duration::from_secs(3);

/// A handle to the telemetry pipelines; clones are the same pipelines.
///
/// Dropping the last handle (and whatever holds the providers, such as OpenTelemetry's globals)
/// lets the export thread send what it has and end, but nobody waits for it: a program that ends
/// calls [`Telemetry::shutdown`].
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracer: SdkTracer,
    meter: Meter,
    logger: SdkLogger,
    sampler: Sampler,
    formats: Formats,
    ignored: Vec<TelemetryError>,
    overview: Overview,
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
    logger_provider: SdkLoggerProvider,
    access_log: Option<AccessLog>,
    exposition: Option<Exposition>,
    queues: Queues,
    open_spans: Arc<OpenSpans>,
    log_control: LogControl,
    clock: Clock,
}

// === impl Telemetry: set-up ===

impl Telemetry {
    /// Starts a set-up in code.
    #[must_use]
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }

    /// Builds what the `OTEL_*` variables of the environment ask for; see
    /// [`TelemetryBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// When a variable has a value that cannot be used, or the thread cannot be started.
    pub fn from_env() -> Result<Self, TelemetryError> {
        TelemetryBuilder::from_env()?.build()
    }

    /// The handle that was last given to [`Self::install_global`], if one was.
    #[must_use]
    pub fn installed() -> Option<Self> {
        INSTALLED
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes the providers and the propagation OpenTelemetry's global ones, for libraries that
    /// know nothing else, and this handle the one that [`Self::installed`] gives.
    pub fn install_global(&self) {
        *INSTALLED.write().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
        global::set_text_map_propagator(FormatsPropagator::new(self.0.formats));
        global::set_tracer_provider(self.0.tracer_provider.clone());
        global::set_meter_provider(self.0.meter_provider.clone());
    }
}

/// The handle behind OpenTelemetry's globals. Like these it lives as long as the process.
static INSTALLED: RwLock<Option<Telemetry>> = RwLock::new(None);

// === impl Telemetry: recording ===

impl Telemetry {
    /// The tracer of the scope `bartizan`.
    #[must_use]
    pub fn tracer(&self) -> &SdkTracer {
        &self.0.tracer
    }

    /// The meter of the scope `bartizan`.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// The logger of the scope `bartizan`.
    #[must_use]
    pub fn logger(&self) -> &SdkLogger {
        &self.0.logger
    }

    /// The sampler that the tracer provider was built with.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        self.0.sampler
    }

    /// The headers that contexts come in and go out by.
    #[must_use]
    pub fn formats(&self) -> Formats {
        self.0.formats
    }

    /// What is on, where it goes, and what could be set.
    #[must_use]
    pub fn overview(&self) -> &Overview {
        &self.0.overview
    }

    /// The settings of the environment that could not be used and were ignored.
    #[must_use]
    pub fn ignored(&self) -> &[TelemetryError] {
        &self.0.ignored
    }

    /// The access log, if the telemetry was given one.
    #[must_use]
    pub fn access_log(&self) -> Option<&AccessLog> {
        self.0.access_log.as_ref()
    }

    /// The metrics as a page of text, if the builder was asked for it.
    #[must_use]
    pub fn exposition(&self) -> Option<&Exposition> {
        self.0.exposition.as_ref()
    }

    /// The provider behind [`Self::tracer`]. Its own `shutdown` makes the SDK discard later spans
    /// uncounted; [`Telemetry::shutdown`] does not.
    #[must_use]
    pub fn tracer_provider(&self) -> &SdkTracerProvider {
        &self.0.tracer_provider
    }

    /// The provider behind [`Self::meter`].
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.0.meter_provider
    }

    /// The provider behind [`Self::logger`].
    #[must_use]
    pub fn logger_provider(&self) -> &SdkLoggerProvider {
        &self.0.logger_provider
    }
}
