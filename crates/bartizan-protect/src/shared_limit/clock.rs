use std::time::{Duration, Instant};

use crate::Timer;

/// A timer that counts nanoseconds from when the limiter was made.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) timer: Timer,
    origin: Instant,
}

// === impl Clock ===

impl Clock {
    pub(super) fn new(timer: Timer) -> Self {
        Self {
            origin: timer.now(),
            timer,
        }
    }

    pub(super) fn now(&self) -> u64 {
        nanos(self.timer.now().saturating_duration_since(self.origin))
    }

    pub(super) fn instant(&self, nanos: u64) -> Instant {
        self.origin + Duration::from_nanos(nanos)
    }
}

/// For 584 years.
pub(super) const fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
