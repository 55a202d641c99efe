//! Requests that come from inside of the process, and lines without a span of ours.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bartizan::observe::request::{RequestLogLayer, TraceLayer};
use bartizan::{Sampler, TrustPolicy};
use http::Request;
use opentelemetry::Context;
use opentelemetry::trace::{Span, TraceContextExt, Tracer};
use tower::util::MapRequestLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Fixture, get};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn ok(_: Request<Body>) -> Result<Response, Infallible> {
    Ok(Response::new(Body::empty()))
}

fn with_caller(mut request: Request<Body>) -> Request<Body> {
    let headers = request.headers_mut();
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    headers.insert("traceparent", parent.parse().unwrap());
    headers.insert("baggage", "tenant=acme,secret=s3".parse().unwrap());
    request
}

#[tokio::test]
async fn nothing_is_recorded_where_telemetry_is_suppressed() {
    let fixture = Fixture::new().await;
    let service = fixture.stack().layer(service_fn(ok));
    let call = {
        let _quiet = Context::current().with_telemetry_suppressed().attach();
        service.oneshot(get("/"))
    };
    // `oneshot` calls the service when it is polled first.
    let call = opentelemetry::trace::FutureExt::with_context(
        call,
        Context::current().with_telemetry_suppressed(),
    );
    call.await.unwrap();
    let seen = fixture.finish().await;
    assert!(seen.spans.is_empty(), "{:#?}", seen.spans);
    assert_eq!(seen.durations().len(), 1);
}

#[tokio::test]
async fn the_decision_of_a_caller_in_the_process_is_followed() {
    let unsampled = Fixture::with_sampler(Sampler::ALWAYS_OFF).await;
    let fixture = Fixture::new().await;
    let quiet = unsampled.telemetry.tracer().start("quiet");
    let trace_id = quiet.span_context().trace_id();
    let service = fixture.stack().layer(service_fn(ok));
    let call = opentelemetry::trace::FutureExt::with_context(
        service.oneshot(get("/")),
        Context::new().with_span(quiet),
    );
    call.await.unwrap();
    let seen = fixture.finish().await;
    assert!(seen.spans.is_empty(), "{:#?}", seen.spans);
    assert_eq!(seen.only_line()["trace_id"], trace_id.to_string());
}

#[tokio::test]
async fn a_line_without_a_span_of_ours_takes_its_ids_by_the_same_trust() {
    let fixture = Fixture::new().await;
    for (trust, believed) in [(TrustPolicy::all(), true), (TrustPolicy::none(), false)] {
        let options = fixture
            .options()
            .with_trust(trust)
            .with_baggage_keys(["tenant"]);
        let layer = RequestLogLayer::new(fixture.log.clone(), options);
        let service = layer.layer(service_fn(ok));
        service.oneshot(with_caller(get("/"))).await.unwrap();
        assert!(fixture.log.flush(crate::support::PATIENCE));
        let line = fixture.last_line();
        assert_eq!(line["trace_id"] == TRACE, believed, "{line}");
        assert_eq!(line["baggage"]["tenant"] == "acme", believed, "{line}");
        assert!(!line.to_string().contains("s3"), "{line}");
    }
}

#[tokio::test]
async fn a_line_without_a_span_of_ours_is_of_the_active_span_first() {
    let fixture = Fixture::new().await;
    let active = fixture.telemetry.tracer().start("active");
    let ids = active.span_context().clone();
    let layer = RequestLogLayer::new(fixture.log.clone(), fixture.options());
    let call = opentelemetry::trace::FutureExt::with_context(
        layer.layer(service_fn(ok)).oneshot(with_caller(get("/"))),
        Context::new().with_span(active),
    );
    call.await.unwrap();
    let seen = fixture.finish().await;
    assert_eq!(seen.only_line()["trace_id"], ids.trace_id().to_string());
    assert_eq!(seen.only_line()["span_id"], ids.span_id().to_string());
    assert_eq!(seen.only_line()["sampled"], true);
}

/// Whichever layer starts the span, the request began when it reached the outermost.
#[tokio::test]
async fn a_span_of_a_layer_inside_starts_when_the_request_arrived() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let trace = TraceLayer::new(&fixture.telemetry, fixture.options());
    let slow = MapRequestLayer::new(move |request: Request<Body>| {
        clock.advance(5);
        request
    });
    let log = RequestLogLayer::new(fixture.log.clone(), fixture.options());
    let service = log.layer(slow.layer(trace.layer(service_fn(ok))));
    service.oneshot(get("/")).await.unwrap();
    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.end_unix_nanos - span.start_unix_nanos, 5_000_000);
    assert_eq!(seen.only_line()["duration_ms"], 5.0);
    assert_eq!(seen.only_line()["span_id"], span.span_id.to_string());
}
