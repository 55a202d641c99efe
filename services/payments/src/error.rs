use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bartizan::Problem;

use crate::AuthoriseError;

impl IntoResponse for AuthoriseError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let problem = match self {
            Self::Declined { limit, .. } => Problem::new(StatusCode::PAYMENT_REQUIRED)
                .with_type("/problems/payment-declined")
                .with_title("Payment declined")
                .with_extension("limit_cents", limit),
            Self::Different { .. } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .with_type("/problems/different-order")
                .with_title("A different order"),
            Self::Voided { .. } => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/payment-voided")
                .with_title("Payment voided"),
        };
        problem.with_detail(detail).into_response()
    }
}
