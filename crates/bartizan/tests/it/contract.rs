//! Every layer keeps the contracts of the testkit. `docs/contract.md` is the table of these proofs.

mod books;
mod edge;
mod page;

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use bartizan::client::ClientLayer;
use bartizan::{
    BodyLimitLayer, BulkheadLayer, CatchPanicLayer, CircuitBreakerLayer, CorsLayer,
    DecompressionLayer, LoadShedLayer, MetricsLayer, RateLimitLayer, RequestLogLayer,
    SensitiveHeadersLayer, SharedLimitLayer, TimeoutLayer, TraceLayer,
};
use bartizan_testkit::contract::{self, HttpService, Inner};
use bartizan_testkit::over_connections;
use http::{HeaderName, Version};
use tower::Layer;

use crate::support::get;
use books::Books;

/// A layer, and the proof that it keeps the contract.
struct Row {
    layer: &'static str,
    /// What of its state is looked at.
    state: &'static str,
    scope: Scope,
    prove: fn() -> Proof,
}

/// Which properties a layer is to have.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Any,
    /// It goes on an axum `Router`, too.
    Router,
}

type Proof = Pin<Box<dyn Future<Output = ()> + Send>>;

const ROWS: &[Row] = &[
    Row {
        layer: "bartizan::stack()",
        state: "active requests; durations, spans and lines, as many of each",
        scope: Scope::Router,
        prove: || Box::pin(stack()),
    },
    Row {
        layer: "bartizan::TraceLayer",
        state: "open spans; ended spans",
        scope: Scope::Router,
        prove: || Box::pin(trace()),
    },
    Row {
        layer: "bartizan::MetricsLayer",
        state: "active requests; durations",
        scope: Scope::Router,
        prove: || Box::pin(metrics()),
    },
    Row {
        layer: "bartizan::RequestLogLayer",
        state: "lines",
        scope: Scope::Router,
        prove: || Box::pin(request_log()),
    },
    Row {
        layer: "bartizan::stack(), all of its edge",
        state: "those of the stack",
        scope: Scope::Router,
        prove: || Box::pin(edge::stack()),
    },
    Row {
        layer: "bartizan::BodyLimitLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            Box::pin(edge::single(BodyLimitLayer::new(0), |it, app| {
                app.layer(it)
            }))
        },
    },
    Row {
        layer: "bartizan::DecompressionLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            Box::pin(edge::single(DecompressionLayer::new(), |it, app| {
                app.layer(it)
            }))
        },
    },
    Row {
        layer: "bartizan::CatchPanicLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            Box::pin(edge::single(CatchPanicLayer::new(), |it, app| {
                app.layer(it)
            }))
        },
    },
    Row {
        layer: "bartizan::CorsLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            Box::pin(edge::single(CorsLayer::any_origin(), |it, app| {
                app.layer(it)
            }))
        },
    },
    Row {
        layer: "bartizan::SensitiveHeadersLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            let layer = SensitiveHeadersLayer::new([HeaderName::from_static("x-key")]);
            Box::pin(edge::single(layer, |it, app| app.layer(it)))
        },
    },
    Row {
        layer: "bartizan::CircuitBreakerLayer",
        state: "calls",
        scope: Scope::Router,
        prove: || Box::pin(breaker()),
    },
    Row {
        layer: "bartizan::RateLimitLayer",
        state: "requests",
        scope: Scope::Router,
        prove: || Box::pin(rate_limit()),
    },
    Row {
        layer: "bartizan::SharedLimitLayer",
        state: "requests",
        scope: Scope::Router,
        prove: || Box::pin(shared_limit()),
    },
    Row {
        layer: "bartizan::BulkheadLayer",
        state: "calls under way; calls",
        scope: Scope::Router,
        prove: || Box::pin(bulkhead()),
    },
    Row {
        layer: "bartizan::LoadShedLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            let telemetry = bartizan::Telemetry::builder().build().unwrap();
            let idle = bartizan::shed::Load::default;
            let config = bartizan::shed::Config::default();
            let layer = LoadShedLayer::new("service", config, idle, &telemetry);
            Box::pin(edge::single(layer, |it, app| app.layer(it)))
        },
    },
    Row {
        layer: "bartizan::TimeoutLayer",
        state: edge::OF_THE_METRICS_LAYER,
        scope: Scope::Router,
        prove: || {
            let layer = TimeoutLayer::new(Duration::from_secs(60)).unwrap();
            Box::pin(edge::single(layer, |it, app| app.layer(it)))
        },
    },
    Row {
        layer: "bartizan::client::ClientLayer",
        state: "active requests; durations and spans, as many of each",
        scope: Scope::Any,
        prove: || Box::pin(client()),
    },
];

#[tokio::test]
async fn every_layer_keeps_the_contract() {
    for row in ROWS {
        // In a task of its own, so that a broken promise is told with the layer that gave it.
        if let Err(broken) = tokio::spawn((row.prove)()).await {
            panic!("{} breaks the contract: {broken}", row.layer);
        }
    }
}

async fn stack() {
    let books = Books::new();
    let layer = bartizan::stack()
        .with_telemetry(&books.telemetry)
        .with_access_log(books.log.clone())
        .build()
        .unwrap();
    let ended = || {
        let ended = books.durations("http.server.request.duration");
        assert_eq!(ended, books.ended_spans(), "as many spans as durations");
        assert_eq!(ended, books.lines(), "as many lines as durations");
        ended
    };
    let under_way = || books.active("http.server.active_requests");
    prove(&layer, under_way, ended).await;
    // All of the suite's answers are alike, and its drops: with the error, three series.
    assert_eq!(books.series("http.server.request.duration"), 3);
    prove_on_router(|router| router.layer(layer.clone()), under_way, ended).await;
    // One more for each protocol version.
    assert_eq!(books.series("http.server.request.duration"), 5);
}

async fn trace() {
    let books = Books::new();
    let layer = TraceLayer::new(&books.telemetry);
    let (open, ended) = (|| books.open_spans(), || books.ended_spans());
    prove(&layer, open, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), open, ended).await;
}

async fn metrics() {
    let books = Books::new();
    let layer = MetricsLayer::new(&books.telemetry);
    let under_way = || books.active("http.server.active_requests");
    let ended = || books.durations("http.server.request.duration");
    prove(&layer, under_way, ended).await;
    assert_eq!(books.series("http.server.request.duration"), 3);
    prove_on_router(|router| router.layer(layer.clone()), under_way, ended).await;
    assert_eq!(books.series("http.server.request.duration"), 5);
}

async fn request_log() {
    let books = Books::new();
    let layer = RequestLogLayer::new(books.log.clone());
    prove(&layer, || 0, || books.lines()).await;
    prove_on_router(|router| router.layer(layer.clone()), || 0, || books.lines()).await;
}

async fn breaker() {
    let books = Books::new();
    let config = bartizan::breaker::Config::default();
    let layer = CircuitBreakerLayer::new("service", config, &books.telemetry);
    let ended = || books.counted("bartizan.breaker.calls");
    prove(&layer, || 0, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), || 0, ended).await;
}

async fn rate_limit() {
    let books = Books::new();
    let quota = bartizan::rate_limit::Quota::new(1_000, Duration::from_secs(1), 1_000);
    let policy = bartizan::rate_limit::Policy::new("all", quota.unwrap());
    let layer = RateLimitLayer::new([policy], &books.telemetry).unwrap();
    let ended = || books.counted("bartizan.rate_limit.requests");
    prove(&layer, || 0, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), || 0, ended).await;
}

async fn shared_limit() {
    let books = Books::new();
    let quota = bartizan::rate_limit::Quota::new(1_000, Duration::from_secs(1), 1_000);
    let policy = bartizan::rate_limit::Policy::new("all", quota.unwrap());
    let store = bartizan::shared_limit::MemoryStore::default();
    let layer = SharedLimitLayer::new([policy], store, &books.telemetry).unwrap();
    let ended = || books.counted("bartizan.rate_limit.requests");
    prove(&layer, || 0, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), || 0, ended).await;
}

async fn bulkhead() {
    let books = Books::new();
    let config = bartizan::bulkhead::Config::builder(100).build().unwrap();
    let layer = BulkheadLayer::new("service", config, &books.telemetry);
    let under_way = || i64::try_from(layer.handle().snapshot().in_flight).unwrap();
    let ended = || books.counted("bartizan.bulkhead.calls");
    prove(&layer, under_way, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), under_way, ended).await;
}

async fn client() {
    let books = Books::new();
    let layer = ClientLayer::new(&books.telemetry);
    let ended = || {
        let ended = books.durations("http.client.request.duration");
        assert_eq!(ended, books.ended_spans(), "as many spans as durations");
        ended
    };
    prove(
        &layer,
        || books.active("http.client.active_requests"),
        ended,
    )
    .await;
    assert_eq!(books.series("http.client.active_requests"), 1);
}

/// The suite of the testkit, and that each call is told of once. `under_way` is a gauge, `ended`
/// only grows.
async fn prove<L>(layer: &L, under_way: impl Fn() -> i64, ended: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    contract::calls_the_readied_instance(layer).await;
    contract::clones_start_unreadied(layer).await;
    contract::passes_pending_and_registers_waker(layer).await;
    assert_eq!(ended(), 5, "five calls were answered");
    contract::passes_errors_unchanged(layer).await;
    assert_eq!(ended(), 6, "an error of the call is told of once");

    contract::dropped_before_first_poll_releases(layer, &under_way).await;
    assert_eq!(ended(), 8, "a call dropped unpolled is told of once");
    contract::dropped_while_pending_releases(layer, &under_way).await;
    assert_eq!(ended(), 10, "a call dropped while pending is told of once");

    contract::shares_state_across_layer_calls(layer, &ended).await;
    assert_eq!(ended(), 12);
    assert_eq!(under_way(), 0);
}

/// The state is the same on every connection of a server.
async fn prove_on_router(
    layered: impl Fn(Router) -> Router,
    under_way: impl Fn() -> i64,
    ended: impl Fn() -> i64,
) {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let router = layered(Router::new().route("/{n}", on_get(|| async { "ok" })));
        let before = ended();
        let answers = over_connections(router, 4, version, |n| get(&format!("/{n}"))).await;
        assert!(
            answers
                .unwrap()
                .iter()
                .all(|answer| answer.body() == "ok" && answer.version() == version)
        );
        assert_eq!(ended() - before, 4, "{version:?}");
        assert_eq!(under_way(), 0, "{version:?}");
    }
}
