//! Bodies that are too large.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::post as on_post;
use bartizan::edge::Edge;
use bartizan::{BodyLimitLayer, Problem};
use bartizan_testkit::over_connections;
use futures_util::stream;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;

use super::{assert_recorded, problem, router, stack};
use crate::support::{Fixture, fetch};

pub(super) fn post(path: &str, body: Body) -> Request<Body> {
    let request = Request::post(path).header("host", "shop.example");
    request.body(body).unwrap()
}

/// Of a length that nobody knows in advance.
pub(super) fn streamed(bytes: &[u8]) -> Body {
    let chunks: Vec<_> = bytes.chunks(4).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)))
}

fn declared(length: usize) -> Request<Body> {
    let mut request = post("/read", Body::from(vec![b'x'; length]));
    request
        .headers_mut()
        .insert("content-length", length.into());
    request
}

/// Makes a request of so many bytes.
type OfSize = fn(usize) -> Request<Body>;

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem_with_the_requests_own_trace() {
    let cases: [(&str, OfSize); 3] = [
        ("declared", declared),
        ("streamed", |length| {
            post("/read", streamed(&vec![b'x'; length]))
        }),
        ("known", |length| {
            post("/read", Body::from(vec![b'x'; length]))
        }),
    ];
    for (case, request) in cases {
        for (length, expected) in [(10, 200), (11, 413)] {
            let fixture = Fixture::new().await;
            let app = router().layer(stack(&fixture, Edge::new().with_body_limit(10)));
            let response = fetch(&app, request(length)).await;
            assert_eq!(response.status(), expected, "{case} {length}");
            if expected == 200 {
                assert_eq!(response.body(), b"10");
                continue;
            }
            let problem = problem(&response);
            assert_eq!(problem["limit"], 10);
            assert_eq!(problem["detail"], "a body may have 10 bytes at most");
            assert_recorded(&fixture.finish().await, &problem, "completed");
        }
    }
}

#[tokio::test]
async fn a_limit_above_the_extractors_own_is_the_one_that_counts() {
    let body = vec![b'x'; 3 * 1024 * 1024];
    let app = router().layer(BodyLimitLayer::new(4 * 1024 * 1024));
    let response = fetch(&app, post("/read", Body::from(body.clone()))).await;
    assert_eq!(response.body(), b"3145728");
    let response = fetch(&app, post("/read", streamed(&body))).await;
    assert_eq!(response.body(), b"3145728");
}

#[tokio::test]
async fn a_handler_that_does_not_read_is_asked_all_the_same() {
    let app = router().layer(BodyLimitLayer::new(10));
    let response = fetch(&app, post("/unread", streamed(&[b'x'; 100]))).await;
    assert_eq!(response.body(), b"not read");
}

#[tokio::test]
async fn what_a_handler_says_of_the_error_is_kept_unless_it_is_a_bare_refusal() {
    async fn read(body: Body, or: impl IntoResponse) -> axum::response::Response {
        match body.collect().await {
            Ok(_) => StatusCode::OK.into_response(),
            Err(_) => or.into_response(),
        }
    }
    let own = Problem::new(StatusCode::BAD_REQUEST).with_detail("ours");
    let app = Router::new()
        .route(
            "/400",
            on_post(|body: Body| read(body, (StatusCode::BAD_REQUEST, "no"))),
        )
        .route("/own", on_post(|body: Body| read(body, own)))
        .route(
            "/503",
            on_post(|body: Body| read(body, (StatusCode::SERVICE_UNAVAILABLE, "no"))),
        )
        .route(
            "/deliberate",
            on_post(|| async { (StatusCode::PAYLOAD_TOO_LARGE, "ours") }),
        )
        .layer(BodyLimitLayer::new(10));
    for (path, status, told) in [
        ("/400", 413, "10 bytes at most"),
        ("/own", 400, "ours"),
        ("/503", 503, "no"),
        ("/deliberate", 413, "ours"),
    ] {
        let response = fetch(&app, post(path, streamed(&[b'x'; 11]))).await;
        assert_eq!(response.status(), status, "{path}");
        let body = String::from_utf8_lossy(response.body());
        assert!(body.contains(told), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_server_refuses_over_both_protocols() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let app = router().layer(BodyLimitLayer::new(10));
        let answers = over_connections(app, 3, version, |n| match n {
            0 => post("/read", Body::from(vec![b'x'; 10])),
            1 => post("/read", Body::from(vec![b'x'; 11])),
            _ => post("/read", streamed(&[b'x'; 11])),
        });
        let statuses: Vec<_> = answers
            .await
            .unwrap()
            .iter()
            .map(|it| it.status())
            .collect();
        assert_eq!(statuses, [200, 413, 413], "{version:?}");
    }
}
