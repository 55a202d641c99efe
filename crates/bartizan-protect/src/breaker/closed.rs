//! A circuit while it serves: what it has seen, and whether that is a reason to open it.

use super::config::{Config, Window};
use super::in_flight::{Cell, InFlight};
use super::{Reason, word};
use crate::window::{CountWindow, Tick, TimeWindow, Totals};

/// The windows of one generation, and the calls of it that wait.
///
/// Failures and slow calls have windows of their own, so that a call counts once in each rate though
/// it may be called slow long before it fails.
#[derive(Debug)]
pub(super) struct Closed {
    failures: Calls,
    slow: Option<Slow>,
    consecutive: u32,
    /// Metrics only: it has been said that it would have opened, and since then it still would.
    announced: bool,
}

#[derive(Debug)]
struct Slow {
    calls: Calls,
    in_flight: InFlight,
}

#[derive(Debug)]
enum Calls {
    Count(CountWindow),
    Time(TimeWindow),
}

/// What is known of a call that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) failed: bool,
    /// It took as long as the threshold, or longer.
    pub(super) slow: bool,
    /// Where it has waited, if it did.
    pub(super) cell: Option<Cell>,
}

/// What a closed circuit has in its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    pub(super) failures: Totals,
    pub(super) slow: Totals,
    pub(super) consecutive: u32,
}

// === impl Closed ===

impl Closed {
    pub(super) fn new(config: &Config) -> Self {
        let slow = config.slow_rate.map(|_| Slow {
            calls: Calls::new(config.window),
            in_flight: InFlight::new(config.slow_threshold),
        });
        Self {
            failures: Calls::new(config.window),
            slow,
            consecutive: 0,
            announced: false,
        }
    }

    /// A call waits since `started`. What is slow by now has to be [swept](Self::sweep) before.
    pub(super) fn wait(&mut self, started: Tick, now: Tick) -> Option<Cell> {
        let slow = self.slow.as_mut()?;
        let cell = slow.in_flight.enter(started);
        if slow.in_flight.is_past(cell) {
            slow.calls.record(true, now);
        }
        Some(cell)
    }

    /// A call has ended and does not count.
    pub(super) const fn leave(&mut self, cell: Option<Cell>) {
        if let (Some(slow), Some(cell)) = (&mut self.slow, cell) {
            slow.in_flight.leave(cell);
        }
    }

    /// A call has ended and counts.
    pub(super) fn record(&mut self, ended: Ended, now: Tick) {
        self.failures.record(ended.failed, now);
        self.consecutive = if ended.failed {
            self.consecutive.saturating_add(1)
        } else {
            0
        };
        let Some(slow) = &mut self.slow else {
            return;
        };
        let was_counted = ended.cell.is_some_and(|cell| slow.in_flight.leave(cell));
        if !was_counted {
            slow.calls.record(ended.slow, now);
        }
    }

    /// Calls slow what has become it by now.
    pub(super) fn sweep(&mut self, now: Tick) {
        if let Some(slow) = &mut self.slow {
            let became = slow.in_flight.sweep(now);
            slow.calls.record_bad(became, now);
        }
    }

    /// Why the circuit is to open, if it is.
    pub(super) fn reason(&mut self, config: &Config, now: Tick) -> Option<Reason> {
        let in_a_row = self.consecutive;
        if config.consecutive.is_some_and(|most| in_a_row >= most) {
            return Some(Reason::ConsecutiveFailures(in_a_row));
        }
        let Totals { total, bad } = self.failures.totals(now);
        if config
            .failure_rate
            .is_some_and(|it| it.is_reached(bad, total))
        {
            return Some(Reason::FailureRate {
                failed: bad,
                calls: total,
            });
        }
        let Totals { total, bad } = self.slow.as_mut()?.calls.totals(now);
        let is_reached = config.slow_rate?.is_reached(bad, total);
        is_reached.then_some(Reason::SlowRate {
            slow: bad,
            calls: total,
        })
    }

    /// When [`sweep`](Self::sweep) is due again.
    pub(super) fn next_sweep(&self) -> Tick {
        self.slow
            .as_ref()
            .map_or(word::NEVER, |slow| slow.in_flight.next())
    }

    /// Whether that it would open is news, for a circuit that only says so.
    pub(super) const fn announces(&mut self, would_open: bool) -> bool {
        let news = would_open && !self.announced;
        self.announced = would_open;
        news
    }

    pub(super) fn seen(&mut self, now: Tick) -> Seen {
        Seen {
            failures: self.failures.totals(now),
            slow: self
                .slow
                .as_mut()
                .map(|slow| slow.calls.totals(now))
                .unwrap_or_default(),
            consecutive: self.consecutive,
        }
    }
}

// === impl Calls ===

impl Calls {
    fn new(window: Window) -> Self {
        match window {
            Window::Count(calls) => Self::Count(CountWindow::new(calls)),
            Window::Time { length, buckets } => {
                // A day at most, and at least a millisecond for each.
                let width = length.as_millis() as Tick / Tick::from(buckets);
                Self::Time(TimeWindow::new(buckets, width))
            }
        }
    }

    fn record(&mut self, bad: bool, now: Tick) {
        match self {
            Self::Count(window) => window.record(bad),
            Self::Time(window) => window.record(
                now,
                Totals {
                    total: 1,
                    bad: bad.into(),
                },
            ),
        }
    }

    fn record_bad(&mut self, calls: u32, now: Tick) {
        match self {
            Self::Count(window) => (0..calls).for_each(|_| window.record(true)),
            Self::Time(window) => window.record(
                now,
                Totals {
                    total: calls.into(),
                    bad: calls.into(),
                },
            ),
        }
    }

    fn totals(&mut self, now: Tick) -> Totals {
        match self {
            Self::Count(window) => window.totals(),
            Self::Time(window) => window.totals(now),
        }
    }
}
