use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bartizan::Problem;

use crate::{DbError, PlaceError};

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{}", .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("{}", .0.body_text())]
    Path(#[from] PathRejection),
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
            Self::Body(rejection) => Problem::new(rejection.status()),
            Self::Path(rejection) => Problem::new(rejection.status()),
            Self::UnknownOrder { .. } => Problem::new(StatusCode::NOT_FOUND),
            Self::Place(PlaceError::UnknownProduct { .. }) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                    .with_type("/problems/unknown-product")
                    .with_title("Unknown product")
            }
            Self::Place(PlaceError::OutOfStock { left, .. }) => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/out-of-stock")
                .with_title("Out of stock")
                .with_extension("left", left),
            Self::Place(PlaceError::Db(_)) | Self::Db(_) => {
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
