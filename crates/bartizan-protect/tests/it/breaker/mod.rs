//! The circuit breaker through its layer.

mod bodies;
mod contract;
mod defects;
mod handle;
mod keys;
mod permit;
mod polls;
pub(crate) mod told;
pub(crate) mod upstream;
