//! What the rows are held against: all that they do besides deciding.

use std::future::poll_fn;
use std::hint::black_box;

use tower_service::Service;

use super::addresses::Addresses;
use super::upstream::{Axum, Served, upstream};
use crate::breakers::through::Through;
use crate::breakers::upstream::Ask;
use crate::measure::now;

/// Another with a clock reading before it, which every limiter needs that is not told the time.
#[derive(Debug)]
pub(super) struct Clocked<T>(pub(super) T);

/// An address, and nothing that is decided about it.
#[derive(Debug)]
pub(super) struct Undecided(pub(super) Addresses);

/// A service that is cloned and readied and not called, which is the least that a rejection costs.
#[derive(Debug)]
pub(super) struct Uncalled(pub(super) Addresses);

/// The service with nothing around it.
pub(super) fn bare(addresses: Addresses) -> Served<Axum> {
    let service = upstream();
    Served { service, addresses }
}

// === impl Clocked ===

impl<T: Through> Through for Clocked<T> {
    async fn call(&self, ask: &Ask) -> bool {
        black_box(now());
        self.0.call(ask).await
    }
}

// === impl Undecided ===

impl Through for Undecided {
    async fn call(&self, _: &Ask) -> bool {
        black_box(self.0.next());
        true
    }
}

// === impl Uncalled ===

impl Through for Uncalled {
    async fn call(&self, ask: &Ask) -> bool {
        let mut service = upstream();
        black_box(poll_fn(|cx| service.poll_ready(cx)).await.is_ok());
        drop(black_box(self.0.request(ask)));
        false
    }
}
