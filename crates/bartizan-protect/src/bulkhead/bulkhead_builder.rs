use std::sync::Arc;

use super::{Bulkhead, Config, Observer};
use crate::Timer;

/// Puts a [`Bulkhead`] together.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BulkheadBuilder<O: Observer = ()> {
    name: Arc<str>,
    config: Config,
    observer: O,
    timer: Timer,
}

// === impl BulkheadBuilder ===

impl BulkheadBuilder {
    /// A bulkhead that is called `name` in all that is said of it.
    pub fn new(name: &str, config: Config) -> Self {
        Self {
            name: name.into(),
            config,
            observer: (),
            timer: Timer::default(),
        }
    }
}

impl<O: Observer> BulkheadBuilder<O> {
    /// Who is told what happens. Default: nobody.
    pub fn with_observer<P: Observer>(self, observer: P) -> BulkheadBuilder<P> {
        BulkheadBuilder {
            name: self.name,
            config: self.config,
            observer,
            timer: self.timer,
        }
    }

    /// Where the time is read and waited for. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// The bulkhead.
    #[must_use]
    pub fn build(self) -> Bulkhead<O> {
        Bulkhead::with_parts(self.name, &self.config, self.observer, self.timer)
    }
}
