use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Change, Outcome, Reason, Rejected};

/// Is told what a breaker does. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock that a call needs but for
/// [`circuit`](Self::circuit); what it does is time that the call waits.
pub trait Observer: Send + Sync + 'static {
    /// What is kept for each circuit, such as its instruments, so that nothing has to be looked up
    /// for a call.
    type Circuit: Send + Sync + 'static;

    /// A new circuit, with a first call on its way. Must not ask the breaker anything: nobody can
    /// come by a circuit meanwhile. The same holds where what it gives is dropped, as the circuit is
    /// to make room for another one.
    fn circuit(&self, id: &CircuitId) -> Self::Circuit;

    /// A call has ended.
    fn ended(&self, circuit: &Self::Circuit, call: &Call<'_>) {
        let _ = (circuit, call);
    }

    /// A call was rejected.
    fn rejected(&self, circuit: &Self::Circuit, rejected: &Rejected) {
        let _ = (circuit, rejected);
    }

    /// A circuit has changed its state. Told once, to whoever's call has changed it.
    fn changed(&self, circuit: &Self::Circuit, transition: &Transition) {
        let _ = (circuit, transition);
    }

    /// A circuit that only measures would have opened now.
    fn would_open(&self, circuit: &Self::Circuit, id: &CircuitId, reason: Reason) {
        let _ = (circuit, id, reason);
    }

    /// What the current call belongs to, such as a trace. Asked when a circuit has changed its
    /// state, for [`Transition::correlation`].
    fn correlation(&self) -> Option<Correlation> {
        None
    }
}

impl Observer for () {
    type Circuit = ();

    fn circuit(&self, _: &CircuitId) -> Self::Circuit {}
}

/// What a call belongs to, as the observer knows it: a trace's id, in the facade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Correlation(pub u128);

/// Which circuit. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CircuitId {
    pub(super) name: Arc<str>,
    pub(super) key: Option<Arc<str>>,
}

/// A call that has ended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Call<'a> {
    /// Which circuit it went through.
    pub circuit: &'a CircuitId,
    /// What it counts as.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
    /// It did not count: the circuit has changed its state since the call was admitted, or a
    /// probe's lease was over.
    pub stale: bool,
}

/// A change of a circuit's state, with where and when.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// Which circuit.
    pub circuit: CircuitId,
    /// From what to what, and why.
    pub change: Change,
    /// When.
    pub at: Instant,
    /// What the call belongs to that has caused it.
    pub correlation: Option<Correlation>,
}

// === impl CircuitId ===

impl CircuitId {
    /// The breaker's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The circuit's key, of a breaker with keys. `None` for those that share one circuit because
    /// they have no key, or because there are too many.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl fmt::Display for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.key {
            Some(key) => write!(f, "[{key}]"),
            None => Ok(()),
        }
    }
}
