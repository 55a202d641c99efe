//! The demo's inventory: what there is to sell, for how much, and how much of it is spoken for.
//!
//! The catalogue is here and nowhere else, prices included: an order costs what the product did
//! when its stock was reserved. Everything is kept in memory and starts anew with the process.
//!
//! | request | answers |
//! |---|---|
//! | `GET /products` | 200 |
//! | `PUT /reservations/{order id}` with `{"product_id": 1, "quantity": 2}` | 201, again 200; 400, 409, 413, 415, 422, 503 |
//! | `POST /reservations/{order id}/confirm` | 200; 400, 404, 409 |
//! | `DELETE /reservations/{order id}` | 204; 400 |
//! | `GET /ledger` | 200: per product what is available, reserved and sold |
//! | `GET /healthz` | 200 as long as this process serves |
//!
//! A reservation is made, confirmed and released by the order's id, which the caller has before it
//! calls: each of the three can be sent again, and a reservation whose answer was lost can be
//! released. One that is released before it came is refused when it comes.
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one. What goes wrong on purpose is set through the admin port, see [`shop::faults`].

mod config;
mod error;
mod routes;
mod service;
mod shelves;
mod stock;

pub use config::{Config, DEFAULT_ADMIN_BIND, DEFAULT_BIND, loader};
pub use routes::{NewReservation, router};
pub use service::start;
pub use shelves::Shelves;
pub use stock::{
    Catalogue, ConfirmError, DEFAULT_TTL, Limits, MAX_FINISHED, MAX_HELD, Product, Reservation,
    ReserveError, Reserved, Row, State, Stock,
};
