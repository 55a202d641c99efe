use std::time::{Duration, Instant};

use http::HeaderValue;

use super::{Elapsed, LEAST, Limit, NoTimeLeft};

/// The time that a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(super) until: Instant,
    /// What is said when it is over.
    pub(super) elapsed: Elapsed,
}

// === impl Allowance ===

impl Allowance {
    /// For a call at `now`: `timeout`, or what is left until `deadline` if that is less.
    pub(crate) fn new(
        timeout: Duration,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Self, NoTimeLeft> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        let (after, limit) = match left {
            Some(left) if left < LEAST => return Err(NoTimeLeft(())),
            Some(left) if left < timeout => (left, Limit::Deadline),
            _ => (timeout, Limit::Timeout),
        };
        Ok(Self {
            until: now + after,
            elapsed: Elapsed { after, limit },
        })
    }

    /// What the service is told. Rounded down, so that it never thinks to have more than it has.
    pub(super) fn header(&self) -> HeaderValue {
        let ms = u64::try_from(self.elapsed.after.as_millis());
        ms.unwrap_or(u64::MAX).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timer;

    #[test]
    fn the_least_of_both() {
        let now = Timer::default().now();
        let timeout = Duration::from_millis(100);
        let us = Duration::from_micros;
        for (left, expected) in [
            (None, Some((timeout, Limit::Timeout, "100"))),
            (Some(us(200_000)), Some((timeout, Limit::Timeout, "100"))),
            (Some(timeout), Some((timeout, Limit::Timeout, "100"))),
            (Some(us(99_999)), Some((us(99_999), Limit::Deadline, "99"))),
            (Some(us(1_999)), Some((us(1_999), Limit::Deadline, "1"))),
            (Some(us(1_000)), Some((us(1_000), Limit::Deadline, "1"))),
            (Some(us(999)), None),
            (Some(us(0)), None),
        ] {
            let allowance = Allowance::new(timeout, now, left.map(|left| now + left));
            let Some((after, limit, header)) = expected else {
                assert_eq!(allowance, Err(NoTimeLeft(())), "{left:?}");
                continue;
            };
            let allowance = allowance.unwrap();
            assert_eq!(allowance.elapsed, Elapsed { after, limit }, "{left:?}");
            assert_eq!(allowance.until, now + after);
            assert_eq!(allowance.header(), header);
        }
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_nothing() {
        let deadline = Timer::default().now();
        let now = deadline + Duration::from_secs(1);
        let allowance = Allowance::new(Duration::from_secs(1), now, Some(deadline));
        assert_eq!(allowance, Err(NoTimeLeft(())));
    }

    proptest! {
        #[test]
        fn never_more_than_either_and_never_nothing(
            timeout in 1_000_u64..10_000_000,
            left in proptest::option::of(0_u64..10_000_000),
        ) {
            let now = Timer::default().now();
            let timeout = Duration::from_micros(timeout);
            let deadline = left.map(|left| now + Duration::from_micros(left));
            match Allowance::new(timeout, now, deadline) {
                Err(NoTimeLeft(())) => prop_assert!(left.is_some_and(|left| left < 1_000)),
                Ok(allowance) => {
                    prop_assert!(allowance.until <= now + timeout);
                    prop_assert!(deadline.is_none_or(|deadline| allowance.until <= deadline));
                    let told = super::super::parse_remaining(&allowance.header()).unwrap();
                    prop_assert!(told >= LEAST && told <= allowance.elapsed.after);
                }
            }
        }
    }
}
