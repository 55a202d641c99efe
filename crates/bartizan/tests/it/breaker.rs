//! The facade's circuit breaker on routers: what is answered, and what is told of it.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get as on_get;
use bartizan::CircuitBreakerLayer;
use bartizan::breaker::{CircuitId, Command, Config, Keys, Overflow, State};
use bartizan_testkit::{PointValue, PointView, over_connections};
use http::{Request, Response, Version};
use serde_json::Value;
use tower::{Layer, Service, ServiceExt};

use crate::support::{Fixture, Seen, fetch, get};

fn config(in_a_row: u32) -> Config {
    Config::builder()
        .without_failure_rate()
        .with_consecutive_failures(in_a_row)
        .build()
        .unwrap()
}

/// Two routes, of which one has a breaker and fails.
fn app(fixture: &Fixture, breaker: &CircuitBreakerLayer) -> Router {
    let broken = on_get(async || StatusCode::INTERNAL_SERVER_ERROR);
    Router::new()
        .route("/broken", broken.layer(breaker.clone()))
        .route("/fine", on_get(async || "fine"))
        .layer(fixture.stack())
}

fn counted(seen: &Seen, outcome: &str) -> PointValue {
    let all = seen.points("bartizan.breaker.calls");
    let is = |point: &&&PointView| label(point, "bartizan.breaker.outcome") == Some(outcome);
    let point = all.iter().rfind(is);
    point.map_or(PointValue::None, |point| point.value.clone())
}

fn label<'a>(point: &'a PointView, key: &str) -> Option<&'a str> {
    point.attributes.get(key)?.as_str()
}

#[tokio::test]
async fn an_open_circuit_answers_503_as_a_problem_with_when_and_which_trace() {
    let fixture = Fixture::new().await;
    let breaker = CircuitBreakerLayer::new("reports", config(2), &fixture.telemetry);
    let app = app(&fixture, &breaker);
    for _ in 0..2 {
        let answer = fetch(&app, get("/broken")).await;
        assert_eq!(answer.status(), 500);
    }
    let answer = fetch(&app, get("/broken")).await;
    assert_eq!(answer.status(), 503);
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["cache-control"], "no-store");
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(problem["status"], 503);

    // The route beside it is none of its business.
    assert_eq!(fetch(&app, get("/fine")).await.status(), 200);

    let seen = fixture.finish().await;
    let spans = seen.server_spans();
    let rejected = spans
        .iter()
        .find(|span| span.attributes["http.response.status_code"].as_int() == Some(503));
    let rejected = rejected.expect("the rejected request has a span");
    assert_eq!(problem["trace_id"], rejected.trace_id.to_string());
    let [event] = &rejected.events[..] else {
        panic!("one event: {rejected:#?}");
    };
    assert_eq!(event.name, "bartizan.breaker.rejected");
    assert_eq!(
        event.attributes["bartizan.breaker.name"].as_str(),
        Some("reports")
    );
    assert_eq!(
        event.attributes["bartizan.breaker.state"].as_str(),
        Some("open")
    );
    // The one that opened it says so.
    let opened: Vec<_> = spans
        .iter()
        .flat_map(|span| &span.events)
        .filter(|event| event.name == "bartizan.breaker.transition")
        .collect();
    assert_eq!(opened.len(), 1);
    let reason = &opened[0].attributes["bartizan.breaker.reason"];
    assert_eq!(reason.as_str(), Some("consecutive_failures"));

    assert_eq!(counted(&seen, "failure"), PointValue::Int(2));
    assert_eq!(counted(&seen, "rejected"), PointValue::Int(1));
    for point in seen.points("bartizan.breaker.circuits") {
        let state = label(point, "bartizan.breaker.state");
        let expected = PointValue::Int((state == Some("open")).into());
        assert_eq!(point.value, expected, "{state:?}");
    }
}

#[tokio::test]
async fn one_breaker_is_shared_by_all_connections() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let fixture = Fixture::new().await;
        let breaker = CircuitBreakerLayer::new("reports", config(3), &fixture.telemetry);
        let router = Router::new()
            .route("/broken", on_get(async || StatusCode::BAD_GATEWAY))
            .layer(breaker.clone());
        let answers = over_connections(router, 6, version, |_| get("/broken")).await;
        let failed = answers.unwrap();
        let of = |status| failed.iter().filter(|it| it.status() == status).count();
        assert_eq!((of(502), of(503)), (3, 3), "{version:?}");
    }
}

#[tokio::test]
async fn a_breaker_of_the_whole_router_and_one_of_a_route_do_not_count_each_others_rejections() {
    let fixture = Fixture::new().await;
    let route = CircuitBreakerLayer::new("route", config(1), &fixture.telemetry);
    let whole = CircuitBreakerLayer::new("whole", config(2), &fixture.telemetry);
    let app = app(&fixture, &route).layer(whole.clone());
    for _ in 0..20 {
        fetch(&app, get("/broken")).await;
    }
    assert_eq!(route.handle().snapshot().state, State::Open);
    let snapshot = whole.handle().snapshot();
    assert_eq!(snapshot.state, State::Closed);
    assert_eq!((snapshot.calls, snapshot.failures), (1, 1));
}

#[tokio::test]
async fn a_fallback_answers_instead() {
    let fixture = Fixture::new().await;
    let breaker = CircuitBreakerLayer::new("reports", config(1), &fixture.telemetry)
        .with_fallback(async |rejected| format!("{rejected}, from the cache").into_response());
    breaker.handle().command(Command::ForceOpen);
    let app = app(&fixture, &breaker);
    let answer = fetch(&app, get("/broken")).await;
    assert_eq!(answer.status(), 200);
    let said = "the circuit reports is forced open, from the cache";
    assert_eq!(answer.body(), said.as_bytes());
}

#[tokio::test]
async fn errors_of_a_client_pass_unchanged() {
    let fixture = Fixture::new().await;
    let breaker = CircuitBreakerLayer::new("stock", config(1), &fixture.telemetry);
    let mut client = breaker.layer(tower::service_fn(async |_: Request<Body>| {
        Err::<Response<Body>, _>(std::io::Error::other("down"))
    }));
    let error = client.ready().await.unwrap().call(get("/")).await.err();
    // Its type is the client's own.
    let error: std::io::Error = error.expect("the client failed");
    assert_eq!(error.to_string(), "down");
    let answer = client.ready().await.unwrap().call(get("/")).await.unwrap();
    assert_eq!(answer.status(), 503);
}

#[tokio::test]
async fn each_host_has_a_circuit_and_the_labels_are_bounded() {
    let fixture = Fixture::new().await;
    let keys = Keys::by_host();
    let overflow = Overflow::Shared;
    let breaker =
        CircuitBreakerLayer::keyed("out", config(1), &fixture.telemetry, keys, 300, overflow);
    let app = Router::new()
        .route("/", on_get(async || "ok"))
        .layer(breaker.clone());
    for host in 0..250 {
        let uri = format!("http://host-{host}.example/");
        fetch(&app, Request::get(uri).body(Body::empty()).unwrap()).await;
    }
    assert_eq!(breaker.handle().snapshots().len(), 251);
    let seen = fixture.finish().await;
    let series = seen.points("bartizan.breaker.calls");
    let others = |point: &&&PointView| label(point, "bartizan.breaker.key") == Some("_OTHER");
    assert_eq!(series.len(), 101);
    let others: Vec<_> = series.iter().filter(others).collect();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].value, PointValue::Int(150));
}

#[tokio::test(start_paused = true)]
async fn transitions_say_which_trace_has_caused_them() {
    let fixture = Fixture::new().await;
    let breaker = CircuitBreakerLayer::new("reports", config(1), &fixture.telemetry);
    let mut transitions = breaker.handle().transitions();
    let app = app(&fixture, &breaker);
    fetch(&app, get("/broken")).await;
    let opened = transitions.next().await.expect("the circuit has opened");
    assert_eq!(
        (opened.change.from, opened.change.to),
        (State::Closed, State::Open)
    );
    assert_eq!(CircuitId::name(&opened.circuit), "reports");
    let correlation = opened.correlation.expect("the request has a trace");
    drop(breaker);
    drop(app);
    assert!(transitions.next().await.is_none());
    let seen = fixture.finish().await;
    let trace = seen.only_span().trace_id.to_bytes();
    assert_eq!(correlation.0, u128::from_be_bytes(trace));
}
