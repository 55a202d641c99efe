//! Exporters for OTLP: the published crate encodes, our transport sends.

use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::trace::SpanData;

use super::config::Destination;
use super::error::TelemetryError;
use super::sink::{Exporting, LogItem, Sink};
use super::transport::{Signal, Transport};

/// What an exporter's builder is given, whatever the signal. Address and time are set although our
/// transport has its own, because the builder would otherwise read them from the environment.
macro_rules! configured {
    ($builder:expr, $to:expr, $transport:expr) => {
        $builder
            .with_http()
            .with_endpoint($to.uri.to_string())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout($to.timeout)
            .with_retry_policy(RetryPolicy::disabled())
            .with_shared_http_client($transport.clone())
    };
}

pub(super) fn spans(to: &Destination) -> Result<Box<dyn Sink<SpanData>>, TelemetryError> {
    let transport = Transport::new(Signal::Traces, to)?;
    let exporter = configured!(SpanExporter::builder(), to, transport).build()?;
    Ok(Box::new(Exporting::over(transport, exporter)))
}

pub(super) fn logs(to: &Destination) -> Result<Box<dyn Sink<LogItem>>, TelemetryError> {
    let transport = Transport::new(Signal::Logs, to)?;
    let exporter = configured!(LogExporter::builder(), to, transport).build()?;
    Ok(Box::new(Exporting::over(transport, exporter)))
}

pub(super) fn metrics(
    to: &Destination,
    temporality: Temporality,
) -> Result<Box<dyn Sink<ResourceMetrics>>, TelemetryError> {
    let transport = Transport::new(Signal::Metrics, to)?;
    let exporter = configured!(MetricExporter::builder(), to, transport)
        .with_temporality(temporality)
        .build()?;
    Ok(Box::new(Exporting::over(transport, exporter)))
}
