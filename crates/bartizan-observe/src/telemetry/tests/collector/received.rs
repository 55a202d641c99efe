use std::collections::HashSet;

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What came in.
#[derive(Debug, Default, Clone)]
pub(in crate::telemetry::tests) struct Received {
    pub(in crate::telemetry::tests) spans: Vec<Span>,
    /// The name of each span's instrumentation scope.
    pub(in crate::telemetry::tests) scopes: Vec<String>,
    pub(in crate::telemetry::tests) logs: Vec<LogRecord>,
    pub(in crate::telemetry::tests) metrics: Vec<Metric>,
    pub(in crate::telemetry::tests) requests: Vec<(String, HeaderMap)>,
}

impl Received {
    /// The distinct ids among the spans.
    pub(in crate::telemetry::tests) fn span_ids(&self) -> HashSet<Vec<u8>> {
        self.spans.iter().map(|span| span.span_id.clone()).collect()
    }

    /// The distinct texts among the log records.
    pub(in crate::telemetry::tests) fn log_texts(&self) -> HashSet<String> {
        let text = |record: &LogRecord| match record.body.clone()?.value? {
            any_value::Value::StringValue(text) => Some(text),
            _ => None,
        };
        self.logs.iter().filter_map(text).collect()
    }

    /// Adds what came in elsewhere.
    pub(in crate::telemetry::tests) fn add(&mut self, other: Self) {
        self.spans.extend(other.spans);
        self.scopes.extend(other.scopes);
        self.logs.extend(other.logs);
        self.metrics.extend(other.metrics);
        self.requests.extend(other.requests);
    }

    pub(super) fn note(&mut self, head: &Parts) {
        let path = head.uri.path().to_owned();
        self.requests.push((path, head.headers.clone()));
    }

    /// Takes a message in, but for the last so many of its items.
    pub(super) fn take(&mut self, path: &str, message: Bytes, rejected: usize) {
        if path.contains("trace") {
            self.take_spans(
                ExportTraceServiceRequest::decode(message).unwrap(),
                rejected,
            );
        } else if path.contains("logs") {
            self.take_logs(ExportLogsServiceRequest::decode(message).unwrap(), rejected);
        } else {
            let request = ExportMetricsServiceRequest::decode(message).unwrap();
            let scopes = request
                .resource_metrics
                .into_iter()
                .flat_map(|it| it.scope_metrics);
            self.metrics.extend(scopes.flat_map(|it| it.metrics));
        }
    }

    fn take_spans(&mut self, request: ExportTraceServiceRequest, rejected: usize) {
        let before = self.spans.len();
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans);
        for it in scopes {
            let name = it.scope.map(|scope| scope.name).unwrap_or_default();
            self.scopes.extend(it.spans.iter().map(|_| name.clone()));
            self.spans.extend(it.spans);
        }
        let kept = self.spans.len().saturating_sub(rejected).max(before);
        self.spans.truncate(kept);
        self.scopes.truncate(kept);
    }

    fn take_logs(&mut self, request: ExportLogsServiceRequest, rejected: usize) {
        let before = self.logs.len();
        let scopes = request
            .resource_logs
            .into_iter()
            .flat_map(|it| it.scope_logs);
        self.logs.extend(scopes.flat_map(|it| it.log_records));
        let kept = self.logs.len().saturating_sub(rejected).max(before);
        self.logs.truncate(kept);
    }
}
