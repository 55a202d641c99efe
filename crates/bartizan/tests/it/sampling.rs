//! Which requests are recorded.

use axum::Router;
use axum::routing::get as on_get;
use bartizan::Sampler;
use opentelemetry::trace::TraceContextExt;

use crate::support::{Fixture, fetch, get};

#[tokio::test]
async fn an_unsampled_request_has_ids_and_metrics_but_no_span() {
    let fixture = Fixture::with_sampler(Sampler::ALWAYS_OFF).await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let mut request = get("/");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    fetch(&app, request).await;
    let seen = fixture.finish().await;
    assert!(seen.spans.is_empty());
    assert_eq!(
        seen.only_line()["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(seen.only_line()["sampled"], false);
    assert_eq!(seen.durations().len(), 1);
}

#[tokio::test]
async fn the_random_bit_goes_on_whether_or_not_the_request_is_sampled() {
    for (sampler, expected) in [(Sampler::ALWAYS_ON, 0x03), (Sampler::ALWAYS_OFF, 0x02)] {
        let fixture = Fixture::with_sampler(sampler).await;
        let flags = || async {
            opentelemetry::Context::current()
                .span()
                .span_context()
                .trace_flags()
                .to_u8()
                .to_string()
        };
        let app = Router::new()
            .route("/", on_get(flags))
            .layer(fixture.stack());
        let mut request = get("/");
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
        request
            .headers_mut()
            .insert("traceparent", parent.parse().unwrap());
        let response = fetch(&app, request).await;
        assert_eq!(response.body(), expected.to_string().as_bytes());
    }
}

#[tokio::test]
async fn the_parents_decision_is_followed() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    for flags in ["00", "01"] {
        let mut request = get("/");
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        request
            .headers_mut()
            .insert("traceparent", parent.parse().unwrap());
        fetch(&app, request).await;
    }
    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(
        span.trace_id.to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(span.parent_span_id.unwrap().to_string(), "b7ad6b7169203331");
}

#[tokio::test]
async fn an_excluded_route_has_neither_span_nor_line_but_its_metrics() {
    let fixture = Fixture::new().await;
    let options = fixture.options().with_excluded_routes(["/livez"]);
    let app = Router::new()
        .route("/livez", on_get(|| async { "ok" }))
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    fetch(&app, get("/livez")).await;
    fetch(&app, get("/")).await;
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /");
    assert_eq!(seen.only_line()["route"], "/");
    assert_eq!(seen.durations().len(), 2);
    seen.assert_idle();
}

#[tokio::test]
async fn a_route_can_have_a_sampler_of_its_own() {
    let fixture = Fixture::new().await;
    let options = fixture
        .options()
        .with_route_sampler("/noisy", Sampler::ALWAYS_OFF);
    let app = Router::new()
        .route("/noisy", on_get(|| async { "ok" }))
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    fetch(&app, get("/noisy")).await;
    fetch(&app, get("/")).await;
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /");
    assert_eq!(seen.lines.len(), 2, "the line is not sampled away");
}
