use std::time::Duration;

use super::Budget;
use super::builder::CHECKS;
use super::ledger::{Ledger, STEPS};
use crate::{InvalidConfig, MAX_DURATION};

/// A fifth, as in Finagle and Linkerd: no outage adds more load than that.
pub const DEFAULT_RATIO: f64 = 0.2;

/// As in Finagle and Linkerd: where there are few requests, a share of them is nothing.
pub const DEFAULT_RESERVE_PER_SECOND: u32 = 10;

/// As in Finagle and Linkerd: long enough for a share to mean something, short enough to be about
/// now.
pub const DEFAULT_BUDGET_WINDOW: Duration = Duration::from_secs(10);

/// Puts a [`Budget`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct BudgetBuilder {
    ratio: f64,
    reserve_per_second: u32,
    window: Duration,
}

// === impl BudgetBuilder ===

impl BudgetBuilder {
    /// How many retries there may be for each request, kept to a millionth: 0 to 100. Default:
    /// [`DEFAULT_RATIO`].
    pub const fn with_ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// How many there may be in any case: so many times the window's seconds, in the window. At most
    /// a million. Default: [`DEFAULT_RESERVE_PER_SECOND`].
    pub const fn with_reserve_per_second(mut self, retries: u32) -> Self {
        self.reserve_per_second = retries;
        self
    }

    /// For how long requests and retries count: 10 ms to 24 h, in 10 steps. Default:
    /// [`DEFAULT_BUDGET_WINDOW`].
    pub const fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The budget.
    ///
    /// # Errors
    ///
    /// When a value is out of its range.
    pub fn build(self) -> Result<Budget, InvalidConfig> {
        let Self {
            ratio,
            reserve_per_second,
            window,
        } = self;
        CHECKS.check(
            // What is not a number is in no range.
            (0.0..=100.0).contains(&ratio),
            "ratio",
            ratio,
            format_args!("0 to 100"),
        )?;
        CHECKS.check(
            reserve_per_second <= 1_000_000,
            "reserve_per_second",
            reserve_per_second,
            format_args!("0 to 1000000"),
        )?;
        CHECKS.check(
            window >= Duration::from_millis(STEPS.into()) && window <= MAX_DURATION,
            "window",
            format_args!("{window:?}"),
            format_args!("10ms to 24h"),
        )?;
        Ok(self.unchecked())
    }

    pub(super) fn unchecked(self) -> Budget {
        // Rounded, so that 0.6 is 600 000 and nothing beneath it.
        let millionths = (self.ratio * 1e6).round() as u64;
        Budget::new(Ledger::new(
            millionths,
            self.reserve_per_second,
            self.window,
        ))
    }
}

impl Default for BudgetBuilder {
    fn default() -> Self {
        Self {
            ratio: DEFAULT_RATIO,
            reserve_per_second: DEFAULT_RESERVE_PER_SECOND,
            window: DEFAULT_BUDGET_WINDOW,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        for (builder, expected) in [
            (
                Budget::builder().with_ratio(-0.1),
                "ratio: -0.1 is not 0 to 100",
            ),
            (
                Budget::builder().with_ratio(100.1),
                "ratio: 100.1 is not 0 to 100",
            ),
            (
                Budget::builder().with_ratio(f64::NAN),
                "ratio: NaN is not 0 to 100",
            ),
            (
                Budget::builder().with_reserve_per_second(1_000_001),
                "reserve_per_second: 1000001 is not 0 to 1000000",
            ),
            (
                Budget::builder().with_window(Duration::from_millis(9)),
                "window: 9ms is not 10ms to 24h",
            ),
            (
                Budget::builder().with_window(Duration::MAX),
                "window: 18446744073709551615.999999999s is not 10ms to 24h",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), format!("retry: {expected}"));
        }
    }

    #[test]
    fn what_is_just_in_range_is_taken() {
        for builder in [
            Budget::builder(),
            Budget::builder().with_ratio(0.0).with_reserve_per_second(0),
            Budget::builder().with_ratio(100.0),
            // The most that is multiplied.
            Budget::builder()
                .with_reserve_per_second(1_000_000)
                .with_window(MAX_DURATION),
            Budget::builder().with_window(Duration::from_millis(10)),
        ] {
            assert!(builder.clone().build().is_ok(), "{builder:?}");
        }
    }
}
