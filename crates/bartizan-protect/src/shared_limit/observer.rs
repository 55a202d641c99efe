use std::time::Duration;

use super::{Ask, Grant, Refusal};
use crate::BoxError;

/// Is told what a limiter does. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock; what it does is time that the call waits.
pub trait Observer: Send + Sync + 'static {
    /// A request was decided.
    fn decided(&self, decision: &Decision) {
        let _ = decision;
    }

    /// The store was asked and has not done as it should: for the `first` time since it was well,
    /// which is worth a warning, or once more. It is not asked while the breaker is open.
    fn store_failed(&self, failure: &StoreFailure, first: bool) {
        let _ = (failure, first);
    }

    /// The store does again as it should.
    fn store_recovered(&self) {}

    /// A request has no key, and is treated by the limiter's
    /// [`MissingKey`](crate::rate_limit::MissingKey): for the `first` time since it was made, which is
    /// worth a warning, or once more.
    fn key_missing(&self, first: bool) {
        let _ = first;
    }
}

impl Observer for () {}

/// What has become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Why it was rejected, if it was.
    pub refusal: Option<Refusal>,
    /// What has decided it.
    pub by: By,
}

/// What has decided a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By {
    /// What the store has said before: a lease, or a refusal that still holds.
    Lease,
    /// The store, which was asked for it.
    Store,
    /// The limiter's [`StoreDown`](super::StoreDown), without the store.
    StoreDown,
    /// Nobody: it has to have a key.
    MissingKey,
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It has not answered in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// It has failed, with this.
    #[error("{0}")]
    Failed(#[source] BoxError),
    /// What it has answered is no answer.
    #[error("{} units are no grant of {} to {}", grant.granted, ask.least, ask.most)]
    BadAnswer {
        /// What it was asked.
        ask: Ask,
        /// What it has said.
        grant: Grant,
    },
}
