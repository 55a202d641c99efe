use std::future::poll_fn;
use std::hint::black_box;

use http::Request;
use tokio::runtime::Runtime;
use tokio::task::unconstrained;
use tower_service::Service;

use super::upstream::{Ask, Body, Upstream, calls};
use crate::BoxError;
use crate::measure::now;

/// A way to the service, whatever is around it.
pub(crate) trait Through: Send + Sync + 'static {
    /// Says whether it was answered.
    fn call(&self, ask: &Ask) -> impl Future<Output = bool>;
}

/// A tower service, cloned for each call, as servers and clients do.
#[derive(Debug)]
pub(crate) struct Layered<S>(pub(crate) S);

/// The same with the two clock readings around it that whoever wants its duration needs.
#[derive(Debug)]
pub(crate) struct TwoReadings;

/// The service, cloned and readied and not called, which is the least that a rejection costs.
#[derive(Debug)]
pub(crate) struct NotCalled;

/// The same with the one clock reading that tells whether an open circuit is still to be.
#[derive(Debug)]
pub(crate) struct NotCalledOneReading;

/// So many failures have to be enough for any breaker here.
const ENOUGH: usize = 1_000;

/// Sends `count` requests, one after the other, and says how many were answered.
pub(crate) fn send(runtime: &Runtime, through: &impl Through, count: u64) -> u64 {
    let ask = Ask::good();
    // A server gives each request a poll of its own, so that none runs out of tokio's budget.
    runtime.block_on(unconstrained(async {
        let mut answered = 0;
        for _ in 0..count {
            answered += u64::from(through.call(&ask).await);
        }
        answered
    }))
}

/// Has calls fail until none comes to the service any more.
pub(crate) fn trip(runtime: &Runtime, through: &impl Through) -> Result<(), BoxError> {
    let ask = Ask::bad();
    for failed in 0..ENOUGH {
        let before = calls();
        runtime.block_on(through.call(&ask));
        if calls() == before {
            return match failed {
                0 => Err("a breaker rejects before anything has failed".into()),
                _ => Ok(()),
            };
        }
    }
    Err(format!("a breaker is not open after {ENOUGH} failures").into())
}

/// Calls the service with nothing around it.
pub(crate) async fn upstream(ask: &Ask) -> Result<http::Response<Body>, BoxError> {
    let mut service = Upstream;
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(ask.request()).await
}

/// Of a rejection: the caller has its request all the same.
pub(crate) fn unsent(ask: &Ask) -> bool {
    drop(black_box(ask.request()));
    false
}

// === impl Layered ===

impl<S> Through for Layered<S>
where
    S: Service<Request<Body>> + Clone + Send + Sync + 'static,
{
    async fn call(&self, ask: &Ask) -> bool {
        let mut service = self.0.clone();
        if poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
            return false;
        }
        let answer = service.call(ask.request()).await;
        black_box(&answer).is_ok()
    }
}

// === impl TwoReadings ===

impl Through for TwoReadings {
    async fn call(&self, ask: &Ask) -> bool {
        let start = now();
        let answer = upstream(ask).await;
        black_box(now() - start);
        black_box(&answer).is_ok()
    }
}

// === impl NotCalled ===

impl Through for NotCalled {
    async fn call(&self, ask: &Ask) -> bool {
        let mut service = Upstream;
        black_box(poll_fn(|cx| service.poll_ready(cx)).await.is_ok());
        unsent(ask)
    }
}

// === impl NotCalledOneReading ===

impl Through for NotCalledOneReading {
    async fn call(&self, ask: &Ask) -> bool {
        black_box(now());
        NotCalled.call(ask).await
    }
}
