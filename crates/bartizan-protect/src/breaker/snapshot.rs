use std::time::Duration;

use super::{CircuitId, State};

/// How a circuit stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Which circuit.
    pub circuit: CircuitId,
    /// What it does.
    pub state: State,
    /// The number of its state; see [`Change::generation`](super::Change::generation).
    pub generation: u32,
    /// When the next call may be let through, of a circuit that rejects until then.
    pub retry_after: Option<Duration>,
    /// How many calls are in the window, while closed.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many calls in the window were slow, those that still wait included; always 0 without a
    /// slow rate.
    pub slow: u64,
    /// How many calls in a row failed.
    pub consecutive_failures: u32,
    /// How many probes are on their way, while half-open.
    pub probes: usize,
    /// How many times in a row it has opened without having been stable in between.
    pub openings: u32,
    /// How many calls it has rejected so far.
    pub rejected: u64,
    /// How many results came too late to count, so far.
    pub stale: u64,
}
