//! What an order asks of the other services, each keyed by the order's reference.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{CallError, NewOrder, Upstream};

/// Where the stock is.
#[derive(Debug, Clone)]
pub(crate) struct Inventory(pub(crate) Upstream);

/// Where the money is.
#[derive(Debug, Clone)]
pub(crate) struct Payments(pub(crate) Upstream);

// === impl Inventory ===

impl Inventory {
    /// Has the stock held, and gives the price of one in cents.
    pub(crate) async fn reserve(&self, reference: &str, new: NewOrder) -> Result<i64, CallError> {
        #[derive(Deserialize)]
        struct Reservation {
            price_cents: i64,
        }
        let asked = json!({ "product_id": new.product_id, "quantity": new.quantity });
        let path = ["reservations", reference];
        let Reservation { price_cents } = self.0.call(Method::PUT, &path, &asked).await?;
        Ok(price_cents)
    }

    /// Has it sold.
    pub(crate) async fn confirm(&self, reference: &str) -> Result<(), CallError> {
        let path = ["reservations", reference, "confirm"];
        self.0.tell(Method::POST, &path).await
    }

    /// Gives it back, however far it came.
    pub(crate) async fn release(&self, reference: &str) -> Result<(), CallError> {
        let path = ["reservations", reference];
        self.0.tell(Method::DELETE, &path).await
    }
}

// === impl Payments ===

impl Payments {
    /// Has the money set aside, and gives the payment's number.
    pub(crate) async fn authorise(
        &self,
        reference: &str,
        amount_cents: i64,
    ) -> Result<u64, CallError> {
        #[derive(Deserialize)]
        struct Payment {
            id: u64,
        }
        let asked = json!({ "amount_cents": amount_cents });
        let path = ["payments", reference];
        let Payment { id } = self.0.call(Method::PUT, &path, &asked).await?;
        Ok(id)
    }

    /// Frees it, however far it came.
    pub(crate) async fn void(&self, reference: &str) -> Result<(), CallError> {
        let path = ["payments", reference];
        self.0.tell(Method::DELETE, &path).await
    }
}
