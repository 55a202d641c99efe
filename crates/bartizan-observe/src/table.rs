//! A bounded, insert-only hash table whose readers take no lock.
//!
//! Per-route names and bound instruments are looked up on every request and inserted a handful of
//! times in a process's life. A `RwLock<HashMap>` pays two contended atomic writes per look-up for
//! that; here a look-up is a hash and a few loads. Nothing is ever evicted, so the bound is a
//! promise about memory and references live as long as the table.

use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustc_hash::FxBuildHasher;

/// The default hasher is for keys that a client cannot choose; where it can, give a keyed one, so
/// that collisions cannot be arranged.
pub(crate) struct Table<K, V, S = FxBuildHasher> {
    /// Twice the bound, rounded up to a power of two, so that probe runs stay short.
    slots: Box<[Slot<K, V>]>,
    /// How many entries there are. Held while one is added, so that two threads with one key never
    /// take two places, and a table with room for a key never says that it is full.
    len: Mutex<usize>,
    /// Set once there is no more room, so that what no longer fits takes no lock.
    full: OnceLock<()>,
    bound: usize,
    hasher: S,
}

type Slot<K, V> = OnceLock<Box<(K, V)>>;

impl<K, V, S: BuildHasher + Default> Table<K, V, S> {
    /// A table of at most `bound` entries.
    pub(crate) fn new(bound: usize) -> Self {
        let slots = (bound.max(1) * 2).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            len: Mutex::new(0),
            full: OnceLock::new(),
            bound,
            hasher: S::default(),
        }
    }

    /// The value under a key that is `same` as an entry's, made by `make` when there is none yet.
    ///
    /// `None` when the table is full. `key` may be any borrowed form that hashes as `K` does.
    /// `make` is given the entry's number, counted from 0. It runs once, while other threads'
    /// insertions wait: it must not use this table.
    pub(crate) fn get_or_insert<Q: Hash>(
        &self,
        key: &Q,
        same: impl Fn(&K) -> bool,
        make: impl FnOnce(usize) -> (K, V),
    ) -> Option<&V> {
        let mask = self.slots.len() - 1;
        let mut at = self.start(key, mask);
        loop {
            match self.slots[at].get() {
                Some(entry) if same(&entry.0) => return Some(&entry.1),
                Some(_) => at = (at + 1) & mask,
                None => break,
            }
        }
        if self.full.get().is_some() {
            return None;
        }
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match self.slots[at].get() {
                Some(entry) if same(&entry.0) => return Some(&entry.1),
                // At least half of the slots are free, so a free one is found.
                Some(_) => at = (at + 1) & mask,
                None => break,
            }
        }
        if *len >= self.bound {
            return None;
        }
        let entry = self.slots[at].get_or_init(|| Box::new(make(*len)));
        *len += 1;
        if *len >= self.bound {
            self.full.get_or_init(|| ());
        }
        Some(&entry.1)
    }

    fn start<Q: Hash>(&self, key: &Q, mask: usize) -> usize {
        // The quality of a quick hash is in its high bits.
        (self.hasher.hash_one(key) >> 32) as usize & mask
    }
}

impl<K, V, S> std::fmt::Debug for Table<K, V, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("len", &self.len)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;

    fn get(table: &Table<String, u32>, key: &str, value: u32) -> Option<u32> {
        table
            .get_or_insert(&key, |k| k == key, |_| (key.to_owned(), value))
            .copied()
    }

    #[test]
    fn the_first_value_stays() {
        let table = Table::new(4);
        assert_eq!(get(&table, "a", 1), Some(1));
        assert_eq!(get(&table, "a", 2), Some(1));
    }

    #[test]
    fn a_full_table_takes_no_more_but_still_answers() {
        let table = Table::new(2);
        assert_eq!(get(&table, "a", 1), Some(1));
        assert_eq!(get(&table, "b", 2), Some(2));
        for key in ["c", "d", "e"] {
            assert_eq!(get(&table, key, 3), None);
        }
        assert_eq!(get(&table, "b", 9), Some(2));
    }

    #[test]
    fn threads_that_race_agree_on_one_entry_per_key() {
        let table = Arc::new(Table::new(64));
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let table = Arc::clone(&table);
                std::thread::spawn(move || {
                    (0..64)
                        .map(|key| {
                            get(&table, &key.to_string(), thread * 1000 + key).map(|v| (key, v))
                        })
                        .collect::<Option<Vec<_>>>()
                })
            })
            .collect();
        let seen: HashSet<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap().expect("64 keys fit"))
            .collect();
        assert_eq!(seen.len(), 64, "one value per key");
    }
}
