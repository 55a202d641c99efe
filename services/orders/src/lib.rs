//! The demo's order service: lists products, places orders, reads them back, all kept in SQLite.
//!
//! It shows what a service looks like under Bartizan: [`Service::start`] has the whole wiring, the
//! handlers are plain axum, and the database work runs on blocking threads that carry the request's
//! task and span along.
//!
//! | request | answers |
//! |---|---|
//! | `GET /products` | 200 |
//! | `POST /orders` with `{"product_id": 1, "quantity": 2}` | 201; 400, 409, 413, 415, 422 |
//! | `GET /orders/{id}` | 200; 400, 404 |
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one.

mod config;
mod db;
mod error;
mod model;
mod routes;
mod service;

pub use config::{Config, DEFAULT_BIND, DEFAULT_DATABASE};
pub use db::{BUSY_TIMEOUT, Db, DbError, OpenError, PlaceError};
pub use model::{InvalidQuantity, NewOrder, Order, Product, Quantity};
pub use routes::router;
pub use service::{Service, StartError};
