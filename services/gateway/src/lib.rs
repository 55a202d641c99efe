//! The demo's gateway: the public face of the shop, in front of the inventory and the order service.
//!
//! Each request is passed on with Bartizan's `reqwest` client, so the trace goes on in the next
//! service. [`start`] has the whole wiring; the admin port is [`bartizan::admin`]'s.
//!
//! | request | answers |
//! |---|---|
//! | `GET /products` | what the inventory says, if 2xx, 4xx or 503 |
//! | `POST /orders` with an `idempotency-key`, `GET /orders/{id}` | what the order service says, if 2xx, 4xx or 503 |
//! | the same, when the service fails or cannot be reached | 502 |
//! | the same, when it takes longer than [`REQUEST_TIMEOUT`] | 504 |
//! | the same, when a client asks for too much | 429 |
//! | the same, when Redis is to say so, and nobody passes without it | 503 |
//! | `GET /openapi.json` | 200: all of this as an OpenAPI 3.1 document |
//! | `GET /healthz` | 200 as long as this process serves |
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one.
//!
//! # Rate limit
//!
//! Each client has a budget (`GATEWAY__RATE_LIMIT__*`, see
//! [`RateLimitConfig`](bartizan::config::RateLimitConfig)): whoever sends an [`API_KEY`], by the key,
//! and everybody else by address. The keys of one address have together the budget of
//! [`CLIENTS_PER_ADDRESS`].
//!
//! With `GATEWAY__RATE_LIMIT__REDIS_URL`, all gateways with the same Redis share these budgets: behind
//! three of them, a client has one and not three. The shared limit is instead of the local one: there
//! is one budget for the `RateLimit` fields to speak of, and nothing for another limit in front to
//! spare, as a refusal holds here without asking Redis again. Without Redis, at the start or later,
//! each gateway goes on by budgets of its own, or as `GATEWAY__RATE_LIMIT__WHEN_REDIS_DOWN` says.
//!
//! # Idempotency keys
//!
//! By draft-ietf-httpapi-idempotency-key-header, and required: without one it is a 400. A key that
//! comes again with the same body gets the same answer again; with another body a 422; while the
//! first is under way a 409. Keys are the client's own: they are kept by the address that sent them.
//!
//! Answers are kept here for [`DEFAULT_TTL`] and within [`MAX_KEYS`] and [`MAX_KEPT`], the oldest
//! being forgotten first. That a key places one order does not depend on it: the key goes on to the
//! order service, whose database has it too. A failure is not kept, nor is an answer that says when
//! to come again, so that coming again is of use.

mod config;
mod idempotency;
mod limits;
mod openapi;
mod reach;
mod routes;
mod service;
mod upstream;

pub use config::{
    Config, DEFAULT_ADMIN_BIND, DEFAULT_BIND, DEFAULT_INVENTORY_URL, DEFAULT_ORDERS_URL, loader,
};
pub use idempotency::{DEFAULT_TTL, Keys, MAX_KEPT, MAX_KEY_LENGTH, MAX_KEYS};
pub use limits::{API_KEY, CLIENTS_PER_ADDRESS};
pub use routes::{MAX_ORDER, Shop, router};
pub use service::start;
pub use upstream::{CONNECT_TIMEOUT, MAX_BODY, REQUEST_TIMEOUT, Upstream};
