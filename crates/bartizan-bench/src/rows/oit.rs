//! opentelemetry-instrumentation-tower, traces and metrics.

use std::sync::Arc;

use opentelemetry::global;
use opentelemetry_instrumentation_tower::http::server::Layer;
use opentelemetry_sdk::trace::Sampler;

use super::sdk::Sdk;
use super::{Expected, Row};
use crate::exchange;
use crate::sinks::Seen;

/// Its README's quick start: the default layer over the global providers, which it asks for a
/// tracer and a meter once, while it is built.
pub(super) fn traces_and_metrics() -> Row {
    let seen = Arc::new(Seen::default());
    let sdk = Sdk::new(Sampler::AlwaysOn, &seen);
    global::set_tracer_provider(sdk.tracer_provider.clone());
    global::set_meter_provider(sdk.meter_provider.clone());
    Row {
        name: "oit",
        about: "opentelemetry-instrumentation-tower, traces and metrics",
        router: exchange::app().layer(Layer::new()),
        subscriber: None,
        expected: Expected {
            span: true,
            duration: true,
            line: false,
        },
        seen,
        pipelines: Box::new(sdk),
    }
}
