use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::charge::{Charge, Held, Purse};
use super::clock::nanos;
use super::lease::{Lease, Left, Take, Terms, Want};
use super::refill::Refill;
use super::waiting::{Waiting, Wanted};
use super::{Grant, gcra};
use crate::MAX_DURATION;
use crate::rate_limit::{self, Quota};

/// The leases of the keys that were here last, as many as there is room for.
///
/// A key has a few places that it can be in, so that room for a new one is found without looking at
/// all of them: what goes is a lease that is spent, or else the one that nobody has used for longest,
/// whose units are lost. A key that the store is being asked for stays.
#[derive(Debug)]
pub(super) struct Leases {
    sets: Box<[Mutex<Vec<Slot>>]>,
    /// Which set a key is in is nobody's business who chooses keys.
    hash: RandomState,
    rules: Rules,
}

/// What leases are like, whatever the quota is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Which part of a burst one may be.
    pub(super) share: f64,
    /// For how long one is good, if not for as long as the quota's rate is for.
    pub(super) time: Option<Duration>,
    /// Into how many parts a quota is divided while the store is down.
    pub(super) replicas: NonZeroU32,
}

/// Whose budget, and how large: with another quota it is another one, here as in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) hash: u128,
    pub(super) quota: Quota,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    lease: Lease,
    /// Who waits for the store's answer, while somebody is asking it.
    asking: Option<Arc<Notify>>,
    used: u64,
    /// When the budget is full that the key has here while the store is down.
    local: u64,
}

/// What a request does next.
#[derive(Debug)]
pub(super) enum Step {
    Known(Known),
    /// Somebody is asking the store already.
    Wait(Waiting),
    Ask(Refill),
}

/// What is known without asking.
#[derive(Debug)]
pub(super) enum Known {
    Taken(Held, Left),
    Refused(Duration, Left),
}

/// How many places a key can be in.
const PLACES: usize = 8;

// === impl Leases ===

impl Leases {
    /// Room for this many keys, rounded up to whole sets.
    pub(super) fn new(keys: usize, rules: Rules) -> Self {
        let sets = (0..keys.div_ceil(PLACES)).map(|_| Mutex::default());
        Self {
            sets: sets.collect(),
            hash: RandomState::new(),
            rules,
        }
    }

    pub(super) fn terms(&self, quota: &Quota) -> Terms {
        self.rules.terms(quota)
    }

    /// Takes `cost` units of a lease, or says how to come by them.
    pub(super) fn step(self: &Arc<Self>, key: &Key, cost: u32, now: u64) -> Step {
        self.step_in(&mut self.set(key), key, cost, now)
    }

    /// The same of a request that has waited, for what is here for it now.
    pub(super) fn again(self: &Arc<Self>, mut wanted: Wanted, now: u64) -> Step {
        let (key, cost) = wanted.take();
        let mut set = self.set(&key);
        if let Some(slot) = set.iter_mut().find(|slot| slot.key == key) {
            slot.lease.leave(cost);
        }
        self.step_in(&mut set, &key, cost, now)
    }

    fn step_in(self: &Arc<Self>, set: &mut Vec<Slot>, key: &Key, cost: u32, now: u64) -> Step {
        let (quota, terms) = (&key.quota, self.terms(&key.quota));
        let Some(slot) = self.slot(set, key, now) else {
            let want = Want {
                least: cost,
                most: cost,
            };
            let none = Held::new(Charge::of_lease(self, key, 0, now));
            return Step::Ask(Refill::new(self, key, want, none, None));
        };
        let take = slot.lease.take(cost, now, quota, terms);
        let left = slot.lease.left(now, quota);
        match take {
            Take::Taken { until } => {
                let charge = Charge::of_lease(self, key, cost, until);
                Step::Known(Known::Taken(Held::new(charge), left))
            }
            Take::Refused(wait) => Step::Known(Known::Refused(wait, left)),
            Take::Empty(_) if let Some(asking) = &slot.asking => {
                slot.lease.wait(cost);
                Step::Wait(Waiting::new(self, key, cost, asking))
            }
            Take::Empty(want) => {
                let (units, until) = slot.lease.empty();
                let here = Held::new(Charge::of_lease(self, key, units, until));
                let waiters = Arc::default();
                slot.asking = Some(Arc::clone(&waiters));
                Step::Ask(Refill::new(self, key, want, here, Some(waiters)))
            }
        }
    }

    /// Takes of a budget that is this process' own. `None` where there is no room for one.
    pub(super) fn local(self: &Arc<Self>, key: &Key, cost: u32, now: u64) -> Option<Known> {
        let quota = self.rules.local(&key.quota);
        let mut set = self.set(key);
        let slot = self.slot(&mut set, key, now)?;
        // What costs more than there ever is here costs all of it.
        let cost = cost.min(quota.burst());
        let (grant, full) = gcra::grant(&quota, slot.local, now, cost, cost);
        slot.local = full;
        let left = Left {
            units: grant.remaining,
            next: rate_limit::gcra::until_next(&quota, full, now).map(Duration::from_nanos),
        };
        Some(match grant.granted {
            0 => Known::Refused(grant.retry_after, left),
            _ => {
                let charge = Charge::local(self, key, cost, full);
                Known::Taken(Held::new(charge), left)
            }
        })
    }

    /// The store was asked for a key at `asked`, and has said this. Answers until when that is good,
    /// and what the key has left.
    pub(super) fn fill(&self, key: &Key, asked: u64, want: Want, grant: &Grant) -> (u64, Left) {
        let terms = self.terms(&key.quota);
        let mut set = self.set(key);
        let mut without_place = Lease::default();
        let lease = match set.iter_mut().find(|slot| slot.key == *key) {
            Some(slot) => &mut slot.lease,
            None => &mut without_place,
        };
        lease.fill(asked, want, grant, &key.quota, terms);
        let until = asked.saturating_add(terms.time);
        (until, lease.left(asked, &key.quota))
    }

    /// Nobody is asking for the key any more.
    pub(super) fn answered(&self, key: &Key) {
        if let Some(slot) = self.set(key).iter_mut().find(|slot| slot.key == *key) {
            slot.asking = None;
        }
    }

    /// Somebody has waited for so many units, and has gone.
    pub(super) fn forsake(&self, key: &Key, units: u32) {
        if let Some(slot) = self.set(key).iter_mut().find(|slot| slot.key == *key) {
            slot.lease.forsake(units, self.terms(&key.quota));
        }
    }

    /// Units that were taken are free again, if the key is still here.
    pub(super) fn give_back(&self, key: &Key, units: u32, until: u64) {
        if let Some(slot) = self.set(key).iter_mut().find(|slot| slot.key == *key) {
            slot.lease.give_back(units, until, self.terms(&key.quota));
        }
    }

    /// The same of the budget that is this process' own, which is to be full so much earlier.
    pub(super) fn give_back_local(&self, key: &Key, time: u64) {
        if let Some(slot) = self.set(key).iter_mut().find(|slot| slot.key == *key) {
            slot.local = slot.local.saturating_sub(time);
        }
    }

    /// How long one unit takes of the budget that is this process' own.
    pub(super) fn local_unit(&self, key: &Key) -> u64 {
        self.rules.local(&key.quota).unit()
    }

    /// More units were used than were taken. Answers how many of them are charged. Forgotten where
    /// there is no room for the key.
    pub(super) fn charge(&self, key: &Key, units: u32, purse: Purse, now: u64) -> u32 {
        let mut set = self.set(key);
        let Some(slot) = self.slot(&mut set, key, now) else {
            return 0;
        };
        match purse {
            Purse::Lease => slot.lease.charge(units, now, &key.quota),
            Purse::Local => {
                let quota = self.rules.local(&key.quota);
                let (grant, full) = gcra::grant(&quota, slot.local, now, 0, units);
                slot.local = full;
                grant.granted
            }
        }
    }

    fn set(&self, key: &Key) -> MutexGuard<'_, Vec<Slot>> {
        let set = self.hash.hash_one(key.hash) % self.sets.len() as u64;
        // Nothing is left half done where it could panic.
        self.sets[set as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of `key`, which is a new one if it has none. `None` where nobody can go.
    fn slot<'a>(&self, set: &'a mut Vec<Slot>, key: &Key, now: u64) -> Option<&'a mut Slot> {
        let at = match set.iter().position(|slot| slot.key == *key) {
            Some(at) => at,
            None if set.len() < PLACES => {
                set.push(Slot::new(*key));
                set.len() - 1
            }
            None => {
                let can_go = set.iter().enumerate().filter(|(_, it)| it.asking.is_none());
                let (at, _) = can_go.min_by_key(|(_, it)| (!it.is_spent(now), it.used))?;
                set[at] = Slot::new(*key);
                at
            }
        };
        set[at].used = now;
        Some(&mut set[at])
    }
}

// === impl Rules ===

impl Rules {
    pub(super) fn terms(&self, quota: &Quota) -> Terms {
        let time = self.time.unwrap_or_else(|| {
            let per = quota.per();
            per.clamp(Duration::from_millis(1), MAX_DURATION)
        });
        Terms {
            // At most the burst.
            most: ((f64::from(quota.burst()) * self.share) as u32).max(1),
            time: nanos(time),
        }
    }

    /// What a key has in each replica while the store is down: of a unit that takes months, all.
    fn local(&self, quota: &Quota) -> Quota {
        let burst = (quota.burst() / self.replicas).max(1);
        let per = quota.per().saturating_mul(self.replicas.get());
        Quota::new(quota.rate(), per, burst).unwrap_or(*quota)
    }
}

// === impl Slot ===

impl Slot {
    fn new(key: Key) -> Self {
        Self {
            key,
            lease: Lease::default(),
            asking: None,
            used: 0,
            local: 0,
        }
    }

    fn is_spent(&self, now: u64) -> bool {
        self.lease.is_spent(now, &self.key.quota) && self.local <= now
    }
}

#[cfg(test)]
mod tests;
