//! The layers of `bartizan-protect`, seen by the telemetry and answering as axum needs it.

pub mod breaker;
pub mod bulkhead;
mod passing;
pub mod rate_limit;
pub mod rescue;
pub mod shared_limit;
pub mod shed;
pub mod timeout;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

/// Adds an event to the current span, if that is recorded.
pub(crate) fn on_current_span(name: &'static str, attributes: impl FnOnce() -> Vec<KeyValue>) {
    Context::map_current(|context| {
        let span = context.span();
        if span.is_recording() {
            span.add_event(name, attributes());
        }
    });
}
