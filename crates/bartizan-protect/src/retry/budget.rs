use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::BudgetBuilder;
use super::ledger::{Entries, Ledger};

/// How many retries there may be for so many requests. Clones share it, and so may layers.
///
/// Over the latest 10 s, if nothing else was asked for, the retries are at most a fifth of the
/// requests, and a few more for when there are hardly any. A request counts once its first attempt
/// has an answer other than a rejection, a retry from when it is decided on, unless it is called off
/// before it is sent.
#[derive(Clone)]
pub struct Budget(Arc<Mutex<Ledger>>);

/// What a [`Budget`] has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetSnapshot {
    /// The requests in the window, without their retries.
    pub requests: u64,
    /// The retries in the window, and those that are waiting to be sent.
    pub retries: u64,
    /// How many more there may be now.
    pub available: u64,
}

/// A retry that is decided on. Dropped before it is sent, it has never been.
#[derive(Debug)]
pub(super) struct Reservation {
    // `None` once spent.
    budget: Option<Budget>,
}

// === impl Budget ===

impl Budget {
    /// Starts from the defaults: 20 % of the requests and 10 a second, over 10 s.
    pub fn builder() -> BudgetBuilder {
        BudgetBuilder::default()
    }

    pub(super) fn new(ledger: Ledger) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    /// What it has counted of late, at `now` by the clock of the layers that use it.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> BudgetSnapshot {
        let Entries {
            requests,
            retries,
            available,
        } = self.ledger().entries(now);
        BudgetSnapshot {
            requests,
            retries,
            available,
        }
    }

    pub(super) fn deposit(&self, now: Instant) {
        self.ledger().deposit(now);
    }

    /// `None` when it is spent.
    pub(super) fn reserve(&self, now: Instant) -> Option<Reservation> {
        let budget = self.ledger().reserve(now).then(|| self.clone())?;
        Some(Reservation {
            budget: Some(budget),
        })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing in there panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::builder().unchecked()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.ledger()).finish()
    }
}

// === impl Reservation ===

impl Reservation {
    /// The retry is sent.
    pub(super) fn spend(mut self, now: Instant) {
        if let Some(budget) = self.budget.take() {
            budget.ledger().spend(now);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.ledger().release();
        }
    }
}
