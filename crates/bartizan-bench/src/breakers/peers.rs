use std::hint::black_box;
use std::time::Duration;

use failsafe::StateMachine;
use failsafe::backoff::{self, Constant};
use failsafe::failure_policy::{
    ConsecutiveFailures, FailurePolicy, SuccessRateOverTimeWindow, consecutive_failures,
    success_rate_over_time_window,
};
use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerConfigBuilder, CircuitBreakerLayer, DefaultClassifier,
    SlidingWindowType,
};

use super::through::{Layered, Through, unsent, upstream};
use super::upstream::{Ask, Upstream};
use crate::BoxError;

/// The `recloser` crate, by its future.
#[derive(Debug)]
pub(super) struct ByRecloser(AsyncRecloser);

/// The `failsafe` crate, by its future.
#[derive(Debug)]
pub(super) struct ByFailsafe<P>(StateMachine<P, ()>);

/// As long as ours stays open.
const OPEN: Duration = Duration::from_secs(24 * 60 * 60);

type TowerResilience = Layered<CircuitBreaker<Upstream, DefaultClassifier>>;

/// `tower-resilience`, of the latest `calls` calls.
pub(super) fn tower_resilience_count(calls: usize) -> Result<TowerResilience, BoxError> {
    let layer = tower_resilience()
        .sliding_window_type(SlidingWindowType::CountBased)
        .sliding_window_size(calls);
    Ok(Layered(layer.build()?.layer_fn(Upstream)))
}

/// `tower-resilience`, of the calls of the latest `window`.
pub(super) fn tower_resilience_time(window: Duration) -> Result<TowerResilience, BoxError> {
    let layer = tower_resilience()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(window);
    Ok(Layered(layer.build()?.layer_fn(Upstream)))
}

fn tower_resilience() -> CircuitBreakerConfigBuilder<DefaultClassifier> {
    CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .minimum_number_of_calls(10)
        .wait_duration_in_open(OPEN)
}

/// `recloser`, of the latest `calls` calls.
pub(super) fn recloser(calls: usize) -> ByRecloser {
    let recloser = Recloser::custom()
        .error_rate(0.5)
        .closed_len(calls)
        .open_wait(OPEN)
        .build();
    ByRecloser(AsyncRecloser::from(recloser))
}

/// `failsafe`, by its rate over `window`.
pub(super) fn failsafe_rate(window: Duration) -> ByFailsafe<SuccessRateOverTimeWindow<Constant>> {
    let policy = success_rate_over_time_window(0.5, 10, window, backoff::constant(OPEN));
    ByFailsafe(failsafe::Config::new().failure_policy(policy).build())
}

/// `failsafe`, by failures in a row: its rate opens nothing before its window is over.
pub(super) fn failsafe_consecutive() -> ByFailsafe<ConsecutiveFailures<Constant>> {
    let policy = consecutive_failures(10, backoff::constant(OPEN));
    ByFailsafe(failsafe::Config::new().failure_policy(policy).build())
}

// === impl ByRecloser ===

impl Through for ByRecloser {
    async fn call(&self, ask: &Ask) -> bool {
        match black_box(&self.0.call(upstream(ask)).await) {
            Ok(_) => true,
            Err(recloser::Error::Inner(_)) => false,
            Err(recloser::Error::Rejected) => unsent(ask),
        }
    }
}

// === impl ByFailsafe ===

impl<P: FailurePolicy + Send + Sync + 'static> Through for ByFailsafe<P> {
    async fn call(&self, ask: &Ask) -> bool {
        match black_box(&self.0.call(upstream(ask)).await) {
            Ok(_) => true,
            Err(failsafe::Error::Inner(_)) => false,
            Err(failsafe::Error::Rejected) => unsent(ask),
        }
    }
}
