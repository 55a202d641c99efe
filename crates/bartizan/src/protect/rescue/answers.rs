//! What our own layers answer with in a service's place: the one table of statuses and headers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bartizan_protect::shared_limit::Refusal;
use bartizan_protect::{Error, Rejection};

use crate::Problem;

/// The type that the draft registers.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The problem that says what `error` is, where it is one of a layer of ours.
///
/// What is behind a service has no name here: that is not its clients' business, and the trace has
/// it.
pub(super) fn problem(error: &Error) -> Option<Problem> {
    match error {
        Error::RateLimited(rejected) => {
            let wait = rejected.retry_after();
            return Some(quota_exceeded(rejected.violated(), wait));
        }
        Error::SharedLimit(rejected) if rejected.refusal() != Refusal::StoreDown => {
            let wait = rejected.retry_after();
            return Some(quota_exceeded(rejected.violated(), wait));
        }
        _ => {}
    }
    let (status, detail) = match error {
        Error::CircuitOpen(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "what this needs is failing, and is left alone for a while",
        ),
        Error::Saturated(_) | Error::Shed(_) | Error::SharedLimit(_) => (
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

/// By draft-ietf-httpapi-ratelimit-headers-10, section 5.
fn quota_exceeded(violated: &[Arc<str>], retry_after: Option<Duration>) -> Problem {
    let violated: Vec<&str> = violated.iter().map(|name| &**name).collect();
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS)
        .with_type(QUOTA_EXCEEDED)
        .with_title("Request cannot be satisfied as assigned quota has been exceeded")
        .with_extension("violated-policies", violated);
    match retry_after {
        Some(wait) => problem.with_retry_after(wait),
        None => problem,
    }
}

/// The answer, marked where nobody was asked for one.
pub(crate) fn answer(error: &Error) -> Option<Response<Body>> {
    let mut answer = problem(error)?.into_response();
    let fields = match error {
        Error::RateLimited(rejected) => rejected.fields(),
        Error::SharedLimit(rejected) => rejected.fields(),
        _ => None,
    };
    if let Some(fields) = fields {
        fields.clone().add_to(answer.headers_mut());
    }
    if error.is_rejection() {
        answer.extensions_mut().insert(Rejection::default());
    }
    Some(answer)
}

/// The answer to an error that is known to be ours.
pub(crate) fn answer_ours(error: &Error) -> Response<Body> {
    answer(error).unwrap_or_else(|| {
        // A layer that was not told what to answer with.
        tracing::error!(error = %error, "a layer failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response()
    })
}
