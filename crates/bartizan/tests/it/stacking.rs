//! Layers stacked one by one are one request.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get as on_get;
use bartizan::{CatchPanicLayer, MetricsLayer, RequestLogLayer, TraceLayer};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::FutureExt;
use opentelemetry::{Context, KeyValue};

use crate::support::{Fixture, Seen, fetch, get, text};

fn assert_one_request(seen: &Seen) {
    let (span, line) = (seen.only_span(), seen.only_line());
    assert_eq!(line["trace_id"], span.trace_id.to_string());
    assert_eq!(line["span_id"], span.span_id.to_string());
    assert_eq!(line["route"], "/orders/{id}");
    assert_eq!(span.name, "GET /orders/{id}");
    assert_eq!(line["status"], 200);
    assert_eq!(seen.durations().len(), 1);
    seen.assert_idle();
}

#[tokio::test]
async fn single_layers_agree_on_ids_and_outcome_in_any_order() {
    for order in ["tml", "tlm", "mtl", "mlt", "ltm", "lmt"] {
        let fixture = Fixture::new().await;
        let mut app = Router::new().route("/orders/{id}", on_get(|| async { "an order" }));
        for signal in order.chars() {
            app = match signal {
                't' => app.layer(TraceLayer::new(&fixture.telemetry)),
                'm' => app.layer(MetricsLayer::new(&fixture.telemetry)),
                _ => app.layer(RequestLogLayer::new(fixture.log.clone())),
            };
        }
        fetch(&app, get("/orders/7")).await;
        assert_one_request(&fixture.finish().await);
    }
}

#[tokio::test]
async fn a_layer_inside_the_stack_adds_nothing_twice() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/orders/{id}", on_get(|| async { "an order" }))
        .layer(TraceLayer::new(&fixture.telemetry))
        .layer(RequestLogLayer::new(fixture.log.clone()))
        .layer(fixture.stack());
    fetch(&app, get("/orders/7")).await;
    assert_one_request(&fixture.finish().await);
}

#[tokio::test]
async fn a_log_layer_alone_takes_its_ids_from_the_caller() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(RequestLogLayer::new(fixture.log.clone()));
    let mut request = get("/");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    fetch(&app, request).await;
    let seen = fixture.finish().await;
    assert_eq!(
        seen.only_line()["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert!(seen.spans.is_empty());
}

#[tokio::test]
async fn a_call_into_another_router_of_the_process_is_a_request_of_its_own() {
    use tower::ServiceExt;

    let fixture = Fixture::new().await;
    let inner = Router::new()
        .route("/inner", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let app = Router::new()
        .route(
            "/outer",
            on_get(move || async move { inner.oneshot(get("/inner")).await }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/outer")).await;
    let seen = fixture.finish().await;
    assert_eq!(seen.server_spans().len(), 2);
    assert_eq!(seen.lines.len(), 2);
    let outer = seen
        .spans
        .iter()
        .find(|span| span.name == "GET /outer")
        .unwrap();
    let inner = seen
        .spans
        .iter()
        .find(|span| span.name == "GET /inner")
        .unwrap();
    assert_eq!(inner.parent_span_id, Some(outer.span_id));
}

#[tokio::test]
async fn what_a_layer_in_between_attaches_is_still_there_inside() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/",
            on_get(|| async {
                Context::map_current(|cx| cx.baggage().get("tenant").map(ToString::to_string))
                    .unwrap_or_default()
            }),
        )
        .layer(RequestLogLayer::new(fixture.log.clone()))
        .layer(MetricsLayer::new(&fixture.telemetry))
        .layer(from_fn(|request: Request, next: Next| {
            let tenant = KeyValue::new("tenant", "acme");
            next.run(request)
                .with_context(Context::current_with_baggage([tenant]))
        }))
        .layer(TraceLayer::new(&fixture.telemetry));
    assert_eq!(fetch(&app, get("/")).await.body(), b"acme");
    assert_eq!(fixture.finish().await.lines.len(), 1);
}

#[tokio::test]
async fn a_caught_panic_is_answered_and_recorded_as_one() {
    async fn broken() {
        panic!("on purpose")
    }
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(broken))
        .layer(CatchPanicLayer::new())
        .layer(fixture.stack());
    let response = fetch(&app, get("/")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(problem["trace_id"], span.trace_id.to_string());
    assert!(!problem.to_string().contains("on purpose"), "{problem}");
    assert_eq!(text(span, "error.type"), Some("panic"));
    assert_eq!(seen.only_line()["outcome"], "panicked");
    assert_eq!(seen.only_line()["status"], 500);
    seen.assert_idle();
}
