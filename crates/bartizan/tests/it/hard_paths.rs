//! The paths on which request layers in the field go wrong, each as a test.

use std::convert::Infallible;
use std::future::pending;
use std::task::Poll;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::{any, get as on_get};
use bartizan_testkit::{PointValue, StatusCode};
use http::Request;
use http_body_util::BodyExt;
use tokio_test::task::spawn as poll_by_hand;
use tower::ServiceExt;

use crate::support::{Fixture, ManualClock, fetch, get, send, text};

/// A body whose second chunk takes `millis` of the clock.
fn slow_stream(clock: ManualClock, millis: u64) -> Body {
    let mut chunk = 0;
    Body::from_stream(futures_util::stream::poll_fn(move |_| {
        chunk += 1;
        Poll::Ready(match chunk {
            1 => Some(Ok::<_, Infallible>(Bytes::from_static(b"one"))),
            2 => {
                clock.advance(millis);
                Some(Ok(Bytes::from_static(b"two")))
            }
            _ => None,
        })
    }))
}

/// A body that fails after its first chunk.
fn broken_stream() -> Body {
    Body::from_stream(futures_util::stream::iter([
        Ok(Bytes::from_static(b"one")),
        Err("the disk is gone"),
    ]))
}

#[tokio::test]
async fn the_span_of_a_streamed_body_lasts_to_its_end() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let app = Router::new()
        .route(
            "/stream",
            on_get(move || {
                clock.advance(6);
                async move { slow_stream(clock, 500) }
            }),
        )
        .layer(fixture.stack());
    let response = fetch(&app, get("/stream")).await;
    assert_eq!(response.body(), b"onetwo");

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.end_unix_nanos - span.start_unix_nanos, 506_000_000);
    let line = seen.only_line();
    assert_eq!(line["headers_ms"], 6.0);
    assert_eq!(line["duration_ms"], 506.0);
    assert_eq!(line["response_bytes"], 6);
    let PointValue::Histogram(duration) = &seen.durations()[0].value else {
        panic!("a histogram")
    };
    assert_eq!(duration.sum, Some(0.506));
    seen.assert_idle();
}

#[tokio::test]
async fn a_500_is_an_error_without_a_description_and_with_an_error_type() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/fail",
            on_get(|| async { http::StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/fail")).await;

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.status, StatusCode::Error);
    assert_eq!(span.status_message, "");
    assert_eq!(text(span, "error.type"), Some("500"));
    let point = seen.durations()[0];
    assert_eq!(point.attributes["error.type"].as_str(), Some("500"));
    assert_eq!(
        point.attributes["http.response.status_code"].as_int(),
        Some(500)
    );
    assert_eq!(seen.only_line()["level"], "ERROR");
}

#[tokio::test]
async fn a_404_leaves_the_status_unset_and_has_no_route() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async {}))
        .layer(fixture.stack());
    fetch(&app, get("/nowhere/42")).await;

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.status, StatusCode::Unset);
    assert_eq!(span.name, "GET");
    assert!(!span.attributes.contains_key("error.type"));
    assert!(!span.attributes.contains_key("http.route"));
    assert!(!seen.durations()[0].attributes.contains_key("http.route"));
    assert_eq!(seen.only_line()["level"], "WARN");
}

#[tokio::test]
async fn a_client_that_cancels_is_recorded_as_that() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/hang", on_get(pending::<()>))
        .layer(fixture.stack());
    let mut call = poll_by_hand(app.clone().oneshot(get("/hang")));
    assert!(call.poll().is_pending());
    fixture.clock.advance(50);
    drop(call);

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.status, StatusCode::Error);
    assert_eq!(text(span, "error.type"), Some("cancelled"));
    assert!(!span.attributes.contains_key("http.response.status_code"));
    assert_eq!(span.end_unix_nanos - span.start_unix_nanos, 50_000_000);
    assert_eq!(seen.only_line()["outcome"], "cancelled");
    assert_eq!(
        seen.durations()[0].attributes["error.type"].as_str(),
        Some("cancelled")
    );
    seen.assert_idle();
}

#[tokio::test]
async fn a_panic_is_recorded_as_a_panic() {
    let fixture = Fixture::new().await;
    async fn broken() {
        panic!("on purpose")
    }
    let app = Router::new()
        .route("/panic", on_get(broken))
        .layer(fixture.stack());
    let call = tokio::spawn(app.oneshot(get("/panic")));
    assert!(call.await.unwrap_err().is_panic());

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.status, StatusCode::Error);
    assert_eq!(text(span, "error.type"), Some("panic"));
    assert_eq!(seen.only_line()["outcome"], "panicked");
    seen.assert_idle();
}

#[tokio::test]
async fn a_panic_that_a_layer_inside_caught_is_still_recorded_as_a_panic() {
    use bartizan::observe::request::CaughtPanic;

    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/caught",
            on_get(|| async {
                let mut response = Response::new(Body::from("sorry"));
                *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
                response.extensions_mut().insert(CaughtPanic);
                response
            }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/caught")).await;

    let seen = fixture.finish().await;
    assert_eq!(text(seen.only_span(), "error.type"), Some("panic"));
    assert_eq!(seen.only_line()["outcome"], "panicked");
    assert_eq!(seen.only_line()["status"], 500);
}

#[tokio::test]
async fn a_body_dropped_after_one_frame_is_an_error_with_its_type() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let app = Router::new()
        .route(
            "/stream",
            on_get(move || async move { slow_stream(clock, 1) }),
        )
        .layer(fixture.stack());
    let mut body = send(&app, get("/stream")).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.status, StatusCode::Error);
    assert_eq!(text(span, "error.type"), Some("body_dropped"));
    assert_eq!(
        span.attributes["http.response.status_code"].as_int(),
        Some(200)
    );
    assert_eq!(seen.only_line()["outcome"], "body_dropped");
    assert_eq!(seen.only_line()["response_bytes"], 3);
    seen.assert_idle();
}

#[tokio::test]
async fn a_body_that_fails_is_an_error_with_its_type() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/broken", on_get(|| async { broken_stream() }))
        .layer(fixture.stack());
    let body = send(&app, get("/broken")).await.into_body();
    assert!(body.collect().await.is_err());

    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().status, StatusCode::Error);
    assert_eq!(text(seen.only_span(), "error.type"), Some("body_error"));
    assert_eq!(seen.only_line()["outcome"], "body_error");
    seen.assert_idle();
}

#[tokio::test]
async fn active_requests_return_to_zero_after_any_mix() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    async fn broken() {
        panic!("on purpose")
    }
    let events = || async {
        (
            [("content-type", "text/event-stream")],
            Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>()),
        )
    };
    let app = Router::new()
        .route("/ok", on_get(|| async { "ok" }))
        .route("/hang", on_get(pending::<()>))
        .route("/panic", on_get(broken))
        .route("/events", on_get(events))
        .route("/broken", on_get(|| async { broken_stream() }))
        .route(
            "/switch",
            on_get(|| async { http::StatusCode::SWITCHING_PROTOCOLS }),
        )
        .route(
            "/stream",
            on_get(move || async move { slow_stream(clock, 1) }),
        )
        .layer(fixture.stack());
    for _ in 0..3 {
        fetch(&app, get("/ok")).await;
        fetch(&app, get("/nowhere")).await;
        drop(send(&app, get("/stream")).await);
        drop(send(&app, get("/events")).await);
        let mut call = poll_by_hand(app.clone().oneshot(get("/hang")));
        assert!(call.poll().is_pending());
        drop(call);
        let broken = send(&app, get("/broken")).await.into_body();
        assert!(broken.collect().await.is_err());
        let switched = send(&app, get("/switch")).await;
        assert_eq!(switched.status(), http::StatusCode::SWITCHING_PROTOCOLS);
        assert!(
            tokio::spawn(app.clone().oneshot(get("/panic")))
                .await
                .is_err()
        );
    }
    fixture.finish().await.assert_idle();
}

#[tokio::test]
async fn unknown_methods_make_one_series_and_one_name() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/any", any(|| async {}))
        .layer(fixture.stack());
    for method in ["X0", "X1", "X2"] {
        let request = Request::builder()
            .method(method)
            .uri("/any")
            .body(Body::empty())
            .unwrap();
        fetch(&app, request).await;
    }
    let seen = fixture.finish().await;
    let durations = seen.durations();
    assert_eq!(durations.len(), 1, "{durations:#?}");
    assert_eq!(
        durations[0].attributes["http.request.method"].as_str(),
        Some("_OTHER")
    );
    for span in seen.server_spans() {
        assert_eq!(span.name, "HTTP /any");
        assert_eq!(text(span, "http.request.method"), Some("_OTHER"));
        assert!(
            text(span, "http.request.method_original")
                .unwrap()
                .starts_with('X')
        );
    }
}

#[tokio::test]
async fn unmatched_paths_make_one_series() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async {}))
        .layer(fixture.stack());
    for path in ["/a", "/b", "/c"] {
        fetch(&app, get(path)).await;
    }
    assert_eq!(fixture.finish().await.durations().len(), 1);
}

#[tokio::test]
async fn an_ordinary_request_has_its_scheme() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    fetch(&app, get("/")).await;
    let seen = fixture.finish().await;
    assert_eq!(text(seen.only_span(), "url.scheme"), Some("http"));
    assert_eq!(
        text(seen.only_span(), "network.protocol.version"),
        Some("1.1")
    );
    assert_eq!(
        seen.durations()[0].attributes["url.scheme"].as_str(),
        Some("http")
    );
}

#[tokio::test]
async fn no_header_is_recorded_by_default_and_credentials_never() {
    let fixture = Fixture::new().await;
    let asked_for = fixture
        .options()
        .with_request_headers([http::header::AUTHORIZATION, http::header::ACCEPT]);
    let secret = || {
        let mut request = get("/");
        request
            .headers_mut()
            .insert("authorization", "Bearer SECRET".parse().unwrap());
        request
            .headers_mut()
            .insert("accept", "text/plain".parse().unwrap());
        request
    };
    let router = || Router::new().route("/", on_get(|| async { "ok" }));
    fetch(&router().layer(fixture.stack()), secret()).await;
    fetch(&router().layer(fixture.stack_with(asked_for)), secret()).await;

    let seen = fixture.finish().await;
    assert!(!format!("{:?}", seen.spans).contains("SECRET"));
    assert!(!format!("{:?} {:?}", seen.lines, seen.logs).contains("SECRET"));
    let [by_default, asked] = seen.server_spans()[..] else {
        panic!("two spans")
    };
    assert!(
        !by_default
            .attributes
            .keys()
            .any(|key| key.starts_with("http.request.header"))
    );
    assert!(asked.attributes.contains_key("http.request.header.accept"));
}

#[tokio::test]
async fn the_span_ends_with_its_request_and_not_with_what_the_request_spawned() {
    let fixture = Fixture::new().await;
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let released = std::sync::Arc::new(std::sync::Mutex::new(Some(released)));
    let clock = fixture.clock.clone();
    let app = Router::new()
        .route(
            "/",
            on_get(move || {
                let released = released.lock().unwrap().take().expect("one request");
                async move {
                    bartizan::task::spawn("later", async move { released.await.is_ok() });
                    clock.advance(5);
                    "ok"
                }
            }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/")).await;
    fixture.clock.advance(60_000);

    // Exported although the child still holds the context.
    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.end_unix_nanos - span.start_unix_nanos, 5_000_000);
    assert!(release.send(()).is_ok(), "the child was still waiting");
}

#[tokio::test]
async fn an_event_stream_ends_its_request_at_the_headers_and_tells_its_length_apart() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let app = Router::new()
        .route(
            "/events",
            on_get(move || async move {
                (
                    [("content-type", "text/event-stream")],
                    slow_stream(clock, 90_000),
                )
            }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/events")).await;

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(span.end_unix_nanos, span.start_unix_nanos);
    assert_eq!(span.status, StatusCode::Unset);
    let PointValue::Histogram(duration) = &seen.durations()[0].value else {
        panic!("a histogram")
    };
    assert_eq!(duration.sum, Some(0.0));
    let stream = seen.points("bartizan.http.server.stream.duration");
    let PointValue::Histogram(lived) = &stream[0].value else {
        panic!("a histogram")
    };
    assert_eq!((lived.count, lived.sum), (1, Some(90.0)));
    let [request, stream] = &seen.lines[..] else {
        panic!("two lines: {:#?}", seen.lines)
    };
    assert_eq!(request["outcome"], "streaming");
    assert_eq!(stream["message"], "stream closed");
    assert_eq!(stream["outcome"], "completed");
    assert_eq!(stream["duration_ms"], 90_000.0);
    assert_eq!(stream["trace_id"], request["trace_id"]);
    seen.assert_idle();
}

#[tokio::test]
async fn an_answer_to_head_is_complete_although_its_body_is_never_read() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let request = Request::head("/").body(Body::empty()).unwrap();
    drop(send(&app, request).await);
    let seen = fixture.finish().await;
    assert_eq!(seen.only_line()["outcome"], "completed");
}
