use axum::response::Response;
use bartizan_protect::guard::Error;

use crate::protect::rescue::answer_ours;

/// What the layer of the same limit would have answered with: 429, 503 or 504 as
/// [`Problem`](crate::Problem), with `retry-after` where it is known.
///
/// # Errors
///
/// The work's own failure, which only whoever gave the work knows how to tell.
///
/// ```
/// # use std::io;
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use bartizan::{Guard, guard};
///
/// async fn charge(cards: Guard) -> Response {
///     match cards.run("charge card", async { Ok::<_, io::Error>("charged") }).await {
///         Ok(charged) => charged.into_response(),
///         Err(error) => guard::answer(error)
///             .unwrap_or_else(|_: io::Error| StatusCode::BAD_GATEWAY.into_response()),
///     }
/// }
/// ```
pub fn answer<E>(error: Error<E>) -> Result<Response, E> {
    error.into_layers_error().map(|error| answer_ours(&error))
}
