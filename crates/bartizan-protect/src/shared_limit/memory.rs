use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::gcra;
use super::{Ask, Grant, Store, StoreKey};
use crate::{BoxError, Timer};

/// A store in memory, for tests: clones are the same, and limiters that have one share it as
/// replicas share a server.
///
/// It forgets nothing, and so is no store for what clients can make up.
#[derive(Clone)]
pub struct MemoryStore(Arc<Memory>);

struct Memory {
    timer: Timer,
    origin: Instant,
    /// When each key's budget is full, in nanoseconds since the origin.
    full: Mutex<HashMap<StoreKey, u64>>,
}

// === impl MemoryStore ===

impl MemoryStore {
    /// An empty store, which reads the time of `timer`.
    #[must_use]
    pub fn new(timer: Timer) -> Self {
        Self(Arc::new(Memory {
            origin: timer.now(),
            timer,
            full: Mutex::default(),
        }))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Timer::default())
    }
}

impl Store for MemoryStore {
    async fn grant(&self, ask: &Ask) -> Result<Grant, BoxError> {
        let Memory {
            timer,
            origin,
            full,
        } = &*self.0;
        let now = timer.now().saturating_duration_since(*origin).as_nanos() as u64;
        let mut all = full.lock().unwrap_or_else(PoisonError::into_inner);
        let full = all.entry(ask.key.clone()).or_default();
        let (grant, next) = gcra::grant(&ask.quota, *full, now, ask.least, ask.most);
        *full = next;
        Ok(grant)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
