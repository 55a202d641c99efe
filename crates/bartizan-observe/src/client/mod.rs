//! A client span, trace propagation and metrics for each attempt of an HTTP client.
//!
//! [`ClientLayer`] wraps any tower service that sends [`http::Request`]s, such as hyper-util's
//! client; with the feature `reqwest`, the module `client::reqwest` does the same for `reqwest`.
//! The span lasts until the response's body has been read, because a server that answers at once
//! and then sends for a minute is a slow one. The `tracing` bridge was no choice here: it ends a
//! span at its last poll and costs several times as much.
//!
//! | what happened | span status | `error.type` | `bartizan.outcome` |
//! |---|---|---|---|
//! | body read, status below 400 | unset | | `completed` |
//! | body read, status 400 or above | error | the status | `completed` |
//! | no response: the service failed | error | `connect`, `timeout`, ..., `_OTHER` | `error` |
//! | no response: the caller dropped the call | unset | | `cancelled` |
//! | the body failed | error | as above | `body_error` |
//! | the caller dropped the body | as by the status | as by the status | `body_dropped` |
//! | a panic while polling | error | `panic` | `panicked` |
//! | 101, at the headers | unset | | `upgraded` |
//! | `text/event-stream`, at the headers | as by the status | as by the status | `streaming` |
//!
//! ```
//! use bartizan_observe::client::ClientLayer;
//! use bartizan_observe::telemetry::Telemetry;
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::builder().build()?;
//! let layer = ClientLayer::new(&telemetry);
//!
//! // In earnest: hyper_util::client::legacy::Client.
//! let client = tower::service_fn(|request: Request<Empty<&'static [u8]>>| async move {
//!     assert!(request.headers().contains_key("traceparent"));
//!     Ok::<_, std::io::Error>(Response::new(Empty::<&'static [u8]>::new()))
//! });
//! let response = layer
//!     .layer(client)
//!     .oneshot(Request::get("http://stock.internal/items").body(Empty::new())?)
//!     .await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! Put it innermost, next to the client: what retries, times out or breaks the circuit belongs
//! outside, so that each attempt is its own span.
//!
//! It retries nothing itself, follows no redirects, and records neither headers nor bodies.

mod attempt;
mod body;
mod error_type;
mod future;
mod layer;
mod metrics;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod service;
mod target;
#[cfg(test)]
mod tests;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::ClientLayer;
pub use metrics::DEFAULT_MAX_SERIES;
pub use service::{Client, ResendCount};
