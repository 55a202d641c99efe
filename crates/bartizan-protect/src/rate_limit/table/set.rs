use super::Counts;
use super::Quota;

/// How many keys share a set: four cache lines, all of which are asked for at once.
pub(super) const WAYS: usize = 16;

/// A key's hash, and when its budget is full again. From then on it is as good as not there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) tat: u64,
}

/// The keys whose hashes lead to the same place.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Set(pub(super) [Entry; WAYS]);

/// What is behind one lock.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) quota: Quota,
    pub(super) counts: Counts,
    /// The latest time that was seen here: time never goes back, whatever clocks and requests that
    /// have waited for the lock say.
    pub(super) latest: u64,
    /// What the keys share that found no place.
    pub(super) shared: u64,
    pub(super) sets: Box<[Set]>,
}

/// Where a key is, or can be, in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// It is there.
    Own(usize),
    /// It is not there, and an entry that says nothing any more is.
    Free(usize),
    /// Every entry is needed; this is the one that is not needed the soonest.
    Oldest(usize),
}

// === impl Set ===

impl Set {
    #[inline]
    pub(super) fn find(&self, key: u64, now: u64) -> Spot {
        let mut oldest = 0;
        for (at, entry) in self.0.iter().enumerate() {
            // Whatever its time, so that a key is never there twice.
            if entry.key == key {
                return Spot::Own(at);
            }
            if entry.tat < self.0[oldest].tat {
                oldest = at;
            }
        }
        if self.0[oldest].tat <= now {
            Spot::Free(oldest)
        } else {
            Spot::Oldest(oldest)
        }
    }
}
