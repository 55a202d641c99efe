use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::Grant;
use super::gcra;
use super::lease::{Lease, Take, Terms};
use crate::rate_limit::Quota;

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
    origin: Instant,
    terms: Terms,
}

#[derive(Debug)]
struct Slot {
    key: u128,
    lease: Lease,
    /// Who waits for the store's answer, while somebody is asking it.
    asking: Option<Arc<Notify>>,
    used: Instant,
    /// When the budget is full that the key has here while the store is down, in nanoseconds.
    local: u64,
}

/// What a request does next.
#[derive(Debug)]
pub(super) enum Step {
    Taken,
    Refused(Duration),
    /// Somebody is asking the store already.
    Wait(OwnedNotified),
    Ask(Refill),
    /// The store has to be asked, and there is no room for what else it may give.
    NoRoom,
}

/// The right to ask the store for a key, which nobody else has meanwhile. Whoever waits is woken when
/// it is dropped, however that comes.
#[derive(Debug)]
pub(super) struct Refill {
    leases: Arc<Leases>,
    key: u128,
    pub(super) most: u32,
    waiters: Arc<Notify>,
}

/// How many places a key can be in.
const PLACES: usize = 8;

// === impl Leases ===

impl Leases {
    /// Room for this many keys, rounded up to whole sets.
    pub(super) fn new(keys: usize, terms: Terms, now: Instant) -> Self {
        let sets = (0..keys.div_ceil(PLACES)).map(|_| Mutex::default());
        Self {
            sets: sets.collect(),
            hash: RandomState::new(),
            origin: now,
            terms,
        }
    }

    pub(super) const fn terms(&self) -> Terms {
        self.terms
    }

    pub(super) fn step(self: &Arc<Self>, key: u128, now: Instant) -> Step {
        let mut set = self.set(key);
        let Some(slot) = self.slot(&mut set, key, now) else {
            return Step::NoRoom;
        };
        match slot.lease.take(now, self.terms) {
            Take::Taken => Step::Taken,
            Take::Refused(wait) => Step::Refused(wait),
            // It hears of all that comes from here on, also before it is polled.
            Take::Empty { .. } if let Some(asking) = &slot.asking => {
                Step::Wait(Arc::clone(asking).notified_owned())
            }
            Take::Empty { most } => {
                let waiters = Arc::default();
                slot.asking = Some(Arc::clone(&waiters));
                Step::Ask(Refill {
                    leases: Arc::clone(self),
                    key,
                    most,
                    waiters,
                })
            }
        }
    }

    /// One unit of a budget that is this process' own. `None` where there is no room for one.
    pub(super) fn local(&self, key: u128, now: Instant, quota: &Quota) -> Option<Grant> {
        let nanos = self.nanos(now);
        let mut set = self.set(key);
        let slot = self.slot(&mut set, key, now)?;
        let (grant, full) = gcra::grant(quota, slot.local, nanos, 1, 1);
        slot.local = full;
        Some(grant)
    }

    fn nanos(&self, now: Instant) -> u64 {
        // For 584 years.
        now.saturating_duration_since(self.origin).as_nanos() as u64
    }

    fn set(&self, key: u128) -> MutexGuard<'_, Vec<Slot>> {
        let set = self.hash.hash_one(key) % self.sets.len() as u64;
        // Nothing is left half done where it could panic.
        self.sets[set as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of `key`, which is a new one if it has none. `None` where nobody can go.
    fn slot<'a>(&self, set: &'a mut Vec<Slot>, key: u128, now: Instant) -> Option<&'a mut Slot> {
        let nanos = self.nanos(now);
        let at = match set.iter().position(|slot| slot.key == key) {
            Some(at) => at,
            None if set.len() < PLACES => {
                set.push(Slot::new(key, now));
                set.len() - 1
            }
            None => {
                let can_go = set.iter().enumerate().filter(|(_, it)| it.asking.is_none());
                let (at, _) = can_go.min_by_key(|(_, it)| (!it.is_spent(now, nanos), it.used))?;
                set[at] = Slot::new(key, now);
                at
            }
        };
        set[at].used = now;
        Some(&mut set[at])
    }
}

// === impl Slot ===

impl Slot {
    const fn new(key: u128, now: Instant) -> Self {
        Self {
            key,
            lease: Lease::new(now),
            asking: None,
            used: now,
            local: 0,
        }
    }

    fn is_spent(&self, now: Instant, nanos: u64) -> bool {
        self.lease.is_spent(now) && self.local <= nanos
    }
}

// === impl Refill ===

impl Refill {
    /// The store was asked at `asked`, and has said this.
    pub(super) fn fill(self, asked: Instant, grant: &Grant) {
        let mut set = self.leases.set(self.key);
        if let Some(slot) = set.iter_mut().find(|slot| slot.key == self.key) {
            slot.lease.fill(asked, self.most, grant, self.leases.terms);
        }
    }
}

impl Drop for Refill {
    fn drop(&mut self) {
        let mut set = self.leases.set(self.key);
        if let Some(slot) = set.iter_mut().find(|slot| slot.key == self.key) {
            slot.asking = None;
        }
        drop(set);
        self.waiters.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
