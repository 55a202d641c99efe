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
mod error;
mod from_env;
pub(crate) mod ids;
mod logs;
mod metrics;
mod otlp;
mod output;
mod pipeline;
mod queue;
mod report;
mod resource;
mod sampler;
mod sink;
mod spans;
mod subscriber;
#[cfg(test)]
mod tests;
mod transport;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::global;
use opentelemetry::metrics::Meter;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};

use self::queue::Queue;
use self::sink::LogItem;
use crate::Clock;
use crate::access_log::AccessLog;
use crate::propagation::W3cPropagator;
pub use builder::TelemetryBuilder;
pub use config::{
    BatchConfig, DEFAULT_EXPORT_TIMEOUT, DEFAULT_GRPC_ENDPOINT, DEFAULT_HTTP_ENDPOINT,
    DEFAULT_LOG_DELAY, DEFAULT_MAX_BATCH, DEFAULT_MAX_QUEUE, DEFAULT_METRIC_INTERVAL,
    DEFAULT_OTLP_TIMEOUT, DEFAULT_SPAN_DELAY, OtlpConfig, OtlpProtocol,
};
pub use error::TelemetryError;
pub use report::{Dropped, MetricsReport, Report, SignalReport};
pub use sampler::{InvalidRatio, Sampler};
pub use subscriber::DEFAULT_DIRECTIVES;

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
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
    logger_provider: SdkLoggerProvider,
    access_log: Option<AccessLog>,
    queues: Queues,
    clock: Clock,
}

/// The ways out, where there are any.
#[derive(Debug)]
struct Queues {
    spans: Option<Arc<Queue<SpanData>>>,
    logs: Option<Arc<Queue<LogItem>>>,
    metrics: Option<Arc<Queue<ResourceMetrics>>>,
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

    /// Makes the providers, and W3C propagation, OpenTelemetry's global ones, for libraries that
    /// know nothing else.
    pub fn install_global(&self) {
        global::set_text_map_propagator(W3cPropagator::new());
        global::set_tracer_provider(self.0.tracer_provider.clone());
        global::set_meter_provider(self.0.meter_provider.clone());
    }
}

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

    /// The access log, if the telemetry was given one.
    #[must_use]
    pub fn access_log(&self) -> Option<&AccessLog> {
        self.0.access_log.as_ref()
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

// === impl Telemetry: the end ===

impl Telemetry {
    /// What became of everything so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let Queues {
            spans,
            logs,
            metrics,
        } = &self.0.queues;
        Report {
            spans: spans
                .as_ref()
                .map(|queue| queue.report())
                .unwrap_or_default(),
            logs: logs
                .as_ref()
                .map(|queue| queue.report())
                .unwrap_or_default(),
            metrics: metrics
                .as_ref()
                .map_or_else(MetricsReport::default, |queue| MetricsReport {
                    collections: queue.report(),
                    rejected_points: queue.rejected_parts(),
                }),
            access_log: self.access_log().map(AccessLog::stats).unwrap_or_default(),
        }
    }

    /// Sends what is there now, and waits for the results until `deadline` has passed. Says
    /// whether there is a result for everything; [`Self::report`] says which.
    ///
    /// Blocks the thread, which may be any, a runtime's only worker too.
    #[must_use]
    pub fn force_flush(&self, deadline: Duration) -> bool {
        let end = self.end(deadline);
        let lines = self.access_log().is_none_or(|log| log.flush(deadline));
        let Queues {
            spans,
            logs,
            metrics,
        } = &self.0.queues;
        // All are asked before the first is waited for.
        let targets = (
            spans.as_ref().map(|queue| (queue, queue.request_flush())),
            logs.as_ref().map(|queue| (queue, queue.request_flush())),
            metrics.as_ref().map(|queue| (queue, queue.request_flush())),
        );
        let spans = targets
            .0
            .is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        let logs = targets
            .1
            .is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        let metrics = targets
            .2
            .is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        lines && spans && logs && metrics
    }

    /// Lets nothing more in, sends what is there, and says what became of everything.
    ///
    /// Returns as soon as all is sent, and no later than `deadline` from now, whatever the far
    /// side does; what is then left is counted. Blocks the thread, which may be any, a runtime's
    /// only worker too. Calling it again gives the figures as they are then.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        let end = self.end(deadline);
        // First, because its lines become log records; what does not make it is in its figures.
        if let Some(log) = self.access_log()
            && !log.flush(deadline)
        {
            tracing::warn!("lines of the access log could not be written before the deadline");
        }
        let Queues {
            spans,
            logs,
            metrics,
        } = &self.0.queues;
        spans.iter().for_each(|queue| queue.close(end));
        logs.iter().for_each(|queue| queue.close(end));
        metrics.iter().for_each(|queue| queue.close(end));
        spans.iter().for_each(|queue| queue.wait_ended(end));
        logs.iter().for_each(|queue| queue.wait_ended(end));
        metrics.iter().for_each(|queue| queue.wait_ended(end));
        self.report()
    }

    fn end(&self, deadline: Duration) -> Instant {
        let now = self.0.clock.now();
        // A deadline beyond what the clock can say is as good as a day.
        now.checked_add(deadline)
            .unwrap_or(now + Duration::from_secs(86_400))
    }
}
