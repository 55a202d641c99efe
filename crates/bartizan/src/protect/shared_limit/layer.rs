use std::fmt;

use axum::body::Body;
use axum::http::Request;
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::InvalidConfig;
use bartizan_protect::shared_limit::{
    self, SharedLimit, SharedLimiter, SharedLimiterBuilder, Store,
};
use tower_layer::Layer;
use tower_service::Service;

use super::SharedLimitObserver;
use crate::protect::rescue::{Passing, Rescue};
use crate::rate_limit::{Answers, Policy, address};

/// Answers 429 as [`Problem`](crate::Problem) where a request is over a quota that replicas share.
///
/// It says what [`RateLimitLayer`](crate::RateLimitLayer) says, of the budget that all replicas
/// together have, as far as this one knows. Where the [store is down](shared_limit::StoreDown) and
/// nobody passes then, it answers 503. What is decided is told as metrics and, for rejections, as
/// events of the current span; that the store is lost or back, in a line of the log.
///
/// The peer is found as everywhere in this crate, and the limiter is shared by all routes and
/// connections. Put it inside of the request layer, so that what it rejects has a trace and a line.
/// A local limit of the same keys further out must not speak of its own budget as well:
/// [`Answers::None`].
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use bartizan::rate_limit::{Keys, Policy, Quota};
/// use bartizan::shared_limit::MemoryStore;
/// use bartizan::{SharedLimitLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let quota = Quota::new(100, Duration::from_secs(1), 200)?;
/// let per_client = Policy::new("client", quota).with_keys(Keys::peer());
/// // `RedisStore::open("redis://127.0.0.1/")?`, in earnest.
/// let store = MemoryStore::default();
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(SharedLimitLayer::new([per_client], store, &telemetry)?)
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
pub struct SharedLimitLayer<St> {
    layer: shared_limit::SharedLimitLayer<St, SharedLimitObserver>,
}

// === impl SharedLimitLayer ===

impl<St: Store> SharedLimitLayer<St> {
    /// A limiter of these policies, all of which a request has to pass.
    ///
    /// # Errors
    ///
    /// When there is no policy or too many, or one of them cannot be.
    pub fn new(
        policies: impl IntoIterator<Item = Policy>,
        store: St,
        telemetry: &Telemetry,
    ) -> Result<Self, InvalidConfig> {
        let builder = Self::builder(store, telemetry);
        let policies = policies.into_iter();
        let limiter = policies.fold(builder, |builder, policy| builder.with_policy(policy));
        Ok(Self::of(limiter.build()?))
    }

    /// A limiter that is seen and knows the peer, without policies yet: for one with settings of its
    /// own, which goes [into a layer](Self::of).
    pub fn builder(
        store: St,
        telemetry: &Telemetry,
    ) -> SharedLimiterBuilder<St, SharedLimitObserver> {
        SharedLimiter::builder(store)
            .with_observer(SharedLimitObserver::new(telemetry.meter()))
            .with_peer(address)
    }

    /// By a limiter that others ask as well.
    #[must_use]
    pub const fn of(limiter: SharedLimiter<St, SharedLimitObserver>) -> Self {
        Self {
            layer: shared_limit::SharedLimitLayer::of(limiter),
        }
    }

    /// Which answers say what is left. Default: all.
    #[must_use]
    pub fn with_answers(mut self, answers: Answers) -> Self {
        self.layer = self.layer.with_answers(answers);
        self
    }

    /// Gives handlers the charge of each request, as a `shared_limit::Charged` in the extensions, to
    /// correct it when it is known what the request has cost. Default: what was charged stays.
    #[must_use]
    pub fn with_charges(mut self) -> Self {
        self.layer = self.layer.with_charges();
        self
    }

    /// The limiter, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &SharedLimiter<St, SharedLimitObserver> {
        self.layer.handle()
    }
}

impl<S: Service<Request<Body>>, St: Store> Layer<S> for SharedLimitLayer<St> {
    type Service = Rescue<SharedLimit<Passing<S>, St, SharedLimitObserver>, S::Error>;

    fn layer(&self, inner: S) -> Self::Service {
        Rescue::new(self.layer.layer(Passing(inner)))
    }
}

impl<St> Clone for SharedLimitLayer<St> {
    fn clone(&self) -> Self {
        Self {
            layer: self.layer.clone(),
        }
    }
}

impl<St> fmt::Debug for SharedLimitLayer<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimitLayer")
            .field("layer", &self.layer)
            .finish()
    }
}
