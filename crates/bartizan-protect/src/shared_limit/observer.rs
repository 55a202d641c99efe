use std::time::Duration;

use super::{Ask, Decision, Grant};
use crate::{BoxError, breaker};

/// Is told what a limiter does. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock; what it does is time that the call waits.
pub trait Observer: Send + Sync + 'static {
    /// What is kept for each policy, such as its instruments, so that nothing has to be looked up
    /// for a call.
    type Policy: Send + Sync + 'static;

    /// Who is told what the breaker around the store does.
    type Breaker: breaker::Observer;

    /// A policy of that name, of a limiter that is being made.
    fn policy(&self, name: &str) -> Self::Policy;

    /// The observer of the breaker of a limiter that is being made.
    fn breaker(&self) -> Self::Breaker;

    /// A policy has decided.
    fn decided(&self, policy: &Self::Policy, decision: &Decision) {
        let _ = (policy, decision);
    }

    /// A request has no key for a policy, and is treated by its
    /// [`MissingKey`](crate::rate_limit::MissingKey): for the `first` time since it was made, which is
    /// worth a warning, or once more.
    fn key_missing(&self, policy: &Self::Policy, first: bool) {
        let _ = (policy, first);
    }

    /// The store was asked, and has answered as it should.
    fn store_answered(&self, took: Duration) {
        let _ = took;
    }

    /// The store was asked and has not done as it should: for the `first` time since it was well,
    /// which is worth a warning, or once more. It is not asked while the breaker is open.
    fn store_failed(&self, failure: &StoreFailure, took: Duration, first: bool) {
        let _ = (failure, took, first);
    }

    /// The store does again as it should.
    fn store_recovered(&self) {}
}

impl Observer for () {
    type Policy = ();
    type Breaker = ();

    fn policy(&self, _: &str) -> Self::Policy {}

    fn breaker(&self) -> Self::Breaker {}
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
    /// The policy alone: the request has no key and has to have one, or costs more than there is.
    Policy,
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

// === impl By ===

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lease, Self::Store, Self::StoreDown, Self::Policy];

    /// Its name, for labels: `lease`, `store`, `store_down` or `policy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Store => "store",
            Self::StoreDown => "store_down",
            Self::Policy => "policy",
        }
    }
}

// === impl StoreFailure ===

impl StoreFailure {
    /// What kind it is, for labels: `late`, `failed` or `bad_answer`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Late(_) => "late",
            Self::Failed(_) => "failed",
            Self::BadAnswer { .. } => "bad_answer",
        }
    }
}
