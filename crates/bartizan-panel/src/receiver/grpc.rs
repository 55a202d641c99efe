//! OTLP over gRPC.

use std::sync::Arc;

use axum::Router;
use opentelemetry_proto::tonic::collector::{
    logs::v1::{
        ExportLogsServiceRequest, ExportLogsServiceResponse,
        logs_service_server::{LogsService, LogsServiceServer},
    },
    metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
};
use tonic::{Request, Response, Status, codec::CompressionEncoding, service::Routes};

use super::Sink;

/// The three services.
pub(super) fn router(sink: Arc<dyn Sink>, max_bytes: usize) -> Router {
    let service = Arc::new(Service(sink));
    Routes::new(
        TraceServiceServer::from_arc(Arc::clone(&service))
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_bytes),
    )
    .add_service(
        MetricsServiceServer::from_arc(Arc::clone(&service))
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_bytes),
    )
    .add_service(
        LogsServiceServer::from_arc(service)
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_bytes),
    )
    .into_axum_router()
}

struct Service(Arc<dyn Sink>);

// === impl Service ===

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.on_traces(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Service {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.on_metrics(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Service {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.0.on_logs(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
