use std::fmt;
use std::sync::Arc;

use super::Decisions;
use super::charge::Charge;
use super::limit::Limits;
use crate::rate_limit::UnknownPolicy;

/// What a call was charged, which can be corrected when it is known what it has cost. That asks
/// nobody and waits for nothing.
///
/// Dropped, the charge stays as it is: a call that was cancelled has had its turn.
pub struct Reservation {
    limits: Arc<Limits>,
    /// By the places of the policies.
    charges: Vec<(usize, Charge)>,
    decisions: Decisions,
}

// === impl Reservation ===

impl Reservation {
    pub(super) fn new(
        limits: &Arc<Limits>,
        charges: Vec<(usize, Charge)>,
        decisions: Decisions,
    ) -> Self {
        Self {
            limits: Arc::clone(limits),
            charges,
            decisions,
        }
    }

    /// What each policy has said.
    #[must_use]
    pub const fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The call has cost `actual` units of `policy`. May be said again, when it is more.
    ///
    /// Less is given back to this replica's lease, which has room for as much as one lease or one
    /// request, and only while what was taken is [good](super::SharedLimiterBuilder::with_lease_time).
    /// More is taken of the lease, and what it does not have is a debt, of one burst at most: the
    /// next units that the store gives beyond what a request asks for pay it. A policy that was not
    /// charged is left alone.
    ///
    /// # Errors
    ///
    /// When the limiter has no such policy.
    pub fn settle(&mut self, policy: &str, actual: u32) -> Result<(), UnknownPolicy> {
        let at = self.limits.find(policy)?;
        let now = self.limits.clock.now();
        for (_, charge) in self.charges.iter_mut().filter(|(of, _)| *of == at) {
            charge.settle(actual, now);
        }
        Ok(())
    }

    /// The call has cost nothing, such as one that was not made after all.
    pub fn refund(mut self) {
        self.refund_all();
    }

    pub(super) fn refund_all(&mut self) {
        let now = self.limits.clock.now();
        for (_, charge) in &mut self.charges {
            charge.settle(0, now);
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("decisions", &self.decisions)
            .finish_non_exhaustive()
    }
}
