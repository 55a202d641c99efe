use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload;

use super::alarm::{Alarm, Due};
use super::directives::parse;
use super::dispatches::Dispatches;
use super::over::{Changed, Directives};
use crate::Clock;
use crate::telemetry::{DEFAULT_DIRECTIVES, TelemetryError};

/// Changes the log levels of a running process: those of lines, OTLP logs and the application's
/// own spans alike. Clones are the same.
///
/// A change with a time reverts by itself to what was configured when the subscriber was made. For
/// that there is a thread, `bartizan-levels`, while such a change holds and no longer; it needs no
/// runtime. A later change takes the place of an earlier one and of its end.
///
/// Each change and each end of one is an event at `INFO` with the target
/// `bartizan_observe::log_levels`, which no directives hide.
///
/// Spans that are open already are kept or not as they were when they began, and so are directives
/// about a span's fields. Server spans, metrics, propagation and the access log have no level.
#[derive(Debug, Clone)]
pub struct LogLevels {
    shared: Arc<Shared>,
    by: Arc<str>,
}

/// What [`LogLevels::get`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveLevels {
    /// The directives that hold now.
    pub directives: String,
    /// The configured ones.
    pub base: String,
    /// How long until the configured ones hold again, if that is going to happen by itself.
    pub reverts_in: Option<Duration>,
}

struct Shared {
    state: Mutex<State>,
    dispatches: Dispatches,
    clock: Clock,
    alarm: Alarm,
}

struct State {
    directives: Directives,
    filters: Vec<Reload>,
}

/// Puts another filter in place; `false` when that place is gone.
type Reload = Box<dyn Fn(&EnvFilter) -> bool + Send>;

/// The target of what is said about changes.
pub(crate) const TARGET: &str = "bartizan_observe::log_levels";

/// What errors call the directives.
const NAME: &str = "log levels";

/// The thread that reverts.
const THREAD: &str = "bartizan-levels";

/// Who changes what nobody has put a name to.
const UNNAMED: &str = "the application";

// === impl LogLevels ===

impl LogLevels {
    pub(super) fn new() -> Self {
        Self::with(Clock::default(), Alarm::new(THREAD))
    }

    pub(super) fn with(clock: Clock, alarm: Alarm) -> Self {
        let state = State {
            directives: Directives::new(DEFAULT_DIRECTIVES.to_owned()),
            filters: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                dispatches: Dispatches::default(),
                clock,
                alarm,
            }),
            by: Arc::from(UNNAMED),
        }
    }

    /// The same handle for someone else, whose name is told with each change, such as
    /// `admin 10.0.0.7`. Default: `the application`.
    #[must_use]
    pub fn by(&self, who: impl Into<Arc<str>>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            by: who.into(),
        }
    }

    /// What holds now.
    #[must_use]
    pub fn get(&self) -> ActiveLevels {
        let now = self.shared.clock.now();
        let state = self.shared.state();
        let until = state.directives.until();
        ActiveLevels {
            directives: state.directives.current().to_owned(),
            base: state.directives.base().to_owned(),
            reverts_in: until.map(|until| until.saturating_duration_since(now)),
        }
    }

    /// Lets these directives hold, of the form that `RUST_LOG` has, for so long or until further
    /// notice.
    ///
    /// A word that is not a level is the name of a target, all of which is then shown.
    ///
    /// # Errors
    ///
    /// When there are no directives, they cannot be read, `lasting` is zero or longer than the
    /// clock goes, or the thread that reverts cannot be started. Nothing has changed then.
    pub fn set(&self, directives: &str, lasting: Option<Duration>) -> Result<(), TelemetryError> {
        let directives = directives.trim();
        let invalid = |expected| TelemetryError::invalid(NAME, directives, expected);
        if directives.is_empty() {
            return Err(invalid("a list of directives like info,my_crate=debug"));
        }
        let filter = parse(NAME, directives)?;
        let now = self.shared.clock.now();
        let until = lasting.map(|lasting| {
            let until = now.checked_add(lasting).filter(|until| *until > now);
            until.ok_or_else(|| {
                let value = format!("{lasting:?}");
                TelemetryError::invalid("log levels' time", value, "from 1 ns to many years")
            })
        });
        let until = until.transpose()?;
        let changed = {
            let mut state = self.shared.state();
            if until.is_some() {
                // Before the change, so that none is made that would not end; the thread waits for
                // the lock to see it.
                let rung = self.shared.alarm.ring(&self.shared);
                rung.map_err(TelemetryError::Thread)?;
            }
            let by = Arc::clone(&self.by);
            let changed = state.directives.set(directives.to_owned(), until, by);
            self.shared.apply(&mut state, &filter);
            changed
        };
        self.shared.say(|| {
            let Changed { from, to, by } = &changed;
            let seconds = lasting.map(|lasting| lasting.as_secs_f64());
            tracing::info!(target: TARGET, %by, %from, %to, seconds, "log levels changed");
        });
        Ok(())
    }

    /// Lets the configured directives hold again. Does nothing when they do.
    pub fn reset(&self) {
        let Some(Changed { from, to, .. }) = self.shared.change_back(Directives::reset) else {
            return;
        };
        let by = &self.by;
        self.shared
            .say(|| tracing::info!(target: TARGET, %by, %from, %to, "log levels reset"));
    }

    /// A filter of the directives that hold, which follows changes. `base` are the configured ones,
    /// and what `name` says.
    ///
    /// It is the filter that is reloaded, and never a layer around it: a layer that was reloaded
    /// would have no id among the per-layer filters (tokio-rs/tracing#1629), and the OpenTelemetry
    /// layer would no longer be found by its type.
    pub(crate) fn filter<S: Subscriber>(
        &self,
        name: &str,
        base: &str,
    ) -> Result<reload::Layer<EnvFilter, S>, TelemetryError> {
        let configured = parse(name, base)?;
        let mut state = self.shared.state();
        state.directives.set_base(base.to_owned());
        let current = match state.directives.current() {
            current if current == base => configured,
            current => parse(NAME, current)?,
        };
        let (filter, handle) = reload::Layer::new(current);
        let reload = move |filter: &EnvFilter| handle.reload(filter.clone()).is_ok();
        state.filters.push(Box::new(reload));
        Ok(filter)
    }

    pub(super) fn add(&self, dispatch: &tracing::Dispatch) {
        self.shared.dispatches.add(dispatch);
    }

    /// Does what the thread would.
    #[cfg(test)]
    pub(super) fn due(&self) -> Option<Duration> {
        self.shared.due()
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_back(
        &self,
        change: impl FnOnce(&mut Directives) -> Option<Changed>,
    ) -> Option<Changed> {
        let mut state = self.state();
        let changed = change(&mut state.directives)?;
        // It could be read when it was configured.
        if let Ok(filter) = parse(NAME, &changed.to) {
            self.apply(&mut state, &filter);
        }
        Some(changed)
    }

    /// Reloading also has all call sites registered anew, so that those which were off for good are
    /// asked again. As long as there is one subscriber, `tracing` asks that of the thread which
    /// reloads, whatever it is: it has to be ours, or else all call sites are off for good. One that is hit
    /// for the first time at this very moment may keep the old answer until the next change.
    fn apply(&self, state: &mut State, filter: &EnvFilter) {
        self.dispatches
            .with_one(|| state.filters.retain(|reload| reload(filter)));
    }

    /// To the subscribers whose levels they are, and with no lock held.
    fn say(&self, event: impl Fn()) {
        self.dispatches.each(|_| event());
    }
}

impl Due for Shared {
    fn due(&self) -> Option<Duration> {
        let now = self.clock.now();
        let changed = self.change_back(|directives| directives.expire(now));
        if let Some(Changed { from, to, by }) = changed {
            self.say(|| tracing::info!(target: TARGET, %by, %from, %to, "log levels reverted"));
        }
        let until = self.state().directives.until()?;
        Some(until.saturating_duration_since(now))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("directives", &self.state().directives)
            .finish_non_exhaustive()
    }
}
