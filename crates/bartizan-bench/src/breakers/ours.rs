use std::time::Duration;

use bartizan_protect::MAX_DURATION;
use bartizan_protect::breaker::{
    Breaker, CircuitBreaker, CircuitBreakerLayer, Config, ConfigBuilder, Keys, Outcome,
};
use tower_layer::Layer;

use super::through::{Layered, Through, unsent, upstream};
use super::upstream::{Ask, Upstream};
use crate::BoxError;

/// What is not HTTP, or not tower: a permit, and its outcome.
#[derive(Debug)]
pub(super) struct Raw(Breaker);

const NAME: &str = "stock";

/// A call of this bench is not slow, even on a busy machine.
const SLOW: Duration = Duration::from_secs(1);

/// The latest `calls` calls.
pub(super) fn count(calls: u32) -> ConfigBuilder {
    config().with_count_window(calls)
}

/// The calls of the latest `window`.
pub(super) fn time(window: Duration) -> ConfigBuilder {
    config().with_time_window(window)
}

/// Watches for slow calls too.
pub(super) fn slow(config: ConfigBuilder) -> ConfigBuilder {
    config.with_slow_rate(0.5, 10).with_slow_threshold(SLOW)
}

pub(super) fn layered(
    config: ConfigBuilder,
) -> Result<Layered<CircuitBreaker<Upstream>>, BoxError> {
    let layer = CircuitBreakerLayer::new(NAME, config.build()?);
    Ok(Layered(layer.layer(Upstream)))
}

/// A circuit for each host.
pub(super) fn by_host(
    config: ConfigBuilder,
) -> Result<Layered<CircuitBreaker<Upstream>>, BoxError> {
    let layer = CircuitBreakerLayer::new(NAME, config.build()?).with_keys(Keys::by_host());
    Ok(Layered(layer.layer(Upstream)))
}

pub(super) fn raw(config: ConfigBuilder) -> Result<Raw, BoxError> {
    Ok(Raw(Breaker::new(NAME, config.build()?)))
}

/// Stays open once it is.
fn config() -> ConfigBuilder {
    Config::builder().with_open_time(MAX_DURATION, MAX_DURATION)
}

// === impl Raw ===

impl Through for Raw {
    async fn call(&self, ask: &Ask) -> bool {
        let Ok(permit) = self.0.try_acquire() else {
            return unsent(ask);
        };
        let answer = upstream(ask).await;
        permit.record(match &answer {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Failure,
        });
        std::hint::black_box(&answer).is_ok()
    }
}
