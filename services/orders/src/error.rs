use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bartizan::Problem;
use shop::extract::BadRequest;

use crate::{CallError, DbError, PlaceError};

/// When to try again what may work then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    #[error("there is no order {id}")]
    UnknownOrder { id: i64 },
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let problem = match self {
            Self::BadRequest(error) => return error.into_response(),
            Self::UnknownOrder { .. } => Problem::new(StatusCode::NOT_FOUND),
            Self::Place(PlaceError::Call(error)) => return call(error, detail).into_response(),
            Self::Place(PlaceError::KeyReused) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .with_type("/problems/idempotency-key-reused")
                .with_title("Idempotency key reused"),
            Self::Place(PlaceError::InProgress) => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/request-in-progress")
                .with_title("Request in progress")
                .with_retry_after(RETRY_AFTER),
            Self::Place(PlaceError::Overtaken | PlaceError::TooMany) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(RETRY_AFTER)
            }
            Self::Place(PlaceError::Db(_) | PlaceError::Stopped(_)) | Self::Db(_) => {
                // The reason is for us; a client learns nothing about the database.
                tracing::error!(error = detail, "the database failed");
                return Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
                    .with_detail("the order database failed")
                    .into_response();
            }
        };
        problem.with_detail(detail).into_response()
    }
}

/// A refusal is the client's and goes on in the service's words; a failure may be over soon.
fn call(error: CallError, detail: String) -> Problem {
    let (service, wait) = match error {
        CallError::Refused(refusal) => {
            let problem = Problem::new(refusal.status)
                .with_type(refusal.kind)
                .with_title(refusal.title)
                .with_detail(detail);
            return match refusal.left {
                Some(left) => problem.with_extension("left", left),
                None => problem,
            };
        }
        CallError::LeftAlone {
            service,
            retry_after,
        } => (service, retry_after.unwrap_or(RETRY_AFTER)),
        CallError::Timeout { service, .. }
        | CallError::Unreachable { service, .. }
        | CallError::Status { service, .. } => (service, RETRY_AFTER),
    };
    let cause = std::error::Error::source(&error).map(tracing::field::display);
    tracing::warn!(cause, "{error}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .with_type("/problems/service-failed")
        .with_title("A service failed")
        .with_detail(format!("{detail}; the order was not placed"))
        .with_extension("service", service)
        .with_retry_after(wait)
}
