use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Phase, Schedule};

/// How long a scenario takes where nobody says how long the run is; then it starts over.
pub const DEFAULT_CYCLE: Duration = Duration::from_secs(30);

/// How much higher than otherwise a spike's rate is: enough for the gateway to limit it within a
/// second.
pub const SPIKE_FACTOR: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

/// What the payments are told in their outage.
pub const PAYMENTS_OUTAGE: &str = r#"{"outage": true}"#;

/// What the inventory is told when it is slow: slower than a call from the order service may take,
/// now and then.
pub const SLOW_INVENTORY: &str = r#"{"latency_ms": 500, "jitter_ms": 600}"#;

/// What the traffic is like, and what goes wrong meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scenario {
    /// One rate, and nothing goes wrong.
    #[default]
    Steady,
    /// In the middle third of the time the rate is [`SPIKE_FACTOR`] times as high. What is more than
    /// otherwise comes from a [client of its own](crate::Client::Spike).
    Spike,
    /// In the middle third of the time the payments are out ([`PAYMENTS_OUTAGE`]).
    PaymentsOutage,
    /// In the middle third of the time the inventory is slow ([`SLOW_INVENTORY`]).
    SlowInventory,
}

/// Every scenario, by its name.
pub const SCENARIOS: [(&str, Scenario); 4] = [
    ("steady", Scenario::Steady),
    ("spike", Scenario::Spike),
    ("payments-outage", Scenario::PaymentsOutage),
    ("slow-inventory", Scenario::SlowInventory),
];

/// What to do when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When requests are due.
    pub(crate) schedule: Schedule,
    changes: Vec<Change>,
    cycle: Duration,
}

/// Something that goes wrong, or right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When, counted from the start.
    pub at: Duration,
    /// With whom.
    pub upstream: Upstream,
    /// The faults, as its port takes them.
    pub faults: &'static str,
}

/// A service whose faults can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each has a port, and there are two"
)]
pub enum Upstream {
    /// The payments.
    Payments,
    /// The inventory.
    Inventory,
}

// === impl Scenario ===

impl Scenario {
    /// The scenario of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let found = SCENARIOS.iter().find(|(known, _)| *known == name);
        found.map(|(_, scenario)| *scenario)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = SCENARIOS.iter().find(|(_, scenario)| *scenario == self);
        found.map_or("", |(name, _)| *name)
    }

    /// What to do when, for a run of this length; without one it takes [`DEFAULT_CYCLE`] and starts
    /// over.
    #[must_use]
    pub fn plan(self, rate: NonZeroU32, length: Option<Duration>) -> Plan {
        let cycle = length.unwrap_or(DEFAULT_CYCLE);
        let third = cycle / 3;
        let during_the_middle = |upstream, faults| {
            let change = |at, faults| Change {
                at,
                upstream,
                faults,
            };
            vec![change(third, faults), change(2 * third, "{}")]
        };
        let changes = match self {
            Self::Steady | Self::Spike => Vec::new(),
            Self::PaymentsOutage => during_the_middle(Upstream::Payments, PAYMENTS_OUTAGE),
            Self::SlowInventory => during_the_middle(Upstream::Inventory, SLOW_INVENTORY),
        };
        let phase = |factor, length| Phase {
            rate,
            factor,
            length,
        };
        let once = NonZeroU32::MIN;
        let schedule = match self {
            Self::Spike => Schedule::repeat(
                phase(once, third),
                [
                    phase(SPIKE_FACTOR, third),
                    phase(once, cycle.saturating_sub(2 * third)),
                ],
            ),
            _ => Schedule::steady(rate),
        };
        Plan {
            schedule,
            changes,
            cycle,
        }
    }
}

// === impl Plan ===

impl Plan {
    /// The change number `n`, counted from 0; `None` if nothing goes wrong.
    #[must_use]
    pub fn change(&self, n: usize) -> Option<Change> {
        let round = n.checked_div(self.changes.len())?;
        let change = self.changes[n % self.changes.len()];
        let start = self.cycle.saturating_mul(u32::try_from(round).ok()?);
        Some(Change {
            at: start.saturating_add(change.at),
            ..change
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    const RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        for (name, scenario) in SCENARIOS {
            assert_eq!(scenario.name(), name);
            assert_eq!(Scenario::from_name(name), Some(scenario));
        }
        assert_eq!(Scenario::from_name("calm"), None);
        assert_eq!(Scenario::default().name(), "steady");
    }

    #[test]
    fn something_goes_wrong_in_the_middle_third_of_each_round() {
        let nine = Some(Duration::from_secs(9));
        for (scenario, length, expected) in [
            (Scenario::Steady, nine, vec![]),
            (Scenario::Spike, nine, vec![]),
            (
                Scenario::PaymentsOutage,
                nine,
                vec![(3, PAYMENTS_OUTAGE), (6, "{}"), (12, PAYMENTS_OUTAGE)],
            ),
            (
                Scenario::SlowInventory,
                None,
                vec![(10, SLOW_INVENTORY), (20, "{}"), (40, SLOW_INVENTORY)],
            ),
        ] {
            let plan = scenario.plan(RATE, length);
            let said: Vec<_> = (0..3)
                .filter_map(|n| plan.change(n))
                .map(|change| (change.at.as_secs(), change.faults))
                .collect();
            assert_eq!(said, expected, "{scenario:?}");
        }
    }

    #[test]
    fn a_spike_is_ten_times_the_rate_for_a_third_of_the_time() {
        let plan = Scenario::Spike.plan(RATE, Some(Duration::from_secs(3)));
        let due: Vec<_> = (0..120).map(|n| plan.schedule.due(n)).collect();
        let of = |client| {
            let due = due.iter().filter(move |due| due.client == client);
            due.map(|due| due.at.as_millis()).collect::<Vec<_>>()
        };
        // One goes on as before.
        let steady: Vec<_> = (0..30).map(|n| n * 100).collect();
        assert_eq!(of(Client::Steady), steady);
        let spike = of(Client::Spike);
        assert_eq!(spike.len(), 90);
        assert!(spike.iter().all(|at| (1_000..2_000).contains(at)));
    }
}
