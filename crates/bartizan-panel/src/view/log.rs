//! Log records.

use std::sync::Arc;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::{collector::logs::v1::ExportLogsServiceRequest, logs::v1};
use serde::Serialize;

use super::{
    Attributes, ResourceView, ScopeView, Unpacked, Value, as_optional_string, as_string, span_id,
    trace_id, value::attributes,
};

/// A log record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogView {
    /// Who reported it.
    pub resource: Arc<ResourceView>,
    /// The library that made it.
    pub scope: Arc<ScopeView>,
    /// The trace it belongs to, if any.
    #[serde(serialize_with = "as_optional_string")]
    pub trace_id: Option<TraceId>,
    /// The span it belongs to, if any.
    #[serde(serialize_with = "as_optional_string")]
    pub span_id: Option<SpanId>,
    /// When it happened, else when it was observed, in nanoseconds since the Unix epoch.
    #[serde(serialize_with = "as_string")]
    pub unix_nanos: u64,
    /// 1 to 4 trace, 5 to 8 debug, 9 to 12 info, 13 to 16 warn, 17 to 20 error, 21 to 24 fatal; 0 unknown.
    pub severity: i32,
    /// The severity as the source calls it; may be empty.
    pub severity_text: String,
    /// The event's name; may be empty.
    pub event_name: String,
    /// The message.
    pub body: Value,
    /// The attributes.
    pub attributes: Attributes,
    /// The lower 8 bits are the W3C trace flags.
    pub flags: u32,
}

// === impl LogView ===

impl LogView {
    /// The name of the service that reported it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// The severity's name: the source's own, else the range its number is in.
    #[must_use]
    pub fn level(&self) -> &str {
        if !self.severity_text.is_empty() {
            return &self.severity_text;
        }
        match self.severity {
            1..=4 => "TRACE",
            5..=8 => "DEBUG",
            9..=12 => "INFO",
            13..=16 => "WARN",
            17..=20 => "ERROR",
            21..=24 => "FATAL",
            _ => "-",
        }
    }

    // Ids are optional here, so a bad one is an absent one.
    fn new(resource: &Arc<ResourceView>, scope: &Arc<ScopeView>, record: v1::LogRecord) -> Self {
        let unix_nanos = match record.time_unix_nano {
            0 => record.observed_time_unix_nano,
            time => time,
        };
        Self {
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
            trace_id: trace_id(&record.trace_id),
            span_id: span_id(&record.span_id),
            unix_nanos,
            severity: record.severity_number,
            severity_text: record.severity_text,
            event_name: record.event_name,
            body: Value::new(record.body),
            attributes: attributes(record.attributes).0,
            flags: record.flags,
        }
    }
}

/// The log records of an export request.
#[must_use]
pub fn logs(request: ExportLogsServiceRequest) -> Unpacked<LogView> {
    Unpacked::collect(request.resource_logs.into_iter().flat_map(|group| {
        let resource = ResourceView::new(group.resource);
        group.scope_logs.into_iter().flat_map(move |group| {
            let resource = Arc::clone(&resource);
            let scope = ScopeView::new(group.scope, group.schema_url);
            let records = group.log_records.into_iter();
            records.map(move |record| Some(LogView::new(&resource, &scope, record)))
        })
    }))
}
