//! What is under way may finish, and what is idle goes at once.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use bartizan::telemetry::{OtlpConfig, OtlpProtocol};
use bartizan::{ExitPolicy, Phase, Server, Telemetry};
use bartizan_testkit::OtlpSink;
use futures_util::{StreamExt, stream};
use http::{Response, StatusCode, Version};
use http_body_util::BodyExt;
use opentelemetry::trace::{Span, Tracer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::says_close;
use super::replica::within;
use super::{Client, Gate, Replica};

const BOTH: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

#[tokio::test]
async fn requests_under_way_finish_during_the_drain() {
    for version in BOTH {
        let gate = Gate::new();
        let replica = Replica::start(gate.router()).await;
        let mut client = Client::connect(replica.addr, version).await;
        let answer = tokio::spawn(client.send("/wait"));
        gate.entered().await;
        let stopping = replica.stop(Phase::Draining).await;
        assert!(!answer.is_finished());
        assert!(Client::try_connect(stopping.addr, version).await.is_none());
        gate.open();

        let answer = within(answer).await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(says_close(&answer), version == Version::HTTP_11);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&body[..], b"done");
        client.closed().await.unwrap();
        let (report, sink) = stopping.ended().await;
        assert_eq!((report.served(), report.cut_off.total), (1, 0), "{report}");
        assert_eq!(report.connections_cut, 0, "{report}");
        assert_eq!(report.exit_code(ExitPolicy::Strict), 0, "{report}");
        assert_eq!(report.lasted(Phase::Cancelling), None);
        assert_eq!(sink.spans().len(), 1);
    }
}

#[tokio::test]
async fn idle_http_1_connections_are_closed_at_once() {
    let gate = Gate::new();
    let replica = Replica::start(gate.router()).await;
    let mut busy = Client::connect(replica.addr, Version::HTTP_11).await;
    let answer = tokio::spawn(busy.send("/wait"));
    gate.entered().await;
    let mut idle = Client::connect(replica.addr, Version::HTTP_11).await;
    assert!(!says_close(&idle.fetch("/").await));
    let mut silent = TcpStream::connect(replica.addr).await.unwrap();
    let stopping = replica.stop(Phase::Draining).await;

    // While the other one is still being served.
    idle.closed().await.unwrap();
    assert_eq!(within(silent.read(&mut [0])).await.unwrap(), 0);
    assert!(!answer.is_finished());
    gate.open();
    within(answer).await.unwrap().unwrap();
    stopping.ended().await;
}

#[tokio::test]
async fn an_http_2_client_is_sent_goaway() {
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;

    let replica = Replica::start(Router::new()).await;
    let mut socket = TcpStream::connect(replica.addr).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    socket.write_all(preface).await.unwrap();
    let settings = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
    socket.write_all(&settings).await.unwrap();
    // Its own settings: it has made out the version.
    let first = within(read_frame(&mut socket)).await;
    assert_eq!(first.map(|frame| frame.kind), Some(SETTINGS));
    let stopping = replica.stop(Phase::Draining).await;

    let mut reasons = Vec::new();
    while let Some(frame) = within(read_frame(&mut socket)).await {
        if frame.kind == GOAWAY {
            reasons.push(frame.payload[4..8].to_vec());
        } else if frame.kind == PING && frame.flags == 0 {
            let mut pong = vec![0, 0, 8, PING, 1, 0, 0, 0, 0];
            pong.extend(&frame.payload);
            socket.write_all(&pong).await.unwrap();
        }
    }
    assert!(!reasons.is_empty());
    let no_error = [0; 4];
    assert!(
        reasons.iter().all(|reason| *reason == no_error),
        "{reasons:?}"
    );
    stopping.ended().await;
}

struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

/// `None` at the end of the connection.
async fn read_frame(socket: &mut TcpStream) -> Option<Frame> {
    let mut head = [0; 9];
    socket.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    socket.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind: head[3],
        flags: head[4],
        payload,
    })
}

#[tokio::test]
async fn event_streams_end_when_the_drain_begins() {
    async fn events() -> Response<Body> {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: 1\n\n"))]);
        Response::builder()
            .header("content-type", "text/event-stream; charset=utf-8")
            .body(Body::from_stream(first.chain(stream::pending())))
            .unwrap()
    }

    for version in BOTH {
        let replica = Replica::start(Router::new().route("/events", get(events))).await;
        let mut client = Client::connect(replica.addr, version).await;
        let mut body = client.send("/events").await.unwrap().into_body();
        let event = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(event.into_data().unwrap(), "data: 1\n\n");
        let stopping = replica.stop(Phase::Draining).await;

        // An end, and not a connection that breaks.
        let end = within(body.collect()).await.unwrap();
        assert!(end.to_bytes().is_empty());
        client.closed().await.unwrap();
        let (report, _) = stopping.ended().await;
        assert_eq!((report.served(), report.cut_off.total), (1, 0), "{report}");
    }
}

#[tokio::test]
async fn what_goes_on_beside_the_requests_ends_before_the_flush() {
    let sink = OtlpSink::start().await.unwrap();
    let otlp = OtlpConfig::new(&sink.endpoint_http(), OtlpProtocol::HttpProtobuf).unwrap();
    let telemetry = Telemetry::builder().with_otlp(otlp).build().unwrap();
    let tracer = telemetry.tracer().clone();
    let last = async move {
        tokio::task::yield_now().await;
        tracer.start("beside").end();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::new(Router::new(), telemetry)
        .with_grace(Duration::ZERO)
        .with_stop(std::future::ready(()))
        .with_last(last);
    let report = within(server.serve(listener)).await.unwrap();
    assert_eq!(report.telemetry.spans.exported, 1, "{report}");
    assert_eq!(sink.spans()[0].name, "beside");
}

#[tokio::test]
async fn what_does_not_end_beside_the_requests_ends_with_its_time() {
    let telemetry = Telemetry::builder().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::new(Router::new(), telemetry)
        .with_grace(Duration::ZERO)
        .with_drain_deadline(Duration::from_millis(1))
        .with_stop(std::future::ready(()))
        .with_last(std::future::pending());
    within(server.serve(listener)).await.unwrap();
}
