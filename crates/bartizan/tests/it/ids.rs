//! Request ids, baggage, and the way they travel.

use axum::Router;
use axum::routing::get as on_get;

use crate::support::{Fixture, fetch, get};

#[tokio::test]
async fn a_fit_request_id_is_kept_and_returned() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/",
            on_get(|| async {
                bartizan::request_id().map_or_else(String::new, |id| id.to_string())
            }),
        )
        .layer(fixture.stack());
    let mut request = get("/");
    request
        .headers_mut()
        .insert("x-request-id", "order-7".parse().unwrap());
    let response = fetch(&app, request).await;
    assert_eq!(response.headers()["x-request-id"], "order-7");
    assert_eq!(response.body(), b"order-7");
    assert_eq!(fixture.finish().await.only_line()["request_id"], "order-7");
}

#[tokio::test]
async fn an_unfit_request_id_is_replaced() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let mut request = get("/");
    request
        .headers_mut()
        .insert("x-request-id", "x".repeat(129).parse().unwrap());
    let response = fetch(&app, request).await;
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(fixture.finish().await.only_line()["request_id"], id);
}

#[tokio::test]
async fn a_handlers_own_request_id_header_is_left_alone() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { [("x-request-id", "mine")] }))
        .layer(fixture.stack());
    assert_eq!(
        fetch(&app, get("/")).await.headers()["x-request-id"],
        "mine"
    );
}

#[tokio::test]
async fn server_timing_is_off_until_it_is_asked_for() {
    let fixture = Fixture::new().await;
    let router = || Router::new().route("/", on_get(|| async { "ok" }));
    let silent = fetch(&router().layer(fixture.stack()), get("/")).await;
    assert!(!silent.headers().contains_key("server-timing"));

    let telling = fixture.stack_with(fixture.options().with_server_timing());
    let response = fetch(&router().layer(telling), get("/")).await;
    let timing = response.headers()["server-timing"]
        .to_str()
        .unwrap()
        .to_owned();
    let seen = fixture.finish().await;
    let span = seen.spans.last().unwrap();
    assert_eq!(
        timing,
        format!("trace;desc=00-{}-{}-03", span.trace_id, span.span_id)
    );
}

#[tokio::test]
async fn allow_listed_baggage_is_copied_to_the_span_and_the_line() {
    let fixture = Fixture::new().await;
    let options = fixture.options().with_baggage_keys(["tenant"]);
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    let mut request = get("/");
    request
        .headers_mut()
        .insert("baggage", "tenant=acme,secret=s3".parse().unwrap());
    fetch(&app, request).await;
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().attributes["tenant"].as_str(), Some("acme"));
    assert_eq!(seen.only_line()["baggage"]["tenant"], "acme");
    assert!(!format!("{:?}{:?}", seen.spans, seen.lines).contains("s3"));
}
