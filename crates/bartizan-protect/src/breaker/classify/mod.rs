//! What a call's end says of the service.

mod grpc;
mod http;

use std::any::Any;

use ::http::{HeaderMap, Response};

use super::Outcome;
use crate::Error;
use crate::timeout::Limit;

pub use grpc::GrpcClassifier;
pub use http::HttpClassifier;

/// Tells a service's failures from its successes: by the response's head, or by its end.
///
/// A user's own is asked for each response or error, on the caller's thread.
pub trait Classify: Send + Sync + 'static {
    /// What the head of a response says. Its body is not there yet, and of no type in particular.
    fn head<B>(&self, response: &Response<B>) -> Verdict;

    /// What the end of a body says whose head said [`Verdict::AtEnd`].
    fn end(&self, trailers: Option<&HeaderMap>) -> Outcome;

    /// What an error says, of the service or of the body, by its own type.
    ///
    /// Default: a [rejection](crate::Error::is_rejection) says nothing, a timeout that came of the
    /// caller's [deadline](crate::timeout::Limit::Deadline) is a cancelled call, since that may have
    /// been too short for anybody, and every other error is a failure. Only [`Error`] and [`BoxError`](crate::BoxError) are looked into.
    fn error(&self, error: &dyn Any) -> Outcome {
        match Error::find_in(error) {
            Some(ours) if ours.is_rejection() => Outcome::Ignored,
            Some(Error::TimedOut(elapsed)) if elapsed.limit() == Limit::Deadline => {
                Outcome::Cancelled
            }
            _ => Outcome::Failure,
        }
    }
}

/// What the head of a response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All there is to know.
    Now(Outcome),
    /// Nothing yet: the end of the body will.
    AtEnd,
}
