//! One decision, which is governor's, over the one time that the table holds for a key: the
//! *theoretical arrival time*, when its budget is full again. All times are nanoseconds since the
//! limiter was made.
//!
//! The algorithm is the generic cell rate algorithm (ITU-T I.371).

use std::cell::Cell;
use std::num::NonZeroU32;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};

use super::Quota;

/// What is said to so many units at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes, and `tat` is the key's time from then on.
    Conforming { tat: u64 },
    /// Not before `wait` is over.
    TooSoon { wait: u64 },
    /// More than a burst, so never.
    TooMuch,
}

/// Whether a key whose budget is full at `tat` may have `cost` units at `now`.
pub(super) fn decide(quota: &Quota, cost: NonZeroU32, tat: u64, now: u64) -> Verdict {
    // Governor takes what the clock says first for its origin, which is ours, 0.
    let told = Told(Cell::new(0));
    let limiter = RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::new(
        quota.governed(),
        One(Cell::new(tat)),
        told,
    );
    limiter.clock().0.set(now);
    match limiter.check_n(cost) {
        Ok(Ok(())) => Verdict::Conforming {
            tat: limiter.into_state_store().0.get(),
        },
        Ok(Err(not_until)) => Verdict::TooSoon {
            wait: not_until.earliest_possible().as_u64() - now,
        },
        Err(_) => Verdict::TooMuch,
    }
}

/// How many units are left at `now`.
pub(crate) fn remaining(quota: &Quota, tat: u64, now: u64) -> u32 {
    let left = quota.full().saturating_sub(tat.saturating_sub(now));
    // At most the burst.
    (left / quota.unit()) as u32
}

/// How long it takes from `now` until there is one unit more. `None` where none is missing.
pub(crate) fn until_next(quota: &Quota, tat: u64, now: u64) -> Option<u64> {
    let used = tat.saturating_sub(now);
    match used.checked_sub(quota.full()) {
        // Beyond the burst, that has to be given back first.
        Some(beyond) => Some(beyond + quota.unit()),
        None if used == 0 => None,
        None => Some(match used % quota.unit() {
            0 => quota.unit(),
            part => part,
        }),
    }
}

/// A store of one time.
struct One(Cell<u64>);

/// A clock that says what it was told.
#[derive(Debug, Clone)]
struct Told(Cell<u64>);

// === impl One ===

impl StateStore for One {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (answer, tat) = decide(Some(self.0.get().into()))?;
        self.0.set(tat.as_u64());
        Ok(answer)
    }
}

// === impl Told ===

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get().into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn quota(rate: u32, burst: u32) -> Quota {
        Quota::new(rate, Duration::from_nanos(100 * u64::from(rate)), burst).unwrap()
    }

    fn cost(units: u32) -> NonZeroU32 {
        NonZeroU32::new(units).unwrap()
    }

    #[test]
    fn a_burst_then_the_rate() {
        let quota = quota(1, 3);
        let mut tat = 0;
        for left in [2, 1, 0] {
            let Verdict::Conforming { tat: next } = decide(&quota, cost(1), tat, 1_000) else {
                panic!("it was not let through with {left} left");
            };
            tat = next;
            assert_eq!(remaining(&quota, tat, 1_000), left);
        }
        assert_eq!(tat, 1_300);
        assert_eq!(
            decide(&quota, cost(1), tat, 1_000),
            Verdict::TooSoon { wait: 100 }
        );
        assert_eq!(
            decide(&quota, cost(3), tat, 1_050),
            Verdict::TooSoon { wait: 250 }
        );
        let next = Verdict::Conforming { tat: 1_400 };
        assert_eq!(decide(&quota, cost(1), tat, 1_100), next);
    }

    #[test]
    fn more_than_a_burst_is_never_let_through() {
        assert_eq!(decide(&quota(1, 3), cost(4), 0, 0), Verdict::TooMuch);
    }

    #[test]
    fn what_is_left_and_when_there_is_more() {
        let quota = quota(1, 3);
        for (tat, left, next) in [
            (0, 3, None),
            (1_000, 3, None),
            (1_001, 2, Some(1)),
            (1_100, 2, Some(100)),
            (1_250, 0, Some(50)),
            (1_300, 0, Some(100)),
            // A debt, as a settlement leaves one.
            (1_500, 0, Some(300)),
        ] {
            assert_eq!(remaining(&quota, tat, 1_000), left, "at {tat}");
            assert_eq!(until_next(&quota, tat, 1_000), next, "at {tat}");
        }
    }
}
