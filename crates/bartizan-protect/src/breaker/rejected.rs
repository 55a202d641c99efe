use std::time::Duration;

use super::{CircuitId, State};

/// A call that its circuit has not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the circuit {circuit} is {state}")]
pub struct Rejected {
    pub(super) circuit: CircuitId,
    pub(super) state: State,
    pub(super) retry_after: Option<Duration>,
}

// === impl Rejected ===

impl Rejected {
    /// Which circuit.
    #[must_use]
    pub const fn circuit(&self) -> &CircuitId {
        &self.circuit
    }

    /// What state it was in: open, half-open with all its probes out, or forced open.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// When the next call may be let through, as far as that is known: not while an operator holds
    /// it open.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
