//! The facade on real routers: what a request leaves behind, seen by an OTLP receiver.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod addresses;
mod admin;
mod bodies;
mod breaker;
mod callers;
mod client;
mod config;
mod connections;
mod contract;
mod edge;
mod globals;
mod guard;
mod hard_paths;
mod ids;
mod measures;
mod outbound;
mod protect;
mod rolling;
mod routes;
mod sampling;
mod serve;
mod serving;
mod shared_limit;
mod stacking;
mod support;
mod timeout;
mod trust;
