use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Reservation;
use crate::rate_limit::UnknownPolicy;

/// What a request was charged, for the service that it reaches. Clones are the same.
///
/// A [`SharedLimitLayer`](super::SharedLimitLayer) puts it into the request's extensions, if it
/// [is to](super::SharedLimitLayer::with_charges). What the answer says in its head was known before.
#[derive(Debug, Clone)]
pub struct Charged(Arc<Mutex<Reservation>>);

// === impl Charged ===

impl Charged {
    pub(super) fn new(reservation: Reservation) -> Self {
        Self(Arc::new(Mutex::new(reservation)))
    }

    /// The request has cost `actual` units of `policy`: see [`Reservation::settle`].
    ///
    /// # Errors
    ///
    /// When the limiter has no such policy.
    pub fn settle(&self, policy: &str, actual: u32) -> Result<(), UnknownPolicy> {
        self.lock().settle(policy, actual)
    }

    /// The request has cost nothing.
    pub fn refund(&self) {
        self.lock().refund_all();
    }

    fn lock(&self) -> MutexGuard<'_, Reservation> {
        // Nothing is left half done where it could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
