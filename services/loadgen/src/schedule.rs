//! When requests are due, as a pure function: no clock and no timer.

use std::num::NonZeroU32;
use std::time::Duration;

/// The nanoseconds of a second.
const SECOND: u128 = 1_000_000_000;

/// A stretch of time with a steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a phase is its rate and its length"
)]
pub struct Phase {
    /// Requests a second.
    pub rate: NonZeroU32,
    /// How long.
    pub length: Duration,
}

/// When each request is due, counted from the start: phases one after the other, and again from the
/// first after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    phases: Vec<Phase>,
    /// How many requests all phases have together, at least 1.
    requests: u64,
    length: Duration,
}

// === impl Schedule ===

impl Schedule {
    /// One rate for ever.
    #[must_use]
    pub fn steady(rate: NonZeroU32) -> Self {
        let length = Duration::from_secs(1);
        Self::repeat(Phase { rate, length }, [])
    }

    /// These phases, over and over. A phase of no length has no requests, and where all are such the
    /// first lasts a second.
    #[must_use]
    pub fn repeat(first: Phase, further: impl IntoIterator<Item = Phase>) -> Self {
        let mut phases = vec![first];
        phases.extend(further);
        if phases.iter().all(|phase| phase.length.is_zero()) {
            phases[0].length = Duration::from_secs(1);
        }
        Self {
            requests: phases.iter().map(Phase::requests).sum(),
            length: phases.iter().map(|phase| phase.length).sum(),
            phases,
        }
    }

    /// How long after the start request number `n`, counted from 0, is due.
    #[must_use]
    pub fn due(&self, n: u64) -> Duration {
        let round = u32::try_from(n / self.requests).unwrap_or(u32::MAX);
        let mut start = self.length.saturating_mul(round);
        let mut n = n % self.requests;
        for phase in &self.phases {
            if n < phase.requests() {
                return start + phase.due(n);
            }
            n -= phase.requests();
            start += phase.length;
        }
        start
    }
}

// === impl Phase ===

impl Phase {
    /// As many as are due before its end; the first is due at its start.
    fn requests(&self) -> u64 {
        let requests = (u128::from(self.rate.get()) * self.length.as_nanos()).div_ceil(SECOND);
        u64::try_from(requests).unwrap_or(u64::MAX)
    }

    fn due(&self, n: u64) -> Duration {
        let nanos = u128::from(n) * SECOND / u128::from(self.rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(rate: u32, millis: u64) -> Phase {
        Phase {
            rate: NonZeroU32::new(rate).unwrap(),
            length: Duration::from_millis(millis),
        }
    }

    fn first(schedule: &Schedule, number: u64) -> Vec<u128> {
        (0..number).map(|n| schedule.due(n).as_micros()).collect()
    }

    #[test]
    fn requests_are_due_when_the_phases_say() {
        for (name, schedule, expected) in [
            (
                "steady",
                Schedule::steady(NonZeroU32::new(4).unwrap()),
                vec![0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000],
            ),
            (
                "a rate that does not divide the second",
                Schedule::steady(NonZeroU32::new(3).unwrap()),
                vec![0, 333_333, 666_666, 1_000_000],
            ),
            (
                "a spike, and again from the start",
                Schedule::repeat(phase(2, 1_000), [phase(4, 500), phase(1, 1_000)]),
                vec![
                    0, 500_000, 1_000_000, 1_250_000, 1_500_000, 2_500_000, 3_000_000,
                ],
            ),
            (
                "a phase that is shorter than its period has one",
                Schedule::repeat(phase(1, 100), [phase(10, 200)]),
                vec![0, 100_000, 200_000, 300_000, 400_000],
            ),
            (
                "a phase of no length has none",
                Schedule::repeat(phase(9, 0), [phase(1, 1_000)]),
                vec![0, 1_000_000],
            ),
            (
                "only such",
                Schedule::repeat(phase(2, 0), []),
                vec![0, 500_000, 1_000_000],
            ),
        ] {
            assert_eq!(first(&schedule, expected.len() as u64), expected, "{name}");
        }
    }

    #[test]
    fn it_does_not_drift_and_goes_on_for_ever() {
        let schedule = Schedule::steady(NonZeroU32::new(7).unwrap());
        assert_eq!(schedule.due(7 * 86_400), Duration::from_secs(86_400));
        assert!(schedule.due(u64::MAX) > schedule.due(u64::from(u32::MAX)));
    }
}
