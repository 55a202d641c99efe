//! The way out to another service, through both kinds of client and real sockets.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use bartizan::outbound::{Error, Outbound, RetryConfig};
use bartizan::{TimeoutLayer, breaker};
use bartizan_testkit::{PointValue, SpanKind, SpanView};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

use crate::support::{Fixture, fetch, get, text};

/// A call that gives a status, or what our layers have said.
type Call = Arc<
    dyn Fn(Method, &'static str) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send>>
        + Send
        + Sync,
>;

/// An upstream that answers as it was told, and keeps what it was asked with.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    answers: VecDeque<u16>,
    asked: Vec<(HeaderMap, Bytes)>,
}

// === impl Script ===

impl Script {
    fn of(answers: &[u16]) -> Self {
        let script = Self::default();
        script.0.lock().unwrap().answers.extend(answers);
        script
    }

    fn asked(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.lock().unwrap().asked.clone()
    }

    /// Serves it, and gives the URL.
    async fn serve(&self) -> String {
        let play = async |State(script): State<Self>, headers: HeaderMap, body: Bytes| {
            let mut played = script.0.lock().unwrap();
            played.asked.push((headers, body));
            let status = played.answers.pop_front().unwrap_or(200);
            StatusCode::from_u16(status).unwrap()
        };
        let app = Router::new().fallback(any(play)).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/")
    }
}

fn tower_call(outbound: &Outbound, url: &str) -> Call {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = outbound.layer().layer(client);
    let url = url.to_owned();
    Arc::new(move |method, body| {
        let request = Request::builder().method(method).uri(&url);
        let request = request.body(Full::from(body)).unwrap();
        let client = client.clone();
        Box::pin(async move {
            let response = client.oneshot(request).await.map_err(|it| it.to_string())?;
            let status = response.status().as_u16();
            response
                .into_body()
                .collect()
                .await
                .map_err(|it| it.to_string())?;
            Ok(status)
        })
    })
}

#[cfg(feature = "reqwest")]
fn reqwest_call(outbound: &Outbound, url: &str) -> Call {
    let client = outbound
        .reqwest(reqwest::Client::builder().no_proxy())
        .unwrap();
    let url = url.to_owned();
    Arc::new(move |method, body| {
        let request = client.request(method, &url).body(body);
        Box::pin(async move {
            match request.send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    assert_eq!(response.url().path(), "/");
                    response.bytes().await.map_err(|it| it.to_string())?;
                    Ok(status)
                }
                Err(error) => Err(match bartizan::outbound::find_in_reqwest(&error) {
                    Some(ours) => ours.to_string(),
                    None => error.to_string(),
                }),
            }
        })
    })
}

fn both(outbound: &Outbound, url: &str) -> Vec<Call> {
    vec![
        tower_call(outbound, url),
        #[cfg(feature = "reqwest")]
        reqwest_call(outbound, url),
    ]
}

fn retry(attempts: u32) -> RetryConfig {
    RetryConfig::builder()
        .with_max_attempts(attempts)
        .with_backoff(Duration::from_millis(1), Duration::from_millis(2))
        .build()
        .unwrap()
}

/// A router that makes one call, and answers with what came of it.
fn front(fixture: &Fixture, method: Method, call: Call) -> Router {
    let handler = async move || match call(method, "hello").await {
        Ok(status) => status.to_string(),
        Err(error) => error,
    };
    Router::new()
        .route("/", any(handler))
        .layer(TimeoutLayer::new(Duration::from_secs(20)).unwrap())
        .layer(fixture.stack())
}

fn attempts(spans: &[SpanView]) -> Vec<&SpanView> {
    let mut attempts: Vec<_> = spans
        .iter()
        .filter(|it| it.kind == SpanKind::Client)
        .collect();
    attempts.sort_by_key(|span| span.start_unix_nanos);
    attempts
}

#[tokio::test]
async fn why_a_request_took_three_attempts_can_be_read_in_its_trace() {
    let count = if cfg!(feature = "reqwest") { 2 } else { 1 };
    for which in 0..count {
        let fixture = Fixture::new().await;
        let script = Script::of(&[503, 502, 200]);
        let url = script.serve().await;
        let outbound = Outbound::builder("stock", &fixture.telemetry)
            .with_retry(retry(3))
            .build()
            .unwrap();
        let call = both(&outbound, &url).remove(which);
        let app = front(&fixture, Method::PUT, call);
        assert_eq!(fetch(&app, get("/")).await.body(), b"200");
        let asked = script.asked();
        assert_eq!(asked.len(), 3);
        for (headers, body) in &asked {
            assert_eq!(body, "hello");
            let left: u64 = headers["x-request-timeout-ms"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((1..=1_500).contains(&left), "{left}");
        }

        let seen = fixture.finish().await;
        let server = seen.only_span().clone();
        let attempts = attempts(&seen.spans);
        assert_eq!(attempts.len(), 3);
        for (number, span) in attempts.iter().enumerate() {
            assert_eq!(span.parent_span_id, Some(server.span_id));
            let resent = span.attributes.get("http.request.resend_count");
            let resent = resent.and_then(|count| count.as_int()).unwrap_or(0);
            assert_eq!(usize::try_from(resent).unwrap(), number);
        }
        let events: Vec<_> = server.events.iter().map(|event| &*event.name).collect();
        assert_eq!(events, ["bartizan.retry", "bartizan.retry"]);
        let reasons: Vec<_> = server
            .events
            .iter()
            .map(|event| event.attributes["bartizan.retry.reason"].as_str().unwrap())
            .collect();
        assert_eq!(reasons, ["503", "502"]);
        assert_eq!(text(&server, "http.route"), Some("/"));
        let retries = seen.points("bartizan.retry.retries");
        assert_eq!(retries.len(), 2);
        assert!(
            retries
                .iter()
                .all(|point| point.value == PointValue::Int(1))
        );
    }
}

#[tokio::test]
async fn what_may_do_harm_is_sent_once() {
    let fixture = Fixture::new().await;
    let script = Script::of(&[503; 4]);
    let url = script.serve().await;
    let outbound = Outbound::builder("stock", &fixture.telemetry)
        .with_retry(retry(3))
        .build()
        .unwrap();
    for (calls, call) in both(&outbound, &url).into_iter().enumerate() {
        assert_eq!(call(Method::POST, "order").await, Ok(503));
        assert_eq!(script.asked().len(), calls + 1);
    }
}

#[tokio::test]
async fn an_open_circuit_is_not_insisted_on_and_costs_no_budget() {
    let fixture = Fixture::new().await;
    let script = Script::of(&[503; 100]);
    let url = script.serve().await;
    let config = breaker::Config::builder()
        .without_failure_rate()
        .with_consecutive_failures(2)
        .build()
        .unwrap();
    let outbound = Outbound::builder("stock", &fixture.telemetry)
        .with_retry(retry(3))
        .with_breaker(config)
        .build()
        .unwrap();
    let mut calls = both(&outbound, &url).into_iter();
    let first = calls.next().expect("there is one without features");
    // Two attempts open it, and the third is rejected.
    let said = Err("the circuit stock is open".to_owned());
    assert_eq!(first(Method::GET, "").await, said);
    assert_eq!(script.asked().len(), 2);
    let retried = |outbound: &Outbound| {
        let now = tokio::time::Instant::now().into_std();
        outbound.budget().snapshot(now).retries
    };
    let before = retried(&outbound);
    assert_eq!(first(Method::GET, "").await, said);
    for other in calls {
        assert_eq!(other(Method::GET, "").await, said);
    }
    assert_eq!(script.asked().len(), 2);
    assert_eq!(retried(&outbound), before);
}

/// Of a request that has 300 ms, no attempt gets more, however long its own timeout is.
#[tokio::test]
async fn a_call_has_no_more_time_than_the_request_it_is_made_for() {
    let fixture = Fixture::new().await;
    let script = Script::default();
    let url = script.serve().await;
    let outbound = Outbound::builder("stock", &fixture.telemetry)
        .build()
        .unwrap();
    for call in both(&outbound, &url) {
        let app = front(&fixture, Method::GET, call)
            .layer(TimeoutLayer::new(Duration::from_millis(300)).unwrap())
            .layer(fixture.stack());
        assert_eq!(fetch(&app, get("/")).await.body(), b"200");
    }
    for (headers, _) in script.asked() {
        let left: u64 = headers["x-request-timeout-ms"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=300).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn a_far_side_that_is_down_is_an_error_that_is_named() {
    let fixture = Fixture::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outbound = Outbound::builder("stock", &fixture.telemetry)
        .with_retry(retry(2))
        .build()
        .unwrap();
    for call in both(&outbound, &url) {
        let error = call(Method::GET, "").await.unwrap_err();
        assert!(!error.contains("circuit"), "{error}");
    }
    let snapshot = outbound.breaker().snapshot();
    assert_eq!(snapshot.failures, snapshot.calls);
    assert!(snapshot.calls >= 2);
}

#[test]
fn a_timeout_that_cannot_be_is_named_with_its_upstream() {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let outbound = Outbound::builder("stock", &telemetry)
        .with_attempt_timeout(Duration::ZERO)
        .build();
    let said = "upstream stock: attempt_timeout: timeout: 0ns is not 1ms to 24h";
    assert_eq!(outbound.unwrap_err().to_string(), said);
    assert!(!Error::inner(std::io::Error::other("x")).is_rejection());
}
