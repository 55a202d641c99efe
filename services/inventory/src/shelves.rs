use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use shop::Quantity;
use shop::keys::OrderId;

use crate::{
    Catalogue, ConfirmError, Limits, Product, Reservation, ReserveError, Reserved, Row, Stock,
};

/// The stock as the service shares it; clones are the same one.
///
/// One mutex around all of it. It is held for one decision, which is a few map operations, and
/// never across an await; so a decision is atomic, and nothing is sold twice.
#[derive(Debug, Clone)]
pub struct Shelves(Arc<Mutex<Stock>>);

// === impl Shelves ===

impl Shelves {
    /// Shelves with this on them.
    #[must_use]
    pub fn new(stock: Stock) -> Self {
        Self(Arc::new(Mutex::new(stock)))
    }

    /// What there is to sell.
    #[must_use]
    pub fn products(&self) -> Vec<Product> {
        self.lock().products(now())
    }

    /// Where everything is.
    #[must_use]
    pub fn ledger(&self) -> Vec<Row> {
        self.lock().ledger(now())
    }

    /// See [`Stock::reserve`].
    ///
    /// # Errors
    ///
    /// See [`ReserveError`].
    pub fn reserve(
        &self,
        order_id: &OrderId,
        product_id: i64,
        quantity: Quantity,
    ) -> Result<Reserved, ReserveError> {
        self.lock().reserve(now(), order_id, product_id, quantity)
    }

    /// See [`Stock::confirm`].
    ///
    /// # Errors
    ///
    /// See [`ConfirmError`].
    pub fn confirm(&self, order_id: &OrderId) -> Result<Reservation, ConfirmError> {
        self.lock().confirm(now(), order_id)
    }

    /// See [`Stock::release`].
    pub fn release(&self, order_id: &OrderId) {
        self.lock().release(now(), order_id);
    }

    fn lock(&self) -> MutexGuard<'_, Stock> {
        // Nothing in a decision panics half-way, so a poisoned stock is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Shelves {
    /// The shop's six products.
    fn default() -> Self {
        Self::new(Stock::new(Catalogue::default(), Limits::default()))
    }
}

/// Tokio's clock, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
