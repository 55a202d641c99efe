//! The demo's order service: places orders and reads them back, all kept in SQLite.
//!
//! Stock is the inventory's and money the payments': placing an order reserves the one, authorises
//! the other, and undoes both when either fails. [`Orders`] has how. [`start`] has the whole wiring;
//! the handlers are plain axum, and both the calls and the database work carry the request's task
//! and span along. The admin port is [`bartizan::admin`]'s, and ready while the database answers.
//!
//! | request | answers |
//! |---|---|
//! | `POST /orders` with `{"product_id": 1, "quantity": 2}` | 201; 400, 402, 409, 413, 415, 422, 503 |
//! | the same with an `idempotency-key` that has placed an order | 200 and that order |
//! | `GET /orders/{id}` | 200; 400, 404 |
//! | `GET /healthz` | 200 as long as this process serves |
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one.

mod active;
mod calls;
mod config;
mod db;
mod error;
mod model;
mod place;
mod routes;
mod service;
mod sweeper;
mod upstream;

pub use active::MAX_ACTIVE;
pub use config::{
    Config, DEFAULT_ADMIN_BIND, DEFAULT_BIND, DEFAULT_DATABASE, DEFAULT_INVENTORY_URL,
    DEFAULT_PAYMENTS_URL, loader,
};
pub use db::{BUSY_TIMEOUT, Db, DbError, OpenError};
pub use model::{NewOrder, Order, Status};
pub use place::{Orders, PlaceError, Placed};
pub use routes::router;
pub use service::start;
pub use sweeper::{STOP_DEADLINE, SWEEP_PERIOD, Sweeper};
pub use upstream::{CALL_TIMEOUT, CONNECT_TIMEOUT, CallError, MAX_ANSWER, Refusal, Upstream};
