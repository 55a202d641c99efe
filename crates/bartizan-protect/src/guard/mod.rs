//! The limits around any future, without HTTP: a queue's consumer, a batch job, a database call.
//!
//! Whoever puts permits together by hand has to give all of them back, in the right order, at every
//! `await`, and has to tell the breaker exactly once. Here it is done once, for a rate limiter, a
//! bulkhead, a breaker and a timeout, each of which may be left out and each of which others may go
//! through as well, such as a layer.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_protect::breaker::{self, Breaker};
//! use bartizan_protect::bulkhead::{self, Bulkhead};
//! use bartizan_protect::guard::{Error, Guard};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = breaker::Config::builder().with_consecutive_failures(1).build()?;
//! let cards = Guard::builder()
//!     .with_bulkhead(Bulkhead::new("cards", bulkhead::Config::builder(8).build()?))
//!     .with_breaker(Breaker::new("cards", config))
//!     .with_timeout(Duration::from_millis(250))
//!     .build()?;
//!
//! let receipt = cards.run(async { Ok::<_, std::io::Error>("charged") }).await?;
//! assert_eq!(receipt, "charged");
//!
//! let slow = cards.run(std::future::pending::<Result<(), std::io::Error>>()).await;
//! assert!(matches!(slow, Err(Error::TimedOut(_))));
//! let next = cards.run(async { Ok::<_, std::io::Error>("charged") }).await;
//! assert!(matches!(next, Err(Error::CircuitOpen(_))));
//! # Ok(())
//! # }
//! ```
//!
//! # In what order
//!
//! From the outside in: rate limit, bulkhead, breaker, timeout. What is refused further in gives back
//! what it was charged and its place, since nothing was done. A call that waits in the bulkhead's
//! queue holds no probe of the breaker's, and its timeout has not begun. All of it happens when the
//! future is polled first, not when it is made.
//!
//! # What is a failure
//!
//! `Err` is, and so are a panic and a [timeout](GuardBuilder::with_timeout); see
//! [`Run::with_classify`] for something else. A rejection by a layer of this crate is not, nor is a
//! call that was cut off by its caller's [deadline](Run::with_deadline): that may have been too short
//! for anybody.
//!
//! # Cancel safety
//!
//! A [`Run`] can be dropped at any time. While it waits, it leaves nothing: its place in the queue is
//! gone, and what it was charged is given back. Afterwards the work is dropped, the breaker counts it
//! as its [`CancelPolicy`](crate::breaker::CancelPolicy) says, and its place goes to the next; the
//! charge stays.
//!
//! # What it does not do
//!
//! It retries nothing, and spawns nothing: who drops the [`Run`] stops the work. Its breaker has one
//! circuit; what fails on its own needs a guard of its own.

mod builder;
mod entry;
mod error;
#[expect(clippy::module_inception, reason = "the guard of the guard")]
mod guard;
mod observers;
mod run;

pub use builder::GuardBuilder;
pub use error::Error;
pub use guard::Guard;
pub use observers::Observers;
pub use run::{ByResult, Run};
