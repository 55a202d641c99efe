use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shop::keys::OrderId;

use crate::{Amount, AuthoriseError, Authorised, Book, Totals};

/// The book as the service shares it; clones are the same one.
///
/// One mutex around all of it, held for one decision and never across an await.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Mutex<Book>>);

// === impl Ledger ===

impl Ledger {
    /// An empty one that authorises up to `limit` at once.
    #[must_use]
    pub fn new(limit: Amount) -> Self {
        Self(Arc::new(Mutex::new(Book::new(limit))))
    }

    /// What it comes to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.lock().totals()
    }

    /// See [`Book::authorise`].
    ///
    /// # Errors
    ///
    /// See [`AuthoriseError`].
    pub fn authorise(
        &self,
        order_id: &OrderId,
        amount: Amount,
    ) -> Result<Authorised, AuthoriseError> {
        self.lock().authorise(order_id, amount)
    }

    /// See [`Book::void`].
    pub fn void(&self, order_id: &OrderId) {
        self.lock().void(order_id);
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // Nothing in a decision panics half-way, so a poisoned book is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
