//! The limit, by hand.

use std::time::Instant;

use proptest::prelude::*;

use super::super::Gradient;
use super::*;
use crate::bulkhead::ceiling::Sample;

const SECOND: Duration = Duration::from_secs(1);

/// A limit of 16 to start with that looks at each ten calls, whenever they come.
struct Hand {
    gradient: Gradient,
    now: Instant,
}

impl Hand {
    fn new(settings: Adaptive) -> Self {
        let now = Timer::default().now();
        Self {
            gradient: Gradient::new(settings, 7, now),
            now,
        }
    }

    /// One that knows that calls take 100 ms with little to do.
    fn settled(settings: Adaptive) -> Self {
        let mut hand = Self::new(settings);
        while hand.gradient.is_probing() {
            hand.serve(10, 100, 1);
        }
        assert_eq!(hand.gradient.unloaded(), Some(100 * MS));
        hand
    }

    /// So many calls end after so many milliseconds, of so many at a time.
    fn serve(&mut self, calls: u32, millis: u32, in_flight: usize) {
        let epoch = self.gradient.epoch();
        self.now += 2 * MS;
        for _ in 0..calls {
            self.gradient
                .sample(sample(epoch, millis * MS, in_flight), self.now);
        }
    }
}

fn sample(epoch: u64, elapsed: Duration, in_flight: usize) -> Sample {
    Sample {
        epoch,
        elapsed,
        in_flight,
    }
}

fn by_ten() -> Adaptive {
    Adaptive::default()
        .with_initial(16)
        .with_bounds(2, 100)
        .with_window(MS, 10)
}

#[test]
fn it_starts_with_a_look_at_how_long_calls_take() {
    let mut hand = Hand::new(by_ten());
    assert_eq!((hand.gradient.limit(), hand.gradient.found()), (8, 16));
    hand.serve(10, 100, 8);
    // Whether that was without a queue only the next level tells.
    assert_eq!((hand.gradient.limit(), hand.gradient.found()), (4, 16));
    hand.serve(10, 95, 4);
    assert_eq!((hand.gradient.limit(), hand.gradient.found()), (16, 16));
    assert_eq!(
        hand.gradient.unloaded(),
        Some(Duration::from_micros(97_500))
    );
}

#[test]
fn a_probe_goes_down_as_long_as_calls_get_faster() {
    let mut hand = Hand::new(by_ten());
    for (millis, limit) in [(800, 4), (400, 2), (200, 1), (100, 16)] {
        hand.serve(10, millis, 1);
        assert_eq!(hand.gradient.limit(), limit);
    }
    assert_eq!(hand.gradient.unloaded(), Some(100 * MS));
}

#[test]
fn it_grows_while_nothing_queues_up_and_not_while_something_does() {
    // Netflix concurrency-limits #134: the limit crept up under modest overload, as the allowance
    // for a queue was added while the gradient said to shrink.
    for (millis, expected) in [(100, 20), (150, 20), (160, 15), (300, 14), (3_000, 14)] {
        let mut hand = Hand::settled(by_ten());
        hand.serve(10, millis, 16);
        assert_eq!(hand.gradient.found(), expected, "{millis} ms");
    }
}

#[test]
fn it_does_not_grow_where_less_than_half_is_used() {
    let mut hand = Hand::settled(by_ten());
    hand.serve(10, 100, 7);
    assert_eq!(hand.gradient.found(), 16);
    hand.serve(10, 100, 8);
    assert_eq!(hand.gradient.found(), 20);
}

#[test]
fn calls_of_another_epoch_do_not_count() {
    // Envoy #11579: calls that were admitted before a measurement were counted for it.
    let mut hand = Hand::new(by_ten());
    let before = hand.gradient.epoch();
    hand.serve(10, 100, 8);
    for _ in 0..100 {
        hand.gradient
            .sample(sample(before, 1_000 * MS, 16), hand.now);
    }
    assert_eq!(hand.gradient.limit(), 4);
    hand.serve(10, 100, 4);
    assert_eq!(hand.gradient.unloaded(), Some(100 * MS));
}

#[test]
fn a_window_without_enough_calls_says_nothing() {
    // Envoy #14997: an empty histogram gave a limit of 2^32 - 1.
    let mut hand = Hand::settled(by_ten());
    hand.serve(9, 10_000, 16);
    hand.now += 1_000 * SECOND;
    assert_eq!(hand.gradient.found(), 16);
}

#[test]
fn a_probe_may_be_lower_than_the_least_limit() {
    // Envoy #46532: one setting for both, so that a floor made probes useless.
    let settings = by_ten().with_bounds(16, 100);
    let mut hand = Hand::new(settings);
    assert_eq!(hand.gradient.limit(), 8);
    while hand.gradient.is_probing() {
        hand.serve(10, 100, 8);
    }
    for _ in 0..100 {
        hand.serve(10, 1_000, 16);
        assert!(hand.gradient.found() >= 16);
    }
}

#[test]
fn what_was_measured_is_measured_again() {
    // Netflix concurrency-limits #165: what calls take without load was poisoned for good.
    let mut hand = Hand::settled(by_ten());
    hand.now += 40 * SECOND;
    hand.serve(10, 100, 16);
    assert!(hand.gradient.is_probing());
    while hand.gradient.is_probing() {
        hand.serve(10, 300, 4);
    }
    assert_eq!(hand.gradient.unloaded(), Some(300 * MS));
}

#[test]
fn what_is_faster_than_ever_is_believed_bit_by_bit() {
    let mut hand = Hand::settled(by_ten());
    hand.serve(10, 50, 16);
    assert_eq!(hand.gradient.unloaded(), Some(90 * MS));
}

#[test]
fn it_is_measured_again_before_the_limit_has_fallen_by_half() {
    let mut hand = Hand::settled(by_ten());
    let mut windows = 0;
    while !hand.gradient.is_probing() {
        hand.serve(10, 1_000, 16);
        windows += 1;
    }
    assert!(windows < 10, "{windows}");
    assert!((7..=8).contains(&hand.gradient.found()));
}

#[test]
fn a_probe_that_is_in_the_way_is_given_up() {
    let mut hand = Hand::settled(by_ten());
    hand.now += 40 * SECOND;
    hand.serve(10, 100, 16);
    assert!(hand.gradient.is_probing());
    // Long enough for ten calls of 100 ms one after the other, and four windows.
    hand.gradient.refused(hand.now + SECOND + 3 * MS);
    assert!(hand.gradient.is_probing());
    hand.gradient.refused(hand.now + SECOND + 4 * MS);
    assert!(!hand.gradient.is_probing());
    assert_eq!(hand.gradient.limit(), hand.gradient.found());
}

#[test]
fn replicas_do_not_probe_at_once() {
    // Envoy #8337.
    let mut starts: Vec<u64> = (0..50)
        .map(|seed| {
            let now = Timer::default().now();
            let mut gradient = Gradient::new(by_ten(), seed, now);
            let mut at = now;
            let mut settled = false;
            loop {
                let epoch = gradient.epoch();
                gradient.sample(sample(epoch, 100 * MS, 8), at);
                settled |= !gradient.is_probing();
                if settled && gradient.is_probing() {
                    return (at - now).as_secs();
                }
                at += 10 * MS;
            }
        })
        .collect();
    starts.sort_unstable();
    starts.dedup();
    assert!(starts.len() >= 5, "{starts:?}");
    assert!(
        starts.iter().all(|start| (27..=34).contains(start)),
        "{starts:?}"
    );
}

#[test]
fn other_settings_keep_what_is_known() {
    let mut hand = Hand::settled(by_ten());
    hand.gradient
        .update(by_ten().with_bounds(2, 10).with_initial(5), hand.now);
    assert_eq!((hand.gradient.limit(), hand.gradient.found()), (10, 10));
    assert_eq!(hand.gradient.unloaded(), Some(100 * MS));
}

proptest! {
    #[test]
    fn the_limit_keeps_to_its_bounds_whatever_it_is_told(
        min in 1_usize..20,
        more in 0_usize..100,
        samples in proptest::collection::vec(
            (0_u64..3, 0_u64..10_000_000, 0_usize..200, 0_u64..60_000),
            1..500,
        ),
        refused in any::<bool>(),
    ) {
        let settings = Adaptive::default().with_bounds(min, min + more).with_window(10 * MS, 3);
        let mut now = Timer::default().now();
        let mut gradient = Gradient::new(settings, 1, now);
        for (older, micros, in_flight, pause) in samples {
            now += Duration::from_millis(pause);
            let epoch = gradient.epoch().saturating_sub(older);
            gradient.sample(sample(epoch, Duration::from_micros(micros), in_flight), now);
            if refused {
                gradient.refused(now);
            }
            prop_assert!((min..=min + more).contains(&gradient.found()));
            prop_assert!((1..=gradient.found()).contains(&gradient.limit()));
        }
    }
}
