use std::sync::Arc;
use std::time::Duration;

use super::Priority;

/// A call that was shed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{shedder} is overloaded: a call of {priority} priority was shed")]
pub struct Rejected {
    pub(super) shedder: Arc<str>,
    pub(super) priority: Priority,
    pub(super) pressure: f64,
    pub(super) retry_after: Duration,
}

// === impl Rejected ===

impl Rejected {
    /// The name of what has shed it.
    #[must_use]
    pub fn shedder(&self) -> &str {
        &self.shedder
    }

    /// How much it matters.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// How much was shed; see [`Snapshot::pressure`](super::Snapshot::pressure).
    #[must_use]
    pub const fn pressure(&self) -> f64 {
        self.pressure
    }

    /// When its priority is shed no more, if it is calm from now on; a minute at most.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        self.retry_after
    }
}
