//! The limits around work that is no request: [`bartizan_protect::guard`], seen by the telemetry.
//!
//! Each call is a task, a child of the current one, and a span of kind internal; both have the name
//! that it is given. What its parts do is told as the metrics of the layers of the same names, and as
//! events of the span.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan::guard::Error;
//! use bartizan::rate_limit::{Policy, Quota};
//! use bartizan::{Guard, Telemetry, breaker, bulkhead};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::builder().build()?;
//! let quota = Quota::new(1, Duration::from_secs(1), 1)?;
//! let cards = Guard::builder("cards", &telemetry)
//!     .with_rate_limit([Policy::new("cards", quota)])?
//!     .with_bulkhead(bulkhead::Config::builder(8).build()?)
//!     .with_breaker(breaker::Config::default())
//!     .with_timeout(Duration::from_secs(2))
//!     .build()?;
//!
//! let charge = || async { Ok::<_, std::io::Error>("charged") };
//! assert_eq!(cards.run("charge card", charge()).await?, "charged");
//! let next = cards.run("charge card", charge()).await;
//! assert!(matches!(next, Err(Error::RateLimited(_))));
//! # Ok(())
//! # }
//! ```
//!
//! A handler that wants to answer as the layers do asks for [`answer`].
//!
//! A call has no more time than the request that it is made for, its time in the queue included: see
//! [`TimeoutLayer`](crate::TimeoutLayer).

mod answer;
mod builder;
#[expect(clippy::module_inception, reason = "the guard of the guard")]
mod guard;
mod run;

pub use answer::answer;
pub use bartizan_protect::guard::{ByResult, Error};
pub use builder::GuardBuilder;
pub use guard::Guard;
pub use run::Run;

use crate::breaker::BreakerObserver;
use crate::bulkhead::BulkheadObserver;
use crate::rate_limit::RateLimitObserver;

/// A guard whose parts are seen by the telemetry.
type Seen = (RateLimitObserver, BulkheadObserver, BreakerObserver);
