use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bartizan::{AccessLog, Sampler, Telemetry};
use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::support::PATIENCE;

/// Telemetry that is read in the middle of a test, without an export.
pub(super) struct Books {
    pub(super) telemetry: Telemetry,
    pub(super) log: AccessLog,
    spans: Arc<Spans>,
    reader: Reader,
}

#[derive(Debug, Default)]
struct Spans {
    started: AtomicI64,
    ended: AtomicI64,
}

/// A processor that a test and a provider share.
#[derive(Debug)]
struct Count(Arc<Spans>);

/// A [`ManualReader`] that a test and a provider share.
#[derive(Debug, Clone, Default)]
struct Reader(Arc<ManualReader>);

// === impl Books ===

impl Books {
    pub(super) fn new() -> Self {
        let (spans, reader) = (Arc::<Spans>::default(), Reader::default());
        let telemetry = Telemetry::builder()
            .with_sampler(Sampler::ALWAYS_ON)
            .with_span_processor(Count(Arc::clone(&spans)))
            .with_metric_reader(reader.clone())
            .build()
            .unwrap();
        let log = AccessLog::builder().with_sink(io::sink()).build().unwrap();
        Self {
            telemetry,
            log,
            spans,
            reader,
        }
    }

    pub(super) fn ended_spans(&self) -> i64 {
        self.spans.ended.load(Ordering::SeqCst)
    }

    pub(super) fn open_spans(&self) -> i64 {
        self.spans.started.load(Ordering::SeqCst) - self.ended_spans()
    }

    pub(super) fn lines(&self) -> i64 {
        assert!(self.log.flush(PATIENCE));
        i64::try_from(self.log.stats().written).unwrap()
    }

    /// An up-down counter, over all of its series.
    pub(super) fn active(&self, name: &str) -> i64 {
        self.points(name).iter().sum()
    }

    /// The measurements of a histogram, over all of its series.
    pub(super) fn durations(&self, name: &str) -> i64 {
        self.points(name).iter().sum()
    }

    /// A counter, over all of its series.
    pub(super) fn counted(&self, name: &str) -> i64 {
        self.points(name).iter().sum()
    }

    pub(super) fn series(&self, name: &str) -> usize {
        self.points(name).len()
    }

    fn points(&self, name: &str) -> Vec<i64> {
        let mut all = ResourceMetrics::default();
        self.reader.collect(&mut all).expect("the provider lives");
        all.scope_metrics()
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == name)
            .flat_map(|metric| match metric.data() {
                AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                    sum.data_points().map(|point| point.value()).collect()
                }
                AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                    .data_points()
                    .map(|point| i64::try_from(point.value()).unwrap())
                    .collect(),
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                    .data_points()
                    .map(|point| i64::try_from(point.count()).unwrap())
                    .collect::<Vec<_>>(),
                other => panic!("{name} is neither: {other:?}"),
            })
            .collect()
    }
}

// === impl Count ===

impl SpanProcessor for Count {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {
        self.0.started.fetch_add(1, Ordering::SeqCst);
    }

    fn on_end(&self, _span: SpanData) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

// === impl Reader ===

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, all: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(all)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
