//! Telemetry that tests read back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::net::TcpSocket;

use crate::Clock;
use crate::telemetry::{Sampler, Telemetry};

/// A pipeline whose spans and metrics can be read; all is sampled unless said otherwise.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) telemetry: Telemetry,
    pub(crate) spans: Spans,
    reader: Reader,
}

/// Keeps the spans that have ended; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<SpanData>>>);

/// A [`ManualReader`] that a test and a provider share.
#[derive(Debug, Clone, Default)]
struct Reader(Arc<ManualReader>);

/// One exported data point; a histogram's value is its sum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// Sorted `key=value` pairs.
    pub(crate) labels: Vec<String>,
    pub(crate) value: f64,
    /// How many measurements a histogram took; 1 for anything else.
    pub(crate) count: u64,
}

/// An address where nobody listens.
///
/// The port stays taken as long as this lives: one that was only looked up and given back may be
/// another test's server by the time it is called.
#[derive(Debug)]
pub(crate) struct Nobody(TcpSocket);

/// The paused clock of a tokio test.
pub(crate) fn tokio_clock() -> Clock {
    Clock::from_fn(|| tokio::time::Instant::now().into_std())
}

/// A span's attribute.
pub(crate) fn attribute<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes
        .iter()
        .find(|kv| kv.key.as_str() == key)
        .map(|kv| &kv.value)
}

/// A span's attribute as text.
pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    attribute(span, key).map(|value| value.as_str().into_owned())
}

// === impl Nobody ===

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("there are sockets left");
        // A listener may come to this port while it is held.
        socket
            .set_reuseaddr(true)
            .expect("a socket has this option");
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any_port).expect("there are ports left");
        Self(socket)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }
}

// === impl Recorded ===

impl Recorded {
    pub(crate) fn new() -> Self {
        Self::with_sampler(Sampler::ALWAYS_ON)
    }

    pub(crate) fn with_sampler(sampler: Sampler) -> Self {
        let (spans, reader) = (Spans::default(), Reader::default());
        let telemetry = Telemetry::builder()
            .with_sampler(sampler)
            .with_span_processor(spans.clone())
            .with_metric_reader(reader.clone())
            .build()
            .expect("nothing here can fail");
        Self {
            telemetry,
            spans,
            reader,
        }
    }

    /// The one span that has ended.
    pub(crate) fn span(&self) -> SpanData {
        let mut spans = self.spans.ended();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// The data points of a metric; none if it has no data.
    pub(crate) fn points(&self, name: &str) -> Vec<Point> {
        let mut all = ResourceMetrics::default();
        self.reader.collect(&mut all).expect("the provider lives");
        all.scope_metrics()
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == name)
            .flat_map(|metric| points(metric.data()))
            .collect()
    }
}

// === impl Spans ===

impl Spans {
    /// All that have ended, in this order.
    pub(crate) fn ended(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().clone()
    }
}

impl SpanProcessor for Spans {
    fn on_start(&self, _span: &mut Span, _cx: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
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

fn points(data: &AggregatedMetrics) -> Vec<Point> {
    match data {
        AggregatedMetrics::F64(data) => points_of(data, |value| value),
        AggregatedMetrics::U64(data) => points_of(data, as_f64),
        AggregatedMetrics::I64(data) => points_of(data, as_f64),
    }
}

fn points_of<T: Copy>(data: &MetricData<T>, value: impl Fn(T) -> f64) -> Vec<Point> {
    match data {
        MetricData::Gauge(gauge) => gauge
            .data_points()
            .map(|p| point(p.attributes(), value(p.value()), 1))
            .collect(),
        MetricData::Sum(sum) => sum
            .data_points()
            .map(|p| point(p.attributes(), value(p.value()), 1))
            .collect(),
        MetricData::Histogram(histogram) => histogram
            .data_points()
            .map(|p| point(p.attributes(), value(p.sum()), p.count()))
            .collect(),
        MetricData::ExponentialHistogram(_) => panic!("we make none"),
    }
}

fn point<'a>(labels: impl Iterator<Item = &'a KeyValue>, value: f64, count: u64) -> Point {
    let mut labels: Vec<_> = labels
        .map(|kv| format!("{}={}", kv.key, kv.value))
        .collect();
    labels.sort();
    Point {
        labels,
        value,
        count,
    }
}

/// Exact for the small numbers of a test.
fn as_f64<T: TryInto<i32>>(value: T) -> f64 {
    f64::from(
        value
            .try_into()
            .ok()
            .expect("a test's number fits into 32 bits"),
    )
}
