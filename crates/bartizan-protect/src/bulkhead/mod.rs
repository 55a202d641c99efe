//! A bulkhead: so many calls at a time, and no more than so many that wait.
//!
//! A service that is given more than it can work on gets slower for everybody, and what waits in
//! front of it without a bound takes the memory of whoever waits. A bulkhead keeps calls to a number
//! that the service is good for, lets a burst wait for a moment, and refuses the rest at once.
//!
//! ```
//! use bartizan_protect::Error;
//! use bartizan_protect::bulkhead::{BulkheadLayer, Config};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = BulkheadLayer::new("reports", Config::builder(1).without_queue().build()?);
//! let mut service = layer.layer(tower::service_fn(async |_: Request<()>| {
//!     Ok::<_, std::io::Error>(Response::new(Empty::<&'static [u8]>::new()))
//! }));
//! let first = service.ready().await?.call(Request::new(()));
//! let second = service.ready().await?.call(Request::new(()));
//! assert!(matches!(second.await, Err(Error::Saturated(_))));
//! assert!(first.await.is_ok());
//! assert_eq!(layer.handle().snapshot().rejected_full, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # How many
//!
//! A number, or an [`Adaptive`] limit that follows how long calls take. Both can be
//! [changed](Bulkhead::update) at any time.
//!
//! # Who waits
//!
//! Whoever comes while all places are taken, in the order in which they were called, for a
//! [bounded time](ConfigBuilder::with_queue_timeout). Nobody gets in before those that wait. A call
//! that waits keeps a clone of the service that has not been readied, and readies it when its turn
//! comes: nothing further in is reserved for it. A call that is dropped while it waits leaves
//! nothing behind, and a place that it was given goes to the next.
//!
//! # To where
//!
//! A call has its place until the response's head, as with `tower`, or
//! [until its end](BulkheadLayer::until_end).
//!
//! # Where it goes
//!
//! Around handlers, inside of the rate limit and outside of the timeout; or around a client, inside
//! of the retries and outside of the timeout of an attempt. With the timeout inside, calls that are
//! cut off have taken their time, which an adaptive limit goes by; one further out cuts them off
//! unheard, and also those that wait.
//!
//! # What it does not do
//!
//! It knows nothing of priorities: see [`shed`](crate::shed), outside of it. It has no task and no
//! thread: a wait ends by the timer of whoever waits. What a queue has once needed in memory, it
//! keeps.

mod acquire;
mod adaptive;
mod body;
mod builder;
#[expect(clippy::module_inception, reason = "the bulkhead of the bulkhead")]
mod bulkhead;
mod bulkhead_builder;
mod calls;
mod ceiling;
mod config;
mod future;
mod layer;
mod observer;
mod permit;
mod queue;
mod rejected;
mod served;
mod service;
mod snapshot;
mod state;

pub use acquire::Acquire;
pub use adaptive::{
    Adaptive, DEFAULT_INITIAL, DEFAULT_MAX_LIMIT, DEFAULT_MIN_LIMIT, DEFAULT_MIN_SAMPLES,
    DEFAULT_PROBE, DEFAULT_PROBE_EVERY, DEFAULT_TOLERANCE, DEFAULT_WINDOW, MAX_SAMPLES,
};
pub use body::ResponseBody;
pub use builder::ConfigBuilder;
pub use bulkhead::Bulkhead;
pub use bulkhead_builder::BulkheadBuilder;
pub use config::{Config, DEFAULT_MAX_QUEUE, DEFAULT_QUEUE_TIMEOUT, Limit, MAX_LIMIT, MAX_QUEUE};
pub use future::ResponseFuture;
pub use layer::BulkheadLayer;
pub use observer::{Cause, LimitChange, Observer, Waited};
pub use permit::Permit;
pub use rejected::{Reason, Rejected};
pub use service::BulkheadService;
pub use snapshot::Snapshot;
