use std::fmt;
use std::sync::Arc;

use super::{Config, LoadSource, Observer, Shedder};
use crate::Timer;

/// Puts a [`Shedder`] together.
#[must_use = "a builder does nothing until `build`"]
pub struct ShedderBuilder<O: Observer = ()> {
    name: Arc<str>,
    config: Config,
    source: Box<dyn LoadSource>,
    observer: O,
    timer: Timer,
}

// === impl ShedderBuilder ===

impl ShedderBuilder {
    /// Sheds by what `source` says, and is called `name` in all that is said of it.
    pub fn new(name: &str, config: Config, source: impl LoadSource) -> Self {
        Self {
            name: name.into(),
            config,
            source: Box::new(source),
            observer: (),
            timer: Timer::default(),
        }
    }
}

impl<O: Observer> ShedderBuilder<O> {
    /// Who is told what happens. Default: nobody.
    pub fn with_observer<P: Observer>(self, observer: P) -> ShedderBuilder<P> {
        ShedderBuilder {
            name: self.name,
            config: self.config,
            source: self.source,
            observer,
            timer: self.timer,
        }
    }

    /// Where the time is read. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// What sheds.
    #[must_use]
    pub fn build(self) -> Shedder<O> {
        Shedder::with_parts(
            self.name,
            self.config,
            self.source,
            self.observer,
            self.timer,
        )
    }
}

impl<O: Observer> fmt::Debug for ShedderBuilder<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShedderBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
