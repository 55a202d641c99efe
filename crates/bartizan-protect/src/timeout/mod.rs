//! A timeout, which tells the service how much time it has.
//!
//! Every service on the way of a request has its own idea of how long that may take, and works on
//! for callers that have long given up. Here a call is cut off when its own time or its caller's is
//! over, whichever is first, and what is left of it goes along with the request.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_protect::Error;
//! use bartizan_protect::timeout::{REQUEST_TIMEOUT_MS, TimeoutLayer};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = TimeoutLayer::new(Duration::from_millis(250))?;
//! let mut service = layer.layer(tower::service_fn(async |request: Request<()>| {
//!     assert_eq!(request.headers()[REQUEST_TIMEOUT_MS], "250");
//!     std::future::pending::<()>().await;
//!     Ok::<_, std::io::Error>(Response::new(Empty::<&'static [u8]>::new()))
//! }));
//! let error = service.ready().await?.call(Request::new(())).await.unwrap_err();
//! assert!(matches!(error, Error::TimedOut(elapsed) if elapsed.after().as_millis() == 250));
//! # Ok(())
//! # }
//! ```
//!
//! # How much time there is
//!
//! The least of the layer's own timeout, of a [`Deadline`] among the request's extensions, and of
//! what a [`DeadlineSource`] says. The result is the [`Deadline`] of the request as the service
//! inside sees it, so that layers further in, [retries](crate::retry) among them, know of it; and it
//! is in the header [`REQUEST_TIMEOUT_MS`], unless
//! [`without_propagation`](TimeoutLayer::without_propagation). Where less than a millisecond is
//! left, the service is not called: [`Error::NoTimeLeft`](crate::Error::NoTimeLeft).
//!
//! A header that has come in is not looked at, since anybody can send one. Whoever trusts the sender
//! reads it by [`parse_remaining`] and puts a [`Deadline`] on the request.
//!
//! # What is timed
//!
//! By default the time to the response's head, as with `tower` and `tower-http`: a download may
//! take as long as it likes. [`with_body`](TimeoutLayer::with_body) bounds the whole.
//!
//! The service is asked before the clock is, so that an answer which is there counts, even when it
//! is late because the executor was busy. When the time is over, the service's future (or body) is
//! dropped at once.
//!
//! # Where it goes
//!
//! Around a handler with [`without_propagation`](TimeoutLayer::without_propagation); on the way out,
//! one outside the retries for the whole call, and one next to the client for each attempt: see the
//! [crate](crate#).
//!
//! # What it does not do
//!
//! It stops nobody who does not await, such as a handler that blocks its thread, and no tasks that
//! were spawned. Waiting for readiness takes none of the time, as no request is there yet. The far
//! side has to read the header for itself.

mod alarm;
mod allowance;
mod body;
mod deadline;
mod elapsed;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use deadline::{Deadline, DeadlineSource, MAX_REMAINING, REQUEST_TIMEOUT_MS, parse_remaining};
pub use elapsed::{Elapsed, Limit, NoTimeLeft};
pub use future::ResponseFuture;
pub use layer::{InvalidTimeout, MAX_TIMEOUT, TimeoutLayer};
pub use service::Timeout;

pub(crate) use alarm::Alarm;
pub(crate) use allowance::Allowance;
pub(crate) use deadline::LEAST;
