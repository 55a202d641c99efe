use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::calls::Start;
use super::state::{State, Woken};
use super::{Acquire, BulkheadBuilder, Config, Observer, Permit, Rejected, Snapshot};
use crate::Timer;

/// A bulkhead, and the handle of one: clones are the same.
///
/// A [`BulkheadLayer`](super::BulkheadLayer) has one, and whatever is no HTTP call can go through
/// [`acquire`](Self::acquire).
///
/// ```
/// use bartizan_protect::bulkhead::{Bulkhead, Config};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bulkhead = Bulkhead::new("reports", Config::builder(1).build()?);
/// let permit = bulkhead.acquire().await?;
/// assert!(bulkhead.try_acquire().is_err());
/// permit.complete();
/// assert!(bulkhead.try_acquire().is_ok());
/// # Ok(())
/// # }
/// ```
pub struct Bulkhead<O: Observer = ()>(pub(super) Arc<Shared<O>>);

pub(super) struct Shared<O> {
    pub(super) name: Arc<str>,
    /// Held for as long as it takes to count, and never while others' code runs.
    state: Mutex<State<Waker>>,
    pub(super) observer: O,
    pub(super) timer: Timer,
}

// === impl Bulkhead ===

impl Bulkhead {
    /// A bulkhead that is called `name` in all that is said of it, and reports to nobody.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        BulkheadBuilder::new(name, config).build()
    }
}

impl<O: Observer> Bulkhead<O> {
    pub(super) fn with_parts(name: Arc<str>, config: &Config, observer: O, timer: Timer) -> Self {
        let state = Mutex::new(State::new(config, seed(), timer.now()));
        Self(Arc::new(Shared {
            name,
            state,
            observer,
            timer,
        }))
    }

    /// Asks for a place, and waits for it if need be. The place in the queue is taken when this is
    /// called, and not when it is polled: a future that is neither polled nor dropped is in others'
    /// way.
    ///
    /// # Errors
    ///
    /// When no place is left in the queue, or none became free in time.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time. Its place in the queue is gone then, and a permit that
    /// it was given and has not passed on goes to the next.
    pub fn acquire(&self) -> Acquire<O> {
        match self.start() {
            Start::Admitted(permit) => Acquire::ready(Ok(permit)),
            Start::Rejected(rejected) => Acquire::ready(Err(rejected)),
            Start::Queued(acquire) => acquire,
        }
    }

    /// Asks for a place that is free now. Those that wait are served before.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn try_acquire(&self) -> Result<Permit<O>, Rejected> {
        self.try_start()
    }

    /// How it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = self.now();
        let state = self.state();
        Snapshot {
            limit: state.ceiling().limit(),
            limit_found: state.ceiling().found(),
            in_flight: state.in_flight(),
            queued: state.queued(),
            queue_wait: state.queue_wait(now),
            unloaded: state.ceiling().unloaded(),
            rejected_full: state.counts.full,
            rejected_late: state.counts.late,
            abandoned: state.counts.abandoned,
        }
    }

    /// Goes on with another configuration.
    ///
    /// Under a higher limit those that wait are let through at once; under a lower one nobody is
    /// until enough calls have ended. Those that wait go on waiting by what held when they came. An
    /// adaptive limit that stays one keeps what it has found out, within its new bounds.
    pub fn update(&self, config: &Config) {
        let now = self.now();
        let mut state = self.state();
        let moved = state.update(config, seed(), now);
        self.hand_over(state, now, &mut Woken::new());
        self.tell(moved);
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn now(&self) -> Instant {
        self.0.timer.now()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<Waker>> {
        // Nothing in there panics half-way.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Observer> Clone for Bulkhead<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Observer> fmt::Debug for Bulkhead<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

/// Another one each time.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
