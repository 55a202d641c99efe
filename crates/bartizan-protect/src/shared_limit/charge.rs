use std::sync::Arc;

use super::leases::{Key, Leases};

/// What was taken of a key's budget here.
#[derive(Debug)]
pub(super) struct Charge {
    leases: Arc<Leases>,
    key: Key,
    units: u32,
    purse: Purse,
    /// When it cannot be given back any more.
    until: u64,
}

/// Where it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purse {
    Lease,
    /// The budget of this process, while the store is down.
    Local,
}

/// A charge that is given back when this is dropped, however that comes, unless it is kept.
#[derive(Debug)]
pub(super) struct Held(Option<Charge>);

// === impl Charge ===

impl Charge {
    pub(super) fn of_lease(leases: &Arc<Leases>, key: &Key, units: u32, until: u64) -> Self {
        Self {
            leases: Arc::clone(leases),
            key: *key,
            units,
            purse: Purse::Lease,
            until,
        }
    }

    pub(super) fn local(leases: &Arc<Leases>, key: &Key, units: u32, until: u64) -> Self {
        Self {
            purse: Purse::Local,
            ..Self::of_lease(leases, key, units, until)
        }
    }

    pub(super) const fn units(&self) -> u32 {
        self.units
    }

    /// It should have been `actual` units.
    pub(super) fn settle(&mut self, actual: u32, now: u64) {
        if actual > self.units {
            let more = actual - self.units;
            self.leases.charge(&self.key, more, self.purse, now);
        } else if now < self.until {
            self.give_back(self.units - actual);
        }
        self.units = actual;
    }

    fn give_back(&self, units: u32) {
        if units > 0 {
            let Self { key, until, .. } = self;
            self.leases.give_back(key, units, self.purse, *until);
        }
    }
}

// === impl Held ===

impl Held {
    pub(super) const fn new(charge: Charge) -> Self {
        Self(Some(charge))
    }

    pub(super) fn keep(&mut self) -> Option<Charge> {
        self.0.take()
    }

    pub(super) fn give_back(&mut self) {
        if let Some(charge) = self.0.take() {
            charge.give_back(charge.units);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back();
    }
}
