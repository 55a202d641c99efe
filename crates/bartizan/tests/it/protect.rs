//! The facade's limits on routers: what is answered, and what is told of it.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get as on_get;
use bartizan::bulkhead::Config;
use bartizan::rate_limit::{Keys, Mode, Policy, Proxies, Quota, Trusted};
use bartizan::shed::{self, Load};
use bartizan::{BulkheadLayer, LoadShedLayer, PeerAddr, RateLimitLayer};
use bartizan_testkit::{PointValue, over_connections};
use http::{Request, Version};
use serde_json::{Value, json};

use crate::support::{Fixture, Seen, fetch, get, send};

const SECOND: Duration = Duration::from_secs(1);

fn per_client(burst: u32) -> Policy {
    let trusted = Proxies::x_forwarded_for(Trusted::hops(1));
    let quota = Quota::new(1, SECOND * 10, burst).unwrap();
    Policy::new("client", quota).with_keys(Keys::client(trusted))
}

fn from(peer: &str, forwarded_for: &str) -> Request<Body> {
    let mut request = get("/");
    let headers = request.headers_mut();
    headers.insert("x-forwarded-for", forwarded_for.parse().unwrap());
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(PeerAddr(peer));
    request
}

fn counted(seen: &Seen, result: &str) -> PointValue {
    let points = seen.points("bartizan.rate_limit.requests");
    let found = points.iter().rfind(|point| {
        let said = point.attributes.get("bartizan.rate_limit.result");
        said.and_then(|said| said.as_str()) == Some(result)
    });
    found.map_or(PointValue::None, |point| point.value.clone())
}

#[tokio::test]
async fn who_is_over_the_quota_is_told_so_in_every_way() {
    let fixture = Fixture::new().await;
    let limit = RateLimitLayer::new([per_client(2)], &fixture.telemetry).unwrap();
    let app = Router::new()
        .route("/", on_get(async || "ok"))
        .layer(limit)
        .layer(fixture.stack());
    let proxy = "10.0.0.1:5000";
    for left in [1, 0] {
        // However the client dresses up, it is the one that the proxy saw.
        let answer = fetch(&app, from(proxy, &format!("192.0.2.{left}, 198.51.100.7"))).await;
        assert_eq!(answer.status(), 200);
        let said = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(said.starts_with(&format!("\"client\";r={left}")), "{said}");
    }
    let answer = fetch(&app, from(proxy, "203.0.113.9, 198.51.100.7")).await;
    assert_eq!(answer.status(), 429);
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["retry-after"], "10");
    assert_eq!(headers["ratelimit-policy"], "\"client\";q=1;w=10");
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    let kind = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    assert_eq!(problem["type"], kind);
    assert_eq!(problem["violated-policies"], json!(["client"]));
    // Somebody else is none of its business.
    let other = fetch(&app, from(proxy, "198.51.100.8")).await;
    assert_eq!(other.status(), 200);

    let seen = fixture.finish().await;
    let spans = seen.server_spans();
    let with_event = |name: &str| {
        let mut events = spans.iter().flat_map(|span| &span.events);
        events.any(|event| event.name == name)
    };
    assert!(with_event("bartizan.rate_limit.rejected"));
    let traces: Vec<_> = spans.iter().map(|span| span.trace_id.to_string()).collect();
    assert!(traces.iter().any(|trace| problem["trace_id"] == **trace));
    assert_eq!(counted(&seen, "allowed"), PointValue::Int(3));
    assert_eq!(counted(&seen, "rejected"), PointValue::Int(1));
}

#[tokio::test]
async fn a_shadow_limit_lets_everybody_through_and_counts() {
    let fixture = Fixture::new().await;
    let policy = per_client(1).with_mode(Mode::Shadow);
    let limit = RateLimitLayer::new([policy], &fixture.telemetry).unwrap();
    let app = Router::new()
        .route("/", on_get(async || "ok"))
        .layer(limit)
        .layer(fixture.stack());
    for _ in 0..3 {
        let answer = fetch(&app, from("192.0.2.1:1", "198.51.100.7")).await;
        assert_eq!(answer.status(), 200);
    }
    let seen = fixture.finish().await;
    assert_eq!(counted(&seen, "shadow_rejected"), PointValue::Int(2));
}

#[tokio::test]
async fn one_limit_holds_over_all_connections() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let fixture = Fixture::new().await;
        let quota = Quota::new(1, SECOND * 60, 4).unwrap();
        let policy = Policy::new("all", quota);
        let limit = RateLimitLayer::new([policy], &fixture.telemetry).unwrap();
        let router = Router::new().route("/", on_get(async || "ok")).layer(limit);
        let answers = over_connections(router, 9, version, |_| get("/")).await;
        let answers = answers.unwrap();
        let of = |status| answers.iter().filter(|it| it.status() == status).count();
        assert_eq!((of(200), of(429)), (4, 5), "{version:?}");
    }
}

#[tokio::test]
async fn a_full_bulkhead_answers_503_and_a_call_that_goes_away_makes_room() {
    let fixture = Fixture::new().await;
    let config = Config::builder(1).without_queue().build().unwrap();
    let bulkhead = BulkheadLayer::new("reports", config, &fixture.telemetry);
    let app = Router::new()
        .route("/hangs", on_get(pending::<()>))
        .route("/", on_get(async || "ok"))
        .layer(bulkhead.clone())
        .layer(fixture.stack());
    let mut hangs = Box::pin(send(&app, get("/hangs")));
    assert!(futures_util::poll!(&mut hangs).is_pending());
    let answer = fetch(&app, get("/")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    drop(hangs);
    assert_eq!(fetch(&app, get("/")).await.status(), 200);
    assert_eq!(bulkhead.handle().snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_shed_is_a_503_and_health_probes_never_are() {
    let fixture = Fixture::new().await;
    // Far too much to do, for as long as anybody asks.
    let overloaded = || Load {
        queue_wait: SECOND * 60,
        ..Load::default()
    };
    let config = shed::Config::default();
    let shed = LoadShedLayer::new("app", config, overloaded, &fixture.telemetry);
    let app = Router::new()
        .route("/", on_get(async || "ok"))
        .route("/livez", on_get(async || "ok"))
        .layer(shed)
        .layer(fixture.stack());
    let mut statuses = Vec::new();
    for _ in 0..200 {
        tokio::time::advance(SECOND / 10).await;
        statuses.push(fetch(&app, get("/")).await.status().as_u16());
        assert_eq!(fetch(&app, get("/livez")).await.status(), 200);
    }
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[199], 503);
}
