use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How old the pairing of the two clocks may grow before it is read anew, so that a stepped wall
/// clock is followed within a second.
const REPAIR_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    static PAIR: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// Where the layers read the time. Default: the system's monotonic clock.
///
/// One monotonic reading gives both the duration and, by [`Clock::wall`], the timestamp: reading
/// the wall clock as well would double the most expensive part of an unsampled request.
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Given(Arc<dyn Fn() -> Instant + Send + Sync>),
}

impl Clock {
    /// A clock that tests control, for example `|| tokio::time::Instant::now().into_std()`.
    pub fn from_fn(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Source::Given(Arc::new(now)))
    }

    /// Reads the monotonic clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => system_now(),
            Source::Given(now) => now(),
        }
    }

    /// The wall-clock time at `instant`.
    #[must_use]
    pub fn wall(&self, instant: Instant) -> SystemTime {
        let (base, wall) = PAIR
            .get()
            .filter(|(base, _)| instant.saturating_duration_since(*base) < REPAIR_AFTER)
            .unwrap_or_else(|| {
                let pair = (system_now(), system_wall());
                PAIR.set(Some(pair));
                pair
            });
        match instant.checked_duration_since(base) {
            Some(since) => wall + since,
            None => wall - base.saturating_duration_since(instant),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
fn system_now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
fn system_wall() -> SystemTime {
    SystemTime::now()
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::System",
            Source::Given(_) => "Clock::Given",
        })
    }
}
