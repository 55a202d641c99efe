//! What lies in the directory, and what has to go when it is full. Pure.
//!
//! The policy is *oldest first*: what is new is worth more, because whoever looks into a failure
//! looks at its present, and backends refuse what is too old. What is just being sent stays.

use std::collections::VecDeque;

/// The files of one signal, the oldest first.
#[derive(Debug)]
pub(super) struct Index {
    entries: VecDeque<Entry>,
    bytes: u64,
    bound: Bound,
}

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) bytes: u64,
    pub(super) files: usize,
}

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Grows with every file, also from one run to the next.
    pub(super) sequence: u64,
    pub(super) bytes: u64,
    pub(super) items: u64,
    pub(super) origin: Origin,
    /// How often sending it has failed in this run.
    pub(super) failures: u32,
    /// Set while it is being sent.
    pub(super) sending: bool,
}

/// Whose items a file holds, which says in which books they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum Origin {
    /// An earlier run's.
    Earlier,
    /// This run's, and the far side certainly does not have them.
    Own,
    /// This run's, and the far side may have them.
    Doubtful,
}

/// It would not fit even alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch is larger than the spool")]
pub(super) struct TooLarge;

// === impl Index ===

impl Index {
    /// `entries` in any order.
    pub(super) fn new(bound: Bound, mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by_key(|entry| entry.sequence);
        Self {
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            entries: entries.into(),
            bound,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Items in all files together.
    pub(super) fn items(&self) -> u64 {
        self.entries.iter().map(|entry| entry.items).sum()
    }

    /// Takes out what has to go before `bytes` more can come in; nothing if they can't.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<Vec<Entry>, TooLarge> {
        let held = self.entries.iter().filter(|entry| entry.sending);
        let (held_files, held_bytes) =
            held.fold((0, 0), |(files, sum), entry| (files + 1, sum + entry.bytes));
        if held_files >= self.bound.files || held_bytes + bytes > self.bound.bytes {
            return Err(TooLarge);
        }
        Ok(self.shrink(bytes, 1))
    }

    /// Takes out what is over the bound, of which `bytes` in `files` are reserved.
    fn shrink(&mut self, bytes: u64, files: usize) -> Vec<Entry> {
        let mut gone = Vec::new();
        while self.bytes + bytes > self.bound.bytes || self.entries.len() + files > self.bound.files
        {
            let Some(oldest) = self.entries.iter().position(|entry| !entry.sending) else {
                break;
            };
            let Some(entry) = self.entries.remove(oldest) else {
                break;
            };
            self.bytes -= entry.bytes;
            gone.push(entry);
        }
        gone
    }

    /// Takes out what is over the bound, which may be another one than the last run's.
    pub(super) fn enforce(&mut self) -> Vec<Entry> {
        self.shrink(0, 0)
    }

    /// Adds the newest file.
    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        self.entries.push_back(entry);
    }

    /// What is to be sent next: of those that failed least often the oldest, so that one file that
    /// the far side can't take does not stand before all others.
    pub(super) fn candidate(&mut self) -> Option<&mut Entry> {
        // The first of equals, and the oldest come first.
        self.entries.iter_mut().min_by_key(|entry| entry.failures)
    }

    pub(super) fn get_mut(&mut self, sequence: u64) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.sequence == sequence)
    }

    pub(super) fn remove(&mut self, sequence: u64) {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.sequence == sequence);
        if let Some(entry) = at.and_then(|at| self.entries.remove(at)) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(sequence: u64, bytes: u64) -> Entry {
        Entry {
            sequence,
            bytes,
            items: 1,
            origin: Origin::Own,
            failures: 0,
            sending: false,
        }
    }

    fn index(bytes: u64, files: usize, entries: &[Entry]) -> Index {
        Index::new(Bound { bytes, files }, entries.to_vec())
    }

    fn sequences(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.sequence).collect()
    }

    #[test]
    fn the_oldest_go_until_the_new_one_fits() {
        let entries = [entry(3, 40), entry(1, 30), entry(2, 30)];
        let mut by_bytes = index(100, 9, &entries);
        assert_eq!(sequences(&by_bytes.make_room(50).unwrap()), [1, 2]);
        let mut by_files = index(1_000, 3, &entries);
        assert_eq!(sequences(&by_files.make_room(50).unwrap()), [1]);
        let mut smaller = index(1_000, 1, &entries);
        assert_eq!(sequences(&smaller.enforce()), [1, 2]);
    }

    #[test]
    fn what_cannot_fit_costs_nothing_and_what_is_being_sent_stays() {
        let mut index = index(100, 9, &[entry(1, 60), entry(2, 30)]);
        assert_eq!(index.make_room(101), Err(TooLarge));
        index.get_mut(1).unwrap().sending = true;
        assert_eq!(index.make_room(50), Err(TooLarge));
        assert_eq!(sequences(&index.make_room(40).unwrap()), [2]);
        index.remove(1);
        assert!(index.is_empty());
    }

    #[test]
    fn the_oldest_is_sent_first_and_one_that_fails_after_the_others() {
        let mut index = index(100, 9, &[entry(1, 1), entry(2, 1), entry(3, 1)]);
        for expected in [1, 2, 3, 1] {
            let candidate = index.candidate().unwrap();
            assert_eq!(candidate.sequence, expected);
            candidate.failures += 1;
        }
    }

    proptest! {
        #[test]
        fn the_bound_holds_whatever_comes(
            bytes in 0_u64..500,
            files in 0_usize..6,
            sizes in prop::collection::vec((0_u64..200, any::<bool>()), 0..40),
        ) {
            let mut index = index(bytes, files, &[]);
            for (size, sending) in sizes {
                let sequence = index.entries.back().map_or(0, |last| last.sequence + 1);
                if index.make_room(size).is_ok() {
                    index.push(Entry { sending, ..entry(sequence, size) });
                }
                let sum: u64 = index.entries.iter().map(|entry| entry.bytes).sum();
                prop_assert_eq!(sum, index.bytes);
                prop_assert!(sum <= bytes && index.entries.len() <= files);
            }
        }
    }
}
