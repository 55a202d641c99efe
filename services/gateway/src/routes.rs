use std::net::{IpAddr, Ipv4Addr};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use bartizan::{PeerAddr, Problem};
use shop::extract::{BadRequest, Id};
use shop::keys::{IDEMPOTENCY_KEY, IdempotencyKey};
use shop::with_fallbacks;

use crate::idempotency::{Begun, Keys, MAX_KEY_LENGTH};
use crate::openapi;
use crate::upstream::{Answer, Upstream, UpstreamError};

/// The longest order that is read, in bytes; it is kept with its key, and takes about 40.
pub const MAX_ORDER: usize = 4 << 10;

/// What the handlers share; clones are the same.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever makes a router has all of it"
)]
pub struct Shop {
    /// Where the products are.
    pub inventory: Upstream,
    /// Where the orders are.
    pub orders: Upstream,
    /// What was answered to which key.
    pub keys: Keys,
}

/// The service's routes, with nothing around them.
pub fn router(shop: Shop) -> Router {
    let routes = table()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router.route(path, methods)
        });
    with_fallbacks(routes).with_state(shop)
}

/// Every path, also for the test that compares them with the OpenAPI document.
pub(crate) fn table() -> [(&'static str, MethodRouter<Shop>); 5] {
    [
        ("/healthz", get(async || "ok\n")),
        ("/openapi.json", get(openapi::serve)),
        ("/products", get(products)),
        (
            "/orders",
            post(place).layer(DefaultBodyLimit::max(MAX_ORDER)),
        ),
        ("/orders/{id}", get(order)),
    ]
}

async fn products(State(shop): State<Shop>) -> Result<Answer, UpstreamError> {
    shop.inventory.get(&["products"]).await
}

async fn order(State(shop): State<Shop>, Id(id): Id<String>) -> Result<Answer, UpstreamError> {
    shop.orders.get(&["orders", &id]).await
}

#[tracing::instrument(name = "forward order", skip_all)]
async fn place(
    State(shop): State<Shop>,
    peer: Option<Extension<PeerAddr>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Answer, ApiError> {
    let key = IdempotencyKey::from_headers(&headers, MAX_KEY_LENGTH)?.ok_or(ApiError::NoKey)?;
    let body = body.map_err(BadRequest::from)?;
    // Whoever is not on a socket, as in a test, shares one address.
    let client = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(peer)| {
        peer.ip()
    });
    let running = match shop.keys.begin(client, &key, &body) {
        Begun::Run(running) => running,
        Begun::Replay(answer) => {
            tracing::info!(status = answer.status.as_u16(), "answered as before");
            return Ok(answer);
        }
        Begun::InProgress => return Err(ApiError::InProgress),
        Begun::Reused => return Err(ApiError::KeyReused),
        Begun::Full => return Err(ApiError::TooMany),
    };
    let mut passed_on = HeaderMap::new();
    passed_on.insert(IDEMPOTENCY_KEY, key.scoped(client).to_header());
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        passed_on.insert(header::CONTENT_TYPE, kind.clone());
    }
    let bytes = body.len();
    let answer = shop.orders.post(&["orders"], passed_on, body).await?;
    running.finish(&answer);
    let status = answer.status.as_u16();
    if answer.status.is_success() {
        tracing::info!(bytes, status, "order placed");
    } else {
        tracing::info!(bytes, status, "order refused");
    }
    Ok(answer)
}

/// Why an order was not passed on, or has no answer.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("an order needs an idempotency-key, a string that no other order has")]
    NoKey,
    #[error("the idempotency key was used for another order")]
    KeyReused,
    #[error("the order with this idempotency key is being worked on")]
    InProgress,
    #[error("too many orders are being worked on")]
    TooMany,
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        use std::time::Duration;

        let soon = Duration::from_secs(1);
        let detail = self.to_string();
        let problem = match self {
            Self::NoKey => Problem::new(StatusCode::BAD_REQUEST)
                .with_type("/problems/idempotency-key-missing")
                .with_title("Idempotency key missing"),
            Self::KeyReused => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .with_type("/problems/idempotency-key-reused")
                .with_title("Idempotency key reused"),
            Self::InProgress => Problem::new(StatusCode::CONFLICT)
                .with_type("/problems/request-in-progress")
                .with_title("Request in progress")
                .with_retry_after(soon),
            Self::TooMany => Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(soon),
            Self::BadRequest(error) => return error.into_response(),
            Self::Upstream(error) => return error.into_response(),
        };
        problem.with_detail(detail).into_response()
    }
}
