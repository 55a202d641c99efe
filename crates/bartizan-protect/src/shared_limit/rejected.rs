use std::sync::Arc;
use std::time::Duration;

/// A call that a shared limit has not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the shared rate limit {name} {}", .refusal.says())]
pub struct Rejected {
    pub(super) name: Arc<str>,
    pub(super) refusal: Refusal,
    pub(super) retry_after: Option<Duration>,
}

/// Why a call does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Its key's budget is used up, of all replicas together.
    QuotaExceeded,
    /// Its key's budget is used up that it has in this process while the
    /// [store is down](super::StoreDown::LocalOnly).
    LocalQuotaExceeded,
    /// The store is down, and [nobody passes](super::StoreDown::Deny) then: no fault of the caller's.
    StoreDown,
    /// It [has to have a key](crate::rate_limit::MissingKey::Deny), and has none.
    KeyMissing,
}

// === impl Rejected ===

impl Rejected {
    /// The limiter's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        self.refusal
    }

    /// When it may be worth another try. `None` where nobody knows, or it never is.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

// === impl Refusal ===

impl Refusal {
    const fn says(self) -> &'static str {
        match self {
            Self::QuotaExceeded | Self::LocalQuotaExceeded => "is exceeded",
            Self::StoreDown => "cannot be asked",
            Self::KeyMissing => "needs a key",
        }
    }
}
