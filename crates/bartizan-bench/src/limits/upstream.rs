//! The service that all layers are around: the one of the breakers, answering as axum does, and
//! asked by clients with addresses.

use std::future::poll_fn;
use std::hint::black_box;

use http::{Request, Response, StatusCode};
use tower::util::MapResponse;
use tower_service::Service;

use super::addresses::Addresses;
use crate::breakers::through::Through;
use crate::breakers::upstream::{Ask, Body, Upstream};

/// A tower service, cloned for each request, as servers do.
#[derive(Debug)]
pub(super) struct Served<S> {
    pub(super) service: S,
    pub(super) addresses: Addresses,
}

/// Some limiters say no in bodies of axum's.
pub(super) type Axum = MapResponse<Upstream, fn(Response<Body>) -> Response<axum::body::Body>>;

pub(super) fn upstream() -> Axum {
    MapResponse::new(Upstream, |response| {
        response.map(|_| axum::body::Body::empty())
    })
}

// === impl Served ===

impl<S, R> Through for Served<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + Sync + 'static,
{
    async fn call(&self, ask: &Ask) -> bool {
        let mut service = self.service.clone();
        if poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
            return false;
        }
        let answer = service.call(self.addresses.request(ask)).await;
        // Some limiters make an answer of a rejection.
        matches!(black_box(&answer), Ok(it) if it.status() == StatusCode::OK)
    }
}
