//! What the edge answers, and that each of its answers is a request like any other.

mod compressed;
mod cross_origin;
mod limits;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get as on_get, post as on_post};
use bartizan::edge::Edge;
use bartizan::{CorsLayer, RequestOptions, StackLayer};
use http::{HeaderName, Response};
use serde_json::Value;

use crate::support::{Fixture, Seen, fetch, get, text};

async fn broken() {
    panic!("on purpose")
}

fn router() -> Router {
    Router::new()
        .route("/", on_get(|| async { "hello" }))
        .route(
            "/read",
            on_post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route("/unread", on_post(|| async { "not read" }))
        .route("/broken", on_get(broken))
}

fn stack(fixture: &Fixture, edge: Edge) -> StackLayer<Edge> {
    stack_with(fixture, edge, fixture.options())
}

fn stack_with(fixture: &Fixture, edge: Edge, options: RequestOptions) -> StackLayer<Edge> {
    bartizan::stack()
        .with_telemetry(&fixture.telemetry)
        .with_access_log(fixture.log.clone())
        .with_options(options)
        .with_edge(edge)
        .build()
        .unwrap()
}

/// A problem, which is not cached.
fn problem(response: &Response<Vec<u8>>) -> Value {
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["cache-control"], "no-store");
    let problem: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(problem["status"], response.status().as_u16());
    problem
}

/// The request was recorded as the one that the problem names.
fn assert_recorded(seen: &Seen, problem: &Value, outcome: &str) {
    let (span, line) = (seen.only_span(), seen.only_line());
    assert_eq!(problem["trace_id"], span.trace_id.to_string());
    assert_eq!(problem["request_id"], line["request_id"]);
    assert_eq!(line["trace_id"], problem["trace_id"]);
    assert_eq!(line["status"], problem["status"]);
    assert_eq!(line["outcome"], outcome);
    seen.assert_idle();
}

#[tokio::test]
async fn a_panic_inside_of_everything_is_answered_recorded_and_readable_across_origins() {
    let fixture = Fixture::new().await;
    let edge = Edge::new()
        .with_cors(CorsLayer::any_origin())
        .with_catch_panic()
        .with_body_limit(10)
        .with_decompression();
    let app = router().layer(stack(&fixture, edge));
    let response = fetch(&app, get("/broken")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let problem = problem(&response);
    let seen = fixture.finish().await;
    assert_recorded(&seen, &problem, "panicked");
    assert_eq!(text(seen.only_span(), "error.type"), Some("panic"));
}

#[tokio::test]
async fn a_header_that_is_marked_is_not_recorded_even_if_it_is_asked_for() {
    let headers = ["x-key", "x-tenant"].map(HeaderName::from_static);
    let fixture = Fixture::new().await;
    let edge = Edge::new().with_sensitive_headers([headers[0].clone()]);
    let options = fixture.options().with_request_headers(headers);
    let app = router().layer(stack_with(&fixture, edge, options));
    let mut request = get("/");
    for (name, value) in [("x-key", "hunter2"), ("x-tenant", "acme")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    fetch(&app, request).await;
    let seen = fixture.finish().await;
    let recorded = format!("{:?} {}", seen.only_span(), seen.only_line());
    assert!(recorded.contains("acme"), "{recorded}");
    assert!(!recorded.contains("hunter2"), "{recorded}");
}

#[tokio::test]
async fn an_edge_that_was_asked_for_nothing_changes_nothing() {
    let fixture = Fixture::new().await;
    let app = router().layer(stack(&fixture, Edge::new()));
    let response = fetch(&app, get("/")).await;
    assert_eq!(response.body(), b"hello");
    assert!(!response.headers().contains_key("vary"));
    assert_eq!(fixture.finish().await.only_line()["outcome"], "completed");
}
