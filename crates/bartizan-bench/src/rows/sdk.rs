//! The OpenTelemetry SDK as the peers' documentation sets it up, with exporters that discard.

use std::sync::Arc;

use opentelemetry::global;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::Pipelines;
use crate::BoxError;
use crate::sinks::{DiscardMetrics, DiscardSpans, Seen};

/// The SDK's batch span processor and periodic metric reader with their defaults.
#[derive(Debug)]
pub(super) struct Sdk {
    pub(super) tracer_provider: SdkTracerProvider,
    pub(super) meter_provider: SdkMeterProvider,
}

// === impl Sdk ===

impl Sdk {
    pub(super) fn new(sampler: Sampler, seen: &Arc<Seen>) -> Self {
        // Both peers read the global propagator. Baggage would cost them more, so it is left out.
        global::set_text_map_propagator(TraceContextPropagator::new());
        Self {
            tracer_provider: SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_batch_exporter(DiscardSpans(Arc::clone(seen)))
                .build(),
            meter_provider: SdkMeterProvider::builder()
                .with_reader(PeriodicReader::builder(DiscardMetrics(Arc::clone(seen))).build())
                .build(),
        }
    }
}

impl Pipelines for Sdk {
    fn drain(&self) -> Result<(), BoxError> {
        Ok(self.tracer_provider.force_flush()?)
    }

    fn collect_metrics(&self) -> Result<(), BoxError> {
        Ok(self.meter_provider.force_flush()?)
    }
}
