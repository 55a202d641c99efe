use std::time::Duration;

/// How a call went, for the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it should, in time.
    Success,
    /// It did not.
    Failure,
    /// It did what it should, too late; a breaker calls any success so that took the
    /// [slow threshold](super::ConfigBuilder::with_slow_threshold) or longer.
    Slow,
    /// It says nothing of the service: it was refused before it got there, or the caller has made a
    /// mistake. Not counted; a probe's slot is given back.
    Ignored,
    /// The caller has not waited for it. Counted as the [`CancelPolicy`] says.
    Cancelled,
    /// The service has too much to do. Counted as a failure; where it said for how long, the circuit
    /// stays open at least that long once it opens, within the
    /// [longest open time](super::ConfigBuilder::with_open_time).
    Backpressure(Option<Duration>),
}

/// What a call counts as whose caller has not waited for it: it was dropped without an outcome and
/// without a panic, or cut off because the caller's own time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CancelPolicy {
    /// Nothing while it is younger than the slow threshold, from there on a slow failure: a client
    /// that is impatient says nothing of the service, while a timeout further out says a lot.
    #[default]
    SlowIsFailure,
    /// Nothing.
    Ignore,
    /// A failure.
    Failure,
}

// === impl Outcome ===

impl Outcome {
    /// Its name, for labels: `success`, `failure`, `slow`, `ignored`, `cancelled` or `backpressure`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Slow => "slow",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
            Self::Backpressure(_) => "backpressure",
        }
    }

    /// Whether it counts as a failure.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failure | Self::Backpressure(_))
    }
}
