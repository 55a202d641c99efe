use std::time::Duration;

use crate::bulkhead::{self, Bulkhead};

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Which part of the places is taken: 1 when all are, and more where there are more calls than
    /// there should be.
    pub saturation: f64,
    /// For how long the call has waited whose turn is next; zero where none waits.
    pub queue_wait: Duration,
}

/// Who knows how much there is to do: a [`Bulkhead`], or any function.
///
/// Asked for each call, on the caller's thread.
pub trait LoadSource: Send + Sync + 'static {
    /// How much there is to do now.
    fn load(&self) -> Load;
}

// === impl LoadSource ===

impl<O: bulkhead::Observer> LoadSource for Bulkhead<O> {
    fn load(&self) -> Load {
        let snapshot = self.snapshot();
        Load {
            // Of what the service is good for: that the limit is lowered to measure is no load.
            saturation: snapshot.in_flight as f64 / snapshot.limit_found as f64,
            queue_wait: snapshot.queue_wait,
        }
    }
}

impl<F: Fn() -> Load + Send + Sync + 'static> LoadSource for F {
    fn load(&self) -> Load {
        self()
    }
}
