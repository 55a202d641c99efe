use serde::{Deserialize, Serialize};

/// What can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Product {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The price of one, in cents.
    pub price_cents: i64,
    /// How many are left.
    pub stock: i64,
}

/// A request for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: Quantity,
}

/// How many of a product are ordered at once: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// A number that is no [`Quantity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quantity is {0}, expected 1 to 100")]
pub struct InvalidQuantity(i64);

/// A placed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: i64,
    /// The price of all of them, in cents.
    pub total_cents: i64,
    /// When it was placed, in UTC, as RFC 3339 writes it.
    pub placed_at: String,
}

// === impl Quantity ===

impl Quantity {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(number: i64) -> Result<Self, InvalidQuantity> {
        if (1..=100).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidQuantity(number))
        }
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}
