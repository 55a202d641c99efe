use tower_layer::Layer;

use super::{Config, LoadShed, LoadSource, Observer, Priorities, Shedder};

/// Sheds calls of HTTP services. See the [module](super).
///
/// What is shed is one and the same for every service that it makes, and for every clone.
#[derive(Debug)]
pub struct LoadShedLayer<O: Observer = ()> {
    shedder: Shedder<O>,
    priorities: Priorities,
}

// === impl LoadShedLayer ===

impl LoadShedLayer {
    /// Sheds by what `source` says, a [`Bulkhead`](crate::bulkhead::Bulkhead) further in for one, and
    /// is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config, source: impl LoadSource) -> Self {
        Self::of(Shedder::new(name, config, source))
    }
}

impl<O: Observer> LoadShedLayer<O> {
    /// As `shedder` says, which others may ask as well.
    #[must_use]
    pub const fn of(shedder: Shedder<O>) -> Self {
        Self {
            shedder,
            priorities: Priorities::by_path(),
        }
    }

    /// How the priority of a request is found. Default: [`Priorities::by_path`].
    #[must_use]
    pub fn with_priorities(mut self, priorities: Priorities) -> Self {
        self.priorities = priorities;
        self
    }

    /// What sheds, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Shedder<O> {
        &self.shedder
    }
}

impl<S, O: Observer> Layer<S> for LoadShedLayer<O> {
    type Service = LoadShed<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        LoadShed::new(inner, self.shedder.clone(), self.priorities.clone())
    }
}

// Not derived, which would ask for an observer that can be cloned.
impl<O: Observer> Clone for LoadShedLayer<O> {
    fn clone(&self) -> Self {
        Self {
            shedder: self.shedder.clone(),
            priorities: self.priorities.clone(),
        }
    }
}
