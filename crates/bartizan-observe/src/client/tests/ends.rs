//! Each way an attempt can end.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use http::header;
use http_body_util::BodyExt;
use opentelemetry::trace::SpanKind;
use tokio::time::advance;
use tower::{Layer, ServiceExt};

use super::*;
use crate::names::metric;
use crate::test_support::attribute;

/// Polls once and tells whether that panicked; the future lives on, as in an executor.
fn panics<F: Future>(future: Pin<&mut F>) -> bool {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    std::panic::catch_unwind(AssertUnwindSafe(|| future.poll(&mut cx).is_ready())).is_err()
}

#[tokio::test(start_paused = true)]
async fn a_read_body_is_completed_and_the_span_covers_it() {
    let mut rig = Rig::new();
    let (pending, _, respond) = rig.send(get("http://shop:8080/items?a=1")).await;
    advance(Duration::from_millis(50)).await;
    respond.send_response(answer(200, [Step::Data("ab"), Step::Data("c")]));
    let mut body = pending.await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    advance(Duration::from_millis(150)).await;
    assert!(
        rig.recorded.spans.ended().is_empty(),
        "the body is not read yet"
    );
    body.frame().await.unwrap().unwrap();

    let span = rig.recorded.span();
    assert_eq!(verdict(&span), fine("completed"));
    assert_eq!(
        (span.name.as_ref(), &span.span_kind),
        ("GET", &SpanKind::Client)
    );
    assert_eq!(
        span.end_time.duration_since(span.start_time).unwrap(),
        Duration::from_millis(200)
    );
    for (key, value) in [
        (attr::HTTP_REQUEST_METHOD, "GET"),
        (attr::SERVER_ADDRESS, "shop"),
        (attr::SERVER_PORT, "8080"),
        (attr::URL_FULL, "http://shop:8080/items?a=1"),
        (attr::URL_SCHEME, "http"),
        (attr::NETWORK_PROTOCOL_VERSION, "1.1"),
        (attr::HTTP_RESPONSE_STATUS_CODE, "200"),
    ] {
        assert_eq!(text(&span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(
        span.attributes.len(),
        8,
        "nothing else: {:?}",
        span.attributes
    );
    let duration = &rig.recorded.points(metric::CLIENT_REQUEST_DURATION.name)[0];
    assert!((duration.value - 0.2).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_empty_from_the_start_ends_with_the_headers() {
    let mut rig = Rig::new();
    let response = rig.exchange(answer(204, [])).await;
    assert_eq!(verdict(&rig.recorded.span()), fine("completed"));
    drop(response);
    assert_eq!(verdict(&rig.recorded.span()), fine("completed"));
}

#[tokio::test(start_paused = true)]
async fn every_status_from_400_on_is_an_error_without_a_description() {
    for status in [400, 404, 499, 500, 503] {
        let mut rig = Rig::new();
        let span = rig
            .complete(get("http://shop/"), answer(status, [Step::Data("no")]))
            .await;
        assert_eq!(verdict(&span), failed(&status.to_string(), "completed"));
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_below_400_leave_the_span_unset() {
    for status in [200, 204, 301, 304, 399] {
        let mut rig = Rig::new();
        let span = rig
            .complete(get("http://shop/"), answer(status, [Step::Data("x")]))
            .await;
        assert_eq!(verdict(&span), fine("completed"), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_an_error_with_a_name() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let late = tower::timeout::error::Elapsed::new();
    let errors: [(tower::BoxError, _); 3] = [
        (refused.into(), "connect"),
        (late.into(), "timeout"),
        ("?".into(), "_OTHER"),
    ];
    for (error, name) in errors {
        let said = error.to_string();
        let mut rig = Rig::new();
        let (pending, _, respond) = rig.send(get("http://shop/")).await;
        respond.send_error(error);
        assert_eq!(
            pending.await.unwrap_err().to_string(),
            said,
            "the error is passed on"
        );
        let span = rig.recorded.span();
        assert_eq!(verdict(&span), failed(name, "error"));
        assert_eq!(attribute(&span, attr::HTTP_RESPONSE_STATUS_CODE), None);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_unknown_types_are_named_by_the_user() {
    let mut rig = Rig::with(|layer| {
        layer.with_error_type(|error| error.is::<tower::BoxError>().then_some("ours"))
    });
    let (pending, _, respond) = rig.send(get("http://shop/")).await;
    respond.send_error(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert!(pending.await.is_err());
    assert_eq!(verdict(&rig.recorded.span()), failed("ours", "error"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_cancelled_and_no_error() {
    let mut rig = Rig::new();
    let (pending, _, _respond) = rig.send(get("http://shop/")).await;
    advance(Duration::from_millis(50)).await;
    drop(pending);
    let span = rig.recorded.span();
    assert_eq!(verdict(&span), fine("cancelled"));
    assert_eq!(
        span.end_time.duration_since(span.start_time).unwrap(),
        Duration::from_millis(50)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_body_is_an_error_that_keeps_its_status_code() {
    let mut rig = Rig::new();
    let response = rig
        .exchange(answer(201, [Step::Data("a"), Step::Fail]))
        .await;
    assert!(read(response).await.is_err());
    let span = rig.recorded.span();
    assert_eq!(verdict(&span), failed("connection_closed", "body_error"));
    assert_eq!(
        text(&span, attr::HTTP_RESPONSE_STATUS_CODE).as_deref(),
        Some("201")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_body_is_not_completed_and_no_error() {
    let mut rig = Rig::new();
    let mut body = rig
        .exchange(answer(200, [Step::Data("a"), Step::Hang]))
        .await
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(verdict(&rig.recorded.span()), fine("body_dropped"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_body_of_a_503_is_still_a_503() {
    let mut rig = Rig::new();
    drop(rig.exchange(answer(503, [Step::Data("later")])).await);
    assert_eq!(verdict(&rig.recorded.span()), failed("503", "body_dropped"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_body_is_a_panic() {
    let mut rig = Rig::new();
    let mut body = rig.exchange(answer(200, [Step::Panic])).await.into_body();
    {
        let frame = body.frame();
        tokio::pin!(frame);
        assert!(panics(frame));
    }
    drop(body);
    assert_eq!(verdict(&rig.recorded.span()), failed("panic", "panicked"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_service_is_a_panic_wherever_it_happens() {
    for in_call in [true, false] {
        let recorded = Recorded::new();
        let service = tower::service_fn(move |_: Sent| {
            assert!(!in_call, "as the test says");
            async { panic!("as the test says") as Result<Answer, io::Error> }
        });
        let client = ClientLayer::new(&recorded.telemetry).layer(service);
        {
            let sent = client.oneshot(get("http://shop/"));
            tokio::pin!(sent);
            assert!(panics(sent));
        }
        assert_eq!(verdict(&recorded.span()), failed("panic", "panicked"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_ends_at_its_headers_but_keeps_its_context() {
    for media_type in ["text/event-stream", "Text/Event-Stream; charset=utf-8"] {
        let mut rig = Rig::new();
        let mut stream = answer(200, [Step::InContext, Step::Hang]);
        stream
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        let mut body = rig.exchange(stream).await.into_body();
        assert_eq!(verdict(&rig.recorded.span()), fine("streaming"));
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(rig.recorded.spans.ended().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_switched_connection_ends_at_its_headers() {
    let mut rig = Rig::new();
    let response = rig.exchange(answer(101, [])).await;
    assert_eq!(verdict(&rig.recorded.span()), fine("upgraded"));
    drop(response);
}
