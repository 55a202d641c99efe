//! Calls that are still waiting, by when they started.

use std::time::Duration;

use super::word::NEVER;
use crate::window::Tick;

/// A cell for each eighth of the slow threshold, the ones that are past it set aside.
///
/// Starts are grouped so that a call costs the same however many are waiting. The price is that a
/// call may be called slow by one cell's width too late.
#[derive(Debug)]
pub(super) struct InFlight {
    /// How many are waiting that started in each of the latest epochs.
    cells: [u32; CELLS],
    /// How long an epoch is.
    width: Tick,
    threshold: Tick,
    /// The first epoch whose calls have not been called slow.
    fresh: u64,
    /// The sum of the cells.
    waiting: u32,
}

/// When a call started: its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(u64);

/// What is younger than the threshold lies in nine cells, or ten where it is no multiple of eight.
const CELLS: usize = 16;

/// How many epochs the threshold is long.
const PER_THRESHOLD: Tick = 8;

// === impl InFlight ===

impl InFlight {
    pub(super) fn new(threshold: Duration) -> Self {
        // A day at most.
        let threshold = (threshold.as_millis() as Tick).max(1);
        Self {
            cells: [0; CELLS],
            width: threshold.div_ceil(PER_THRESHOLD),
            threshold,
            fresh: 0,
            waiting: 0,
        }
    }

    /// A call waits since `started`, and may be [past](Self::is_past) the threshold already.
    ///
    /// What is past it has to be [swept](Self::sweep) before.
    pub(super) const fn enter(&mut self, started: Tick) -> Cell {
        let cell = Cell(started / self.width);
        if !self.is_past(cell) {
            self.cells[Self::index(cell.0)] += 1;
            self.waiting += 1;
        }
        cell
    }

    /// Whether the calls of `cell` are past the threshold.
    pub(super) const fn is_past(&self, Cell(epoch): Cell) -> bool {
        epoch < self.fresh
    }

    /// A call does not wait any more. Says whether it was called slow while it did.
    pub(super) const fn leave(&mut self, cell: Cell) -> bool {
        if self.is_past(cell) {
            return true;
        }
        self.cells[Self::index(cell.0)] -= 1;
        self.waiting -= 1;
        false
    }

    /// How many calls have become slow since the last time.
    pub(super) fn sweep(&mut self, now: Tick) -> u32 {
        // The first epoch that may still hold a call younger than the threshold.
        let fresh = match now.checked_sub(self.threshold) {
            Some(slow) => (slow + 1) / self.width,
            None => return 0,
        };
        if fresh <= self.fresh {
            return 0;
        }
        let passed = (fresh - self.fresh).min(CELLS as u64);
        let became = (fresh - passed..fresh)
            .map(|epoch| std::mem::take(&mut self.cells[Self::index(epoch)]))
            .sum();
        self.fresh = fresh;
        self.waiting -= became;
        became
    }

    /// When the next call becomes slow, as far as it is known.
    pub(super) fn next(&self) -> Tick {
        if self.waiting == 0 {
            return NEVER;
        }
        (self.fresh..self.fresh + CELLS as u64)
            .find(|epoch| self.cells[Self::index(*epoch)] > 0)
            // All calls of the epoch have started before its end.
            .map_or(NEVER, |epoch| (epoch + 1) * self.width - 1 + self.threshold)
    }

    const fn index(epoch: u64) -> usize {
        (epoch % CELLS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_is_called_slow_once_and_at_most_an_eighth_too_late() {
        let mut calls = InFlight::new(Duration::from_millis(800));
        let early = calls.enter(0);
        let late = calls.enter(150);
        assert_eq!(calls.next(), 899);
        assert_eq!(calls.sweep(898), 0);
        assert_eq!(calls.sweep(899), 1);
        assert_eq!(calls.sweep(899), 0);
        assert!(calls.leave(early));
        assert_eq!(calls.next(), 999);
        assert!(!calls.leave(late));
        assert_eq!(calls.next(), NEVER);
    }

    #[test]
    fn one_that_is_slow_from_the_start_is_not_taken_in() {
        let mut calls = InFlight::new(Duration::from_millis(80));
        calls.sweep(1_000);
        let cell = calls.enter(900);
        assert!(calls.is_past(cell));
        assert_eq!(calls.next(), NEVER);
        assert!(calls.leave(cell));
    }

    proptest! {
        /// Beside a list of the calls that wait.
        #[test]
        fn each_call_is_called_slow_exactly_once(
            threshold in 1_u64..300,
            steps in proptest::collection::vec((0_u64..200, 0_u64..3, any::<bool>()), 1..200),
        ) {
            let mut calls = InFlight::new(Duration::from_millis(threshold));
            let width = threshold.div_ceil(8);
            let mut waiting: Vec<(Tick, Cell)> = Vec::new();
            let mut now: Tick = 0;
            for (pause, age, leave) in steps {
                now += pause;
                let became = calls.sweep(now);
                let is_slow = |started: Tick| now >= (started / width + 1) * width - 1 + threshold;
                let expected = waiting.extract_if(.., |(started, _)| is_slow(*started)).count();
                prop_assert_eq!(became as usize, expected);
                let started = now.saturating_sub(age);
                let cell = calls.enter(started);
                prop_assert_eq!(calls.is_past(cell), is_slow(started));
                if !is_slow(started) {
                    waiting.push((started, cell));
                }
                if leave && let Some((_, cell)) = waiting.pop() {
                    prop_assert!(!calls.leave(cell));
                }
                let next = waiting
                    .iter()
                    .map(|(started, _)| (started / width + 1) * width - 1 + threshold)
                    .min();
                prop_assert_eq!(calls.next(), next.unwrap_or(NEVER));
                prop_assert_eq!(calls.waiting as usize, waiting.len());
            }
        }
    }
}
