//! The store, read-only, for a browser.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | a page of recent traces, each with its drawing; no script, nothing from elsewhere |
//! | `GET /api/traces?limit=N` | `[{trace_id, name, services, spans, logs, start_unix_nanos, duration_nanos, complete, error}]`, newest first |
//! | `GET /api/traces/{id}` | `{id, complete, spans, logs}`, the records as in [`view`](crate::view) |
//! | `GET /api/stats` | [`Stats`](crate::Stats) |
//!
//! Errors are `{"error": "..."}`. Nothing is authenticated.

mod page;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use opentelemetry::trace::TraceId;
use serde::{Deserialize, Serialize};

use crate::store::{Store, Trace};

/// How many traces are listed when nobody says: a screenful or two.
pub const DEFAULT_LIMIT: usize = 50;

/// The most traces listed in one answer.
pub const MAX_LIMIT: usize = 500;

/// The page needs its own style and nothing else, so that a name that slipped through escaping
/// still could not load or run anything.
const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

/// A router that shows a store.
pub fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/api/traces", get(list))
        .route("/api/traces/{id}", get(one))
        .route("/api/stats", get(stats))
        .with_state(store)
}

#[derive(Deserialize)]
struct ListQuery {
    limit: Option<usize>,
}

/// A trace in the list.
#[derive(Serialize)]
struct Summary<'a> {
    trace_id: String,
    name: &'a str,
    services: Vec<&'a str>,
    spans: usize,
    logs: usize,
    start_unix_nanos: String,
    duration_nanos: String,
    complete: bool,
    error: bool,
}

/// A trace by itself.
#[derive(Serialize)]
struct Whole<'a> {
    complete: bool,
    #[serde(flatten)]
    trace: &'a Trace,
}

/// What the caller did wrong.
struct Problem(StatusCode, String);

// === impl Summary ===

impl<'a> Summary<'a> {
    fn new(trace: &'a Trace) -> Self {
        Self {
            trace_id: trace.id.to_string(),
            name: trace.root().map_or("", |root| &root.name),
            services: trace.services(),
            spans: trace.spans.len(),
            logs: trace.logs.len(),
            start_unix_nanos: trace.start_unix_nanos().to_string(),
            duration_nanos: trace.duration().as_nanos().to_string(),
            complete: trace.is_complete(),
            error: trace.has_error(),
        }
    }
}

// === impl Problem ===

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(serde_json::json!({ "error": self.1 }))).into_response()
    }
}

async fn index(State(store): State<Arc<Store>>) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    (
        headers,
        page::render(&store.recent(page::TRACES), &store.stats()),
    )
        .into_response()
}

async fn list(
    State(store): State<Arc<Store>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let limit = query
        .map_err(|rejection| Problem(StatusCode::BAD_REQUEST, rejection.body_text()))?
        .limit
        .unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let message = format!("limit is {limit}, expected 1 to {MAX_LIMIT}");
        return Err(Problem(StatusCode::BAD_REQUEST, message));
    }
    let traces = store.recent(limit);
    Ok(Json(traces.iter().map(Summary::new).collect::<Vec<_>>()).into_response())
}

async fn one(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let Some(id) = parse_id(&id) else {
        let message = "the trace id must be 32 lower-case hex digits, not all zero".to_owned();
        return Err(Problem(StatusCode::BAD_REQUEST, message));
    };
    let Some(trace) = store.trace(id) else {
        return Err(Problem(
            StatusCode::NOT_FOUND,
            format!("no trace {id} is kept"),
        ));
    };
    Ok(Json(Whole {
        complete: trace.is_complete(),
        trace: &trace,
    })
    .into_response())
}

async fn stats(State(store): State<Arc<Store>>) -> Response {
    Json(store.stats()).into_response()
}

/// `TraceId::from_hex` alone would also take a sign, upper case and fewer digits.
fn parse_id(text: &str) -> Option<TraceId> {
    let plain = text.len() == 32
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = plain.then(|| TraceId::from_hex(text).ok()).flatten()?;
    (id != TraceId::INVALID).then_some(id)
}

#[cfg(test)]
mod tests;
