//! How a limiter comes by a decision.

use std::future::Future;
use std::hash::Hasher;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::request::Parts;

use super::counts::Counters;
use super::hash::SipHasher128;
use super::leases::{Leases, Refill, Step};
use super::observer::{By, Decision, StoreFailure};
use super::{Ask, Grant, Observer, Refusal, Rejected, Store, StoreDown, StoreKey};
use crate::Timer;
use crate::breaker::{Breaker, Outcome};
use crate::rate_limit::{Keys, MissingKey, Quota, hash_peer};

pub(super) struct Shared<St, O> {
    pub(super) name: Arc<str>,
    pub(super) keys: Keys,
    pub(super) quota: Quota,
    pub(super) local: Quota,
    pub(super) store: St,
    pub(super) leases: Arc<Leases>,
    pub(super) breaker: Breaker,
    pub(super) timer: Timer,
    pub(super) deadline: Duration,
    pub(super) down: StoreDown,
    pub(super) secret: [u8; 16],
    pub(super) peer: Option<Arc<PeerFn>>,
    pub(super) missing: MissingKey,
    pub(super) observer: O,
    pub(super) counts: Counters,
    /// Whether the store has failed when it was asked last.
    pub(super) is_failing: AtomicBool,
    pub(super) had_keyless: AtomicBool,
}

pub(super) type PeerFn = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// The store does not decide. How long the breaker leaves it alone, if it does.
struct Down(Option<Duration>);

// === impl Shared ===

impl<St: Store, O: Observer> Shared<St, O> {
    /// The key, or what stands in for one that is not there.
    pub(super) fn key(
        &self,
        peer: Option<IpAddr>,
        write: impl FnOnce(&mut SipHasher128) -> Option<()>,
    ) -> Option<u128> {
        let mut hasher = SipHasher128::new(&self.secret);
        if write(&mut hasher).is_none() {
            let first = !self.had_keyless.swap(true, Ordering::Relaxed);
            self.observer.key_missing(first);
            hasher = SipHasher128::new(&self.secret);
            match (self.missing, peer) {
                (MissingKey::Deny, _) => return None,
                (MissingKey::Peer, Some(peer)) => hash_peer(peer, &mut hasher),
                // Every key but that of all is longer.
                (MissingKey::Shared, _) | (MissingKey::Peer, None) => hasher.write_u8(b'?'),
            }
        }
        Some(hasher.finish128())
    }

    /// Goes on until it is decided; at most for as long as one waits for somebody else's answer, and
    /// then for one's own.
    pub(super) async fn ask(
        self: Arc<Self>,
        key: u128,
        mut step: Step,
        start: Instant,
    ) -> Result<(), Rejected> {
        let patience = start + self.deadline;
        loop {
            match step {
                Step::Taken => return self.decide(By::Lease, None, None),
                Step::Refused(wait) => return self.refuse(By::Lease, wait),
                Step::Wait(answered) => {
                    if self.within(patience, answered).await.is_none() {
                        return self.without_store(key, &Down(None));
                    }
                }
                Step::Ask(refill) => return self.refill(key, Some(refill)).await,
                Step::NoRoom => return self.refill(key, None).await,
            }
            step = self.leases.step(key, self.timer.now());
        }
    }

    /// Asks the store, for a lease if there is room for one.
    async fn refill(&self, key: u128, refill: Option<Refill>) -> Result<(), Rejected> {
        let asked = self.timer.now();
        let most = refill.as_ref().map_or(1, |refill| refill.most);
        let answer = self.trip(key, most, asked).await;
        if let (Ok(grant), Some(refill)) = (&answer, refill) {
            refill.fill(asked, grant);
        }
        match answer {
            Ok(grant) if grant.granted == 0 => self.refuse(By::Store, grant.retry_after),
            Ok(_) => self.decide(By::Store, None, None),
            Err(down) => self.without_store(key, &down),
        }
    }

    async fn trip(&self, key: u128, most: u32, now: Instant) -> Result<Grant, Down> {
        let permit = match self.breaker.try_acquire() {
            Ok(permit) => permit,
            Err(rejected) => return Err(Down(rejected.retry_after())),
        };
        let ask = Ask {
            key: StoreKey::new(&self.name, &self.quota, key),
            quota: self.quota,
            least: 1,
            most,
        };
        self.counts.asked();
        let failure = match self
            .within(now + self.deadline, self.store.grant(&ask))
            .await
        {
            Some(Ok(grant)) if grant.granted <= most => {
                permit.record(Outcome::Success);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    self.observer.store_recovered();
                }
                return Ok(Grant {
                    // Nobody waits longer than an empty budget takes to be full.
                    retry_after: grant.retry_after.min(self.quota.refill()),
                    ..grant
                });
            }
            Some(Ok(grant)) => StoreFailure::BadAnswer { ask, grant },
            Some(Err(error)) => StoreFailure::Failed(error),
            None => StoreFailure::Late(self.deadline),
        };
        permit.record(Outcome::Failure);
        self.counts.failed();
        let first = !self.is_failing.swap(true, Ordering::Relaxed);
        self.observer.store_failed(&failure, first);
        Err(Down(None))
    }

    /// What `future` says, if it does before `until`.
    async fn within<F: Future>(&self, until: Instant, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut sleep = self.timer.sleep_until(until);
        std::future::poll_fn(|cx| {
            // What is there in time is an answer, however late it is asked for.
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
            }
        })
        .await
    }

    fn without_store(&self, key: u128, down: &Down) -> Result<(), Rejected> {
        let (refusal, wait) = match self.down {
            StoreDown::Allow => (None, None),
            StoreDown::Deny => (Some(Refusal::StoreDown), down.0),
            StoreDown::LocalOnly => match self.leases.local(key, self.timer.now(), &self.local) {
                Some(grant) if grant.granted == 0 => {
                    (Some(Refusal::LocalQuotaExceeded), Some(grant.retry_after))
                }
                _ => (None, None),
            },
        };
        self.decide(By::StoreDown, refusal, wait)
    }

    pub(super) fn refuse(&self, by: By, wait: Duration) -> Result<(), Rejected> {
        self.decide(by, Some(Refusal::QuotaExceeded), Some(wait))
    }

    pub(super) fn decide(
        &self,
        by: By,
        refusal: Option<Refusal>,
        retry_after: Option<Duration>,
    ) -> Result<(), Rejected> {
        let decision = Decision { refusal, by };
        self.counts.decided(&decision);
        self.observer.decided(&decision);
        match refusal {
            None => Ok(()),
            Some(refusal) => Err(Rejected {
                name: Arc::clone(&self.name),
                refusal,
                retry_after,
            }),
        }
    }
}
