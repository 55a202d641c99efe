use std::time::{Duration, Instant};

use crate::window::{Tick, TimeWindow, Totals};

/// Steps of the window.
pub(super) const STEPS: u16 = 10;

/// How many retries are allowed, of the requests of late.
///
/// The retries of the window and those that are decided on must never be more than a share of the
/// window's requests and a reserve for when there are few. That is Finagle's rule, but counted
/// instead of paid: with tokens, a rounded price makes the share another one (tower #857).
#[derive(Debug)]
pub(super) struct Ledger {
    /// All of them are requests or retries; the retries are the bad ones.
    window: TimeWindow,
    /// Where the window's time begins: at the first look.
    origin: Option<Instant>,
    /// In millionths of a retry, as is all that is compared.
    reserve: u64,
    per_request: u64,
    /// Decided on and not sent yet.
    reserved: u64,
}

/// What a [`Ledger`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) available: u64,
}

const ONE: u64 = 1_000_000;

const REQUEST: Totals = Totals { total: 1, bad: 0 };
const RETRY: Totals = Totals { total: 1, bad: 1 };

// === impl Ledger ===

impl Ledger {
    /// `ratio` is in millionths. A `window` has to be a millisecond long for each of its
    /// [`STEPS`], or longer.
    pub(super) fn new(ratio: u64, reserve_per_second: u32, window: Duration) -> Self {
        let ms = window.as_millis() as u64;
        Self {
            window: TimeWindow::new(STEPS, ms.div_ceil(STEPS.into())),
            origin: None,
            // A second has a thousand milliseconds, and a retry a million millionths.
            reserve: u64::from(reserve_per_second) * ms * (ONE / 1_000),
            per_request: ratio,
            reserved: 0,
        }
    }

    /// A request has been sent for the first time.
    pub(super) fn deposit(&mut self, now: Instant) {
        let tick = self.tick(now);
        self.window.record(tick, REQUEST);
    }

    /// Takes a retry off what is allowed. It has to be [spent](Self::spend) or
    /// [released](Self::release).
    pub(super) fn reserve(&mut self, now: Instant) -> bool {
        let allowed = self.entries(now).available > 0;
        self.reserved += u64::from(allowed);
        allowed
    }

    /// A reserved retry is sent.
    pub(super) fn spend(&mut self, now: Instant) {
        self.release();
        let tick = self.tick(now);
        self.window.record(tick, RETRY);
    }

    /// A reserved retry is not sent after all.
    pub(super) const fn release(&mut self) {
        self.reserved -= 1;
    }

    pub(super) fn entries(&mut self, now: Instant) -> Entries {
        let tick = self.tick(now);
        let Totals { total, bad } = self.window.totals(tick);
        let requests = total - bad;
        let share = self.per_request.saturating_mul(requests);
        let allowed = self.reserve.saturating_add(share) / ONE;
        let retries = bad + self.reserved;
        Entries {
            requests,
            retries,
            available: allowed.saturating_sub(retries),
        }
    }

    fn tick(&mut self, now: Instant) -> Tick {
        let origin = *self.origin.get_or_insert(now);
        now.saturating_duration_since(origin).as_millis() as Tick
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timer;

    const WINDOW: Duration = Duration::from_secs(10);

    fn ledger(ratio: f64, reserve_per_second: u32) -> Ledger {
        Ledger::new((ratio * 1e6).round() as u64, reserve_per_second, WINDOW)
    }

    /// How many of so many requests are retried, if each of them would like to be.
    fn retried(ledger: &mut Ledger, requests: u64, now: Instant) -> u64 {
        let mut retries = 0;
        for _ in 0..requests {
            ledger.deposit(now);
            if ledger.reserve(now) {
                ledger.spend(now);
                retries += 1;
            }
        }
        retries
    }

    #[test]
    fn a_share_is_the_share_that_was_asked_for() {
        let now = Timer::default().now();
        for (ratio, expected) in [
            (0.0, 0),
            (0.1, 5_000),
            (0.2, 10_000),
            (0.3, 15_000),
            (0.6, 30_000),
            (0.7, 35_000),
            (1.0, 50_000),
        ] {
            let mut ledger = ledger(ratio, 0);
            assert_eq!(retried(&mut ledger, 50_000, now), expected, "{ratio}");
        }
    }

    #[test]
    fn the_reserve_is_there_without_any_requests() {
        let now = Timer::default().now();
        let mut ledger = ledger(0.2, 10);
        let reserved = (0..200).filter(|_| ledger.reserve(now)).count();
        assert_eq!(reserved, 100);
    }

    #[test]
    fn what_is_released_can_be_reserved_again() {
        let now = Timer::default().now();
        let mut ledger = ledger(1.0, 0);
        ledger.deposit(now);
        assert!(ledger.reserve(now) && !ledger.reserve(now));
        ledger.release();
        assert!(ledger.reserve(now));
        ledger.spend(now);
        assert!(!ledger.reserve(now));
    }

    #[test]
    fn what_is_older_than_the_window_neither_helps_nor_hinders() {
        let now = Timer::default().now();
        let mut ledger = ledger(0.5, 0);
        assert_eq!(retried(&mut ledger, 100, now), 50);
        let later = now + WINDOW;
        assert_eq!(
            ledger.entries(later),
            Entries {
                requests: 0,
                retries: 0,
                available: 0
            }
        );
        assert_eq!(retried(&mut ledger, 100, later), 50);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Deposit,
        Reserve,
        Spend,
        Release,
    }

    proptest! {
        #[test]
        fn there_are_never_more_retries_than_the_rule_allows_and_never_fewer(
            tenths in 0_u64..=20,
            reserve in 0_u32..3,
            steps in proptest::collection::vec(
                (
                    0_u64..400,
                    prop_oneof![
                        4 => Just(Step::Deposit),
                        3 => Just(Step::Reserve),
                        2 => Just(Step::Spend),
                        1 => Just(Step::Release),
                    ],
                ),
                0..300,
            ),
        ) {
            let start = Timer::default().now();
            let mut ledger = Ledger::new(tenths * 100_000, reserve, WINDOW);
            // Its time begins here.
            ledger.entries(start);
            // When, in ms, the requests and the retries were.
            let (mut requests, mut retries) = (Vec::new(), Vec::new());
            let (mut reserved, mut ms) = (0_u64, 0);
            for (pause, step) in steps {
                ms += pause;
                let now = start + Duration::from_millis(ms);
                let in_window = |times: &Vec<u64>| {
                    times.iter().filter(|&&at| at / 1_000 + 10 > ms / 1_000).count() as u64
                };
                match step {
                    Step::Deposit => {
                        ledger.deposit(now);
                        requests.push(ms);
                    }
                    Step::Reserve => {
                        let used = in_window(&retries) + reserved;
                        let allowed = 10 * u64::from(reserve) * 10 + tenths * in_window(&requests);
                        let expected = (used + 1) * 10 <= allowed;
                        prop_assert_eq!(ledger.reserve(now), expected);
                        reserved += u64::from(expected);
                    }
                    Step::Spend if reserved > 0 => {
                        ledger.spend(now);
                        reserved -= 1;
                        retries.push(ms);
                    }
                    Step::Release if reserved > 0 => {
                        ledger.release();
                        reserved -= 1;
                    }
                    Step::Spend | Step::Release => {}
                }
            }
        }
    }
}
