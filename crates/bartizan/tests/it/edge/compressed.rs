//! Bodies that come compressed.

use std::io::Write;

use axum::body::Body;
use bartizan::DecompressionLayer;
use bartizan::edge::{DEFAULT_BODY_LIMIT, Edge};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response};

use super::limits::{post, streamed};
use super::{assert_recorded, problem, router, stack};
use crate::support::{Fixture, fetch};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &str, body: Body) -> Request<Body> {
    let mut request = post("/read", body);
    let value = encoding.parse().unwrap();
    request.headers_mut().insert("content-encoding", value);
    request
}

#[tokio::test]
async fn a_body_is_read_as_it_was_before_it_was_compressed() {
    let plain = [b'x'; 100];
    let app = router().layer(DecompressionLayer::new());
    for (encoding, body, expected) in [
        ("gzip", gzip(&plain), "100"),
        ("GZip", gzip(&plain), "100"),
        ("x-gzip", gzip(&plain), "100"),
        ("identity", plain.to_vec(), "100"),
    ] {
        let response = fetch(&app, encoded(encoding, Body::from(body))).await;
        let body = String::from_utf8_lossy(response.body());
        assert_eq!(
            (response.status().as_u16(), &*body),
            (200, expected),
            "{encoding}"
        );
    }
    let response = fetch(&app, post("/read", Body::from("plain"))).await;
    assert_eq!(response.body(), b"5");
    // What is not what it says it is.
    let response = fetch(&app, encoded("gzip", Body::from("plain"))).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn another_encoding_is_a_problem_that_names_the_one_there_is() {
    for encoding in ["br", "gzip, gzip", "deflate", "\u{ff}"] {
        let fixture = Fixture::new().await;
        let app = router().layer(stack(&fixture, Edge::new().with_decompression()));
        let response = fetch(&app, encoded(encoding, Body::from("x"))).await;
        assert_eq!(response.status(), 415, "{encoding}");
        assert_eq!(response.headers()["accept-encoding"], "gzip");
        let problem = problem(&response);
        assert_recorded(&fixture.finish().await, &problem, "completed");
    }
}

#[tokio::test]
async fn a_body_may_be_no_larger_decompressed_than_one_that_comes_plain() {
    let bomb = |size| gzip(&vec![0; size]);
    assert!(bomb(DEFAULT_BODY_LIMIT + 1).len() < 5_000);
    let limited = Edge::new().with_decompression().with_body_limit(100);
    for (case, edge, body, status, limit) in [
        ("within", limited.clone(), bomb(100), 200, 100),
        ("by its content", limited.clone(), bomb(101), 413, 100),
        (
            "by what is sent",
            limited,
            gzip(&(0..100).collect::<Vec<u8>>()),
            413,
            100,
        ),
        (
            "by default",
            Edge::new().with_decompression(),
            bomb(DEFAULT_BODY_LIMIT + 1),
            413,
            DEFAULT_BODY_LIMIT,
        ),
    ] {
        for (how, body) in [
            ("whole", Body::from(body.clone())),
            ("streamed", streamed(&body)),
        ] {
            let fixture = Fixture::new().await;
            let app = router().layer(stack(&fixture, edge.clone()));
            let response: Response<_> = fetch(&app, encoded("gzip", body)).await;
            let told = String::from_utf8_lossy(response.body());
            assert_eq!(response.status(), status, "{case}, {how}: {told}");
            if status == 413 {
                let problem = problem(&response);
                assert_eq!(problem["limit"], limit, "{case}, {how}");
                assert_recorded(&fixture.finish().await, &problem, "completed");
            }
        }
    }
}
