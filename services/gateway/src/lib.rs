//! The demo's gateway: the public face of the shop, in front of the order service.
//!
//! Each request is passed on with Bartizan's `reqwest` client, so the trace goes on in the next
//! service. [`Service::start`] has the whole wiring.
//!
//! | request | answers |
//! |---|---|
//! | `GET /products`, `POST /orders`, `GET /orders/{id}` | what the order service says, if 2xx or 4xx |
//! | the same, when the order service fails or cannot be reached | 502 |
//! | the same, when it takes longer than [`REQUEST_TIMEOUT`] | 504 |
//! | `GET /healthz` | 200 as long as this process serves |
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one.

mod config;
mod routes;
mod service;
mod upstream;

pub use config::{Config, DEFAULT_BIND, DEFAULT_ORDERS_URL};
pub use routes::router;
pub use service::{Service, StartError};
pub use upstream::{CONNECT_TIMEOUT, MAX_BODY, REQUEST_TIMEOUT, Upstream};
