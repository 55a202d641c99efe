//! The order service between a real inventory and real payments, on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

mod api;
mod crash;
mod gate;
mod keys;
mod socket;
mod stage;
mod undo;
