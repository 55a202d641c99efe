//! A circuit breaker: stops calling a service that fails, and finds out when it is well again.
//!
//! A service that is down costs its callers a timeout each, and the callers' callers theirs. A
//! breaker answers for it at once, leaves it alone for a while, and lets a few calls through to see.
//!
//! ```
//! use bartizan_protect::breaker::{CircuitBreakerLayer, Config, State};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::builder().with_failure_rate(0.5, 4).build()?;
//! let layer = CircuitBreakerLayer::new("stock", config);
//! let mut service = layer.layer(tower::service_fn(async |_: Request<()>| {
//!     let failed = Response::builder().status(500);
//!     Ok::<_, std::io::Error>(failed.body(Empty::<&'static [u8]>::new()).unwrap())
//! }));
//! for _ in 0..4 {
//!     service.ready().await?.call(Request::new(())).await?;
//! }
//! assert_eq!(layer.handle().snapshot().state, State::Open);
//! let error = service.ready().await?.call(Request::new(())).await.unwrap_err();
//! assert!(error.is_rejection() && error.retry_after().is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # What it is made of
//!
//! Admission, policy and signal are three things. A circuit is one atomic word, of which a closed
//! circuit's admission is one load; results go into windows behind a lock that is held for a few
//! nanoseconds; and a classifier says what a result is. A call holds a [`Permit`] that knows the
//! generation it was admitted in. Whatever becomes of the call, its permit is settled once, and a
//! result of another generation moves nothing.
//!
//! # Where it goes
//!
//! Inside retries, outside the timeout of an attempt, next to the client: see the
//! [crate](crate#) for the order. A timeout further out cuts calls off unheard; those that were
//! slow by then count as failures ([`CancelPolicy`]).
//!
//! # What it does not do
//!
//! It retries nothing, waits for nothing, and has no timer: an open circuit becomes half-open by the
//! first call after its time, and a service without traffic stays where it is. A call that it
//! rejects has readied the inner service and does not call it; what that service has reserved, it
//! keeps for the next call.

mod body;
#[expect(clippy::module_inception, reason = "the breaker of the breaker")]
mod breaker;
mod breaker_builder;
mod builder;
mod check;
mod circuit;
mod classify;
mod closed;
mod config;
mod entry;
mod future;
mod in_flight;
mod layer;
mod observer;
mod open_time;
mod outcome;
mod permit;
mod probation;
mod registry;
mod rejected;
mod service;
mod snapshot;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod transitions;
mod word;

pub use body::ResponseBody;
pub use breaker::{Breaker, UnknownKey};
pub use breaker_builder::BreakerBuilder;
pub use builder::ConfigBuilder;
pub use classify::{Classify, GrpcClassifier, HttpClassifier, Verdict};
pub use config::*;
pub use future::{Guarded, ResponseFuture};
pub use layer::{CircuitBreakerLayer, Keys};
pub use observer::{Call, CircuitId, Correlation, Observer, Transition};
pub use outcome::{CancelPolicy, Outcome};
pub use permit::Permit;
pub use registry::{DEFAULT_MAX_KEYS, MAX_KEY_LENGTH, Overflow};
pub use rejected::Rejected;
pub use service::CircuitBreaker;
pub use snapshot::Snapshot;
pub use state::{Change, Command, Reason, State};
pub use transitions::Transitions;
