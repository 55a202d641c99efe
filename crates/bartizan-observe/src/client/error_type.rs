//! Errors of any type as a handful of `error.type` values.

use std::any::Any;
use std::error::Error;
use std::io;

use crate::names::error_type;

type BoxError = Box<dyn Error + Send + Sync>;

/// Names an error it knows.
///
/// Errors come as `Any`, because a tower service's error need not implement [`Error`]: the boxed
/// one of most stacks does not.
pub(super) type Namer = fn(&dyn Any) -> Option<&'static str>;

/// What is known about the errors of hyper, tower, tokio and the standard library.
pub(super) fn name(error: &dyn Any) -> Option<&'static str> {
    as_error(error).and_then(name_chain)
}

/// The same for an error whose type is known to be one; looks at all of its sources.
///
/// A timeout anywhere wins, as a connection that timed out is a timeout first.
pub(super) fn name_chain(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if chain(error).any(is_timeout) {
        Some(error_type::TIMEOUT)
    } else if chain(error).any(is_connect) {
        Some(error_type::CONNECT)
    } else if chain(error).any(is_closed) {
        Some(error_type::CONNECTION_CLOSED)
    } else {
        None
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn as_error(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    fn cast<E: Error + 'static>(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
        error.downcast_ref::<E>().map(|error| error as _)
    }
    if let Some(boxed) = error.downcast_ref::<BoxError>() {
        return Some(&**boxed);
    }
    cast::<hyper_util::client::legacy::Error>(error)
        .or_else(|| cast::<hyper::Error>(error))
        .or_else(|| cast::<io::Error>(error))
        .or_else(|| cast::<tower::timeout::error::Elapsed>(error))
        .or_else(|| cast::<tokio::time::error::Elapsed>(error))
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.is::<tower::timeout::error::Elapsed>()
        || error.is::<tokio::time::error::Elapsed>()
        || error
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_timeout)
        || io_kind(error) == Some(io::ErrorKind::TimedOut)
}

fn is_connect(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<hyper_util::client::legacy::Error>()
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
        || io_kind(error) == Some(io::ErrorKind::ConnectionRefused)
}

fn is_closed(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

    let hyper = error.downcast_ref::<hyper::Error>();
    hyper.is_some_and(|error| {
        error.is_incomplete_message() || error.is_closed() || error.is_canceled()
    }) || matches!(
        io_kind(error),
        Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    )
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    error.downcast_ref::<io::Error>().map(io::Error::kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn io_errors_are_named_by_what_they_mean() {
        for (kind, named) in [
            (io::ErrorKind::TimedOut, Some("timeout")),
            (io::ErrorKind::ConnectionRefused, Some("connect")),
            (io::ErrorKind::ConnectionReset, Some("connection_closed")),
            (io::ErrorKind::UnexpectedEof, Some("connection_closed")),
            (io::ErrorKind::InvalidData, None),
        ] {
            assert_eq!(name(&io::Error::from(kind)), named, "{kind}");
        }
    }

    #[test]
    fn the_sources_of_a_boxed_error_count() {
        let error: BoxError = Box::new(Outer(io::ErrorKind::TimedOut.into()));
        assert_eq!(name(&error), Some("timeout"));
    }

    #[test]
    fn the_timeouts_of_tower_are_timeouts_boxed_or_not() {
        let error: BoxError = Box::new(tower::timeout::error::Elapsed::new());
        assert_eq!(name(&error), Some("timeout"));
        assert_eq!(
            name(&tower::timeout::error::Elapsed::new()),
            Some("timeout")
        );
    }

    #[test]
    fn an_unknown_type_has_no_name() {
        assert_eq!(name(&Outer(io::ErrorKind::TimedOut.into())), None);
        assert_eq!(name(&"text"), None);
    }
}
