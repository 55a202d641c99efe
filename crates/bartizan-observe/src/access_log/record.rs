use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bartizan_task::{RequestId, TaskId};
use http::StatusCode;
use http::uri::PathAndQuery;
use opentelemetry::trace::{SpanId, TraceId};

use crate::Outcome;

/// What one access-log line says.
///
/// Built on the request path and formatted on the writer's thread, so its parts are cheap to move
/// and none is formatted yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AccessRecord {
    /// Whether the line is about a request or about a stream that outlived its request.
    pub kind: LineKind,
    /// When the request ended (or the stream, for a stream's line).
    pub timestamp: SystemTime,
    /// How loud the line is.
    pub level: Level,
    /// The method as it was sent.
    pub method: Cow<'static, str>,
    /// The matched route template, if there is one.
    pub route: Option<Cow<'static, str>>,
    /// The path as it was sent. The query is never written.
    pub path: Option<PathAndQuery>,
    /// The response's status; `None` when there was no response.
    pub status: Option<StatusCode>,
    /// From arrival to the response's headers.
    pub to_headers: Option<Duration>,
    /// From arrival to the end; for a stream's line, from its headers to its end.
    pub duration: Duration,
    /// The request body's length, where it was known at the start.
    pub request_bytes: Option<u64>,
    /// Bytes of the response body that were handed on.
    pub response_bytes: u64,
    /// The trace the request belongs to; invalid when there is none.
    pub trace_id: TraceId,
    /// The server span; invalid when there is none.
    pub span_id: SpanId,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// The request's id.
    pub request_id: Option<RequestId>,
    /// The request's root task.
    pub task_id: TaskId,
    /// The socket's other end, where it is known.
    pub peer: Option<SocketAddr>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the request took longer than the slow-request threshold.
    pub slow: bool,
    /// Baggage entries that the configuration lets onto log lines.
    pub baggage: Vec<(opentelemetry::Key, opentelemetry::StringValue)>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineKind {
    /// A request: exactly one line each.
    Request,
    /// An event stream or an upgraded connection, when it ends.
    Stream,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// All went well.
    Info,
    /// A client's fault, a client that went away, or a slow request.
    Warn,
    /// Our fault.
    Error,
}

// === impl AccessRecord ===

impl AccessRecord {
    /// A request's line with the fields that every line has; the rest is absent until it is set.
    #[must_use]
    pub fn new(
        timestamp: SystemTime,
        duration: Duration,
        method: impl Into<Cow<'static, str>>,
        task_id: TaskId,
        outcome: Outcome,
    ) -> Self {
        Self {
            kind: LineKind::Request,
            timestamp,
            level: Level::Info,
            method: method.into(),
            route: None,
            path: None,
            status: None,
            to_headers: None,
            duration,
            request_bytes: None,
            response_bytes: 0,
            trace_id: TraceId::INVALID,
            span_id: SpanId::INVALID,
            sampled: false,
            request_id: None,
            task_id,
            peer: None,
            outcome,
            slow: false,
            baggage: Vec::new(),
        }
    }
}

// === impl LineKind ===

impl LineKind {
    /// What the line's `message` field says.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Stream => "stream closed",
        }
    }
}

// === impl Level ===

impl Level {
    /// The name used in log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}
