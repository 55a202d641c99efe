use std::time::Duration;

use super::Rejected;

/// Is told what a bulkhead does. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock that a call needs; what it does is time that
/// the call waits.
pub trait Observer: Send + Sync + 'static {
    /// A call was let through.
    fn admitted(&self, call: &Waited<'_>) {
        let _ = call;
    }

    /// A call was rejected, at once or after it had waited.
    fn rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }

    /// A call was dropped while it waited.
    fn abandoned(&self, call: &Waited<'_>) {
        let _ = call;
    }

    /// There may be more calls at a time now, or fewer. Told once, to whoever's call has changed it.
    fn limit_changed(&self, change: &LimitChange<'_>) {
        let _ = change;
    }
}

impl Observer for () {}

/// A call that does not wait any more, if it ever did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waited<'a> {
    /// The bulkhead's name.
    pub bulkhead: &'a str,
    /// For how long it has waited.
    pub waited: Duration,
}

/// A limit that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitChange<'a> {
    /// The bulkhead's name.
    pub bulkhead: &'a str,
    /// How many calls there could be at a time before.
    pub from: usize,
    /// How many there may be from now on.
    pub to: usize,
    /// Why.
    pub cause: Cause,
}

/// Why a limit has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Somebody wanted it so.
    Operator,
    /// By how long calls have taken.
    Measured,
    /// It is lowered for a while, to see how long calls take then.
    Probe,
}

// === impl Cause ===

impl Cause {
    /// Its name, for labels: `operator`, `measured` or `probe`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Measured => "measured",
            Self::Probe => "probe",
        }
    }
}
