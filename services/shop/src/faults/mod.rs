//! Failing on purpose, so that the way a service behaves when another one fails can be watched:
//! latency with jitter, a rate of errors, an outage.
//!
//! [`Switch`] holds the settings and puts them around a router; [`router`](fn@router) changes them
//! over HTTP, on the admin port, which nobody's traffic reaches and which is not traced.

mod router;
mod settings;
mod switch;

pub use router::router;
pub use settings::{Fate, Faults, InvalidField, MAX_DELAY_MS, Rolls};
pub use switch::Switch;
