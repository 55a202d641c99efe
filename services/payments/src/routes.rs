use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use shop::extract::{Body, Id};
use shop::keys::OrderId;
use shop::with_fallbacks;

use crate::{Amount, AuthoriseError, Authorised, Ledger, Payment, Totals};

/// What is to be authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    /// How much.
    pub amount_cents: Amount,
}

/// The service's routes, with nothing around them.
pub fn router(ledger: Ledger) -> Router {
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/ledger", get(totals))
        .route("/payments/{order_id}", put(authorise).delete(void));
    with_fallbacks(routes).with_state(ledger)
}

async fn totals(State(ledger): State<Ledger>) -> Json<Totals> {
    Json(ledger.totals())
}

#[tracing::instrument(name = "authorise payment", skip_all, fields(order.id = %order_id))]
async fn authorise(
    State(ledger): State<Ledger>,
    Id(order_id): Id<OrderId>,
    Body(new): Body<NewPayment>,
) -> Result<(StatusCode, Json<Payment>), AuthoriseError> {
    let amount_cents = new.amount_cents.cents();
    let (status, payment) = match ledger.authorise(&order_id, new.amount_cents) {
        Ok(Authorised::Now(payment)) => (StatusCode::CREATED, payment),
        Ok(Authorised::Before(payment)) => (StatusCode::OK, payment),
        Err(error) => {
            tracing::info!(amount_cents, reason = %error, "not authorised");
            return Err(error);
        }
    };
    tracing::info!(amount_cents, payment.id = payment.id, "payment authorised");
    Ok((status, Json(payment)))
}

async fn void(State(ledger): State<Ledger>, Id(order_id): Id<OrderId>) -> StatusCode {
    ledger.void(&order_id);
    tracing::info!(order.id = %order_id, "payment voided");
    StatusCode::NO_CONTENT
}
