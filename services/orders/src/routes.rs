use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use shop::extract::{Body, Id};
use shop::keys::IdempotencyKey;
use shop::with_fallbacks;

use crate::error::ApiError;
use crate::{NewOrder, Order, Orders, Placed};

/// The longest key that is taken: what the gateway takes, with the client in front of it.
const MAX_KEY: usize = 512;

/// The service's routes, with nothing around them.
pub fn router(orders: Orders) -> Router {
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/orders", post(place))
        .route("/orders/{id}", get(order));
    with_fallbacks(routes).with_state(orders)
}

async fn place(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Body(new): Body<NewOrder>,
) -> Result<impl IntoResponse, ApiError> {
    let key = IdempotencyKey::from_headers(&headers, MAX_KEY)?;
    let (status, order) = match orders.place(new, key).await? {
        Placed::Now(order) => (StatusCode::CREATED, order),
        Placed::Before(order) => (StatusCode::OK, order),
    };
    let location = [(header::LOCATION, format!("/orders/{}", order.id))];
    Ok((status, location, Json(order)))
}

async fn order(State(orders): State<Orders>, Id(id): Id<i64>) -> Result<Json<Order>, ApiError> {
    let order = orders.order(id).await?;
    let order = order.ok_or(ApiError::UnknownOrder { id })?;
    Ok(Json(order))
}
