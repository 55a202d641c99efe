use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bartizan::Problem;

use crate::{ConfirmError, ReserveError};

impl IntoResponse for ReserveError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let problem = match self {
            Self::UnknownProduct { .. } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .with_type("/problems/unknown-product")
                .with_title("Unknown product"),
            Self::OutOfStock { left, .. } => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/out-of-stock")
                .with_title("Out of stock")
                .with_extension("left", left),
            Self::Different { .. } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .with_type("/problems/different-order")
                .with_title("A different order"),
            Self::Over { .. } => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/reservation-over")
                .with_title("Reservation over"),
            Self::Full { retry_after } => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(retry_after)
            }
        };
        problem.with_detail(detail).into_response()
    }
}

impl IntoResponse for ConfirmError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let problem = match self {
            Self::Unknown { .. } => Problem::new(StatusCode::NOT_FOUND),
            Self::Over { .. } => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/reservation-over")
                .with_title("Reservation over"),
        };
        problem.with_detail(detail).into_response()
    }
}
