//! The layers of `bartizan-protect`, seen by the telemetry and answering as axum needs it.

pub mod breaker;
pub mod bulkhead;
mod passing;
pub mod rate_limit;
pub mod rescue;
pub mod shed;
pub mod timeout;

use bartizan_observe::names;
use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

pub(crate) fn counter(meter: &Meter, metric: names::Metric) -> Counter<u64> {
    meter
        .u64_counter(metric.name)
        .with_unit(metric.unit)
        .with_description(metric.help)
        .build()
}

/// Adds an event to the current span, if that is recorded.
pub(crate) fn on_current_span(name: &'static str, attributes: impl FnOnce() -> Vec<KeyValue>) {
    Context::map_current(|context| {
        let span = context.span();
        if span.is_recording() {
            span.add_event(name, attributes());
        }
    });
}
