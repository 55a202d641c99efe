use std::{io::Write, net::Ipv4Addr, sync::Arc};

use ::http::{Request, StatusCode};
use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::logs_service_client::LogsServiceClient,
        metrics::v1::metrics_service_client::MetricsServiceClient,
        trace::v1::trace_service_client::TraceServiceClient,
    },
    logs::v1::LogRecord,
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use tonic::{Code, codec::CompressionEncoding, transport::Channel};
use tower::ServiceExt;

use super::*;
use crate::{
    Store,
    fixture::{gauge, log, logs, span, traces},
};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PROTOBUF: &str = "application/x-protobuf";

async fn start() -> (Receiver, Arc<Store>) {
    let store = Arc::new(Store::default());
    (
        Receiver::bind(ANY, ANY, store.clone()).await.unwrap(),
        store,
    )
}

async fn channel(receiver: &Receiver) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", receiver.grpc_addr())).unwrap();
    endpoint.connect().await.unwrap()
}

async fn post(
    receiver: &Receiver,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (StatusCode, String, Vec<u8>) {
    let mut request = Request::post(format!("http://{}{path}", receiver.http_addr()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let response = client
        .request(request.body(body.into()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let content_type = parts
        .headers
        .get("content-type")
        .map(|value| value.to_str().unwrap());
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (
        parts.status,
        content_type.unwrap_or_default().to_owned(),
        body,
    )
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What the two tests of all signals send: two spans, a point and a log record.
fn assert_all_signals(store: &Store) {
    let stats = store.stats();
    assert_eq!(
        (stats.spans, stats.metric_points, stats.log_records),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn all_signals_are_taken_over_grpc_plain_and_compressed() {
    let (receiver, store) = start().await;
    let channel = channel(&receiver).await;
    let mut plain = TraceServiceClient::new(channel.clone());
    plain
        .export(traces("s", vec![span(1, 1, 0, "s", (0, 1))]))
        .await
        .unwrap();
    let mut packed =
        TraceServiceClient::new(channel.clone()).send_compressed(CompressionEncoding::Gzip);
    packed
        .export(traces("s", vec![span(1, 2, 1, "s", (0, 1))]))
        .await
        .unwrap();
    let mut metrics = MetricsServiceClient::new(channel.clone());
    metrics.export(gauge("g", &[("a", 1)])).await.unwrap();
    LogsServiceClient::new(channel)
        .export(logs("s", vec![log(1, 1, 0, "l")]))
        .await
        .unwrap();
    assert_all_signals(&store);
    receiver.stop().await;
}

#[tokio::test]
async fn all_signals_are_taken_over_http_plain_and_compressed() {
    let (receiver, store) = start().await;
    let first = traces("s", vec![span(1, 1, 0, "s", (0, 1))]).encode_to_vec();
    let second = gzip(&traces("s", vec![span(1, 2, 1, "s", (0, 1))]).encode_to_vec());
    let metrics = gauge("g", &[("a", 1)]).encode_to_vec();
    let records = logs("s", vec![log(1, 1, 0, "l")]).encode_to_vec();
    let plain = [("content-type", PROTOBUF)];
    let packed = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for (path, headers, body) in [
        ("/v1/traces", &plain[..], first),
        ("/v1/traces", &packed[..], second),
        ("/v1/metrics", &plain[..], metrics),
        ("/v1/logs", &plain[..], records),
    ] {
        let answer = post(&receiver, path, headers, body).await;
        assert_eq!(
            answer,
            (StatusCode::OK, PROTOBUF.to_owned(), Vec::new()),
            "{path}"
        );
    }
    assert_all_signals(&store);
    receiver.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_over_http_is_refused_with_a_reason() {
    let (receiver, store) = start().await;
    let bomb = gzip(&vec![0; DEFAULT_MAX_MESSAGE_BYTES + 1]);
    let large = vec![0; DEFAULT_MAX_MESSAGE_BYTES + 1];
    let protobuf = ("content-type", PROTOBUF);
    let json = ("content-type", "application/json; charset=utf-8");
    let cases = [
        (
            vec![json],
            b"{}".to_vec(),
            415,
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
        (
            vec![("content-type", "text/plain")],
            vec![],
            415,
            "text/plain",
        ),
        (vec![], vec![], 415, "application/x-protobuf"),
        (
            vec![protobuf, ("content-encoding", "br")],
            vec![],
            415,
            "`br`",
        ),
        (
            vec![protobuf, ("content-encoding", "gzip")],
            vec![1, 2, 3],
            400,
            "not gzip",
        ),
        (
            vec![protobuf, ("content-encoding", "gzip")],
            bomb,
            413,
            "decompressed",
        ),
        (vec![protobuf], large, 413, "limit"),
        (vec![protobuf], vec![0xff; 9], 400, "not OTLP"),
    ];
    for (headers, body, status, reason) in cases {
        let (got, content_type, body) = post(&receiver, "/v1/traces", &headers, body).await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(got.as_u16(), status, "{headers:?}: {text}");
        assert!(text.contains(reason), "{headers:?}: {text}");
        let as_json = headers.contains(&json);
        assert_eq!(content_type == "application/json", as_json);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).is_ok(),
            as_json
        );
    }
    assert_eq!(
        post(&receiver, "/v1/other", &[], vec![]).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(store.stats(), crate::Stats::default());
    receiver.stop().await;
}

#[tokio::test]
async fn a_grpc_message_over_the_limit_is_refused() {
    let (receiver, store) = start().await;
    let mut client = TraceServiceClient::new(channel(&receiver).await);
    let name = "x".repeat(DEFAULT_MAX_MESSAGE_BYTES);
    let refused = client
        .export(traces("s", vec![span(1, 1, 0, &name, (0, 1))]))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::OutOfRange);
    assert_eq!(store.stats().spans, 0);
    receiver.stop().await;
}

/// A log record takes two bytes when nothing is in it.
fn too_many_records() -> ExportLogsServiceRequest {
    logs("s", vec![LogRecord::default(); MAX_RECORDS])
}

#[tokio::test]
async fn a_request_of_too_many_records_is_refused_for_good_and_counted() {
    let (receiver, store) = start().await;
    let packed = gzip(&too_many_records().encode_to_vec());
    assert!(packed.len() < 1024);
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let (status, _, body) = post(&receiver, "/v1/logs", &headers, packed).await;
    let reason = "the request holds 50002 records";
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&body).contains(reason));
    assert_eq!(store.stats().refused_requests, 1);

    let mut client =
        LogsServiceClient::new(channel(&receiver).await).send_compressed(CompressionEncoding::Gzip);
    let refused = client.export(too_many_records()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with(reason), "{refused}");
    assert_eq!(store.stats().refused_requests, 2);
    assert_eq!(store.stats().log_records, 0);

    // What is refused ends neither the connection nor the receiver.
    client
        .export(logs("s", vec![log(1, 1, 0, "l")]))
        .await
        .unwrap();
    assert_eq!(store.stats().log_records, 1);
    receiver.stop().await;
}

#[tokio::test]
async fn a_grpc_method_that_is_not_there_is_unimplemented_and_a_malformed_message_is_invalid() {
    const SERVICE: &str = "/opentelemetry.proto.collector.trace.v1.TraceService";
    let store = Arc::new(Store::default());
    // A message's head: not compressed, of two bytes.
    let malformed = [0, 0, 0, 0, 2, 0x0a, 1];
    for (method, code) in [
        ("Import", Code::Unimplemented),
        ("Export", Code::InvalidArgument),
    ] {
        let request = Request::post(format!("{SERVICE}/{method}"))
            .header("content-type", "application/grpc")
            .body(Body::from(malformed.to_vec()))
            .unwrap();
        let response = grpc::router(store.clone(), DEFAULT_MAX_MESSAGE_BYTES)
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let status = tonic::Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), code, "{status}");
    }
    assert_eq!(store.stats(), crate::Stats::default());
}

#[tokio::test]
async fn a_bind_error_names_listener_and_address() {
    let (receiver, store) = start().await;
    let taken = receiver.http_addr();
    let error = Receiver::bind(ANY, taken, store.clone()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot bind the OTLP/HTTP listener to {taken}: "))
    );
    let error = Receiver::bind(taken, ANY, store).await.unwrap_err();
    assert_eq!((error.listener, error.addr), ("gRPC", taken));
    receiver.stop().await;
}

#[tokio::test]
async fn a_stop_frees_the_ports_and_leaves_no_task() {
    let (receiver, store) = start().await;
    let (grpc, http) = (receiver.grpc_addr(), receiver.http_addr());
    let mut client = TraceServiceClient::new(channel(&receiver).await);
    client
        .export(traces("s", vec![span(1, 1, 0, "s", (0, 1))]))
        .await
        .unwrap();
    let idle = TcpStream::connect(http).await.unwrap();
    receiver.stop().await;
    drop((client, idle));
    let again = Receiver::bind(grpc, http, store.clone()).await.unwrap();
    drop(again);
    // The tasks hold the sink, so that none is left once this is the only owner.
    for _ in 0..100 {
        if Arc::strong_count(&store) == 1 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("tasks are left");
}

#[tokio::test]
async fn a_peer_that_stalls_within_a_request_does_not_hold_up_the_stop() {
    let (receiver, store) = start().await;
    let mut stalled = TcpStream::connect(receiver.http_addr()).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
                content-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n";
    stalled.write_all(head.as_bytes()).await.unwrap();
    // The server says so when the handler waits for the body, which never comes.
    let mut answer = [0; 12];
    stalled.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    tokio::time::pause();
    let asked = Instant::now();
    receiver.stop().await;
    assert!((STOP_GRACE..2 * STOP_GRACE).contains(&asked.elapsed()));
    assert_eq!(Arc::strong_count(&store), 1);
}
