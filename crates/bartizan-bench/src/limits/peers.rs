use std::net::IpAddr;
use std::time::Duration;

use axum_governor::extractor::PeerIp;
use governor::clock::{MonotonicClock, QuantaInstant};
use governor::middleware::{NoOpMiddleware, RateLimitingMiddleware, StateInformationMiddleware};
use governor::state::keyed::DashMapStateStore;
use tower::limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
use tower_governor::GovernorLayer;
use tower_governor::governor::{Governor, GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::PeerIpKeyExtractor;
use tower_layer::Layer;
use tower_resilience_ratelimiter::{RateLimiter, RateLimiterLayer};

use super::addresses::Addresses;
use super::budget::Budget;
use super::upstream::{Axum, Served, upstream};
use crate::BoxError;
use crate::breakers::through::Through;
use crate::breakers::upstream::Ask;

/// The `governor` crate, by address.
#[derive(Debug)]
pub(super) struct ByGovernor {
    limiter: Keyed,
    addresses: Addresses,
}

type Keyed = governor::RateLimiter<
    IpAddr,
    DashMapStateStore<IpAddr>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// `tower_governor`, by the peer's address.
pub(super) type TowerGovernor<M> = Served<Governor<PeerIpKeyExtractor, M, Axum, axum::body::Body>>;

/// `axum-governor`, whose service has no public name.
type AxumGovernor = Served<<axum_governor::GovernorLayer<IpAddr> as Layer<Axum>>::Service>;

/// More places than there are calls.
const PLACES: usize = 1_000;

/// `governor`, by the system's clock: what it reads by default depends on the processor.
pub(super) fn by_governor(budget: Budget, addresses: Addresses) -> Result<ByGovernor, BoxError> {
    let limiter = Keyed::dashmap_with_clock(budget.governors()?, MonotonicClock);
    Ok(ByGovernor { limiter, addresses })
}

pub(super) fn tower_governor(
    budget: Budget,
    addresses: Addresses,
) -> Result<TowerGovernor<NoOpMiddleware<QuantaInstant>>, BoxError> {
    through(builder(budget).finish(), addresses)
}

/// With fields in its answers.
pub(super) fn tower_governor_fields(
    budget: Budget,
    addresses: Addresses,
) -> Result<TowerGovernor<StateInformationMiddleware>, BoxError> {
    through(builder(budget).use_headers().finish(), addresses)
}

/// `axum-governor`, by the peer's address, without the task that sweeps its keys.
pub(super) fn axum_governor(
    budget: Budget,
    addresses: Addresses,
) -> Result<AxumGovernor, BoxError> {
    let config = axum_governor::GovernorConfigBuilder::default()
        .with_extractor(PeerIp::default())
        .quota_default(budget.governors()?.into())
        .expect_connect_info()
        .gc_disable()
        .finish()?;
    let service = axum_governor::GovernorLayer::new(config).layer(upstream());
    Ok(Served { service, addresses })
}

/// `tower-resilience`, which has one budget for all.
pub(super) fn tower_resilience(
    budget: Budget,
    addresses: Addresses,
) -> Result<Served<RateLimiter<Axum>>, BoxError> {
    let layer = RateLimiterLayer::builder()
        .limit_for_period(budget.burst as usize)
        .refresh_period(budget.unit * budget.burst)
        .timeout_duration(Duration::ZERO)
        .build()?;
    let service = layer.layer(upstream());
    Ok(Served { service, addresses })
}

/// `tower`'s own bulkhead.
pub(super) fn concurrency_limit(addresses: Addresses) -> Served<ConcurrencyLimit<Axum>> {
    let service = ConcurrencyLimitLayer::new(PLACES).layer(upstream());
    Served { service, addresses }
}

fn builder(
    budget: Budget,
) -> GovernorConfigBuilder<PeerIpKeyExtractor, NoOpMiddleware<QuantaInstant>> {
    let mut builder = GovernorConfigBuilder::default();
    builder.period(budget.unit).burst_size(budget.burst);
    builder
}

fn through<M: RateLimitingMiddleware<QuantaInstant>>(
    config: Option<GovernorConfig<PeerIpKeyExtractor, M>>,
    addresses: Addresses,
) -> Result<TowerGovernor<M>, BoxError> {
    let config = config.ok_or("tower_governor takes no budget of nothing")?;
    let service = GovernorLayer::new(config).layer(upstream());
    Ok(Served { service, addresses })
}

// === impl ByGovernor ===

impl Through for ByGovernor {
    async fn call(&self, _: &Ask) -> bool {
        self.limiter.check_key(&self.addresses.next()).is_ok()
    }
}
