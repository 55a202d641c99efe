use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bartizan::Problem;

use crate::error::ApiError;
use crate::{Db, NewOrder, Order, Product};

/// The service's routes, with nothing around them.
pub fn router(db: Db) -> Router {
    Router::new()
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
        .with_state(db)
}

async fn products(State(db): State<Db>) -> Result<Json<Vec<Product>>, ApiError> {
    Ok(Json(db.products().await?))
}

#[tracing::instrument(name = "place order", skip_all)]
async fn place(
    State(db): State<Db>,
    new: Result<Json<NewOrder>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Json(new) = new?;
    let order = db.place(new).await?;
    tracing::info!(
        order.id = order.id,
        product.id = order.product_id,
        quantity = order.quantity,
        total_cents = order.total_cents,
        "order placed"
    );
    let location = [(header::LOCATION, format!("/orders/{}", order.id))];
    Ok((StatusCode::CREATED, location, Json(order)))
}

async fn order(
    State(db): State<Db>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<Order>, ApiError> {
    let Path(id) = id?;
    let order = db.order(id).await?.ok_or(ApiError::UnknownOrder { id })?;
    Ok(Json(order))
}
