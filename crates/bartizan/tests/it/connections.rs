//! Through `axum::serve`, over several connections.

use std::future::IntoFuture;

use axum::Router;
use axum::extract::Request;
use axum::routing::get as on_get;
use bartizan::{Listener, into_make_service};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Fixture, text};

#[tokio::test]
async fn http_1_and_2_over_several_connections_leave_conforming_telemetry() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/orders/{id}", on_get(|| async { "an order" }))
        .route(
            "/fail",
            on_get(|| async { http::StatusCode::SERVICE_UNAVAILABLE }),
        )
        .layer(fixture.stack());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server =
        tokio::spawn(axum::serve(Listener::new(listener), into_make_service(app)).into_future());
    for http2 in [false, true] {
        for _ in 0..3 {
            let client: Client<_, Empty<axum::body::Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(http2)
                .build_http();
            for path in ["/orders/7?sig=s3cret&page=2", "/fail", "/nowhere"] {
                let uri = format!("http://{addr}{path}").parse().unwrap();
                let response = client.get(uri).await.unwrap();
                response.into_body().collect().await.unwrap();
            }
        }
    }
    server.abort();
    drop(server.await);

    let seen = fixture.finish().await;
    assert_eq!(seen.server_spans().len(), 18);
    assert_eq!(seen.lines.len(), 18);
    for span in seen.server_spans() {
        assert_eq!(text(span, "network.peer.address"), Some("127.0.0.1"));
    }
    let versions: Vec<_> = seen
        .spans
        .iter()
        .filter_map(|span| text(span, "network.protocol.version"))
        .collect();
    assert_eq!(
        versions.iter().filter(|version| **version == "1.1").count(),
        9
    );
    assert_eq!(
        versions.iter().filter(|version| **version == "2").count(),
        9
    );
    let query = seen.spans.iter().find_map(|span| text(span, "url.query"));
    assert_eq!(query, Some("sig=REDACTED&page=2"));
    seen.assert_idle();
}

#[tokio::test]
async fn an_upgraded_connection_ends_its_request_at_the_headers_and_its_stream_at_the_close() {
    async fn echo(request: Request) -> http::Response<axum::body::Body> {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let mut byte = [0];
            io.read_exact(&mut byte).await.unwrap();
            io.write_all(&byte).await.unwrap();
        });
        http::Response::builder()
            .status(http::StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(axum::body::Body::empty())
            .unwrap()
    }

    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/echo", on_get(echo))
        .layer(fixture.stack());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server =
        tokio::spawn(axum::serve(Listener::new(listener), into_make_service(app)).into_future());

    let mut socket = TcpStream::connect(addr).await.unwrap();
    let request =
        "GET /echo HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    fixture.clock.advance(30_000);
    socket.write_all(b"x").await.unwrap();
    assert_eq!(socket.read_u8().await.unwrap(), b'x');
    // The server's side is dropped by now, which is the end of the stream.
    assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);
    server.abort();
    drop(server.await);

    let seen = fixture.finish().await;
    let span = seen.only_span();
    assert_eq!(
        span.attributes["http.response.status_code"].as_int(),
        Some(101)
    );
    assert_eq!(span.end_unix_nanos, span.start_unix_nanos);
    let [request, stream] = &seen.lines[..] else {
        panic!("two lines: {:#?}", seen.lines)
    };
    assert_eq!(request["outcome"], "upgraded");
    assert_eq!(stream["message"], "stream closed");
    assert_eq!(stream["duration_ms"], 30_000.0);
    assert_eq!(seen.points("bartizan.http.server.stream.duration").len(), 1);
    seen.assert_idle();
}
