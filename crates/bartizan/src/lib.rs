//! Observability and resilience for axum services: one stack, one layer.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), bartizan::Error> {
//!     let telemetry = bartizan::telemetry::from_env()?;
//!     let app = Router::new()
//!         .route("/orders/{id}", get(|| async { "an order" }))
//!         .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     let report = bartizan::serve(listener, app, telemetry).await?;
//!     eprintln!("{report}"); // the log is closed with the telemetry
//!     Ok(())
//! }
//! ```
//!
//! The layers can also be used one by one ([`TraceLayer`], [`MetricsLayer`], [`RequestLogLayer`]),
//! and without axum from [`observe`]. This crate is the only one that knows axum: it decides the
//! order of the layers and tells them where axum keeps the matched route and the peer's address.

mod catch_panic;
mod connection;
mod error;
mod layers;
mod problem;
mod protect;
mod serve;
mod stack;

pub mod admin;
pub mod client;
pub mod config;
pub mod edge;
pub mod guard;
pub mod outbound;
pub mod task;
pub mod telemetry;

#[doc(no_inline)]
pub use bartizan_observe as observe;
pub use bartizan_observe::access_log::{AccessLog, LogFormat};
pub use bartizan_observe::propagation::{Network, Trust, TrustPolicy};
pub use bartizan_observe::request::RequestOptions;
pub use bartizan_observe::telemetry::{Sampler, Telemetry};
pub use bartizan_observe::{Outcome, PeerAddr};
pub use bartizan_task::RequestId;
pub use catch_panic::{CatchPanicLayer, PanicProblem};
pub use connection::{Connection, IntoMakeService, Listener, PerConnection, into_make_service};
pub use edge::{BodyLimitLayer, CorsLayer, DecompressionLayer, SensitiveHeadersLayer};
pub use error::Error;
pub use guard::Guard;
pub use layers::{MetricsLayer, RequestLogLayer, TraceLayer, options};
pub use problem::Problem;
pub use protect::breaker::CircuitBreakerLayer;
pub use protect::bulkhead::BulkheadLayer;
pub use protect::rate_limit::RateLimitLayer;
pub use protect::shared_limit::SharedLimitLayer;
pub use protect::shed::LoadShedLayer;
pub use protect::timeout::TimeoutLayer;
pub use protect::{breaker, bulkhead, rate_limit, rescue, shared_limit, shed, timeout};
pub use serve::{
    CutOff, CutOffRequest, DEFAULT_GRACE, DRAIN_DEADLINE, EXIT_CUT_OFF, EXIT_TELEMETRY_LOST,
    ExitPolicy, Lifecycle, MAX_NAMED, Phase, PhaseEntry, ServeReport, Server, serve,
};
pub use stack::{Stack, StackLayer, stack};

/// The id of the request that the running code works for, if it works for one.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    bartizan_task::Task::with_current(|task| task?.request_id().cloned())
}

/// The README's code has to compile, too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
