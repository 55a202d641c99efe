use std::fmt;
use std::time::Duration;

/// What a circuit does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It serves, and watches.
    Closed,
    /// It rejects, until its open time is over.
    Open,
    /// It lets a few calls through as probes, and rejects the others.
    HalfOpen,
    /// It rejects, until an operator releases it.
    ForcedOpen,
    /// It serves and does not watch, until an operator releases it.
    Disabled,
    /// It serves and watches, and says when it would have opened, until an operator releases it.
    MetricsOnly,
}

/// Why a circuit has changed its state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Too many of the calls in the window failed.
    FailureRate {
        /// How many failed.
        failed: u64,
        /// Of how many.
        calls: u64,
    },
    /// Too many of the calls in the window were slow, those that are still waiting included.
    SlowRate {
        /// How many were slow.
        slow: u64,
        /// Of how many.
        calls: u64,
    },
    /// So many calls in a row failed.
    ConsecutiveFailures(u32),
    /// The open time is over.
    OpenTimeOver,
    /// The probes have succeeded.
    ProbesSucceeded,
    /// So many probes have failed.
    ProbesFailed(u32),
    /// So many probes have failed, or not come back within their lease.
    ProbesExpired(u32),
    /// An operator wants it so.
    Operator,
}

/// A change of a circuit's state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state since then.
    pub to: State,
    /// Why.
    pub reason: Reason,
    /// How long it rejects, of a circuit that has opened.
    pub open_for: Option<Duration>,
    /// The number of the state since then. It grows by one with each change, and with each
    /// [update](super::Breaker::update) after which counting starts anew; after 2^24 of them it
    /// starts anew itself.
    pub generation: u32,
}

/// What an operator can do with a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// Rejects from now on.
    ForceOpen,
    /// Serves from now on, and counts nothing.
    Disable,
    /// Serves from now on, counts, and says when it would have opened.
    MeasureOnly,
    /// Takes back what an operator has done before: closed, with nothing counted. A circuit that is
    /// in no operator's state stays as it is.
    Release,
    /// Closed, with nothing counted and no opening remembered, whatever it was.
    Reset,
}

// === impl State ===

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::Disabled,
        Self::MetricsOnly,
    ];

    /// Its name, for labels: `closed`, `open`, `half_open`, `forced_open`, `disabled` or
    /// `metrics_only`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Whether an operator has put it there, so that only an operator takes it out.
    #[must_use]
    pub const fn is_an_operators(self) -> bool {
        matches!(self, Self::ForcedOpen | Self::Disabled | Self::MetricsOnly)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::MetricsOnly => "metrics only",
            other => other.name(),
        })
    }
}

// === impl Reason ===

impl Reason {
    /// Its name, for labels: `failure_rate`, `slow_rate`, `consecutive_failures`, `open_time_over`,
    /// `probes_succeeded`, `probes_failed`, `probes_expired` or `operator`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailureRate { .. } => "failure_rate",
            Self::SlowRate { .. } => "slow_rate",
            Self::ConsecutiveFailures(_) => "consecutive_failures",
            Self::OpenTimeOver => "open_time_over",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::ProbesFailed(_) => "probes_failed",
            Self::ProbesExpired(_) => "probes_expired",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailureRate { failed, calls } => write!(f, "{failed} of {calls} calls failed"),
            Self::SlowRate { slow, calls } => write!(f, "{slow} of {calls} calls were slow"),
            Self::ConsecutiveFailures(failed) => write!(f, "{failed} calls in a row failed"),
            Self::OpenTimeOver => f.write_str("the open time is over"),
            Self::ProbesSucceeded => f.write_str("the probes have succeeded"),
            Self::ProbesFailed(failed) => write!(f, "{failed} probes failed"),
            Self::ProbesExpired(failed) => {
                write!(f, "{failed} probes failed or did not come back")
            }
            Self::Operator => f.write_str("an operator wants it so"),
        }
    }
}
