use std::sync::Arc;

use super::leases::{Key, Leases};

/// What was taken of a key's budget here.
#[derive(Debug)]
pub(super) struct Charge {
    leases: Arc<Leases>,
    key: Key,
    /// What the call has cost, as far as is known.
    units: u32,
    /// How many of them were charged: nobody owes more than a burst.
    charged: u32,
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
            charged: units,
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
            let charged = self.leases.charge(&self.key, more, self.purse, now);
            self.charged += charged;
            if self.purse == Purse::Local {
                let time = u64::from(charged) * self.leases.local_unit(&self.key);
                self.until = self.until.max(now).saturating_add(time);
            }
        } else if let Some(back) = self.charged.checked_sub(actual) {
            self.give_back(back, now);
            self.charged = actual;
        }
        self.units = actual;
    }

    /// Gives back so many of its units, as far as time has not done so.
    fn give_back(&mut self, units: u32, now: u64) {
        let left = self.until.saturating_sub(now);
        if units == 0 || left == 0 {
            return;
        }
        match self.purse {
            Purse::Lease => self.leases.give_back(&self.key, units, self.until),
            Purse::Local => {
                let unit = self.leases.local_unit(&self.key);
                let time = u64::from(units).saturating_mul(unit).min(left);
                self.leases.give_back_local(&self.key, time);
                self.until -= time;
            }
        }
    }
}

// === impl Held ===

impl Held {
    pub(super) const fn new(charge: Charge) -> Self {
        Self(Some(charge))
    }

    pub(super) fn units(&self) -> u32 {
        self.0.as_ref().map_or(0, Charge::units)
    }

    pub(super) fn keep(&mut self) -> Option<Charge> {
        self.0.take()
    }

    pub(super) fn give_back(&mut self) {
        if let Some(mut charge) = self.0.take() {
            // It was taken just now.
            charge.give_back(charge.units, 0);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back();
    }
}
