//! Load shedding: when there is too much to do, what matters least is not done.
//!
//! A service that is overloaded and treats everybody alike fails everybody, the health probe that
//! has it restarted included. Here calls are refused before they wait, as many as are too many, and
//! those first that matter least.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_protect::Error;
//! use bartizan_protect::shed::{Config, Load, LoadShedLayer};
//! use http::{Request, Response};
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Usually a bulkhead further in.
//! let overloaded = || Load { saturation: 1.0, queue_wait: Duration::from_secs(1) };
//! let layer = LoadShedLayer::new("shop", Config::default(), overloaded);
//! let mut service = layer.layer(tower::service_fn(async |_: Request<()>| {
//!     Ok::<_, std::io::Error>(Response::new(()))
//! }));
//! let mut answers = Vec::new();
//! for _ in 0..10 {
//!     answers.push(service.ready().await?.call(Request::new(())).await);
//!     tokio::time::advance(Duration::from_millis(100)).await;
//! }
//! assert!(answers[0].is_ok());
//! assert!(matches!(answers[9], Err(Error::Shed(_))));
//! let probe = Request::builder().uri("/livez").body(())?;
//! assert!(service.ready().await?.call(probe).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # What is too much
//!
//! Whatever a [`LoadSource`] says, a [`Bulkhead`](crate::bulkhead::Bulkhead) for one: that calls have
//! to wait for longer than a [target](ConfigBuilder::with_target), or that more than a
//! [part](ConfigBuilder::with_saturation) of the places is taken. It counts when it was so all the
//! time over an [interval](ConfigBuilder::with_interval): bursts come and go.
//!
//! # What is shed
//!
//! While places are short, what is [sheddable](Priority::Sheddable); when calls have to wait as
//! well, the [rest](Priority::Default) after that; what is [critical](Priority::Critical), never. More
//! of it with every interval that is too much, in [steps](ConfigBuilder::with_steps), and slowly less
//! again with every calm one; in between it stays as it is.
//!
//! The priority is a [`Priority`] among the request's extensions, or what [`Priorities`] say. A
//! client's header is not looked at, since everybody is important to themselves.
//!
//! # Where it goes
//!
//! Outside of everything but the record of the request: a call that is shed should have cost nothing.
//! The bulkhead that it goes by is further in, and has its queue.
//!
//! # What it does not do
//!
//! It holds nobody up, and never takes a service inside that is not ready for one that is overloaded:
//! readiness is passed on as it is. It measures nothing while nobody calls.

mod builder;
mod config;
mod future;
mod layer;
mod load;
mod observer;
mod priority;
mod rejected;
mod service;
mod shedder;
mod shedder_builder;
mod snapshot;
mod state;

pub use builder::ConfigBuilder;
pub use config::{
    Config, DEFAULT_CALM, DEFAULT_FALL, DEFAULT_INTERVAL, DEFAULT_RISE, DEFAULT_SATURATION,
    DEFAULT_TARGET,
};
pub use future::ResponseFuture;
pub use layer::LoadShedLayer;
pub use load::{Load, LoadSource};
pub use observer::{Observer, PressureChange};
pub use priority::{HEALTH_PATHS, Priorities, Priority, is_health_probe};
pub use rejected::Rejected;
pub use service::LoadShed;
pub use shedder::Shedder;
pub use shedder_builder::ShedderBuilder;
pub use snapshot::Snapshot;
