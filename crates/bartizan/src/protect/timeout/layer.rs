use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bartizan_observe::propagation::TrustPolicy;
use bartizan_protect::{Timer, timeout};
use tower_layer::Layer;
use tower_service::Service;

use super::{InvalidTimeout, Noting, Timeout};
use crate::protect::passing::Passing;
use crate::protect::rescue::Rescue;

/// Answers 504 as [`Problem`](crate::Problem) where a service takes too long.
///
/// The service's future is dropped, and with it whatever it was awaiting; tasks that it has spawned
/// go on. Only the time to the response's head counts: a body may take as long as it likes. A caller
/// that is trusted may say in `x-request-timeout-ms` that it has less time, and the smaller wins.
///
/// What is left of it goes along: the calls that are made for the request by an
/// [outbound stack](crate::outbound) have no more time than the request, and tell the next service
/// so.
///
/// Put it inside of the request layer, whose task carries the deadline.
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use bartizan::{Telemetry, TimeoutLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(TimeoutLayer::new(Duration::from_secs(10))?)
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TimeoutLayer {
    layer: timeout::TimeoutLayer,
    callers: TrustPolicy,
    timer: Timer,
}

// === impl TimeoutLayer ===

impl TimeoutLayer {
    /// The service has `timeout` to answer. No caller is believed to have less.
    ///
    /// # Errors
    ///
    /// When it is shorter than a millisecond or longer than a day.
    pub fn new(timeout: Duration) -> Result<Self, InvalidTimeout> {
        let layer = timeout::TimeoutLayer::new(timeout)?;
        Ok(Self {
            // Handlers get the deadline as an extension, not as a header of the client's.
            layer: layer.without_propagation(),
            callers: TrustPolicy::none(),
            timer: Timer::default(),
        })
    }

    /// Which callers are believed that they have less time. Default: none.
    #[must_use]
    pub fn with_deadlines_of(mut self, callers: TrustPolicy) -> Self {
        self.callers = callers;
        self
    }

    /// Where the time is read and waited for. Default: tokio's clock.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.layer = self.layer.with_timer(timer.clone());
        self.timer = timer;
        self
    }
}

impl<S: Service<Request<Body>>> Layer<S> for TimeoutLayer {
    type Service = Timeout<S, S::Error>;

    fn layer(&self, inner: S) -> Self::Service {
        let inner = self.layer.layer(Passing(Noting(inner)));
        Timeout::new(Rescue::new(inner), self.callers.clone(), self.timer.clone())
    }
}
