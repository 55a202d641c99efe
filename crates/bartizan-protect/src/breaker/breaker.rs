use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::circuit::{Admission, News, Ticket};
use super::entry::Entry;
use super::registry::{Found, Registry};
use super::transitions::{CAPACITY, Transitions};
use super::{
    Call, CircuitId, Command, Config, Observer, Outcome, Permit, Rejected, Snapshot, Transition,
};
use crate::Timer;

/// A circuit breaker, and the handle of one: clones are the same.
///
/// A [`CircuitBreakerLayer`](super::CircuitBreakerLayer) has one, and whatever is no HTTP call can
/// go through [`try_acquire`](Self::try_acquire).
///
/// ```
/// use bartizan_protect::breaker::{Breaker, Config, Outcome, State};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::builder().with_consecutive_failures(2).build()?;
/// let breaker = Breaker::new("cards", config);
/// for _ in 0..2 {
///     breaker.try_acquire()?.record(Outcome::Failure);
/// }
/// assert_eq!(breaker.try_acquire().unwrap_err().state(), State::Open);
/// # Ok(())
/// # }
/// ```
pub struct Breaker<O: Observer = ()>(pub(super) Arc<Shared<O>>);

pub(super) struct Shared<O: Observer> {
    circuits: Registry<O::Circuit>,
    observer: O,
    timer: Timer,
    transitions: broadcast::Sender<Transition>,
}

/// A breaker has no circuit of that key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker {name} has no circuit of the key `{key}`")]
pub struct UnknownKey {
    name: String,
    key: String,
}

// === impl Breaker ===

impl Breaker {
    /// A breaker that is called `name` in all that is said of it, and reports to nobody.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        super::BreakerBuilder::new(name, config).build()
    }
}

impl<O: Observer> Breaker<O> {
    pub(super) fn with_parts(circuits: Registry<O::Circuit>, observer: O, timer: Timer) -> Self {
        Self(Arc::new(Shared {
            circuits,
            observer,
            timer,
            transitions: broadcast::channel(CAPACITY).0,
        }))
    }

    /// Asks for a call, of those without a key.
    ///
    /// # Errors
    ///
    /// When the circuit does not let it through.
    pub fn try_acquire(&self) -> Result<Permit<O>, Rejected> {
        let now = self.0.timer.now();
        let admission = self.0.circuits.shared.circuit.admit(now);
        self.permit(None, admission)
    }

    /// Asks for a call of `key`, which has a circuit of its own as long as there are not too many.
    ///
    /// # Errors
    ///
    /// When the circuit does not let it through.
    pub fn try_acquire_for(&self, key: &str) -> Result<Permit<O>, Rejected> {
        let now = self.0.timer.now();
        let data = |id: &CircuitId| self.0.observer.circuit(id);
        match self.0.circuits.find(key, data, now) {
            Found::Own(entry) => {
                let admission = entry.circuit.admit(now);
                self.permit(Some(entry), admission)
            }
            Found::Shared => self.permit(None, self.0.circuits.shared.circuit.admit(now)),
            Found::None => Ok(Permit::new(Arc::clone(&self.0), None, None)),
        }
    }

    /// How the circuits stand: the one without a key first, the others in no order.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let now = self.0.timer.now();
        let shared = self.0.circuits.shared.snapshot(now);
        let own = self.0.circuits.all().into_iter();
        std::iter::once(shared)
            .chain(own.map(|entry| entry.snapshot(now)))
            .collect()
    }

    /// How the circuit stands that calls without a key go through.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.circuits.shared.snapshot(self.0.timer.now())
    }

    /// How the circuit of `key` stands, if it has one.
    #[must_use]
    pub fn snapshot_of(&self, key: &str) -> Option<Snapshot> {
        let entry = self.0.circuits.get(key)?;
        Some(entry.snapshot(self.0.timer.now()))
    }

    /// The changes of state from now on.
    #[must_use]
    pub fn transitions(&self) -> Transitions {
        Transitions::new(self.0.transitions.subscribe())
    }

    /// Has every circuit do as an operator wants; circuits that come later are closed.
    pub fn command(&self, command: Command) {
        self.0.command(None, command);
        for entry in self.0.circuits.all() {
            self.0.command(Some(&entry), command);
        }
    }

    /// Has the circuit of `key` do as an operator wants.
    ///
    /// # Errors
    ///
    /// When no circuit has that key.
    pub fn command_for(&self, key: &str, command: Command) -> Result<(), UnknownKey> {
        let entry = self.0.circuits.get(key).ok_or_else(|| UnknownKey {
            name: self.0.circuits.shared.id.name().to_owned(),
            key: key.to_owned(),
        })?;
        self.0.command(Some(&entry), command);
        Ok(())
    }

    /// Goes on with another configuration, without a pause, in every circuit.
    ///
    /// A circuit stays in its state, and an open one open until it was to be. What was counted is
    /// kept, unless the window, the slow threshold, or whether there is a slow rate, are others:
    /// counting then starts anew, and what is under way does not count.
    pub fn update(&self, config: Config) {
        self.0.circuits.update(&Arc::new(config));
    }

    #[inline]
    fn permit(
        &self,
        entry: Option<Arc<Entry<O::Circuit>>>,
        Admission { result, news }: Admission,
    ) -> Result<Permit<O>, Rejected> {
        let shared = &self.0;
        if let Some(news) = news {
            shared.tell(shared.entry(entry.as_deref()), news);
        }
        match result {
            Ok(ticket) => Ok(Permit::new(Arc::clone(shared), entry, Some(ticket))),
            Err(refused) => {
                let entry = shared.entry(entry.as_deref());
                let rejected = entry.rejected(refused);
                shared.observer.rejected(&entry.data, &rejected);
                Err(rejected)
            }
        }
    }
}

impl<O: Observer> Clone for Breaker<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Observer> fmt::Debug for Breaker<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("circuit", &self.0.circuits.shared.id)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl<O: Observer> Shared<O> {
    pub(super) fn entry<'a>(&'a self, own: Option<&'a Entry<O::Circuit>>) -> &'a Entry<O::Circuit> {
        own.unwrap_or(&self.circuits.shared)
    }

    pub(super) fn wait(&self, own: Option<&Entry<O::Circuit>>, ticket: &mut Ticket) {
        let entry = self.entry(own);
        if let Some(news) = entry.circuit.wait(ticket, || self.timer.now()) {
            self.tell(entry, news);
        }
    }

    pub(super) fn settle(&self, own: Option<&Entry<O::Circuit>>, ticket: Ticket, end: Outcome) {
        let entry = self.entry(own);
        let settled = entry.circuit.settle(ticket, end, self.timer.now());
        let call = Call {
            circuit: &entry.id,
            outcome: settled.outcome,
            elapsed: settled.elapsed,
            stale: settled.stale,
        };
        self.observer.ended(&entry.data, &call);
        if let Some(news) = settled.news {
            self.tell(entry, news);
        }
    }

    #[cold]
    fn tell(&self, entry: &Entry<O::Circuit>, news: News) {
        match news {
            News::WouldOpen(reason) => self.observer.would_open(&entry.data, &entry.id, reason),
            News::Changed(change) => {
                let transition = Transition {
                    circuit: entry.id.clone(),
                    change,
                    at: self.timer.now(),
                    correlation: self.observer.correlation(),
                };
                self.observer.changed(&entry.data, &transition);
                // Fails where nobody listens.
                let _ = self.transitions.send(transition);
            }
        }
    }

    fn command(&self, own: Option<&Entry<O::Circuit>>, command: Command) {
        let entry = self.entry(own);
        if let Some(news) = entry.circuit.obey(command, self.timer.now()) {
            self.tell(entry, news);
        }
    }
}
