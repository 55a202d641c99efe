//! The generic cell rate algorithm (ITU-T I.371), which gives several units at once: what the script
//! for Redis does, for the stores that are in memory. Times are nanoseconds since some beginning.

use std::time::Duration;

use super::Grant;
use crate::rate_limit::{Quota, gcra};

/// Gives between `least` and `most` units to a key whose budget is full at `full`. Answers the grant
/// and the key's new time.
pub(super) fn grant(quota: &Quota, full: u64, now: u64, least: u32, most: u32) -> (Grant, u64) {
    // Nobody owes more than a burst.
    let full = full.clamp(now, now.saturating_add(quota.full()));
    let there = gcra::remaining(quota, full, now);
    let granted = most.min(there);
    if granted < least {
        let room = now.saturating_add(quota.full()) - full;
        let wait = u64::from(least)
            .saturating_mul(quota.unit())
            .saturating_sub(room);
        let grant = Grant {
            granted: 0,
            retry_after: Duration::from_nanos(wait),
            remaining: there,
        };
        return (grant, full);
    }
    let taken = u64::from(granted) * quota.unit();
    let grant = Grant {
        granted,
        retry_after: Duration::ZERO,
        remaining: there - granted,
    };
    (grant, full + taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A unit every 100 ns.
    fn quota(burst: u32) -> Quota {
        Quota::new(1, Duration::from_nanos(100), burst).unwrap()
    }

    #[test]
    fn a_grant_is_what_there_is_between_the_least_and_the_most() {
        for (full, least, most, granted, wait, remaining, next) in [
            // A key that nobody has used for long.
            (0, 1, 3, 3, 0, 7, 1_300),
            (1_000, 1, 30, 10, 0, 0, 2_000),
            (1_650, 1, 30, 3, 0, 0, 1_950),
            (1_650, 3, 3, 3, 0, 0, 1_950),
            (1_650, 4, 9, 0, 50, 3, 1_650),
            (1_901, 1, 9, 0, 1, 0, 1_901),
            (2_000, 1, 1, 0, 100, 0, 2_000),
            // Written by a clock that was ahead.
            (9_999, 1, 1, 0, 100, 0, 2_000),
            // More than a burst, ever.
            (0, 11, 20, 0, 100, 10, 1_000),
        ] {
            let (grant, after) = grant(&quota(10), full, 1_000, least, most);
            let expected = Grant {
                granted,
                retry_after: Duration::from_nanos(wait),
                remaining,
            };
            assert_eq!(
                (grant, after),
                (expected, next),
                "{least}..{most} at {full}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_span_of_time_has_more_than_a_burst_and_the_rate(
            burst in 1..20_u32,
            asks in prop::collection::vec((0..500_u64, 1..4_u32, 0..10_u32), 1..100),
        ) {
            let quota = quota(burst);
            let (mut now, mut full) = (1_000, 0);
            let mut grants: Vec<(u64, u64)> = Vec::new();
            for (pause, least, more) in asks {
                now += pause;
                let (given, next) = grant(&quota, full, now, least, least + more);
                prop_assert!(given.granted == 0 || (least..=least + more).contains(&given.granted));
                if given.granted == 0 {
                    // What it says to wait for is exact, or never enough.
                    let wait = given.retry_after.as_nanos() as u64;
                    prop_assert!(wait > 0);
                    let later = |now| grant(&quota, next, now, least, least).0.granted;
                    prop_assert_eq!(later(now + wait - 1), 0);
                    prop_assert!(least > burst || later(now + wait) == least);
                } else {
                    grants.push((now, given.granted.into()));
                }
                full = next;
            }
            for (at, (from, _)) in grants.iter().enumerate() {
                let mut sum = 0;
                for (to, granted) in &grants[at..] {
                    sum += granted;
                    prop_assert!(sum <= u64::from(burst) + (to - from) / 100);
                }
            }
        }
    }
}
