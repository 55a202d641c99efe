use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use shop::extract::{Body, Id};
use shop::keys::OrderId;
use shop::{Quantity, with_fallbacks};

use crate::{ConfirmError, Product, Reservation, ReserveError, Reserved, Row, Shelves};

/// What is to be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReservation {
    /// Which product.
    pub product_id: i64,
    /// How many of it.
    pub quantity: Quantity,
}

/// The service's routes, with nothing around them.
pub fn router(shelves: Shelves) -> Router {
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/products", get(products))
        .route("/ledger", get(ledger))
        .route("/reservations/{order_id}", put(reserve).delete(release))
        .route("/reservations/{order_id}/confirm", post(confirm));
    with_fallbacks(routes).with_state(shelves)
}

async fn products(State(shelves): State<Shelves>) -> Json<Vec<Product>> {
    Json(shelves.products())
}

async fn ledger(State(shelves): State<Shelves>) -> Json<Vec<Row>> {
    Json(shelves.ledger())
}

#[tracing::instrument(name = "reserve stock", skip_all, fields(order.id = %order_id))]
async fn reserve(
    State(shelves): State<Shelves>,
    Id(order_id): Id<OrderId>,
    Body(new): Body<NewReservation>,
) -> Result<(StatusCode, Json<Reservation>), ReserveError> {
    let reserved = shelves.reserve(&order_id, new.product_id, new.quantity);
    let (status, reservation) = match reserved {
        Ok(Reserved::Now(reservation)) => (StatusCode::CREATED, reservation),
        Ok(Reserved::Before(reservation)) => (StatusCode::OK, reservation),
        Err(error) => {
            tracing::info!(product.id = new.product_id, reason = %error, "not reserved");
            return Err(error);
        }
    };
    tracing::info!(
        product.id = new.product_id,
        quantity = new.quantity.get(),
        "stock reserved"
    );
    Ok((status, Json(reservation)))
}

async fn confirm(
    State(shelves): State<Shelves>,
    Id(order_id): Id<OrderId>,
) -> Result<Json<Reservation>, ConfirmError> {
    shelves.confirm(&order_id).map(Json)
}

async fn release(State(shelves): State<Shelves>, Id(order_id): Id<OrderId>) -> StatusCode {
    shelves.release(&order_id);
    tracing::info!(order.id = %order_id, "stock released");
    StatusCode::NO_CONTENT
}
