mod build;

use std::fmt;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::logs::{LogExporter, LogProcessor, LoggerProviderBuilder};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, Temporality};
use opentelemetry_sdk::trace::{SpanData, SpanExporter, SpanProcessor, TracerProviderBuilder};

use super::Sampler;
use super::config::{BatchConfig, OtlpConfig};
use super::error::TelemetryError;
use super::limits::Limits;
use super::output::Output;
use super::sink::{Exporting, LogItem};
use super::spool::SpoolConfig;
use crate::access_log::AccessLogBuilder;
use crate::exposition::Exposition;
use crate::log_control::{LogControl, LogLimit};
use crate::propagation::Formats;

/// Puts a [`Telemetry`](super::Telemetry) together in code.
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
    pub(super) metric_timeout: Option<Duration>,
    pub(super) ignored: Vec<TelemetryError>,
    /// What the environment could have said; `{service}` stands for the service's name.
    pub(super) unset: Vec<String>,
    pub(super) temporality: Temporality,
    pub(super) known_methods: Option<Vec<String>>,
    pub(super) exposition: Option<Exposition>,
    pub(super) limits: Limits,
    pub(super) spool: Option<SpoolConfig>,
    pub(super) formats: Formats,
    pub(super) detected: bool,
    pub(super) own_metrics: bool,
    baggage: Vec<Box<str>>,
    access_log: Option<AccessLogBuilder>,
    local_lines: bool,
    log_control: LogControl,
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

    /// The request methods that are told apart, case-sensitively, in place of those of RFC 9110,
    /// PATCH and QUERY; all others are recorded as `_OTHER`. At most
    /// [`MAX_KNOWN_METHODS`](super::MAX_KNOWN_METHODS). They are the whole process's, so build the
    /// telemetry before the first layer.
    #[must_use]
    pub fn with_known_methods<M: Into<String>>(
        mut self,
        methods: impl IntoIterator<Item = M>,
    ) -> Self {
        self.known_methods = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Baggage entries that are copied to the log records of `tracing` events. Default: none. For
    /// spans and access lines it is the request layer's options that say so.
    #[must_use]
    pub fn with_baggage_keys<K: Into<Box<str>>>(
        mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Self {
        self.baggage = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Adds what can be found out about the process, its host, its container and its pod, and an id
    /// of this instance. What is given goes before it. Default: not added.
    #[must_use]
    pub fn with_detected_resource(mut self) -> Self {
        self.detected = true;
        self
    }

    /// The headers that contexts come in and go out by. Default: W3C Trace Context and Baggage.
    #[must_use]
    pub fn with_formats(mut self, formats: Formats) -> Self {
        self.formats = formats;
        self
    }

    /// Adds metrics of what becomes of spans, log records and lines, as [`Report`](super::Report) has
    /// it at the end. Default: not added; from the environment, added.
    #[must_use]
    pub fn with_own_metrics(mut self) -> Self {
        self.own_metrics = true;
        self
    }

    /// How much one span or log record may hold. Default: [`Limits::default`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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

    /// Keeps spans and log records that a collector does not take in a directory, and sends them
    /// when it does, in this run or the next. Default: they are dropped and counted.
    #[must_use]
    pub fn with_spool(mut self, spool: SpoolConfig) -> Self {
        self.spool = Some(spool);
        self
    }

    /// Keeps nothing in a directory, whatever the environment says: a program that sends beside a
    /// service leaves the service's spool alone.
    #[must_use]
    pub fn without_spool(mut self) -> Self {
        self.spool = None;
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

    /// How often metrics are collected and exported. Default: [`DEFAULT_METRIC_INTERVAL`](super::DEFAULT_METRIC_INTERVAL).
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

    /// How many `tracing` events one call site may log, as lines and as log records. Default:
    /// [`LogLimit::default`].
    #[must_use]
    pub fn with_log_limit(mut self, limit: LogLimit) -> Self {
        self.log_control = LogControl::new(limit);
        self
    }

    /// With a clock, and nobody who looks at it but the test.
    #[cfg(test)]
    pub(crate) fn with_log_control(mut self, control: LogControl) -> Self {
        self.log_control = control;
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

    /// Makes the metrics readable as a page of text, through
    /// [`Telemetry::exposition`](super::Telemetry::exposition), beside what is exported. Default:
    /// off, because each measurement is then kept twice.
    #[must_use]
    pub fn with_exposition(self) -> Self {
        if self.exposition.is_some() {
            return self;
        }
        let exposition = Exposition::default();
        let mut builder = self.with_metric_reader(exposition.reader());
        builder.exposition = Some(exposition);
        builder
    }

    /// Adds a reader of metrics beside the exporter's.
    #[must_use]
    pub fn with_metric_reader(mut self, reader: impl MetricReader) -> Self {
        self.meter_parts
            .push(Box::new(|builder| builder.with_reader(reader)));
        self
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
