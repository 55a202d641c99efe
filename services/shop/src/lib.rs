//! What the shop's services have in common. What makes them up is not here: each has its own wiring
//! of routes, stack and checks, as a user would write it.
//!
//! - [`loader`], [`Service`], [`exit`]: from the settings to the exit code.
//! - [`timeout`]: how long a request may take, and whose word counts for less.
//! - [`base_url`]: another service's address as a setting.
//! - [`extract`]: a body and a path that are told as problems when they are wrong.
//! - [`keys`]: what makes a call that is sent twice happen once.
//! - [`faults`]: failing on purpose, settable through the admin port.

mod error;
mod quantity;
mod routes;
mod service;
mod settings;
mod timeout;

pub mod base_url;
pub mod extract;
pub mod faults;
pub mod keys;

pub use error::Error;
pub use quantity::{InvalidQuantity, Quantity};
pub use routes::with_fallbacks;
pub use service::{Service, exit};
pub use settings::{loader, with_breaker_defaults};
pub use timeout::{REQUEST_TIMEOUT, timeout};
