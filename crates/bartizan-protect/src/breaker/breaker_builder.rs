use std::sync::Arc;

use super::registry::Registry;
use super::{Breaker, Config, DEFAULT_MAX_KEYS, Observer, Overflow};
use crate::Timer;

/// Puts a [`Breaker`] together.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BreakerBuilder<O: Observer = ()> {
    name: Arc<str>,
    config: Config,
    observer: O,
    timer: Timer,
    max_keys: usize,
    overflow: Overflow,
}

// === impl BreakerBuilder ===

impl BreakerBuilder {
    /// A breaker that is called `name` in all that is said of it.
    pub fn new(name: &str, config: Config) -> Self {
        Self {
            name: name.into(),
            config,
            observer: (),
            timer: Timer::default(),
            max_keys: DEFAULT_MAX_KEYS,
            overflow: Overflow::default(),
        }
    }
}

impl<O: Observer> BreakerBuilder<O> {
    /// Who is told what happens. Default: nobody.
    pub fn with_observer<P: Observer>(self, observer: P) -> BreakerBuilder<P> {
        BreakerBuilder {
            name: self.name,
            config: self.config,
            observer,
            timer: self.timer,
            max_keys: self.max_keys,
            overflow: self.overflow,
        }
    }

    /// Where the time is read. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// How many keys have a circuit of their own. Default: [`DEFAULT_MAX_KEYS`].
    ///
    /// Where a new key finds no room, a circuit goes that no call is under way through, and that is
    /// closed and knows nothing bad, or has not been called since it would have become
    /// [stable](super::ConfigBuilder::with_stable_after). One that an operator holds never goes.
    pub const fn with_max_keys(mut self, max: usize) -> Self {
        self.max_keys = max;
        self
    }

    /// What happens to the calls of keys beyond that. Default: [`Overflow::Shared`].
    pub const fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// The breaker.
    #[must_use]
    pub fn build(self) -> Breaker<O> {
        let registry = Registry::new(
            self.name,
            Arc::new(self.config),
            self.max_keys,
            self.overflow,
            |id| self.observer.circuit(id),
            self.timer.now(),
        );
        Breaker::with_parts(registry, self.observer, self.timer)
    }
}
