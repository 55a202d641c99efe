use std::any::Any;

use http::StatusCode;
use http::response::Parts;

use crate::{Error, Rejection};

/// What an attempt came to: the head of a response, or the service's error by its own type.
pub type Answer<'a> = Result<&'a Parts, &'a dyn Any>;

/// Whether another attempt is worthwhile, by default: after 429, 502, 503 and 504, and after every
/// error.
///
/// Any other status is the service's considered answer, 500 among them: what has failed there will
/// mostly do so again.
#[must_use]
pub fn is_transient(answer: Answer<'_>) -> bool {
    answer.map_or(true, |head| {
        matches!(
            head.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
    })
}

/// Whether one of our own layers has answered, in the service's place.
pub(super) fn is_rejection(answer: Answer<'_>) -> bool {
    match answer {
        Ok(head) => head.extensions.get::<Rejection>().is_some(),
        Err(error) => Error::find_in(error).is_some_and(Error::is_rejection),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use http::Response;

    use super::*;
    use crate::BoxError;
    use crate::breaker::{Breaker, Command, Config};
    use crate::retry::Reason;

    fn head(status: u16) -> Parts {
        let response = Response::builder().status(status).body(());
        response.unwrap().into_parts().0
    }

    #[test]
    fn what_may_pass_by_itself_is_transient() {
        for status in 100..600 {
            let expected = [429, 502, 503, 504].contains(&status);
            let head = head(status);
            assert_eq!(is_transient(Ok(&head)), expected, "{status}");
            assert!(!is_rejection(Ok(&head)), "{status}");
            assert_eq!(Reason::of(Ok(&head)).name(), status.to_string());
        }
        let error: BoxError = io::Error::other("reset").into();
        assert!(is_transient(Err(&error)) && !is_rejection(Err(&error)));
        assert_eq!(Reason::of(Err(&error)), Reason::Error);
        let error = Error::Inner(error);
        assert!(is_transient(Err(&error)) && !is_rejection(Err(&error)));
    }

    #[test]
    fn what_our_own_layers_refuse_is_a_rejection() {
        let mut marked = head(503);
        marked.extensions.insert(Rejection);
        assert!(is_rejection(Ok(&marked)));

        let breaker = Breaker::new("test", Config::default());
        breaker.command(Command::ForceOpen);
        let rejected = || Error::CircuitOpen(breaker.try_acquire().unwrap_err());
        assert!(is_rejection(Err(&rejected())));
        let boxed: BoxError = rejected().into();
        assert!(is_rejection(Err(&boxed)));
        let wrapped: BoxError = io::Error::other(rejected()).into();
        assert!(is_rejection(Err(&wrapped)));
    }
}
