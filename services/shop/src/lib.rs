//! What the shop's services have in common. The wiring is not here: each service has its own, as a
//! user would write it.
//!
//! - [`extract`]: a body and a path that are told as problems when they are wrong.
//! - [`keys`]: what makes a call that is sent twice happen once.
//! - [`faults`]: failing on purpose, settable through a port of its own.

mod quantity;
mod routes;
mod url;

pub mod extract;
pub mod faults;
pub mod keys;

pub use quantity::{InvalidQuantity, Quantity};
pub use routes::with_fallbacks;
pub use url::{EXPECTED_URL, is_base_url};
