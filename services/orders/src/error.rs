use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
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
        match self {
            Self::Body(rejection) => Problem::of(rejection.status(), detail),
            Self::Path(rejection) => Problem::of(rejection.status(), detail),
            Self::UnknownOrder { .. } => Problem::of(StatusCode::NOT_FOUND, detail),
            Self::Place(PlaceError::UnknownProduct { .. }) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "/problems/unknown-product",
                "Unknown product",
                detail,
            ),
            Self::Place(PlaceError::OutOfStock { .. }) => Problem::new(
                StatusCode::CONFLICT,
                "/problems/out-of-stock",
                "Out of stock",
                detail,
            ),
            Self::Place(PlaceError::Db(_)) | Self::Db(_) => {
                // The reason is for us; a client learns nothing about the database.
                tracing::error!(error = detail, "the database failed");
                Problem::of(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the order database failed",
                )
            }
        }
        .into_response()
    }
}
