//! axum-tracing-opentelemetry over the tracing-opentelemetry bridge.

use std::sync::Arc;

use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::Sampler;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry};

use super::sdk::Sdk;
use super::{Expected, Row};
use crate::exchange;
use crate::sinks::Seen;

/// The filter that the README of its `init-tracing-opentelemetry` gives.
const FILTER: &str = "info,otel::tracing=trace,otel=debug";

pub(super) fn sampled() -> Row {
    row(
        "ato_sampled",
        "axum-tracing-opentelemetry, AlwaysOn",
        Sampler::AlwaysOn,
    )
}

pub(super) fn unsampled() -> Row {
    row(
        "ato_unsampled",
        "axum-tracing-opentelemetry, AlwaysOff",
        Sampler::AlwaysOff,
    )
}

/// Its README's layer and subscriber, without the optional injection of the context into the
/// response and without the log writer that its set-up crate adds: both would cost it more.
fn row(name: &'static str, about: &'static str, sampler: Sampler) -> Row {
    let seen = Arc::new(Seen::default());
    let span = matches!(sampler, Sampler::AlwaysOn);
    let sdk = Sdk::new(sampler, &seen);
    let tracer = sdk.tracer_provider.tracer("");
    Row {
        name,
        about,
        router: exchange::app().layer(OtelAxumLayer::default()),
        subscriber: Some(Box::new(move || {
            let bridge = tracing_opentelemetry::layer().with_tracer(tracer.clone());
            Dispatch::new(
                Registry::default()
                    .with(EnvFilter::new(FILTER))
                    .with(bridge),
            )
        })),
        expected: Expected {
            span,
            ..Expected::default()
        },
        seen,
        pipelines: Box::new(sdk),
    }
}
