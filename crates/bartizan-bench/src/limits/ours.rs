use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::ConnectInfo;
use bartizan_protect::bulkhead::{Bulkhead, BulkheadLayer, BulkheadService, Config};
use bartizan_protect::rate_limit::{
    Answers, DEFAULT_CAPACITY, Decisions, Keys, Policy, RateLimit, RateLimitLayer, RateLimiter,
    RateLimiterBuilder,
};
use bartizan_protect::shared_limit::{MemoryStore, SharedLimit, SharedLimitLayer, SharedLimiter};
use http::request::Parts;
use tower_layer::Layer;

use super::addresses::Addresses;
use super::budget::Budget;
use super::upstream::{Axum, Served, upstream};
use crate::BoxError;
use crate::breakers::through::Through;
use crate::breakers::upstream::Ask;
use crate::measure::now;

/// What is not tower: a decision about a request's head.
#[derive(Debug)]
pub(super) struct Raw {
    limiter: RateLimiter,
    head: Parts,
}

/// What is neither HTTP nor tower: a permit, and its end.
#[derive(Debug)]
pub(super) struct Permits(Bulkhead);

const NAME: &str = "client";

/// More places than there are calls.
const PLACES: usize = 1_000;

/// Told when a request has come, as by a layer further out.
pub(super) fn raw(budget: Budget, addresses: Addresses, keys: usize) -> Result<Raw, BoxError> {
    // Not before the limiter is made, which no request is.
    let arrival = now() + Duration::from_secs(1);
    let builder = by_address(budget, addresses, keys)?.with_arrival(move |_| Some(arrival));
    decided_by(builder)
}

/// Reads the clock itself.
pub(super) fn raw_clock(
    budget: Budget,
    addresses: Addresses,
    keys: usize,
) -> Result<Raw, BoxError> {
    decided_by(by_address(budget, addresses, keys)?)
}

pub(super) fn layered(
    budget: Budget,
    addresses: Addresses,
    answers: Answers,
) -> Result<Served<RateLimit<Axum>>, BoxError> {
    let limiter = builder(budget, DEFAULT_CAPACITY)?.with_peer(peer).build()?;
    let layer = RateLimitLayer::new(limiter).with_answers(answers);
    let service = layer.layer(upstream());
    Ok(Served { service, addresses })
}

/// With a store in memory, which is seldom asked: what is left is what a request takes of a lease.
pub(super) fn shared(
    budget: Budget,
    addresses: Addresses,
    answers: Answers,
) -> Result<Served<SharedLimit<Axum, MemoryStore>>, BoxError> {
    let limiter = SharedLimiter::builder(MemoryStore::default())
        .with_policy(policy(budget)?)
        .with_peer(peer)
        .build()?;
    let layer = SharedLimitLayer::of(limiter).with_answers(answers);
    let service = layer.layer(upstream());
    Ok(Served { service, addresses })
}

pub(super) fn permits() -> Result<Permits, BoxError> {
    Ok(Permits(Bulkhead::new(
        NAME,
        Config::builder(PLACES).build()?,
    )))
}

pub(super) fn bulkhead(addresses: Addresses) -> Result<Served<BulkheadService<Axum>>, BoxError> {
    let layer = BulkheadLayer::new(NAME, Config::builder(PLACES).build()?);
    let service = layer.layer(upstream());
    Ok(Served { service, addresses })
}

/// The peer is made up where it is asked for, so that a head serves for all of them.
fn by_address(
    budget: Budget,
    addresses: Addresses,
    keys: usize,
) -> Result<RateLimiterBuilder, BoxError> {
    Ok(builder(budget, keys)?.with_peer(move |_| Some(addresses.next())))
}

fn builder(budget: Budget, keys: usize) -> Result<RateLimiterBuilder, BoxError> {
    let policy = policy(budget)?.with_capacity(keys);
    Ok(RateLimiter::builder().with_policy(policy))
}

fn policy(budget: Budget) -> Result<Policy, BoxError> {
    Ok(Policy::new(NAME, budget.ours()?).with_keys(Keys::peer()))
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.ip())
}

fn decided_by(builder: RateLimiterBuilder) -> Result<Raw, BoxError> {
    let (head, _) = Ask::good().request().into_parts();
    let limiter = builder.build()?;
    Ok(Raw { limiter, head })
}

// === impl Raw ===

impl Through for Raw {
    async fn call(&self, _: &Ask) -> bool {
        let mut decisions = Decisions::default();
        self.limiter.check_into(&self.head, &mut decisions);
        decisions.allow()
    }
}

// === impl Permits ===

impl Through for Permits {
    async fn call(&self, _: &Ask) -> bool {
        match self.0.acquire().await {
            Ok(permit) => {
                permit.complete();
                true
            }
            Err(_) => false,
        }
    }
}
