use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::InvalidConfig;
use bartizan_protect::rate_limit::{self, Answers, Policy, RateLimit, RateLimiter};
use tower_layer::Layer;
use tower_service::Service;

use super::RateLimitObserver;
use crate::layers::peer;
use crate::protect::rescue::{Passing, Rescue};

/// Answers 429 as [`Problem`](crate::Problem) where a request is over a quota.
///
/// The problem's type is `quota-exceeded`, its member `violated-policies` names the policies, and
/// the answer has `retry-after`, `ratelimit-policy` and `ratelimit`
/// (draft-ietf-httpapi-ratelimit-headers-10), the last two on every answer. What is decided is told
/// as metrics and, for rejections, as events of the current span.
///
/// The peer is found as everywhere in this crate: [`PeerAddr`](crate::PeerAddr), else axum's
/// `ConnectInfo`. Put it inside of the request layer, so that what it rejects has a trace and a
/// line. All routes and connections share the limiter.
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use bartizan::rate_limit::{Keys, Policy, Quota};
/// use bartizan::{RateLimitLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let quota = Quota::new(100, Duration::from_secs(1), 200)?;
/// let per_client = Policy::new("client", quota).with_keys(Keys::peer());
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(RateLimitLayer::new([per_client], &telemetry)?)
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitLayer {
    layer: rate_limit::RateLimitLayer<RateLimitObserver>,
}

// === impl RateLimitLayer ===

impl RateLimitLayer {
    /// A limiter of these policies, all of which a request has to pass.
    ///
    /// # Errors
    ///
    /// When there is no policy or too many, or one of them cannot be.
    pub fn new(
        policies: impl IntoIterator<Item = Policy>,
        telemetry: &Telemetry,
    ) -> Result<Self, InvalidConfig> {
        let builder = RateLimiter::builder()
            .with_observer(RateLimitObserver::new(telemetry.meter()))
            .with_peer(address);
        let policies = policies.into_iter();
        let limiter = policies.fold(builder, |builder, policy| builder.with_policy(policy));
        Ok(Self::of(limiter.build()?))
    }

    /// By a limiter that others ask as well.
    #[must_use]
    pub const fn of(limiter: RateLimiter<RateLimitObserver>) -> Self {
        Self {
            layer: rate_limit::RateLimitLayer::new(limiter),
        }
    }

    /// Which answers say what is left. Default: all.
    #[must_use]
    pub fn with_answers(mut self, answers: Answers) -> Self {
        self.layer = self.layer.with_answers(answers);
        self
    }

    /// Gives handlers the charge of each request, as a `rate_limit::Charged` in the extensions, to
    /// correct it when it is known what the request has cost. Default: what was charged stays.
    #[must_use]
    pub fn with_charges(mut self) -> Self {
        self.layer = self.layer.with_charges();
        self
    }

    /// The limiter, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &RateLimiter<RateLimitObserver> {
        self.layer.handle()
    }
}

impl<S: Service<Request<Body>>> Layer<S> for RateLimitLayer {
    type Service = Rescue<RateLimit<Passing<S>, RateLimitObserver>, S::Error>;

    fn layer(&self, inner: S) -> Self::Service {
        Rescue::new(self.layer.layer(Passing(inner)))
    }
}

pub(crate) fn address(parts: &Parts) -> Option<IpAddr> {
    peer(&parts.extensions).as_ref().map(SocketAddr::ip)
}
