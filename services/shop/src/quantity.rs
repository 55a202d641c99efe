use serde::{Deserialize, Serialize};

/// How many of a product are ordered at once: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// A number that is no [`Quantity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quantity is {0}, expected 1 to 100")]
pub struct InvalidQuantity(i64);

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
