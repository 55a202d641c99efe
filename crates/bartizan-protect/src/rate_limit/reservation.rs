use std::fmt;
use std::sync::Arc;

use super::core::Core;
use super::decision::owed;
use super::table::Home;
use super::{Decisions, MAX_POLICIES, Outcome, Quota, UnknownPolicy};

/// What a call was charged, which can be corrected when it is known what it has cost.
///
/// Dropped, the charge stays as it is: a call that was cancelled has had its turn.
#[must_use = "dropped at once, the charge stays as it is"]
pub struct Reservation {
    core: Arc<Core>,
    decisions: Decisions,
    charges: [Option<Charge>; MAX_POLICIES],
}

#[derive(Debug, Clone, Copy)]
struct Charge {
    key: u64,
    cost: u32,
    quota: Quota,
    /// When the budget was to be full after the charge. Whatever of the charge lies before now has
    /// been given back already, by time. 0 where nothing can be given back any more.
    tat: u64,
    shares: bool,
}

// === impl Reservation ===

impl Reservation {
    pub(super) fn new(core: Arc<Core>, decisions: Decisions) -> Self {
        let mut charges = [None; MAX_POLICIES];
        for (at, decision) in decisions.iter() {
            if decision.outcome() == Outcome::Allowed {
                charges[at] = Some(Charge {
                    key: decision.key,
                    cost: decision.cost.get(),
                    quota: *decision.quota(),
                    tat: decision.tat,
                    shares: decision.shares,
                });
            }
        }
        Self {
            core,
            decisions,
            charges,
        }
    }

    /// What each policy has said.
    #[must_use]
    pub const fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The call has cost `actual` units of `policy`. May be said again, when it is more.
    ///
    /// Less is given back, as far as time has not given it back already. More is charged, and
    /// becomes a debt where it is more than the budget has left: of one burst at most, beyond the
    /// one that is used. A policy that was not charged is left alone, such as one in
    /// [shadow](super::Mode) that would have rejected the call.
    ///
    /// # Errors
    ///
    /// When the limiter has no such policy.
    pub fn settle(&mut self, policy: &str, actual: u32) -> Result<(), UnknownPolicy> {
        let at = self.core.find(policy)?;
        if let Some(charge) = &mut self.charges[at] {
            charge.settle(&self.core, at, actual);
        }
        Ok(())
    }

    /// The call has cost nothing, such as one that was not made after all.
    pub fn refund(mut self) {
        self.refund_all();
    }

    pub(super) fn refund_all(&mut self) {
        for (at, charge) in self.charges.iter_mut().enumerate() {
            if let Some(charge) = charge {
                charge.settle(&self.core, at, 0);
            }
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("charges", &self.charges)
            .finish_non_exhaustive()
    }
}

// === impl Charge ===

impl Charge {
    fn settle(&mut self, core: &Core, at: usize, actual: u32) {
        let limit = &core.limits[at];
        let mut place = limit.table.lock(self.key, core.time(core.timer.now()));
        let now = place.now();
        // The key may have lost its place, or found one: what it has now was not charged.
        let is_here = match place.home() {
            Home::Own(_) => !self.shares,
            Home::Shared => self.shares,
            Home::Taken(_) | Home::Nowhere { .. } => false,
        };
        let units = |count: u32| self.quota.unit().saturating_mul(count.into());
        if actual < self.cost {
            // What of it lies behind now would be credit that nobody has paid for.
            let back = units(self.cost - actual).min(self.tat.saturating_sub(now));
            if is_here {
                place.set_tat(place.tat().saturating_sub(back));
            }
            self.tat -= back;
        } else if actual > self.cost {
            let from = place.tat().max(now);
            let tat = from.saturating_add(units(actual - self.cost));
            let tat = owed(tat, &self.quota, now).max(from);
            place.set_tat(tat);
            // Where only the rest of the charge is, nobody can say how much of it is whose.
            self.tat = if is_here { tat } else { 0 };
        }
        self.cost = actual;
    }
}
