use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use hyper::rt::Sleep;
use hyper_util::rt::TokioTimer;

/// Where the layers read the time and wait. Default: tokio's clock, which tests can pause.
///
/// Any runtime's timer will do, as long as it gives the time as well ([`hyper::rt::Timer::now`]).
#[derive(Clone)]
pub struct Timer(Arc<dyn hyper::rt::Timer + Send + Sync>);

// === impl Timer ===

impl Timer {
    /// Reads the time from `timer`, and waits by it.
    pub fn new(timer: impl hyper::rt::Timer + Send + Sync + 'static) -> Self {
        Self(Arc::new(timer))
    }

    /// The time, monotonic.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// A future that is ready at `deadline`, and at once if that has passed.
    #[must_use]
    pub fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.sleep_until(deadline)
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self::new(TokioTimer::new())
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}
