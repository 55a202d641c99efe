use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A call that a bulkhead has not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bulkhead {bulkhead} is saturated: {reason}")]
pub struct Rejected {
    pub(super) bulkhead: Arc<str>,
    pub(super) reason: Reason,
    pub(super) limit: usize,
    pub(super) waited: Duration,
}

/// Why a call was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There are as many calls as there may be, and as many wait as may.
    Full,
    /// It has waited for as long as it may.
    QueueTimeout,
}

// === impl Rejected ===

impl Rejected {
    /// The bulkhead's name.
    #[must_use]
    pub fn bulkhead(&self) -> &str {
        &self.bulkhead
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// How many calls there could be at a time.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// For how long it has waited.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }
}

// === impl Reason ===

impl Reason {
    /// Its name, for labels: `full` or `queue_timeout`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::QueueTimeout => "queue_timeout",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "no place is left",
            Self::QueueTimeout => "no place became free in time",
        })
    }
}
