//! The facade on real routers: what a request leaves behind, seen by an OTLP receiver.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod addresses;
mod bodies;
mod callers;
mod client;
mod connections;
mod contract;
mod globals;
mod hard_paths;
mod ids;
mod measures;
mod routes;
mod sampling;
mod stacking;
mod support;
mod trust;
