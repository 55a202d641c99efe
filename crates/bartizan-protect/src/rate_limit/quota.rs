use std::num::NonZeroU32;
use std::time::Duration;

use super::CHECKS;
use crate::InvalidConfig;

/// How much is allowed: a rate, and how much of it may come at once.
///
/// ```
/// use std::time::Duration;
/// use bartizan_protect::rate_limit::Quota;
///
/// # fn main() -> Result<(), bartizan_protect::InvalidConfig> {
/// // 100 a minute, of which 10 may come at once.
/// let quota = Quota::new(100, Duration::from_secs(60), 10)?;
/// assert_eq!(quota.refill(), Duration::from_secs(6));
/// # Ok(())
/// # }
/// ```
///
/// Whoever has been idle for [`refill`](Self::refill) has the whole burst again. In any span of
/// time, a key has no more than the burst and what the rate gives in that span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    rate: NonZeroU32,
    burst: NonZeroU32,
    /// In nanoseconds, as `unit` is.
    per: u64,
    /// The time until one unit is given back.
    unit: u64,
}

/// The longest time until a burst is whole again: a year. What is slower is no rate limit.
pub const MAX_REFILL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

// === impl Quota ===

impl Quota {
    /// `rate` units every `per`, of which `burst` may come at once.
    ///
    /// Time is counted in nanoseconds for each unit, rounded up: a key never has more than `rate`.
    ///
    /// # Errors
    ///
    /// When rate or burst is 0, there is more than one unit a nanosecond, or the rate's time is longer
    /// than [`MAX_REFILL`], or the time is that a burst takes to be whole again.
    pub fn new(rate: u32, per: Duration, burst: u32) -> Result<Self, InvalidConfig> {
        let (nanos, year) = (per.as_nanos(), MAX_REFILL.as_nanos());
        CHECKS.check(
            (rate.into()..=year).contains(&nanos),
            "quota.per",
            format_args!("{per:?}"),
            "a nanosecond for each unit of the rate, to a year",
        )?;
        let (rate, burst) = (some("quota.rate", rate)?, some("quota.burst", burst)?);
        let unit = nanos.div_ceil(rate.get().into());
        CHECKS.check(
            unit.saturating_mul(burst.get().into()) <= year,
            "quota.burst",
            format_args!("{burst} of {rate} per {per:?}"),
            "whole again within a year",
        )?;
        // A year of nanoseconds fits hundreds of times.
        let (per, unit) = (nanos as u64, unit as u64);
        Ok(Self {
            rate,
            burst,
            per,
            unit,
        })
    }

    /// How many units there are in each [`per`](Self::per).
    #[must_use]
    pub const fn rate(&self) -> u32 {
        self.rate.get()
    }

    /// The time that the rate is for.
    #[must_use]
    pub const fn per(&self) -> Duration {
        Duration::from_nanos(self.per)
    }

    /// How many units may come at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// How long it takes until an empty budget is full.
    #[must_use]
    pub const fn refill(&self) -> Duration {
        Duration::from_nanos(self.full())
    }

    /// Nanoseconds until one unit is given back.
    pub(crate) const fn unit(&self) -> u64 {
        self.unit
    }

    /// Nanoseconds until a whole burst is.
    pub(crate) const fn full(&self) -> u64 {
        self.unit * self.burst.get() as u64
    }

    /// The quota as governor has it.
    pub(super) fn governed(&self) -> governor::Quota {
        let unit = Duration::from_nanos(self.unit);
        governor::Quota::with_period(unit)
            // Only a period of nothing is none, and a unit is at least a nanosecond.
            .unwrap_or_else(|| governor::Quota::per_second(self.rate))
            .allow_burst(self.burst)
    }
}

fn some(field: &'static str, count: u32) -> Result<NonZeroU32, InvalidConfig> {
    CHECKS.check(count >= 1, field, count, "at least 1")?;
    // It is at least 1.
    Ok(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn rate_and_burst_are_two_things() {
        let quota = Quota::new(5, SECOND, 1).unwrap();
        assert_eq!((quota.unit(), quota.burst()), (200_000_000, 1));
        let quota = Quota::new(5, SECOND, 50).unwrap();
        assert_eq!(quota.refill(), Duration::from_secs(10));
    }

    #[test]
    fn no_more_than_the_rate_is_given_however_it_divides() {
        let quota = Quota::new(3, SECOND, 1).unwrap();
        assert_eq!(quota.unit(), 333_333_334);
        assert_eq!(Quota::new(1_000_000_000, SECOND, 1).unwrap().unit(), 1);
    }

    #[test]
    fn what_is_no_quota_is_said_with_field_and_value() {
        let said = |rate, per, burst| Quota::new(rate, per, burst).unwrap_err().to_string();
        assert_eq!(
            said(0, SECOND, 1),
            "rate limit: quota.rate: 0 is not at least 1"
        );
        assert_eq!(
            said(1, SECOND, 0),
            "rate limit: quota.burst: 0 is not at least 1"
        );
        assert_eq!(
            said(2_000_000_000, SECOND, 1),
            "rate limit: quota.per: 1s is not a nanosecond for each unit of the rate, to a year"
        );
        assert_eq!(
            said(1, MAX_REFILL, 2),
            "rate limit: quota.burst: 2 of 1 per 31536000s is not whole again within a year"
        );
        assert!(Quota::new(1, Duration::MAX, 1).is_err());
        assert!(Quota::new(1, Duration::ZERO, 1).is_err());
        assert!(Quota::new(1, MAX_REFILL, 1).is_ok());
    }
}
