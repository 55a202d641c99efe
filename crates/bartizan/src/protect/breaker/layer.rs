use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::breaker::{
    Breaker, BreakerBuilder, Config, HttpClassifier, Keys, Overflow, Rejected,
};
use tower_layer::Layer;

use super::{BreakerObserver, CircuitBreaker};

/// A circuit breaker around a router, a route or a client, which answers in the service's place
/// while it is open.
///
/// What it answers is a [`Problem`](crate::Problem): 503 with `retry-after` and the trace's id,
/// marked as a [rejection](bartizan_protect::Rejection), so that a breaker further out does not count
/// it. Errors of the service pass unchanged, which an axum `Router` needs. What the breaker does is
/// told as metrics, events of the current span, and log lines.
///
/// Put it inside of the request layer, so that what it rejects has a trace and a line. For a single
/// route use `Router::route_layer` or `MethodRouter::layer`. The breaker is made with the layer: all
/// routes and connections share it.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::breaker::Config;
/// use bartizan::{CircuitBreakerLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let breaker = CircuitBreakerLayer::new("reports", Config::default(), &telemetry);
/// let handle = breaker.handle().clone();
/// let app: Router = Router::new()
///     .route("/report", get(|| async { "a report" }).layer(breaker))
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// assert_eq!(handle.snapshot().rejected, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreakerLayer<C = HttpClassifier> {
    pub(super) breaker: Breaker<BreakerObserver>,
    pub(super) classifier: C,
    pub(super) keys: Keys,
    pub(super) fallback: Option<Arc<Fallback>>,
}

pub(super) type Fallback = dyn Fn(Rejected) -> Answer + Send + Sync;

/// What a fallback does.
pub(super) type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

// === impl CircuitBreakerLayer ===

impl CircuitBreakerLayer {
    /// One circuit for all requests, which is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config, telemetry: &Telemetry) -> Self {
        Self::of(
            BreakerBuilder::new(name, config)
                .with_observer(BreakerObserver::new(telemetry.meter()))
                .build(),
        )
    }

    /// A circuit for each key, up to `max` of them; see [`Keys`]. What further keys do, `overflow`
    /// says.
    #[must_use]
    pub fn keyed(
        name: &str,
        config: Config,
        telemetry: &Telemetry,
        keys: Keys,
        max: usize,
        overflow: Overflow,
    ) -> Self {
        let breaker = BreakerBuilder::new(name, config)
            .with_observer(BreakerObserver::new(telemetry.meter()))
            .with_max_keys(max)
            .with_overflow(overflow)
            .build();
        Self {
            keys,
            ..Self::of(breaker)
        }
    }

    /// Around a breaker that others go through as well.
    #[must_use]
    pub fn of(breaker: Breaker<BreakerObserver>) -> Self {
        Self {
            breaker,
            classifier: HttpClassifier::default(),
            keys: Keys::none(),
            fallback: None,
        }
    }
}

impl<C> CircuitBreakerLayer<C> {
    /// What counts as a failure. Default: [`HttpClassifier`].
    #[must_use]
    pub fn with_classifier<D>(self, classifier: D) -> CircuitBreakerLayer<D> {
        CircuitBreakerLayer {
            breaker: self.breaker,
            classifier,
            keys: self.keys,
            fallback: self.fallback,
        }
    }

    /// Which circuit a request goes through. Default: one for all.
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// What is answered instead of the problem while the circuit does not let calls through, such as
    /// something from a cache. It is marked as a rejection, too.
    #[must_use]
    pub fn with_fallback<F>(
        mut self,
        fallback: impl Fn(Rejected) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        self.fallback = Some(Arc::new(move |rejected| Box::pin(fallback(rejected))));
        self
    }

    /// The breaker, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Breaker<BreakerObserver> {
        &self.breaker
    }
}

impl<S, C: Clone> Layer<S> for CircuitBreakerLayer<C> {
    type Service = CircuitBreaker<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker::new(inner, self.clone())
    }
}

impl<C: fmt::Debug> fmt::Debug for CircuitBreakerLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer")
            .field("breaker", &self.breaker)
            .field("classifier", &self.classifier)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
