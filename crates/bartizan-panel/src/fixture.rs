//! Export requests for the tests of this crate.

use opentelemetry::trace::TraceId;
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, KeyValue, any_value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status},
};

/// 2026-11-24 04:21:47 UTC.
pub(crate) const START: u64 = 1_795_494_107_000_000_000;
pub(crate) const MS: u64 = 1_000_000;

pub(crate) fn trace_id(number: u128) -> TraceId {
    TraceId::from_bytes(number.to_be_bytes())
}

pub(crate) fn text(value: &str) -> AnyValue {
    AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    }
}

pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    }
}

/// A span of trace `trace`; `parent` 0 makes a root. Times in milliseconds after [`START`].
pub(crate) fn span(trace: u128, id: u64, parent: u64, name: &str, (from, to): (u64, u64)) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 {
            Vec::new()
        } else {
            parent.to_be_bytes().to_vec()
        },
        name: name.to_owned(),
        start_time_unix_nano: START + from * MS,
        end_time_unix_nano: START + to * MS,
        ..Span::default()
    }
}

pub(crate) fn failed(message: &str) -> Option<Status> {
    Some(Status {
        message: message.to_owned(),
        code: 2,
    })
}

/// A log record; trace or span 0 leave the id out.
pub(crate) fn log(trace: u128, span: u64, at: u64, body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: START + at * MS,
        severity_number: 9,
        body: Some(text(body)),
        trace_id: if trace == 0 {
            Vec::new()
        } else {
            trace.to_be_bytes().to_vec()
        },
        span_id: if span == 0 {
            Vec::new()
        } else {
            span.to_be_bytes().to_vec()
        },
        ..LogRecord::default()
    }
}

fn resource(service: &str) -> Option<Resource> {
    Some(Resource {
        attributes: vec![attribute("service.name", service)],
        ..Resource::default()
    })
}

pub(crate) fn traces(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: resource(service),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn logs(service: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource(service),
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

/// One gauge with a point per `(label, value)`.
pub(crate) fn gauge(name: &str, points: &[(&str, i64)]) -> ExportMetricsServiceRequest {
    let points = points.iter().map(|(label, value)| NumberDataPoint {
        attributes: vec![attribute("label", label)],
        value: Some(number_data_point::Value::AsInt(*value)),
        ..NumberDataPoint::default()
    });
    let data = metric::Data::Gauge(Gauge {
        data_points: points.collect(),
    });
    let metrics = vec![Metric {
        name: name.to_owned(),
        data: Some(data),
        ..Metric::default()
    }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource("gauger"),
            scope_metrics: vec![ScopeMetrics {
                metrics,
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}
