//! Whether how long a call took says anything.

use std::any::Any;

use http::{Response, StatusCode};

use super::state::End;
use crate::{Error, Rejection};

/// What has been refused or has broken off took no time that one could go by; what was cut off
/// because it took too long did.
pub(super) fn response<B>(response: &Response<B>) -> End {
    let refused = response.extensions().get::<Rejection>().is_some();
    match response.status() {
        _ if refused => End::Unknown,
        StatusCode::GATEWAY_TIMEOUT => End::Served,
        StatusCode::TOO_MANY_REQUESTS => End::Unknown,
        status if status.is_server_error() => End::Unknown,
        _ => End::Served,
    }
}

pub(super) fn error(error: &dyn Any) -> End {
    match Error::find_in(error) {
        Some(Error::TimedOut(_)) => End::Served,
        _ => End::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxError;

    #[test]
    fn only_work_that_was_done_or_given_up_took_its_time() {
        for (status, expected) in [
            (200, End::Served),
            (304, End::Served),
            (404, End::Served),
            (429, End::Unknown),
            (500, End::Unknown),
            (503, End::Unknown),
            (504, End::Served),
        ] {
            let mut answer = Response::new(());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            assert_eq!(response(&answer), expected, "{status}");
            answer.extensions_mut().insert(Rejection);
            assert_eq!(response(&answer), End::Unknown, "{status}, of our own");
        }
        assert_eq!(error(&BoxError::from("broken")), End::Unknown);
    }
}
