use bartizan_protect::{BoxError, Error};
use tower::Layer;
use tower::util::MapErr;

/// Puts `L` around a service, and takes the service's own errors out of this crate's again, so that
/// the testkit's suite finds them as they went in.
#[derive(Debug, Clone)]
pub(crate) struct Unwrapped<L>(pub(crate) L);

impl<S, L: Layer<S>> Layer<S> for Unwrapped<L> {
    type Service = MapErr<L::Service, fn(Error) -> BoxError>;

    fn layer(&self, inner: S) -> Self::Service {
        MapErr::new(self.0.layer(inner), |error| match error {
            Error::Inner(error) => error,
            error => error.into(),
        })
    }
}
