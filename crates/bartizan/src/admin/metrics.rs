//! `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bartizan_observe::exposition::Format;

use super::router::Facts;
use crate::Problem;

pub(super) async fn metrics(State(facts): State<Arc<Facts>>, headers: HeaderMap) -> Response {
    let Some(exposition) = facts.telemetry.exposition().cloned() else {
        return Problem::new(StatusCode::NOT_FOUND)
            .with_detail("the telemetry was built without an exposition of its metrics")
            .into_response();
    };
    let format = Format::negotiate(headers.get_all(header::ACCEPT));
    // It runs callbacks of the application's and takes milliseconds.
    let page = tokio::task::spawn_blocking(move || exposition.page(format)).await;
    match page {
        Ok(Ok(page)) => (
            [
                (header::CONTENT_TYPE, page.format.content_type()),
                (header::VARY, HeaderValue::from_static("accept")),
            ],
            page.text,
        )
            .into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "no metrics for a scrape");
            unavailable()
        }
        Err(error) => {
            tracing::error!(%error, "the exposition of the metrics panicked");
            unavailable()
        }
    }
}

/// An empty page would say that all series have ended.
fn unavailable() -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .with_detail("the metrics cannot be collected")
        .into_response()
}
