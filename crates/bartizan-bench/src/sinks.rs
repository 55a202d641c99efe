//! Exporters and writers that throw everything away, and remember just enough to prove that
//! there was something to throw away.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing_subscriber::fmt::MakeWriter;

const REQUEST_DURATION: &str = "http.server.request.duration";

/// What has arrived at the sinks of one row.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    spans: AtomicU64,
    /// Measurements in the last export of the request duration histogram.
    durations: AtomicU64,
    lines: AtomicU64,
    /// Set during the self-check alone: outside of it nothing is kept.
    capturing: AtomicBool,
    captured: Mutex<Captured>,
}

/// What the self-check looks at.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) spans: Vec<SpanFact>,
    pub(crate) text: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct SpanFact {
    pub(crate) name: String,
    pub(crate) trace_id: u128,
    pub(crate) kind: SpanKind,
    pub(crate) attributes: usize,
}

/// Takes spans and drops them.
#[derive(Debug, Clone)]
pub(crate) struct DiscardSpans(pub(crate) Arc<Seen>);

/// Takes metrics and drops them.
#[derive(Debug, Clone)]
pub(crate) struct DiscardMetrics(pub(crate) Arc<Seen>);

/// Takes lines and drops them.
///
/// As a [`MakeWriter`] it counts calls, because `tracing-subscriber` makes one for each line on the
/// measured thread, where a search for line ends would be held against it. As a writer of its own
/// it counts line ends, because whoever owns it may write many lines at once.
#[derive(Debug, Clone)]
pub(crate) struct DiscardLines(pub(crate) Arc<Seen>);

// === impl Seen ===

impl Seen {
    pub(crate) fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    pub(crate) fn durations(&self) -> u64 {
        self.durations.load(Ordering::Relaxed)
    }

    pub(crate) fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    pub(crate) fn capture(&self, on: bool) {
        self.capturing.store(on, Ordering::Relaxed);
    }

    pub(crate) fn take_captured(&self) -> Captured {
        std::mem::take(&mut *self.captured.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn when_capturing(&self, keep: impl FnOnce(&mut Captured)) {
        if self.capturing.load(Ordering::Relaxed) {
            keep(&mut self.captured.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn write(&self, text: &[u8], lines: u64) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.when_capturing(|captured| captured.text.extend_from_slice(text));
    }
}

// === impl DiscardSpans ===

impl SpanExporter for DiscardSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0
            .spans
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.0
            .when_capturing(|captured| captured.spans.extend(batch.iter().map(SpanFact::from)));
        Ok(())
    }
}

impl From<&SpanData> for SpanFact {
    fn from(span: &SpanData) -> Self {
        Self {
            name: span.name.to_string(),
            trace_id: u128::from_be_bytes(span.span_context.trace_id().to_bytes()),
            kind: span.span_kind.clone(),
            attributes: span.attributes.len(),
        }
    }
}

// === impl DiscardMetrics ===

impl PushMetricExporter for DiscardMetrics {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let durations = metrics
            .scope_metrics()
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == REQUEST_DURATION)
            .map(|metric| match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().map(|point| point.count()).sum()
                }
                _ => 0,
            })
            .sum();
        self.0.durations.store(durations, Ordering::Relaxed);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

// === impl DiscardLines ===

impl<'a> MakeWriter<'a> for DiscardLines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &DiscardLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text, 1);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for DiscardLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let lines = text.iter().filter(|&&byte| byte == b'\n').count();
        self.0.write(text, lines as u64);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
