//! The facade's limits that replicas share: what is answered, and what is told of the limit, of its
//! store, and of the breaker around that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use bartizan::rate_limit::{Policy, Quota};
use bartizan::shared_limit::{Ask, Grant, MemoryStore, Store, StoreDown};
use bartizan::{RateLimitLayer, SharedLimitLayer, rate_limit};
use bartizan_testkit::{PointValue, PointView};
use serde_json::{Value, json};
use tracing_subscriber::layer::{Identity, SubscriberExt};

use crate::support::{Fixture, Seen, fetch, get};

/// A store that can be lost.
#[derive(Clone, Default)]
struct Shaky {
    memory: MemoryStore,
    is_lost: Arc<AtomicBool>,
}

impl Store for Shaky {
    async fn grant(&self, ask: &Ask) -> Result<Grant, axum::BoxError> {
        if self.is_lost.load(Ordering::Relaxed) {
            return Err("it is not there".into());
        }
        self.memory.grant(ask).await
    }
}

/// So many at once, of which none comes back while a test runs.
fn policy(name: &str, burst: u32) -> Policy {
    let hour = Duration::from_secs(60 * 60);
    Policy::new(name, Quota::new(1, hour, burst).unwrap())
}

fn behind<St: Store>(limit: &SharedLimitLayer<St>, fixture: &Fixture) -> Router {
    Router::new()
        .route("/", on_get(async || "ok"))
        .layer(limit.clone())
        .layer(fixture.stack())
}

fn count(seen: &Seen, metric: &str, labels: &[(&str, &str)]) -> u64 {
    let has = |point: &&&PointView| {
        let said = |key: &str| point.attributes.get(key).and_then(|said| said.as_str());
        labels.iter().all(|(key, value)| said(key) == Some(value))
    };
    let points = seen.points(metric);
    let counts = points.iter().filter(has).map(|point| match &point.value {
        PointValue::Int(count) => u64::try_from(*count).unwrap(),
        PointValue::Histogram(histogram) => histogram.count,
        other => panic!("{metric}: {other:?}"),
    });
    counts.sum()
}

#[tokio::test]
async fn replicas_have_one_budget_and_say_what_is_left_of_it() {
    let fixture = Fixture::new().await;
    let store = MemoryStore::default();
    let replica = || {
        let limit = SharedLimitLayer::new([policy("all", 4)], store.clone(), &fixture.telemetry);
        behind(&limit.unwrap(), &fixture)
    };
    let replicas = [replica(), replica()];
    for (turn, left) in [(0, 3), (1, 2), (0, 1), (1, 0)] {
        let answer = fetch(&replicas[turn], get("/")).await;
        assert_eq!(answer.status(), 200);
        let said = answer.headers()["ratelimit"].to_str().unwrap();
        assert!(said.starts_with(&format!("\"all\";r={left}")), "{said}");
    }
    let answer = fetch(&replicas[0], get("/")).await;
    assert_eq!(answer.status(), 429);
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["retry-after"], "3600");
    assert_eq!(headers["ratelimit-policy"], "\"all\";q=1;w=3600");
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    let kind = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    assert_eq!(problem["type"], kind);
    assert_eq!(problem["violated-policies"], json!(["all"]));
    // A refusal holds without another question.
    assert_eq!(fetch(&replicas[0], get("/")).await.status(), 429);

    let seen = fixture.finish().await;
    let spans = seen.server_spans();
    let traces: Vec<_> = spans.iter().map(|span| span.trace_id.to_string()).collect();
    assert!(traces.iter().any(|trace| problem["trace_id"] == **trace));
    let mut events = spans.iter().flat_map(|span| &span.events);
    let rejected = events.find(|event| event.name == "bartizan.rate_limit.rejected");
    let said = &rejected.unwrap().attributes;
    assert_eq!(
        said["bartizan.rate_limit.reason"].as_str(),
        Some("quota_exceeded")
    );
    for (result, by, counted) in [
        ("allowed", "store", 4),
        ("rejected", "store", 1),
        ("rejected", "lease", 1),
    ] {
        let labels = [
            ("bartizan.rate_limit.policy", "all"),
            ("bartizan.rate_limit.result", result),
            ("bartizan.rate_limit.by", by),
        ];
        let metric = "bartizan.rate_limit.requests";
        assert_eq!(count(&seen, metric, &labels), counted, "{labels:?}");
    }
    let answered = [("bartizan.rate_limit.store.result", "answered")];
    assert_eq!(
        count(&seen, "bartizan.rate_limit.store.duration", &answered),
        5
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_and_comes_back_is_told_once_and_seen_in_its_breaker() {
    let fixture = Fixture::new().await;
    let layers = fixture.telemetry.layers("info", Identity::new()).unwrap();
    let subscriber = tracing_subscriber::registry().with(layers);
    let logged = tracing::subscriber::set_default(subscriber);
    let store = Shaky::default();
    // Each request asks.
    let limiter = SharedLimitLayer::builder(store.clone(), &fixture.telemetry)
        .with_policy(policy("all", 1_000))
        .with_lease_share(0.0)
        .build()
        .unwrap();
    let limit = SharedLimitLayer::of(limiter);
    let app = behind(&limit, &fixture);
    store.is_lost.store(true, Ordering::Relaxed);
    for _ in 0..100 {
        // Probes fail, too.
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(fetch(&app, get("/")).await.status(), 200);
    }
    let failed = limit.handle().counts().failed;
    // Five in a row, and a probe now and then.
    assert!((6..20).contains(&failed), "{failed}");
    store.is_lost.store(false, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..10 {
        assert_eq!(fetch(&app, get("/")).await.status(), 200);
    }
    drop(logged);

    let seen = fixture.finish().await;
    let said = |text: &str| {
        let all = seen.logs.iter();
        all.filter(|log| log.body.as_str().is_some_and(|body| body.contains(text)))
            .count()
    };
    assert_eq!(said("the store of a shared rate limit is lost"), 1);
    assert_eq!(said("the store of a shared rate limit is back"), 1);
    assert_eq!(said("a circuit has"), 0);
    let of_store = ("bartizan.rate_limit.store.result", "failed");
    let duration = "bartizan.rate_limit.store.duration";
    assert_eq!(count(&seen, duration, &[of_store]), failed);
    let by = ("bartizan.rate_limit.by", "store_down");
    assert_eq!(count(&seen, "bartizan.rate_limit.requests", &[by]), 100);
    let breaker = ("bartizan.breaker.name", "shared limit");
    let opened = [breaker, ("bartizan.breaker.state", "open")];
    assert!(count(&seen, "bartizan.breaker.transitions", &opened) > 1);
    let closed = [breaker, ("bartizan.breaker.state", "closed")];
    assert_eq!(count(&seen, "bartizan.breaker.circuits", &closed), 1);
    assert_eq!(count(&seen, "bartizan.breaker.circuits", &opened), 0);
}

#[tokio::test]
async fn who_is_denied_for_the_store_is_told_so_by_a_503() {
    let fixture = Fixture::new().await;
    let store = Shaky::default();
    store.is_lost.store(true, Ordering::Relaxed);
    let limiter = SharedLimitLayer::builder(store, &fixture.telemetry)
        .with_policy(policy("all", 1_000))
        .with_store_down(StoreDown::Deny);
    let limit = SharedLimitLayer::of(limiter.build().unwrap());
    let answer = fetch(&behind(&limit, &fixture), get("/")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn behind_a_local_limit_that_says_nothing_an_answer_speaks_of_the_shared_one() {
    let fixture = Fixture::new().await;
    let local = RateLimitLayer::new([policy("local", 9)], &fixture.telemetry).unwrap();
    let store = MemoryStore::default();
    let shared = SharedLimitLayer::new([policy("shared", 5)], store, &fixture.telemetry);
    let app = Router::new()
        .route("/", on_get(async || "ok"))
        .layer(shared.unwrap())
        .layer(local.with_answers(rate_limit::Answers::None));
    let answer = fetch(&app, get("/")).await;
    let said: Vec<_> = answer.headers().get_all("ratelimit").iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].to_str().unwrap().starts_with("\"shared\";r=4"));
}
