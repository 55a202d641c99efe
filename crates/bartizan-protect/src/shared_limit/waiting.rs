use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::leases::{Key, Leases};

/// A request that waits for what somebody else is asking the store for.
#[derive(Debug)]
pub(super) struct Waiting {
    wanted: Wanted,
    answered: OwnedNotified,
}

/// What it wants, which whoever asks next asks for as well. Dropped, it has gone.
#[derive(Debug)]
pub(super) struct Wanted {
    leases: Arc<Leases>,
    key: Key,
    /// 0 once it does not wait any more.
    units: u32,
}

// === impl Waiting ===

impl Waiting {
    pub(super) fn new(leases: &Arc<Leases>, key: &Key, units: u32, asking: &Arc<Notify>) -> Self {
        Self {
            wanted: Wanted {
                leases: Arc::clone(leases),
                key: *key,
                units,
            },
            // It hears of all that comes from here on, also before it is polled.
            answered: Arc::clone(asking).notified_owned(),
        }
    }

    /// Waits until whoever is asking does not do so any more.
    pub(super) async fn answered(self) -> Wanted {
        let Self { wanted, answered } = self;
        answered.await;
        wanted
    }
}

// === impl Wanted ===

impl Wanted {
    /// Of which key and how many units, of a request that does not wait any more.
    pub(super) fn take(&mut self) -> (Key, u32) {
        (self.key, std::mem::take(&mut self.units))
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if self.units > 0 {
            self.leases.forsake(&self.key, self.units);
        }
    }
}
