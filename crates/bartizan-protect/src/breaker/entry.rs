use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;

use super::circuit::{Circuit, Refused};
use super::{CircuitId, Config, Rejected, Snapshot};

/// A circuit with its name, and what an observer keeps for it.
#[derive(Debug)]
pub(super) struct Entry<D> {
    pub(super) id: CircuitId,
    pub(super) circuit: Circuit,
    pub(super) data: D,
}

// === impl Entry ===

impl<D> Entry<D> {
    pub(super) fn new(id: CircuitId, data: D, config: Arc<Config>, now: Instant) -> Self {
        // A seed of its own for each, so that replicas and circuits do not open for the same time.
        let seed = RandomState::new().build_hasher().finish();
        Self {
            id,
            circuit: Circuit::new(config, now, seed),
            data,
        }
    }

    pub(super) fn rejected(&self, refused: Refused) -> Rejected {
        Rejected {
            circuit: self.id.clone(),
            state: refused.state,
            retry_after: refused.retry_after,
        }
    }

    pub(super) fn snapshot(&self, now: Instant) -> Snapshot {
        let standing = self.circuit.standing(now);
        Snapshot {
            circuit: self.id.clone(),
            state: standing.state,
            generation: standing.generation,
            retry_after: standing.retry_after,
            calls: standing.seen.failures.total,
            failures: standing.seen.failures.bad,
            slow: standing.seen.slow.bad,
            consecutive_failures: standing.seen.consecutive,
            probes: standing.probes_out,
            openings: standing.streak,
            rejected: standing.rejected,
            stale: standing.stale,
        }
    }
}
