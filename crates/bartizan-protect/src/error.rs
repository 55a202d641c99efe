use std::any::Any;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::breaker::Rejected;
use crate::timeout::{Elapsed, NoTimeLeft};
use crate::{bulkhead, rate_limit, shared_limit, shed};

/// Any error, as tower has it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What a layer of this crate answers with where there is no response.
///
/// What the layers say themselves is typed. The error of the service inside is boxed, as tower does
/// it, so that one type stands for a whole stack of them: a layer knows what another one further in
/// has said, without knowing what it is stacked on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The circuit is open: the service was not called.
    #[error(transparent)]
    CircuitOpen(Rejected),
    /// As many calls are under way as there may be: the service was not called.
    #[error(transparent)]
    Saturated(bulkhead::Rejected),
    /// Its key has used up its quota: the service was not called.
    #[error(transparent)]
    RateLimited(rate_limit::Rejected),
    /// Its key has used up its quota of all replicas, or the store that knows cannot be asked: the
    /// service was not called.
    #[error(transparent)]
    SharedLimit(shared_limit::Rejected),
    /// There is too much to do, and the call does not matter enough: the service was not called.
    #[error(transparent)]
    Shed(shed::Rejected),
    /// The caller's time was over before the service was called.
    #[error(transparent)]
    NoTimeLeft(NoTimeLeft),
    /// The service was called and has not answered in time.
    #[error(transparent)]
    TimedOut(Elapsed),
    /// The service failed, with this.
    #[error("{0}")]
    Inner(#[source] BoxError),
}

/// The mark of a response that one of our own layers has answered with in the service's place, as an
/// extension of it: a rejection as [`Error::is_rejection`] is, where there is no error to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rejection;

// === impl Error ===

impl Error {
    /// The error of the service inside; what a layer of this crate said there stays as it is.
    pub fn inner(error: impl Into<BoxError>) -> Self {
        match error.into().downcast() {
            Ok(ours) => *ours,
            Err(error) => Self::Inner(error),
        }
    }

    /// Whether it is one of our layers that refused to call the service.
    ///
    /// Such a rejection says nothing of the service, so no breaker counts it and no retry spends its
    /// budget on it.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        match self {
            Self::CircuitOpen(_)
            | Self::RateLimited(_)
            | Self::SharedLimit(_)
            | Self::Saturated(_)
            | Self::Shed(_)
            | Self::NoTimeLeft(_) => true,
            Self::TimedOut(_) | Self::Inner(_) => false,
        }
    }

    /// When it may be worth another try, where a rejection knows.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen(rejected) => rejected.retry_after(),
            Self::RateLimited(rejected) => rejected.retry_after(),
            Self::SharedLimit(rejected) => rejected.retry_after(),
            Self::Shed(rejected) => Some(rejected.retry_after()),
            Self::Saturated(_) | Self::NoTimeLeft(_) | Self::TimedOut(_) | Self::Inner(_) => None,
        }
    }

    /// What one of our layers has said, somewhere down the sources of `error`.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref() {
                // It has not been said by one of our layers, but passed by it.
                None | Some(Self::Inner(_)) => next = below(error),
                ours => return ours,
            }
        }
        None
    }

    /// The same for the error of a service, whatever its type.
    ///
    /// Looks into this crate's own and into boxed errors. A type that nobody here knows is looked
    /// into by whoever does, in a classifier of their own.
    #[must_use]
    pub fn find_in(error: &dyn Any) -> Option<&Self> {
        match error.downcast_ref::<Self>() {
            Some(ours) => Self::find(ours),
            None => Self::find(error.downcast_ref::<BoxError>()?.as_ref()),
        }
    }
}

/// What `error` is about. An I/O error leaves out the one that it was made from.
fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(custom) => Some(custom),
        None => error.source(),
    }
}
