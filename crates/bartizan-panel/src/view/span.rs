//! Spans.

use std::{sync::Arc, time::Duration};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{self, span, status},
};
use serde::Serialize;

use super::{
    Attributes, ResourceView, ScopeView, Unpacked, as_optional_string, as_string, span_id,
    trace_id, value::attributes,
};

/// A finished span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpanView {
    /// Who reported it.
    pub resource: Arc<ResourceView>,
    /// The library that made it.
    pub scope: Arc<ScopeView>,
    /// The trace.
    #[serde(serialize_with = "as_string")]
    pub trace_id: TraceId,
    /// The span.
    #[serde(serialize_with = "as_string")]
    pub span_id: SpanId,
    /// The parent; `None` for a root.
    #[serde(serialize_with = "as_optional_string")]
    pub parent_span_id: Option<SpanId>,
    /// The W3C `tracestate`, as sent.
    pub trace_state: String,
    /// The lower 8 bits are the W3C trace flags; bits 8 and 9 say if the parent was remote.
    pub flags: u32,
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: SpanKind,
    /// Start, in nanoseconds since the Unix epoch.
    #[serde(serialize_with = "as_string")]
    pub start_unix_nanos: u64,
    /// End, in nanoseconds since the Unix epoch; 0 if it has not ended.
    #[serde(serialize_with = "as_string")]
    pub end_unix_nanos: u64,
    /// The attributes.
    pub attributes: Attributes,
    /// Attribute keys that were sent more than once, which the specification forbids.
    pub repeated_keys: Vec<String>,
    /// Events, in the order they were sent.
    pub events: Vec<EventView>,
    /// Links.
    pub links: Vec<LinkView>,
    /// Attributes, events and links the sender says it had no room for.
    pub dropped: u64,
    /// The status code.
    pub status: StatusCode,
    /// The status description; empty if there is none.
    pub status_message: String,
}

/// Something that happened at a moment of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EventView {
    /// When, in nanoseconds since the Unix epoch.
    #[serde(serialize_with = "as_string")]
    pub unix_nanos: u64,
    /// The name.
    pub name: String,
    /// The attributes.
    pub attributes: Attributes,
}

/// A span that this one is related to without being its child.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LinkView {
    /// The linked trace.
    #[serde(serialize_with = "as_string")]
    pub trace_id: TraceId,
    /// The linked span.
    #[serde(serialize_with = "as_string")]
    pub span_id: SpanId,
    /// The W3C `tracestate`, as sent.
    pub trace_state: String,
    /// The attributes.
    pub attributes: Attributes,
    /// As [`SpanView::flags`].
    pub flags: u32,
}

/// The role of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SpanKind {
    /// Not said, or a number that is not in the specification.
    Unspecified,
    /// Within an application.
    Internal,
    /// The serving side of a call.
    Server,
    /// The calling side of a call.
    Client,
    /// The sending side of a message.
    Producer,
    /// The receiving side of a message.
    Consumer,
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StatusCode {
    /// The default.
    Unset,
    /// An operator or developer vouches for it.
    Ok,
    /// It failed.
    Error,
}

// === impl SpanView ===

impl SpanView {
    /// The name of the service that reported it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// Its length; zero if it has not ended, or ended before it began.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_unix_nanos.saturating_sub(self.start_unix_nanos))
    }

    /// `None` if the specification calls one of its ids invalid.
    fn new(resource: &Arc<ResourceView>, scope: &Arc<ScopeView>, span: v1::Span) -> Option<Self> {
        let parent_span_id = match span.parent_span_id.as_slice() {
            [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
            bytes => Some(span_id(bytes)?),
        };
        let (trace_id, span_id) = (trace_id(&span.trace_id)?, span_id(&span.span_id)?);
        let kind = SpanKind::new(span.kind());
        let status = span.status.unwrap_or_default();
        let (attributes, repeated_keys) = attributes(span.attributes);
        Some(Self {
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
            trace_id,
            span_id,
            parent_span_id,
            trace_state: span.trace_state,
            flags: span.flags,
            name: span.name,
            kind,
            start_unix_nanos: span.start_time_unix_nano,
            end_unix_nanos: span.end_time_unix_nano,
            attributes,
            repeated_keys,
            events: span.events.into_iter().map(EventView::new).collect(),
            links: span.links.into_iter().filter_map(LinkView::new).collect(),
            dropped: u64::from(span.dropped_attributes_count)
                + u64::from(span.dropped_events_count)
                + u64::from(span.dropped_links_count),
            status: StatusCode::new(status.code()),
            status_message: status.message,
        })
    }
}

// === impl EventView ===

impl EventView {
    fn new(event: span::Event) -> Self {
        Self {
            unix_nanos: event.time_unix_nano,
            name: event.name,
            attributes: attributes(event.attributes).0,
        }
    }
}

// === impl LinkView ===

impl LinkView {
    fn new(link: span::Link) -> Option<Self> {
        Some(Self {
            trace_id: trace_id(&link.trace_id)?,
            span_id: span_id(&link.span_id)?,
            trace_state: link.trace_state,
            attributes: attributes(link.attributes).0,
            flags: link.flags,
        })
    }
}

// === impl SpanKind ===

impl SpanKind {
    const fn new(kind: span::SpanKind) -> Self {
        match kind {
            span::SpanKind::Unspecified => Self::Unspecified,
            span::SpanKind::Internal => Self::Internal,
            span::SpanKind::Server => Self::Server,
            span::SpanKind::Client => Self::Client,
            span::SpanKind::Producer => Self::Producer,
            span::SpanKind::Consumer => Self::Consumer,
        }
    }
}

// === impl StatusCode ===

impl StatusCode {
    const fn new(code: status::StatusCode) -> Self {
        match code {
            status::StatusCode::Unset => Self::Unset,
            status::StatusCode::Ok => Self::Ok,
            status::StatusCode::Error => Self::Error,
        }
    }
}

/// The spans of an export request.
#[must_use]
pub fn spans(request: ExportTraceServiceRequest) -> Unpacked<SpanView> {
    Unpacked::collect(request.resource_spans.into_iter().flat_map(|group| {
        let resource = ResourceView::new(group.resource);
        group.scope_spans.into_iter().flat_map(move |group| {
            let resource = Arc::clone(&resource);
            let scope = ScopeView::new(group.scope, group.schema_url);
            group
                .spans
                .into_iter()
                .map(move |span| SpanView::new(&resource, &scope, span))
        })
    }))
}
