//! What an outcome and a status code mean: the rules of the semantic conventions, as functions.

use http::StatusCode;

use crate::Outcome;
use crate::access_log::Level;
use crate::names::error_type;

/// Why a request counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The status code says it.
    Status(StatusCode),
    Service,
    Cancelled,
    Panicked,
    BodyError,
    BodyDropped,
}

impl Failure {
    /// Whether the request failed, by outcome and status.
    ///
    /// On a server 4xx is not a failure: it is the client's. A response that was cut short is, even
    /// with a 2xx status on it, because the client never got it.
    pub(crate) fn of(outcome: Outcome, status: Option<StatusCode>) -> Option<Self> {
        let by_status = status.filter(StatusCode::is_server_error).map(Self::Status);
        match outcome {
            Outcome::Completed | Outcome::Upgraded | Outcome::Streaming => by_status,
            Outcome::BodyDropped => by_status.or(Some(Self::BodyDropped)),
            Outcome::Error => Some(Self::Service),
            Outcome::Cancelled => Some(Self::Cancelled),
            Outcome::Panicked => Some(Self::Panicked),
            Outcome::BodyError => Some(Self::BodyError),
        }
    }

    /// Whether a stream failed that outlived its request.
    ///
    /// Going away is how a client ends an event stream or a WebSocket, so that is none.
    pub(crate) fn of_stream(outcome: Outcome, status: Option<StatusCode>) -> Option<Self> {
        match outcome {
            Outcome::BodyDropped => Self::of(Outcome::Streaming, status),
            other => Self::of(other, status),
        }
    }

    /// The value of `error.type`.
    pub(crate) fn error_type(self) -> &'static str {
        match self {
            Self::Status(status) => crate::intern::status_code(status),
            Self::Service => error_type::SERVICE,
            Self::Cancelled => error_type::CANCELLED,
            Self::Panicked => error_type::PANIC,
            Self::BodyError => error_type::BODY_ERROR,
            Self::BodyDropped => error_type::BODY_DROPPED,
        }
    }

    /// A small number that tells the kinds apart where the status code is known anyway: 1 to 6.
    pub(crate) const fn index(self) -> u64 {
        match self {
            Self::Status(_) => 1,
            Self::Service => 2,
            Self::Cancelled => 3,
            Self::Panicked => 4,
            Self::BodyError => 5,
            Self::BodyDropped => 6,
        }
    }
}

/// How loud the access line is.
pub(crate) fn level(failure: Option<Failure>, status: Option<StatusCode>, slow: bool) -> Level {
    match failure {
        Some(Failure::Cancelled | Failure::BodyDropped) => Level::Warn,
        Some(_) => Level::Error,
        None if slow || status.is_some_and(|status| status.is_client_error()) => Level::Warn,
        None => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_and_status_class_has_its_verdict() {
        use Outcome::*;
        let cases: [(Outcome, Option<u16>, Option<&str>, Level); 16] = [
            (Completed, Some(200), None, Level::Info),
            (Completed, Some(302), None, Level::Info),
            (Completed, Some(404), None, Level::Warn),
            (Completed, Some(500), Some("500"), Level::Error),
            (Completed, Some(503), Some("503"), Level::Error),
            (Upgraded, Some(101), None, Level::Info),
            (Streaming, Some(200), None, Level::Info),
            (Streaming, Some(500), Some("500"), Level::Error),
            (Error, None, Some("service_error"), Level::Error),
            (Cancelled, None, Some("cancelled"), Level::Warn),
            (Panicked, None, Some("panic"), Level::Error),
            (Panicked, Some(500), Some("panic"), Level::Error),
            (BodyError, Some(200), Some("body_error"), Level::Error),
            (BodyError, Some(500), Some("body_error"), Level::Error),
            (BodyDropped, Some(200), Some("body_dropped"), Level::Warn),
            (BodyDropped, Some(500), Some("500"), Level::Error),
        ];
        for (outcome, status, error_type, loud) in cases {
            let status = status.map(|code| StatusCode::from_u16(code).unwrap());
            let failure = Failure::of(outcome, status);
            assert_eq!(
                failure.map(Failure::error_type),
                error_type,
                "{outcome} {status:?}"
            );
            assert_eq!(level(failure, status, false), loud, "{outcome} {status:?}");
        }
    }

    #[test]
    fn a_client_that_leaves_a_stream_is_no_failure() {
        let ok = Some(StatusCode::OK);
        assert_eq!(Failure::of_stream(Outcome::BodyDropped, ok), None);
        for (outcome, failure) in [
            (Outcome::BodyError, Failure::BodyError),
            (Outcome::Panicked, Failure::Panicked),
        ] {
            assert_eq!(Failure::of_stream(outcome, ok), Some(failure));
        }
    }

    #[test]
    fn a_slow_request_is_raised_to_a_warning_and_never_lowered() {
        assert_eq!(level(None, Some(StatusCode::OK), true), Level::Warn);
        let failed = Failure::of(Outcome::Completed, Some(StatusCode::BAD_GATEWAY));
        assert_eq!(
            level(failed, Some(StatusCode::BAD_GATEWAY), true),
            Level::Error
        );
    }
}
