//! For how long a circuit opens.

use std::time::Duration;

use super::Config;

/// Grows with each opening in a row. Chance is an argument, so that this is a plain function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OpenTime {
    /// How many openings there were in a row, without a stable time between them.
    streak: u32,
}

// === impl OpenTime ===

impl OpenTime {
    /// How long the next opening lasts; `chance` is from 0 to below 1, and `hint` is for how long
    /// the service has asked to be left alone.
    pub(super) fn next(&mut self, config: &Config, chance: f64, hint: Duration) -> Duration {
        let first = config.open_time.as_secs_f64();
        let longest = config.max_open_time.as_secs_f64();
        // An exponent of a hundred is beyond any cap, whatever the factor, unless that is 1.
        let exponent = self.streak.min(1_000) as i32;
        let grown = (first * config.open_factor.powi(exponent)).min(longest);
        self.streak = self.streak.saturating_add(1);
        let shortened = grown * (1.0 - config.jitter * chance);
        // Never longer than what was asked for at most, which is a day at most.
        Duration::from_secs_f64(shortened)
            .max(hint)
            .min(config.max_open_time)
    }

    /// The circuit has been closed for a stable time.
    pub(super) const fn settle(&mut self) {
        self.streak = 0;
    }

    pub(super) const fn streak(self) -> u32 {
        self.streak
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn config(factor: f64, jitter: f64) -> Config {
        Config::builder()
            .with_open_time(Duration::from_secs(5), MINUTE)
            .with_open_factor(factor)
            .with_jitter(jitter)
            .build()
            .unwrap()
    }

    #[test]
    fn each_opening_in_a_row_is_longer_up_to_the_cap() {
        let config = config(2.0, 0.0);
        let mut open = OpenTime::default();
        for seconds in [5, 10, 20, 40, 60, 60] {
            let next = open.next(&config, 0.9, Duration::ZERO);
            assert_eq!(next, Duration::from_secs(seconds));
        }
        open.settle();
        let next = open.next(&config, 0.9, Duration::ZERO);
        assert_eq!(next, Duration::from_secs(5));
    }

    #[test]
    fn chance_shortens_it_and_nothing_else() {
        for (chance, millis) in [(0.0, 5_000), (0.5, 3_750), (0.8, 3_000)] {
            let next = OpenTime::default().next(&config(2.0, 0.5), chance, Duration::ZERO);
            assert_eq!(next, Duration::from_millis(millis));
        }
    }

    #[test]
    fn a_hint_raises_it_within_the_cap() {
        let config = config(1.0, 0.0);
        for (hint, expected) in [(1, 5), (30, 30), (600, 60)] {
            let next = OpenTime::default().next(&config, 0.0, Duration::from_secs(hint));
            assert_eq!(next, Duration::from_secs(expected));
        }
    }

    proptest! {
        #[test]
        fn chance_shortens_it_by_the_jitter_at_most(
            jitter in 0.0..0.99_f64,
            chance in 0.0..1.0_f64,
            streak in prop_oneof![0_u32..5, 5_u32..2_000_000_000],
            factor in 1.0..100.0_f64,
        ) {
            let config = config(factor, jitter);
            let full = OpenTime { streak }.next(&config, 0.0, Duration::ZERO);
            let next = OpenTime { streak }.next(&config, chance, Duration::ZERO);
            prop_assert!(next <= full && full <= MINUTE);
            let least = full.as_secs_f64() * (1.0 - jitter);
            prop_assert!(next.as_secs_f64() >= least - 1e-6);
        }
    }
}
