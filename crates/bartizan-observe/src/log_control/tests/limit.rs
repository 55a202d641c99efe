//! The limit and the books of one call site, with made-up time.

use proptest::prelude::*;

use super::*;
use crate::log_control::limit::Quota;
use crate::log_control::site::{Decision, QUIET, Site};
use crate::telemetry::DEFAULT_MAX_QUEUE;

const PASS: Decision = Decision::Pass { suppressed: 0 };

fn quota(rate: u32, burst: u32) -> Quota {
    Quota::new(number(rate), number(burst))
}

fn suppress(first: bool) -> Decision {
    Decision::Suppress { first }
}

#[test]
fn a_burst_passes_and_then_as_many_as_the_rate_says() {
    let start = Clock::default().now();
    let mut site = Site::default();
    for (millis, expected) in [
        (0, PASS),
        (0, PASS),
        (0, PASS),
        (0, suppress(true)),
        (99, suppress(false)),
        (100, Decision::Pass { suppressed: 2 }),
        (100, suppress(true)),
        (200, Decision::Pass { suppressed: 1 }),
        // The whole burst is there again when three intervals are paid for.
        (500, PASS),
        (500, PASS),
        (500, PASS),
        (500, suppress(true)),
    ] {
        let now = start + Duration::from_millis(millis);
        assert_eq!(site.decide(quota(10, 3), now), expected, "at {millis} ms");
    }
    assert_eq!((site.suppressed(), site.untold()), (4, 1));
}

#[test]
fn what_is_left_out_falls_quiet_once_and_not_while_the_site_goes_on() {
    let start = Clock::default().now();
    let mut site = Site::default();
    let quota = quota(1, 1);
    site.decide(quota, start);
    assert!(!site.falls_quiet(start + QUIET), "nothing to tell");
    site.decide(quota, start);
    let later = start + QUIET / 2;
    site.decide(quota, later);
    assert!(!site.falls_quiet(start + QUIET), "it spoke in between");
    assert_eq!(site.tell_at(), Some(later + QUIET));
    assert!(site.falls_quiet(later + QUIET));
    assert!(!site.falls_quiet(later + QUIET * 2), "it was said already");
    assert_eq!(site.tell(), 2);
    assert_eq!((site.suppressed(), site.untold()), (2, 0));
}

#[test]
fn warnings_and_errors_have_more_and_still_fit_into_the_queue_of_records() {
    let (ordinary, severe) = LogLimit::default().quotas().unwrap();
    assert_eq!(ordinary, Quota::new(DEFAULT_LOG_RATE, DEFAULT_LOG_BURST));
    assert_eq!(severe.interval * SEVERE_FACTOR, ordinary.interval);
    let burst = DEFAULT_LOG_BURST.get() * SEVERE_FACTOR;
    assert_eq!(severe.tolerance, severe.interval * (burst - 1));
    assert!(usize::try_from(burst).unwrap() <= DEFAULT_MAX_QUEUE);
}

#[test]
fn the_largest_and_the_smallest_limits_can_be_computed_with() {
    let start = Clock::default().now();
    for limit in [
        limit(1, u32::MAX),
        limit(u32::MAX, u32::MAX),
        limit(u32::MAX, 1),
    ] {
        let (ordinary, severe) = limit.quotas().unwrap();
        for quota in [ordinary, severe] {
            assert_eq!(Site::default().decide(quota, start), PASS);
        }
    }
    assert_eq!(LogLimit::off().with_burst(number(1)).quotas(), None);
}

proptest! {
    #[test]
    fn no_window_has_more_than_the_burst_and_what_the_rate_gives(
        rate in 1_u32..2000,
        burst in 1_u32..20,
        // Instants are read before the lock is taken, so they may come in any order.
        steps in proptest::collection::vec((0_u64..50_000_000, 0_u64..5_000_000), 1..150),
    ) {
        let quota = quota(rate, burst);
        let start = Clock::default().now() + Duration::from_secs(1);
        let mut site = Site::default();
        let (mut at, mut told, mut passed) = (start, 0, Vec::new());
        for (forward, back) in &steps {
            at += Duration::from_nanos(*forward);
            let now = at - Duration::from_nanos(*back);
            if let Decision::Pass { suppressed } = site.decide(quota, now) {
                told += suppressed;
                passed.push(now);
            }
        }
        prop_assert_eq!(told + site.untold(), site.suppressed());
        prop_assert_eq!(passed.len() as u64 + site.suppressed(), steps.len() as u64);
        passed.sort();
        for (index, from) in passed.iter().enumerate() {
            for (count, to) in (1_u64..).zip(&passed[index..]) {
                let given = (*to - *from).as_nanos() * u128::from(rate) / 1_000_000_000;
                prop_assert!(u128::from(count) <= u128::from(burst) + given);
            }
        }
    }

    #[test]
    fn a_site_that_keeps_to_its_rate_loses_nothing(
        rate in 1_u32..2000,
        burst in 1_u32..20,
        late in proptest::collection::vec(0_u64..1_000_000, 1..100),
    ) {
        let quota = quota(rate, burst);
        let mut at = Clock::default().now();
        let mut site = Site::default();
        for late in late {
            prop_assert_eq!(site.decide(quota, at), PASS);
            at += quota.interval + Duration::from_nanos(late);
        }
    }
}
