use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde::Serialize;

/// A failed request, told as RFC 9457 wants it.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// A reference that names the kind of problem; `about:blank` says no more than the status.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// What to look for in the traces and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl Problem {
    /// A problem that its status says all about.
    pub(crate) fn of(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(
            status,
            "about:blank",
            status.canonical_reason().unwrap_or("Unknown"),
            detail,
        )
    }

    /// A problem of a kind of its own.
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let trace_id = Context::map_current(|context| {
            let span = context.span().span_context().clone();
            span.is_valid().then(|| span.trace_id().to_string())
        });
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            trace_id,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Made from a `StatusCode`, so it is one.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}
