//! Calls and bodies by themselves: whose they are, how long they last, what they promised.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get as on_get;
use bartizan::observe::request::{CaughtPanic, OnClose};
use bartizan_testkit::SpanKind;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::trace::TraceContextExt;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Fixture, fetch, get, send, text};

const EVENTS: [(&str, &str); 1] = [("content-type", "text/event-stream")];

/// The ids that the running code sees: the request's, and its span's.
type Ids = (Option<String>, String);

fn ids() -> Ids {
    let span = opentelemetry::Context::map_current(|cx| cx.span().span_context().span_id());
    (
        bartizan::request_id().map(|id| id.to_string()),
        span.to_string(),
    )
}

/// A body of two chunks that writes down what it sees while it is polled.
fn witness(seen: &Arc<Mutex<Vec<Ids>>>) -> Body {
    let (seen, mut left) = (Arc::clone(seen), 2);
    Body::from_stream(futures_util::stream::poll_fn(move |_| {
        seen.lock().unwrap().push(ids());
        left -= 1;
        Poll::Ready((left >= 0).then(|| Ok::<_, Infallible>(Bytes::from_static(b"chunk"))))
    }))
}

/// Promises three bytes, has as many, and never says that it is over.
struct Promised(Option<Bytes>);

impl HttpBody for Promised {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(3)
    }
}

fn ending_with(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[tokio::test]
async fn calls_and_bodies_and_event_streams_run_in_their_requests_scope() {
    let fixture = Fixture::new().await;
    for headers in [&EVENTS[..], &[]] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let witnesses = Arc::clone(&seen);
        let service = service_fn(move |_: Request<Body>| {
            // In `call`, then in the future, then in the body.
            witnesses.lock().unwrap().push(ids());
            let witnesses = Arc::clone(&witnesses);
            async move {
                witnesses.lock().unwrap().push(ids());
                let mut response = Response::new(witness(&witnesses));
                for (name, value) in headers {
                    response.headers_mut().insert(*name, value.parse().unwrap());
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut request = get("/");
        request
            .headers_mut()
            .insert("x-request-id", "order-7".parse().unwrap());
        let response = fixture.stack().layer(service).oneshot(request);
        response.await.unwrap().into_body().collect().await.unwrap();
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!(seen.len(), 5);
        for (request_id, span_id) in &seen {
            assert_eq!(request_id.as_deref(), Some("order-7"), "{seen:?}");
            assert_eq!(*span_id, seen[0].1, "{seen:?}");
            assert_ne!(*span_id, "0000000000000000");
        }
    }
}

#[tokio::test]
async fn a_panic_in_a_body_is_recorded_as_a_panic() {
    async fn broken() -> Body {
        Body::from_stream(futures_util::stream::poll_fn(
            |_| -> Poll<Option<Result<Bytes, Infallible>>> { panic!("on purpose") },
        ))
    }

    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/body", on_get(broken))
        .route("/events", on_get(|| async { (EVENTS, broken().await) }))
        .layer(fixture.stack());
    for path in ["/body", "/events"] {
        let body = send(&app, get(path)).await.into_body();
        let read = tokio::spawn(body.collect());
        assert!(read.await.unwrap_err().is_panic());
    }
    let seen = fixture.finish().await;
    let outcomes: Vec<_> = seen.lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["panicked", "streaming", "panicked"]);
    assert_eq!(text(seen.server_spans()[0], "error.type"), Some("panic"));
    seen.assert_idle();
}

#[tokio::test]
async fn a_panic_in_the_call_itself_is_recorded_as_a_panic() {
    let fixture = Fixture::new().await;
    let broken = |_: Request<Body>| -> std::future::Ready<Result<Response, Infallible>> {
        panic!("on purpose")
    };
    let mut service = fixture.stack().layer(service_fn(broken));
    assert!(catch_unwind(AssertUnwindSafe(|| service.call(get("/")))).is_err());
    let seen = fixture.finish().await;
    assert_eq!(text(seen.only_span(), "error.type"), Some("panic"));
    assert_eq!(seen.only_line()["outcome"], "panicked");
    seen.assert_idle();
}

#[tokio::test]
async fn an_error_of_the_service_is_passed_on_and_recorded() {
    let fixture = Fixture::new().await;
    let failing = |_: Request<Body>| async { Err::<Response, _>("the disk is gone") };
    let service = fixture.stack().layer(service_fn(failing));
    assert_eq!(
        service.oneshot(get("/")).await.unwrap_err(),
        "the disk is gone"
    );
    let seen = fixture.finish().await;
    assert_eq!(text(seen.only_span(), "error.type"), Some("service_error"));
    assert_eq!(seen.only_line()["outcome"], "error");
    assert_eq!(seen.only_line()["level"], "ERROR");
    seen.assert_idle();
}

#[tokio::test]
async fn a_caught_panic_without_a_body_is_still_a_panic() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/",
            on_get(|| async {
                let mut response = ending_with(StatusCode::INTERNAL_SERVER_ERROR, Body::empty());
                response.extensions_mut().insert(CaughtPanic);
                response
            }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/")).await;
    let seen = fixture.finish().await;
    assert_eq!(text(seen.only_span(), "error.type"), Some("panic"));
    assert_eq!(seen.only_line()["outcome"], "panicked");
}

#[tokio::test]
async fn an_answer_whose_body_no_server_sends_is_complete_without_it() {
    let fixture = Fixture::new().await;
    let unread = |status| move || async move { ending_with(status, Body::new(Promised(None))) };
    let app = Router::new()
        .route("/no-content", on_get(unread(StatusCode::NO_CONTENT)))
        .route("/not-modified", on_get(unread(StatusCode::NOT_MODIFIED)))
        .layer(fixture.stack());
    for path in ["/no-content", "/not-modified"] {
        drop(send(&app, get(path)).await);
    }
    let seen = fixture.finish().await;
    assert_eq!(seen.lines.len(), 2);
    for line in &seen.lines {
        assert_eq!(line["outcome"], "completed", "{line}");
    }
}

#[tokio::test]
async fn a_request_ends_when_its_body_says_so_and_not_when_that_is_dropped() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/empty", on_get(|| async {}))
        .route("/full", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let empty = send(&app, get("/empty")).await;
    let mut full = send(&app, get("/full")).await;
    full.body_mut().frame().await.unwrap().unwrap();
    fixture.clock.advance(100);
    drop((empty, full));
    let seen = fixture.finish().await;
    assert_eq!(seen.lines.len(), 2);
    for line in &seen.lines {
        assert_eq!(line["outcome"], "completed", "{line}");
        assert_eq!(line["duration_ms"], 0.0, "{line}");
    }
}

#[tokio::test]
async fn what_a_body_says_of_itself_is_passed_on() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/empty", on_get(|| async {}))
        .route("/full", on_get(|| async { "ok" }))
        .layer(fixture.stack());
    let full = send(&app, get("/full")).await.into_body();
    assert_eq!(full.size_hint().exact(), Some(2));
    assert!(!full.is_end_stream());
    let empty = send(&app, get("/empty")).await.into_body();
    assert!(empty.is_end_stream());
}

/// Servers drop a body without asking for its end once they have sent what it promised.
#[tokio::test]
async fn a_body_dropped_at_its_promised_length_is_complete_and_before_it_is_dropped() {
    let fixture = Fixture::new().await;
    let promised = || async { Body::new(Promised(Some(Bytes::from_static(b"one")))) };
    let app = Router::new()
        .route("/", on_get(promised))
        .layer(fixture.stack());
    let mut read = send(&app, get("/")).await.into_body();
    read.frame().await.unwrap().unwrap();
    drop(read);
    drop(send(&app, get("/")).await);
    let seen = fixture.finish().await;
    let ends: Vec<_> = seen
        .lines
        .iter()
        .map(|line| (line["outcome"].as_str(), line["response_bytes"].as_u64()))
        .collect();
    assert_eq!(
        ends,
        [
            (Some("completed"), Some(3)),
            (Some("body_dropped"), Some(0))
        ]
    );
}

#[tokio::test]
async fn the_bytes_of_an_event_stream_are_counted_in_its_own_line() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route(
            "/events",
            on_get(|| async { (EVENTS, witness(&Arc::default())) }),
        )
        .layer(fixture.stack());
    fetch(&app, get("/events")).await;
    let seen = fixture.finish().await;
    let [request, stream] = &seen.lines[..] else {
        panic!("two lines: {:#?}", seen.lines)
    };
    assert_eq!(request["response_bytes"], 0);
    assert_eq!(stream["response_bytes"], 10);
    assert!(seen.points("http.server.response.body.size").is_empty());
}

#[tokio::test]
async fn a_tunnel_is_an_upgrade_whose_stream_ends_with_its_connection() {
    let fixture = Fixture::new().await;
    let tunnel = |_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) };
    let on_close = OnClose::new();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri("shop.example:443")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(on_close.clone());
    let service = fixture.stack().layer(service_fn(tunnel));
    drop(service.oneshot(request).await.unwrap());
    fixture.clock.advance(30_000);
    on_close.closed();

    let seen = fixture.finish().await;
    let [request, stream] = &seen.lines[..] else {
        panic!("two lines: {:#?}", seen.lines)
    };
    assert_eq!(request["outcome"], "upgraded");
    assert_eq!(request["duration_ms"], 0.0);
    assert_eq!(stream["outcome"], "upgraded");
    assert_eq!(stream["level"], "INFO");
    assert_eq!(stream["duration_ms"], 30_000.0);
    assert_eq!(seen.only_span().kind, SpanKind::Server);
    seen.assert_idle();
}
