//! The facade's timeout on routers.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get as on_get;
use bartizan::task::Task;
use bartizan::{CircuitBreakerLayer, PeerAddr, TimeoutLayer, TrustPolicy, breaker};
use http::Request;
use serde_json::Value;
use tokio::time::Instant;

use crate::support::{Fixture, fetch, get};

const OWN: &str = "10.0.0.7:4000";
const STRANGER: &str = "203.0.113.9:4000";

fn layer() -> TimeoutLayer {
    let own = TrustPolicy::networks(["10.0.0.0/8".parse().unwrap()], bartizan::Trust::Ignore);
    let timeout = Duration::from_secs(2);
    TimeoutLayer::new(timeout).unwrap().with_deadlines_of(own)
}

fn from(peer: &str, allowed_ms: &str) -> Request<Body> {
    let mut request = get("/");
    let allowed = allowed_ms.parse().unwrap();
    request
        .headers_mut()
        .insert("x-request-timeout-ms", allowed);
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(PeerAddr(peer));
    request
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_a_504_with_a_trace() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(pending::<()>))
        .layer(layer())
        .layer(fixture.stack());
    let start = Instant::now();
    let answer = fetch(&app, get("/")).await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(answer.status(), 504);
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(problem["detail"], "this took longer than it may");
    let seen = fixture.finish().await;
    assert_eq!(problem["trace_id"], seen.only_span().trace_id.to_string());
}

#[tokio::test(start_paused = true)]
async fn the_smaller_wins_and_strangers_are_not_asked() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(pending::<()>))
        .layer(layer())
        .layer(fixture.stack());
    for (peer, allowed, waits) in [
        (OWN, "250", 250),
        (OWN, "9000", 2_000),
        (OWN, "soon", 2_000),
        (STRANGER, "250", 2_000),
    ] {
        let start = Instant::now();
        let answer = fetch(&app, from(peer, allowed)).await;
        assert_eq!(answer.status(), 504);
        assert_eq!(start.elapsed().as_millis(), waits, "{peer}: {allowed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_task_knows_its_deadline() {
    let fixture = Fixture::new().await;
    let left = || async {
        let task = Task::current().expect("a request has a task");
        let deadline = task.child("child").deadline().expect("and a deadline");
        let left = deadline - Instant::now().into_std();
        left.as_millis().to_string()
    };
    let app = Router::new()
        .route("/", on_get(left))
        .layer(layer())
        .layer(fixture.stack());
    for (request, left) in [(from(OWN, "300"), "300"), (get("/"), "2000")] {
        assert_eq!(fetch(&app, request).await.body(), left.as_bytes());
    }
}

/// Where the caller's time is over, the service did not get a chance; where the service has taken
/// its own time, it did.
#[tokio::test(start_paused = true)]
async fn a_breaker_further_out_counts_timeouts_and_not_what_came_too_late() {
    let fixture = Fixture::new().await;
    let config = breaker::Config::default();
    let breaker = CircuitBreakerLayer::new("app", config, &fixture.telemetry);
    let app = Router::new()
        .route("/", on_get(pending::<()>))
        .layer(layer())
        .layer(breaker.clone())
        .layer(fixture.stack());
    let answer = fetch(&app, from(OWN, "0")).await;
    assert_eq!(answer.status(), 504);
    assert_eq!(breaker.handle().snapshot().calls, 0);
    fetch(&app, get("/")).await;
    let snapshot = breaker.handle().snapshot();
    assert_eq!((snapshot.calls, snapshot.failures), (1, 1));
}
