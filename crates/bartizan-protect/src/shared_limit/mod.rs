//! A rate limit that replicas share: behind three of them, a client has one budget and not three.
//!
//! A local [rate limit](crate::rate_limit) decides in nanoseconds, and knows nothing of other
//! processes. What they share is in a store, such as Redis, and costs a round trip and an
//! outage of its own. Asking it for each request makes it the bottleneck of all, and waiting for it
//! makes it everybody's single point of failure. So it is asked ahead, briefly, and not insisted on.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_protect::Error;
//! use bartizan_protect::rate_limit::{Keys, Policy, Quota};
//! use bartizan_protect::shared_limit::{MemoryStore, SharedLimitLayer};
//! use http::{HeaderName, Request, Response};
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Keys::api_key(HeaderName::from_static("x-api-key"));
//! let tenant = Policy::new("tenant", Quota::new(1, Duration::from_secs(1), 2)?).with_keys(keys);
//! let all = Policy::new("all", Quota::new(1_000, Duration::from_secs(1), 100)?);
//! // `RedisStore::open("redis://127.0.0.1/")?`, in earnest.
//! let store = MemoryStore::default();
//! let replica = || SharedLimitLayer::new([tenant.clone(), all.clone()], store.clone());
//! for (replica, passes) in [(replica()?, true), (replica()?, true), (replica()?, false)] {
//!     let mut service = replica.layer(tower::service_fn(async |_: Request<()>| {
//!         Ok::<_, std::io::Error>(Response::new(()))
//!     }));
//!     let request = Request::builder().header("x-api-key", "acme").body(())?;
//!     match service.ready().await?.call(request).await {
//!         Ok(_) => assert!(passes),
//!         Err(Error::SharedLimit(rejected)) => {
//!             assert!(!passes && rejected.retry_after() <= Some(Duration::from_secs(1)));
//!         }
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It takes the same [policies](crate::rate_limit::Policy) as the local limiter, and decides as that
//! one does: a request is charged to all of them, or, if one rejects it, to none; what answers say in
//! their heads, modes, costs, other quotas for some, and charges that are settled later are the same.
//!
//! # How much passes
//!
//! A busy key takes several units at once, a *lease*, and uses them without a round trip: one at
//! first, then twice as many each time, up to a [share](SharedLimiterBuilder::with_lease_share) of
//! the burst. One request asks the store for a key at a time, and the others wait for its answer; the
//! next one asks for all of them. A refusal holds for as long as the store has said, without asking
//! again: at its limit, a key costs one question in the time of each unit, however often it comes.
//!
//! What is leased is charged when it is taken. In any span of time, all replicas together take no
//! more than the burst, what the rate gives in that span, and one
//! [lease](SharedLimiter::lease) for each replica, or the cost of one request, or of those that wait
//! for one answer, where that is more: units that were taken of the store before the span and used in
//! it. What is not used within the [lease's time](SharedLimiterBuilder::with_lease_time) is lost, so
//! that replicas may let through less than the quota, where a key comes seldom to each of many.
//!
//! What a request has taken and may not keep goes back to the lease, not to the store: because
//! another policy has rejected it, or it was dropped while it waited. As much is given back as a
//! lease, or one request, may have; what is beyond that, of many at once, is lost. So is what the
//! store gives a request that has gone.
//!
//! That holds while the store is there and keeps what it is told. A server that starts without its
//! data gives each key one burst anew. So does a quota that is
//! [changed](SharedLimiter::set_quota): a budget of another quota is another one.
//!
//! # When the store is down
//!
//! A round trip has a [deadline](SharedLimiterBuilder::with_deadline) of a few milliseconds, and a
//! [breaker](crate::breaker) spares requests that, too, when the store keeps failing. What is not
//! decided by it then, [`StoreDown`] decides. An answer that makes no sense is such a failure, and so
//! is an error of any kind: a request is never answered by it.
//!
//! # Where it goes
//!
//! In the place of a local limit of the same keys: what it has refused, it refuses again without
//! asking, so that one in front would spare nothing. Outside of whatever costs much. See the
//! [crate](crate#) for the other layers.
//!
//! # What it does not do
//!
//! It keeps no request waiting for its budget. What answers say is left is what this replica knows:
//! what the store has said last, what time has given back since, and the lease; others may have used
//! some of it. A [debt](Reservation::settle) is this replica's until the store is asked next. Stores
//! of several data centres are several stores.

mod all;
mod builder;
mod charge;
mod charged;
mod clock;
mod counts;
mod decision;
mod fields;
mod future;
mod gcra;
mod hash;
mod layer;
mod lease;
mod leases;
mod limit;
mod limiter;
mod memory;
mod observer;
#[cfg(feature = "redis")]
mod redis;
mod refill;
mod rejected;
mod reservation;
mod service;
mod shared;
mod store;
mod store_down;
mod trip;
mod waiting;

use crate::invalid::Checks;

pub use builder::{
    DEFAULT_CAPACITY, DEFAULT_DEADLINE, DEFAULT_LEASE_SHARE, MAX_CAPACITY, SharedLimiterBuilder,
};
pub use charged::Charged;
pub use counts::Counts;
pub use decision::{Decision, Decisions};
pub use future::ResponseFuture;
pub use layer::SharedLimitLayer;
pub use limiter::SharedLimiter;
pub use memory::MemoryStore;
pub use observer::{By, Observer, StoreFailure};
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use rejected::{Refusal, Rejected};
pub use reservation::Reservation;
pub use service::SharedLimit;
pub use store::{Ask, Grant, Store, StoreKey};
pub use store_down::StoreDown;

const CHECKS: Checks = Checks("shared limit");
