use serde::{Deserialize, Serialize};
use shop::Quantity;

/// A request for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: Quantity,
}

/// An order, placed or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: i64,
    /// How far it has come.
    pub status: Status,
    /// The price of all of them, in cents, once it is placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<i64>,
    /// Why it is not placed, if it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for, in UTC, as RFC 3339 writes it.
    pub created_at: String,
}

/// How far an order has come.
///
/// ```text
/// pending ─► placed
///    └─────► undoing ─► rejected
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Stock and payment are being asked for.
    Pending,
    /// It has both.
    Placed,
    /// It will not be placed, and may still have either.
    Undoing,
    /// It was not placed, and has neither.
    Rejected,
}

// === impl Status ===

impl Status {
    /// As the database has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Placed => "placed",
            Self::Undoing => "undoing",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn from_str(text: &str) -> Option<Self> {
        [Self::Pending, Self::Placed, Self::Undoing, Self::Rejected]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}
