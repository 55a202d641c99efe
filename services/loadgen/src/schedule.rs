//! When requests are due, as a pure function: no clock and no timer.

use std::num::NonZeroU32;
use std::time::Duration;

/// The nanoseconds of a second.
const SECOND: u128 = 1_000_000_000;

/// A stretch of time with a steady rate, and perhaps more from a client of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a phase is its rates and its length"
)]
pub struct Phase {
    /// Requests a second of [`Client::Steady`].
    pub rate: NonZeroU32,
    /// How many times as many there are in all; the others are [`Client::Spike`]'s.
    pub factor: NonZeroU32,
    /// How long.
    pub length: Duration,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one who behaves, and one who does not"
)]
pub enum Client {
    /// Always at the same rate.
    Steady,
    /// Only while there is a spike, and all of what makes it one.
    Spike,
}

/// A request to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a request is due, and somebody's"
)]
pub struct Due {
    /// How long after the start.
    pub at: Duration,
    /// Whose it is.
    pub client: Client,
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
        let factor = NonZeroU32::MIN;
        let phase = Phase {
            rate,
            factor,
            length,
        };
        Self::repeat(phase, [])
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

    /// When request number `n`, counted from 0, is due, and whose it is.
    #[must_use]
    pub fn due(&self, n: u64) -> Due {
        let round = u32::try_from(n / self.requests).unwrap_or(u32::MAX);
        let mut start = self.length.saturating_mul(round);
        let mut n = n % self.requests;
        for phase in &self.phases {
            if n < phase.requests() {
                return Due {
                    at: start + phase.due(n),
                    client: phase.client(n),
                };
            }
            n -= phase.requests();
            start += phase.length;
        }
        Due {
            at: start,
            client: Client::Steady,
        }
    }
}

// === impl Phase ===

impl Phase {
    /// As many as are due before its end; the first is due at its start.
    fn requests(&self) -> u64 {
        let requests = (self.rate() * self.length.as_nanos()).div_ceil(SECOND);
        u64::try_from(requests).unwrap_or(u64::MAX)
    }

    fn due(&self, n: u64) -> Duration {
        let nanos = u128::from(n) * SECOND / self.rate();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Evenly spread, so that the steady client asks as it did before.
    fn client(&self, n: u64) -> Client {
        if n.is_multiple_of(self.factor.get().into()) {
            Client::Steady
        } else {
            Client::Spike
        }
    }

    /// Requests a second, of both.
    fn rate(&self) -> u128 {
        u128::from(self.rate.get()) * u128::from(self.factor.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(rate: u32, millis: u64) -> Phase {
        Phase {
            rate: NonZeroU32::new(rate).unwrap(),
            factor: NonZeroU32::MIN,
            length: Duration::from_millis(millis),
        }
    }

    fn first(schedule: &Schedule, number: u64) -> Vec<u128> {
        (0..number)
            .map(|n| schedule.due(n).at.as_micros())
            .collect()
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
        assert_eq!(schedule.due(7 * 86_400).at, Duration::from_secs(86_400));
        assert!(schedule.due(u64::MAX).at > schedule.due(u64::from(u32::MAX)).at);
    }
}
