use super::Counts;
use super::Quota;

/// How many keys share a set.
pub(super) const WAYS: usize = 16;

/// In how many cache lines they are.
const LINES: usize = 4;

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

/// What is behind one lock. In this order: from the lock in front of it to `allowed`, the first of the
/// counts, what most decisions need is one cache line.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Shard {
    pub(super) quota: Quota,
    /// The latest time that was seen here: time never goes back, whatever clocks and requests that
    /// have waited for the lock say.
    pub(super) latest: u64,
    pub(super) sets: Box<[Set]>,
    pub(super) counts: Counts,
    /// What the keys share that found no place.
    pub(super) shared: u64,
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
    /// Looks from the line on that the hash leads to, and so finds most keys where it looks first.
    #[inline]
    pub(super) fn find(&self, key: u64, now: u64) -> Spot {
        // Bits that choose neither the part of a table nor the set.
        let first = (key >> 32) as usize % LINES * (WAYS / LINES);
        let mut places = (first..WAYS).chain(0..first);
        // Whatever its time, so that a key is never there twice.
        match places.find(|at| self.0[*at].key == key) {
            Some(at) => Spot::Own(at),
            None => self.place(first, now),
        }
    }

    /// Where a key goes that is not there.
    fn place(&self, first: usize, now: u64) -> Spot {
        let mut oldest = first;
        for at in (first..WAYS).chain(0..first) {
            let tat = self.0[at].tat;
            if tat <= now {
                return Spot::Free(at);
            }
            if tat < self.0[oldest].tat {
                oldest = at;
            }
        }
        Spot::Oldest(oldest)
    }
}
