use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::State;
use super::{
    Config, LoadSource, Observer, PressureChange, Priority, Rejected, ShedderBuilder, Snapshot,
};
use crate::Timer;

/// Says which calls are shed, and the handle of what does: clones are the same.
///
/// A [`LoadShedLayer`](super::LoadShedLayer) has one, and whatever is no HTTP call can
/// [ask](Self::admit) it.
///
/// ```
/// use bartizan_protect::bulkhead::{self, Bulkhead};
/// use bartizan_protect::shed::{Config, Priority, Shedder};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bulkhead = Bulkhead::new("jobs", bulkhead::Config::builder(8).build()?);
/// let shedder = Shedder::new("jobs", Config::default(), bulkhead);
/// assert!(shedder.admit(Priority::Sheddable).is_ok());
/// # Ok(())
/// # }
/// ```
pub struct Shedder<O: Observer = ()>(Arc<Shared<O>>);

struct Shared<O> {
    name: Arc<str>,
    source: Box<dyn LoadSource>,
    /// Held for as long as it takes to count, and never while others' code runs.
    state: Mutex<State>,
    observer: O,
    timer: Timer,
}

// === impl Shedder ===

impl Shedder {
    /// Sheds by what `source` says, is called `name` in all that is said of it, and reports to
    /// nobody.
    #[must_use]
    pub fn new(name: &str, config: Config, source: impl LoadSource) -> Self {
        ShedderBuilder::new(name, config, source).build()
    }
}

impl<O: Observer> Shedder<O> {
    pub(super) fn with_parts(
        name: Arc<str>,
        config: Config,
        source: Box<dyn LoadSource>,
        observer: O,
        timer: Timer,
    ) -> Self {
        let state = Mutex::new(State::new(config, timer.now()));
        Self(Arc::new(Shared {
            name,
            source,
            state,
            observer,
            timer,
        }))
    }

    /// Asks whether a call of `priority` is let through. There is nothing to give back.
    ///
    /// # Errors
    ///
    /// When it is shed.
    pub fn admit(&self, priority: Priority) -> Result<(), Rejected> {
        let shared = &self.0;
        let load = shared.source.load();
        let now = shared.timer.now();
        let decision = self.state().arrive(priority, load, now);
        if let Some(from) = decision.before {
            shared.observer.changed(&PressureChange {
                shedder: &shared.name,
                from,
                to: decision.pressure,
            });
        }
        let Some(retry_after) = decision.shed else {
            return Ok(());
        };
        let rejected = Rejected {
            shedder: Arc::clone(&shared.name),
            priority,
            pressure: decision.pressure,
            retry_after,
        };
        shared.observer.rejected(&rejected);
        Err(rejected)
    }

    /// How it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let load = self.0.source.load();
        let state = self.state();
        Snapshot {
            pressure: state.pressure(),
            load,
            admitted: Priority::ALL.map(|priority| (priority, state.counts(priority).admitted)),
            shed: Priority::ALL.map(|priority| (priority, state.counts(priority).shed)),
        }
    }

    /// Goes on with another configuration, from what is shed now.
    pub fn update(&self, config: Config) {
        let now = self.0.timer.now();
        self.state().update(config, now);
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in there panics half-way.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Observer> Clone for Shedder<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Observer> fmt::Debug for Shedder<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shedder")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}
