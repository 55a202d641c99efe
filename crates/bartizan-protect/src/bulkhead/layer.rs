use tower_layer::Layer;

use super::{Bulkhead, BulkheadService, Config, Observer};

/// Puts a bulkhead around HTTP services. See the [module](super).
///
/// The bulkhead lives in the layer: every service that it makes shares it, and so does every clone.
#[derive(Debug)]
pub struct BulkheadLayer<O: Observer = ()> {
    bulkhead: Bulkhead<O>,
    until: Until,
}

/// To where a call has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Head,
    End,
}

// === impl BulkheadLayer ===

impl BulkheadLayer {
    /// A bulkhead that is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        Self::of(Bulkhead::new(name, config))
    }
}

impl<O: Observer> BulkheadLayer<O> {
    /// Around `bulkhead`, which other layers and calls may go through as well.
    #[must_use]
    pub const fn of(bulkhead: Bulkhead<O>) -> Self {
        Self {
            bulkhead,
            until: Until::Head,
        }
    }

    /// A call keeps its place to the end of the response's body, or until that is dropped. Default:
    /// to its head.
    ///
    /// For services that work, or hold on to something scarce, for as long as they stream. Event
    /// streams and downloads to slow clients hold their places for as long as they last.
    #[must_use]
    pub const fn until_end(mut self) -> Self {
        self.until = Until::End;
        self
    }

    /// The bulkhead, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Bulkhead<O> {
        &self.bulkhead
    }
}

impl<S, O: Observer> Layer<S> for BulkheadLayer<O> {
    type Service = BulkheadService<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService::new(inner, self.bulkhead.clone(), self.until)
    }
}

// Not derived, which would ask for an observer that can be cloned.
impl<O: Observer> Clone for BulkheadLayer<O> {
    fn clone(&self) -> Self {
        Self {
            bulkhead: self.bulkhead.clone(),
            until: self.until,
        }
    }
}
