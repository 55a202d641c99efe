//! What our own layers answer with in a service's place: the one table of statuses and headers.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bartizan_protect::{Error, Rejection};

use crate::Problem;

/// The problem that says what `error` is, where it is one of a layer of ours.
///
/// What is behind a service has no name here: that is not its clients' business, and the trace has
/// it.
pub(super) fn problem(error: &Error) -> Option<Problem> {
    let (status, detail) = match error {
        Error::CircuitOpen(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "what this needs is failing, and is left alone for a while",
        ),
        Error::Saturated(_) | Error::Shed(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "there is too much to do for this now",
        ),
        Error::TimedOut(_) => (StatusCode::GATEWAY_TIMEOUT, "this took longer than it may"),
        Error::NoTimeLeft(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            "the time that the caller has for this is over",
        ),
        _ => return None,
    };
    let problem = Problem::new(status).with_detail(detail);
    Some(match error.retry_after() {
        Some(wait) => problem.with_retry_after(wait),
        None => problem,
    })
}

/// The answer, marked where nobody was asked for one.
pub(crate) fn answer(error: &Error) -> Option<Response<Body>> {
    let mut answer = problem(error)?.into_response();
    if error.is_rejection() {
        answer.extensions_mut().insert(Rejection::default());
    }
    Some(answer)
}
