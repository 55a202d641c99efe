use http::{HeaderMap, Response, StatusCode};

use super::{Classify, Verdict};
use crate::breaker::Outcome;
use crate::{Rejection, retry_after};

/// The table for HTTP, by the response's head.
///
/// | response | counts as |
/// |---|---|
/// | a [`Rejection`](crate::Rejection) of our own | ignored |
/// | 429, 503 | back-pressure, for as long as `retry-after` says |
/// | 501, 505 | success: the service works, and the request is wrong |
/// | 5xx | failure |
/// | any other | success |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HttpClassifier {
    until_end: bool,
}

// === impl HttpClassifier ===

impl HttpClassifier {
    /// Decides by the head alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { until_end: false }
    }

    /// A good head is a success only once its body has come to its end: a body that breaks off is a
    /// failure, one that is dropped unread a cancelled call, and the time that it takes counts.
    /// Default: the head decides, as downloads and streams may last for any time.
    #[must_use]
    pub const fn until_end(mut self) -> Self {
        self.until_end = true;
        self
    }
}

impl Classify for HttpClassifier {
    fn head<B>(&self, response: &Response<B>) -> Verdict {
        if response.extensions().get::<Rejection>().is_some() {
            return Verdict::Now(Outcome::Ignored);
        }
        match by_status(response.status(), response.headers()) {
            Outcome::Success if self.until_end => Verdict::AtEnd,
            outcome => Verdict::Now(outcome),
        }
    }

    fn end(&self, _: Option<&HeaderMap>) -> Outcome {
        Outcome::Success
    }
}

pub(super) fn by_status(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Outcome::Backpressure(retry_after::parse(headers))
        }
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => Outcome::Success,
        status if status.is_server_error() => Outcome::Failure,
        _ => Outcome::Success,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::BoxError;
    use crate::Error;
    use crate::breaker::{Breaker, Command, Config};

    fn head(status: u16) -> Response<()> {
        Response::builder().status(status).body(()).unwrap()
    }

    #[test]
    fn the_status_tells() {
        for (status, outcome) in [
            (200, Outcome::Success),
            (302, Outcome::Success),
            (404, Outcome::Success),
            (408, Outcome::Success),
            (429, Outcome::Backpressure(None)),
            (500, Outcome::Failure),
            (501, Outcome::Success),
            (502, Outcome::Failure),
            (503, Outcome::Backpressure(None)),
            (504, Outcome::Failure),
            (505, Outcome::Success),
            (599, Outcome::Failure),
        ] {
            let verdict = HttpClassifier::new().head(&head(status));
            assert_eq!(verdict, Verdict::Now(outcome), "{status}");
        }
    }

    #[test]
    fn a_server_says_for_how_long_it_wants_to_be_left_alone() {
        let mut response = head(503);
        let headers = response.headers_mut();
        headers.insert("retry-after", "30".parse().unwrap());
        let outcome = Outcome::Backpressure(Some(Duration::from_secs(30)));
        let verdict = HttpClassifier::new().head(&response);
        assert_eq!(verdict, Verdict::Now(outcome));
    }

    #[test]
    fn only_a_good_head_waits_for_its_end() {
        let classifier = HttpClassifier::new().until_end();
        assert_eq!(classifier.head(&head(200)), Verdict::AtEnd);
        let verdict = classifier.head(&head(500));
        assert_eq!(verdict, Verdict::Now(Outcome::Failure));
        assert_eq!(classifier.end(None), Outcome::Success);
    }

    #[test]
    fn what_our_own_layers_refuse_says_nothing_of_the_service() {
        let mut response = head(503);
        response.extensions_mut().insert(Rejection);
        let verdict = HttpClassifier::new().head(&response);
        assert_eq!(verdict, Verdict::Now(Outcome::Ignored));

        let breaker = Breaker::new("test", Config::default());
        breaker.command(Command::ForceOpen);
        let rejected = || Error::CircuitOpen(breaker.try_acquire().unwrap_err());
        let boxed: BoxError = rejected().into();
        let wrapped: BoxError = io::Error::other(rejected()).into();
        for error in [boxed, wrapped] {
            assert_eq!(HttpClassifier::new().error(&error), Outcome::Ignored);
        }
        assert_eq!(HttpClassifier::new().error(&rejected()), Outcome::Ignored);
    }

    #[test]
    fn every_other_error_is_a_failure() {
        let boxed: BoxError = io::Error::other("down").into();
        assert_eq!(HttpClassifier::new().error(&boxed), Outcome::Failure);
        assert_eq!(
            HttpClassifier::new().error(&Error::Inner(boxed)),
            Outcome::Failure
        );
        let foreign = io::Error::other("down");
        assert_eq!(HttpClassifier::new().error(&foreign), Outcome::Failure);
    }
}
