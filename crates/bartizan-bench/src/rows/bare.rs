//! The floor: the router alone, and the router with a layer that does nothing.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use tower_layer::Layer;
use tower_service::Service;

use super::{Expected, NoPipelines, Row};
use crate::exchange;
use crate::sinks::Seen;

/// Changes nothing. `tower::layer::util::Identity` would add no service at all, and axum would
/// still box the route: this is what the first real layer can't go below.
#[derive(Debug, Clone, Copy)]
struct Nothing;

#[derive(Debug, Clone)]
struct NothingAround<S>(S);

pub(super) fn bare() -> Row {
    row("bare", "axum Router alone", exchange::app())
}

pub(super) fn one_layer() -> Row {
    row(
        "bare_layer",
        "Router, one layer that does nothing",
        exchange::app().layer(Nothing),
    )
}

fn row(name: &'static str, about: &'static str, router: Router) -> Row {
    Row {
        name,
        about,
        router,
        subscriber: None,
        expected: Expected::default(),
        seen: Arc::new(Seen::default()),
        pipelines: Box::new(NoPipelines),
    }
}

// === impl Nothing ===

impl<S> Layer<S> for Nothing {
    type Service = NothingAround<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NothingAround(inner)
    }
}

// === impl NothingAround ===

impl<S: Service<R>, R> Service<R> for NothingAround<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}
