use super::{Tick, Totals};

/// The latest calls by time: a ring of buckets, each of which counts one epoch.
///
/// What is seen is the current bucket and the full ones before it, so that a call is remembered for
/// the window's length, less at most one bucket. Nothing has to be swept while there is no traffic:
/// the first record or look afterwards lets go of what has become too old, which is never more than
/// the ring.
#[derive(Debug)]
pub(crate) struct TimeWindow {
    /// The totals of the latest epochs, each at its number modulo the length.
    buckets: Box<[Totals]>,
    /// The length of an epoch.
    width: Tick,
    /// The epoch of the latest record or look. A clock that goes back does not turn it back.
    epoch: u64,
    /// The first tick after it, so that most records need no division.
    ends: Tick,
    /// The epoch's bucket.
    current: usize,
    /// The sum of the buckets.
    totals: Totals,
}

// === impl TimeWindow ===

impl TimeWindow {
    /// An empty window of `buckets` buckets of `width` each; both must be at least 1.
    pub(crate) fn new(buckets: u16, width: Tick) -> Self {
        Self {
            buckets: vec![Totals::default(); buckets.into()].into(),
            width,
            epoch: 0,
            ends: width,
            current: 0,
            totals: Totals::default(),
        }
    }

    /// Adds `counted` to the current epoch.
    pub(crate) fn record(&mut self, now: Tick, counted: Totals) {
        self.advance(now);
        self.buckets[self.current].add(counted);
        self.totals.add(counted);
    }

    pub(crate) fn totals(&mut self, now: Tick) -> Totals {
        self.advance(now);
        self.totals
    }

    fn advance(&mut self, now: Tick) {
        if now < self.ends {
            return;
        }
        let epoch = now / self.width;
        // Only where the next epoch would begin after the end of time.
        if epoch <= self.epoch {
            return;
        }
        // After a pause of a whole window there is nothing that could be kept.
        let first = (self.epoch + 1).max(epoch.saturating_sub(self.buckets.len() as u64 - 1));
        for passed in first..=epoch {
            let index = self.index(passed);
            let old = std::mem::take(&mut self.buckets[index]);
            self.totals.subtract(old);
        }
        self.epoch = epoch;
        self.ends = epoch.saturating_add(1).saturating_mul(self.width);
        self.current = self.index(epoch);
    }

    const fn index(&self, epoch: u64) -> usize {
        (epoch % self.buckets.len() as u64) as usize
    }
}

// === impl Totals ===

impl Totals {
    const fn add(&mut self, other: Self) {
        self.total += other.total;
        self.bad += other.bad;
    }

    const fn subtract(&mut self, other: Self) {
        self.total -= other.total;
        self.bad -= other.bad;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: Totals = Totals { total: 1, bad: 0 };
    const BAD: Totals = Totals { total: 1, bad: 1 };

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = TimeWindow::new(10, 1_000);
        window.record(0, BAD);
        window.record(5_000, GOOD);
        assert_eq!(window.totals(9_999), Totals { total: 2, bad: 1 });
        assert_eq!(window.totals(10_000), Totals { total: 1, bad: 0 });
        assert_eq!(window.totals(15_000), Totals::default());
    }

    #[test]
    fn a_pause_of_any_length_costs_no_more_than_the_ring() {
        let mut window = TimeWindow::new(10, 1);
        window.record(3, BAD);
        // Would not end if every epoch of the pause were gone through.
        assert_eq!(window.totals(u64::MAX), Totals::default());
        window.record(u64::MAX, BAD);
        assert_eq!(window.totals(u64::MAX), BAD);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut window = TimeWindow::new(2, 100);
        window.record(500, BAD);
        window.record(0, BAD);
        assert_eq!(window.totals(100), Totals { total: 2, bad: 2 });
    }

    proptest! {
        #[test]
        fn it_holds_the_latest_epochs_and_nothing_else(
            buckets in 1_u16..12,
            width in 1_u64..50,
            calls in proptest::collection::vec((0_u64..120, any::<bool>()), 0..200),
        ) {
            let mut window = TimeWindow::new(buckets, width);
            let mut model: Vec<(u64, bool)> = Vec::new();
            let mut now = 0;
            for (pause, bad) in calls {
                now += pause;
                window.record(now, if bad { BAD } else { GOOD });
                model.push((now / width, bad));
                let seen = model
                    .iter()
                    .filter(|(epoch, _)| epoch + u64::from(buckets) > now / width);
                let totals = Totals {
                    total: seen.clone().count() as u64,
                    bad: seen.filter(|(_, bad)| *bad).count() as u64,
                };
                prop_assert_eq!(window.totals(now), totals);
            }
        }
    }
}
