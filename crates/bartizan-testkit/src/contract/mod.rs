//! What every tower layer around HTTP must get right, as functions a layer's tests call.
//!
//! ```
//! use bartizan_testkit::contract;
//! use tower::util::MapRequestLayer;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let layer = MapRequestLayer::new(|request: contract::Request| request);
//! contract::calls_the_readied_instance(&layer).await;
//! contract::passes_errors_unchanged(&layer).await;
//! contract::dropped_while_pending_releases(&layer, || 0).await;
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The layer is put around [`Inner`], a `tower_test` mock that knows whether an instance was
//! readied and which of its futures are still alive. Everything is driven by hand, poll by poll:
//! nothing waits for time, and a layer that hands requests to a task of its own, as a buffer does,
//! is outside the suite.
//!
//! A *probe* reads one number of the layer's shared state, such as requests in flight or requests
//! counted, usually from a handle; `|| 0` for a layer that keeps none.

mod drive;
mod inner;
mod passing;
mod readiness;
mod release;
mod sharing;
#[cfg(test)]
mod tests;

use axum::{BoxError, body::Body};
use tower_service::Service;

pub use inner::{Inner, InnerFuture};
pub use passing::{passes_errors_unchanged, passes_pending_and_registers_waker};
pub use readiness::{calls_the_readied_instance, clones_start_unreadied};
pub use release::{dropped_before_first_poll_releases, dropped_while_pending_releases};
pub use sharing::shares_state_across_layer_calls;

/// The requests of the suite.
pub type Request = http::Request<Body>;

/// The responses of [`Inner`].
pub type Response = http::Response<Body>;

/// A service a layer makes of [`Inner`]. Implemented for every such service; not to be implemented.
pub trait HttpService:
    Service<Request, Response = http::Response<Self::Body>, Error: Into<BoxError>> + Clone
{
    /// The body of its responses.
    type Body;
}

impl<S, B> HttpService for S
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Body = B;
}
