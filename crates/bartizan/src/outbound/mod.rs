//! What stands between a service and another one that it calls: time, retries, a circuit breaker.
//!
//! An [`Outbound`] is one upstream's: its layers, from the outside in, are a timeout for the whole
//! call, retries within a budget, a circuit breaker, a timeout for each attempt, and a client span
//! for each attempt. A call has no more time than the request that it is made for, and tells the
//! upstream so. Why a request took three attempts can be read in its trace: the spans are beside
//! each other, and the events of the span around them say what was decided between them.
//!
//! ```
//! use bartizan::Telemetry;
//! use bartizan::outbound::Outbound;
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, Service, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::builder().build()?;
//! let payments = Outbound::builder("payments", &telemetry).build()?;
//!
//! // In earnest: hyper_util::client::legacy::Client.
//! let client = tower::service_fn(async |request: Request<Empty<&'static [u8]>>| {
//!     assert!(request.headers().contains_key("x-request-timeout-ms"));
//!     Ok::<_, std::io::Error>(Response::new(Empty::<&'static [u8]>::new()))
//! });
//! let mut client = payments.layer().layer(client);
//! let request = Request::get("http://payments.internal/").body(Empty::new())?;
//! let response = client.ready().await?.call(request).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(payments.breaker().snapshot().calls, 1);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `reqwest`, `Outbound::reqwest` gives a client with the same around it.

mod builder;
mod layer;
mod observer;
mod policy;
#[cfg(feature = "reqwest")]
mod reqwest;
mod resend;

use std::fmt;
use std::sync::Arc;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::breaker::CircuitBreakerLayer;
use bartizan_protect::retry::{self, Budget, RetryLayer};
use bartizan_protect::timeout::TimeoutLayer;

use crate::breaker::{Breaker, BreakerObserver, Keys};
use crate::timeout::InvalidTimeout;
use observer::RetryObserver;

pub use bartizan_protect::retry::{
    Attempt, BudgetSnapshot, Config as RetryConfig, IDEMPOTENCY_KEY, Retryable,
};
pub use bartizan_protect::{Error, Rejection};
pub use builder::{DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_TIMEOUT, OutboundBuilder};
pub use layer::OutboundLayer;
pub use policy::{Policy, PolicyLayer};
#[cfg(feature = "reqwest")]
pub use reqwest::{OutboundMiddleware, find_in_reqwest};
pub use resend::{Resend, ResendLayer};

/// The way to one upstream. Clones are the same: they share the circuit and the budget.
#[derive(Clone)]
pub struct Outbound {
    total: TimeoutLayer,
    attempt: TimeoutLayer,
    retry: retry::Config,
    budget: Budget,
    breaker: Breaker<BreakerObserver>,
    keys: Keys,
    observer: Arc<RetryObserver>,
    telemetry: Telemetry,
}

/// A timeout that an upstream cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("upstream {upstream}: {what}: {source}")]
pub struct InvalidOutbound {
    upstream: String,
    what: &'static str,
    source: InvalidTimeout,
}

// === impl Outbound ===

impl Outbound {
    /// Starts from the defaults, for the upstream that is called `name` in all that is said of it.
    pub fn builder(name: &str, telemetry: &Telemetry) -> OutboundBuilder {
        OutboundBuilder::new(name, telemetry)
    }

    /// The layer for a tower client, with a client span for each attempt, of requests whose bodies
    /// are plain values.
    #[must_use]
    pub fn layer<B: Clone>(&self) -> OutboundLayer<B> {
        self.layer_with_body_clone(|body| Some(body.clone()))
    }

    /// The same for bodies that may have a copy, or none: those that have none are sent once.
    #[must_use]
    pub fn layer_with_body_clone<B>(&self, clone_body: fn(&B) -> Option<B>) -> OutboundLayer<B> {
        OutboundLayer::new(self.policy(clone_body), &self.telemetry)
    }

    /// The circuit breaker, to look at and to operate.
    #[must_use]
    pub const fn breaker(&self) -> &Breaker<BreakerObserver> {
        &self.breaker
    }

    /// The budget of retries, to look at and to share.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    fn policy<B>(&self, clone_body: fn(&B) -> Option<B>) -> PolicyLayer<B> {
        PolicyLayer {
            total: self.total.clone(),
            retry: RetryLayer::with_body_clone(self.retry.clone(), clone_body)
                .with_budget(self.budget.clone())
                .with_observer(Arc::clone(&self.observer)),
            breaker: CircuitBreakerLayer::of(self.breaker.clone()).with_keys(self.keys.clone()),
            attempt: self.attempt.clone(),
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("breaker", &self.breaker)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
