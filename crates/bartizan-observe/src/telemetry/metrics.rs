use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};

use super::queue::Queue;
use super::spans::{close, flush};

/// The reader that the meter provider knows and the export thread collects from.
///
/// The SDK's own periodic reader has a thread and a timer of its own, and its shutdown ignores the
/// time that it is given. A reader of our own cannot reach what produces the metrics, which is
/// private to the SDK, so this one wraps the SDK's manual reader.
#[derive(Debug, Clone)]
pub(super) struct Collector(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: ManualReader,
    queue: Arc<Queue<ResourceMetrics>>,
}

impl Collector {
    pub(super) fn new(queue: Arc<Queue<ResourceMetrics>>, temporality: Temporality) -> Self {
        let reader = ManualReader::builder()
            .with_temporality(temporality)
            .build();
        Self(Arc::new(Inner { reader, queue }))
    }

    /// Everything that was measured; `None` when that is nothing.
    pub(super) fn collect(&self) -> Option<ResourceMetrics> {
        let mut metrics = ResourceMetrics::default();
        // Fails only when the provider is gone, and then there is nothing to collect.
        self.0.reader.collect(&mut metrics).ok()?;
        let empty = metrics.scope_metrics().next().is_none();
        (!empty).then_some(metrics)
    }
}

impl MetricReader for Collector {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.reader.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.reader.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        flush(&self.0.queue)
    }

    /// Leaves the wrapped reader open: the export thread collects once more.
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        close(&self.0.queue, timeout);
        Ok(())
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.reader.temporality(kind)
    }
}
