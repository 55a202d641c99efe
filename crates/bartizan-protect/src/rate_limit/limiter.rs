use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;

use super::core::{Core, Subject};
use super::keys::Head;
use super::{
    Decisions, Mode, Observer, Policy, Quota, RateLimiterBuilder, Rejected, Reservation, Snapshot,
    Usage,
};

/// A rate limiter, and the handle of one: clones are the same.
///
/// A [`RateLimitLayer`](super::RateLimitLayer) has one, and whatever is no HTTP call can ask it by
/// [`try_acquire`](Self::try_acquire).
///
/// ```
/// use std::time::Duration;
/// use bartizan_protect::rate_limit::{Keys, Policy, Quota, RateLimiter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let quota = Quota::new(1, Duration::from_secs(1), 100)?;
/// let tokens = Policy::new("tokens", quota).with_keys(Keys::by(|_| None));
/// let limiter = RateLimiter::builder().with_policy(tokens).build()?;
///
/// let mut reservation = limiter.try_acquire(Some("acme"), 80)?;
/// assert!(limiter.try_acquire(Some("acme"), 80).is_err());
/// // It took less than expected.
/// reservation.settle("tokens", 10)?;
/// assert!(limiter.try_acquire(Some("acme"), 80).is_ok());
/// # Ok(())
/// # }
/// ```
pub struct RateLimiter<O: Observer = ()>(pub(super) Arc<Shared<O>>);

pub(super) struct Shared<O: Observer> {
    pub(super) core: Arc<Core>,
    pub(super) data: Box<[O::Policy]>,
    pub(super) observer: O,
    pub(super) arrival: Option<Arc<ArrivalFn>>,
}

pub(super) type ArrivalFn = dyn Fn(&Parts) -> Option<Instant> + Send + Sync;

/// A limiter has no policy of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: {policy} is none of {known}")]
pub struct UnknownPolicy {
    policy: String,
    known: String,
}

// === impl UnknownPolicy ===

impl UnknownPolicy {
    pub(crate) fn new<'a>(policy: &str, known: impl Iterator<Item = &'a Policy>) -> Self {
        let known: Vec<&str> = known.map(|policy| &*policy.name).collect();
        Self {
            policy: policy.to_owned(),
            known: known.join(", "),
        }
    }
}

// === impl RateLimiter ===

impl RateLimiter {
    /// A limiter without policies yet, that reports to nobody.
    pub fn builder() -> RateLimiterBuilder {
        RateLimiterBuilder::default()
    }
}

impl<O: Observer> RateLimiter<O> {
    /// Asks for `cost` units at once, of `key` by every policy that has keys. `None` is a key that
    /// is [missing](super::MissingKey). Nothing is asked for by a cost of 0.
    ///
    /// The policies' own costs, keys and overrides are of requests, and not asked.
    ///
    /// # Errors
    ///
    /// When a policy does not let it through. None is charged then.
    pub fn try_acquire(&self, key: Option<&str>, cost: u32) -> Result<Reservation, Rejected> {
        let mut decisions = Decisions::default();
        if let Some(cost) = NonZeroU32::new(cost) {
            let subject = Subject::Other { key, cost };
            self.decide(&subject, self.0.core.timer.now(), &mut decisions);
        }
        match Rejected::new(&self.0.core, &decisions, false) {
            Some(rejected) => Err(rejected),
            None => Ok(Reservation::new(Arc::clone(&self.0.core), decisions)),
        }
    }

    /// What the policies say to a request. Charges them if they let it through, and none if not.
    #[must_use = "a request that is not let through must not be served"]
    pub fn check(&self, request: &Parts) -> Decisions {
        let mut decisions = Decisions::default();
        self.check_into(request, &mut decisions);
        decisions
    }

    /// The same in place of what `decisions` were before, which spares the copy of all the room that
    /// they have.
    pub fn check_into(&self, request: &Parts, decisions: &mut Decisions) {
        decisions.clear();
        let Shared { core, arrival, .. } = &*self.0;
        let arrival = arrival.as_ref().and_then(|arrival| arrival(request));
        let now = arrival.unwrap_or_else(|| core.timer.now());
        let peer = core.peer(request);
        let head = Head {
            parts: request,
            peer: peer.as_ref(),
        };
        self.decide(&Subject::Request(head), now, decisions);
    }

    /// How the policies stand, in their order.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.0.core.limits.iter().map(Snapshot::of).collect()
    }

    /// The `most` keys of a policy that have the least left of their budgets, the least first.
    ///
    /// Goes through the whole table, of which requests wait for 64 sets at a time at most.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn top(&self, policy: &str, most: usize) -> Result<Vec<Usage>, UnknownPolicy> {
        let core = &self.0.core;
        let limit = &core.limits[core.find(policy)?];
        Ok(Usage::top(limit, most, core.time(core.timer.now())))
    }

    /// Goes on with another quota, from the next request on.
    ///
    /// What is kept of a key is the time at which its budget is full. That stays, and is read by the
    /// new quota: who has just used up a burst of the old one waits for as long as before, but never
    /// for longer than two bursts of the new one take. Those with a quota of
    /// [their own](super::Policy::with_overrides) keep it.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn set_quota(&self, policy: &str, quota: Quota) -> Result<(), UnknownPolicy> {
        let core = &self.0.core;
        core.limits[core.find(policy)?].table.update(quota);
        Ok(())
    }

    /// Has a policy mean it, or not, from the next request on.
    ///
    /// # Errors
    ///
    /// When there is no such policy.
    pub fn set_mode(&self, policy: &str, mode: Mode) -> Result<(), UnknownPolicy> {
        let core = &self.0.core;
        core.limits[core.find(policy)?].mode.set(mode);
        Ok(())
    }

    /// How many bytes the tables have on the heap, whatever comes in: what it was made with, and
    /// never more. Where the system's mutexes are on the heap (Apple's), those of a table come on
    /// top, at most 256.
    #[must_use]
    pub fn memory(&self) -> usize {
        let tables = self.0.core.limits.iter().map(|limit| limit.table.bytes());
        tables.sum()
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0.core
    }

    fn decide(&self, subject: &Subject<'_>, now: Instant, decisions: &mut Decisions) {
        let Shared {
            core,
            data,
            observer,
            ..
        } = &*self.0;
        let keyless = |at: usize, first| observer.key_missing(&data[at], first);
        core.decide(subject, now, keyless, decisions);
        if core.knows_names {
            core.keep_names(subject, decisions);
        }
        for (at, decision) in decisions.iter() {
            observer.decided(&data[at], decision);
        }
    }
}

impl<O: Observer> Clone for RateLimiter<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Observer> fmt::Debug for RateLimiter<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = self.0.core.limits.iter();
        f.debug_struct("RateLimiter")
            .field(
                "policies",
                &limits.map(|it| &it.policy.name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
