//! What OTLP's three signals have in common.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::{
    logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse, logs_service_server},
    metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse, metrics_service_server,
    },
    trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse, trace_service_server},
};
use prost::Message;

use super::{
    Sink,
    size::{self, Shape, TooMuch},
};

/// The export request of a signal.
pub(super) trait Signal: Message + Default + 'static {
    /// What it is answered with.
    type Answer: Message + Default + 'static;

    /// The gRPC service that takes it.
    const SERVICE: &'static str;
    /// What of it is counted before it is unpacked.
    const SHAPE: &'static Shape;

    fn deliver(self, sink: &dyn Sink);
}

/// Why a request is not taken. It would not be another time either.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    #[error("not OTLP: {0}")]
    Malformed(#[from] prost::DecodeError),
}

/// Unpacks a request, if that is no more than should be; the sink learns of it if it is.
pub(super) fn unpack<T: Signal>(bytes: Bytes, sink: &dyn Sink) -> Result<T, Unusable> {
    size::check(&bytes, T::SHAPE).inspect_err(|_| sink.on_refused())?;
    Ok(T::decode(bytes)?)
}

// === impl Signal ===

impl Signal for ExportTraceServiceRequest {
    type Answer = ExportTraceServiceResponse;

    const SERVICE: &'static str = trace_service_server::SERVICE_NAME;
    const SHAPE: &'static Shape = &size::TRACES;

    fn deliver(self, sink: &dyn Sink) {
        sink.on_traces(self);
    }
}

impl Signal for ExportMetricsServiceRequest {
    type Answer = ExportMetricsServiceResponse;

    const SERVICE: &'static str = metrics_service_server::SERVICE_NAME;
    const SHAPE: &'static Shape = &size::METRICS;

    fn deliver(self, sink: &dyn Sink) {
        sink.on_metrics(self);
    }
}

impl Signal for ExportLogsServiceRequest {
    type Answer = ExportLogsServiceResponse;

    const SERVICE: &'static str = logs_service_server::SERVICE_NAME;
    const SHAPE: &'static Shape = &size::LOGS;

    fn deliver(self, sink: &dyn Sink) {
        sink.on_logs(self);
    }
}
