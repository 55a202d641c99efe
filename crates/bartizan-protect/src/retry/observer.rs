use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::BudgetSnapshot;
use super::classify::Answer;
use crate::Error;

/// Is told what becomes of failed attempts. Every method does nothing by default, and `()` listens
/// to nothing.
///
/// Called on the caller's thread, outside every lock; what it does is time that the call waits.
pub trait Observer: Send + Sync + 'static {
    /// There will be another attempt, unless the caller goes away before.
    fn retrying(&self, retrying: &Retrying) {
        let _ = retrying;
    }

    /// The answer was worth another attempt, and is passed on all the same.
    fn gave_up(&self, given_up: &GivenUp) {
        let _ = given_up;
    }
}

impl Observer for () {}

impl<O: Observer> Observer for Arc<O> {
    fn retrying(&self, retrying: &Retrying) {
        O::retrying(self, retrying);
    }

    fn gave_up(&self, given_up: &GivenUp) {
        O::gave_up(self, given_up);
    }
}

/// An attempt after which there is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrying {
    /// The number of the attempt that failed; that of the first is 0.
    pub attempt: u32,
    /// How it failed.
    pub reason: Reason,
    /// How long is waited before the next.
    pub delay: Duration,
    /// The budget, with the next one taken off.
    pub budget: BudgetSnapshot,
}

/// An attempt after which there could have been another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenUp {
    /// How many attempts there were.
    pub attempts: u32,
    /// How the last one failed.
    pub reason: Reason,
    /// Why there is no other.
    pub because: GaveUp,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It was answered with this status.
    Status(StatusCode),
    /// It was not answered in time.
    TimedOut,
    /// The service failed in any other way.
    Error,
}

/// Why there is no other attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GaveUp {
    /// There were as many as there may be.
    Attempts,
    /// The request cannot, or must not, be sent again.
    NotReplayable,
    /// The service asks to be left alone for too long.
    RetryAfterTooLong,
    /// The caller's time would be over by then.
    Deadline,
    /// The budget is spent.
    Budget,
}

// === impl Reason ===

impl Reason {
    pub(super) fn of(answer: Answer<'_>) -> Self {
        match answer {
            Ok(head) => Self::Status(head.status),
            Err(error) => match Error::find_in(error) {
                Some(Error::TimedOut(_)) => Self::TimedOut,
                _ => Self::Error,
            },
        }
    }

    /// Its name, for labels: `timed_out`, `error`, or the status.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::TimedOut => "timed_out",
            Self::Error => "error",
        }
    }
}

// === impl GaveUp ===

impl GaveUp {
    /// Its name, for labels: `attempts`, `not_replayable`, `retry_after_too_long`, `deadline` or
    /// `budget`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::NotReplayable => "not_replayable",
            Self::RetryAfterTooLong => "retry_after_too_long",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
        }
    }
}
