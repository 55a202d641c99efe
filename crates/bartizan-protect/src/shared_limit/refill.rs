use std::sync::Arc;

use tokio::sync::Notify;

use super::Grant;
use super::charge::{Charge, Held};
use super::lease::Want;
use super::leases::{Key, Known, Leases};

/// The right to ask the store for a key, which nobody else has meanwhile, and what was here of it
/// and is too little. When it is dropped, however that comes, this is free again, and whoever waits
/// is woken.
#[derive(Debug)]
pub(super) struct Refill {
    leases: Arc<Leases>,
    key: Key,
    want: Want,
    here: Held,
    /// `None` where there is no room for the key, and what the store gives is for one request.
    waiters: Option<Arc<Notify>>,
}

// === impl Refill ===

impl Refill {
    pub(super) fn new(
        leases: &Arc<Leases>,
        key: &Key,
        want: Want,
        here: Held,
        waiters: Option<Arc<Notify>>,
    ) -> Self {
        Self {
            leases: Arc::clone(leases),
            key: *key,
            want,
            here,
            waiters,
        }
    }

    pub(super) const fn want(&self) -> Want {
        self.want
    }

    /// The store was asked at `asked`, and has said this.
    pub(super) fn fill(mut self, asked: u64, grant: &Grant) -> Known {
        let (until, mut left) = self.leases.fill(&self.key, asked, self.want, grant);
        if grant.granted == 0 {
            // What was here goes back.
            let units = left.units.saturating_add(self.here.units());
            left.units = units.min(self.key.quota.burst());
            return Known::Refused(grant.retry_after, left);
        }
        let here = self.here.keep().map_or(0, |charge| charge.units());
        let units = here + self.want.least;
        let charge = Charge::of_lease(&self.leases, &self.key, units, until);
        Known::Taken(Held::new(charge), left)
    }
}

impl Drop for Refill {
    fn drop(&mut self) {
        // Before the others are, who would ask for them.
        self.here.give_back();
        if let Some(waiters) = &self.waiters {
            self.leases.answered(&self.key);
            waiters.notify_waiters();
        }
    }
}
