//! Failing on purpose, so that the way a service behaves when another one fails can be watched:
//! latency with jitter, a rate of errors, an outage.
//!
//! [`Switch`] holds the settings and puts them around a router; [`Admin`] changes them over HTTP, on
//! a port of its own that nobody's traffic reaches and that is not traced.

mod admin;
mod settings;
mod switch;

pub use admin::{Admin, router};
pub use settings::{Fate, Faults, InvalidField, MAX_DELAY_MS, Rolls};
pub use switch::Switch;
