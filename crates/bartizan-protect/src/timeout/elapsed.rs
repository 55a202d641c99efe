use std::fmt;
use std::time::Duration;

/// The service has not answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    pub(super) after: Duration,
    pub(super) limit: Limit,
}

/// Whose time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// The layer's own timeout, which the service should have kept.
    Timeout,
    /// The caller's deadline, which may have been too short for anybody.
    Deadline,
}

/// The caller's time was over before the service was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no time is left of the caller's")]
pub struct NoTimeLeft(pub(crate) ());

// === impl Elapsed ===

impl Elapsed {
    /// How much time the service had.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.after
    }

    /// Whose time it was.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.limit
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after;
        match self.limit {
            Limit::Timeout => write!(f, "not answered within {after:?}"),
            Limit::Deadline => {
                write!(f, "not answered within the {after:?} left of the caller's")
            }
        }
    }
}

impl std::error::Error for Elapsed {}
