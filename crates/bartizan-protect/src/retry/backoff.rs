use std::time::Duration;

/// How long to pause before an attempt: by chance, up to a bound that doubles with each.
///
/// "Full jitter", as AWS names it: of the usual ways to spread clients that have failed together, it
/// makes the least work in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// The bound before the first retry.
    pub(super) base: Duration,
    /// The bound's own.
    pub(super) max: Duration,
}

// === impl Backoff ===

impl Backoff {
    /// The pause before the retry with this number, of which the first is 0; `chance` is from 0 to
    /// below 1.
    pub(super) fn pause(self, retry: u32, chance: f64) -> Duration {
        let grown = 2_u32
            .checked_pow(retry)
            .and_then(|factor| self.base.checked_mul(factor));
        grown.unwrap_or(self.max).min(self.max).mul_f64(chance)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_millis(25),
        max: Duration::from_secs(1),
    };

    #[test]
    fn the_bound_doubles_up_to_its_own() {
        // As near to 1 as chance gets.
        let chance = 1.0 - f64::EPSILON;
        for (retry, expected) in [
            (0, 25),
            (1, 50),
            (2, 100),
            (5, 800),
            (6, 1_000),
            (31, 1_000),
            (32, 1_000),
            (u32::MAX, 1_000),
        ] {
            let pause = BACKOFF.pause(retry, chance);
            let bound = Duration::from_millis(expected);
            assert!(pause <= bound, "{retry}: {pause:?}");
            assert!(
                bound - pause < Duration::from_micros(1),
                "{retry}: {pause:?}"
            );
        }
    }

    #[test]
    fn it_is_spread_from_nothing_to_the_bound() {
        assert_eq!(BACKOFF.pause(2, 0.0), Duration::ZERO);
        assert_eq!(BACKOFF.pause(2, 0.25), Duration::from_millis(25));
        assert_eq!(BACKOFF.pause(2, 0.5), Duration::from_millis(50));
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest(
            base in 0_u64..=86_400_000,
            max in 0_u64..=86_400_000,
            retry in any::<u32>(),
            chance in 0.0..1.0_f64,
        ) {
            let (base, max) = (Duration::from_millis(base), Duration::from_millis(max));
            let backoff = Backoff { base, max };
            prop_assert!(backoff.pause(retry, chance) <= max);
        }
    }
}
