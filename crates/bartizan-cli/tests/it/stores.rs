//! Stores of traces, and others that the doctor asks, on ports of the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bartizan_panel::{Receiver, Store};
use bartizan_testkit::{OtlpSink, SpanView};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves until the test's runtime ends.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

/// Nobody listens on a port that takes privileges and was never given out.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// The embedded store with its panel: the receiver, and the addresses of OTLP/HTTP and the panel.
pub(crate) async fn panel() -> (Receiver, String, String) {
    let store = Arc::new(Store::default());
    let any = ([127, 0, 0, 1], 0).into();
    let receiver = Receiver::bind(any, any, store.clone()).await.unwrap();
    let otlp = format!("http://{}", receiver.http_addr());
    let panel = serve(bartizan_panel::router(store)).await;
    (receiver, otlp, panel)
}

/// Answers as Jaeger 2.13 does, from what a sink has.
pub(crate) async fn jaeger(sink: Arc<OtlpSink>) -> String {
    let trace = move |Path(id): Path<String>| {
        let spans = sink.spans();
        async move {
            let spans: Vec<_> = spans
                .iter()
                .filter(|span| span.trace_id.to_string() == id)
                .map(resource_spans)
                .collect();
            if spans.is_empty() {
                let error = json!({"error": {"httpCode": 404, "message": "No traces found"}});
                return (StatusCode::NOT_FOUND, Json(error));
            }
            (
                StatusCode::OK,
                Json(json!({"result": {"resourceSpans": spans}})),
            )
        }
    };
    serve(Router::new().route("/api/v3/traces/{id}", get(trace))).await
}

fn resource_spans(span: &SpanView) -> Value {
    let parent = span
        .parent_span_id
        .map(|id| id.to_string())
        .unwrap_or_default();
    json!({
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": span.resource.service}},
        ]},
        "scopeSpans": [{"scope": {}, "spans": [{
            "traceId": span.trace_id.to_string(),
            "spanId": span.span_id.to_string(),
            "parentSpanId": parent,
            "name": span.name,
        }]}],
    })
}

/// A collector that wants credentials.
pub(crate) async fn refusing() -> String {
    let refuse = || async { (StatusCode::UNAUTHORIZED, "who are you?").into_response() };
    serve(Router::new().route("/v1/{signal}", post(refuse))).await
}

/// An admin port whose service has lost so many spans, by the number of the scrape.
pub(crate) async fn admin(lost: fn(usize) -> usize) -> String {
    let scrapes = Arc::new(AtomicUsize::new(0));
    let metrics = move || {
        let lost = lost(scrapes.fetch_add(1, Ordering::SeqCst));
        async move {
            format!(
                "# TYPE target_info gauge\ntarget_info 1\n\
                 # TYPE bartizan_telemetry_pending gauge\n\
                 # TYPE bartizan_telemetry_items_total counter\n\
                 bartizan_telemetry_items_total{{bartizan_telemetry_result=\"queue_full\",\
                 bartizan_telemetry_signal=\"traces\"}} {lost}\n"
            )
        }
    };
    let unready = || async { (StatusCode::SERVICE_UNAVAILABLE, "stock is down") };
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(unready));
    serve(router).await
}
