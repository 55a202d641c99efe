//! Retries, within a budget.
//!
//! A retry saves a request from somebody else's bad moment. It is also more work for a service that
//! may be failing because it has too much: where everybody retries three times, an overloaded
//! service gets three times the load. So what is retried here is bounded three times over: by
//! attempts, by the caller's time, and by a [`Budget`] that all requests through the layer share.
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use bartizan_protect::retry::{Attempt, Config, RetryLayer};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = RetryLayer::new(Config::builder().with_max_attempts(2).build()?);
//! let mut service = layer.layer(tower::service_fn(async |request: Request<()>| {
//!     let status = match request.extensions().get() {
//!         Some(Attempt(0)) => 503,
//!         _ => 200,
//!     };
//!     let response = Response::builder().status(status);
//!     Ok::<_, std::io::Error>(response.body(Empty::<&'static [u8]>::new()).unwrap())
//! }));
//! let response = service.ready().await?.call(Request::new(())).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # What is retried
//!
//! An answer that [`is_transient`], or whatever a layer was
//! [told](RetryLayer::with_classify), of a request that may be sent again: its method is idempotent
//! (RFC 9110, section 9.2.2), it carries an [`IDEMPOTENCY_KEY`], or it is marked as [`Retryable`];
//! and its body can be copied ([`RetryLayer::with_body_clone`]). A
//! [rejection](crate::Error::is_rejection) by one of our own layers is never retried: an open
//! circuit is there to keep calls away.
//!
//! # When
//!
//! After a pause of chance between nothing and a bound that doubles with each attempt (["full
//! jitter"](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)), on top of
//! what the response's `retry-after` asks for. The answer is given up to the caller as it is where
//! that would be later than [`with_max_retry_after`](ConfigBuilder::with_max_retry_after) allows or
//! than the request's [`Deadline`](crate::timeout::Deadline), and where the budget is spent. What
//! the caller gets is always the answer of the latest attempt.
//!
//! An answer that is retried is dropped before the pause, with its body unread. That frees what it
//! holds; over HTTP/1 the connection is closed with it.
//!
//! # Where it goes
//!
//! Outside the breaker and the timeout of an attempt, inside the timeout for the whole call, and
//! once on the way from the first service to the last: see the [crate](crate#). Each attempt is a
//! request of its own for what is inside, with its number as an [`Attempt`].
//!
//! # What it does not do
//!
//! It does not send attempts side by side (hedging), does not look into bodies, and does not notice
//! a body that breaks off. It does not tell a request that never left from one that was lost: an
//! unmarked `POST` is not retried even if nobody could be connected to.

mod backoff;
mod budget;
mod budget_builder;
mod builder;
mod classify;
mod config;
mod future;
mod layer;
mod ledger;
mod observer;
mod policy;
mod replay;
mod service;

pub use budget::{Budget, BudgetSnapshot};
pub use budget_builder::{
    BudgetBuilder, DEFAULT_BUDGET_WINDOW, DEFAULT_RATIO, DEFAULT_RESERVE_PER_SECOND,
};
pub use builder::ConfigBuilder;
pub use classify::{Answer, is_transient};
pub use config::{
    Config, DEFAULT_BACKOFF, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_BACKOFF, DEFAULT_MAX_RETRY_AFTER,
    MAX_ATTEMPTS,
};
pub use future::ResponseFuture;
pub use layer::RetryLayer;
pub use observer::{GaveUp, GivenUp, Observer, Reason, Retrying};
pub use replay::{Attempt, IDEMPOTENCY_KEY, Retryable};
pub use service::Retry;
