use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bartizan::Problem;

use crate::Upstream;
use crate::upstream::UpstreamError;

/// The service's routes, with nothing around them.
pub fn router(orders: Upstream) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/products", get(products))
        .route("/orders", post(place))
        .route("/orders/{id}", get(order))
        .fallback(async |uri: Uri| {
            Problem::new(StatusCode::NOT_FOUND)
                .with_detail(format!("there is nothing at {}", uri.path()))
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED)
                .with_detail(format!("{} does not take {method}", uri.path()))
        })
        .with_state(orders)
}

async fn products(State(orders): State<Upstream>) -> Result<Response, UpstreamError> {
    orders.get(&["products"]).await
}

#[tracing::instrument(name = "forward order", skip_all)]
async fn place(
    State(orders): State<Upstream>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body?;
    let bytes = body.len();
    let answer = orders.post(&["orders"], &headers, body).await?;
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        tracing::info!(bytes, status, "order placed");
    } else {
        tracing::info!(bytes, status, "order refused");
    }
    Ok(answer)
}

async fn order(
    State(orders): State<Upstream>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(orders.get(&["orders", &id]).await?)
}

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("{}", .0.body_text())]
    Body(#[from] BytesRejection),
    #[error("{}", .0.body_text())]
    Path(#[from] PathRejection),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        let status = match self {
            Self::Body(rejection) => rejection.status(),
            Self::Path(rejection) => rejection.status(),
            Self::Upstream(error) => return error.into_response(),
        };
        Problem::new(status).with_detail(detail).into_response()
    }
}
