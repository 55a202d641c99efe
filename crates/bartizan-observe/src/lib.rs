//! Observability for tower HTTP services: one layer that starts a server span, records the HTTP
//! metrics and writes an access-log line for each request; the same for clients; W3C propagation;
//! and an OTLP pipeline that is bounded and counts what it loses.
//!
//! The parts can be used one by one with plain `tower`; the `bartizan` crate puts them in order
//! for axum.

pub mod access_log;
mod capture;
pub mod client;
mod clock;
pub mod exposition;
mod intern;
pub mod log_control;
pub mod log_format;
pub mod message;
mod method;
pub mod names;
mod outcome;
mod peer;
pub mod propagation;
mod redact;
pub mod request;
mod table;
pub mod telemetry;
#[cfg(test)]
mod test_support;
mod tracing_source;

pub use clock::Clock;
pub use outcome::Outcome;
pub use peer::PeerAddr;
