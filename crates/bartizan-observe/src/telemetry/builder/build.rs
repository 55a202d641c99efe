//! From the settings to the running pipelines.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::logs::LoggerProvider;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LoggerProviderBuilder, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, TracerProviderBuilder};

use super::{Part, TelemetryBuilder};
use crate::access_log::{AccessLog, AccessLogBuilder};
use crate::telemetry::config::{
    BatchConfig, DEFAULT_EXPORT_TIMEOUT, DEFAULT_METRIC_INTERVAL, Destination,
};
use crate::telemetry::limits::Limits;
use crate::telemetry::logs::QueueLogs;
use crate::telemetry::metrics::Collector;
use crate::telemetry::output::Output;
use crate::telemetry::queue::Queue;
use crate::telemetry::shutdown::Queues;
use crate::telemetry::sink::{LogItem, Sink};
use crate::telemetry::spans::{OpenSpans, QueueSpans};
use crate::telemetry::spool::Opened;
use crate::telemetry::transport::Signal;
use crate::telemetry::{
    Inner, Overview, Sampler, Telemetry, TelemetryError, detect, ids, otlp, output, own, resource,
    spool, worker,
};
use crate::tracing_source::scope;
use crate::{Clock, method};

impl TelemetryBuilder {
    /// Builds it, and starts the export thread if there is anything to export.
    ///
    /// # Errors
    ///
    /// When an exporter does not accept its configuration, the known methods can't be set, the
    /// spool's directory can't be created, or the thread cannot be started.
    pub fn build(mut self) -> Result<Telemetry, TelemetryError> {
        if let Some(methods) = &self.known_methods {
            method::set_known(methods.iter().map(String::as_str))?;
        }
        let detected = if self.detected {
            detect::all()
        } else {
            Vec::new()
        };
        let spool = self.open_spool()?;
        let overview = self.overview();
        let resource = resource::build(self.service_name.as_deref(), self.attributes, detected);
        let mut pipelines = Pipelines {
            resource,
            limits: self.limits,
            tasks: Vec::new(),
        };
        let (tracers, spans, open_spans) = pipelines.traces(
            self.sampler,
            self.tracer_parts,
            self.traces,
            self.span_batch.unwrap_or(BatchConfig::SPANS),
            spool.traces,
        )?;
        let (loggers, logs) = pipelines.logs(
            self.logger_parts,
            self.logs,
            self.log_batch.unwrap_or(BatchConfig::LOGS),
            spool.logs,
            self.baggage,
        )?;
        let (meters, metrics) = pipelines.metrics(
            self.meter_parts,
            self.metrics,
            self.temporality,
            self.metric_interval.unwrap_or(DEFAULT_METRIC_INTERVAL),
            self.metric_timeout.unwrap_or(DEFAULT_EXPORT_TIMEOUT),
        )?;
        worker::start(pipelines.tasks)?;
        let (tracer_provider, logger_provider, meter_provider) =
            (tracers.build(), loggers.build(), meters.build());
        let scope = scope();
        let logger = logger_provider.logger_with_scope(scope.clone());
        let to_otlp = (!self.local_lines).then(|| logger.clone());
        let access_log = self.access_log.map(|log| open_log(log, to_otlp));
        let access_log = access_log.transpose()?;
        let meter = meter_provider.meter_with_scope(scope.clone());
        let queues = Queues {
            spans,
            logs,
            metrics,
            spool: spool.directory,
        };
        if self.own_metrics {
            own::register(&meter, &queues, access_log.as_ref());
        }
        Ok(Telemetry(Arc::new(Inner {
            tracer: tracer_provider.tracer_with_scope(scope),
            meter,
            logger,
            sampler: self.sampler,
            formats: self.formats,
            ignored: self.ignored,
            overview,
            tracer_provider,
            meter_provider,
            logger_provider,
            access_log,
            exposition: self.exposition,
            queues,
            open_spans,
            log_control: self.log_control,
            clock: Clock::default(),
        })))
    }
}

/// The providers and their pipelines in the making.
struct Pipelines {
    resource: Resource,
    limits: Limits,
    tasks: Vec<worker::Task>,
}

/// The queue of a signal that is exported.
type Exported<T> = Option<Arc<Queue<T>>>;

impl Pipelines {
    fn traces(
        &mut self,
        sampler: Sampler,
        parts: Vec<Part<TracerProviderBuilder>>,
        to: Output<SpanData>,
        batch: BatchConfig,
        spool: Option<spool::Way>,
    ) -> Result<(TracerProviderBuilder, Exported<SpanData>, Arc<OpenSpans>), TelemetryError> {
        let tracers = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_id_generator(ids::Ids::default())
            .with_resource(self.resource.clone());
        let mut tracers = with_parts(self.limits.apply(tracers), parts);
        let open = Arc::new(OpenSpans::default());
        let sink = to.open(Signal::Traces, otlp::spans)?;
        let queue = sink.map(|sink| self.push(Signal::Traces, sink, batch, spool));
        if let Some(queue) = &queue {
            let queue = QueueSpans::new(Arc::clone(queue), Arc::clone(&open), self.limits);
            tracers = tracers.with_span_processor(queue);
        }
        Ok((tracers, queue, open))
    }

    fn logs(
        &mut self,
        parts: Vec<Part<LoggerProviderBuilder>>,
        to: Output<LogItem>,
        batch: BatchConfig,
        spool: Option<spool::Way>,
        baggage: Vec<Box<str>>,
    ) -> Result<(LoggerProviderBuilder, Exported<LogItem>), TelemetryError> {
        let loggers = SdkLoggerProvider::builder().with_resource(self.resource.clone());
        let mut loggers = with_parts(loggers, parts);
        let sink = to.open(Signal::Logs, otlp::logs)?;
        let queue = sink.map(|sink| self.push(Signal::Logs, sink, batch, spool));
        if let Some(queue) = &queue {
            let queue = QueueLogs::new(Arc::clone(queue), baggage, self.limits);
            loggers = loggers.with_log_processor(queue);
        }
        Ok((loggers, queue))
    }

    fn metrics(
        &mut self,
        parts: Vec<Part<MeterProviderBuilder>>,
        to: Output<ResourceMetrics>,
        temporality: Temporality,
        interval: Duration,
        timeout: Duration,
    ) -> Result<(MeterProviderBuilder, Exported<ResourceMetrics>), TelemetryError> {
        let meters = SdkMeterProvider::builder().with_resource(self.resource.clone());
        let mut meters = with_parts(meters, parts);
        let open = |to: &Destination| otlp::metrics(to, temporality);
        let Some(sink) = to.open(Signal::Metrics, open)? else {
            return Ok((meters, None));
        };
        let temporality = sink.temporality();
        let pipeline = output::collected(sink, interval, timeout);
        let queue = Arc::clone(&pipeline.queue);
        let collector = Collector::new(Arc::clone(&queue), temporality);
        meters = meters.with_reader(collector.clone());
        self.tasks
            .push(Box::pin(pipeline.run(move || collector.collect())));
        Ok((meters, Some(queue)))
    }

    fn push<T: Send + 'static>(
        &mut self,
        signal: Signal,
        sink: Box<dyn Sink<T>>,
        batch: BatchConfig,
        spool: Option<spool::Way>,
    ) -> Arc<Queue<T>> {
        output::push(signal, sink, batch, spool, &self.resource, &mut self.tasks)
    }
}

impl TelemetryBuilder {
    fn open_spool(&mut self) -> Result<Opened, TelemetryError> {
        if self.spool.is_none() {
            return Ok(Opened::default());
        }
        let spans = self.span_batch.unwrap_or(BatchConfig::SPANS);
        let logs = self.log_batch.unwrap_or(BatchConfig::LOGS);
        let traces = self.traces.courier(Signal::Traces, spans)?;
        let logs = self.logs.courier(Signal::Logs, logs)?;
        let mut opened = spool::open(self.spool.as_ref(), traces, logs)?;
        if opened.directory.is_none() {
            self.spool = None;
        }
        self.ignored.extend(opened.ignored.take());
        Ok(opened)
    }

    /// What it will do once it is built, as [`Telemetry::overview`] then says.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let page = if self.exposition.is_some() {
            ", as a page"
        } else {
            ""
        };
        let metrics = self.metrics.overview(Signal::Metrics);
        let mut traces = self.traces.overview(Signal::Traces);
        if !matches!(self.traces, Output::Nowhere) {
            traces = format!("{traces}, {}", self.sampler);
        }
        let ignored = self.ignored.iter().map(|why| format!("{why}: ignored"));
        let service = resource::service_name(self.service_name.as_deref(), &self.attributes);
        let unset = self
            .unset
            .iter()
            .map(|hint| hint.replace("{service}", &service));
        let mut rows = vec![
            ("traces", traces),
            ("metrics", format!("{metrics}{page}")),
            ("logs", self.logs.overview(Signal::Logs)),
            ("context", self.formats.to_string()),
        ];
        rows.extend(self.spool.as_ref().map(|spool| ("spool", spool.overview())));
        let endpoints = [
            self.traces.endpoint(Signal::Traces),
            self.metrics.endpoint(Signal::Metrics),
            self.logs.endpoint(Signal::Logs),
        ];
        Overview {
            endpoints: endpoints.into_iter().flatten().collect(),
            rows,
            hints: unset.chain(ignored).collect(),
            service,
        }
    }
}

fn open_log(
    log: AccessLogBuilder,
    to_otlp: Option<SdkLogger>,
) -> Result<AccessLog, TelemetryError> {
    match to_otlp {
        Some(logger) => log.with_otlp(logger).build(),
        None => log.build(),
    }
    .map_err(TelemetryError::Thread)
}

fn with_parts<B>(builder: B, parts: Vec<Part<B>>) -> B {
    parts
        .into_iter()
        .fold(builder, |builder, part| part(builder))
}
