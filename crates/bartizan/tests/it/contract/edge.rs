//! The layers of the edge, which count nothing themselves.

use axum::Router;
use bartizan::{CorsLayer, MetricsLayer};
use bartizan_testkit::contract::{HttpService, Inner};
use http::HeaderName;
use tower::Layer;
use tower::layer::util::Stack;

use super::books::Books;
use super::{prove, prove_on_router};

/// What is around such a layer while it is looked at.
pub(super) const OF_THE_METRICS_LAYER: &str = "of a `MetricsLayer` around it";

const DURATION: &str = "http.server.request.duration";
const ACTIVE: &str = "http.server.active_requests";

/// One layer alone, with a layer around it that counts.
pub(super) async fn single<L>(layer: L, layered: impl Fn(L, Router) -> Router)
where
    L: Layer<Inner> + Clone,
    Stack<L, MetricsLayer>: Layer<Inner, Service: HttpService>,
{
    let books = Books::new();
    let metrics = MetricsLayer::new(&books.telemetry);
    let (under_way, ended) = (|| books.active(ACTIVE), || books.durations(DURATION));
    let both = Stack::new(layer.clone(), metrics.clone());
    prove(&both, under_way, ended).await;
    let router = |router| layered(layer.clone(), router).layer(metrics.clone());
    prove_on_router(router, under_way, ended).await;
}

/// All of them, in the stack's order.
pub(super) async fn stack() {
    let books = Books::new();
    let layer = bartizan::stack()
        .with_telemetry(&books.telemetry)
        .with_access_log(books.log.clone())
        .with_sensitive_headers([HeaderName::from_static("x-key")])
        .with_cors(CorsLayer::any_origin())
        .with_catch_panic()
        .with_body_limit(100)
        .with_decompression()
        .build()
        .unwrap();
    let (under_way, ended) = (|| books.active(ACTIVE), || books.durations(DURATION));
    prove(&layer, under_way, ended).await;
    prove_on_router(|router| router.layer(layer.clone()), under_way, ended).await;
}
