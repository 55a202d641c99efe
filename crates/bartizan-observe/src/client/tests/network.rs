//! Over hyper-util's client and real sockets.

use http_body_util::Full;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};

use super::server::{Server, ok, short};
use super::*;
use crate::test_support::Nobody;

async fn fetch(recorded: &Recorded, url: &str) -> Result<Bytes, tower::BoxError> {
    let client = HyperClient::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let client = ClientLayer::new(&recorded.telemetry).layer(client);
    let response = client
        .oneshot(Request::get(url).body(Full::default())?)
        .await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn a_request_over_hyper_is_injected_and_recorded() {
    let server = Server::start(|_| ok("hello")).await;
    let recorded = Recorded::new();
    assert_eq!(fetch(&recorded, &server.url("/x")).await.unwrap(), "hello");
    let span = recorded.span();
    assert_eq!(verdict(&span), fine("completed"));
    assert_eq!(
        text(&span, attr::SERVER_ADDRESS).as_deref(),
        Some("127.0.0.1")
    );
    let trace_id = span.span_context.trace_id();
    assert!(server.requests()[0].contains(&format!("traceparent: 00-{trace_id}-")));
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    let nobody = Nobody::new();
    let recorded = Recorded::new();
    assert!(
        fetch(&recorded, &format!("http://{}/", nobody.addr()))
            .await
            .is_err()
    );
    assert_eq!(verdict(&recorded.span()), failed("connect", "error"));
}

#[tokio::test]
async fn a_server_that_hangs_up_is_named_before_the_headers_and_in_the_body() {
    let server = Server::start(|_| String::new()).await;
    let recorded = Recorded::new();
    assert!(fetch(&recorded, &server.url("/")).await.is_err());
    assert_eq!(
        verdict(&recorded.span()),
        failed("connection_closed", "error")
    );

    let server = Server::start(|_| short()).await;
    let recorded = Recorded::new();
    assert!(fetch(&recorded, &server.url("/")).await.is_err());
    assert_eq!(
        verdict(&recorded.span()),
        failed("connection_closed", "body_error")
    );
}
