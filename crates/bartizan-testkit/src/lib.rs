//! For tests of observed services: what was really exported, whether it follows the semantic
//! conventions, and whether a layer keeps to the tower contract.
//!
//! - [`OtlpSink`] receives OTLP on loopback, as a collector would, and keeps everything.
//! - [`semconv`] checks received HTTP spans and metrics against the conditional rules of the
//!   OpenTelemetry semantic conventions, which attribute-by-attribute checkers leave out.
//! - [`contract`] runs a layer through what every tower layer must get right.
//! - [`RedisServer`] is a real server, and [`until`] waits for what tells nobody.
//! - [`over_connections`] serves a router for real and drives it over several connections.
//!
//! Failures are panics with a message, as in any assertion.

mod connections;
pub mod contract;
mod redis;
pub mod semconv;
mod sink;
mod until;

pub use bartizan_panel::view::{
    Attributes, EventView, HistogramView, LinkView, LogView, MetricKind, PointValue, PointView,
    ResourceView, ScopeView, SpanKind, SpanView, StatusCode, Temporality, Value,
};
pub use connections::{DriveError, over_connections};
pub use redis::RedisServer;
pub use sink::{OtlpSink, WaitError};
pub use until::until;
