use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shop::keys::OrderId;

/// How long stock is held for an order: many times what an order takes, and soon enough that a
/// crashed order service does not empty the shop.
pub const DEFAULT_TTL: Duration = Duration::from_secs(60);

/// The most reservations held at once: a TTL's worth of orders that all got stuck, at more than a
/// hundred a second. An entry takes about 300 bytes, so 3 MiB.
pub const MAX_HELD: usize = 10_000;

/// How many reservations are remembered after they are over, so that sending a call again does
/// nothing twice: about 30 MiB.
pub const MAX_FINISHED: usize = 100_000;

/// Enough for days of steady traffic.
const INITIAL_STOCK: i64 = 1_000_000;

/// Name and price in cents, the ids counted from 1.
const PRODUCTS: [(&str, i64); 6] = [
    ("arrow loop", 4_900),
    ("crenel", 12_500),
    ("merlon", 9_900),
    ("murder hole", 23_000),
    ("portcullis", 149_900),
    ("watch lantern", 1_850),
];

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
    /// How many are available.
    pub stock: i64,
}

/// What the shelves are filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    pub(super) products: Vec<Product>,
}

/// How much the stock remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a test sets every one of them")]
pub struct Limits {
    /// How long a reservation is held. Default: [`DEFAULT_TTL`].
    pub ttl: Duration,
    /// How many are held at once. Default: [`MAX_HELD`].
    pub max_held: usize,
    /// How many are remembered after that. Default: [`MAX_FINISHED`].
    pub max_finished: usize,
}

/// Stock that is spoken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reservation {
    /// Its number.
    pub id: u64,
    /// The order it is for.
    pub order_id: OrderId,
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: i64,
    /// The price of one when it was reserved, in cents.
    pub price_cents: i64,
    /// What has become of it.
    pub state: State,
}

/// What has become of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It is held, and will expire.
    Held,
    /// Its quantity is sold.
    Confirmed,
    /// Its quantity is back on the shelf.
    Released,
    /// The same, because nobody confirmed it in time.
    Expired,
}

/// A reservation, and whether this call made it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "made now or before, there is no third"
)]
pub enum Reserved {
    /// It was made now.
    Now(Reservation),
    /// It was there, for the same order and the same things.
    Before(Reservation),
}

/// Where all there is of a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Row {
    /// Which product.
    pub product_id: i64,
    /// How many can be reserved.
    pub available: i64,
    /// How many are held for orders.
    pub reserved: i64,
    /// How many are sold.
    pub sold: i64,
}

/// Nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// There is no such product.
    #[error("there is no product {product_id}")]
    UnknownProduct {
        /// The product asked for.
        product_id: i64,
    },
    /// There are fewer than asked for.
    #[error("product {product_id} has only {left} left")]
    OutOfStock {
        /// The product asked for.
        product_id: i64,
        /// How many there are.
        left: i64,
    },
    /// The order has a reservation of something else.
    #[error("order {order_id} has reserved something else")]
    Different {
        /// The order.
        order_id: OrderId,
    },
    /// The order's reservation is over.
    #[error("the reservation of order {order_id} is {state}")]
    Over {
        /// The order.
        order_id: OrderId,
        /// How it ended.
        state: State,
    },
    /// Too many reservations are held.
    #[error("too many reservations are held")]
    Full {
        /// When the first of them expires.
        retry_after: Duration,
    },
}

/// Nothing was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// The order has none.
    #[error("order {order_id} has no reservation")]
    Unknown {
        /// The order.
        order_id: OrderId,
    },
    /// The order's reservation is over.
    #[error("the reservation of order {order_id} is {state}")]
    Over {
        /// The order.
        order_id: OrderId,
        /// How it ended.
        state: State,
    },
}

// === impl Catalogue ===

impl Catalogue {
    /// The shop's products, of each of which there are `stock`.
    #[must_use]
    pub fn with_stock(stock: u32) -> Self {
        Self::of(stock.into())
    }

    fn of(stock: i64) -> Self {
        let product = |(id, (name, price_cents)): (i64, (&str, i64))| Product {
            id,
            name: name.to_owned(),
            price_cents,
            stock,
        };
        Self {
            products: (1..).zip(PRODUCTS).map(product).collect(),
        }
    }
}

impl Default for Catalogue {
    /// A million of each.
    fn default() -> Self {
        Self::of(INITIAL_STOCK)
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            ttl: DEFAULT_TTL,
            max_held: MAX_HELD,
            max_finished: MAX_FINISHED,
        }
    }
}

// === impl State ===

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        })
    }
}
