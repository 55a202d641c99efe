use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::logs::LoggerProvider;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::logs::{
    LogExporter, LogProcessor, LoggerProviderBuilder, SdkLoggerProvider,
};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{
    SdkTracerProvider, SpanData, SpanExporter, SpanProcessor, TracerProviderBuilder,
};

use super::config::{BatchConfig, DEFAULT_METRIC_INTERVAL, Destination, OtlpConfig};
use super::error::TelemetryError;
use super::logs::QueueLogs;
use super::metrics::Collector;
use super::output::{self, Output};
use super::sink::{Exporting, LogItem};
use super::spans::QueueSpans;
use super::transport::Signal;
use super::{Inner, Queues, Sampler, Telemetry, ids, otlp, resource, worker};
use crate::Clock;
use crate::access_log::AccessLogBuilder;
use crate::tracing_source::scope;

/// Puts a [`Telemetry`] together in code.
///
/// With no exporter at all nothing is exported and no thread is started.
#[derive(Default)]
pub struct TelemetryBuilder {
    pub(super) service_name: Option<String>,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) sampler: Sampler,
    pub(super) traces: Output<SpanData>,
    pub(super) logs: Output<LogItem>,
    pub(super) metrics: Output<ResourceMetrics>,
    pub(super) span_batch: Option<BatchConfig>,
    pub(super) log_batch: Option<BatchConfig>,
    pub(super) metric_interval: Option<Duration>,
    pub(super) temporality: Temporality,
    access_log: Option<AccessLogBuilder>,
    local_lines: bool,
    tracer_parts: Vec<Part<TracerProviderBuilder>>,
    logger_parts: Vec<Part<LoggerProviderBuilder>>,
    meter_parts: Vec<Part<MeterProviderBuilder>>,
}

/// Adds something of the caller's to an SDK provider.
type Part<B> = Box<dyn FnOnce(B) -> B + Send>;

// === impl TelemetryBuilder ===

impl TelemetryBuilder {
    /// The service's name. Default: `unknown_service:` and the executable's name.
    #[must_use]
    pub fn with_service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Adds to what describes this service, for example `deployment.environment.name`.
    #[must_use]
    pub fn with_resource_attribute(mut self, attribute: KeyValue) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Which traces are recorded. Default: [`Sampler::default`].
    #[must_use]
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Sends spans, log records and metrics to a collector. Default: nowhere.
    #[must_use]
    pub fn with_otlp(mut self, collector: OtlpConfig) -> Self {
        self.traces = Output::Base(collector.clone());
        self.logs = Output::Base(collector.clone());
        self.metrics = Output::Base(collector);
        self
    }

    /// In what portions spans go out. Default: [`BatchConfig::spans`].
    #[must_use]
    pub fn with_span_batch(mut self, batch: BatchConfig) -> Self {
        self.span_batch = Some(batch);
        self
    }

    /// In what portions log records go out. Default: [`BatchConfig::logs`].
    #[must_use]
    pub fn with_log_batch(mut self, batch: BatchConfig) -> Self {
        self.log_batch = Some(batch);
        self
    }

    /// How often metrics are collected and exported. Default: [`DEFAULT_METRIC_INTERVAL`].
    #[must_use]
    pub fn with_metric_interval(mut self, interval: Duration) -> Self {
        self.metric_interval = Some(interval);
        self
    }

    /// Sends spans to this exporter, through the same queue and thread, in place of OTLP.
    #[must_use]
    pub fn with_span_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.traces = Output::Given(Box::new(Exporting::foreign(exporter)));
        self
    }

    /// Sends log records to this exporter, through the same queue and thread, in place of OTLP.
    #[must_use]
    pub fn with_log_exporter(mut self, exporter: impl LogExporter + 'static) -> Self {
        self.logs = Output::Given(Box::new(Exporting::foreign(exporter)));
        self
    }

    /// Sends metrics to this exporter, collected by the same thread, in place of OTLP.
    #[must_use]
    pub fn with_metric_exporter(mut self, exporter: impl PushMetricExporter) -> Self {
        self.metrics = Output::Given(Box::new(Exporting::foreign(exporter)));
        self
    }

    /// Gives the telemetry an access log, whose lines also go out as log records, and which is
    /// flushed with the rest. Default: none.
    #[must_use]
    pub fn with_access_log(mut self, log: AccessLogBuilder) -> Self {
        self.access_log = Some(log);
        self
    }

    /// Keeps the access log's lines out of OTLP, where they would be beside the log records of
    /// `tracing` events. Default: they are sent.
    #[must_use]
    pub fn without_otlp_access_lines(mut self) -> Self {
        self.local_lines = true;
        self
    }

    /// Lets a processor see spans before they are queued; [`Report`](super::Report) does not count
    /// what it does with them.
    #[must_use]
    pub fn with_span_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.tracer_parts
            .push(Box::new(|builder| builder.with_span_processor(processor)));
        self
    }

    /// Lets a processor see log records before they are queued, and change them.
    #[must_use]
    pub fn with_log_processor(mut self, processor: impl LogProcessor + 'static) -> Self {
        self.logger_parts
            .push(Box::new(|builder| builder.with_log_processor(processor)));
        self
    }

    /// Adds a reader of metrics beside the exporter's, for example a scrape endpoint's.
    #[must_use]
    pub fn with_metric_reader(mut self, reader: impl MetricReader) -> Self {
        self.meter_parts
            .push(Box::new(|builder| builder.with_reader(reader)));
        self
    }

    /// Builds it, and starts the export thread if there is anything to export.
    ///
    /// # Errors
    ///
    /// When an exporter does not accept its configuration, or the thread cannot be started.
    pub fn build(self) -> Result<Telemetry, TelemetryError> {
        let resource = resource::build(self.service_name, self.attributes);
        let mut tasks = Vec::new();

        let mut tracers = SdkTracerProvider::builder()
            .with_sampler(self.sampler)
            .with_id_generator(ids::Ids::default())
            .with_resource(resource.clone());
        tracers = self
            .tracer_parts
            .into_iter()
            .fold(tracers, |builder, part| part(builder));
        let batch = self.span_batch.unwrap_or(BatchConfig::SPANS);
        let spans = self.traces.open(Signal::Traces, otlp::spans)?;
        let spans =
            spans.map(|sink| output::push(Signal::Traces, sink, batch, &resource, &mut tasks));
        if let Some(queue) = &spans {
            tracers = tracers.with_span_processor(QueueSpans(Arc::clone(queue)));
        }

        let mut loggers = SdkLoggerProvider::builder().with_resource(resource.clone());
        loggers = self
            .logger_parts
            .into_iter()
            .fold(loggers, |builder, part| part(builder));
        let batch = self.log_batch.unwrap_or(BatchConfig::LOGS);
        let logs = self.logs.open(Signal::Logs, otlp::logs)?;
        let logs = logs.map(|sink| output::push(Signal::Logs, sink, batch, &resource, &mut tasks));
        if let Some(queue) = &logs {
            loggers = loggers.with_log_processor(QueueLogs(Arc::clone(queue)));
        }

        let mut meters = SdkMeterProvider::builder().with_resource(resource);
        meters = self
            .meter_parts
            .into_iter()
            .fold(meters, |builder, part| part(builder));
        let temporality = self.temporality;
        let interval = self.metric_interval.unwrap_or(DEFAULT_METRIC_INTERVAL);
        let open = |to: &Destination| otlp::metrics(to, temporality);
        let metrics = self.metrics.open(Signal::Metrics, open)?.map(|sink| {
            let temporality = sink.temporality();
            let pipeline = output::collected(sink, interval);
            let queue = Arc::clone(&pipeline.queue);
            let collector = Collector::new(Arc::clone(&queue), temporality);
            meters = std::mem::take(&mut meters).with_reader(collector.clone());
            tasks.push(Box::pin(pipeline.run(move || collector.collect())) as worker::Task);
            queue
        });

        worker::start(tasks)?;
        let (tracer_provider, logger_provider, meter_provider) =
            (tracers.build(), loggers.build(), meters.build());
        let scope = scope();
        let logger = logger_provider.logger_with_scope(scope.clone());
        let access_log = self
            .access_log
            .map(|log| match self.local_lines {
                true => log.build(),
                false => log.with_otlp(logger.clone()).build(),
            })
            .transpose()
            .map_err(TelemetryError::Thread)?;
        Ok(Telemetry(Arc::new(Inner {
            tracer: tracer_provider.tracer_with_scope(scope.clone()),
            meter: meter_provider.meter_with_scope(scope),
            logger,
            sampler: self.sampler,
            tracer_provider,
            meter_provider,
            logger_provider,
            access_log,
            queues: Queues {
                spans,
                logs,
                metrics,
            },
            clock: Clock::default(),
        })))
    }
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder")
            .field("service_name", &self.service_name)
            .field("attributes", &self.attributes)
            .field("sampler", &self.sampler)
            .field("span_batch", &self.span_batch)
            .field("log_batch", &self.log_batch)
            .field("metric_interval", &self.metric_interval)
            .finish_non_exhaustive()
    }
}
