use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;

use super::leases::Step;
use super::observer::By;
use super::shared::Shared;
use super::{Counts, Observer, Refusal, Rejected, SharedLimiterBuilder, Store};
use crate::InvalidConfig;
use crate::breaker::Breaker;
use crate::rate_limit::{Head, Keys, Quota, hash_text};

/// A limiter whose budgets are in a store that replicas share, and the handle of one: clones are the
/// same.
///
/// A [`SharedLimitLayer`](super::SharedLimitLayer) has one, and whatever is no HTTP call can ask it
/// by [`acquire`](Self::acquire).
pub struct SharedLimiter<St, O: Observer = ()>(pub(super) Arc<Shared<St, O>>);

/// A decision, or the way to one.
pub(super) enum Start {
    Decided(Result<(), Rejected>),
    Asking(Asking),
}

pub(super) type Asking = Pin<Box<dyn Future<Output = Result<(), Rejected>> + Send>>;

// === impl SharedLimiter ===

impl<St: Store> SharedLimiter<St> {
    /// A limiter that is called `name` in all that is said of it, and in the store.
    pub fn builder(name: &str, keys: Keys, quota: Quota, store: St) -> SharedLimiterBuilder<St> {
        SharedLimiterBuilder::new(name, keys, quota, store)
    }

    /// The same with everything at its default.
    ///
    /// # Errors
    ///
    /// As [`SharedLimiterBuilder::build`].
    pub fn new(name: &str, keys: Keys, quota: Quota, store: St) -> Result<Self, InvalidConfig> {
        Self::builder(name, keys, quota, store).build()
    }
}

impl<St: Store, O: Observer> SharedLimiter<St, O> {
    /// Asks for one unit of the budget of `key`. `None` is a key that is
    /// [missing](crate::rate_limit::MissingKey).
    ///
    /// Waits for the store, and where somebody else is asking it already, for that: for the
    /// [deadline](SharedLimiterBuilder::with_deadline) each.
    ///
    /// # Errors
    ///
    /// When it is not let through.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it may have been charged all the same; others that wait for its
    /// answer ask for themselves.
    pub async fn acquire(&self, key: Option<&str>) -> Result<(), Rejected> {
        let shared = &self.0;
        let key = shared.key(None, |hasher| {
            if !shared.keys.is_global() {
                hash_text(key?, hasher);
            }
            Some(())
        });
        match self.start_for(key) {
            Start::Decided(result) => result,
            Start::Asking(asking) => asking.await,
        }
    }

    pub(super) fn start(&self, parts: &Parts) -> Start {
        let shared = &self.0;
        let peer = shared.peer.as_ref().and_then(|peer| peer(parts));
        let head = Head { parts, peer };
        let key = shared.key(peer, |hasher| shared.keys.hash(head, hasher));
        self.start_for(key)
    }

    fn start_for(&self, key: Option<u128>) -> Start {
        let shared = &self.0;
        let Some(key) = key else {
            return Start::Decided(shared.decide(By::MissingKey, Some(Refusal::KeyMissing), None));
        };
        let now = shared.timer.now();
        match shared.leases.step(key, now) {
            Step::Taken => Start::Decided(shared.decide(By::Lease, None, None)),
            Step::Refused(wait) => Start::Decided(shared.refuse(By::Lease, wait)),
            step => Start::Asking(Box::pin(Arc::clone(&self.0).ask(key, step, now))),
        }
    }

    /// How many units a replica takes ahead at most for one key: so many more than the quota may
    /// pass, for each replica.
    #[must_use]
    pub fn lease(&self) -> u32 {
        self.0.leases.terms().most
    }

    /// What it has done since it was made.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counts.read()
    }

    /// The breaker around the store, to look at and to operate.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }
}

impl<St, O: Observer> Clone for SharedLimiter<St, O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<St, O: Observer> fmt::Debug for SharedLimiter<St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimiter")
            .field("name", &self.0.name)
            .field("quota", &self.0.quota)
            .finish_non_exhaustive()
    }
}
