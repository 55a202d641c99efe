//! The times of all keys of a policy, in a table of fixed size.
//!
//! A key is the [keyed hash](super::keys) of what identifies it. The hash leads to one set of
//! [`WAYS`] entries, and there is nowhere else to look. An entry whose time has come says what no
//! entry says: a full budget. So it is written over by whoever comes next, and nothing ever has to
//! be swept.
//!
//! A key is its 64 bits of hash. SipHash is keyed with what only this process knows, so nobody can
//! look for two keys of one hash other than by trying. Among ten million live keys a new one hits
//! the hash of any with a chance of 5·10^-13, and of a given one with 5·10^-20; what comes of it is
//! that two keys share a budget until it is full again.
//!
//! Sets are behind a lock for each of up to [`SHARDS`] parts of the table. It is held for one
//! decision, of a few dozen nanoseconds. Several policies are decided on under one lock of each, in
//! their order, so all or none is charged, without anybody seeing a charge that is taken back.

mod set;

use std::sync::{Mutex, MutexGuard, PoisonError};

use set::{Entry, Set, Shard, Spot, WAYS};

use super::{Counts, Overflow, Quota};

/// Into how many parts a table is divided at most, so that callers seldom wait for one another.
const SHARDS: usize = 256;

/// How many sets are looked at under one lock by those who look at all.
const LOOKS: usize = 64;

/// The table of one policy.
#[derive(Debug)]
pub(super) struct Table {
    shards: Box<[Padded]>,
    overflow: Overflow,
}

/// In a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Padded(Mutex<Shard>);

/// One key's place in the table, for as long as its lock is held.
#[derive(Debug)]
pub(super) struct Place<'a> {
    shard: MutexGuard<'a, Shard>,
    key: u64,
    set: usize,
    home: Home,
}

/// Where a key's time is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// In an entry of its own.
    Own(usize),
    /// In an entry that it takes over, with a full budget.
    Taken(usize),
    /// With the others that found no place.
    Shared,
    /// Nowhere, before this time.
    Nowhere { until: u64 },
}

// === impl Table ===

impl Table {
    /// For `capacity` keys at once: twice as many entries, so that of so many live keys less than
    /// one in a thousand finds its set full.
    pub(super) fn new(capacity: usize, overflow: Overflow, quota: Quota) -> Self {
        let sets = (2 * capacity).div_ceil(WAYS).max(1);
        let shards = sets.next_power_of_two().min(SHARDS);
        let shard = |_| {
            Padded(Mutex::new(Shard {
                quota,
                counts: Counts::default(),
                latest: 0,
                shared: 0,
                sets: vec![Set::default(); sets.div_ceil(shards)].into(),
            }))
        };
        Self {
            shards: (0..shards).map(shard).collect(),
            overflow,
        }
    }

    /// The place of `key`, locked.
    #[inline]
    pub(super) fn lock(&self, key: u64, now: u64) -> Place<'_> {
        // The low bits choose the part and the high ones the set in it; a table that uses both up
        // does not fit into memory.
        let part = key as usize & (self.shards.len() - 1);
        let mut shard = lock(&self.shards[part]);
        let now = now.max(shard.latest);
        shard.latest = now;
        let set = ((u128::from(key) * shard.sets.len() as u128) >> 64) as usize;
        let home = match (shard.sets[set].find(key, now), self.overflow) {
            (Spot::Own(at), _) => Home::Own(at),
            (Spot::Free(at), _) => Home::Taken(at),
            (Spot::Oldest(at), Overflow::EvictOldest) => Home::Taken(at),
            (Spot::Oldest(_), Overflow::SharedBucket) => Home::Shared,
            (Spot::Oldest(at), Overflow::Deny) => Home::Nowhere {
                until: shard.sets[set].0[at].tat,
            },
        };
        Place {
            shard,
            key,
            set,
            home,
        }
    }

    /// Counts what was decided without a place.
    #[cold]
    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut lock(&self.shards[0]).counts);
    }

    /// How many bytes it has on the heap; never more.
    pub(super) fn bytes(&self) -> usize {
        self.shards.len() * size_of::<Padded>() + self.sets() * size_of::<Set>()
    }

    /// How many entries it has.
    pub(super) fn slots(&self) -> usize {
        self.sets() * WAYS
    }

    /// Goes on with another quota, part by part.
    pub(super) fn update(&self, quota: Quota) {
        for shard in &self.shards {
            lock(shard).quota = quota;
        }
    }

    pub(super) fn quota(&self) -> Quota {
        lock(&self.shards[0]).quota
    }

    pub(super) fn counts(&self) -> Counts {
        self.shards
            .iter()
            .map(|shard| lock(shard).counts)
            .fold(Counts::default(), Counts::plus)
    }

    /// Shows every key whose budget is not full, by its hash and time. Takes no lock for long.
    pub(super) fn each_live(&self, now: u64, mut show: impl FnMut(u64, u64)) {
        for shard in &self.shards {
            for at in (0..self.sets_of_a_shard()).step_by(LOOKS) {
                let shard = lock(shard);
                let live = shard.sets[at..].iter().take(LOOKS).flat_map(|set| &set.0);
                for entry in live.filter(|entry| entry.tat > now) {
                    show(entry.key, entry.tat);
                }
            }
        }
    }

    fn sets(&self) -> usize {
        self.shards.len() * self.sets_of_a_shard()
    }

    fn sets_of_a_shard(&self) -> usize {
        lock(&self.shards[0]).sets.len()
    }
}

fn lock(shard: &Padded) -> MutexGuard<'_, Shard> {
    // Nothing is left half done where it could panic.
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Place ===

impl Place<'_> {
    pub(super) fn quota(&self) -> Quota {
        self.shard.quota
    }

    pub(super) fn home(&self) -> Home {
        self.home
    }

    /// The time by which decisions are made here: the caller's, or a later one that was seen before.
    pub(super) fn now(&self) -> u64 {
        self.shard.latest
    }

    /// When the key's budget is full.
    pub(super) fn tat(&self) -> u64 {
        match self.home {
            Home::Own(at) => self.shard.sets[self.set].0[at].tat,
            Home::Shared => self.shard.shared,
            Home::Taken(_) | Home::Nowhere { .. } => 0,
        }
    }

    #[inline]
    pub(super) fn set_tat(&mut self, tat: u64) {
        match self.home {
            Home::Own(at) | Home::Taken(at) => {
                let now = self.shard.latest;
                let entry = Entry { key: self.key, tat };
                let old = std::mem::replace(&mut self.shard.sets[self.set].0[at], entry);
                if old.key != entry.key && old.tat > now {
                    self.shard.counts.evicted += 1;
                }
            }
            Home::Shared => {
                self.shard.shared = tat;
            }
            Home::Nowhere { .. } => {}
        }
    }

    /// Counts what was decided here.
    pub(super) fn count(&mut self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.shard.counts);
        if matches!(self.home, Home::Shared | Home::Nowhere { .. }) {
            self.shard.counts.overflowed += 1;
        }
    }
}

#[cfg(test)]
mod tests;
