use super::Totals;

/// The latest calls by number: a true sliding window, one bit for each.
///
/// Fixed blocks that are thrown away whole, as in several well-known breakers, forget half of what
/// they know at once; lifetime counters never forget.
#[derive(Debug)]
pub(crate) struct CountWindow {
    bits: Box<[u64]>,
    len: u32,
    /// Where the next one goes, which is where the oldest is once the window is full.
    next: u32,
    totals: Totals,
}

// === impl CountWindow ===

impl CountWindow {
    /// An empty window of the latest `len` calls, which must be at least 1.
    pub(crate) fn new(len: u32) -> Self {
        Self {
            bits: vec![0; len.div_ceil(u64::BITS) as usize].into(),
            len,
            next: 0,
            totals: Totals::default(),
        }
    }

    pub(crate) fn record(&mut self, bad: bool) {
        let word = &mut self.bits[(self.next / u64::BITS) as usize];
        let bit = 1 << (self.next % u64::BITS);
        if self.totals.total == u64::from(self.len) {
            self.totals.bad -= u64::from(*word & bit != 0);
        } else {
            self.totals.total += 1;
        }
        if bad {
            *word |= bit;
            self.totals.bad += 1;
        } else {
            *word &= !bit;
        }
        self.next += 1;
        if self.next == self.len {
            self.next = 0;
        }
    }

    pub(crate) const fn totals(&self) -> Totals {
        self.totals
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_oldest_is_forgotten_one_by_one() {
        let mut window = CountWindow::new(3);
        for (bad, total, all_bad) in [
            (true, 1, 1),
            (false, 2, 1),
            (true, 3, 2),
            (false, 3, 1),
            (false, 3, 1),
            (false, 3, 0),
        ] {
            window.record(bad);
            assert_eq!(
                window.totals(),
                Totals {
                    total,
                    bad: all_bad
                }
            );
        }
    }

    proptest! {
        #[test]
        fn it_holds_the_latest_and_nothing_else(
            len in 1_u32..200,
            calls in proptest::collection::vec(any::<bool>(), 0..600),
        ) {
            let mut window = CountWindow::new(len);
            let mut model = VecDeque::new();
            for bad in calls {
                window.record(bad);
                model.push_back(bad);
                if model.len() > len as usize {
                    model.pop_front();
                }
                let totals = Totals {
                    total: model.len() as u64,
                    bad: model.iter().filter(|bad| **bad).count() as u64,
                };
                prop_assert_eq!(window.totals(), totals);
            }
        }
    }
}
