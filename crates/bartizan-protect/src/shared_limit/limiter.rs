use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use http::request::Parts;

use super::limit::{Limit, Question};
use super::shared::{Shared, Start};
use super::{Counts, Observer, Rejected, Reservation, SharedLimiterBuilder, Store};
use crate::breaker::Breaker;
use crate::rate_limit::{Answers, Head, Mode, Quota, Subject, UnknownPolicy};

/// A limiter whose budgets are in a store that replicas share, and the handle of one: clones are the
/// same.
///
/// A [`SharedLimitLayer`](super::SharedLimitLayer) has one, and whatever is no HTTP call can ask it
/// by [`acquire`](Self::acquire).
pub struct SharedLimiter<St, O: Observer = ()>(pub(super) Arc<Shared<St, O>>);

// === impl SharedLimiter ===

impl<St: Store> SharedLimiter<St> {
    /// A limiter without policies yet, that reports to nobody.
    pub fn builder(store: St) -> SharedLimiterBuilder<St> {
        SharedLimiterBuilder::new(store)
    }
}

impl<St: Store, O: Observer> SharedLimiter<St, O> {
    /// Asks for `cost` units at once, of `key` by every policy that has keys. `None` is a key that
    /// is [missing](crate::rate_limit::MissingKey). Nothing is asked for by a cost of 0.
    ///
    /// The policies' own costs, keys and overrides are of requests, and not asked.
    ///
    /// Waits for the store, and where somebody else is asking it already, for that: for the
    /// [deadline](SharedLimiterBuilder::with_deadline) each.
    ///
    /// # Errors
    ///
    /// When a policy does not let it through. None is charged then.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it gives back what it has taken of leases; others that wait for its
    /// answer ask for themselves. What the store is about to give it is lost.
    pub async fn acquire(&self, key: Option<&str>, cost: u32) -> Result<Reservation, Rejected> {
        let questions = match NonZeroU32::new(cost) {
            Some(cost) => self.questions(Subject::Other { key, cost }),
            None => Vec::new(),
        };
        let passed = match self.0.start(questions, Answers::None) {
            Start::Decided(result) => result,
            Start::Asking(asking) => asking.await,
        };
        passed.map(|passed| passed.reservation)
    }

    pub(super) fn start(&self, parts: &Parts, answers: Answers) -> Start {
        let peer = self.0.peer.as_ref().and_then(|peer| peer(parts));
        let peer = peer.as_ref();
        let head = Head { parts, peer };
        self.0
            .start(self.questions(Subject::Request(head)), answers)
    }

    fn questions(&self, subject: Subject<'_>) -> Vec<Question> {
        let Shared { data, observer, .. } = &*self.0;
        let keyless = |at: usize, first| observer.key_missing(&data[at], first);
        self.0.limits.questions(subject, keyless)
    }

    /// Goes on with another quota, from the next request on.
    ///
    /// A budget of another quota is another budget: everybody has all of it, and what is leased of
    /// the old one is not used any more. While replicas have different ones, such as in the middle
    /// of a deployment, each keeps to its own, and a client has what all of them give together.
    /// Those with a quota of [their own](crate::rate_limit::Policy::with_overrides) keep it.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn set_quota(&self, policy: &str, quota: Quota) -> Result<(), UnknownPolicy> {
        self.limit(policy)?.set_quota(quota);
        Ok(())
    }

    /// Has a policy mean it, or not, from the next request on.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn set_mode(&self, policy: &str, mode: Mode) -> Result<(), UnknownPolicy> {
        self.limit(policy)?.mode.set(mode);
        Ok(())
    }

    /// What a policy allows.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn quota(&self, policy: &str) -> Result<Quota, UnknownPolicy> {
        Ok(self.limit(policy)?.quota())
    }

    /// How many units of a policy a replica takes ahead at most for one key: so many more than the
    /// quota may pass, for each replica.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn lease(&self, policy: &str) -> Result<u32, UnknownPolicy> {
        let limit = self.limit(policy)?;
        Ok(limit.leases.terms(&limit.quota()).most)
    }

    /// What it has done since it was made.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counts.read()
    }

    /// The breaker around the store, to look at and to operate.
    #[must_use]
    pub fn breaker(&self) -> &Breaker<O::Breaker> {
        &self.0.store.breaker
    }

    fn limit(&self, policy: &str) -> Result<&Limit, UnknownPolicy> {
        let limits = &self.0.limits;
        Ok(&limits.all[limits.find(policy)?])
    }
}

impl<St, O: Observer> Clone for SharedLimiter<St, O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<St, O: Observer> fmt::Debug for SharedLimiter<St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policies = self.0.limits.all.iter().map(|limit| &limit.policy);
        f.debug_struct("SharedLimiter")
            .field("policies", &policies.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
