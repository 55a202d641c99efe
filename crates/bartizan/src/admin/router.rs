use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::get;
use bartizan_observe::telemetry::Telemetry;
use tokio::time::Instant;

use super::probe::Probe;
use super::{health, info, log_level, metrics};
use crate::config::Effective;
use crate::{BodyLimitLayer, CatchPanicLayer, Lifecycle, Problem};

/// What a body may have here: directives are short.
const BODY_LIMIT: usize = 16 * 1024;

/// What the routes answer from.
#[derive(Debug)]
pub(super) struct Facts {
    /// Name and version.
    pub(super) service: Option<(Cow<'static, str>, Cow<'static, str>)>,
    pub(super) build: BTreeMap<String, String>,
    pub(super) config: Option<Effective>,
    pub(super) probes: Vec<Arc<Probe>>,
    pub(super) lifecycle: Lifecycle,
    pub(super) telemetry: Telemetry,
    pub(super) started: Instant,
}

pub(super) fn router(facts: Facts, routes: Router) -> Router {
    let log_level = get(log_level::get)
        .put(log_level::put)
        .delete(log_level::delete);
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/info", get(info::info))
        .route("/log-level", log_level)
        .with_state(Arc::new(facts))
        .merge(routes)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(BodyLimitLayer::new(BODY_LIMIT))
        .layer(CatchPanicLayer::new())
        .layer(map_response(uncached))
}

async fn unknown(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(StatusCode::NOT_FOUND).with_detail(format!("the admin port has no {path}"))
}

async fn not_allowed(method: Method) -> Problem {
    let method: String = method.as_str().chars().take(20).collect();
    Problem::new(StatusCode::METHOD_NOT_ALLOWED).with_detail(format!("not with {method}"))
}

/// Every answer is one of the moment.
async fn uncached<B>(mut response: Response<B>) -> impl IntoResponse
where
    Response<B>: IntoResponse,
{
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
