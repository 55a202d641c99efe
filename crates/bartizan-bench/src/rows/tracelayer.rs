//! tower-http's `TraceLayer` with one JSON line a request.

use std::sync::Arc;

use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::{Dispatch, Level};

use super::{Expected, NoPipelines, Row};
use crate::exchange;
use crate::sinks::{DiscardLines, Seen};

/// As its documentation shows for logs at INFO: the span and the response line at that level (both
/// are at DEBUG by default), the request line left at DEBUG, where the subscriber refuses it.
pub(super) fn json() -> Row {
    let seen = Arc::new(Seen::default());
    let lines = DiscardLines(Arc::clone(&seen));
    let layer = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    Row {
        name: "tracelayer_json",
        about: "tower-http TraceLayer, a JSON line at INFO",
        router: exchange::app().layer(layer),
        subscriber: Some(Box::new(move || {
            Dispatch::new(
                tracing_subscriber::fmt()
                    .json()
                    .with_max_level(Level::INFO)
                    .with_writer(lines.clone())
                    .finish(),
            )
        })),
        expected: Expected {
            line: true,
            ..Expected::default()
        },
        seen,
        pipelines: Box::new(NoPipelines),
    }
}
