//! Sizes, series and levels.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{any, get as on_get};
use bartizan::PeerAddr;
use bartizan_testkit::PointValue;
use futures_util::stream;
use http::{Request, StatusCode};
use tokio_test::task::spawn as poll_by_hand;
use tower::ServiceExt;

use crate::support::{Fixture, ManualClock, Seen, fetch, get, send};

/// How many measurements a histogram took, and their sum.
fn total(seen: &Seen, name: &str) -> (u64, f64) {
    seen.points(name)
        .iter()
        .map(|point| match &point.value {
            PointValue::Histogram(histogram) => (histogram.count, histogram.sum.unwrap()),
            other => panic!("{name} is no histogram: {other:?}"),
        })
        .fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1))
}

async fn hang() {
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_is_known_is_measured_and_nothing_else() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let app = Router::new()
        .route(
            "/echo",
            any(move |body: String| {
                clock.advance(4);
                async move { body }
            }),
        )
        .route("/hang", on_get(hang))
        .layer(fixture.stack());
    let request = Request::post("/echo").body(Body::from("hello")).unwrap();
    fetch(&app, request).await;
    // Of unannounced length.
    let chunks = stream::iter([Ok::<_, Infallible>("hel"), Ok("lo!")]);
    let request = Request::post("/echo").body(Body::from_stream(chunks));
    fetch(&app, request.unwrap()).await;
    // Without an answer there is none to measure.
    let mut call = poll_by_hand(app.clone().oneshot(get("/hang")));
    assert!(call.poll().is_pending());
    drop(call);

    let seen = fixture.finish().await;
    assert_eq!(total(&seen, "http.server.request.body.size"), (2, 5.0));
    assert_eq!(total(&seen, "http.server.response.body.size"), (2, 11.0));
    let to_headers = total(&seen, "bartizan.http.server.response.headers.duration");
    assert_eq!(to_headers.0, 2);
    assert!((to_headers.1 - 0.008).abs() < 1e-9, "{to_headers:?}");
    assert_eq!(total(&seen, "http.server.request.duration").0, 3);
}

#[tokio::test]
async fn what_does_not_fit_goes_to_one_marked_series() {
    let fixture = Fixture::new().await;
    let options = fixture.options().with_max_series(2);
    let app = Router::new()
        .route("/a", on_get(|| async {}))
        .route("/b", on_get(|| async {}))
        .route("/c", on_get(|| async {}))
        .route("/d", on_get(|| async {}))
        .layer(fixture.stack_with(options));
    for path in ["/a", "/b", "/c", "/d", "/a"] {
        fetch(&app, get(path)).await;
    }
    let seen = fixture.finish().await;
    let durations = seen.durations();
    assert_eq!(durations.len(), 3, "{durations:#?}");
    let marked: Vec<_> = durations
        .iter()
        .filter(|point| point.attributes.contains_key("otel.metric.overflow"))
        .collect();
    let [overflow] = marked[..] else {
        panic!("one overflow: {durations:#?}")
    };
    assert!(!overflow.attributes.contains_key("http.route"));
    let PointValue::Histogram(overflow) = &overflow.value else {
        panic!("a histogram")
    };
    assert_eq!(overflow.count, 2);
    seen.assert_idle();
}

/// The level and the mark of a request that takes so long under a threshold of 10 ms.
async fn level_after(millis: u64) -> (String, bool) {
    async fn work(clock: ManualClock, millis: u64) -> Response {
        clock.advance(millis);
        Response::new(Body::empty())
    }
    let fixture = Fixture::new().await;
    let (clock, options) = (fixture.clock.clone(), fixture.options());
    let options = options.with_slow_threshold(Duration::from_millis(10));
    let app = Router::new()
        .route("/", on_get(move || work(clock, millis)))
        .layer(fixture.stack_with(options));
    fetch(&app, get("/")).await;
    let seen = fixture.finish().await;
    let line = seen.only_line();
    (
        line["level"].as_str().unwrap().to_owned(),
        line["slow"] == true,
    )
}

#[tokio::test]
async fn a_slow_request_is_a_warning_from_the_threshold_on() {
    assert_eq!(level_after(9).await, ("INFO".to_owned(), false));
    assert_eq!(level_after(10).await, ("WARN".to_owned(), true));
}

#[tokio::test]
async fn a_long_stream_is_not_slow() {
    let fixture = Fixture::new().await;
    let clock = fixture.clock.clone();
    let events = || async {
        let events = stream::iter([Ok::<_, Infallible>("data: 1\n\n")]);
        (
            [("content-type", "text/event-stream")],
            Body::from_stream(events),
        )
    };
    let app = Router::new()
        .route("/events", on_get(events))
        .layer(fixture.stack());
    let body = send(&app, get("/events")).await.into_body();
    clock.advance(3_600_000);
    http_body_util::BodyExt::collect(body).await.unwrap();
    let seen = fixture.finish().await;
    assert_eq!(seen.lines.len(), 2);
    for line in &seen.lines {
        assert_eq!(line["level"], "INFO", "{line}");
        assert!(line["slow"].is_null(), "{line}");
    }
}

#[tokio::test]
async fn a_line_has_the_method_as_sent_and_the_peer() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", any(|| async { StatusCode::NO_CONTENT }))
        .layer(fixture.stack());
    let mut request = get("/");
    *request.method_mut() = http::Method::from_bytes(b"BREW").unwrap();
    request
        .extensions_mut()
        .insert(PeerAddr("192.0.2.1:4711".parse().unwrap()));
    fetch(&app, request).await;
    let seen = fixture.finish().await;
    assert_eq!(seen.only_line()["method"], "BREW");
    assert_eq!(seen.only_line()["peer"], "192.0.2.1:4711");
    assert_eq!(seen.only_line()["sampled"], true);
}
