use std::time::{Duration, Instant};

use super::Grant;

/// What is known of a key here: the units that a store has given for it and nobody has used yet, or
/// how long it gives none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    units: u32,
    /// When the units are void.
    until: Instant,
    /// Until when there is none to be had.
    refused: Instant,
    /// How many units were asked for last.
    asked: u32,
}

/// How large a lease may be, and for how long it is good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) most: u32,
    pub(super) time: Duration,
}

/// What becomes of a request that wants one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Taken,
    /// The store gives none before that is over.
    Refused(Duration),
    /// The store has to be asked, for up to so many.
    Empty {
        most: u32,
    },
}

// === impl Lease ===

impl Lease {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            units: 0,
            until: now,
            refused: now,
            asked: 0,
        }
    }

    pub(super) fn take(&mut self, now: Instant, terms: Terms) -> Take {
        let is_good = now < self.until;
        if is_good && self.units > 0 {
            self.units -= 1;
            return Take::Taken;
        }
        self.units = 0;
        if now < self.refused {
            return Take::Refused(self.refused - now);
        }
        // Twice as many as last time if those were used up in time: who seldom comes does not lose
        // what they do not use, and who is busy asks for all at once before long.
        let most = match is_good {
            true => self.asked.saturating_mul(2),
            false => 1,
        };
        Take::Empty {
            most: most.clamp(1, terms.most),
        }
    }

    /// The store was asked for `most` units at `asked`, and has answered. The first unit is the
    /// asker's.
    pub(super) fn fill(&mut self, asked: Instant, most: u32, grant: &Grant, terms: Terms) {
        self.asked = most;
        match grant.granted.checked_sub(1) {
            Some(units) => {
                self.units = units;
                self.until = asked + terms.time;
            }
            // The store has counted from a moment after `asked`, so it may be asked a bit too early,
            // and never later than need be.
            None => self.refused = asked + grant.retry_after,
        }
    }

    /// Whether nothing is lost by forgetting it.
    pub(super) fn is_spent(&self, now: Instant) -> bool {
        (self.units == 0 || now >= self.until) && now >= self.refused
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: Terms = Terms {
        most: 5,
        time: Duration::from_secs(1),
    };

    fn start() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn granted(granted: u32) -> Grant {
        Grant {
            granted,
            retry_after: Duration::ZERO,
            remaining: 0,
        }
    }

    #[test]
    fn a_busy_key_asks_for_more_each_time_up_to_the_most() {
        let now = start();
        let mut lease = Lease::new(now);
        for most in [1, 2, 4, 5, 5] {
            assert_eq!(lease.take(now, TERMS), Take::Empty { most });
            lease.fill(now, most, &granted(most), TERMS);
            for _ in 1..most {
                assert_eq!(lease.take(now, TERMS), Take::Taken);
            }
        }
    }

    #[test]
    fn a_lease_that_is_not_used_in_time_is_void_and_the_next_one_small() {
        let now = start();
        let mut lease = Lease::new(now);
        lease.fill(now, 4, &granted(4), TERMS);
        assert!(!lease.is_spent(now));
        let last = now + TERMS.time - Duration::from_nanos(1);
        assert_eq!(lease.take(last, TERMS), Take::Taken);
        let over = now + TERMS.time;
        assert!(lease.is_spent(over));
        assert_eq!(lease.take(over, TERMS), Take::Empty { most: 1 });
    }

    #[test]
    fn a_refusal_holds_for_as_long_as_the_store_has_said() {
        let now = start();
        let wait = Duration::from_millis(30);
        let mut lease = Lease::new(now);
        let refusal = Grant {
            retry_after: wait,
            ..granted(0)
        };
        lease.fill(now, 1, &refusal, TERMS);
        assert_eq!(lease.take(now, TERMS), Take::Refused(wait));
        assert!(!lease.is_spent(now));
        assert_eq!(lease.take(now + wait, TERMS), Take::Empty { most: 1 });
        assert!(lease.is_spent(now + wait));
    }

    proptest! {
        #[test]
        fn never_more_is_taken_than_was_given(
            steps in prop::collection::vec((0..700_u64, 0..8_u32), 1..200),
        ) {
            let mut now = start();
            let mut lease = Lease::new(now);
            let (mut given, mut taken) = (0, 0);
            for (pause, gives) in steps {
                now += Duration::from_millis(pause);
                match lease.take(now, TERMS) {
                    Take::Taken => taken += 1,
                    Take::Refused(wait) => prop_assert!(wait <= Duration::from_millis(10)),
                    Take::Empty { most } => {
                        prop_assert!((1..=TERMS.most).contains(&most));
                        let mut grant = granted(gives.min(most));
                        if grant.granted == 0 {
                            grant.retry_after = Duration::from_millis(10);
                        } else {
                            taken += 1;
                        }
                        given += grant.granted;
                        lease.fill(now, most, &grant, TERMS);
                    }
                }
                prop_assert!(taken <= given);
            }
        }
    }
}
