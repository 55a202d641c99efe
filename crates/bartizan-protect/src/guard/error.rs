use std::time::Duration;

use crate::timeout::{Elapsed, NoTimeLeft};
use crate::{breaker, bulkhead, rate_limit};

/// Why a guarded call has no result.
///
/// There is none for a call that was cancelled: nobody is left to be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The key has used up its quota. Nothing was done.
    #[error(transparent)]
    RateLimited(rate_limit::Rejected),
    /// As many calls are under way as there may be, and none has ended in time. Nothing was done.
    #[error(transparent)]
    Saturated(bulkhead::Rejected),
    /// The circuit is open. Nothing was done.
    #[error(transparent)]
    CircuitOpen(breaker::Rejected),
    /// The caller's time was over before it was the call's turn. Nothing was done.
    #[error(transparent)]
    NoTimeLeft(NoTimeLeft),
    /// The work was not done in time, and was dropped.
    #[error(transparent)]
    TimedOut(Elapsed),
    /// The work failed, with this.
    #[error("{0}")]
    Failed(#[source] E),
}

// === impl Error ===

impl<E> Error<E> {
    /// Whether the work was refused before anything of it was done.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        match self {
            Self::RateLimited(_)
            | Self::Saturated(_)
            | Self::CircuitOpen(_)
            | Self::NoTimeLeft(_) => true,
            Self::TimedOut(_) | Self::Failed(_) => false,
        }
    }

    /// When it may be worth another try, where a rejection knows.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(rejected) => rejected.retry_after(),
            Self::CircuitOpen(rejected) => rejected.retry_after(),
            Self::Saturated(_) | Self::NoTimeLeft(_) | Self::TimedOut(_) | Self::Failed(_) => None,
        }
    }

    /// What the layer of the same limit would have said, such as to answer a request with it.
    ///
    /// # Errors
    ///
    /// The work's own failure, about which no layer would have said anything.
    pub fn into_layers_error(self) -> Result<crate::Error, E> {
        Ok(match self {
            Self::RateLimited(rejected) => crate::Error::RateLimited(rejected),
            Self::Saturated(rejected) => crate::Error::Saturated(rejected),
            Self::CircuitOpen(rejected) => crate::Error::CircuitOpen(rejected),
            Self::NoTimeLeft(no_time) => crate::Error::NoTimeLeft(no_time),
            Self::TimedOut(elapsed) => crate::Error::TimedOut(elapsed),
            Self::Failed(error) => return Err(error),
        })
    }

    /// Its name, for labels: `rate_limited`, `saturated`, `circuit_open`, `no_time_left`, `timeout`
    /// or `failed`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RateLimited(_) => "rate_limited",
            Self::Saturated(_) => "saturated",
            Self::CircuitOpen(_) => "circuit_open",
            Self::NoTimeLeft(_) => "no_time_left",
            Self::TimedOut(_) => "timeout",
            Self::Failed(_) => "failed",
        }
    }
}
