//! A rate limiter: keeps what one client, tenant or route asks for within a quota.
//!
//! A service has a capacity, and whoever asks for all of it takes it from everybody else. A limiter
//! says no to that one early, cheaply, and with the time at which asking again is worth it.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_protect::Error;
//! use bartizan_protect::rate_limit::{Keys, Policy, Quota, RateLimitLayer, RateLimiter};
//! use http::{HeaderName, Request, Response};
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let second = Duration::from_secs(1);
//! let tenant = Keys::api_key(HeaderName::from_static("x-api-key"));
//! let limiter = RateLimiter::builder()
//!     .with_policy(Policy::new("tenant", Quota::new(1, second, 2)?).with_keys(tenant))
//!     .with_policy(Policy::new("all", Quota::new(1_000, second, 100)?))
//!     .build()?;
//! let mut service = RateLimitLayer::new(limiter).layer(tower::service_fn(
//!     async |_: Request<()>| Ok::<_, std::io::Error>(Response::new(())),
//! ));
//! let request = |key| Request::builder().header("x-api-key", key).body(());
//! for _ in 0..2 {
//!     let response = service.ready().await?.call(request("one")?).await?;
//!     assert!(response.headers().contains_key("ratelimit"));
//! }
//! let Err(Error::RateLimited(rejected)) = service.ready().await?.call(request("one")?).await else {
//!     panic!("it was not limited");
//! };
//! assert!(rejected.retry_after() <= Some(second));
//! service.ready().await?.call(request("another")?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it is made of
//!
//! Each decision is [governor](https://docs.rs/governor)'s, by the generic cell rate algorithm: all
//! that is kept of a key is the time at which its budget is full again. Those times are in a table
//! of fixed size, made once, with one place to look for a key and nothing to sweep. A request is
//! decided by all policies at once: it is charged to all, or, if one of them rejects it, to none.
//! A rejection writes nothing, so that knocking harder does not keep the door shut.
//!
//! # Where it goes
//!
//! Outside of whatever costs much, such as the handlers and what they call, and inside of whatever
//! finds out who is calling. See the [crate](crate#) for the layers of outgoing calls, where a
//! limiter goes inside the retries: each attempt counts for the far side.
//!
//! # What it does not do
//!
//! It keeps no request waiting, and shares nothing with other processes: behind three replicas a
//! client has three budgets. A request that it rejects has readied the inner service and does not
//! call it.

mod builder;
mod charged;
mod core;
mod counts;
mod decision;
mod fields;
mod future;
pub(crate) mod gcra;
mod keys;
mod layer;
mod limit;
mod limiter;
mod missing;
mod mode;
mod names;
mod observer;
mod overflow;
mod policy;
mod quota;
mod rejected;
mod reservation;
mod secret;
mod service;
mod snapshot;
mod table;

use crate::invalid::Checks;

pub use builder::{MAX_POLICIES, RateLimiterBuilder};
pub use charged::Charged;
pub use counts::Counts;
pub use decision::{Decision, Decisions, Outcome, Refusal};
pub use fields::{Answers, Fields, RATE_LIMIT, RATE_LIMIT_POLICY};
pub use future::ResponseFuture;
pub use keys::{Keys, Proxies, Trusted};
pub use layer::RateLimitLayer;
pub use limiter::{RateLimiter, UnknownPolicy};
pub use missing::MissingKey;
pub use mode::Mode;
pub use observer::Observer;
pub use overflow::Overflow;
pub use policy::{DEFAULT_CAPACITY, MAX_CAPACITY, Policy};
pub use quota::{MAX_REFILL, Quota};
pub use rejected::Rejected;
pub use reservation::Reservation;
pub use service::RateLimit;
pub use snapshot::{KeyHash, Snapshot, Usage};

pub(crate) use self::core::Subject;
pub(crate) use builder::check;
pub(crate) use fields::{Said, string};
pub(crate) use keys::{Head, hash_peer, hash_text};
pub(crate) use layer::Charges;
pub(crate) use mode::ModeCell;

const CHECKS: Checks = Checks("rate limit");
